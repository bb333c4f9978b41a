//! What a meter has kept: its load profile and its event log, over a period.

use super::Stopwatch;
use super::ask::ask;
use super::connect::{Reached, reach};
use super::diagnosis::{Answer, Attempt, Cause, Tried};
use super::heard::Heard;
use super::play::{PlayError, Stop, play};
use super::recognise::{LINES, NotFound, Way, Wishes};
use crate::acquire::map::{self, text};
use crate::acquire::{log, profile};
use crate::dialogue::dlms::{Period, Plan};
use crate::dialogue::iec62056::{Options, Programming, Reply, Trouble};
use crate::reading::{Instant, LogEntry, MeterTime, Obis, Protocol, Reading, Zone};
use crate::transport::Link;
use crate::wire::Line;
use crate::wire::iec62056::profile::{TimeForm, query};
use crate::wire::iec62056::{Mode, Password, Query, ReadCommand};
use smol_str::SmolStr;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// The load profile.
    Profile,
    /// The event log.
    Log,
}

/// Which records, and of when.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What is asked for.
    pub records: Records,
    /// The first moment; `None` for as far back as there is.
    pub since: Option<Instant>,
    /// The moment behind the last; `None` for now.
    pub until: Option<Instant>,
    /// The zone of the meter's clock.
    pub zone: Zone,
    /// The password of programming mode, for meters that give nothing without.
    pub password: Option<Password>,
}

/// What the meter gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// The rows of a load profile, each with its own time.
    Rows(Vec<Reading>),
    /// The entries of its logs.
    Log(Vec<LogEntry>),
}

impl Kept {
    /// Without what meters give beyond the period that was asked for. What has no time is kept.
    fn within(self, wanted: &Wanted) -> Self {
        let is_in = |clock: Option<&MeterTime>| {
            let Some(at) = clock.map(|clock| clock.resolve(wanted.zone).earliest()) else { return true };
            wanted.since.is_none_or(|since| at >= since) && wanted.until.is_none_or(|until| at < until)
        };
        match self {
            Self::Rows(rows) => Self::Rows(rows.into_iter().filter(|row| is_in(row.clock.as_ref())).collect()),
            Self::Log(log) => Self::Log(log.into_iter().filter(|entry| is_in(entry.time.as_ref())).collect()),
        }
    }
}

/// Why there are no records.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoRecords {
    /// No meter answered, or none that can be asked.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// The meter says that it has none, or none for us; its words.
    #[error("the meter does not give its records: {0}")]
    Refused(SmolStr),
}

impl From<PlayError> for NoRecords {
    fn from(error: PlayError) -> Self {
        Self::NotFound(error.into())
    }
}

/// The quarter-hour profile of DLMS meters.
const PROFILE: Obis = Obis::new(1, 0, 99, 1, 0, 255);

/// The ways in which meters understand the question: R5 and R6 with seconds, R5 without.
const QUESTIONS: [(ReadCommand, TimeForm); 3] =
    [(ReadCommand::R5, TimeForm::Seconds), (ReadCommand::R6, TimeForm::Seconds), (ReadCommand::R5, TimeForm::Minutes)];

/// Reads what the meter has kept.
///
/// Meters that only send by themselves cannot be asked: they count as silent.
///
/// # Errors
/// [`NoRecords`].
pub fn history(
    link: &mut dyn Link,
    wishes: &Wishes,
    wanted: &Wanted,
    stop: &Stop,
    progress: &mut dyn FnMut(&Attempt),
) -> Result<Kept, NoRecords> {
    let mut asker = Asker { link, wishes, wanted, stop, progress, attempts: Vec::new() };
    let found = match wishes.way {
        Some(Way::ModeE) => asker.behind_sign_on()?,
        Some(Way::Hdlc) => asker.over_hdlc(None, Some(wishes.line.unwrap_or(LINES[0])))?,
        Some(Way::Ask(_)) => asker.in_programming_mode(wishes.sign_on.tries)?,
        Some(Way::Push) => None,
        None => asker.as_it_likes()?,
    };
    let attempts = asker.attempts;
    let found = found.map(|kept| kept.within(wanted));
    found.ok_or_else(|| match refusal(&attempts) {
        Some(words) => NoRecords::Refused(words),
        None => NotFound::Cause { cause: Cause::of(&attempts), attempts }.into(),
    })
}

/// What the last meter that answered said instead of its records.
fn refusal(attempts: &[Attempt]) -> Option<SmolStr> {
    attempts.iter().rev().find_map(|attempt| match &attempt.answer {
        Answer::Refused(words) => Some(words.clone()),
        _ => None,
    })
}

struct Asker<'a> {
    link: &'a mut dyn Link,
    wishes: &'a Wishes,
    wanted: &'a Wanted,
    stop: &'a Stop,
    progress: &'a mut dyn FnMut(&Attempt),
    attempts: Vec<Attempt>,
}

