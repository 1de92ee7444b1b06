//! Many nodes on virtual time, over the same core that runs in production.
//!
//! A [`World`] holds nodes with disks of their own ([`medium`]), a network that may lose, double, delay and part, signers with
//! guards, and clocks that may be wrong. Some members may be liars ([`liar`]). Everything comes from one seed: the same seed gives
//! the same trace. No real clock, socket or file is involved.
//!
//! ```text
//! seed ─▶ plan: members, liars, a timeline of work and trouble ─▶ trial: lets it happen, then heals everything and waits
//!                                                                    │ after each step
//!                                                                    └▶ invariants, by the watchman: a Violation, or none
//! ```
//!
//! For one thing in detail: [`World::new`] and [`World::run`]. For everything at once: [`trial::run`], which
//! `cargo run --example sim` does for many seeds. For the return of a member that was away for weeks: [`absence::run`]; for
//! machines that are restored, cloned, or lose their disk: [`drill::run`]. A fault put in on purpose ([`plant`]) shows that each invariant can fail.

pub mod absence;
pub mod drill;
mod export;
pub mod federation;
mod invariants;
pub mod liar;
mod machine;
pub mod medium;
mod network;
pub mod plan;
pub mod plant;
mod steady;
pub mod trial;
mod watchman;
mod world;

#[cfg(test)]
mod desk;
#[cfg(test)]
mod heal;
#[cfg(test)]
mod published;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod tests;

pub use network::{Link, Traffic};
pub use steady::Steady;
pub use watchman::Violation;
pub use world::{FOUNDED, World};
