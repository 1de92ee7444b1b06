//! Goods as people write them: `--goods 'ammonium-nitrate 2750 t'`, completed from what is announced or from the substance list.

use super::amounts::{self, Amount};
use crate::cli::report::{Exit, Failure};
use crate::record::{Cas, Declared, Goods, Hs6, Packages, Ppm, Substance, SubstanceList};

/// Flags for goods.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::cli) struct GoodsArgs {
    /// Substance and net amount, such as 'ammonium-nitrate 2750 t'; more after commas, such as
    /// 'hydrogen-peroxide 24 t, 35 % w/w, 40 drums, gross 24.8 t'. Several lines are given one by one
    #[arg(id = "goods", long = "goods", value_name = "LINE", value_parser = line)]
    pub(in crate::cli) lines: Vec<Line>,
    /// Share of the substance in the goods, such as '35 % w/w'
    #[arg(long, value_name = "SHARE", value_parser = amounts::concentration)]
    concentration: Option<Ppm>,
    /// Density, for goods by volume, such as '1.13 kg/l'
    #[arg(long, value_name = "DENSITY", value_parser = amounts::density)]
    density: Option<u32>,
    /// Packages, such as '40 bags'
    #[arg(long, value_name = "PACKAGES", value_parser = amounts::packages)]
    packages: Vec<Packages>,
}

/// One line of goods as it was written.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Line {
    /// Substance, commodity code and CAS number; none for an amount alone.
    goods: Option<Goods>,
    net: Option<Amount>,
    gross: Option<Amount>,
    concentration: Option<Ppm>,
    density: Option<u32>,
    packages: Vec<Packages>,
}

impl GoodsArgs {
    /// The lines, each completed from the line of `announced` with the same substance, or from the substance list.
    ///
    /// # Errors
    /// If it is not clear which goods are meant, or in what unit.
    pub(in crate::cli) fn complete(&self, announced: &[Goods]) -> Result<Vec<Goods>, Failure> {
        let details = self.concentration.is_some() || self.density.is_some() || !self.packages.is_empty();
        if details && self.lines.len() != 1 {
            return Err(Failure::new(Exit::Usage, "--concentration, --density and --packages need one --goods")
                .hint("with several, write it into each: --goods 'hydrogen-peroxide 24 t, 35 % w/w, 40 drums'"));
        }
        self.lines.iter().map(|line| self.complete_line(line, announced)).collect()
    }

    fn complete_line(&self, line: &Line, announced: &[Goods]) -> Result<Goods, Failure> {
        let meant: Vec<&Goods> = match &line.goods {
            None => announced.iter().collect(),
            Some(goods) => announced.iter().filter(|known| known.substance == goods.substance).collect(),
        };
        let known = match (&line.goods, meant.as_slice()) {
            (_, [one]) => Some(*one),
            (Some(_), _) => None,
            (None, []) => {
                return Err(Failure::new(
                    Exit::Usage,
                    "--goods: which substance? Nothing is known here that it could be",
                ))
                .map_err(|failure| failure.hint("write it in full: --goods 'ammonium-nitrate 2750 t'"));
            }
            (None, several) => {
                let names: Vec<&str> = several.iter().filter_map(|goods| goods.substance.as_deref()).collect();
                return Err(Failure::new(Exit::Usage, format!("--goods: which of {}?", names.join(", ")))
                    .hint("write the substance too: --goods 'ammonium-nitrate 2750 t'"));
            }
        };
        // What it is follows from the announcement; how much, and in what packages, is said anew.
        let mut goods = known.map(what_it_is).unwrap_or_default();
        if let Some(named) = line.goods.clone() {
            goods.substance = named.substance;
            goods.hs6 = named.hs6.or(goods.hs6);
            goods.national_code = named.national_code.or(goods.national_code);
            goods.cas = named.cas.or(goods.cas);
        }
        let unit = known.and_then(|known| known.net.as_ref()).map(|net| net.unit.as_str());
        let in_unit = |amount: &Amount| {
            amount.quantity(unit).ok_or_else(|| {
                Failure::new(Exit::Usage, format!("--goods: {} of what?", amount.value))
                    .hint(format!("write the unit, such as {} t or kg", amount.value))
            })
        };
        goods.net = line.net.as_ref().map(in_unit).transpose()?;
        goods.gross = line.gross.as_ref().map(in_unit).transpose()?;
        goods.concentration_ppm = line.concentration.or(self.concentration).or(goods.concentration_ppm);
        goods.density_g_per_l = line.density.or(self.density).or(goods.density_g_per_l);
        goods.packages = [line.packages.as_slice(), self.packages.as_slice()].concat();
        Ok(goods)
    }
}

