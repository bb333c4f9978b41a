//! Putting APDUs together: HDLC segments, M-Bus segments, general block transfer, answers in data blocks.

#[cfg(test)]
mod tests;

use super::{Apdu, LLC, is_known, length};
use crate::reading::{Anomaly, AnomalyCode};
use crate::wire::{MAX_TELEGRAM, hdlc, mbus};

/// A run of an APDU's octets and where in the stream it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where it starts in the APDU.
    pub apdu: usize,
    /// Where it starts in the stream.
    pub stream: u64,
    /// How many octets it has.
    pub len: usize,
}

/// A whole APDU, still ciphered if it was sent so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JoinedApdu<'a> {
    /// Its octets.
    pub bytes: &'a [u8],
    /// Where they came from, in order and without gaps in the APDU. An answer that came in data blocks gets the four octets
    /// of a normal answer in front, which came from nowhere.
    pub pieces: &'a [Piece],
}

/// What one more frame came to. With neither, the APDU is not complete yet or the frame carries none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined<'a> {
    /// What was collected and had to be given up; the frame itself may have started a new set. The position is that of
    /// the stream.
    pub fault: Option<Anomaly>,
    /// The APDU that is complete with this frame.
    pub apdu: Option<JoinedApdu<'a>>,
}

/// What identifies the frames of one set of segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carrier {
    Hdlc { destination: hdlc::Address, source: hdlc::Address },
    Mbus { address: u8 },
}

/// Segments of one unit of information, as they come.
#[derive(Debug, Default)]
struct Segments {
    carrier: Option<Carrier>,
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    /// The number the next segment has to have, where segments are numbered.
    next: Option<u8>,
}

impl Segments {
    fn clear(&mut self) {
        self.carrier = None;
        self.bytes.clear();
        self.pieces.clear();
        self.next = None;
    }

    fn start(&self) -> u64 {
        self.pieces.first().map_or(0, |piece| piece.stream)
    }

    /// What the newest segment brought.
    fn last(&self) -> &[u8] {
        self.pieces.last().and_then(|piece| self.bytes.get(piece.apdu..)).unwrap_or_default()
    }

    /// Opens a set for `carrier`, unless one is open.
    fn begin(&mut self, carrier: Carrier) {
        if self.carrier.is_none() {
            self.clear();
            self.carrier = Some(carrier);
        }
    }
}

/// What blocks are of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    /// Any APDU, by general block transfer.
    #[default]
    Push,
    /// The data of an answer to a GET.
    Answer,
}

impl Kind {
    const fn noun(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Answer => "answer",
        }
    }
}

/// One block, taken apart: its data are the `len` octets at `from`.
struct Block {
    kind: Kind,
    number: u32,
    last: bool,
    from: usize,
    len: usize,
}

/// Blocks of one APDU, as they come.
#[derive(Debug, Default)]
struct Blocks {
    kind: Kind,
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    /// The number of the last block; 0 before the first.
    number: u32,
    /// Whether the last block has come: the APDU stays here until the next frame, so that the caller can look at it.
    complete: bool,
    /// Whether a set was given up: its remaining blocks need no further word.
    lost: bool,
}

impl Blocks {
    fn clear(&mut self) {
        self.bytes.clear();
        self.pieces.clear();
        self.number = 0;
        self.complete = false;
    }

    fn start(&self) -> u64 {
        self.pieces.first().map_or(0, |piece| piece.stream)
    }
}

/// Joins frames to APDUs. It holds one unfinished set of at most [`MAX_TELEGRAM`] octets, and its buffers are reused.
#[derive(Debug, Default)]
pub struct Joiner {
    segments: Segments,
    blocks: Blocks,
    /// The pieces of an APDU that was not split.
    single: Vec<Piece>,
    /// Whether a set of M-Bus segments was given up.
    segments_lost: bool,
}

/// What a unit of information turned out to be.
enum Unit {
    /// An APDU, `from` octets into the unit.
    Apdu {
        from: usize,
    },
    /// A block, which completed the APDU or not.
    Block {
        complete: bool,
    },
    Nothing,
}

