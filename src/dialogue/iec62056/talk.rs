//! What both dialogues stand on: the step that is under way, and an ear that knows its own voice.

use super::{Facts, Options};
use crate::dialogue::{Event, Step};
use crate::wire::Line;
use std::fmt;
use std::time::Duration;
use zeroize::{Zeroize, Zeroizing};

/// How much of the noise is kept for the diagnosis.
const NOISE_HEAD: usize = 16;

/// Bytes that may be a password: wiped when dropped, and not printed.
#[derive(Default)]
struct Said(Zeroizing<Vec<u8>>);

impl Said {
    fn set(&mut self, bytes: impl ExactSizeIterator<Item = u8>) {
        self.0.zeroize();
        self.0.extend(bytes);
    }

    fn clear(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// The step under way; waits end at a time of the dialogue's clock.
#[derive(Debug, Clone, Copy)]
enum Under {
    Send,
    SetLine(Line),
    Receive(Duration),
    Pause(Duration),
    Done,
}

/// The reader's mouth, ear and watch.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) options: Options,
    pub(super) facts: Facts,
    pub(super) ear: Ear,
    /// The settings in force, as far as this end knows.
    pub(super) line: Line,
    /// Whether anything was sent in this try.
    pub(super) has_spoken: bool,
    /// This try keeps to the opening speed.
    pub(super) stays: bool,
    /// What was sent last must not show up in the diagnosis, as a garbled echo would.
    pub(super) is_secret: bool,
    now: Duration,
    /// When the last message was handed over.
    sent_at: Duration,
    sent_len: usize,
    under: Under,
    out: Said,
}

impl Talk {
    pub(super) fn new(options: Options) -> Self {
        let options = Options { timing: options.timing.bounded(), ..options };
        let line = options.opening;
        Self {
            options,
            facts: Facts::default(),
            ear: Ear::default(),
            line,
            has_spoken: false,
            stays: false,
            is_secret: false,
            now: Duration::ZERO,
            sent_at: Duration::ZERO,
            sent_len: 0,
            under: Under::SetLine(line),
            out: Said::default(),
        }
    }

    pub(super) fn step(&self) -> Step<'_> {
        match self.under {
            Under::Send => Step::Send(&self.out.0),
            Under::SetLine(line) => Step::SetLine(line),
            Under::Receive(until) => Step::Receive(until.saturating_sub(self.now)),
            Under::Pause(until) => Step::Pause(until.saturating_sub(self.now)),
            Under::Done => Step::Done,
        }
    }

    /// Takes the time and what the event itself brings; `false` for an event that is no answer to the step under way.
    pub(super) fn hear(&mut self, event: Event<'_>, now: Duration) -> bool {
        self.now = self.now.max(now);
        match (event, self.under) {
            (Event::Sent, Under::Send) => {
                self.has_spoken = true;
                self.out.clear();
                true
            }
            (Event::LineSet(is_set), Under::SetLine(line)) => {
                if is_set {
                    self.line = line;
                } else {
                    self.facts.line_fixed = true;
                }
                true
            }
            (Event::Received(bytes), Under::Receive(_)) => {
                if !bytes.is_empty() {
                    self.facts.received += bytes.len() as u64;
                    self.ear.hear(bytes, &mut self.facts);
                }
                true
            }
            (Event::Silence, Under::Receive(_)) | (Event::Paused, Under::Pause(_)) => true,
            _ => false,
        }
    }

    /// The time since the dialogue began.
    pub(super) const fn now(&self) -> Duration {
        self.now
    }

    pub(super) fn send(&mut self, message: &[u8]) {
        let has_bits = self.sends_parity_bits();
        self.out.set(message.iter().map(|&byte| if has_bits { with_parity(byte) } else { byte }));
        self.ear.expect(&self.out.0);
        self.is_secret = false;
        self.sent_at = self.now;
        self.sent_len = message.len();
        self.under = Under::Send;
    }

