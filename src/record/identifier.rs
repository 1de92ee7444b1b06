//! Identifiers that come with a format, and some with a check digit. Each type exists only for a text that passes.

use std::fmt;
use std::str::FromStr;

use super::check_digit::check_digit;

/// Why a text is not the identifier it is given for. Carries no text: the finding that holds it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Malformed {
    /// The length or the characters are wrong.
    #[error("{0}")]
    Form(&'static str),
    /// The form is right and the check digit is not: a typing error, most often.
    #[error("the check digit of the {0} is wrong")]
    CheckDigit(&'static str),
    /// The form is right and the code list does not have it.
    #[error("not in {0}")]
    Unlisted(&'static str),
    /// Not one of a few words.
    #[error("not one of {0}")]
    NotOneOf(&'static str),
}

/// A text type whose only constructor is a check.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        // What a sealed record says must not reach a log through a debug print.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

checked_text!(
    /// A country: ISO 3166-1 alpha-2, and the user-assigned `XK` that is in general use.
    Country,
    country
);
checked_text!(
    /// A currency: ISO 4217, three letters.
    Currency,
    currency
);
checked_text!(
    /// A CAS registry number with its check digit: `6484-52-2`.
    Cas,
    cas
);
checked_text!(
    /// A subheading of the Harmonized System: six digits without a dot, `310230`.
    Hs6,
    hs6
);
checked_text!(
    /// A United Nations number for dangerous goods: four digits, `1942`.
    UnNumber,
    un_number
);
checked_text!(
    /// A freight container number (ISO 6346) with its check digit: `CSQU3054383`.
    Container,
    container
);
checked_text!(
    /// A customs movement reference number: 18 characters, the last one a check digit.
    Mrn,
    mrn
);
checked_text!(
    /// A place by UN/LOCODE: `GEBUS`. The form only: the list itself is the operator's.
    Unlocode,
    unlocode
);
checked_text!(
    /// A unique consignment reference (WCO recommendation of 2004): 1 to 35 printable ASCII characters.
    Ucr,
    ucr
);
checked_text!(
    /// An IMO ship number with its check digit: `IMO` and seven digits.
    ImoNumber,
    imo_number
);

impl Currency {
    /// How many digits of the minor unit follow the decimal point: 2 for EUR, 0 for JPY. `None` where ISO 4217 has none (gold).
    pub fn exponent(&self) -> Option<u32> {
        iso_currency::Currency::from_code(&self.0).and_then(|currency| currency.exponent()).map(u32::from)
    }
}

impl Unlocode {
    /// The country that the first two letters name, if it is one.
    pub fn country(&self) -> Option<Country> {
        self.0.get(..2).and_then(|letters| letters.parse().ok())
    }
}

impl Hs6 {
    /// The first six digits of a national commodity code of six to ten digits.
    ///
    /// # Errors
    /// If there are fewer than six or more than ten characters, or one is not a digit.
    pub fn of_national(code: &str) -> Result<Self, Malformed> {
        if !(6..=10).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Malformed::Form("a commodity code has 6 to 10 digits"));
        }
        code.get(..6).ok_or(Malformed::Form("a commodity code has 6 to 10 digits"))?.parse()
    }
}

fn ensure(holds: bool, fault: Malformed) -> Result<(), Malformed> {
    if holds { Ok(()) } else { Err(fault) }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn capitals(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn country(text: &str) -> Result<(), Malformed> {
    ensure(text.len() == 2 && capitals(text), Malformed::Form("a country is two capital letters"))?;
    ensure(text == "XK" || rust_iso3166::from_alpha2(text).is_some(), Malformed::Unlisted("ISO 3166-1"))
}

fn currency(text: &str) -> Result<(), Malformed> {
    ensure(text.len() == 3 && capitals(text), Malformed::Form("a currency is three capital letters"))?;
    ensure(iso_currency::Currency::from_code(text).is_some(), Malformed::Unlisted("ISO 4217"))
}

fn cas(text: &str) -> Result<(), Malformed> {
    const FORM: Malformed =
        Malformed::Form("a CAS number is 2 to 7 digits, 2 digits and a check digit, with hyphens between");
    let mut parts = text.split('-');
    let (Some(first), Some(second), Some(check), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(FORM);
    };
    ensure((2..=7).contains(&first.len()) && second.len() == 2 && check.len() == 1, FORM)?;
    ensure(digits(first) && digits(second) && digits(check), FORM)?;
    let sum: usize = first
        .bytes()
        .chain(second.bytes())
        .rev()
        .zip(1..)
        .map(|(digit, weight)| usize::from(digit - b'0') * weight)
        .sum();
    ensure(check.bytes().eq([b'0' + u8::try_from(sum % 10).unwrap_or(0)]), Malformed::CheckDigit("CAS number"))
}

fn hs6(text: &str) -> Result<(), Malformed> {
    ensure(text.len() == 6 && digits(text), Malformed::Form("an HS subheading is six digits"))?;
    // Chapter 77 is reserved, 98 and 99 are for national use.
    let chapter = text.get(..2).unwrap_or_default();
    ensure(
        ("01"..="97").contains(&chapter) && chapter != "77",
        Malformed::Unlisted("the chapters of the Harmonized System"),
    )
}

fn un_number(text: &str) -> Result<(), Malformed> {
    ensure(text.len() == 4 && digits(text), Malformed::Form("a UN number is four digits"))
}

fn container(text: &str) -> Result<(), Malformed> {
    let (owner, number) = text.split_at_checked(4).unwrap_or(("", ""));
    let form = text.len() == 11
        && capitals(owner)
        && digits(number)
        && matches!(owner.as_bytes().last(), Some(b'U' | b'J' | b'Z' | b'R'));
    ensure(form, Malformed::Form("a container number is three letters, one of U J Z R, and seven digits"))?;
    let (body, check) = text.split_at(10);
    ensure(
        check_digit(body).is_some_and(|digit| check.bytes().eq([b'0' + digit])),
        Malformed::CheckDigit("container number"),
    )
}

fn mrn(text: &str) -> Result<(), Malformed> {
    let bytes = text.as_bytes();
    let form = bytes.len() == 18
        && bytes.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && bytes[..2].iter().all(u8::is_ascii_digit)
        && bytes[2..4].iter().all(u8::is_ascii_uppercase)
        && bytes[17].is_ascii_digit();
    ensure(
        form,
        Malformed::Form(
            "a movement reference number is 18 characters: year, country, 13 letters or digits, and a check digit",
        ),
    )?;
    let (body, check) = text.split_at(17);
    ensure(
        check_digit(body).is_some_and(|digit| check.bytes().eq([b'0' + digit])),
        Malformed::CheckDigit("movement reference number"),
    )
}

fn unlocode(text: &str) -> Result<(), Malformed> {
    const FORM: Malformed = Malformed::Form("a UN/LOCODE is two letters for the country and three of A-Z 2-9");
    let (land, place) = text.split_at_checked(2).ok_or(FORM)?;
    ensure(text.len() == 5 && capitals(land), FORM)?;
    ensure(place.bytes().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'9').contains(&byte)), FORM)
}

fn ucr(text: &str) -> Result<(), Malformed> {
    let form = (1..=35).contains(&text.len()) && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    ensure(
        form && text.trim() == text,
        Malformed::Form("a consignment reference is 1 to 35 printable ASCII characters"),
    )
}

fn imo_number(text: &str) -> Result<(), Malformed> {
    const FORM: Malformed = Malformed::Form("an IMO ship number is IMO and seven digits");
    let number = text.strip_prefix("IMO").ok_or(FORM)?;
    ensure(number.len() == 7 && digits(number), FORM)?;
    let values: Vec<u32> = number.bytes().map(|byte| u32::from(byte - b'0')).collect();
    let sum: u32 = values.iter().zip((2..=7).rev()).map(|(digit, weight)| digit * weight).sum();
    ensure(values.last() == Some(&(sum % 10)), Malformed::CheckDigit("IMO ship number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: FromStr<Err = Malformed>>(good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(text.parse::<T>().is_ok(), "{text} should pass");
        }
        for text in bad {
            assert!(text.parse::<T>().is_err(), "{text} should not pass");
        }
    }

    #[test]
    fn each_identifier_takes_the_right_and_refuses_the_wrong() {
        check::<Country>(&["GE", "TR", "LB", "MZ", "XK"], &["ZG", "XI", "ge", "GEO", "", "É"]);
        check::<Currency>(&["EUR", "JPY", "BHD"], &["EURO", "ZZZ", "eur"]);
        check::<Cas>(
            &["6484-52-2", "108-24-7", "15245-12-2"],
            &["6484-52-3", "6484522", "1-24-7", "", "-52-2", "é484-52-2"],
        );
        check::<Hs6>(&["310230", "970110"], &["3102.30", "770000", "990000", "31023", "000000"]);
        check::<UnNumber>(&["1942", "0222"], &["222", "UN1942", "19422"]);
        check::<Container>(
            &["CSQU3054383"],
            &["CSQU3054384", "CONU1234567", "DHAU9384333", "PSSU8023971", "ééé", "CSQX3054383"],
        );
        check::<Mrn>(&["06DE586600006143E1"], &["06DE586600006143E2", "6DE", "06de586600006143E1"]);
        check::<Unlocode>(&["GEBUS", "MZBEW", "LBBEY", "TRIST"], &["GEBU", "GEBU1", "gebus", "GE BUS"]);
        check::<Ucr>(&["3GB427168118378-3105A1", "x"], &["", "é", " x", "0123456789012345678901234567890123456"]);
        check::<ImoNumber>(&["IMO9074729"], &["IMO9074728", "9074729", "IMO907472"]);
    }

    #[test]
    fn currencies_know_their_minor_unit() {
        let exponent = |code: &str| code.parse::<Currency>().expect("listed").exponent();
        assert_eq!((exponent("EUR"), exponent("JPY"), exponent("BHD")), (Some(2), Some(0), Some(3)));
    }

    #[test]
    fn debug_shows_nothing() {
        let ucr: Ucr = "5GE-SECRET".parse().expect("a reference");
        assert_eq!(format!("{ucr:?}"), "Ucr(..)");
    }

    #[test]
    fn a_national_code_gives_its_subheading() {
        assert_eq!(Hs6::of_national("31023090").expect("eight digits").as_str(), "310230");
        assert!(Hs6::of_national("3102").is_err());
        assert!(Hs6::of_national("3102309000A").is_err());
    }
}
