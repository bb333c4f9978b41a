//! Cutting text telegrams out of a stream and checking their checksums.
//!
//! A telegram begins with an identification line, or with STX where it answers a single request. How it ends depends on
//! what it began with, and the end of a form without checksum is only known by what does not follow:
//!
//! | begins with | ends with |
//! |---|---|
//! | identification | `!` and four hexadecimal digits: CRC |
//! | identification, blank line (mode D, DSMR 2 and 3) | `!` and a line end |
//! | identification, then STX before the data | `!`, line end, ETX, block check |
//! | identification, neither | `!`, line end, and perhaps ETX and block check all the same |
//! | identification, then load profile or log only | the end of the input |
//! | STX | ETX or EOT, block check |
//! | a data line, at the start of the input | the end of the input |

use super::{Check, EOT, ETX, Piece, Pieces, STX, Telegram, Unchecked};
use crate::reading::{Anomaly, AnomalyCode};
use crate::wire::{Cut, MAX_TELEGRAM, crc};
use memchr::{memchr, memchr2, memchr2_iter, memchr3};
use smol_str::{SmolStr, format_smolstr};

/// The longest identification behind the rate character. The standard says 16; real ones are longer.
const MAX_IDENT: usize = 64;
/// The longest address of a block without identification. The standard says 16 characters.
const MAX_ADDRESS: usize = 32;

/// Makers whose block check is the 7-bit sum instead of the exclusive or: Energomera and Taipit (Neva).
/// Only they get it: tried everywhere, it would let twice as many damaged telegrams pass.
const SUM_MAKERS: [&[u8]; 2] = [b"EKT", b"TPW"];

/// Whether the block check of this maker's meters is the [`sum`].
#[must_use]
pub fn checks_by_sum(maker: &[u8]) -> bool {
    SUM_MAKERS.contains(&maker)
}

/// Whether a telegram may start with this byte: `/` or STX, as they are or with a parity bit.
#[must_use]
#[inline]
pub const fn could_start(byte: u8) -> bool {
    matches!(byte, b'/' | 0xAF | STX | 0x82)
}

/// Cuts the telegram that starts with `bytes`.
///
/// `end` says that no more bytes will come, `at_start` that nothing but line ends came before: only then may data lines
/// without identification and STX be a telegram.
#[must_use]
pub fn cut(bytes: &[u8], end: bool, at_start: bool) -> Cut<Telegram> {
    let is_full = bytes.len() >= MAX_TELEGRAM;
    let window = bytes.get(..MAX_TELEGRAM).unwrap_or(bytes);
    let end = end && !is_full;
    let answer = match window.first() {
        None => more(window, end),
        Some(b'/') => readout(window, end),
        Some(&STX) => block(window, end),
        Some(0xAF | 0x82) => with_parity(window, end),
        Some(_) if at_start => data_lines(window, end),
        Some(_) => Cut::Nothing,
    };
    match answer {
        Cut::More { .. } if is_full => damaged(
            next_start(window, 1, window.len()),
            AnomalyCode::TooLong,
            0,
            format_smolstr!("no end within {MAX_TELEGRAM} bytes"),
        ),
        answer => answer,
    }
}

fn more(bytes: &[u8], end: bool) -> Cut<Telegram> {
    if end { Cut::Nothing } else { Cut::More { need: bytes.len() + 1 } }
}

fn damaged(skip: usize, code: AnomalyCode, at: usize, detail: impl Into<SmolStr>) -> Cut<Telegram> {
    // A position inside one telegram always fits.
    Cut::Damaged { skip: skip.max(1), fault: Anomaly::new(code, at as u64, detail) }
}

// ---- Identification ------------------------------------------------------------------------------------------------

pub(in crate::wire) enum Identification {
    /// It is none.
    No,
    /// It may become one.
    Unfinished,
    /// It ends here, before its line end.
    Line(usize),
}

