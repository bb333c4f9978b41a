//! The push machine: bytes in as they come, readings out as they are whole.

use super::map;
use super::quirks::dlms::PushList;
use super::scan::{Piece, Place, is_idle, next_piece};
use crate::reading::{Anomaly, AnomalyCode, Protocol, Reading};
use crate::wire::{Cut, MAX_TELEGRAM, dlms, text};

/// What a decoder has to be told; the default is to find out everything by itself.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Only this protocol.
    pub protocol: Option<Protocol>,
    /// The keys of enciphered telegrams.
    pub keys: dlms::Keys,
    /// What the values of a list without OBIS codes mean.
    pub push_list: Option<PushList>,
}

/// What comes out of a decoder.
#[derive(Debug)]
pub enum Outcome {
    /// A telegram that passed its checks.
    Reading(Reading),
    /// One that did not, or that cannot be read; the next reading lists it among its anomalies too.
    Fault(Anomaly),
}

/// Finds and decodes the telegrams of any protocol in a stream of bytes.
///
/// Memory is bounded: at most a few [`MAX_TELEGRAM`]s, whatever comes.
///
/// ```
/// use releve::acquire::{Decoder, Outcome, Settings};
/// let mut decoder = Decoder::new(Settings::default());
/// let mut sink = |outcome| match outcome {
///     Outcome::Reading(reading) => assert_eq!(reading.registers.len(), 1),
///     Outcome::Fault(fault) => panic!("{fault}"),
/// };
/// decoder.push(b"\0\0/LGF5E360\r\n\r\n1-0:1.7.0(00", &mut sink);
/// decoder.push(b"02.345*kW)\r\n!\r\n", &mut sink);
/// decoder.finish(&mut sink);
/// ```
#[derive(Debug)]
pub struct Decoder {
    settings: Settings,
    buffer: Vec<u8>,
    /// Offset in the stream of the buffer's first byte.
    base: u64,
    /// Bytes that have to be there before it is worth looking again.
    need: usize,
    /// Nothing but blanks was met so far.
    at_start: bool,
    /// Where an APDU without a frame may begin: behind the last one.
    bare_at: u64,
    /// Where something damaged began last.
    damage_at: Option<u64>,
    joiner: dlms::Joiner,
    /// Joins blocks that were enciphered one by one.
    enclosed: dlms::Joiner,
    last_counter: Option<(Option<dlms::SystemTitle>, u32)>,
    exchanges: Exchanges,
    pending: Pending,
}

/// Frames and APDUs that are sound but hold no values: a logged session.
#[derive(Debug, Default)]
struct Exchanges {
    /// Where the first one starts, and how many there were.
    seen: Option<(u64, usize)>,
    /// Whether there was a reading or a fault as well, so that nobody wonders where the values are.
    settled: bool,
}

/// What went wrong since the last good reading.
#[derive(Debug, Default)]
struct Pending {
    faults: Vec<Anomaly>,
    more: usize,
    noise: Option<(u64, u64)>,
}

/// How many faults a reading lists one by one; further ones are counted.
const MAX_FAULTS: usize = 8;

/// How far behind the start of a frame its APDU may begin.
const FRAME_HEAD: u64 = 32;

/// How much of a chunk is put behind what was left of the one before.
const SPLICE: usize = 1024;

/// How much of an input is looked at in one go.
const STEP: usize = MAX_TELEGRAM;

