//! Which request is meant: its id, or as much of it as tells it from the others.

use super::all;
use crate::cli::context::Context;
use crate::cli::report::{Exit, Failure};
use crate::node::ask::{APPROVAL_ID_DIGITS, ApprovalView};

/// Fewer digits are too easily those of another.
const DIGITS_MIN: usize = 8;

/// A request by its id.
#[derive(clap::Args, Debug)]
pub(super) struct Wanted {
    /// The id, or its first digits, eight at least
    #[arg(value_name = "ID", value_parser = digits)]
    id: String,
}

impl Wanted {
    /// Whether the whole id was given. Of two requests that somebody makes on purpose, a part of the ids can be the same.
    pub(super) fn is_whole(&self) -> bool {
        self.id.len() >= APPROVAL_ID_DIGITS
    }

    /// The request that is meant: one that is not over, if there is one.
    ///
    /// # Errors
    /// If there is none, or several.
    pub(super) fn find(&self, context: &Context) -> Result<ApprovalView, Failure> {
        let views = all(context, true)?;
        let of = |view: &&ApprovalView| view.digest.to_string().starts_with(&self.id);
        let mut found: Vec<&ApprovalView> = views.iter().filter(of).filter(|view| view.closed.is_none()).collect();
        if found.is_empty() {
            found.extend(views.iter().rev().filter(of).take(1));
        }
        match found.as_slice() {
            [one] => Ok((*one).clone()),
            [] => Err(Failure::new(Exit::Failure, format!("nothing with the id {} waits or is remembered", self.id))
                .hint("`shieldwall approval list --all` shows what does")),
            _ => Err(Failure::new(Exit::Failure, format!("{} ids begin with {}", found.len(), self.id))
                .hint("give more digits")),
        }
    }
}

fn digits(text: &str) -> Result<String, String> {
    let text = text.to_ascii_lowercase();
    let good = text.len() >= DIGITS_MIN && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if good {
        Ok(text)
    } else {
        Err(format!("an id has {APPROVAL_ID_DIGITS} digits and letters from a to f; {DIGITS_MIN} of them will do"))
    }
}
