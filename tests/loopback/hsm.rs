//! A log key in a hardware security module: SoftHSM, a module in software that real nodes speak PKCS#11 to, where it is installed.

use std::fs;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::object::{Attribute, AttributeInfo, AttributeType, ObjectClass};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;

use super::{Federation, declarations, program, success, wait_for};

const PIN: &str = "canary-4711-pin";

/// Where Debian's package `softhsm2` puts the module.
fn module() -> Option<PathBuf> {
    let path = PathBuf::from("/usr/lib/softhsm/libsofthsm2.so");
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: SoftHSM is not installed");
    None
}

/// A folder with a token of this label, and the PIN beside it.
struct Tokens {
    folder: PathBuf,
    module: PathBuf,
}

impl Tokens {
    fn with(folder: PathBuf, module: PathBuf, label: &str) -> Self {
        fs::create_dir_all(folder.join("tokens")).unwrap();
        let tokens = Self { folder, module };
        fs::write(tokens.conf(), format!("directories.tokendir = {}\n", tokens.folder.join("tokens").display()))
            .unwrap();
        tokens.write_pin(PIN);
        let mut util = Command::new("softhsm2-util");
        util.args(["--init-token", "--free", "--label", label, "--so-pin", "canary-so-pin", "--pin", PIN]);
        success(util.env("SOFTHSM2_CONF", tokens.conf()));
        tokens
    }

    fn conf(&self) -> PathBuf {
        self.folder.join("softhsm2.conf")
    }

    fn pin_file(&self) -> PathBuf {
        self.folder.join("pin")
    }

