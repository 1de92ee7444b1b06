//! The one test binary: linking is the slowest part of a test run, so every file beside this one is a module of it.
//! `tidy` fails if a file is forgotten here.

mod evidence;
mod evidence_fixture;
mod floors;
#[cfg(feature = "node")]
mod import;
mod interop;
mod tidy;
mod vectors;
