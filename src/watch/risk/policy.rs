//! How this country weighs what it sees: points, thresholds and bands. Every indicator may be switched off.
//!
//! The defaults are those of the table in `docs/risk.md`. A policy is written as TOML; that is read elsewhere, the core knows the fields.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::code::Code;

/// The most points that one indicator may have.
pub const POINTS_MAX: u32 = 1_000;

/// From which score on each band holds. Below is green.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bands {
    /// Amber from here on.
    pub amber: u32,
    /// Red from here on.
    pub red: u32,
}

impl Default for Bands {
    fn default() -> Self {
        Self { amber: 25, red: 50 }
    }
}

/// An amount of one substance from which a transaction is watched: as grams of the pure substance, as millilitres, or both. What is
/// declared by volume is held against the volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Threshold {
    /// Grams of the pure substance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pure_mass_g: Option<u64>,
    /// Millilitres of the goods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_ml: Option<u64>,
}

/// Concentrations by weight, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Not below, in parts per million.
    pub from_ppm: u32,
    /// Not above.
    pub to_ppm: u32,
}

/// A setting that a policy cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// Red begins where amber does, or above.
    #[error("bands: red begins at {red}, below amber at {amber}; raise red or lower amber")]
    Bands {
        /// Where amber begins.
        amber: u32,
        /// Where red begins.
        red: u32,
    },
    /// An indicator outweighs everything.
    #[error("{code}: {points} points are more than the {POINTS_MAX} that one indicator may have")]
    Points {
        /// The indicator.
        code: Code,
        /// Its points.
        points: u32,
    },
    /// A parameter out of its bounds.
    #[error("{code}: {field} takes {wanted}")]
    Field {
        /// The indicator.
        code: Code,
        /// The parameter.
        field: &'static str,
        /// What it takes.
        wanted: &'static str,
    },
}

