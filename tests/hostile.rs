//! Hostile inputs, each with the rule that it breaks and the refusal that it must meet: `hostile/<kind>.json`.
//!
//! They are made from good objects, one fault each; where an object is signed, the faulty one is signed again with the right key, so
//! that it is the fault that is refused and not the signature. `UPDATE_HOSTILE=1` makes the files anew; then the refusals are
//! read as data, in the difference. A file is a list of `[rule, input, refusal]`, in which an input is text or hexadecimal, in parts
//! of which each may be repeated.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test picks out what it looks at")]

mod bytes;
#[cfg(feature = "node")]
mod documents;
mod judge;
mod messages;
mod objects;
#[cfg(feature = "node")]
mod settings;
mod signed;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use serde_json::{Value as Json, json};

/// What the whole collection holds at least.
const INPUTS_MIN: usize = 1_000;
/// What all files may have together: they are read by people too.
const FILES_BYTES_MAX: u64 = 2 << 20;
/// What one refusal may take, on a busy machine and without optimisation: the largest documents are megabytes long.
const REFUSAL_TIME_MAX: Duration = Duration::from_secs(20);

/// One input: parts, each so many times.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Input(Vec<(Vec<u8>, usize)>);

/// One fault: the rule that is broken, and by what.
struct Case {
    rule: String,
    input: Input,
}

impl Input {
    fn whole(&self) -> Vec<u8> {
        self.0.iter().flat_map(|(part, times)| part.repeat(*times)).collect()
    }

    fn to_json(&self) -> Json {
        let one = |(part, times): &(Vec<u8>, usize)| {
            let text = std::str::from_utf8(part).ok().filter(|text| !text.starts_with("hex:"));
            let shown = text.filter(|text| !text.chars().any(|c| c.is_control() && !"\n\r\t".contains(c)));
            let written = shown.map_or_else(|| format!("hex:{}", HEXLOWER.encode(part)), str::to_owned);
            if *times == 1 { json!(written) } else { json!([written, times]) }
        };
        match self.0.as_slice() {
            [single @ (_, 1)] => one(single),
            parts => json!({ "parts": parts.iter().map(one).collect::<Vec<_>>() }),
        }
    }

    fn from_json(json: &Json) -> Self {
        let bytes = |text: &Json| {
            let text = text.as_str().unwrap();
            text.strip_prefix("hex:")
                .map_or_else(|| text.as_bytes().to_vec(), |digits| HEXLOWER.decode(digits.as_bytes()).unwrap())
        };
        let one = |part: &Json| match part.as_array() {
            Some(pair) => (bytes(&pair[0]), usize::try_from(pair[1].as_u64().unwrap()).unwrap()),
            None => (bytes(part), 1),
        };
        match json.get("parts") {
            Some(parts) => Self(parts.as_array().unwrap().iter().map(one).collect()),
            None => Self(vec![one(json)]),
        }
    }
}

fn case(rule: impl Into<String>, bytes: impl AsRef<[u8]>) -> Case {
    Case { rule: rule.into(), input: Input(vec![(bytes.as_ref().to_vec(), 1)]) }
}

fn repeated(rule: impl Into<String>, parts: &[(&[u8], usize)]) -> Case {
    Case { rule: rule.into(), input: Input(parts.iter().map(|(part, times)| (part.to_vec(), *times)).collect()) }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile")
}

/// The files, by their kinds.
fn files() -> BTreeMap<String, PathBuf> {
    let all = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let json = all.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    json.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), path)).collect()
}

fn read(path: &Path) -> Vec<(String, Input, String)> {
    let list: Json = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let text = |json: &Json| json.as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(|row| (text(&row[0]), Input::from_json(&row[1]), text(&row[2]))).collect()
}

/// What each judge says of the inputs of its kind.
#[test]
#[allow(clippy::disallowed_methods, reason = "a refusal must come in time")]
fn every_hostile_input_meets_its_refusal() {
    if std::env::var_os("UPDATE_HOSTILE").is_some() {
        update();
    }
    let mut faults = Vec::new();
    let mut slowest = (Duration::ZERO, String::new());
    for (kind, path) in files() {
        let Some(judge) = judge::of(&kind) else { continue };
        for (at, (rule, input, refusal)) in read(&path).into_iter().enumerate() {
            let bytes = input.whole();
            let began = Instant::now();
            let outcome = judge(&bytes);
            let took = began.elapsed();
            if took > slowest.0 {
                slowest = (took, format!("{kind} {at}: {rule}"));
            }
            match outcome {
                Ok(()) => faults.push(format!("{kind} {at}, {rule}: taken for good")),
                Err(met) if met != refusal => {
                    faults.push(format!("{kind} {at}, {rule}: {met}\n  in place of: {refusal}"))
                }
                Err(_) => {}
            }
        }
    }
    println!("the slowest refusal took {:?}: {}", slowest.0, slowest.1);
    assert!(faults.is_empty(), "{} of them:\n{}", faults.len(), faults.join("\n"));
    assert!(slowest.0 < REFUSAL_TIME_MAX, "{slowest:?}");
}

