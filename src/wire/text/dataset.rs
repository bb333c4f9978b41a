//! The data block: `address(value*unit)(value)…`, line by line, with what real meters do beyond the standard.

use super::ACK;
use crate::reading::{Decimal, Obis, Unit};
use memchr::{memchr2, memchr3};
use std::ops::Range;

/// A piece of a data block. Between pieces there are only line ends, blanks and echoes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A data set.
    Set(DataSet),
    /// Bytes that are none: the rest of a line.
    Strange(Range<usize>),
}

/// A data set: where its address and its groups are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSet {
    /// The address without blanks around it; empty where the line continues the data set above it.
    pub address: Range<usize>,
    /// What stands inside the first pair of parentheses.
    pub first: Range<usize>,
    /// All groups, from the first `(` to behind the last `)`.
    pub groups: Range<usize>,
    /// Whether there is more than one group.
    pub several: bool,
}

/// The line nearly every data set is: a numeric code and one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plain<'a> {
    /// The code, `A-B:` and E completed.
    pub obis: Obis,
    /// The group, as sent.
    pub group: &'a [u8],
    /// What it holds, if that is `ddd`, `ddd.ddd` or one of them with `*unit`.
    pub number: Option<PlainNumber>,
    /// Where the next line begins, or this one ends.
    end: usize,
}

/// A number as the standard writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainNumber {
    /// The number.
    pub value: Decimal,
    /// How many characters it has.
    pub width: u8,
    /// The unit, if there is one.
    pub unit: Option<Unit>,
}

/// The pieces of a data block, in order.
#[derive(Debug, Clone)]
pub struct Pieces<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Pieces<'a> {
    /// The pieces of `bytes[data]`; their positions count from the start of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8], data: Range<usize>) -> Self {
        Self { bytes: bytes.get(..data.end).unwrap_or(bytes), at: data.start }
    }

    /// The next line, if it is a plain one; [`Pieces::take_plain`] takes it.
    ///
    /// `[a-b:]c.d[.e](group)` and a line end, nothing more and nothing less.
    #[inline]
    #[must_use]
    pub fn plain(&mut self) -> Option<Plain<'a>> {
        while let Some(b'\r' | b'\n') = self.bytes.get(self.at) {
            self.at += 1;
        }
        let line = self.bytes.get(self.at..)?;
        let (obis, line) = plain_code(line)?;
        let [b'(', inside @ ..] = line else { return None };
        let (number, line) = match plain_value(inside) {
            Some((number, line)) => (Some(number), line),
            None => {
                let length = inside.iter().position(|byte| !byte.is_ascii_alphanumeric())?;
                (None, inside.get(length..)?)
            }
        };
        let group = inside.get(..inside.len() - line.len())?;
        let line = match line {
            [b')', b'\r', b'\n', line @ ..] => line,
            [b')', line @ ..] if matches!(line, [] | [b'\r' | b'\n', ..]) => line,
            _ => return None,
        };
        Some(Plain { obis, group, number, end: self.bytes.len() - line.len() })
    }

    /// The next line, if it is a numeric code and several groups: its groups go to `groups`, and the line is taken.
    pub fn plain_list(&mut self, groups: &mut impl Extend<&'a [u8]>) -> Option<Obis> {
        let (obis, mut line) = plain_code(self.bytes.get(self.at..)?)?;
        let mut count = 0;
        while let [b'(', inside @ ..] = line {
            let length = inside.iter().position(|byte| matches!(byte, b')' | b'(' | b'\r' | b'\n'))?;
            let (group, behind) = inside.split_at_checked(length)?;
            let [b')', behind @ ..] = behind else { return None };
            groups.extend(std::iter::once(group));
            line = behind;
            count += 1;
        }
        if count < 2 || !matches!(line, [] | [b'\r' | b'\n', ..]) {
            return None;
        }
        self.at = self.bytes.len() - line.len();
        Some(obis)
    }

    /// Goes on behind a plain line.
    pub fn take_plain(&mut self, plain: &Plain<'_>) {
        self.at = plain.end;
    }

    fn line_end(&self, from: usize) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        memchr2(b'\r', b'\n', rest).map_or(self.bytes.len(), |n| from + n)
    }

    fn skip_to_piece(&mut self) -> Option<()> {
        loop {
            match *self.bytes.get(self.at)? {
                b'\r' | b'\n' | b' ' | b'\t' | 0 => self.at += 1,
                // What the reader sent comes back through some optical heads: acknowledge and request are no data.
                ACK => self.at = self.behind_acknowledge(self.at),
                b'/' if self.bytes.get(self.at + 1) == Some(&b'?') => self.at = self.line_end(self.at),
                _ => return Some(()),
            }
        }
    }

    /// Behind the `ACK V Z Y` at `at`. An ACK in front of data is a damaged STX.
    fn behind_acknowledge(&self, at: usize) -> usize {
        let end = self.line_end(at);
        if self.bytes.get(at..end).is_some_and(|line| line.contains(&b'(')) { at + 1 } else { end }
    }

    fn strange(&mut self, start: usize) -> Piece {
        self.at = self.line_end(start);
        Piece::Strange(start..self.at)
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    #[inline(always)]
    fn next(&mut self) -> Option<Piece> {
        self.skip_to_piece()?;
        let start = self.at;
        let rest = self.bytes.get(start..)?;
        // The address: printable up to the parenthesis. A control character means noise, and noise has no address.
        let Some(length) = rest.iter().position(|&b| b == b'(' || !matches!(b, b' '..=b'~' | b'\t')) else {
            return Some(self.strange(start));
        };
        if rest.get(length) != Some(&b'(') {
            return Some(self.strange(start));
        }
        let open = start + length;
        let Some(first) = group(self.bytes, open) else { return Some(self.strange(start)) };
        let mut groups = open..first.end + 1;
        let mut several = false;
        while let Some(next) = next_open(self.bytes, groups.end) {
            let Some(inside) = group(self.bytes, next) else { return Some(self.strange(start)) };
            groups.end = inside.end + 1;
            several = true;
        }
        self.at = groups.end;
        let address = rest.get(..length).unwrap_or_default().trim_ascii_end();
        Some(Piece::Set(DataSet { address: start..start + address.len(), first, groups, several }))
    }
}