macro_rules! indicators {
    ($($(#[$about:meta])* $code:ident $field:ident $text:literal $points:literal {
        $($(#[$doc:meta])* $name:ident: $type:ty = $default:expr,)*
    })*) => {
        $(
            $(#[$about])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields, default)]
            pub struct $code {
                /// Whether it is looked at.
                pub on: bool,
                /// What a hit counts.
                pub points: u32,
                $($(#[$doc])* pub $name: $type,)*
            }

            impl Default for $code {
                fn default() -> Self {
                    Self { on: true, points: $points, $($name: $default,)* }
                }
            }
        )*

        /// How this country weighs what it sees.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct RiskPolicy {
            /// What this edition of the policy is called. Shown with every score, so that an old one can be understood later.
            pub version: String,
            /// Where the bands begin.
            pub bands: Bands,
            $(
                $(#[$about])*
                #[serde(rename = $text)]
                pub $field: $code,
            )*
        }

        impl Default for RiskPolicy {
            fn default() -> Self {
                Self { version: "default-1".to_owned(), bands: Bands::default(), $($field: $code::default(),)* }
            }
        }

        impl RiskPolicy {
            /// The points of an indicator; nothing if it is switched off.
            #[must_use]
            pub fn points(&self, code: Code) -> Option<u32> {
                match code {
                    $(Code::$code => self.$field.on.then_some(self.$field.points),)*
                }
            }
        }
    };
}

indicators! {
    /// R01: more than the importer usually receives.
    R01 r01 "R01" 20 {
        /// How far back is looked, in months of 30 days and ten hours.
        months: u32 = 24,
        /// How many consignments it takes to know what is usual.
        least: u32 = 5,
        /// From which robust z on, in thousandths.
        z_milli: u32 = 3_000,
        /// The least that amounts are taken to vary, as a share of the median: else a gram more than always would be unusual.
        least_spread_ppm: u32 = 50_000,
    }
    /// R02: a consignee that nobody knows yet.
    R02 r02 "R02" 10 {}
    /// R03: a pair or carrier that nobody knows yet.
    R03 r03 "R03" 5 {}
    /// R04: many just below a threshold.
    R04 r04 "R04" 25 {
        /// How many notifications.
        notifications: u32 = 3,
        /// Within how many days.
        days: u32 = 30,
        /// From which share of the threshold on; up to the threshold itself.
        from_percent: u32 = 80,
        /// Thresholds by substance. Those that the importing country has published count before them.
        thresholds: BTreeMap<String, Threshold> = default_thresholds(),
    }
    /// R05: what identifies the goods does not fit together.
    R05 r05 "R05" 20 {
        /// The concentrations that go with a UN number.
        concentrations: BTreeMap<String, Span> = default_concentrations(),
    }
    /// R06: a route through a country at risk, or one that makes no sense.
    R06 r06 "R06" 15 {
        /// From which length on, in percent of the straight way, a route is a detour.
        detour_percent: u32 = 200,
    }
    /// R07: a consignee without registration or licence.
    R07 r07 "R07" 25 {}
    /// R08: no premises at the end of the way.
    R08 r08 "R08" 10 {
        /// Words in the name or sector of who only forwards.
        forwarders: Vec<String> = words(&["freight forwarder", "freight forwarding", "forwarding agent", "freight agent", "logistics", "spedition", "transitaire", "transitario"]),
        /// Words in an address that is a box.
        boxes: Vec<String> = words(&["po box", "p o box", "post box", "postfach", "boîte postale", "apartado", "casilla", "caixa postal", "а я"]),
        /// Words in an address that is a free zone.
        free_zones: Vec<String> = words(&["free zone", "freezone", "free trade zone", "free port", "freeport", "zone franche", "zona franca"]),
    }
    /// R09: a price far from the usual.
    R09 r09 "R09" 10 {
        /// The lower end of the usual, as a percentile.
        low_percent: u32 = 5,
        /// The upper end.
        high_percent: u32 = 95,
        /// How many own declarations of the year it takes.
        least: u32 = 20,
    }
    /// R10: packages that fit neither mode nor quantity.
    R10 r10 "R10" 10 {
        /// Up to which mass a package is small, in grams.
        small_g: u64 = 5_000,
        /// From which mass of a line on small packages are unusual.
        small_from_g: u64 = 1_000_000,
        /// Recommendation 21 codes of goods in bulk.
        bulk: Vec<String> = words(&["VG", "VI", "VL", "VO", "VQ", "VR", "VS", "VY"]),
        /// Modes of transport that take no bulk: air and mail.
        no_bulk_modes: Vec<u8> = vec![4, 5],
    }
    /// R11: it should be here.
    R11 r11 "R11" 15 {
        /// What it counts at most.
        most: u32 = 40,
        /// After how many days of being overdue it counts that much; in between it grows day by day.
        most_after_days: u32 = 30,
    }
    /// R12: what came is not what left.
    R12 r12 "R12" 30 {}
    /// R13: nobody has looked at the end use.
    R13 r13 "R13" 15 {
        /// Days after the import, where the importing country has published none.
        days: u32 = 60,
    }
    /// R14: the announcement changes again and again.
    R14 r14 "R14" 15 {
        /// How many amendments of consignee, destination or goods.
        amendments: u32 = 2,
    }
    /// R15: it left without an answer.
    R15 r15 "R15" 20 {}
    /// R16: one container, seal or bill in two consignments.
    R16 r16 "R16" 30 {}
    /// R17: seen where nobody announced it.
    R17 r17 "R17" 20 {}
    /// R18: a trade or a month that does not go with the goods.
    R18 r18 "R18" 10 {
        /// By substance, parts of the words that a fitting sector has, and the beginnings of its codes with a `^` before them.
        sectors: BTreeMap<String, Vec<String>> = default_sectors(),
    }
    /// R19: the two countries often disagree.
    R19 r19 "R19" 5 {
        /// How many comparisons it takes.
        least: u32 = 10,
        /// From which share of discrepancies on.
        percent: u32 = 25,
    }
    /// R20: a party that is watched, or had to do with an incident.
    R20 r20 "R20" 40 {}
    /// R21: somebody asked to stop another consignment of a party.
    R21 r21 "R21" 20 {}
}

impl RiskPolicy {
    /// Every setting that it cannot have.
    #[must_use]
    pub fn faults(&self) -> Vec<PolicyFault> {
        let Bands { amber, red } = self.bands;
        let bands = (red < amber).then_some(PolicyFault::Bands { amber, red });
        let mut points: Vec<(Code, u32)> =
            Code::ALL.iter().filter_map(|code| Some((*code, self.points(*code)?))).collect();
        points.push((Code::R11, self.r11.most));
        let heavy = points.into_iter().filter(|(_, points)| *points > POINTS_MAX);
        let fields = [
            (Code::R01, "least", "a whole number from 2", self.r01.least >= 2),
            (Code::R01, "months", "1 to 600", (1..=600).contains(&self.r01.months)),
            (Code::R04, "notifications", "a whole number from 2", self.r04.notifications >= 2),
            (Code::R04, "days", "1 to 366", (1..=366).contains(&self.r04.days)),
            (Code::R04, "from_percent", "1 to 100", (1..=100).contains(&self.r04.from_percent)),
            (Code::R06, "detour_percent", "a whole number above 100", self.r06.detour_percent > 100),
            (
                Code::R09,
                "low_percent",
                "a whole number below high_percent",
                self.r09.low_percent < self.r09.high_percent,
            ),
            (Code::R09, "high_percent", "at most 100", self.r09.high_percent <= 100),
            (Code::R11, "most", "at least its points", self.r11.most >= self.r11.points),
            (Code::R11, "most_after_days", "a whole number from 1", self.r11.most_after_days >= 1),
            (Code::R14, "amendments", "a whole number from 1", self.r14.amendments >= 1),
            (Code::R19, "percent", "1 to 100", (1..=100).contains(&self.r19.percent)),
            (Code::R19, "least", "a whole number from 1", self.r19.least >= 1),
        ];
        let wrong = fields.into_iter().filter(|(_, _, _, holds)| !holds);
        let wrong = wrong.map(|(code, field, wanted, _)| PolicyFault::Field { code, field, wanted });
        bands.into_iter().chain(heavy.map(|(code, points)| PolicyFault::Points { code, points })).chain(wrong).collect()
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Acetone is watched from 100 litres on where it is a drug precursor; that is 78.4 kg.
fn default_thresholds() -> BTreeMap<String, Threshold> {
    BTreeMap::from([("acetone".to_owned(), Threshold { pure_mass_g: Some(78_400), volume_ml: Some(100_000) })])
}

/// Hydrogen peroxide has three numbers by its strength.
fn default_concentrations() -> BTreeMap<String, Span> {
    let spans = [("2014", 200_000, 600_000), ("2015", 600_000, 1_000_000), ("2984", 80_000, 200_000)];
    spans.into_iter().map(|(un, from_ppm, to_ppm)| (un.to_owned(), Span { from_ppm, to_ppm })).collect()
}

/// Fertilisers go to fields and mines. The codes are divisions of ISIC Rev. 4: 01 farming, 05 to 09 mining, 20 chemicals, 46 wholesale.
fn default_sectors() -> BTreeMap<String, Vec<String>> {
    let farms = ["agri", "farm", "fertili", "crop", "grow", "horticult", "^01"];
    let mines = ["mining", "mine", "quarr", "blast", "explosive", "^05", "^06", "^07", "^08", "^09"];
    let trade = ["chemical", "wholesale", "^20", "^46"];
    let fitting: Vec<&str> = [&farms[..], &mines, &trade].concat();
    let of = |substance: &str| (substance.to_owned(), words(&fitting));
    ["ammonium-nitrate", "calcium-ammonium-nitrate", "urea"].map(of).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The points of the table in the domain's catalogue of indicators.
    #[test]
    fn the_defaults_are_those_of_the_table() {
        let table = [20, 10, 5, 25, 20, 15, 25, 10, 10, 10, 15, 30, 15, 15, 20, 30, 20, 10, 5, 40, 20];
        let policy = RiskPolicy::default();
        let points: Vec<u32> = Code::ALL.iter().filter_map(|code| policy.points(*code)).collect();
        assert_eq!(points, table);
        assert_eq!((policy.bands.amber, policy.bands.red, policy.r11.most), (25, 50, 40));
        assert_eq!(policy.faults(), []);
    }

    #[test]
    fn an_indicator_may_be_switched_off_and_an_unknown_one_is_refused() {
        let read = serde_json::from_str::<RiskPolicy>;
        let policy = read(r#"{"version": "GE-2", "R04": {"on": false}, "R01": {"points": 7}}"#).expect("a policy");
        assert_eq!((policy.points(Code::R04), policy.points(Code::R01)), (None, Some(7)));
        assert_eq!(policy.r01.least, 5, "what is not said has its default");
        assert!(read(r#"{"R22": {}}"#).is_err() && read(r#"{"R01": {"point": 1}}"#).is_err());
    }

    #[test]
    fn what_cannot_be_is_told_all_at_once() {
        let json = r#"{"bands": {"amber": 60, "red": 50}, "R02": {"points": 5000}, "R11": {"most": 3}}"#;
        let faults = serde_json::from_str::<RiskPolicy>(json).expect("a policy").faults();
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "bands: red begins at 50, below amber at 60; raise red or lower amber",
                "R02: 5000 points are more than the 1000 that one indicator may have",
                "R11: most takes at least its points",
            ]
        );
    }
}
