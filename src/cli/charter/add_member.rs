//! `shieldwall charter add-member`.

use std::path::PathBuf;

use super::{Context, Outcome, propose, read_application};
use crate::cli::show;

/// Draws up the next version of the charter, with one member more: the same as `charter propose --admit`. It takes effect when
/// a quorum of the countries of the present version, and of its own, has signed it.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The newcomer's first manifest
    #[arg(value_name = "MANIFEST")]
    manifest: PathBuf,
    /// The present charter [default: the config's]
    #[arg(long, value_name = "FILE")]
    charter: Option<PathBuf>,
    /// The charter to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The member may keep other members' bodies for them
    #[arg(long)]
    custodian: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let application = read_application(&args.manifest)?;
    context.ui.say(format!("{}  root {}", application.code(), show::fingerprint(&application.member().root)));
    let custodian = args.custodian.then_some(application.code());
    let (charter, out, manifest) = (args.charter.clone(), args.out.clone(), args.manifest.clone());
    propose::run(context, &propose::Args::admitting(charter, out, manifest, custodian))
}
