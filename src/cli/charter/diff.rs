//! `shieldwall charter diff`: what the newest version changes, in plain words, the gravest first.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;

use super::{Context, Failure, Outcome, Tally, file_or_config, newest, read};
use crate::cli::report::Exit;
use crate::cli::show::groups;
use crate::identity::{Change, Charter, CharterChain, Published, SignedCharter, Weight, changes};

/// Shows what the newest version of a charter changes, before it is signed.
///
/// The gravest changes stand first, marked with !!. Ends with 20 if no node would ever take the version up.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The charter [default: the config's]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Compare with the newest version in this file [default: the version before in the same file]
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let published = read(&file_or_config(context, args.file.as_ref())?)?;
    let review = match &args.against {
        None => Review::of(&published)?,
        Some(path) => Review::against(&published, &read(path)?)?,
    };
    context.ui.result(&review.json(), review.text())?;
    Ok(Exit::Success)
}

/// What a version changes, and what it needs.
#[derive(Debug)]
pub(in crate::cli) struct Review {
    changes: Vec<Change>,
    before: Option<Charter>,
    after: Charter,
    digest: crate::encoding::hash::Digest,
    tally: Tally,
}

impl Review {
    /// Of the newest version in a file against the one before, which must be complete.
    ///
    /// # Errors
    /// If the earlier versions do not hold, or this one could never follow them.
    pub(in crate::cli) fn of(published: &Published) -> Result<Self, Failure> {
        let (newest, earlier) = newest(published);
        let before = earlier.last().map(|before| before.charter().clone());
        if !earlier.is_empty() {
            let chain = CharterChain::verify(earlier.to_vec())?;
            chain.could_follow(newest).map_err(|error| {
                Failure::from(error).context(format!("no node will take up version {}", newest.charter().version()))
            })?;
        }
        Ok(Self::new(published, newest, before))
    }

    /// Of the newest version in a file against the newest in another, both of one federation.
    fn against(published: &Published, other: &Published) -> Result<Self, Failure> {
        let first = |published: &Published| published.charters.first().map(SignedCharter::digest);
        if first(published) != first(other) {
            return Err(Failure::new(Exit::Verification, "the two charters are of two federations"));
        }
        let before = newest(other).0.charter().clone();
        Ok(Self::new(published, newest(published).0, Some(before)))
    }

    fn new(published: &Published, newest: &SignedCharter, before: Option<Charter>) -> Self {
        let after = newest.charter().clone();
        let changes = before.as_ref().map(|before| changes(before, &after)).unwrap_or_default();
        Self { changes, before, after, digest: newest.digest(), tally: Tally::of(published) }
    }

    /// For a person who is about to sign.
    pub(in crate::cli) fn text(&self) -> String {
        let mut text = String::new();
        let after = &self.after;
        let mut line = |line: String| writeln!(text, "{line}").expect("writing to a string cannot fail");
        match &self.before {
            None => {
                line(format!("version 1 of {}, drawn up {}: it founds the federation", after.name(), after.issued_at()))
            }
            Some(before) => line(format!(
                "version {} of {} against version {}, drawn up {}",
                after.version(),
                after.name(),
                before.version(),
                after.issued_at()
            )),
        }
        for change in &self.changes {
            let mark = match change.weight() {
                Weight::Grave => "!!",
                Weight::Weighty => " +",
                Weight::Light => "  ",
            };
            line(format!("{mark} {change}"));
        }
        if self.before.is_some() && self.changes.is_empty() {
            line("   nothing changes".to_owned());
        }
        line(format!("digest {}", groups(&self.digest)));
        text
    }

    /// In a few words.
    pub(super) fn short(&self) -> String {
        let of = |change: &Change| match change.member() {
            Some(member) => format!("{member} {}", change.word()),
            None => change.word().to_owned(),
        };
        self.changes.iter().map(of).collect::<Vec<_>>().join(", ")
    }

    /// For machines.
    pub(in crate::cli) fn json(&self) -> serde_json::Value {
        let change = |change: &Change| {
            json!({
                "what": change.word(), "member": change.member(), "grave": change.weight() == Weight::Grave,
                "text": change.to_string(),
            })
        };
        json!({
            "version": self.after.version(), "against": self.before.as_ref().map(Charter::version),
            "issued_at": self.after.issued_at(), "digest": self.digest,
            "changes": self.changes.iter().map(change).collect::<Vec<_>>(),
            "signed": self.tally.signed, "needed": self.tally.needed, "missing": self.tally.missing,
            "complete": self.tally.complete,
        })
    }
}
