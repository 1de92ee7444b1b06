//! Scenarios about nodes and keys: two histories, a long absence, a suspended member, a stolen key.

use super::*;
use crate::encoding::ids::LogId;
use crate::identity::{MemberStatus, SignedCharter, SignedManifest};
use crate::ledger::Store as _;
use crate::protocol::{Outcome, Signing};
use crate::simulate::federation::Keys;
use crate::simulate::liar::Deceit;
use crate::simulate::stage::code;
use crate::watch::statistics::{Figures, Query};

/// F: equivocation: X signs two versions with one number. The proof is shown on every honest node.
#[test]
fn f_two_versions_under_one_number() {
    let mut stage = Stage::set("2026-01-05", &["GE", "MZ", "TR", "LB", "W1"]);
    let georgia = code("GE");
    stage.world.set_deceit(georgia, Deceit::Fork);
    // Türkiye is told that it gets 20 t, while Mozambique hears nothing.
    stage.cut("MZ");
    stage.stop("GE");
    let backup = stage.world.backup(georgia);
    stage.start("GE");
    let size = stage.world.node(georgia).store().size(&LogId::first(georgia));
    let to = |country: &str, tonnes: &str| with(notification(nitrate(tonnes)), json!({"destination": country}));
    let first = stage.says("GE", to("TR", "20"));
    // Then the disk and the memory of the signer go back, and Mozambique alone is told of 2 t, under the same number.
    stage.stop("GE");
    stage.world.restore(georgia, &backup);
    stage.world.rewind_guard(georgia, size);
    for other in ["TR", "LB", "W1"] {
        stage.world.part(georgia, code(other), true);
    }
    stage.world.part(georgia, code("MZ"), false);
    stage.start("GE");
    let second = stage.says("GE", to("MZ", "2"));
    assert_eq!(first, second, "two versions under one number");
    let announced = |stage: &Stage, member: &str| stage.consignment(member, first).masses["ammonium-nitrate"].notified;
    assert_eq!([announced(&stage, "TR"), announced(&stage, "MZ")], [20_000_000, 2_000_000]);
    assert!(stage.holding_proof(first.log).is_empty());

    stage.join("GE");
    stage.join("MZ");
    stage.day("2026-01-06");
    let honest = ["LB", "MZ", "TR", "W1"];
    let holding = stage.holding_proof(first.log);
    assert!(honest.iter().all(|member| holding.contains(&code(member))), "{holding:?}");
    // The log stands in nobody's frontier any more, so that they agree on all the rest; what each was told stays visible.
    stage.hold_the_same(&honest);
    assert_eq!([announced(&stage, "TR"), announced(&stage, "MZ")], [20_000_000, 2_000_000]);
}

