//! Secrets and opened contents are searched where they must not be: in logs at TRACE, in what commands say beside their results, in the
//! environment, in a core file, in what is sent to others to find a fault.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use shieldwall::node::keys::{Access, KeyFolder, KeyName, Passphrase};
use zeroize::Zeroizing;

use super::federation::files_with;
use super::{Federation, success, wait_for};

const PASSPHRASE: &str = "canary-passphrase-of-the-keys";
/// What only Georgia and Türkiye may read.
const CONTENTS: [&str; 3] = ["Canary Exporter 5521", "CANARYUCR1", "Canary Consignee 8094"];

/// The ways in which 32 secret bytes could be written.
fn spellings(secret: &[u8; 32]) -> Vec<Vec<u8>> {
    let decimal = secret.iter().map(ToString::to_string).collect::<Vec<_>>();
    let base64 = data_encoding::BASE64.encode(secret);
    vec![
        secret.to_vec(),
        data_encoding::HEXLOWER.encode(secret).into_bytes(),
        data_encoding::HEXUPPER.encode(secret).into_bytes(),
        // Wherever in a longer text it begins, all but the edges is the same.
        base64.as_bytes()[..40].to_vec(),
        decimal.join(", ").into_bytes(),
        decimal.join(",").into_bytes(),
    ]
}

/// The secret halves of a member's keys, in all spellings.
fn keys(federation: &Federation, member: &str) -> Vec<Vec<u8>> {
    let folder = KeyFolder::open(&federation.path(member).join("keys")).unwrap();
    let passphrase = Passphrase::new(Zeroizing::new(PASSPHRASE.to_owned())).unwrap();
    let log = member.parse().unwrap();
    let names = [KeyName::Root, KeyName::NextRoot, KeyName::Log(log), KeyName::Witness(log.member), KeyName::Transport];
    let access = Access { passphrase: Some(&passphrase), allow_unprotected: false };
    let seeds = folder.read_all(&names.into_iter().chain([KeyName::Seal(0)]).collect::<Vec<_>>(), access).unwrap();
    seeds.iter().flat_map(|seed| spellings(seed.expose())).collect()
}

#[track_caller]
fn is_clean(what: &str, text: &[u8], needles: &[Vec<u8>]) {
    let words = String::from_utf8_lossy(text);
    for needle in needles {
        let found = match std::str::from_utf8(needle) {
            Ok(needle) => words.contains(needle),
            Err(_) => text.windows(needle.len()).any(|window| window == needle),
        };
        assert!(!found, "{what} holds {:?}", String::from_utf8_lossy(needle));
    }
}

/// Whether a process that may leave a core file leaves it in its folder on this machine.
fn cores_are_left(folder: &Path) -> bool {
    fs::create_dir(folder).unwrap();
    let shell = "ulimit -c unlimited && sleep 60 & exec >/dev/null; pid=$!; sleep 0.3; kill -ABRT $pid; wait $pid";
    drop(Command::new("sh").current_dir(folder).args(["-c", shell]).output().unwrap());
    has_core(folder)
}

fn has_core(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with("core"))
}

#[test]
fn nothing_secret_is_where_it_must_not_be() {
    let federation = Federation::prepared(&["GE", "TR"], |federation| {
        let file = federation.path("passphrase");
        fs::write(&file, PASSPHRASE).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    });
    let needles: Vec<Vec<u8>> = federation
        .members
        .iter()
        .flat_map(|member| keys(&federation, member))
        .chain([PASSPHRASE.into()])
        .chain(CONTENTS.map(Into::into))
        .collect();
    let trace = [("SHIELDWALL_LOG_LEVEL", "trace")];
    let mut nodes = vec![federation.spawn_with("TR", &trace)];
    // In a folder of its own, where a core file would lie.
    let cores = federation.path("cores");
    fs::create_dir(&cores).unwrap();
    let limit = format!("ulimit -c unlimited && cd '{}' && export SHIELDWALL_LOG_LEVEL=trace", cores.display());
    nodes.push(federation.spawn_under("GE", &limit));
    for member in ["GE", "TR"] {
        wait_for(&format!("the node of {member}"), || federation.is_up(member));
    }

    let table = federation.path("canaries.csv");
    let head =
        "ucr,export_country,destination,exporter_name,consignee_name,commodity_code,description,net_mass,net_unit";
    let [exporter, ucr, consignee] = CONTENTS;
    fs::write(
        &table,
        format!("{head}\n6GE420000333-{ucr},GE,TR,{exporter},{consignee},310230,Ammonium nitrate,1000,KGM\n"),
    )
    .unwrap();
    let loud = |member: &str, args: &[&str]| {
        let output = success(federation.command(member).arg("-vv").args(args));
        is_clean(&format!("what `{}` says beside its result", args.join(" ")), &output.stderr, &needles);
        output.stdout
    };
    loud("GE", &["import", table.to_str().unwrap()]);
    federation.converge();
    wait_for("the record at its reader", || federation.records("TR", "GE").iter().any(|(_, ucr)| ucr.is_some()));
    let id = federation.records("TR", "GE").into_iter().find(|(_, ucr)| ucr.is_some()).unwrap().0;
    let shown = loud("TR", &["record", "show", &id]);
    for content in CONTENTS {
        assert!(String::from_utf8_lossy(&shown).contains(content), "the canary {content} is not there at all");
    }
    loud("TR", &["consignment", "list"]);
    loud("TR", &["alerts", "list"]);
    loud("TR", &["stats"]);
    loud("TR", &["evidence", "export", &id, "--out", federation.path("evidence").to_str().unwrap()]);
    loud("GE", &["backup", "create"]);
    // Errors too: what is refused is not repeated in the node's log.
    fs::write(
        &table,
        format!("{head}\n6GE420000333-{ucr},GE,TR,{exporter},{consignee},310230,Ammonium nitrate,many,KGM\n"),
    )
    .unwrap();
    assert!(!federation.command("GE").arg("import").arg(&table).output().unwrap().status.success());

    for member in ["GE", "TR"] {
        let folder = federation.path(&format!("support-{member}"));
        loud(member, &["support", "--out", folder.to_str().unwrap()]);
        let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 6, "{files:?}");
        for needle in &needles {
            assert_eq!(files_with(&folder, needle), Vec::<std::path::PathBuf>::new());
        }
    }
    for node in &nodes {
        for file in ["environ", "cmdline"] {
            // Of a process that leaves no core file, only root may read the environment.
            let text = fs::read(format!("/proc/{}/{file}", node.id())).unwrap_or_default();
            is_clean(file, &text, &needles);
        }
    }
    let process = nodes[1].id().to_string();
    success(Command::new("kill").args(["-ABRT", &process]));
    wait_for("its end", || nodes[1].ended().is_some());
    assert!(!has_core(&cores), "a node that crashes leaves its keys in a core file");
    if !cores_are_left(&federation.path("control")) {
        eprintln!("not shown here: on this machine no process leaves a core file in its folder");
    }
    for member in ["GE", "TR"] {
        let log = federation.log(member);
        assert!(log.contains("TRACE"), "the log of {member} is not at TRACE");
        is_clean(&format!("the log of {member}"), log.as_bytes(), &needles);
    }
    // The search itself finds what is there.
    assert!(!files_with(&federation.path("evidence"), CONTENTS[0].as_bytes()).is_empty());
}
