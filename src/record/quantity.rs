//! Amounts: what a document declares, and the whole grams that two nodes must agree on bit for bit. No floating point.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The largest mass a record may declare: 10¹⁵ g, a thousand million tonnes. More is a unit error.
pub const MAX_MASS_G: u64 = 1_000_000_000_000_000;

/// Why a quantity cannot be read or converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum QuantityError {
    /// Not digits with at most one decimal point.
    #[error("not a decimal number of at most 18 digits")]
    NotDecimal,
    /// A unit outside the list.
    #[error(
        "not one of the units that can be converted (KGM GRM MGM TNE KTN DTN LBR ONZ STN LTN LTR MLT HLT MTQ H87 MTR)"
    )]
    UnknownUnit,
    /// A volume says nothing about the mass without a density.
    #[error("a volume needs a density to become a mass")]
    NeedsDensity,
    /// Pieces and metres never become a mass.
    #[error("a count or a length is not a mass")]
    NotAMass,
    /// More than [`MAX_MASS_G`].
    #[error("the mass is above 10^15 grams")]
    TooLarge,
}

/// A decimal number as written: `2750`, `43.5`. At most 18 digits, of which the last `scale` follow the point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal {
    digits: u64,
    scale: u8,
}

impl Decimal {
    /// The number as a whole count of 10⁻ˢᶜᵃˡᵉ.
    pub fn parts(self) -> (u64, u8) {
        (self.digits, self.scale)
    }

    /// The number times 10ᵖˡᵃᶜᵉˢ, if that is a whole number.
    pub fn scaled(self, places: u32) -> Option<u64> {
        let scale = u32::from(self.scale);
        if places >= scale {
            self.digits.checked_mul(10_u64.checked_pow(places - scale)?)
        } else {
            let divisor = 10_u64.checked_pow(scale - places)?;
            self.digits.is_multiple_of(divisor).then_some(self.digits / divisor)
        }
    }
}

impl FromStr for Decimal {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = || whole.bytes().chain(fraction.bytes());
        let form = !whole.is_empty()
            && (text.contains('.') != fraction.is_empty())
            && digits().count() <= 18
            && digits().all(|byte| byte.is_ascii_digit());
        if !form {
            return Err(QuantityError::NotDecimal);
        }
        let digits = digits().fold(0_u64, |sum, byte| sum * 10 + u64::from(byte - b'0'));
        let scale = u8::try_from(fraction.len()).map_err(|_| QuantityError::NotDecimal)?;
        Ok(Self { digits, scale })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::from(self.scale);
        if scale == 0 {
            return write!(f, "{}", self.digits);
        }
        let digits = format!("{:0>width$}", self.digits, width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        write!(f, "{whole}.{fraction}")
    }
}

/// What a unit of UN/ECE Recommendation 20 measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A mass: one unit is `numerator / denominator` grams, exactly.
    Mass {
        /// Grams for `denominator` units.
        numerator: u64,
        /// See `numerator`.
        denominator: u64,
    },
    /// A volume: one unit is this many millilitres.
    Volume(u64),
    /// Pieces or metres.
    Other,
}

/// A unit of UN/ECE Recommendation 20 that records use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitCode(&'static str);

/// The units with their exact size. Avoirdupois by the international pound of 1959: 453.59237 g.
const UNITS: [(&str, Measure); 16] = [
    ("KGM", Measure::Mass { numerator: 1_000, denominator: 1 }),
    ("GRM", Measure::Mass { numerator: 1, denominator: 1 }),
    ("MGM", Measure::Mass { numerator: 1, denominator: 1_000 }),
    ("TNE", Measure::Mass { numerator: 1_000_000, denominator: 1 }),
    ("KTN", Measure::Mass { numerator: 1_000_000_000, denominator: 1 }),
    ("DTN", Measure::Mass { numerator: 100_000, denominator: 1 }),
    ("LBR", Measure::Mass { numerator: 45_359_237, denominator: 100_000 }),
    ("ONZ", Measure::Mass { numerator: 45_359_237, denominator: 1_600_000 }),
    ("STN", Measure::Mass { numerator: 90_718_474, denominator: 100 }),
    ("LTN", Measure::Mass { numerator: 10_160_469_088, denominator: 10_000 }),
    ("LTR", Measure::Volume(1_000)),
    ("MLT", Measure::Volume(1)),
    ("HLT", Measure::Volume(100_000)),
    ("MTQ", Measure::Volume(1_000_000)),
    ("H87", Measure::Other),
    ("MTR", Measure::Other),
];

