//! The cheapest way through a piece of text, from comma to comma.
//!
//! Readings have the same keys in the same order, so a field is first held against the one that followed where the field
//! before it was found: only where that is another is its key looked up.

// Offsets are those of a window and a piece, and no file has as many fields as there are numbers.
#![allow(clippy::cast_possible_truncation)]

use super::WINDOW;
use super::cost::Costs;
use super::symbol::{LONGEST, SHORTEST, Token};
use memchr::memchr;

/// How many fields are remembered of a kind; a later one of the same place takes it.
const PLACES: usize = 1 << 12;

/// Which field was the last of its kind; 0 for none.
type Seen = Box<[u32; PLACES]>;

/// What has been seen.
#[derive(Debug)]
pub(super) struct Paths {
    /// The fields of the window and of the piece, and behind them two that are none: the end of the text, and of everything.
    fields: Vec<Field>,
    /// The number of the first of them.
    first: u32,
    /// By key, by key and value, and by both and the field behind.
    keys: Seen,
    wholes: Seen,
    pairs: Seen,
    ways: Vec<Way>,
}

/// A field, from its comma on.
#[derive(Debug, Clone, Copy, Default)]
struct Field {
    start: u32,
    /// Numbers for its key and for the whole.
    key: u32,
    whole: u32,
    /// The last field before it that has the same key.
    same: u32,
    /// How long its key is.
    key_length: u32,
    /// How much it, and what follows, has in common with that one.
    common: u32,
}

/// The cheapest way found to the start of a field.
#[derive(Debug, Clone, Copy)]
struct Way {
    cost: u32,
    /// How many fields back it comes from.
    from: u32,
    /// A match; up to it and after it everything is literal.
    start: u32,
    length: u16,
    /// One less.
    distance: u16,
}

impl Way {
    const NONE: Self = Self { cost: u32::MAX, from: 0, start: 0, length: 0, distance: 0 };
}

impl Default for Paths {
    fn default() -> Self {
        let seen = || Box::new([0; PLACES]);
        Self { fields: Vec::new(), first: 1, keys: seen(), wholes: seen(), pairs: seen(), ways: Vec::new() }
    }
}

impl Paths {
    /// Appends the symbols of `text[start..]`; what is before is the window.
    pub(super) fn cheapest(&mut self, text: &[u8], start: usize, costs: &Costs, tokens: &mut Vec<Token>) {
        if start == text.len() {
            return;
        }
        let first = self.fields.len();
        self.divide(text, start);
        let end = self.fields.len();
        let nowhere = Field { start: u32::MAX, ..Field::default() };
        self.fields.extend([Field { start: text.len() as u32, ..Field::default() }, nowhere]);
        self.ways.clear();
        self.ways.resize(end - first + 2, Way::NONE);
        self.ways[0] = Way { cost: 0, start: start as u32, ..Way::NONE };
        let mut here = first;
        while here < end {
            let next = self.step_from(first, here, text, costs);
            here += 1;
            while here < next {
                self.remember(here);
                here += 1;
            }
        }
        self.fields.truncate(end);
        self.write(text, start, tokens);
    }

    /// Text at the beginning is gone.
    pub(super) fn forget(&mut self, count: usize) {
        let gone = self.fields.partition_point(|field| (field.start as usize) < count);
        self.fields.drain(..gone);
        self.first += gone as u32;
        self.fields.iter_mut().for_each(|field| field.start -= count as u32);
    }

    /// The text is gone, and another comes.
    pub(super) fn forget_all(&mut self) {
        // Numbers of fields that are gone lead nowhere.
        match self.first.checked_add(self.fields.len() as u32) {
            Some(first) if first < u32::MAX / 2 => self.first = first,
            _ => *self = Self::default(),
        }
        self.fields.clear();
    }

    /// Where a field that was seen is; `None` where it has been forgotten.
    #[inline]
    fn place(&self, number: u32) -> Option<usize> {
        number.checked_sub(self.first).map(|index| index as usize)
    }

