//! R11 to R15 and R19: how a consignment has gone so far, and how those of the pair go.

use super::View;
use super::assessment::Look;
use crate::encoding::time::UnixTime;
use crate::record::{Date, Decision, Declared, Draft, Kind, Mass, Verification};
use crate::watch::reconcile::beyond_scales;
use crate::watch::{Flag, Lateness, State};

const DAY_S: i64 = 86_400;

/// R11: a shipment is overdue, and counts more with every day.
pub(super) fn overdue(view: &View<'_>, look: &mut Look) {
    let settings = &view.scene.policy.r11;
    let standing = view.scene.standing;
    let Some(today) = view.today else { return };
    let late = standing.shipments.iter().filter_map(|late| match late {
        Lateness::Overdue(due) => Some((days(*due, today), *due)),
        Lateness::Arrived | Lateness::Unknown | Lateness::Expected(_) | Lateness::Due(_) => None,
    });
    let Some((days, due)) = late.max() else {
        if standing.shipments.contains(&Lateness::Unknown) {
            look.wants("the day of departure or of the expected arrival");
        }
        return;
    };
    let full = u64::from(settings.most_after_days);
    let more = u64::from(settings.most - settings.points.min(settings.most)) * days.min(full) / full.max(1);
    look.hit("A shipment is overdue.").fact("due by", due).fact("days overdue", days);
    look.count(settings.points.saturating_add(u32::try_from(more).unwrap_or(0)));
}

fn days(from: Date, to: Date) -> u64 {
    let (from, to) = (from.start().unwrap_or(UnixTime::ZERO), to.start().unwrap_or(UnixTime::ZERO));
    u64::try_from(to.since(from) / DAY_S).unwrap_or(0)
}

/// R12: what came is not what left, beyond what the importing country bears with and scales explain; or the two countries explain it
/// differently.
pub(super) fn discrepancy(view: &View<'_>, look: &mut Look) {
    let consignment = view.scene.dossier.consignment;
    let imported = || consignment.shipments.iter().filter(|shipment| shipment.imported_at.is_some());
    if imported().any(|shipment| shipment.state == State::Imported) {
        look.wants("both declarations, in mass");
    }
    for shipment in beyond_scales(&view.scene.dossier, view.scene.terms) {
        look.hit("What was received is not what left, beyond what the importing country bears with.");
        for (substance, carried) in &shipment.carried {
            let sums = carried.sums;
            look.fact("substance", substance).fact("left", grams(sums.notified)).fact("received", grams(sums.received));
        }
    }
    if consignment.flags.contains(&Flag::Disputed) {
        look.hit("The two countries explain a difference, and not alike.");
        let said = [Kind::DiscrepancyNote, Kind::Closure];
        for (event, _) in said.iter().flat_map(|kind| view.scene.dossier.events(kind)) {
            look.fact("record", event.id);
        }
    }
}

fn grams(grams: u128) -> String {
    let mass = u64::try_from(grams).ok().and_then(|grams| Mass::from_grams(grams).ok());
    mass.map_or_else(|| format!("{grams} g"), |mass| mass.to_string())
}

/// R13: nobody has verified the end use in time.
pub(super) fn end_use(view: &View<'_>, look: &mut Look) {
    if view.scene.standing.state == Some(State::Closed) {
        return;
    }
    let Some(today) = view.today else { return };
    let stated = view.scene.terms.and_then(|terms| terms.end_use_days).map(u32::from);
    let term = stated.unwrap_or(view.scene.policy.r13.days);
    for shipment in &view.scene.dossier.consignment.shipments {
        let imported = shipment.imported_at.and_then(|at| Date::of(at).ok());
        let verified = shipment.end_use == Some(Declared::Valid(Verification::Verified));
        if let Some(day) = imported.filter(|day| !verified && days(*day, today) > u64::from(term)) {
            look.hit("Nobody has verified the end use in time.").fact("imported", day).fact("days allowed", term);
        }
    }
}

/// R14: consignee, destination or goods change again and again, or after the goods have left.
pub(super) fn amendments(view: &View<'_>, look: &mut Look) {
    let dossier = &view.scene.dossier;
    let mut left = false;
    let mut before = 0_u32;
    for event in &dossier.consignment.timeline {
        left |= event.kind == Kind::Departure && event.illegal.is_none();
        // After the departure nobody may change what matters: who tries is told of here, though it changes nothing.
        let exporting = Some(event.id.log.member) == dossier.consignment.countries.exporting;
        let counts = event.kind == Kind::Amendment && exporting && (left || event.illegal.is_none());
        if !counts || !dossier.declared(event.id).is_some_and(matters) {
            continue;
        }
        if left {
            look.hit("Consignee, destination or goods were to change after the departure.").fact("amendment", event.id);
        } else {
            before += 1;
        }
    }
    if before >= view.scene.policy.r14.amendments {
        look.hit("Consignee, destination or goods changed again and again.").fact("amendments", before);
    }
}

fn matters(amendment: &Draft) -> bool {
    let roots = ["/consignee", "/importer", "/destination", "/goods"];
    amendment.changes.iter().any(|change| {
        roots
            .iter()
            .any(|root| change.path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    })
}

/// R15: it left without the answer that it needs, or before it.
pub(super) fn no_reply(view: &View<'_>, look: &mut Look) {
    let dossier = &view.scene.dossier;
    if dossier.consignment.flags_known_to(Some(view.scene.own)).any(|flag| flag == Flag::UnclearedDeparture) {
        look.hit("The goods left without the consent of the importing country, or against an objection.");
        for (event, _) in dossier.events(&Kind::Departure) {
            look.fact("departure", event.id);
        }
    }
    let silent = |declared: &Draft| declared.decision == Some(Declared::Valid(Decision::ReleasedWithoutReply));
    let decided = dossier.events(&Kind::ExportDecision).find(|(_, declared)| silent(declared));
    if let Some((event, _)) = decided.filter(|_| dossier.events(&Kind::Departure).next().is_some()) {
        look.hit("The goods left, and the importing country has not answered.").fact("decision", event.id);
    }
}

/// R19: where these two countries trade, what comes is often not what left.
pub(super) fn disagreements(view: &View<'_>, look: &mut Look) {
    let settings = &view.scene.policy.r19;
    let countries = &view.scene.dossier.consignment.countries;
    let Some(pair) = countries.exporting.zip(countries.importing) else {
        look.wants("both countries");
        return;
    };
    let (compared, differing) = view.scene.history.disagreements(pair, view.id);
    if compared < u64::from(settings.least) {
        look.wants(format!("{} consignments of the two countries that could be compared", settings.least));
    } else if differing * 100 >= compared * u64::from(settings.percent) {
        look.hit("What arrives between these two countries is often not what left.");
        look.fact("compared", compared).fact("discrepant", differing);
    }
}
