//! One goods line of a declaration.

use std::collections::BTreeMap;

use crate::formats::source::Source;
use crate::formats::xml::Element;
use crate::formats::{ImportError, Note, Reason};
use crate::record::{Currency, Decimal, Declared, Goods, Hs6, Money, Packages, Quantity, Substance, UnitCode, Value};

/// Reads a line whose goods are scheduled. It has to say how much.
pub(super) fn goods_line(
    source: &Source<'_>,
    item: &Element,
    at: usize,
    commodity: &str,
    substance: &Substance,
    notes: &mut Vec<Note>,
) -> Result<(Goods, Option<Value>), ImportError> {
    let number = item.text_at(&["SequenceNumeric"]).and_then(|number| number.parse().ok());
    let line = number.unwrap_or_else(|| u32::try_from(at + 1).unwrap_or(u32::MAX));
    let goods_element = item.child("Commodity").unwrap_or(item);
    let net = quantity(source, goods_element, "NetNetWeightMeasure", "net mass")?;
    let Some(net) = net else {
        return Err(source.error(item.start, Reason::NoMass { line, substance: substance.code.clone() }));
    };
    let hs6 = Hs6::of_national(commodity).ok();
    if let Some(hs6) = hs6.as_ref().filter(|hs6| substance.hs6_shared.contains(hs6)) {
        notes.push(Note::SubstanceAssumed { hs6: hs6.to_string(), substance: substance.code.clone() });
    }
    let goods = Goods {
        line: Some(line),
        substance: Some(substance.code.clone()),
        hs6: hs6.map(Into::into),
        national_code: Some(commodity.to_owned()),
        un_number: goods_element.text_at(&["DangerousGoods", "UNDGID"]).map(Declared::read),
        description: goods_element.text_at(&["Description"]).map(Into::into),
        net: Some(net),
        gross: quantity(source, goods_element, "GrossMassMeasure", "gross mass")?,
        packages: item.all("Packaging").filter_map(|packaging| packages(packaging, notes)).collect(),
        ..Goods::default()
    };
    Ok((goods, value(item, line, notes)))
}

/// A mass with its unit. The model's default is the kilogram; what follows a `#` qualifies the unit and does not change it.
fn quantity(
    source: &Source<'_>,
    goods: &Element,
    name: &str,
    field: &'static str,
) -> Result<Option<Quantity>, ImportError> {
    let Some(measure) = goods.at(&["GoodsMeasure", name]) else { return Ok(None) };
    let Some(value) = measure.text() else { return Ok(None) };
    let unit = measure.attribute("unitCode").unwrap_or(UnitCode::KILOGRAM.as_str());
    let unit = unit.split('#').next().unwrap_or_default();
    let quantity = Quantity { value: value.to_owned(), unit: unit.to_owned() };
    quantity.mass(None).map_err(|why| {
        let value = format!("{value} {unit}");
        source.error(measure.start, Reason::Quantity { field, value, why })
    })?;
    Ok(Some(quantity))
}

fn packages(packaging: &Element, notes: &mut Vec<Note>) -> Option<Packages> {
    let value = packaging.text_at(&["QuantityQuantity"])?;
    let Some(count) = value.parse::<Decimal>().ok().and_then(|count| count.scaled(0)) else {
        notes.push(Note::LeftOut { field: "packages", value: value.to_owned() });
        return None;
    };
    let kind = packaging.text_at(&["TypeCode"]).map(Into::into);
    Some(Packages {
        kind,
        count,
        marks: packaging.text_at(&["MarksNumbersID"]).map(Into::into),
        other: BTreeMap::new(),
    })
}

/// The statistical value in minor units of its currency.
fn value(item: &Element, line: u32, notes: &mut Vec<Note>) -> Option<Value> {
    let amount = item.child("StatisticalValueAmount")?;
    let (text, currency) = (amount.text()?, Declared::<Currency>::read(amount.attribute("currencyID")?));
    let places = currency.valid().and_then(Currency::exponent).unwrap_or(2);
    let minor =
        text.parse::<Decimal>().ok().and_then(|value| value.scaled(places)).and_then(|minor| i64::try_from(minor).ok());
    let Some(minor) = minor else {
        notes.push(Note::LeftOut { field: "value", value: format!("{text} {currency}") });
        return None;
    };
    Some(Value { line: Some(line), amount: Money { minor, currency } })
}
