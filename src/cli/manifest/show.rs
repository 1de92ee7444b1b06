//! `shieldwall manifest show`.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;

use super::{Context, Failure, Outcome, federation, files};
use crate::cli::report::Exit;
use crate::cli::show::fingerprint;
use crate::encoding::ids::MemberCode;
use crate::identity::{Application, Manifest, SignedManifest};

/// Shows which keys, logs and addresses a member has.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The file that `init` made, or a charter [default: the config's charter]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Whose, if the file is a charter [default: the config's member]
    #[arg(long)]
    member: Option<MemberCode>,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
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

/// A manifest as a person reads it before signing.
pub(super) fn text(manifest: &Manifest) -> String {
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
