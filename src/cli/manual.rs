//! `shieldwall completions` and `shieldwall man`: what a package installs beside the program, made from the commands themselves.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use serde_json::json;

use super::Cli;
use super::context::Context;
use super::report::{Exit, Failure, Outcome};
use super::show::counted;

/// Prints a script that completes commands and options.
///
/// For bash: `shieldwall completions bash > /etc/bash_completion.d/shieldwall`.
#[derive(clap::Args, Debug)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Writes a manual page for each command: `shieldwall-charter-sign.1` is that of `shieldwall charter sign`.
#[derive(clap::Args, Debug)]
pub(super) struct ManArgs {
    /// The folder to write to; it is made if it is not there
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

pub(super) fn completions(args: &CompletionsArgs) -> Outcome {
    // The script is made in memory: the crate that makes it ends the program where a pipe breaks.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "shieldwall", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(Exit::Success)
}

pub(super) fn pages(context: &Context, args: &ManArgs) -> Outcome {
    let written = write(&args.folder).map_err(|error| {
        Failure::new(Exit::Failure, format!("cannot write manual pages to {}: {error}", args.folder.display()))
    })?;
    let text = format!("{} in {}", counted(written, "manual page"), args.folder.display());
    context.ui.result(&json!({ "folder": args.folder, "pages": written }), text)?;
    Ok(Exit::Success)
}

/// Writes one page per command; gives how many.
fn write(folder: &Path) -> io::Result<u64> {
    fs::create_dir_all(folder)?;
    let mut all = Cli::command();
    all.build();
    clap_mangen::generate_to(all.clone(), folder)?;
    Ok(count(&all))
}

/// How many commands there are that a manual tells of, this one included.
fn count(command: &Command) -> u64 {
    1 + command.get_subcommands().filter(|command| !command.is_hide_set()).map(count).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_its_page() {
        let folder = tempfile::tempdir().unwrap();
        let written = write(folder.path()).unwrap();
        let files: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(files.len() as u64, written, "{files:?}");
        for name in ["shieldwall.1", "shieldwall-run.1", "shieldwall-charter-sign.1"] {
            assert!(files.iter().any(|file| file == name), "{name} is not among {files:?}");
        }
        let page = fs::read_to_string(folder.path().join("shieldwall-charter-sign.1")).unwrap();
        assert!(page.contains(".TH shieldwall-charter-sign 1") && page.contains("DESCRIPTION"), "{page}");
    }

    #[test]
    fn every_shell_completes_commands_of_two_words() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "shieldwall", &mut script);
            let script = String::from_utf8(script).unwrap();
            assert!(script.contains("charter") && script.contains("add-member"), "{shell}");
        }
    }
}