    /// Finds the fields.
    fn divide(&mut self, text: &[u8], start: usize) {
        let mut from = start;
        let (mut guess, mut known) = (0, 0);
        while from < text.len() {
            let (field, end) = match self.guessed(text, from, guess, known) {
                Some(found) => found,
                None => self.looked_up(text, from),
            };
            let number = self.first + self.fields.len() as u32;
            self.keys[field.key as usize % PLACES] = number;
            // What follows is probably what followed there.
            guess = if field.same > 0 { field.same + 1 } else { 0 };
            let is_known = (field.common as usize) < LONGEST;
            known = if is_known { (field.common as usize).saturating_sub(end - from) } else { 0 };
            self.fields.push(field);
            from = end;
        }
    }

    /// A field that has the key of the one guessed, with which so much in common is known already; and its end.
    #[inline]
    fn guessed(&self, text: &[u8], start: usize, guess: u32, known: usize) -> Option<(Field, usize)> {
        let index = self.place(guess)?;
        let other = self.fields.get(index)?;
        let there = other.start as usize;
        let alike = if known > 0 { known } else { common(text, there, start) };
        let key = start + other.key_length as usize;
        if alike < other.key_length as usize {
            return None;
        }
        // As far as they are alike a comma can only be where the other ends.
        let length = self.fields.get(index + 1).map_or(usize::MAX, |next| next.start as usize - there);
        let end =
            if alike > length && text[start + length] == b',' { start + length } else { comma(text, start + alike) };
        let whole = value_number(other.key, text, key, end);
        let (start, common) = (start as u32, alike as u32);
        Some((Field { start, key: other.key, whole, same: guess, key_length: other.key_length, common }, end))
    }

    /// A field of any key, and its end.
    fn looked_up(&self, text: &[u8], start: usize) -> (Field, usize) {
        let end = comma(text, start + 1);
        let length = key_length(&text[start..end]);
        let key = (mixed(0, &text[start..start + length]) >> 32) as u32;
        let whole = value_number(key, text, start + length, end);
        let mut field = Field { start: start as u32, key, whole, key_length: length as u32, ..Field::default() };
        let last = self.keys[key as usize % PLACES];
        if let Some(index) = self.place(last) {
            let alike = common(text, self.fields[index].start as usize, start);
            if alike >= length {
                (field.same, field.common) = (last, alike as u32);
            }
        }
        (field, end)
    }

    /// Puts a field down as seen; what was seen before of the same kind.
    #[inline]
    fn remember(&mut self, index: usize) -> (u32, u32) {
        let number = self.first + index as u32;
        let (whole, next) = (self.fields[index].whole, self.fields[index + 1].whole);
        let pair = whole.wrapping_mul(31) ^ next;
        (
            std::mem::replace(&mut self.wholes[whole as usize % PLACES], number),
            std::mem::replace(&mut self.pairs[pair as usize % PLACES], number),
        )
    }

    /// Extends the ways through a field: by what was seen before, or as literals. Which field to go on with.
    fn step_from(&mut self, first: usize, here: usize, text: &[u8], costs: &Costs) -> usize {
        let (whole, pair) = self.remember(here);
        let way = self.ways[here - first];
        if way.cost == u32::MAX {
            return here + 1;
        }
        let field = self.fields[here];
        let mut reached = here + 1;
        if let Some(index) = self.place(field.same) {
            let there = self.fields[index].start as usize;
            reached = self.match_from(first, here, there, field.common as usize, text, costs).max(reached);
        }
        let is_pair = |index: usize| {
            let (one, two) = (&self.fields[index..index + 2], &self.fields[here..here + 2]);
            one[0].whole == two[0].whole && one[1].whole == two[1].whole
        };
        let other = if self.place(pair).is_some_and(is_pair) { pair } else { whole };
        if other != field.same
            && let Some(index) = self.place(other)
        {
            let there = self.fields[index].start as usize;
            let alike = common(text, there, field.start as usize);
            self.match_from(first, here, there, alike, text, costs);
        }
        // A long field is hardly ever cheaper in letters than by a match.
        let end = self.fields[here + 1].start;
        if end - field.start <= 12 || self.ways[here - first + 1].cost == u32::MAX {
            let cost = way.cost + costs.literals(&text[field.start as usize..end as usize]);
            self.offer(here - first + 1, Way { cost, from: 1, start: field.start, length: 0, distance: 0 });
        }
        reached
    }

