//! The cheapest way through a piece of text, from comma to comma.

use super::WINDOW;
use super::cost::Costs;
use super::symbol::{LONGEST, SHORTEST, Token};
use memchr::{memchr, memchr_iter};

/// How many fields are remembered of a kind; a later one of the same place takes it.
const PLACES: usize = 1 << 12;

/// Where fields were seen last: one more than the offset from the beginning of all text, 0 for never.
type Seen = Vec<u32>;

/// What has been seen.
#[derive(Debug)]
pub(super) struct Paths {
    /// Fields of the same key, of the same key and value, and with the same field behind them.
    seen: [Seen; 3],
    /// How much text has been forgotten.
    forgotten: usize,
    fields: Vec<Field>,
    steps: Vec<Step>,
}

/// A field of the piece, from its comma on.
#[derive(Debug, Clone, Copy)]
struct Field {
    start: usize,
    /// The places of its key and of the whole.
    key: usize,
    whole: usize,
}

/// The cheapest way found to the start of a field.
#[derive(Debug, Clone, Copy)]
struct Step {
    cost: u32,
    /// The field it comes from.
    from: usize,
    /// A match; up to it and after it everything is literal.
    start: usize,
    length: usize,
    distance: usize,
}

impl Step {
    const NONE: Self = Self { cost: u32::MAX, from: 0, start: 0, length: 0, distance: 0 };

    const fn end(self) -> usize {
        self.start + self.length
    }
}

impl Default for Paths {
    fn default() -> Self {
        Self { seen: std::array::from_fn(|_| vec![0; PLACES]), forgotten: 0, fields: Vec::new(), steps: Vec::new() }
    }
}

impl Paths {
    /// Appends the symbols of `text[start..]`; what is before is the window.
    pub(super) fn cheapest(&mut self, text: &[u8], start: usize, costs: &Costs, tokens: &mut Vec<Token>) {
        if start == text.len() {
            return;
        }
        self.divide(text, start);
        self.steps.clear();
        self.steps.resize(self.fields.len(), Step::NONE);
        self.steps[0] = Step { cost: 0, start, ..Step::NONE };
        for index in 0..self.fields.len() - 1 {
            self.step_from(index, text, costs);
        }
        self.write(text, start, tokens);
    }

    /// Text at the beginning is gone.
    pub(super) const fn forget(&mut self, count: usize) {
        self.forgotten += count;
    }

    /// Finds the fields; behind the last stands the end of the text as one more.
    fn divide(&mut self, text: &[u8], start: usize) {
        self.fields.clear();
        let commas = memchr_iter(b',', &text[start + 1..]).map(|at| start + 1 + at);
        let mut from = start;
        for end in commas.chain([text.len()]) {
            let (key, value) = text[from..end].split_at(key_length(&text[from..end]));
            let key = mixed(0, key);
            self.fields.push(Field { start: from, key: place(key), whole: place(mixed(key, value)) });
            from = end;
        }
        self.fields.push(Field { start: from, key: 0, whole: 0 });
    }

    /// Extends the ways through a field: as literals, and by what was seen before.
    fn step_from(&mut self, index: usize, text: &[u8], costs: &Costs) {
        let (field, next) = (self.fields[index], self.fields[index + 1]);
        let here = self.steps[index];
        // A long field is hardly ever cheaper in letters than by a match.
        if next.start - field.start <= 12 || self.steps[index + 1].cost == u32::MAX {
            let cost = here.cost + costs.literals(&text[field.start..next.start]);
            self.offer(index + 1, Step { cost, from: index, start: field.start, length: 0, distance: 0 });
        }
        let places = [field.key, field.whole, (field.whole * 31 + next.whole) % PLACES];
        // Beyond four gigabytes offsets begin anew; a match is held against the text anyway.
        #[allow(clippy::cast_possible_truncation)]
        let now = (self.forgotten + field.start) as u32;
        let mut tried = [0; 3];
        for (which, place) in places.into_iter().enumerate() {
            let last = std::mem::replace(&mut self.seen[which][place], now.wrapping_add(1));
            if last == 0 || tried.contains(&last) {
                continue;
            }
            tried[which] = last;
            let distance = now.wrapping_sub(last - 1) as usize;
            if (1..=WINDOW).contains(&distance) && distance <= field.start {
                self.match_from(index, distance, text, costs);
            }
        }
    }

