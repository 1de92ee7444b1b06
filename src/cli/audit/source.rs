//! The files of an audit log, read line by line.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audit::LINE_MAX;
use crate::cli::context::Context;
use crate::cli::report::{Exit, Failure};
use crate::disk::audit_log;

/// How often somebody who follows looks for new lines.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);

/// A line of a file.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Line<'a> {
    /// The file.
    pub(in crate::cli) file: &'a Path,
    /// Its bytes, without its end.
    pub(in crate::cli) bytes: &'a [u8],
    /// Whether it has an end. One without is being written, or torn.
    pub(in crate::cli) is_ended: bool,
}

/// Files of an audit log, in their order.
#[derive(Debug)]
pub(in crate::cli) struct Source {
    files: Vec<PathBuf>,
}

impl Source {
    /// The files that `paths` name, themselves or by their folder; without a path those of the config's data folder.
    pub(super) fn of(context: &Context, paths: &[PathBuf]) -> Result<Self, Failure> {
        let own = if paths.is_empty() { vec![context.config()?.data_dir.join(audit_log::FOLDER)] } else { Vec::new() };
        let mut files = Vec::new();
        for path in paths.iter().chain(&own) {
            if path.is_file() {
                files.push(path.clone());
            } else if path.is_dir() {
                files.extend(in_folder(path)?);
            } else {
                return Err(Failure::new(Exit::Initialised, format!("there is no audit log in {}", path.display()))
                    .hint("the node makes it when it starts: `shieldwall run`"));
            }
        }
        // Each is named by its first entry.
        files.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
        Ok(Self { files })
    }

    /// The files in a folder; none if it is not there.
    pub(in crate::cli) fn in_folder(folder: &Path) -> std::io::Result<Self> {
        Ok(Self { files: in_folder(folder)? })
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Gives every line to `take`.
    pub(in crate::cli) fn each<E: From<std::io::Error>>(
        &self,
        mut take: impl FnMut(Line<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.files.iter().try_for_each(|file| lines_from(file, 0, &mut take).map(drop))
    }

    /// As [`Self::each`], and then whatever is added to the folder of the last file, until `take` fails or the process is interrupted.
    pub(super) fn follow(&self, mut take: impl FnMut(Line<'_>) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut whole = |line: Line<'_>| if line.is_ended { take(line) } else { Ok(()) };
        let Some((last, before)) = self.files.split_last() else {
            return Err(Failure::new(Exit::Initialised, "there is no file to follow"));
        };
        before.iter().try_for_each(|file| lines_from(file, 0, &mut whole).map(drop))?;
        let folder = last.parent().map(Path::to_owned).unwrap_or_default();
        let (mut file, mut read) = (last.clone(), lines_from(last, 0, &mut whole)?);
        loop {
            // A file that is followed by another is complete: what was added to it until then is read before.
            let next = in_folder(&folder)?.into_iter().find(|next| next.file_name() > file.file_name());
            read = lines_from(&file, read, &mut whole)?;
            match next {
                Some(next) => (file, read) = (next, 0),
                None => std::thread::sleep(FOLLOW_EVERY),
            }
        }
    }
}

fn in_folder(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    Ok(audit_log::files(folder)?.into_iter().map(|name| folder.join(name)).collect())
}

/// Gives the lines from a byte on to `take`; gives where the last whole one ends.
fn lines_from<E: From<std::io::Error>>(
    path: &Path,
    from: u64,
    mut take: impl FnMut(Line<'_>) -> Result<(), E>,
) -> Result<u64, E> {
    let named = |error: std::io::Error| std::io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let mut file = match File::open(path) {
        Ok(file) => file,
        // Moved to an archive since it was listed.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(from),
        Err(error) => return Err(named(error).into()),
    };
    file.seek(SeekFrom::Start(from)).map_err(named)?;
    let (mut reader, mut end) = (BufReader::new(file), from);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.by_ref().take(LINE_MAX as u64).read_until(b'\n', &mut line).map_err(named)?;
        if read == 0 {
            return Ok(end);
        }
        // What is longer than a line can be is given in pieces, none of which is a line.
        let is_ended = line.last() == Some(&b'\n') || read == LINE_MAX;
        let bytes = line.strip_suffix(b"\n").unwrap_or(&line);
        take(Line { file: path, bytes, is_ended })?;
        if is_ended {
            end += read as u64;
        }
    }
}

/// How a file is called in messages: by its name alone, as all are in one folder.
pub(in crate::cli) fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What `--anchors` names: the output of `audit anchors --json`.
pub(super) fn read_to_end(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::from(error).context(format!("cannot read {}", path.display())))
}