/// The code of an address `[a-b:]c.d[.e]` that is numbers alone.
#[inline]
#[must_use]
pub fn plain_address(address: &[u8]) -> Option<Obis> {
    plain_code(address).filter(|(_, rest)| rest.is_empty()).map(|(obis, _)| obis)
}

/// The width of a group that is bare digits, with a decimal point at most.
#[inline]
#[must_use]
pub fn plain_digits(group: &[u8]) -> Option<u8> {
    let mut line = [0; 20];
    line.get_mut(..group.len())?.copy_from_slice(group);
    plain_number(line.get(..=group.len())?).filter(|(.., rest)| rest.len() == 1).map(|(_, width, _)| width)
}

/// `[a-b:]c.d[.e]` with numbers of up to three digits, and what follows it.
#[inline(always)]
fn plain_code(line: &[u8]) -> Option<(Obis, &[u8])> {
    let (mut a, mut b) = (1, 0);
    let (mut c, mut rest) = plain_group(line)?;
    if let [b'-', next @ ..] = rest {
        a = c;
        (b, rest) = plain_group(next)?;
        let [b':', next @ ..] = rest else { return None };
        (c, rest) = plain_group(next)?;
    }
    let [b'.', next @ ..] = rest else { return None };
    let (d, rest) = plain_group(next)?;
    let (e, rest) = match rest {
        [b'.', next @ ..] => plain_group(next)?,
        _ => (0, rest),
    };
    Some((Obis::new(a, b, c, d, e, 255), rest))
}

