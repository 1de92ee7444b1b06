//! `shieldwall fsck`.

use std::path::Path;

use serde_json::{Value, json};

use super::audit::{self, Source};
use super::context::Context;
use super::report::{Exit, Failure, Outcome, told};
use super::show::counted;
use crate::audit::{Flaw, Verifier};
use crate::disk::audit_log;
use crate::disk::fsck::{self, Checked, Fault, Heals};
use crate::disk::{Guard, OpenError};
use crate::encoding::ids::LogId;
use crate::identity::Federation;
use crate::node::ask::Progress;
use crate::node::case_file;
use crate::node::config::Config;
use crate::node::keys::{KeyFileError, KeyFolder, KeyName};
use crate::node::matcher;
use crate::node::open::{self, OpenNodeError};
use crate::node::private::PrivateError;

/// Reads every byte of a stopped node's data folder, its charter and its key files, and says what is damaged and what heals it.
///
/// It changes nothing. A node that runs checks its own frames all the time: `shieldwall status`. Needs no passphrase, and room for a copy of
/// the index in the folder for temporary files (TMPDIR).
#[derive(clap::Args, Debug)]
pub(super) struct Args {}

/// What was looked at beside the data folder.
#[derive(Debug, Default)]
struct Beside {
    faults: Vec<Fault>,
    unchecked: Vec<String>,
    keys: u64,
}

pub(super) fn run(context: &Context, _args: &Args) -> Outcome {
    let config = context.config()?;
    let mut beside = Beside::default();
    let federation = charter(&config, &mut beside);
    let own = federation.as_ref().and_then(|federation| own_log(&config, federation, &mut beside));
    keys(&config, federation.as_ref(), own, &mut beside);
    officers(&config, &mut beside);
    audit_log(&config, &mut beside);
    // The charter's file may be older than the log that the node signs by now.
    let own = own.filter(|log| config.signer.is_none() && is_newest(&config, *log));
    let checked = fsck::check(&config.data_dir, own, &mut |done, total| {
        let what = "reading the data folder".to_owned();
        context.ui.progress(&Progress { what, done, total: Some(total) });
    });
    let mut checked = match checked {
        Err(OpenError::Locked { dir }) => {
            return Err(Failure::new(Exit::Locked, format!("{} is in use by another process", dir.display()))
                .hint("stop the node first; while it runs, it checks itself: `shieldwall status`"));
        }
        checked => checked?,
    };
    beside.faults.into_iter().for_each(|fault| checked.add(fault));
    checked.unchecked.extend(beside.unchecked);
    context.ui.result(&to_json(&checked, beside.keys), to_text(&checked, beside.keys))?;
    Ok(if !checked.is_whole() {
        Exit::Damaged
    } else if checked.unchecked.is_empty() {
        Exit::Success
    } else {
        Exit::Partial
    })
}

/// Whether the guard of `log` has to be there: another may be signed since the charter's file was written, and then that has one.
fn is_newest(config: &Config, log: LogId) -> bool {
    let mut newer = (log.ordinal + 1..=log.ordinal.saturating_add(8)).map(|ordinal| LogId { ordinal, ..log });
    !newer.any(|newer| Guard::exists(&config.data_dir, newer))
}

fn charter(config: &Config, beside: &mut Beside) -> Option<Federation> {
    match open::federation(&config.charter) {
        Ok(federation) => Some(federation),
        Err(error) => {
            let advice = "nothing by itself: put the signed charter's file there again; every member has it";
            beside.note(&config.charter, &error, advice);
            None
        }
    }
}

fn own_log(config: &Config, federation: &Federation, beside: &mut Beside) -> Option<LogId> {
    match open::own_log(config, federation) {
        Ok(log) => Some(log),
        Err(error @ (OpenNodeError::NotAMember { .. } | OpenNodeError::NoLog(_))) => {
            beside.note(
                &config.charter,
                &error,
                "nothing by itself: `shieldwall charter show` and `manifest show` tell more",
            );
            None
        }
        Err(error) => {
            beside.unchecked.push(error.to_string());
            None
        }
    }
}

