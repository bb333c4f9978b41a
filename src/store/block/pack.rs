//! Short blocks of a span, side by side in one blob: alone, each would leave half a page of the file empty.
//!
//! ```text
//! count · each: series, length · the blobs one after the other
//! ```
//!
//! Each blob has its own checksum, which does not fit either where the lengths are damaged.

use super::Damage;
use super::bytes::{Source, put_count, put_number};

/// Blobs shorter than this many octets are packed.
pub(crate) const SHORT: usize = 1024;

/// The blob of some blocks.
pub(crate) fn put(blocks: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    put_count(&mut out, blocks.len());
    for (series, blob) in blocks {
        put_number(&mut out, u64::from(*series));
        put_count(&mut out, blob.len());
    }
    out.extend(blocks.iter().flat_map(|(_, blob)| blob));
    out
}

/// The blob of a series among them; `None` where it has none there.
pub(crate) fn find(pack: &[u8], series: u32) -> Result<Option<&[u8]>, Damage> {
    let mut source = Source::new(pack);
    let (mut from, mut found) = (0usize, None);
    for _ in 0..source.count()? {
        let (own, length) = (source.number()?, source.count()?);
        if own == u64::from(series) {
            found = Some((from, length));
        }
        from = from.saturating_add(length);
    }
    let Some((from, length)) = found else { return Ok(None) };
    source.take(from)?;
    source.take(length).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blobs_come_back(blobs: Vec<Vec<u8>>, cut: usize, noise: Vec<u8>) {
            let blocks: Vec<_> = (7u32..).zip(blobs).collect();
            let packed = put(&blocks);
            for (series, blob) in &blocks {
                prop_assert_eq!(find(&packed, *series), Ok(Some(blob.as_slice())));
            }
            prop_assert_eq!(find(&packed, 6), Ok(None));
            // Whatever the bytes are, there is an answer.
            let _ = find(&packed[..cut % (packed.len() + 1)], 7);
            let _ = find(&noise, 7);
        }
    }
}
