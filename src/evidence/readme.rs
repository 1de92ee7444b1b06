//! The README in a bundle: for a court and its expert, in plain words.
//!
//! Everything in it comes from the signed files, so that it can be written again and compared.

use data_encoding::HEXLOWER;

use super::check::Facts;
use super::derived::keys;
use super::layout::Place;
use super::parts::Parts;
use super::report::{Claims, Outcome};
use crate::encoding::hash::sha256;
use crate::encoding::ids::MemberCode;
use crate::seal::SealContext;
use crate::seal::compartment::external_aad;

/// The text. `claims` are what the check of the signed files found.
pub(super) fn readme(parts: &Parts, facts: &Facts, claims: &Claims) -> String {
    let mut text = String::new();
    let mut add = |part: String| text.push_str(&part);
    add(introduction(facts));
    add(listing("What is proved", claims, &Outcome::Proved));
    add(listing("What is not proved", claims, &Outcome::NotClaimed));
    add(members(facts));
    add(files(parts, facts));
    add(how_to_check(parts, facts));
    text
}

fn introduction(facts: &Facts) -> String {
    let id = facts.statement.id;
    let author = id.log.member;
    format!(
        "# Evidence for the record {id}\n\n\
         {} ({author}) declared the record {id} in the federation \"{}\". Each member of it keeps a log to which statements can \
         only be added; the others keep copies and sign what they hold. This folder is enough to check, offline and without \
         trusting whoever handed it over, what is listed below. It takes one thing from elsewhere: the federation's charter, \
         which says whose keys are whose, from a source that you trust.\n",
        name_of(facts, author),
        facts.federation.charter().name(),
    )
}

/// Claims of one outcome, under a heading.
pub(super) fn listing(title: &str, claims: &Claims, outcome: &Outcome) -> String {
    let lines: String = claims
        .iter()
        .filter(|claim| claim.outcome == *outcome)
        .map(|claim| format!("- **{}**: {}\n", claim.name, claim.sentence))
        .collect();
    format!("\n## {title}\n\n{lines}")
}

fn members(facts: &Facts) -> String {
    let rows: String = keys(facts)
        .into_iter()
        .map(|(member, key)| {
            let what = if member == facts.statement.id.log.member { "log key" } else { "witness key" };
            format!("| {member} | {} | {what} | `{}` | `{}` |\n", name_of(facts, member), key.kid(), Place::Key(member))
        })
        .collect();
    format!(
        "\n## Whose signatures these are\n\n\
         | member | name | key | key id: SHA-256 of the 32-byte key, first 16 bytes | file |\n|---|---|---|---|---|\n{rows}"
    )
}

fn files(parts: &Parts, facts: &Facts) -> String {
    let mut rows = vec![
        (
            Place::Statement.to_string(),
            "the signed statement (COSE_Sign1, RFC 9052; SCITT signed statement, RFC 9943)".to_owned(),
        ),
        (Place::Transparent.to_string(), "the same with all receipts in it (SCITT transparent statement)".to_owned()),
        (Place::Leaf.to_string(), "the statement in hexadecimal: the leaf of the log".to_owned()),
        (
            "receipts/".to_owned(),
            "who signed a tree of the log with the statement in it (COSE receipts, RFC 9942)".to_owned(),
        ),
        ("keys/".to_owned(), "the public key for each of these signatures (Ed25519, PEM)".to_owned()),
        ("manifests/".to_owned(), "each member's keys, signed with its root key".to_owned()),
        (Place::Charter.to_string(), charter(parts)),
    ];
    if !parts.cosignatures.is_empty() {
        let what = "who signed the sizes and roots of all logs at once, with the path from this one (CBOR)";
        rows.push(("cosignatures/".to_owned(), what.to_owned()));
    }
    if parts.head.is_some() {
        let what = format!("what the statement binds; its SHA-256 is `{}`", facts.statement.digest);
        rows.push((Place::Head.to_string(), what));
    }
    if parts.lane.is_some() {
        let what = "what the author addressed to one member, by its checkpoint: all of it and nothing else (CBOR)";
        rows.push((Place::Lane.to_string(), what.to_owned()));
    }
    for label in parts.fields.keys() {
        let name = facts.compartments.get(label).map_or("", String::as_str);
        let what = format!("fields of the compartment \"{name}\", each with its salt and its path to the head (CBOR)");
        rows.push((Place::Fields(*label).to_string(), what));
    }
    if !parts.fields.is_empty() {
        rows.push((Place::Body.to_string(), "the same fields for reading".to_owned()));
    }
    for label in parts.sealed.keys() {
        rows.push((Place::Sealed(*label).to_string(), "the compartment as it was sealed (COSE_Encrypt)".to_owned()));
        rows.push((Place::ContentKey(*label).to_string(), "the key that opens it".to_owned()));
        let what = "the same ciphertext for whoever has the key: its readers' wrapped keys are left out";
        rows.push((Place::Direct(*label).to_string(), what.to_owned()));
    }
    let rows: String = rows.into_iter().map(|(path, what)| format!("| `{path}` | {what} |\n")).collect();
    format!("\n## The files\n\n| file | what it is |\n|---|---|\n{rows}")
}

