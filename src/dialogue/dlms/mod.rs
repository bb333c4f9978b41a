//! Reading a DLMS meter: HDLC connection, association, GET after GET, and a goodbye on every way out.
//!
//! ```text
//! SNRM ─► UA   for each address that may be the meter's
//! AARQ ─► AARE, with GMAC: ACTION ─► its answer
//! GET  ─► data, GET next ─► further blocks
//! RLRQ ─► RLRE
//! DISC ─► UA   also after an error, and when somebody wishes to stop
//! ```
//!
//! # How long it takes, at most
//! A frame is sent four times, each time waiting [`Config::response`] (1.5 s unless given), or as long as an answer is
//! coming in, but then no longer than two frames of the largest size take. So an exchange ends after 4 × (1.5 s + 4.3 s)
//! at 9600 baud, and after 6 s where nothing comes. The addresses of a search are tried once, then once more without
//! parameters: 3 s for each (6 s for a single one), and 1.5 s for the goodbye. All in all [`Config::budget`] bounds it:
//! once it is over, nothing more is asked and the DISC follows. When somebody wishes to stop, the DISC is sent at once and
//! the end comes within 0.45 s.

mod association;
mod config;
mod connection;
mod farewell;
mod outcome;
mod plan;
mod transfer;

pub use self::association::{Access, Counter, Gmac};
pub use self::config::{Config, PUBLIC_CLIENT, usual_stations};
pub use self::connection::{Noticed, Station};
pub use self::outcome::{Outcome, Trouble};
pub use self::plan::{Known, Period, Plan};

use self::association::{Accepted, Association};
use self::config::Timing;
use self::connection::{Connection, Heard};
use self::farewell::Farewell;
use self::plan::{Query, Work};
use self::transfer::{Progress, Transfer};
use super::{Dialogue, Event, Step};
use crate::wire::dlms::{Attribute, Refusal, Value, release_request};
use std::time::Duration;

/// Addresses that are searched, at most.
const MOST_STATIONS: usize = 16;
/// How often a connection that breaks is opened again.
const REOPENINGS: u8 = 2;
/// Octets of values that are kept, at most: two months of quarter hours take 250 kB.
const MOST_KEPT: usize = 8 << 20;

/// Where the dialogue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    SettingLine,
    /// SNRM to one of the stations.
    Opening {
        station: usize,
        round: u8,
    },
    /// SNRM once more, after the connection broke.
    Reopening,
    Associating,
    Proving,
    Reading,
    Releasing,
    Closing,
    /// Somebody wished to stop.
    Leaving,
    Done,
}

/// What this visit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visit {
    /// As the public client, only to read the invocation counter.
    Counter(Attribute),
    /// The plan.
    Plan,
}

/// The dialogue of a client.
#[derive(Debug)]
pub struct Client {
    config: Config,
    connection: Connection,
    association: Association,
    visit: Visit,
    stage: Stage,
    work: Work,
    transfer: Option<Transfer>,
    /// The counter that was read.
    counter: Option<u32>,
    reopenings: u8,
    /// Whether the meter is the one that something is known of.
    is_known: bool,
    refused: bool,
    kept: usize,
    farewell: Option<Farewell>,
    outcome: Outcome,
}

/// The class and attribute of an invocation counter.
const COUNTER_CLASS: u16 = 1;

impl Client {
    /// A dialogue at its beginning.
    #[must_use]
    pub fn new(mut config: Config) -> Self {
        config.stations.truncate(MOST_STATIONS);
        let timing = Timing { response: config.response, line: config.line.or(config.speed) };
        let visit = match config.access.counter_object() {
            Some(obis) => Visit::Counter(Attribute::new(COUNTER_CLASS, obis, 2)),
            None => Visit::Plan,
        };
        let mut client = Self {
            connection: Connection::new(timing, config.limits),
            association: Association::new(Access::Public, None),
            visit,
            stage: Stage::SettingLine,
            work: Work::new(Plan::Attributes(Vec::new())),
            transfer: None,
            counter: None,
            reopenings: 0,
            is_known: false,
            refused: false,
            kept: 0,
            farewell: None,
            outcome: Outcome::default(),
            config,
        };
        if client.config.line.is_none() {
            client.search();
        }
        client
    }

    /// What has come of it so far.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// What came of it.
    #[must_use]
    pub fn into_outcome(self) -> Outcome {
        self.outcome
    }

    /// Begins the visit.
    fn search(&mut self) {
        self.work = match self.visit {
            Visit::Counter(attribute) => Work::new(Plan::Attributes(vec![attribute])),
            Visit::Plan => Work::new(self.config.plan.clone()),
        };
        self.open(0, 0);
    }

