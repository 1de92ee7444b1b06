//! Days, places, ships, containers and the like as people write them on a command line.

use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::encoding::time::UnixTime;
use crate::node::clock;
use crate::record::{
    Conveyance, Country, Date, Declared, ImoNumber, Malformed, PartyId, Place, SealedContainer, Shipment, Unlocode,
    Window,
};

/// One of the words of a closed set; the help lists them.
pub(in crate::cli) fn word<T>(all: &'static [T]) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = Malformed> + AsRef<str> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.iter().map(AsRef::as_ref)).try_map(|text| text.parse::<T>())
}

/// A moment: `2026-12-03`, which is its first second in UTC, `2026-12-03T10:30:00+04:00`, or `now`.
pub(in crate::cli) fn time(text: &str) -> Result<UnixTime, String> {
    if text == "now" {
        return Ok(clock::now());
    }
    let day = text.parse::<Date>().ok().and_then(Date::start);
    day.or_else(|| text.parse().ok())
        .ok_or_else(|| "write a day like 2026-12-03, a time with its zone like 2026-12-03T10:30:00Z, or now".to_owned())
}

/// Days: `2026-12-01..2026-12-05`, one of them open (`..2026-12-05`), or one day.
pub(in crate::cli) fn window(text: &str) -> Result<Window, String> {
    const FORM: &str = "write days like 2026-12-01..2026-12-05, ..2026-12-05 or 2026-12-01";
    let day = |text: &str| if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| FORM.to_owned()) };
    let (earliest, latest) = match text.split_once("..") {
        Some((earliest, latest)) => (day(earliest)?, day(latest)?),
        None => (day(text)?, day(text)?),
    };
    let window = Window { earliest, latest };
    if window.is_sound() { Ok(window) } else { Err(format!("the days end before they begin: {FORM}")) }
}

/// A place: a UN/LOCODE (`GEPTI`), a country (`GE`), or a name with its country (`Rustavi, GE`).
pub(in crate::cli) fn place(text: &str) -> Result<Place, String> {
    const FORM: &str =
        "write a place as UN/LOCODE in capitals like GEPTI, as country like GE, or with a name like 'Rustavi, GE'";
    let joined: String = text.split_whitespace().collect();
    if let Some((name, country)) = text.rsplit_once(',') {
        let country: Country = country.trim().parse().map_err(|_| FORM.to_owned())?;
        return Ok(Place { name: Some(name.trim().to_owned()), ..Place::in_country(country.into()) });
    }
    if let Ok(country) = joined.parse::<Country>() {
        return Ok(Place::in_country(country.into()));
    }
    let unlocode: Unlocode = joined.parse().map_err(|_| FORM.to_owned())?;
    Ok(Place { unlocode: Some(unlocode.into()), ..Place::default() })
}

/// A container with its seals: `CSQU3054383 SEAL-1 SEAL-2`.
pub(in crate::cli) fn container(text: &str) -> Result<SealedContainer, String> {
    let mut words = text.split_whitespace();
    let number = words
        .next()
        .unwrap_or_default()
        .parse()
        .map_err(|error: Malformed| format!("{error}; seals follow it, with blanks between"))?;
    Ok(SealedContainer {
        number: Declared::Valid(number),
        seals: words.map(str::to_owned).collect(),
        other: Default::default(),
    })
}

/// A partial shipment: `2/11`.
pub(in crate::cli) fn shipment(text: &str) -> Result<Shipment, String> {
    let numbers = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
    let (number, of) = numbers.ok_or_else(|| "the second of eleven shipments is written 2/11".to_owned())?;
    if number == 0 || number > of {
        return Err("a shipment is numbered from 1 to the number of shipments".to_owned());
    }
    Ok(Shipment { number, of })
}

/// An identifier with its scheme: `EORI GE204567890`.
pub(in crate::cli) fn party_id(text: &str) -> Result<PartyId, String> {
    let (scheme, value) = text
        .trim()
        .split_once(char::is_whitespace)
        .ok_or_else(|| "write the scheme before the identifier, such as 'EORI GE204567890'".to_owned())?;
    Ok(PartyId { scheme: scheme.to_owned(), value: value.trim().to_owned(), other: Default::default() })
}

/// An IMO ship number with or without its letters: `IMO 9074729`.
pub(in crate::cli) fn imo(text: &str) -> Result<ImoNumber, String> {
    let digits: String = text.trim_start_matches("IMO").split_whitespace().collect();
    format!("IMO{digits}").parse().map_err(|error: Malformed| error.to_string())
}

/// A mode of transport in words.
pub(in crate::cli) fn mode(text: &str) -> Result<u8, String> {
    const MODES: [(&str, u8); 8] = [
        ("sea", 1),
        ("rail", 2),
        ("road", 3),
        ("air", 4),
        ("mail", 5),
        ("multimodal", 6),
        ("pipeline", 7),
        ("river", 8),
    ];
    let named = MODES.iter().find(|(name, _)| *name == text);
    named.map(|(_, mode)| *mode).ok_or_else(|| {
        let names: Vec<&str> = MODES.iter().map(|(name, _)| *name).collect();
        format!("write one of {}", names.join(", "))
    })
}

/// `yes` or `no`.
pub(in crate::cli) fn yes_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("write yes or no".to_owned()),
    }
}

/// A conveyance by its name alone.
pub(in crate::cli) fn conveyance(name: &str) -> Conveyance {
    Conveyance { name: Some(name.to_owned()), ..Conveyance::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times() {
        assert_eq!(time("2013-09-23").unwrap().to_string(), "2013-09-23T00:00:00Z");
        assert_eq!(time("2013-09-23T10:30:00+04:00").unwrap().to_string(), "2013-09-23T06:30:00Z");
        assert!(time("23.9.2013").is_err() && time("2013-09-23T10:30:00").is_err());
        let days = |text| window(text).map(|window| (window.earliest.is_some(), window.latest.is_some()));
        assert_eq!(days("2013-09-23..2013-09-27"), Ok((true, true)));
        assert_eq!(
            (days("2013-09-23.."), days("..2013-09-23"), days("2013-09-23")),
            (Ok((true, false)), Ok((false, true)), Ok((true, true)))
        );
        assert!(days("2013-09-27..2013-09-23").is_err() && days("..").is_err() && days("soon").is_err());
    }

    #[test]
    fn places_have_three_forms_and_no_fourth() {
        let country = |text| place(text).map(|place| place.country().map(|country| country.to_string()));
        for text in ["GEPTI", "GE PTI", "GE", "Rustavi, GE", "Plant 4, Rustavi, GE"] {
            assert_eq!(country(text), Ok(Some("GE".to_owned())), "{text}");
        }
        for text in ["Batumi", "Basra", "gepti", "Rustavi, Georgia", ""] {
            assert!(country(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ships_containers_and_shipments() {
        assert_eq!(imo("9074729"), imo("IMO 9074729"));
        assert!(imo("9074728").unwrap_err().contains("check digit"));
        assert_eq!(container("CSQU3054383 A1 A2").unwrap().seals, ["A1", "A2"]);
        assert!(container("CSQU3054384").unwrap_err().contains("check digit"));
        assert_eq!(shipment("2/11"), Ok(Shipment { number: 2, of: 11 }));
        assert!(shipment("12/11").is_err() && shipment("2 of 11").is_err());
        assert_eq!((mode("sea"), yes_no("no")), (Ok(1), Ok(false)));
        assert!(mode("ship").unwrap_err().contains("sea"));
        assert_eq!(party_id("EORI GE204567890").unwrap().value, "GE204567890");
        assert!(party_id("GE204567890").is_err());
    }
}
