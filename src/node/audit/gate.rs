//! The gate between socket and loop: what is asked is written down, and what came of it before it is told.

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::acts::Asked;
use super::writer::{Auditor, NotWritten};
use crate::node::ask::{Call, Line, Problem, ProblemKind, Reply, Request};

/// Hands calls on to the loop, each by a task of its own, until the loop takes none any more and all are answered. There are as many at a time as connections.
pub async fn gate(mut asked: mpsc::Receiver<Call>, auditor: Auditor, calls: mpsc::Sender<Call>) {
    let mut passing = JoinSet::new();
    loop {
        let call = tokio::select! {
            call = asked.recv() => call,
            () = calls.closed() => None,
            Some(_) = passing.join_next() => continue,
        };
        let Some(call) = call else { break };
        passing.spawn(pass(call, auditor.clone(), calls.clone()));
    }
    // The loop has ended: what was under way is told so, and that is written down.
    while passing.join_next().await.is_some() {}
}

async fn pass(call: Call, auditor: Auditor, calls: mpsc::Sender<Call>) {
    let Call { request, by, mut reply } = call;
    // Whoever ends a node whose audit log fails must be able to.
    let must_be_written = request != Request::Shutdown;
    let Some(asked) = Asked::of(&request) else {
        let (call, lines) = Call::new(request, by);
        if calls.send(call).await.is_ok()
            && let Some(last) = relay(lines, &mut reply, true).await
        {
            reply.hand_on(last);
        }
        return;
    };
    let mut number = None;
    if asked.changes {
        match auditor.write(asked.before(by)).await {
            Ok(entry) => number = Some(entry),
            Err(error) if must_be_written => return refuse(reply, &error, "nothing was done"),
            Err(_) => {}
        }
    }
    let (call, lines) = Call::new(request, by);
    let last = match calls.send(call).await {
        Ok(()) => relay(lines, &mut reply, !asked.changes).await,
        Err(_) => None,
    };
    let Some(act) = asked.after(by, number, last.as_ref()) else {
        return last.into_iter().for_each(|last| reply.hand_on(last));
    };
    match auditor.write(act).await {
        Err(error) if must_be_written && asked.changes => refuse(reply, &error, "what was asked may have been done"),
        Err(error) if must_be_written => refuse(reply, &error, "nothing is shown"),
        Ok(_) | Err(_) => last.into_iter().for_each(|last| reply.hand_on(last)),
    }
}

/// Hands on how far it is, and gives the last line; none if nobody waits any more and the answer `may_be_left`.
async fn relay(mut lines: mpsc::Receiver<Line>, reply: &mut Reply, may_be_left: bool) -> Option<Line> {
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            () = reply.abandoned(), if may_be_left => None,
        };
        match line? {
            progress @ Line::Progress(_) => reply.hand_on(progress),
            last @ (Line::Done(_) | Line::Failed(_)) => return Some(last),
        }
    }
}

fn refuse(mut reply: Reply, error: &NotWritten, what: &str) {
    let message = format!("{error}; {what}");
    reply.hand_on(Line::Failed(Problem { kind: ProblemKind::Unaudited, message }));
}
