//! Naming every byte of a text telegram.

use super::{EOT, ETX, Groups, Piece, Pieces, STX, Stamp, Telegram, Unchecked, stamp};
use crate::reading::Code;
use crate::wire::dissect::{Dissection, hex};
use crate::wire::iec62056;
use crate::wire::text::Check;

/// Names every byte of a telegram that [`cut`](super::cut) found; `base` is where it starts in the input.
pub fn dissect(bytes: &[u8], telegram: &Telegram, base: usize, out: &mut Dissection) {
    let masked = telegram.masked(bytes);
    let mut naming = Naming { bytes: &masked, at: 0, base, out };
    if let Some(line) = telegram.identification() {
        iec62056::dissect_identification(masked.get(line.clone()).unwrap_or_default(), base, naming.out);
        naming.at = line.end;
    }
    let data = telegram.data();
    naming.gap(data.start);
    for piece in Pieces::new(&masked, data.clone()) {
        naming.piece(&piece);
    }
    naming.gap(data.end);
    naming.tail(telegram.check);
    if telegram.parity {
        naming.out.remark(0, "every byte carries a parity bit: a 7E1 stream received as 8N1");
    }
}

struct Naming<'a> {
    bytes: &'a [u8],
    /// How far the bytes are named.
    at: usize,
    base: usize,
    out: &'a mut Dissection,
}

impl Naming<'_> {
    /// Names the bytes up to `end`, if there are any left.
    fn up_to(&mut self, end: usize, is_wrong: bool, meaning: impl FnOnce(&[u8]) -> String) {
        let Some(bytes) = self.bytes.get(self.at..end).filter(|bytes| !bytes.is_empty()) else { return };
        let range = self.base + self.at..self.base + end;
        let meaning = meaning(bytes);
        if is_wrong {
            self.out.wrong(range, 0, meaning)
        } else {
            self.out.field(range, 0, meaning)
        }
        self.at = end;
    }

    /// What stands between pieces, up to `end`: line ends, blanks, echoes, STX.
    fn gap(&mut self, end: usize) {
        while self.at < end {
            let rest = self.bytes.get(self.at..end).unwrap_or_default();
            let blanks = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n' | b' ' | b'\t' | 0)).count();
            match rest.first() {
                _ if blanks > 0 => self.up_to(self.at + blanks, false, |_| "line end".into()),
                Some(&STX) => self.up_to(self.at + 1, false, |_| "STX: the block check counts from here".into()),
                _ => {
                    let stop = rest.iter().position(|b| matches!(b, b'\r' | b'\n' | &STX)).unwrap_or(rest.len());
                    self.up_to(self.at + stop, true, |bytes| format!("no data: {}", hex(bytes)));
                }
            }
        }
    }

    /// A data set with the line end behind it.
    fn piece(&mut self, piece: &Piece) {
        let (start, stop) = match piece {
            Piece::Set(set) => (set.address.start, set.groups.end),
            Piece::Strange(range) => (range.start, range.end),
        };
        self.gap(start);
        let tail = self.bytes.get(stop..).unwrap_or_default();
        let line_end = match tail {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => 0,
        };
        let bytes = self.bytes;
        match piece {
            Piece::Set(set) => self.up_to(stop + line_end, false, |_| {
                let groups: Vec<String> = Groups::new(bytes, set.groups.clone()).map(group).collect();
                let address = bytes.get(set.address.clone()).unwrap_or_default();
                let name = if address.is_empty() { "continued".into() } else { Code::parse(address).to_string() };
                format!("{name} = {}", groups.join(", "))
            }),
            Piece::Strange(_) => {
                self.up_to(stop + line_end, true, |bytes| format!("no data set: {}", printable(bytes)))
            }
        }
    }

    /// End mark, CRC, ETX and block check.
    fn tail(&mut self, check: Check) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.first() == Some(&b'!') {
            self.up_to(self.at + 1, false, |_| "end mark".into());
        }
        if matches!(check, Check::Crc | Check::CrcAfterLineEnds) {
            let how = if check == Check::Crc { "fits" } else { "fits once the line ends are CR LF" };
            self.up_to(self.bytes.len(), false, |digits| {
                format!("CRC-16/ARC {}, {how}", String::from_utf8_lossy(digits))
            });
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if let Some(n) = rest.iter().position(|b| matches!(*b, ETX | EOT)) {
            self.gap(self.at + n);
            self.up_to(self.at + 1, false, |etx| {
                if etx == [EOT] { "EOT: end of a partial block".into() } else { "ETX: end of the block".into() }
            });
            let is_wrong = matches!(check, Check::Unchecked(_));
            let how = match check {
                Check::Sum => "the 7-bit sum, fits",
                Check::Unchecked(_) => "cannot be verified without STX",
                _ => "fits",
            };
            self.up_to(self.bytes.len(), is_wrong, |bytes| format!("block check {}, {how}", hex(bytes)));
        }
        self.gap(self.bytes.len());
        let here = self.base + self.at;
        match check {
            Check::Unchecked(Unchecked::NoBlockCheck) => {
                self.out.wrong(here..here, 0, "ETX and block check are missing");
            }
            Check::Unchecked(Unchecked::NoEndMark) => self.out.wrong(here..here, 0, "the end mark is missing"),
            _ => {}
        }
    }
}

/// A group in words: `value 000576.239, unit kWh`.
fn group(text: &[u8]) -> String {
    if let Some(Stamp::Time(time)) = stamp(text) {
        return format!("{} (perhaps {})", printable(text), time.civil);
    }
    match text.iter().position(|&b| b == b'*') {
        Some(star) => {
            let (value, unit) = (text.get(..star), text.get(star + 1..));
            format!("{} {}", printable(value.unwrap_or_default()), printable(unit.unwrap_or_default()))
        }
        None => format!("\"{}\"", printable(text)),
    }
}

fn printable(text: &[u8]) -> String {
    text.trim_ascii_end().escape_ascii().to_string()
}
