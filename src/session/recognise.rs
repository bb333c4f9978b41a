//! Finding out how a meter is to be read, by listening first and asking then.
//!
//! | what happens | how long |
//! |---|---|
//! | listen at 9600 8N1: SML, optical pushes, text with its parity bits | 2.5 s |
//! | ask at 300 7E1 (IEC 62056-21), read out what answers | 2.7 s without an answer |
//! | open HDLC at 9600 8N1 | 2.5 s without an answer |
//! | listen at 115200 8N1 and 2400 8E1 | until 12 s are over |
//!
//! A line on which nothing moved is given up after these 12 s ([`SILENT`]): the slowest pushes come every 10 s, and any of
//! them shows as bytes at any speed. As soon as bytes come that make no sense, the settings of [`LINES`] are tried in
//! turn, first those whose telegrams take as long as the burst that was heard; each is given the time of one push. That goes
//! on until the patience of the caller is over.

use super::approach::{Approach, Connect, Taken};
use super::ask::ask;
use super::clock::Stopwatch;
use super::connect::reach;
use super::diagnosis::{Answer, Attempt, Cause, Tried};
use super::heard::Heard;
use super::listen::{Patience, listen};
use super::play::{PlayError, Stop};
use crate::acquire::{Decoder, Settings};
use crate::dialogue::dlms::{Access, PUBLIC_CLIENT, Plan, Station, usual_stations};
use crate::dialogue::iec62056::{Options, Speed};
use crate::reading::{Anomaly, Protocol};
use crate::transport::{Link, LinkError};
use crate::wire::Line;
use crate::wire::iec62056::Mode;
use std::time::Duration;

/// After so long a line on which nothing moves is given up.
pub const SILENT: Duration = Duration::from_secs(12);

/// The first look: longer than the period of everything that is sent every second or two.
const FIRST: Duration = Duration::from_millis(2500);

/// Longer than the period of the slowest push and its telegram.
const PERIOD: Duration = Duration::from_millis(11_500);

/// How long a DLMS server that is only looked for in passing may take to answer.
const IN_PASSING: Duration = Duration::from_millis(500);

/// The settings that meters send with by themselves.
pub const LINES: [Line; 9] = [
    Line::eight_none(9600),
    Line::eight_none(115_200),
    Line::eight_even(2400),
    Line::eight_none(2400),
    Line::eight_even(9600),
    Line::eight_none(19_200),
    Line::eight_none(4800),
    Line::eight_none(38_400),
    Line::eight_none(1200),
];

/// What is known beforehand.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// The line settings that are insisted on.
    pub line: Option<Line>,
    /// How the meter is to be read, if that is known.
    pub way: Option<Way>,
    /// Whom to ask, and how.
    pub sign_on: Options,
    /// How to prove to a DLMS server who we are, and at which addresses to look for one.
    pub access: Access,
    /// The addresses of a DLMS server; none means the usual ones.
    pub stations: Vec<Station>,
    /// How long to go on while bytes come that cannot be read.
    pub patience: Duration,
    /// What the decoder has to know.
    pub decoder: Settings,
}

impl Wishes {
    /// The way to a DLMS server, of whose usual addresses at most so many are tried.
    pub(super) fn connect(&self, sign_on: Option<Options>, line: Option<Line>, most: usize) -> Connect {
        let stations = match self.stations.as_slice() {
            [] => usual_stations(PUBLIC_CLIENT).into_iter().take(most).collect(),
            given => given.to_vec(),
        };
        Connect { sign_on, line, stations, access: self.access.clone() }
    }
}

/// How a meter is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By listening.
    Push,
    /// By asking for a readout, in this mode or the one the meter names.
    Ask(Option<Mode>),
    /// By DLMS behind a sign-on.
    ModeE,
    /// By DLMS from the start.
    Hdlc,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// How to come back.
    pub approach: Approach,
    /// What was read on the way.
    pub taken: Taken,
    /// What was tried before.
    pub attempts: Vec<Attempt>,
    /// Of a meter that sends by itself: it holds what came after that, for [`Visitor`](super::Visitor) to go on with.
    pub decoder: Option<Decoder>,
}

/// Why nothing was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotFound {
    /// No reading came of it.
    #[error("no reading: {}", cause.id())]
    Cause {
        /// Why.
        cause: Cause,
        /// What was tried.
        attempts: Vec<Attempt>,
    },
    /// The link failed, or somebody wished to stop.
    #[error(transparent)]
    Play(#[from] PlayError),
}

