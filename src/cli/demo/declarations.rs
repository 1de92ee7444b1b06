//! What Georgia imports: the sample declarations, more of their kind, or the operator's own.

use super::Args;
use crate::cli::context::Context;
use crate::cli::import;
use crate::cli::report::{Exit, Failure};
use crate::cli::show::counted;
use crate::encoding::hash::sha256;
use crate::formats::Batch;
use crate::node::clock;
use crate::record::{self, Declared, Draft, Mass, Strictness};

/// Who imports.
const IMPORTER: &str = "GE";

/// Declarations as a customs system writes them. The voyage of the *Rhosus* (2013) is on public record; all parties,
/// references and numbers are invented.
const SAMPLES: [(&str, &[u8]); 5] = [
    ("rhosus-2013.xml", include_bytes!("samples/rhosus-2013.xml")),
    ("fertiliser-to-samsun.xml", include_bytes!("samples/fertiliser-to-samsun.xml")),
    ("calcium-ammonium-nitrate-to-beirut.xml", include_bytes!("samples/calcium-ammonium-nitrate-to-beirut.xml")),
    ("two-consignees-in-beirut.xml", include_bytes!("samples/two-consignees-in-beirut.xml")),
    ("chemicals-november-2026.csv", include_bytes!("samples/chemicals-november-2026.csv")),
];

/// The records that will be logged, checked.
///
/// # Errors
/// If a document cannot be read, a row is bad, or nothing in them is scheduled.
pub(super) fn gather(context: &Context, args: &Args) -> Result<Vec<Draft>, Failure> {
    let own = !args.import.is_empty();
    let judge = record::Context {
        strictness: Strictness::Imported,
        author: Some(IMPORTER.parse()?),
        now: clock::now(),
        // A visitor's declarations are from wherever the visitor is.
        foreign_exports: own,
    };
    let batch = if own { import::read(&args.import, &judge)? } else { samples(&judge) };
    batch.errors.iter().for_each(|error| context.ui.warn(error));
    if !batch.errors.is_empty() {
        let found = counted(batch.errors.len() as u64, "bad row");
        return Err(Failure::new(Exit::Failure, format!("{found}: nothing was started")));
    }
    let drafts: Vec<Draft> = batch.records.iter().map(|checked| checked.record.declared().clone()).collect();
    if drafts.is_empty() {
        let lines = counted(batch.not_scheduled.len() as u64, "goods line");
        let message = format!("nothing in these documents is on the substance list ({lines} read)");
        return Err(Failure::new(Exit::Failure, message));
    }
    Ok(args.records.map_or_else(|| drafts.clone(), |records| scale(&drafts, records)))
}

fn samples(judge: &record::Context) -> Batch {
    let mut batch = Batch::default();
    SAMPLES.iter().for_each(|(name, bytes)| batch.add(name, bytes, judge));
    batch
}

/// So many records: first the samples, then consignments that go the way of one sample with the goods of another.
fn scale(samples: &[Draft], records: u64) -> Vec<Draft> {
    let (originals, count) = (samples.iter().cloned(), samples.len() as u64);
    let ways = |number: u64| samples.iter().cycle().nth(usize::try_from(number % count).unwrap_or(0));
    let more = (count..records).filter_map(|number| Some(vary(ways(number)?, ways(number / count)?, number)));
    originals.chain(more).take(usize::try_from(records).unwrap_or(usize::MAX)).collect()
}

/// A further consignment: the way, dates and parties of `way`, the goods of `load`, references and masses of its own.
fn vary(way: &Draft, load: &Draft, number: u64) -> Draft {
    let mut draft = way.clone();
    let numbered = |text: &str| format!("{}-{number}", text.chars().take(24).collect::<String>());
    draft.ucr = way.ucr.as_ref().map(|ucr| Declared::read(numbered(ucr.as_str())));
    draft.lrn = way.lrn.as_deref().map(numbered);
    // These belong to one consignment only.
    (draft.mrn, draft.bill_of_lading, draft.pen_online_ref) = (None, None, None);
    (draft.containers, draft.seals, draft.licences) = (Vec::new(), Vec::new(), Vec::new());
    draft.source_digest = Some(sha256(numbered("sample").as_bytes()));
    (draft.goods, draft.values) = (load.goods.clone(), Vec::new());
    // Derived from the goods at the check.
    draft.substances = Vec::new();
    for goods in &mut draft.goods {
        let grams = goods.net_mass_g.map_or(0, Mass::grams) + number % 997 * 1_000;
        goods.net_mass_g = Mass::from_grams(grams).ok();
        (goods.net, goods.gross, goods.gross_mass_g, goods.density_g_per_l) = (None, None, None, None);
        goods.packages = Vec::new();
    }
    draft
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::encoding::time::UnixTime;

    fn judge() -> record::Context {
        let author = IMPORTER.parse().ok();
        // One moment for all: what a document leaves open is dated by the clock, and a second may pass between two readings.
        let now = UnixTime::from_seconds(1_796_000_000).expect("a moment in 2026");
        record::Context { strictness: Strictness::Imported, author, now, foreign_exports: false }
    }

    fn drafts() -> Vec<Draft> {
        samples(&judge()).records.iter().map(|checked| checked.record.declared().clone()).collect()
    }

    #[test]
    fn a_scaled_sample_holds_different_records_for_different_readers() {
        let scaled = scale(&drafts(), 300);
        assert_eq!(scaled.len(), 300);
        assert!(scaled == scale(&drafts(), 300), "the same every time");
        let mut distinct = BTreeSet::new();
        let mut pairs = BTreeSet::new();
        for draft in scaled {
            let checked = draft
                .check(&judge())
                .map_err(|refused| refused.errors.iter().map(ToString::to_string).collect::<Vec<_>>());
            let checked = checked.unwrap();
            let declared = checked.record.declared();
            distinct.insert((declared.source_digest, declared.ucr.as_ref().map(ToString::to_string)));
            pairs.insert((declared.destination.as_ref().map(ToString::to_string), declared.substances.clone()));
        }
        assert_eq!(distinct.len(), 300);
        assert!(pairs.len() > 15, "{pairs:?}");
    }

    #[test]
    fn fewer_records_than_samples_are_the_first_of_them() {
        assert!(scale(&drafts(), 2) == drafts()[..2]);
    }
}
