//! Numbers in cells, by the decimal sign of their table. Signs that part thousands are refused, not guessed.

use crate::record::{Decimal, QuantityError};

/// What parts the whole from the fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DecimalSign {
    Point,
    Comma,
}

/// A number with a hint for the reader.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// With a point: `2.75`.
    pub(super) text: String,
    /// Whether it reads as another number elsewhere: 2.750 is two thousand and something in half of Europe.
    pub(super) three_decimals: bool,
}

impl DecimalSign {
    /// Reads a cell.
    pub(super) fn read(self, cell: &str) -> Result<Number, QuantityError> {
        let text = match self {
            Self::Point => cell.to_owned(),
            // A point beside a decimal comma parts thousands.
            Self::Comma if cell.contains('.') => return Err(QuantityError::NotDecimal),
            Self::Comma => cell.replace(',', "."),
        };
        text.parse::<Decimal>()?;
        let three_decimals = text
            .split_once('.')
            .is_some_and(|(whole, fraction)| fraction.len() == 3 && whole.len() <= 3 && whole != "0");
        Ok(Number { text, three_decimals })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_kept_apart() {
        let text = |sign: DecimalSign, cell| sign.read(cell).map(|number| number.text);
        assert_eq!(text(DecimalSign::Point, "2750.5"), Ok("2750.5".into()));
        assert_eq!(text(DecimalSign::Comma, "2750,5"), Ok("2750.5".into()));
        for (sign, cell) in [
            (DecimalSign::Point, "2,750"),
            (DecimalSign::Comma, "2.750"),
            (DecimalSign::Comma, "2.750,5"),
            (DecimalSign::Point, "2 750"),
        ] {
            assert_eq!(text(sign, cell), Err(QuantityError::NotDecimal), "{cell}");
        }
    }

    #[test]
    fn what_may_be_thousands_is_marked() {
        assert!(DecimalSign::Comma.read("2,750").is_ok_and(|number| number.three_decimals));
        assert!(DecimalSign::Point.read("0.750").is_ok_and(|number| !number.three_decimals));
        assert!(DecimalSign::Point.read("2.75").is_ok_and(|number| !number.three_decimals));
    }
}