#[inline(always)]
fn plain_group(text: &[u8]) -> Option<(u8, &[u8])> {
    let [first @ b'0'..=b'9', rest @ ..] = text else { return None };
    let value = first & 0x0F;
    let [second @ b'0'..=b'9', rest @ ..] = rest else { return Some((value, rest)) };
    let value = value * 10 + (second & 0x0F);
    let [third @ b'0'..=b'9', rest @ ..] = rest else { return Some((value, rest)) };
    let value = u16::from(value) * 10 + u16::from(third & 0x0F);
    Some((u8::try_from(value).ok()?, rest))
}

/// `ddd[.ddd][*unit]` before a `)`, and what follows from there.
#[inline(always)]
fn plain_value(inside: &[u8]) -> Option<(PlainNumber, &[u8])> {
    let (value, width, rest) = plain_number(inside)?;
    match rest {
        [b')', ..] => Some((PlainNumber { value, width, unit: None }, rest)),
        // The four that make up nearly every telegram, without looking for the parenthesis.
        [b'*', b'k', b'W', b'h', b')', ..] => Some((PlainNumber { value, width, unit: Some(Unit::KWH) }, &rest[4..])),
        [b'*', b'k', b'W', b')', ..] => Some((PlainNumber { value, width, unit: Some(Unit::KW) }, &rest[3..])),
        [b'*', b'V', b')', ..] => Some((PlainNumber { value, width, unit: Some(Unit::V) }, &rest[2..])),
        [b'*', b'A', b')', ..] => Some((PlainNumber { value, width, unit: Some(Unit::A) }, &rest[2..])),
        [b'*', behind @ ..] => {
            // No unit is longer than kvarh.
            let length = behind.iter().take(6).position(|&byte| byte == b')')?;
            let (unit, rest) = behind.split_at_checked(length)?;
            Some((PlainNumber { value, width, unit: Some(Unit::parse_bytes(unit)?) }, rest))
        }
        _ => None,
    }
}

/// `ddd` or `ddd.ddd`, how many characters that is, and what follows. Up to 16 digits, which no mantissa overflows.
#[inline(always)]
fn plain_number(text: &[u8]) -> Option<(Decimal, u8, &[u8])> {
    let (whole, digits, rest) = digits(text);
    if digits == 0 {
        return None;
    }
    let [b'.', behind @ ..] = rest else { return Some((Decimal::new(whole, 0), digits, rest)) };
    let (fraction, decimals, rest) = self::digits(behind);
    if decimals == 0 {
        return None;
    }
    let power = POWERS_OF_TEN.get(usize::from(decimals))?;
    let mantissa = whole.checked_mul(*power)?.checked_add(fraction)?;
    Some((Decimal::new(mantissa, -i8::try_from(decimals).ok()?), digits + 1 + decimals, rest))
}

