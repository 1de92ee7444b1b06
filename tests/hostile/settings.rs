//! Hostile configs, requests of commands, and files of a signer's guard.

use std::path::Path;

use shieldwall::disk::probe;
use shieldwall::encoding::hash::Digest;
use shieldwall::node::ask;
use shieldwall::node::config::{Config, Sources};

use super::judge::{Judge, told};
use super::{Case, case, repeated};

pub(super) fn judge(kind: &str) -> Option<Judge> {
    match kind {
        "config" => Some(config),
        "guard" => Some(guard),
        "api" => Some(api),
        _ => None,
    }
}

fn config(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(told)?;
    let read = Config::parse(Path::new("/c/node.toml"), text, &Sources::default());
    read.map(|_| ()).map_err(|error| told(error).split_whitespace().collect::<Vec<_>>().join(" "))
}

fn guard(bytes: &[u8]) -> Result<(), String> {
    probe::open_guard(bytes, "GE".parse().unwrap()).map(|_| ()).map_err(told)
}

fn api(bytes: &[u8]) -> Result<(), String> {
    serde_json::from_slice::<ask::Request>(bytes).map(|_| ()).map_err(told)
}

pub(super) fn good() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("config", config_with("").into_bytes()),
        ("guard", probe::guard_file("GE".parse().unwrap(), &digests())),
        ("api", br#"{"record-show":{"id":"GE-1"}}"#.to_vec()),
    ]
}

pub(super) fn cases() -> Vec<(&'static str, Vec<Case>)> {
    vec![("config", configs()), ("guard", guards()), ("api", requests())]
}

fn config_with(more: &str) -> String {
    format!("member = \"GE\"\n{more}")
}

fn configs() -> Vec<Case> {
    let mut cases = vec![
        case("nothing", ""),
        case("not UTF-8", b"member = \"G\xff\""),
        case("a zero byte", "member = \"GE\"\n\0"),
        case("no member", "data_dir = \"data\"\n"),
    ];
    for (rule, more) in [
        ("an option that is not known", "color = \"red\"\n"),
        ("an option that is misspelt", "data_dri = \"data\"\n"),
        ("an option twice", "data_dir = \"a\"\ndata_dir = \"b\"\n"),
        ("a section twice", "[log]\n[log]\n"),
        ("a section that is not known", "[telemetry]\nurl = \"http://192.0.2.1\"\n"),
        ("an option in the wrong section", "[log]\nsync_s = 5\n"),
        ("a section for an option", "[data_dir]\nx = 1\n"),
        ("an option for a section", "log = \"info\"\n"),
        ("a number for a text", "data_dir = 5\n"),
        ("a text for a number", "[intervals]\nsync_s = \"5\"\n"),
        ("a float for a number", "[intervals]\nsync_s = 5.0\n"),
        ("infinity", "[intervals]\nsync_s = inf\n"),
        ("not a number", "[intervals]\nsync_s = nan\n"),
        ("a negative number", "[intervals]\nsync_s = -5\n"),
        ("zero", "[intervals]\nsync_s = 0\n"),
        ("2^63", "[intervals]\nsync_s = 9223372036854775808\n"),
        ("2^32", "[intervals]\nsync_s = 4294967296\n"),
        ("cosignatures each millisecond", "[intervals]\ncosign_ms = 1\n"),
        ("cosignatures each day", "[intervals]\ncosign_ms = 86400000\n"),
        ("a heartbeat each second", "[intervals]\nheartbeat_s = 0\n"),
        ("acknowledgements at once", "[intervals]\nacknowledge_after_ms = -1\n"),
        ("no connection", "[limits]\napi_connections = 0\n"),
        ("a million connections", "[limits]\napi_connections = 1000000\n"),
        ("negative space", "[limits]\nfree_space_min_mb = -1\n"),
        ("a date for a number", "[limits]\nfree_space_min_mb = 2026-11-18\n"),
        ("a text for a truth", "insecure_dev_keys = \"false\"\n"),
        ("a number for a truth", "insecure_dev_keys = 0\n"),
        ("a truth in capitals", "insecure_dev_keys = False\n"),
        ("a text for a list", "listen = \"/ip4/127.0.0.1/tcp/4310\"\n"),
        ("a list of numbers", "listen = [4310]\n"),
        ("an empty list of addresses", "listen = []\n"),
        ("an address that is none", "listen = [\"localhost:4310\"]\n"),
        ("an address by URL", "listen = [\"http://127.0.0.1:4310\"]\n"),
        ("an address with port 65536", "listen = [\"/ip4/127.0.0.1/tcp/65536\"]\n"),
        ("an address with a bad number", "listen = [\"/ip4/256.0.0.1/tcp/4310\"]\n"),
        ("an address of a protocol that is not spoken", "listen = [\"/ip4/127.0.0.1/udp/4310/webrtc-direct\"]\n"),
        ("an empty address", "listen = [\"\"]\n"),
        ("one good and one bad address", "listen = [\"/ip4/127.0.0.1/tcp/4310\", \"x\"]\n"),
        ("an external address that is none", "external = [\"node.example\"]\n"),
        ("a log level that is none", "[log]\nlevel = \"shieldwall=loud\"\n"),
        ("a log filter that is not closed", "[log]\nlevel = \"[span{field=\"\n"),
        ("a log format that is none", "[log]\nformat = \"xml\"\n"),
        ("a text that is not closed", "data_dir = \"data\n"),
        ("a list that is not closed", "listen = [\n"),
        ("no value", "data_dir =\n"),
        ("no name", "= \"data\"\n"),
        ("an escape that is none", "data_dir = \"\\q\"\n"),
        ("a surrogate by escape", "data_dir = \"\\ud800\"\n"),
        ("a value without quotes", "data_dir = data\n"),
        ("two on one line", "data_dir = \"a\" keys_dir = \"b\"\n"),
        ("another language", "{\"member\": \"GE\"}\n"),
        ("a control character", "data_dir = \"a\u{1b}b\"\n"),
        ("an array of sections", "[[log]]\nlevel = \"info\"\n"),
        ("a dotted option that is not known", "log.colour = true\n"),
        ("three faults at once", "x = 1\ny = 2\n[intervals]\nsync_s = 0\n"),
    ] {
        cases.push(case(rule, config_with(more)));
    }
    for member in ["ge", "GEO", "G", "", "1E", "G E", "GE ", "ГЕ", "G\u{200b}"] {
        cases.push(case(format!("a member {member:?}"), format!("member = \"{member}\"\n")));
    }
    let long = "x".repeat(120);
    cases.push(case("a socket path of 120 bytes", config_with(&format!("socket = \"/{long}\"\n"))));
    cases
        .push(repeated("lists nested 20,000 times", &[(b"member = \"GE\"\nlisten = ", 1), (b"[", 20_000), (b"\n", 1)]));
    cases.push(repeated("tables nested 20,000 times", &[(b"member = \"GE\"\n", 1), (b"a.", 20_000), (b"a = 1\n", 1)]));
    cases
}

