//! What the page says: sentences from what is proved.

use serde_json::Value as Json;

use super::font::Style;
use crate::cli::qr;
use crate::cli::show::counted;
use crate::encoding::ids::MemberCode;
use crate::evidence::{Bundle, Outcome, Report, Summary};
use crate::ledger::Binds;
use crate::record::Kind;

/// Members that are named as witnesses. There may be a hundred.
const WITNESSES_NAMED: usize = 8;
/// Claims about a lane, which are told in the words of the report.
const LANE: [&str; 5] = ["lane", "list", "until", "notified", "not notified"];

/// The field that says what it is about.
pub(super) const GOODS: &str = "goods";

/// Everything that the page says. The parts come from outside, and may be of any length.
pub(super) struct Words {
    pub(super) federation: String,
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
    /// One sentence for each thing that is proved.
    pub(super) proved: Vec<String>,
    /// Names of fields, and what they say.
    pub(super) fields: Vec<(String, String)>,
    pub(super) withheld: String,
    pub(super) not_proved: Vec<String>,
    /// Files attached, and how many bytes they have.
    pub(super) files: (usize, usize),
    /// What the QR code says.
    pub(super) code: String,
}

/// A row of the table.
pub(super) struct Row {
    pub(super) label: &'static str,
    pub(super) style: Style,
    pub(super) text: String,
    /// Lines that it may have.
    pub(super) lines: usize,
}

/// What the page says about evidence.
pub(super) fn words(summary: &Summary, report: &Report, bundle: &Bundle) -> Words {
    let (statement, checkpoint) = (&summary.statement, &summary.checkpoint);
    let (id, author) = (statement.id, named(summary, statement.id.log.member));
    let title = if told(report, "lane").is_some() {
        format!("about a lane of {author}, up to the record {id}")
    } else {
        format!("for the record {id} of {author}")
    };
    Words {
        federation: summary.federation.charter().name().to_owned(),
        title,
        rows: rows(summary, author),
        proved: proved(summary, report),
        fields: fields(summary),
        withheld: withheld(summary),
        not_proved: not_proved(report),
        files: (bundle.len(), bundle.values().map(Vec::len).sum()),
        code: qr::of_record(&statement.federation, id, &summary.leaf, checkpoint.size, &checkpoint.root),
    }
}

fn rows(summary: &Summary, author: String) -> Vec<Row> {
    let row = |label, style, text: String, lines| Row { label, style, text, lines };
    let (book, bold, digest) = (Style::Book, Style::Bold, Style::Mono);
    let (statement, checkpoint, charter) = (&summary.statement, &summary.checkpoint, summary.federation.charter());
    let newest = summary.federation.chain().newest().digest();
    let of_charter = format!("version {} of {}; its digest:", charter.version(), charter.issued_at());
    let place = format!("position {} of the log {}, counted from 0:", statement.id.position, statement.id.log);
    let of_log = format!("{} on {}; their root:", counted(checkpoint.size, "statement"), checkpoint.at);
    vec![
        row("Federation", book, charter.name().to_owned(), 2),
        row("", digest, statement.federation.to_string(), 1),
        row("Charter", book, of_charter, 1),
        row("", digest, newest.to_string(), 1),
        row("Record", bold, statement.id.to_string(), 1),
        row("Author", book, author, 2),
        row("Kind", book, kind(summary), 1),
        row("Dated", book, format!("{}, by its author", statement.issued_at), 1),
        row("Leaf", book, place, 1),
        row("", digest, summary.leaf.to_string(), 1),
        row("Log", book, of_log, 1),
        row("", digest, checkpoint.root.to_string(), 1),
    ]
}

/// The member with its name in the charter.
fn named(summary: &Summary, member: MemberCode) -> String {
    summary.federation.member(member).map_or(member.to_string(), |entry| format!("{} ({member})", entry.name))
}

/// What kind of record it is, as far as that is open.
fn kind(summary: &Summary) -> String {
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
fn proved(summary: &Summary, report: &Report) -> Vec<String> {
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
    sentences.extend(LANE.iter().filter_map(|name| told(report, name)));
    if !summary.opened.is_empty() {
        sentences.push("The fields below are what the author bound with that signature.".to_owned());
    }
    sentences.extend(told(report, "standing"));
    sentences
}

/// A claim that is proved, in the words of the report.
fn told(report: &Report, name: &str) -> Option<String> {
    let claim = report.claims.iter().find(|claim| claim.name == name)?;
    (claim.outcome == Outcome::Proved).then(|| claim.sentence.clone())
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
fn not_proved(report: &Report) -> Vec<String> {
    report
        .claims
        .iter()
        .filter(|claim| claim.outcome == Outcome::NotClaimed)
        .map(|claim| claim.sentence.clone())
        .collect()
}

/// The fields that the folder opens, those first that tell most.
fn fields(summary: &Summary) -> Vec<(String, String)> {
    const FIRST: [&str; 14] = [
        "issued_at",
        "happened_at",
        "consignment",
        "answers",
        "ucr",
        "export_country",
        "destination",
        GOODS,
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

/// A value in one line: a text by itself as it is, and inside others in quotes, so that none can pass for several. Objects are written with
/// their names in alphabetical order, whatever order the library keeps.
fn said(value: &Json) -> String {
    if let Json::String(text) = value { text.clone() } else { inside(value) }
}

fn inside(value: &Json) -> String {
    let nested = |value: &Json| match value {
        Json::Object(_) | Json::Array(_) => format!("({})", inside(value)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => value.to_string(),
    };
    match value {
        Json::Array(items) => items.iter().map(inside).collect::<Vec<_>>().join("; "),
        Json::Object(members) => {
            let mut parts: Vec<_> = members.iter().collect();
            parts.sort_by_key(|(name, _)| *name);
            let parts = parts.into_iter().map(|(name, value)| format!("{} {}", name.replace('_', " "), nested(value)));
            parts.collect::<Vec<_>>().join(", ")
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => value.to_string(),
    }
}

/// What of the body is open, and what is not.
fn withheld(summary: &Summary) -> String {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_text_passes_for_several_values() {
        assert_eq!(said(&json!("a, b")), "a, b");
        assert_eq!(said(&json!(["a; b", "c"])), "\"a; b\"; \"c\"");
        let goods = json!([{ "net": { "value": "2750", "unit": "TNE" }, "line_number": 1, "about": "x\", line number 2, about \"y" }]);
        assert_eq!(
            said(&goods),
            "about \"x\\\", line number 2, about \\\"y\", line number 1, net (unit \"TNE\", value \"2750\")"
        );
        assert_eq!(said(&json!({ "seals": ["a", "b"], "left": null })), "left null, seals (\"a\"; \"b\")");
    }
}