/// `/XXXZident`, up to its line end. `/?` is what a reader sends, and echoes of it are no identification.
pub(in crate::wire) fn identification(bytes: &[u8]) -> Identification {
    for (at, &byte) in bytes.iter().enumerate() {
        let fits = match at {
            0 => byte == b'/',
            // Only the second and third letter of a FLAG id may be lower case: so most paths in a text fall out here.
            1 => byte.is_ascii_uppercase(),
            2..=3 => byte.is_ascii_alphabetic(),
            _ if at > 4 && matches!(byte, b'\r' | b'\n') => return Identification::Line(at),
            _ if at > 4 + MAX_IDENT => false,
            // A 02 stands where some software took the two characters `\2` for an escape sequence.
            _ => matches!(byte, b' '..=b'~' | STX) && !matches!(byte, b'/' | b'!' | b'(' | b')'),
        };
        if !fits {
            return Identification::No;
        }
    }
    Identification::Unfinished
}

/// Where after `from` and before `to` another telegram could start; `to` where nowhere.
fn next_start(bytes: &[u8], from: usize, to: usize) -> usize {
    let inside = bytes.get(from..to).unwrap_or_default();
    memchr2_iter(b'/', STX, inside)
        .map(|n| from + n)
        .find(|&at| {
            bytes.get(at) == Some(&STX)
                || !matches!(identification(bytes.get(at..to).unwrap_or_default()), Identification::No)
        })
        .unwrap_or(to)
}

// ---- Readouts and P1 telegrams -------------------------------------------------------------------------------------

/// A telegram while it is cut.
struct Readout<'a> {
    bytes: &'a [u8],
    end: bool,
    ident_end: usize,
    data_start: usize,
    has_stx: bool,
}

fn readout(bytes: &[u8], end: bool) -> Cut<Telegram> {
    let ident_end = match identification(bytes) {
        Identification::No => return Cut::Nothing,
        Identification::Unfinished => return more(bytes, end),
        Identification::Line(at) => at,
    };
    let (data_start, has_stx) = find_data(bytes, ident_end);
    Readout { bytes, end, ident_end, data_start, has_stx }.cut()
}

/// Where the data begins, and whether an STX is there: everything before an STX was lost in the rate switch or is an echo.
fn find_data(bytes: &[u8], ident_end: usize) -> (usize, bool) {
    let mut at = ident_end;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            STX => return (at + 1, true),
            b'(' | b'!' | ETX => break,
            b'/' if is_echo(bytes, at) => at = line_end(bytes, at),
            _ => at += 1,
        }
    }
    let rest = bytes.get(ident_end..).unwrap_or_default();
    let blank = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    (ident_end + blank, false)
}

/// Whether a line starts here with `/?`: the reader's own request.
fn is_echo(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    matches!(before, Some(b'\r' | b'\n')) && bytes.get(at + 1) == Some(&b'?')
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    memchr2(b'\r', b'\n', bytes.get(from..).unwrap_or_default()).map_or(bytes.len(), |n| from + n)
}