const POWERS_OF_TEN: [i64; 17] = {
    let mut powers = [1; 17];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// The digits that `text` begins with, 16 at most: their value, their number, and what follows.
#[inline(always)]
fn digits(text: &[u8]) -> (i64, u8, &[u8]) {
    let (first, count, rest) = up_to_eight_digits(text);
    if count < 8 {
        return (first, count, rest);
    }
    let (second, more, rest) = up_to_eight_digits(rest);
    (first * POWERS_OF_TEN[usize::from(more)] + second, 8 + more, rest)
}

/// Eight characters at a time: as a word, they are told from other characters and added up without a loop.
#[inline(always)]
fn up_to_eight_digits(text: &[u8]) -> (i64, u8, &[u8]) {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let Some(&characters) = text.first_chunk::<8>() else {
        let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let value = text.iter().take(count).fold(0, |value, byte| value * 10 + i64::from(byte & 0x0F));
        return (value, u8::try_from(count).unwrap_or(0), text.get(count..).unwrap_or_default());
    };
    let values = u64::from_le_bytes(characters) ^ ZEROS;
    // A byte is a digit if it is below ten: adding 76h then leaves its highest bit clear.
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    let count = others.trailing_zeros() / 8;
    if count == 0 {
        return (0, 0, text);
    }
    // The digits move to the end of the word, zeros in front of them; then pairs, fours and eights are added up.
    let word = values << (64 - 8 * count);
    let pairs = word.wrapping_mul(10).wrapping_add(word >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    let eight = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xFFFF_FFFF;
    // Below 100 000 000 and at most eight: neither cast loses anything.
    (eight.cast_signed(), count.to_le_bytes()[0], text.get(count as usize..).unwrap_or_default())
}

/// The groups of a data set: what stands inside each pair of parentheses.
#[derive(Debug, Clone)]
pub struct Groups<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Groups<'a> {
    /// The groups in `range`, as [`DataSet::groups`] gives it.
    #[must_use]
    pub fn new(bytes: &'a [u8], range: Range<usize>) -> Self {
        Self { bytes: bytes.get(..range.end).unwrap_or(bytes), at: range.start }
    }
}

impl<'a> Iterator for Groups<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let open = next_open(self.bytes, self.at)?;
        let inside = group(self.bytes, open)?;
        self.at = inside.end + 1;
        self.bytes.get(inside)
    }
}

/// What stands between the `(` at `open` and its `)` on the same line, or further down where a long text was broken.
#[inline]
fn group(bytes: &[u8], open: usize) -> Option<Range<usize>> {
    let start = open + 1;
    let rest = bytes.get(start..)?;
    // Most groups are shorter than what a vector search takes to set up.
    let near = rest.iter().take(16).position(|byte| matches!(byte, b')' | b'\r' | b'\n'));
    let length = near.or_else(|| memchr3(b')', b'\r', b'\n', rest))?;
    if rest.get(length) != Some(&b')') {
        return Some(start..start + broken_text(rest, length)?);
    }
    // Hungarian P1 puts some texts in double brackets.
    let doubled = rest.first() == Some(&b'(') && rest.get(length + 1) == Some(&b')');
    Some(start..start + length + usize::from(doubled))
}

/// Where the text ends that `rest` begins with and that a line end breaks after `length` hexadecimal digits.
///
/// DSMR 4 meters break messages (0-0:96.13.0) so. No number has as many digits as are asked for here, so two lines never
/// make one together.
#[cold]
fn broken_text(rest: &[u8], length: usize) -> Option<usize> {
    const SHORTEST: usize = 16;
    let mut at = 0;
    loop {
        let line = rest.get(at..)?;
        let digits = line.iter().position(|byte| !byte.is_ascii_hexdigit())?;
        if digits == 0 || (at == 0 && (digits != length || digits < SHORTEST)) {
            return None;
        }
        at += digits;
        match line.get(digits..)? {
            [b')', ..] => return Some(at),
            [b'\r', b'\n', ..] => at += 2,
            [b'\r' | b'\n', ..] => at += 1,
            _ => return None,
        }
    }
}

