//! `shieldwall manifest`: this member's keys, logs and addresses, as the others know them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::context::Context;
use super::files;
use super::report::{Exit, Failure, Outcome};
use super::show::fingerprint;
use crate::encoding::ids::MemberCode;
use crate::identity::{Application, Federation, Manifest, Published, SealSecretKey, SecretKey, SignedManifest};
use crate::node::clock;
use crate::node::config::Address;
use crate::node::keys::{KeyFolder, KeyName, Seed};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Show a manifest: a file that `init` made, or a member's newest in a charter
    Show(ShowArgs),
    /// Draw up the next version of this member's manifest, sign it, and put it into the charter file
    Sign(SignArgs),
}

/// Shows which keys, logs and addresses a member has.
#[derive(clap::Args, Debug)]
pub(super) struct ShowArgs {
    /// The file that `init` made, or a charter [default: the config's charter]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Whose, if the file is a charter [default: the config's member]
    #[arg(long)]
    member: Option<MemberCode>,
}

/// Draws up the next version of this member's manifest and signs it with the root, which must be in the keys folder.
///
/// The charter file with the new manifest is what the node, and the others, are given.
#[derive(clap::Args, Debug)]
pub(super) struct SignArgs {
    /// The charter [default: the config's]
    #[arg(long, value_name = "FILE")]
    charter: Option<PathBuf>,
    /// Where others reach this member's node from now on; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    external: Vec<Address>,
    /// Draw seal keys up to this epoch, and forget those of epochs before --seal-from
    #[arg(long, value_name = "EPOCH")]
    seal_until: Option<u32>,
    /// The first epoch whose seal key stays in the manifest
    #[arg(long, value_name = "EPOCH", default_value_t = 0)]
    seal_from: u32,
    /// Write the charter file here instead
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Show what would be signed, and sign nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Show(args) => show(context, &args),
        Command::Sign(args) => sign(context, &args),
    }
}

fn show(context: &Context, args: &ShowArgs) -> Outcome {
    let path = args.file.clone().map_or_else(|| Ok::<_, Failure>(context.config()?.charter), Ok)?;
    let bytes = files::read(&path)?;
    let manifest = match (Application::decode(&bytes), SignedManifest::decode(&bytes)) {
        (Ok(application), _) => application.manifest().manifest().clone(),
        (Err(_), Ok(signed)) => {
            context.ui.warn("nothing in this file says which root should have signed it");
            signed.manifest().clone()
        }
        (Err(_), Err(_)) => {
            let member = args.member.map_or_else(|| Ok::<_, Failure>(context.config()?.member), Ok)?;
            let federation = federation(&path, &bytes)?;
            let manifest = federation.manifest(member).cloned();
            manifest.ok_or_else(|| Failure::new(Exit::Failure, format!("{member} is not in {}", path.display())))?
        }
    };
    context.ui.result(&to_json(&manifest), text(&manifest))?;
    Ok(Exit::Success)
}

