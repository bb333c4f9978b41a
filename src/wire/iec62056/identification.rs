//! The identification message: who the meter is, which mode and speed it offers (IEC 62056-21, 6.3.2 and 6.3.14).

use crate::wire::dissect::Dissection;
use crate::wire::text::{Identification as Shape, STX, identification};
use smol_str::SmolStr;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

/// The modes of IEC 62056-21.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Request, answer, one speed.
    A,
    /// Request, answer at the speed the identification names.
    B,
    /// Request, identification, choice of the reader, answer.
    C,
    /// The meter speaks unasked.
    D,
    /// As C, and then HDLC.
    E,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What the character behind the maker's letters says of the speed (6.3.14, item 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// `0` to `6`: so many baud once the reader has acknowledged them (modes C and E).
    Acknowledged(u32),
    /// `A` to `F`: so many baud at once (mode B).
    AtOnce(u32),
    /// `7` to `9`, `G` to `I`: reserved by the standard.
    Reserved,
    /// Anything else: the opening speed stays (mode A).
    Unchanged,
}

impl Rate {
    /// What `character` says.
    #[must_use]
    pub const fn of(character: u8) -> Self {
        match character {
            b'0' => Self::Acknowledged(300),
            b'1' => Self::Acknowledged(600),
            b'2' => Self::Acknowledged(1200),
            b'3' => Self::Acknowledged(2400),
            b'4' => Self::Acknowledged(4800),
            b'5' => Self::Acknowledged(9600),
            b'6' => Self::Acknowledged(19_200),
            b'A' => Self::AtOnce(600),
            b'B' => Self::AtOnce(1200),
            b'C' => Self::AtOnce(2400),
            b'D' => Self::AtOnce(4800),
            b'E' => Self::AtOnce(9600),
            b'F' => Self::AtOnce(19_200),
            b'7'..=b'9' | b'G'..=b'I' => Self::Reserved,
            _ => Self::Unchanged,
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acknowledged(baud) => write!(f, "{baud} Bd"),
            Self::AtOnce(baud) => write!(f, "{baud} Bd, mode B"),
            Self::Reserved => f.write_str("reserved"),
            Self::Unchanged => f.write_str("no switch of rate, mode A"),
        }
    }
}

/// An identification line, `/XXXZ[\W]…name`.
///
/// ```
/// use releve::wire::iec62056::{Identification, Mode, Rate};
/// let meter = Identification::parse(b"/LGZ5\\2ZMF100AC").unwrap();
/// assert_eq!((meter.maker(), meter.name(), meter.mode()), ("LGZ", "ZMF100AC", Mode::C));
/// assert_eq!(meter.rate(), Rate::Acknowledged(9600));
/// assert!(meter.offers_hdlc());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identification {
    line: SmolStr,
    name: usize,
}

impl Identification {
    /// The identification that `line` is, with or without its line end and without parity bits.
    ///
    /// Names of up to 64 characters are taken, where the standard allows 16: real ones are longer.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let line = line.trim_ascii_end();
        let ended = [line, b"\r"].concat();
        match identification(&ended) {
            Shape::Line(at) if at == line.len() => Some(Self::of_checked(line)),
            _ => None,
        }
    }

    /// The first whole identification line in `bytes`, and where it is, line end included. Noise may stand before it.
    ///
    /// A CR ends a line only if something else than LF follows, or if no more bytes will come for now (`end`).
    #[must_use]
    pub fn find(bytes: &[u8], end: bool) -> Option<(Range<usize>, Self)> {
        memchr::memchr_iter(b'/', bytes).find_map(|start| {
            let rest = bytes.get(start..)?;
            let Shape::Line(length) = identification(rest) else { return None };
            let line_end = match rest.get(length..)? {
                [b'\r', b'\n', ..] => 2,
                [b'\n', ..] | [b'\r', _, ..] => 1,
                _ if end => 1,
                _ => return None,
            };
            Some((start..start + length + line_end, Self::of_checked(rest.get(..length)?)))
        })
    }

    fn of_checked(line: &[u8]) -> Self {
        let mut name = 5;
        loop {
            name += match line.get(name..) {
                Some([b'\\', _, ..]) => 2,
                Some([STX, ..]) => 1,
                _ => break,
            };
        }
        Self { line: SmolStr::from(String::from_utf8_lossy(line)), name: name.min(line.len()) }
    }

    /// The line as sent, with its `/`.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The maker's three letters as sent, as the FLAG association gives them out.
    #[must_use]
    pub fn maker(&self) -> &str {
        self.line.get(1..4).unwrap_or_default()
    }

    /// How long either side waits at least before it answers: 200 ms, or 20 ms where the maker's last letter is lower case.
    #[must_use]
    pub fn reaction(&self) -> Duration {
        let quick = self.maker().ends_with(|letter: char| letter.is_ascii_lowercase());
        Duration::from_millis(if quick { 20 } else { 200 })
    }

    /// The character that stands for speed and mode.
    #[must_use]
    pub fn rate_character(&self) -> u8 {
        self.line.as_bytes().get(4).copied().unwrap_or_default()
    }

    /// What that character says.
    #[must_use]
    pub fn rate(&self) -> Rate {
        Rate::of(self.rate_character())
    }

    /// The mode it stands for: A, B or C. Mode E has no character, see [`offers_hdlc`](Self::offers_hdlc).
    #[must_use]
    pub fn mode(&self) -> Mode {
        match self.rate() {
            Rate::Acknowledged(_) => Mode::C,
            Rate::AtOnce(_) => Mode::B,
            Rate::Reserved | Rate::Unchanged => Mode::A,
        }
    }

    /// The characters W of the pairs `\W` before the name.
    pub fn pairs(&self) -> impl Iterator<Item = u8> {
        let pairs = self.line.as_bytes().get(5..self.name).unwrap_or_default();
        // A 02 stands where some software took the two characters `\2` for an escape sequence.
        pairs
            .iter()
            .scan(false, |escaped, &byte| {
                let is_pair = *escaped || byte == STX;
                *escaped = !*escaped && byte == b'\\';
                Some(is_pair.then_some(if byte == STX { b'2' } else { byte }))
            })
            .flatten()
    }

    /// Whether the meter can go on in HDLC (mode E): a pair `\2`.
    #[must_use]
    pub fn offers_hdlc(&self) -> bool {
        self.pairs().any(|pair| pair == b'2')
    }

    /// The meter's own name, behind the pairs.
    #[must_use]
    pub fn name(&self) -> &str {
        self.line.get(self.name..).unwrap_or_default()
    }
}

