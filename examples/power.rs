//! A node that loses power again and again: what it acknowledged is there, and nothing is signed twice.
//!
//!     cargo run --release --features simulate --example power -- [CYCLES] [--json]
//!
//! The core that runs in production stands over the store and the guard that run in production, over a disk in memory that loses power at
//! a random operation and keeps a random part of what was not synced, in sectors.

use std::collections::BTreeMap;
use std::process::ExitCode;

use indicatif::ProgressBar;
use shieldwall::disk::fault::{Fault, FaultFs, Kind, Op};
use shieldwall::disk::{DiskStore, Guard};
use shieldwall::encoding::hash::{Digest, sha256};
use shieldwall::encoding::ids::{LogId, MemberCode, RecordId};
use shieldwall::encoding::random::Randomness;
use shieldwall::encoding::time::UnixTime;
use shieldwall::ledger::{Key, SignatureCheck, Store as _};
use shieldwall::protocol::{Effect, Input, Node, Now, Outcome, Settings, SigningKey};
use shieldwall::record::{Context, Draft, Strictness};
use shieldwall::simulate::federation::{Keys, federation};

const START: i64 = 1_800_000_000;

struct Machine {
    fs: FaultFs,
    keys: Keys,
    random: Randomness,
    now: i64,
    /// Records that were acknowledged, with what the log said of them then.
    acknowledged: BTreeMap<RecordId, Vec<u8>>,
    /// What was signed at each position.
    signed: BTreeMap<u64, Digest>,
    second_histories: u64,
    lost: u64,
    submitted: u64,
}

impl Machine {
    /// One life, up to the loss of power; gives how many records it acknowledged, or why it could not begin.
    fn live(&mut self) -> Result<u64, String> {
        let code = self.keys.member;
        let (store, report) = self.fs.open_store(0).map_err(|error| format!("it does not open: {error}"))?;
        if !report.damage.is_empty() {
            return Err(format!("damage: {:?}", report.damage));
        }
        let mut guard = self.fs.open_guard(LogId::first(code)).map_err(|refusal| refusal.to_string())?;
        for (id, statement) in &self.acknowledged {
            let held = store.get(&Key::Statement(*id)).map_err(|error| error.to_string())?;
            self.lost += u64::from(held.is_none_or(|frame| frame.bytes != *statement));
        }
        let founded = UnixTime::from_seconds(START).map_err(|error| error.to_string())?;
        let node = Node::load(store, federation(&[code], founded), self.keys.myself(), Settings::default());
        let mut node = node.map_err(|error| error.to_string())?;
        let kind = if self.random.below(2) == 0 { Kind::CrashBefore } else { Kind::CrashAfter };
        // Operations that change something: a start reads more the longer the log is.
        let op = [Op::Write, Op::Write, Op::Sync, Op::Sync, Op::Index][self.random.below(5) as usize];
        self.fs.arm(Fault::on(op, self.random.below(12) as usize, kind));
        let before = self.acknowledged.len();
        // Until the power goes, which every life ends with.
        for round in 0_u32..400 {
            let mut inputs = vec![Input::Tick];
            if round % 3 == 2 {
                inputs.push(self.submission(code));
            }
            if !self.step(&mut node, &mut guard, inputs) {
                break;
            }
        }
        Ok((self.acknowledged.len() - before) as u64)
    }

    fn submission(&mut self, code: MemberCode) -> Input {
        let id = self.submitted;
        self.submitted += 1;
        // Deliveries name records of any member; nothing else is needed to make one.
        let draft = Draft::delivered(code, vec![RecordId::new(LogId::first(code), id)]);
        let now = UnixTime::from_seconds(START).expect("a moment in 2027");
        let context = Context { strictness: Strictness::Own, author: Some(code), now, foreign_exports: false };
        let record = draft.check(&context).expect("an acknowledgement has all that it needs").record;
        Input::Submit { id, records: vec![record] }
    }

    /// Feeds the core and does what it says; false once the disk is gone.
    fn step(&mut self, node: &mut Node<DiskStore>, guard: &mut Guard, mut inputs: Vec<Input>) -> bool {
        self.now += 100;
        while !inputs.is_empty() {
            let seed = self.random.array();
            let Ok(effects) = node.handle(Now(self.now), seed, std::mem::take(&mut inputs)) else { return false };
            for effect in effects {
                match effect {
                    Effect::Sign { id, with, messages, guard: entries } => {
                        if guard.check_and_record(&entries).is_err() {
                            return false;
                        }
                        for (position, digest) in entries {
                            let held = *self.signed.entry(position).or_insert(digest);
                            self.second_histories += u64::from(held != digest);
                        }
                        let key = match with {
                            SigningKey::Log(_) => &self.keys.log,
                            SigningKey::Witness => &self.keys.witness,
                        };
                        let signatures = messages.iter().map(|message| key.sign(message)).collect();
                        inputs.push(Input::Signed { id, signatures });
                    }
                    Effect::Check { id, checks } => {
                        inputs.push(Input::Checked { id, hold: checks.iter().map(SignatureCheck::holds).collect() });
                    }
                    Effect::Flush => {
                        if node.store_mut().flush().is_err() {
                            return false;
                        }
                        inputs.push(Input::Flushed);
                    }
                    Effect::Submitted { outcomes, .. } => {
                        for outcome in outcomes {
                            let Outcome::Logged { id, .. } = outcome else { continue };
                            let Ok(Some(frame)) = node.store().get(&Key::Statement(id)) else { return false };
                            self.acknowledged.insert(id, frame.bytes);
                        }
                    }
                    Effect::Gossip(_)
                    | Effect::Verdict { .. }
                    | Effect::Request { .. }
                    | Effect::Respond { .. }
                    | Effect::Members
                    | Effect::Published { .. }
                    | Effect::Kept { .. }
                    | Effect::Event(_) => {}
                }
            }
        }
        true
    }
}

#[allow(clippy::print_stdout, reason = "it is a program")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let cycles: u64 = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(1_000);
    let code: MemberCode = "GE".parse().expect("a member");
    let mut machine = Machine {
        fs: FaultFs::new(11),
        keys: Keys::of(code),
        random: Randomness::new(sha256(b"power").0),
        now: START * 1000,
        acknowledged: BTreeMap::new(),
        signed: BTreeMap::new(),
        second_histories: 0,
        lost: 0,
        submitted: 0,
    };
    let bar = ProgressBar::new(cycles);
    let mut failures = Vec::new();
    for cycle in 0..cycles {
        if let Err(failure) = machine.live() {
            failures.push(format!("cycle {cycle}: {failure}"));
        }
        machine.fs.disarm();
        let mut survivors = Randomness::new(machine.random.array());
        let share = survivors.below(4);
        machine.fs.lose_power(|_| survivors.below(3) < share);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (acknowledged, lost, second) = (machine.acknowledged.len(), machine.lost, machine.second_histories);
    if arguments.iter().any(|argument| argument == "--json") {
        let report = serde_json::json!({
            "cycles": cycles, "submitted": machine.submitted, "acknowledged": acknowledged, "lost": lost,
            "second_histories": second, "failures": failures,
        });
        println!("{report}");
    } else {
        println!("{cycles} losses of power, {} records submitted, {acknowledged} acknowledged", machine.submitted);
        println!(
            "{lost} acknowledged records lost, {second} second histories, {} lives that did not begin",
            failures.len()
        );
        failures.iter().take(10).for_each(|failure| println!("  {failure}"));
    }
    if lost + second == 0 && failures.is_empty() && acknowledged > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
