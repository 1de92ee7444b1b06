//! Evidence: a folder that proves one record to an outsider, offline.
//!
//! ```text
//! Material ─export─▶ Bundle (path → bytes) ─verify, with a charter that the verifier trusts─▶ Report
//! ```
//! Some files of a bundle carry signatures or are bound by one; all others (PEM, hexadecimal, JSON, README) are derived from
//! those by one function, which [`verify()`] runs again to compare the bytes. So nothing can be added to a bundle, changed in
//! it or renamed without a claim that fails, and no export depends on when, where or by whom it was made.
//!
//! Nothing here reads a file, asks a peer or the clock, signs, or decides what may be shown: the world gathers the
//! [`Material`] and names what is to be left out. A bundle holds opened content; it never shows in `Debug` or an error.
//!
//! Start with [`material`] for what goes in and [`layout`] for what comes out; `check` is what both sides hold true.

mod check;
mod derived;
pub mod equivocation;
mod export;
pub mod lane;
pub mod layout;
pub mod material;
mod parts;
mod readme;
pub mod report;
pub mod summary;
mod trust;
mod verify;
mod witnessed;

use std::collections::BTreeMap;

pub use equivocation::{Equivocation, SignedTwice, export_equivocation};
pub use export::{ExportError, ExportOptions, export};
pub use lane::{LaneEvidence, Notified};
pub use material::{FrontierCosignature, Inclusion, Material, OpenedCompartment};
pub use report::{Claim, Outcome, Report};
pub use summary::{Held, Opened, Summary};
pub use verify::{summarize, verify, verify_under};

/// The files of an evidence folder by their relative paths, with `/` between folder and file.
pub type Bundle = BTreeMap<String, Vec<u8>>;

/// Files in a bundle.
pub const FILES_MAX: usize = 2_000;
/// Bytes in one file of a bundle.
pub const FILE_BYTES_MAX: usize = 16 << 20;
