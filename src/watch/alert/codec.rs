//! Case events as bytes for the disk: deterministic CBOR, a map with integer keys.

use std::collections::BTreeSet;

use super::cause::Mark;
use super::event::{Act, CaseEvent};
use crate::encoding::cbor::{self, CborError, Fields, Map, Value};
use crate::encoding::time::UnixTime;
use crate::watch::risk::Code;

mod field {
    pub(super) const CASE: i64 = 1;
    pub(super) const AT: i64 = 2;
    pub(super) const BY: i64 = 3;
    pub(super) const ACT: i64 = 4;
    pub(super) const RULE: i64 = 5;
    pub(super) const MARK: i64 = 6;
    pub(super) const SEVERITY: i64 = 7;
    pub(super) const NOTE: i64 = 8;
    pub(super) const UNTIL: i64 = 9;
    pub(super) const TO: i64 = 10;
    pub(super) const OUTCOME: i64 = 11;
    pub(super) const BAND: i64 = 12;
    pub(super) const SEEN: i64 = 13;
}

impl CaseEvent {
    /// The event as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let map = Map::new().with(field::CASE, self.case.to_string()).with(field::AT, self.at.seconds());
        let map = map.with(field::ACT, self.act.name());
        let map = match &self.act {
            Act::Raised { rule, mark, severity } => map
                .with(field::RULE, rule.name())
                .with(field::MARK, mark.as_str())
                .with(field::SEVERITY, severity.name()),
            Act::Acknowledged { note } => map.with(field::NOTE, note.as_str()),
            Act::Snoozed { until, note } => map.with(field::UNTIL, until.seconds()).with(field::NOTE, note.as_str()),
            Act::Assigned { to } => map.with(field::TO, to.as_str()),
            Act::Closed { outcome, note } => map.with(field::OUTCOME, outcome.name()).with(field::NOTE, note.as_str()),
            Act::Reopened { note } => map.with(field::NOTE, note.as_str()),
            Act::Overridden { band, reason, seen } => map
                .with(field::BAND, band.name())
                .with(field::NOTE, reason.as_str())
                .with(field::SEEN, seen.iter().map(|code| Value::from(code.name())).collect::<Vec<_>>()),
        };
        let map = match &self.by {
            Some(by) => map.with(field::BY, by.as_str()),
            None => map,
        };
        cbor::encode(&Value::Map(map))
    }

    /// Reads an event.
    ///
    /// # Errors
    /// [`CborError`] for bytes that [`CaseEvent::encode`] would not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self, CborError> {
        let mut fields = Fields::of(cbor::decode(bytes)?, "case event")?;
        let case = fields.parse(field::CASE)?;
        let at = time(&mut fields, field::AT)?;
        let by = if fields.has(field::BY) { Some(fields.text(field::BY)?) } else { None };
        let act = match fields.text(field::ACT)?.as_str() {
            "raised" => Act::Raised {
                rule: fields.parse(field::RULE)?,
                mark: Mark(fields.text(field::MARK)?),
                severity: fields.parse(field::SEVERITY)?,
            },
            "acknowledged" => Act::Acknowledged { note: fields.text(field::NOTE)? },
            "snoozed" => Act::Snoozed { until: time(&mut fields, field::UNTIL)?, note: fields.text(field::NOTE)? },
            "assigned" => Act::Assigned { to: fields.text(field::TO)? },
            "closed" => Act::Closed { outcome: fields.parse(field::OUTCOME)?, note: fields.text(field::NOTE)? },
            "reopened" => Act::Reopened { note: fields.text(field::NOTE)? },
            "overridden" => {
                let band = fields.parse(field::BAND)?;
                let reason = fields.text(field::NOTE)?;
                Act::Overridden { band, reason, seen: seen(&mut fields)? }
            }
            _ => return Err(fields.bad(field::ACT)),
        };
        fields.end()?;
        Ok(Self { case, at, by, act })
    }
}

fn time(fields: &mut Fields, key: i64) -> Result<UnixTime, CborError> {
    let seconds = fields.i64(key)?;
    UnixTime::from_seconds(seconds).map_err(|_| fields.bad(key))
}

fn seen(fields: &mut Fields) -> Result<BTreeSet<Code>, CborError> {
    let mut seen = BTreeSet::new();
    for item in fields.items(field::SEEN)? {
        let code = item.as_text().and_then(|text| text.parse().ok()).ok_or_else(|| fields.bad(field::SEEN))?;
        // In order, each once: one encoding for one event.
        if seen.last().is_some_and(|last| *last >= code) {
            return Err(fields.bad(field::SEEN));
        }
        seen.insert(code);
    }
    Ok(seen)
}
