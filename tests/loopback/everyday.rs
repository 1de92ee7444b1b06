//! `docs/everyday.md` as a test: what officers type at three nodes, and what each node answers.
//!
//! A line such as `GE$ shieldwall …` is a command at the desk of that member; what follows is what it prints, with `? N` for an exit code
//! that is not 0, `[..]` for any text in a line, and `...` for any lines. The page has a day of its own, on which all its dates are
//! reckoned, and on which it is always nine o'clock. After a wanted change: `TRYCMD=overwrite`, then read `git diff` as the review.

use std::fs;
use std::path::Path;
use std::process::Command;

use shieldwall::node::clock;
use shieldwall::record::Date;

use super::federation::{Federation, path_of_program};
use super::wait_for;

const PAGE: &str = "docs/everyday.md";
const MEMBERS: [&str; 3] = ["GE", "TR", "MZ"];

/// The day of the page.
const TODAY: &str = "2026-12-01";

#[test]
fn the_everyday_page_says_what_the_program_does() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join(PAGE)).unwrap();
    let federation = Federation::of(&MEMBERS);
    // Without the acknowledgements that nodes send by themselves, so that every record has the number of the page.
    let quiet = [("SHIELDWALL_INTERVALS_ACKNOWLEDGE_AFTER_MS", "3600000")];
    let nodes: Vec<_> = MEMBERS.iter().map(|member| federation.spawn_with(member, &quiet)).collect();
    for member in MEMBERS {
        wait_for(&format!("the node of {member}"), || federation.is_up(member));
    }
    federation.converge();
    let days = Days::since_the_page();
    let written = play(&federation, &days, &page);
    drop(nodes);
    if std::env::var_os("TRYCMD").is_some_and(|mode| mode == "overwrite") {
        fs::write(root.join(PAGE), written).unwrap();
    } else {
        assert_eq!(written, page, "the page with what the nodes answered in place of what it says differs");
    }
}

/// Plays the page; gives it with what was answered, where that is not what it says.
fn play(federation: &Federation, days: &Days, page: &str) -> String {
    let mut written = Vec::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        written.push(line.to_owned());
        if let Some(name) = line.strip_prefix("```toml ") {
            let mut text = String::new();
            while let Some(line) = lines.next_if(|line| *line != "```") {
                text += &format!("{line}\n");
                written.push(line.to_owned());
            }
            MEMBERS.iter().for_each(|member| fs::write(federation.path(member).join(name), days.now(&text)).unwrap());
            continue;
        }
        let Some((member, start)) = prompt(line) else { continue };
        let mut command = start.to_owned();
        while command.ends_with('\\') {
            let more = lines.next().unwrap();
            written.push(more.to_owned());
            command = format!("{}{more}", command.trim_end_matches('\\'));
        }
        let mut expected = Vec::new();
        while let Some(line) = lines.next_if(|line| *line != "```" && prompt(line).is_none()) {
            expected.push(line);
        }
        // A blank line parts one command from the next.
        let blank = expected.last() == Some(&"");
        expected.truncate(expected.len() - usize::from(blank));
        let said = run(federation, days, member, &command);
        let logged = said.iter().find(|line| MEMBERS.iter().any(|member| is_record(line, member))).cloned();
        let as_expected = matches(&expected, &said.iter().map(String::as_str).collect::<Vec<_>>());
        written.extend(if as_expected { expected.iter().map(|line| (*line).to_owned()).collect() } else { said });
        written.extend(blank.then(String::new));
        settle(federation, logged.as_deref());
    }
    written.join("\n") + "\n"
}

fn prompt(line: &str) -> Option<(&'static str, &str)> {
    MEMBERS.iter().find_map(|member| Some((*member, line.strip_prefix(member)?.strip_prefix("$ ")?)))
}

/// What a command prints at one member, in the days of the page.
fn run(federation: &Federation, days: &Days, member: &str, command: &str) -> Vec<String> {
    let mut path = path_of_program().parent().unwrap().as_os_str().to_owned();
    path.push(":/usr/bin:/bin");
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{}", days.now(command))])
        .current_dir(federation.path(member))
        .env_clear()
        .env("PATH", path)
        .env("SHIELDWALL_CONFIG", federation.config(member))
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let text = days.then(&String::from_utf8(output.stdout).unwrap());
    let code = output.status.code().unwrap();
    let code = (code != 0).then(|| format!("? {code}"));
    code.into_iter().chain(text.lines().map(str::to_owned)).collect()
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

pub(super) fn matches(expected: &[&str], said: &[&str]) -> bool {
    match (expected, said) {
        ([], []) => true,
        ([first, rest @ ..], _) if *first == "..." => (0..=said.len()).any(|at| matches(rest, &said[at..])),
        ([first, rest @ ..], [line, more @ ..]) => matches_line(first, line) && matches(rest, more),
        ([], _) | (_, []) => false,
    }
}

fn matches_line(expected: &str, said: &str) -> bool {
    let mut parts = expected.split("[..]");
    let Some(mut rest) = said.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
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
    assert!(matches(&["a [..] c", "..."], &["a b c", "d"]) && !matches(&["a [..] c"], &["a b d"]));
}