    /// Whether the parity bits of 7E1 have to be made here: the meter wants them, and a line of eight data bits makes none.
    ///
    /// Before the meter has answered, it is a guess on such a line and on one whose settings are not known: each try then
    /// takes the other way.
    fn sends_parity_bits(&self) -> bool {
        let is_eight = self.line.data == 8;
        let turns = (is_eight || self.facts.line_fixed) && self.facts.tries.is_multiple_of(2);
        self.ear.parity.unwrap_or(is_eight != turns)
    }

    /// When the last bit of what was sent has left the wire, however early the system said so.
    pub(super) fn sent_until(&self) -> Duration {
        self.now.max(self.sent_at + self.line.time_of(self.sent_len))
    }

    /// When the last message was handed over.
    pub(super) const fn sent_at(&self) -> Duration {
        self.sent_at
    }

    pub(super) fn set_line(&mut self, line: Line) {
        self.under = Under::SetLine(line);
    }

    pub(super) fn listen(&mut self, until: Duration) {
        if !self.facts.lines.contains(&self.line) {
            self.facts.lines.push(self.line);
        }
        self.under = Under::Receive(until);
    }

    pub(super) fn pause(&mut self, until: Duration) {
        self.under = Under::Pause(until);
    }

    pub(super) const fn end(&mut self) {
        self.under = Under::Done;
    }

    /// Whether the speed or the character format has been changed since the opening.
    pub(super) fn has_changed(&self) -> bool {
        self.line != self.options.opening
    }

    /// How long to wait for the first byte of an answer.
    pub(super) fn first(&self) -> Duration {
        let timing = self.options.timing;
        if self.has_changed() { timing.changed } else { timing.first }
    }

    /// How long to wait before an answer of ours.
    pub(super) fn reaction(&self) -> Duration {
        let named = self.facts.identification.as_ref().map(|meter| meter.reaction());
        self.options.timing.reaction.or(named).unwrap_or(Duration::from_millis(200))
    }

    /// Forgets the first `count` bytes of what was heard: they belong to nothing.
    pub(super) fn drop_noise(&mut self, count: usize) {
        let from = self.ear.from;
        let noise = self.ear.text.drain(from..from + count.min(self.ear.text.len() - from));
        for byte in noise.filter(|byte| *byte != 0) {
            self.facts.noise += 1;
            if self.facts.noise_head.len() < NOISE_HEAD && !self.is_secret {
                self.facts.noise_head.push(byte);
            }
        }
    }
}

/// What was received and not yet understood.
#[derive(Debug, Default)]
pub(super) struct Ear {
    /// The bytes, echo removed, and parity bits masked once they are known to be there.
    text: Vec<u8>,
    /// Where what is still to be understood begins.
    from: usize,
    /// What was sent and may come back.
    echo: Said,
    /// Whether what is sent comes back; not known before the first answer.
    echoes: Option<bool>,
    /// Whether bytes have parity bits; not known before the identification.
    parity: Option<bool>,
    /// Bytes heard since [`restart`](Self::restart).
    heard: usize,
}

impl Ear {
    /// Forgets everything but what it knows of echo and parity.
    pub(super) fn restart(&mut self) {
        self.text.clear();
        self.from = 0;
        self.heard = 0;
        self.echo.clear();
    }