/// M: the node of M is offline for 30 days and returns. It catches up with everything; the flags of timeliness are set; no alarm is lost.
#[test]
fn m_thirty_days_away() {
    let mut stage = Stage::set("2026-01-02", &["GE", "MZ", "TR", "W1"]);
    let terms = json!({"reply_days": 10, "reply_counting": "calendar", "grace": [{"mode": 3, "days": 3}]});
    let policy = stage.says("MZ", json!({"kind": "policy", "terms": terms}));
    let announce = |ucr: &str| with(notification(nitrate("20")), json!({"ucr": ucr, "policies": [policy]}));
    stage.day("2026-01-04");
    let first = stage.says("GE", announce("3GE204567890-1"));
    stage.says("MZ", consent(first));
    stage.day("2026-01-05");
    let road = json!({"mode": 3, "arrival": {"latest": "2026-01-12"}});
    let left = stage.says("GE", with(departure(first, nitrate("20")), road));
    assert_eq!(stage.raises("MZ"), [] as [&str; 0]);
    stage.day("2026-01-06");
    stage.stop("MZ");

    stage.day("2026-01-10");
    let second = stage.says("GE", announce("3GE204567890-2"));
    stage.day("2026-01-25");
    let warning =
        json!({"kind": "warning", "to": ["MZ", "TR"], "subject": "Forged permits", "requested_action": "inspect"});
    let warning = stage.says("TR", warning);
    let stop = json!({"kind": "stop-request", "to": ["MZ"], "answers": first, "reason": "forged permit",
                      "requested_action": "hold"});
    let stop = stage.says("GE", stop);
    assert!(stage.consignment("GE", second).acknowledged_by.is_empty(), "Georgia sees that it has not arrived");
    assert_eq!([stage.state("GE", first), stage.state("GE", second)], [State::Overdue, State::NoReply]);

    stage.day("2026-02-05");
    stage.start("MZ");
    stage.hold_the_same(&["GE", "MZ", "TR", "W1"]);
    for id in [first, second] {
        assert_eq!(stage.consignment("GE", id).acknowledged_by, BTreeSet::from([code("MZ")]));
        stage.agree(&["GE", "MZ"], id, false);
    }
    // Everything that there was to be alarmed about meanwhile is raised now, once.
    let raised: BTreeSet<String> = stage.raises("MZ").into_iter().collect();
    let wanted = [
        format!("{first} overdue red"),
        format!("{first} stop-requested amber"),
        format!("{first} stop-answer-due red"),
        format!("{first} stop-answer-late red"),
        format!("{second} no-reply amber"),
        format!("{warning} warned amber"),
    ];
    assert!(wanted.iter().all(|alert| raised.contains(alert)), "{raised:#?}");
    assert_eq!(stage.raises("MZ"), [] as [&str; 0]);

    // What happened meanwhile is told late, and the late reply counts as late; both show at both ends.
    stage.says("MZ", json!({"kind": "stop-answer", "to": ["GE"], "answers": stop, "stop_reply": "held"}));
    stage.says("MZ", consent(second));
    stage.says("MZ", with(import(left, nitrate("20")), json!({"happened_at": "2026-01-11T09:00:00Z"})));
    for member in ["GE", "MZ"] {
        assert_eq!(stage.state(member, first), State::Reconciled, "{member}");
        assert_eq!(stage.flags(member, first), ["LATE_REPORT", "STOPPED"], "{member}");
        let figures: Figures = stage.desk(member).views.statistics().expect("they are kept").total(&Query::default());
        let reports = figures.reports[&code("MZ")];
        assert_eq!((reports.made, reports.late), (1, 1), "{member}");
        let answered = figures.answered("2026-02-05".parse().expect("a day"));
        assert_eq!((answered.yes, answered.of), (1, 2), "{member}: one of two replies came in time");
        let acknowledged = figures.acknowledged;
        assert_eq!((acknowledged.yes, acknowledged.of), (2, 2), "{member}");
    }
    for id in [first, second] {
        stage.agree(&["GE", "MZ"], id, false);
    }
}

