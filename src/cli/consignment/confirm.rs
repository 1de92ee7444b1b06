//! `shieldwall consignment confirm`.

use super::unannounced::Unannounced;
use crate::cli::context::Context;
use crate::cli::entry::carriage::Papers;
use crate::cli::entry::goods::GoodsArgs;
use crate::cli::entry::parcel::NOT_IMPORTED;
use crate::cli::entry::{self, Entry, Known, Name, needed, values};
use crate::cli::report::{Failure, Outcome};
use crate::encoding::time::UnixTime;
use crate::record::{Declared, Draft, Kind, Release, Shipment};

/// Tells the exporting country what was imported. Substance and unit are filled in as they left; the amount is not: it is what was
/// really received.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Option<Name>,
    #[command(flatten)]
    goods: GoodsArgs,
    /// Weighed or counted, and exactly what the departure says
    #[arg(long, conflicts_with_all = ["goods", "unannounced"])]
    as_departed: bool,
    /// How they were released
    #[arg(long, value_name = "WORD", value_parser = values::word(Release::ALL))]
    release: Option<Release>,
    /// When they were imported
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    at: Option<UnixTime>,
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
    let known = name.map(|name| Known::find_with_departures(context, name)).transpose()?;
    entry::log::<Args>(context, draft(&args, known.as_ref())?, &args.entry)
}

fn draft(args: &Args, known: Option<&Known>) -> Result<Draft, Failure> {
    let draft = match known {
        None => {
            let draft = args.unannounced.draft(Kind::ImportConfirmation, &args.papers, &args.entry)?;
            Draft { goods: goods(args, &[])?, ..draft }
        }
        Some(known) => {
            let parcel = known.parcel(args.shipment, NOT_IMPORTED)?;
            let mut draft = known.to_others(Kind::ImportConfirmation, &args.entry);
            args.papers.fill(&mut draft);
            Draft {
                answers: Some(known.answers(parcel.as_ref())),
                goods: goods(args, known.goods_of(parcel.as_ref()))?,
                shipment: parcel.and_then(|parcel| parcel.number),
                ..draft
            }
        }
    };
    Ok(Draft {
        happened_at: args.at,
        release: args.release.map(Declared::Valid),
        shipment: args.shipment.or(draft.shipment),
        ..draft
    })
}

fn goods(args: &Args, left: &[crate::record::Goods]) -> Result<Vec<crate::record::Goods>, Failure> {
    if args.as_departed && !left.is_empty() {
        return Ok(left.to_vec());
    }
    if args.goods.lines.is_empty() {
        return Err(needed("--goods", "write what was received, such as --goods '2748.5 t', or --as-departed"));
    }
    args.goods.complete(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{after, args, json};

    const DEPARTURE: &str = r#"{"kind": "E13", "destination": "MZ", "answers": "GE-1", "goods": [
        {"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "2750000", "unit": "KGM"}}]}"#;

    #[test]
    fn what_was_received_is_said_in_the_unit_of_the_departure() {
        let known = after("MZ", &[("GE-2", DEPARTURE)]);
        let line: Args = args(&[
            "GE-2",
            "--goods",
            "2748500",
            "--release",
            "free-circulation",
            "--at",
            "2013-11-12",
            "--bill-of-lading",
            "BL-1",
        ]);
        let expected = r#"{"kind": "import-confirmation", "consignment": "GE-1", "answers": "GE-2", "parents": ["GE-2"], "to": ["GE"],
            "goods": [{"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "2748500", "unit": "KGM"}}],
            "release": "free-circulation", "happened_at": "2013-11-12T00:00:00Z", "bill_of_lading": "BL-1"}"#;
        assert_eq!(draft(&line, Some(&known)).unwrap(), json(expected));
        let same: Args = args(&["GE-2", "--as-departed"]);
        assert_eq!(draft(&same, Some(&known)).unwrap().goods, known.departures[&"GE-2".parse().unwrap()].goods);
        let silent: Args = args(&["GE-2"]);
        assert!(draft(&silent, Some(&known)).unwrap_err().text().contains("--as-departed"));
    }

    #[test]
    fn an_import_that_nobody_announced() {
        let line: Args =
            args(&["--unannounced", "--ucr", "3GE204567890-7", "--export-country", "GE", "--goods", "urea 24 t"]);
        let expected = r#"{"kind": "import-confirmation", "to": ["GE"], "export_country": "GE", "ucr": "3GE204567890-7",
            "goods": [{"substance": "urea", "hs6": "310210", "net": {"value": "24", "unit": "TNE"}}]}"#;
        assert_eq!(draft(&line, None).unwrap(), json(expected));
    }
}