impl UnitCode {
    /// Kilograms, which a declaration means when it names no unit.
    pub const KILOGRAM: Self = Self("KGM");

    /// The code: `KGM`.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// What the unit measures.
    pub fn measure(self) -> Measure {
        UNITS.iter().find(|(code, _)| *code == self.0).map_or(Measure::Other, |(_, measure)| *measure)
    }
}

impl FromStr for UnitCode {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        UNITS.iter().find(|(code, _)| *code == text).map(|(code, _)| Self(code)).ok_or(QuantityError::UnknownUnit)
    }
}

/// An amount as declared: the number as it was written, and the Rec 20 unit. Kept beside the grams, so that a mistaken unit can be seen later.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantity {
    /// A decimal number in text: `"2750"`, `"43.5"`.
    pub value: String,
    /// The unit: `"TNE"`.
    pub unit: String,
}

impl Quantity {
    /// The mass in whole grams, half a gram rounding to the even one. `density_g_per_l` is needed for volumes alone.
    ///
    /// # Errors
    /// If the number or the unit cannot be read, or the amount is no mass.
    pub fn mass(&self, density_g_per_l: Option<u32>) -> Result<Mass, QuantityError> {
        let (digits, scale) = self.value.parse::<Decimal>()?.parts();
        let ten_to_scale = 10_u128.pow(u32::from(scale));
        let (numerator, denominator) = match self.unit.parse::<UnitCode>()?.measure() {
            Measure::Mass { numerator, denominator } => (u128::from(numerator), u128::from(denominator)),
            Measure::Volume(millilitres) => {
                let density = density_g_per_l.ok_or(QuantityError::NeedsDensity)?;
                (u128::from(millilitres) * u128::from(density), 1_000)
            }
            Measure::Other => return Err(QuantityError::NotAMass),
        };
        let grams = divide_half_even(u128::from(digits) * numerator, denominator * ten_to_scale);
        Mass::from_grams(u64::try_from(grams).map_err(|_| QuantityError::TooLarge)?)
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Quantity(..)")
    }
}

/// A mass in whole grams, at most [`MAX_MASS_G`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Mass(u64);

impl Mass {
    /// A mass of so many grams.
    ///
    /// # Errors
    /// Above [`MAX_MASS_G`].
    pub fn from_grams(grams: u64) -> Result<Self, QuantityError> {
        if grams > MAX_MASS_G { Err(QuantityError::TooLarge) } else { Ok(Self(grams)) }
    }

    /// The grams.
    pub fn grams(self) -> u64 {
        self.0
    }

    /// The mass of the pure substance in a mixture, half a gram rounding to the even one.
    pub fn pure(self, concentration: Ppm) -> Self {
        let grams = divide_half_even(u128::from(self.0) * u128::from(concentration.0), 1_000_000);
        // A concentration is at most one, so the result is not above `self`.
        Self(u64::try_from(grams).unwrap_or(self.0))
    }
}

impl TryFrom<u64> for Mass {
    type Error = QuantityError;

    fn try_from(grams: u64) -> Result<Self, QuantityError> {
        Self::from_grams(grams)
    }
}

impl From<Mass> for u64 {
    fn from(mass: Mass) -> Self {
        mass.0
    }
}

impl fmt::Debug for Mass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mass(..)")
    }
}

/// Shown in the largest metric unit that needs no rounding: `2750 t`, `43.5 kg`, `7 g`.
impl fmt::Display for Mass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grams = self.0;
        if grams >= 1_000_000 && grams.is_multiple_of(1_000) {
            write!(f, "{}{} t", grams / 1_000_000, fraction(grams % 1_000_000, 6))
        } else if grams >= 1_000 {
            write!(f, "{}{} kg", grams / 1_000, fraction(grams % 1_000, 3))
        } else {
            write!(f, "{grams} g")
        }
    }
}

/// A share in parts per million, at most 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Ppm(u32);

/// A share above the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} parts per million is more than the whole")]
pub struct MoreThanTheWhole(u32);

impl Ppm {
    /// Parts per million.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Ppm {
    type Error = MoreThanTheWhole;

