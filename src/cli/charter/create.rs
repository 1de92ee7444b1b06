//! `shieldwall charter create`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use super::{Context, Failure, Outcome, Tally, files, read_application};
use crate::cli::report::Exit;
use crate::cli::show;
use crate::encoding::ids::FederationId;
use crate::identity::{CharterDraft, Published, Quorum, SignedCharter};
use crate::node::clock;

/// Draws up version 1 of a charter. It is worth nothing before a quorum of its countries has signed it.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The first manifest of each member
    #[arg(required = true, value_name = "MANIFEST")]
    manifests: Vec<PathBuf>,
    /// The federation's name
    #[arg(long)]
    name: String,
    /// The charter to write
    #[arg(long, value_name = "FILE", default_value = "charter.cose")]
    out: PathBuf,
    /// More than this part of the countries must sign
    #[arg(long, value_name = "N/M", default_value = "2/3")]
    quorum: QuorumText,
    /// How long an epoch lasts, in days; it can never be changed
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=366))]
    epoch_days: u64,
}

/// A quorum as it is typed.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuorumText(pub(super) Quorum);

impl FromStr for QuorumText {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/').and_then(|(left, right)| Some((left.parse().ok()?, right.parse().ok()?)));
        let (numerator, denominator) = parts.ok_or("a quorum is written like 2/3")?;
        Ok(Self(Quorum { numerator, denominator }))
    }
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let mut draft = CharterDraft::new(&args.name, clock::now());
    draft.quorum = args.quorum.0;
    draft.parameters.epoch_seconds = args.epoch_days * 24 * 60 * 60;
    let mut manifests = BTreeMap::new();
    for path in &args.manifests {
        let application = read_application(path)?.first()?;
        let code = application.code();
        if draft.members.insert(code, application.member()).is_some() {
            return Err(Failure::new(Exit::Usage, format!("two manifests are of {code}: {}", path.display())));
        }
        context.ui.say(format!("{code}  root {}", show::fingerprint(&application.member().root)));
        manifests.insert(code, application.manifest().clone());
    }
    let charter = SignedCharter::unsigned(draft.check()?, FederationId::NONE);
    let published = Published { charters: vec![charter], manifests };
    files::write_new(&args.out, &published.encode()?)?;

    let digest = published.charters.first().map(SignedCharter::digest);
    let value = serde_json::json!({ "charter": args.out, "version": 1, "federation": digest });
    let members = show::counted(published.manifests.len() as u64, "member");
    context.ui.result(&value, format!("{}: version 1 of {}, {members}", args.out.display(), args.name))?;
    context.ui.say(Tally::of(&published).text());
    context.ui.say(
        "Next: compare every root with its member by telephone, then: shieldwall charter sign FILE, at each member.",
    );
    Ok(Exit::Success)
}
