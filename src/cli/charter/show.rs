//! `shieldwall charter show`.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;

use super::{Context, Outcome, Tally, newest, present};
use crate::cli::report::Exit;
use crate::cli::show::{fingerprint, groups};
use crate::cli::ui::table;
use crate::identity::{Published, SignedCharter};

/// Shows the newest version of a charter: its members, with the fingerprints of their roots, and who has signed.
///
/// Without a file it is the one that the node holds, with what is proved about it. Ends with 21 if a version was signed twice and that
/// is not settled.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The charter [default: the one that the node holds]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let held = present(context, args.file.as_ref())?;
    let mut text = text(&held.published);
    for split in &held.splits {
        write!(text, "\n\n{}{}", if split.settled { "" } else { "TWO VERSIONS: " }, split.text())
            .expect("writing to a string cannot fail");
    }
    let mut value = json(&held.published);
    value["splits"] = serde_json::to_value(&held.splits)?;
    context.ui.result(&value, text)?;
    let open = held.splits.iter().any(|split| !split.settled);
    Ok(if open { Exit::Equivocation } else { Exit::Success })
}

/// The charter as a person reads it before signing.
pub(super) fn text(published: &Published) -> String {
    let (newest, _) = newest(published);
    let charter = newest.charter();
    let quorum = charter.quorum();
    let mut text = String::new();
    let rows = [
        ("charter", format!("{}, version {}, of {}", charter.name(), charter.version(), charter.issued_at())),
        ("federation", groups(&federation(published))),
        ("quorum", format!("more than {} of {} of the countries", quorum.numerator, quorum.denominator)),
        ("epochs", format!("{} days", charter.parameters().epoch_seconds / 86_400)),
        ("state", Tally::of(published).text()),
    ];
    for (label, value) in rows {
        writeln!(text, "{label:<10} {value}").expect("writing to a string cannot fail");
    }
    let members = charter.members().iter().map(|(code, member)| {
        let manifest = published.manifests.get(code).map_or_else(String::new, |manifest| {
            let (count, version) = (manifest.manifest().transports().len(), manifest.manifest().version());
            format!("{version}, {count} node{}", if count == 1 { "" } else { "s" })
        });
        [
            code.to_string(),
            member.name.clone(),
            member.kind.as_str().to_owned(),
            member.status.as_str().to_owned(),
            fingerprint(&member.root),
            manifest,
        ]
    });
    text + "\n" + &table(["MEMBER", "NAME", "KIND", "STATUS", "ROOT", "MANIFEST"], members)
}

fn json(published: &Published) -> serde_json::Value {
    let (newest, _) = newest(published);
    let charter = newest.charter();
    let tally = Tally::of(published);
    let members: serde_json::Map<String, serde_json::Value> = charter
        .members()
        .iter()
        .map(|(code, member)| {
            let manifest = published.manifests.get(code).map(|manifest| manifest.manifest().version());
            let value = json!({
                "name": member.name, "kind": member.kind.as_str(), "status": member.status.as_str(),
                "root": member.root.digest(), "next_root": member.next_root, "custodian": member.custodian,
                "manifest_version": manifest,
            });
            (code.to_string(), value)
        })
        .collect();
    json!({
        "name": charter.name(), "version": charter.version(), "issued_at": charter.issued_at(),
        "federation": federation(published), "digest": newest.digest(),
        "quorum": format!("{}/{}", charter.quorum().numerator, charter.quorum().denominator),
        "epoch_seconds": charter.parameters().epoch_seconds,
        "signed": tally.signed, "needed": tally.needed, "complete": tally.complete, "members": members,
    })
}

/// The digest of the first version: the federation's id once that is signed.
fn federation(published: &Published) -> crate::encoding::hash::Digest {
    published.charters.first().map(SignedCharter::digest).unwrap_or(crate::encoding::hash::Digest::ZERO)
}