/// Finds out how the meter at the other end of `link` is read, and reads it.
///
/// `progress` is told each attempt when it is over.
///
/// # Errors
/// [`NotFound`] with the cause and everything that was tried.
pub fn recognise(
    link: &mut dyn Link,
    wishes: &Wishes,
    stop: &Stop,
    progress: &mut dyn FnMut(&Attempt),
) -> Result<Found, NotFound> {
    let mut search = Search::new(link, wishes, stop, progress);
    let hit = search.run()?;
    let listened = matches!(wishes.way, None | Some(Way::Push)) && search.something_moves() && !search.is_settled();
    let (Some(insisted), None, true) = (wishes.line, &hit, listened) else { return search.end(hit) };
    // Something speaks, but not with the settings that were insisted on: find out which they are.
    let others = Wishes { line: None, ..wishes.clone() };
    let attempts = search.attempts;
    let mut search = Search { attempts, ..Search::new(link, &others, stop, progress) };
    match search.by_bursts()? {
        Some((Approach::Push { line: Some(right) }, _)) => {
            Err(NotFound::Cause { cause: Cause::of_line(insisted, right), attempts: search.attempts })
        }
        _ => search.end(None),
    }
}

/// A way to the meter and what came over it.
type Hit = (Approach, Taken);

/// What a sign-on came to.
struct SignedOn {
    /// What the meter made of it.
    answer: Answer,
    /// Its readout, if one came.
    hit: Option<Hit>,
    /// The line speaks HDLC now.
    is_hdlc: bool,
}

struct Search<'a> {
    link: &'a mut dyn Link,
    wishes: &'a Wishes,
    stop: &'a Stop,
    progress: &'a mut dyn FnMut(&Attempt),
    watch: Stopwatch,
    attempts: Vec<Attempt>,
    /// What was damaged in attempts that gave nothing.
    faults: Vec<Anomaly>,
    /// The one that found a push.
    decoder: Option<Decoder>,
}

impl<'a> Search<'a> {
    fn new(link: &'a mut dyn Link, wishes: &'a Wishes, stop: &'a Stop, progress: &'a mut dyn FnMut(&Attempt)) -> Self {
        Self {
            link,
            wishes,
            stop,
            progress,
            watch: Stopwatch::start(),
            attempts: Vec::new(),
            faults: Vec::new(),
            decoder: None,
        }
    }

    fn end(self, hit: Option<Hit>) -> Result<Found, NotFound> {
        match hit {
            Some((approach, mut taken)) => {
                taken.faults.splice(0..0, self.faults);
                Ok(Found { approach, taken, attempts: self.attempts, decoder: self.decoder })
            }
            None => Err(NotFound::Cause { cause: Cause::of(&self.attempts), attempts: self.attempts }),
        }
    }

    fn run(&mut self) -> Result<Option<Hit>, PlayError> {
        match self.wishes.way {
            None => {}
            Some(Way::Push) if self.wishes.line.is_none() => return self.by_waiting(),
            Some(Way::Push) => {
                let line = self.wishes.line.unwrap_or(LINES[0]);
                return self.hear(line, self.wishes.patience, false);
            }
            Some(Way::Ask(_) | Way::ModeE) => return self.ask(3),
            Some(Way::Hdlc) => return self.connect(self.wishes.line.unwrap_or(LINES[0])),
        }
        let hit = self.first_round()?;
        if hit.is_some() || self.is_settled() {
            return Ok(hit);
        }
        self.by_bursts()
    }

    /// Listens and asks, until something is read, something moves, or [`SILENT`] is over.
    fn first_round(&mut self) -> Result<Option<Hit>, PlayError> {
        let first = self.wishes.line.unwrap_or(LINES[0]);
        let hit = self.hear(first, FIRST, true)?;
        if hit.is_some() || self.something_moves() {
            return Ok(hit);
        }
        let hit = self.ask(1)?;
        if hit.is_some() || self.something_moves() {
            return Ok(hit);
        }
        let hit = self.connect(self.wishes.line.unwrap_or(LINES[0]))?;
        if hit.is_some() || self.something_moves() {
            return Ok(hit);
        }
        self.wait_for_a_burst(SILENT)
    }

