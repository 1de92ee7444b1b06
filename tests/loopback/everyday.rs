//! `docs/everyday.md` as a test: what officers type at three nodes, and what each node answers.
//!
//! The page is played as [`page`] says. It has a day of its own, on which all its dates are reckoned, and on which it is always nine o'clock.

use std::fs;

use shieldwall::node::clock;
use shieldwall::record::Date;

use super::federation::Federation;
use super::page::{self, Player};
use super::wait_for;

const PAGE: &str = "docs/everyday.md";
const MEMBERS: [&str; 3] = ["GE", "TR", "MZ"];

/// The day of the page.
const TODAY: &str = "2026-12-01";

#[test]
fn the_everyday_page_says_what_the_program_does() {
    let federation = Federation::of(&MEMBERS);
    // Without the acknowledgements that nodes send by themselves, so that every record has the number of the page.
    let quiet = [("SHIELDWALL_INTERVALS_ACKNOWLEDGE_AFTER_MS", "3600000")];
    let nodes: Vec<_> = MEMBERS.iter().map(|member| federation.spawn_with(member, &quiet)).collect();
    for member in MEMBERS {
        wait_for(&format!("the node of {member}"), || federation.is_up(member));
    }
    federation.converge();
    let mut desks = Desks { federation: &federation, days: Days::since_the_page() };
    let written = page::play(&mut desks, &page::read(PAGE));
    drop(nodes);
    page::compare(PAGE, &written);
}

struct Desks<'a> {
    federation: &'a Federation,
    days: Days,
}

impl Player for Desks<'_> {
    const DESKS: &'static [&'static str] = &MEMBERS;

    /// Every desk has it.
    fn file(&mut self, name: &str, text: &str) {
        for member in MEMBERS {
            fs::write(self.federation.path(member).join(name), self.days.now(text)).unwrap();
        }
    }

    fn run(&mut self, member: &'static str, command: &str) -> Vec<String> {
        let mut shell = page::shell(&self.federation.path(member), &self.days.now(command));
        let output = shell.env("SHIELDWALL_CONFIG", self.federation.config(member)).output().unwrap();
        let said = page::printed(&output, |text| self.days.then(text));
        let logged = said.iter().find(|line| MEMBERS.iter().any(|member| is_record(line, member)));
        settle(self.federation, logged.map(String::as_str));
        said
    }
}

/// Whether a line is the name of a record and nothing else.
fn is_record(line: &str, member: &str) -> bool {
    let position = line.strip_prefix(member).and_then(|rest| rest.strip_prefix('-'));
    position.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Waits until every node holds what was logged, all hold the same, and each has opened what is for it.
fn settle(federation: &Federation, logged: Option<&str>) {
    // Reading changes nothing, and there is nothing to wait for.
    let Some(logged) = logged else { return };
    for member in MEMBERS {
        wait_for(&format!("{logged} at {member}"), || federation.json(member, &["record", "show", logged]).is_some());
    }
    wait_for("the same ledger everywhere", || {
        let all: Vec<_> = MEMBERS.iter().filter_map(|member| federation.json(member, &["status"])).collect();
        let number = |status: &serde_json::Value, key: &str| status[key].as_u64().unwrap_or(u64::MAX);
        // Each log begins with a statement that has no body; the others are looked into one by one, after they are checked.
        let searched = |status: &serde_json::Value| {
            let seen = number(status, "bodies_opened").saturating_add(number(status, "bodies_sealed"));
            seen.saturating_add(MEMBERS.len() as u64) == number(status, "statements")
        };
        let opened = |status: &serde_json::Value| number(status, "bodies_missing") == 0 && searched(status);
        all.len() == MEMBERS.len()
            && all.iter().all(|status| status["frontier"] == all[0]["frontier"] && opened(status))
    });
}

/// How many days lie between the day of the page and today.
struct Days(i32);

impl Days {
    fn since_the_page() -> Self {
        let today = Date::of(clock::now()).unwrap().start().unwrap();
        let page = TODAY.parse::<Date>().unwrap().start().unwrap();
        Self(i32::try_from(today.since(page) / 86_400).unwrap())
    }

    /// A text of the page with its days moved to the present.
    fn now(&self, text: &str) -> String {
        moved(text, self.0)
    }

    /// A text of the present with its days moved to the page, and every time of day set to nine.
    fn then(&self, text: &str) -> String {
        let mut text = moved(text, -self.0);
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find('T')).map(|at| from + at) {
            let is_time = text.get(at..at + 10).is_some_and(|time| {
                let form = |(place, byte): (usize, u8)| match place {
                    0 => byte == b'T',
                    3 | 6 => byte == b':',
                    9 => byte == b'Z',
                    _ => byte.is_ascii_digit(),
                };
                time.bytes().enumerate().all(form)
            });
            if is_time {
                text.replace_range(at..at + 10, "T09:00:00Z");
            }
            from = at + 1;
        }
        text
    }
}

/// A text with every day in it moved by so many.
fn moved(text: &str, days: i32) -> String {
    let mut rest = text;
    let mut moved = String::new();
    while let Some(c) = rest.chars().next() {
        let whole = !moved.ends_with(|before: char| before.is_ascii_alphanumeric() || before == '-');
        let day = rest.get(..10).filter(|_| whole).and_then(|word| word.parse::<Date>().ok());
        if let Some(day) = day.and_then(|day| day.plus(days)) {
            moved += &day.to_string();
            rest = &rest[10..];
        } else {
            moved.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    moved
}

#[test]
fn days_are_moved_and_nothing_else() {
    assert_eq!(moved("from 2026-12-31..2027-01-05, GE-2026-12-31", 1), "from 2027-01-01..2027-01-06, GE-2026-12-31");
    assert_eq!(Days(0).then("at 2026-12-01T17:45:03Z, To T1"), "at 2026-12-01T09:00:00Z, To T1");
}