impl Decoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            buffer: Vec::new(),
            base: 0,
            need: 1,
            at_start: true,
            bare_at: 0,
            damage_at: None,
            joiner: dlms::Joiner::default(),
            enclosed: dlms::Joiner::default(),
            last_counter: None,
            exchanges: Exchanges::default(),
            pending: Pending::default(),
        }
    }

    /// Takes the next bytes of the stream and hands on what they complete.
    pub fn push(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Outcome)) {
        for chunk in bytes.chunks(STEP) {
            self.push_chunk(chunk, sink);
        }
    }

    /// Whole telegrams are read where they are; only what stands across two chunks is copied.
    fn push_chunk(&mut self, chunk: &[u8], sink: &mut dyn FnMut(Outcome)) {
        let mut at = 0;
        while !self.buffer.is_empty() && at < chunk.len() {
            let kept = self.buffer.len();
            let more = SPLICE.max(self.need.saturating_sub(kept)).min(chunk.len() - at);
            self.buffer.extend_from_slice(&chunk[at..at + more]);
            if self.buffer.len() < self.need {
                return;
            }
            let taken = self.run_buffer(false, sink);
            if taken >= kept {
                at += taken - kept;
                self.buffer.clear();
            } else {
                at += more;
            }
        }
        if self.buffer.is_empty() {
            let rest = chunk.get(at..).unwrap_or_default();
            let taken = self.run(rest, false, sink);
            self.buffer.extend_from_slice(rest.get(taken..).unwrap_or_default());
        }
    }

    /// Ends the stream: what waited for more bytes is settled. The decoder then stands at the start of a new stream.
    pub fn finish(&mut self, sink: &mut dyn FnMut(Outcome)) {
        self.run_buffer(true, sink);
        if let Some(fault) = self.joiner.finish() {
            self.fault(fault, sink);
        }
        if let (Some((at, count)), false) = (self.exchanges.seen, self.exchanges.settled) {
            let frames = if count == 1 { "frame or APDU" } else { "frames and APDUs" };
            let detail = format!("{count} {frames} of a DLMS session, and no value in them");
            self.fault(Anomaly::new(AnomalyCode::NoValues, at, detail), sink);
        }
        let (settings, base) = (std::mem::take(&mut self.settings), self.base);
        *self = Self { base, bare_at: base, ..Self::new(settings) };
    }

    /// How many bytes the stream had so far.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.base + self.buffer.len() as u64
    }

    fn run_buffer(&mut self, end: bool, sink: &mut dyn FnMut(Outcome)) -> usize {
        // Taken out while it is read, so that handlers may borrow the decoder.
        let mut buffer = std::mem::take(&mut self.buffer);
        let taken = self.run(&buffer, end, sink);
        buffer.drain(..taken);
        self.buffer = buffer;
        taken
    }

    /// Reads what can be read of `bytes`, which stand at `base` of the stream, and returns how many that was.
    fn run(&mut self, bytes: &[u8], end: bool, sink: &mut dyn FnMut(Outcome)) -> usize {
        let mut at = 0;
        self.need = 1;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let position = self.base + at as u64;
            let place = Place { end, at_start: self.at_start, bare: position == self.bare_at };
            let piece = next_piece(rest, place, self.settings.protocol);
            let piece = self.judge(piece, rest, place, position);
            let Some(taken) = rest.get(..piece.len()) else { break };
            match piece {
                Piece::Need(need) => {
                    self.need = need;
                    break;
                }
                Piece::Noise(_) => self.noise(taken, position),
                piece => {
                    // Behind the echo of a request stands what would have stood at the start.
                    self.at_start &= matches!(piece, Piece::Echo(_));
                    self.handle(piece, taken, position, sink);
                }
            }
            at += taken.len();
        }
        self.base += at as u64;
        at
    }

    /// What looks like an enciphered APDU just behind the start of something damaged may be the inside of that frame. It
    /// counts only if it opens; else it is noise, so that it swallows nothing.
    fn judge(&self, piece: Piece, rest: &[u8], place: Place, position: u64) -> Piece {
        let in_damage = self.damage_at.is_some_and(|at| position - at < FRAME_HEAD);
        match &piece {
            Piece::Bare(_, bare) if in_damage && !place.bare => {
                let apdu = rest.get(bare.apdu.clone()).unwrap_or_default();
                if dlms::open(apdu, &self.settings.keys).is_ok() { piece } else { Piece::Noise(1) }
            }
            _ => piece,
        }
    }

    /// Counts what belongs to no telegram, byte by byte: how it was cut into pieces depends on how it came.
    fn noise(&mut self, bytes: &[u8], position: u64) {
        let leading = bytes.iter().take_while(|&&byte| is_idle(byte)).count() as u64;
        if self.bare_at == position {
            // A bare APDU or a data block may stand behind leading blanks as well as at the very start.
            self.bare_at += leading;
        }
        let count = bytes.iter().map(|&byte| u64::from(!is_idle(byte))).sum::<u64>();
        if count > 0 {
            self.at_start = false;
            self.pending.noise.get_or_insert((position + leading, 0)).1 += count;
        }
    }

    fn handle(&mut self, piece: Piece, bytes: &[u8], position: u64, sink: &mut dyn FnMut(Outcome)) {
        match piece {
            Piece::Text(_, telegram) => self.reading(map::text::reading(bytes, &telegram), position, sink),
            Piece::Sml(_, file) => map::sml::readings(bytes, &file, &mut |result| match result {
                Ok(reading) => self.reading(reading, position, sink),
                Err(fault) => self.fault(fault.moved_by(position), sink),
            }),
            Piece::Hdlc(_, frame) => {
                if !frame.carries_information() {
                    self.exchange(position);
                }
                let mut joiner = std::mem::take(&mut self.joiner);
                let joined = joiner.hdlc(&frame, bytes, position);
                self.joined(joined, sink);
                self.joiner = joiner;
            }
            Piece::Mbus(_, frame) => {
                let mut joiner = std::mem::take(&mut self.joiner);
                let joined = joiner.mbus(&frame, bytes, position);
                self.joined(joined, sink);
                self.joiner = joiner;
            }
            Piece::Bare(len, bare) => {
                self.bare_at = position + len as u64;
                let mut joiner = std::mem::take(&mut self.joiner);
                let apdu = bytes.get(bare.apdu.clone()).unwrap_or_default();
                let joined = joiner.apdu(apdu, position + bare.apdu.start as u64);
                self.joined(joined, sink);
                self.joiner = joiner;
            }
            Piece::Damaged(_, fault) => {
                self.damage_at = Some(position);
                self.fault(fault.moved_by(position), sink);
            }
            Piece::Need(_) | Piece::Noise(_) | Piece::Echo(_) => {}
        }
    }

    fn joined(&mut self, joined: dlms::Joined<'_>, sink: &mut dyn FnMut(Outcome)) {
        if let Some(fault) = joined.fault {
            self.fault(fault, sink);
        }
        if let Some(apdu) = joined.apdu {
            let at = apdu.pieces.first().map_or(self.base, |piece| piece.stream);
            self.apdu(apdu.bytes, at, sink);
        }
    }

    fn apdu(&mut self, apdu: &[u8], at: u64, sink: &mut dyn FnMut(Outcome)) {
        let opened = match dlms::open(apdu, &self.settings.keys) {
            Ok(opened) => opened,
            Err(fault) => return self.fault(fault.moved_by(at), sink),
        };
        let replay = self.replay(&opened);
        let result = match opened.plain.first() {
            Some(b'/') => enclosed_text(&opened),
            // Blocks that were enciphered one by one.
            Some(_) if opened.verified != dlms::Verified::Plain && is_block(&opened.plain) => {
                let mut joiner = std::mem::take(&mut self.enclosed);
                let joined = joiner.apdu(&opened.plain, at);
                self.joined(joined, sink);
                self.enclosed = joiner;
                return;
            }
            // The meter's own word on why there are no values.
            Some(0xD8) => map::dlms::reading(&opened, None),
            // Requests and associations in a logged session: nothing to read, and nothing wrong.
            Some(&tag) if !dlms::holds_values(tag) => return self.exchange(at),
            _ => map::dlms::reading(&opened, self.settings.push_list),
        };
        match result {
            Ok(mut reading) => {
                reading.anomalies.extend(replay);
                self.reading(reading, at, sink);
            }
            Err(fault) => self.fault(fault.moved_by(at), sink),
        }
    }

    fn exchange(&mut self, at: u64) {
        self.exchanges.seen.get_or_insert((at, 0)).1 += 1;
    }

    /// A counter that did not rise: a replay, or a meter that was reset. Told, and not dropped.
    fn replay(&mut self, opened: &dlms::Opened<'_>) -> Option<Anomaly> {
        let counter = opened.counter?;
        let (title, last) = self.last_counter.replace((opened.title, counter))?;
        (title == opened.title && counter <= last).then(|| {
            let detail = format!("invocation counter {counter} after {last}: a replay, or the meter was reset");
            Anomaly::new(AnomalyCode::Replay, 0, detail)
        })
    }

    fn reading(&mut self, mut reading: Reading, position: u64, sink: &mut dyn FnMut(Outcome)) {
        self.exchanges.settled = true;
        reading.position += position;
        for anomaly in &mut reading.anomalies {
            anomaly.position += position;
        }
        if !self.pending.is_empty() {
            std::mem::take(&mut self.pending).attach(&mut reading);
        }
        sink(Outcome::Reading(reading));
    }

    fn fault(&mut self, fault: Anomaly, sink: &mut dyn FnMut(Outcome)) {
        self.exchanges.settled = true;
        if self.pending.faults.len() < MAX_FAULTS {
            self.pending.faults.push(fault.clone());
        } else {
            self.pending.more += 1;
        }
        sink(Outcome::Fault(fault));
    }
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.faults.is_empty() && self.noise.is_none()
    }

    fn attach(self, reading: &mut Reading) {
        let mut all = self.faults;
        if self.more > 0 {
            let position = all.last().map_or(0, |last| last.position);
            all.push(Anomaly::new(AnomalyCode::Noise, position, format!("and {} more faults", self.more)));
        }
        if let Some((position, count)) = self.noise {
            let detail = format!("{count} bytes before this telegram belong to none");
            all.push(Anomaly::new(AnomalyCode::Noise, position, detail));
        }
        all.append(&mut reading.anomalies);
        reading.anomalies = all;
    }
}

