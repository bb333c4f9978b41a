//! Which protocol, and where: cutting a stream of unknown bytes into telegrams, frames and noise.
//!
//! Every protocol has start marks. The scanner runs to the next byte that may be one and asks the protocols whose mark it
//! is. What none of them claims is noise, a byte at a time, so that no false start can swallow a good telegram.
//!
//! | first byte | may be |
//! |---|---|
//! | `2F` `/`, `02` STX, and both with a parity bit | IEC 62056-21, DSMR P1 |
//! | `7E` | HDLC |
//! | `68`, `10` | M-Bus |
//! | `1B` | SML |
//! | `DB` | an enciphered APDU without a frame (P1 of Luxembourg and Austria) |
//! | anything, at the very start | a capture of a bare APDU, or of data sets without identification |

use crate::reading::{Anomaly, Protocol};
use crate::wire::{Cut, dlms, hdlc, mbus, sml, text};

/// What the bytes at a position turn out to be.
#[derive(Debug)]
pub enum Piece {
    /// Cannot be told before so many bytes are there.
    Need(usize),
    /// So many bytes that belong to nothing.
    Noise(usize),
    /// A request message, which an optical head gives back as it was sent.
    Echo(usize),
    /// A text telegram.
    Text(usize, text::Telegram),
    /// An SML file.
    Sml(usize, sml::File),
    /// An HDLC frame.
    Hdlc(usize, hdlc::Frame),
    /// An M-Bus frame.
    Mbus(usize, mbus::Frame),
    /// An APDU without a frame.
    Bare(usize, dlms::Bare),
    /// The start of something damaged; the search goes on so many bytes further.
    Damaged(usize, Anomaly),
}

impl Piece {
    /// How many bytes it takes off the stream.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Need(_) => 0,
            Self::Noise(len)
            | Self::Echo(len)
            | Self::Text(len, _)
            | Self::Sml(len, _)
            | Self::Hdlc(len, _)
            | Self::Mbus(len, _)
            | Self::Bare(len, _)
            | Self::Damaged(len, _) => *len,
        }
    }

    /// Whether it takes no bytes yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What is known about the place in the stream that is being looked at.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// No more bytes will come.
    pub end: bool,
    /// These are the first bytes of the input.
    pub at_start: bool,
    /// An APDU without a frame may begin here: at the start, or right behind another. Elsewhere only an enciphered one with
    /// a tag is looked for.
    pub bare: bool,
}

/// The next piece of a stream: never empty unless it is [`Piece::Need`].
#[must_use]
pub fn next_piece(bytes: &[u8], place: Place, only: Option<Protocol>) -> Piece {
    let Some(&first) = bytes.first() else { return Piece::Need(1) };
    let may = |protocol: Protocol| only.is_none_or(|chosen| chosen == protocol);
    let may_text = may(Protocol::Iec62056) || may(Protocol::Dsmr);
    // An enciphered P1 telegram is text inside an APDU.
    let may_dlms = may(Protocol::Dlms) || may(Protocol::Dsmr);

    let mut waiting: Option<usize> = None;
    let mut claim = |piece: Piece| match piece {
        Piece::Need(need) if !place.end => {
            waiting = Some(waiting.map_or(need, |other| other.min(need)));
            None
        }
        Piece::Need(_) => None,
        Piece::Noise(0) => None,
        piece => Some(piece),
    };

    if may_dlms
        && (place.bare || looks_enciphered(bytes))
        && let Some(piece) = claim(settle(dlms::cut_bare(bytes, place.end), Piece::Bare))
    {
        return piece;
    }
    if first == b'/'
        && may_text
        && let Some(piece) = claim(request(bytes))
    {
        return piece;
    }
    let piece = match first {
        b'/' | 0xAF | 0x02 | 0x82 if may_text => settle(text::cut(bytes, place.end, place.at_start), Piece::Text),
        0x7E if may_dlms => settle(hdlc::cut(bytes, place.end), Piece::Hdlc),
        0x68 | 0x10 if may_dlms => settle(mbus::cut(bytes, place.end), Piece::Mbus),
        0x1B if may(Protocol::Sml) => settle(sml::cut(bytes, place.end), Piece::Sml),
        _ if place.at_start && may_text => settle(text::cut(bytes, place.end, true), Piece::Text),
        _ => Piece::Noise(0),
    };
    if let Some(piece) = claim(piece) {
        return piece;
    }
    match waiting {
        Some(need) => Piece::Need(need.max(bytes.len() + 1)),
        // Behind leading blanks is still the start.
        None if (place.at_start || place.bare) && is_idle(first) => {
            let may_begin = |byte: u8| !is_idle(byte) || IS_START_MARK[usize::from(byte)];
            Piece::Noise(1 + bytes[1..].iter().take_while(|&&byte| !may_begin(byte)).count())
        }
        None => Piece::Noise(
            1 + bytes[1..].iter().position(|&byte| IS_START_MARK[usize::from(byte)]).unwrap_or(bytes.len() - 1),
        ),
    }
}

