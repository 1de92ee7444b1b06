//! What one consignment adds to what a node remembers: kept small, and made again whenever the consignment changes.

use std::collections::{BTreeMap, BTreeSet};

use super::closed_debug;
use super::party::{self, Key, Role, parties};
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;
use crate::record::{
    ClosingState, Date, Decimal, Draft, Goods, Kind, MAX_MASS_G, Measure, PartialRecord, SealedContainer, Terms,
    UnitCode,
};
use crate::watch::reconcile::beyond_scales;
use crate::watch::{Consignment, Dossier, Standing, State};

/// How much of one substance: by mass, by volume, or both; a measure that one of its lines does not tell is not there.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Quantity {
    pub(super) pure_g: Option<u64>,
    pub(super) volume_ml: Option<u64>,
}

/// Something that makes the other consignments of a party worth a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    Incident,
    Seizure,
    Stop,
}

/// A price as it was declared: minor units of a currency for a tonne.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Price {
    pub(super) hs6: String,
    pub(super) currency: String,
    pub(super) per_tonne: u64,
}

/// What one consignment adds.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Contribution {
    /// When it was notified.
    pub(super) at: UnixTime,
    pub(super) pair: Option<(MemberCode, MemberCode)>,
    /// The keys of who receives.
    pub(super) receivers: BTreeSet<Key>,
    /// The keys of where they are.
    pub(super) whereabouts: BTreeSet<Key>,
    pub(super) exporters: BTreeSet<Key>,
    pub(super) carriers: BTreeSet<Key>,
    /// Everybody with a part in it.
    pub(super) parties: BTreeSet<Key>,
    /// What was announced, by substance; nothing if it was called off.
    pub(super) announced: BTreeMap<Key, Quantity>,
    /// Whether something may still happen to it.
    pub(super) open: bool,
    /// Whether it came to a good end.
    pub(super) closed_well: bool,
    /// Containers, seals and bills, while the goods are under way.
    pub(super) references: BTreeSet<Key>,
    /// What this country declared itself that a tonne costs, by the key of [`Price::key`].
    pub(super) prices: Vec<(Key, u64)>,
    pub(super) troubles: BTreeSet<Trouble>,
    /// Whether what came differs from what left by more than scales do; none if that cannot be told.
    pub(super) differs: Option<bool>,
}

closed_debug!(Contribution, Quantity, Price);

impl Price {
    /// The key of what it is compared with: prices of the subheading in the year, in the currency.
    pub(super) fn key(&self, year: &str) -> Key {
        Key::exact("price", &format!("{}/{year}/{}", self.hs6, self.currency))
    }
}

impl Contribution {
    /// What a consignment adds to the memory of the node of `own`; `terms` are those that it cites of the importing country.
    #[must_use]
    pub fn of(dossier: &Dossier<'_>, standing: &Standing, terms: Option<&Terms>, own: MemberCode) -> Self {
        let consignment = dossier.consignment;
        let Some(announced) = dossier.announced() else { return Self::default() };
        let departures: Vec<&Draft> = dossier.events(&Kind::Departure).map(|(_, declared)| declared).collect();
        let all: Vec<(Role, BTreeSet<Key>)> = departures
            .iter()
            .copied()
            .chain([&announced])
            .flat_map(parties)
            .map(|(role, who)| (role, party::party(who)))
            .collect();
        let in_role = |wanted: &[Role]| {
            let some = all.iter().filter(|(role, _)| wanted.contains(role));
            some.flat_map(|(_, keys)| keys.iter().cloned()).collect::<BTreeSet<Key>>()
        };
        let state = standing.state;
        let ended = matches!(state, Some(State::Closed | State::Cancelled | State::Expired));
        let notification = dossier.notification();
        Self {
            at: notification.and_then(|draft| draft.issued_at).unwrap_or(UnixTime::ZERO),
            pair: consignment.countries.exporting.zip(consignment.countries.importing),
            receivers: in_role(&[Role::Consignee, Role::Importer]),
            whereabouts: receiver(&announced).map(party::whereabouts).unwrap_or_default(),
            exporters: in_role(&[Role::Exporter]),
            carriers: in_role(&[Role::Carrier]),
            parties: all.iter().flat_map(|(_, keys)| keys.iter().cloned()).collect(),
            announced: if state == Some(State::Cancelled) { BTreeMap::new() } else { by_key(&announced.goods) },
            open: !ended,
            closed_well: state == Some(State::Closed) && closed_well(consignment),
            references: if under_way(state) { references(dossier) } else { BTreeSet::new() },
            prices: own_prices(dossier, &announced, own),
            troubles: troubles(dossier),
            differs: differs(dossier, terms),
        }
    }
}

