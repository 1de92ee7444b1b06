//! The signer as a process of its own: handed over to, away, killed, asked by others, and with a key for the next log.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use shieldwall::node::keys::{Access, KeyFolder, KeyName};

use super::{Federation, success, wait_for};

/// A signer's process. Dropped, it is killed.
struct Signer(Child);

impl Signer {
    fn start(federation: &Federation) -> Self {
        let log = fs::OpenOptions::new().create(true).append(true).open(federation.path("signer.log")).unwrap();
        let mut run = federation.command("GE");
        let child = run.args(["signer", "run"]).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        wait_for("the signer", || UnixStream::connect(socket(federation)).is_ok());
        Self(child)
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn socket(federation: &Federation) -> PathBuf {
    federation.path("run").join("signer.sock")
}

fn folder(federation: &Federation) -> PathBuf {
    federation.path("signer")
}

/// Names the signer in Georgia's config, in the place of what its section said.
fn configure(federation: &Federation, more: &str) {
    let config = federation.config("GE");
    let text = fs::read_to_string(&config).unwrap();
    let (before, rest) = text.split_once("[signer]\n").unwrap();
    let after = &rest[rest.find("[log]\n").unwrap()..];
    let (socket, folder) = (socket(federation), folder(federation));
    let signer = format!("[signer]\nsocket = \"{}\"\nfolder = \"{}\"\n{more}\n", socket.display(), folder.display());
    fs::write(&config, format!("{before}{signer}{after}")).unwrap();
}

/// Starts an import of declarations with these numbers, and does not wait for it.
fn import(federation: &Federation, numbers: std::ops::Range<usize>) -> Child {
    let table = federation.path(&format!("declarations-{}.csv", numbers.start));
    fs::write(&table, super::federation::table(numbers)).unwrap();
    let mut import = federation.command("GE");
    import
        .args(["--timeout", "50"])
        .arg("import")
        .arg(&table)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn is_away(federation: &Federation) -> bool {
    federation.json("GE", &["status"]).is_some_and(|status| status["signer_away_since"].is_string())
}

/// Whether a process has these bytes anywhere in its memory; none where this may not be looked at.
fn remembers(process: u32, needle: &[u8]) -> Option<bool> {
    let memory = fs::File::open(format!("/proc/{process}/mem")).ok()?;
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).ok()?;
    let mut found = false;
    for map in maps.lines().filter(|map| map.contains(" rw")) {
        let (from, to) = map.split(' ').next()?.split_once('-')?;
        let (from, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
        let mut bytes = vec![0; usize::try_from(to - from).ok()?];
        // Some pages cannot be read by anybody.
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            found |= bytes.windows(needle.len()).any(|window| window == needle);
        }
    }
    Some(found)
}

fn log_seed(keys: &Path) -> [u8; 32] {
    let access = Access { passphrase: None, allow_unprotected: true };
    *KeyFolder::open(keys).unwrap().read(&KeyName::Log("GE".parse().unwrap()), access).unwrap().expose()
}

#[test]
fn a_signer_of_its_own_is_waited_for_and_keeps_the_key_to_itself() {
    let federation = Federation::of(&["GE", "TR"]);
    let mut nodes = federation.start_all();
    assert!(import(&federation, 0..5).wait().unwrap().success());
    federation.converge();

    // Handed over while the node is stopped, and only then.
    configure(&federation, "");
    let adopt = || federation.command("GE").args(["signer", "adopt"]).output().unwrap();
    assert_eq!(adopt().status.code(), Some(11), "the node runs");
    nodes.remove(0).kill();
    let adopted = adopt();
    let said = String::from_utf8_lossy(&adopted.stdout).into_owned();
    assert!(adopted.status.success() && said.contains("moved log GE; its tree is made of 6 statements"), "{adopted:?}");
    assert!(!federation.path("GE").join("keys/log-GE.pem").exists());
    assert!(!federation.path("GE").join("data/guard/GE.guard").exists());
    let again = adopt();
    assert!(String::from_utf8_lossy(&again.stdout).contains("nothing was left to move"), "{again:?}");

    // A node without its signer runs, says so, and takes what is to be logged.
    let georgia = federation.start("GE");
    wait_for("the node sees that the signer is away", || is_away(&federation));
    let doctor = federation.command("GE").arg("doctor").output().unwrap();
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("systemctl start shieldwall-signer"), "{doctor:?}");
    let mut waits = import(&federation, 5..10);
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(waits.try_wait().unwrap().is_none(), "what is to be signed waits");
    let signer = Signer::start(&federation);
    assert!(waits.wait().unwrap().success());
    wait_for("the node sees the signer", || !is_away(&federation));
    federation.converge();

    // The key is in one of the two processes.
    let seed = log_seed(&folder(&federation).join("keys"));
    if let (Some(here), Some(there)) = (remembers(georgia.id(), &seed), remembers(signer.0.id(), &seed)) {
        assert!(there, "the signer does not have it: this looks in the wrong place");
        assert!(!here, "the node has the log's key in its memory");
    } else {
        eprintln!("left out: this user may not look into the memory of a process");
    }

    // Killed in the middle of an import: nothing is lost, and nothing is there twice.
    let mut under_way = import(&federation, 10..2000);
    wait_for("some of it", || federation.audited("TR", "GE") > 30);
    signer.kill();
    wait_for("the node sees that the signer is away", || is_away(&federation));
    assert!(under_way.try_wait().unwrap().is_none(), "the import was over before");
    let _signer = Signer::start(&federation);
    assert!(under_way.wait().unwrap().success());
    federation.converge();
    let declared = federation.json("GE", &["record", "list", "--log", "GE", "--limit", "0"]).unwrap();
    let declared: Vec<_> =
        declared.as_array().unwrap().iter().filter(|record| record["kind"] == "export-notification").collect();
    assert_eq!(declared.len(), 2000, "every record, once");
    assert!(!federation.log("GE").contains("panicked"), "{}", federation.log("GE"));
    let fsck = {
        drop(georgia);
        federation.command("GE").arg("fsck").output().unwrap()
    };
    assert_eq!(fsck.status.code(), Some(3), "what the signer has is not looked at: {fsck:?}");
    assert!(String::from_utf8_lossy(&fsck.stdout).contains("signer"), "{fsck:?}");
}

#[test]
fn the_next_log_gets_its_key_from_the_signer() {
    let federation = Federation::of(&["GE", "TR"]);
    let mut nodes = federation.start_all();
    federation.converge();
    nodes.remove(0).kill();
    configure(&federation, "");
    success(federation.command("GE").args(["signer", "adopt"]));
    let signer = Signer::start(&federation);
    let georgia = federation.start("GE");
    assert!(import(&federation, 0..3).wait().unwrap().success());

    let draw = || federation.command("GE").args(["signer", "draw", "--json"]).output().unwrap();
    assert_eq!(draw().status.code(), Some(11), "the signer runs");
    signer.kill();
    let drawn: serde_json::Value = serde_json::from_slice(&draw().stdout).unwrap();
    assert_eq!(drawn["log"], "GE.2");
    let again: serde_json::Value = serde_json::from_slice(&draw().stdout).unwrap();
    assert_eq!(drawn, again, "a key that was never used is not drawn again");
    let key = format!("GE.2:{}", drawn["key"].as_str().unwrap());
    let _signer = Signer::start(&federation);

    let next = federation.path("next.cose");
    success(federation.command("GE").args(["charter", "export", "--out"]).arg(&next));
    let open = |more: &[&str]| {
        federation.command("GE").args(["log", "open", "--charter"]).arg(&next).args(more).output().unwrap()
    };
    let without = open(&[]);
    assert_eq!(without.status.code(), Some(2), "{without:?}");
    assert!(String::from_utf8_lossy(&without.stderr).contains("signer draw"), "{without:?}");
    for wrong in [format!("GE.2:{}", "0".repeat(64)), key.replace("GE.2", "GE.3"), key.replace("GE.2:", "")] {
        assert_eq!(open(&["--key", &wrong]).status.code(), Some(2), "{wrong}");
    }
    let opened = open(&["--key", &key]);
    assert!(opened.status.success(), "{opened:?}");
    assert!(!federation.path("GE").join("keys/log-GE.2.pem").exists(), "the key stays where it was drawn");
    success(federation.command("GE").args(["charter", "publish"]).arg(&next));
    georgia.kill();
    let _georgia = federation.start("GE");
    assert!(import(&federation, 3..6).wait().unwrap().success());
    federation.converge();
    let records = federation.records("GE", "GE.2");
    assert_eq!(records.iter().filter(|(_, ucr)| ucr.is_some()).count(), 3, "{records:?}");
    let used = {
        drop(_signer);
        draw()
    };
    let next: serde_json::Value = serde_json::from_slice(&used.stdout).unwrap();
    assert_eq!(next["log"], "GE.3", "the key of GE.2 is in use");
}

#[test]
fn a_node_that_has_lost_its_data_asks_the_others_before_it_asks_its_signer() {
    let federation = Federation::of(&["GE", "TR", "MZ"]);
    let mut nodes = federation.start_all();
    federation.converge();
    nodes.remove(0).kill();
    configure(&federation, "");
    success(federation.command("GE").args(["signer", "adopt"]));
    let _signer = Signer::start(&federation);
    nodes.insert(0, federation.start("GE"));
    assert!(import(&federation, 0..6).wait().unwrap().success());
    federation.converge();
    nodes.remove(0).kill();
    // The volume with the data is not there, and nobody is within reach: the guard knows more than this disk.
    fs::rename(federation.path("GE").join("data"), federation.path("GE").join("away")).unwrap();
    nodes.clear();
    let georgia = federation.start("GE");
    std::thread::sleep(std::time::Duration::from_secs(8));
    let status = federation.json("GE", &["status"]).unwrap();
    assert_eq!(status["next_log"], false, "{status}");
    assert!(status["read_only"].as_str().unwrap().contains("asking peers"), "{status}");
    georgia.kill();
    fs::remove_dir_all(federation.path("GE").join("data")).unwrap();
    // With the others the ledger comes back, and with the guard the log goes on where it was.
    let _others = [federation.start("TR"), federation.start("MZ")];
    success(federation.command("GE").args(["restore", "--from-peers", "--timeout", "50"]));
    let _georgia = federation.start("GE");
    assert!(import(&federation, 6..9).wait().unwrap().success());
    federation.converge();
    let records = federation.records("GE", "GE");
    assert!(records.len() >= 11, "seven statements, the lanes that were drawn anew, three records: {records:?}");
}

/// What a program of another user hears when it asks whether anybody is there; none where no other user can be played.
fn heard_by_nobody(socket: &Path) -> Option<String> {
    // Perl is on every Debian.
    let ask = "use IO::Socket::UNIX; $SIG{PIPE} = q(IGNORE); alarm 20; my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die $!; print $s qq(\"ping\"\\n); \
               $s->flush; print scalar <$s> // 'nothing'";
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "perl", "-e", ask]).arg(socket);
    let output = command.output().ok()?;
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_signer_answers_the_users_of_its_node_and_nobody_else() {
    let federation = Federation::of(&["GE"]);
    configure(&federation, "");
    let mut georgia = vec![federation.start("GE")];
    wait_for("a signer that is away", || is_away(&federation));
    georgia.remove(0).kill();
    success(federation.command("GE").args(["signer", "adopt"]));
    let signer = Signer::start(&federation);
    let stream = UnixStream::connect(socket(&federation)).unwrap();
    (&stream).write_all(b"\"ping\"\n").unwrap();
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line).unwrap();
    assert_eq!(line, "\"pong\"\n");
    // What is none of its language ends the connection, and nothing else.
    (&stream).write_all(b"sign here, please\n").unwrap();
    line.clear();
    assert_eq!(BufReader::new(&stream).read_line(&mut line).unwrap(), 0, "{line}");
    let second = federation.command("GE").args(["signer", "run"]).output().unwrap();
    assert_eq!(second.status.code(), Some(11), "one signer at a time: {second:?}");

    if fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own)).ok() != Some(0) {
        eprintln!("skipped: only root can play another user");
        return;
    }
    // Whoever could open the socket is asked for by the kernel; here somebody has widened its mode.
    let widen = |modes: &[(PathBuf, u32)]| {
        modes.iter().for_each(|(path, mode)| fs::set_permissions(path, fs::Permissions::from_mode(*mode)).unwrap());
    };
    let run = federation.path("run");
    widen(&[(federation.path(""), 0o755), (run.clone(), 0o755), (socket(&federation), 0o666)]);
    let Some(heard) = heard_by_nobody(&socket(&federation)) else {
        eprintln!("left out: there is no setpriv or perl to play another user");
        return;
    };
    assert_eq!(heard, "nothing", "somebody else is not answered");
    signer.kill();
    fs::remove_dir_all(&run).unwrap();
    configure(&federation, "node_user = \"nobody\"\n");
    let _signer = Signer::start(&federation);
    let heard = heard_by_nobody(&socket(&federation)).unwrap();
    assert!(heard.contains("pong"), "the node's user: {heard}");
    assert_eq!(fs::metadata(&run).unwrap().permissions().mode() & 0o777, 0o750);
}
