//! What the node knows of a consignment, for a record about it: who has a part in it, which version holds, what is announced.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::str::FromStr;

use serde_json::{Map, Value as Json};

use super::Entry;
use crate::cli::context::{Context, unexpected};
use crate::cli::report::{Exit, Failure};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::node::ask::{ConsignmentFilter, RecordView, Request, Response};
use crate::record::{Declared, Draft, Kind, MAX_PARENTS};

/// How a person names a consignment: by any record of it, or by its unique consignment reference.
#[derive(Clone, Debug)]
pub(in crate::cli) enum Name {
    /// A record of it.
    Record(RecordId),
    /// Its reference.
    Ucr(String),
}

/// A consignment, as far as this node knows it.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Known {
    /// Whose node this is.
    pub(in crate::cli) me: MemberCode,
    /// The notification that opened it.
    pub(in crate::cli) id: RecordId,
    /// The record by which it was named.
    pub(in crate::cli) named: RecordId,
    /// What that record says.
    pub(in crate::cli) declared: Draft,
    /// Where it stands: the JSON of the fold.
    pub(in crate::cli) standing: Json,
    /// What is announced now.
    pub(in crate::cli) announced: Draft,
    /// What the departures say, as far as they were asked for.
    pub(in crate::cli) departures: BTreeMap<RecordId, Draft>,
}

impl FromStr for Name {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.parse().map_or_else(|_| Self::Ucr(text.to_owned()), Self::Record))
    }
}

impl Known {
    /// Asks the node.
    ///
    /// # Errors
    /// If there is no such record, it belongs to no consignment, or several have the reference.
    pub(in crate::cli) fn find(context: &Context, name: &Name) -> Result<Self, Failure> {
        let me = context.config()?.member;
        let named = match name {
            Name::Record(id) => *id,
            Name::Ucr(ucr) => by_ucr(context, ucr)?,
        };
        let record = show(context, named)?;
        let Some(standing) = record.consignment.clone() else { return Err(no_consignment(&record)) };
        let id: RecordId = serde_json::from_value(standing["consignment"].clone()).map_err(|_| unexpected())?;
        let notification = if id == named { record.clone() } else { show(context, id)? };
        let announced = match &notification.announced {
            Some(announced) => draft(announced),
            None => content(&notification),
        };
        Ok(Self { me, id, named, declared: content(&record), standing, announced, departures: BTreeMap::new() })
    }

    /// Asks the node, for what is said about a shipment of the consignment.
    ///
    /// # Errors
    /// As [`Known::find`].
    pub(in crate::cli) fn find_with_departures(context: &Context, name: &Name) -> Result<Self, Failure> {
        let mut known = Self::find(context, name)?;
        for departure in known.parcels().into_iter().filter_map(|parcel| parcel.departure) {
            known.departures.insert(departure, content(&show(context, departure)?));
        }
        Ok(known)
    }

    /// The record that a reply has to answer: the notification, or the newest amendment that changed something material.
    pub(in crate::cli) fn version(&self) -> RecordId {
        self.record("version").unwrap_or(self.id)
    }

    /// The exporting country, the importing country, and those that goods were diverted to, without this node's own member.
    pub(in crate::cli) fn others(&self) -> Vec<MemberCode> {
        let ends = ["exporting", "importing"].into_iter().filter_map(|key| self.member(key));
        let mut others: Vec<MemberCode> = ends.chain(self.members("diverted_to")).collect();
        others.sort();
        others.dedup();
        others.retain(|member| *member != self.me);
        others
    }

    /// Whether this node is the exporting country's.
    pub(in crate::cli) fn is_mine(&self) -> bool {
        self.member("exporting") == Some(self.me)
    }

    /// A draft of the exporting country: for the destination, for the countries on the way, and for those that goods were diverted to.
    pub(in crate::cli) fn by_exporter(&self, kind: Kind, entry: &Entry) -> Draft {
        let mut to = self.members("diverted_to");
        to.extend(&entry.to);
        Draft {
            export_country: self.member("exporting").map(|member| Declared::read(member.as_str())),
            destination: self.member("importing").map(|member| Declared::read(member.as_str())),
            itinerary: self.announced.itinerary.clone(),
            ..self.about(kind, to)
        }
    }

    /// A draft for everybody else with a part in the trade.
    pub(in crate::cli) fn to_others(&self, kind: Kind, entry: &Entry) -> Draft {
        let mut to = self.others();
        to.extend(&entry.to);
        self.about(kind, to)
    }