impl Joiner {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the HDLC frame at the start of `bytes`, which stands at `at` of the stream.
    pub fn hdlc<'a>(&'a mut self, frame: &hdlc::Frame, bytes: &'a [u8], at: u64) -> Joined<'a> {
        if !frame.carries_information() || frame.information.is_empty() {
            return Joined::default();
        }
        let information = bytes.get(frame.information.clone()).unwrap_or_default();
        let from = at + frame.information.start as u64;
        let carrier = Carrier::Hdlc { destination: frame.destination, source: frame.source };
        // Frames of type I count modulo 8; pushes come in frames of type UI, which do not.
        let sequence = (frame.control & 1 == 0).then_some(frame.control >> 1 & 7);
        let mut fault = None;
        if let Some(open) = self.segments.carrier {
            let new = open != carrier || LLC.iter().any(|llc| information.starts_with(llc));
            // A meter that gives all its frames one number does not count; the same segment once more is a repeat.
            let same_number = sequence.is_some() && sequence.map(|n| (n + 1) & 7) == self.segments.next;
            if !new && same_number && self.segments.last() == information {
                return Joined::default();
            }
            if new || (sequence.is_some() && sequence != self.segments.next && !same_number) {
                fault = self.give_up_segments("a segment is missing");
                if !new {
                    return Joined { fault, apdu: None };
                }
            }
        }
        if !frame.segmented && self.segments.carrier.is_none() {
            return self.unit(information, from, fault);
        }
        self.segments.begin(carrier);
        self.segments.next = sequence.map(|n| (n + 1) & 7);
        self.segment(information, from, !frame.segmented, fault)
    }

    /// Takes the M-Bus frame at the start of `bytes`, which stands at `at` of the stream.
    pub fn mbus<'a>(&'a mut self, frame: &mbus::Frame, bytes: &'a [u8], at: u64) -> Joined<'a> {
        let mbus::Frame::Long { address, information, data, .. } = frame else { return Joined::default() };
        let data_at = at + data.start as u64;
        let data = bytes.get(data.clone()).unwrap_or_default();
        if *information >= 0x20 {
            let detail = format!("M-Bus data of kind {information:02x} is not DLMS");
            return Joined { fault: Some(Anomaly::new(AnomalyCode::Syntax, at + 6, detail)), apdu: None };
        }
        let Some(data) = data.get(2..) else {
            let fault = Anomaly::new(AnomalyCode::Syntax, data_at, "no room for STSAP and DTSAP");
            return Joined { fault: Some(fault), apdu: None };
        };
        let carrier = Carrier::Mbus { address: *address };
        let (number, last) = (information & 0x0F, information & 0x10 != 0);
        let mut fault = None;
        if number == 0 {
            if self.segments.carrier.is_some() {
                fault = self.give_up_segments("a new set of segments starts");
            }
            self.segments_lost = false;
            if last {
                return self.unit(data, data_at + 2, fault);
            }
        } else if self.segments.carrier != Some(carrier) || self.segments.next != Some(number) {
            if self.segments.carrier.is_some() {
                fault = self.give_up_segments(&format!("segment {number} follows"));
            } else if !self.segments_lost {
                let detail = format!("M-Bus segment {number} without those before it");
                fault = Some(Anomaly::new(AnomalyCode::Block, at, detail));
            }
            self.segments_lost = !last;
            return Joined { fault, apdu: None };
        }
        self.segments.begin(carrier);
        // Four bits: after 15 comes 0 again, which starts a new set; 16 segments are 4 KB and more than anyone sends.
        self.segments.next = Some(number + 1);
        self.segment(data, data_at + 2, last, fault)
    }

    /// Takes an APDU that had no frame, or the text of a ciphered block: only blocks are still to be joined.
    pub fn apdu<'a>(&'a mut self, bytes: &'a [u8], at: u64) -> Joined<'a> {
        self.unit(bytes, at, None)
    }

    /// Ends the stream: says what was left unfinished, and forgets it.
    pub fn finish(&mut self) -> Option<Anomaly> {
        let segments = self.give_up_segments("the input ends");
        let blocks = self.give_up_blocks("the input ends", AnomalyCode::Cut);
        self.blocks.lost = false;
        segments.map(|fault| Anomaly { code: AnomalyCode::Cut, ..fault }).or(blocks)
    }