fn settle<T>(cut: Cut<T>, whole: impl FnOnce(usize, T) -> Piece) -> Piece {
    match cut {
        Cut::Nothing => Piece::Noise(0),
        Cut::More { need } => Piece::Need(need),
        Cut::Whole { len, value } => whole(len, value),
        Cut::Damaged { skip, fault } => Piece::Damaged(skip.max(1), fault),
    }
}

/// A request message `/?address!` (IEC 62056-21, 6.3.1).
fn request(bytes: &[u8]) -> Piece {
    /// An address has at most 32 characters.
    const LONGEST: usize = 36;
    let head = bytes.get(..LONGEST).unwrap_or(bytes);
    if !b"/?".starts_with(&head[..head.len().min(2)]) && !head.starts_with(b"/?") {
        return Piece::Noise(0);
    }
    match head.iter().position(|&byte| byte == b'!' || byte.is_ascii_control()) {
        Some(at) if head[at] == b'!' => Piece::Echo(at + 1),
        Some(_) => Piece::Noise(0),
        None if bytes.len() < LONGEST => Piece::Need(bytes.len() + 1),
        None => Piece::Noise(0),
    }
}

/// What stands between telegrams on a sound line: blanks, and the flags of HDLC.
pub const fn is_idle(byte: u8) -> bool {
    // Without branches: noise is counted byte by byte.
    (byte == b'\r') | (byte == b'\n') | (byte == b' ') | (byte == b'\t') | (byte == 0) | (byte == 0x7E)
}

/// Whether a byte may begin something; a table, because noise is looked through byte by byte.
static IS_START_MARK: [bool; 256] = {
    let mut table = [false; 256];
    let marks = [b'/', 0xAF, 0x02, 0x82, 0x7E, 0x68, 0x10, 0x1B, 0xDB];
    let mut at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    table
};

/// The enciphered form of a P1 telegram: a system title that begins with three letters, a length in two octets that no
/// telegram exceeds, and a tag. Strict enough to look for in the middle of a stream.
fn looks_enciphered(bytes: &[u8]) -> bool {
    let is = |at: usize, fits: fn(u8) -> bool| bytes.get(at).is_none_or(|&byte| fits(byte));
    bytes.first() == Some(&0xDB)
        && is(1, |len| len == 8)
        && (2..5).all(|at| is(at, |letter| letter.is_ascii_uppercase()))
        && is(10, |form| form == 0x82)
        && is(11, |high| high < 0x20)
        && is(13, |control| control & 0x30 == 0x30)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDDLE: Place = Place { end: true, at_start: false, bare: false };

    #[test]
    fn noise_runs_to_the_next_start_mark() {
        assert!(matches!(next_piece(b"abc/def", MIDDLE, None), Piece::Noise(3)));
        assert!(matches!(next_piece(b"abc", MIDDLE, None), Piece::Noise(3)));
        assert!(matches!(next_piece(b"", MIDDLE, None), Piece::Need(1)));
    }

    #[test]
    fn a_start_mark_that_starts_nothing_is_one_byte_of_noise() {
        for mark in [b'/', 0xAF, 0x02, 0x7E, 0x68, 0x10, 0x1B, 0xDB] {
            let piece = next_piece(&[mark, 0x55, 0x55, 0x55], MIDDLE, None);
            assert!(!piece.is_empty(), "{mark:02x} stalls");
        }
    }

    #[test]
    fn behind_leading_blanks_is_still_the_start() {
        let start = Place { end: true, at_start: true, bare: true };
        assert!(matches!(next_piece(b"\0\0\r\n1.8.0(1*kWh)\r\n", start, None), Piece::Noise(4)));
    }

    #[test]
    fn a_chosen_protocol_leaves_the_others_alone() {
        let p1 = b"/LGF5E360\r\n\r\n1-0:1.7.0(0002.345*kW)\r\n!\r\n";
        assert!(matches!(next_piece(p1, MIDDLE, None), Piece::Text(..)));
        assert!(matches!(next_piece(p1, MIDDLE, Some(Protocol::Sml)), Piece::Noise(_)));
    }

    proptest::proptest! {
        #[test]
        fn every_answer_moves_on(bytes in proptest::collection::vec(proptest::num::u8::ANY, 1..300), at_start: bool) {
            let place = Place { end: true, at_start, bare: at_start };
            let piece = next_piece(&bytes, place, None);
            proptest::prop_assert!((1..=bytes.len()).contains(&piece.len()), "{piece:?}");
        }
    }
}