    fn open(&mut self, station: usize, round: u8) {
        let Some(&at) = self.config.stations.get(station) else {
            return self.not_found();
        };
        self.stage = Stage::Opening { station, round };
        let client = if matches!(self.visit, Visit::Counter(_)) { 16 } else { at.client };
        // Of several stations each is heard before any is asked again.
        let tries = if self.config.stations.len() == 1 { 2 } else { 1 };
        self.connection.open(Station { client, ..at }, tries, round > 0);
    }

    fn not_found(&mut self) {
        if self.config.stations.is_empty() {
            self.outcome.trouble = Some(Trouble::NoAnswer { echo: false, octets: 0 });
            return self.finish();
        }
        let noticed = self.connection.noticed;
        let trouble = if self.refused {
            Trouble::Refused
        } else {
            Trouble::NoAnswer { echo: noticed.echo, octets: noticed.octets }
        };
        self.close(Some(trouble));
    }

    /// Ends with DISC, whatever the state of the connection: a meter that took a lost SNRM for one must not stay open.
    fn close(&mut self, trouble: Option<Trouble>) {
        if self.outcome.trouble.is_none() {
            self.outcome.trouble = trouble;
        }
        self.transfer = None;
        self.stage = Stage::Closing;
        // A meter that was silent all the time will hardly answer this.
        let silent = matches!(self.outcome.trouble, Some(Trouble::NoAnswer { .. } | Trouble::Silent));
        self.connection.close(if silent { 1 } else { 2 });
    }

    fn heard(&mut self, heard: Heard) {
        match (self.stage, heard) {
            (Stage::Opening { .. } | Stage::Reopening, Heard::Open) => {
                self.outcome.station = Some(self.connection.station());
                self.outcome.limits = self.connection.limits();
                self.associate();
            }
            (Stage::Opening { station, round }, heard) => {
                self.refused |= heard == Heard::NoConnection;
                if station + 1 < self.config.stations.len() {
                    self.open(station + 1, round);
                } else if round == 0 {
                    self.open(0, 1);
                } else {
                    self.not_found();
                }
            }
            (Stage::Reopening, _) => self.close(Some(Trouble::Closed)),
            (Stage::Associating | Stage::Proving | Stage::Reading, Heard::Answer(apdu)) => {
                if let Err(trouble) = self.answer(&apdu) {
                    self.close(Some(trouble));
                }
            }
            (Stage::Associating | Stage::Proving | Stage::Reading, Heard::NoConnection | Heard::Confused) => {
                self.reopen();
            }
            (Stage::Associating | Stage::Proving | Stage::Reading, Heard::Garbled(what)) => {
                self.close(Some(Trouble::Nonsense(what)));
            }
            (Stage::Associating | Stage::Proving | Stage::Reading, _) => self.close(Some(Trouble::Silent)),
            (Stage::Releasing, _) => self.close(None),
            (Stage::Closing, _) => self.closed(),
            (Stage::SettingLine | Stage::Leaving | Stage::Done, _) => {}
        }
    }

    fn associate(&mut self) {
        let access = match self.visit {
            Visit::Counter(_) => Access::Public,
            Visit::Plan => self.config.access.clone(),
        };
        // A connection opened again goes on counting where the first one stopped.
        let counter = self.association.counter().or(self.counter);
        self.association = Association::new(access, counter);
        match self.association.request() {
            Ok(apdu) => {
                self.stage = Stage::Associating;
                self.connection.request(&apdu);
            }
            Err(trouble) => self.close(Some(trouble)),
        }
    }

    /// The server has lost the connection: once or twice it is opened anew, and the question asked again.
    fn reopen(&mut self) {
        if self.reopenings >= REOPENINGS {
            return self.close(Some(Trouble::Closed));
        }
        self.reopenings += 1;
        if let Some(transfer) = self.transfer.take() {
            self.transfer = Some(Transfer::new(transfer.query));
        }
        let station = self.connection.station();
        self.stage = Stage::Reopening;
        self.connection.open(station, 2, false);
    }

    fn answer(&mut self, apdu: &[u8]) -> Result<(), Trouble> {
        match self.stage {
            Stage::Associating => {
                let accepted = self.association.accept(apdu);
                self.outcome.title = self.association.server_title().or(self.outcome.title);
                self.outcome.agreed = self.association.agreed;
                match accepted? {
                    Accepted::Open => self.ask(),
                    Accepted::Prove => {
                        let proof = self.association.prove()?;
                        self.stage = Stage::Proving;
                        self.connection.request(&proof);
                        Ok(())
                    }
                }
            }
            Stage::Proving => {
                self.association.verify(apdu)?;
                self.ask()
            }
            _ => {
                let plain = self.association.open(apdu)?.into_owned();
                if let [0xD8, _, 5 | 6, ..] = plain[..] {
                    return Err(association::exception(&plain));
                }
                let Some(transfer) = &mut self.transfer else { return self.ask() };
                match transfer.take(&plain) {
                    Progress::Ask(next) => self.send(&next),
                    Progress::Done(result) => {
                        let query = transfer.query;
                        self.transfer = None;
                        self.took(query, result);
                        self.ask()
                    }
                }
            }
        }
    }

