//! A socket of this machine that only its owner can open, and the members of a group, if there shall be one.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::private::{self, PrivateError};

/// Why the socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Another process answers on it.
    #[error("another process answers on {}: does it run already?", .0.display())]
    InUse(PathBuf),
    /// Something else stands at its path.
    #[error("{} is there and is no socket", .0.display())]
    NotASocket(PathBuf),
    /// The config names a group that the system does not know.
    #[error("`socket_group` names the group {0}, which this machine does not know")]
    NoGroup(String),
    /// The folder of a socket for a group will not do.
    #[error("the folder {} of the socket must belong to the node's user, be closed to others (mode 0750) and hold nothing but the socket", .path.display())]
    GroupFolder {
        /// The folder.
        path: PathBuf,
    },
    /// Its folder cannot be made, or is open to others.
    #[error("the folder of the socket must belong to the node alone")]
    Folder(#[from] PrivateError),
    /// The system refused.
    #[error("cannot open the socket {}", .path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Opens the socket at `path` (mode 0600, in a folder of mode 0700 that is made if need be). For the members of a `group` as well the
/// modes are 0660 and 0750. The leftover of a process that died is replaced.
///
/// # Errors
/// [`SocketError`].
pub fn bind(path: &Path, group: Option<u32>) -> Result<UnixListener, SocketError> {
    let fault = |source| SocketError::Io { path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        match group {
            None => private::create_folder(folder)?,
            Some(group) => open_to_group(folder, group)?,
        }
    }
    if let Ok(metadata) = fs::symlink_metadata(path) {
        if !metadata.file_type().is_socket() {
            return Err(SocketError::NotASocket(path.to_owned()));
        }
        if UnixStream::connect(path).is_ok() {
            return Err(SocketError::InUse(path.to_owned()));
        }
        fs::remove_file(path).map_err(fault)?;
    }
    let listener = UnixListener::bind(path).map_err(fault)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(fault)?;
    if let Some(group) = group {
        give_to(path, group).map_err(fault)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(fault)?;
    }
    Ok(listener)
}

/// Whether the file lets in nobody but its owner and the members of the group: then the kernel has asked for that already.
#[must_use]
pub fn is_for_group_alone(path: &Path, group: u32) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| {
        metadata.gid() == group && metadata.uid() == geteuid().as_raw() && metadata.mode() & 0o007 == 0
    })
}

/// Gives a file to a group, unless it is the group's already: a process that may do nothing may not even say so again.
fn give_to(path: &Path, group: u32) -> io::Result<()> {
    if fs::symlink_metadata(path)?.gid() == group { Ok(()) } else { chown(path, None, Some(group)) }
}

/// Makes the folder of a socket for a group, or takes the one that is there, if nothing else is in it that its members would reach.
fn open_to_group(folder: &Path, group: u32) -> Result<(), SocketError> {
    let fault = |source| SocketError::Io { path: folder.to_owned(), source };
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(fault(error)),
        Ok(()) | Err(_) => {}
    }
    let metadata = fs::symlink_metadata(folder).map_err(fault)?;
    let alone = || {
        let names: io::Result<Vec<_>> =
            fs::read_dir(folder)?.map(|entry| Ok(entry?.file_type()?.is_socket())).collect();
        names.map(|sockets| sockets.into_iter().all(|is_socket| is_socket))
    };
    let own = metadata.is_dir() && metadata.uid() == geteuid().as_raw() && metadata.mode() & 0o027 == 0;
    if !own || !alone().map_err(fault)? {
        return Err(SocketError::GroupFolder { path: folder.to_owned() });
    }
    give_to(folder, group).map_err(fault)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o750)).map_err(fault)
}
