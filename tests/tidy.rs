//! The architecture as a test: rules that nobody has to remember.
//!
//! The order of the modules, the purity of the core, the one place where a dependency is named, the head of every
//! module, no forgotten file, no secret key in the tree, no file that grows without end, no page that leads nowhere or lags
//! behind the code.

use std::fs;
use std::path::{Path, PathBuf};

use shieldwall::encoding::hash::sha256;

/// The modules in their order. Each may use those above it and none beside or below it.
const ORDER: [&[&str]; 15] = [
    &["encoding"],
    &["record"],
    &["identity"],
    &["seal"],
    &["ledger"],
    &["evidence"],
    &["audit"],
    &["watch"],
    &["generate"],
    &["protocol"],
    &["simulate"],
    &["disk", "network", "formats"],
    &["node"],
    &["api"],
    &["cli"],
];

/// The pure core: no sockets, files, clock, threads, hash order or `async`.
const CORE: [&str; 11] = [
    "encoding", "record", "identity", "seal", "ledger", "evidence", "audit", "watch", "generate", "protocol",
    "simulate",
];

const IMPURE: [&str; 17] = [
    "tokio",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::sync::mpsc",
    "SystemTime",
    "Instant",
    "HashMap",
    "HashSet",
    "getrandom",
    "async",
    "await",
    "f32",
    "f64",
    "unsafe",
];

/// Dependencies that one module hides from all others.
const HIDDEN: [(&str, &str); 2] = [("sled", "disk"), ("libp2p", "network")];

/// Modules that hold what a country thinks by itself, and those that may name them: what makes, sends or keeps records may not.
const OPINIONS: [&str; 5] = ["watch::risk", "watch::alert", "Assessment", "RiskPolicy", "CaseEvent"];
const OPINIONS_MAY_BE_NAMED_BY: [&str; 4] = ["watch", "node", "api", "cli"];
/// The officers of simulated members: a file of tests, which sees what a node would raise.
const OPINIONS_OF_TESTS: &str = "src/simulate/desk.rs";

/// Lines a file should stay below: beyond it, the test says so.
const AIM: usize = 400;
/// Lines a file must stay below, unless it stands in `LONG`.
const LIMIT: usize = 700;
/// Files that are longer today, with the length they may not pass again: shrink the number with the file.
const LONG: [(&str, usize); 0] = [];

#[test]
fn modules_use_only_what_stands_above_them() {
    let mut faults = Vec::new();
    for source in sources("src") {
        let Some(module) = source.module() else { continue };
        let Some(own) = rank(module) else {
            faults.push(format!("{}: module `{module}` has no place in ORDER", source.name));
            continue;
        };
        for (line, used) in source.crate_paths() {
            if used != module && rank(&used).is_some_and(|theirs| theirs >= own) {
                faults.push(format!("{}:{line}: `{module}` uses `{used}`, which is not above it", source.name));
            }
        }
    }
    report(&faults);
}

#[test]
fn the_core_is_pure() {
    let mut faults = Vec::new();
    for source in sources("src").iter().filter(|source| source.module().is_some_and(|name| CORE.contains(&name))) {
        for word in IMPURE {
            for line in source.lines_with(word) {
                faults.push(format!("{}:{line}: `{word}` has no place in the core", source.name));
            }
        }
    }
    report(&faults);
}

#[test]
fn hidden_dependencies_are_named_in_one_module() {
    let mut faults = Vec::new();
    for source in sources("src") {
        for (word, home) in HIDDEN {
            if source.module() != Some(home) {
                let lines = source.lines_with(word);
                faults.extend(lines.iter().map(|line| format!("{}:{line}: only {home} names {word}", source.name)));
            }
        }
    }
    report(&faults);
}

