//! What the page says: sentences from what is proved.

use serde_json::Value as Json;

use crate::cli::show::counted;
use crate::encoding::ids::MemberCode;
use crate::evidence::{Outcome, Report, Summary};
use crate::ledger::Binds;
use crate::record::Kind;

/// Members that are named as witnesses. There may be a hundred.
const WITNESSES_NAMED: usize = 8;
/// Claims about a lane, which are told in the words of the report.
const LANE: [&str; 5] = ["lane", "list", "until", "notified", "not notified"];

/// A name of the field, and what it says.
pub(super) type Field = (String, String);

/// The member with its name in the charter.
pub(super) fn named(summary: &Summary, member: MemberCode) -> String {
    summary.federation.member(member).map_or(member.to_string(), |entry| format!("{} ({member})", entry.name))
}

/// What kind of record it is, as far as that is open.
pub(super) fn kind(summary: &Summary) -> String {
    match (summary.statement.binds, summary.shown.kind()) {
        (Binds::Lanes, _) => "keys of lanes: no record of goods".to_owned(),
        (Binds::Body, Some(kind)) => match (kind.code(), kind) {
            (Some(code), _) => format!("{} ({code})", kind.name().replace('-', " ")),
            (None, Kind::Other(name)) if !name.is_empty() => format!("{name} (not a kind that this program knows)"),
            (None, _) => "not opened here".to_owned(),
        },
        (Binds::Body, None) => "not opened here".to_owned(),
    }
}

/// What is proved, one sentence for each.
pub(super) fn proved(summary: &Summary, report: &Report) -> Vec<String> {
    let statement = &summary.statement;
    let (id, author) = (statement.id, statement.id.log.member);
    let charter = summary.federation.charter();
    let manifest = summary.federation.manifest(author).map_or(0, |manifest| manifest.version());
    let checkpoint = &summary.checkpoint;
    let mut sentences = vec![
        format!(
            "The members and their keys are those of version {} of the federation's charter, signed by the quorum that it demands, and \
             of the members' manifests, each signed with the root key that the charter names.",
            charter.version()
        ),
        format!(
            "{author} signed the statement {id} with the key of its log {}, listed in version {manifest} of its manifest, and dated it {}.",
            id.log, statement.issued_at
        ),
        format!(
            "{author} signed that {id} stands at position {} of its log {}, which had {} statements then; dated {}.",
            id.position, id.log, checkpoint.size, checkpoint.at
        ),
    ];
    sentences.extend(held_by(summary));
    let told = |name: &str| {
        let claim = report.claims.iter().find(|claim| claim.name == name)?;
        (claim.outcome == Outcome::Proved).then(|| claim.sentence.clone())
    };
    sentences.extend(LANE.iter().filter_map(|name| told(name)));
    if !summary.opened.is_empty() {
        sentences.push("The fields below are what the author bound with that signature.".to_owned());
    }
    sentences.extend(told("standing"));
    sentences
}

fn held_by(summary: &Summary) -> Option<String> {
    let first = summary.witnesses.first()?;
    let named: Vec<String> =
        summary.witnesses.iter().take(WITNESSES_NAMED).map(|held| format!("{} on {}", held.by, held.at)).collect();
    let more = summary.witnesses.len() - named.len();
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    Some(format!(
        "It exists since {} at the latest, as {} says. Members other than the author that signed that they held it, each with its earliest date: {}{more}.",
        first.at,
        first.by,
        named.join(", ")
    ))
}

/// What is not proved, in the words of the report.
pub(super) fn not_proved(report: &Report) -> Vec<String> {
    report
        .claims
        .iter()
        .filter(|claim| claim.outcome == Outcome::NotClaimed)
        .map(|claim| claim.sentence.clone())
        .collect()
}

/// The fields that the folder opens, those first that tell most.
pub(super) fn fields(summary: &Summary) -> Vec<Field> {
    const FIRST: [&str; 14] = [
        "issued_at",
        "happened_at",
        "consignment",
        "answers",
        "ucr",
        "export_country",
        "destination",
        "goods",
        "consignor",
        "consignee",
        "dispatch",
        "arrival",
        "decision",
        "end_use",
    ];
    let Json::Object(members) = summary.shown.to_json() else { return Vec::new() };
    let mut fields: Vec<(usize, String, Json)> = members
        .into_iter()
        .filter(|(name, _)| name != "kind")
        .map(|(name, value)| (FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len()), name, value))
        .collect();
    fields.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    fields.into_iter().map(|(_, name, value)| (name.replace('_', " "), said(&value))).collect()
}

/// A value in one line. Objects are written with their names in alphabetical order, whatever order the library keeps.
fn said(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(said).collect::<Vec<_>>().join("; "),
        Json::Object(members) => {
            let mut parts: Vec<_> = members.iter().collect();
            parts.sort_by_key(|(name, _)| *name);
            parts
                .into_iter()
                .map(|(name, value)| format!("{} {}", name.replace('_', " "), said(value)))
                .collect::<Vec<_>>()
                .join(", ")
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => value.to_string(),
    }
}

/// What of the body is open, and what is not.
pub(super) fn withheld(summary: &Summary) -> String {
    if summary.statement.binds == Binds::Lanes {
        return "There is no content: the statement binds keys, each sealed to its member.".to_owned();
    }
    if summary.opened.is_empty() {
        return "Nothing of what the record says is opened in this folder. All of it is withheld.".to_owned();
    }
    let opened: Vec<String> = summary
        .opened
        .iter()
        .map(|opened| format!("\"{}\" ({} of {} fields)", opened.name, opened.shown, opened.fields))
        .collect();
    let closed = summary.compartments.unwrap_or(0).saturating_sub(summary.opened.len() as u64);
    let kept: u64 = summary.opened.iter().map(|opened| opened.fields - opened.shown.min(opened.fields)).sum();
    let (fields, compartments) = (counted(kept, "field"), counted(closed, "compartment"));
    let names = if closed == 1 { "its name" } else { "their names" };
    let rest = match (closed, kept) {
        (0, 0) => "Nothing is withheld.".to_owned(),
        (0, _) => format!("Withheld: {fields} of these."),
        (_, 0) => format!("Withheld: {compartments} with {names}."),
        (_, _) => format!("Withheld: {fields} of these, and {compartments} with {names}."),
    };
    format!("{rest} Opened: the compartments {}.", opened.join(", "))
}
