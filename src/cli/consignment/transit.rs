//! `shieldwall consignment transit-entry` and `transit-exit`.

use crate::cli::context::Context;
use crate::cli::entry::carriage::Papers;
use crate::cli::entry::parcel::ON_THE_WAY;
use crate::cli::entry::{self, Entry, Known, Name, values};
use crate::cli::report::{Failure, Outcome};
use crate::encoding::time::UnixTime;
use crate::record::{Draft, Kind, Place, Shipment};

/// Tells that goods came into a country that they pass through, or left it.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    /// Where: UN/LOCODE, country, or a name with its country
    #[arg(long, value_name = "PLACE", value_parser = values::place)]
    place: Place,
    /// When
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    at: Option<UnixTime>,
    /// Whether the seals were whole: yes or no
    #[arg(long, value_name = "YES|NO", value_parser = values::yes_no)]
    seals_intact: Option<bool>,
    /// Which of how many shipments, such as 2/11
    #[arg(long, value_name = "N/M", value_parser = values::shipment)]
    shipment: Option<Shipment>,
    #[command(flatten)]
    papers: Papers,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: Args, kind: Kind) -> Outcome {
    let known = Known::find(context, &args.consignment)?;
    entry::log::<Args>(context, draft(&args, &known, kind)?, &args.entry)
}

fn draft(args: &Args, known: &Known, kind: Kind) -> Result<Draft, Failure> {
    let parcel = known.parcel(args.shipment, ON_THE_WAY)?;
    let mut draft = known.to_others(kind, &args.entry);
    args.papers.fill(&mut draft);
    Ok(Draft {
        answers: Some(known.answers(parcel.as_ref())),
        shipment: args.shipment.or_else(|| parcel.and_then(|parcel| parcel.number)),
        place: Some(args.place.clone()),
        happened_at: args.at,
        seals_intact: args.seals_intact,
        ..draft
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{after, args, json};

    #[test]
    fn a_passage_is_told_to_both_ends_and_names_the_departure() {
        let departure = r#"{"kind": "E13", "destination": "MZ", "answers": "GE-1", "goods": [
            {"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "2750", "unit": "TNE"}}]}"#;
        let known = after("TR", &[("GE-2", departure)]);
        let args = args(&["GE-1", "--place", "TRIST", "--at", "2013-09-30", "--seals-intact", "yes"]);
        let expected = r#"{"kind": "transit-entry", "consignment": "GE-1", "answers": "GE-2", "parents": ["GE-2"], "to": ["GE", "MZ"],
            "place": {"unlocode": "TRIST"}, "happened_at": "2013-09-30T00:00:00Z", "seals_intact": true}"#;
        assert_eq!(draft(&args, &known, Kind::TransitEntry).unwrap(), json(expected));
        assert_eq!(draft(&args, &known, Kind::TransitExit).unwrap().kind, Some(Kind::TransitExit));
    }
}
