//! Many nodes on virtual time, over the same core that runs in production: for tests.
//!
//! A [`World`] holds nodes with stores in memory, a network that may lose, delay and part, and signers with guards. Everything comes
//! from one seed: the same seed gives the same trace. No real clock, socket or file is involved.
//!
//! Start with [`World::new`] and [`World::run`]; [`federation`] makes the members and their keys.

pub mod federation;
mod world;

#[cfg(test)]
mod heal;
#[cfg(test)]
mod published;
#[cfg(test)]
mod tests;

pub use world::{Link, World};
