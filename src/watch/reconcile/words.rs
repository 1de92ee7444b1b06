//! Masses and shares as officers read them. Whole numbers only.

use crate::record::Mass;

/// A mass: `2750 t`; in grams if it is beyond what a record may declare.
pub(in crate::watch) fn shown(grams: u128) -> String {
    let mass = u64::try_from(grams).ok().and_then(|grams| Mass::from_grams(grams).ok());
    mass.map_or_else(|| format!("{grams} g"), |mass| mass.to_string())
}

/// A share of a whole: `1.25 %`.
pub(super) fn percent(part: u128, whole: u128) -> String {
    let hundredths = (part * 10_000 + whole / 2).checked_div(whole).unwrap_or(0);
    format!("{} %", with_hundredths(hundredths))
}

/// A ratio in parts per million: `1.08`.
pub(super) fn times(ppm: u128) -> String {
    with_hundredths((ppm + 5_000) / 10_000)
}

fn with_hundredths(hundredths: u128) -> String {
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:02}").trim_end_matches('0').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_read_well() {
        assert_eq!(
            (percent(5, 400), percent(1, 3), percent(1, 1), percent(1, 0)),
            ("1.25 %".into(), "33.33 %".into(), "100 %".into(), "0 %".into())
        );
        assert_eq!((times(1_084_999), times(1_100_000), times(1_000)), ("1.08".into(), "1.1".into(), "0".into()));
        assert_eq!(
            (shown(2_750_000_000), shown(u128::from(u64::MAX))),
            ("2750 t".into(), "18446744073709551615 g".into())
        );
    }
}