    fn write_pin(&self, pin: &str) {
        drop(fs::remove_file(self.pin_file()));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.pin_file()).unwrap();
        std::io::Write::write_all(&mut file, format!("{pin}\n").as_bytes()).unwrap();
    }

    /// The options of the config, for a token of this label.
    fn options(&self, label: &str) -> String {
        let (module, pin) = (self.module.display(), self.pin_file());
        format!("\n[hsm]\nmodule = \"{module}\"\ntoken = \"{label}\"\npin_file = \"{}\"\n", pin.display())
    }

    fn run(&self, command: &mut Command) -> Output {
        command.env("SOFTHSM2_CONF", self.conf()).output().unwrap()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_node_signs_in_a_token_and_its_evidence_verifies() {
    let Some(module) = module() else { return };
    let federation = Federation::of(&["GE", "TR"]);
    let tokens = Tokens::with(federation.path("hsm"), module, "shieldwall-GE");
    let config = federation.config("GE");
    let text = fs::read_to_string(&config).unwrap();
    let without: String = text.lines().filter(|line| *line != "[hsm]").map(|line| format!("{line}\n")).collect();
    let with_token = |label: &str| fs::write(&config, format!("{without}{}", tokens.options(label))).unwrap();

    // A token that is not there, and a PIN that is not its own, sign no manifest.
    let open = || tokens.run(federation.command("GE").args(["log", "open", "--no-input"]));
    let charter = fs::read(federation.path("charter.cose")).unwrap();
    with_token("another");
    let refused = open();
    assert_eq!(refused.status.code(), Some(30), "{}", said(&refused));
    assert!(
        said(&refused).contains("no token `another`") && said(&refused).contains("shieldwall-GE"),
        "{}",
        said(&refused)
    );
    with_token("shieldwall-GE");
    tokens.write_pin("wrong");
    let refused = open();
    assert_eq!(refused.status.code(), Some(12), "{}", said(&refused));
    fs::set_permissions(tokens.pin_file(), fs::Permissions::from_mode(0o644)).unwrap();
    let refused = open();
    assert_eq!(refused.status.code(), Some(14), "others can read the PIN: {}", said(&refused));
    tokens.write_pin(PIN);
    assert!(fs::read(federation.path("charter.cose")).unwrap() == charter, "nothing was signed");

    // Georgia's next log has its key in the token, and nowhere else.
    let opened = open();
    assert!(opened.status.success(), "{}", said(&opened));
    let keys: Vec<_> =
        fs::read_dir(federation.path("GE").join("keys")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(keys.iter().all(|name| *name != "log-GE.2.pem"), "{keys:?}");
    let again = open();
    assert_eq!(again.status.code(), Some(0), "the log after it has a key of its own: {}", said(&again));

    let conf = tokens.conf();
    let more = [("SOFTHSM2_CONF", conf.to_str().unwrap()), ("SHIELDWALL_LOG_LEVEL", "trace")];
    let georgia = federation.spawn_with("GE", &more);
    wait_for("the node of GE", || federation.is_up("GE"));
    let _türkiye = federation.start("TR");
    let table = federation.path("declarations.csv");
    declarations(&table, 3);
    success(federation.command("GE").args(["--timeout", "40"]).arg("import").arg(&table));
    federation.converge();
    let records = federation.records("TR", "GE.3");
    assert!(records.len() >= 4, "{records:?}");

    let evidence = federation.path("evidence");
    let export = ["evidence", "export", "GE.3-1", "--out", &evidence.to_string_lossy()];
    success(federation.command("TR").args(export));
    let verify = ["evidence", "verify", &evidence.to_string_lossy(), "--charter"];
    let founding = federation.path("charter.cose");
    success(program().args(verify).arg(&founding));
    georgia.kill();

    // Neither PIN nor key is anywhere but in the token, with the log at its most talkative.
    let log = federation.log("GE");
    assert!(log.contains("TRACE") && !log.contains(PIN), "the PIN is in the log");
    stays_in_the_token(&tokens, "log-GE.3");

    // A token in which the key is not: the node says so, and starts nothing.
    let empty = Tokens::with(federation.path("other"), tokens.module.clone(), "shieldwall-GE");
    let mut start = federation.command("GE");
    let refused =
        empty.run(start.args(["run", "--stop-on-stdin-end"]).env("SHIELDWALL_HSM_PIN_FILE", empty.pin_file()));
    assert_eq!(refused.status.code(), Some(30), "{}", said(&refused));
    assert!(said(&refused).contains("the token holds 0 keys `log-GE.3`"), "{}", said(&refused));
}

#[test]
fn the_first_log_too_can_have_its_key_in_a_token() {
    let Some(module) = module() else { return };
    let folder = tempfile::tempdir().unwrap();
    let tokens = Tokens::with(folder.path().join("hsm"), module, "desk \"A\"");
    let dir = folder.path().join("GE");
    let mut init = program();
    init.args(["init", "GE", "--insecure-dev-keys", "--dir"]).arg(&dir);
    init.arg("--hsm-module").arg(&tokens.module).args(["--hsm-token", "desk \"A\"", "--hsm-pin-file"]);
    let made = tokens.run(init.arg(tokens.pin_file()));
    assert!(made.status.success(), "{}", said(&made));
    assert!(!dir.join("keys/log-GE.pem").exists() && dir.join("keys/root.pem").exists());
    let config = dir.join("shieldwall.toml");
    let shown = success(program().arg("--config").arg(&config).args(["config", "show"]));
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("hsm.token") && shown.contains("desk"), "{shown}");
    stays_in_the_token(&tokens, "log-GE");

    // All three options or none.
    let mut half = program();
    half.args(["init", "TR", "--insecure-dev-keys", "--hsm-token", "x", "--dir"]).arg(folder.path().join("TR"));
    assert_eq!(half.output().unwrap().status.code(), Some(2));
    let text = fs::read_to_string(&config).unwrap().replace("pin_file = ", "# pin_file = ");
    fs::write(&config, text).unwrap();
    let checked = program().arg("--config").arg(&config).args(["config", "check"]).output().unwrap();
    assert_eq!(checked.status.code(), Some(30), "{}", said(&checked));
}

/// Asks the token itself: the private key is there once, sensitive, not to be extracted, and its value is not given.
fn stays_in_the_token(tokens: &Tokens, label: &str) {
    // The module reads its config from the environment, which a test must not change for the others: a process of its own asks.
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "loopback::hsm::asks_the_token", "--ignored", "--nocapture"])
        .envs([("SOFTHSM2_CONF", tokens.conf()), ("TOKEN_MODULE", tokens.module.clone())])
        .env("TOKEN_KEY", label)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}{}", said(&output));
}

#[test]
#[ignore = "is started by the other tests, with a token"]
fn asks_the_token() {
    let module = std::env::var_os("TOKEN_MODULE").expect("started by another test");
    let label = std::env::var("TOKEN_KEY").unwrap();
    let context = Pkcs11::new(Path::new(&module)).unwrap();
    context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let slot = context.get_slots_with_initialized_token().unwrap()[0];
    let session = context.open_ro_session(slot).unwrap();
    session.login(UserType::User, Some(&AuthPin::new(PIN.into()))).unwrap();
    let named = [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Label(label.into_bytes())];
    let [key] = session.find_objects(&named).unwrap()[..] else { panic!("one key") };
    let wanted = [AttributeType::Sensitive, AttributeType::Extractable, AttributeType::NeverExtractable];
    let attributes = session.get_attributes(key, &wanted).unwrap();
    let expected = [Attribute::Sensitive(true), Attribute::Extractable(false), Attribute::NeverExtractable(true)];
    assert_eq!(attributes, expected);
    let value = session.get_attribute_info(key, &[AttributeType::Value]).unwrap();
    assert!(matches!(value[..], [AttributeInfo::Sensitive]), "the token gives its key away: {value:?}");
}
