//! The one who reads: one meter, over whatever becomes of its port.

use super::line::LineWatch;
use super::notice::{Event, Kept, Notice};
use super::plan::{ASKING, Plan};
use super::port::Port;
use super::queue::Pushed;
use super::quiet::Quiet;
use super::refusal::Refusal;
use super::schedule::Schedule;
use super::shared::Shared;
use super::thin::Thinner;
use crate::acquire::{Decoder, Receipt, timestamp};
use crate::detect::Rules;
use crate::reading::{AnomalyCode, Instant, MeterId};
use crate::session::{
    Approach, Attempt, Cause, Found, LINES, NotFound, PlayError, Received, Visited, Visitor, recognise,
};
use crate::store::Entry;
use crate::transport::{Link, LinkError};
use smol_str::SmolStr;
use std::sync::Arc;
use std::time::Duration;

/// A port that is away is looked for again after so long, so that it is read again soon after it is back.
const REOPEN: Duration = Duration::from_secs(1);

/// A meter that did not answer is asked again after so long, then after twice that.
const RETRY: Duration = Duration::from_secs(2);

/// How often a meter is asked before it is said not to answer, and left in peace until the next time.
const TRIES: u32 = 3;

/// A push is waited for so long at a time.
const LISTEN: Duration = Duration::from_secs(5);

/// A meter that pushes is said to be silent after so long, or three times its cadence.
const SILENCE: Duration = Duration::from_secs(15);
const LONGEST_SILENCE: Duration = Duration::from_secs(600);

/// After so long without a reading it is found out anew how the meter is read, then after twice that, up to the longest.
const ANEW: Duration = Duration::from_secs(45);
const LONGEST_ANEW: Duration = Duration::from_secs(3600);

/// While nothing is due the port is looked at so often.
const GLANCE: Duration = Duration::from_millis(200);

/// So many readings in a row may lack the name of the meter before that is an error.
const NAMELESS: u32 = 3;

pub(super) struct Reader {
    plan: Plan,
    shared: Arc<Shared>,
    /// Our place among the readers.
    index: usize,
    /// Whether nothing else is logged, so that a port that is refused ends the log.
    alone: bool,
    port: Port,
    approach: Option<Approach>,
    /// In the middle of the stream in which the meter was recognised.
    decoder: Option<Decoder>,
    thinner: Thinner,
    /// Whom we read, once that is known.
    meter: Option<MeterId>,
    nameless: u32,
    said_lack: bool,
    /// Trouble with the port, and trouble with the meter behind it.
    away: Quiet,
    silent: Quiet,
    /// Two meters on one line would take turns for ever.
    changed: Quiet,
    was_open: bool,
    opened: Duration,
    last: Option<Duration>,
    cadence: Option<Duration>,
    anew: Anew,
    line: LineWatch,
}

/// When to find out anew how a meter is read that gives no reading any more.
#[derive(Debug)]
struct Anew {
    wait: Duration,
    at: Duration,
}

/// Why reading over one link ended.
enum End {
    Stopped,
    Lost(LinkError),
    Refused(Refusal),
}

impl From<PlayError> for End {
    fn from(error: PlayError) -> Self {
        match error {
            PlayError::Stopped => Self::Stopped,
            PlayError::Link(error) => Self::Lost(error),
        }
    }
}

impl Reader {
    pub(super) fn new(plan: Plan, shared: Arc<Shared>, index: usize, alone: bool, rules: &Rules) -> Self {
        Self {
            port: Port::new(plan.place.clone()),
            thinner: Thinner::new(plan.interval),
            plan,
            shared,
            index,
            alone,
            approach: None,
            decoder: None,
            meter: None,
            nameless: 0,
            said_lack: false,
            away: Quiet::default(),
            silent: Quiet::default(),
            changed: Quiet::default(),
            was_open: false,
            opened: Duration::ZERO,
            last: None,
            cadence: None,
            anew: Anew { wait: ANEW, at: Duration::ZERO },
            line: LineWatch::new(rules),
        }
    }

    /// What the meter is called in messages.
    pub(super) fn name(&self) -> Option<SmolStr> {
        self.plan.name.clone()
    }

