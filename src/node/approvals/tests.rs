//! Whatever anybody does in whatever order, nothing is carried out to which not enough others have agreed.

use proptest::prelude::*;

use super::*;
use crate::node::ask::Bytes;
use crate::node::config::UserName;

/// The user of the node in these tests.
const OWN: u32 = 990;
/// Users of the machine: root, and five with names.
const USERS: [u32; 6] = [0, 1001, 1002, 1003, 1004, 1005];

fn at(second: i64) -> UnixTime {
    UnixTime::from_seconds(1_795_338_842 + second).unwrap()
}

fn directory() -> Directory {
    Directory::of(
        "root:x:0:0::/:\nshieldwall:x:990:990::/:\nanna:x:1001:100::/:\nben:x:1002:100::/:\nchris:x:1003:100::/:\ndora:x:1004:100::/:",
    )
}

fn policy(users: &[&str], persons: u32) -> config::Approvals {
    let users = users.iter().map(|user| user.parse().unwrap()).collect();
    config::Approvals { charters: true, records: true, users, persons, ..config::Approvals::default() }
}

fn open(folder: &Path, policy: config::Approvals, now: UnixTime) -> Approvals {
    let approvals = Approvals::open(folder, policy, now).unwrap();
    Approvals { own: OWN, directory: Some(directory()), ..approvals }
}

fn caller(uid: u32, login_uid: Option<u32>) -> Caller {
    Caller { uid: Some(uid), login_uid, pid: Some(4242) }
}

fn by(uid: u32) -> Caller {
    caller(uid, Some(uid))
}

/// A request that differs from others by its bytes.
fn request(which: u8) -> Request {
    Request::Charter(CharterRequest::Publish { file: Bytes(vec![which; 64]), settle: false })
}

fn digest(request: &Request) -> Digest {
    sha256(&serde_json::to_vec(request).unwrap())
}

/// In memory where there is such a place: each step waits for the disk.
fn private_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn ask(approvals: &mut Approvals, which: u8, who: u32) -> ApprovalView {
    approvals.ask(&request(which), format!("charter version {which}"), by(who), at(0)).unwrap()
}

#[test]
fn a_ban_needs_a_second_person_where_that_is_wanted_and_letting_back_never_does() {
    let member = "TR".parse().unwrap();
    let ban = Request::Peer(PeerRequest::Ban { member, seconds: 60, reason: "malformed records".to_owned() });
    let with = |bans: bool| {
        let policy = config::Approvals { bans, users: policy(&["anton"], 2).users, ..config::Approvals::default() };
        let folder = tempfile::tempdir().unwrap();
        Approvals::open(folder.path(), policy, UnixTime::from_seconds(1_800_000_000).unwrap()).unwrap()
    };
    assert!(with(true).needs(&ban) && !with(false).needs(&ban));
    assert!(!with(true).needs(&Request::Peer(PeerRequest::Unban { member })));
    assert!(!with(true).needs(&Request::Peer(PeerRequest::Ping { member })));
}

#[test]
fn one_asks_another_agrees_and_exactly_that_is_carried_out() {
    let folder = private_folder();
    let mut approvals = open(folder.path(), policy(&["anna", "ben"], 2), at(0));
    assert!(approvals.needs(&request(1)) && !approvals.needs(&Request::Status));
    let view = ask(&mut approvals, 1, 1001);
    assert_eq!((view.missing, view.may.as_slice(), view.asked_by.as_str()), (1, ["ben".to_owned()].as_slice(), "anna"));
    assert_eq!(view.id, digest(&request(1)).to_string()[..32]);
    // To ask again changes nothing, whoever does.
    assert_eq!(ask(&mut approvals, 1, 1001), view);
    assert_eq!(ask(&mut approvals, 1, 1002), view);
    assert_eq!(approvals.waiting(), 1);
    assert_eq!(approvals.show(&view.digest).unwrap().request, Some(Box::new(request(1))));

    let kind = |approvals: &mut Approvals, who: Caller| approvals.agree(&view.digest, who, at(1)).unwrap_err().kind;
    assert_eq!(kind(&mut approvals, by(1001)), ProblemKind::Denied, "the author");
    assert_eq!(kind(&mut approvals, caller(OWN, Some(1001))), ProblemKind::Denied, "the author as the node's user");
    assert_eq!(kind(&mut approvals, caller(1002, Some(1001))), ProblemKind::Denied, "the author who became ben");
    assert_eq!(kind(&mut approvals, by(1003)), ProblemKind::Denied, "not among them");
    assert_eq!(kind(&mut approvals, Caller::default()), ProblemKind::Denied, "nobody knows who");
    let other = approvals.agree(&digest(&request(2)), by(1002), at(1)).unwrap_err();
    assert_eq!(other.kind, ProblemKind::NotFound);

    let execution = approvals.agree(&view.digest, by(1002), at(2)).unwrap().unwrap_err();
    assert_eq!(execution.request, request(1));
    assert_eq!(approvals.agree(&view.digest, by(1002), at(2)).unwrap_err().kind, ProblemKind::Busy);
    let published = crate::node::ask::PublishedView { version: 7, is_news: true, told: Vec::new() };
    approvals.finish(execution.number, Some(&Line::Done(Response::Published(published))), at(3));
    assert_eq!(kind(&mut approvals, by(1002)), ProblemKind::BadRequest, "it is over");

    // Who, when and what are kept; what was asked is not.
    drop(approvals);
    let mut approvals = open(folder.path(), policy(&["anna", "ben"], 2), at(9));
    let [kept] = <[_; 1]>::try_from(approvals.list(true)).unwrap();
    assert_eq!((kept.stands.as_str(), kept.asked_by.as_str(), kept.agreed[0].by.as_str()), ("done", "anna", "ben"));
    assert_eq!((kept.closed.unwrap().note.as_str(), kept.agreed[0].at), ("charter version 7", at(2)));
    assert!(approvals.list(false).is_empty() && approvals.show(&view.digest).unwrap().request.is_none());
    let files: Vec<_> =
        std::fs::read_dir(folder.path().join(FOLDER)).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.iter().any(|path| path.extension().is_some_and(|ending| ending == "request")), "{files:?}");
    // The same can be asked for again.
    assert_eq!(ask(&mut approvals, 1, 1002).missing, 1);
}

