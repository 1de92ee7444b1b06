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
    Application, LogEntry, ManifestDraft, MemberKind, PublicKey, SealSecretKey, SecretKey, SignedManifest,
    TransportEntry,
};
use crate::node::clock;
use crate::node::config::{Address, Hsm, template};
use crate::node::keys::{KeyFolder, KeyName, Passphrase, Seed};
use crate::node::private;
use crate::node::token::Token;

/// Epochs for which the first manifest lists a seal key: a year and a month, at 30 days each.
const SEAL_EPOCHS: u32 = 13;

/// Makes the keys of a member, its first manifest and the config of its node.
///
/// Nothing is ever overwritten: where a file is there already, nothing is made. Send the manifest to whoever draws up the
/// charter, and compare the root's fingerprint by telephone. Then move root.pem and next-root.pem to two safe places, or have drawn
/// them elsewhere from the start: `root create`, and --roots here.
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
    /// Sign the manifest with the root in this folder, which stays there, instead of drawing one: see `root create`
    #[arg(long, value_name = "DIR")]
    pub(super) roots: Option<PathBuf>,
    #[command(flatten)]
    pub(super) hsm: HsmArgs,
    /// Say what would be made, and make nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Further options of the config, each written as TOML: for the demo
    #[arg(skip)]
    pub(super) options: Vec<(&'static str, String)>,
}

/// A token that draws the key of the member's first log, and of those that follow.
#[derive(clap::Args, Debug, Default)]
pub(super) struct HsmArgs {
    /// Draw the key of the log in a token: the maker's PKCS#11 module
    #[arg(long, value_name = "FILE", requires_all = ["hsm_token", "hsm_pin_file"])]
    hsm_module: Option<PathBuf>,
    /// The token's label
    #[arg(long, value_name = "LABEL", requires = "hsm_module")]
    hsm_token: Option<String>,
    /// The file whose first line is the user's PIN
    #[arg(long, value_name = "FILE", requires = "hsm_module")]
    hsm_pin_file: Option<PathBuf>,
}

impl HsmArgs {
    fn token(&self) -> Option<Hsm> {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        Some(Hsm {
            module: absolute(self.hsm_module.as_ref()?),
            token: self.hsm_token.clone()?,
            pin_file: absolute(self.hsm_pin_file.as_ref()?),
        })
    }
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

    let roots = args.roots.as_deref().map(|folder| Roots::open(context, folder, args.insecure_dev_keys)).transpose()?;
    let passphrase = if args.insecure_dev_keys { None } else { Some(context.new_passphrase()?) };
    let made = make_under(context, args, plan, name.clone(), passphrase.as_ref(), roots)?;
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
    make_under(context, args, plan, name, passphrase, None)
}

/// The same under roots that were drawn elsewhere, if there are any.
fn make_under(
    context: &Context,
    args: &Args,
    plan: Plan,
    name: String,
    passphrase: Option<&Passphrase>,
    roots: Option<Roots>,
) -> Result<NewMember, Failure> {
    plan.refuse_what_is_there(args.member)?;
    let token = args.hsm.token();
    let keys = Keys::draw(args.member, token.as_ref(), roots)?;
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
    Ok(NewMember { plan, application, root: keys.roots.root })
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

/// A member's root and next root.
struct Roots {
    root: SecretKey,
    next: SecretKey,
}

impl Roots {
    /// Opens those in a folder.
    fn open(context: &Context, folder: &Path, unprotected: bool) -> Result<Self, Failure> {
        let names = [KeyName::Root, KeyName::NextRoot];
        context.ui.detail(format!("opening the roots in {}", folder.display()));
        let (seeds, _) = context.unlock_folder(&KeyFolder::open(folder)?, None, unprotected, &names)?;
        let drawn: Vec<_> = names.into_iter().zip(seeds).collect();
        Ok(Self::of(&drawn))
    }

    fn of(drawn: &[(KeyName, Seed)]) -> Self {
        Self { root: signing(drawn, KeyName::Root), next: signing(drawn, KeyName::NextRoot) }
    }
}

/// Freshly drawn keys.
struct Keys {
    /// Those that become files.
    all: Vec<(KeyName, Seed)>,
    /// The roots, which are among them unless they were drawn elsewhere.
    roots: Roots,
    /// The public key of the first log, whose private half may be in a token.
    log: PublicKey,
}

impl Keys {
    fn draw(member: MemberCode, token: Option<&Hsm>, roots: Option<Roots>) -> Result<Self, Failure> {
        let log = KeyName::Log(LogId::first(member));
        let own_roots = [KeyName::Root, KeyName::NextRoot].into_iter().filter(|_| roots.is_none());
        let names = own_roots.chain([KeyName::Witness(member), KeyName::Transport]);
        let names = names.chain(token.is_none().then_some(log)).chain((0..SEAL_EPOCHS).map(KeyName::Seal));
        let all = names.map(|name| Ok((name, Seed::random()?))).collect::<Result<Vec<_>, Failure>>()?;
        let log = match token {
            Some(token) => Token::open(token)?.draw(log)?.public(),
            None => signing(&all, log).public(),
        };
        let roots = roots.unwrap_or_else(|| Roots::of(&all));
        Ok(Self { all, roots, log })
    }

    fn signing(&self, name: KeyName) -> SecretKey {
        signing(&self.all, name)
    }

    fn apply(&self, args: &Args, name: String, now: UnixTime) -> Result<Application, Failure> {
        let seal_keys: BTreeMap<_, _> = self
            .all
            .iter()
            .filter_map(|(name, seed)| Some((name.seal_epoch()?, SealSecretKey::from_seed(seed.expose()).public())))
            .collect();
        let transport = self.signing(KeyName::Transport).public();
        let manifest = ManifestDraft {
            member: args.member,
            version: 1,
            predecessor: None,
            issued_at: now,
            logs: vec![LogEntry { key: self.log, opened: now, closed: None }],
            witness: self.signing(KeyName::Witness(args.member)).public(),
            seal_keys,
            transports: vec![TransportEntry { key: transport, addresses: reachable(args) }],
            custodians: BTreeSet::new(),
        };
        let (root, next_root) = (&self.roots.root, self.roots.next.public().digest());
        let signed = SignedManifest::sign(manifest.check()?, FederationId::NONE, root);
        let kind = if args.observer { MemberKind::Observer } else { MemberKind::Country };
        Ok(Application::new(signed, name, kind, root.public(), next_root)?)
    }
}

/// One of the keys that were drawn.
fn signing(drawn: &[(KeyName, Seed)], name: KeyName) -> SecretKey {
    let drawn = drawn.iter().find(|(own, _)| *own == name);
    SecretKey::from_seed(drawn.expect("every key that is asked for was drawn").1.expose())
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
    if let Some(token) = args.hsm.token() {
        changes.extend([
            ("module", path(&token.module)),
            ("token", format!("{:?}", token.token)),
            ("pin_file", path(&token.pin_file)),
        ]);
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
