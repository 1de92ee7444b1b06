//! Sheets with shares of a root: which root, and where the sheets are read from.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::cli::context::Context;
use crate::cli::files;
use crate::cli::report::{Exit, Failure};
use crate::node::keys::KeyName;
use crate::node::keys::share::{self, Joined, SHARES_MAX, SHEET_BYTES_MAX, ShareError, Sheet};

/// One of the roots, as flags name it.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhichRoot {
    /// The present one
    Root,
    /// The one that was announced
    NextRoot,
    /// The one after that
    LaterRoot,
}

impl WhichRoot {
    pub(super) fn name(self) -> KeyName {
        match self {
            Self::Root => KeyName::Root,
            Self::NextRoot => KeyName::NextRoot,
            Self::LaterRoot => KeyName::LaterRoot,
        }
    }
}

/// Sheets, as files or typed in.
#[derive(clap::Args, Debug)]
pub(super) struct SheetsArgs {
    /// Files with sheets, one or several in each; `-` is the standard input, where they are typed in
    #[arg(value_name = "SHEET", required = true)]
    sheets: Vec<PathBuf>,
}

/// Reads the sheets and puts the key together.
///
/// # Errors
/// If one is no sheet, or they do not give the key that they name: [`Exit::Verification`].
pub(super) fn join(context: &Context, args: &SheetsArgs) -> Result<(Vec<Sheet>, Joined), Failure> {
    let mut sheets = Vec::new();
    for path in &args.sheets {
        let text = read(context, path)?;
        let read = share::read_all(&text).map_err(|error| refused(&error).context(path.display().to_string()))?;
        sheets.extend(read);
    }
    let joined = share::join(&sheets).map_err(|error| refused(&error))?;
    for number in &joined.wrong {
        context.ui.warn(format!("share {number} is wrong: it does not belong to the others; replace it by a new set"));
    }
    Ok((sheets, joined))
}

/// The text of a file, or what is typed.
fn read(context: &Context, path: &Path) -> Result<Zeroizing<String>, Failure> {
    let limit = SHEET_BYTES_MAX * usize::from(SHARES_MAX);
    let bytes = if path == Path::new("-") {
        if io::stdin().is_terminal() {
            context.ui.say("Type the sheets in, each from its title on, and end with Ctrl-D.");
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 1));
        io::stdin().take(limit as u64 + 1).read_to_end(&mut bytes)?;
        bytes
    } else {
        let read = files::read_plain(path, limit);
        Zeroizing::new(read.map_err(|error| Failure::from(error).context(format!("cannot read {}", path.display())))?)
    };
    let text = std::str::from_utf8(&bytes).ok().filter(|text| text.len() <= limit);
    let text = text.ok_or_else(|| Failure::new(Exit::Verification, format!("{} holds no sheets", path.display())))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn refused(error: &ShareError) -> Failure {
    let failure = Failure::new(Exit::Verification, error.to_string());
    match error {
        ShareError::TooFew { needed, .. } => failure.hint(format!("any {needed} sheets of the set, each once")),
        ShareError::Wrong => failure.hint("with one sheet more than is needed, the wrong one is found"),
        ShareError::Form(_)
        | ShareError::Word(_)
        | ShareError::Words(_)
        | ShareError::Checksum
        | ShareError::Numbers { .. }
        | ShareError::Strange { .. }
        | ShareError::Random => failure,
    }
}
