//! One consignment, from its notification to its import, and what is done to it.

use crate::encoding::ids::MemberCode;
use crate::encoding::random::Randomness;
use crate::encoding::time::UnixTime;
use crate::record::{
    ConsigneeStatus, Conveyance, Date, Declared, Draft, Kind, Party, PartyId, Place, Release, Shipment, Window,
};

use super::goods::{grams, line, lot_size, weighed};
use super::tables::{self, AIR, Lot, Mode, RAIL, ROAD, SEA, Trader};
use super::truth::{Cause, Truth};
use super::{Event, Generator, Life};

const DAY_SECONDS: u32 = 86_400;
const DAY: i64 = DAY_SECONDS as i64;
/// Of so many consignments one is the first of a row below a threshold.
const STRUCTURING_ONE_IN: u32 = 400;

/// Who sends what to whom.
#[derive(Clone, Debug)]
pub(super) struct Order {
    from: Trader,
    to: Trader,
    exporter: Party,
    consignee: Party,
    lot: Lot,
    ppm: Option<u32>,
    grams: u64,
}

/// A consignee that stays below the threshold many times in place of once above it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    order: Order,
    since: UnixTime,
    left: u32,
}

/// A consignment that is being made.
struct Story<'a> {
    number: u32,
    order: Order,
    mode: Mode,
    ucr: String,
    random: &'a mut Randomness,
    events: Vec<Event>,
}

impl Generator {
    /// The next consignment.
    pub(super) fn live(&mut self, number: u32) -> Life {
        let (order, begin, cause) = self.order();
        let elsewhere = self.elsewhere(&order);
        let mode = mode(&order, &mut self.random);
        let ucr = format!("{}{}{:09}-{number}", year_digit(begin), order.from.code, self.random.below(1_000_000_000));
        let mut story = Story { number, order, mode, ucr, random: &mut self.random, events: Vec::new() };
        let truth = story.tell(begin, cause, elsewhere);
        Life { number, events: in_order(story.events), truth }
    }

    /// A new order with when it is notified and what goes wrong with it, or the next of a row below a threshold.
    fn order(&mut self) -> (Order, UnixTime, Option<Cause>) {
        if let Some(row) = self.structuring.take() {
            let grams = below_threshold(&row.order.lot, row.order.ppm, &mut self.random);
            let begin = row.since.plus(i64::from(self.random.below(28 * DAY_SECONDS)));
            let order = Order { grams, ..row.order.clone() };
            self.structuring = (row.left > 1).then_some(Row { left: row.left - 1, ..row });
            return (order, begin, Some(Cause::Structuring));
        }
        let begin = self.plan.from.plus(i64::from(self.random.below(self.plan.days.max(1))) * DAY);
        let begin = begin.plus(i64::from(self.random.below(DAY_SECONDS)));
        let from = *self.random.one_of(&self.countries);
        let others: Vec<Trader> = self.countries.iter().filter(|trader| trader.code != from.code).copied().collect();
        let to = *self.random.one_of(&others);
        let lot = drawn_lot(&mut self.random);
        let ppm = (!lot.ppm.is_empty()).then(|| *self.random.one_of(lot.ppm));
        let mut order = Order {
            from,
            to,
            exporter: party(from, 12, &mut self.random),
            consignee: Party { sector: Some(lot.sector.to_owned()), ..party(to, 40, &mut self.random) },
            lot,
            ppm,
            grams: lot_size(&lot, &mut self.random),
        };
        if self.random.once_in(STRUCTURING_ONE_IN) {
            order.grams = below_threshold(&lot, ppm, &mut self.random);
            self.structuring = Some(Row { order: order.clone(), since: begin, left: 2 + self.random.below(4) });
            return (order, begin, Some(Cause::Structuring));
        }
        let cause = drawn_cause(&mut self.random);
        (order, begin, cause)
    }

    /// A country that has no part in it.
    fn elsewhere(&mut self, order: &Order) -> Trader {
        let ends = [order.from.code, order.to.code];
        let others: Vec<Trader> =
            self.countries.iter().filter(|trader| !ends.contains(&trader.code)).copied().collect();
        *self.random.one_of(&others)
    }
}

