//! What hangs on the statements of a log from a position on: which records, who reads them, which consignments.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::ids::{LogId, MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::ledger::Store;
use crate::node::ask::{BodyState, ImpactLine, ImpactView, Problem, ProblemKind};
use crate::node::views;
use crate::protocol::view::View;
use crate::record::{Kind, PartialRecord, Record};
use crate::watch::{State, Views};

/// Statements in one answer at most; a line of the local socket is bounded.
const STATEMENTS_MAX: u64 = 10_000;

/// Looks at each statement of a log from a position on.
pub(super) fn impact<S: Store>(
    view: &View<'_, S>,
    views: &Views,
    log: LogId,
    from: u64,
    now: UnixTime,
) -> Result<ImpactView, Problem> {
    let size = view.store().size(&log);
    if size == 0 {
        return Err(super::problem(ProblemKind::NotFound, format!("nothing is held here of the log {log}")));
    }
    if from > size {
        let why =
            format!("the log {log} is held here up to size {size}, so nothing can be said from position {from} on");
        return Err(super::problem(ProblemKind::BadRequest, why));
    }
    let end = size.min(from.saturating_add(STATEMENTS_MAX));
    let members: BTreeSet<MemberCode> = view.federation().active_members().map(|(code, _)| code).collect();
    let mut readers: BTreeMap<MemberCode, u64> = BTreeMap::new();
    let mut about: BTreeMap<RecordId, Vec<RecordId>> = BTreeMap::new();
    let mut granted: BTreeMap<RecordId, BTreeSet<MemberCode>> = BTreeMap::new();
    let (mut records, mut sealed) = (Vec::new(), 0);
    for position in from..end {
        let id = RecordId { log, position };
        let Some(held) = view.record(id)? else { continue };
        let partial = PartialRecord::from_content(&held.body.content);
        let line = super::line(view, &held, &partial);
        match line.body {
            BodyState::Opened => {
                let mut of_record = readers_of(&held.body.content, log.member, &members);
                for consignment in consignments_of(views, id, &partial) {
                    let granted = match granted.entry(consignment) {
                        Entry::Occupied(known) => known.into_mut(),
                        Entry::Vacant(unknown) => unknown.insert(granted_by(view, views, consignment, log.member)?),
                    };
                    of_record.extend(granted.intersection(&members));
                    about.entry(consignment).or_default().push(id);
                }
                of_record.into_iter().for_each(|member| *readers.entry(member).or_default() += 1);
            }
            BodyState::Sealed | BodyState::Missing | BodyState::Broken => sealed += 1,
            BodyState::Public | BodyState::Erased => {}
        }
        records.push(line);
    }
    // Whoever vouches for the first of them holds it; whoever vouches for a later one holds that one too, and all before.
    let first = (from < size).then_some(RecordId { log, position: from });
    let holders = first.map(|id| view.held_by(id)).transpose()?.unwrap_or_default();
    Ok(ImpactView {
        log,
        from,
        size,
        records,
        left_out: size - end,
        sealed,
        readers,
        holders: holders.into_iter().map(|(member, _)| member).collect::<BTreeSet<_>>().into_iter().collect(),
        consignments: about
            .into_iter()
            .map(|(id, records)| line_of(views, view.me().member, id, records, now))
            .collect(),
    })
}

/// Who can read some of a record besides its author: the members that its compartments are for, as far as they are open here.
fn readers_of(
    content: &crate::record::Content,
    author: MemberCode,
    members: &BTreeSet<MemberCode>,
) -> BTreeSet<MemberCode> {
    let Ok(record) = Record::from_content(content) else { return BTreeSet::new() };
    let all = record.readers(author, members.iter().copied());
    let readers: BTreeSet<MemberCode> = all.into_values().flatten().filter(|member| *member != author).collect();
    readers.intersection(members).copied().collect()
}

/// Whom the author has let read what it said of a consignment, whichever of its records a grant covers.
fn granted_by<S: Store>(
    view: &View<'_, S>,
    held: &Views,
    consignment: RecordId,
    author: MemberCode,
) -> Result<BTreeSet<MemberCode>, Problem> {
    let records = held.records(consignment, |id| views::read(view, id))?;
    let grants = records
        .iter()
        .filter(|(id, record)| id.log.member == author && record.kind() == Some(&Kind::AudienceGrant))
        .flat_map(|(_, record)| record.declared().new_readers.iter().copied());
    Ok(grants.collect())
}

/// The consignments that a record is about. What is disowned already is part of none, and still names the one it was about.
fn consignments_of(views: &Views, id: RecordId, partial: &PartialRecord) -> BTreeSet<RecordId> {
    let held = views.consignments_of(id);
    if !held.is_empty() {
        return held;
    }
    let declared = partial.declared();
    let opens = declared.opens_consignment().then_some(id);
    declared.consignment.or(opens).into_iter().collect()
}

fn line_of(views: &Views, own: MemberCode, id: RecordId, records: Vec<RecordId>, now: UnixTime) -> ImpactLine {
    let consignment = views.get(id);
    let countries = consignment.into_iter().flat_map(|consignment| {
        let countries = &consignment.countries;
        [countries.exporting, countries.importing].into_iter().flatten()
    });
    let state = consignment.and_then(|consignment| views.standing(consignment, now).state);
    ImpactLine {
        id,
        ucr: consignment.and_then(|consignment| consignment.ucr.clone()),
        state: state.map(State::name).map(ToOwned::to_owned),
        countries: countries.filter(|member| *member != own).collect(),
        records,
    }
}