    /// Offers the ways that a match at a distance opens.
    fn match_from(&mut self, index: usize, distance: usize, text: &[u8], costs: &Costs) {
        let here = self.steps[index];
        let start = self.fields[index].start;
        let there = start - distance;
        let length = common(&text[there..], &text[start..text.len().min(start + LONGEST)]);
        if length <= SHORTEST {
            return;
        }
        // Letters before it that are the same there need not be written: the end of a value.
        let mut before = 0;
        let mut cost = here.cost + costs.distance(distance);
        while start - before > here.end()
            && there > before
            && length + before < LONGEST
            && text[there - before - 1] == text[start - before - 1]
        {
            before += 1;
            cost -= costs.literal(text[start - before]);
        }
        let step = |cost, length| Step { cost, from: index, start: start - before, length, distance };
        let end = start + length;
        // Few at most: a search from the middle would take longer.
        let over = self.fields[index + 1..].iter().take_while(|field| field.start <= end).count();
        let covered = self.fields[index + over].start;
        // What is covered of a short field may be shorter than any match: the `,2` of `1,2,3`.
        let whole = covered - start + before;
        if over > 0 && whole >= SHORTEST {
            self.offer(index + over, step(cost + costs.length(whole), whole));
        }
        if let Some(next) = self.fields.get(index + over + 1)
            && end > covered
        {
            let letters = costs.literals(&text[end..next.start]);
            self.offer(index + over + 1, step(cost + costs.length(length + before) + letters, length + before));
        }
    }

    fn offer(&mut self, to: usize, step: Step) {
        if step.cost < self.steps[to].cost {
            self.steps[to] = step;
        }
    }

    /// Goes back along the cheapest way, then writes it.
    fn write(&mut self, text: &[u8], start: usize, tokens: &mut Vec<Token>) {
        let mut way = Vec::with_capacity(self.steps.len());
        let mut at = self.steps.len() - 1;
        while at > 0 {
            way.push(self.steps[at]);
            at = self.steps[at].from;
        }
        let mut done = start;
        for step in way.iter().rev() {
            tokens.extend(text[done..step.start].iter().map(|byte| Token::literal(*byte)));
            if step.length > 0 {
                tokens.push(Token::matching(step.length, step.distance));
            }
            done = step.end();
        }
        tokens.extend(text[done..].iter().map(|byte| Token::literal(*byte)));
    }
}

/// How much of a field is its key: up to `":`, or a beginning where there is none.
fn key_length(field: &[u8]) -> usize {
    const BEGINNING: usize = 6;
    let mut from = 0;
    while let Some(at) = memchr(b':', &field[from..]) {
        from += at + 1;
        if field[..from - 1].ends_with(b"\"") {
            return from;
        }
    }
    field.len().min(BEGINNING)
}

/// A number for a text, after the one of what stands before it.
fn mixed(before: u64, text: &[u8]) -> u64 {
    // The odd number nearest to 2^64 divided by the golden ratio: its high bits are well mixed.
    const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |sum: u64, word: u64| (sum.rotate_left(5) ^ word).wrapping_mul(MIX);
    let (words, rest) = text.as_chunks::<8>();
    let sum = words.iter().fold(before ^ text.len() as u64, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    mix(sum, rest.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// Where a text of this number is remembered.
fn place(number: u64) -> usize {
    usize::try_from(number >> 52).unwrap_or_default() % PLACES
}

/// How many bytes two texts have in common at their beginnings.
fn common(one: &[u8], other: &[u8]) -> usize {
    let (words, other_words) = (one.as_chunks::<8>().0, other.as_chunks::<8>().0);
    for (index, (a, b)) in words.iter().zip(other_words).enumerate() {
        let differing = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differing != 0 {
            return index * 8 + differing.trailing_zeros() as usize / 8;
        }
    }
    let same = words.len().min(other_words.len()) * 8;
    same + one[same..].iter().zip(&other[same..]).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_with_its_colon() {
        assert_eq!(key_length(b",\n \"1-0:5.8.0\": 12"), 15);
        assert_eq!(key_length(b",{\"timestamp\":\"2025-11-07T14:30:00Z\""), 14);
        assert_eq!(key_length(b",[\"2025-11-01T00:00:00Z\""), 6);
        assert_eq!(key_length(b""), 0);
    }

    #[test]
    fn beginnings_are_compared_to_the_byte() {
        let text: Vec<u8> = (0..40).collect();
        for at in 0..40 {
            let mut other = text.clone();
            other[at] = 99;
            assert_eq!(common(&text, &other), at);
        }
        assert_eq!(common(&text[..13], &text), 13);
    }
}
