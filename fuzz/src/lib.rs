//! The targets of the fuzzer, as a library that its binaries and the tests of the main crate share.
pub mod targets;