impl Story<'_> {
    /// All of it; gives what went wrong.
    fn tell(&mut self, begin: UnixTime, cause: Option<Cause>, elsewhere: Trader) -> Option<Truth> {
        let shipments = if cause == Some(Cause::Split) { 2 + self.random.below(3) } else { 1 };
        let departs = begin.plus(self.days(8, 25));
        let travels = self.days(self.mode.days.0, self.mode.days.1);
        let unannounced = cause == Some(Cause::NotReportedByExporter);
        let notified = (!unannounced).then(|| self.notify(begin, departs, travels));
        if let Some(notified) = notified {
            self.reply(notified, begin);
        }
        let mut concerned = 0;
        for number in 1..=shipments {
            let share = self.share(number, shipments);
            let left = departs.plus(i64::from(number - 1) * self.days(2, 9));
            let departed = notified.map(|notified| self.depart(notified, left, share, number, shipments));
            let comes = left.plus(travels);
            concerned += self.come(departed, comes, share, cause, elsewhere);
        }
        let to = (cause == Some(Cause::Diverted)).then_some(elsewhere.code);
        cause.map(|cause| Truth { consignment: self.number, cause, ucr: self.ucr.clone(), grams: concerned, to })
    }

    /// The grams of one of several shipments: as even as packages allow, the rest in the last.
    fn share(&self, number: u32, shipments: u32) -> u64 {
        let each = self.order.grams / u64::from(shipments) / 1_000 * 1_000;
        if number == shipments { self.order.grams - each * u64::from(shipments - 1) } else { each }
    }

    fn notify(&mut self, at: UnixTime, departs: UnixTime, travels: i64) -> usize {
        let order = self.order.clone();
        let goods = line(&order.lot, order.grams, order.grams, order.lot.unit, order.ppm);
        let dispatch = window(departs, 0, 3);
        let arrival = window(departs.plus(travels), -2, 4);
        let draft = Draft {
            end_use: Some(order.lot.end_use.to_owned()),
            point_of_exit: Some(place(order.from.port)),
            point_of_entry: Some(place(order.to.port)),
            itinerary: vec![place(order.from.port), place(order.to.port)],
            mode: Some(self.mode.code),
            dispatch,
            arrival,
            licences: vec![format!("{}-EXP-{:06}", order.from.code, self.number)],
            reply_by: Date::of(at.plus(7 * DAY)).ok(),
            exporter: Some(order.exporter),
            consignee: Some(order.consignee.clone()),
            importer: Some(order.consignee),
            goods: vec![goods],
            ..self.draft(Kind::ExportNotification)
        };
        self.record(order.from.code, at, None, Draft { export_country: Some(country(order.from)), ..draft })
    }

    /// Most answer within a week, and some never do.
    fn reply(&mut self, notified: usize, at: UnixTime) {
        if self.random.once_in(33) {
            return;
        }
        let draft = Draft {
            valid_until: Date::of(at.plus(180 * DAY)).ok(),
            consignee_status: Some(Declared::Valid(ConsigneeStatus::Registered)),
            to: vec![self.order.from.code],
            ..Draft { kind: Some(Kind::NoObjection), ..Draft::default() }
        };
        let at = at.plus(self.days(0, 6) + 3_600);
        self.record(self.order.to.code, at, Some(notified), draft);
    }

    fn depart(&mut self, notified: usize, at: UnixTime, grams: u64, number: u32, of: u32) -> usize {
        let order = self.order.clone();
        let goods = line(&order.lot, grams, weighed(grams, self.random), order.lot.unit, order.ppm);
        let draft = Draft {
            happened_at: Some(at),
            mode: Some(self.mode.code),
            conveyance: Some(Conveyance { name: Some(self.vessel()), ..Conveyance::default() }),
            bill_of_lading: Some(self.bill(number)),
            point_of_exit: Some(place(order.from.port)),
            arrival: window(at, i64::try_from(self.mode.days.0).unwrap_or(0), 20),
            shipment: (of > 1).then_some(Shipment { number, of }),
            goods: vec![goods],
            ..self.draft(Kind::Departure)
        };
        let at = at.plus(self.reported_after());
        self.record(order.from.code, at, Some(notified), draft)
    }

    /// The goods come, or what is left of them; gives the grams that are concerned.
    fn come(
        &mut self,
        departed: Option<usize>,
        at: UnixTime,
        grams_left: u64,
        cause: Option<Cause>,
        elsewhere: Trader,
    ) -> u64 {
        let stolen = if cause == Some(Cause::Stolen) { self.taken(grams_left) } else { 0 };
        let arrives = grams_left - stolen;
        if cause == Some(Cause::NotReportedByImporter) || arrives == 0 {
            return grams_left;
        }
        let answers = departed.filter(|_| cause != Some(Cause::Diverted));
        let here = if cause == Some(Cause::Diverted) { elsewhere } else { self.order.to };
        let arrived = self.arrive(here, answers, at);
        let slip = cause == Some(Cause::UnitSlip);
        let cleared = at.plus(self.days(0, 4) + 3_600);
        self.import(here, answers.map(|departed| arrived.unwrap_or(departed)), cleared, arrives, slip);
        match cause {
            Some(Cause::Stolen) => stolen,
            None | Some(Cause::Split) => 0,
            Some(_) => grams_left,
        }
    }

    /// A fifth of it to everything.
    fn taken(&mut self, grams: u64) -> u64 {
        if self.random.once_in(3) { grams } else { grams / 100 * self.random.between(20, 90) }
    }

    /// The arrival is not always recorded apart from the import.
    fn arrive(&mut self, here: Trader, answers: Option<usize>, at: UnixTime) -> Option<usize> {
        if answers.is_none() || self.random.once_in(10) {
            return None;
        }
        let draft = Draft {
            happened_at: Some(at),
            place: Some(place(here.port)),
            condition: Some("1".to_owned()),
            to: vec![self.order.from.code],
            ..self.draft(Kind::Arrival)
        };
        let at = at.plus(self.reported_after());
        Some(self.record(here.code, at, answers, draft))
    }

    fn import(&mut self, here: Trader, answers: Option<usize>, at: UnixTime, grams_here: u64, slip: bool) {
        let order = self.order.clone();
        let mut goods = line(&order.lot, grams_here, weighed(grams_here, self.random), order.lot.unit, order.ppm);
        if slip && let Some(net) = &mut goods.net {
            // The number in one unit with the name of another: tonnes for kilograms, cubic metres for litres.
            let wrong = if net.unit == "TNE" {
                "KGM"
            } else if net.unit == "LTR" {
                "MTQ"
            } else {
                "TNE"
            };
            wrong.clone_into(&mut net.unit);
        }
        debug_assert!(grams(&goods) > 0, "something was received");
        let draft = Draft {
            happened_at: Some(at),
            release: Some(Declared::Valid(Release::FreeCirculation)),
            bill_of_lading: Some(self.bill(1)),
            exporter: Some(order.exporter),
            consignee: Some(order.consignee),
            export_country: Some(country(order.from)),
            to: vec![order.from.code],
            goods: vec![goods],
            ..self.draft(Kind::ImportConfirmation)
        };
        let at = at.plus(self.reported_after());
        self.record(here.code, at, answers, draft);
    }

    /// What all records of the consignment name.
    fn draft(&self, kind: Kind) -> Draft {
        let destination = matches!(kind, Kind::ExportNotification | Kind::Departure);
        Draft {
            destination: destination.then(|| country(self.order.to)),
            kind: Some(kind),
            ucr: Some(Declared::read(self.ucr.clone())),
            ..Draft::default()
        }
    }

    fn record(&mut self, author: MemberCode, at: UnixTime, answers: Option<usize>, draft: Draft) -> usize {
        // Whoever answers has seen what it answers.
        let at = answers.map_or(at, |answered| at.max(self.events[answered].at.plus(60)));
        self.events.push(Event { author, at, answers, draft: Draft { issued_at: Some(at), ..draft } });
        self.events.len() - 1
    }

    /// Seconds of so many days.
    fn days(&mut self, low: u64, high: u64) -> i64 {
        let seconds = self.random.between(low * u64::from(DAY_SECONDS), high * u64::from(DAY_SECONDS));
        i64::try_from(seconds).unwrap_or(DAY)
    }

    /// Most report within a day, and one in twenty after a week.
    fn reported_after(&mut self) -> i64 {
        if self.random.once_in(20) { self.days(3, 8) } else { self.days(0, 1) }
    }

    fn vessel(&mut self) -> String {
        let name = self.random.one_of(&tables::NAMES.0);
        format!("{name} {}", 1 + self.random.below(90))
    }

    fn bill(&self, shipment: u32) -> String {
        format!("BL{}{:07}-{shipment}", self.order.from.code, self.number)
    }
}