    /// Offers the ways that a match opens. How far it covers whole fields.
    // Of all that is done to a field this is the most: as a call it takes a twentieth longer.
    #[inline(always)]
    fn match_from(
        &mut self,
        first: usize,
        index: usize,
        there: usize,
        length: usize,
        text: &[u8],
        costs: &Costs,
    ) -> usize {
        let way = self.ways[index - first];
        let start = self.fields[index].start as usize;
        let distance = start - there;
        if length <= SHORTEST || distance > WINDOW {
            return index;
        }
        // Letters before it that are the same there need not be written: the end of a value.
        let free = (start - way.start as usize - way.length as usize).min(LONGEST - length);
        let before = alike_before(text, there, start).min(free);
        // What the letters cost was partly estimated, and may have been less than they do.
        let letters = costs.literals(&text[start - before..start]);
        let cost = (way.cost + costs.distance(distance)).saturating_sub(letters);
        let end = start + length;
        // Few at most: a search from the middle would take longer.
        let mut over = index;
        let mut covered = start;
        let mut next = self.fields[over + 1].start as usize;
        while next <= end {
            over += 1;
            covered = next;
            next = self.fields[over + 1].start as usize;
        }
        let matching = |cost, from: usize, length: usize| Way {
            cost,
            from: from as u32,
            start: (start - before) as u32,
            length: length as u16,
            distance: (distance - 1) as u16,
        };
        // What is covered of a short field may be shorter than any match: the `,2` of `1,2,3`.
        let whole = covered - start + before;
        let is_whole = over > index && whole >= SHORTEST;
        if is_whole {
            self.offer(over - first, matching(cost + costs.length(whole), over - index, whole));
        }
        if end > covered {
            let letters = costs.rest(&text[end..next]);
            let length = length + before;
            self.offer(over - first + 1, matching(cost + costs.length(length) + letters, over + 1 - index, length));
        }
        if is_whole { over } else { index }
    }

    #[inline]
    fn offer(&mut self, to: usize, way: Way) {
        let known = &mut self.ways[to];
        if way.cost < known.cost {
            *known = way;
        }
    }

    /// Goes back along the cheapest way, then writes it.
    fn write(&mut self, text: &[u8], start: usize, tokens: &mut Vec<Token>) {
        let mut at = self.ways.len() - 2;
        // Turned round in place: what is passed over is not needed any more.
        let mut front = self.ways.len();
        while at > 0 {
            let way = self.ways[at];
            front -= 1;
            self.ways[front] = way;
            at -= way.from as usize;
        }
        let mut done = start;
        for way in &self.ways[front..] {
            literals(&text[done..], way.start as usize - done, tokens);
            if way.length > 0 {
                tokens.push(Token::matching(way.length as usize, way.distance as usize + 1));
            }
            done = way.start as usize + way.length as usize;
        }
        literals(&text[done..], text.len() - done, tokens);
    }
}

/// Appends the first bytes of a text as literals.
#[inline]
fn literals(text: &[u8], count: usize, tokens: &mut Vec<Token>) {
    match text.first_chunk::<8>() {
        Some(bytes) if count <= 8 => {
            // All eight are written, and those that are not meant left out: how many are meant cannot be guessed.
            let length = tokens.len() + count;
            tokens.extend_from_slice(&bytes.map(Token::literal));
            tokens.truncate(length);
        }
        _ => tokens.extend(text[..count].iter().map(|byte| Token::literal(*byte))),
    }
}

/// How much of a field is its key: up to `":`, or a beginning where there is none.
fn key_length(field: &[u8]) -> usize {
    const BEGINNING: usize = 2;
    let mut from = 0;
    while let Some(at) = memchr(b':', &field[from..]) {
        from += at + 1;
        if field[..from - 1].ends_with(b"\"") {
            return from;
        }
    }
    field.len().min(BEGINNING)
}

/// Where the next comma is, or the end.
#[inline]
fn comma(text: &[u8], from: usize) -> usize {
    const ALL: u64 = u64::MAX / 255;
    let rest = &text[from..];
    if let Some(word) = rest.first_chunk::<8>() {
        // The first byte that is one leaves its highest bit (Hacker's Delight, 6-1).
        let other = u64::from_le_bytes(*word) ^ (ALL * b',' as u64);
        let found = other.wrapping_sub(ALL) & !other & (ALL << 7);
        if found != 0 {
            return from + found.trailing_zeros() as usize / 8;
        }
    }
    memchr(b',', rest).map_or(text.len(), |at| from + at)
}

