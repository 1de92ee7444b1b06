//! Goes through the parts of a draft: which identifiers are doubtful, which members are unknown.

use std::str::FromStr;

use super::declared::Declared;
use super::draft::Draft;
use super::identifier::Malformed;
use super::parts::{Attachment, Conveyance, Goods, OtherMembers, Party, Place, SealedContainer};
use super::policy::Terms;

/// A doubtful identifier: its field, what was declared, and why it is none.
type Doubt = (String, String, Malformed);

/// All identifiers of a draft that do not pass their check.
pub(super) fn doubtful(draft: &Draft) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    check(&mut doubts, "export_country", draft.export_country.as_ref());
    check(&mut doubts, "destination", draft.destination.as_ref());
    check(&mut doubts, "new_destination", draft.new_destination.as_ref());
    check(&mut doubts, "mrn", draft.mrn.as_ref());
    check(&mut doubts, "ucr", draft.ucr.as_ref());
    for (path, party) in parties(draft) {
        check(&mut doubts, &format!("{path}/country"), party.country.as_ref());
    }
    for (path, place) in places(draft) {
        check(&mut doubts, &format!("{path}/unlocode"), place.unlocode.as_ref());
        check(&mut doubts, &format!("{path}/country"), place.country.as_ref());
    }
    for (path, conveyance) in conveyances(draft) {
        check(&mut doubts, &format!("{path}/imo"), conveyance.imo.as_ref());
        check(&mut doubts, &format!("{path}/nationality"), conveyance.nationality.as_ref());
    }
    for (at, container) in draft.containers.iter().enumerate() {
        check(&mut doubts, &format!("containers/{at}/number"), Some(&container.number));
    }
    for (at, goods) in draft.goods.iter().enumerate() {
        check(&mut doubts, &format!("goods/{at}/cas"), goods.cas.as_ref());
        check(&mut doubts, &format!("goods/{at}/hs6"), goods.hs6.as_ref());
        check(&mut doubts, &format!("goods/{at}/un_number"), goods.un_number.as_ref());
    }
    for (at, value) in draft.values.iter().enumerate() {
        check(&mut doubts, &format!("values/{at}/amount/currency"), Some(&value.amount.currency));
    }
    check_words(&mut doubts, draft);
    doubts
}

/// The words of closed sets.
fn check_words(doubts: &mut Vec<Doubt>, draft: &Draft) {
    check(doubts, "level", draft.level.as_ref());
    check(doubts, "diversion", draft.diversion.as_ref());
    check(doubts, "decision", draft.decision.as_ref());
    check(doubts, "consignee_status", draft.consignee_status.as_ref());
    check(doubts, "reason_code", draft.reason_code.as_ref());
    check(doubts, "urgency", draft.urgency.as_ref());
    check(doubts, "requested_action", draft.requested_action.as_ref());
    check(doubts, "stop_reply", draft.stop_reply.as_ref());
    check(doubts, "release", draft.release.as_ref());
    check(doubts, "cause", draft.cause.as_ref());
    check(doubts, "verification", draft.verification.as_ref());
    check(doubts, "closing_state", draft.closing_state.as_ref());
    check(doubts, "control_type", draft.control_type.as_ref());
    check(doubts, "result", draft.result.as_ref());
    check(doubts, "incident", draft.incident.as_ref());
    let Some(terms) = &draft.terms else { return };
    check(doubts, "terms/reply_counting", terms.reply_counting.as_ref());
    check(doubts, "terms/silence", terms.silence.as_ref());
    check(doubts, "terms/transit", terms.transit.as_ref());
    for (at, day) in terms.calendar.iter().flat_map(|calendar| &calendar.weekend).enumerate() {
        check(doubts, &format!("terms/calendar/weekend/{at}"), Some(day));
    }
}

/// The paths of all members that no part of this version has: typing errors, in an own entry.
pub(super) fn unknown_members(draft: &Draft) -> Vec<String> {
    let mut unknown = Vec::new();
    let mut add =
        |path: &str, members: &OtherMembers| unknown.extend(members.keys().map(|name| format!("{path}/{name}")));
    for (path, Party { ids, other, .. }) in parties(draft) {
        add(path, other);
        ids.iter().enumerate().for_each(|(at, id)| add(&format!("{path}/ids/{at}"), &id.other));
    }
    for (path, Place { other, .. }) in places(draft) {
        add(&path, other);
    }
    for (path, Conveyance { other, .. }) in conveyances(draft) {
        add(path, other);
    }
    for (at, Attachment { other, .. }) in draft.attachments.iter().enumerate() {
        add(&format!("attachments/{at}"), other);
    }
    if let Some(Terms { calendar, tolerances, other, .. }) = &draft.terms {
        add("terms", other);
        calendar.iter().for_each(|calendar| add("terms/calendar", &calendar.other));
        tolerances.iter().for_each(|tolerances| add("terms/tolerances", &tolerances.other));
    }
    for (at, SealedContainer { other, .. }) in draft.containers.iter().enumerate() {
        add(&format!("containers/{at}"), other);
    }
    for (at, Goods { packages, other, .. }) in draft.goods.iter().enumerate() {
        add(&format!("goods/{at}"), other);
        packages
            .iter()
            .enumerate()
            .for_each(|(pack, packages)| add(&format!("goods/{at}/packages/{pack}"), &packages.other));
    }
    unknown
}

fn check<T: FromStr<Err = Malformed> + AsRef<str>>(
    doubts: &mut Vec<Doubt>,
    path: &str,
    declared: Option<&Declared<T>>,
) {
    if let Some((declared, why)) = declared.and_then(|declared| Some((declared, declared.fault()?))) {
        doubts.push((path.to_owned(), declared.as_str().to_owned(), why));
    }
}

fn parties(draft: &Draft) -> impl Iterator<Item = (&'static str, &Party)> {
    [
        ("exporter", &draft.exporter),
        ("consignee", &draft.consignee),
        ("importer", &draft.importer),
        ("declarant", &draft.declarant),
        ("carrier", &draft.carrier),
    ]
    .into_iter()
    .filter_map(|(name, party)| Some((name, party.as_ref()?)))
}

fn conveyances(draft: &Draft) -> impl Iterator<Item = (&'static str, &Conveyance)> {
    [("conveyance", &draft.conveyance), ("former_conveyance", &draft.former_conveyance)]
        .into_iter()
        .filter_map(|(name, conveyance)| Some((name, conveyance.as_ref()?)))
}

fn places(draft: &Draft) -> impl Iterator<Item = (String, &Place)> {
    let single = [
        ("point_of_exit", &draft.point_of_exit),
        ("point_of_entry", &draft.point_of_entry),
        ("loading", &draft.loading),
        ("unloading", &draft.unloading),
        ("place", &draft.place),
    ];
    let single = single.into_iter().filter_map(|(name, place)| Some((name.to_owned(), place.as_ref()?)));
    single.chain(draft.itinerary.iter().enumerate().map(|(at, place)| (format!("itinerary/{at}"), place)))
}
