//! What is fuzzed: one function of bytes per decoder, parser and machine. It panics if something does not hold.
//!
//! The fuzzer calls them (`fuzz_targets/`), and so does `cargo test`, over the seeds and what a property test makes of
//! them (`tests/fuzz_twin.rs`). What each holds true: whatever is read is written again to the same bytes; a refusal can be
//! told; nothing that was sealed shows in a `Debug` or an error.

#[cfg(feature = "node")]
pub mod documents;
#[cfg(feature = "node")]
pub mod files;
pub mod machine;
pub mod objects;
pub mod proofs;

use std::fmt::{self, Debug, Display, Write};

thread_local! {
    static QUICK: () = shieldwall::identity::known::remember(true);
}

/// From now on this thread does not compute signatures again that it has found good: for targets of whole nodes and folders, of which
/// nearly all signatures are the same in every run.
fn remember_signatures() {
    QUICK.with(|()| ());
}

/// A target, by the name that its seeds and its binary have.
pub type Target = (&'static str, fn(&[u8]));

/// Those of the pure core.
pub const CORE: &[Target] = &[
    ("cbor", objects::cbor),
    ("cose", objects::cose),
    ("statement", objects::statement),
    ("checkpoint", objects::checkpoint),
    ("cosignature", objects::cosignature),
    ("receipt", objects::receipt),
    ("fork", objects::fork),
    ("equivocation", objects::equivocation),
    ("lane_proof", objects::lane_proof),
    ("note", objects::note),
    ("body", objects::body),
    ("head", objects::head),
    ("compartment", objects::compartment),
    ("fields", objects::fields),
    ("field_proof", objects::field_proof),
    ("grant", objects::grant),
    ("lanes", objects::lanes),
    ("slot", objects::slot),
    ("charter", objects::charter),
    ("manifest", objects::manifest),
    ("published", objects::published),
    ("application", objects::application),
    ("gossip", objects::gossip),
    ("request", objects::request),
    ("response", objects::response),
    ("names", objects::names),
    ("content", objects::content),
    ("evidence", proofs::evidence),
    ("merkle", proofs::merkle),
    ("machine", machine::machine),
];

/// Those of the world around it.
#[cfg(feature = "node")]
pub const WORLD: &[Target] = &[
    ("csv", documents::csv),
    ("xml", documents::xml),
    ("json", documents::json),
    ("config", documents::config),
    ("api", documents::api),
    ("segment", files::segment),
    ("guard", files::guard),
];

/// Without the feature `node` there is no world.
#[cfg(not(feature = "node"))]
pub const WORLD: &[Target] = &[];

/// All targets.
pub fn all() -> impl Iterator<Item = Target> {
    CORE.iter().chain(WORLD).copied()
}

/// A word that stands in sealed content of the seeds and must show nowhere.
pub const CANARY: &str = "QZ7CANARY";

/// Takes text and keeps its length alone.
struct Sink(usize);

impl Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// It comes to an end, whatever it comes to.
fn tried<T>(outcome: T) {
    std::hint::black_box(&outcome);
}

/// It can be shown.
fn shown(value: &impl Debug) {
    let mut sink = Sink(0);
    assert!(write!(sink, "{value:?}").is_ok() && sink.0 > 0, "nothing is shown");
}

/// A refusal can be told, in a text of bounded length that is no program's output.
fn told(error: &(impl Display + Debug)) {
    let mut sink = Sink(0);
    assert!(write!(sink, "{error}{error:?}").is_ok() && sink.0 > 0, "nothing is told");
}

/// It shows nothing of what was sealed.
fn silent(value: &impl Debug) {
    assert!(!format!("{value:?}").contains(CANARY), "sealed content is shown");
}

/// A refusal tells nothing of what was sealed.
fn discreet(error: &(impl Display + Debug)) {
    assert!(!format!("{error} {error:?}").contains(CANARY), "sealed content is told");
}

/// What is read is the one encoding of what was read.
fn exact<T: Debug, E: Display + Debug>(
    bytes: &[u8],
    read: Result<T, E>,
    write: impl FnOnce(&T) -> Vec<u8>,
) -> Option<T> {
    match read {
        Ok(value) => {
            shown(&value);
            assert_eq!(write(&value), bytes, "another encoding was read");
            Some(value)
        }
        Err(error) => {
            told(&error);
            None
        }
    }
}
