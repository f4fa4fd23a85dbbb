//! Which keys are certainly new, at the cost of one look into memory.
//!
//! Nearly every key that is asked for is new, and to learn that from the tables costs a descent into each. A Bloom
//! filter, cut into blocks of a cache line, says "certainly not stored" for all but about one in a thousand of them.
//! Keys are hashes already, so their own bits choose block and places. Two bytes a key, and each segment is twice as long
//! as the one before it, so that few have to be looked into; beyond all of them it says "perhaps" to everything, and the
//! tables are asked again.

/// Keys of the first segment: 2 MiB.
const FIRST: usize = 1 << 20;
/// Segments: 256 MiB for 127 million keys.
const MOST: usize = 7;
/// Keys of a block of 512 bits.
const PER_BLOCK: usize = 32;
/// Bits that a key sets in its block.
const PLACES: u32 = 8;

#[derive(Default)]
pub(super) struct KeyFilter {
    segments: Vec<Segment>,
    /// There are more keys than have a place.
    is_full: bool,
}

struct Segment {
    blocks: Vec<[u64; 8]>,
    /// Keys that it still has a place for.
    free: usize,
}

impl KeyFilter {
    /// Remembers a key.
    pub(super) fn add(&mut self, key: &[u8; 16]) {
        if self.segments.last().is_none_or(|last| last.free == 0) {
            self.is_full |= self.segments.len() == MOST;
            if self.is_full {
                return;
            }
            let length = FIRST << self.segments.len();
            self.segments.push(Segment {
                blocks: vec![[0; 8]; length / PER_BLOCK],
                free: length,
            });
        }
        if let Some(segment) = self.segments.last_mut() {
            segment.free -= 1;
            let place = segment.block_of(key);
            if let Some(block) = segment.blocks.get_mut(place) {
                for (word, mask) in block.iter_mut().zip(masks_of(key)) {
                    *word |= mask;
                }
            }
        }
    }

    /// False where the key was certainly never added.
    pub(super) fn may_have(&self, key: &[u8; 16]) -> bool {
        let masks = masks_of(key);
        let has = |segment: &Segment| {
            let block = segment.blocks.get(segment.block_of(key));
            block.is_some_and(|block| {
                let mut words = block.iter().zip(masks);
                words.all(|(word, mask)| word & mask == mask)
            })
        };
        self.is_full || self.segments.iter().any(has)
    }
}

impl Segment {
    fn block_of(&self, key: &[u8; 16]) -> usize {
        let number = u32::from_be_bytes([key[12], key[13], key[14], key[15]]);
        usize::try_from(number).unwrap_or(0) % self.blocks.len()
    }
}

/// Which bits a key sets in each word of its block.
fn masks_of(key: &[u8; 16]) -> [u64; 8] {
    let mut bits = u128::from_be_bytes(*key) >> 32;
    let mut masks = [0; 8];
    for _ in 0..PLACES {
        let place = usize::try_from(bits & 7).unwrap_or(0);
        let bit = u32::try_from((bits >> 3) & 63).unwrap_or(0);
        if let Some(mask) = masks.get_mut(place) {
            *mask |= 1_u64 << bit;
        }
        bits >>= 9;
    }
    masks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> [u8; 16] {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(&number.to_be_bytes()).as_bytes()[..16]);
        key
    }

    #[test]
    fn what_was_added_is_always_there_and_few_others_are() {
        let mut filter = KeyFilter::default();
        assert!(!filter.may_have(&key(0)));
        let added = u32::try_from(FIRST + FIRST / 8).expect("a count");
        for number in 0..added {
            filter.add(&key(number));
        }
        assert!((0..added).all(|number| filter.may_have(&key(number))));
        let others = added..added + 20_000;
        let wrong = others
            .filter(|number| filter.may_have(&key(*number)))
            .count();
        assert!(wrong < 100, "{wrong} of 20,000 are taken for known");
    }

    #[test]
    fn keys_that_are_no_hashes_are_found_too() {
        let mut filter = KeyFilter::default();
        filter.add(&[0; 16]);
        filter.add(&[255; 16]);
        assert!(filter.may_have(&[0; 16]) && filter.may_have(&[255; 16]));
    }
}
