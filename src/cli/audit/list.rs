//! `shieldwall audit list`.

use std::collections::VecDeque;
use std::path::PathBuf;

use super::source::{Source, name_of};
use crate::audit::Entry;
use crate::cli::context::Context;
use crate::cli::report::{Exit, Failure, Outcome};
use crate::cli::ui::{plain, table};
use crate::encoding::ids::RecordId;
use crate::encoding::time::UnixTime;

/// Lists entries: who did or read what on this node. Reads the files, whether the node runs or not.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// Files of an audit log, or folders of them [default: the folder audit in data_dir]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    filter: Filter,
    /// The last so many; 0 for all
    #[arg(long, value_name = "N", default_value_t = 50)]
    last: usize,
    /// Go on with what is written from now on, until interrupted
    #[arg(long, short)]
    follow: bool,
}

#[derive(clap::Args, Debug)]
struct Filter {
    /// Only of this act, such as record-show; all that begin so
    #[arg(long, value_name = "ACT")]
    act: Option<String>,
    /// Only about this record or consignment
    #[arg(long, value_name = "ID")]
    about: Option<RecordId>,
    /// Only of this user, who asked or who logged in
    #[arg(long, value_name = "UID")]
    uid: Option<u32>,
    /// Only since this moment, such as 2026-11-22T09:14:02Z
    #[arg(long, value_name = "TIME")]
    since: Option<UnixTime>,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let source = Source::of(context, &args.paths)?;
    if args.follow {
        return source.follow(|line| print(context, args, line.bytes)).map(|()| Exit::Success);
    }
    let mut last: VecDeque<(Entry, serde_json::Value)> = VecDeque::new();
    let mut unreadable = 0_u64;
    source.each(|line| {
        match Entry::read(line.bytes) {
            Ok(entry) if args.filter.fits(&entry) => {
                if args.last > 0 && last.len() == args.last {
                    last.pop_front();
                }
                last.push_back((entry, serde_json::from_slice(line.bytes)?));
            }
            Ok(_) => {}
            Err(error) if line.is_ended => {
                unreadable += 1;
                context.ui.detail(format!("{}: {error}", name_of(line.file)));
            }
            Err(_) => {}
        }
        Ok::<(), Failure>(())
    })?;
    if unreadable > 0 {
        context.ui.warn(format!("{unreadable} lines are not as they were written: `shieldwall audit verify`"));
    }
    let values: Vec<&serde_json::Value> = last.iter().map(|(_, value)| value).collect();
    let head = ["ENTRY", "AT", "WHO", "ACT", "OUTCOME", "ABOUT"];
    context.ui.result(&values, table(head, last.iter().map(|(entry, _)| row(entry))))?;
    Ok(if unreadable > 0 { Exit::Verification } else { Exit::Success })
}

fn print(context: &Context, args: &Args, line: &[u8]) -> Result<(), Failure> {
    match Entry::read(line) {
        Ok(entry) if !args.filter.fits(&entry) => Ok(()),
        Ok(_) if context.ui.json => context.ui.line(&String::from_utf8_lossy(line)),
        Ok(entry) => context.ui.line(&plain(&row(&entry).join("  "))),
        Err(error) => {
            context.ui.warn(format!("a line is not as it was written: {error}"));
            Ok(())
        }
    }
}

impl Filter {
    fn fits(&self, entry: &Entry) -> bool {
        self.act.as_ref().is_none_or(|act| entry.act.starts_with(act))
            && self.about.is_none_or(|id| entry.ids.contains(&id))
            && self.uid.is_none_or(|uid| entry.uid == Some(uid) || entry.login_uid == Some(uid))
            && self.since.is_none_or(|since| entry.at >= since)
    }
}

fn row(entry: &Entry) -> [String; 6] {
    let outcome = serde_json::to_value(entry.outcome).ok();
    let outcome = outcome.as_ref().and_then(|word| word.as_str()).unwrap_or_default().to_owned();
    [entry.number.to_string(), entry.at.to_string(), who(entry), entry.act.clone(), outcome, about(entry)]
}

/// Who it was, in a few words.
fn who(entry: &Entry) -> String {
    let user = match (entry.login_uid, entry.uid) {
        (Some(login), Some(uid)) if login != uid => format!("uid {login} as {uid}"),
        (_, Some(uid)) => format!("uid {uid}"),
        (_, None) => "the node".to_owned(),
    };
    match &entry.officer {
        Some(officer) => format!("{user}, {officer}"),
        None => user,
    }
}

/// Up to three ids and how many more, then the note.
fn about(entry: &Entry) -> String {
    const SHOWN: usize = 3;
    let ids: Vec<String> = entry.ids.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = entry.ids.len().saturating_sub(SHOWN) as u64 + entry.more.unwrap_or(0);
    let more = if more > 0 { format!("{more} more") } else { String::new() };
    let parts = [ids.join(" "), more, entry.note.clone().unwrap_or_default()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}
