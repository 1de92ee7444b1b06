//! Amounts as people write them: `2750 t`, `35 % w/w`, `1.13 kg/l`, `40 bags`. What can be read in two ways is refused, and the answer
//! says what to write.

use crate::record::{Decimal, Packages, Ppm, Quantity, UnitCode};

/// A number, and the Rec 20 code of its unit if one was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Amount {
    /// The number as it was written.
    pub(in crate::cli) value: String,
    /// The unit; none if the number stood alone.
    pub(in crate::cli) unit: Option<UnitCode>,
}

/// Units in words.
const UNITS: [(&str, &[&str]); 14] = [
    ("TNE", &["t", "tonne", "tonnes"]),
    ("KGM", &["kg", "kilogram", "kilograms"]),
    ("GRM", &["g", "gram", "grams"]),
    ("MGM", &["mg", "milligram", "milligrams"]),
    ("KTN", &["kt", "kilotonne", "kilotonnes"]),
    ("DTN", &["dt"]),
    ("LBR", &["lb", "lbs", "pound", "pounds"]),
    ("ONZ", &["oz", "ounce", "ounces"]),
    ("STN", &["short-ton", "short-tons"]),
    ("LTN", &["long-ton", "long-tons"]),
    ("LTR", &["l", "litre", "litres", "liter", "liters"]),
    ("MLT", &["ml"]),
    ("HLT", &["hl"]),
    ("MTQ", &["m3", "m³"]),
];

/// Units that mean several things, as they are written, each with what to write.
const UNCLEAR: [(&str, &str); 16] = [
    ("ton", TON),
    ("tons", TON),
    ("Ton", TON),
    ("Tons", TON),
    ("TON", TON),
    ("TONS", TON),
    ("MT", "may be a tonne or a megatonne: write t (1000 kg)"),
    ("Mt", "may be a tonne or a megatonne: write t (1000 kg)"),
    ("mt", "may be a tonne or a megatonne: write t (1000 kg)"),
    ("Mg", "may be a megagram or a milligram: write t (1000 kg) or mg"),
    ("MG", "may be a megagram or a milligram: write t (1000 kg) or mg"),
    ("gal", GALLON),
    ("gallon", GALLON),
    ("gallons", GALLON),
    ("q", "differs from country to country: write dt (100 kg) or kg"),
    ("cwt", "differs from country to country: write kg or lb"),
];

const TON: &str = "may be t (1000 kg), short-ton (907 kg) or long-ton (1016 kg): write one of these";
const GALLON: &str = "differs from country to country: write l";

/// Types of packages in words, each with its code of UN/ECE Recommendation 21.
const PACKAGES: [(&str, &[&str]); 11] = [
    ("BG", &["bag", "bags"]),
    ("43", &["big-bag", "big-bags", "super-bulk-bag", "super-bulk-bags"]),
    ("DR", &["drum", "drums"]),
    ("BA", &["barrel", "barrels"]),
    ("BX", &["box", "boxes"]),
    ("BO", &["bottle", "bottles"]),
    ("CT", &["carton", "cartons"]),
    ("CY", &["cylinder", "cylinders"]),
    ("PX", &["pallet", "pallets"]),
    ("SA", &["sack", "sacks"]),
    ("WA", &["ibc", "ibcs"]),
];

impl Amount {
    /// The amount in its own unit, else in this one.
    pub(in crate::cli) fn quantity(&self, else_unit: Option<&str>) -> Option<Quantity> {
        let unit = self.unit.map(UnitCode::as_str).or(else_unit)?;
        Some(Quantity { value: self.value.clone(), unit: unit.to_owned() })
    }
}

/// An amount with its unit, or a number alone.
pub(in crate::cli) fn amount(text: &str) -> Result<Amount, String> {
    let (number, unit) = split(text);
    let value = number_of(number, text)?;
    let unit = if unit.is_empty() { None } else { Some(unit_of(unit)?) };
    Ok(Amount { value, unit })
}

