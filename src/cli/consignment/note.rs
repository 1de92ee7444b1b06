//! `shieldwall consignment note`.

use crate::cli::context::Context;
use crate::cli::entry::goods::GoodsArgs;
use crate::cli::entry::parcel::IMPORTED;
use crate::cli::entry::{self, Entry, Known, Name, values};
use crate::cli::report::{Failure, Outcome};
use crate::record::{Cause, Declared, Draft, Kind, Shipment};

/// Explains why what was received is not what left. With a correction --goods are what was really there, with a loss what was lost.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    /// Why, in one word
    #[arg(long, value_name = "WORD", value_parser = values::word(Cause::ALL))]
    cause: Cause,
    #[command(flatten)]
    goods: GoodsArgs,
    /// Why, in words
    #[arg(long, value_name = "TEXT")]
    remarks: Option<String>,
    /// It is the importing country's last word, and settles the difference
    #[arg(long)]
    settles: bool,
    /// Which of how many shipments, such as 2/11
    #[arg(long, value_name = "N/M", value_parser = values::shipment)]
    shipment: Option<Shipment>,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let known = Known::find_with_departures(context, &args.consignment)?;
    entry::log::<Args>(context, draft(&args, &known)?, &args.entry)
}

fn draft(args: &Args, known: &Known) -> Result<Draft, Failure> {
    let parcel = known.parcel(args.shipment, IMPORTED)?;
    Ok(Draft {
        answers: Some(known.answers(parcel.as_ref())),
        goods: args.goods.complete(known.goods_of(parcel.as_ref()))?,
        shipment: args.shipment.or_else(|| parcel.and_then(|parcel| parcel.number)),
        cause: Some(Declared::Valid(args.cause)),
        remarks: args.remarks.clone(),
        settles: args.settles.then_some(true),
        ..known.to_others(Kind::DiscrepancyNote, &args.entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json, notified};

    #[test]
    fn a_note_says_why_and_how_much() {
        let args =
            args(&["GE-1", "--cause", "moisture", "--goods", "1.5", "--remarks", "Rain at the quay.", "--settles"]);
        let expected = r#"{"kind": "discrepancy-note", "consignment": "GE-1", "answers": "GE-1", "to": ["GE"], "cause": "moisture",
            "goods": [{"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "1.5", "unit": "TNE"}}],
            "remarks": "Rain at the quay.", "settles": true}"#;
        assert_eq!(draft(&args, &notified("MZ")).unwrap(), json(expected));
    }
}
