//! The files of a bundle that are signed or bound by a signature, read and written but not yet believed.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;

use super::lane::LaneEvidence;
use super::layout::Place;
use super::report::Claims;
use super::witnessed::Witnessed;
use super::{Bundle, FILE_BYTES_MAX, FILES_MAX};
use crate::encoding::cbor::{self, Value};
use crate::encoding::ids::MemberCode;
use crate::identity::{Published, SignedCharter, SignedManifest};
use crate::ledger::Receipt;
use crate::seal::{CompartmentLabel, ContentKey, FieldProof};

/// Everything in a bundle that is not derived.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) charters: Vec<SignedCharter>,
    pub(super) manifests: BTreeMap<MemberCode, SignedManifest>,
    pub(super) statement: Vec<u8>,
    pub(super) receipts: BTreeMap<MemberCode, Receipt>,
    pub(super) cosignatures: BTreeMap<MemberCode, Witnessed>,
    pub(super) head: Option<Vec<u8>>,
    pub(super) fields: BTreeMap<CompartmentLabel, Vec<FieldProof>>,
    pub(super) sealed: BTreeMap<CompartmentLabel, Vec<u8>>,
    pub(super) keys: BTreeMap<CompartmentLabel, ContentKey>,
    pub(super) lane: Option<LaneEvidence>,
}

/// The name of the claim that a file belongs to.
pub(super) fn claim_of(place: Place) -> String {
    match place {
        Place::Charter => "charter".to_owned(),
        Place::Manifest(_) => "manifests".to_owned(),
        Place::Statement => "statement".to_owned(),
        Place::Receipt(member) => format!("receipt {member}"),
        Place::Cosignature(member) => format!("cosignature {member}"),
        Place::Head => "head".to_owned(),
        Place::Fields(label) => format!("fields {label}"),
        Place::Sealed(label) | Place::ContentKey(label) => format!("compartment {label}"),
        Place::Lane => "lane".to_owned(),
        Place::Equivocation => "equivocation".to_owned(),
        Place::Readme
        | Place::Transparent
        | Place::Leaf
        | Place::Key(_)
        | Place::Direct(_)
        | Place::Body
        | Place::Signed(_) => "derived files".to_owned(),
    }
}

impl Parts {
    /// Reads a bundle. What cannot be read is a failed claim, and gives `None`.
    pub(super) fn read(bundle: &Bundle, claims: &mut Claims) -> Option<Self> {
        const SENTENCE: &str = "The folder holds the files of an evidence bundle and no others.";
        let mut faults = Claims::default();
        if bundle.len() > FILES_MAX {
            faults.failed("files", SENTENCE, format!("{} files, at most {FILES_MAX} are read", bundle.len()));
        }
        let mut reading = Reading::default();
        for (path, bytes) in bundle.iter().take(FILES_MAX) {
            let Ok(place) = path.parse::<Place>() else {
                faults.failed("files", SENTENCE, format!("{path:?} is not a file of an evidence folder"));
                continue;
            };
            if bytes.len() > FILE_BYTES_MAX {
                faults.failed("files", SENTENCE, format!("{path} has more than {FILE_BYTES_MAX} bytes"));
                continue;
            }
            if let Err(reason) = reading.take(place, bytes) {
                faults.failed(claim_of(place), format!("{path} is what its name says."), reason);
            }
        }
        for place in
            [Place::Charter, Place::Statement].into_iter().filter(|place| !bundle.contains_key(&place.to_string()))
        {
            faults.failed("files", SENTENCE, format!("{place} is missing"));
        }
        let complete = !faults.any_failed();
        claims.append(faults);
        if !complete {
            return None;
        }
        claims.proved("files", SENTENCE);
        Some(Self {
            charters: reading.charters?,
            manifests: reading.manifests,
            statement: reading.statement?,
            receipts: reading.receipts,
            cosignatures: reading.cosignatures,
            head: reading.head,
            fields: reading.fields,
            sealed: reading.sealed,
            keys: reading.keys,
            lane: reading.lane,
        })
    }

    /// `charter.cose`.
    ///
    /// # Errors
    /// That it is too large to be written, in words.
    pub(super) fn charter(&self) -> Result<Vec<u8>, String> {
        let charter = Published { charters: self.charters.clone(), manifests: BTreeMap::new() };
        charter.encode().map_err(|error| error.to_string())
    }

