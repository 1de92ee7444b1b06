//! The arithmetic that risk needs and whole numbers do not have by themselves: logarithms, distances on the globe, medians.
//!
//! No floating point, so that every platform comes to the same score. Each function says how far it may be off.

use serde::{Deserialize, Serialize};

/// ln 2 times 10¹².
const LN_2_PICO: u128 = 693_147_180_560;

/// The natural logarithm of `number`, in millionths. At most two millionths too small, never too large; nothing for zero.
pub(super) fn ln_micro(number: u64) -> Option<i64> {
    let whole = number.checked_ilog2()?;
    // The mantissa lies in [1, 2), with 63 binary places. Squaring it doubles the logarithm, whose next binary digit so comes into sight.
    let mut mantissa = u128::from(number) << (63 - whole);
    let mut log2 = u128::from(whole);
    for _ in 0..32 {
        mantissa = (mantissa * mantissa) >> 63;
        let digit = mantissa >> 64;
        mantissa >>= digit;
        log2 = (log2 << 1) | digit;
    }
    i64::try_from((log2 * LN_2_PICO / 1_000_000) >> 32).ok()
}

/// The median of `values`, doubled: between two middle ones it is a half. Nothing for none.
pub(super) fn median_doubled(values: &mut [i64]) -> Option<i64> {
    values.sort_unstable();
    let upper = values.get(values.len() / 2)?;
    let lower = values.get((values.len() - 1) / 2)?;
    Some(lower + upper)
}

/// A position on the globe in minutes of arc, north and east positive: `4139N 04138E` is 2499 and 2498.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Minutes north of the equator.
    pub latitude: i32,
    /// Minutes east of Greenwich.
    pub longitude: i32,
}

/// Binary places of angles and coordinates.
const PLACES: u32 = 40;
const ONE: i64 = 1 << PLACES;
const PI: i64 = 3_454_217_652_358;
/// By how much 40 turns lengthen a vector, inverted.
const SHRINK: i64 = 667_681_663_043;
/// atan 2⁻ⁱ for the first turns. From here on it is 2⁻ⁱ, to the places that there are.
const TURNS: [i64; 14] = [
    863_554_413_089,
    509_785_937_287,
    269_356_888_665,
    136_729_762_476,
    68_630_207_382,
    34_348_560_106,
    17_178_471_287,
    8_589_759_836,
    4_294_945_451,
    2_147_480_917,
    1_073_741_483,
    536_870_869,
    268_435_451,
    134_217_727,
];
/// The mean radius of the earth, in metres.
const EARTH_M: i128 = 6_371_009;

/// The distance between two positions along a great circle of a round earth, in metres. At most ten metres off from that of the sphere.
pub(super) fn distance_m(from: Position, to: Position) -> u64 {
    let (a, b) = (unit_vector(from), unit_vector(to));
    let product = |left: i64, right: i64| i128::from(left) * i128::from(right);
    let dot: i128 = (0..3).map(|at| product(a[at], b[at])).sum();
    let cross = |i: usize, j: usize| ((product(a[i], b[j]) - product(a[j], b[i])) >> PLACES).unsigned_abs();
    let sine = [cross(0, 1), cross(1, 2), cross(2, 0)].iter().map(|part| part * part).sum::<u128>().isqrt();
    let angle = angle_of((dot >> PLACES) as i64, sine as i64);
    u64::try_from((i128::from(angle) * EARTH_M) >> PLACES).unwrap_or(0)
}

fn unit_vector(position: Position) -> [i64; 3] {
    let (up, flat) = sine_and_cosine(position.latitude);
    let (east, ahead) = sine_and_cosine(position.longitude);
    let scaled = |part: i64| ((i128::from(part) * i128::from(flat)) >> PLACES) as i64;
    [scaled(ahead), scaled(east), up]
}

