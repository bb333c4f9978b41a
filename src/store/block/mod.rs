//! The bytes of a sealed block and of a hot row: pure code, no SQL.
//!
//! ```text
//! Reading ──form──► skeleton (what stays the same) + whole numbers (what changes)
//! hot row           the skeleton's number in a table, the numbers one by one
//! sealed span       each skeleton once, the numbers of each register as columns
//! ```
//!
//! - [`bytes`]: variable-length numbers, checksums.
//! - [`ints`]: a column of whole numbers in the shortest of several forms.
//! - [`form`]: a register as a form and numbers, and back.
//! - [`skeleton`]: the same for a whole reading.
//! - [`column`](mod@column): one register over a span of readings.
//! - [`span`], [`builder`]: the readings of a span: their times, kinds and columns.
//! - [`marks`]: counters at each full hour of a span.
//! - [`pack`]: the short blocks of a span in one blob.
//! - [`whole`]: readings to bytes and back, all of them together.
//!
//! Decoding never panics and never allocates more than its input or [`MAX_ROWS`] justifies: every length is checked
//! against what is there.

use std::collections::HashMap;
use std::sync::Arc;

pub(super) mod builder;
pub(super) mod bytes;
pub(super) mod column;
pub(super) mod form;
pub(super) mod ints;
pub(super) mod marks;
pub(super) mod pack;
pub(super) mod skeleton;
pub(super) mod span;
pub(super) mod whole;

#[cfg(test)]
mod tests;

/// Whether some bytes are the body of a span, a block, a pack or a skeleton of so many rows, checksums aside. What is, is read to
/// its end.
pub(super) fn is_any(bytes: &[u8], rows: usize) -> bool {
    let rows = rows.min(MAX_ROWS);
    let span = span::Span::parse_body(bytes, rows)
        .is_ok_and(|span| span.marks.series().all(|series| span.marks.open(series).is_ok()));
    let skeleton = skeleton::Skeleton::parse(bytes).is_ok();
    let block = column::Opened::parse_body(bytes, rows).is_ok_and(|block| {
        let mut cursor = block.cursor();
        let code = crate::reading::Obis::electricity(1, 8, 0).into();
        (0..rows).all(|_| cursor.next(&block, &code, None).is_ok())
    });
    let pack = pack::find(bytes, 1).is_ok_and(|found| found.is_some());
    span || skeleton || block || pack
}

/// No span holds more readings: a day at ten a second fits.
pub(super) const MAX_ROWS: usize = 1 << 20;

/// Series have numbers below this, so that one fits behind a span's into the number of a block.
pub(super) const MAX_SERIES: i64 = 1 << 20;

/// Byte strings, each once, under numbers from 0.
#[derive(Debug, Default)]
struct Unique {
    all: Vec<Arc<[u8]>>,
    number_of: HashMap<Arc<[u8]>, usize>,
}

impl Unique {
    /// The number of some bytes, and whether they are new.
    fn number(&mut self, bytes: &[u8]) -> (usize, bool) {
        if let Some(&number) = self.number_of.get(bytes) {
            return (number, false);
        }
        let bytes: Arc<[u8]> = bytes.into();
        self.all.push(Arc::clone(&bytes));
        self.number_of.insert(bytes, self.all.len() - 1);
        (self.all.len() - 1, true)
    }
}

/// Why bytes are no block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Damage(pub(super) &'static str);
