//! `shieldwall charter propose`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use super::create::QuorumText;
use super::{Context, Failure, Outcome, Tally, diff, files, newest, present, read_application};
use crate::cli::report::Exit;
use crate::encoding::ids::MemberCode;
use crate::identity::{Application, CharterDraft, Federation, Member, MemberStatus, SignedManifest};
use crate::node::clock;

/// Draws up the next version of the charter.
///
/// Several changes may be made at once. What is drawn up is worth nothing before a quorum of the countries of the present version,
/// and of its own, has signed it: `charter sign`, at each of them.
#[derive(clap::Args, Debug, Default)]
pub(in crate::cli) struct Args {
    /// The present charter [default: the one that the node holds]
    #[arg(long, value_name = "FILE")]
    charter: Option<PathBuf>,
    /// The charter to write
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run")]
    out: Option<PathBuf>,
    /// Admit the member whose first manifest this is; may be repeated, as all that follow
    #[arg(long, value_name = "MANIFEST")]
    admit: Vec<PathBuf>,
    /// Suspend a member: it is cut off and has no vote until it is readmitted
    #[arg(long, value_name = "CODE")]
    suspend: Vec<MemberCode>,
    /// Readmit a suspended member
    #[arg(long, value_name = "CODE")]
    readmit: Vec<MemberCode>,
    /// Remove a member for good; its code is never used again
    #[arg(long, value_name = "CODE")]
    remove: Vec<MemberCode>,
    /// Change a member's root to the one that it announced, by the file that `root rotate` made there
    #[arg(long, value_name = "FILE")]
    change_root: Vec<PathBuf>,
    /// More than this part of the countries must sign the version after this one
    #[arg(long, value_name = "N/M")]
    quorum: Option<QuorumText>,
    /// Members that may keep others' bodies for them
    #[arg(long, value_name = "CODE")]
    custodian: Vec<MemberCode>,
    /// Members that may not any more
    #[arg(long, value_name = "CODE")]
    no_custodian: Vec<MemberCode>,
    /// A member's own number of statements per day, or `none` for that of all
    #[arg(long, value_name = "CODE=NUMBER")]
    quota: Vec<Pair<Quota>>,
    /// A member's name
    #[arg(long, value_name = "CODE=NAME")]
    rename: Vec<Pair<String>>,
    /// The federation's name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Bytes in a statement at most
    #[arg(long, value_name = "BYTES")]
    statement_bytes: Option<u64>,
    /// Bytes in a body at most
    #[arg(long, value_name = "BYTES")]
    body_bytes: Option<u64>,
    /// Tags in a statement at most
    #[arg(long, value_name = "NUMBER")]
    tags: Option<u64>,
    /// Logs of a member at most, the closed ones included
    #[arg(long, value_name = "NUMBER")]
    logs_per_member: Option<u64>,
    /// Statements of a member per day
    #[arg(long, value_name = "NUMBER")]
    statements_per_day: Option<u64>,
    /// Show what would be drawn up, and write nothing
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    /// Those that admit one member.
    pub(super) fn admitting(
        charter: Option<PathBuf>,
        out: PathBuf,
        manifest: PathBuf,
        custodian: Option<MemberCode>,
    ) -> Self {
        let custodian = custodian.into_iter().collect();
        Self { charter, out: Some(out), admit: vec![manifest], custodian, ..Self::default() }
    }
}

/// A member's code and what is to become of it.
#[derive(Clone, Debug)]
struct Pair<T> {
    member: MemberCode,
    value: T,
}

/// A member's own quota, or none.
#[derive(Clone, Copy, Debug)]
struct Quota(Option<u64>);

impl<T: FromStr> FromStr for Pair<T>
where
    T::Err: Display,
{
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (code, value) = text.split_once('=').ok_or("a member's code comes first: CODE=VALUE")?;
        let member = code.parse().map_err(|_| format!("{code} is no member's code"))?;
        Ok(Self { member, value: value.parse().map_err(|error: T::Err| error.to_string())? })
    }
}

impl FromStr for Quota {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self(None));
        }
        text.parse().map(|count| Self(Some(count))).map_err(|_| "a quota is a number, or none")
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Outcome {
    let present = present(context, args.charter.as_ref())?;
    let origin = present.origin;
    let federation = present.published.verify().map_err(|error| {
        Failure::from(error)
            .context(format!("the present charter, {origin}, is not complete"))
            .hint("the version before must be signed before the next is drawn up")
    })?;
    let mut draft = federation.charter().next_draft(clock::now());
    let manifests = change(&mut draft, args)?;
    let changed = {
        let as_before = federation.charter().next_draft(draft.issued_at);
        as_before != draft
    };
    if !changed {
        return Err(Failure::new(Exit::Usage, "nothing would change")
            .hint("--admit, --suspend, --readmit, --remove, --change-root and others say what shall"));
    }
    propose(context, &federation, draft, manifests, args)
}