impl Readout<'_> {
    fn cut(&self) -> Cut<Telegram> {
        let mut at = self.ident_end;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let Some(hit) = memchr3(b'!', b'/', ETX, rest) else { return self.unfinished() };
            at += hit;
            match rest.get(hit) {
                Some(b'/') => match identification(rest.get(hit..).unwrap_or_default()) {
                    Identification::Line(_) => return self.broken_off(at, "breaks off where another one starts"),
                    Identification::Unfinished if !self.end => return more(self.bytes, false),
                    _ if is_echo(self.bytes, at) => at = line_end(self.bytes, at),
                    _ => at += 1,
                },
                Some(b'!') if self.is_inside_value(at) => at += 1,
                Some(b'!') => return self.end_mark(at),
                _ => {
                    return damaged(self.next_or(at, at + 1), AnomalyCode::Syntax, at, "no end mark before ETX");
                }
            }
        }
    }

    /// Whether the `!` here belongs to a value: the last parenthesis of its line is an open one.
    fn is_inside_value(&self, at: usize) -> bool {
        let before = self.bytes.get(self.ident_end..at).unwrap_or_default();
        before.iter().rev().find(|b| matches!(b, b'(' | b')' | b'\r' | b'\n')) == Some(&b'(')
    }

    fn unfinished(&self) -> Cut<Telegram> {
        if !self.end {
            return more(self.bytes, false);
        }
        if self.is_table() {
            return self.whole(self.bytes.len(), self.bytes.len(), Check::Unchecked(Unchecked::NoEndMark));
        }
        let next = next_start(self.bytes, self.data_start, self.bytes.len());
        self.broken_off(next, "breaks off at the end of the input")
    }

    /// Whether these are whole lines of a load profile or log: answers to commands, which have no end mark of their own.
    fn is_table(&self) -> bool {
        let mut is_table = false;
        let mut pieces = Pieces::new(self.bytes, self.data_start..self.bytes.len());
        let is_sound = pieces.all(|piece| {
            if let Piece::Set(set) = &piece
                && let Some(address @ [_, ..]) = self.bytes.get(set.address.clone())
            {
                is_table = address.starts_with(b"P.");
            }
            is_sound(self.bytes, &piece)
        });
        is_sound && is_table && !self.has_stx && matches!(self.bytes.last(), Some(b'\r' | b'\n'))
    }

    /// How far to move on after damage: to where another telegram could start before `to`, else to `otherwise`.
    /// What stands before the data is left out, so that the block of a damaged readout is not reported once more.
    fn next_or(&self, to: usize, otherwise: usize) -> usize {
        match next_start(self.bytes, self.data_start, to) {
            next if next < to => next,
            _ => otherwise,
        }
    }

    /// Something that looks like an identification and has no data behind it is nothing to complain about.
    fn broken_off(&self, skip: usize, detail: &'static str) -> Cut<Telegram> {
        let data = self.bytes.get(self.ident_end..skip).unwrap_or_default();
        if memchr(b'(', data).is_none() {
            return Cut::Nothing;
        }
        damaged(skip, AnomalyCode::Cut, skip, SmolStr::new_static(detail))
    }

    fn whole(&self, len: usize, data_end: usize, check: Check) -> Cut<Telegram> {
        let data_start = self.data_start.min(data_end);
        // Only a checksum makes a telegram of something without a single data set.
        let has_sets = || Pieces::new(self.bytes, data_start..data_end).any(|piece| matches!(piece, Piece::Set(_)));
        if !check.is_verified() && !has_sets() {
            return damaged(len, AnomalyCode::Syntax, data_start, "no data set stands behind the identification");
        }
        let value = Telegram { identification_end: self.ident_end, data_start, data_end, check, parity: false };
        Cut::Whole { len, value }
    }

    /// What follows the `!` at `mark` decides which form of telegram it is.
    fn end_mark(&self, mark: usize) -> Cut<Telegram> {
        let tail = self.bytes.get(mark + 1..).unwrap_or_default();
        let digits = tail.iter().take(4).take_while(|b| b.is_ascii_hexdigit()).count();
        match (digits, tail.len()) {
            (4, _) => return self.crc(mark),
            (_, length) if length == digits && !self.end => return more(self.bytes, false),
            (0, _) => {}
            (_, length) if length == digits => {
                return damaged(self.bytes.len(), AnomalyCode::Cut, mark, "breaks off inside the CRC");
            }
            _ => return self.bad_crc(mark, "the CRC is not four hexadecimal digits"),
        }
        let is_mode_d = !self.has_stx && self.has_blank_line();
        match tail.iter().find(|b| !matches!(b, b' ' | b'\t')) {
            None if !self.end => more(self.bytes, false),
            None | Some(b'\r' | b'\n' | 0 | b'/') if is_mode_d => self.whole(mark + 1, mark, Check::None),
            None | Some(b'\r' | b'\n' | 0 | b'/') => self.block_end(mark),
            Some(&ETX) if !is_mode_d => self.block_end(mark),
            _ => self.bad_crc(mark, "neither a CRC nor a line end follows the end mark"),
        }
    }

    /// Mode D and P1 leave a line blank after the identification, and never send a block check.
    fn has_blank_line(&self) -> bool {
        let rest = self.bytes.get(self.ident_end..).unwrap_or_default();
        let rest = rest.strip_prefix(b"\r\n").or_else(|| rest.get(1..)).unwrap_or_default();
        matches!(rest.first(), Some(b'\r' | b'\n'))
    }

    fn bad_crc(&self, mark: usize, detail: impl Into<SmolStr>) -> Cut<Telegram> {
        damaged(self.next_or(mark, mark + 1), AnomalyCode::Checksum, mark, detail)
    }

    fn crc(&self, mark: usize) -> Cut<Telegram> {
        let digits = self.bytes.get(mark + 1..mark + 5).unwrap_or_default();
        let sent = digits.iter().fold(0u16, |n, &d| {
            let value = char::from(d).to_digit(16).unwrap_or_default();
            n << 4 | u16::try_from(value).unwrap_or_default()
        });
        let covered = self.bytes.get(..=mark).unwrap_or_default();
        let computed = crc::arc(covered);
        if computed == sent {
            return self.whole(mark + 5, mark, Check::Crc);
        }
        if restored_line_ends(covered).into_iter().flatten().any(|text| crc::arc(&text) == sent) {
            return self.whole(mark + 5, mark, Check::CrcAfterLineEnds);
        }
        let detail = format_smolstr!("CRC {sent:04X} sent, {computed:04X} computed");
        damaged(self.next_or(mark, mark + 5), AnomalyCode::Checksum, mark + 1, detail)
    }

    /// After the end mark without CRC: ETX and block check, or another telegram, or the end.
    fn block_end(&self, mark: usize) -> Cut<Telegram> {
        let without = |reason| self.whole(mark + 1, mark, reason);
        let missing = if self.has_stx { Check::Unchecked(Unchecked::NoBlockCheck) } else { Check::None };
        let tail = self.bytes.get(mark + 1..).unwrap_or_default();
        let Some(gap) = tail.iter().position(|b| !matches!(b, b'\r' | b'\n' | b' ' | b'\t' | 0)) else {
            return if self.end { without(missing) } else { more(self.bytes, false) };
        };
        let at = mark + 1 + gap;
        match tail.get(gap) {
            Some(&ETX) => match self.bytes.get(at + 1) {
                Some(&sent) => self.block_check(mark, at, sent),
                None if self.end => without(missing),
                None => more(self.bytes, false),
            },
            Some(b'/') if self.has_stx => match identification(tail.get(gap..).unwrap_or_default()) {
                Identification::Unfinished if !self.end => more(self.bytes, false),
                Identification::No if tail.get(gap + 1) != Some(&b'?') => self.no_etx(at),
                _ => without(missing),
            },
            _ if self.has_stx => self.no_etx(at),
            _ => without(missing),
        }
    }

    fn no_etx(&self, at: usize) -> Cut<Telegram> {
        let found = self.bytes.get(at).copied().unwrap_or_default();
        damaged(
            self.next_or(at, at),
            AnomalyCode::Checksum,
            at,
            format_smolstr!("{found:02X} where ETX and the block check belong"),
        )
    }

    fn block_check(&self, mark: usize, etx: usize, sent: u8) -> Cut<Telegram> {
        let covered = self.bytes.get(self.data_start..=etx).unwrap_or_default();
        let computed = exclusive_or(covered);
        if computed == sent {
            return self.whole(etx + 2, mark, Check::Bcc);
        }
        let sum_fits = sum(covered) == sent;
        if sum_fits && self.bytes.get(1..4).is_some_and(checks_by_sum) {
            return self.whole(etx + 2, mark, Check::Sum);
        }
        if !self.has_stx {
            // An STX with one bit flipped is outside its own check: what it covers fits all the same.
            let first = self.bytes.get(self.data_start).copied().unwrap_or_default();
            let behind = self.bytes.get(self.data_start + 1..=etx).unwrap_or_default();
            if (first ^ STX).is_power_of_two() && exclusive_or(behind) == sent {
                let mended = Self { data_start: self.data_start + 1, has_stx: true, ..*self };
                return mended.whole(etx + 2, mark, Check::Bcc);
            }
            return self.whole(etx + 2, mark, Check::Unchecked(Unchecked::NoStx));
        }
        damaged(self.next_or(etx, etx + 1), AnomalyCode::Checksum, etx + 1, wrong_bcc(sent, computed, sum_fits))
    }
}

