//! `shieldwall init`: a member's keys, first manifest and config, in one go and never twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::context::Context;
use super::files;
use super::report::{Exit, Failure, Outcome};
use super::show;
use crate::disk::Guard;
use crate::encoding::ids::{FederationId, LogId, MemberCode};
use crate::encoding::time::UnixTime;
use crate::identity::{
    Application, LogEntry, ManifestDraft, MemberKind, SealSecretKey, SecretKey, SignedManifest, TransportEntry,
};
use crate::node::clock;
use crate::node::config::{Address, template};
use crate::node::keys::{KeyFolder, KeyName, Passphrase, Seed};
use crate::node::private;

/// Epochs for which the first manifest lists a seal key: a year and a month, at 30 days each.
const SEAL_EPOCHS: u32 = 13;

/// Makes the keys of a member, its first manifest and the config of its node.
///
/// Nothing is ever overwritten: where a file is there already, nothing is made. Send the manifest to whoever draws up the
/// charter, and compare the root's fingerprint by telephone. Then move root.pem and next-root.pem to two safe places.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The member's code: ISO 3166 for a country (GE), letter and digit for an observer (W1)
    pub(super) member: MemberCode,
    /// The folder for config, keys and data
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// The member's name in the charter [default: the country's name in ISO 3166]
    #[arg(long)]
    pub(super) name: Option<String>,
    /// The member is an organisation that observes, not a country
    #[arg(long)]
    pub(super) observer: bool,
    /// Where the node listens; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Vec<Address>,
    /// Where others reach the node, if elsewhere; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub(super) external: Vec<Address>,
    /// The charter's file, as the config will name it
    #[arg(long, value_name = "FILE")]
    pub(super) charter: Option<PathBuf>,
    /// Do not encrypt the keys: for tests and demos only
    #[arg(long)]
    pub(super) insecure_dev_keys: bool,
    /// Say what would be made, and make nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Further options of the config, each written as TOML: for the demo
    #[arg(skip)]
    pub(super) options: Vec<(&'static str, String)>,
}

/// Where everything goes.
pub(super) struct Plan {
    pub(super) config: PathBuf,
    pub(super) keys: PathBuf,
    pub(super) data: PathBuf,
    pub(super) manifest: PathBuf,
}

/// A member that was made.
pub(super) struct NewMember {
    pub(super) plan: Plan,
    pub(super) application: Application,
    /// Signs charters and manifests.
    pub(super) root: SecretKey,
}

#[derive(Serialize)]
struct Made {
    member: MemberCode,
    name: String,
    config: PathBuf,
    keys: PathBuf,
    manifest: PathBuf,
    root: String,
    next_root: String,
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let plan = Plan::new(context, args);
    let name = args.name.clone().or_else(|| country_name(args.member)).ok_or_else(|| {
        let message = format!("{} is no country of ISO 3166, so it needs a name", args.member);
        Failure::new(Exit::Usage, message).hint("--name \"…\", and --observer for an organisation")
    })?;
    if !args.observer && !args.member.is_alphabetic() {
        return Err(Failure::new(Exit::Usage, format!("{} is no country's code", args.member))
            .hint("--observer for an organisation"));
    }
    plan.refuse_what_is_there(args.member)?;
    if args.dry_run {
        context.ui.say(format!(
            "would make {}, {}, {}",
            plan.config.display(),
            plan.keys.display(),
            plan.manifest.display()
        ));
        return Ok(Exit::Success);
    }

    let passphrase = if args.insecure_dev_keys { None } else { Some(context.new_passphrase()?) };
    let made = make(context, args, plan, name.clone(), passphrase.as_ref())?;
    report(context, &made.plan, &made.application, name)
}

/// Makes the member called `name`: its keys, manifest and config.
///
/// # Errors
/// If something is there already, or cannot be written.
pub(super) fn make(
    context: &Context,
    args: &Args,
    plan: Plan,
    name: String,
    passphrase: Option<&Passphrase>,
) -> Result<NewMember, Failure> {
    plan.refuse_what_is_there(args.member)?;
    let keys = Keys::draw(args.member)?;
    let application = keys.apply(args, name, clock::now())?;

    if let Some(folder) = plan.config.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)
            .map_err(|error| Failure::from(error).context(format!("cannot make {}", folder.display())))?;
    }
    let folder = KeyFolder::create(&plan.keys)?;
    context.ui.detail("drawing and encrypting the keys");
    folder.write_all(&keys.all, Context::protection(passphrase))?;
    private::create_folder(&plan.data)?;
    // The guard knows from now on that nothing was signed here; a missing guard will mean that something was lost.
    drop(Guard::open(&plan.data, LogId::first(args.member))?);
    files::write_new(&plan.manifest, &application.encode()?)?;
    files::write_new(&plan.config, config_text(context, args).as_bytes())?;
    Ok(NewMember { plan, application, root: keys.signing(KeyName::Root) })
}

impl Plan {
    pub(super) fn new(context: &Context, args: &Args) -> Self {
        let config = match (&args.dir, &context.global.config) {
            (_, Some(config)) => config.clone(),
            (Some(dir), None) => dir.join("shieldwall.toml"),
            (None, None) => PathBuf::from("shieldwall.toml"),
        };
        let dir = args.dir.clone().unwrap_or_else(|| config.parent().unwrap_or(Path::new("")).to_owned());
        Self {
            keys: dir.join("keys"),
            data: context.global.data_dir.clone().unwrap_or_else(|| dir.join("data")),
            manifest: dir.join(format!("manifest-{}.cose", args.member)),
            config,
        }
    }