/// N, first half: a member is suspended. What it signed before stays valid.
///
/// The others cut its connections, answer nothing to it, and seal nothing for it. Its log is cut only by its own root, by position.
#[test]
fn n_a_suspended_member() {
    let mut stage = Stage::set("2026-01-05", &["GE", "MZ", "TR", "LB", "W1"]);
    let to_turkey = |ucr: &str| with(notification(nitrate("20")), json!({"destination": "TR", "ucr": ucr}));
    let announced = stage.says("GE", to_turkey("3GE204567890-1"));
    let consented = stage.says("TR", consent(announced));
    let before = stage.consignment("GE", announced).to_json();

    // A new version of the charter, signed by the roots of the others, is put in at one member and reaches all.
    let federation = stage.world.node(code("GE")).federation().clone();
    let mut draft = federation.charter().next_draft(stage.world.now().time());
    draft.members.get_mut(&code("TR")).expect("a member").status = MemberStatus::Suspended;
    let mut charter = SignedCharter::unsigned(draft.check().expect("a sound charter"), federation.id());
    for member in ["GE", "MZ", "LB"] {
        charter.sign(code(member), &Keys::of(code(member)).root);
    }
    let federation = federation.with_charter(charter).expect("a quorum has signed it").expect("it is newer");
    stage.publish("GE", federation);
    stage.day("2026-01-06");
    for member in ["GE", "MZ", "LB", "W1"] {
        assert!(!stage.world.node(code(member)).federation().is_active(code("TR")), "{member}");
    }

    // What it said stands: it verifies, it is read, and the state that rests on it is the same.
    assert_eq!(stage.why("GE", announced, consented), None);
    assert_eq!(stage.consignment("GE", announced).to_json(), before);
    // Nothing is sealed for it any more.
    let outcome = stage.tries("GE", to_turkey("3GE204567890-2"));
    let Outcome::Logged { id, outside, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(outside, ["TR"]);
    stage.day("2026-01-07");
    assert!(!stage.knows("TR", id) && stage.knows("GE", id));
    stage.hold_the_same(&["GE", "MZ", "LB", "W1"]);
}

/// N, second half, the thief forks: a key is compromised at position n. What follows is quarantined, what lies before stays valid.
///
/// A thief who signs another history from n on is proved to everybody, and the log stands in nobody's frontier from then on: nothing of
/// it that comes later gets a witness. The member's root closes the log, and its node signs it no more. The member's next log, under a new
/// key, is not played by the simulator.
#[test]
fn n_a_stolen_key() {
    let mut stage = Stage::set("2026-01-05", &["GE", "MZ", "TR", "W1"]);
    let georgia = code("GE");
    let [announced, left] = sent(&mut stage, nitrate("20"));
    stage.day("2026-01-06");
    let before = ["GE", "MZ"].map(|member| stage.consignment(member, announced).to_json());
    // The thief signs something else in the place of the newest statement, and tells half of the members.
    stage.world.set_deceit(georgia, Deceit::Fork);
    stage.world.make_mischief(georgia);
    stage.day("2026-01-07");
    let others = ["MZ", "TR", "W1"];
    let holding = stage.holding_proof(announced.log);
    assert!(others.iter().all(|member| holding.contains(&code(member))), "{holding:?}");
    stage.hold_the_same(&others);
    for (member, before) in ["GE", "MZ"].into_iter().zip(before) {
        assert_eq!([announced, left].map(|record| stage.why(member, announced, record)), [None; 2], "{member}");
        assert_eq!(stage.consignment(member, announced).to_json(), before, "{member}: what lies before stands");
    }

    // Georgia's root closes the log at this size; the node that runs on it signs nothing more.
    let size = stage.world.node(georgia).store().size(&announced.log);
    close_log(&mut stage, "GE", size);
    let outcome = stage.tries("GE", departure(announced, nitrate("1")));
    assert!(matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
    assert!(matches!(stage.world.node(georgia).status().signing, Signing::Ended(_)));
    stage.day("2026-01-08");
    for member in others {
        let manifest = stage.world.node(code(member)).federation().manifest(georgia).expect("a member").clone();
        assert!(manifest.log(&announced.log).is_some_and(|log| log.closed.is_some()), "{member} knows");
    }
    assert_eq!(stage.why("MZ", announced, left), None);
}

/// N, second half, the thief goes on: it forks nothing, it only signs what the owner never said. The owner's root closes the log where its own
/// statements end: those above have no effect at any node, whenever each learns of it, and those below stay valid.
#[test]
fn n_a_thief_goes_on_with_the_log() {
    let mut stage = Stage::set("2026-01-05", &["GE", "MZ", "TR", "W1"]);
    let [announced, left] = sent(&mut stage, nitrate("20"));
    stage.day("2026-01-06");
    let before = ["GE", "MZ"].map(|member| stage.consignment(member, announced).to_json());
    let size = stage.world.node(code("GE")).store().size(&announced.log);

    // The thief takes goods out of it, and announces some that there are not.
    let changes = json!([{"path": "/goods/0/net", "value": {"value": "2", "unit": "TNE"}}]);
    let amendment = stage
        .says("GE", json!({"kind": "amendment", "destination": "MZ", "answers": announced, "changes": changes, "reason": "typing error"}));
    let invented = stage.says("GE", with(notification(nitrate("500")), json!({"ucr": "3GE204567890-9"})));
    stage.day("2026-01-07");
    assert!(stage.knows("MZ", invented), "nobody can tell yet");

    // Mozambique learns of the closing days later than the others.
    stage.cut("MZ");
    close_log(&mut stage, "GE", size);
    stage.day("2026-01-09");
    assert!(stage.knows("MZ", invented));
    stage.join("MZ");
    stage.day("2026-01-10");
    for (member, before) in ["GE", "MZ"].into_iter().zip(before) {
        assert!(!stage.knows(member, invented), "{member}");
        let consignment = stage.consignment(member, announced);
        assert_eq!(consignment.to_json(), before, "{member}: as if the thief had said nothing");
        assert_eq!([announced, left].map(|record| stage.why(member, announced, record)), [None; 2], "{member}");
        let node = stage.world.node(code(member));
        assert!(node.store().size(&amendment.log) > amendment.position, "{member}: it is kept all the same");
    }
    stage.hold_the_same(&["GE", "MZ", "TR", "W1"]);
    let outcome = stage.tries("GE", departure(announced, nitrate("1")));
    assert!(matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
}

/// The member's root closes its first log at a size, and the manifest is put in at its own node.
fn close_log(stage: &mut Stage, member: &str, size: u64) {
    let federation = stage.world.node(code(member)).federation().clone();
    let mut draft = federation.manifest(code(member)).expect("a member").next_draft(stage.world.now().time());
    draft.logs[0].closed = Some(size);
    let manifest =
        SignedManifest::sign(draft.check().expect("a sound manifest"), federation.id(), &Keys::of(code(member)).root);
    let federation = federation.with_manifest(manifest).expect("its root has signed it").expect("it is newer");
    stage.publish(member, federation);
}