/// Names the parts of an identification line; `line` has been masked and starts with `/`.
pub(in crate::wire) fn dissect_identification(line: &[u8], base: usize, out: &mut Dissection) {
    let text = |range: Range<usize>| String::from_utf8_lossy(line.get(range).unwrap_or_default()).into_owned();
    out.field(base..base + 1, 0, "start of the identification");
    let maker = text(1..4);
    let quick = if maker.ends_with(|c: char| c.is_ascii_lowercase()) { ", may answer after 20 ms" } else { "" };
    out.field(base + 1..base + 4, 1, format!("maker {maker}{quick}"));
    let character = line.get(4).copied().unwrap_or_default();
    out.field(base + 4..base + 5, 1, format!("rate character {}: {}", char::from(character), Rate::of(character)));
    let mut at = 5;
    while let Some([b'\\', flag]) = line.get(at..at + 2) {
        let meaning = if *flag == b'2' { "HDLC possible (mode E)" } else { "enhanced identification" };
        out.field(base + at..base + at + 2, 1, format!("\\{}: {meaning}", char::from(*flag)));
        at += 2;
    }
    if line.get(at) == Some(&STX) {
        out.wrong(base + at..base + at + 1, 1, "02 where \\2 was: HDLC possible (mode E)");
        at += 1;
    }
    if at < line.len() {
        out.field(base + at..base + line.len(), 1, format!("name {}", text(at..line.len())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> (String, u64, String, String) {
        let meter = Identification::parse(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
        let pairs = meter.pairs().map(char::from).collect();
        (meter.maker().into(), meter.reaction().as_millis().try_into().unwrap(), pairs, meter.name().into())
    }

    #[test]
    fn the_parts_of_lines_met_in_the_field() {
        for (line, maker, reaction, pairs, name) in [
            ("/ISk5MT174-0002", "ISk", 20, "", "MT174-0002"),
            ("/ISK5\\2M550E-1012", "ISK", 200, "2", "M550E-1012"),
            ("/EMH5\\@\\201LZQJL0013F", "EMH", 200, "@2", "01LZQJL0013F"),
            ("/MCS5\\@V0050710000051", "MCS", 200, "@", "V0050710000051"),
            ("/LUN5<1>LUN10345.0123456", "LUN", 200, "", "<1>LUN10345.0123456"),
            ("/KFM5KAIFA-METER", "KFM", 200, "", "KAIFA-METER"),
            ("/ISK5\u{2}M550E-1012", "ISK", 200, "2", "M550E-1012"),
            ("/ACE0\\3k260V01.18", "ACE", 200, "3", "k260V01.18"),
        ] {
            assert_eq!(parts(line), (maker.into(), reaction, pairs.into(), name.into()), "{line}");
        }
    }

    #[test]
    fn mode_and_speed_follow_the_table_of_the_standard() {
        let of = |character: char| {
            let meter = Identification::parse(format!("/ABC{character}x").as_bytes()).unwrap();
            (meter.mode(), meter.rate())
        };
        let speeds = [300, 600, 1200, 2400, 4800, 9600, 19_200];
        for (character, baud) in ('0'..='6').zip(speeds) {
            assert_eq!(of(character), (Mode::C, Rate::Acknowledged(baud)));
        }
        for (character, baud) in ('A'..='F').zip(speeds.into_iter().skip(1)) {
            assert_eq!(of(character), (Mode::B, Rate::AtOnce(baud)));
        }
        for character in ['7', '9', 'G', 'I'] {
            assert_eq!(of(character), (Mode::A, Rate::Reserved));
        }
        assert_eq!(of('@'), (Mode::A, Rate::Unchanged));
    }

    #[test]
    fn a_line_is_found_behind_noise_once_its_end_is_there() {
        let find =
            |text: &str, end| Identification::find(text.as_bytes(), end).map(|(range, m)| (range, m.line().into()));
        let found = |range, line: &str| Some((range, String::from(line)));
        assert_eq!(find("\0~/x/ABC5x\r\n1.8.0", false), found(4..12, "/ABC5x"));
        assert_eq!(find("/?!\r\n/ABC5x\n", false), found(5..12, "/ABC5x"));
        assert_eq!(find("/ABC5x\r", false), None);
        assert_eq!(find("/ABC5x\r", true), found(0..7, "/ABC5x"));
        assert_eq!(find("/ABC5x\r\u{2}", false), found(0..7, "/ABC5x"));
        assert_eq!(find("/ABC5x", true), None);
    }

    #[test]
    fn what_is_no_identification() {
        let long = format!("/ABC5{}", "x".repeat(65));
        for line in ["", "/", "/?!", "/ABC", "/AB15x", "/abc5x", "/ABC5x/y", "/ABC5x!", "ABC5x", long.as_str()] {
            assert_eq!(Identification::parse(line.as_bytes()), None, "{line}");
        }
        assert!(Identification::parse(long.split_at(69).0.as_bytes()).is_some());
    }
}