    /// Whatever is there was made before, and may be the only copy of a key.
    fn refuse_what_is_there(&self, member: MemberCode) -> Result<(), Failure> {
        let root = self.keys.join(KeyName::Root.file_name());
        let log = self.keys.join(KeyName::Log(LogId::first(member)).file_name());
        match [&self.config, &self.manifest, &root, &log].into_iter().find(|path| path.symlink_metadata().is_ok()) {
            Some(path) => {
                Err(Failure::new(Exit::Initialised, format!("{} is there: initialised already", path.display()))
                    .hint("nothing was changed; to start anew, choose another --dir"))
            }
            None => Ok(()),
        }
    }
}

/// Freshly drawn keys.
struct Keys {
    member: MemberCode,
    all: Vec<(KeyName, Seed)>,
}

impl Keys {
    fn draw(member: MemberCode) -> Result<Self, Failure> {
        let names = [
            KeyName::Root,
            KeyName::NextRoot,
            KeyName::Log(LogId::first(member)),
            KeyName::Witness(member),
            KeyName::Transport,
        ];
        let names = names.into_iter().chain((0..SEAL_EPOCHS).map(KeyName::Seal));
        let all = names.map(|name| Ok((name, Seed::random()?))).collect::<Result<_, Failure>>()?;
        Ok(Self { member, all })
    }

    fn signing(&self, name: KeyName) -> SecretKey {
        let drawn = self.all.iter().find(|(own, _)| *own == name);
        SecretKey::from_seed(drawn.expect("every key of `draw` is there").1.expose())
    }

    fn apply(&self, args: &Args, name: String, now: UnixTime) -> Result<Application, Failure> {
        let seal_keys: BTreeMap<_, _> = self
            .all
            .iter()
            .filter_map(|(name, seed)| Some((name.seal_epoch()?, SealSecretKey::from_seed(seed.expose()).public())))
            .collect();
        let log = self.signing(KeyName::Log(LogId::first(self.member))).public();
        let transport = self.signing(KeyName::Transport).public();
        let manifest = ManifestDraft {
            member: self.member,
            version: 1,
            predecessor: None,
            issued_at: now,
            logs: vec![LogEntry { key: log, opened: now, closed: None }],
            witness: self.signing(KeyName::Witness(self.member)).public(),
            seal_keys,
            transports: vec![TransportEntry { key: transport, addresses: reachable(args) }],
            custodians: BTreeSet::new(),
        };
        let root = self.signing(KeyName::Root);
        let next_root = self.signing(KeyName::NextRoot).public().digest();
        let signed = SignedManifest::sign(manifest.check()?, FederationId::NONE, &root);
        let kind = if args.observer { MemberKind::Observer } else { MemberKind::Country };
        Ok(Application::new(signed, name, kind, root.public(), next_root)?)
    }
}

/// The addresses that go into the manifest: those that somebody else can dial.
fn reachable(args: &Args) -> Vec<String> {
    let given = if args.external.is_empty() { &args.listen } else { &args.external };
    given.iter().filter(|address| !address.is_unspecified()).map(ToString::to_string).collect()
}

fn config_text(context: &Context, args: &Args) -> String {
    let list = |addresses: &[Address]| format!("{:?}", addresses.iter().map(Address::as_str).collect::<Vec<_>>());
    let path = |path: &Path| format!("{:?}", path.to_string_lossy());
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut changes = vec![("member", format!("\"{}\"", args.member))];
    if !args.listen.is_empty() {
        changes.push(("listen", list(&args.listen)));
    }
    if !args.external.is_empty() {
        changes.push(("external", list(&args.external)));
    }
    if let Some(charter) = &args.charter {
        changes.push(("charter", path(charter)));
    }
    if args.insecure_dev_keys {
        changes.push(("insecure_dev_keys", "true".to_owned()));
    }
    let overrides = [
        ("data_dir", &context.global.data_dir),
        ("socket", &context.global.socket),
        ("passphrase_file", &context.global.passphrase_file),
    ];
    for (key, value) in overrides {
        if let Some(value) = value {
            changes.push((key, path(&absolute(value))));
        }
    }
    changes.extend(args.options.iter().cloned());
    template(&changes)
}

fn report(context: &Context, plan: &Plan, application: &Application, name: String) -> Outcome {
    let member = application.member();
    let made = Made {
        member: application.code(),
        name,
        config: plan.config.clone(),
        keys: plan.keys.clone(),
        manifest: plan.manifest.clone(),
        root: member.root.digest().to_string(),
        next_root: member.next_root.to_string(),
    };
    let mut text = String::new();
    let rows = [
        ("member", format!("{}, {}", made.member, made.name)),
        ("root", show::fingerprint(&member.root)),
        ("keys", plan.keys.display().to_string()),
        ("manifest", plan.manifest.display().to_string()),
        ("config", plan.config.display().to_string()),
    ];
    for (label, value) in rows {
        writeln!(text, "{label:<9} {value}").expect("writing to a string cannot fail");
    }
    context.ui.result(&made, text)?;
    let addresses =
        application.manifest().manifest().transports().iter().any(|transport| !transport.addresses.is_empty());
    if !addresses {
        context
            .ui
            .say("The manifest names no address: this node will dial the others, and nobody can dial it (--external).");
    }
    context.ui.say(format!(
        "Next: send {} to whoever draws up the charter (shieldwall charter create), and compare the root by telephone.",
        plan.manifest.display()
    ));
    Ok(Exit::Success)
}

fn country_name(member: MemberCode) -> Option<String> {
    rust_iso3166::from_alpha2(member.as_str()).map(|country| country.name.to_owned())
}
