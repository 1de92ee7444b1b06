//! A command's end of the socket. Blocking: a command does one thing.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::LINE_BYTES_MAX;
use crate::node::ask::{Line, Problem, Progress, Request, Response};

/// A connection to a running node.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
    deadline: Option<(Instant, Duration)>,
}

/// Why a running node gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens on the socket.
    #[error("no node answers on {}", .0.display())]
    NotRunning(PathBuf),
    /// The socket belongs to somebody else.
    #[error("this user may not use the socket {}", .0.display())]
    Denied(PathBuf),
    /// The command's own time is up.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The node answered that it failed.
    #[error(transparent)]
    Problem(Problem),
    /// The node ended in the middle of an answer.
    #[error("the node ended before it answered")]
    Ended,
    /// What came back is no answer: another version, most likely.
    #[error("the node's answer is not understood; is it of another version?")]
    Answer(#[source] serde_json::Error),
    /// The system failed.
    #[error("cannot talk to the node")]
    Io(#[source] io::Error),
}

impl Client {
    /// Connects to the node at `socket`. All requests together may take `limit`.
    ///
    /// # Errors
    /// [`ClientError::NotRunning`] or [`ClientError::Denied`].
    pub fn connect(socket: &Path, limit: Option<Duration>) -> Result<Self, ClientError> {
        let stream = UnixStream::connect(socket).map_err(|error| {
            if error.kind() == ErrorKind::PermissionDenied {
                ClientError::Denied(socket.to_owned())
            } else if [ErrorKind::NotFound, ErrorKind::ConnectionRefused].contains(&error.kind()) {
                ClientError::NotRunning(socket.to_owned())
            } else {
                ClientError::Io(error)
            }
        })?;
        Ok(Self { stream: BufReader::new(stream), deadline: limit.map(|limit| (now() + limit, limit)) })
    }

    /// Asks, tells `progress` what happens meanwhile, and gives the answer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn ask(&mut self, request: &Request, mut progress: impl FnMut(Progress)) -> Result<Response, ClientError> {
        let mut line = serde_json::to_vec(request).map_err(ClientError::Answer)?;
        line.push(b'\n');
        self.set_timeouts()?;
        let sent = self.stream.get_mut().write_all(&line);
        // A node that is at its limit answers without reading: its answer says more than a broken pipe.
        if let Err(error) = sent
            && error.kind() != ErrorKind::BrokenPipe
        {
            return Err(self.fault(error));
        }
        loop {
            match self.line()? {
                Line::Progress(news) => progress(news),
                Line::Done(response) => return Ok(response),
                Line::Failed(problem) => return Err(ClientError::Problem(problem)),
            }
        }
    }

    fn line(&mut self) -> Result<Line, ClientError> {
        let mut line = Vec::new();
        loop {
            self.set_timeouts()?;
            let room = LINE_BYTES_MAX - line.len() as u64;
            match self.stream.by_ref().take(room).read_until(b'\n', &mut line) {
                Ok(_) if line.last() == Some(&b'\n') => break,
                Ok(_) => return Err(ClientError::Ended),
                // What was read so far is in `line`.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.fault(error)),
            }
        }
        serde_json::from_slice(&line).map_err(ClientError::Answer)
    }

    fn set_timeouts(&self) -> Result<(), ClientError> {
        let Some((deadline, limit)) = self.deadline else { return Ok(()) };
        let left = deadline.saturating_duration_since(now());
        if left.is_zero() {
            return Err(ClientError::Timeout(limit));
        }
        let stream = self.stream.get_ref();
        let set = stream.set_read_timeout(Some(left)).and_then(|()| stream.set_write_timeout(Some(left)));
        set.map_err(ClientError::Io)
    }

    fn fault(&self, error: io::Error) -> ClientError {
        match (self.deadline, error.kind()) {
            (Some((_, limit)), ErrorKind::WouldBlock | ErrorKind::TimedOut) => ClientError::Timeout(limit),
            _ => ClientError::Io(error),
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a command keeps its own --timeout")]
fn now() -> Instant {
    Instant::now()
}
