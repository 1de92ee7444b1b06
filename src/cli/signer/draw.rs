//! `shieldwall signer draw`.

use data_encoding::HEXLOWER;
use serde_json::json;

use super::{hold, logs, settings};
use crate::cli::context::Context;
use crate::cli::report::{Exit, Failure, Outcome};
use crate::encoding::ids::LogId;
use crate::identity::{PublicKey, SecretKey};
use crate::node::config::{self, Config};
use crate::node::keys::{KeyFolder, KeyName, Seed};
use crate::node::signer;
use crate::node::token::{Token, TokenError};

/// Draws the key of this member's next log in the signer's folder, or in the token, and gives its public half.
///
/// The key never leaves: `log open --key` puts its public half into the manifest, wherever the root is. A key that was drawn and never used is not drawn
/// again but given once more. Stop the signer for it; after its next start it has both keys.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The log, such as GE.2, where the signer has lost the one before [default: the one after its newest]
    #[arg(long, value_name = "LOG")]
    log: Option<LogId>,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let config = context.config()?;
    let apart = settings(&config)?;
    let _lock = hold(apart).map_err(|failure| failure.hint("stop the signer first"))?;
    let held = logs(apart, config.member)?;
    let log = match (args.log, held.last()) {
        (Some(log), newest) => {
            let is_next = log.member == config.member && newest.is_none_or(|newest| log >= *newest);
            is_next
                .then_some(log)
                .ok_or_else(|| Failure::new(Exit::Usage, format!("{log} is no next log of {}", config.member)))?
        }
        // The newest may have been drawn before, and its key never been used.
        (None, Some(newest)) if signer::begin(&apart.folder, *newest)? => *newest,
        (None, Some(newest)) => next(*newest)?,
        (None, None) => {
            let what = format!("{} has no log of {}", apart.folder.display(), config.member);
            return Err(Failure::new(Exit::Initialised, what)
                .hint("`shieldwall signer adopt` brings the first; if it was lost, --log says which is the next"));
        }
    };
    if !signer::begin(&apart.folder, log)? {
        return Err(Failure::new(Exit::Usage, format!("log {log} was signed already; its key is not drawn again")));
    }
    let key = HEXLOWER.encode(key(context, &config, apart, log)?.as_bytes());
    context.ui.result(&json!({ "log": log, "key": key }), format!("{log}:{key}"))?;
    context.ui.say(format!(
        "Next, where the root is: shieldwall log open --key {log}:{key}; then start signer and node again."
    ));
    Ok(Exit::Success)
}

fn next(newest: LogId) -> Result<LogId, Failure> {
    let ordinal = newest.ordinal.checked_add(1).filter(|ordinal| *ordinal <= LogId::ORDINAL_MAX);
    let ordinal =
        ordinal.ok_or_else(|| Failure::new(Exit::Failure, format!("{} has used up its logs", newest.member)))?;
    Ok(LogId { ordinal, ..newest })
}

/// The key of a log, drawn unless it is there.
fn key(context: &Context, config: &Config, apart: &config::Signer, log: LogId) -> Result<PublicKey, Failure> {
    let name = KeyName::Log(log);
    if let Some(hsm) = &config.hsm {
        return Ok(match Token::open(hsm)?.key(name) {
            Err(TokenError::Count { count: 0, .. }) => Token::open(hsm)?.draw(name)?.public(),
            key => key?.public(),
        });
    }
    let folder = KeyFolder::create(&apart.keys_dir())?;
    let held: Vec<KeyName> =
        logs(apart, config.member)?.into_iter().map(KeyName::Log).filter(|name| folder.holds(name)).collect();
    // Under the passphrase that opens those that are there: one must open all.
    let file = config.passphrase_file.as_deref();
    let (seeds, passphrase) = context.unlock_folder(&folder, file, config.insecure_dev_keys, &held)?;
    if let Some(at) = held.iter().position(|held| *held == name) {
        return Ok(SecretKey::from_seed(seeds[at].expose()).public());
    }
    let passphrase = match passphrase {
        None if held.is_empty() && !config.insecure_dev_keys => Some(context.passphrase(file)?),
        passphrase => passphrase,
    };
    let seed = Seed::random()?;
    folder.write(&name, &seed, Context::protection(passphrase.as_ref()))?;
    Ok(SecretKey::from_seed(seed.expose()).public())
}
