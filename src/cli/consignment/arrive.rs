//! `shieldwall consignment arrive`.

use super::unannounced::Unannounced;
use crate::cli::context::Context;
use crate::cli::entry::carriage::Papers;
use crate::cli::entry::parcel::ON_THE_WAY;
use crate::cli::entry::{self, Entry, Known, Name, values};
use crate::cli::report::{Failure, Outcome};
use crate::encoding::time::UnixTime;
use crate::record::{Draft, Kind, Place, Shipment};

/// Tells the exporting country that goods have arrived.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Option<Name>,
    /// When they arrived
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    at: Option<UnixTime>,
    /// Where [default: the point of entry as announced]
    #[arg(long, value_name = "PLACE", value_parser = values::place)]
    place: Option<Place>,
    /// Whether the seals were whole: yes or no
    #[arg(long, value_name = "YES|NO", value_parser = values::yes_no)]
    seals_intact: Option<bool>,
    /// State on arrival, a code of UN/ECE Recommendation 24: 1 arrived, 107 anomaly
    #[arg(long, value_name = "CODE")]
    condition: Option<String>,
    /// Which of how many shipments, such as 2/11
    #[arg(long, value_name = "N/M", value_parser = values::shipment)]
    shipment: Option<Shipment>,
    #[command(flatten)]
    papers: Papers,
    #[command(flatten)]
    unannounced: Unannounced,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let name = args.unannounced.or_consignment(args.consignment.as_ref())?;
    let known = name.map(|name| Known::find(context, name)).transpose()?;
    entry::log::<Args>(context, draft(&args, known.as_ref())?, &args.entry)
}

fn draft(args: &Args, known: Option<&Known>) -> Result<Draft, Failure> {
    let draft = match known {
        None => args.unannounced.draft(Kind::Arrival, &args.papers, &args.entry)?,
        Some(known) => {
            let parcel = known.parcel(args.shipment, ON_THE_WAY)?;
            let mut draft = known.to_others(Kind::Arrival, &args.entry);
            args.papers.fill(&mut draft);
            Draft {
                answers: Some(known.answers(parcel.as_ref())),
                shipment: parcel.and_then(|parcel| parcel.number),
                place: known.announced.point_of_entry.clone(),
                ..draft
            }
        }
    };
    Ok(Draft {
        happened_at: args.at,
        place: args.place.clone().or(draft.place),
        shipment: args.shipment.or(draft.shipment),
        seals_intact: args.seals_intact,
        condition: args.condition.clone(),
        ..draft
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{after, args, json, usage};

    #[test]
    fn an_arrival_names_the_departure() {
        let departure = r#"{"kind": "E13", "destination": "MZ", "answers": "GE-1", "shipment": {"number": 1, "of": 2}, "goods": [
            {"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "2750", "unit": "TNE"}}]}"#;
        let known = after("MZ", &[("GE-2", departure)]);
        let args =
            args(&["GE-1", "--at", "2013-11-09", "--place", "MZBEW", "--seals-intact", "no", "--condition", "107"]);
        let expected = r#"{"kind": "arrival", "consignment": "GE-1", "answers": "GE-2", "parents": ["GE-2"], "to": ["GE"], "condition": "107",
            "shipment": {"number": 1, "of": 2}, "happened_at": "2013-11-09T00:00:00Z", "place": {"unlocode": "MZBEW"},
            "seals_intact": false}"#;
        assert_eq!(draft(&args, Some(&known)).unwrap(), json(expected));
    }

    #[test]
    fn goods_that_nobody_announced_are_told_too() {
        let line: Args = args(&[
            "--unannounced",
            "--export-country",
            "GE",
            "--container",
            "CSQU3054383",
            "--at",
            "2013-11-09",
            "--to",
            "TR",
        ]);
        let expected = r#"{"kind": "arrival", "to": ["GE", "TR"], "export_country": "GE", "happened_at": "2013-11-09T00:00:00Z",
            "containers": [{"number": "CSQU3054383"}]}"#;
        assert_eq!(draft(&line, None).unwrap(), json(expected));
        let nameless: Args = args(&["--unannounced", "--export-country", "GE"]);
        assert!(draft(&nameless, None).unwrap_err().text().contains("--ucr is needed here"));
        let to_nobody: Args = args(&["--unannounced", "--bill-of-lading", "BL-1"]);
        assert!(draft(&to_nobody, None).is_err());
    }

    #[test]
    fn which_goods_has_to_be_said() {
        let silent: Args = args(&["--at", "2013-11-09"]);
        assert!(silent.unannounced.or_consignment(None).unwrap_err().text().contains("--unannounced"));
        assert!(usage::<Args>(&["GE-1", "--unannounced"]).contains("--unannounced"));
        assert!(usage::<Args>(&["GE-1", "--ucr", "3GE1"]).contains("cannot be used with '--ucr <TEXT>'"));
    }
}