/// The `(` that follows at `at`, blanks between groups allowed.
#[inline]
fn next_open(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at;
    loop {
        match *bytes.get(at)? {
            b'(' => return Some(at),
            b' ' | b'\t' => at += 1,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_of_digits_are_read_like_digits(text in "[0-9]{0,20}[.*) (a-z:/]?[0-9]{0,20}.{0,9}") {
            let expected = text.bytes().take_while(u8::is_ascii_digit).count().min(16);
            let (value, count, rest) = digits(text.as_bytes());
            prop_assert_eq!((usize::from(count), rest), (expected, &text.as_bytes()[expected..]));
            prop_assert_eq!(value, text[..expected].parse().unwrap_or(0));
        }

        #[test]
        fn a_plain_number_is_what_decimal_reads(text in "[0-9]{0,9}[.]?[0-9]{0,9}[)*]") {
            let digits = &text[..text.len() - 1];
            match plain_number(text.as_bytes()) {
                // More than sixteen digits on end are left for the slow way.
                Some((.., rest)) if rest.len() > 1 => prop_assert!(digits.len() > 16),
                Some((number, width, _)) => {
                    prop_assert_eq!(number.to_string(), digits.parse::<Decimal>().unwrap().to_string());
                    prop_assert_eq!(usize::from(width), digits.len());
                }
                None => prop_assert!(digits.is_empty() || digits.starts_with('.') || digits.ends_with('.') || digits.len() > 16),
            }
        }
    }

    fn check(block: &str, expected: &[(&str, &[&str])]) {
        let bytes = block.as_bytes();
        let found: Vec<_> = Pieces::new(bytes, 0..bytes.len())
            .map(|piece| match piece {
                Piece::Set(set) => {
                    let groups = Groups::new(bytes, set.groups).map(|g| String::from_utf8_lossy(g).into_owned());
                    (block[set.address].to_owned(), groups.collect())
                }
                Piece::Strange(range) => (format!("strange: {}", &block[range]), Vec::new()),
            })
            .collect();
        let expected: Vec<(String, Vec<String>)> =
            expected.iter().map(|(a, g)| ((*a).to_owned(), g.iter().map(|g| (*g).to_owned()).collect())).collect();
        assert_eq!(found, expected, "{block:?}");
    }

    #[test]
    fn a_line_may_hold_several_sets_and_a_set_several_groups() {
        check("1.8.0(1*kWh)\r\n", &[("1.8.0", &["1*kWh"])]);
        check("1.8.0(1)2.8.0(2)\n", &[("1.8.0", &["1"]), ("2.8.0", &["2"])]);
        check("1.6.0(0.060*kW)(18-12-13,17:15)", &[("1.6.0", &["0.060*kW", "18-12-13,17:15"])]);
        check("C.2.1(0)  (   )", &[("C.2.1", &["0", "   "])]);
    }

    #[test]
    fn a_line_without_address_continues_the_one_above() {
        check("P.01(1)(2)\r\n(3)(4)\r\n", &[("P.01", &["1", "2"]), ("", &["3", "4"])]);
    }

    #[test]
    fn blanks_echoes_and_acknowledges_are_no_data() {
        check("\r\n\u{6}\r\n/?!\r\n  0.0.0( 70)\r\n\r\n", &[("0.0.0", &[" 70"])]);
        check("\u{6}050\r\nF.F()", &[("F.F", &[""])]);
    }

    #[test]
    fn double_brackets_are_one_group() {
        check("0-0:96.13.0((text))(2)", &[("0-0:96.13.0", &["(text)", "2"])]);
    }

    #[test]
    fn a_long_hexadecimal_text_may_go_on_in_the_next_line() {
        let broken = "3031323334353637\r\n38393A3B3C3D3E3F\r\n4041";
        check(&format!("0-0:96.13.0({broken})\r\n1.8.0(1)"), &[("0-0:96.13.0", &[broken]), ("1.8.0", &["1"])]);
        // Half a number is none, and a text without end does not swallow the line below.
        check("1.8.0(000123\r\n456)", &[("strange: 1.8.0(000123", &[]), ("strange: 456)", &[])]);
        let open = "0-0:96.1.1(4530303330303031";
        check(&format!("{open}\r\n1.8.0(1)"), &[(&format!("strange: {open}"), &[]), ("1.8.0", &["1"])]);
        check(open, &[(&format!("strange: {open}"), &[])]);
    }

    #[test]
    fn what_is_no_data_set_is_kept_apart() {
        check("***NO CARRIER***\r\n1.8.0(1)", &[("strange: ***NO CARRIER***", &[]), ("1.8.0", &["1"])]);
        check("1.8.0(1\r\n2.8.0(2)", &[("strange: 1.8.0(1", &[]), ("2.8.0", &["2"])]);
        check("1.8.0(1)Y\u{2}(3)\r\n", &[("1.8.0", &["1"]), ("strange: Y\u{2}(3)", &[])]);
    }
}
