//! `shieldwall ledger`.

use bip39::{Language, Mnemonic};
use serde_json::json;

use super::context::{Context, unexpected};
use super::qr;
use super::report::{Exit, Failure, Outcome};
use super::ui::table;
use crate::encoding::hash::Digest;
use crate::node::ask::{LedgerView, LogState, LogView, Request, Response};

/// Shows every log that this node holds: its size, how far it is audited and the root over that, whose receipts are held.
///
/// Nodes that hold the same show the same frontier. Two people who know each other's voices can compare it over the telephone, so that nobody between
/// them can show each another ledger: one reads out --words, the other gives them to --compare. Where they meet, or see each other's screens, --qr shows the
/// same as a QR code.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Show the frontier as 24 words, to be read out
    #[arg(long, conflicts_with = "compare")]
    words: bool,
    /// Show the frontier as a QR code; a reader gives the text that --compare takes
    #[arg(long, conflicts_with_all = ["compare", "words"])]
    qr: bool,
    /// Compare the frontier with another member's: its 24 words, its 64 hexadecimal digits, or the text of its QR code
    #[arg(long, value_name = "WORDS")]
    compare: Option<String>,
}

/// In the place of a frontier over nothing.
pub(super) const NOTHING_AUDITED: &str = "unknown: nothing of what is held is audited yet";

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let Response::Ledger(ledger) = context.ask(&Request::Ledger)? else { return Err(unexpected()) };
    if (args.words || args.qr || args.compare.is_some()) && !ledger.frontier_known() {
        return Err(Failure::new(Exit::Behind, format!("the frontier is {NOTHING_AUDITED}"))
            .hint("`shieldwall run` audits what the data folder holds; `shieldwall ledger` shows how far it is"));
    }
    if let Some(other) = &args.compare {
        return compare(context, &ledger, &read_out(other)?);
    }
    if args.words {
        let words = words(&ledger.frontier);
        let lines: Vec<String> = words.chunks(6).map(|row| row.join(" ")).collect();
        context.ui.result(&json!({ "frontier": ledger.frontier, "words": words }), lines.join("\n"))?;
        return Ok(Exit::Success);
    }
    if args.qr {
        let text = qr::of_ledger(&ledger.frontier);
        let drawn = format!("{}\n{text}", qr::on_terminal(&qr::modules(&text)?));
        context.ui.result(&json!({ "frontier": ledger.frontier, "qr": text }), drawn)?;
        return Ok(Exit::Success);
    }
    context.ui.result(&ledger, text(&ledger))?;
    let quarantined = ledger.logs.iter().any(|log| log.state == LogState::Quarantined);
    Ok(if quarantined { Exit::Equivocation } else { Exit::Success })
}

fn compare(context: &Context, ledger: &LedgerView, other: &Digest) -> Outcome {
    let equal = ledger.frontier == *other;
    let result = json!({ "equal": equal, "here": ledger.frontier, "there": other });
    let text = if equal {
        "the same ledger".to_owned()
    } else {
        format!("another ledger: {} here, {} there", ledger.frontier.short(), other.short())
    };
    context.ui.result(&result, text)?;
    if equal {
        return Ok(Exit::Success);
    }
    // Logs grow while people speak.
    context.ui.warn("a record that one of the two does not hold yet makes the same difference: compare again, log by log if it stays");
    Ok(Exit::Verification)
}

/// A digest in the 2,048 words of BIP 39, the last of which is also a check against slips.
fn words(digest: &Digest) -> Vec<&'static str> {
    let mnemonic = Mnemonic::from_entropy_in(Language::English, &digest.0).expect("32 bytes are 24 words");
    mnemonic.words().collect()
}

/// What somebody has read out.
fn read_out(text: &str) -> Result<Digest, Failure> {
    if let Ok(digest) = text.trim().parse() {
        return Ok(digest);
    }
    if let Some(digest) = qr::read_ledger(text) {
        return Ok(digest);
    }
    if qr::is_of_record(text) {
        return Err(Failure::new(
            Exit::Usage,
            "this is the text of a certificate: it tells of one record, not of all logs",
        )
        .hint("docs/evidence.md says what to compare it with"));
    }
    let lowered = text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
    let refused = |why: String| {
        Failure::new(Exit::Usage, why)
            .hint("`shieldwall ledger --words` shows the 24 words at the other node; type them again")
    };
    let mnemonic = Mnemonic::parse_in_normalized(Language::English, &lowered).map_err(|error| match error {
        bip39::Error::UnknownWord(at) => refused(format!("word {} is not one of the list", at + 1)),
        bip39::Error::BadWordCount(count) => refused(format!("{count} words, and there must be 24")),
        bip39::Error::BadEntropyBitCount(_) | bip39::Error::InvalidChecksum | bip39::Error::AmbiguousLanguages(_) => {
            refused("the words do not belong together: one of them is another".to_owned())
        }
    })?;
    mnemonic.to_entropy().try_into().map(Digest).map_err(|_| refused("there must be 24 words".to_owned()))
}

