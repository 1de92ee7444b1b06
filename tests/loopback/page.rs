//! Pages of the documentation, played as tests: what is typed at the desks of a page, and what is printed there.
//!
//! A line such as `GE$ shieldwall …` is a command at the desk `GE`; what follows, until the next command or the end of the block, is what it
//! prints, with `? N` before it for an exit code that is not 0. `[..]` stands for any text in a line, and a line `...` for any lines. A blank
//! line parts one command from the next. A block that begins with `toml` and a name is a file. After a wanted change: `TRYCMD=overwrite`, then
//! read `git diff` as the review.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::federation::path_of_program;

/// Plays one page.
pub(super) trait Player {
    /// Those at whose prompts something is typed.
    const DESKS: &'static [&'static str];

    /// Takes a file of the page.
    fn file(&mut self, name: &str, text: &str);

    /// Does what is typed at a desk, and whatever has to be waited for after it; gives what was printed, as the page would have it.
    fn run(&mut self, desk: &'static str, command: &str) -> Vec<String>;
}

/// The text of a page.
pub(super) fn read(page: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap()
}

/// Plays a text; gives it with what was printed, where that is not what it says.
pub(super) fn play<P: Player>(player: &mut P, text: &str) -> String {
    let mut written = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        written.push(line.to_owned());
        if let Some(name) = line.strip_prefix("```toml ") {
            let mut file = String::new();
            while let Some(line) = lines.next_if(|line| *line != "```") {
                file += &format!("{line}\n");
                written.push(line.to_owned());
            }
            player.file(name, &file);
            continue;
        }
        let Some((desk, start)) = prompt(P::DESKS, line) else { continue };
        let mut command = start.to_owned();
        while command.ends_with('\\') {
            let more = lines.next().unwrap();
            written.push(more.to_owned());
            command = format!("{}{more}", command.trim_end_matches('\\'));
        }
        let mut expected = Vec::new();
        while let Some(line) = lines.next_if(|line| *line != "```" && prompt(P::DESKS, line).is_none()) {
            expected.push(line);
        }
        let blank = expected.last() == Some(&"");
        expected.truncate(expected.len() - usize::from(blank));
        let said = player.run(desk, &command);
        let as_expected = matches(&expected, &said.iter().map(String::as_str).collect::<Vec<_>>());
        written.extend(if as_expected { expected.iter().map(|line| (*line).to_owned()).collect() } else { said });
        written.extend(blank.then(String::new));
    }
    written.join("\n") + "\n"
}

/// Compares a page with what came of playing it, or takes that over.
///
/// # Panics
/// If they differ and it is not to be taken over.
pub(super) fn compare(page: &str, written: &str) {
    if std::env::var_os("TRYCMD").is_some_and(|mode| mode == "overwrite") {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(page), written).unwrap();
    } else {
        assert_eq!(written, read(page), "the page with what the nodes answered in place of what it says differs");
    }
}

/// A shell for one command in a folder: the program in its path, nothing else of this test's environment, both outputs as one.
pub(super) fn shell(folder: &Path, command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec 2>&1\n{command}")]).current_dir(folder);
    shell.env_clear().env("PATH", search_path()).stdin(Stdio::null());
    shell
}

/// Where a shell finds the program under test and those of the system.
pub(super) fn search_path() -> OsString {
    let mut path = path_of_program().parent().unwrap().as_os_str().to_owned();
    path.push(":/usr/bin:/bin");
    path
}

/// What was printed, as the page would have it, with the exit code before it.
pub(super) fn printed(output: &Output, on_page: impl FnOnce(&str) -> String) -> Vec<String> {
    let text = on_page(std::str::from_utf8(&output.stdout).unwrap());
    let code = output.status.code().unwrap();
    let code = (code != 0).then(|| format!("? {code}"));
    code.into_iter().chain(text.lines().map(str::to_owned)).collect()
}

fn prompt<'a>(desks: &[&'static str], line: &'a str) -> Option<(&'static str, &'a str)> {
    desks.iter().find_map(|desk| Some((*desk, line.strip_prefix(desk)?.strip_prefix("$ ")?)))
}

fn matches(expected: &[&str], said: &[&str]) -> bool {
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

/// Echoes what is typed, and takes files for commands.
struct Echo(Vec<String>);

impl Player for Echo {
    const DESKS: &'static [&'static str] = &["A", "B"];

    fn file(&mut self, name: &str, text: &str) {
        self.0.push(format!("{name}: {text}"));
    }

    fn run(&mut self, desk: &'static str, command: &str) -> Vec<String> {
        self.0.push(format!("{desk}: {command}"));
        vec![format!("{desk} says"), command.to_owned()]
    }
}

#[test]
fn what_is_printed_otherwise_than_a_page_says_is_written_into_it() {
    let page = "# C$ no desk\n```toml a.toml\nb = 1\n```\n```\nA$ one \\\n  two\nA [..]s\n...\n\nB$ three\nwrong\n\nB$ four\n```\n";
    let mut player = Echo(Vec::new());
    let written = play(&mut player, page);
    assert_eq!(player.0, ["a.toml: b = 1\n", "A: one   two", "B: three", "B: four"]);
    assert_eq!(written, page.replace("wrong", "B says\nthree").replace("four\n", "four\nB says\nfour\n"));
    assert!(matches(&["a [..] c", "..."], &["a b c", "d"]) && !matches(&["a [..] c"], &["a b d"]));
}
