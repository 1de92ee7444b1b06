//! The events of a consignment in words, for an officer who reads them from top to bottom.
//!
//! Only what the record says and this node can read. What is not there is not guessed.

use super::consignment::Event;
use super::reconcile::shown;
use crate::encoding::ids::MemberCode;
use crate::record::{Date, Declared, Draft, Goods, Kind, Mass, Place};

/// What an event says, in one line.
#[must_use]
pub fn words(event: &Event, declared: &Draft) -> String {
    let by = event.id.log.member;
    let said = sentence(by, &event.kind, declared);
    let tail = [
        declared.shipment.map(|shipment| format!("shipment {} of {}", shipment.number, shipment.of)),
        declared.place.as_ref().map(|place| format!("at {}", place.shown())),
        declared.reason_code.as_ref().map(|code| format!("reason {}", code.as_str())),
        declared.reason.clone(),
        declared.remarks.clone(),
    ];
    let mut line = said;
    for part in tail.into_iter().flatten() {
        line.push_str("; ");
        line.push_str(&part);
    }
    if let Some(reason) = event.illegal {
        line.push_str(&format!(" (changes nothing: {reason})"));
    }
    if let Some(by) = event.withdrawn_by {
        line.push_str(&format!(" (withdrawn by {by})"));
    }
    line
}

fn sentence(by: MemberCode, kind: &Kind, declared: &Draft) -> String {
    let goods = || goods_words(&declared.goods, &declared.substances);
    let word = |value: Option<&str>| value.unwrap_or("unknown").to_owned();
    match kind {
        Kind::ExportNotification => {
            let to = declared.destination.as_ref().map_or("unknown", |country| country.as_str());
            let way = route(declared).map(|way| format!(", {way}")).unwrap_or_default();
            format!("{by} announces {} to {to}{way}", goods())
        }
        Kind::Acknowledgement => {
            let level = declared.level.as_ref().map_or("unknown", Declared::as_str);
            format!("{by} has received it ({level})")
        }
        Kind::InfoRequest => format!("{by} asks: {}", declared.questions.join(" / ")),
        Kind::InfoResponse => format!("{by} responds: {}", declared.responses.join(" / ")),
        Kind::NoObjection => {
            let until = declared.valid_until.map(|day| format!(", until {day}")).unwrap_or_default();
            let most = declared.max_net_mass_g.map(|mass| format!(", up to {mass}")).unwrap_or_default();
            let on = if declared.conditions.is_empty() {
                String::new()
            } else {
                format!(", if {}", declared.conditions.join(" / "))
            };
            format!("{by} has no objection{until}{most}{on}")
        }
        Kind::Objection => format!("{by} objects"),
        Kind::StopRequest => {
            format!("{by} asks to stop it: {}", word(declared.requested_action.as_ref().map(Declared::as_str)))
        }
        Kind::ExportDecision => format!("{by} decides: {}", word(declared.decision.as_ref().map(Declared::as_str))),
        Kind::Amendment => {
            let fields: Vec<&str> = declared.changes.iter().map(|change| change.path.as_str()).collect();
            let what = if fields.is_empty() { "fields that cannot be read here".to_owned() } else { fields.join(" ") };
            format!("{by} changes {what}")
        }
        Kind::Cancellation => format!("{by} calls it off"),
        Kind::Departure => {
            let ship = declared.conveyance.as_ref().and_then(|conveyance| conveyance.name.clone());
            let on = ship.map(|name| format!(" on {name}")).unwrap_or_default();
            let due = declared.arrival.and_then(|window| window.latest.or(window.earliest));
            format!("{} left {by}{on}{}", goods(), due.map(|day: Date| format!(", due {day}")).unwrap_or_default())
        }
        Kind::TransitEntry => format!("came into {by}"),
        Kind::TransitExit => format!("left {by}"),
        Kind::Transshipment => format!("{by} saw it change conveyance"),
        Kind::Diversion => {
            let to = declared.new_destination.as_ref().map_or("unknown", |country| country.as_str());
            format!("{by}: diverted to {to} ({})", word(declared.diversion.as_ref().map(Declared::as_str)))
        }
        Kind::Arrival => format!("arrived in {by}"),
        Kind::ImportConfirmation => {
            let release = declared.release.as_ref().map(|release| format!(", {}", release.as_str()));
            format!("{by} received {}{}", goods(), release.unwrap_or_default())
        }
        Kind::DiscrepancyNote => {
            format!("{by} explains the difference: {}", word(declared.cause.as_ref().map(Declared::as_str)))
        }
        Kind::EndUseVerification => {
            format!("{by} looked into the end use: {}", word(declared.verification.as_ref().map(Declared::as_str)))
        }
        Kind::Closure => {
            format!("{by} closes it as {}", word(declared.closing_state.as_ref().map(Declared::as_str)))
        }
        Kind::Reopening => format!("{by} opens it again"),
        Kind::OverdueInquiry => format!("{by} asks where it is"),
        Kind::Missing => format!("{by} declares it missing"),
        Kind::Warning => format!("{by} warns: {}", word(declared.subject.as_deref())),
        Kind::Feedback => format!("{by} reports back: {}", word(declared.result.as_ref().map(Declared::as_str))),
        Kind::StopAnswer => format!("{by} answers: {}", word(declared.stop_reply.as_ref().map(Declared::as_str))),
        Kind::Seizure => format!("{by} seized {}", goods()),
        Kind::Incident => format!("{by} reports: {}", word(declared.incident.as_ref().map(Declared::as_str))),
        Kind::Withdrawal => format!("{by} takes it back"),
        Kind::AudienceGrant => {
            let readers: Vec<String> = declared.new_readers.iter().map(ToString::to_string).collect();
            format!("{by} lets {} read {}", readers.join(" "), declared.compartments.join(" "))
        }
        Kind::OperationOpening
        | Kind::OperationInvitation
        | Kind::OperationMessage
        | Kind::OperationJoining
        | Kind::OperationClosing
        | Kind::Policy
        | Kind::CodeList
        | Kind::AuditAnchor
        | Kind::Erasure
        | Kind::ErasureReceipt
        | Kind::Other(_) => format!("{by}: {}", kind.name()),
    }
}

/// `2750 t ammonium-nitrate`; the substances alone where no mass can be read.
fn goods_words(goods: &[Goods], substances: &[String]) -> String {
    if goods.is_empty() {
        return if substances.is_empty() { "goods".to_owned() } else { substances.join(", ") };
    }
    let line = |line: &Goods| {
        let mass = line.net_mass_g.map(Mass::grams).map(|grams| shown(grams.into()));
        let amount = mass.or_else(|| line.net.as_ref().map(|net| format!("{} {}", net.value, net.unit)));
        let substance = line.substance.clone().unwrap_or_else(|| "goods of an unknown substance".to_owned());
        amount.map_or_else(|| substance.clone(), |amount| format!("{amount} {substance}"))
    };
    goods.iter().map(line).collect::<Vec<_>>().join(", ")
}

fn route(declared: &Draft) -> Option<String> {
    let places = if declared.itinerary.is_empty() {
        [&declared.point_of_exit, &declared.point_of_entry].into_iter().flatten().collect()
    } else {
        declared.itinerary.iter().collect::<Vec<_>>()
    };
    (!places.is_empty()).then(|| places.into_iter().map(Place::shown).collect::<Vec<_>>().join(" - "))
}
