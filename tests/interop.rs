//! Tools that know nothing of us must accept what we write: PyPI `scitt-cose` and `cwt` (`tests/interop/`).
//!
//! `.ci/run` sets `SHIELDWALL_INTEROP_PYTHON` to a Python that has them; without it the test says that it was skipped.

use std::path::Path;
use std::process::{Command, Output};
use std::{env, fs, io};

use shieldwall::evidence::{Bundle, ExportOptions, export};

use crate::evidence_fixture::World;

#[test]
fn independent_tools_accept_evidence() {
    let Some(python) = env::var_os("SHIELDWALL_INTEROP_PYTHON") else {
        say("skipped: SHIELDWALL_INTEROP_PYTHON names no Python with the tools");
        return;
    };
    let verify = |folder: &Path| -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/verify.py");
        Command::new(&python).arg(script).arg(folder).output().unwrap()
    };
    let world = World::new();
    for (position, disclose_keys) in [(0, false), (1, true), (6, false)] {
        let folder = tempfile::tempdir().unwrap();
        let options = ExportOptions { disclose_keys, ..ExportOptions::default() };
        let bundle = export(&world.material(position), &options).unwrap();
        write(&bundle, folder.path()).unwrap();
        let done = verify(folder.path());
        let said = String::from_utf8_lossy(&done.stdout);
        say(&said);
        assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(said.matches("cwt: compartment").count(), if disclose_keys { 3 } else { 0 }, "{said}");
        assert!(said.matches("scitt-cose: receipt by").count() >= 3, "{said}");
        // And they see it if it is changed.
        let path = folder.path().join("receipts/TR.cose");
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(!verify(folder.path()).status.success());
    }
}

fn write(bundle: &Bundle, folder: &Path) -> io::Result<()> {
    for (path, bytes) in bundle {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a path in the folder"))?;
        fs::write(path, bytes)?;
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "what the tools say is worth reading, and so is that they were not asked")]
fn say(text: &str) {
    eprintln!("{text}");
}
