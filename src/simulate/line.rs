//! The asynchronous line between meter and reader: what a receiver makes of characters that were sent with other settings.
//!
//! A receiver waits for the line to fall, and from there samples it in the middle of each of its own bit times. If both
//! sides agree that gives the character. If they do not it gives what a real receiver gives: 7E1 received as 8N1 has the
//! parity bit in bit 7, another speed gives garbage. A character whose parity or stop bit is wrong comes as NUL where parity is
//! checked, and as it was sampled where it is not: so does the serial driver of Linux (`INPCK` without `PARMRK`).

use crate::wire::{Line, Parity};
use std::collections::VecDeque;

/// A second in the units of this file.
const SECOND: u64 = 1_000_000_000;

/// A receiver, and the waveform it has not made up its mind about. Times are nanoseconds on any clock that does not go back.
#[derive(Debug, Clone)]
pub struct Receiver {
    line: Line,
    /// The level from a time on; in order. A line at rest is high.
    edges: VecDeque<(u64, bool)>,
    /// The level before the first of the edges.
    level: bool,
}

impl Receiver {
    /// One with these settings, at a line that rests.
    #[must_use]
    pub const fn new(line: Line) -> Self {
        Self { line, edges: VecDeque::new(), level: true }
    }

    /// Changes the settings. What it was in the middle of is lost, as in a real receiver.
    pub fn set_line(&mut self, line: Line) {
        if self.line != line {
            self.line = line;
            self.edges.clear();
            self.level = true;
        }
    }

    /// A character goes over the line from `at` on, sent with `sent`.
    pub fn hear(&mut self, character: u8, sent: Line, at: u64) {
        let data = (0..sent.data.min(8)).map(|bit| character >> bit & 1 == 1);
        let parity = parity_bit(character & data_bits(sent), sent.parity);
        let levels = std::iter::once(false).chain(data).chain(parity).chain(std::iter::once(true));
        for (n, level) in (0u64..).zip(levels) {
            let time = at + n * SECOND / u64::from(sent.baud.max(1));
            let before = self.edges.back().map_or(self.level, |&(_, level)| level);
            if level != before {
                self.edges.push_back((time, level));
            }
        }
    }

    /// What it has made out, if the line is at rest, or speaks on, from `until` on.
    pub fn made_out(&mut self, until: u64) -> Vec<u8> {
        let mut characters = Vec::new();
        while let Some(start) = self.start_bit() {
            let half = SECOND / (2 * u64::from(self.line.baud.max(1)));
            let bits = u64::from(self.line.data.min(8));
            let has_parity = u64::from(self.line.parity != Parity::None);
            let sample = |bit: u64| start + (2 * bit + 1) * SECOND / (2 * u64::from(self.line.baud.max(1)));
            let stop = sample(1 + bits + has_parity);
            if stop > until {
                break;
            }
            // A start bit that is gone at its middle was a spark.
            if self.level_at(start + half) {
                self.forget(start + half);
                continue;
            }
            let character = (0..bits).fold(0u8, |all, bit| all | u8::from(self.level_at(sample(1 + bit))) << bit);
            let expected = parity_bit(character, self.line.parity);
            let fits = expected.is_none_or(|expected| expected == self.level_at(sample(1 + bits)));
            let is_sound = fits && self.level_at(stop);
            characters.push(if is_sound || self.line.parity == Parity::None { character } else { 0 });
            self.forget(stop);
        }
        characters
    }

    /// The first fall of the line that has not been looked at.
    fn start_bit(&self) -> Option<u64> {
        self.edges.iter().find(|&&(_, level)| !level).map(|&(at, _)| at)
    }

    fn level_at(&self, time: u64) -> bool {
        let passed = self.edges.partition_point(|&(at, _)| at <= time);
        passed.checked_sub(1).and_then(|last| self.edges.get(last)).map_or(self.level, |&(_, level)| level)
    }

    /// Forgets everything up to a time.
    fn forget(&mut self, time: u64) {
        self.level = self.level_at(time);
        let passed = self.edges.partition_point(|&(at, _)| at <= time);
        self.edges.drain(..passed);
    }
}

/// What a receiver set to `to` makes of bytes that are sent back to back with `from`.
///
/// ```
/// use releve::simulate::line::reframe;
/// use releve::wire::Line;
/// let seven_even = reframe(b"/?!\r\n", Line::seven_even(300), Line::eight_none(300));
/// assert_eq!(seven_even, [0xAF, 0x3F, 0x21, 0x8D, 0x0A]);
/// ```
#[must_use]
pub fn reframe(bytes: &[u8], from: Line, to: Line) -> Vec<u8> {
    if from == to {
        return bytes.iter().map(|byte| byte & data_bits(from)).collect();
    }
    let mut receiver = Receiver::new(to);
    let mut characters = Vec::new();
    for (n, &byte) in bytes.iter().enumerate() {
        let at = time_of(from, n);
        receiver.hear(byte, from, at);
        characters.extend(receiver.made_out(at));
    }
    characters.extend(receiver.made_out(u64::MAX / 2));
    characters
}