impl Asker<'_> {
    /// Asks as text, once, and as the meter's answer suggests then.
    fn as_it_likes(&mut self) -> Result<Option<Kept>, PlayError> {
        if let Some(kept) = self.in_programming_mode(1)? {
            return Ok(Some(kept));
        }
        if self.offers_hdlc() {
            return self.behind_sign_on();
        }
        if self.is_silent()
            && let Some(kept) = self.over_hdlc(None, Some(self.wishes.line.unwrap_or(LINES[0])))?
        {
            return Ok(Some(kept));
        }
        // A password that was refused is not sent again.
        if refusal(&self.attempts).is_some() { Ok(None) } else { self.in_programming_mode(self.wishes.sign_on.tries) }
    }

    /// Asks for `P.01` or `P.98` in programming mode.
    fn in_programming_mode(&mut self, tries: u8) -> Result<Option<Kept>, PlayError> {
        let clock = |at: Option<Instant>| at.map(|at| at.on_clock(self.wanted.zone));
        let (since, until) = (clock(self.wanted.since), clock(self.wanted.until));
        let table = match self.wanted.records {
            Records::Profile => "P.01",
            Records::Log => "P.98",
        };
        for (command, form) in QUESTIONS {
            let Ok(question) = query(command, table, form, since, until) else { continue };
            match self.put(question, tries)? {
                Some(Reply::Data(data)) => return Ok(Some(self.sort(&text::answer(&data)))),
                Some(Reply::Empty) => return Ok(Some(self.sort(&Reading::new(Protocol::Iec62056)))),
                Some(Reply::Error(_) | Reply::NotUnderstood | Reply::Acknowledged) => {}
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Puts one question; `None` where no programming mode was reached.
    fn put(&mut self, question: Query, tries: u8) -> Result<Option<Reply>, PlayError> {
        let options = Options { tries, ..self.options(self.wishes.sign_on.mode) };
        let (line, watch) = (options.opening, Stopwatch::start());
        let mut dialogue = Programming::new(options, self.wanted.password.clone(), vec![question]);
        play(&mut dialogue, self.link, self.stop)?;
        let (replies, trouble, facts) = dialogue.finish();
        let reply = replies.into_iter().next();
        let mut heard = Heard { bytes: facts.received, ..Heard::default() };
        heard.sample_of(&facts.noise_head);
        let answer = match (&reply, trouble) {
            (Some(Reply::Data(_) | Reply::Empty), _) => Answer::Data,
            (Some(Reply::Error(words)), _) => Answer::Refused(words.clone()),
            (Some(_), _) => Answer::Refused("it does not understand the question".into()),
            (None, Some(Trouble::EchoOnly)) => {
                heard = Heard::default();
                Answer::Echo
            }
            (None, Some(Trouble::Password)) => Answer::Refused(Trouble::Password.to_string().into()),
            (None, _) => Answer::by_name(&facts),
        };
        self.note(Tried::SignOn, Some(line), watch, heard, answer);
        Ok(reply)
    }

    /// Signs on for HDLC.
    fn behind_sign_on(&mut self) -> Result<Option<Kept>, PlayError> {
        let options = self.options(Some(Mode::E));
        let (line, watch) = (options.opening, Stopwatch::start());
        let asked = ask(self.link, options.clone(), &self.wishes.decoder, self.stop)?;
        self.note(Tried::SignOn, Some(line), watch, asked.heard, asked.answer);
        if asked.hdlc.is_some() { self.over_hdlc(Some(options), None) } else { Ok(None) }
    }

    /// Reads the buffer of the profile, or of the logs, by selective access.
    fn over_hdlc(&mut self, sign_on: Option<Options>, line: Option<Line>) -> Result<Option<Kept>, PlayError> {
        let Wanted { since, until, zone, .. } = *self.wanted;
        let period = Period { since, until, zone };
        let plan = match self.wanted.records {
            Records::Profile => Plan::Profile { obis: PROFILE, period },
            Records::Log => Plan::Log { only: None, period },
        };
        let way = self.wishes.connect(sign_on, line, usize::MAX);
        let watch = Stopwatch::start();
        let Reached { heard, answer, values } = reach(self.link, &way, plan, None, self.stop)?;
        let is_data = answer == Answer::Data;
        self.note(Tried::Hdlc, line.or_else(|| self.link.line()), watch, heard, answer);
        Ok(is_data.then(|| match self.wanted.records {
            Records::Profile => Kept::Rows(map::dlms::rows(&values, PROFILE)),
            Records::Log => {
                let logs = map::dlms::profiles(&values);
                Kept::Log(logs.into_iter().flat_map(|log| map::dlms::entries(&values, log)).collect())
            }
        }))
    }

    fn sort(&self, answer: &Reading) -> Kept {
        match self.wanted.records {
            Records::Profile => Kept::Rows(profile::rows(answer)),
            Records::Log => Kept::Log(log::entries(answer)),
        }
    }

    fn options(&self, mode: Option<Mode>) -> Options {
        let opening = self.wishes.line.filter(|line| line.data == 7).unwrap_or(self.wishes.sign_on.opening);
        Options { mode, opening, ..self.wishes.sign_on.clone() }
    }

    fn note(&mut self, what: Tried, line: Option<Line>, watch: Stopwatch, heard: Heard, answer: Answer) {
        let attempt = Attempt { what, line, took: watch.elapsed(), heard, answer };
        (self.progress)(&attempt);
        self.attempts.push(attempt);
    }

    fn offers_hdlc(&self) -> bool {
        self.attempts.iter().any(|attempt| matches!(attempt.answer, Answer::Identified { offers_hdlc: true, .. }))
    }

    fn is_silent(&self) -> bool {
        self.attempts.iter().all(|attempt| attempt.heard.bytes == 0)
    }
}
