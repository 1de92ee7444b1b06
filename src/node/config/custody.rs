//! How many other members, in how many regions, are to hold a record before it counts as witnessed. It is shown, and holds nothing up.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use super::layers::Layers;
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;

/// What is asked for. By default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustodyPolicy {
    /// Other members that are to hold a record; 0 if nothing is asked for.
    pub members: u64,
    /// Regions in which they are to be.
    pub regions: u64,
    /// The region of each member. One that is not named is in none.
    pub region_of: BTreeMap<MemberCode, String>,
}

/// One member's region, as it is written: `GE:europe`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    member: MemberCode,
    region: String,
}

/// Why a text is no member's region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a member's region is written like GE:europe, with letters, digits and hyphens, at most 32")]
struct BadPlace;

/// Bytes of a region's name at most.
const REGION_BYTES_MAX: usize = 32;

impl FromStr for Place {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        let (member, region) = text.split_once(':').ok_or(BadPlace)?;
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        if region.is_empty() || region.len() > REGION_BYTES_MAX || !region.chars().all(is_plain) {
            return Err(BadPlace);
        }
        Ok(Self { member: member.parse().map_err(|_| BadPlace)?, region: region.to_owned() })
    }
}

/// How far a record of this member has come into others' hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Custody {
    /// No other member is known to hold it.
    Pending,
    /// Others hold it, and not as many, or not in as many regions, as are asked for.
    Held,
    /// As many as are asked for hold it.
    Witnessed,
    /// One of those whom it is for has said that it arrived.
    Acknowledged,
}

impl Custody {
    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Held => "held",
            Self::Witnessed => "witnessed",
            Self::Acknowledged => "acknowledged",
        }
    }
}

impl CustodyPolicy {
    /// How far a record has come, if `held` are the other members that hold it, and somebody has acknowledged it or not. Where nothing is asked for, whom
    /// others hold is held.
    #[must_use]
    pub fn judge(&self, held: &BTreeMap<MemberCode, UnixTime>, is_acknowledged: bool) -> Custody {
        if is_acknowledged {
            Custody::Acknowledged
        } else if self.members > 0 && self.is_met(held.keys()) {
            Custody::Witnessed
        } else if held.is_empty() {
            Custody::Pending
        } else {
            Custody::Held
        }
    }

    /// Since when as many as are asked for hold it: the time of the last that was needed.
    #[must_use]
    pub fn met_at(&self, held: &BTreeMap<MemberCode, UnixTime>) -> Option<UnixTime> {
        let mut by_time: Vec<(UnixTime, MemberCode)> = held.iter().map(|(member, at)| (*at, *member)).collect();
        by_time.sort_unstable();
        let met = |count: &usize| self.members > 0 && self.is_met(by_time[..*count].iter().map(|(_, member)| member));
        (1..=by_time.len()).find(met).map(|count| by_time[count - 1].0)
    }

    /// Regions in which somebody of these is.
    pub fn regions<'a>(&'a self, members: impl Iterator<Item = &'a MemberCode>) -> BTreeSet<&'a str> {
        members.filter_map(|member| self.region_of.get(member)).map(String::as_str).collect()
    }

    fn is_met<'a>(&'a self, members: impl Iterator<Item = &'a MemberCode> + Clone) -> bool {
        members.clone().count() as u64 >= self.members && self.regions(members).len() as u64 >= self.regions
    }
}

/// Reads `[custody]`.
pub(super) fn check(layers: &mut Layers) -> Option<CustodyPolicy> {
    let (members, regions) = (layers.number("custody.members"), layers.number("custody.regions"));
    let places = layers.parsed_list::<Place>("custody.region_of")?;
    let region_of: BTreeMap<MemberCode, String> =
        places.iter().map(|place| (place.member, place.region.clone())).collect();
    let policy = CustodyPolicy { members: u64::from(members?), regions: u64::from(regions?), region_of };
    if policy.region_of.len() < places.len() {
        layers.fault("custody.region_of", "names a member twice".to_owned());
    }
    if policy.regions > policy.regions(policy.region_of.keys()).len() as u64 {
        layers.fault("custody.regions", "asks for more regions than `custody.region_of` names".to_owned());
    }
    if policy.regions > policy.members {
        layers.fault("custody.regions", "asks for more regions than members".to_owned());
    }
    Some(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(members: u64, regions: u64) -> CustodyPolicy {
        let of = |text: &str| text.parse::<Place>().unwrap();
        let places = ["GE:europe", "TR:europe", "MZ:africa"].map(of);
        let region_of = places.into_iter().map(|place| (place.member, place.region)).collect();
        CustodyPolicy { members, regions, region_of }
    }

    fn held(members: &[(&str, i64)]) -> BTreeMap<MemberCode, UnixTime> {
        members.iter().map(|(code, at)| (code.parse().unwrap(), UnixTime::from_seconds(*at).unwrap())).collect()
    }

    #[test]
    fn a_record_goes_from_pending_to_acknowledged() {
        let policy = policy(2, 2);
        let of = |members: &[(&str, i64)]| policy.judge(&held(members), false);
        assert_eq!(of(&[]), Custody::Pending);
        assert_eq!(of(&[("GE", 1)]), Custody::Held);
        assert_eq!(of(&[("GE", 1), ("TR", 2)]), Custody::Held, "both in one region");
        assert_eq!(of(&[("GE", 1), ("LB", 2)]), Custody::Held, "Lebanon is in no region that is named");
        assert_eq!(of(&[("GE", 1), ("MZ", 2)]), Custody::Witnessed);
        assert_eq!(policy.judge(&held(&[]), true), Custody::Acknowledged);
        // Where nothing is asked for, nothing is witnessed.
        assert_eq!(CustodyPolicy::default().judge(&held(&[("GE", 1)]), false), Custody::Held);
        assert_eq!(CustodyPolicy::default().met_at(&held(&[("GE", 1)])), None);
    }

    #[test]
    fn it_is_met_with_the_last_that_was_needed() {
        let at = |seconds| UnixTime::from_seconds(seconds).ok();
        let all = held(&[("GE", 5), ("TR", 1), ("MZ", 9), ("LB", 2)]);
        assert_eq!(policy(1, 0).met_at(&all), at(1));
        assert_eq!(policy(2, 0).met_at(&all), at(2));
        assert_eq!(policy(2, 1).met_at(&all), at(2));
        assert_eq!(policy(2, 2).met_at(&all), at(9), "Africa comes last");
        assert_eq!(policy(5, 2).met_at(&all), None);
    }

    #[test]
    fn a_region_is_written_with_its_member() {
        for bad in ["GE", "GE:", ":europe", "ge:europe", "GE:a b", "GE:europe:west", &format!("GE:{}", "x".repeat(33))]
        {
            assert_eq!(bad.parse::<Place>(), Err(BadPlace), "{bad}");
        }
    }
}
