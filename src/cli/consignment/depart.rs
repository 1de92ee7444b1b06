//! `shieldwall consignment depart`.

use crate::cli::context::Context;
use crate::cli::entry::carriage::{Carriage, Papers};
use crate::cli::entry::goods::GoodsArgs;
use crate::cli::entry::{self, Entry, Known, Name, needed, values};
use crate::cli::report::{Failure, Outcome};
use crate::encoding::time::UnixTime;
use crate::record::{Draft, Kind, Place, Shipment, Window};

/// Tells that goods have left the exporting country. Substance, unit, ship and places are filled in as announced; the amount is not:
/// it is what was really loaded.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    #[command(flatten)]
    goods: GoodsArgs,
    /// All that was announced has left, in that amount
    #[arg(long, conflicts_with_all = ["goods", "shipment"])]
    as_announced: bool,
    /// When they left
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    at: Option<UnixTime>,
    /// Which of how many shipments this is, such as 2/11
    #[arg(long, value_name = "N/M", value_parser = values::shipment)]
    shipment: Option<Shipment>,
    #[command(flatten)]
    carriage: Carriage,
    #[command(flatten)]
    papers: Papers,
    /// Where they left the country [default: as announced]
    #[arg(long, value_name = "PLACE", value_parser = values::place)]
    exit: Option<Place>,
    /// When they are to arrive [default: as announced]
    #[arg(long, value_name = "DAYS", value_parser = values::window)]
    arrival: Option<Window>,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let known = Known::find(context, &args.consignment)?;
    entry::log::<Args>(context, draft(&args, &known)?, &args.entry)
}

fn draft(args: &Args, known: &Known) -> Result<Draft, Failure> {
    let announced = &known.announced;
    let goods = if args.as_announced {
        announced.goods.clone()
    } else if args.goods.lines.is_empty() {
        return Err(needed("--goods", "write what was loaded, such as --goods '2748.5 t', or --as-announced"));
    } else {
        args.goods.complete(&announced.goods)?
    };
    let mut draft = Draft {
        goods,
        happened_at: args.at,
        shipment: args.shipment,
        mode: args.carriage.mode().or(announced.mode),
        conveyance: args.carriage.conveyance().or_else(|| announced.conveyance.clone()),
        carrier: announced.carrier.clone(),
        point_of_exit: args.exit.clone().or_else(|| announced.point_of_exit.clone()),
        point_of_entry: announced.point_of_entry.clone(),
        arrival: args.arrival.or(announced.arrival),
        ..known.by_exporter(Kind::Departure, &args.entry)
    };
    args.papers.fill(&mut draft);
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json, notified, usage};

    #[test]
    fn what_is_announced_is_filled_in() {
        let args = args(&[
            "3GE204567890-AN2750",
            "--goods",
            "2748.5",
            "--at",
            "2013-09-27T14:00:00Z",
            "--ship",
            "RHOSUS",
            "--bill-of-lading",
            "BL-1",
            "--container",
            "CSQU3054383 S1",
            "--exit",
            "GEBUS",
            "--shipment",
            "1/2",
        ]);
        let expected = r#"{"kind": "departure", "consignment": "GE-1", "answers": "GE-1", "export_country": "GE",
            "destination": "MZ", "itinerary": [{"unlocode": "GEBUS"}, {"unlocode": "TRIST"}, {"unlocode": "MZBEW"}],
            "goods": [{"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "2748.5", "unit": "TNE"}}],
            "happened_at": "2013-09-27T14:00:00Z", "conveyance": {"name": "RHOSUS"}, "mode": 1, "bill_of_lading": "BL-1",
            "containers": [{"number": "CSQU3054383", "seals": ["S1"]}], "point_of_exit": {"unlocode": "GEBUS"},
            "shipment": {"number": 1, "of": 2}}"#;
        assert_eq!(draft(&args, &notified("GE")).unwrap(), json(expected));
    }

    #[test]
    fn the_amount_is_never_taken_for_granted() {
        let known = notified("GE");
        let silent: Args = args(&["GE-1"]);
        assert!(draft(&silent, &known).unwrap_err().text().contains("--as-announced"));
        let whole: Args = args(&["GE-1", "--as-announced"]);
        assert_eq!(draft(&whole, &known).unwrap().goods, known.announced.goods);
        assert!(usage::<Args>(&["GE-1", "--as-announced", "--goods", "1 t"]).contains("--goods"));
    }
}