    /// The record of a kind that is meant: the one it was named by, else the only one of the consignment that counts. `what` is its
    /// word for people.
    ///
    /// # Errors
    /// If there is none, or more than one.
    pub(in crate::cli) fn the_one(&self, kind: &Kind, what: &str) -> Result<RecordId, Failure> {
        if self.declared.kind.as_ref() == Some(kind) {
            return Ok(self.named);
        }
        let events = self.standing["timeline"].as_array().into_iter().flatten();
        let counting = events.filter(|event| event["illegal"].is_null() && event["withdrawn_by"].is_null());
        let of_kind = counting.filter(|event| event["kind"].as_str() == Some(kind.name()));
        let found: Vec<RecordId> = of_kind.filter_map(|event| event["id"].as_str()?.parse().ok()).collect();
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(Failure::new(Exit::Failure, format!("no {what} about consignment {} is here", self.id))),
            several => {
                let ids = several.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
                Err(Failure::new(Exit::Failure, format!("consignment {} has more than one {what}: {ids}", self.id))
                    .hint(format!("name the {what} itself in place of the consignment")))
            }
        }
    }

    fn about(&self, kind: Kind, mut to: Vec<MemberCode>) -> Draft {
        to.sort();
        to.dedup();
        let parents = self.newest();
        Draft {
            kind: Some(kind),
            consignment: Some(self.id),
            answers: Some(self.version()),
            to,
            parents,
            ..Draft::default()
        }
    }

    /// The newest record of each other member that is known here: a record that names them comes after them everywhere, whatever the
    /// clocks say.
    fn newest(&self) -> Vec<RecordId> {
        let timeline = self.standing["timeline"].as_array().into_iter().flatten();
        let ids = timeline.filter_map(|event| event["id"].as_str()?.parse::<RecordId>().ok());
        let of_others = ids.filter(|id| id.log.member != self.me && *id != self.id);
        let newest: BTreeMap<MemberCode, RecordId> = of_others.map(|id| (id.log.member, id)).collect();
        newest.into_values().take(MAX_PARENTS).collect()
    }

    fn record(&self, key: &str) -> Option<RecordId> {
        self.standing[key].as_str()?.parse().ok()
    }

    fn member(&self, key: &str) -> Option<MemberCode> {
        self.standing[key].as_str()?.parse().ok()
    }

    fn members(&self, key: &str) -> Vec<MemberCode> {
        let list = self.standing[key].as_array().into_iter().flatten();
        list.filter_map(|member| member.as_str()?.parse().ok()).collect()
    }
}

/// One record.
///
/// # Errors
/// If the node does not hold it.
pub(in crate::cli) fn show(context: &Context, id: RecordId) -> Result<RecordView, Failure> {
    let Response::Record(record) = context.ask(&Request::RecordShow { id })? else { return Err(unexpected()) };
    Ok(*record)
}

/// The fields of a record that this node may read and this version understands.
pub(in crate::cli) fn content(record: &RecordView) -> Draft {
    draft(&Json::Object(record.content.clone().into_iter().collect()))
}

fn draft(fields: &Json) -> Draft {
    let Some(fields) = fields.as_object() else { return Draft::default() };
    let alone = |name: &String, value: &Json| {
        serde_json::from_value::<Draft>(Json::Object(Map::from_iter([(name.clone(), value.clone())]))).is_ok()
    };
    let readable = fields.iter().filter(|(name, value)| alone(name, value));
    let readable = readable.map(|(name, value)| (name.clone(), value.clone())).collect();
    serde_json::from_value(Json::Object(readable)).unwrap_or_default()
}

fn by_ucr(context: &Context, ucr: &str) -> Result<RecordId, Failure> {
    let filter = ConsignmentFilter { ucr: Some(ucr.to_owned()), limit: 10, ..ConsignmentFilter::default() };
    let Response::Consignments(found) = context.ask(&Request::ConsignmentList(filter))? else {
        return Err(unexpected());
    };
    match found.consignments.as_slice() {
        [one] => Ok(one.id),
        [] => Err(Failure::new(Exit::Failure, format!("no consignment with the reference {ucr} is readable here"))
            .hint("name it by a record of it, such as GE-1042: `shieldwall consignment list` shows them")),
        several => {
            let ids: Vec<String> = several.iter().map(|line| line.id.to_string()).collect();
            Err(Failure::new(Exit::Failure, format!("{} have the reference {ucr}", ids.join(" and ")))
                .hint("name the consignment by its record"))
        }
    }
}

/// A flag is missing that nothing the node knows can stand for.
pub(in crate::cli) fn needed(flag: &str, hint: &str) -> Failure {
    Failure::new(Exit::Usage, format!("{flag} is needed here")).hint(hint)
}

fn no_consignment(record: &RecordView) -> Failure {
    let id = record.line.id;
    let about = content(record);
    if record.line.kind.is_none() {
        return Failure::new(Exit::Failure, format!("what {id} says is not readable here"));
    }
    if about.consignment.is_none() && about.kind != Some(Kind::ExportNotification) {
        return Failure::new(Exit::Failure, format!("{id} belongs to no consignment"))
            .hint("name the notification that opened it, or another record of it");
    }
    Failure::new(Exit::Failure, format!("the node does not tell where the consignment of {id} stands"))
        .hint("its notification may not be here yet; `shieldwall submit` logs a record that is written in full")
}
