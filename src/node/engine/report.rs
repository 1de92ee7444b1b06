//! What a running node says of itself: status, peers, load, and what it logs of events.

use crate::encoding::ids::MemberCode;
use crate::node::answer;
use crate::node::ask::{LoadView, PeerView, Problem, Response, ScrubView, WorkView};
use crate::node::signer::Away;
use crate::node::supervisor::Health;
use crate::node::{clock, notify};
use crate::protocol::{Event, Now, Signing};

use super::Engine;

/// Damaged frames that `status` lists.
const DAMAGE_SHOWN: usize = 20;

impl Engine {
    pub(super) fn status(&self) -> Result<Response, Problem> {
        let mut status = answer::status(&self.node.view())?;
        let running = self.node.status();
        status.running = true;
        status.started_at = Some(self.started_at);
        status.listening = self.links.listening.iter().cloned().collect();
        status.peers_connected = running.peers.iter().filter(|peer| peer.connected).count() as u64;
        status.cosigned_by = self.agreeing();
        status.next_log = self.unsigned().is_some();
        status.read_only = match running.signing {
            _ if status.next_log => self.unsigned(),
            Signing::Ended(_) => None,
            Signing::Starting => Some("asking peers how long this log is".to_owned()),
            Signing::Ready if !self.node.store().writable()? => Some("too little free space".to_owned()),
            Signing::Ready => self.held_back(),
        };
        status.signer_away_since = self.condition.away().map(|away| away.since);
        status.scrub = Some(self.scrub_view());
        status.audit = self.audit_view();
        status.bans = self.peering.bans.iter().collect();
        status.waiting = running.waiting as u64;
        status.approvals = self.approvals.waiting();
        status.unaudited = running.unaudited;
        status.load = Some(self.load());
        let open = self.cases.digest(clock::now()).open.map(|count| count as u64);
        let consignments = self.keeper.views().consignments().len() as u64;
        let told = self.notify.as_ref().filter(|notify| notify.is_configured()).map(notify::Handle::counts);
        status.work = Some(WorkView { reading: self.keeper.progress(), consignments, open, told });
        Ok(Response::Status(Box::new(status)))
    }

    /// That the signer is not there, or holds back what is to be signed, and until when, if so.
    fn held_back(&self) -> Option<String> {
        if let Some(Away { since, reason }) = self.condition.away() {
            return Some(format!("nothing is signed since {since} ({reason}); what is to be signed waits"));
        }
        self.condition.holds_until().map(|until| {
            format!("more was to be signed than limits.signed_per_minute or limits.signed_per_day allow; the rest waits until {until}")
        })
    }

    /// Why the own log is not signed here and never will be, if so.
    pub(super) fn unsigned(&self) -> Option<String> {
        let reason = match self.node.status().signing {
            Signing::Ended(reason) => Some(reason),
            Signing::Starting | Signing::Ready => self.condition.refuses(),
        };
        reason.map(|reason| format!("log {} is not signed any more: {reason}", self.node.view().me().log))
    }

    fn load(&self) -> LoadView {
        let Health { up, crashes, barred, counters } = &self.health;
        let shed = self.node.shed(Now(clock::now_ms()));
        LoadView {
            network_up: *up,
            network_crashes: *crashes,
            barred: barred.iter().filter_map(|key| self.links.member(key)).collect(),
            over_quota: shed.over_quota,
            memory_bytes: resident_memory(),
            shed: [
                ("connection-outsider", counters.outsiders_refused),
                ("connection-limit", counters.connections_over_limit),
                ("connection-memory", counters.connections_no_memory),
                ("gossip-peer-rate", counters.gossip_over_rate),
                ("gossip-author-budget", shed.gossip_over_budget),
                ("gossip-busy", counters.gossip_not_kept_up),
                ("question-peer-rate", counters.requests_over_rate),
                ("question-no-room", counters.requests_no_room),
                ("question-busy", counters.requests_not_kept_up),
                ("question-delayed", shed.questions_delayed),
                ("question-refused", shed.questions_refused),
                ("body-early", shed.bodies_dropped),
            ]
            .map(|(what, count)| (what.to_owned(), count))
            .into(),
        }
    }

    /// Members whose newest cosignature is over the frontier of this node.
    pub(super) fn agreeing(&self) -> Vec<MemberCode> {
        let running = self.node.status();
        let own = running.own_agrees.then(|| self.node.view().me().member);
        let mut members: Vec<_> =
            running.peers.iter().filter(|peer| peer.agrees).map(|peer| peer.member).chain(own).collect();
        members.sort_unstable();
        members
    }

    pub(super) fn peers(&self) -> Vec<PeerView> {
        let federation = self.node.federation();
        let view = |peer: crate::protocol::PeerStatus| PeerView {
            member: peer.member,
            name: federation.member(peer.member).map(|member| member.name.clone()).unwrap_or_default(),
            connected: peer.connected,
            addresses: federation
                .transports()
                .filter(|transport| transport.member == peer.member)
                .flat_map(|transport| transport.addresses.to_vec())
                .collect(),
            frontier: peer.frontier,
            in_step: peer.agrees,
            ban: self.peering.bans.iter().find(|ban| ban.member == peer.member),
        };
        self.node.status().peers.into_iter().map(view).collect()
    }

    fn scrub_view(&self) -> ScrubView {
        let store = self.node.store();
        let damaged = store.damage().into_iter().map(|(key, place)| format!("{key:?}: {place}"));
        ScrubView {
            frames: store.scrubbed().frames,
            passes: store.scrubbed().passes,
            completed_at: self.scrubbed_at.map(Now::time),
            damaged: damaged.take(DAMAGE_SHOWN).collect(),
        }
    }
}

/// What this process has in memory, as Linux tells it; 0 elsewhere.
fn resident_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}

/// Logs an event, by who must act: an operator for what ends or accuses, nobody for the rest.
pub(super) fn tell(event: &Event) {
    match event {
        Event::Fork { .. } | Event::LogEnded { .. } | Event::Split { .. } | Event::LaneDiffers { .. } => {
            tracing::error!("{event}")
        }
        Event::Flagged { .. }
        | Event::Healed { .. }
        | Event::NotOpened { .. }
        | Event::NotGranted { .. }
        | Event::NotErased { .. } => {
            tracing::warn!("{event}")
        }
        Event::Logged { .. }
        | Event::Ready { .. }
        | Event::Members { .. }
        | Event::Opened { .. }
        | Event::Erased { .. } => {
            tracing::info!("{event}");
        }
        Event::Verified { .. } | Event::Agrees { .. } | Event::Refused { .. } => tracing::debug!("{event}"),
    }
}