fn text(ledger: &LedgerView) -> String {
    let head = ["LOG", "SIZE", "ROOT", "SIGNED", "AUDITED", "FLAGGED", "STATE", "RECEIPTS"];
    let by = ledger.cosigned_by.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let by = if by.is_empty() { "nobody yet".to_owned() } else { by };
    let frontier = match ledger.frontier_known() {
        true => format!("{}, cosigned by {by}", ledger.frontier),
        false => NOTHING_AUDITED.to_owned(),
    };
    format!("{}\n\nfrontier {frontier}", table(head, ledger.logs.iter().map(row)))
}

fn row(log: &LogView) -> [String; 8] {
    let receipts = log.receipts.iter().map(|(member, size)| format!("{member}:{size}")).collect::<Vec<_>>();
    let state = match log.state {
        LogState::Open => "open",
        LogState::Closed => "closed",
        LogState::Quarantined => "TWO HISTORIES",
    };
    // A root over nothing says nothing: so it is until the first statement is audited, and after an index was lost.
    let root = if log.audited == 0 { "unknown".to_owned() } else { log.root.short() };
    [
        log.log.to_string(),
        log.size.to_string(),
        root,
        log.checkpoint_at.map(|time| time.to_string()).unwrap_or_default(),
        log.audited.to_string(),
        log.flagged.to_string(),
        state.to_owned(),
        receipts.join(" "),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::hash::sha256;

    #[test]
    fn a_root_and_a_frontier_are_shown_of_what_is_audited_alone() {
        let mut log = LogView {
            log: "GE".parse().unwrap(),
            size: 2,
            root: sha256(b"root"),
            checkpoint_at: None,
            audited: 2,
            flagged: 0,
            state: LogState::Open,
            receipts: std::collections::BTreeMap::new(),
        };
        assert_eq!(row(&log)[2], sha256(b"root").short());
        let mut ledger = LedgerView { frontier: sha256(b"frontier"), cosigned_by: Vec::new(), logs: vec![log.clone()] };
        assert!(text(&ledger).ends_with(&format!("frontier {}, cosigned by nobody yet", ledger.frontier)));
        (log.audited, log.root) = (0, crate::encoding::merkle::empty_root());
        assert_eq!(row(&log)[2], "unknown");
        ledger.logs = vec![log.clone()];
        assert!(text(&ledger).ends_with(&format!("frontier {NOTHING_AUDITED}")), "{}", text(&ledger));
        log.size = 0;
        ledger.logs = vec![log];
        assert!(text(&ledger).contains(&ledger.frontier.to_string()), "nothing is held, and that is what it says");
    }

    #[test]
    fn what_is_read_out_is_the_frontier_and_slips_are_noticed() {
        let digest = sha256(b"frontier");
        let words = words(&digest);
        assert_eq!(words.len(), 24);
        let spoken = words.join("  ").to_uppercase();
        assert_eq!(read_out(&spoken).ok(), Some(digest));
        assert_eq!(read_out(&digest.to_string()).ok(), Some(digest));
        assert_eq!(read_out(&qr::of_ledger(&digest)).ok(), Some(digest));
        let wrong = qr::of_ledger(&digest).replace("LEDGER", "RECORD");
        assert!(read_out(&wrong).unwrap_err().text().contains("certificate"));
        for text in ["", "abandon", &words[1..].join(" "), &spoken.replacen(char::is_alphabetic, "1", 1)] {
            assert!(read_out(text).is_err(), "{text}");
        }
        // A word for another one of the list is caught by the check in all but one case of 256.
        let mut swapped = words.clone();
        swapped.swap(0, 1);
        assert!(read_out(&swapped.join(" ")).is_err());
    }
}
