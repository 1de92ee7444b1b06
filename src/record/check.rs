//! `Draft → Record`: everything that is checked, in one place.
//!
//! An officer's own entry has to be right. A document made elsewhere is kept as it is, with warnings, as long as it says
//! who sends how much of what to whom.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::content::{Content, cbor_of, compartment_of};
use super::date::Date;
use super::draft::Draft;
use super::finding::{Fault, Finding};
use super::goods::check_goods;
use super::kind::Kind;
use super::policy::check_terms;
use super::rules::check_rules;
use super::survey::{doubtful, unknown_members};
use super::text::{self, MAX_FREE_TEXT, MAX_LINE, TextFault};
use super::view::Record;
use super::{Declared, SubstanceList};
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;

/// The most lines of goods in a record.
pub const MAX_GOODS: usize = 99;
/// The most entries in any list of a record.
pub const MAX_ENTRIES: usize = 999;
/// The most causal parents.
pub const MAX_PARENTS: usize = 16;

/// How a draft is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Entered by the author's own officer: what is doubtful is an error.
    Own,
    /// Taken from a document made elsewhere: what is doubtful is kept verbatim, with a warning.
    Imported,
}

/// What a check needs to know besides the draft.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// How strict to be.
    pub strictness: Strictness,
    /// Who will sign; `None` for a trial run that belongs to nobody.
    pub author: Option<MemberCode>,
    /// The time of issue, for a draft without one.
    pub now: UnixTime,
    /// Whether goods may leave from another country than the author's: for demonstrations.
    pub foreign_exports: bool,
}

/// A record with what is worth a look.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The record.
    pub record: Record,
    /// What was kept although it is doubtful, and what would be good to have.
    pub warnings: Vec<Finding>,
}

/// A draft that did not become a record.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the draft has {} fault(s)", errors.len())]
pub struct Refused {
    /// All reasons at once.
    pub errors: Vec<Finding>,
    /// What else was noticed.
    pub warnings: Vec<Finding>,
}

/// Collects findings and knows which of them are errors.
pub(super) struct Findings {
    strictness: Strictness,
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
}

impl Findings {
    /// Wrong whoever declared it.
    pub(super) fn error(&mut self, field: impl Into<String>, fault: Fault) {
        self.errors.push(Finding::new(field, fault));
    }

    /// Worth a look, and no more.
    pub(super) fn warning(&mut self, field: impl Into<String>, fault: Fault) {
        self.warnings.push(Finding::new(field, fault));
    }

    /// An error in one's own entry, a warning in somebody else's document.
    pub(super) fn doubt(&mut self, field: impl Into<String>, fault: Fault) {
        match self.strictness {
            Strictness::Own => self.error(field, fault),
            Strictness::Imported => self.warning(field, fault),
        }
    }
}

impl Draft {
    /// Checks the draft and makes the record, with the derived fields filled in.
    ///
    /// ```
    /// use shieldwall::encoding::time::UnixTime;
    /// use shieldwall::record::{Context, Draft, Strictness};
    ///
    /// let draft: Draft = serde_json::from_str(
    ///     r#"{
    ///         "kind": "export-notification", "ucr": "3GE204567890-1", "destination": "TR",
    ///         "exporter": {"name": "Rustavi Sample Nitrogen"}, "consignee": {"name": "Anatolia Sample Fertiliser"},
    ///         "goods": [{"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "24.5", "unit": "TNE"}}]
    ///     }"#,
    /// )?;
    /// let now = UnixTime::from_seconds(1_795_338_842)?;
    /// let context = Context { strictness: Strictness::Own, author: Some("GE".parse()?), now, foreign_exports: false };
    /// let checked = draft.check(&context)?;
    /// assert_eq!(checked.record.to_json()["goods"][0]["net_mass_g"], 24_500_000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Every reason why it cannot be one, not only the first.
    pub fn check(mut self, context: &Context) -> Result<Checked, Refused> {
        let mut findings = Findings { strictness: context.strictness, errors: Vec::new(), warnings: Vec::new() };
        let kind = self.kind.clone().unwrap_or_else(|| Kind::Other(String::new()));
        if let Kind::Other(name) = &kind {
            let fault = if name.is_empty() { Fault::Missing } else { Fault::UnknownKind(name.clone()) };
            findings.error("kind", fault);
        }
        check_origin(&mut self, &kind, context, &mut findings);
        check_goods(&mut self, &kind, &mut findings);
        check_lists(&mut self, &mut findings);
        check_days(&self, &mut findings);
        check_rules(&self, &kind, &mut findings);
        if let Some(terms) = &mut self.terms {
            check_terms(terms, &mut findings);
        }
        for (field, value, why) in doubtful(&self) {
            findings.doubt(field, Fault::Doubtful { value, why });
        }
        for field in unknown_members(&self) {
            findings.error(field, Fault::UnknownField);
        }
        let issued_at = *self.issued_at.get_or_insert(context.now);
        derive(&mut self, issued_at, &mut findings);
        let content = contents(&self, &kind, &mut findings);
        check_presence(&self, &kind, &content, context, &mut findings);

        let Findings { mut errors, mut warnings, .. } = findings;
        warnings.sort();
        warnings.dedup();
        errors.sort();
        errors.dedup();
        if errors.is_empty() {
            Ok(Checked { record: Record::checked(kind, issued_at, self, content), warnings })
        } else {
            Err(Refused { errors, warnings })
        }
    }
}