/// An amount whose unit has to be there.
pub(in crate::cli) fn quantity(text: &str) -> Result<Quantity, String> {
    let amount = amount(text)?;
    amount
        .quantity(None)
        .ok_or_else(|| format!("{} of what? Write the unit, such as {} t or kg", amount.value, amount.value))
}

/// A share by weight: `35 % w/w`.
pub(in crate::cli) fn concentration(text: &str) -> Result<Ppm, String> {
    let (number, rest) = split(text);
    let basis: String = rest.split_whitespace().collect();
    match basis.as_str() {
        "%w/w" => {}
        "%" => return Err(format!("{number} % of what? Write {number} % w/w if it is by weight")),
        "%w/v" | "%v/v" => {
            return Err("only a share by weight can be kept: convert it with the density, and write % w/w".to_owned());
        }
        _ => return Err("a concentration is written like 35 % w/w".to_owned()),
    }
    let decimal: Decimal = number.parse().map_err(|_| not_a_number(number))?;
    let ppm = decimal.scaled(4).and_then(|ppm| u32::try_from(ppm).ok());
    let ppm = ppm.ok_or_else(|| "a concentration has at most four decimals".to_owned())?;
    Ppm::try_from(ppm).map_err(|_| format!("{number} % is more than the whole"))
}

/// A density: `1.13 kg/l`, `1130 g/l`. Whole grams per litre.
pub(in crate::cli) fn density(text: &str) -> Result<u32, String> {
    let (number, unit) = split(text);
    let places = match unit {
        "kg/l" | "g/ml" | "g/cm3" | "g/cm³" | "t/m3" | "t/m³" => 3,
        "g/l" | "kg/m3" | "kg/m³" => 0,
        _ => return Err("a density is written like 1.13 kg/l or 1130 g/l".to_owned()),
    };
    let decimal: Decimal = number.parse().map_err(|_| not_a_number(number))?;
    let whole = decimal.scaled(places).and_then(|grams| u32::try_from(grams).ok()).filter(|grams| *grams > 0);
    whole.ok_or_else(|| "a density is a whole number of grams per litre above 0".to_owned())
}

/// Packages: `40 bags`, or with a code of UN/ECE Recommendation 21: `40 BG`.
pub(in crate::cli) fn packages(text: &str) -> Result<Packages, String> {
    let (number, what) = split(text);
    let count: u64 =
        number.parse().map_err(|_| "packages are written like 40 bags, without marks in the number".to_owned())?;
    let words = what.split_whitespace().collect::<Vec<_>>().join("-");
    let named = PACKAGES.iter().find(|(_, names)| names.contains(&words.to_lowercase().as_str()));
    let is_code = words.len() == 2 && words.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let kind = match named {
        Some((code, _)) => (*code).to_owned(),
        None if is_code => words,
        None => {
            let known: Vec<&str> = PACKAGES.iter().filter_map(|(_, names)| names.last().copied()).collect();
            return Err(format!("packages are {}, or a code of UN/ECE Recommendation 21 such as BG", known.join(", ")));
        }
    };
    Ok(Packages { kind: Some(kind), count, ..Packages::default() })
}

/// A number that can be read in one way only.
pub(super) fn number_of(number: &str, text: &str) -> Result<String, String> {
    if let Some((whole, fraction)) = number.split_once(',') {
        let (joined, pointed) = (number.replace([',', '.'], ""), format!("{whole}.{fraction}"));
        return Err(match pointed.parse::<Decimal>() {
            Ok(_) => format!("{number} may be {joined} or {pointed}: write one of these"),
            Err(_) => format!("{number} has marks between its digits: write {joined}"),
        });
    }
    if number.contains(['\'', '’', '_']) {
        return Err(format!("{number} has marks between its digits: write {}", number.replace(['\'', '’', '_'], "")));
    }
    number.parse::<Decimal>().map_err(|_| not_a_number(if number.is_empty() { text } else { number }))?;
    if let Some((whole, fraction)) = number.split_once('.')
        && fraction.len() == 3
        && whole.len() <= 3
        && !whole.starts_with('0')
    {
        return Err(format!("{number} may be {whole}{fraction} or {number}0: write one of these"));
    }
    Ok(number.to_owned())
}