fn digests() -> Vec<Digest> {
    (1..4).map(|number| Digest([number; 32])).collect()
}

fn guards() -> Vec<Case> {
    let file = probe::guard_file("GE".parse().unwrap(), &digests());
    let mut cases = Vec::new();
    for (what, at) in [
        ("the mark", 0),
        ("the version", 9),
        ("the member", 10),
        ("the log's number", 13),
        ("the machine", 16),
        ("the space between", 50),
        ("the header's checksum", 63),
        ("the first position", 71),
        ("the first digest", 80),
        ("the first checksum", 107),
        ("the second position", 115),
        ("the last digest", 170),
        ("the last checksum", 195),
    ] {
        let mut changed = file.clone();
        changed[at] ^= 1;
        cases.push(case(format!("{what} with a bit flipped"), changed));
    }
    let frames = |order: &[usize]| {
        let mut made = file[..64].to_vec();
        order.iter().for_each(|at| made.extend(&file[64 + at * 44..108 + at * 44]));
        made
    };
    cases.extend([
        case("frames exchanged", frames(&[1, 0, 2])),
        case("a frame missing", frames(&[0, 2])),
        case("a frame twice", frames(&[0, 0, 1])),
        case("without its beginning", frames(&[1, 2])),
        // At the very end it would be what a loss of power leaves of a group that was never signed.
        case("a frame of zeros before a whole one", [frames(&[0]), vec![0; 44], file[152..].to_vec()].concat()),
        case("the guard of another log", probe::guard_file("LB".parse().unwrap(), &digests())),
        case("the guard of the member's next log", probe::guard_file("GE.2".parse().unwrap(), &digests())),
        case("a header of zeros", vec![0; 64]),
        case("noise", vec![0xa5; 200]),
    ]);
    cases
}

fn requests() -> Vec<Case> {
    let mut cases = Vec::new();
    for (rule, text) in [
        ("nothing", ""),
        ("not JSON", "status"),
        ("a command that is not known", r#""format-disk""#),
        ("a command in capitals", r#""STATUS""#),
        ("two commands", r#"{"record-show":{"id":"GE-1"},"ledger":null}"#),
        ("a command without what it needs", r#"{"record-show":{}}"#),
        ("a command with nothing", r#""record-show""#),
        ("a record id that is none", r#"{"record-show":{"id":"GE-01"}}"#),
        ("a record id that is a number", r#"{"record-show":{"id":1}}"#),
        ("a record id that is a path", r#"{"record-show":{"id":"../../etc/passwd"}}"#),
        ("a negative limit", r#"{"record-list":{"limit":-1}}"#),
        ("a limit beyond 2^64", r#"{"record-list":{"limit":18446744073709551616}}"#),
        ("a log that is none", r#"{"record-list":{"log":"ge"}}"#),
        ("drafts that are no list", r#"{"submit":{"drafts":{},"imported":false,"skip_bad":false}}"#),
        (
            "a draft with a member that nobody knows",
            r#"{"submit":{"drafts":[{"x":1}],"imported":false,"skip_bad":false}}"#,
        ),
        (
            "a draft with a member twice",
            r#"{"submit":{"drafts":[{"ucr":"a","ucr":"b"}],"imported":false,"skip_bad":false}}"#,
        ),
        ("no word on bad drafts", r#"{"submit":{"drafts":[],"imported":false}}"#),
        ("something behind it", r#""status" "status""#),
        ("cut off", r#"{"record-show":{"id":"#),
        ("a lone surrogate", r#"{"record-show":{"id":"\ud800"}}"#),
        ("null", "null"),
        ("a number", "5"),
        ("a list", "[]"),
        ("what a node answers", r#"{"done":null}"#),
    ] {
        cases.push(case(rule, text));
    }
    cases.push(repeated("nested 100,000 times", &[(b"{\"submit\":", 100_000)]));
    cases.push(case("not UTF-8", b"\"sta\xfftus\""));
    cases
}
