//! Readings that are written out, as `/api/data` answers with them: the same period is asked for again and again, a little
//! later each time. They hold for one version of the store.

use crate::reading::{Instant, MeterId};
use bytes::Bytes;
use std::ops::Range;

/// So many stretches are kept.
const KEPT: usize = 4;

/// Readings from some time on, as JSON, with commas between them.
#[derive(Debug)]
pub(super) struct Rendered {
    version: i64,
    meter: MeterId,
    chosen: u8,
    /// All readings from here on …
    from: i64,
    /// … until here are in it.
    pub(super) until: i64,
    times: Vec<i64>,
    ends: Vec<usize>,
    pub(super) text: Bytes,
}

/// Text, count and cursor of a page.
type Page = (Bytes, usize, Option<i64>);

impl Rendered {
    pub(super) const fn new(version: i64, meter: MeterId, chosen: u8, from: i64) -> Self {
        Self { version, meter, chosen, from, until: i64::MAX, times: Vec::new(), ends: Vec::new(), text: Bytes::new() }
    }

    pub(super) const fn len(&self) -> usize {
        self.times.len()
    }

    /// A reading that was written, and where the text ends with it.
    pub(super) fn push(&mut self, at: i64, end: usize) {
        self.times.push(at);
        self.ends.push(end);
    }

    /// The oldest so many of a period; `None` where they are not all here.
    pub(super) fn page(&self, period: &Range<Instant>, limit: usize) -> Option<Page> {
        let (start, end) = (period.start.unix_micros(), period.end.unix_micros());
        if start < self.from {
            return None;
        }
        let low = self.times.partition_point(|&at| at < start);
        let inside = self.times.partition_point(|&at| at < end);
        let high = inside.min(low.saturating_add(limit));
        // What stands at or behind `until` is not here, nor known to be the next page.
        if self.until < end && high == self.times.len() {
            return None;
        }
        if low >= high {
            return Some((Bytes::new(), 0, None));
        }
        // Behind the comma after the one before.
        let from = low.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| end + 1);
        // A small piece must not hold the whole text in memory.
        let piece = from..*self.ends.get(high - 1)?;
        let is_most = piece.len() * 4 >= self.text.len() * 3;
        let text = if is_most { self.text.slice(piece) } else { Bytes::copy_from_slice(self.text.get(piece)?) };
        let next = if inside > high { self.times.get(high - 1).copied() } else { None };
        Some((text, high - low, next))
    }
}

/// Stretches that were asked for lately.
#[derive(Debug, Default)]
pub(super) struct Recent(Vec<Rendered>);

impl Recent {
    pub(super) fn page(
        &mut self,
        version: i64,
        meter: &MeterId,
        chosen: u8,
        period: &Range<Instant>,
        limit: usize,
    ) -> Option<Page> {
        self.0.retain(|rendered| rendered.version == version);
        let same = self.0.iter().filter(|rendered| rendered.meter == *meter && rendered.chosen == chosen);
        same.into_iter().find_map(|rendered| rendered.page(period, limit))
    }

    pub(super) fn put(&mut self, rendered: Rendered) {
        if self.0.len() >= KEPT {
            self.0.remove(0);
        }
        self.0.push(rendered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_out_of_what_is_written() {
        let mut rendered = Rendered::new(1, MeterId::new("A").unwrap(), 1, 10);
        let mut text = String::new();
        for at in [10, 20, 30, 40] {
            if rendered.len() > 0 {
                text.push(',');
            }
            text.push_str(&at.to_string());
            rendered.push(at, text.len());
        }
        (rendered.text, rendered.until) = (text.into(), 50);
        let page = |from, to, limit| {
            let period = Instant::from_unix_micros(from)..Instant::from_unix_micros(to);
            rendered.page(&period, limit).map(|(text, count, next)| {
                assert_eq!(text.split(|&byte| byte == b',').filter(|part| !part.is_empty()).count(), count);
                (String::from_utf8(text.to_vec()).unwrap(), next)
            })
        };
        assert_eq!(page(10, 45, 9), Some(("10,20,30,40".into(), None)));
        assert_eq!(page(10, 40, 9), Some(("10,20,30".into(), None)));
        assert_eq!(page(11, 40, 1), Some(("20".into(), Some(20))));
        assert_eq!(page(10, 99, 3), Some(("10,20,30".into(), Some(30))));
        assert_eq!(page(10, 99, 4), None);
        assert_eq!(page(9, 40, 1), None);
        assert_eq!(page(21, 30, 1), Some((String::new(), None)));
    }
}
