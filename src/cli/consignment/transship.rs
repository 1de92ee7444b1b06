//! `shieldwall consignment transship`.

use crate::cli::context::Context;
use crate::cli::entry::carriage::{Carriage, Papers};
use crate::cli::entry::parcel::ON_THE_WAY;
use crate::cli::entry::{self, Entry, Known, Name, values};
use crate::cli::report::{Failure, Outcome};
use crate::encoding::time::UnixTime;
use crate::record::{Draft, Kind, Place, Shipment};

/// Tells that goods changed ship, truck or container.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    #[command(flatten)]
    carriage: Carriage,
    /// The ship or truck that they left, by name [default: that of the departure, if it is known]
    #[arg(long, value_name = "NAME")]
    from: Option<String>,
    /// Where
    #[arg(long, value_name = "PLACE", value_parser = values::place)]
    place: Option<Place>,
    /// When
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    at: Option<UnixTime>,
    /// Which of how many shipments, such as 2/11
    #[arg(long, value_name = "N/M", value_parser = values::shipment)]
    shipment: Option<Shipment>,
    #[command(flatten)]
    papers: Papers,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let known = Known::find_with_departures(context, &args.consignment)?;
    entry::log::<Args>(context, draft(&args, &known)?, &args.entry)
}

fn draft(args: &Args, known: &Known) -> Result<Draft, Failure> {
    let parcel = known.parcel(args.shipment, ON_THE_WAY)?;
    let departure = parcel.as_ref().and_then(|parcel| known.departures.get(&parcel.departure?));
    let left = departure.and_then(|departure| departure.conveyance.clone());
    let mut draft = known.to_others(Kind::Transshipment, &args.entry);
    args.papers.fill(&mut draft);
    Ok(Draft {
        answers: Some(known.answers(parcel.as_ref())),
        shipment: args.shipment.or_else(|| parcel.and_then(|parcel| parcel.number)),
        conveyance: Some(args.carriage.required()?),
        former_conveyance: args.from.as_deref().map(values::conveyance).or(left),
        mode: args.carriage.mode(),
        place: args.place.clone(),
        happened_at: args.at,
        ..draft
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{after, args, json};

    #[test]
    fn the_ship_that_was_left_is_that_of_the_departure() {
        let departure = r#"{"kind": "E13", "destination": "MZ", "answers": "GE-1", "conveyance": {"name": "RHOSUS"}, "goods": [
            {"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "2750", "unit": "TNE"}}]}"#;
        let known = after("TR", &[("GE-2", departure)]);
        let line: Args =
            args(&["GE-1", "--ship", "SAMPLE STAR", "--imo", "9074729", "--place", "TRIST", "--at", "2013-09-30"]);
        let expected = r#"{"kind": "transshipment", "consignment": "GE-1", "answers": "GE-2", "parents": ["GE-2"], "to": ["GE", "MZ"],
            "conveyance": {"name": "SAMPLE STAR", "imo": "IMO9074729"}, "former_conveyance": {"name": "RHOSUS"}, "mode": 1,
            "place": {"unlocode": "TRIST"}, "happened_at": "2013-09-30T00:00:00Z"}"#;
        assert_eq!(draft(&line, &known).unwrap(), json(expected));
        let silent: Args = args(&["GE-1", "--place", "TRIST"]);
        assert!(draft(&silent, &known).unwrap_err().text().contains("which ship"));
    }
}