#[test]
fn what_waits_outlives_a_restart_and_what_was_being_done_is_not_done_twice() {
    let folder = private_folder();
    let three = || policy(&["anna", "ben", "chris"], 3);
    let mut approvals = open(folder.path(), three(), at(0));
    let view = ask(&mut approvals, 1, 1001);
    assert_eq!(approvals.agree(&view.digest, by(1002), at(1)).unwrap().unwrap().missing, 1);
    drop(approvals);
    let mut approvals = open(folder.path(), three(), at(2));
    assert_eq!(approvals.list(false)[0].agreed[0].by, "ben");
    assert_eq!(approvals.agree(&view.digest, by(1002), at(3)).unwrap_err().kind, ProblemKind::Denied, "twice");
    // Ben has left the desk meanwhile: his word counts no more.
    drop(approvals);
    let mut without = open(folder.path(), policy(&["anna", "chris", "dora"], 3), at(3));
    assert_eq!(without.agree(&view.digest, by(1003), at(4)).unwrap().unwrap().missing, 1);
    assert!(without.agree(&view.digest, by(1004), at(5)).unwrap().is_err());
    // The node ends before it knows what came of it.
    drop(without);
    let mut approvals = open(folder.path(), three(), at(6));
    assert_eq!(approvals.list(true)[0].stands, "unknown");
    assert_eq!(approvals.agree(&view.digest, by(1003), at(7)).unwrap_err().kind, ProblemKind::BadRequest);
}

#[test]
fn it_is_taken_back_by_its_author_and_refused_by_who_might_have_agreed() {
    let folder = private_folder();
    let mut approvals = open(folder.path(), policy(&["ben"], 2), at(0));
    for (which, who, stands) in [(1, 1001, "withdrawn"), (2, 1002, "rejected")] {
        let id = ask(&mut approvals, which, 1001).digest;
        assert_eq!(approvals.reject(&id, "no", by(1003), at(1)).unwrap_err().kind, ProblemKind::Denied);
        assert_eq!(approvals.reject(&id, "  ", by(who), at(1)).unwrap_err().kind, ProblemKind::BadRequest);
        let view = approvals.reject(&id, " wrong file ", by(who), at(1)).unwrap();
        assert_eq!((view.stands.as_str(), view.closed.unwrap().note.as_str()), (stands, "wrong file"));
        assert_eq!(approvals.agree(&id, by(1002), at(2)).unwrap_err().kind, ProblemKind::BadRequest);
    }
}

