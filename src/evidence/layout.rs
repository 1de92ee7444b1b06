//! Which files a bundle has, by path.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;

use crate::encoding::ids::MemberCode;
use crate::seal::CompartmentLabel;

/// One file of a bundle, by what it is. The path is its `Display`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `README.md`, derived: for the court.
    Readme,
    /// `charter.cose`: the newest charter with all earlier versions (`COSE_Sign`), without manifests.
    Charter,
    /// `manifests/GE.cose`: a member's newest manifest.
    Manifest(MemberCode),
    /// `statement.cose`: the statement, a SCITT signed statement.
    Statement,
    /// `transparent.cose`, derived: the statement with all receipts in its unprotected header, a SCITT transparent statement.
    Transparent,
    /// `leaf.hex`, derived: the statement in hexadecimal, as verifiers of receipts ask for it.
    Leaf,
    /// `receipts/GE.cose`: a checkpoint (of the author) or cosignature (of another member) as a COSE receipt.
    Receipt(MemberCode),
    /// `keys/GE.pem`, derived: the log key of the author, the witness key of any other member.
    Key(MemberCode),
    /// `cosignatures/TR.cbor`: `[signed root, [log, size, root], index, path to the signed root, path in the log]`.
    Cosignature(MemberCode),
    /// `head.cbor`: what the statement signs the digest of.
    Head,
    /// `fields/<label>.cbor`: the fields of one compartment, each with its salt and path: an array of field proofs.
    Fields(CompartmentLabel),
    /// `compartments/<label>.cose`: the compartment as it was sealed (`COSE_Encrypt`), if its key is disclosed.
    Sealed(CompartmentLabel),
    /// `compartments/<label>.key`: its content key in hexadecimal.
    ContentKey(CompartmentLabel),
    /// `compartments/<label>.direct.cose`, derived: the same ciphertext with one recipient of the kind `direct`, so that any
    /// COSE tool opens it with the content key.
    Direct(CompartmentLabel),
    /// `body.json`, derived: the fields for reading.
    Body,
    /// `lane.cbor`: what an author has addressed to one member, all of it and nothing else ([`super::lane`]).
    Lane,
    /// `equivocation.cbor`: the proof that something was signed twice ([`super::equivocation`]).
    Equivocation,
    /// `signed/1.cose`, derived: one of those that were signed.
    Signed(u8),
}

/// A path that no file of a bundle has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a file of an evidence folder")]
pub struct NoSuchPlace;

impl Place {
    /// Whether the file is derived from the others.
    #[must_use]
    pub fn is_derived(self) -> bool {
        match self {
            Self::Readme
            | Self::Transparent
            | Self::Leaf
            | Self::Key(_)
            | Self::Direct(_)
            | Self::Body
            | Self::Signed(_) => true,
            Self::Charter
            | Self::Manifest(_)
            | Self::Statement
            | Self::Receipt(_)
            | Self::Cosignature(_)
            | Self::Head
            | Self::Fields(_)
            | Self::Sealed(_)
            | Self::ContentKey(_)
            | Self::Lane
            | Self::Equivocation => false,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Readme => formatter.write_str("README.md"),
            Self::Charter => formatter.write_str("charter.cose"),
            Self::Manifest(member) => write!(formatter, "manifests/{member}.cose"),
            Self::Statement => formatter.write_str("statement.cose"),
            Self::Transparent => formatter.write_str("transparent.cose"),
            Self::Leaf => formatter.write_str("leaf.hex"),
            Self::Receipt(member) => write!(formatter, "receipts/{member}.cose"),
            Self::Key(member) => write!(formatter, "keys/{member}.pem"),
            Self::Cosignature(member) => write!(formatter, "cosignatures/{member}.cbor"),
            Self::Head => formatter.write_str("head.cbor"),
            Self::Fields(label) => write!(formatter, "fields/{label}.cbor"),
            Self::Sealed(label) => write!(formatter, "compartments/{label}.cose"),
            Self::ContentKey(label) => write!(formatter, "compartments/{label}.key"),
            Self::Direct(label) => write!(formatter, "compartments/{label}.direct.cose"),
            Self::Body => formatter.write_str("body.json"),
            Self::Lane => formatter.write_str("lane.cbor"),
            Self::Equivocation => formatter.write_str("equivocation.cbor"),
            Self::Signed(number) => write!(formatter, "signed/{number}.cose"),
        }
    }
}

