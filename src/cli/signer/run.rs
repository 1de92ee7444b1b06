//! `shieldwall signer run`.

use super::{hold, logs, settings};
use crate::cli::context::Context;
use crate::cli::journal;
use crate::cli::report::{Exit, Failure, Outcome};
use crate::identity::SecretKey;
use crate::node::approvals::user_numbers;
use crate::node::config::{self, Config};
use crate::node::keys::{KeyFolder, KeyName, Seed};
use crate::node::signer::{Apart, Keyed};
use crate::node::token::Token;
use crate::node::{LogKey, socket};

/// Runs the signer until it is ended. The node asks it over `signer.socket`; the log goes to stderr.
///
/// It may be ended at any time, also with SIGKILL: what it has signed is on the disk before anybody sees a signature. Meanwhile the node takes records and
/// keeps them, and has them signed when the signer is there again.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {}

pub(super) fn run(context: &Context, _args: &Args) -> Outcome {
    let config = context.config()?;
    let _ = journal::start(&config.log, context.ui.color)?;
    let apart = settings(&config)?;
    let node = apart.node_user.as_deref().map(|name| {
        user_numbers(name).ok_or_else(|| {
            Failure::new(
                Exit::Config,
                format!("`signer.node_user` names the user {name}, whom this machine does not know"),
            )
        })
    });
    let node = node.transpose()?;
    let _lock = hold(apart)?;
    let held = Apart::open(&apart.folder, keys(context, &config, apart)?, config.limits.signed);
    for (log, lacks) in held.logs() {
        match lacks {
            None => tracing::info!(%log, "signs"),
            Some(reason) => tracing::error!(%log, %reason, "does not sign"),
        }
    }
    let listener = socket::bind(&apart.socket, node.map(|(_, gid)| gid))?;
    tracing::info!(member = %config.member, socket = %apart.socket.display(), "started");
    held.serve(listener, node.map(|(uid, _)| uid))?;
    Ok(Exit::Success)
}

/// The keys of the logs: files, or in the token. One that is in neither is told of to the node that asks for it.
fn keys(context: &Context, config: &Config, apart: &config::Signer) -> Result<Vec<Keyed>, Failure> {
    let folder = KeyFolder::open(&apart.keys_dir())?;
    let (filed, others): (Vec<_>, Vec<_>) =
        logs(apart, config.member)?.into_iter().partition(|log| folder.holds(&KeyName::Log(*log)));
    let names: Vec<KeyName> = filed.iter().copied().map(KeyName::Log).collect();
    let file = config.passphrase_file.as_deref();
    let (seeds, _) = context.unlock_folder(&folder, file, config.insecure_dev_keys, &names)?;
    let from_file = |(log, seed): (_, Seed)| (log, Ok(LogKey::File(Box::new(SecretKey::from_seed(seed.expose())))));
    let mut keys: Vec<Keyed> = filed.into_iter().zip(seeds).map(from_file).collect();
    for log in others {
        let key = match &config.hsm {
            None => Err(format!("there is no key of log {log} in {}", apart.keys_dir().display())),
            Some(token) => {
                let key = Token::open(token).and_then(|token| token.key(KeyName::Log(log)));
                key.map(|key| LogKey::Token(Box::new(key))).map_err(|error| format!("{:#}", anyhow::Error::from(error)))
            }
        };
        keys.push((log, key));
    }
    Ok(keys)
}