fn propose(
    context: &Context,
    federation: &Federation,
    draft: CharterDraft,
    manifests: Vec<SignedManifest>,
    args: &Args,
) -> Outcome {
    let published = federation.proposed(draft, manifests)?;
    let review = diff::Review::of(&published)?;
    let version = newest(&published).0.charter().version();
    context.ui.say(review.text());
    let mut value = review.json();
    value["charter"] = serde_json::json!(args.out);
    value["written"] = (!args.dry_run).into();
    match args.out.as_ref().filter(|_| !args.dry_run) {
        Some(out) => {
            files::write_new(out, &published.encode()?)?;
            context.ui.result(&value, format!("{}: version {version}, {}", out.display(), review.short()))?;
            context.ui.say(Tally::of(&published).text());
        }
        None => context.ui.result(&value, format!("version {version} would be drawn up: {}", review.short()))?,
    }
    Ok(Exit::Success)
}

/// Changes the draft as the flags say; gives the manifests that belong to that.
fn change(draft: &mut CharterDraft, args: &Args) -> Result<Vec<SignedManifest>, Failure> {
    let mut manifests = Vec::new();
    let mut mentioned: BTreeMap<MemberCode, &str> = BTreeMap::new();
    let statuses = [
        ("--suspend", &args.suspend, MemberStatus::Active, MemberStatus::Suspended),
        ("--readmit", &args.readmit, MemberStatus::Suspended, MemberStatus::Active),
    ];
    for (flag, codes, from, to) in statuses {
        for code in codes {
            once(&mut mentioned, *code, flag)?;
            let member = entry(draft, *code)?;
            if member.status != from {
                let (code, is, from) = (*code, member.status.as_str(), from.as_str());
                return Err(Failure::new(Exit::Usage, format!("{code} is {is}, not {from}: {flag} does not fit")));
            }
            member.status = to;
        }
    }
    for code in &args.remove {
        once(&mut mentioned, *code, "--remove")?;
        let member = entry(draft, *code)?;
        if member.status == MemberStatus::Removed {
            return Err(Failure::new(Exit::Usage, format!("{code} is removed already")));
        }
        member.status = MemberStatus::Removed;
    }
    for path in &args.change_root {
        let rotation = read_application(path)?;
        let code = rotation.code();
        once(&mut mentioned, code, "--change-root")?;
        let (member, new) = (entry(draft, code)?, rotation.member());
        (member.root, member.next_root) = (new.root, new.next_root);
        manifests.push(rotation.manifest().clone());
    }
    for path in &args.admit {
        let application = read_application(path)?.first()?;
        admit(draft, &application)?;
        manifests.push(application.manifest().clone());
    }
    for (codes, may) in [(&args.custodian, true), (&args.no_custodian, false)] {
        for code in codes {
            entry(draft, *code)?.custodian = may;
        }
    }
    for Pair { member, value } in &args.quota {
        entry(draft, *member)?.statements_per_day = value.0;
    }
    for Pair { member, value } in &args.rename {
        entry(draft, *member)?.name.clone_from(value);
    }
    draft.name = args.name.clone().unwrap_or_else(|| draft.name.clone());
    draft.quorum = args.quorum.map_or(draft.quorum, |quorum| quorum.0);
    let parameters = &mut draft.parameters;
    for (value, place) in [
        (args.statement_bytes, &mut parameters.statement_bytes_max),
        (args.body_bytes, &mut parameters.body_bytes_max),
        (args.tags, &mut parameters.tags_max),
        (args.logs_per_member, &mut parameters.logs_per_member),
        (args.statements_per_day, &mut parameters.statements_per_day),
    ] {
        *place = value.unwrap_or(*place);
    }
    Ok(manifests)
}

fn admit(draft: &mut CharterDraft, application: &Application) -> Result<(), Failure> {
    let code = application.code();
    if draft.members.insert(code, application.member()).is_some() {
        return Err(Failure::new(Exit::Usage, format!("{code} is in the charter already")));
    }
    Ok(())
}

fn entry(draft: &mut CharterDraft, code: MemberCode) -> Result<&mut Member, Failure> {
    let missing = || Failure::new(Exit::Usage, format!("{code} is not in the charter"));
    draft.members.get_mut(&code).ok_or_else(missing)
}

fn once<'a>(mentioned: &mut BTreeMap<MemberCode, &'a str>, code: MemberCode, flag: &'a str) -> Result<(), Failure> {
    match mentioned.insert(code, flag) {
        Some(other) => Err(Failure::new(Exit::Usage, format!("{other} and {flag} both name {code}"))),
        None => Ok(()),
    }
}
