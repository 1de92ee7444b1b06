//! The command line, as an operator sees it: the transcripts in `tests/cli/*.md`, and what cannot be written as one.
//!
//! After a wanted change: `just transcripts`, then read `git diff` as the review.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use shieldwall::evidence::{ExportOptions, export};

use crate::evidence_fixture::World;

const PROGRAM: &str = env!("CARGO_BIN_EXE_shieldwall");

#[test]
fn transcripts() {
    trycmd::TestCases::new().register_bin("shieldwall", Path::new(PROGRAM)).case("tests/cli/*.md");
}

#[test]
fn keys_are_encrypted_and_a_wrong_passphrase_has_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let right = secret(folder.path(), "right", "correct horse battery");
    let wrong = secret(folder.path(), "wrong", "incorrect horse battery");
    let member = folder.path().join("GE");
    let made = run(&["init", "GE", "--dir", &text(&member), "--passphrase-file", &right]);
    assert!(made.status.success(), "{made:?}");
    for entry in fs::read_dir(member.join("keys")).unwrap() {
        let path = entry.unwrap().path();
        assert!(fs::read_to_string(&path).unwrap().contains("ENCRYPTED"), "{}", path.display());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }

    let charter = text(&folder.path().join("charter.cose"));
    let drawn =
        run(&["charter", "create", "--name", "Alone", "--out", &charter, &text(&member.join("manifest-GE.cose"))]);
    assert!(drawn.status.success(), "{drawn:?}");
    let config = text(&member.join("shieldwall.toml"));
    let sign = |secret: &str| run(&["--config", &config, "charter", "sign", &charter, "--passphrase-file", secret]);
    assert_eq!(sign(&wrong).status.code(), Some(12));
    assert!(sign(&right).status.success());
    assert_eq!(run(&["charter", "verify", &charter]).status.code(), Some(0));
}

#[test]
fn a_root_comes_back_from_any_few_of_its_sheets() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| text(&folder.path().join(name));
    let secret = secret(folder.path(), "passphrase", "correct horse battery");
    let locked = |args: &[&str]| run(&[args, &["--passphrase-file", &secret]].concat());
    assert!(locked(&["root", "create", "--keys", &path("offline")]).status.success());
    assert!(locked(&["init", "GE", "--dir", &path("GE"), "--roots", &path("offline")]).status.success());
    for name in ["root.pem", "next-root.pem"] {
        assert!(!folder.path().join("GE/keys").join(name).exists(), "{name} lies beside the node's keys");
    }
    let charter = path("charter.cose");
    let drawn = run(&["charter", "create", "--name", "Alone", "--out", &charter, &path("GE/manifest-GE.cose")]);
    assert!(drawn.status.success(), "{drawn:?}");
    let of_root = |args: &[&str]| locked(&[args, &["--keys", &path("offline"), "--member", "GE"]].concat());
    assert!(of_root(&["charter", "sign", &charter]).status.success());
    for key in ["root", "next-root"] {
        let made = of_root(&["root", "backup", "--shares", "5", "--needed", "3", "--out", &path(key), "--key", key]);
        assert!(made.status.success(), "{made:?}");
    }
    let sheets = |key: &str| -> Vec<String> {
        let mut sheets: Vec<_> = fs::read_dir(path(key)).unwrap().map(|entry| entry.unwrap().path()).collect();
        sheets.sort();
        for sheet in &sheets {
            assert_eq!(sheet.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        sheets.iter().map(|path| text(path)).collect()
    };
    let (root, next) = (sheets("root"), sheets("next-root"));
    let drill = |sheets: &[&String]| {
        let sheets: Vec<&str> = sheets.iter().map(|sheet| sheet.as_str()).collect();
        let output = run(&[&["root", "drill", "--charter", &charter][..], &sheets].concat());
        (output.status.code(), String::from_utf8(output.stdout).unwrap() + std::str::from_utf8(&output.stderr).unwrap())
    };
    let (code, said) = drill(&[&root[4], &root[0], &root[2]]);
    assert!(code == Some(0) && said.contains("charter version 1 names it") && said.ends_with("PASS\n"), "{said}");
    let (code, said) = drill(&[&next[1], &next[0], &next[2]]);
    assert!(code == Some(0) && said.starts_with("next-root ") && said.ends_with("PASS\n"), "{said}");
    let (code, said) = drill(&[&root[4], &root[0]]);
    assert!(code == Some(20) && said.contains("2 of 3 shares"), "{said}");
    let (code, said) = drill(&[&root[4], &root[0], &next[0]]);
    assert!(code == Some(20) && said.contains("share 1 is of another set or key"), "{said}");

    // The machine is lost: three people bring their sheets, one of them by typing it in.
    fs::remove_dir_all(path("offline")).unwrap();
    let typed = fs::read(&root[3]).unwrap();
    let args = ["root", "restore", "-", &root[0], &root[1], "--keys", &path("offline"), "--passphrase-file", &secret];
    let mut child = Command::new(PROGRAM).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&typed).unwrap();
    let restored = child.wait_with_output().unwrap();
    assert!(restored.status.success(), "{restored:?}");
    let next = path("next.cose");
    let drawn = run(&["charter", "propose", "--charter", &charter, "--name", "Still alone", "--out", &next]);
    assert!(drawn.status.success(), "{drawn:?}");
    assert!(of_root(&["charter", "sign", &next]).status.success());
    assert_eq!(run(&["charter", "verify", &next]).status.code(), Some(0));
    let again = run(&[
        &["root", "restore"][..],
        &root.iter().map(String::as_str).collect::<Vec<_>>(),
        &["--keys", &path("offline"), "--insecure-dev-keys"],
    ]
    .concat());
    assert_eq!(again.status.code(), Some(10), "a key is never overwritten: {again:?}");
}

