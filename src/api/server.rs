//! The node's end of the socket: accepts, reads a line, hands it to the node, writes what comes back.

use std::fs;
use std::io;
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
use crate::node::approvals::group_number;
use crate::node::ask::{Call, Caller, Line, Problem, ProblemKind, Request};
use crate::node::socket::{self, SocketError};

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
    /// The group whose members may use it, besides the node's own user and root.
    group: Option<u32>,
    connections: Arc<Semaphore>,
}

impl Server {
    /// Opens the socket at `path` for at most `connections` commands at a time, and for the members of a `group` as well: [`socket::bind`].
    ///
    /// # Errors
    /// [`SocketError`]. Needs a running tokio reactor.
    pub fn bind(path: &Path, connections: usize, group: Option<&str>) -> Result<Self, SocketError> {
        let group =
            group.map(|name| group_number(name).ok_or_else(|| SocketError::NoGroup(name.to_owned()))).transpose()?;
        let listener = socket::bind(path, group)?;
        let fault = |source| SocketError::Io { path: path.to_owned(), source };
        listener.set_nonblocking(true).map_err(fault)?;
        let listener = UnixListener::from_std(listener).map_err(fault)?;
        Ok(Self { listener, path: path.to_owned(), group, connections: Arc::new(Semaphore::new(connections)) })
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
        let may = is_own(&stream) || self.group.is_some_and(|group| socket::is_for_group_alone(&self.path, group));
        tokio::spawn(async move {
            let result = match permit {
                Ok(_permit) if !may => refuse(stream, "the socket belongs to another user").await,
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

/// Who is at the other end. The kernel tells user and process, and keeps for each process who logged in, whoever that became since.
fn caller(stream: &UnixStream) -> Caller {
    let Ok(peer) = stream.peer_cred() else { return Caller::default() };
    let login = |pid| fs::read_to_string(format!("/proc/{pid}/loginuid")).ok()?.trim().parse().ok();
    // The highest number stands for nobody: a process of the machine itself.
    let login_uid = peer.pid().and_then(login).filter(|uid| *uid != u32::MAX);
    Caller { uid: Some(peer.uid()), login_uid, pid: peer.pid() }
}

async fn refuse(stream: UnixStream, message: &str) -> io::Result<()> {
    let (_, mut write) = stream.into_split();
    let problem = Problem { kind: ProblemKind::Busy, message: message.to_owned() };
    send(&mut write, &Line::Failed(problem)).await
}

/// Serves one connection: a request, its answer, the next request.
async fn talk(stream: UnixStream, calls: &mpsc::Sender<Call>) -> io::Result<()> {
    let by = caller(&stream);
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    while let Some(line) = next_line(&mut read).await? {
        match serde_json::from_slice::<Request>(&line) {
            Ok(request) => answer(request, by, calls, &mut write).await?,
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

async fn answer(
    request: Request,
    by: Caller,
    calls: &mpsc::Sender<Call>,
    write: &mut OwnedWriteHalf,
) -> io::Result<()> {
    let (call, mut lines) = Call::new(request, by);
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
