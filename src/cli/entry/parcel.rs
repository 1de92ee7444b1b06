//! Which shipment of a consignment a record is about.

use super::Known;
use crate::cli::report::{Exit, Failure};
use crate::encoding::ids::RecordId;
use crate::record::{Goods, Shipment};

/// One shipment of a consignment, as the node knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Parcel {
    /// Its departure; none if goods came and no departure is known.
    pub(in crate::cli) departure: Option<RecordId>,
    /// Which of how many.
    pub(in crate::cli) number: Option<Shipment>,
    /// Where it stands: `DEPARTED`.
    pub(in crate::cli) state: String,
}

/// Shipments that have not arrived.
pub(in crate::cli) const ON_THE_WAY: &[&str] = &["DEPARTED", "IN_TRANSIT", "OVERDUE", "MISSING", "INCIDENT"];
/// Shipments that have not been imported.
pub(in crate::cli) const NOT_IMPORTED: &[&str] =
    &["DEPARTED", "IN_TRANSIT", "OVERDUE", "MISSING", "INCIDENT", "FOUND", "ARRIVED"];
/// Shipments that have been imported.
pub(in crate::cli) const IMPORTED: &[&str] = &["IMPORTED", "DISCREPANT", "RECONCILED", "END_USE_PENDING"];

impl Known {
    /// The shipments of the consignment.
    pub(in crate::cli) fn parcels(&self) -> Vec<Parcel> {
        let list = self.standing["shipments"].as_array().into_iter().flatten();
        list.map(|shipment| Parcel {
            departure: shipment["departure"].as_str().and_then(|id| id.parse().ok()),
            number: serde_json::from_value(shipment["number"].clone()).ok().flatten(),
            state: shipment["state"].as_str().unwrap_or_default().to_owned(),
        })
        .collect()
    }

    /// The shipment that is meant: the one of this number, the one whose departure was named, the only one, or the only one in one of
    /// the `states`. None if nothing is known to have left.
    ///
    /// # Errors
    /// If several could be meant.
    pub(in crate::cli) fn parcel(&self, number: Option<Shipment>, states: &[&str]) -> Result<Option<Parcel>, Failure> {
        let all = self.parcels();
        if number.is_some() {
            return Ok(all.into_iter().find(|parcel| parcel.number == number));
        }
        if let Some(named) = all.iter().find(|parcel| parcel.departure == Some(self.named)) {
            return Ok(Some(named.clone()));
        }
        if let [only] = all.as_slice() {
            return Ok(Some(only.clone()));
        }
        let waiting: Vec<Parcel> = all.into_iter().filter(|parcel| states.contains(&parcel.state.as_str())).collect();
        match waiting.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            several => {
                let named: Vec<String> = several.iter().map(Parcel::name).collect();
                Err(Failure::new(Exit::Usage, format!("which shipment of {}: {}?", self.id, named.join(", ")))
                    .hint("--shipment 2/11, or the departure's record in place of the consignment, tells"))
            }
        }
    }

    /// The goods of a shipment as they left, else as they are announced.
    pub(in crate::cli) fn goods_of(&self, parcel: Option<&Parcel>) -> &[Goods] {
        let departure = parcel.and_then(|parcel| self.departures.get(&parcel.departure?));
        match departure {
            Some(departure) if !departure.goods.is_empty() => &departure.goods,
            Some(_) | None => &self.announced.goods,
        }
    }

    /// The record that something said about a shipment answers.
    pub(in crate::cli) fn answers(&self, parcel: Option<&Parcel>) -> RecordId {
        parcel.and_then(|parcel| parcel.departure).unwrap_or_else(|| self.version())
    }
}

impl Parcel {
    fn name(&self) -> String {
        let id = self.departure.map_or_else(|| "one without a departure".to_owned(), |id| id.to_string());
        match self.number {
            Some(Shipment { number, of }) => format!("{number}/{of} ({id})"),
            None => id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::after;

    fn departure(number: u32) -> String {
        format!(
            r#"{{"kind": "E13", "destination": "MZ", "answers": "GE-1", "shipment": {{"number": {number}, "of": 3}},
                "goods": [{{"substance": "ammonium-nitrate", "hs6": "310230", "net": {{"value": "{number}00", "unit": "TNE"}}}}]}}"#
        )
    }

    #[test]
    fn which_shipment_has_to_be_clear() {
        let id = |text: &str| text.parse::<RecordId>().ok();
        let number = |number| Some(Shipment { number, of: 3 });
        let (one, two) = (departure(1), departure(2));
        assert_eq!(after("MZ", &[]).parcel(None, ON_THE_WAY).unwrap(), None);

        let single = after("MZ", &[("GE-2", &one)]);
        let found = single.parcel(None, ON_THE_WAY).unwrap().unwrap();
        assert_eq!(
            (found.departure, found.number, single.answers(Some(&found))),
            (id("GE-2"), number(1), id("GE-2").unwrap())
        );

        let mut both = after("MZ", &[("GE-2", &one), ("GE-3", &two)]);
        assert_eq!(both.parcel(None, ON_THE_WAY).unwrap().unwrap().departure, id("GE-3"), "the one it was named by");
        both.named = both.id;
        let told = both.parcel(None, ON_THE_WAY).unwrap_err().text();
        assert!(told.contains("1/3 (GE-2), 2/3 (GE-3)") && told.contains("--shipment"), "{told}");
        assert_eq!(both.parcel(number(1), ON_THE_WAY).unwrap().unwrap().departure, id("GE-2"));
        assert_eq!(both.parcel(number(3), ON_THE_WAY).unwrap(), None);
        let second = both.parcel(number(2), ON_THE_WAY).unwrap();
        assert_eq!(serde_json::to_value(both.goods_of(second.as_ref())).unwrap()[0]["net"]["value"], "200");

        let arrival = r#"{"kind": "E18", "to": ["GE"], "answers": "GE-2"}"#;
        let mut arrived = after("MZ", &[("GE-2", &one), ("GE-3", &two), ("MZ-1", arrival)]);
        arrived.named = arrived.id;
        assert_eq!(arrived.parcel(None, ON_THE_WAY).unwrap().unwrap().departure, id("GE-3"), "the other has arrived");
    }
}