fn sign(context: &Context, args: &SignArgs) -> Outcome {
    let config = context.config()?;
    let path = args.charter.clone().unwrap_or_else(|| config.charter.clone());
    let federation = federation(&path, &files::read(&path)?)?;
    let held = federation
        .manifest(config.member)
        .ok_or_else(|| Failure::new(Exit::Failure, format!("{} is not in {}", config.member, path.display())))?;
    let mut draft = held.next_draft(clock::now());
    if !args.external.is_empty() {
        for transport in &mut draft.transports {
            transport.addresses = args.external.iter().map(ToString::to_string).collect();
        }
    }
    draft.seal_keys.retain(|epoch, _| *epoch >= args.seal_from);
    let fresh = draw_seal_keys(&draft.seal_keys, args)?;
    draft
        .seal_keys
        .extend(fresh.iter().map(|(epoch, seed)| (*epoch, SealSecretKey::from_seed(seed.expose()).public())));
    let manifest = draft.check()?;
    context.ui.say(text(&manifest));
    if args.dry_run {
        return Ok(Exit::Success);
    }

    let seeds = context.open_keys(&config, &[KeyName::Root])?;
    let root = SecretKey::from_seed(seeds.first().expect("one key was asked for").expose());
    if !fresh.is_empty() {
        let passphrase =
            if config.insecure_dev_keys { None } else { Some(context.passphrase(config.passphrase_file.as_deref())?) };
        let keys: Vec<_> = fresh.into_iter().map(|(epoch, seed)| (KeyName::Seal(epoch), seed)).collect();
        KeyFolder::open(&config.keys_dir)?.write_all(&keys, Context::protection(passphrase.as_ref()))?;
    }
    let version = manifest.version();
    let signed = SignedManifest::sign(manifest, federation.id(), &root);
    let news = federation.with_manifest(signed)?;
    let published = news.as_ref().unwrap_or(&federation).published();
    let written = args.out.clone().unwrap_or(path);
    files::replace(&written, &published.encode()?)?;
    context.ui.result(
        &json!({ "charter": written, "member": config.member, "version": version }),
        format!("{}: manifest of {}, version {version}", written.display(), config.member),
    )?;
    context.ui.say("Next: start the node with this charter file; it tells the others.");
    Ok(Exit::Success)
}

/// Seeds for the epochs that have no key yet.
fn draw_seal_keys<T>(held: &std::collections::BTreeMap<u32, T>, args: &SignArgs) -> Result<Vec<(u32, Seed)>, Failure> {
    let Some(until) = args.seal_until else { return Ok(Vec::new()) };
    let first = held.keys().next_back().map_or(args.seal_from, |last| last + 1);
    (first..=until).map(|epoch| Ok((epoch, Seed::random()?))).collect()
}

fn federation(path: &Path, bytes: &[u8]) -> Result<Federation, Failure> {
    let verified = Published::decode(bytes).map_err(Failure::from).and_then(|file| Ok(file.verify()?));
    verified.map_err(|failure| failure.context(format!("{} is no complete charter", path.display())))
}

fn text(manifest: &Manifest) -> String {
    let mut text = String::new();
    let mut row = |label: &str, value: String| {
        writeln!(text, "{label:<10} {value}").expect("writing to a string cannot fail");
    };
    row("manifest", format!("{}, version {}, of {}", manifest.member(), manifest.version(), manifest.issued_at()));
    for (log, entry) in manifest.logs() {
        let state = entry.closed.map_or_else(|| "open".to_owned(), |size| format!("closed at {size}"));
        row("log", format!("{log}  {}  {state}", fingerprint(&entry.key)));
    }
    row("witness", fingerprint(manifest.witness()));
    if let (Some((first, _)), Some((last, _))) =
        (manifest.seal_keys().first_key_value(), manifest.seal_keys().last_key_value())
    {
        row("seal keys", format!("for epochs {first} to {last}"));
    }
    for transport in manifest.transports() {
        let addresses =
            if transport.addresses.is_empty() { "dials only".to_owned() } else { transport.addresses.join(" ") };
        row("transport", format!("{}  {addresses}", fingerprint(&transport.key)));
    }
    text
}

fn to_json(manifest: &Manifest) -> serde_json::Value {
    let logs = manifest.logs().map(
        |(log, entry)| json!({ "log": log, "key": entry.key.digest(), "opened": entry.opened, "closed": entry.closed }),
    );
    let transports = manifest
        .transports()
        .iter()
        .map(|transport| json!({ "key": transport.key.digest(), "addresses": transport.addresses }));
    json!({
        "member": manifest.member(), "version": manifest.version(), "issued_at": manifest.issued_at(),
        "logs": logs.collect::<Vec<_>>(), "witness": manifest.witness().digest(),
        "seal_epochs": manifest.seal_keys().keys().collect::<Vec<_>>(),
        "transports": transports.collect::<Vec<_>>(), "custodians": manifest.custodians(),
    })
}
