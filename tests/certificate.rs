//! The certificate, through the eyes of programs that know nothing of us: poppler reads the file, a reader of QR codes the page.
//!
//! `.ci/run` installs poppler; where it is not at hand, what needs it says that it was skipped.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use shieldwall::encoding::cbor::Value;
use shieldwall::encoding::merkle;
use shieldwall::evidence::{Bundle, ExportOptions, export, layout};

use crate::evidence_fixture::World;

/// A folder of evidence, the charter to trust, and where the certificate goes.
struct Case {
    folder: tempfile::TempDir,
    bundle: Bundle,
}

impl Case {
    fn new(world: &World, position: u64, options: &ExportOptions) -> Self {
        Self::of(world, export(&world.material(position), options).unwrap())
    }

    fn of(world: &World, bundle: Bundle) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("charter.cose"), world.federation.published().encode().unwrap()).unwrap();
        let case = Self { folder, bundle };
        for (name, bytes) in &case.bundle {
            let path = case.path("evidence").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        case
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, verb: &str, dir: &str, more: &[&Path]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shieldwall"));
        command
            .env_clear()
            .args(["evidence", verb])
            .arg(self.path(dir))
            .arg("--charter")
            .arg(self.path("charter.cose"));
        command.args(more).output().unwrap()
    }

    fn certify(&self, out: &str) -> Output {
        self.run("certificate", "evidence", &[Path::new("--out"), &self.path(out)])
    }

    /// The bytes of a certificate that is made.
    fn certificate(&self) -> Vec<u8> {
        let made = self.certify("certificate.pdf");
        assert_eq!(made.status.code(), Some(0), "{made:?}");
        fs::read(self.path("certificate.pdf")).unwrap()
    }

    /// What a tool says about the certificate.
    fn ask(&self, tool: &str, before: &[&str], after: &[&str]) -> String {
        let asked = Command::new(tool)
            .args(before)
            .arg(self.path("certificate.pdf"))
            .args(after)
            .current_dir(self.folder.path())
            .output();
        let said = asked.unwrap();
        assert!(said.status.success(), "{tool}: {said:?}");
        String::from_utf8_lossy(&said.stdout).into_owned()
    }

    fn text(&self) -> String {
        self.ask("pdftotext", &["-layout"], &["-"])
    }
}

#[expect(clippy::print_stderr, reason = "that something was not tried is worth reading")]
fn has_poppler() -> bool {
    let there = Command::new("pdfdetach").arg("-v").output().is_ok();
    if !there {
        eprintln!("skipped: poppler-utils are not here");
    }
    there
}

fn everything() -> ExportOptions {
    ExportOptions { disclose_keys: true, ..ExportOptions::default() }
}