#[test]
fn opinions_never_leave_the_node() {
    let mut faults = Vec::new();
    for source in sources("src").into_iter().filter(|source| source.name != OPINIONS_OF_TESTS) {
        let Some(module) = source.module().filter(|module| !OPINIONS_MAY_BE_NAMED_BY.contains(module)) else {
            continue;
        };
        for word in OPINIONS {
            let lines = source.lines_with(word);
            faults.extend(lines.iter().map(|line| format!("{}:{line}: `{module}` names `{word}`", source.name)));
        }
    }
    // Neither has a form that a record or message could carry: they are shown, by `to_json`, and never written by serde.
    for source in sources("src").iter().filter(|source| source.name.ends_with("risk/assessment.rs")) {
        for line in source.lines_with("Serialize") {
            faults.push(format!("{}:{line}: an assessment is not written for others", source.name));
        }
    }
    report(&faults);
}

#[test]
fn every_module_says_what_it_is_for() {
    let heads = ["mod.rs", "src/lib.rs", "src/main.rs"];
    let silent = sources("src")
        .into_iter()
        .filter(|source| heads.iter().any(|head| source.name.ends_with(head)) && !source.text.starts_with("//!"))
        .map(|source| format!("{}: starts without `//!`", source.name));
    report(&silent.collect::<Vec<_>>());
}

#[test]
fn no_source_file_is_forgotten() {
    let all = sources("src");
    let mut faults = Vec::new();
    for source in &all {
        if let Some((parents, child)) = declared_in(&source.name)
            && !all.iter().any(|file| parents.contains(&file.name) && declares(&file.code, child))
        {
            faults.push(format!("{}: no `mod {child};` in {}", source.name, parents.join(" or ")));
        }
    }
    let runner = read("tests/all.rs");
    for path in list(&root().join("tests")).into_iter().filter(|path| path.is_file()) {
        let name = relative(&path);
        if let Some(stem) = name.strip_prefix("tests/").and_then(|name| name.strip_suffix(".rs"))
            && stem != "all"
            && !declares(&runner, stem)
        {
            faults.push(format!("{name}: no `mod {stem};` in tests/all.rs"));
        }
    }
    report(&faults);
}

#[test]
fn no_secret_key_is_in_the_tree() {
    // In two halves, so that this file does not accuse itself.
    let mark = ["PRIVATE KEY", "-----"].concat();
    let mut faults = Vec::new();
    for path in files(&root()) {
        let name = relative(&path);
        let bytes = fs::read(&path).expect("a file of the tree can be read");
        if !name.starts_with("keys/dev/") && contains(&bytes, mark.as_bytes()) {
            faults.push(format!("{name}: a private key"));
        }
    }
    report(&faults);
}

#[test]
fn files_stay_short() {
    let mut faults = Vec::new();
    for source in sources("src").into_iter().chain(sources("tests")) {
        let lines = source.text.lines().count();
        let limit = LONG.iter().find(|(name, _)| *name == source.name).map_or(LIMIT, |(_, mark)| *mark);
        if lines > limit {
            faults.push(format!("{}: {lines} lines, may have {limit}", source.name));
        } else if lines > AIM {
            println!("{}: {lines} lines, aim below {AIM}", source.name);
        }
    }
    report(&faults);
}

#[test]
fn pages_that_describe_bytes_follow_the_code() {
    const MARK: &str = " sha256 ";
    let mut faults = Vec::new();
    let mut bound = 0;
    for (page, text) in pages() {
        let marks = text.lines().filter_map(|line| line.strip_prefix("<!-- ")?.strip_suffix(" -->")?.split_once(MARK));
        for (file, stated) in marks {
            bound += 1;
            let file = file.trim();
            let found = sha256(read(file).as_bytes()).to_string();
            if stated.trim() != found {
                faults.push(format!("{page}: {file} has changed; look what the page says of it, then write {found}"));
            }
        }
    }
    assert!(bound > 0, "docs/protocol.md names the bytes of messages that it describes");
    report(&faults);
}