/// The files of the keys that a node needs, as far as they can be looked at without the passphrase; and of the others that are there.
fn keys(config: &Config, federation: Option<&Federation>, own: Option<LogId>, beside: &mut Beside) {
    let folder = match KeyFolder::open(&config.keys_dir) {
        Ok(folder) => folder,
        Err(error) => return beside.key(&config.keys_dir, None, error),
    };
    let mut names = open::key_files(config, federation, own, &folder);
    let in_token = own.filter(|log| open::is_in_token(config, *log, &folder)).map(KeyName::Log);
    beside
        .unchecked
        .extend(in_token.map(|name| format!("the key {name} lies in the token: the node tries it at its start")));
    beside.unchecked.extend(config.signer.as_ref().map(|signer| {
        format!(
            "key and guard of this node's log are with its signer, in {}: it checks them at its start",
            signer.folder.display()
        )
    }));
    // These belong elsewhere; if they are here, they are to be private.
    names.extend(KeyName::ROOTS.into_iter().filter(|name| folder.holds(name)));
    for name in names {
        beside.keys += 1;
        if let Err(error) = folder.inspect(&name, config.insecure_dev_keys) {
            beside.key(&folder.path(&name), Some(name), error);
        }
    }
}

/// What officers did and decided: this country's own, so no peer can heal it.
fn officers(config: &Config, beside: &mut Beside) {
    let cases = config.data_dir.join(case_file::FILE);
    match case_file::damaged_at(&config.data_dir) {
        Ok(None) => {}
        Ok(Some(offset)) => {
            let advice =
                "the node puts it aside at its start, keeps what comes before, and raises again what is forgotten";
            beside.fault(
                &cases,
                offset,
                "what officers did with alerts cannot be read from here on".to_owned(),
                advice,
            );
        }
        Err(error) => beside.unchecked.push(told(&error)),
    }
    let links = config.data_dir.join(matcher::FILE);
    match matcher::damaged_lines(&config.data_dir) {
        Ok(lines) => {
            for line in lines {
                let advice = "the node passes it over: decide again with `shieldwall reconcile confirm` or `reject`";
                beside.fault(&links, 0, format!("the decision on a link in line {line} cannot be read"), advice);
            }
        }
        Err(error) => beside.unchecked.push(told(&error)),
    }
}

/// Who did and read what: nobody else has it.
fn audit_log(config: &Config, beside: &mut Beside) {
    let folder = config.data_dir.join(audit_log::FOLDER);
    let mut verifier = Verifier::new(Vec::new());
    let mut file = None;
    let read = Source::in_folder(&folder).and_then(|source| {
        source.each(|line| {
            if file.as_deref() != Some(line.file) {
                verifier.file(line.file.display().to_string());
                file = Some(line.file.to_owned());
            }
            if line.is_ended {
                verifier.line(line.bytes)
            } else {
                verifier.rest(line.bytes)
            }
            Ok(())
        })
    });
    if let Err(error) = read {
        return beside.unchecked.push(format!("cannot read {}: {error}", folder.display()));
    }
    for fault in verifier.finish().faults {
        // What the node itself has said of it is no further damage.
        let Some(place) = fault.place.as_ref().filter(|_| fault.flaw != Flaw::Resumed) else { continue };
        let what = format!("line {}: {}", place.line, audit::words(&fault));
        let advice = "nothing: keep the file, and those before it, apart as they are; `shieldwall audit verify` says what still holds";
        beside.fault(Path::new(&place.file), 0, what, advice);
    }
}

/// An error with what caused it.
impl Beside {
    fn note(&mut self, path: &Path, error: &dyn std::error::Error, advice: &str) {
        self.fault(path, 0, told(error), advice);
    }

    fn fault(&mut self, path: &Path, offset: u64, what: String, advice: &str) {
        self.faults.push(Fault {
            file: path.display().to_string(),
            offset,
            bytes: 0,
            frame: None,
            is_sure: true,
            what,
            heals: Heals::Nothing,
            advice: advice.to_owned(),
            is_harmless: false,
        });
    }