    /// Whether a set is unfinished.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.segments.carrier.is_some() || (self.blocks.number > 0 && !self.blocks.complete)
    }

    fn give_up_segments(&mut self, why: &str) -> Option<Anomaly> {
        let fault = self.segments.carrier.map(|_| {
            let (count, octets) = (self.segments.pieces.len(), self.segments.bytes.len());
            let detail = format!("{why} after {count} segments with {octets} octets; they are discarded");
            Anomaly::new(AnomalyCode::Block, self.segments.start(), detail)
        });
        self.segments.clear();
        fault
    }

    fn give_up_blocks(&mut self, why: &str, code: AnomalyCode) -> Option<Anomaly> {
        let fault = (self.blocks.number > 0 && !self.blocks.complete).then(|| {
            let Blocks { number, kind, .. } = &self.blocks;
            let detail = format!("{why} after block {number} of an unfinished {}; it is discarded", kind.noun());
            Anomaly::new(code, self.blocks.start(), detail)
        });
        self.blocks.clear();
        self.blocks.lost = true;
        fault
    }

    fn segment<'a>(&'a mut self, data: &[u8], at: u64, last: bool, mut fault: Option<Anomaly>) -> Joined<'a> {
        if self.segments.bytes.len() + data.len() > MAX_TELEGRAM {
            fault = self
                .give_up_segments("too long")
                .map(|fault| Anomaly { code: AnomalyCode::TooLong, ..fault })
                .or(fault);
            return Joined { fault, apdu: None };
        }
        self.segments.pieces.push(Piece { apdu: self.segments.bytes.len(), stream: at, len: data.len() });
        self.segments.bytes.extend_from_slice(data);
        if !last {
            return Joined { fault, apdu: None };
        }
        let mut segments = std::mem::take(&mut self.segments);
        let unit = self.classify(&segments.bytes, &segments.pieces, segments.start(), &mut fault);
        let apdu = match unit {
            Unit::Apdu { from } => {
                // The LLC header leaves the first piece, or pieces where one was that short.
                self.single.clear();
                push_pieces(&mut self.single, 0, &segments.pieces, from, segments.bytes.len() - from);
                // The octets stay until the next set begins.
                segments.carrier = None;
                self.segments = segments;
                let bytes = self.segments.bytes.get(from..).unwrap_or_default();
                Some(JoinedApdu { bytes, pieces: &self.single })
            }
            Unit::Block { complete } => {
                segments.clear();
                self.segments = segments;
                complete.then(|| JoinedApdu { bytes: &self.blocks.bytes, pieces: &self.blocks.pieces })
            }
            Unit::Nothing => {
                segments.clear();
                self.segments = segments;
                None
            }
        };
        Joined { fault, apdu }
    }

    fn unit<'a>(&'a mut self, data: &'a [u8], at: u64, mut fault: Option<Anomaly>) -> Joined<'a> {
        let piece = [Piece { apdu: 0, stream: at, len: data.len() }];
        let apdu = match self.classify(data, &piece, at, &mut fault) {
            Unit::Apdu { from } => {
                self.single.clear();
                self.single.push(Piece { apdu: 0, stream: at + from as u64, len: data.len() - from });
                Some(JoinedApdu { bytes: data.get(from..).unwrap_or_default(), pieces: &self.single })
            }
            Unit::Block { complete: true } => {
                Some(JoinedApdu { bytes: &self.blocks.bytes, pieces: &self.blocks.pieces })
            }
            Unit::Block { .. } | Unit::Nothing => None,
        };
        Joined { fault, apdu }
    }

    /// Strips the LLC header, and keeps a block's data.
    fn classify(&mut self, unit: &[u8], pieces: &[Piece], at: u64, fault: &mut Option<Anomaly>) -> Unit {
        if self.blocks.complete {
            self.blocks.clear();
        }
        let llc = if LLC.iter().any(|llc| unit.starts_with(llc)) { 3 } else { 0 };
        match unit.get(llc) {
            Some(0xE0) => {
                // At most one fault is told: the older one is about what came first.
                let (unit, block_fault) = self.general_block(unit, llc, pieces, at);
                *fault = fault.take().or(block_fault);
                unit
            }
            Some(0xC4) if unit.get(llc + 1) == Some(&2) => {
                let (unit, block_fault) = self.data_block(unit, llc, pieces, at);
                *fault = fault.take().or(block_fault);
                unit
            }
            // Between the blocks of an answer the client asks for the next one.
            Some(0xC0) if unit.get(llc + 1) == Some(&2) && self.blocks.kind == Kind::Answer => Unit::Apdu { from: llc },
            Some(&tag) if is_known(tag) => {
                let open = self.give_up_blocks("another APDU comes", AnomalyCode::Block);
                self.blocks.lost = false;
                *fault = fault.take().or(open);
                Unit::Apdu { from: llc }
            }
            first => {
                let found = first.map_or_else(|| "nothing".into(), |octet| format!("{octet:02x}"));
                let detail = format!("the frame starts no APDU: {found} where its tag has to stand");
                *fault = fault.take().or(Some(Anomaly::new(AnomalyCode::Syntax, at + llc as u64, detail)));
                Unit::Nothing
            }
        }
    }

    /// `E0 · control · number(2) · acknowledged(2) · length · data`.
    fn general_block(&mut self, unit: &[u8], llc: usize, pieces: &[Piece], at: u64) -> (Unit, Option<Anomaly>) {
        let wrong = |code, detail: String| (Unit::Nothing, Some(Anomaly::new(code, at + llc as u64, detail)));
        let Some(&[control, high, low, _, _]) = unit.get(llc + 1..llc + 6) else {
            return wrong(AnomalyCode::Syntax, "a block without its header".into());
        };
        let number = u32::from(u16::from_be_bytes([high, low]));
        let (len, from) = match length(unit, llc + 6) {
            Ok((len, from)) if from + len == unit.len() => (len, from),
            _ => {
                let open = self.give_up_blocks("a block of another length than it says comes", AnomalyCode::Block);
                return open.map_or_else(
                    || wrong(AnomalyCode::Syntax, format!("block {number} has another length than it says")),
                    |fault| (Unit::Nothing, Some(fault)),
                );
            }
        };
        let block = Block { kind: Kind::Push, number, last: control & 0x80 != 0, from, len };
        self.collect(&block, &[], unit, pieces, at + llc as u64)
    }

    /// `C4 · 02 · invoke-id · last · number(4) · 00 · length · data`. A refusal in place of the data is an APDU of its own.
    fn data_block(&mut self, unit: &[u8], llc: usize, pieces: &[Piece], at: u64) -> (Unit, Option<Anomaly>) {
        let apdu = unit.get(llc..).unwrap_or_default();
        let Ok((Apdu::Block { last, number, data: Ok(data) }, end)) = Apdu::parse(apdu) else {
            let open = self.give_up_blocks("another APDU comes", AnomalyCode::Block);
            return (Unit::Apdu { from: llc }, open);
        };
        let again = self.blocks.kind == Kind::Answer && !self.blocks.complete && self.blocks.number > 0;
        if again && number == self.blocks.number {
            return (Unit::Nothing, None);
        }
        let from = llc + end - data.len();
        let block = Block { kind: Kind::Answer, number, last, from, len: data.len() };
        let invoke = apdu.get(2).copied().unwrap_or_default();
        self.collect(&block, &[0xC4, 1, invoke, 0], unit, pieces, at + llc as u64)
    }

    /// Keeps a block's data; `head` stands in front of those of the first.
    fn collect(
        &mut self,
        block: &Block,
        head: &[u8],
        unit: &[u8],
        pieces: &[Piece],
        at: u64,
    ) -> (Unit, Option<Anomaly>) {
        let &Block { kind, number, last, from, len } = block;
        let mut fault = None;
        if number == 1 {
            fault = self.give_up_blocks("a new block 1 comes", AnomalyCode::Block);
            self.blocks.kind = kind;
            self.blocks.bytes.extend_from_slice(head);
        } else if number == 0 || kind != self.blocks.kind || number != self.blocks.number.wrapping_add(1) {
            if self.blocks.number > 0 {
                fault = self.give_up_blocks(&format!("block {number} comes"), AnomalyCode::Block);
            } else if !self.blocks.lost {
                let detail = format!("block {number} without those before it");
                fault = Some(Anomaly::new(AnomalyCode::Block, at, detail));
            }
            self.blocks.lost = true;
            return (Unit::Nothing, fault);
        }
        if self.blocks.bytes.len() + len > MAX_TELEGRAM {
            return (Unit::Nothing, self.give_up_blocks("too long", AnomalyCode::TooLong));
        }
        self.blocks.lost = false;
        push_pieces(&mut self.blocks.pieces, self.blocks.bytes.len(), pieces, from, len);
        self.blocks.bytes.extend_from_slice(unit.get(from..from + len).unwrap_or_default());
        self.blocks.number = number;
        self.blocks.complete = last;
        (Unit::Block { complete: last }, fault)
    }
}

/// Appends what `pieces` say about the octets `from..from + len`, which become those at `to` of the target.
fn push_pieces(target: &mut Vec<Piece>, to: usize, pieces: &[Piece], from: usize, len: usize) {
    for piece in pieces {
        let start = piece.apdu.max(from);
        let end = (piece.apdu + piece.len).min(from + len);
        if start < end {
            let stream = piece.stream + (start - piece.apdu) as u64;
            target.push(Piece { apdu: to + start - from, stream, len: end - start });
        }
    }
}
