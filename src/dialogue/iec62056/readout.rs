//! The data readout: modes A, B and C, and the doorstep of mode E.

use super::session::{Flow, Leave, Session, Task};
use super::talk::Talk;
use super::{Facts, Options, Trouble};
use crate::dialogue::{Dialogue, Event, Step};
use crate::reading::AnomalyCode;
use crate::wire::iec62056::{Mode, OptionSelect, Wanted};
use crate::wire::text::{self, Check, ETX, NAK, STX, Unchecked};
use crate::wire::{Cut, Line, MAX_TELEGRAM};
use std::time::Duration;

/// After a change of speed that failed, the meter may send at the opening speed for so long (6.4.3.2).
const FALLBACK: Duration = Duration::from_millis(2200);

/// What a readout came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The meter's data.
    Data {
        /// Identification and data message as the meter sent them, without echo and parity bits.
        bytes: Vec<u8>,
        /// What says that they are sound.
        check: Check,
    },
    /// The meter is in mode E: HDLC begins on a line of these settings.
    ModeE {
        /// The settings now in force.
        line: Line,
    },
    /// Nothing.
    Failed {
        /// Why, in the last try.
        trouble: Trouble,
        /// What came of the last data message, identification included; empty where none came.
        bytes: Vec<u8>,
    },
}

/// The dialogue that asks for a data readout.
///
/// ```
/// use releve::dialogue::iec62056::{Options, Outcome, Readout};
/// use releve::dialogue::{Dialogue, Event, Step};
/// use std::time::Duration;
///
/// let mut readout = Readout::new(Options::default());
/// // A meter of mode A that answers at once.
/// let mut now = Duration::ZERO;
/// loop {
///     let (event, took) = match readout.step() {
///         Step::Send(message) if message == b"/?!\r\n" => (Event::Sent, 167),
///         Step::Send(_) => (Event::Sent, 0),
///         Step::SetLine(_) => (Event::LineSet(true), 0),
///         Step::Receive(wait) if now.as_millis() > 100 && wait.as_millis() > 2000 => {
///             (Event::Received(b"/ABC@x\r\n1.8.0(00012.5*kWh)\r\n!\r\n"), 1000)
///         }
///         Step::Receive(wait) => (Event::Silence, wait.as_millis() as u64),
///         Step::Pause(wait) => (Event::Paused, wait.as_millis() as u64),
///         Step::Done => break,
///     };
///     now += Duration::from_millis(took);
///     readout.on(event, now);
/// }
/// assert!(matches!(readout.outcome(), Some(Outcome::Data { .. })));
/// ```
#[derive(Debug)]
pub struct Readout(Session<Collect>);

impl Readout {
    /// The longest that a readout waits in all, with the default [`Timing`](super::Timing) and number of tries: three times
    /// a readout of 64 KiB at 300 Bd and its repetition. A readout of 3 kB takes 100 s at 300 Bd.
    pub const LONGEST: Duration = Duration::from_secs(4 * 3600);

    /// A readout.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self(Session::new(options, Collect::default()))
    }

    /// What it came to; `None` before it is done.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        self.0.task.outcome.as_ref().filter(|_| self.0.is_over())
    }

    /// What it met on its way.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.0.talk.facts
    }

    /// Both, without a copy. A dialogue that was not played to its end counts as stopped.
    #[must_use]
    pub fn finish(self) -> (Outcome, Facts) {
        let stopped = Outcome::Failed { trouble: Trouble::Cancelled, bytes: Vec::new() };
        (self.0.task.outcome.unwrap_or(stopped), self.0.talk.facts)
    }
}

