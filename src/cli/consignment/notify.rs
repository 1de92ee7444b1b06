//! `shieldwall consignment notify`.

use crate::cli::context::Context;
use crate::cli::entry::carriage::{Carriage, Papers};
use crate::cli::entry::goods::GoodsArgs;
use crate::cli::entry::{self, Entry, needed, values};
use crate::cli::policy;
use crate::cli::report::{Failure, Outcome};
use crate::encoding::ids::RecordId;
use crate::record::{Country, Date, Declared, Draft, Kind, Party, PartyId, Place, Ucr, Window};

/// Announces an export, which opens a consignment. Cites the newest policies of the destination and of the countries on the way that
/// this node holds, so that every clock runs by them.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// Unique consignment reference, such as 6GE204567890-1
    #[arg(long, value_name = "TEXT")]
    ucr: Ucr,
    /// Country that the goods are meant for
    #[arg(long, value_name = "COUNTRY")]
    destination: Country,
    #[command(flatten)]
    goods: GoodsArgs,
    /// Who sells
    #[arg(long, value_name = "NAME")]
    exporter: Option<String>,
    /// Identifier of the exporter with its scheme, such as 'EORI GE204567890'
    #[arg(long, value_name = "ID", value_parser = values::party_id)]
    exporter_id: Option<PartyId>,
    /// Who receives the goods
    #[arg(long, value_name = "NAME")]
    consignee: Option<String>,
    /// Identifier of the consignee with its scheme
    #[arg(long, value_name = "ID", value_parser = values::party_id)]
    consignee_id: Option<PartyId>,
    /// Address of the consignee in one line, without the country
    #[arg(long, value_name = "TEXT")]
    consignee_address: Option<String>,
    /// Who buys, if another
    #[arg(long, value_name = "NAME")]
    importer: Option<String>,
    /// Who carries the goods
    #[arg(long, value_name = "NAME")]
    carrier: Option<String>,
    /// What the goods are for
    #[arg(long, value_name = "TEXT")]
    end_use: Option<String>,
    /// Where they leave the country
    #[arg(long, value_name = "PLACE", value_parser = values::place)]
    exit: Option<Place>,
    /// Where they enter the country of destination
    #[arg(long, value_name = "PLACE", value_parser = values::place)]
    entry: Option<Place>,
    /// Places or countries on the way, in order, such as GEPTI,TRIST,MZBEW
    #[arg(long, value_name = "PLACES", value_delimiter = ',', value_parser = values::place)]
    route: Vec<Place>,
    #[command(flatten)]
    carriage: Carriage,
    #[command(flatten)]
    papers: Papers,
    /// When they are to leave, such as 2026-12-01..2026-12-05
    #[arg(long, value_name = "DAYS", value_parser = values::window)]
    dispatch: Option<Window>,
    /// When they are to arrive
    #[arg(long, value_name = "DAYS", value_parser = values::window)]
    arrival: Option<Window>,
    /// A licence or permit; several are given one by one
    #[arg(long = "licence", value_name = "TEXT")]
    licences: Vec<String>,
    /// Day by which an answer is asked for
    #[arg(long, value_name = "DAY")]
    reply_by: Option<Date>,
    /// Reference in PEN Online
    #[arg(long, value_name = "TEXT")]
    pen_online: Option<String>,
    /// A policy to reckon by, in place of the newest ones
    #[arg(long = "policy", value_name = "ID")]
    policies: Vec<RecordId>,
    /// Anything else worth saying to both sides
    #[arg(long, value_name = "TEXT")]
    remarks: Option<String>,
    #[command(flatten)]
    common: Entry,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let mut draft = draft(&args)?;
    if draft.policies.is_empty() {
        draft.policies = policies(context, &args)?;
    }
    entry::log::<Args>(context, draft, &args.common)
}