/// Shipments of one consignment overlap.
fn in_order(events: Vec<Event>) -> Vec<Event> {
    let mut order: Vec<usize> = (0..events.len()).collect();
    order.sort_by_key(|at| (events[*at].at, *at));
    let place = |old: usize| order.iter().position(|at| *at == old);
    let moved = |at: &usize| {
        let event = events[*at].clone();
        Event { answers: event.answers.and_then(place), ..event }
    };
    order.iter().map(moved).collect()
}

/// What goes wrong, by the error model; mostly nothing.
fn drawn_cause(random: &mut Randomness) -> Option<Cause> {
    // In thousandths.
    let cause = match random.below(1_000) {
        0..25 => Cause::NotReportedByImporter,
        25..50 => Cause::NotReportedByExporter,
        50..80 => Cause::UnitSlip,
        80..100 => Cause::Split,
        100..105 => Cause::Diverted,
        105 => Cause::Stolen,
        _ => return None,
    };
    Some(cause)
}

fn drawn_lot(random: &mut Randomness) -> Lot {
    let all: u32 = tables::LOTS.iter().map(|(weight, _)| weight).sum();
    let mut left = random.below(all);
    for (weight, lot) in &tables::LOTS {
        if left < *weight {
            return *lot;
        }
        left -= weight;
    }
    tables::LOTS[0].1
}