/// The text with CR LF line ends, for each way in which they can have been lost.
///
/// A flipped bit cannot pass for that: in a telegram with CR LF throughout, one damaged line end leaves the others.
fn restored_line_ends(text: &[u8]) -> [Option<Vec<u8>>; 2] {
    let (has_cr, has_lf) = (memchr(b'\r', text).is_some(), memchr(b'\n', text).is_some());
    let replaced = |end: u8| text.split(|&b| b == end).collect::<Vec<_>>().join(&b"\r\n"[..]);
    match (has_cr, has_lf) {
        // A terminal turned each CR into LF, or a bridge dropped the CR.
        (false, true) => [halved_line_feeds(text), Some(replaced(b'\n'))],
        (true, false) => [None, Some(replaced(b'\r'))],
        _ => [None, None],
    }
}

/// Each pair of line feeds as CR LF; `None` where one has no partner.
fn halved_line_feeds(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'\n', rest) {
        out.extend_from_slice(rest.get(..at)?);
        rest = rest.get(at..)?.strip_prefix(b"\n\n")?;
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(rest);
    Some(out)
}

// ---- Blocks without identification ---------------------------------------------------------------------------------

/// `STX data ETX BCC`: the answer to a single request, or a readout whose identification was lost.
fn block(bytes: &[u8], end: bool) -> Cut<Telegram> {
    let body = bytes.get(1..).unwrap_or_default();
    let length = body.iter().position(|b| !matches!(b, b' '..=b'~' | b'\r' | b'\n' | b'\t'));
    let text = body.get(..length.unwrap_or(body.len())).unwrap_or_default();
    let first_line = text.get(..line_end(text, 0)).unwrap_or_default();
    let is_plausible = is_data_line(first_line);
    let may_become = length.is_none() && first_line.len() == text.len() && may_become_data_line(first_line);
    if !is_plausible && !may_become {
        return Cut::Nothing;
    }
    let next = next_identification(text).map(|n| n + 1);
    match (next, length.and_then(|n| body.get(n)).copied()) {
        (Some(next), _) => damaged(next, AnomalyCode::Cut, next, "breaks off where another one starts"),
        (None, None) if !end => more(bytes, false),
        (None, None) if is_plausible => damaged(bytes.len(), AnomalyCode::Cut, bytes.len(), "breaks off without ETX"),
        (None, Some(ETX | EOT)) => block_check(bytes, text.len() + 1, end),
        (None, Some(byte)) if is_plausible => {
            damaged(text.len() + 1, AnomalyCode::Syntax, text.len() + 1, format_smolstr!("{byte:02X} inside the block"))
        }
        _ => Cut::Nothing,
    }
}

