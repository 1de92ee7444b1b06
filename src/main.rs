//! Parse, run, report, exit code. Everything else is in the library.

fn main() {}