#[test]
fn tests_that_pages_name_exist() {
    let known: String = sources("src").into_iter().chain(sources("tests")).map(|source| source.code).collect();
    let mut faults = Vec::new();
    let pages = [
        "docs/architecture.md",
        "docs/consignments.md",
        "docs/threat-model.md",
        "docs/reliability.md",
        "docs/statistics.md",
    ];
    for page in pages {
        let text = read(page);
        // What lies between backquotes and reads like a test: three words or more.
        let named =
            text.split('`').skip(1).step_by(2).filter(|name| {
                name.matches('_').count() > 1 && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
            });
        let missing = named.filter(|name| !known.contains(&format!("fn {name}(")));
        faults.extend(missing.map(|name| format!("{page}: there is no test {name}")));
    }
    report(&faults);
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut faults = Vec::new();
    for (page, text) in pages() {
        let folder = root().join(&page).parent().expect("a page lies in a folder").to_owned();
        for (line, target) in links(&text) {
            let (path, heading) = target.split_once('#').unwrap_or((&target, ""));
            let file = if path.is_empty() { root().join(&page) } else { folder.join(path) };
            let there = file.exists() && (heading.is_empty() || headings(&file).iter().any(|name| name == heading));
            if !there {
                faults.push(format!("{page}:{line}: {target} leads nowhere"));
            }
        }
    }
    report(&faults);
}

#[test]
fn comments_and_strings_are_not_code() {
    let code =
        code("a // crate::x\n/* tokio /* nested */ */ b \"sled \\\" async\" 'c' '\\'' &'static r#\"HashMap\"# z");
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "b", "&'static", "z"]);
}

#[test]
fn crate_paths_are_found_in_groups_too() {
    let source = Source::new("src/watch/mod.rs", "use crate::{ledger::Log, record};\nfn f() { crate::api::g() }");
    let found = source.crate_paths();
    assert_eq!(found, [(1, "ledger".to_owned()), (1, "record".to_owned()), (2, "api".to_owned())]);
}

/// A Rust file of the tree.
struct Source {
    /// Path from the root of the repository, with `/`.
    name: String,
    text: String,
    /// The text without comments and literals, line by line as before.
    code: String,
}

impl Source {
    fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), code: code(text) }
    }

    /// The top module that the file belongs to; none for `lib.rs` and `main.rs`.
    fn module(&self) -> Option<&str> {
        let inside = self.name.strip_prefix("src/")?;
        match inside.split_once('/') {
            Some((module, _)) => Some(module),
            None => inside.strip_suffix(".rs").filter(|stem| !["lib", "main"].contains(stem)),
        }
    }

    /// Line and first segment of everything named through `crate::`.
    fn crate_paths(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (at, _) in self.code.match_indices("crate::").filter(|(at, _)| is_word(&self.code, *at, "crate".len())) {
            let line = self.code[..at].matches('\n').count() + 1;
            let rest = &self.code[at + "crate::".len()..];
            found.extend(first_segments(rest).into_iter().map(|segment| (line, segment)));
        }
        found
    }

    /// The lines on which `word` stands by itself in the code.
    fn lines_with(&self, word: &str) -> Vec<usize> {
        let hits = self.code.match_indices(word).filter(|(at, _)| is_word(&self.code, *at, word.len()));
        hits.map(|(at, _)| self.code[..at].matches('\n').count() + 1).collect()
    }
}

/// The names that may follow `crate::`: one, or the heads of a `{group}`.
fn first_segments(rest: &str) -> Vec<String> {
    let identifier = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![identifier(rest)] };
    let mut heads = vec![String::new()];
    let mut depth = 0_usize;
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(String::new()),
            _ => {
                if let Some(head) = heads.last_mut() {
                    head.push(c);
                }
            }
        }
    }
    heads.iter().map(|head| identifier(head.trim())).filter(|head| !head.is_empty()).collect()
}