fn not_a_number(text: &str) -> String {
    format!("{text} is not a number: write it like 2750 or 43.5")
}

fn unit_of(word: &str) -> Result<UnitCode, String> {
    if let Some((_, what)) = UNCLEAR.iter().find(|(unclear, _)| *unclear == word) {
        return Err(format!("{word} {what}"));
    }
    let joined = word.split_whitespace().collect::<Vec<_>>().join("-");
    let lower = joined.to_lowercase();
    let named = UNITS.iter().find(|(_, words)| words.contains(&lower.as_str())).map(|(code, _)| *code);
    let first = word.chars().next().is_some_and(|c| c.is_ascii_digit());
    if first {
        return Err(format!(
            "marks or blanks part the digits before {word}: write the number in one piece, such as 2750"
        ));
    }
    named.unwrap_or(&joined).parse().map_err(|_| {
        format!("{word} is no unit that can be converted: write t, kg, g, lb, l, m3 or a code of UN/ECE Recommendation 20 such as TNE")
    })
}

/// A number and what follows it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && !".,'’_".contains(c)).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    (number, rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, String), String> {
        quantity(text).map(|quantity| (quantity.value, quantity.unit))
    }

    #[test]
    fn amounts_are_read_in_words() {
        for (text, value, unit) in [
            ("2750 t", "2750", "TNE"),
            ("43.5kg", "43.5", "KGM"),
            ("24.5 tonnes", "24.5", "TNE"),
            ("24.5 TNE", "24.5", "TNE"),
            ("0.125 t", "0.125", "TNE"),
            ("1.2500 t", "1.2500", "TNE"),
            ("12 short tons", "12", "STN"),
            ("200 L", "200", "LTR"),
            ("3 m³", "3", "MTQ"),
        ] {
            assert_eq!(read(text), Ok((value.to_owned(), unit.to_owned())), "{text}");
        }
        assert_eq!(amount("2750"), Ok(Amount { value: "2750".to_owned(), unit: None }));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused_with_what_to_write() {
        for (text, told) in [
            ("2750 ton", "write one of these"),
            ("2750 MT", "write t (1000 kg)"),
            ("5 Mg", "write t (1000 kg) or mg"),
            ("2,750 t", "2,750 may be 2750 or 2.750: write one of these"),
            ("2.750 t", "2.750 may be 2750 or 2.7500: write one of these"),
            ("2,750,000 kg", "write 2750000"),
            ("2'750 kg", "write 2750"),
            ("2 750 t", "in one piece"),
            ("2750", "Write the unit"),
            ("2750 bushels", "no unit that can be converted"),
            ("many t", "not a number"),
            ("10 gallons", "write l"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn shares_densities_and_packages() {
        assert_eq!(concentration("35 % w/w"), Ppm::try_from(350_000).map_err(|error| error.to_string()));
        assert_eq!(concentration("7.0125%w/w"), Ppm::try_from(70_125).map_err(|error| error.to_string()));
        for (text, told) in
            [("35 %", "35 % w/w if it is by weight"), ("35 % w/v", "by weight"), ("101 % w/w", "more than the whole")]
        {
            assert!(concentration(text).expect_err(text).contains(told), "{text}");
        }
        assert_eq!((density("1.13 kg/l"), density("1.130 kg/l"), density("1130 g/l")), (Ok(1130), Ok(1130), Ok(1130)));
        assert!(density("1.13").is_err() && density("0 g/l").is_err() && density("1.1301 kg/l").is_err());
        let counted = |text| packages(text).map(|packages| (packages.kind.unwrap_or_default(), packages.count));
        assert_eq!(counted("40 bags"), Ok(("BG".to_owned(), 40)));
        assert_eq!(counted("2 super bulk bags"), Ok(("43".to_owned(), 2)));
        assert_eq!(counted("7 VL"), Ok(("VL".to_owned(), 7)));
        assert!(counted("40").is_err() && counted("4,0 bags").is_err() && counted("40 things").is_err());
    }
}
