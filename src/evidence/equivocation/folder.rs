//! The files of such evidence: written, read again, and compared.

use std::collections::BTreeMap;

use super::check::{Proved, claim, proves};
use super::{Equivocation, SignedTwice};
use crate::encoding::ids::MemberCode;
use crate::evidence::check::check_federation;
use crate::evidence::layout::Place;
use crate::evidence::parts::claim_of;
use crate::evidence::readme::listing;
use crate::evidence::report::{Claims, Outcome, Report};
use crate::evidence::{Bundle, ExportError, FILE_BYTES_MAX, FILES_MAX, trust};
use crate::identity::{Federation, Published, SignedCharter, SignedManifest};

/// The name of the proof in a folder, and alone.
pub const FILE: &str = "equivocation.cbor";

/// The signed files of a folder.
struct Parts {
    charters: Vec<SignedCharter>,
    manifests: BTreeMap<MemberCode, SignedManifest>,
    proof: Equivocation,
}

/// Makes the folder for a proof. The same proof and members give the same bytes.
///
/// # Errors
/// [`ExportError`]; what is returned is always accepted by [`crate::evidence::verify()`] under the charter of `federation`.
pub fn export_equivocation(proof: &Equivocation, federation: &Federation) -> Result<Bundle, ExportError> {
    let published = federation.published();
    let parts = Parts { charters: published.charters, manifests: published.manifests, proof: proof.clone() };
    let mut claims = Claims::default();
    let proved = check(&parts, &mut claims);
    if let Some((claim, reason)) = claims.first_failure() {
        return Err(ExportError::NotProvable { claim: claim.to_owned(), reason: reason.to_owned() });
    }
    let (_, proved) = proved.ok_or(ExportError::TooLarge)?;
    let mut bundle = parts.files().map_err(|_| ExportError::TooLarge)?;
    bundle.extend(derived(&parts, &proved, &claims));
    if bundle.len() > FILES_MAX || bundle.values().any(|bytes| bytes.len() > FILE_BYTES_MAX) {
        return Err(ExportError::TooLarge);
    }
    Ok(bundle)
}

/// Checks a folder with such a proof, or the proof alone.
pub(in crate::evidence) fn verify(bundle: &Bundle, trusted: Option<&Federation>, mut claims: Claims) -> Report {
    let alone = bundle.len() == 1;
    let what =
        if alone { verify_alone(bundle, trusted, &mut claims) } else { verify_folder(bundle, trusted, &mut claims) };
    Report::of_equivocation(what, claims)
}

/// The proof under the charter that the verifier trusts, which names the keys.
fn verify_alone(bundle: &Bundle, trusted: Option<&Federation>, claims: &mut Claims) -> Option<SignedTwice> {
    const SENTENCE: &str = "The file proves, under the charter that you trust, that something was signed twice.";
    let bytes = bundle.get(FILE)?;
    let federation = trusted?;
    let proved = Equivocation::decode(bytes).and_then(|proof| proves(&proof, federation));
    match proved {
        Ok(proved) => {
            claim(&proved, federation, claims);
            Some(proved.what)
        }
        Err(reason) => {
            claims.failed("equivocation", SENTENCE, reason);
            None
        }
    }
}

fn verify_folder(bundle: &Bundle, trusted: Option<&Federation>, claims: &mut Claims) -> Option<SignedTwice> {
    let parts = Parts::read(bundle, claims)?;
    let mut found = Claims::default();
    let checked = check(&parts, &mut found);
    let Some((own, proved)) = checked.filter(|_| !found.any_failed()) else {
        claims.append(found);
        return None;
    };
    let mut compared = Claims::default();
    compare(bundle, &parts, &proved, &found, &mut compared);
    if let Some(trusted) = trusted
        && let Some(newest) = trust::join(&own, trusted, claims)
        && newest != own
    {
        // What was settled since counts.
        found = Claims::default();
        check_federation(&parts.charters, &parts.manifests, &mut found);
        claim(&proved, &newest, &mut found);
    }
    claims.append(found);
    claims.append(compared);
    Some(proved.what)
}

/// What the signed files show by themselves.
fn check(parts: &Parts, claims: &mut Claims) -> Option<(Federation, Proved)> {
    const SENTENCE: &str = "The proof shows that something was signed twice.";
    let federation = check_federation(&parts.charters, &parts.manifests, claims)?;
    match proves(&parts.proof, &federation) {
        Ok(proved) => {
            claim(&proved, &federation, claims);
            Some((federation, proved))
        }
        Err(reason) => {
            claims.failed("equivocation", SENTENCE, reason);
            None
        }
    }
}

fn compare(bundle: &Bundle, parts: &Parts, proved: &Proved, found: &Claims, claims: &mut Claims) {
    const SENTENCE: &str = "README.md, the key and what was signed are exactly what the signed files give.";
    let signed = match parts.files() {
        Ok(files) => files,
        Err(reason) => return claims.failed("derived files", SENTENCE, reason),
    };
    let expected: Bundle = derived(parts, proved, found).into_iter().chain(signed).collect();
    crate::evidence::verify::compare_files(bundle, &expected, SENTENCE, claims);
}

