//! How much a consignment deserves a second look, with the reasons in words.
//!
//! ```text
//! consignment, records ─▶ Contribution ─▶ History ─┐
//! Lists, RiskPolicy, Standing ─────────────────────┼─▶ assess ─▶ Assessment: score, band, hits, unknown
//! consignment, records ────────────────────────────┘
//! ```
//!
//! Twenty-one indicators, none of which decides alone: their points add up to a score, the score to a band. Every hit says why, with the
//! facts it used. What cannot be told for want of data is unknown; it is listed, and it counts nothing. An officer may show another
//! band, with a reason; the score stays.
//!
//! A score is a country's own opinion: it depends on its lists and on what it happens to have seen. No kind of record and no message
//! carries one, and nothing that makes records or messages may name this module. A country that wants to share a suspicion issues a
//! warning, in words, signed by an officer.
//!
//! Start reading at [`assess`], then [`RiskPolicy`]; the indicators lie in `quantity.rs`, `parties.rs`, `goods.rs`, `route.rs` and
//! `course.rs`. No floating point anywhere: every platform comes to the same score.

mod assessment;
mod code;
mod contribution;
mod course;
mod goods;
mod history;
mod lists;
mod number;
mod parties;
mod party;
mod policy;
mod quantity;
mod route;
#[cfg(test)]
pub(super) mod tests;

pub use super::tolerance::Band;
pub use assessment::{Assessment, BadBand, Fact, Hit, Override, Shown, Unknown};
pub use code::{BadCode, Code};
pub use contribution::Contribution;
pub use history::{AFFECTED_MAX, History, SAMPLE_MAX};
pub use lists::{EndUser, GivenLists, KnownPlace, Licence, Lists, Watched};
pub use number::Position;
pub use party::{Key, Role};
pub use policy::{Bands, POINTS_MAX, PolicyFault, RiskPolicy, Span, Threshold};

/// The settings of each indicator.
pub mod settings {
    pub use super::policy::{
        R01, R02, R03, R04, R05, R06, R07, R08, R09, R10, R11, R12, R13, R14, R15, R16, R17, R18, R19, R20, R21,
    };
}

use assessment::{Look, band_of};

use super::{Dossier, Standing};
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;
use crate::record::{Date, Draft, Terms};

/// Shows no content: what sealed records and local lists say must not reach a log through a debug print.
macro_rules! closed_debug {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), " { .. }"))
            }
        }
    )*};
}

use closed_debug;

/// What a consignment is assessed by.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The consignment with its records.
    pub dossier: Dossier<'a>,
    /// Where it stands at the time.
    pub standing: &'a Standing,
    /// The terms of the importing country's policy that it cites, if they are held.
    pub terms: Option<&'a Terms>,
    /// Whose node this is.
    pub own: MemberCode,
    /// The time.
    pub now: UnixTime,
    /// What this node remembers. What the consignment itself contributed to it does not count.
    pub history: &'a History,
    /// What this country knows by itself.
    pub lists: &'a Lists,
    /// How this country weighs it.
    pub policy: &'a RiskPolicy,
}

/// A scene with what every indicator looks at.
struct View<'a> {
    scene: Scene<'a>,
    announced: Draft,
    id: RecordId,
    today: Option<Date>,
}

/// Looks at a consignment with every indicator that is switched on.
#[must_use]
pub fn assess(scene: &Scene<'_>) -> Assessment {
    let policy = scene.policy;
    let mut assessment = Assessment::new(policy);
    // Without the notification there is nothing to hold against anything; what came unannounced is an alert by itself.
    let Some(announced) = scene.dossier.announced() else {
        Code::ALL.iter().filter(|code| policy.points(**code).is_some()).for_each(|code| {
            assessment.unknown.push(Unknown { code: *code, wants: vec!["the notification".to_owned()] });
        });
        return assessment;
    };
    let view = View { scene: *scene, announced, id: scene.dossier.consignment.id, today: Date::of(scene.now).ok() };
    for code in Code::ALL {
        let Some(points) = policy.points(*code) else { continue };
        let mut look = Look::new(*code, points);
        indicator(*code)(&view, &mut look);
        assessment.take(look);
    }
    assessment.band = band_of(assessment.score, policy.bands);
    assessment
}

fn indicator(code: Code) -> fn(&View<'_>, &mut Look) {
    match code {
        Code::R01 => quantity::unusual,
        Code::R02 => parties::first_consignee,
        Code::R03 => parties::first_pair_or_carrier,
        Code::R04 => quantity::structuring,
        Code::R05 => goods::contradiction,
        Code::R06 => route::illogical,
        Code::R07 => parties::unlicensed,
        Code::R08 => parties::no_premises,
        Code::R09 => goods::price,
        Code::R10 => goods::packaging,
        Code::R11 => course::overdue,
        Code::R12 => course::discrepancy,
        Code::R13 => course::end_use,
        Code::R14 => course::amendments,
        Code::R15 => course::no_reply,
        Code::R16 => route::used_twice,
        Code::R17 => route::unplanned,
        Code::R18 => parties::unfitting_sector,
        Code::R19 => course::disagreements,
        Code::R20 => parties::watched,
        Code::R21 => parties::stopped,
    }
}
