//! The one test binary: linking is the slowest part of a test run, so every file beside this one is a module of it.
//! `tidy` fails if a file is forgotten here.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[cfg(feature = "node")]
mod certificate;
#[cfg(feature = "node")]
mod cli;
mod evidence;
mod evidence_fixture;
mod evidence_mutations;
mod evidence_page;
mod floors;
mod fuzz_twin;
mod hostile;
#[cfg(feature = "node")]
mod import;
#[cfg(feature = "node")]
mod import_files;
mod interop;
#[cfg(feature = "node")]
mod loopback;
mod risk;
mod supply;
mod tidy;
mod vectors;
