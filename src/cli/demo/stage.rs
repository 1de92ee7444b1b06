//! What is there before the first node starts: five members with keys and configs, and the charter that they signed.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::Args;
use crate::cli::context::{Context, Global};
use crate::cli::report::{Exit, Failure};
use crate::cli::{files, init, show};
use crate::encoding::ids::{FederationId, MemberCode};
use crate::identity::{CharterDraft, Published, SignedCharter};
use crate::node::clock;
use crate::node::config::{Address, Config, Sources};
use crate::node::private;

/// The members: code, name, whether it only observes. The first one imports.
const MEMBERS: [(&str, &str, bool); 5] = [
    ("GE", "Georgia", false),
    ("TR", "Türkiye", false),
    ("LB", "Lebanon", false),
    ("MZ", "Mozambique", false),
    ("W1", "Sample Precursor Observatory", true),
];

/// How often things are done. Quicker than the defaults: somebody is watching.
const INTERVALS: [(&str, &str); 3] = [("cosign_ms", "500"), ("sync_s", "2"), ("acknowledge_after_ms", "500")];

/// Ports are looked for here: below those that systems give to outgoing connections, so that no dialling node takes one
/// before the node that it is meant for.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// Temporary folders of this program at the same time.
const FOLDERS_MAX: u32 = 1_000;

/// The folder of the demo and the members in it.
#[derive(Debug)]
pub(super) struct Stage {
    /// The folder.
    pub(super) dir: PathBuf,
    /// The members; the first one imports.
    pub(super) members: Vec<Member>,
    federation: FederationId,
    signers: Vec<MemberCode>,
    temporary: bool,
    /// Where the sockets are, if their paths would be too long in the folder.
    sockets: Option<PathBuf>,
}

/// One member of the demo.
#[derive(Debug)]
pub(super) struct Member {
    /// Its code.
    pub(super) code: MemberCode,
    /// Its name.
    pub(super) name: &'static str,
    /// The config of its node.
    pub(super) config: PathBuf,
    /// Where its node answers.
    pub(super) socket: PathBuf,
    /// Where its node writes its log.
    pub(super) log: PathBuf,
    port: u16,
}

impl Stage {
    /// Makes everything: folders, keys, manifests, configs, the signed charter.
    ///
    /// # Errors
    /// If the folder holds a demo already, or cannot be written.
    pub(super) fn build(args: &Args) -> Result<Self, Failure> {
        let (dir, temporary) = match &args.dir {
            Some(dir) => (std::path::absolute(dir)?, false),
            None => (temporary_folder("shieldwall-demo")?, true),
        };
        fs::create_dir_all(&dir)
            .map_err(|error| Failure::from(error).context(format!("cannot make {}", dir.display())))?;
        let charter = dir.join("charter.cose");
        if charter.exists() {
            let message = format!("{} is there: this folder holds a demo already", charter.display());
            return Err(Failure::new(Exit::Initialised, message).hint("nothing was changed; choose another --dir"));
        }
        let sockets = sockets_elsewhere(&dir)?;
        let foreign_exports = !args.import.is_empty();
        let made: Vec<(Member, init::NewMember)> = MEMBERS
            .into_iter()
            .zip(free_ports(MEMBERS.len())?)
            .map(|(member, port)| enrol(member, port, &dir, sockets.as_deref(), foreign_exports))
            .collect::<Result<_, _>>()?;
        let (members, made): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        let published = draw_up(&made)?;
        files::write_new(&charter, &published.encode()?)?;
        let signers = published.charters.iter().flat_map(SignedCharter::signers).map(|(code, _)| code).collect();
        let federation = published.verify()?.id();
        Ok(Self { dir, members, federation, signers, temporary, sockets })
    }

    /// What was made, in words.
    pub(super) fn introduction(&self) -> Vec<String> {
        let codes = self.signers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let members = self.members.iter();
        let members = members.map(|member| format!("  {}  {:<30} 127.0.0.1:{}", member.code, member.name, member.port));
        let charter = format!(
            "Charter signed by {codes}: federation {}",
            show::groups(&self.federation.0).get(..19).unwrap_or("")
        );
        members.chain([charter]).collect()
    }

    /// Takes a temporary folder away again. What the operator asked to keep is kept.
    pub(super) fn remove(&self) {
        let folders = self.sockets.iter().chain(self.temporary.then_some(&self.dir));
        // What cannot be removed is the system's to clean up: it lies in its folder for temporary files.
        folders.for_each(|folder| drop(fs::remove_dir_all(folder)));
    }
}

