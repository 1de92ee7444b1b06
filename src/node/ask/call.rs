//! A request under way inside the node, and the way back of its answer.

use tokio::sync::mpsc;

use super::{Line, Problem, ProblemKind, Progress, Request, Response};

/// How many lines of an answer may wait for a slow reader before the node drops it.
pub const ANSWER_QUEUE: usize = 64;

/// A request on its way to the node's loop, with the way back.
#[derive(Debug)]
pub struct Call {
    /// What is asked.
    pub request: Request,
    /// Who asks.
    pub by: Caller,
    /// Where the answer goes.
    pub reply: Reply,
}

/// Who asks, as the kernel tells of the other end of a socket; all unknown where nobody told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The user of the process.
    pub uid: Option<u32>,
    /// The user who logged in to the machine and became that user.
    pub login_uid: Option<u32>,
    /// The process.
    pub pid: Option<i32>,
}

/// The way back of one request. Dropped without an answer, it tells the asker so.
#[derive(Debug)]
pub struct Reply {
    lines: mpsc::Sender<Line>,
    answered: bool,
}

impl Call {
    /// A call, and where the lines of its answer come out.
    #[must_use]
    pub fn new(request: Request, by: Caller) -> (Self, mpsc::Receiver<Line>) {
        let (reply, lines) = Reply::new();
        (Self { request, by, reply }, lines)
    }
}

impl Reply {
    /// A way back, and where the lines of the answer come out.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Line>) {
        let (lines, receiver) = mpsc::channel(ANSWER_QUEUE);
        (Self { lines, answered: false }, receiver)
    }

    /// Tells how far it is. The last place in the queue is kept for the answer: progress may be lost, an answer not.
    pub fn progress(&self, progress: Progress) {
        if self.lines.capacity() > 1 {
            drop(self.lines.try_send(Line::Progress(progress)));
        }
    }

    /// Whether nobody waits for the answer any more.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.lines.is_closed()
    }

    /// Returns when nobody waits for the answer any more.
    pub async fn abandoned(&self) {
        self.lines.closed().await;
    }

    /// Answers.
    pub fn done(mut self, response: Response) {
        self.finish(Line::Done(response));
    }

    /// Tells that it failed, and why.
    pub fn fail(mut self, kind: ProblemKind, message: impl Into<String>) {
        self.finish(Line::Failed(Problem { kind, message: message.into() }));
    }

    /// Hands on a line of another answer: the last one, or how far it is.
    pub fn hand_on(&mut self, line: Line) {
        match line {
            Line::Progress(progress) => self.progress(progress),
            Line::Done(_) | Line::Failed(_) => self.finish(line),
        }
    }

    /// Sends the last line, unless nobody waits for it.
    fn finish(&mut self, line: Line) {
        self.answered = true;
        drop(self.lines.try_send(line));
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if !self.answered {
            let message = "the node ended before it answered".to_owned();
            self.finish(Line::Failed(Problem { kind: ProblemKind::Failure, message }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(done: u64) -> Progress {
        Progress { what: "importing".to_owned(), done, total: None }
    }

    #[test]
    fn the_answer_always_finds_room() {
        let (call, mut lines) = Call::new(Request::Ledger, Caller::default());
        for done in 0..10 * ANSWER_QUEUE as u64 {
            call.reply.progress(progress(done));
        }
        call.reply.done(Response::Done);
        let mut last = None;
        while let Ok(line) = lines.try_recv() {
            last = Some(line);
        }
        assert_eq!(last, Some(Line::Done(Response::Done)));
    }

    #[test]
    fn a_dropped_call_is_told() {
        let (call, mut lines) = Call::new(Request::Status, Caller::default());
        drop(call);
        assert!(matches!(lines.try_recv(), Ok(Line::Failed(Problem { kind: ProblemKind::Failure, .. }))));
    }
}
