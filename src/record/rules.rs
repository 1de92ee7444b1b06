//! What one record alone shows to be wrong: rules between the fields of one kind.
//!
//! Who may say what, and when, needs the other records of the consignment: that is for `watch`.

use super::check::Findings;
use super::content::Compartment;
use super::declared::Declared;
use super::draft::Draft;
use super::finding::Fault;
use super::kind::Kind;
use super::substances::SubstanceList;
use super::words::StopReply;

/// An incident has to be reported within this many seconds of its detection.
const REPORT_WITHIN_S: i64 = 24 * 3600;

/// Checks what belongs together.
pub(super) fn check_rules(draft: &Draft, kind: &Kind, findings: &mut Findings) {
    check_codes(draft, findings);
    if draft.stop_reply == Some(Declared::Valid(StopReply::Refused)) && draft.reason.is_none() {
        findings.doubt("reason", Fault::Missing);
    }
    if let (Some(detected), Some(reported)) = (draft.detected_at, draft.reported_at) {
        if reported < detected {
            findings.doubt("reported_at", Fault::BeforeTheFact);
        } else if reported.since(detected) > REPORT_WITHIN_S {
            findings.warning("reported_at", Fault::ReportedLate);
        }
    }
    if draft.new_destination.is_some() && draft.new_destination == draft.destination {
        findings.doubt("new_destination", Fault::NotOneOf("the other countries: the goods were meant for this one"));
    }
    if draft.opens_unannounced() {
        check_unannounced(draft, findings);
    }
    if *kind == Kind::AudienceGrant && !draft.new_readers.is_empty() {
        findings.warning("new_readers", Fault::Irrevocable);
    }
    if *kind == Kind::Erasure && !draft.erases.is_empty() {
        findings.warning("erases", Fault::Final);
    }
    if *kind == Kind::ErasureReceipt && draft.erased.is_empty() && draft.held.is_empty() {
        findings.error("erased", Fault::Missing);
    }
    for (at, name) in draft.compartments.iter().enumerate() {
        match name.parse::<Compartment>() {
            Err(_) => findings.error(format!("compartments/{at}"), Fault::NotOneOf("the names of compartments")),
            Ok(name) if name == Compartment::KEYS => {
                findings.error(format!("compartments/{at}"), Fault::NotOneOf("the compartments that can be granted"));
            }
            // What names persons can be granted too, by an officer who means it.
            Ok(name) if name == Compartment::PERSON => {
                findings.warning(format!("compartments/{at}"), Fault::PersonalData);
            }
            Ok(_) => {}
        }
    }
    if draft.goods.is_empty() && *kind == Kind::OperationOpening {
        let unknown =
            draft.substances.iter().enumerate().filter(|(_, code)| SubstanceList::current().get(code).is_none());
        for (at, code) in unknown {
            findings.doubt(format!("substances/{at}"), Fault::UnknownSubstance(code.clone()));
        }
    }
}

/// What nobody announced is found again by what it carries, and the country that it came from has to learn of it.
fn check_unannounced(draft: &Draft, findings: &mut Findings) {
    let numbered = draft.ucr.is_some() || draft.mrn.is_some() || draft.bill_of_lading.is_some();
    if !numbered && draft.containers.is_empty() && draft.seals.is_empty() {
        findings.warning("answers", Fault::NoReference);
    }
    match &draft.export_country {
        None => findings.warning("export_country", Fault::Missing),
        Some(country) if draft.to.iter().any(|member| member.as_str() == country.as_str()) => {}
        Some(country) => findings.warning("to", Fault::DoesNotLearn(country.to_string())),
    }
}

/// Codes and numbers whose few values decide what a record does.
fn check_codes(draft: &Draft, findings: &mut Findings) {
    if draft.mode.is_some_and(|mode| mode > 9) {
        findings.doubt("mode", Fault::NotOneOf("0 to 9 (UN/ECE Recommendation 19)"));
    }
    if draft.shipment.is_some_and(|shipment| shipment.number == 0 || shipment.number > shipment.of) {
        findings.error("shipment", Fault::NotOneOf("1 to the number of shipments"));
    }
    if draft.changes.iter().any(|change| !change.path.starts_with('/')) {
        findings.error("changes", Fault::NotOneOf("the JSON pointers, which begin with /"));
    }
}
