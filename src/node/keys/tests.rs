use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use tempfile::TempDir;
use zeroize::Zeroizing;

use super::*;

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(Zeroizing::new(text.to_owned())).unwrap()
}

fn folder() -> (TempDir, KeyFolder) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = KeyFolder::create(&temporary.path().join("keys")).unwrap();
    (temporary, folder)
}

const DEV: Access<'_> = Access { passphrase: None, allow_unprotected: true };

#[test]
fn keys_come_back_as_they_were_written() {
    let (_keep, folder) = folder();
    let phrase = passphrase("correct horse");
    let names = [KeyName::Transport, KeyName::Seal(7), KeyName::Log("GE.2".parse().unwrap())];
    let keys: Vec<_> = names.iter().map(|name| (*name, Seed::random().unwrap())).collect();
    folder.write_all(&keys, Protection::Passphrase(&phrase)).unwrap();

    let access = Access { passphrase: Some(&phrase), allow_unprotected: false };
    let read = folder.read_all(&names, access).unwrap();
    assert!(keys.iter().zip(&read).all(|((_, written), read)| written.expose() == read.expose()));
    assert!(folder.needs_passphrase(&names).unwrap());
    assert_eq!(folder.path(&names[2]).metadata().unwrap().permissions().mode() & 0o7777, 0o600);

    let wrong = passphrase("incorrect horse");
    let refused = folder.read(&names[0], Access { passphrase: Some(&wrong), allow_unprotected: false });
    assert!(matches!(refused, Err(KeyFileError::WrongPassphrase(_))), "{refused:?}");
    assert!(matches!(folder.read(&names[0], DEV), Err(KeyFileError::PassphraseNeeded(_))));
}

#[test]
fn nothing_is_overwritten() {
    let (_keep, folder) = folder();
    let write = |seed| folder.write(&KeyName::Root, &Seed::new(seed), Protection::InsecureDev);
    write([1; 32]).unwrap();
    assert!(matches!(write([2; 32]), Err(KeyFileError::File(PrivateError::Exists(_)))));
    assert_eq!(folder.read(&KeyName::Root, DEV).unwrap().expose(), &[1; 32]);

    let keys = [(KeyName::NextRoot, Seed::new([3; 32])), (KeyName::Root, Seed::new([4; 32]))];
    assert!(matches!(
        folder.write_all(&keys, Protection::InsecureDev),
        Err(KeyFileError::File(PrivateError::Exists(_)))
    ));
    assert!(!folder.holds(&KeyName::NextRoot), "all or none");
}

#[test]
fn files_that_others_could_use_are_refused() {
    let (_keep, folder) = folder();
    folder.write(&KeyName::Root, &Seed::new([1; 32]), Protection::InsecureDev).unwrap();
    let path = folder.path(&KeyName::Root);

    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(
        folder.read(&KeyName::Root, DEV),
        Err(KeyFileError::File(PrivateError::Open { mode: 0o640, .. }))
    ));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();

    symlink(&path, folder.path(&KeyName::Transport)).unwrap();
    assert!(matches!(folder.read(&KeyName::Transport, DEV), Err(KeyFileError::File(PrivateError::Link(_)))));
    assert!(matches!(folder.read(&KeyName::NextRoot, DEV), Err(KeyFileError::File(PrivateError::Missing(_)))));
    let strict = Access { passphrase: None, allow_unprotected: false };
    assert!(matches!(folder.read(&KeyName::Root, strict), Err(KeyFileError::Unprotected(_))));

    fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(
        KeyFolder::open(path.parent().unwrap()),
        Err(KeyFileError::File(PrivateError::Open { mode: 0o755, .. }))
    ));
}

#[test]
fn a_key_of_another_kind_is_refused() {
    let (_keep, folder) = folder();
    folder.write(&KeyName::Seal(0), &Seed::new([1; 32]), Protection::InsecureDev).unwrap();
    fs::rename(folder.path(&KeyName::Seal(0)), folder.path(&KeyName::Root)).unwrap();
    let refused = folder.read(&KeyName::Root, DEV);
    assert!(matches!(refused, Err(KeyFileError::Content { source: pem::PemError::OtherAlgorithm { .. }, .. })));
}

#[test]
fn secrets_are_never_shown() {
    let (_keep, folder) = folder();
    let shown = format!("{:?} {:?} {folder:?}", Seed::new([0xab; 32]), passphrase("hunter2 hunter2"));
    assert!(!shown.contains("hunter2") && !shown.contains("171") && !shown.contains("abab"), "{shown}");
    assert!(matches!(Passphrase::new(Zeroizing::new("short".to_owned())), Err(passphrase::PassphraseError::Short)));
}

/// The file that we write is the file that others can read. Passed over where there is no `openssl` with Ed25519.
#[test]
fn openssl_reads_the_key() {
    let (keep, folder) = folder();
    let phrase = passphrase("correct horse");
    let seed = Seed::new(std::array::from_fn(|at| u8::try_from(at).unwrap()));
    folder.write(&KeyName::Witness("GE".parse().unwrap()), &seed, Protection::Passphrase(&phrase)).unwrap();
    let secret = keep.path().join("passphrase");
    private::write_new(&secret, b"correct horse\n").unwrap();

    let run = Command::new("openssl")
        .args(["pkey", "-noout", "-text", "-passin"])
        .arg(format!("file:{}", secret.display()))
        .arg("-in")
        .arg(folder.path(&KeyName::Witness("GE".parse().unwrap())))
        .output();
    let Ok(output) = run else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("00:01:02:03:04:05"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}
