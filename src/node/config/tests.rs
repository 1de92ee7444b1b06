use super::layers::Value;
use super::options::{Default, OPTIONS};
use super::*;

fn load(text: &str) -> Result<(Config, Vec<Setting>), ConfigError> {
    Config::parse(Path::new("/etc/shieldwall/shieldwall.toml"), text, &Sources::default())
}

#[test]
fn the_example_shows_every_option_with_its_default() {
    let (shown, settings) = load(EXAMPLE).unwrap();
    let (minimal, defaults) = load("member = \"GE\"").unwrap();
    assert_eq!(shown, minimal);
    for (setting, default) in settings.iter().zip(&defaults) {
        assert_eq!(setting.value, default.value, "{}", setting.key);
    }
    for option in &OPTIONS {
        let name = option.key.rsplit('.').next().unwrap();
        let start = if option.default == Default::None { "# " } else { "" };
        let line = format!("{start}{name} = ");
        assert!(EXAMPLE.lines().any(|shown| shown.starts_with(&line)), "`{line}` is not in the example");
    }
}

#[test]
fn paths_are_relative_to_the_file() {
    let (config, _) = load("member = \"GE\"\nkeys_dir = \"/secret\"").unwrap();
    assert_eq!(config.data_dir, Path::new("/etc/shieldwall/data"));
    assert_eq!(config.keys_dir, Path::new("/secret"));
    assert_eq!(config.socket, Path::new("/etc/shieldwall/data/shieldwall.sock"));
    assert_eq!(config.passphrase_file, None);
}

#[test]
fn all_faults_are_told_at_once() {
    let text = "member = \"Georgia\"\nlisten = [\"here\"]\nlisen = []\n[intervals]\ncosign_ms = 5\nsync_s = \"often\"\n[log]\nformat = \"xml\"";
    let error = load(text).unwrap_err();
    let expected = "\
the config has 6 faults
  /etc/shieldwall/shieldwall.toml:1:10: `member` is `Georgia`: a member code is a capital letter followed by a capital letter or digit, such as GE or W1
    1 | member = \"Georgia\"
      |          ^^^^^^^^^
  /etc/shieldwall/shieldwall.toml:2:10: `listen` holds `here`: an address is written like /ip4/192.0.2.1/udp/4310/quic-v1 or /ip6/2001:db8::1/tcp/4310
    2 | listen = [\"here\"]
      |          ^^^^^^^^
  /etc/shieldwall/shieldwall.toml:3:1: unknown option `lisen`, did you mean `listen`?
    3 | lisen = []
      | ^^^^^
  /etc/shieldwall/shieldwall.toml:5:13: `intervals.cosign_ms` takes a whole number from 100 to 60000
    5 | cosign_ms = 5
      |             ^
  /etc/shieldwall/shieldwall.toml:6:10: `intervals.sync_s` takes a whole number from 1 to 3600
    6 | sync_s = \"often\"
      |          ^^^^^^^
  /etc/shieldwall/shieldwall.toml:8:10: `log.format` is `text` or `json`, not `xml`
    8 | format = \"xml\"
      |          ^^^^^";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn syntax_and_missing_options_have_their_place_too() {
    let error = load("data_dir = \"x\nkeys_dir = 1").unwrap_err().to_string();
    assert!(error.contains(":1:"), "{error}");
    assert!(error.contains("`member` is missing"), "{error}");
    assert!(load("").is_err());
}

#[test]
fn environment_overrides_the_file_and_flags_override_both() {
    let mut sources = Sources::default();
    for (name, value) in [
        ("SHIELDWALL_LOG_LEVEL", "debug"),
        ("SHIELDWALL_DATA_DIR", "env"),
        ("SHIELDWALL_LISTEN", "/ip4/127.0.0.1/tcp/1, /ip4/127.0.0.1/tcp/2"),
    ] {
        sources.environment.insert(name.to_owned(), value.to_owned());
    }
    sources.flags.push(("--data-dir", "data_dir", "flag".to_owned()));
    let (config, settings) =
        Config::parse(Path::new("dir/c.toml"), "member = \"GE\"\ndata_dir = \"file\"", &sources).unwrap();
    assert_eq!(config.data_dir, Path::new("flag"), "relative to where the command was typed");
    assert_eq!(config.log.level, "debug");
    assert_eq!(config.listen.len(), 2);
    let origin = |key| settings.iter().find(|setting| setting.key == key).map(|setting| setting.origin.to_string());
    assert_eq!(origin("data_dir").as_deref(), Some("flag --data-dir"));
    assert_eq!(origin("log.level").as_deref(), Some("env SHIELDWALL_LOG_LEVEL"));
    assert_eq!(origin("member").as_deref(), Some("dir/c.toml:1:10"));
    assert_eq!(origin("charter").as_deref(), Some("default"));

    sources.environment.insert("SHIELDWALL_INTERVALS_SYNC_S".to_owned(), "0".to_owned());
    let error = Config::parse(Path::new("c.toml"), "member = \"GE\"", &sources).unwrap_err();
    assert!(error.to_string().contains("env SHIELDWALL_INTERVALS_SYNC_S: `intervals.sync_s` takes"), "{error}");
}

#[test]
fn a_socket_path_has_a_bound() {
    let text = format!("member = \"GE\"\nsocket = \"/{}\"", "x".repeat(120));
    assert!(load(&text).unwrap_err().to_string().contains("`socket` is longer than"));
}

#[test]
fn values_are_shown_as_they_are_written() {
    assert_eq!(Value::List(vec!["a".to_owned()]).to_string(), "[\"a\"]");
}

#[test]
fn the_template_takes_other_values() {
    let text = template(&[("member", "\"TR\"".to_owned()), ("socket", "\"/run/x.sock\"".to_owned())]);
    let (config, _) = load(&text).unwrap();
    assert_eq!(config.member.as_str(), "TR");
    assert_eq!(config.socket, Path::new("/run/x.sock"));
    assert_eq!(text.lines().count(), EXAMPLE.lines().count());
}

#[test]
fn the_defaults_are_those_of_the_core() {
    let (config, _) = load("member = \"GE\"").unwrap();
    assert_eq!(format!("{:?}", Settings::from(config.intervals)), format!("{:?}", Settings::default()));
}

#[test]
fn a_second_person_that_nobody_can_be_is_a_fault() {
    for (lines, fault) in [
        ("charters = true", "`approvals.charters` needs `approvals.users`"),
        ("records = true\nusers = [\"anton\"]\npersons = 3", "`approvals.records` needs `approvals.users`"),
        ("charters = true\nusers = [\"anton\"]\npersons = 1", "`approvals.persons` takes a whole number from 2 to 9"),
    ] {
        let error = load(&format!("member = \"GE\"\n[approvals]\n{lines}")).unwrap_err().to_string();
        assert!(error.contains(fault), "{error}");
    }
    let good = "member = \"GE\"\n[approvals]\ncharters = true\nusers = [\"anton\", \"1002\"]\ngroup = \"desk\"";
    let approvals = load(good).unwrap().0.approvals;
    assert_eq!(approvals.text(), "charters need 2 persons, of anton 1002 group desk, within 7 days");
    let shared = load("member = \"GE\"\nsocket_group = \"desk\"").unwrap_err().to_string();
    assert!(shared.contains("`socket_group` needs a `socket` in a folder of its own"), "{shared}");
}