    fn try_from(ppm: u32) -> Result<Self, MoreThanTheWhole> {
        if ppm > 1_000_000 { Err(MoreThanTheWhole(ppm)) } else { Ok(Self(ppm)) }
    }
}

impl From<Ppm> for u32 {
    fn from(ppm: Ppm) -> Self {
        ppm.0
    }
}

/// An amount of money in the minor unit of its currency: cents for EUR, yen for JPY.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// The amount in minor units.
    pub minor: i64,
    /// ISO 4217.
    pub currency: super::Declared<super::Currency>,
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Money(..)")
    }
}

/// `numerator / denominator` to the nearest whole number, halves to the even one. The denominator is never zero here.
fn divide_half_even(numerator: u128, denominator: u128) -> u128 {
    let (quotient, twice_rest) = (numerator / denominator, numerator % denominator * 2);
    let up = twice_rest > denominator || (twice_rest == denominator && quotient % 2 == 1);
    quotient + u128::from(up)
}

fn fraction(rest: u64, places: usize) -> String {
    if rest == 0 {
        return String::new();
    }
    let digits = format!("{rest:0>places$}");
    format!(".{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grams(value: &str, unit: &str) -> Result<u64, QuantityError> {
        Quantity { value: value.into(), unit: unit.into() }.mass(None).map(Mass::grams)
    }

    #[test]
    fn units_convert_exactly() {
        assert_eq!(grams("2750", "TNE"), Ok(2_750_000_000));
        assert_eq!(grams("43.5", "KGM"), Ok(43_500));
        assert_eq!(grams("1", "STN"), Ok(907_185));
        assert_eq!(grams("100", "STN"), Ok(90_718_474));
        assert_eq!(grams("1", "LTN"), Ok(1_016_047));
        assert_eq!(grams("100000", "LBR"), Ok(45_359_237));
        assert_eq!(grams("16", "ONZ"), Ok(454));
    }

    #[test]
    fn half_a_gram_goes_to_the_even_one() {
        assert_eq!(
            (grams("0.5", "GRM"), grams("1.5", "GRM"), grams("2.5", "GRM"), grams("0.0005", "KGM")),
            (Ok(0), Ok(2), Ok(2), Ok(0))
        );
    }

    #[test]
    fn a_volume_needs_a_density() {
        let litres = Quantity { value: "95".into(), unit: "LTR".into() };
        assert_eq!(litres.mass(None), Err(QuantityError::NeedsDensity));
        assert_eq!(litres.mass(Some(784)).map(Mass::grams), Ok(74_480));
        assert_eq!(grams("12", "H87"), Err(QuantityError::NotAMass));
        assert_eq!(grams("12", "XYZ"), Err(QuantityError::UnknownUnit));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1 000", "NaN", "1.2.3", "1234567890123456789", "١"]
        {
            assert_eq!(text.parse::<Decimal>().err(), Some(QuantityError::NotDecimal), "{text}");
        }
        assert_eq!(grams("999999999999999999", "KTN"), Err(QuantityError::TooLarge));
    }

    #[test]
    fn masses_read_well() {
        let shown = |grams| Mass(grams).to_string();
        assert_eq!(
            [shown(2_750_000_000), shown(43_500), shown(7), shown(1_000_001), shown(2_000_500_000)],
            ["2750 t", "43.5 kg", "7 g", "1000.001 kg", "2000.5 t"]
        );
    }

    #[test]
    fn the_pure_part_of_a_mixture() {
        assert_eq!(Mass(1_000).pure(Ppm(350_000)), Mass(350));
        assert_eq!(Mass(1).pure(Ppm(500_000)), Mass(0));
        assert_eq!(Mass(3).pure(Ppm(500_000)), Mass(2));
    }

    proptest! {
        #[test]
        fn decimals_print_what_they_read(whole in 0_u64..1_000_000_000, fraction in proptest::option::of("[0-9]{1,6}")) {
            let text = fraction.map_or(whole.to_string(), |digits| format!("{whole}.{digits}"));
            prop_assert_eq!(text.parse::<Decimal>().expect("a decimal").to_string(), text);
        }

        #[test]
        fn nothing_panics(value in "\\PC{0,24}", unit in "[A-Z0-9]{0,3}", density in proptest::option::of(any::<u32>())) {
            let _mass = Quantity { value, unit }.mass(density);
        }
    }
}