    /// Reads until it is stopped.
    ///
    /// # Errors
    /// What makes going on senseless.
    pub(super) fn run(mut self) -> Result<(), Refusal> {
        while !self.shared.stop.is_set() {
            self.beat();
            let away = self.away.lasts(self.shared.now()).unwrap_or_default();
            let line = self.plan.wishes.line.unwrap_or(LINES[0]);
            match self.port.open(line, away) {
                Ok(Some(mut link)) => match self.over(&mut *link) {
                    End::Stopped => return Ok(()),
                    End::Refused(refusal) => return Err(refusal),
                    End::Lost(error) => self.gone(Some(error)),
                },
                Ok(None) => self.gone(None),
                Err(error) if self.alone && !self.was_open && is_refusal(&error) => return Err(error.into()),
                Err(error) => self.gone(Some(error)),
            }
            self.shared.pause(REOPEN);
        }
        Ok(())
    }

    fn beat(&self) {
        self.shared.beat(self.index);
    }

    fn tell(&self, notice: Notice) {
        self.shared.tell(Event::Notice { name: self.plan.name.clone(), notice: Box::new(notice) });
    }

    fn gone(&mut self, error: Option<LinkError>) {
        let now = self.shared.now();
        self.line.gone();
        self.shared.note(self.line.events());
        // Being unplugged has several names, and right after plugging in a port may be denied or busy for a moment.
        let (kind, tries) = match &error {
            Some(LinkError::Denied { .. }) => ("denied", 3),
            Some(LinkError::Busy { .. }) => ("busy", 3),
            Some(LinkError::Line { .. }) => ("line", 1),
            Some(LinkError::NotAPort { .. } | LinkError::NoRfc2217 { .. } | LinkError::Name { .. }) => ("kind", 1),
            _ => ("away", 1),
        };
        let tries = if self.was_open { tries } else { 1 };
        if let Some(word) = self.away.fails(kind, tries, now) {
            self.tell(Notice::Away { error, was_open: self.was_open, times: word.times });
        }
    }

    /// Reads the meter over a link that has just been opened, for as long as it lasts.
    fn over(&mut self, link: &mut dyn Link) -> End {
        self.opened = self.shared.now();
        match self.away.works(self.opened) {
            Some(after) => self.tell(Notice::Back { port: link.name().to_owned(), after }),
            None if !self.was_open => self.tell(Notice::Opened { port: link.name().to_owned() }),
            None => {}
        }
        self.was_open = true;
        // What happened before says nothing about how soon the meter has to be heard from now.
        self.last = None;
        match self.visits(link) {
            Ok(()) => End::Stopped,
            Err(end) => end,
        }
    }

    fn visits(&mut self, link: &mut dyn Link) -> Result<(), End> {
        let mut schedule = Schedule::new(self.plan.interval.unwrap_or(ASKING));
        let mut visitor = self.recognised(link)?;
        // A meter that is back is asked at once, and then when it is due.
        let mut at_once = self.last.is_none();
        let mut tries = 0;
        loop {
            if visitor.listens() {
                let wait = self.silence().saturating_sub(self.unheard()).clamp(Duration::from_millis(100), LISTEN);
                let visited = visitor.visit(link, wait, &self.shared.stop)?;
                self.visited(visited, link.name(), true)?;
            } else {
                let due = match tries {
                    _ if std::mem::take(&mut at_once) => self.shared.now(),
                    0 => schedule.next(Instant::now(), self.shared.now()),
                    tries => self.shared.now() + RETRY * tries,
                };
                self.wait_until(due, link)?;
                let visited = visitor.visit(link, Duration::ZERO, &self.shared.stop)?;
                tries = if self.visited(visited, link.name(), false)? { 0 } else { (tries + 1) % TRIES };
            }
            if self.is_stale() {
                // What is known holds if nothing better is found.
                self.recognise(link)?;
                visitor = self.recognised(link)?;
            }
        }
    }

    /// A visitor by the known approach; found out first where there is none.
    fn recognised(&mut self, link: &mut dyn Link) -> Result<Visitor, End> {
        loop {
            if let Some(approach) = &self.approach {
                return Ok(Visitor::new(approach.clone(), self.plan.wishes.decoder.clone(), self.decoder.take()));
            }
            if !self.recognise(link)? {
                self.shared.pause(REOPEN);
            }
        }
    }