    /// Listens only: for a meter that is known to send by itself.
    fn by_waiting(&mut self) -> Result<Option<Hit>, PlayError> {
        let hit = self.hear(LINES[0], FIRST, true)?;
        if hit.is_some() || self.something_moves() {
            return if hit.is_some() { Ok(hit) } else { self.by_bursts() };
        }
        let hit = self.wait_for_a_burst(self.wishes.patience)?;
        if hit.is_some() || self.is_settled() { Ok(hit) } else { self.by_bursts() }
    }

    /// Whatever is sent moves something at any speed, so it hardly matters at which one listens.
    fn wait_for_a_burst(&mut self, until: Duration) -> Result<Option<Hit>, PlayError> {
        for (line, part) in [(LINES[1], 3), (LINES[2], 1)] {
            let total = self.watch.left(until) / part;
            let hit = self.hear(self.wishes.line.unwrap_or(line), total, true)?;
            if hit.is_some() || self.something_moves() {
                return Ok(hit);
            }
        }
        Ok(None)
    }

    /// Something is sent: tries the settings it may be sent with, the likeliest first.
    fn by_bursts(&mut self) -> Result<Option<Hit>, PlayError> {
        if !self.something_moves() {
            return Ok(None);
        }
        let mut lines = match self.wishes.line {
            Some(line) => vec![line],
            None if self.link.line().is_none() => vec![LINES[0]],
            None => LINES.to_vec(),
        };
        while let Some(line) = self.take_likeliest(&mut lines) {
            let left = self.watch.left(self.wishes.patience);
            if left.is_zero() {
                break;
            }
            let hit = self.hear(line, left.min(PERIOD), true)?;
            if hit.is_some() || self.is_settled() {
                return Ok(hit);
            }
        }
        let asked = self.attempts.iter().any(|attempt| attempt.what == Tried::SignOn);
        if asked || self.wishes.way.is_some() { Ok(None) } else { self.ask(1) }
    }

    /// Takes out the settings that what has been heard so far speaks for most.
    fn take_likeliest(&self, lines: &mut Vec<Line>) -> Option<Line> {
        // Telegrams have a few hundred bytes, so how long they take tells the speed.
        let burst = self.attempts.iter().map(|attempt| attempt.heard.burst).max().unwrap_or_default();
        let speed = match burst.as_millis() {
            0..150 => 115_200,
            150..900 => 9600,
            _ => 2400,
        };
        // What showed part of a telegram comes first, what has made noise of it last.
        let rank = |line: &Line| {
            let listened = self.attempts.iter().filter(|attempt| attempt.what == Tried::Listening);
            let before = listened.filter(|attempt| attempt.line == Some(*line) && attempt.heard.bytes > 0);
            let is_promising = before.map(|attempt| attempt.heard.is_promising()).reduce(|a, b| a || b);
            let noise = match is_promising {
                Some(true) => 0,
                None => 1,
                Some(false) => 2,
            };
            (noise, line.baud != speed)
        };
        let (at, _) = lines.iter().enumerate().min_by_key(|(_, line)| rank(line))?;
        Some(lines.remove(at))
    }

    /// Listens with these settings.
    fn hear(&mut self, line: Line, total: Duration, leave_noise: bool) -> Result<Option<Hit>, PlayError> {
        let line = self.set_line(line)?;
        let mut decoder = Decoder::new(self.wishes.decoder.clone());
        let mut taken = Taken::default();
        let watch = Stopwatch::start();
        let patience = Patience { total, leave_noise: leave_noise && line.is_some() };
        let heard = listen(self.link, &mut decoder, patience, self.stop, &mut |outcome| taken.take(outcome))?;
        let taken = self.note(Tried::Listening, line, watch, heard, Answer::None, taken);
        self.decoder = taken.is_some().then_some(decoder);
        Ok(taken.map(|taken| (Approach::Push { line }, taken)))
    }

