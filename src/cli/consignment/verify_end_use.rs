//! `shieldwall consignment verify-end-use`.

use crate::cli::context::Context;
use crate::cli::entry::parcel::IMPORTED;
use crate::cli::entry::{self, Entry, Known, Name, amounts, values};
use crate::cli::report::{Failure, Outcome};
use crate::encoding::time::UnixTime;
use crate::record::{Declared, Draft, Kind, Mass, Shipment, Verification};

/// Records whether imported goods are used as was said.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    /// What was found
    #[arg(value_name = "FINDING", value_parser = values::word(Verification::ALL))]
    finding: Verification,
    /// How it was looked into
    #[arg(long, value_name = "TEXT")]
    method: Option<String>,
    /// When
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    at: Option<UnixTime>,
    /// What of the goods is still there, such as '120 t'
    #[arg(long, value_name = "AMOUNT", value_parser = mass)]
    remaining: Option<Mass>,
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
    let parcel = known.parcel(args.shipment, IMPORTED)?;
    Ok(Draft {
        answers: Some(known.answers(parcel.as_ref())),
        shipment: args.shipment.or_else(|| parcel.and_then(|parcel| parcel.number)),
        verification: Some(Declared::Valid(args.finding)),
        method: args.method.clone(),
        happened_at: args.at,
        remaining_stock_g: args.remaining,
        ..known.to_others(Kind::EndUseVerification, &args.entry)
    })
}

fn mass(text: &str) -> Result<Mass, String> {
    amounts::quantity(text)?.mass(None).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json, notified};

    #[test]
    fn a_verification_says_what_was_found_and_how() {
        let args = args(&[
            "GE-1",
            "verified",
            "--method",
            "visit and stock count",
            "--at",
            "2013-12-02",
            "--remaining",
            "120 t",
        ]);
        let expected = r#"{"kind": "end-use-verification", "consignment": "GE-1", "answers": "GE-1", "to": ["GE"],
            "verification": "verified", "method": "visit and stock count", "happened_at": "2013-12-02T00:00:00Z",
            "remaining_stock_g": 120000000}"#;
        assert_eq!(draft(&args, &notified("MZ")).unwrap(), json(expected));
    }
}