/// Goods that are notified leave from the author's country.
fn check_origin(draft: &mut Draft, kind: &Kind, context: &Context, findings: &mut Findings) {
    let exports = matches!(kind, Kind::ExportNotification | Kind::Departure);
    let Some(author) = context.author else { return };
    match &draft.export_country {
        None if *kind == Kind::ExportNotification => draft.export_country = Some(Declared::read(author.as_str())),
        Some(declared) if exports && declared.as_str() != author.as_str() => {
            let fault = Fault::NotOwnExport { author: author.to_string(), declared: declared.to_string() };
            if context.foreign_exports {
                findings.warning("export_country", fault);
            } else {
                findings.error("export_country", fault);
            }
        }
        Some(_) | None => {}
    }
}

/// Lists of references: sorted where order says nothing, bounded always.
fn check_lists(draft: &mut Draft, findings: &mut Findings) {
    let lists = [
        ("parents", &mut draft.parents),
        ("acknowledges", &mut draft.acknowledges),
        ("erases", &mut draft.erases),
        ("erased", &mut draft.erased),
        ("held", &mut draft.held),
    ];
    for (name, list) in lists {
        list.sort();
        list.dedup();
        let limit = if name == "parents" { MAX_PARENTS } else { MAX_ENTRIES };
        if list.len() > limit {
            findings.error(name, Fault::TooMany { count: list.len(), limit });
        }
    }
    for list in [&mut draft.to, &mut draft.members, &mut draft.new_readers] {
        list.sort();
        list.dedup();
    }
    draft.compartments.sort();
    draft.compartments.dedup();
    draft.policies.sort();
    draft.policies.dedup();
}

fn check_days(draft: &Draft, findings: &mut Findings) {
    for (name, window) in [("dispatch", draft.dispatch), ("arrival", draft.arrival), ("period", draft.period)] {
        if window.is_some_and(|window| !window.is_sound()) {
            findings.doubt(name, Fault::UnsoundWindow);
        }
    }
}

/// Fills in what follows from other fields. A draft may state it too, if it states the same.
fn derive(draft: &mut Draft, issued_at: UnixTime, findings: &mut Findings) {
    let substances: BTreeSet<String> = draft.goods.iter().filter_map(|line| line.substance.clone()).collect();
    let substances: Vec<String> = substances.into_iter().collect();
    if !draft.substances.is_empty() && !draft.goods.is_empty() && draft.substances != substances {
        findings.error("substances", Fault::NotAsDerived);
    }
    if !draft.goods.is_empty() {
        draft.substances = substances;
    }
    if !draft.substances.is_empty() && draft.substance_list.is_none() {
        draft.substance_list = Some(SubstanceList::current().version.clone());
    }
    let event = draft.happened_at.unwrap_or(issued_at);
    let day = draft.dispatch.and_then(|window| window.first()).or_else(|| Date::of(event).ok());
    let month = day.map(Date::month);
    if draft.month.is_some() && draft.month != month {
        findings.error("month", Fault::NotAsDerived);
    }
    draft.month = month;
}

/// Sorts the fields into compartments, checking every text and number on the way.
fn contents(draft: &Draft, kind: &Kind, findings: &mut Findings) -> Content {
    let mut content = Content::new();
    // A struct of plain fields always has a JSON form.
    let Ok(Json::Object(fields)) = serde_json::to_value(draft) else { return content };
    for (name, json) in fields {
        check_values(&name, &json, findings);
        let Some(compartment) = compartment_of(kind, &name) else { continue };
        match cbor_of(&json) {
            Some(value) => {
                content.entry(compartment).or_default().insert(name, value);
            }
            None => findings.error(name, Fault::Fraction),
        }
    }
    content
}

/// Judges every text and the length of every list in a field, however deep.
fn check_values(path: &str, json: &Json, findings: &mut Findings) {
    match json {
        Json::String(text) => {
            let limit = if is_free_text(path) { MAX_FREE_TEXT } else { MAX_LINE };
            match text::fault(text, limit) {
                Some(fault @ TextFault::TooLong { .. }) => findings.error(path, fault.into()),
                Some(fault) => findings.doubt(path, fault.into()),
                None => {}
            }
        }
        Json::Array(items) => {
            if items.len() > MAX_ENTRIES {
                findings.error(path, Fault::TooMany { count: items.len(), limit: MAX_ENTRIES });
                return;
            }
            items.iter().enumerate().for_each(|(at, item)| check_values(&format!("{path}/{at}"), item, findings));
        }
        Json::Object(members) => {
            members.iter().for_each(|(name, member)| check_values(&format!("{path}/{name}"), member, findings));
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn is_free_text(path: &str) -> bool {
    let field = path.split('/').next().unwrap_or_default();
    let lists = ["questions", "responses"].contains(&field);
    let free = [
        "reason",
        "profile",
        "remarks",
        "concealment",
        "person_details",
        "end_use",
        "message",
        "legal_basis",
        "method",
        "action_taken",
    ];
    lists || free.contains(&path)
}

fn check_presence(draft: &Draft, kind: &Kind, content: &Content, context: &Context, findings: &mut Findings) {
    let there = |field: &str| {
        let listed = compartment_of(kind, field)
            .and_then(|compartment| content.get(&compartment))
            .is_some_and(|fields| fields.contains_key(field));
        let identified = match field {
            "exporter" => draft.exporter.as_ref().is_some_and(super::Party::is_identified),
            "consignee" => draft.consignee.as_ref().is_some_and(super::Party::is_identified),
            _ => true,
        };
        // Whoever signs in the end is the country of export.
        let filled_in = field == "export_country" && context.author.is_none();
        (listed && identified) || filled_in
    };
    for field in kind.required().iter().filter(|field| !there(field)) {
        findings.error(*field, Fault::Missing);
    }
    for field in kind.wanted().iter().filter(|field| !there(field)) {
        findings.warning(*field, Fault::Missing);
    }
}