/// Who receives the goods in the end.
pub(super) fn receiver(announced: &Draft) -> Option<&crate::record::Party> {
    announced.consignee.as_ref().or(announced.importer.as_ref())
}

/// The key of a substance.
pub(super) fn substance(code: &str) -> Key {
    Key::exact("substance", code)
}

fn by_key(goods: &[Goods]) -> BTreeMap<Key, Quantity> {
    quantities(goods).into_iter().map(|(code, quantity)| (substance(&code), quantity)).collect()
}

/// How much of each substance lines of goods are.
pub(super) fn quantities(goods: &[Goods]) -> BTreeMap<String, Quantity> {
    let mut sums: BTreeMap<String, Quantity> = BTreeMap::new();
    for line in goods {
        let Some(substance) = &line.substance else { continue };
        let more = quantity(line);
        let add = |sum: Option<u64>, more: Option<u64>| sum.zip(more).map(|(sum, more)| sum.saturating_add(more));
        let sum = sums.entry(substance.clone()).or_insert(Quantity { pure_g: Some(0), volume_ml: Some(0) });
        *sum = Quantity { pure_g: add(sum.pure_g, more.pure_g), volume_ml: add(sum.volume_ml, more.volume_ml) };
    }
    sums
}

fn quantity(line: &Goods) -> Quantity {
    let converted = || line.net.as_ref().and_then(|net| net.mass(line.density_g_per_l).ok());
    let net = line.net_mass_g.or_else(converted);
    let pure = net.map(|net| line.concentration_ppm.map_or(net, |share| net.pure(share)));
    let by_density = || {
        let density = line.density_g_per_l.filter(|density| *density > 0)?;
        Some(net?.grams().saturating_mul(1_000) / u64::from(density))
    };
    Quantity { pure_g: pure.map(crate::record::Mass::grams), volume_ml: volume_ml(line).or_else(by_density) }
}

/// The volume that a line declares, in whole millilitres, a part of one left out.
fn volume_ml(line: &Goods) -> Option<u64> {
    let net = line.net.as_ref()?;
    let Measure::Volume(millilitres) = net.unit.parse::<UnitCode>().ok()?.measure() else { return None };
    let (digits, scale) = net.value.parse::<Decimal>().ok()?.parts();
    let volume = u128::from(digits) * u128::from(millilitres) / 10_u128.pow(u32::from(scale));
    u64::try_from(volume).ok().filter(|volume| *volume <= MAX_MASS_G)
}

/// The prices of the lines of goods that a record values. A value without a line belongs to the only one there is.
pub(super) fn prices(declared: &Draft) -> Vec<Price> {
    let line_of = |number: Option<u32>| match (number, declared.goods.as_slice()) {
        (None, [only]) => Some(only),
        (None, _) => None,
        (Some(_), goods) => goods.iter().find(|line| line.line == number),
    };
    let price = |value: &crate::record::Value| {
        let line = line_of(value.line)?;
        let converted = || line.net.as_ref().and_then(|net| net.mass(line.density_g_per_l).ok());
        let grams = line.net_mass_g.or_else(converted)?.grams();
        let minor = u128::try_from(value.amount.minor).ok()?;
        let per_tonne = (minor * 1_000_000).checked_div(u128::from(grams))?;
        Some(Price {
            hs6: line.hs6.as_ref()?.as_str().to_owned(),
            currency: value.amount.currency.as_str().to_owned(),
            per_tonne: u64::try_from(per_tonne).ok()?,
        })
    };
    declared.values.iter().filter_map(price).collect()
}

