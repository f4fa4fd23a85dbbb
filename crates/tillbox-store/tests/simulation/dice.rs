//! Chance, from a seed.

/// Numbers from a seed (`SplitMix64`).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `low` up to `high`, both included.
    pub(crate) fn roll(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low + 1).expect("high is not below low");
        low + i64::try_from(self.next() % width).expect("a small number")
    }

    /// Whether so many in a hundred come up.
    pub(crate) fn chance(&mut self, percent: i64) -> bool {
        self.roll(1, 100) <= percent
    }

    pub(crate) fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        let last = i64::try_from(among.len()).expect("a short list") - 1;
        if last < 0 {
            return None;
        }
        among.get(usize::try_from(self.roll(0, last)).expect("not negative"))
    }
}