/// Whether an APDU is one of several blocks: general block transfer, or an answer in data blocks.
fn is_block(plain: &[u8]) -> bool {
    matches!(plain, [0xE0, ..] | [0xC4, 2, ..])
}

/// A P1 telegram that came inside an APDU: checked like any other, and nothing may stand around it.
fn enclosed_text(opened: &dlms::Opened<'_>) -> Result<Reading, Anomaly> {
    let mut reading = match text::cut(&opened.plain, true, false) {
        Cut::Whole { len, value } => map::text::reading(&opened.plain[..len], &value),
        Cut::Damaged { fault, .. } => return Err(fault),
        Cut::Nothing | Cut::More { .. } => {
            return Err(Anomaly::new(AnomalyCode::KeyMismatch, 0, "the deciphered text is no P1 telegram"));
        }
    };
    if opened.verified == dlms::Verified::TagNotChecked {
        let detail = "deciphered without the authentication key: the tag could not be verified";
        reading.suspect(Anomaly::new(AnomalyCode::TagUnverified, 0, detail));
    }
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::dlms::{Data, INVOKE, answer};

    fn decode(bytes: &[u8]) -> (Vec<Reading>, Vec<Anomaly>) {
        let (mut readings, mut faults) = (Vec::new(), Vec::new());
        let mut decoder = Decoder::new(Settings::default());
        let mut sink = |outcome| match outcome {
            Outcome::Reading(reading) => readings.push(reading),
            Outcome::Fault(fault) => faults.push(fault),
        };
        decoder.push(bytes, &mut sink);
        decoder.finish(&mut sink);
        (readings, faults)
    }

    #[test]
    fn a_session_without_values_is_known_for_what_it_is() {
        let snrm = [0x7E, 0xA0, 0x07, 0x03, 0x21, 0x93, 0x0F, 0x01, 0x7E];
        let action = answer::action(INVOKE, 0, None);
        for (bytes, detail) in [
            (&snrm[..], "1 frame or APDU of a DLMS session, and no value in them"),
            (&snrm.repeat(2), "2 frames and APDUs of a DLMS session, and no value in them"),
            (&action, "1 frame or APDU of a DLMS session, and no value in them"),
            (&answer::exception(1, 2), "the meter answers with an exception, state 1, service 2"),
            (&answer::get(INVOKE, Err(3)), "the meter refuses: read or write denied (data-access-result 3)"),
        ] {
            let (readings, faults) = decode(bytes);
            let details: Vec<_> = faults.iter().map(|fault| fault.detail.as_str()).collect();
            assert_eq!((readings.len(), &details[..]), (0, &[detail][..]));
        }
    }

    #[test]
    fn an_answer_in_data_blocks_is_read_like_any_other() {
        let pair = vec![Data::obis(crate::reading::Obis::electricity(1, 8, 0)), Data::U32(12_937)];
        let value = Data::Structure(pair).to_octets();
        let whole =
            decode(&answer::get(INVOKE, Ok(&Data::Null))[..4].iter().chain(&value).copied().collect::<Vec<_>>());
        let (one, two) = value.split_at(5);
        let blocks = [answer::block(INVOKE, false, 1, Ok(one)), answer::block(INVOKE, true, 2, Ok(two))].concat();
        let (readings, faults) = decode(&blocks);
        assert_eq!((readings[0].registers.len(), &faults[..]), (1, &[][..]));
        assert_eq!(readings[0].registers, whole.0[0].registers);
    }
}