/// How long so many characters take, in nanoseconds.
#[must_use]
pub fn time_of(line: Line, characters: usize) -> u64 {
    u64::try_from(line.time_of(characters).as_nanos()).unwrap_or(u64::MAX / 4)
}

/// The bits of a character that are data.
#[must_use]
pub const fn data_bits(line: Line) -> u8 {
    if line.data >= 8 { 0xFF } else { 0x7F }
}

fn parity_bit(character: u8, parity: Parity) -> Option<bool> {
    let is_odd = character.count_ones() % 2 == 1;
    match parity {
        Parity::None => None,
        Parity::Even => Some(is_odd),
        Parity::Odd => Some(!is_odd),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(text: &str) -> Line {
        text.parse().unwrap()
    }

    #[test]
    fn a_parity_bit_that_nobody_expects_stands_in_bit_7() {
        // The parity images of iec62056-21, mode E.
        let seen = reframe(b"\x06252\r\n", line("9600,7E1"), line("9600,8N1"));
        assert_eq!(seen, [0x06, 0xB2, 0x35, 0xB2, 0x8D, 0x0A]);
    }

    #[test]
    fn eight_bits_without_parity_fail_the_parity_check_of_half_the_characters() {
        let seen = reframe(b"/?!\r\n", line("300,8N1"), line("300,7E1"));
        assert_eq!(seen, [0, b'?', b'!', 0, b'\n'], "the slash and the CR have an odd number of ones");
    }

    #[test]
    fn the_wrong_parity_spoils_every_character() {
        assert_eq!(reframe(b"abc", line("2400,8E1"), line("2400,8O1")), [0; 3]);
    }

    #[test]
    fn a_parity_bit_taken_for_the_stop_bit_goes_unnoticed_where_it_is_one() {
        let sent = [0x01, 0x03, 0x7E, 0xA0];
        let seen = reframe(&sent, line("2400,8E1"), line("2400,8N1"));
        // The first has parity 1, which looks like its stop bit. Of the others the stop bit is missed, and nobody checks.
        assert_eq!(seen, sent);
    }

    #[test]
    fn a_slow_receiver_makes_less_of_it_and_a_fast_one_more() {
        let text = b"/LGZ5ZMF110AC.S01\r\n/LGZ5ZMF110AC.S01\r\n".repeat(4);
        let slow = reframe(&text, line("9600,7E1"), line("300,7E1"));
        let fast = reframe(&text, line("300,7E1"), line("9600,7E1"));
        assert!(slow.len() < text.len() / 16, "{} characters", slow.len());
        assert!(fast.len() > text.len() * 2, "{} characters", fast.len());
        let printable = |bytes: &[u8]| bytes.iter().filter(|byte| byte.is_ascii_graphic()).count();
        assert!(printable(&fast) * 4 < fast.len(), "{fast:02x?}");
    }

    #[test]
    fn a_break_is_a_character_of_zeros() {
        // NUL at 300 holds the line low for 30 ms: at 9600 that is one character without a stop bit.
        assert_eq!(reframe(&[0], line("300,8N1"), line("9600,8N1")), [0]);
    }

    #[test]
    fn a_receiver_that_changes_its_mind_loses_what_it_was_in() {
        let mut receiver = Receiver::new(line("300,7E1"));
        let at = |n: usize| time_of(line("300,7E1"), n);
        receiver.hear(b'a', line("300,7E1"), at(0));
        assert_eq!(receiver.made_out(at(1)), b"a");
        receiver.hear(b'b', line("300,7E1"), at(1));
        receiver.set_line(line("9600,7E1"));
        receiver.hear(b'c', line("9600,7E1"), at(2));
        assert_eq!(receiver.made_out(at(3)), b"c");
    }

    fn lines() -> impl Strategy<Value = Line> {
        let parity = prop_oneof![Just(Parity::None), Just(Parity::Even), Just(Parity::Odd)];
        let baud = prop_oneof![Just(300), Just(600), Just(2_400), Just(9_600), Just(115_200)];
        (baud, 7u8..=8, parity, 1u8..=2).prop_map(|(baud, data, parity, stop)| Line { baud, data, parity, stop })
    }

    proptest! {
        #[test]
        fn equal_settings_give_what_was_sent(bytes in prop::collection::vec(any::<u8>(), 0..60), line in lines()) {
            let mut receiver = Receiver::new(line);
            let mut seen = Vec::new();
            for (n, &byte) in bytes.iter().enumerate() {
                receiver.hear(byte, line, time_of(line, n));
                seen.extend(receiver.made_out(time_of(line, n)));
            }
            seen.extend(receiver.made_out(u64::MAX / 2));
            prop_assert_eq!(&seen, &reframe(&bytes, line, line));
            prop_assert!(receiver.edges.len() <= 1);
        }

        #[test]
        fn any_settings_give_something_of_bounded_length(
            bytes in prop::collection::vec(any::<u8>(), 0..40), from in lines(), to in lines()
        ) {
            let seen = reframe(&bytes, from, to);
            let most = bytes.len() * 10 * (to.baud.div_ceil(from.baud) as usize + 1);
            prop_assert!(seen.len() <= most, "{} of {}", seen.len(), bytes.len());
            prop_assert_eq!(seen, reframe(&bytes, from, to));
        }
    }
}
