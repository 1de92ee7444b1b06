//! R05, R09 and R10.

use super::*;

fn line(json: Json) -> Json {
    let line = with(
        json!({"line": 1, "substance": "hydrogen-peroxide", "hs6": "284700", "net": {"value": "20", "unit": "TNE"}}),
        json,
    );
    with(plain(), json!({"goods": [line]}))
}

fn of_line(code: Code, json: Json) -> Found {
    let mut world = World::new();
    let notified = world.say("GE", "2026-01-05", "E02", line(json));
    found(&world, &notified, "2026-01-06", code)
}

fn says(found: &Found, part: &str) -> bool {
    matches!(found, Found::Hit(words) if words.contains(part))
}

#[test]
fn r05_codes_that_contradict_each_other() {
    let of = |json: Json| of_line(Code::R05, json);
    assert_eq!(of(json!({})), Found::Clear);
    assert_eq!(of(json!({"cas": "7722-84-1", "un_number": "2014", "concentration_ppm": 350_000})), Found::Clear);
    assert!(says(&of(json!({"hs6": "310210"})), "under a subheading that it does not belong to"));
    assert!(says(&of(json!({"cas": "57-13-6"})), "a CAS number that is not that of hydrogen-peroxide"));
    assert!(says(&of(json!({"un_number": "1942"})), "a UN number that hydrogen-peroxide does not travel under"));
    assert!(says(
        &of(json!({"un_number": "2014", "concentration_ppm": 70_000})),
        "a concentration that its UN number is not for"
    ));
    assert!(says(
        &of(json!({"un_number": "2984", "concentration_ppm": 350_000})),
        "a concentration that its UN number is not for"
    ));
    assert_eq!(of(json!({"un_number": "2014"})), Found::Unknown("the concentration in line 1".to_owned()));
    let solid =
        json!({"substance": "urea", "hs6": "310210", "net": {"value": "9", "unit": "LTR"}, "density_g_per_l": 1_300});
    assert!(says(&of(solid), "measures a solid, urea, by volume"));
}

#[test]
fn r05_a_description_of_something_else() {
    let of = |substance: &str, hs6: &str, text: &str| {
        of_line(Code::R05, json!({"substance": substance, "hs6": hs6, "description": text}))
    };
    assert!(says(&of("urea", "310210", "Ammonium nitrate, prilled"), "declares urea and describes ammonium-nitrate"));
    assert_eq!(of("urea", "310210", "Urea 46 % with ammonium nitrate"), Found::Clear);
    assert_eq!(of("calcium-ammonium-nitrate", "310240", "Calcium ammonium nitrate 27"), Found::Clear);
    let other = "Line 1 declares acetone and describes nitromethane.".to_owned();
    assert_eq!(of("acetone", "291411", "Nitromethane for racing"), Found::Hit(other));
    assert_eq!(of("acetone", "291411", "For the bureau of standards"), Found::Clear);
}

fn priced(minor: i64, currency: &str) -> Json {
    json!({"values": [{"line": 1, "amount": {"minor": minor, "currency": currency}}]})
}

#[test]
fn r09_a_price_outside_of_our_own() {
    let mut world = World::new();
    world.own = member("GE");
    for number in 0..20 {
        world.say("GE", "2026-01-05", "E02", with(line(json!({})), priced(800_000 + number * 10_000, "EUR")));
    }
    let usual = world.say("GE", "2026-02-05", "E02", with(line(json!({})), priced(900_000, "EUR")));
    let cheap = world.say("GE", "2026-02-05", "E02", with(line(json!({})), priced(90_000, "EUR")));
    let dear = world.say("GE", "2026-02-05", "E02", with(line(json!({})), priced(9_000_000, "EUR")));
    let foreign = world.say("GE", "2026-02-05", "E02", with(line(json!({})), priced(9_000_000, "USD")));
    let other = world.say("GE", "2025-02-05", "E02", with(line(json!({})), priced(9_000_000, "EUR")));
    let day = "2026-02-06";
    check(&world, &usual, day, Code::R09, None);
    check(&world, &cheap, day, Code::R09, Some("Goods of 284700 are far cheaper than what we declared in 2026."));
    check(&world, &dear, day, Code::R09, Some("Goods of 284700 are far dearer than what we declared in 2026."));
    for name in [&foreign, &other] {
        assert!(matches!(found(&world, name, day, Code::R09), Found::Unknown(_)), "{name}");
    }
    let without = world.say("GE", "2026-02-05", "E02", line(json!({})));
    assert_eq!(found(&world, &without, day, Code::R09), Found::Unknown("the value and mass of a line".to_owned()));
}

#[test]
fn r10_packages_that_fit_neither_quantity_nor_mode() {
    let of = |packages: Json| of_line(Code::R10, json!({"packages": packages}));
    assert_eq!(of(json!([{"type": "DR", "count": 100}])), Found::Clear);
    assert_eq!(
        of(json!([{"type": "JR", "count": 20_000}])),
        Found::Hit("Line 1 is large and packed very small.".to_owned())
    );
    assert_eq!(of(json!([])), Found::Unknown("the packages in line 1".to_owned()));
    let mut world = World::new();
    let bulk = line(json!({"packages": [{"type": "VL", "count": 1}]}));
    let ship = world.say("GE", "2026-01-05", "E02", bulk.clone());
    let air = world.say("GE", "2026-01-05", "E02", with(bulk, json!({"mode": 4})));
    check(&world, &ship, "2026-01-06", Code::R10, None);
    check(&world, &air, "2026-01-06", Code::R10, Some("Line 1 goes in bulk by air or mail."));
}