// The odd number nearest to 2^64 divided by the golden ratio: its high bits are well mixed.
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

/// A number for a key and a value.
#[inline]
fn value_number(key: u32, text: &[u8], start: usize, end: usize) -> u32 {
    let value = &text[start..end];
    let (tail, length) = (text[..end].last_chunk::<8>(), value.len());
    let word = match tail {
        // The last eight bytes, and no more than the value.
        Some(tail) if (1..=8).contains(&length) => u64::from_le_bytes(*tail) >> (64 - 8 * length),
        _ => mixed(0, value),
    };
    let sum = (word ^ u64::from(key) << 32).wrapping_mul(MIX);
    ((sum ^ sum >> 29).wrapping_mul(MIX) >> 32) as u32
}

/// A number for a text, after the one of what stands before it.
fn mixed(before: u64, text: &[u8]) -> u64 {
    let mix = |sum: u64, word: u64| (sum.rotate_left(5) ^ word).wrapping_mul(MIX);
    let (words, rest) = text.as_chunks::<8>();
    let sum = words.iter().fold(before ^ text.len() as u64, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    mix(sum, rest.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// How many of the last eight bytes before two places are the same.
#[inline]
fn alike_before(text: &[u8], there: usize, here: usize) -> usize {
    match (text[..there].last_chunk::<8>(), text[..here].last_chunk::<8>()) {
        (Some(one), Some(other)) => {
            (u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other)).leading_zeros() as usize / 8
        }
        _ => 0,
    }
}

/// How many bytes are the same from two places on, as far as a match may go.
#[inline]
fn common(text: &[u8], there: usize, here: usize) -> usize {
    let length = LONGEST.min(text.len() - here);
    let (one, other) = (&text[there..there + length], &text[here..here + length]);
    let (words, other_words) = (one.as_chunks::<16>().0, other.as_chunks::<16>().0);
    for (index, (a, b)) in words.iter().zip(other_words).enumerate() {
        let differing = u128::from_le_bytes(*a) ^ u128::from_le_bytes(*b);
        if differing != 0 {
            return index * 16 + differing.trailing_zeros() as usize / 8;
        }
    }
    let same = words.len() * 16;
    same + one[same..].iter().zip(&other[same..]).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_with_its_colon() {
        assert_eq!(key_length(b",\n \"1-0:5.8.0\": 12"), 15);
        assert_eq!(key_length(b",{\"timestamp\":\"2025-11-07T14:30:00Z\""), 14);
        assert_eq!(key_length(b",[\"2025-11-01T00:00:00Z\""), 2);
        assert_eq!(key_length(b""), 0);
    }

    #[test]
    fn beginnings_are_compared_to_the_byte() {
        let text: Vec<u8> = (0..40).collect();
        for at in 0..40 {
            let mut other = text.clone();
            other[at] = 99;
            let both = [text.clone(), other].concat();
            assert_eq!(common(&both, 0, 40), at);
        }
        assert_eq!(common(&[&text[..], &text[..13]].concat(), 0, 40), 13);
        assert_eq!(common(&[7; 1000], 0, 1), LONGEST);
    }

    #[test]
    fn a_comma_is_found_wherever_it_is() {
        for length in 0..30 {
            let mut text = vec![b'-'; length];
            text.extend(b",+,");
            assert_eq!(comma(&text, 0), length);
            assert_eq!(comma(&text, length + 1), length + 2);
            assert_eq!(comma(&text, length + 3), length + 3);
        }
    }

    #[test]
    fn values_have_numbers_of_their_own() {
        let text = b"231.5,1231.5,231.6,00231.5,2024-03-01T00:00:00Z,2024-03-01T00:01:00Z";
        let commas: Vec<usize> = text.iter().enumerate().filter(|(_, byte)| **byte == b',').map(|(at, _)| at).collect();
        let starts = std::iter::once(0).chain(commas.iter().map(|at| at + 1));
        let ends = commas.iter().copied().chain([text.len()]);
        let mut numbers: Vec<u32> =
            starts.zip(ends).flat_map(|(start, end)| [1, 2].map(|key| value_number(key, text, start, end))).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 12);
        // What stands before a value does not matter.
        assert_eq!(value_number(1, b"1-0:16.7.0231.5", 10, 15), value_number(1, b"tension_l1231.5,", 10, 15));
    }
}
