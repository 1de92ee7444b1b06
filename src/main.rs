//! Parse, run, report, exit code. Everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    shieldwall::cli::main()
}
