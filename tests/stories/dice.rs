//! Numbers that look random and are the same for the same seed (SplitMix64).

/// The seed is printed by whoever throws them: `SALLYPORT_SEED` plays the same again.
pub(crate) struct Dice(u64);

impl Dice {
    /// From `SALLYPORT_SEED`, or other ones each time; and the seed.
    pub(crate) fn from_environment() -> (Self, u64) {
        let seed = std::env::var("SALLYPORT_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed =
            seed.unwrap_or_else(|| u64::from(std::process::id()) ^ jiff::Timestamp::now().as_second() as u64);
        (Self(seed), seed)
    }

    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most
    }

    /// One time in `times`.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of them, which must not be none.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }

    /// Between `least` and `most` of them, in any order, perhaps the same twice.
    pub(crate) fn some<'a>(&mut self, from: &[&'a str], least: u64, most: u64) -> Vec<&'a str> {
        let count = least + self.below(most - least + 1);
        (0..count).map(|_| *self.pick(from)).collect()
    }
}
