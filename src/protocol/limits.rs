//! Every bound of the protocol, with the reason for its number.

use super::budget::Rate;
use super::input::Now;

/// A day in milliseconds: the period of the charter's quota.
pub const DAY_MS: i64 = 86_400_000;
/// News that a node gossips of its own log. Officers never come near; a bulk import does, and the rest of it is fetched.
pub(super) const NEWS_TOLD: Rate = Rate { units: 10, period_ms: 1000, burst: 50 };
/// News of one member's logs that are taken from gossip. Twice what it may say, because messages bunch up on the way.
pub(super) const NEWS_TAKEN: Rate = Rate { units: 20, period_ms: 1000, burst: 100 };
/// Frontier cosignatures of one member that are taken from gossip: it makes one per interval, by default one a second.
pub(super) const COSIGNATURES_TAKEN: Rate = Rate { units: 10, period_ms: 1000, burst: 50 };
/// The work that one peer may ask for, in microseconds of one core: half of one. Bulk sync stays below (100 MiB of chunks a
/// second); floods of small questions do not.
pub(super) const WORK: Rate = Rate { units: 500_000, period_ms: 1000, burst: 1_000_000 };
/// The work behind any question: to read it, to look something up, to answer.
pub const WORK_PER_QUESTION: u64 = 100;
/// The work per KiB that is read from the store and sent, or received and stored.
pub const WORK_PER_KIB: u64 = 4;
/// The work per log where a question goes through all logs.
pub const WORK_PER_LOG: u64 = 2;
/// Questions of one peer that wait for its budget: as many as the network lets it have under way. Beyond, the answer is nothing.
pub const QUESTIONS_WAITING_PER_PEER: usize = 16;