#[test]
fn nobody_waits_for_ever_and_nobody_fills_the_folder() {
    let folder = private_folder();
    let mut approvals = open(folder.path(), policy(&["ben"], 2), at(0));
    let view = ask(&mut approvals, 0, 1001);
    assert!(approvals.expire(at(7 * DAY_S - 1)).is_empty());
    assert_eq!(approvals.agree(&view.digest, by(1002), at(7 * DAY_S)).unwrap_err().kind, ProblemKind::BadRequest);
    assert_eq!(approvals.expire(at(7 * DAY_S)), [view.id]);
    assert_eq!(approvals.show(&view.digest).unwrap().stands, "expired");
    let mut places = 0;
    for which in 1..=u8::MAX {
        let who = if usize::from(which) <= state::WAITING_OF_ONE_MAX { 1001 } else { 1003 + u32::from(which % 3) };
        match approvals.ask(&request(which), String::new(), by(who), at(0)) {
            Ok(_) => places += 1,
            Err(problem) => assert_eq!(problem.kind, ProblemKind::Busy),
        }
        let own = approvals.ask(&request(0), String::new(), by(1001), at(0));
        assert!(usize::from(which) < state::WAITING_OF_ONE_MAX || own.is_err());
        if let Ok(own) = own {
            approvals.reject(&own.digest, "a test", by(1001), at(0)).unwrap();
        }
    }
    assert_eq!(places, state::WAITING_MAX);
}

/// A request whose bytes were altered on the disk is none to which anybody agreed.
#[test]
fn altered_bytes_are_never_carried_out() {
    for at_start in [true, false] {
        let folder = private_folder();
        let mut approvals = open(folder.path(), policy(&["ben"], 2), at(0));
        let view = ask(&mut approvals, 1, 1001);
        let path = folder.path().join(FOLDER).join("0000000001.request");
        let other = serde_json::to_vec(&request(2)).unwrap();
        assert_eq!(std::fs::read(&path).unwrap().len(), other.len(), "as long, and something else");
        std::fs::write(&path, other).unwrap();
        if at_start {
            drop(approvals);
            approvals = open(folder.path(), policy(&["ben"], 2), at(1));
        }
        assert!(approvals.agree(&view.digest, by(1002), at(2)).is_err());
        assert_eq!(approvals.list(true)[0].stands, "failed");
    }
}

#[test]
fn a_damaged_file_is_put_aside_and_the_change_of_what_needs_a_second_person_is_told() {
    let folder = private_folder();
    let mut approvals = open(folder.path(), policy(&["ben"], 2), at(0));
    assert!(approvals.change().is_some(), "before, nothing did");
    ask(&mut approvals, 1, 1001);
    ask(&mut approvals, 2, 1001);
    drop(approvals);
    std::fs::write(folder.path().join(FOLDER).join("0000000001.json"), b"{").unwrap();
    let approvals = open(folder.path(), policy(&["ben"], 2), at(0));
    assert_eq!((approvals.waiting(), approvals.change()), (1, None));
    assert!(folder.path().join(FOLDER).join("0000000001.json.damaged").exists());
    drop(approvals);
    let off = open(folder.path(), config::Approvals::default(), at(0));
    let change = off.change().unwrap();
    assert!(change.starts_with("nothing needs a second person; before: charters, records need 2 persons"), "{change}");
    drop(off);
    assert!(open(folder.path(), config::Approvals::default(), at(0)).change().is_none());
    // Where nothing ever did, nothing is made.
    let folder = private_folder();
    assert!(open(folder.path(), config::Approvals::default(), at(0)).change().is_none());
    assert!(!folder.path().join(FOLDER).exists());
}

/// What happens in a model.
#[derive(Clone, Debug)]
enum Step {
    Ask { which: u8, who: Caller },
    Agree { which: u8, who: Caller },
    Reject { which: u8, who: Caller },
    Finish,
    Pass { seconds: i64 },
    Restart { users: Vec<u32>, persons: u32 },
}