/// From 80 to 99 % of the threshold, which is one of the pure substance: of a weak solution it is more.
fn below_threshold(lot: &Lot, ppm: Option<u32>, random: &mut Randomness) -> u64 {
    let pure = lot.threshold * 1_000 / 100 * random.between(80, 99);
    ppm.map_or(pure, |ppm| pure * 1_000_000 / u64::from(ppm))
}

fn mode(order: &Order, random: &mut Randomness) -> Mode {
    let tonnes = order.grams / 1_000_000;
    let near = order.from.region == order.to.region;
    match (near, tonnes) {
        (_, 500..) => SEA,
        (true, 60..) => RAIL,
        (true, _) => ROAD,
        (false, 0) if random.once_in(4) => AIR,
        (false, _) => SEA,
    }
}

fn party(trader: Trader, many: u32, random: &mut Randomness) -> Party {
    let (first, second) = (&tables::NAMES.0, &tables::NAMES.1);
    let number = random.below(many) as usize;
    let name = format!("{} {} {}", first[number % first.len()], second[(number * 7 + 3) % second.len()], trader.code);
    let id = PartyId {
        scheme: "TIN".to_owned(),
        value: format!("{}{:08}", trader.code, 10_000 + number),
        other: Default::default(),
    };
    Party {
        name: Some(name),
        ids: vec![id],
        address: Some(format!("{} Harbour Road", 1 + number)),
        country: Some(country(trader)),
        ..Party::default()
    }
}

fn country(trader: Trader) -> Declared<crate::record::Country> {
    Declared::read(trader.code.as_str())
}

fn place(port: &str) -> Place {
    Place { unlocode: Some(Declared::read(port)), ..Place::default() }
}

fn window(around: UnixTime, from_days: i64, to_days: i64) -> Option<Window> {
    let day = |days: i64| Date::of(around.plus(days * DAY)).ok();
    Some(Window { earliest: day(from_days), latest: day(to_days) })
}

/// The last digit of the year, with which a reference begins.
fn year_digit(at: UnixTime) -> String {
    at.to_string().chars().nth(3).map_or_else(|| "0".to_owned(), String::from)
}
