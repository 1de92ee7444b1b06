//! `shieldwall charter verify`.

use std::path::PathBuf;

use serde_json::json;

use super::{Context, Failure, Outcome, Tally, file_or_config, newest, read};
use crate::cli::report::Exit;
use crate::cli::show;
use crate::encoding::hash::Digest;
use crate::identity::{CharterError, FederationError};

/// Checks a charter file: every version and its quorum, every signature, every member's manifest.
///
/// Ends with 15 if nothing is wrong but signatures are missing still, with 20 if something is wrong.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The charter [default: the config's]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The federation that it must be of, as 64 hexadecimal digits
    #[arg(long, value_name = "DIGEST")]
    federation: Option<Digest>,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let path = file_or_config(context, args.file.as_ref())?;
    let published = read(&path)?;
    let tally = Tally::of(&published);
    let newest = newest(&published).0.charter().version();
    let federation = match published.verify() {
        Ok(federation) => federation,
        Err(FederationError::Charter(CharterError::Quorum { version, .. })) if version == newest => {
            context
                .ui
                .result(&json!({ "complete": false, "signed": tally.signed, "needed": tally.needed }), tally.text())?;
            return Ok(Exit::Pending);
        }
        Err(error) => return Err(Failure::from(error).context(format!("{} does not hold", path.display()))),
    };
    if let Some(wanted) = args.federation.filter(|wanted| *wanted != federation.id().0) {
        let message = format!("{} is of federation {}, not of {wanted}", path.display(), federation.id());
        return Err(Failure::new(Exit::Verification, message));
    }
    let charter = federation.charter();
    let value = json!({
        "complete": true, "federation": federation.id(), "name": charter.name(), "version": charter.version(),
        "signed": tally.signed, "members": federation.active_members().map(|(code, _)| code).collect::<Vec<_>>(),
    });
    let members = show::counted(federation.active_members().count() as u64, "active member");
    let text = format!(
        "{}, version {}: good; {members}, every manifest good; {}\nfederation {}",
        charter.name(),
        charter.version(),
        tally.text(),
        federation.id()
    );
    context.ui.result(&value, text)?;
    Ok(Exit::Success)
}