    /// Forgets that too: a new sign-on.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    fn expect(&mut self, message: &[u8]) {
        if self.echoes != Some(false) {
            let is_masked = self.parity == Some(true);
            self.echo.set(message.iter().map(|&byte| if is_masked { byte & 0x7F } else { byte }));
        }
    }

    fn hear(&mut self, bytes: &[u8], facts: &mut Facts) {
        self.heard += bytes.len();
        if self.parity == Some(true) {
            facts.parity_errors += u32::try_from(bytes.iter().filter(|byte| is_odd(**byte)).count()).unwrap_or(0);
            self.text.extend(bytes.iter().map(|byte| byte & 0x7F));
        } else {
            self.text.extend_from_slice(bytes);
        }
        self.remove_echo(facts);
    }

    /// Removes the echo of what was sent, once it is there to the last byte.
    ///
    /// Before the first answer it may stand behind noise: nothing a meter says begins like a request. Later only what the
    /// head is known to give back is taken for an echo, and only at the beginning.
    fn remove_echo(&mut self, facts: &mut Facts) {
        if self.echo.0.is_empty() {
            return;
        }
        let new = self.text.get(self.from..).unwrap_or_default();
        let at = match self.echoes {
            Some(true) => new.starts_with(&self.echo.0).then_some(0),
            _ => memchr::memmem::find(new, &self.echo.0),
        };
        if let Some(at) = at {
            let range = self.from + at..self.from + at + self.echo.0.len();
            // It may be a password.
            self.text.get_mut(range.clone()).unwrap_or_default().zeroize();
            self.text.drain(range);
            self.echo.clear();
            self.echoes = Some(true);
            facts.echo = true;
        } else if self.echoes == Some(true) && !self.echo.0.starts_with(new) {
            self.echo.clear();
        }
    }

    /// Whether an echo is known to come and is not yet whole.
    pub(super) fn awaits_echo(&self) -> bool {
        self.echoes == Some(true) && !self.echo.0.is_empty()
    }

    /// The first answer has come: what has not come back by now never will.
    pub(super) fn settle_echo(&mut self) {
        self.echoes.get_or_insert(false);
        self.echo.clear();
    }

    /// What was sent has come back all the same.
    pub(super) fn note_echo(&mut self, facts: &mut Facts) {
        self.echoes = Some(true);
        facts.echo = true;
    }

    /// No echo is waited for any longer.
    pub(super) fn forget_echo(&mut self) {
        self.echo.clear();
    }

    /// From now on bytes have parity bits, or not; those that are here are masked.
    pub(super) fn settle_parity(&mut self, has_bits: bool, facts: &mut Facts) {
        if has_bits && self.parity != Some(true) {
            let new = self.text.get_mut(self.from..).unwrap_or_default();
            facts.parity_errors += u32::try_from(new.iter().filter(|byte| is_odd(**byte)).count()).unwrap_or(0);
            for byte in new {
                *byte &= 0x7F;
            }
        }
        self.parity = Some(has_bits);
    }

    /// What is still to be understood.
    pub(super) fn rest(&self) -> &[u8] {
        self.text.get(self.from..).unwrap_or_default()
    }

    /// Everything since the last restart that was not noise.
    pub(super) fn all(&self) -> &[u8] {
        &self.text
    }

    /// How many bytes were heard since the last restart.
    pub(super) const fn heard(&self) -> usize {
        self.heard
    }

    /// The next `count` bytes are understood; they stay in [`all`](Self::all).
    pub(super) fn understood(&mut self, count: usize) {
        self.from = self.text.len().min(self.from + count);
    }

    /// The next `count` bytes are understood and not needed any longer.
    pub(super) fn forget(&mut self, count: usize) {
        let to = self.text.len().min(self.from + count);
        self.text.drain(self.from..to);
    }

    /// Everything that is not understood is to come once more.
    pub(super) fn again(&mut self) {
        self.text.truncate(self.from);
        self.heard = self.text.len();
    }
}

const fn is_odd(byte: u8) -> bool {
    byte.count_ones() % 2 == 1
}

/// A 7-bit character with its even parity bit.
pub(super) const fn with_parity(byte: u8) -> u8 {
    if is_odd(byte) { byte ^ 0x80 } else { byte }
}

/// Whether these bytes look like a 7E1 line received as 8N1: bit 7 is used, and at least 95 % of them have even parity.
pub(super) fn have_parity_bits(bytes: &[u8]) -> bool {
    let odd = bytes.iter().filter(|byte| is_odd(**byte)).count();
    !bytes.is_ascii() && odd * 20 <= bytes.len()
}