/// What the inputs were made from is good: else a judge might refuse everything.
/// How long each refusal takes, in the best of five attempts: a figure of a release build on a quiet machine, and no test.
#[test]
#[ignore = "measures, and judges nothing"]
#[allow(clippy::disallowed_methods, reason = "it measures real time")]
fn how_long_each_refusal_takes() {
    const GOAL: Duration = Duration::from_millis(1);
    let mut slow = Vec::new();
    println!("{:<14} {:>6} {:>12} {:>12}", "kind", "inputs", "median", "slowest");
    for (kind, path) in files() {
        let Some(judge) = judge::of(&kind) else { continue };
        let mut times = Vec::new();
        for (rule, input, _) in read(&path) {
            let bytes = input.whole();
            let attempt = || {
                let began = Instant::now();
                assert!(judge(&bytes).is_err());
                began.elapsed()
            };
            let best = std::iter::repeat_with(attempt).take(5).min().unwrap_or_default();
            times.push(best);
            if best > GOAL {
                slow.push(format!("{kind}, {} bytes, {best:?}: {rule}", bytes.len()));
            }
        }
        times.sort_unstable();
        let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
        println!("{kind:<14} {:>6} {median:>12?} {slowest:>12?}", times.len());
    }
    println!("{} above {GOAL:?}:\n{}", slow.len(), slow.join("\n"));
}

#[test]
fn what_they_were_made_from_is_good() {
    for (kind, good) in all_good() {
        let judge = judge::of(kind).unwrap_or_else(|| panic!("{kind} has no judge"));
        assert_eq!(judge(&good), Ok(()), "{kind}");
    }
}

#[test]
fn there_are_more_than_a_thousand_and_no_two_are_alike() {
    let (mut inputs, mut count, mut bytes) = (BTreeSet::new(), 0, 0);
    let kinds = files();
    for (kind, path) in &kinds {
        bytes += fs::metadata(path).unwrap().len();
        for (_, input, refusal) in read(path) {
            assert!(!refusal.is_empty());
            count += 1;
            inputs.insert((kind.clone(), input.whole()));
        }
    }
    println!("{count} hostile inputs of {} kinds in {bytes} bytes", kinds.len());
    assert_eq!(inputs.len(), count, "some are there twice");
    assert!(count >= INPUTS_MIN, "{count}");
    assert!(bytes < FILES_BYTES_MAX, "{bytes} bytes");
    assert!(kinds.keys().all(|kind| judge::is_known(kind)), "a file has no judge");
}

fn all_good() -> Vec<(&'static str, Vec<u8>)> {
    let mut good = objects::good();
    good.extend(messages::good());
    #[cfg(feature = "node")]
    good.extend([documents::good(), settings::good()].concat());
    good
}

/// Makes all files anew.
fn update() {
    let mut made: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
    for (kind, cases) in all() {
        made.entry(kind).or_default().extend(cases);
    }
    let mut good = Vec::new();
    for (kind, cases) in made {
        let judge = judge::of(kind).unwrap_or_else(|| panic!("{kind} has no judge"));
        let mut seen = BTreeSet::new();
        let mut rows = Vec::new();
        for Case { rule, input } in cases {
            if !seen.insert(input.whole()) {
                continue;
            }
            let Err(refusal) = judge(&input.whole()) else {
                good.push(format!("{kind}, {rule}: taken for good"));
                continue;
            };
            rows.push(serde_json::to_string(&json!([rule, input.to_json(), refusal])).unwrap());
        }
        fs::write(folder().join(format!("{kind}.json")), format!("[\n{}\n]\n", rows.join(",\n"))).unwrap();
    }
    assert!(good.is_empty(), "{} are no hostile inputs:\n{}", good.len(), good.join("\n"));
}

fn all() -> Vec<(&'static str, Vec<Case>)> {
    let mut all = objects::cases();
    all.extend(messages::cases());
    #[cfg(feature = "node")]
    all.extend(documents::cases().into_iter().chain(settings::cases()));
    all
}
