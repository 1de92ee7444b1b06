//! `shieldwall consignment divert`.

use crate::cli::context::Context;
use crate::cli::entry::parcel::ON_THE_WAY;
use crate::cli::entry::{self, Entry, Known, Name, values};
use crate::cli::report::{Failure, Outcome};
use crate::encoding::time::UnixTime;
use crate::record::{Country, Declared, DiversionKind, Draft, Kind, Place, Shipment};

/// Tells that goods go to another country than announced. That country becomes a reader, and can speak as an importing country does;
/// the reason is for the other parties alone.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    /// Whether it was agreed to or noticed
    #[arg(value_name = "HOW", value_parser = values::word(DiversionKind::ALL))]
    how: DiversionKind,
    /// Country that they go to instead
    #[arg(long, value_name = "COUNTRY")]
    new_destination: Country,
    /// Why, or how it was noticed
    #[arg(long, value_name = "TEXT")]
    reason: String,
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
    entry: Entry,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let known = Known::find(context, &args.consignment)?;
    entry::log::<Args>(context, draft(&args, &known)?, &args.entry)
}

fn draft(args: &Args, known: &Known) -> Result<Draft, Failure> {
    let parcel = known.parcel(args.shipment, ON_THE_WAY)?;
    Ok(Draft {
        answers: Some(known.answers(parcel.as_ref())),
        shipment: args.shipment.or_else(|| parcel.and_then(|parcel| parcel.number)),
        diversion: Some(Declared::Valid(args.how)),
        new_destination: Some(Declared::Valid(args.new_destination.clone())),
        reason: Some(args.reason.clone()),
        place: args.place.clone(),
        happened_at: args.at,
        ..known.to_others(Kind::Diversion, &args.entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json, notified};

    #[test]
    fn a_diversion_names_the_new_country() {
        let args = args(&[
            "GE-1",
            "observed",
            "--new-destination",
            "LB",
            "--reason",
            "The ship lies at Beirut.",
            "--place",
            "LBBEY",
        ]);
        let expected = r#"{"kind": "diversion", "consignment": "GE-1", "answers": "GE-1", "to": ["MZ"], "diversion": "observed",
            "new_destination": "LB", "reason": "The ship lies at Beirut.", "place": {"unlocode": "LBBEY"}}"#;
        assert_eq!(draft(&args, &notified("GE")).unwrap(), json(expected));
    }
}