impl Parts {
    fn read(bundle: &Bundle, claims: &mut Claims) -> Option<Self> {
        const SENTENCE: &str = "The folder holds the files of evidence that something was signed twice, and no others.";
        let mut faults = Claims::default();
        if bundle.len() > FILES_MAX {
            faults.failed("files", SENTENCE, format!("{} files, at most {FILES_MAX} are read", bundle.len()));
        }
        let (mut charters, mut manifests, mut proof) = (None, BTreeMap::new(), None);
        for (path, bytes) in bundle.iter().take(FILES_MAX) {
            let place = path.parse::<Place>().ok().filter(|_| bytes.len() <= FILE_BYTES_MAX);
            let read = match place {
                Some(Place::Charter) => {
                    Published::decode(bytes).map_err(|error| error.to_string()).and_then(|published| {
                        let alone = published.manifests.is_empty();
                        charters = Some(published.charters);
                        if alone { Ok(()) } else { Err("manifests stand in files of their own".to_owned()) }
                    })
                }
                Some(Place::Manifest(member)) => {
                    SignedManifest::decode(bytes).map_err(|error| error.to_string()).and_then(|manifest| {
                        let of = manifest.manifest().member();
                        manifests.insert(member, manifest);
                        if of == member { Ok(()) } else { Err(format!("it is the manifest of {of}")) }
                    })
                }
                Some(Place::Equivocation) => Equivocation::decode(bytes).map(|read| proof = Some(read)),
                Some(Place::Readme | Place::Signed(_) | Place::Key(_)) => Ok(()),
                Some(_) | None => {
                    faults.failed("files", SENTENCE, format!("{path:?} is not a file of such a folder"));
                    continue;
                }
            };
            if let (Err(reason), Some(place)) = (read, place) {
                faults.failed(claim_of(place), format!("{path} is what its name says."), reason);
            }
        }
        if charters.is_none() && !faults.any_failed() {
            faults.failed("files", SENTENCE, format!("{} is missing", Place::Charter));
        }
        let complete = !faults.any_failed();
        claims.append(faults);
        if !complete {
            return None;
        }
        claims.proved("files", SENTENCE);
        Some(Self { charters: charters?, manifests, proof: proof? })
    }

    fn files(&self) -> Result<Bundle, String> {
        let charter = Published { charters: self.charters.clone(), manifests: BTreeMap::new() };
        let charter = charter.encode().map_err(|error| error.to_string())?;
        let mut files = Bundle::from([(Place::Charter.to_string(), charter), (FILE.to_owned(), self.proof.encode())]);
        let manifests = self.manifests.iter();
        files.extend(manifests.map(|(member, manifest)| (Place::Manifest(*member).to_string(), manifest.encode())));
        Ok(files)
    }
}

fn derived(parts: &Parts, proved: &Proved, claims: &Claims) -> Bundle {
    let mut files = Bundle::new();
    for (number, bytes) in (1_u8..).zip(&proved.signed) {
        files.insert(Place::Signed(number).to_string(), bytes.clone());
    }
    if let Some((member, key)) = &proved.key {
        files.insert(Place::Key(*member).to_string(), key.to_pem().into_bytes());
    }
    files.insert(Place::Readme.to_string(), readme(parts, proved, claims).into_bytes());
    files
}

fn readme(parts: &Parts, proved: &Proved, claims: &Claims) -> String {
    let charter = parts.files().ok().and_then(|files| files.get(&Place::Charter.to_string()).cloned());
    let digest = charter.map_or_else(String::new, |bytes| crate::encoding::hash::sha256(&bytes).to_string());
    let mut text = format!(
        "# Signed twice: {}\n\n\
         Of some things only one may ever be signed. This folder is enough to check, offline and without trusting whoever handed it over, that two \
         were. It takes one thing from elsewhere: the federation's charter, which says whose keys are whose, from a source that you trust.\n",
        proved.what
    );
    text.push_str(&listing("What is proved", claims, &Outcome::Proved));
    text.push_str(&listing("What is not proved", claims, &Outcome::NotClaimed));
    text.push_str("\n## The files\n\n| file | what it is |\n|---|---|\n");
    text.push_str(&format!(
        "| `{FILE}` | the proof; alone it is enough for whoever has a charter file with manifests |\n"
    ));
    for number in (1_u8..).take(proved.signed.len()) {
        text.push_str(&format!("| `{}` | one of those that were signed, as COSE |\n", Place::Signed(number)));
    }
    if let Some((member, key)) = &proved.key {
        text.push_str(&format!("| `{}` | the key that signed ({}; Ed25519, PEM) |\n", Place::Key(*member), key.kid()));
    }
    text.push_str("| `manifests/` | each member's keys, signed with its root key |\n");
    text.push_str(&format!(
        "| `{}` | the members and their root keys, all versions (COSE_Sign); its SHA-256 is `{digest}` |\n",
        Place::Charter
    ));
    text.push_str(
        "\n## How to check\n\nWith the federation's own program, in the folder that holds this file:\n\n\
         ```sh\nshieldwall evidence verify . --charter CHARTER-THAT-YOU-TRUST.cose\n```\n",
    );
    text
}