/// Blanks out comments, strings and characters, and keeps the lines.
fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut previous = ' ';
    while let Some(c) = rest.chars().next() {
        let skipped = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => string(rest),
            'r' if !is_identifier(previous) && raw_hashes(rest).is_some() => raw_string(rest),
            '\'' => character(rest),
            _ => 0,
        };
        let taken = if skipped == 0 { c.len_utf8() } else { skipped };
        let (part, after) = rest.split_at(taken);
        if skipped == 0 {
            out.push(c);
        } else {
            out.push(' ');
            out.extend(part.chars().filter(|c| *c == '\n'));
        }
        previous = c;
        rest = after;
    }
    out
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The number of `#` of the raw string that starts here.
fn raw_hashes(text: &str) -> Option<usize> {
    let after = text.strip_prefix('r')?;
    let hashes = after.chars().take_while(|c| *c == '#').count();
    after[hashes..].starts_with('"').then_some(hashes)
}

fn raw_string(text: &str) -> usize {
    let hashes = raw_hashes(text).unwrap_or(0);
    let close = format!("\"{}", "#".repeat(hashes));
    let open = hashes + 2;
    text[open..].find(&close).map_or(text.len(), |at| open + at + close.len())
}

/// The length of a character literal, or 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(0, |at| at + 4),
        Some((at, c)) if text[at + c.len_utf8()..].starts_with('\'') => at + c.len_utf8() + 1,
        _ => 0,
    }
}

fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether the `length` bytes at `at` stand alone, not inside a longer identifier.
fn is_word(text: &str, at: usize, length: usize) -> bool {
    let before = text[..at].chars().next_back();
    let after = text[at + length..].chars().next();
    !before.is_some_and(is_identifier) && !after.is_some_and(is_identifier)
}

/// The Markdown pages of the project, by name: those of the root and of `docs/`, and the READMEs elsewhere.
fn pages() -> Vec<(String, String)> {
    let names = files(&root()).into_iter().map(|path| relative(&path)).filter(|name| {
        let own = !name.contains('/') || name.starts_with("docs/") || name.ends_with("README.md");
        own && name.ends_with(".md")
    });
    names.map(|name| (name.clone(), read(&name))).collect()
}

/// Line and target of every link within the project, outside of code.
fn links(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (line, text) in (1..).zip(page.lines()) {
        in_code ^= text.trim_start().starts_with("```");
        // Every second part lies between backquotes.
        let prose: String = text.split('`').step_by(2).collect();
        let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        let within = targets.map(|(target, _)| target).filter(|target| !target.contains("://"));
        found.extend(within.filter(|_| !in_code).map(|target| (line, target.to_owned())));
    }
    found
}

/// The headings of a page, as links name them.
fn headings(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap_or_default();
    let lines = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
    lines.map(|line| line.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|level| level.contains(&module))
}

/// The files of which one must declare the module in `name`, and the module's own name.
fn declared_in(name: &str) -> Option<(Vec<String>, &str)> {
    let path = name.strip_suffix("/mod.rs").or_else(|| name.strip_suffix(".rs"))?;
    let (parent, child) = path.rsplit_once('/')?;
    let parents = match parent {
        "src" if ["lib", "main"].contains(&child) => return None,
        "src" => vec!["src/lib.rs".to_owned(), "src/main.rs".to_owned()],
        _ => vec![format!("{parent}/mod.rs"), format!("{parent}.rs")],
    };
    Some((parents, child))
}

fn declares(code: &str, child: &str) -> bool {
    let wanted = format!("mod {child}");
    code.match_indices(&wanted).any(|(at, _)| is_word(code, at, wanted.len()))
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[track_caller]
fn report(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn sources(folder: &str) -> Vec<Source> {
    let rust = files(&root().join(folder)).into_iter().filter(|path| path.extension().is_some_and(|ext| ext == "rs"));
    rust.map(|path| {
        let name = relative(&path);
        Source::new(&name, &read(&name))
    })
    .collect()
}

/// All files below a folder, without build output, version control and what a fuzzer writes.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in list(folder) {
        let skipped = ["target", ".git", "corpus", "artifacts"]
            .iter()
            .any(|name| path.file_name().is_some_and(|own| own == *name));
        if path.is_dir() && !skipped {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot list {}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a directory entry").path()).collect();
    paths.sort();
    paths
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("cannot read {name}: {error}"))
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("inside the repository").to_string_lossy().replace('\\', "/")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
