//! `shieldwall manifest sign`.

use std::path::PathBuf;

use serde_json::json;

use super::{Context, Failure, Outcome, federation, files, show};
use crate::cli::report::Exit;
use crate::disk::Guard;
use crate::encoding::hash::Digest;
use crate::encoding::ids::{LogId, MemberCode};
use crate::identity::{LogEntry, ManifestDraft, PublicKey, SealSecretKey, SecretKey, SignedManifest};
use crate::node::clock;
use crate::node::config::{Address, Hsm};
use crate::node::keys::{KeyFolder, KeyName, Seed};
use crate::node::private;
use crate::node::token::Token;

/// Draws up the next version of this member's manifest and signs it with the root, which must be in the keys folder.
///
/// The charter file with the new manifest is handed to the running node with `charter publish`, or is what the node is started with;
/// it tells the others. A new log is signed from the next start on.
#[derive(clap::Args, Debug, Default)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    destination: Destination,
    /// Where others reach this member's node from now on; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    external: Vec<Address>,
    /// Draw the key of the member's next log and open it; the log before it is not signed any more
    #[arg(long)]
    next_log: bool,
    /// That log and its public key, as `signer draw` gave them; else the key is drawn here
    #[arg(long, value_name = "LOG:KEY", requires = "next_log", value_parser = log_key)]
    log_key: Option<(LogId, PublicKey)>,
    /// Close the newest log at this size: statements above it are disowned
    #[arg(long, value_name = "SIZE")]
    close_at: Option<u64>,
    /// Draw seal keys up to this epoch
    #[arg(long, value_name = "EPOCH")]
    seal_until: Option<u32>,
    /// The first epoch whose seal key stays in the manifest
    #[arg(long, value_name = "EPOCH", default_value_t = 0)]
    seal_from: u32,
}

/// Which charter file the new manifest is put into, and where that is written.
#[derive(clap::Args, Debug, Default)]
pub(in crate::cli) struct Destination {
    /// The charter [default: the config's]
    #[arg(long, value_name = "FILE")]
    charter: Option<PathBuf>,
    /// Write the charter file here instead
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Show what would be signed, and sign nothing
    #[arg(long)]
    dry_run: bool,
}

/// A version that changes the logs and nothing else.
pub(in crate::cli) fn sign_logs(
    context: &Context,
    destination: Destination,
    close_at: Option<u64>,
    next: Option<NextLog>,
) -> Outcome {
    let log_key = next.as_ref().and_then(|next| next.key);
    run(context, &Args { destination, next_log: next.is_some(), log_key, close_at, ..Args::default() })
}

/// The log that is to be opened.
#[derive(Debug)]
pub(in crate::cli) struct NextLog {
    /// Its key, if that was drawn elsewhere.
    pub key: Option<(LogId, PublicKey)>,
}

