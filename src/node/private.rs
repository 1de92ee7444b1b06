//! Files and folders that belong to this user alone: made so, and refused if they are not.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::process::geteuid;
use zeroize::Zeroizing;

/// A key file is below 1 KB; anything much longer is something else.
const LONGEST: u64 = 64 * 1024;

/// Why a private file or folder cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// The file is there already; private files are never overwritten.
    #[error("{} exists already and is never overwritten", .0.display())]
    Exists(PathBuf),
    /// There is no such file or folder.
    #[error("there is no {}", .0.display())]
    Missing(PathBuf),
    /// The path is a symbolic link.
    #[error("{} is a symbolic link; name the file itself", .0.display())]
    Link(PathBuf),
    /// It is something else than a plain file, or than a folder where one is needed.
    #[error("{} is not a {wanted}", .path.display())]
    Kind {
        /// The path.
        path: PathBuf,
        /// What was expected there.
        wanted: &'static str,
    },
    /// Group or others may read or write it.
    #[error("{} has mode {mode:04o}: others than its owner may use it", .path.display())]
    Open {
        /// The path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to another user.
    #[error("{} belongs to user {owner}, not to the user {own} who runs this", .path.display())]
    Owner {
        /// The path.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// The user who runs this.
        own: u32,
    },
    /// The file system failed.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// Creates a file that must not exist (mode 0600), and syncs it and its folder.
///
/// # Errors
/// [`PrivateError::Exists`] if anything stands there; else what the file system says. A file that could not be written
/// completely is removed again.
pub fn write_new(path: &Path, content: &[u8]) -> Result<(), PrivateError> {
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(PrivateError::Exists(path.to_owned())),
        Err(error) => return Err(io_fault("create", path, error)),
    };
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a key is of no use and would block the next attempt; the write error is what counts.
        drop(fs::remove_file(path));
    }
    written.map_err(|error| io_fault("write", path, error))?;
    sync_folder_of(path)
}

/// Puts a new content in the place of a file's (mode 0600), in one step, and syncs both file and folder.
///
/// # Errors
/// What the file system says; then the file is as it was.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), PrivateError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    // One that a crash has left.
    drop(fs::remove_file(&beside));
    write_new(&beside, content)?;
    fs::rename(&beside, path).map_err(|error| io_fault("replace", path, error))?;
    sync_folder_of(path)
}

/// Gives a file another name, in the same folder or in another, where nothing stands yet, and syncs the folders.
///
/// # Errors
/// [`PrivateError::Exists`] if something stands there; else what the file system says.
pub fn move_file(from: &Path, to: &Path) -> Result<(), PrivateError> {
    if to.symlink_metadata().is_ok() {
        return Err(PrivateError::Exists(to.to_owned()));
    }
    fs::rename(from, to).map_err(|error| io_fault("move", from, error))?;
    sync_folder_of(to)?;
    if from.parent() == to.parent() { Ok(()) } else { sync_folder_of(from) }
}

/// Reads a file, after the open file itself has been checked: no link, a plain file, ours, closed to others.
///
/// # Errors
/// [`PrivateError`] if it is missing or not private.
pub fn read(path: &Path) -> Result<Zeroizing<String>, PrivateError> {
    let (file, metadata) = open(path)?;
    check_private(path, &metadata)?;
    text(path, file)
}

/// Reads a file that the service manager made for this process alone: it may belong to root, with our right to read it in
/// an access list that the mode bits do not tell.
fn read_credential(path: &Path) -> Result<Zeroizing<String>, PrivateError> {
    text(path, open(path)?.0)
}

/// The first line of a file that is as private as a key file must be, or that is a credential of the service manager.
///
/// # Errors
/// [`PrivateError`] if it is missing or not private.
pub fn first_line(path: &Path) -> Result<Zeroizing<String>, PrivateError> {
    // https://systemd.io/CREDENTIALS: readable by this service and by root, whatever the mode bits say.
    let is_credential = std::env::var_os("CREDENTIALS_DIRECTORY").is_some_and(|folder| path.starts_with(folder));
    let text = if is_credential { read_credential(path)? } else { read(path)? };
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

fn open(path: &Path) -> Result<(File, fs::Metadata), PrivateError> {
    let flags = i32::try_from(OFlags::NOFOLLOW.bits()).expect("flags of open fit in an int");
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|error| match error.raw_os_error() {
        Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => PrivateError::Link(path.to_owned()),
        _ if error.kind() == ErrorKind::NotFound => PrivateError::Missing(path.to_owned()),
        _ => io_fault("open", path, error),
    })?;
    let metadata = file.metadata().map_err(|error| io_fault("examine", path, error))?;
    if !metadata.is_file() {
        return Err(PrivateError::Kind { path: path.to_owned(), wanted: "plain file" });
    }
    Ok((file, metadata))
}

fn text(path: &Path, file: File) -> Result<Zeroizing<String>, PrivateError> {
    let mut text = Zeroizing::new(String::new());
    file.take(LONGEST).read_to_string(&mut text).map_err(|error| io_fault("read", path, error))?;
    Ok(text)
}

/// Makes a folder (mode 0700), or takes the one that is there if it is private.
///
/// # Errors
/// [`PrivateError`] if it cannot be made or is open to others.
pub fn create_folder(path: &Path) -> Result<(), PrivateError> {
    match DirBuilder::new().mode(0o700).create(path) {
        // The umask may have taken more than it should.
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(0o700))
            .map_err(|error| io_fault("set permissions of", path, error)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => check_folder(path),
        Err(error) => Err(io_fault("create", path, error)),
    }
}

/// Checks that a folder is there and private.
///
/// # Errors
/// [`PrivateError`] if it is missing, a link, or open to others.
pub fn check_folder(path: &Path) -> Result<(), PrivateError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(PrivateError::Missing(path.to_owned())),
        Err(error) => return Err(io_fault("examine", path, error)),
    };
    if metadata.is_symlink() {
        return Err(PrivateError::Link(path.to_owned()));
    }
    if !metadata.is_dir() {
        return Err(PrivateError::Kind { path: path.to_owned(), wanted: "folder" });
    }
    check_private(path, &metadata)
}

fn check_private(path: &Path, metadata: &fs::Metadata) -> Result<(), PrivateError> {
    let own = geteuid().as_raw();
    if metadata.uid() != own {
        return Err(PrivateError::Owner { path: path.to_owned(), owner: metadata.uid(), own });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(PrivateError::Open { path: path.to_owned(), mode });
    }
    Ok(())
}

/// Makes it durable that a file has its name.
fn sync_folder_of(path: &Path) -> Result<(), PrivateError> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| io_fault("sync the folder of", path, error))
}

fn io_fault(action: &'static str, path: &Path, source: io::Error) -> PrivateError {
    PrivateError::Io { action, path: path.to_owned(), source }
}