/// The first place in `text` where an identification line stands.
fn next_identification(text: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'/', text)
        .find(|&at| matches!(identification(text.get(at..).unwrap_or_default()), Identification::Line(_)))
}

fn block_check(bytes: &[u8], etx: usize, end: bool) -> Cut<Telegram> {
    let data_end = end_of_data(bytes, etx);
    if !Pieces::new(bytes, 1..data_end).all(|piece| is_sound(bytes, &piece)) {
        return Cut::Nothing;
    }
    let Some(&sent) = bytes.get(etx + 1) else {
        return if end {
            damaged(etx + 1, AnomalyCode::Cut, etx, "breaks off before the block check")
        } else {
            more(bytes, false)
        };
    };
    let covered = bytes.get(1..=etx).unwrap_or_default();
    let computed = exclusive_or(covered);
    if computed != sent {
        let detail = wrong_bcc(sent, computed, sum(covered) == sent);
        return damaged(etx + 1, AnomalyCode::Checksum, etx + 1, detail);
    }
    let value = Telegram { identification_end: 0, data_start: 1, data_end, check: Check::Bcc, parity: false };
    Cut::Whole { len: etx + 2, value }
}

/// Where the data before `end` ends: before the end mark, if there is one.
fn end_of_data(bytes: &[u8], end: usize) -> usize {
    let data = bytes.get(..end).unwrap_or(bytes);
    let text = data.trim_ascii_end();
    if text.last() == Some(&b'!') { text.len() - 1 } else { data.len() }
}

fn wrong_bcc(sent: u8, computed: u8, sum_fits: bool) -> SmolStr {
    let hint = if sum_fits { "; the 7-bit sum would fit" } else { "" };
    format_smolstr!("block check {sent:02X} sent, {computed:02X} computed{hint}")
}

/// The block check character of IEC 62056-21, clause 6.2: the exclusive or of what stands behind the first SOH or STX, up to
/// and with ETX or EOT. The bytes have no parity bits.
#[must_use]
pub fn exclusive_or(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |check, byte| check ^ byte)
}