/// A line without its amounts, number and packages.
pub(in crate::cli) fn what_it_is(goods: &Goods) -> Goods {
    Goods {
        line: None,
        net: None,
        net_mass_g: None,
        gross: None,
        gross_mass_g: None,
        packages: Vec::new(),
        ..goods.clone()
    }
}

/// Reads one line of goods.
pub(in crate::cli) fn line(text: &str) -> Result<Line, String> {
    let mut parts = text.split(", ").map(str::trim);
    let (subject, amount) = subject(parts.next().unwrap_or_default());
    let goods = if subject.is_empty() { None } else { Some(identity(&subject)?) };
    if amount.is_empty() {
        return Err(format!("how much? Write '{subject} 2750 t'"));
    }
    let mut line = Line { goods, net: Some(amounts::amount(&amount)?), ..Line::default() };
    for part in parts {
        let digits = part.starts_with(|c: char| c.is_ascii_digit());
        if let Some(gross) = part.strip_prefix("gross ") {
            line.gross = Some(amounts::amount(gross)?);
        } else if part.contains('%') {
            line.concentration = Some(amounts::concentration(part)?);
        } else if digits && part.contains('/') {
            line.density = Some(amounts::density(part)?);
        } else if digits {
            line.packages.push(amounts::packages(part)?);
        } else if let (Some(code), Some(goods)) = (part.strip_prefix("hs "), line.goods.as_mut()) {
            goods.hs6 = Some(Declared::Valid(Hs6::of_national(code).map_err(|error| error.to_string())?));
            goods.national_code = Some(code.to_owned()).filter(|code| code.len() > 6);
        } else {
            return Err(format!(
                "{part}: after the amount may follow '35 % w/w', '1.13 kg/l', '40 bags', 'gross 24.8 t', 'hs 310230'"
            ));
        }
    }
    Ok(line)
}

/// The words before the amount, and the amount.
fn subject(text: &str) -> (String, String) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    // A commodity code or CAS number looks like a number, and one that is an amount follows.
    let by_number = words.first().is_some_and(|word| is_number(word) && word.len() >= 6)
        && words.get(1).is_some_and(|word| is_number(word));
    let start = usize::from(by_number);
    let at = words.iter().skip(start).position(|word| is_number(word)).map_or(words.len(), |at| at + start);
    let (subject, amount) = words.split_at(at);
    (subject.join("-"), amount.join(" "))
}

/// What a code, a commodity code or a CAS number stands for.
fn identity(subject: &str) -> Result<Goods, String> {
    let list = SubstanceList::current();
    let code = subject.to_lowercase();
    if let Some(substance) = list.get(&code) {
        return Ok(of_substance(substance));
    }
    if let Ok(cas) = subject.parse::<Cas>()
        && let Some(substance) = list.substances.iter().find(|substance| substance.cas == cas)
    {
        return Ok(Goods { cas: Some(Declared::Valid(cas)), ..of_substance(substance) });
    }
    let digits = subject.replace('.', "");
    if let Ok(hs6) = Hs6::of_national(&digits) {
        let substance = list.by_commodity(&digits).ok_or_else(|| not_listed(subject, list))?;
        if substance.hs6_shared.contains(&hs6) {
            return Err(format!("{subject} holds other goods too: write {} if it is that", substance.code));
        }
        let national_code = Some(digits).filter(|code| code.len() > 6);
        return Ok(Goods { hs6: Some(Declared::Valid(hs6)), national_code, ..of_substance(substance) });
    }
    Err(not_listed(subject, list))
}

