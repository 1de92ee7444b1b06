//! Gossip: its topic, its message ids, its mesh and what members are scored for.
//!
//! Messages are anonymous for the transport, because what is inside is signed; their id is the hash of their content,
//! so nobody can make one message into many. Omission is harmless: sync is the guarantee, gossip only makes it fast.

use std::time::Duration;

use data_encoding::HEXLOWER;
use libp2p::gossipsub::IdentityTransform;
use libp2p::gossipsub::{
    Behaviour, ConfigBuilder, IdentTopic, MessageAcceptance, MessageAuthenticity, MessageId, PeerScoreParams,
    PeerScoreThresholds, TopicHash, TopicScoreParams, ValidationMode, WhitelistSubscriptionFilter,
    score_parameter_decay,
};
use sha2::{Digest, Sha256};

use super::limits::{GOSSIP_FRAME_BYTES, GOSSIP_QUEUE};
use super::{NetworkError, TransportKey, Verdict};

/// Names the hash, so that an id can be mistaken for no other digest.
const ID_DOMAIN: &[u8] = b"shieldwall/gossip/1";

/// Length of a message id, in bytes: collisions need 2^80 work, and only cost their author a lost message.
const ID_LENGTH: usize = 20;

/// Gossip, restricted to the one topic of the federation.
pub(super) type Gossip = Behaviour<IdentityTransform, WhitelistSubscriptionFilter>;

/// Names one received message and who passed it on, so that the verdict reaches the right peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GossipId {
    pub(super) hash: [u8; ID_LENGTH],
    pub(super) from: TransportKey,
}

/// The topic of a federation.
pub(super) fn topic(federation: &[u8; 32]) -> IdentTopic {
    IdentTopic::new(format!("/shieldwall/gossip/1/{}", HEXLOWER.encode(federation)))
}

/// The behaviour, subscribed to the federation's topic.
pub(super) fn behaviour(federation: &[u8; 32]) -> Result<Gossip, NetworkError> {
    let failed = |reason: String| NetworkError::Setup { part: "gossip", reason };
    let topic = topic(federation);
    let config = ConfigBuilder::default()
        .validation_mode(ValidationMode::Anonymous)
        // Nothing is passed on before the node has given its verdict.
        .validate_messages()
        .message_id_fn(|message| MessageId::new(&message_id(message.topic.as_str(), &message.data)))
        .max_transmit_size(GOSSIP_FRAME_BYTES)
        .duplicate_cache_time(Duration::from_secs(600))
        .history_length(12)
        .history_gossip(6)
        .mesh_n_low(6)
        .mesh_n(8)
        .mesh_n_high(12)
        .mesh_outbound_min(3)
        // A member's own records go to everyone at once: no mesh of hostile neighbours can hold them back.
        .flood_publish(true)
        .heartbeat_initial_delay(Duration::from_secs(1))
        .max_publish_messages(500)
        .connection_handler_queue_len(GOSSIP_QUEUE)
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let filter = WhitelistSubscriptionFilter([topic.hash()].into());
    let mut gossip = Behaviour::new_with_subscription_filter(MessageAuthenticity::Anonymous, config, filter)
        .map_err(|error| failed(error.to_owned()))?;
    gossip.with_peer_score(scoring(&topic.hash()), thresholds()).map_err(failed)?;
    gossip.subscribe(&topic).map_err(|error| failed(error.to_string()))?;
    Ok(gossip)
}

/// The first 20 bytes of SHA-256(domain ‖ length of the topic, 8 bytes ‖ topic ‖ data).
pub(super) fn message_id(topic: &str, data: &[u8]) -> [u8; ID_LENGTH] {
    let digest = Sha256::new()
        .chain_update(ID_DOMAIN)
        .chain_update((topic.len() as u64).to_be_bytes())
        .chain_update(topic)
        .chain_update(data)
        .finalize();
    let mut id = [0; ID_LENGTH];
    id.copy_from_slice(&digest[..ID_LENGTH]);
    id
}

/// What gossipsub calls a verdict.
pub(super) fn acceptance(verdict: Verdict) -> MessageAcceptance {
    match verdict {
        Verdict::Accept => MessageAcceptance::Accept,
        Verdict::Ignore => MessageAcceptance::Ignore,
        Verdict::Reject => MessageAcceptance::Reject,
    }
}

fn thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        gossip_threshold: -10.0,
        publish_threshold: -50.0,
        graylist_threshold: -80.0,
        // Peers are never learnt from peers.
        accept_px_threshold: 1_000.0,
        opportunistic_graft_threshold: 2.0,
    }
}

/// Good behaviour can earn at most 10 points, so that it never offsets proof of bad (CVE-2022-47547).
fn scoring(topic: &TopicHash) -> PeerScoreParams {
    PeerScoreParams {
        topics: [(topic.clone(), topic_scoring())].into(),
        topic_score_cap: 10.0,
        app_specific_weight: 1.0,
        // Identities come from the charter: nobody can make more of them, and small members may share a computing
        // centre or one proxy. So a shared address is no sign of an attack.
        ip_colocation_factor_weight: 0.0,
        behaviour_penalty_weight: -10.0,
        behaviour_penalty_threshold: 6.0,
        behaviour_penalty_decay: score_parameter_decay(Duration::from_secs(600)),
        // A peer with a slow line is behind, not hostile.
        slow_peer_weight: 0.0,
        retain_score: Duration::from_secs(3600),
        ..PeerScoreParams::default()
    }
}

fn topic_scoring() -> TopicScoreParams {
    TopicScoreParams {
        topic_weight: 1.0,
        // P1: at most 1 point, after 100 seconds in the mesh.
        time_in_mesh_weight: 0.01,
        time_in_mesh_quantum: Duration::from_secs(1),
        time_in_mesh_cap: 100.0,
        // P2: at most 5 points.
        first_message_deliveries_weight: 1.0,
        first_message_deliveries_decay: score_parameter_decay(Duration::from_secs(600)),
        first_message_deliveries_cap: 5.0,
        // P3, P3b: none. In a network of low rate, whoever has nothing to deliver would be punished.
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        // P4: the square of the rejected messages; after the third, a peer is no longer listened to. Forgotten in an hour.
        invalid_message_deliveries_weight: -20.0,
        invalid_message_deliveries_decay: score_parameter_decay(Duration::from_secs(3600)),
        ..TopicScoreParams::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_depends_on_topic_and_content_alone() {
        assert_eq!(message_id("a", b"bc"), message_id("a", b"bc"));
        assert_ne!(message_id("a", b"bc"), message_id("ab", b"c"));
        assert_ne!(message_id("a", b"bc"), message_id("a", b"bd"));
    }

    #[test]
    fn the_parameters_are_valid() {
        let topic = topic(&[0xab; 32]).hash();
        assert!(topic.as_str().ends_with(&"ab".repeat(32)));
        scoring(&topic).validate().unwrap();
        thresholds().validate().unwrap();
        behaviour(&[1; 32]).unwrap();
    }
}