    fn key(&mut self, path: &Path, name: Option<KeyName>, error: KeyFileError) {
        let advice = match (&error, name) {
            // Whoever runs this may not be who runs the node.
            (KeyFileError::File(PrivateError::Owner { .. }), _) => return self.unchecked.push(error.to_string()),
            (KeyFileError::File(PrivateError::Io { source, .. }), _)
                if source.kind() == std::io::ErrorKind::PermissionDenied =>
            {
                return self.unchecked.push(error.to_string());
            }
            (KeyFileError::File(PrivateError::Open { .. }), _) => {
                "nothing by itself: chmod go= takes the rights of others away"
            }
            (_, Some(KeyName::Log(_))) => {
                "nothing by itself: put the file back from where you keep a copy; without it, open the member's next log, with a new log \
                 key, in a new manifest"
            }
            (_, Some(KeyName::Seal(_))) => {
                "nothing by itself: put the file back from where you keep a copy; without it, what was sealed for that key stays closed"
            }
            (_, Some(_)) => {
                "nothing by itself: put the file back from where you keep a copy; without it, sign a new manifest with a new key"
            }
            (_, None) => "nothing by itself: put the folder of keys back from where you keep a copy",
        };
        self.note(path, &error, advice);
    }
}

fn to_text(checked: &Checked, keys: u64) -> String {
    let mut lines = Vec::new();
    for fault in &checked.faults {
        let place = match (fault.offset, fault.bytes) {
            (0, 0) => String::new(),
            (offset, 0) => format!(" at byte {offset}"),
            (offset, bytes) => format!(" at byte {offset}, {}", counted(bytes, "byte")),
        };
        let frame = match &fault.frame {
            Some(frame) if fault.is_sure => format!("{frame}: "),
            Some(frame) => format!("calls itself {frame}: "),
            None => String::new(),
        };
        lines.push(format!("{}{place}: {frame}{}", fault.file, fault.what));
        let harmless = if fault.is_harmless { "harmless; " } else { "" };
        lines.push(format!("  heals: {harmless}{}", fault.advice));
    }
    if checked.more > 0 {
        lines.push(format!("and {} more: it is the disk that fails", checked.more));
    }
    lines.extend(checked.unchecked.iter().map(|what| format!("not checked: {what}")));
    if !lines.is_empty() {
        lines.push(String::new());
    }
    let indexed = match checked.indexed {
        Some(count) => format!("an index of {}", counted(count, "frame")),
        None => "no index".to_owned(),
    };
    let read = [
        counted(checked.segments, "segment"),
        counted(checked.frames, "frame"),
        indexed,
        counted(checked.guards.len() as u64, "guard"),
        "the charter".to_owned(),
        counted(keys, "key file"),
    ];
    let harmless = checked.faults.iter().filter(|fault| fault.is_harmless).count() as u64;
    let harmful = checked.faults.len() as u64 - harmless + checked.more;
    let found = match (harmful, harmless) {
        (0, 0) => "all whole".to_owned(),
        (0, harmless) => format!("whole, {} harmless", counted(harmless, "fault")),
        (harmful, 0) => counted(harmful, "fault"),
        (harmful, harmless) => format!("{} and {harmless} harmless", counted(harmful, "fault")),
    };
    lines.push(format!("{found}: read {}", read.join(", ")));
    lines.join("\n")
}

fn to_json(checked: &Checked, keys: u64) -> Value {
    let guards: serde_json::Map<String, Value> =
        checked.guards.iter().map(|(log, frames)| (log.to_string(), json!(frames))).collect();
    json!({
        "whole": checked.is_whole(),
        "faults": checked.faults.iter().map(fault_to_json).collect::<Vec<_>>(),
        "more_faults": checked.more,
        "unchecked": checked.unchecked,
        "segments": checked.segments,
        "segment_bytes": checked.bytes,
        "frames": checked.frames,
        "indexed_frames": checked.indexed,
        "guards": guards,
        "keys": keys,
    })
}

fn fault_to_json(fault: &Fault) -> Value {
    let frame = fault.frame.as_ref().map(|frame| {
        let (kind, log, position, member) = fsck::parts(frame);
        json!({ "name": frame.to_string(), "kind": kind, "log": log, "position": position, "member": member })
    });
    json!({
        "file": fault.file,
        "offset": fault.offset,
        "bytes": fault.bytes,
        "frame": frame,
        "sure": fault.is_sure,
        "what": fault.what,
        "heals": fault.heals.as_str(),
        "advice": fault.advice,
        "harmless": fault.is_harmless,
    })
}