/// The block check of some Russian makers: the sum of the same bytes, seven bits of it.
#[must_use]
pub fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0u8, |check, &byte| check.wrapping_add(byte)) & 0x7F
}

/// Data lines from the very start of the input to its end. A `!` in between means that they are the rest of a telegram
/// whose beginning is missing.
fn data_lines(bytes: &[u8], end: bool) -> Cut<Telegram> {
    if bytes.first() == Some(&b'(') {
        return Cut::Nothing;
    }
    let (mut at, mut good) = (0, 0usize);
    while at < bytes.len() {
        let stop = line_end(bytes, at);
        let line = bytes.get(at..stop).unwrap_or_default();
        let is_last = stop == bytes.len();
        if is_last && !end {
            let is_possible = is_data_line(line) || may_become_data_line(line) || line.starts_with(b"!");
            return if is_possible { more(bytes, false) } else { Cut::Nothing };
        }
        let is_good = is_data_line(line);
        good += usize::from(is_good);
        if line.ends_with(b"!") {
            let rest = bytes.get(stop..).unwrap_or_default();
            if !(is_good || line == b"!") || !rest.iter().all(u8::is_ascii_whitespace) {
                return Cut::Nothing;
            }
        } else if !is_good && !line.is_empty() {
            let is_cut = is_last && good > 0 && may_become_data_line(line);
            return if is_cut {
                damaged(stop, AnomalyCode::Cut, stop, "breaks off inside a line")
            } else {
                Cut::Nothing
            };
        }
        at = stop + 1;
    }
    if !end || good == 0 {
        return more(bytes, end);
    }
    let data_end = end_of_data(bytes, bytes.len());
    let value = Telegram { identification_end: 0, data_start: 0, data_end, check: Check::None, parity: false };
    Cut::Whole { len: bytes.len(), value }
}

/// Whether a line, or a whole line with the end mark glued to it, is made of data sets.
fn is_data_line(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"!").unwrap_or(line);
    let mut pieces = Pieces::new(line, 0..line.len()).peekable();
    let is_noisy = line.iter().any(|b| b.is_ascii_control() && *b != b'\t');
    !is_noisy && pieces.peek().is_some() && pieces.all(|piece| is_sound(line, &piece))
}

fn is_sound(bytes: &[u8], piece: &Piece) -> bool {
    matches!(piece, Piece::Set(set) if is_plain_address(bytes.get(set.address.clone()).unwrap_or_default()))
}

/// Whether an address is short and without blanks: without an identification, prose must not pass for data.
fn is_plain_address(address: &[u8]) -> bool {
    address.len() <= MAX_ADDRESS && address.iter().all(|&b| b.is_ascii_graphic() && !matches!(b, b'!' | b'/'))
}

/// Whether a line that is not yet there to its end may become one.
fn may_become_data_line(line: &[u8]) -> bool {
    let address = memchr(b'(', line).map_or(line, |open| line.get(..open).unwrap_or_default());
    is_plain_address(address.trim_ascii())
}

// ---- Parity --------------------------------------------------------------------------------------------------------

/// A 7E1 stream received as 8N1: every byte has even parity over its eight bits, and seven of them count.
fn with_parity(bytes: &[u8], end: bool) -> Cut<Telegram> {
    let sound = bytes.iter().position(|b| b.count_ones() % 2 == 1).unwrap_or(bytes.len());
    // Bytes of other protocols fail here after one or two.
    if sound < 6 && sound < bytes.len() {
        return Cut::Nothing;
    }
    let masked: Vec<u8> = bytes.iter().take(sound).map(|b| b & 0x7F).collect();
    let is_end = end && sound == bytes.len();
    let answer = if masked.first() == Some(&STX) { block(&masked, is_end) } else { readout(&masked, is_end) };
    match answer {
        Cut::More { .. } if sound < bytes.len() => {
            if memchr(b')', &masked).is_none() {
                return Cut::Nothing;
            }
            let found = bytes.get(sound).copied().unwrap_or_default();
            let skip = next_start(&masked, 1, sound);
            damaged(skip, AnomalyCode::Checksum, sound, format_smolstr!("parity error: {found:02X}"))
        }
        answer => answer.map(|telegram| Telegram { parity: true, ..telegram }),
    }
}