#[test]
fn a_certificate_carries_the_whole_folder() {
    let case = Case::new(&World::new(), 1, &everything());
    let bytes = case.certificate();
    assert!(bytes.starts_with(b"%PDF-1.7"));
    if !has_poppler() {
        return;
    }
    let about = case.ask("pdfinfo", &[], &[]);
    for line in [
        "Pages:           1",
        "(A4)",
        "Certificate of evidence: record GE-1",
        "Encrypted:       no",
        "JavaScript:      no",
    ] {
        assert!(about.contains(line), "{about}");
    }
    let meta = case.ask("pdfinfo", &["-meta"], &[]);
    assert!(meta.contains("<pdfaid:part>3</pdfaid:part>") && meta.contains("<pdfaid:conformance>U<"), "{meta}");
    assert!(
        case.ask("pdffonts", &[], &[]).lines().skip(2).all(|font| font.contains("yes yes yes")),
        "fonts are embedded, as subsets, with their characters"
    );

    fs::create_dir(case.path("taken")).unwrap();
    case.ask("pdfdetach", &["-saveall", "-o", "taken"], &[]);
    let taken: BTreeMap<String, Vec<u8>> = fs::read_dir(case.path("taken"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    let flat: BTreeMap<String, Vec<u8>> =
        case.bundle.iter().map(|(path, bytes)| (layout::flat(path), bytes.clone())).collect();
    assert!(taken == flat, "other files come out than went in: {:?}", taken.keys());
    let verified = case.run("verify", "taken", &[]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    let direct = case.run("verify", "evidence", &[]);
    assert_eq!(verified.stdout, direct.stdout, "the same report");

    fs::write(case.path("taken/leaf.hex"), "00\n").unwrap();
    assert_eq!(case.run("verify", "taken", &[]).status.code(), Some(20));
    fs::write(case.path("taken/leaf.hex"), &case.bundle["leaf.hex"]).unwrap();
    fs::create_dir(case.path("taken/receipts")).unwrap();
    fs::write(case.path("taken/receipts/TR.cose"), &case.bundle["receipts/TR.cose"]).unwrap();
    assert_eq!(case.run("verify", "taken", &[]).status.code(), Some(20), "one file under two names");
}

#[test]
fn the_same_evidence_gives_the_same_bytes() {
    let world = World::new();
    let (one, other) = (Case::new(&world, 1, &everything()), Case::new(&world, 1, &everything()));
    assert!(one.certificate() == other.certificate());
    let less = Case::new(&world, 1, &ExportOptions::default());
    assert!(one.certificate_again() != less.certificate());
}

impl Case {
    /// Made once more, under another name.
    fn certificate_again(&self) -> Vec<u8> {
        assert_eq!(self.certify("again.pdf").status.code(), Some(0));
        fs::read(self.path("again.pdf")).unwrap()
    }
}

#[test]
fn no_certificate_is_made_of_evidence_that_does_not_hold() {
    let world = World::new();
    let good = Case::new(&world, 1, &everything());
    for name in good.bundle.keys() {
        let mut bundle = good.bundle.clone();
        let bytes = bundle.get_mut(name).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let case = Case::of(&world, bundle);
        let refused = case.certify("certificate.pdf");
        assert_eq!(refused.status.code(), Some(20), "{name}: {refused:?}");
        assert!(String::from_utf8_lossy(&refused.stdout).contains("REFUSED"), "{name}: {refused:?}");
        assert!(!case.path("certificate.pdf").exists(), "{name}");
    }
    let strangers = World::named("Another");
    fs::write(good.path("charter.cose"), strangers.federation.published().encode().unwrap()).unwrap();
    assert_eq!(good.certify("certificate.pdf").status.code(), Some(20));
    assert!(!good.path("certificate.pdf").exists());
}

#[test]
fn a_file_that_is_there_stays() {
    let case = Case::new(&World::new(), 1, &everything());
    fs::write(case.path("certificate.pdf"), "mine").unwrap();
    assert_eq!(case.certify("certificate.pdf").status.code(), Some(1));
    assert_eq!(fs::read(case.path("certificate.pdf")).unwrap(), b"mine");
}

#[test]
fn the_page_says_what_is_proved_opened_withheld_and_not_proved() {
    if !has_poppler() {
        return;
    }
    let world = World::new();
    let case = Case::new(&world, 1, &everything());
    case.certificate();
    let text = case.text();
    let federation = world.federation.id().to_string();
    let digest = world.federation.chain().newest().digest().to_string();
    let leaf = merkle::leaf_hash(&world.leaves[1]).to_string();
    for part in [
        "for the record GE-1 of Customs of GE (GE)",
        federation.as_str(),
        digest.as_str(),
        leaf.as_str(),
        "It exists since 2026-11-18T11:08:30Z at the latest, as MZ says.",
        "Fábrica de Explosivos de Moçambique",
        "Nothing is withheld. Opened: the compartments \"parties\" (1 of 1 fields)",
        "That what the record says is true",
        "This page is not signed.",
        "shieldwall evidence verify evidence --charter CHARTER.cose",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }

    let redact = ["parties".to_owned(), "trade/ucr".to_owned()].into();
    let case = Case::new(&world, 1, &ExportOptions { redact, disclose_keys: false });
    case.certificate();
    let text = case.text();
    assert!(text.contains("Withheld: 1 field of these, and 1 compartment with its name."), "{text}");
    assert!(
        text.contains("blasting")
            && !text.contains("Explosivos")
            && !text.contains("5GE12345678")
            && !text.contains("parties"),
        "{text}"
    );

    for (position, said) in [(0, "keys of lanes"), (6, "Nothing of what the record says is opened in this folder.")] {
        let case = Case::new(&world, position, &ExportOptions::default());
        case.certificate();
        assert!(case.text().contains(said), "{}", case.text());
    }
}

#[test]
fn whatever_a_folder_says_it_is_one_page_and_nothing_is_hidden() {
    if !has_poppler() {
        return;
    }
    let long = "W".repeat(3_000);
    let hidden = "\u{202e}\u{2066}\0\n\u{200b}\u{fffe}海关 العربية 😀".repeat(100);
    let name = format!("{}\u{202e}w", "Ẃ".repeat(40));
    let many: Vec<(String, Value)> =
        (0..300).map(|number| (format!("field_{number:03}"), Value::from(long.as_str()))).collect();
    let mut more: Vec<(&str, Value)> = many.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    more.push(("mrn", Value::from(hidden.as_str())));
    let name_of_field = "w".repeat(64);
    more.push((&name_of_field, Value::from("x")));
    for fields in [&more[..0], &more[300..], &more[..]] {
        let world = World::saying(&name, &hidden, fields);
        let case = Case::new(&world, 1, &ExportOptions::default());
        case.certificate();
        assert!(case.ask("pdfinfo", &[], &[]).contains("Pages:           1\n"));
        let text = case.text();
        assert!(text.contains("⟨U+202E⟩") && text.contains("characters more]"), "{text}");
        let is_shown = |letter: char| letter == '\n' || letter == '\u{c}' || !letter.is_control();
        assert!(
            text.chars().all(is_shown) && !text.contains(['\u{202e}', '\u{2066}', '\u{200b}', '海', 'ع']),
            "{text}"
        );
        assert!(text.contains("Page 1 of 1") && text.contains("shieldwall evidence verify"), "{text}");
        // Where every word stands: on the paper, and above the footer.
        let places = case.ask("pdftotext", &["-bbox"], &["-"]);
        let side = |line: &str, name: &str| -> f32 {
            line.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap().parse().unwrap()
        };
        for word in places.lines().filter(|line| line.contains("<word ")) {
            assert!(side(word, "xMin") >= 56.0 && side(word, "xMax") <= 539.5, "{word}");
            let is_footer = side(word, "yMin") > 795.0;
            assert!(side(word, "yMin") >= 40.0 && (is_footer || side(word, "yMax") <= 790.0), "{word}");
        }
    }
}

#[test]
fn a_reader_of_qr_codes_sees_record_and_root_on_the_page() {
    if !has_poppler() {
        return;
    }
    let world = World::new();
    let case = Case::new(&world, 1, &everything());
    case.certificate();
    case.ask("pdftoppm", &["-gray", "-r", "150"], &["page"]);
    let image = fs::read(case.path("page-1.pgm")).unwrap();
    // P5, width and height, 255, then the pixels.
    let head: Vec<&[u8]> = image.splitn(4, |byte| *byte == b'\n').collect();
    let sides: Vec<usize> =
        std::str::from_utf8(head[1]).unwrap().split(' ').map(|side| side.parse().unwrap()).collect();
    let (width, height, pixels) = (sides[0], sides[1], head[3]);
    assert_eq!((head[0], head[2], pixels.len()), (&b"P5"[..], &b"255"[..], width * height));
    let mut page = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
    let read: Vec<String> =
        page.detect_grids().iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect();
    let leaves: Vec<_> = world.leaves.iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
    let (federation, root) = (world.federation.id(), merkle::root(&leaves));
    assert_eq!(read, [format!("SHIELDWALL:1:RECORD:{federation}:GE-1:{}:7:{root}", leaves[1]).to_uppercase()]);
}