    /// Finds out how the meter is read, and says whether that could be found out.
    fn recognise(&mut self, link: &mut dyn Link) -> Result<bool, End> {
        let shared = Arc::clone(&self.shared);
        let index = self.index;
        let (name, port) = (self.plan.name.clone(), link.name().to_owned());
        let mut progress = |attempt: &Attempt| {
            shared.beat(index);
            let notice = Notice::Tried { port: port.clone(), attempt: attempt.clone() };
            shared.tell(Event::Notice { name: name.clone(), notice: Box::new(notice) });
        };
        let found = recognise(link, &self.plan.wishes, &shared.stop, &mut progress);
        let now = shared.now();
        self.beat();
        match found {
            Ok(Found { approach, taken, decoder, .. }) => {
                self.decoder = decoder;
                let listens = matches!(approach, Approach::Push { .. });
                self.tell(Notice::Recognised { approach: approach.clone() });
                self.approach = Some(approach);
                for received in taken.readings {
                    self.take(received, link.name(), listens)?;
                }
                Ok(true)
            }
            Err(NotFound::Play(error)) => Err(error.into()),
            Err(NotFound::Cause { cause, .. }) => {
                self.anew = Anew { wait: (self.anew.wait * 2).min(LONGEST_ANEW), at: now };
                self.no_reading(cause, link.name(), 1);
                Ok(false)
            }
        }
    }

    /// Whether it is time to find out anew how the meter is read: it has given nothing for long.
    fn is_stale(&self) -> bool {
        let now = self.shared.now();
        let since = self.last.unwrap_or(self.opened).max(self.anew.at);
        self.silent.lasts(now).is_some() && now.saturating_sub(since) >= self.anew.wait.max(3 * self.cadence())
    }

    /// How long nothing has been read.
    fn unheard(&self) -> Duration {
        self.shared.now().saturating_sub(self.last.unwrap_or(self.opened))
    }

    /// How long a meter that pushes may be silent.
    fn silence(&self) -> Duration {
        (3 * self.cadence.unwrap_or_default()).clamp(SILENCE, LONGEST_SILENCE)
    }

    /// How often a reading is to be expected.
    fn cadence(&self) -> Duration {
        match &self.approach {
            Some(Approach::Push { .. }) | None => self.cadence.unwrap_or_default(),
            Some(_) => self.plan.interval.unwrap_or(ASKING),
        }
    }

    /// Takes what a visit gave, and says whether that was a reading.
    fn visited(&mut self, visited: Visited, port: &str, listens: bool) -> Result<bool, End> {
        self.beat();
        let Visited { taken, attempt } = visited;
        self.line.telegrams(taken.readings.len(), taken.faults.len(), self.shared.now(), Instant::now());
        if taken.faults.iter().any(|fault| fault.code == AnomalyCode::KeyMismatch) {
            self.line.undeciphered(Instant::now());
        }
        if taken.readings.is_empty() {
            let cause = Cause::of(std::slice::from_ref(&attempt));
            // A damaged telegram, or a pause between two: no news until it has been long.
            if !listens || self.unheard() >= self.silence() || is_settled(&cause) {
                self.no_reading(cause, port, if listens { 1 } else { TRIES });
            }
            self.line.silent(self.unheard(), self.cadence());
            self.shared.note(self.line.events());
            return Ok(false);
        }
        for received in taken.readings {
            self.take(received, port, listens)?;
        }
        Ok(true)
    }

    fn no_reading(&mut self, cause: Cause, port: &str, tries: u32) {
        if let Some(word) = self.silent.fails(cause.id(), tries, self.shared.now()) {
            let port = port.to_owned();
            self.tell(Notice::NoReading { cause, port, times: word.times, next: word.next });
        }
    }