/// Sine and cosine of an angle in minutes of arc, by turns in a plane (CORDIC).
fn sine_and_cosine(minutes: i32) -> (i64, i64) {
    const HALF: i32 = 180 * 60;
    let around = minutes.rem_euclid(2 * HALF);
    let turned = if around > HALF { around - 2 * HALF } else { around };
    // The turns reach no further than a right angle: beyond it, look from the other side.
    let (near, flipped) =
        if turned.abs() > HALF / 2 { (turned - turned.signum() * HALF, true) } else { (turned, false) };
    let mut rest = (i128::from(near) * i128::from(PI) / i128::from(HALF)) as i64;
    let (mut x, mut y) = (SHRINK, 0_i64);
    for turn in 0..PLACES {
        let (dx, dy) = (y >> turn, x >> turn);
        if rest >= 0 {
            (x, y, rest) = (x - dx, y + dy, rest - turned_by(turn));
        } else {
            (x, y, rest) = (x + dx, y - dy, rest + turned_by(turn));
        }
    }
    if flipped { (-y, -x) } else { (y, x) }
}

/// The angle of the vector (x, y) from the x axis, for y not below it.
fn angle_of(x: i64, y: i64) -> i64 {
    let (mut x, mut y, flipped) = if x < 0 { (-x, y, true) } else { (x, y, false) };
    let mut angle = 0;
    for turn in 0..PLACES {
        let (dx, dy) = (y >> turn, x >> turn);
        if y > 0 {
            (x, y, angle) = (x + dx, y - dy, angle + turned_by(turn));
        } else {
            (x, y, angle) = (x - dx, y + dy, angle - turned_by(turn));
        }
    }
    if flipped { PI - angle } else { angle.max(0) }
}

fn turned_by(turn: u32) -> i64 {
    TURNS.get(turn as usize).copied().unwrap_or(ONE >> turn)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn logarithms_are_right_to_two_millionths() {
        let known = [
            (1, 0),
            (2, 693_147),
            (3, 1_098_612),
            (10, 2_302_585),
            (1_000, 6_907_755),
            (2_750_000_000, 21_734_866),
            (1_000_000_000_000_000, 34_538_776),
        ];
        for (number, ln) in known {
            let found = ln_micro(number).expect("above zero");
            assert!((ln - 2..=ln).contains(&found), "ln {number}: {found}, not {ln}");
        }
        assert_eq!(ln_micro(0), None);
        assert!(ln_micro(u64::MAX).is_some());
    }

    #[test]
    fn medians_are_doubled() {
        assert_eq!(median_doubled(&mut []), None);
        assert_eq!(median_doubled(&mut [3]), Some(6));
        assert_eq!(median_doubled(&mut [9, 1, 3]), Some(6));
        assert_eq!(median_doubled(&mut [9, 1, 3, 4]), Some(7));
    }

    fn at(latitude: i32, longitude: i32) -> Position {
        Position { latitude, longitude }
    }

    #[test]
    fn distances_are_those_of_the_globe() {
        let (batumi, istanbul, beira) = (at(2_499, 2_498), at(2_461, 1_738), at(-1_190, 2_090));
        let known = [
            (batumi, beira, 6_872_440),
            (batumi, istanbul, 1_058_977),
            (istanbul, beira, 6_793_306),
            (at(0, 0), at(0, 10_800), 20_015_114),
            (at(5_400, 0), at(-5_400, 77), 20_015_114),
            (at(0, 10_799), at(0, -10_799), 3_706),
            (at(0, 0), at(0, 60), 111_195),
            (batumi, batumi, 0),
        ];
        for (from, to, metres) in known {
            let found = distance_m(from, to);
            assert!(found.abs_diff(metres) <= 10, "{from:?} to {to:?}: {found}, not {metres}");
        }
    }

    proptest! {
        #[test]
        fn logarithms_grow_and_turn_products_into_sums(a in 1_u64..1 << 31, b in 1_u64..1 << 31) {
            let ln = |number| ln_micro(number).expect("above zero");
            prop_assert!(a >= b || ln(a) <= ln(b));
            prop_assert!((ln(a * b) - ln(a) - ln(b)).abs() <= 4);
        }

        #[test]
        fn the_way_back_is_as_long(la in -5_400..=5_400_i32, lo in any::<i32>(), lb in -5_400..=5_400_i32, lp in any::<i32>()) {
            let (there, back) = (distance_m(at(la, lo), at(lb, lp)), distance_m(at(lb, lp), at(la, lo)));
            prop_assert!(there.abs_diff(back) <= 20);
            prop_assert!(there <= 20_015_130);
        }
    }
}
