//! `shieldwall missing`.

use crate::cli::context::Context;
use crate::cli::entry::goods::GoodsArgs;
use crate::cli::entry::parcel::ON_THE_WAY;
use crate::cli::entry::{self, Entry, Known, Name, values};
use crate::cli::report::{Failure, Outcome};
use crate::encoding::time::UnixTime;
use crate::record::{Draft, Kind, Party, Place, Shipment};

/// Declares goods missing. That is an officer's word, not a clock's. Goods are filled in as they left.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    #[command(flatten)]
    goods: GoodsArgs,
    /// When the goods were last seen
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    last_seen: Option<UnixTime>,
    /// Where they were last seen
    #[arg(long, value_name = "PLACE", value_parser = values::place)]
    last_place: Option<Place>,
    /// Who carried them [default: as announced]
    #[arg(long, value_name = "NAME")]
    carrier: Option<String>,
    /// What is known, in words
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Which of how many shipments, such as 2/11
    #[arg(long, value_name = "N/M", value_parser = values::shipment)]
    shipment: Option<Shipment>,
    #[command(flatten)]
    entry: Entry,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Outcome {
    let known = Known::find_with_departures(context, &args.consignment)?;
    entry::log::<Args>(context, draft(args, &known)?, &args.entry)
}

fn draft(args: &Args, known: &Known) -> Result<Draft, Failure> {
    let parcel = known.parcel(args.shipment, ON_THE_WAY)?;
    let left = known.goods_of(parcel.as_ref());
    let goods = if args.goods.lines.is_empty() { left.to_vec() } else { args.goods.complete(left)? };
    let departure = parcel.as_ref().and_then(|parcel| known.departures.get(&parcel.departure?));
    let carrier = args.carrier.as_ref().map(|name| Party { name: Some(name.clone()), ..Party::default() });
    Ok(Draft {
        answers: Some(known.answers(parcel.as_ref())),
        goods,
        shipment: args.shipment.or_else(|| parcel.as_ref().and_then(|parcel| parcel.number)),
        last_seen_at: args.last_seen,
        place: args.last_place.clone(),
        carrier: carrier.or_else(|| known.announced.carrier.clone()),
        conveyance: departure.and_then(|departure| departure.conveyance.clone()),
        reason: args.reason.clone(),
        ..known.to_others(Kind::Missing, &args.entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{after, args, json};

    #[test]
    fn what_is_missing_is_what_left() {
        let departure = r#"{"kind": "E13", "destination": "MZ", "answers": "GE-1", "conveyance": {"name": "RHOSUS"}, "goods": [
            {"line": 1, "substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "2750", "unit": "TNE"},
             "net_mass_g": 2750000000}]}"#;
        let known = after("MZ", &[("GE-2", departure)]);
        let args = args(&[
            "GE-1",
            "--last-seen",
            "2013-11-20",
            "--last-place",
            "LBBEY",
            "--reason",
            "It never came.",
            "--to",
            "TR",
        ]);
        let expected = r#"{"kind": "missing", "consignment": "GE-1", "answers": "GE-2", "parents": ["GE-2"], "to": ["GE", "TR"],
            "goods": [{"line": 1, "substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "2750", "unit": "TNE"},
                "net_mass_g": 2750000000}], "conveyance": {"name": "RHOSUS"}, "last_seen_at": "2013-11-20T00:00:00Z",
            "place": {"unlocode": "LBBEY"}, "reason": "It never came."}"#;
        assert_eq!(draft(&args, &known).unwrap(), json(expected));
    }
}