#[test]
fn a_root_signs_on_a_machine_that_has_only_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| text(&folder.path().join(name));
    let made = run(&["init", "GE", "--dir", &path("GE"), "--insecure-dev-keys"]);
    assert!(made.status.success(), "{made:?}");
    let keys = fs::canonicalize(folder.path()).unwrap().join("offline");
    fs::create_dir(&keys).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o700)).unwrap();
    for name in ["root.pem", "next-root.pem"] {
        fs::rename(folder.path().join("GE/keys").join(name), keys.join(name)).unwrap();
    }
    let charter = path("charter.cose");
    run(&["charter", "create", "--name", "Alone", "--out", &charter, &path("GE/manifest-GE.cose")]);
    fs::remove_file(folder.path().join("GE/shieldwall.toml")).unwrap();
    let keys = text(&keys);
    let offline = ["--keys", &keys, "--member", "GE", "--insecure-dev-keys"];
    let sign = |file: &str| run(&[&["charter", "sign", file][..], &offline].concat());
    assert!(sign(&charter).status.success());
    assert_eq!(run(&["charter", "verify", &charter]).status.code(), Some(0));
    // A root is rotated there too, twice.
    for version in [2, 3] {
        let (rotation, next) = (path(&format!("rotation-{version}")), path(&format!("charter-{version}")));
        let before = if version == 2 { charter.clone() } else { path("charter-2") };
        let rotated = [&["root", "rotate", "--charter", &before, "--out", &rotation][..], &offline].concat();
        assert!(run(&rotated).status.success());
        let drawn = run(&["charter", "propose", "--charter", &before, "--change-root", &rotation, "--out", &next]);
        assert!(drawn.status.success(), "{drawn:?}");
        assert!(sign(&next).status.success());
        assert_eq!(run(&["charter", "verify", &next]).status.code(), Some(0));
        let adopted = run(&[&["root", "adopt", "--charter", &next][..], &offline].concat());
        assert!(adopted.status.success(), "{adopted:?}");
    }
    let spent = fs::read_dir(&keys)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("spent-root-"));
    assert_eq!(spent.count(), 2);
}

#[test]
fn a_secret_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let secret = secret(folder.path(), "secret", "correct horse battery");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = run(&["init", "GE", "--dir", &text(&folder.path().join("GE")), "--passphrase-file", &secret]);
    assert_eq!(refused.status.code(), Some(14), "{refused:?}");
    assert!(!folder.path().join("GE").exists(), "nothing is made");
}

#[test]
fn a_key_log_of_the_connections_is_refused() {
    let output = command(&["status"]).env("SSLKEYLOGFILE", "/dev/null").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("unset SSLKEYLOGFILE"));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = command(&["init", "GE", "--insecure-dev-keys", "--dir", &text(&folder.path().join("GE"))])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{output:?}");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn evidence_that_was_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    let charter = text(&folder.path().join("charter.cose"));
    fs::write(&charter, world.federation.published().encode().unwrap()).unwrap();
    let dir = folder.path().join("evidence");
    for (name, bytes) in export(&world.material(1), &ExportOptions::default()).unwrap() {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let verify = || run(&["evidence", "verify", &text(&dir), "--charter", &charter]);
    let good = verify();
    assert_eq!(good.status.code(), Some(0), "{good:?}");
    assert!(String::from_utf8_lossy(&good.stdout).contains("PROVED"), "{good:?}");

    let statement = dir.join("statement.cose");
    let mut bytes = fs::read(&statement).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&statement, bytes).unwrap();
    let bad = verify();
    assert_eq!(bad.status.code(), Some(20), "{bad:?}");
    assert!(String::from_utf8_lossy(&bad.stdout).contains("REFUSED"), "{bad:?}");
}

fn secret(folder: &Path, name: &str, passphrase: &str) -> String {
    let path = folder.join(name);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
    writeln!(file, "{passphrase}").unwrap();
    text(&path)
}

fn run(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(args).env_clear().stdin(Stdio::null());
    command
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