    /// Keeps a reading.
    fn take(&mut self, received: Received, port: &str, listens: bool) -> Result<(), End> {
        let Received { mut reading, at: received_at } = received;
        let now = self.shared.now();
        let stamped = timestamp(&mut reading, Receipt::Live(received_at), self.plan.zone, self.plan.zone_chosen);
        let named = self.plan.meter.clone().or_else(|| reading.meter.clone());
        self.nameless = if named.is_some() { 0 } else { self.nameless + 1 };
        // Not every list of a meter that sends several has its number in it.
        let Some(meter) = named.or_else(|| self.meter.clone()) else {
            if self.nameless >= NAMELESS || !listens {
                return Err(End::Refused(Refusal::Nameless { port: port.to_owned() }));
            }
            return Ok(());
        };
        self.introduce(&meter, reading.identification.as_ref(), now);
        let is_first = self.last.is_none();
        if let Some(after) = self.silent.works(now) {
            let missed = Some(self.cadence()).filter(|cadence| !cadence.is_zero());
            let missed = missed.map(|cadence| u64::try_from(after.as_micros() / cadence.as_micros()).unwrap_or(0));
            self.tell(Notice::Reads { after, missed });
        } else if let (Some(last), true) = (self.last, listens) {
            self.cadence = Some(now.saturating_sub(last));
        }
        self.last = Some(now);
        self.anew = Anew { wait: ANEW, at: now };
        self.line.heard(&meter, received_at, &reading, stamped.zone);
        self.shared.note(self.line.events());
        if let Some(cause) = Cause::of_reading(&reading)
            && !std::mem::replace(&mut self.said_lack, true)
        {
            self.tell(Notice::Lacks { cause, port: port.to_owned() });
        }
        if listens && !self.thinner.keeps(stamped.at, reading.clock, now) {
            return Ok(());
        }
        reading.meter = Some(meter.clone());
        let kept = Kept { meter: meter.clone(), at: stamped.at, zone: stamped.zone, reading: reading.clone() };
        let asked = self.approach.as_ref().and_then(Approach::source);
        let source = asked.unwrap_or_else(|| reading.protocol.default_source()).to_owned();
        let entry = Entry { meter, at: stamped.at, source, reading, derived: false };
        let cadence = match self.plan.interval {
            // Whoever has just plugged it in wants to see it.
            _ if is_first => Duration::MAX,
            Some(interval) => interval,
            None if listens => Duration::ZERO,
            None => ASKING,
        };
        match self.shared.keep(entry, cadence) {
            Pushed::Refused => return Err(End::Stopped),
            pushed => {
                self.shared.tell(Event::Kept(Box::new(kept)));
                if pushed == Pushed::Last {
                    self.shared.stop.set();
                }
            }
        }
        Ok(())
    }

    /// Says whom we read, where that is news.
    fn introduce(&mut self, meter: &MeterId, identification: Option<&SmolStr>, now: Duration) {
        match &self.meter {
            Some(was) if was != meter => {
                if self.changed.fails("changed", 1, now).is_some() {
                    self.tell(Notice::Changed { was: was.clone(), is: meter.clone() });
                }
            }
            Some(_) => {}
            None => {
                let after = now.saturating_sub(self.opened);
                self.tell(Notice::First { meter: meter.clone(), identification: identification.cloned(), after });
            }
        }
        self.meter = Some(meter.clone());
    }

    /// Looks at the port until then: it may be unplugged, and what is left of an answer is not to be taken for the next.
    fn wait_until(&self, due: Duration, link: &mut dyn Link) -> Result<(), End> {
        let mut buffer = [0; 256];
        loop {
            if self.shared.stop.is_set() {
                return Err(End::Stopped);
            }
            self.beat();
            let left = due.saturating_sub(self.shared.now());
            if left.is_zero() {
                return Ok(());
            }
            link.receive(&mut buffer, left.min(GLANCE)).map_err(End::Lost)?;
        }
    }
}

/// Whether this will not be otherwise the next time.
const fn is_refusal(error: &LinkError) -> bool {
    matches!(
        error,
        LinkError::Busy { .. }
            | LinkError::Denied { .. }
            | LinkError::NotAPort { .. }
            | LinkError::Name { .. }
            | LinkError::NoRfc2217 { .. }
            | LinkError::Line { .. }
    )
}

/// Whether it is known why there is no reading, however soon the next might come.
const fn is_settled(cause: &Cause) -> bool {
    matches!(cause, Cause::KeyMissing { .. } | Cause::KeyMismatch { .. })
}