/// The digest binds signatures that the quorum could do without. A charter too large to be written is refused as a file.
fn charter(parts: &Parts) -> String {
    let digest = parts.charter().map_or(String::new(), |bytes| format!("; its SHA-256 is `{}`", sha256(&bytes)));
    format!("the members and their root keys, all versions (COSE_Sign){digest}")
}

fn how_to_check(parts: &Parts, facts: &Facts) -> String {
    let author = facts.statement.id.log.member;
    let receipts: String = parts
        .receipts
        .keys()
        .map(|member| {
            format!(
                "scitt-cose --receipt {} --receipt-log-pubkey {} --leaf-entry-hex \"$(cat leaf.hex)\"\n",
                Place::Receipt(*member),
                Place::Key(*member)
            )
        })
        .collect();
    let mut text = format!(
        "\n## How to check\n\n\
         All of it, with the federation's own program, in the folder that holds this file:\n\n\
         ```sh\nshieldwall evidence verify . --charter CHARTER-THAT-YOU-TRUST.cose\n```\n\n\
         With tools of others: the statement and every receipt with `scitt-cose` (Python), the keys with `openssl`.\n\n\
         ```sh\npip install scitt-cose cwt\n\
         scitt-cose --statement statement.cose --statement-pubkey {}\n{receipts}\
         openssl pkey -pubin -in {} -noout -text\n",
        Place::Key(author),
        Place::Key(author)
    );
    if parts.head.is_some() {
        text.push_str(&format!("sha256sum head.cbor   # {}\n", facts.statement.digest));
    }
    text.push_str("```\n");
    if !parts.sealed.is_empty() {
        text.push_str(&compartments(parts, facts));
    }
    text
}

/// How `cwt` opens the compartments.
fn compartments(parts: &Parts, facts: &Facts) -> String {
    let context = SealContext { federation: facts.federation.id(), record: facts.statement.id };
    let calls: String = parts
        .sealed
        .keys()
        .map(|label| format!("show(\"{label}\", \"{}\")\n", HEXLOWER.encode(&external_aad(&context, label))))
        .collect();
    format!(
        "\nThe sealed compartments with `cwt` (Python). The SHA-256 of each, as it was sealed, stands in `head.cbor`.\n\n\
         ```python\n\
         import cbor2, cwt\n\n\
         def show(label, external_aad):\n    \
             sealed = open(f\"compartments/{{label}}.direct.cose\", \"rb\").read()\n    \
             key = bytes.fromhex(open(f\"compartments/{{label}}.key\").read())\n    \
             key = cwt.COSEKey.from_symmetric_key(key, alg=\"ChaCha20/Poly1305\", kid=bytes.fromhex(label))\n    \
             print(cbor2.loads(cwt.COSE.new().decode(sealed, key, external_aad=bytes.fromhex(external_aad))))\n\n\
         {calls}```\n"
    )
}

fn name_of(facts: &Facts, member: MemberCode) -> &str {
    facts.federation.member(member).map_or("", |member| member.name.as_str())
}
