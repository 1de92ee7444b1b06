//! `shieldwall join`.

use std::time::Duration;

use serde_json::json;
use zeroize::Zeroizing;

use super::context::Context;
use super::files;
use super::report::{Exit, Failure, Outcome};
use super::show::{counted, fingerprint};
use crate::encoding::hash::Digest;
use crate::encoding::ids::FederationId;
use crate::identity::{Federation, SecretKey};
use crate::network::{self, Peer};
use crate::node::config::Config;
use crate::node::join;
use crate::node::keys::KeyName;

/// How long a node is tried if --timeout says nothing.
const WITHIN: Duration = Duration::from_secs(60);

/// Fetches the charter of a federation that has admitted this member, with nothing but its digest and one address.
///
/// Both are told by another way, such as a telephone call: the digest is the federation's, which `charter verify` shows at every
/// member, and the address ends with the PeerId of the node that answers there. The charter and all manifests are verified from the
/// digest on, and written where the config says. Nothing else is asked, and nothing is told.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The federation's digest, as 64 hexadecimal digits
    #[arg(long, value_name = "DIGEST")]
    charter: Digest,
    /// The address of a member's node, such as /ip4/192.0.2.1/udp/4310/quic-v1/p2p/12D3Koo…
    #[arg(long, value_name = "MULTIADDR")]
    address: Peer,
    /// Show what came, and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let config = context.config()?;
    if !args.dry_run && config.charter.exists() {
        let message = format!("{} exists already", config.charter.display());
        return Err(Failure::new(Exit::Initialised, message).hint("this member has joined, or was told the charter"));
    }
    let federation = fetch(context, &config, args.charter, &args.address)?;
    let own = federation.member(config.member).expect("that it is a member was checked");
    if !args.dry_run {
        files::write_new(&config.charter, &federation.published().encode()?)?;
    }
    let charter = federation.charter();
    let members = counted(federation.active_members().count() as u64, "active member");
    let value = json!({
        "charter": config.charter, "federation": federation.id(), "name": charter.name(), "version": charter.version(),
        "members": federation.active_members().map(|(code, _)| code).collect::<Vec<_>>(), "written": !args.dry_run,
    });
    let text = format!("{}: {}, version {}, {members}", config.charter.display(), charter.name(), charter.version());
    context.ui.result(&value, text)?;
    context.ui.say(format!("{}  root {}", config.member, fingerprint(&own.root)));
    context.ui.say("Next: shieldwall run");
    Ok(Exit::Success)
}

/// The charter of this federation, fetched from the node at this address; this member is in it, with its transport key.
pub(super) fn fetch(
    context: &Context,
    config: &Config,
    charter: Digest,
    address: &Peer,
) -> Result<Federation, Failure> {
    let wanted = FederationId(charter);
    let seeds = context.open_keys(config, &[KeyName::Transport])?;
    let seed = seeds.first().expect("one key was asked for").expose();
    let transport = SecretKey::from_seed(seed).public();
    let network = network::Config::new(Zeroizing::new(*seed), wanted.0.0, Vec::new());
    let within = context.global.timeout.unwrap_or(WITHIN);
    let peer = address.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let fetched = runtime.block_on(async { tokio::time::timeout(within, join::fetch(&network, peer, wanted)).await });
    runtime.shutdown_timeout(Duration::from_secs(1));
    let federation = match fetched {
        Ok(fetched) => fetched?,
        Err(_) => {
            let message = format!("{} did not give its charter within {} s", address.key, within.as_secs());
            return Err(Failure::new(Exit::Timeout, message).hint(
                "is the address right, is the port open, and has the charter that admits this member reached that node?",
            ));
        }
    };
    if federation.member(config.member).is_none() {
        return Err(Failure::new(Exit::Verification, format!("{} is not in the charter that came", config.member)));
    }
    if federation.member_of_transport(transport.as_bytes()) != Some(config.member) {
        let message = format!("the manifest of {} in the charter that came names another transport key", config.member);
        return Err(Failure::new(Exit::Verification, message));
    }
    Ok(federation)
}