    /// The files, as [`Self::read`] reads them.
    ///
    /// # Errors
    /// What is too large to be written, in words.
    pub(super) fn files(&self) -> Result<Bundle, String> {
        let mut files: BTreeMap<Place, Vec<u8>> =
            [(Place::Charter, self.charter()?), (Place::Statement, self.statement.clone())].into();
        files.extend(self.manifests.iter().map(|(member, manifest)| (Place::Manifest(*member), manifest.encode())));
        files.extend(self.receipts.iter().map(|(member, receipt)| (Place::Receipt(*member), receipt.encode())));
        files.extend(self.cosignatures.iter().map(|(member, held)| (Place::Cosignature(*member), held.encode())));
        files.extend(self.head.iter().map(|head| (Place::Head, head.clone())));
        files.extend(self.fields.iter().map(|(label, proofs)| (Place::Fields(*label), encode_fields(proofs))));
        files.extend(self.sealed.iter().map(|(label, bytes)| (Place::Sealed(*label), bytes.clone())));
        files.extend(self.keys.iter().map(|(label, key)| {
            (Place::ContentKey(*label), format!("{}\n", HEXLOWER.encode(key.as_bytes())).into_bytes())
        }));
        files.extend(self.lane.iter().map(|lane| (Place::Lane, lane.encode())));
        Ok(files.into_iter().map(|(place, bytes)| (place.to_string(), bytes)).collect())
    }
}

#[derive(Default)]
struct Reading {
    charters: Option<Vec<SignedCharter>>,
    manifests: BTreeMap<MemberCode, SignedManifest>,
    statement: Option<Vec<u8>>,
    receipts: BTreeMap<MemberCode, Receipt>,
    cosignatures: BTreeMap<MemberCode, Witnessed>,
    head: Option<Vec<u8>>,
    fields: BTreeMap<CompartmentLabel, Vec<FieldProof>>,
    sealed: BTreeMap<CompartmentLabel, Vec<u8>>,
    keys: BTreeMap<CompartmentLabel, ContentKey>,
    lane: Option<LaneEvidence>,
}

impl Reading {
    fn take(&mut self, place: Place, bytes: &[u8]) -> Result<(), String> {
        match place {
            Place::Charter => {
                let published = Published::decode(bytes).map_err(|error| error.to_string())?;
                if !published.manifests.is_empty() {
                    return Err("manifests stand in files of their own".to_owned());
                }
                self.charters = Some(published.charters);
            }
            Place::Manifest(member) => {
                let manifest = SignedManifest::decode(bytes).map_err(|error| error.to_string())?;
                if manifest.manifest().member() != member {
                    return Err(format!("it is the manifest of {}", manifest.manifest().member()));
                }
                self.manifests.insert(member, manifest);
            }
            Place::Statement => self.statement = Some(bytes.to_vec()),
            Place::Receipt(member) => {
                self.receipts.insert(member, Receipt::decode(bytes).map_err(|error| error.to_string())?);
            }
            Place::Cosignature(member) => {
                self.cosignatures.insert(member, Witnessed::decode(bytes).map_err(|error| error.to_string())?);
            }
            Place::Head => self.head = Some(bytes.to_vec()),
            Place::Fields(label) => {
                self.fields.insert(label, decode_fields(bytes)?);
            }
            Place::Sealed(label) => {
                self.sealed.insert(label, bytes.to_vec());
            }
            Place::ContentKey(label) => {
                self.keys.insert(label, decode_key(bytes).ok_or("not a key: 64 hexadecimal digits and a line end")?);
            }
            Place::Lane => self.lane = Some(LaneEvidence::decode(bytes)?),
            Place::Equivocation | Place::Signed(_) => return Err("it is no part of evidence about a record".to_owned()),
            Place::Readme | Place::Transparent | Place::Leaf | Place::Key(_) | Place::Direct(_) | Place::Body => {}
        }
        Ok(())
    }
}

/// An array of field proofs, each as it is handed over alone.
fn encode_fields(proofs: &[FieldProof]) -> Vec<u8> {
    let items = proofs
        .iter()
        .map(|proof| cbor::decode(&proof.encode()).expect("a field proof is written in deterministic CBOR"))
        .collect::<Vec<_>>();
    cbor::encode(&Value::from(items))
}

fn decode_fields(bytes: &[u8]) -> Result<Vec<FieldProof>, String> {
    let Value::Array(items) = cbor::decode(bytes).map_err(|error| error.to_string())? else {
        return Err("not a list of fields".to_owned());
    };
    items.iter().map(|item| FieldProof::decode(&cbor::encode(item)).map_err(|error| error.to_string())).collect()
}

fn decode_key(bytes: &[u8]) -> Option<ContentKey> {
    let digits = bytes.strip_suffix(b"\n")?;
    HEXLOWER.decode(digits).ok()?.try_into().ok().map(ContentKey::from_bytes)
}