/// The year of a moment.
pub(super) fn year(at: UnixTime) -> Option<String> {
    let month = Date::of(at).ok()?.month();
    month.rsplit_once('-').map(|(year, _)| year.to_owned())
}

fn own_prices(dossier: &Dossier<'_>, announced: &Draft, own: MemberCode) -> Vec<(Key, u64)> {
    let exports = (dossier.consignment.countries.exporting == Some(own)).then_some(announced);
    let imports = dossier.events(&Kind::ImportConfirmation).filter(|(event, _)| event.id.log.member == own);
    let declared = exports.into_iter().chain(imports.map(|(_, declared)| declared));
    let dated = declared.filter_map(|declared| Some((year(declared.issued_at?)?, prices(declared))));
    dated.flat_map(|(year, prices)| prices.into_iter().map(move |price| (price.key(&year), price.per_tonne))).collect()
}

/// Before the goods arrive or the matter ends, a container or seal is theirs alone.
pub(super) fn under_way(state: Option<State>) -> bool {
    state.is_some_and(|state| state < State::Found && !matches!(state, State::Cancelled | State::Expired))
}

/// The containers, seals and bills that the records of a consignment name.
pub(super) fn references(dossier: &Dossier<'_>) -> BTreeSet<Key> {
    let consignment = dossier.consignment;
    let legal = consignment.timeline.iter().filter(|event| event.illegal.is_none());
    let moving = legal.filter(|event| {
        matches!(event.kind, Kind::ExportNotification | Kind::Departure | Kind::Transshipment | Kind::TransitExit)
    });
    let declared = moving.filter_map(|event| dossier.records.get(&event.id)).map(PartialRecord::declared);
    declared.flat_map(references_of).collect()
}

fn references_of(declared: &Draft) -> Vec<Key> {
    let containers = declared.containers.iter().flat_map(|container: &SealedContainer| {
        let seals = container.seals.iter().map(|seal| Key::of("seal", seal, ""));
        [Key::of("container", container.number.as_str(), "")].into_iter().chain(seals).collect::<Vec<_>>()
    });
    let seals = declared.seals.iter().map(|seal| Key::of("seal", seal, ""));
    let bill = declared.bill_of_lading.iter().map(|bill| Key::of("bill", bill, ""));
    containers.chain(seals).chain(bill).flatten().collect()
}

fn troubles(dossier: &Dossier<'_>) -> BTreeSet<Trouble> {
    let all =
        [(Trouble::Incident, Kind::Incident), (Trouble::Seizure, Kind::Seizure), (Trouble::Stop, Kind::StopRequest)];
    let there = all.into_iter().filter(|(_, kind)| dossier.events(kind).next().is_some());
    there.map(|(trouble, _)| trouble).collect()
}

/// Whether both sides hold that the goods came where they should.
fn closed_well(consignment: &Consignment) -> bool {
    let ended = consignment.closure.as_ref().and_then(|closure| closure.closing_state.as_ref());
    matches!(ended.and_then(|state| state.valid()), Some(ClosingState::Reconciled | ClosingState::Returned))
}

fn differs(dossier: &Dossier<'_>, terms: Option<&Terms>) -> Option<bool> {
    let compared = |state: State| matches!(state, State::Discrepant | State::Reconciled | State::EndUsePending);
    let told = dossier.consignment.shipments.iter().any(|shipment| compared(shipment.state));
    told.then(|| !beyond_scales(dossier, terms).is_empty())
}
