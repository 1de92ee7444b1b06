//! What a folder of documents from elsewhere may hold besides documents: the import names it, goes on or stops, and neither waits
//! nor fills the memory.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const ROW: &str = "ucr,export_country,destination,exporter_name,consignee_name,commodity_code,description,net_mass,net_unit\n\
    6GE420000333-L00001,GE,TR,Mtkvari Sample Chemicals,Sample Consignee,310230,Ammonium nitrate,1000,KGM\n";

/// A trial run, which may take ten seconds and 1 GiB of address space.
fn import(paths: &[&Path]) -> (Output, String) {
    let program = env!("CARGO_BIN_EXE_shieldwall");
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 1048576; exec timeout 10 \"$0\" import --dry-run \"$@\"", program]).args(paths);
    let output = command.env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null()).output().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!told.contains("panicked"), "{told}");
    assert!(!told.contains('\u{1b}'), "what a name holds never reaches the terminal as it is: {told:?}");
    (output, told)
}

/// The import reads the one document beside it and names the fault; code 3: part of it was done.
fn is_named(paths: &[&Path], fault: &str) {
    let (output, told) = import(paths);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains(fault), "{fault}: {told}");
    assert!(told.contains("1 record"), "the good document is read: {told}");
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.csv"), ROW).unwrap();
    folder
}

#[test]
fn pipes_devices_and_loops_are_named_and_not_waited_for() {
    let folder = folder();
    let good = folder.path().join("good.csv");
    let pipe = folder.path().join("pipe.xml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    is_named(&[folder.path()], "not a plain file");
    fs::remove_file(&pipe).unwrap();
    is_named(&[&good, Path::new("/dev/zero")], "not a plain file");
    is_named(&[&good, Path::new("/dev/tty")], "/dev/tty");

    let (one, two) = (folder.path().join("one.xml"), folder.path().join("two.xml"));
    symlink(&one, &two).unwrap();
    symlink(&two, &one).unwrap();
    is_named(&[folder.path()], "symbolic links");
    fs::remove_file(&one).unwrap();
    is_named(&[folder.path()], "No such file");
    fs::remove_file(&two).unwrap();
    // A folder that holds itself is not walked into.
    symlink(folder.path(), folder.path().join("again")).unwrap();
    let (output, told) = import(&[folder.path()]);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let socket = folder.path().join("socket.json");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    is_named(&[folder.path()], "socket.json");
}

#[test]
fn a_file_beyond_all_bounds_is_not_read_into_memory() {
    let folder = folder();
    let file = fs::File::create(folder.path().join("huge.csv")).unwrap();
    // With holes: 64 GiB that take no space, far more than the address space that the import has here.
    file.set_len(64 << 30).unwrap();
    is_named(&[folder.path()], "more than 33554432 bytes");
}

#[test]
fn names_that_are_no_text_or_hold_escapes_are_told_harmlessly() {
    let folder = folder();
    let names: [&[u8]; 4] = [b"\xff\xfe.csv", b"a\x1b[2J\x1b]0;title\x07.csv", b"line\nbreak.csv", b"-rf.csv"];
    for name in names {
        fs::write(folder.path().join(OsStr::from_bytes(name)), "no table").unwrap();
    }
    let (output, told) = import(&[folder.path()]);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("1 record"), "{told}");
    let (output, told) = import(&[&folder.path().join(OsStr::from_bytes(names[1]))]);
    assert!(!output.status.success(), "{told}");
}

#[test]
fn a_folder_with_too_many_files_is_refused_before_they_are_read() {
    let folder = folder();
    for number in 0..10_001 {
        fs::File::create(folder.path().join(format!("{number}.csv"))).unwrap();
    }
    let (output, told) = import(&[folder.path()]);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("more than 10000 files") && told.contains("in parts"), "{told}");
}