/// A log and its public key in hexadecimal, as `signer draw` gives them.
pub(in crate::cli) fn log_key(text: &str) -> Result<(LogId, PublicKey), String> {
    let form = || "it is written as `signer draw` gives it: the log, a colon, and 64 hexadecimal digits".to_owned();
    let (log, key) = text.split_once(':').ok_or_else(form)?;
    let bytes = key.parse::<Digest>().map_err(|_| form())?;
    let key = PublicKey::from_bytes(&bytes.0).map_err(|error| error.to_string())?;
    Ok((log.parse().map_err(|_| form())?, key))
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let config = context.config()?;
    let path = args.destination.charter.clone().unwrap_or_else(|| config.charter.clone());
    let federation = federation(&path, &files::read(&path)?)?;
    let held = federation
        .manifest(config.member)
        .ok_or_else(|| Failure::new(Exit::Failure, format!("{} is not in {}", config.member, path.display())))?;
    let mut draft = held.next_draft(clock::now());
    if args.next_log && args.log_key.is_none() && config.signer.is_some() {
        return Err(Failure::new(
            Exit::Usage,
            "the signer of this node is a process of its own, and draws its own keys",
        )
        .hint("`shieldwall signer draw` gives the public key for --key of `log open` (docs/signer.md)"));
    }
    let token = config.hsm.as_ref().filter(|_| !args.destination.dry_run);
    let fresh = change(&mut draft, config.member, args, token)?;
    let opened = (args.next_log && args.log_key.is_none())
        .then_some(draft.logs.len())
        .map(|last| log_of(config.member, last))
        .transpose()?;
    let manifest = draft.check()?;
    context.ui.say(show::text(&manifest));
    if args.destination.dry_run {
        return Ok(Exit::Success);
    }

    let (seeds, passphrase) = context.unlock(&config, &[KeyName::Root])?;
    let root = SecretKey::from_seed(seeds.first().expect("one key was asked for").expose());
    let version = manifest.version();
    let signed = SignedManifest::sign(manifest, federation.id(), &root);
    let published = federation.with_manifest(signed)?.unwrap_or(federation).published().encode()?;
    // The keys first: a manifest that names a key which nobody has could not be taken back.
    KeyFolder::open(&config.keys_dir)?.write_all(&fresh, Context::protection(passphrase.as_ref()))?;
    if let Some(log) = opened {
        // A log is signed only where its guard was begun: here, where its key was drawn.
        private::create_folder(&config.data_dir)?;
        drop(Guard::open(&config.data_dir, log)?);
    }
    let written = args.destination.out.clone().unwrap_or(path);
    files::replace(&written, &published)?;
    context.ui.result(
        &json!({ "charter": written, "member": config.member, "version": version }),
        format!("{}: manifest of {}, version {version}", written.display(), config.member),
    )?;
    context.ui.say(
        "Next: shieldwall charter publish FILE; the node tells the others. A new log is signed after its next start.",
    );
    Ok(Exit::Success)
}

/// Changes the draft as the flags say, and gives the keys that were drawn for it.
///
/// The key of a new log is drawn in the token, if there is one, and is not among those that are given.
fn change(
    draft: &mut ManifestDraft,
    member: MemberCode,
    args: &Args,
    token: Option<&Hsm>,
) -> Result<Vec<(KeyName, Seed)>, Failure> {
    let mut fresh = Vec::new();
    if !args.external.is_empty() {
        for transport in &mut draft.transports {
            transport.addresses = args.external.iter().map(ToString::to_string).collect();
        }
    }
    if let (Some(size), Some(newest)) = (args.close_at, draft.logs.last_mut()) {
        newest.closed = Some(size);
    }
    if args.next_log {
        let name = KeyName::Log(log_of(member, draft.logs.len() + 1)?);
        let key = if let Some((log, key)) = args.log_key {
            if name != KeyName::Log(log) {
                let what = format!("the key of {log} was given, and the next log is {name}");
                return Err(Failure::new(Exit::Usage, what).hint("`signer draw --log` draws the key of another"));
            }
            key
        } else if let Some(token) = token {
            Token::open(token)?.draw(name)?.public()
        } else {
            let seed = Seed::random()?;
            let key = SecretKey::from_seed(seed.expose()).public();
            fresh.push((name, seed));
            key
        };
        draft.logs.push(LogEntry { key, opened: draft.issued_at, closed: None });
    }
    draft.seal_keys.retain(|epoch, _| *epoch >= args.seal_from);
    if let Some(until) = args.seal_until {
        let first = draft.seal_keys.keys().next_back().map_or(args.seal_from, |last| last + 1);
        for epoch in first..=until {
            let seed = Seed::random()?;
            draft.seal_keys.insert(epoch, SealSecretKey::from_seed(seed.expose()).public());
            fresh.push((KeyName::Seal(epoch), seed));
        }
    }
    Ok(fresh)
}

fn log_of(member: MemberCode, ordinal: usize) -> Result<LogId, Failure> {
    let ordinal = u16::try_from(ordinal).ok().filter(|ordinal| *ordinal <= LogId::ORDINAL_MAX);
    let ordinal = ordinal.ok_or_else(|| Failure::new(Exit::Failure, format!("{member} has used up its logs")))?;
    Ok(LogId { member, ordinal })
}