/// The usual subheading goes along where there is only one.
fn of_substance(substance: &Substance) -> Goods {
    let hs6 = match substance.hs6.as_slice() {
        [one] => Some(Declared::Valid(one.clone())),
        _ => None,
    };
    Goods { substance: Some(substance.code.clone()), hs6, ..Goods::default() }
}

fn not_listed(subject: &str, list: &SubstanceList) -> String {
    let start: String = subject.chars().take(4).collect();
    let near: Vec<&str> = list
        .substances
        .iter()
        .map(|substance| substance.code.as_str())
        .filter(|code| code.starts_with(&start))
        .collect();
    let near = if near.is_empty() { String::new() } else { format!("; is it {}?", near.join(" or ")) };
    format!("{subject} is not on the substance list {}{near} (docs/import.md lists the codes)", list.version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json};

    fn goods(line: &[&str]) -> Result<serde_json::Value, String> {
        let announced = json(
            r#"{"goods": [{"line": 1, "substance": "ammonium-nitrate", "hs6": "310230", "description": "prilled",
                "net": {"value": "2750", "unit": "TNE"}, "net_mass_g": 2750000000, "packages": [{"type": "43", "count": 2750}]}]}"#,
        );
        let lines = args::<GoodsArgs>(line).complete(&announced.goods).map_err(|failure| failure.text())?;
        Ok(serde_json::to_value(lines).expect("goods"))
    }

    #[test]
    fn a_line_in_words_becomes_goods() {
        let lines = goods(&["--goods", "Hydrogen peroxide 24.5 t, 35 % w/w, 40 drums, 1.13 kg/l, gross 25 t"]).unwrap();
        let expected = serde_json::json!([{"substance": "hydrogen-peroxide", "hs6": "284700", "concentration_ppm": 350_000,
            "density_g_per_l": 1130, "net": {"value": "24.5", "unit": "TNE"}, "gross": {"value": "25", "unit": "TNE"},
            "packages": [{"type": "DR", "count": 40}]}]);
        assert_eq!(lines, expected);
        let flags = goods(&[
            "--goods",
            "hydrogen-peroxide 24.5 t, gross 25 t",
            "--concentration",
            "35 % w/w",
            "--density",
            "1.13 kg/l",
            "--packages",
            "40 drums",
        ]);
        assert_eq!(flags.unwrap(), expected);
    }

    #[test]
    fn codes_and_numbers_name_a_substance() {
        let of = |text: &str| goods(&["--goods", text]).unwrap()[0].clone();
        assert_eq!(of("6484-52-2 10 t")["substance"], "ammonium-nitrate");
        assert_eq!(of("31024010 10 t")["national_code"], "31024010");
        assert_eq!(of("31024010 10 t")["substance"], "calcium-ammonium-nitrate");
        assert_eq!(of("aluminium-powder 10 kg, hs 760320")["hs6"], "760320");
    }

    #[test]
    fn what_is_announced_is_filled_in_and_the_amount_is_not() {
        let expected = serde_json::json!([{"substance": "ammonium-nitrate", "hs6": "310230", "description": "prilled",
            "net": {"value": "2748.5", "unit": "TNE"}, "packages": []}]);
        let mut expected = expected;
        expected[0].as_object_mut().unwrap().remove("packages");
        assert_eq!(goods(&["--goods", "2748.5"]).unwrap(), expected);
        assert_eq!(goods(&["--goods", "ammonium-nitrate 2748.5"]).unwrap(), expected);
        assert_eq!(goods(&["--goods", "2748500 kg"]).unwrap()[0]["net"]["unit"], "KGM");
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        assert!(goods(&["--goods", "urea 10"]).unwrap_err().contains("10 of what?"));
        let two = ["--goods", "urea 10 t", "--goods", "acetone 1 t", "--packages", "40 bags"];
        assert!(goods(&two).unwrap_err().contains("write it into each"));
        for (text, told) in [
            ("amonium-nitrate 10 t", "not on the substance list"),
            ("ammonium-nitrat 10 t", "is it ammonium-nitrate?"),
            ("290420 10 t", "holds other goods too: write nitromethane"),
            ("urea", "how much?"),
            ("urea 2 750 t", "in one piece"),
            ("urea 10 t, in bags", "may follow"),
        ] {
            let error = line(text).expect_err(text);
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
