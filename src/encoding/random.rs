//! Randomness as an argument: a stream from a seed that the world draws from the operating system.

use std::convert::Infallible;
use std::fmt;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _, TryCryptoRng, TryRng};

/// A cryptographic random stream (ChaCha20) from one 32-byte seed. The same seed gives the same stream, which is what
/// makes the state machine replayable.
pub struct Randomness(ChaCha20Rng);

impl Randomness {
    /// The stream of `seed`.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A number below `bound` (0 if `bound` is 0). The bias of at most 2⁻³² does not matter for what it is used for:
    /// the choice of a peer or of a moment.
    pub fn below(&mut self, bound: u32) -> u32 {
        let number = u64::from(u32::from_be_bytes(self.array()));
        u32::try_from((number * u64::from(bound)) >> 32).expect("the product's upper half is below the bound")
    }

    /// Once in so many times; always if that is 0 or 1.
    pub fn once_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    ///
    /// # Panics
    /// If there is none.
    pub fn one_of<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(u32::try_from(from.len()).unwrap_or(u32::MAX)) as usize]
    }

    /// A number from `low` to `high`, both included; `low` if `high` is below it.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        let span = u128::from(high.saturating_sub(low)) + 1;
        let drawn = u128::from(u64::from_be_bytes(self.array()));
        low + u64::try_from((drawn * span) >> 64).expect("the product's upper half is below the span")
    }
}

impl fmt::Debug for Randomness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Randomness([redacted])")
    }
}

impl TryRng for Randomness {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(bytes)
    }
}

impl TryCryptoRng for Randomness {}