/// A gossip message. GossipSub copies each to every mesh peer, so it carries news, not bulk.
pub const GOSSIP_BYTES_MAX: usize = 16 * 1024;
/// What of a gossip message may be statements; the rest is left for the checkpoint and framing.
pub const GOSSIP_STATEMENTS_BYTES_MAX: usize = 14 * 1024;
/// A chunk of statements in answer to a range request; large enough that the round trip does not matter, small enough to
/// be held several times per peer.
pub const CHUNK_BYTES_MAX: usize = 1024 * 1024;
/// Statements in a chunk: bounds the work of one input at about 30 ms of hashing and storing.
pub const CHUNK_STATEMENTS_MAX: usize = 4096;
/// A request or response as a whole: a chunk, its proof and its framing.
pub const MESSAGE_BYTES_MAX: usize = CHUNK_BYTES_MAX + 64 * 1024;
/// Records signed as one group: one flush, one checkpoint. Hundreds make the cost of a flush vanish; more would make an officer's
/// single record wait behind a bulk import.
pub const GROUP_RECORDS_MAX: usize = 256;
/// Groups up to this size have their bodies pushed to their readers; those of a bulk import are fetched by them, at their own pace.
pub const PUSH_GROUP_MAX: usize = 16;
/// Records waiting to be signed. Beyond this a submission is refused and can be tried again: an import sends the next batch
/// after the answer to the last.
pub const QUEUE_RECORDS_MAX: usize = 8192;
/// Signatures checked as one batch: about 15 ms on two cores.
pub const AUDIT_BATCH: usize = 512;
/// Lost frames that are asked for at the same time. Each may bring a chunk of 1 MiB, and damage is rare.
pub const HEAL_MAX: usize = 16;
/// Bodies asked for at the same time from one peer.
pub const BODY_REQUESTS_PER_PEER: usize = 8;
/// Bodies that arrived before their statement, kept until it comes. A pushed body is small and its statement is seconds away at most.
pub const EARLY_BODIES_MAX: usize = 256;
/// How long such a body is kept, in milliseconds.
pub const EARLY_BODY_MS: i64 = 60_000;
/// Total size of bodies that arrived before their statement.
pub const EARLY_BODIES_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Records of one log that are addressed to this node and whose bodies have not come yet. The search of that log waits at this
/// number, so that a member that withholds bodies costs bounded memory.
pub const WANTED_PER_LOG_MAX: usize = 1024;
/// Records that one grant covers. A consignment has ten; a notification that covers a year of partial shipments has thousands.
pub const GRANT_RECORDS_MAX: usize = 8192;
/// Of these, covered by one record of the log: a reader opens that whole to get one key.
pub const GRANT_PART_MAX: usize = 256;
/// One's own records that are read within one call for a grant: about 30 ms.
pub const GRANT_BATCH: usize = 256;
/// How far behind the consignment's own date the search for one's records of it begins, in seconds: clocks differ, and were set back.
pub const GRANT_MARGIN_S: i64 = 86_400;
/// Grants about one record that are looked into for keys, the newest. One is the rule; each costs time when the record is opened.
pub const GRANTS_PER_RECORD_MAX: usize = 8;
/// Audited statements searched within one call, so that no call takes long.
pub const SCAN_BATCH: usize = 512;
/// Statements of one's own log between two marks of the lists of its lanes: a start reads no more than so many, a mark is some kilobytes.
pub(super) const LISTS_MARKED_EVERY: u64 = 1024;
/// One's own checkpoints of which the leaves of all lanes are kept: with 250 members half a megabyte. A reader asks within seconds.
pub(super) const COMMITMENTS_KEPT: usize = 64;
/// Between two times that an author is asked for the path of a lane after it gave none, in milliseconds.
pub(super) const LANE_PATH_RETRY_MS: i64 = 60_000;
/// Lanes of one log that have ended and whose path is still asked for: with one epoch a month those of years.
pub(super) const LANES_UNPROVED_MAX: usize = 64;
/// Between two requests for the same body or slot, in milliseconds; doubled at every try.
pub const RETRY_MS: i64 = 1_000;
/// Answers of an author that it has no slot for this node, before that is believed: half a minute.
pub const SLOT_TRIES: u32 = 6;
/// The longest time between two such requests, in milliseconds.
pub const RETRY_MAX_MS: i64 = 15_000;
/// Records named by one automatic acknowledgement.
pub const ACKNOWLEDGE_MAX: usize = 500;
/// Records named by one order to erase, so that one receipt answers it.
pub const ERASES_MAX: usize = 500;
/// Logs in a frontier: 250 members with four logs each.
pub const FRONTIER_LOGS_MAX: usize = 1000;
/// A checkpoint or cosignature may be this far ahead of the clock before it is put aside, in seconds.
pub const CLOCK_AHEAD_S: i64 = 15 * 60;
/// A request that got no answer is given up after this, in milliseconds; the transport gives up earlier.
pub const REQUEST_TIMEOUT_MS: i64 = 35_000;
/// Between two greetings in answer to one peer's, in milliseconds: enough for two honest nodes to find each other's news at
/// once, and a bound on what a peer can make a node send.
pub const GREET_BACK_MS: i64 = 1_000;
/// Times that one member is asked for its charter file: a few changes at once are asked for at once, and no greetings of its make
/// a node fetch files for ever.
pub(super) const FILES_ASKED: Rate = Rate { units: 1, period_ms: 5_000, burst: 8 };
/// Between two times that the same proof of equivocation is sent to everybody, in milliseconds: for those who were away.
pub const TELL_FORK_MS: i64 = 60_000;
/// Peers that must have told the length of one's own log before the first signature after a start; fewer only if there are not so
/// many, or the guard is intact and no more of them answer.
pub const PEER_ECHOES: usize = 3;
/// The time to wait for a first peer before the first signature after a start, in milliseconds. Peers may hold more of one's own log
/// than one's own disk does; without any in reach, the guard on this machine decides.
pub const PEER_ECHO_MS: i64 = 3_000;
/// The time that a peer in reach holds up the first signature after a start, in milliseconds, which does not say how much it holds of
/// one's own log, or says that it holds more and neither shows it nor denies it. On a bad network an answer may take minutes to come; who
/// keeps silent or lies delays by this much and no longer.
pub const PEER_SILENCE_MS: i64 = 600_000;
/// Until it is known how much a peer holds of one's own log, it is asked again after so many milliseconds, whatever became of the question before.
pub const GREET_AGAIN_MS: i64 = 5_000;
/// Receipt-form cosignatures made for one log within a minute. Every answer for an unchanged log is the one made before, so this
/// is reached only while a log grows.
pub const COSIGN_PER_MINUTE: u32 = 6;
/// A member's frontier cosignature is written to disk at most this often, in milliseconds; the newest always is in the end.
pub const KEEP_COSIGNATURE_MS: i64 = 10_000;

/// The time to wait before the next request, after `tries` of them, in milliseconds.
#[must_use]
pub fn backoff_ms(tries: u32) -> i64 {
    (RETRY_MS << tries.min(6)).min(RETRY_MAX_MS)
}

/// Whether a wait between two requests, until `at`, is over: also if it is longer than any that is set, because the clock was set back.
#[must_use]
pub fn is_over(at: Now, now: Now) -> bool {
    is_over_of(at, now, RETRY_MAX_MS)
}

/// The same of a wait that was set to `longest` milliseconds at most.
pub(super) fn is_over_of(at: Now, now: Now, longest: i64) -> bool {
    now >= at || at.since(now) > longest
}
