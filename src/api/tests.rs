use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::*;
use crate::node::ask::{Call, ProblemKind, Progress, Request, Response};
use crate::node::socket::SocketError;

/// A server on a socket of its own, and the queue of what it is asked.
struct Served {
    _folder: TempDir,
    path: PathBuf,
    calls: mpsc::Receiver<Call>,
    _task: JoinHandle<()>,
}

fn serve(connections: usize) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run/node.sock");
    let server = Server::bind(&path, connections, None).unwrap();
    let (sender, calls) = mpsc::channel(4);
    let task = tokio::spawn(async move { server.serve(sender).await });
    Served { _folder: folder, path, calls, _task: task }
}

async fn ask(path: PathBuf, request: Request, limit: Option<Duration>) -> (Result<Response, ClientError>, Vec<u64>) {
    spawn_blocking(move || {
        let mut seen = Vec::new();
        let answer = Client::connect(&path, limit).and_then(|mut node| node.ask(&request, |news| seen.push(news.done)));
        (answer, seen)
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_request_is_answered_with_progress_and_a_last_line() {
    let mut served = serve(4);
    let asked = tokio::spawn(ask(served.path.clone(), Request::Peers, None));
    let call = served.calls.recv().await.unwrap();
    assert_eq!(call.request, Request::Peers);
    // The other end of the socket is this very process.
    assert_eq!(call.by.uid, Some(rustix::process::geteuid().as_raw()));
    assert_eq!(call.by.pid, i32::try_from(std::process::id()).ok());
    for done in 1..=3 {
        call.reply.progress(Progress { what: "waiting".to_owned(), done, total: Some(3) });
    }
    call.reply.done(Response::Peers(Vec::new()));
    let (answer, seen) = asked.await.unwrap();
    assert_eq!(answer.unwrap(), Response::Peers(Vec::new()));
    assert_eq!(seen, [1, 2, 3]);
}

#[tokio::test]
async fn failures_come_back_as_they_are() {
    let mut served = serve(4);
    let asked = tokio::spawn(ask(served.path.clone(), Request::Status, None));
    served.calls.recv().await.unwrap().reply.fail(ProblemKind::ReadOnly, "the disk is full");
    let (answer, _) = asked.await.unwrap();
    assert!(
        matches!(&answer, Err(ClientError::Problem(problem)) if problem.kind == ProblemKind::ReadOnly),
        "{answer:?}"
    );
    assert_eq!(answer.unwrap_err().to_string(), "the disk is full");
}

#[tokio::test]
async fn a_command_gives_up_in_time() {
    let served = serve(4);
    let (answer, _) = ask(served.path.clone(), Request::Ledger, Some(Duration::from_millis(50))).await;
    assert!(matches!(answer, Err(ClientError::Timeout(_))), "{answer:?}");
}

#[tokio::test]
async fn connections_are_bounded() {
    let mut served = serve(1);
    let first = tokio::spawn(ask(served.path.clone(), Request::Ledger, None));
    let call = served.calls.recv().await.unwrap();
    let (second, _) = ask(served.path.clone(), Request::Ledger, None).await;
    assert!(matches!(&second, Err(ClientError::Problem(problem)) if problem.kind == ProblemKind::Busy), "{second:?}");
    drop(call);
    assert!(matches!(first.await.unwrap().0, Err(ClientError::Problem(_))));
}

#[tokio::test]
async fn what_is_no_request_is_refused_without_an_echo() {
    let served = serve(4);
    let path = served.path.clone();
    let text = spawn_blocking(move || {
        use std::io::{Read as _, Write as _};
        let mut stream = std::os::unix::net::UnixStream::connect(path).unwrap();
        stream.write_all(b"{\"submit\":{\"drafts\":[{\"consignee\":\"canary\"}]}}\n").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    })
    .await
    .unwrap();
    assert!(text.contains("bad-request") && !text.contains("canary"), "{text}");
}

#[tokio::test]
async fn the_socket_is_private_and_only_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let served = serve(4);
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&served.path), 0o600);
    assert_eq!(mode(served.path.parent().unwrap()), 0o700);
    assert!(matches!(Server::bind(&served.path, 1, None), Err(SocketError::InUse(_))));

    let nobody = served.path.with_file_name("nobody.sock");
    assert!(matches!(Client::connect(&nobody, None), Err(ClientError::NotRunning(_))));
    drop(std::os::unix::net::UnixListener::bind(&nobody).unwrap());
    assert!(matches!(Client::connect(&nobody, None), Err(ClientError::NotRunning(_))), "a leftover");
    Server::bind(&nobody, 1, None).unwrap();
    assert!(!nobody.exists(), "a server takes its file with it");
}

#[tokio::test]
async fn a_socket_for_a_group_is_closed_to_others() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run/node.sock");
    let unknown = Server::bind(&path, 1, Some("no such group here")).unwrap_err();
    assert!(matches!(unknown, SocketError::NoGroup(_)), "{unknown:?}");
    // The first group of whoever runs this: it may be given away.
    let gid = folder.path().metadata().unwrap().gid();
    let groups = std::fs::read_to_string("/etc/group").unwrap();
    let of = |line: &str| line.split(':').nth(2) == Some(gid.to_string().as_str());
    let Some(group) = groups.lines().find(|line| of(line)).and_then(|line| line.split(':').next()) else { return };
    let server = Server::bind(&path, 1, Some(group)).unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o660, 0o750));
    assert_eq!(path.metadata().unwrap().gid(), gid);
    drop(server);
    // Not in a folder that others may enter, nor in one with anything else in it.
    for (other, file) in [(0o755, None), (0o700, Some("statements.seg"))] {
        let open = folder.path().join(format!("{other:o}"));
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(other)).unwrap();
        file.into_iter().for_each(|name| std::fs::write(open.join(name), "").unwrap());
        let refused = Server::bind(&open.join("node.sock"), 1, Some(group)).unwrap_err();
        assert!(matches!(refused, SocketError::GroupFolder { .. }), "{refused:?}");
        assert_eq!(mode(&open), other, "left as it was");
    }
}