fn callers() -> impl Strategy<Value = Caller> {
    let uid = prop_oneof![3 => proptest::sample::select(&USERS[..]), 1 => Just(OWN)];
    let login = prop_oneof![2 => Just(None), 3 => proptest::sample::select(&USERS[..]).prop_map(Some)];
    prop_oneof![
        4 => proptest::sample::select(&USERS[..]).prop_map(by),
        4 => (uid, login).prop_map(|(uid, login)| caller(uid, login)),
        1 => Just(Caller::default()),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let which = 0..3_u8;
    let users = proptest::collection::vec(proptest::sample::select(&USERS[..]), 0..5);
    prop_oneof![
        4 => (which.clone(), callers()).prop_map(|(which, who)| Step::Ask { which, who }),
        8 => (which.clone(), callers()).prop_map(|(which, who)| Step::Agree { which, who }),
        1 => (which, callers()).prop_map(|(which, who)| Step::Reject { which, who }),
        2 => Just(Step::Finish),
        1 => (1..5 * DAY_S).prop_map(|seconds| Step::Pass { seconds }),
        1 => (users, 2..5_u32).prop_map(|(users, persons)| Step::Restart { users, persons }),
    ]
}

/// The numbers of users behind a caller, told anew: not by the code that is tested.
fn numbers(who: Caller) -> Vec<u32> {
    let shared = |uid: &u32| *uid == OWN || *uid == 0;
    match (who.uid, who.login_uid) {
        (None, _) => Vec::new(),
        (Some(uid), None) => vec![uid],
        (Some(uid), Some(login)) => std::iter::once(login).chain(Some(uid).filter(|uid| !shared(uid))).collect(),
    }
}

/// The most of these who are no two of them the same person, with `author` none of them.
fn different(author: Caller, agreed: &[Caller]) -> usize {
    let apart = |one: Caller, other: Caller| numbers(one).iter().all(|number| !numbers(other).contains(number));
    let others: Vec<Caller> = agreed.iter().copied().filter(|one| apart(*one, author)).collect();
    (0..1_u32 << others.len())
        .map(|set| (0..others.len()).filter(|at| set >> at & 1 == 1).map(|at| others[at]).collect::<Vec<_>>())
        .filter(|chosen| {
            chosen.iter().enumerate().all(|(at, one)| chosen[at + 1..].iter().all(|other| apart(*one, *other)))
        })
        .map(|chosen| chosen.len())
        .max()
        .unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// One person can never complete what they have asked for, nor can fewer than the config says; and what enough have agreed to is done.
    #[test]
    fn nothing_is_carried_out_to_which_not_enough_others_have_agreed(
        steps in proptest::collection::vec(steps(), 1..60),
    ) {
        let folder = private_folder();
        let (mut users, mut persons) = (vec![1001, 1002, 1003], 2);
        let names = |users: &[u32]| users.iter().map(|uid| UserName::Number(*uid)).collect();
        let rule = |users: &[u32], persons| config::Approvals {
            charters: true, users: names(users), persons, ..config::Approvals::default()
        };
        let mut now = 0;
        let mut approvals = open(folder.path(), rule(&users, persons), at(now));
        // Who asked for what waits, and who has tried to agree to it since while they might.
        let mut waiting: [Option<(Caller, Vec<Caller>)>; 3] = [None, None, None];
        let mut running = Vec::new();
        for step in steps {
            match step {
                Step::Ask { which, who } => {
                    if approvals.ask(&request(which), String::new(), who, at(now)).is_ok()
                        && !running.iter().any(|(_, done)| *done == which)
                    {
                        waiting[usize::from(which)].get_or_insert((who, Vec::new()));
                    }
                }
                Step::Agree { which, who } => {
                    let agreed = approvals.agree(&digest(&request(which)), who, at(now));
                    let entitled = numbers(who).first().is_some_and(|first| users.contains(first));
                    let wait = &mut waiting[usize::from(which)];
                    if let Some((_, tried)) = wait && entitled {
                        tried.push(who);
                    }
                    if let Ok(Err(execution)) = agreed {
                        prop_assert_eq!(&execution.request, &request(which), "exactly that");
                        let (author, tried) = wait.take().expect("nothing is carried out that nobody asked for");
                        let still = |one: &Caller| numbers(*one).first().is_some_and(|first| users.contains(first));
                        let tried: Vec<Caller> = tried.into_iter().filter(still).collect();
                        let others = different(author, &tried);
                        prop_assert!(others >= usize::try_from(persons).unwrap() - 1, "{author:?} {tried:?} {persons}");
                        prop_assert!(entitled && different(author, &[who]) == 1, "the last one was needed");
                        running.push((execution.number, which));
                    } else if let Some((author, _)) = wait && entitled && persons == 2 && agreed.is_err() {
                        prop_assert_eq!(different(*author, &[who]), 0, "two are enough, and one of them was refused");
                    }
                }
                Step::Reject { which, who } => {
                    if approvals.reject(&digest(&request(which)), "no", who, at(now)).is_ok() {
                        waiting[usize::from(which)] = None;
                    }
                }
                Step::Finish => {
                    for (number, _) in running.drain(..) {
                        approvals.finish(number, Some(&Line::Done(Response::Done)), at(now));
                    }
                }
                Step::Pass { seconds } => {
                    now += seconds;
                    for id in approvals.expire(at(now)) {
                        let which = (0..3).find(|which| approval_id(&digest(&request(*which))) == id).unwrap();
                        waiting[usize::from(which)] = None;
                    }
                }
                Step::Restart { users: others, persons: number } => {
                    (users, persons) = (others, number);
                    drop(approvals);
                    running.clear();
                    approvals = open(folder.path(), rule(&users, persons), at(now));
                }
            }
            let open: Vec<bool> = (0..3).map(|which| {
                approvals.show(&digest(&request(which))).is_ok_and(|view| view.stands == "waiting")
            }).collect();
            let model: Vec<bool> = waiting.iter().map(Option::is_some).collect();
            prop_assert_eq!(open, model);
        }
    }
}
