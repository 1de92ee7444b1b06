//! Flags for ships, trucks, trains and aircraft, and for what comes with a cargo: papers, containers, seals.

use super::values;
use crate::cli::report::{Exit, Failure};
use crate::record::{Conveyance, Country, Declared, Draft, ImoNumber, Mrn, SealedContainer};

/// Flags for the means of transport. One of them says the mode too.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::cli) struct Carriage {
    /// The ship, by name
    #[arg(long, value_name = "NAME", conflicts_with_all = ["truck", "train", "flight"])]
    ship: Option<String>,
    /// Its IMO number
    #[arg(long, value_name = "NUMBER", value_parser = values::imo, conflicts_with_all = ["truck", "train", "flight"])]
    imo: Option<ImoNumber>,
    /// The truck, by its plates
    #[arg(long, value_name = "PLATES", conflicts_with_all = ["train", "flight"])]
    truck: Option<String>,
    /// The train, by its number
    #[arg(long, value_name = "NUMBER", conflicts_with = "flight")]
    train: Option<String>,
    /// The flight, by its number
    #[arg(long, value_name = "NUMBER")]
    flight: Option<String>,
    /// Flag or country of registration
    #[arg(long, value_name = "COUNTRY")]
    flag: Option<Country>,
    /// sea, rail, road, air, mail, multimodal, pipeline or river; a ship, truck, train or flight tells it
    #[arg(long, value_parser = values::mode)]
    mode: Option<u8>,
}

/// Flags for papers, containers and seals.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::cli) struct Papers {
    /// Movement reference number of the customs declaration
    #[arg(long, value_name = "NUMBER")]
    pub(in crate::cli) mrn: Option<Mrn>,
    /// Bill of lading, waybill or consignment note
    #[arg(long, value_name = "NUMBER")]
    pub(in crate::cli) bill_of_lading: Option<String>,
    /// A container and its seals, such as 'CSQU3054383 SEAL-1'; several are given one by one
    #[arg(long = "container", value_name = "NUMBER", value_parser = values::container)]
    pub(in crate::cli) containers: Vec<SealedContainer>,
    /// A seal that belongs to no container
    #[arg(long = "seal", value_name = "NUMBER")]
    seals: Vec<String>,
}

impl Carriage {
    /// The mode of transport, if it was said.
    pub(in crate::cli) fn mode(&self) -> Option<u8> {
        let ship = self.ship.is_some() || self.imo.is_some();
        let implied = [(ship, 1), (self.train.is_some(), 2), (self.truck.is_some(), 3), (self.flight.is_some(), 4)];
        self.mode.or_else(|| implied.into_iter().find(|(is, _)| *is).map(|(_, mode)| mode))
    }

    /// The means of transport, if one was named.
    pub(in crate::cli) fn conveyance(&self) -> Option<Conveyance> {
        let named = [&self.ship, &self.truck, &self.train, &self.flight].into_iter().find_map(Option::clone);
        if named.is_none() && self.imo.is_none() && self.flag.is_none() {
            return None;
        }
        let (imo, nationality) = (self.imo.clone().map(Declared::Valid), self.flag.clone().map(Declared::Valid));
        Some(Conveyance { name: named, imo, nationality, ..Conveyance::default() })
    }

    /// The means of transport, which has to be named.
    ///
    /// # Errors
    /// If it is not.
    pub(in crate::cli) fn required(&self) -> Result<Conveyance, Failure> {
        self.conveyance().ok_or_else(|| {
            Failure::new(Exit::Usage, "which ship, truck, train or flight?")
                .hint("--ship NAME and --imo NUMBER, or --truck PLATES")
        })
    }
}

impl Papers {
    /// Puts them into a draft.
    pub(in crate::cli) fn fill(&self, draft: &mut Draft) {
        draft.mrn = self.mrn.clone().map(Declared::Valid);
        draft.bill_of_lading.clone_from(&self.bill_of_lading);
        draft.containers.clone_from(&self.containers);
        draft.seals.clone_from(&self.seals);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, usage};

    #[test]
    fn a_ship_says_that_the_mode_is_sea() {
        let ship: Carriage = args(&["--ship", "RHOSUS", "--imo", "9074729", "--flag", "MD"]);
        let json = serde_json::to_value(ship.conveyance()).unwrap();
        assert_eq!(json, serde_json::json!({"name": "RHOSUS", "imo": "IMO9074729", "nationality": "MD"}));
        assert_eq!(ship.mode(), Some(1));
        assert_eq!(args::<Carriage>(&["--truck", "AB-123-CD", "--mode", "multimodal"]).mode(), Some(6));
        assert!(args::<Carriage>(&["--mode", "sea"]).required().unwrap_err().text().contains("--ship NAME"));
    }

    #[test]
    fn goods_are_on_one_of_them() {
        assert!(usage::<Carriage>(&["--ship", "RHOSUS", "--truck", "AB-123-CD"]).contains("--truck"));
    }
}
