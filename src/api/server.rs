//! The node's end of the socket: accepts, reads a line, hands it to the node, writes what comes back.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::geteuid;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use super::LINE_BYTES_MAX;
use crate::node::ask::{Call, Line, Problem, ProblemKind, Request};
use crate::node::private::{self, PrivateError};

/// From connecting, or from the last answer, to the end of the next request's line.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// From one line of an answer to the next: an import waits for the disk, a collection of receipts for other members.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(600);
/// For a command to take a line of its answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// A bound socket. Dropped, it removes its file.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
    connections: Arc<Semaphore>,
}

/// Why the socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Another process answers on it.
    #[error("another process answers on {}: is the node running already?", .0.display())]
    InUse(PathBuf),
    /// Something else stands at its path.
    #[error("{} is there and is no socket", .0.display())]
    NotASocket(PathBuf),
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

impl Server {
    /// Opens the socket at `path` (mode 0600, in a folder of mode 0700 that is made if need be) for at most
    /// `connections` commands at a time. The leftover of a node that died is replaced.
    ///
    /// # Errors
    /// [`ServerError`]. Needs a running tokio reactor.
    pub fn bind(path: &Path, connections: usize) -> Result<Self, ServerError> {
        let fault = |source| ServerError::Io { path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            private::create_folder(folder)?;
        }
        if let Ok(metadata) = fs::symlink_metadata(path) {
            if !metadata.file_type().is_socket() {
                return Err(ServerError::NotASocket(path.to_owned()));
            }
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(ServerError::InUse(path.to_owned()));
            }
            fs::remove_file(path).map_err(fault)?;
        }
        let listener = UnixListener::bind(path).map_err(fault)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(fault)?;
        Ok(Self { listener, path: path.to_owned(), connections: Arc::new(Semaphore::new(connections)) })
    }

    /// Takes connections and hands their requests to `calls`, until nobody takes them any more.
    pub async fn serve(&self, calls: mpsc::Sender<Call>) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = calls.closed() => return,
            };
            match accepted {
                Ok((stream, _)) => self.take(stream, &calls),
                Err(error) => {
                    // Too many open files, most likely: give the others time to end.
                    tracing::warn!(%error, "cannot accept a command on the socket");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn take(&self, stream: UnixStream, calls: &mpsc::Sender<Call>) {
        let permit = Arc::clone(&self.connections).try_acquire_owned();
        let calls = calls.clone();
        tokio::spawn(async move {
            let result = match permit {
                Ok(_permit) if !is_own(&stream) => refuse(stream, "the socket belongs to another user").await,
                Ok(_permit) => talk(stream, &calls).await,
                Err(_) => refuse(stream, "too many commands are connected").await,
            };
            if let Err(error) = result {
                tracing::debug!(%error, "a command went away");
            }
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The next start replaces a leftover anyway.
        drop(fs::remove_file(&self.path));
    }
}

/// The file's mode keeps others out already; this catches a mode that somebody widened.
fn is_own(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == geteuid().as_raw() || peer.uid() == 0)
}

async fn refuse(stream: UnixStream, message: &str) -> io::Result<()> {
    let (_, mut write) = stream.into_split();
    let problem = Problem { kind: ProblemKind::Busy, message: message.to_owned() };
    send(&mut write, &Line::Failed(problem)).await
}

/// Serves one connection: a request, its answer, the next request.
async fn talk(stream: UnixStream, calls: &mpsc::Sender<Call>) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    while let Some(line) = next_line(&mut read).await? {
        match serde_json::from_slice::<Request>(&line) {
            Ok(request) => answer(request, calls, &mut write).await?,
            Err(error) => {
                // The kind of error and its place, not the text around it: that may be a record.
                let message = format!("not a request: {:?} at column {}", error.classify(), error.column());
                let problem = Problem { kind: ProblemKind::BadRequest, message };
                send(&mut write, &Line::Failed(problem)).await?;
            }
        }
    }
    Ok(())
}

async fn next_line(read: &mut BufReader<OwnedReadHalf>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut bounded = read.take(LINE_BYTES_MAX);
    let taken = timeout(REQUEST_TIMEOUT, bounded.read_until(b'\n', &mut line)).await;
    let length = taken.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) if length as u64 == LINE_BYTES_MAX => Err(io::Error::other("a line is too long")),
        Some(_) => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

async fn answer(request: Request, calls: &mpsc::Sender<Call>, write: &mut OwnedWriteHalf) -> io::Result<()> {
    let (call, mut lines) = Call::new(request);
    if calls.send(call).await.is_err() {
        let problem = Problem { kind: ProblemKind::Failure, message: "the node is ending".to_owned() };
        return send(write, &Line::Failed(problem)).await;
    }
    loop {
        let line = match timeout(ANSWER_TIMEOUT, lines.recv()).await {
            Ok(Some(line)) => line,
            // A reply always sends a last line, and the loop ends there.
            Ok(None) => return Ok(()),
            Err(_) => {
                let message = "the node did not answer in time".to_owned();
                Line::Failed(Problem { kind: ProblemKind::Timeout, message })
            }
        };
        send(write, &line).await?;
        if !matches!(line, Line::Progress(_)) {
            return Ok(());
        }
    }
}

async fn send(write: &mut OwnedWriteHalf, line: &Line) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line).map_err(io::Error::other)?;
    bytes.push(b'\n');
    timeout(WRITE_TIMEOUT, write.write_all(&bytes)).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}