/// Makes one member with its folder.
fn enrol(
    (code, name, observer): (&str, &'static str, bool),
    port: u16,
    dir: &Path,
    sockets: Option<&Path>,
    foreign_exports: bool,
) -> Result<(Member, init::NewMember), Failure> {
    let code: MemberCode = code.parse()?;
    let folder = dir.join(code.as_str());
    let address = |rest: &str| format!("/ip4/127.0.0.1/{rest}").parse::<Address>();
    let mut options: Vec<(&'static str, String)> =
        INTERVALS.into_iter().map(|(key, value)| (key, value.to_owned())).collect();
    if foreign_exports {
        options.push(("allow_foreign_exporter", "true".to_owned()));
    }
    let args = init::Args {
        member: code,
        dir: Some(folder.clone()),
        name: Some(name.to_owned()),
        observer,
        listen: vec![address(&format!("udp/{port}/quic-v1"))?, address(&format!("tcp/{port}"))?],
        external: Vec::new(),
        charter: Some(PathBuf::from("../charter.cose")),
        insecure_dev_keys: true,
        roots: None,
        hsm: init::HsmArgs::default(),
        dry_run: false,
        options,
    };
    // Flags of the demo itself, such as --data-dir, are no member's.
    let socket = sockets.map(|sockets| sockets.join(format!("{code}.sock")));
    let context = Context::new(Global { quiet: true, socket, ..Global::default() });
    let plan = init::Plan::new(&context, &args);
    let made = init::make(&context, &args, plan, name.to_owned(), None)?;
    let (config, _) = Config::load(&made.plan.config, &Sources::default())?;
    let member = Member {
        code,
        name,
        config: made.plan.config.clone(),
        socket: config.socket,
        log: folder.join("node.log"),
        port,
    };
    Ok((member, made))
}

/// Version 1 of the charter, with the signatures of all countries.
fn draw_up(made: &[init::NewMember]) -> Result<Published, Failure> {
    let mut draft = CharterDraft::new("Shieldwall demo", clock::now());
    let mut manifests = BTreeMap::new();
    for member in made {
        draft.members.insert(member.application.code(), member.application.member());
        manifests.insert(member.application.code(), member.application.manifest().clone());
    }
    let mut charter = SignedCharter::unsigned(draft.check()?, FederationId::NONE);
    let countries: Vec<MemberCode> = charter.charter().active_countries().map(|(code, _)| code).collect();
    for member in made.iter().filter(|member| countries.contains(&member.application.code())) {
        charter.sign(member.application.code(), &member.root);
    }
    Ok(Published { charters: vec![charter], manifests })
}

/// A folder that only this user can open, in the system's folder for temporary files.
fn temporary_folder(name: &str) -> Result<PathBuf, Failure> {
    let parent = std::env::temp_dir();
    for number in 0..FOLDERS_MAX {
        let folder = parent.join(format!("{name}-{}-{number}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Failure::from(error).context(format!("cannot make {}", folder.display()))),
        }
    }
    Err(Failure::new(Exit::Failure, format!("no room for a folder in {}", parent.display())))
}

/// A socket's path may have about a hundred bytes: deep in a file system, the sockets are kept elsewhere.
fn sockets_elsewhere(dir: &Path) -> Result<Option<PathBuf>, Failure> {
    const LONGEST: usize = "/GE/data/shieldwall.sock".len();
    if dir.as_os_str().len() + LONGEST <= crate::node::config::SOCKET_PATH_MAX {
        return Ok(None);
    }
    let folder = temporary_folder("shieldwall-sockets")?;
    private::check_folder(&folder)?;
    Ok(Some(folder))
}

/// Ports that are free now for TCP and UDP alike. Each process starts to look elsewhere, so that several demos get along.
fn free_ports(wanted: usize) -> Result<Vec<u16>, Failure> {
    let count = u32::from(PORTS.end - PORTS.start);
    let start = std::process::id().wrapping_mul(37) % count;
    let candidates = (0..count).filter_map(|step| u16::try_from((start + step) % count).ok());
    let free = candidates.map(|offset| PORTS.start + offset).filter(|port| is_free(*port));
    let ports: Vec<u16> = free.take(wanted).collect();
    if ports.len() < wanted {
        let message = format!("no {wanted} free ports from {} to {}", PORTS.start, PORTS.end - 1);
        return Err(Failure::new(Exit::Failure, message));
    }
    Ok(ports)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() && UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_different() {
        let ports = free_ports(5).unwrap();
        let different: std::collections::BTreeSet<&u16> = ports.iter().collect();
        assert_eq!(different.len(), 5);
        assert!(ports.iter().all(|port| PORTS.contains(port)));
    }

    #[test]
    fn a_stage_is_a_federation_that_holds() {
        let dir = tempfile::tempdir().unwrap();
        let args = Args { once: true, dir: Some(dir.path().join("demo")), import: Vec::new(), records: None };
        let stage = Stage::build(&args).unwrap();
        let published = Published::decode(&fs::read(stage.dir.join("charter.cose")).unwrap()).unwrap();
        let federation = published.verify().unwrap();
        assert_eq!(federation.id(), stage.federation);
        assert_eq!(federation.active_members().count(), 5);
        assert_eq!(federation.charter().active_countries().count(), 4);
        for member in &stage.members {
            let (config, _) = Config::load(&member.config, &Sources::default()).unwrap();
            assert_eq!((config.member, config.intervals.cosign_ms, config.intervals.sync_s), (member.code, 500, 2));
            assert!(config.charter.exists() && config.insecure_dev_keys && !config.allow_foreign_exporter);
        }
        let again = Stage::build(&args).unwrap_err();
        assert_eq!(again.exit(), Exit::Initialised);
    }
}