    fn send(&mut self, apdu: &[u8]) -> Result<(), Trouble> {
        let sealed = self.association.seal(apdu)?;
        self.connection.request(&sealed);
        Ok(())
    }

    /// Keeps an answer, and lets the plan go on from it.
    fn took(&mut self, query: Query, result: Result<Box<[u8]>, Refusal>) {
        let Query { attribute, selection } = query;
        let size = result.as_ref().map_or(0, |octets| octets.len());
        let result = if self.kept + size > MOST_KEPT { Err(Refusal::TooLong) } else { result };
        self.kept += result.as_ref().map_or(0, |octets| octets.len());
        let value = Value { attribute, selection, result };
        self.is_known |= self.config.known.is_name(&value);
        self.work.take(&value);
        match self.visit {
            Visit::Counter(_) => {
                let read = value.tree().and_then(|tree| tree.root().integer());
                self.counter = read.and_then(|counter| u32::try_from(counter).ok()).map(|last| last.saturating_add(1));
            }
            Visit::Plan => self.outcome.values.push(value),
        }
        let closed = self.work.closed().into_iter();
        let closed = closed.map(|attribute| Value { attribute, selection: None, result: Err(Refusal::Closed) });
        self.outcome.values.extend(closed);
    }

    /// Asks the next thing, or begins to take leave.
    fn ask(&mut self) -> Result<(), Trouble> {
        self.stage = Stage::Reading;
        loop {
            // What was under way when the connection broke is asked again.
            let query = match self.transfer.take().map(|transfer| transfer.query).or_else(|| self.work.next()) {
                Some(query) => query,
                None => return self.release(),
            };
            if let Some(known) = self.config.known.get(query, self.is_known) {
                let known = known.into();
                self.took(query, Ok(known));
                continue;
            }
            let transfer = Transfer::new(query);
            let apdu = transfer.request();
            self.transfer = Some(transfer);
            return self.send(&apdu);
        }
    }

    fn release(&mut self) -> Result<(), Trouble> {
        self.stage = Stage::Releasing;
        let apdu = release_request(&[]);
        self.connection.request(&apdu);
        Ok(())
    }

    /// The connection is closed: the plan is next, or nothing is.
    fn closed(&mut self) {
        if let (Visit::Counter(_), None) = (self.visit, &self.outcome.trouble) {
            if self.counter.is_none() {
                self.outcome.trouble = Some(Trouble::NoCounter);
            } else {
                self.visit = Visit::Plan;
                return self.search();
            }
        }
        self.finish();
    }

    fn finish(&mut self) {
        self.stage = Stage::Done;
        self.outcome.noticed = self.connection.noticed;
        self.outcome.counter = self.association.counter();
    }
}

impl Dialogue for Client {
    fn step(&self) -> Step<'_> {
        match (self.stage, self.config.line, &self.farewell) {
            (Stage::SettingLine, Some(line), _) => Step::SetLine(line),
            (Stage::Leaving, _, Some(farewell)) => farewell.step(),
            (Stage::Done | Stage::SettingLine | Stage::Leaving, _, _) => Step::Done,
            _ => self.connection.step(),
        }
    }

    fn on(&mut self, event: Event<'_>, now: Duration) {
        match (event, self.stage) {
            (_, Stage::Done) => {}
            (Event::Lost, _) => {
                self.outcome.trouble.get_or_insert(Trouble::Lost);
                self.finish();
            }
            // Said twice, it is urgent; and where nothing was sent there is nobody to take leave of.
            (Event::Cancelled, Stage::Leaving | Stage::SettingLine) => {
                self.outcome.trouble.get_or_insert(Trouble::Cancelled);
                self.finish();
            }
            (Event::Cancelled, _) => {
                self.outcome.trouble.get_or_insert(Trouble::Cancelled);
                self.farewell = Some(Farewell::new(self.connection.station(), now));
                self.stage = Stage::Leaving;
            }
            // Whether or not it could be set, it is what there is.
            (Event::LineSet(_), Stage::SettingLine) => self.search(),
            (_, Stage::SettingLine) => {}
            (event, Stage::Leaving) => {
                if self.farewell.as_mut().is_none_or(|farewell| farewell.on(event, now)) {
                    self.finish();
                }
            }
            (_, stage) if now >= self.config.budget && !matches!(stage, Stage::Releasing | Stage::Closing) => {
                self.close(Some(Trouble::OutOfTime));
            }
            _ => {
                if let Some(heard) = self.connection.on(event, now) {
                    self.heard(heard);
                }
            }
        }
    }
}