    /// Asks for a readout, and goes on in DLMS where the meter has nothing else.
    fn ask(&mut self, tries: u8) -> Result<Option<Hit>, PlayError> {
        let mode = match self.wishes.way {
            Some(Way::Ask(mode)) => mode,
            Some(Way::ModeE) => Some(Mode::E),
            _ => self.wishes.sign_on.mode,
        };
        let opening = match self.wishes.line {
            Some(line) if self.wishes.way.is_some() || line.data == 7 => line,
            _ => self.wishes.sign_on.opening,
        };
        let options = Options { tries, mode, opening, ..self.wishes.sign_on.clone() };
        let mut signed_on = self.sign_on(&options)?;
        // What follows its name may be lost in the change of speed: once more without one, or, over a bridge, in the hope that
        // the bridge changes it.
        if matches!(signed_on.answer, Answer::Identified { offers_hdlc: false, .. }) && options.speed == Speed::Offered
        {
            let speed = if self.link.line().is_some() { Speed::Opening } else { Speed::Between };
            signed_on = self.sign_on(&Options { speed, ..options.clone() })?;
        }
        let names_hdlc = matches!(signed_on.answer, Answer::Identified { offers_hdlc: true, .. });
        let may_be_dlms = self.wishes.decoder.protocol.is_none_or(|only| only == Protocol::Dlms);
        if signed_on.hit.is_some() {
            return Ok(signed_on.hit);
        }
        if signed_on.is_hdlc {
            return self.associate(Some(options), None);
        }
        if !(names_hdlc && mode.is_none() && may_be_dlms) {
            return Ok(None);
        }
        // It offers HDLC and gave no readout: sign on once more, for HDLC.
        let options = Options { mode: Some(Mode::E), ..options };
        if self.sign_on(&options)?.is_hdlc { self.associate(Some(options), None) } else { Ok(None) }
    }

    /// Signs on once.
    fn sign_on(&mut self, options: &Options) -> Result<SignedOn, PlayError> {
        let watch = Stopwatch::start();
        let asked = ask(self.link, options.clone(), &self.wishes.decoder, self.stop)?;
        let answer = asked.answer.clone();
        let taken = self.note(Tried::SignOn, Some(options.opening), watch, asked.heard, asked.answer, asked.taken);
        let mode = asked.facts.mode.or(options.mode);
        let approach = match self.link.line() {
            // Over a bridge a telegram of a meter that sends by itself looks like an answer.
            None if asked.is_push => Approach::Push { line: None },
            _ => Approach::Ask(Box::new(Options { mode, ..options.clone() })),
        };
        let hit = taken.map(|taken| (approach, taken));
        Ok(SignedOn { answer, hit, is_hdlc: asked.hdlc.is_some() })
    }

    /// Opens HDLC from the start.
    fn connect(&mut self, line: Line) -> Result<Option<Hit>, PlayError> {
        self.associate(None, Some(line))
    }

    /// Opens a DLMS association, behind a sign-on or on a line of its own.
    fn associate(&mut self, sign_on: Option<Options>, line: Option<Line>) -> Result<Option<Hit>, PlayError> {
        let asked_for = sign_on.is_some() || self.wishes.way.is_some();
        // In passing only the likeliest address is tried.
        let connect = self.wishes.connect(sign_on, line, if asked_for { usize::MAX } else { 1 });
        let watch = Stopwatch::start();
        let pressed = if asked_for { None } else { Some(IN_PASSING) };
        let reached = reach(self.link, &connect, Plan::Registers { only: Vec::new() }, pressed, self.stop)?;
        let line = line.or_else(|| self.link.line());
        let taken = reached.registers();
        let taken = self.note(Tried::Hdlc, line, watch, reached.heard, reached.answer, taken);
        Ok(taken.map(|taken| (Approach::Connect(Box::new(connect)), taken)))
    }

    /// Changes the settings, where this end can.
    fn set_line(&mut self, line: Line) -> Result<Option<Line>, PlayError> {
        match self.link.set_line(line) {
            Ok(()) => Ok(Some(line)),
            Err(LinkError::FixedLine { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Notes an attempt; hands back what was taken if there is a reading in it.
    fn note(
        &mut self,
        what: Tried,
        line: Option<Line>,
        watch: Stopwatch,
        heard: Heard,
        answer: Answer,
        taken: Taken,
    ) -> Option<Taken> {
        let attempt = Attempt { what, line, took: watch.elapsed(), heard, answer };
        (self.progress)(&attempt);
        self.attempts.push(attempt);
        if taken.readings.is_empty() {
            self.faults.extend(taken.faults);
            return None;
        }
        Some(taken)
    }

    fn something_moves(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.heard.bytes > 0)
    }

    /// Whether it is known why there is no reading, so that going on would not help.
    fn is_settled(&self) -> bool {
        matches!(
            Cause::of(&self.attempts),
            Cause::KeyMissing { .. }
                | Cause::KeyMismatch { .. }
                | Cause::ModeEOnly { .. }
                | Cause::Refused { .. }
                | Cause::NoData { .. }
        )
    }
}