impl Dialogue for Readout {
    fn step(&self) -> Step<'_> {
        self.0.talk.step()
    }

    fn on(&mut self, event: Event<'_>, now: Duration) {
        self.0.on(event, now);
        if self.0.is_over()
            && let Some(trouble) = self.0.trouble.take()
        {
            self.0.task.fail(trouble);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    /// Of mode E: the meter is to repeat the option select.
    Confirming,
    #[default]
    Collecting,
    FallingBack,
    BeforeNak,
    Nak,
}

/// Collects the data message.
#[derive(Debug, Default)]
struct Collect {
    phase: Phase,
    /// When the message under way was first waited for.
    since: Duration,
    /// How much of it has been looked at for its end.
    looked: usize,
    has_fallen_back: bool,
    has_said_nak: bool,
    /// Data whose beginning is missing: better than none, if no try does better.
    doubtful: Option<Outcome>,
    /// What came of the last message.
    bytes: Vec<u8>,
    outcome: Option<Outcome>,
}

impl Task for Collect {
    const WANTED: Wanted = Wanted::Readout;

    fn begin(&mut self, talk: &mut Talk, mode: Mode) -> Flow {
        let doubtful = self.doubtful.take();
        let phase = if mode == Mode::E { Phase::Confirming } else { Phase::Collecting };
        *self = Self { phase, doubtful, ..Self::default() };
        self.await_message(talk);
        // What stood behind the identification may be all of it.
        if phase == Phase::Confirming { self.confirm(talk) } else { self.look(talk) }
    }

    fn on(&mut self, talk: &mut Talk, event: Event<'_>) -> Flow {
        match (self.phase, event) {
            (Phase::Confirming, Event::Received(_)) => self.confirm(talk),
            (Phase::Collecting, Event::Received(_)) => self.look(talk),
            (Phase::Confirming | Phase::Collecting, _) => self.settle(talk),
            (Phase::FallingBack, _) => {
                self.phase = Phase::Collecting;
                // In mode E parity bits were expected; here they are what they were before.
                talk.ear.settle_parity(talk.facts.parity_bits, &mut talk.facts);
                self.await_message(talk);
                talk.listen(talk.now() + FALLBACK);
                Flow::Going
            }
            (Phase::BeforeNak, _) => {
                self.phase = Phase::Nak;
                talk.send(&[NAK]);
                Flow::Going
            }
            (Phase::Nak, _) => {
                self.phase = Phase::Collecting;
                self.await_message(talk);
                Flow::Going
            }
        }
    }
}

impl Collect {
    fn await_message(&mut self, talk: &mut Talk) {
        self.since = talk.now();
        self.looked = 0;
        talk.listen(talk.now() + talk.first());
    }

    /// Waits for more of a message: a while for the next byte, and not for ever for the last one.
    fn listen(&self, talk: &mut Talk) {
        let timing = talk.options.timing;
        let first = self.since + talk.first();
        let whole = first + timing.whole + talk.line.time_of(talk.ear.heard());
        let next = if talk.ear.rest().is_empty() { first } else { talk.now() + timing.between };
        talk.listen(next.min(whole));
    }

    fn confirm(&mut self, talk: &mut Talk) -> Flow {
        let new = talk.ear.rest();
        let is_confirmation = |rate| new.starts_with(&OptionSelect { rate, wanted: Wanted::Hdlc }.encode());
        // A flag of HDLC says the same.
        if new.first() == Some(&0x7E) || (b'0'..=b'6').any(is_confirmation) {
            self.outcome = Some(Outcome::ModeE { line: talk.line });
            return Flow::Done(Leave::Stay);
        }
        if new.contains(&STX) || new.len() > 6 {
            // It goes on as in mode C.
            self.phase = Phase::Collecting;
            talk.facts.mode = Some(Mode::C);
            return self.look(talk);
        }
        self.listen(talk);
        Flow::Going
    }

    /// Looks whether the message is whole.
    fn look(&mut self, talk: &mut Talk) -> Flow {
        if talk.ear.all().len() >= MAX_TELEGRAM || talk.ear.heard() >= 2 * MAX_TELEGRAM {
            return Flow::Failed(Trouble::TooLong);
        }
        let new = talk.ear.rest();
        if talk.has_changed() && !self.has_fallen_back && is_garbled(new) {
            return self.fall_back(talk);
        }
        let fresh = new.get(self.looked.min(new.len())..).unwrap_or_default();
        // Only behind an end mark or ETX can it be.
        if memchr::memchr2(b'!', ETX, fresh).is_none() {
            self.looked = new.len();
        } else if let Some(flow) = self.cut(talk, false) {
            return flow;
        }
        self.listen(talk);
        Flow::Going
    }

    /// Nothing more comes for now.
    fn settle(&mut self, talk: &mut Talk) -> Flow {
        if let Some(flow) = self.cut(talk, true) {
            return flow;
        }
        talk.facts.naks += u32::from(talk.ear.rest() == [NAK]);
        if talk.has_changed() && !self.has_fallen_back {
            return self.fall_back(talk);
        }
        Flow::Failed(Trouble::NoData)
    }

    /// The change of speed failed: the meter may be sending at the opening speed.
    fn fall_back(&mut self, talk: &mut Talk) -> Flow {
        talk.facts.switch_failed = true;
        self.has_fallen_back = true;
        talk.drop_noise(usize::MAX);
        self.phase = Phase::FallingBack;
        talk.set_line(talk.options.opening);
        Flow::Going
    }

    /// What the message is, if that can be told; `end` says that no more of it comes.
    fn cut(&mut self, talk: &mut Talk, end: bool) -> Option<Flow> {
        let bytes = talk.ear.all();
        match text::cut(bytes, end, false) {
            Cut::Whole { len, value } => {
                let bytes = bytes.get(..len).unwrap_or_default().to_vec();
                let data = Outcome::Data { bytes, check: value.check };
                talk.facts.sums |= value.check == Check::Sum;
                if value.check == Check::Unchecked(Unchecked::NoStx) {
                    talk.facts.switch_failed |= talk.has_changed();
                    self.doubtful = Some(data);
                    return Some(Flow::Failed(Trouble::StartLost));
                }
                self.outcome = Some(data);
                Some(Flow::Done(Leave::Line))
            }
            Cut::Damaged { fault, .. } => {
                self.bytes = bytes.to_vec();
                if fault.code != AnomalyCode::Checksum {
                    return end.then_some(Flow::Failed(Trouble::BrokenOff));
                }
                talk.facts.bad_checks += 1;
                Some(self.repeat(talk))
            }
            Cut::Nothing | Cut::More { .. } => None,
        }
    }

    /// Asks for the message once more.
    fn repeat(&mut self, talk: &mut Talk) -> Flow {
        if self.has_said_nak {
            return Flow::Failed(Trouble::BlockCheck);
        }
        self.has_said_nak = true;
        self.phase = Phase::BeforeNak;
        talk.ear.again();
        talk.pause(talk.now() + talk.reaction());
        Flow::Going
    }

    fn fail(&mut self, trouble: Trouble) {
        // What was read before somebody stopped, or the link went, is read.
        if self.outcome.is_some() {
            return;
        }
        let bytes = std::mem::take(&mut self.bytes);
        let failed = Outcome::Failed { trouble, bytes };
        let is_link = matches!(trouble, Trouble::Lost | Trouble::Cancelled);
        self.outcome = Some(self.doubtful.take().filter(|_| !is_link).unwrap_or(failed));
    }
}

/// Whether this is what a line of another speed sounds like: no STX, and less than half of it text.
fn is_garbled(bytes: &[u8]) -> bool {
    const ENOUGH: usize = 16;
    let text = bytes.iter().filter(|byte| matches!(**byte, b' '..=b'~' | b'\r' | b'\n')).count();
    bytes.len() >= ENOUGH && text * 2 < bytes.len() && !bytes.contains(&STX)
}