impl FromStr for Place {
    type Err = NoSuchPlace;

    fn from_str(path: &str) -> Result<Self, NoSuchPlace> {
        let place = match path.split_once('/') {
            None => match path {
                "README.md" => Self::Readme,
                "charter.cose" => Self::Charter,
                "statement.cose" => Self::Statement,
                "transparent.cose" => Self::Transparent,
                "leaf.hex" => Self::Leaf,
                "head.cbor" => Self::Head,
                "body.json" => Self::Body,
                "lane.cbor" => Self::Lane,
                "equivocation.cbor" => Self::Equivocation,
                _ => return Err(NoSuchPlace),
            },
            Some((folder, file)) => {
                let (stem, ending) = file.split_once('.').ok_or(NoSuchPlace)?;
                match (folder, ending) {
                    ("manifests", "cose") => Self::Manifest(member(stem)?),
                    ("receipts", "cose") => Self::Receipt(member(stem)?),
                    ("signed", "cose") => Self::Signed(number(stem)?),
                    ("keys", "pem") => Self::Key(member(stem)?),
                    ("cosignatures", "cbor") => Self::Cosignature(member(stem)?),
                    ("fields", "cbor") => Self::Fields(label(stem)?),
                    ("compartments", "cose") => Self::Sealed(label(stem)?),
                    ("compartments", "direct.cose") => Self::Direct(label(stem)?),
                    ("compartments", "key") => Self::ContentKey(label(stem)?),
                    _ => return Err(NoSuchPlace),
                }
            }
        };
        Ok(place)
    }
}

/// The name under which a file is attached to a document, where there are no folders: with `_` for `/`. No path has a `_` of its own.
#[must_use]
pub fn flat(path: &str) -> String {
    path.replace('/', "_")
}

/// The path of a file by such a name; `None` if it is not one, or has no folder.
#[must_use]
pub fn from_flat(name: &str) -> Option<String> {
    let path = name.replacen('_', "/", 1);
    (path != name && path.parse::<Place>().is_ok()).then_some(path)
}

fn member(stem: &str) -> Result<MemberCode, NoSuchPlace> {
    stem.parse().map_err(|_| NoSuchPlace)
}

/// One digit: more than nine of one thing are not kept.
fn number(stem: &str) -> Result<u8, NoSuchPlace> {
    match stem.as_bytes() {
        [digit @ b'1'..=b'9'] => Ok(digit - b'0'),
        _ => Err(NoSuchPlace),
    }
}

fn label(stem: &str) -> Result<CompartmentLabel, NoSuchPlace> {
    let bytes = HEXLOWER.decode(stem.as_bytes()).map_err(|_| NoSuchPlace)?;
    bytes.try_into().map(CompartmentLabel).map_err(|_| NoSuchPlace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_written_in_one_way() {
        let label = "000102030405060708090a0b0c0d0e0f";
        for path in [
            "README.md",
            "charter.cose",
            "statement.cose",
            "transparent.cose",
            "leaf.hex",
            "head.cbor",
            "body.json",
            "lane.cbor",
            "equivocation.cbor",
            "signed/1.cose",
            "manifests/GE.cose",
            "receipts/W1.cose",
            "keys/TR.pem",
            "cosignatures/MZ.cbor",
            &format!("fields/{label}.cbor"),
            &format!("compartments/{label}.cose"),
            &format!("compartments/{label}.key"),
            &format!("compartments/{label}.direct.cose"),
        ] {
            assert_eq!(path.parse::<Place>().unwrap().to_string(), path);
            assert!(!flat(path).contains('/') && !path.contains('_'));
            assert_eq!(from_flat(&flat(path)).as_deref(), path.contains('/').then_some(path));
        }
        for path in [
            "",
            "readme.md",
            "keys/../GE.pem",
            "keys/ge.pem",
            "keys/GE",
            "/leaf.hex",
            "fields/00.cbor",
            "signed/0.cose",
            "signed/01.cose",
            "a/b/c",
        ] {
            assert_eq!(path.parse::<Place>(), Err(NoSuchPlace), "{path}");
            assert_eq!(from_flat(path), None, "{path}");
            assert_eq!(from_flat(&flat(path)), None, "{path}");
        }
    }
}