/// The policies that hold now, of the countries that the goods go to and pass through. A trial run does without a node.
fn policies(context: &Context, args: &Args) -> Result<Vec<RecordId>, Failure> {
    let on_the_way = args.route.iter().filter_map(Place::country);
    let countries = on_the_way.chain([args.destination.clone()]).filter_map(|country| country.as_str().parse().ok());
    let mut found = Vec::new();
    for member in countries {
        match policy::in_force(context, member) {
            Ok(policy) => found.extend(policy.map(|policy| policy.id)),
            Err(_) if args.common.dry_run => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(found)
}

fn draft(args: &Args) -> Result<Draft, Failure> {
    if args.goods.lines.is_empty() {
        return Err(needed("--goods", "write it like --goods 'ammonium-nitrate 2750 t'"));
    }
    let consignee = Party {
        address: args.consignee_address.clone(),
        country: Some(Declared::Valid(args.destination.clone())),
        ..party(args.consignee.as_ref(), args.consignee_id.as_ref())
    };
    let mut draft = Draft {
        kind: Some(Kind::ExportNotification),
        to: args.common.to.clone(),
        ucr: Some(Declared::Valid(args.ucr.clone())),
        destination: Some(Declared::Valid(args.destination.clone())),
        goods: args.goods.complete(&[])?,
        exporter: Some(party(args.exporter.as_ref(), args.exporter_id.as_ref())).filter(Party::is_identified),
        consignee: Some(consignee).filter(Party::is_identified),
        importer: args.importer.as_ref().map(|name| party(Some(name), None)),
        carrier: args.carrier.as_ref().map(|name| party(Some(name), None)),
        end_use: args.end_use.clone(),
        point_of_exit: args.exit.clone().or_else(|| args.route.first().cloned()),
        point_of_entry: args.entry.clone().or_else(|| entry_of(args)),
        itinerary: args.route.clone(),
        mode: args.carriage.mode(),
        conveyance: args.carriage.conveyance(),
        dispatch: args.dispatch,
        arrival: args.arrival,
        licences: args.licences.clone(),
        reply_by: args.reply_by,
        pen_online_ref: args.pen_online.clone(),
        policies: args.policies.clone(),
        remarks: args.remarks.clone(),
        ..Draft::default()
    };
    args.papers.fill(&mut draft);
    Ok(draft)
}

/// The last place of the route, if it lies in the country of destination.
fn entry_of(args: &Args) -> Option<Place> {
    args.route.last().filter(|place| place.country().as_ref() == Some(&args.destination)).cloned()
}

fn party(name: Option<&String>, id: Option<&PartyId>) -> Party {
    Party { name: name.cloned(), ids: id.cloned().into_iter().collect(), ..Party::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json};

    #[test]
    fn an_announcement_in_words() {
        let args = args(&[
            "--ucr",
            "3GE204567890-AN2750",
            "--destination",
            "MZ",
            "--goods",
            "ammonium-nitrate 2750 t, 2750 big bags",
            "--exporter",
            "Rustavi Sample Nitrogen",
            "--exporter-id",
            "EORI GE204567890",
            "--consignee",
            "Sample Mining Supplies",
            "--end-use",
            "Mining",
            "--route",
            "GEBUS,TRIST,MZBEW",
            "--ship",
            "RHOSUS",
            "--flag",
            "MD",
            "--dispatch",
            "2013-09-23..2013-09-27",
            "--arrival",
            "..2013-11-15",
            "--licence",
            "L-17",
            "--reply-by",
            "2013-10-14",
            "--policy",
            "MZ-4",
        ]);
        let expected = r#"{"kind": "export-notification", "ucr": "3GE204567890-AN2750", "destination": "MZ",
            "goods": [{"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "2750", "unit": "TNE"},
                "packages": [{"type": "43", "count": 2750}]}],
            "exporter": {"name": "Rustavi Sample Nitrogen", "ids": [{"scheme": "EORI", "value": "GE204567890"}]},
            "consignee": {"name": "Sample Mining Supplies", "country": "MZ"}, "end_use": "Mining",
            "itinerary": [{"unlocode": "GEBUS"}, {"unlocode": "TRIST"}, {"unlocode": "MZBEW"}],
            "point_of_exit": {"unlocode": "GEBUS"}, "point_of_entry": {"unlocode": "MZBEW"}, "mode": 1,
            "conveyance": {"name": "RHOSUS", "nationality": "MD"},
            "dispatch": {"earliest": "2013-09-23", "latest": "2013-09-27"}, "arrival": {"latest": "2013-11-15"},
            "licences": ["L-17"], "reply_by": "2013-10-14", "policies": ["MZ-4"]}"#;
        assert_eq!(draft(&args).unwrap(), json(expected));
    }

    #[test]
    fn goods_are_needed() {
        let args: Args = args(&["--ucr", "3GE204567890-1", "--destination", "MZ"]);
        assert!(draft(&args).unwrap_err().text().contains("--goods 'ammonium-nitrate 2750 t'"));
    }
}
