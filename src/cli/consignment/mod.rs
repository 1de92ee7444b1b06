//! `shieldwall consignment`: the everyday records of a consignment from a few flags. One file each, one line here.
//!
//! Each makes one draft, with what the node knows of the consignment already filled in, and logs it as `submit` does.

mod acknowledge;
mod amend;
mod arrive;
mod ask;
mod cancel;
mod close;
mod confirm;
mod decide;
mod depart;
mod divert;
mod grant;
mod list;
mod note;
mod notify;
mod reopen;
mod reply;
mod respond;
mod show;
mod table;
mod transit;
mod transship;
mod unannounced;
mod verify_end_use;

use super::context::Context;
use super::report::Outcome;
use crate::record::Kind;

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// List consignments
    List(list::Args),
    /// Show one: where it stands, its events, what left beside what came
    Show(list::ShowArgs),
    /// Announce an export (E02)
    Notify(Box<notify::Args>),
    /// Ask the exporting country something before you answer (E04)
    Ask(ask::Args),
    /// Answer a question about your own export (E05)
    Respond(respond::Args),
    /// Answer an announcement: no objection (E06), or an objection (E07)
    Reply(reply::Args),
    /// Decide whether your own export may leave (E09)
    Decide(decide::Args),
    /// Change what you announced (E10)
    Amend(amend::Args),
    /// Call it off before anything has left (E11)
    Cancel(cancel::Args),
    /// Goods have left your country (E13)
    Depart(Box<depart::Args>),
    /// Goods on the way came into your country (E14)
    TransitEntry(transit::Args),
    /// Goods on the way left your country (E15)
    TransitExit(transit::Args),
    /// Goods changed ship, truck or container (E16)
    Transship(Box<transship::Args>),
    /// Goods go to another country than announced (E17)
    Divert(divert::Args),
    /// Goods have arrived in your country (E18)
    Arrive(Box<arrive::Args>),
    /// Goods were imported, in this amount (E19)
    Confirm(Box<confirm::Args>),
    /// Explain a difference between what left and what came (E20)
    Note(note::Args),
    /// Record whether goods are used as was said (E21)
    VerifyEndUse(verify_end_use::Args),
    /// Propose to close it, or agree to that (E22)
    Close(close::Args),
    /// Open it again (E23)
    Reopen(reopen::Args),
    /// Tell that an officer has opened records (E03)
    Acknowledge(acknowledge::Args),
    /// Let another member read what your country said of it; cannot be undone (G05)
    Grant(grant::Args),
}

pub(super) fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::List(args) => list::run(context, args),
        Command::Show(args) => show::run(context, &args),
        Command::Notify(args) => notify::run(context, *args),
        Command::Ask(args) => ask::run(context, args),
        Command::Respond(args) => respond::run(context, args),
        Command::Reply(args) => reply::run(context, args),
        Command::Decide(args) => decide::run(context, args),
        Command::Amend(args) => amend::run(context, args),
        Command::Cancel(args) => cancel::run(context, args),
        Command::Depart(args) => depart::run(context, *args),
        Command::TransitEntry(args) => transit::run(context, args, Kind::TransitEntry),
        Command::TransitExit(args) => transit::run(context, args, Kind::TransitExit),
        Command::Transship(args) => transship::run(context, *args),
        Command::Divert(args) => divert::run(context, args),
        Command::Arrive(args) => arrive::run(context, *args),
        Command::Confirm(args) => confirm::run(context, *args),
        Command::Note(args) => note::run(context, args),
        Command::VerifyEndUse(args) => verify_end_use::run(context, args),
        Command::Close(args) => close::run(context, args),
        Command::Reopen(args) => reopen::run(context, args),
        Command::Acknowledge(args) => acknowledge::run(context, args),
        Command::Grant(args) => grant::run(context, args),
    }
}
