//! Keeping readings in the store, in groups.

use super::args::Globals;
use super::failure::{self, Failure};
use super::words::{count, tr};
use crate::acquire::Receipt;
use crate::detect::log_events;
use crate::reading::{Event, Instant, LogEntry, MeterId, Reading};
use crate::store::{Entry, Inserted, RawPiece, Store};

/// How many readings go into one transaction.
const GROUP: usize = 1000;

/// Raw bytes of one second are joined up to so many.
const PIECE: usize = 256 * 1024;

/// So many pieces wait for readings to be committed with.
const MAX_PIECES: usize = 16;

pub(super) struct Saver {
    store: Store,
    waiting: Vec<Entry>,
    done: Inserted,
    raw: Option<Raw>,
}

/// Where raw bytes go.
struct Raw {
    keep: KeepFor,
    stream: i64,
    pieces: Vec<RawPiece>,
}

/// How long raw telegrams are kept, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeepFor(u32);

impl std::str::FromStr for KeepFor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, days) = match text.char_indices().next_back() {
            Some((at, 'd')) => (text.get(..at), 1),
            Some((at, 'w')) => (text.get(..at), 7),
            Some((at, 'y')) => (text.get(..at), 365),
            _ => (None, 1),
        };
        let days = number.and_then(|number| number.parse::<u32>().ok()?.checked_mul(days));
        days.filter(|&days| days > 0).map(Self).ok_or_else(|| tr!("write it like 30d, 8w or 1y"))
    }
}

impl Saver {
    pub(super) fn open(globals: &Globals) -> anyhow::Result<Self> {
        let store = Store::create(&globals.store_path()?)?;
        Ok(Self { store, waiting: Vec::new(), done: Inserted::default(), raw: None })
    }

    /// Keeps the bytes too, for so long.
    pub(super) fn keep_raw(&mut self, keep: Option<KeepFor>) -> anyhow::Result<()> {
        if let Some(keep) = keep {
            self.raw = Some(Raw { keep, stream: self.store.new_stream()?, pieces: Vec::new() });
        }
        Ok(())
    }

    /// Takes bytes as they came.
    pub(super) fn raw(&mut self, bytes: &[u8], receipt: Receipt, meter: Option<&MeterId>) -> anyhow::Result<()> {
        let Some(raw) = self.raw.as_mut().filter(|_| !bytes.is_empty()) else { return Ok(()) };
        let (at, is_live) = match receipt {
            Receipt::Live(at) => (at, true),
            Receipt::Replay(at) => (at, false),
        };
        match raw.pieces.last_mut() {
            // Small reads of one second are one piece: they pack better.
            Some(last) if last.at.unix_seconds() == at.unix_seconds() && last.bytes.len() < PIECE => {
                last.bytes.extend_from_slice(bytes);
            }
            _ => raw.pieces.push(RawPiece {
                stream: raw.stream,
                at,
                is_live,
                meter: meter.cloned(),
                bytes: bytes.to_vec(),
            }),
        }
        if raw.pieces.len() > MAX_PIECES { self.flush() } else { Ok(()) }
    }

    pub(super) fn keep(&mut self, reading: &Reading, at: Instant, source: &str) -> anyhow::Result<()> {
        let Some(meter) = reading.meter.clone() else {
            return Err(Failure::new(failure::USAGE, "meter.unknown", tr!("the telegram does not name its meter"))
                .tip(tr!("name it: --meter ID"))
                .into());
        };
        self.waiting.push(Entry { meter, at, source: source.to_owned(), reading: reading.clone(), derived: false });
        if self.waiting.len() >= GROUP { self.flush() } else { Ok(()) }
    }

    /// Keeps the entries of a meter's log as events.
    pub(super) fn log(&mut self, entries: &[LogEntry], globals: &Globals) -> anyhow::Result<()> {
        let meter = super::export::choose_meter(&self.store, globals)?;
        let events = log_events(entries, &globals.events()?.rules(), globals.setting()?);
        let events: Vec<Event> =
            events.into_iter().map(|event| Event { meter: Some(meter.clone()), ..event }).collect();
        let put = self.store.put_events(&events)?;
        let (events, new) = (count::events(events.len()), put.added.len());
        globals.note(&tr!("{events} of {meter}, {n} of them new", events, meter, n = new));
        Ok(())
    }

    pub(super) fn finish(mut self) -> anyhow::Result<Inserted> {
        self.flush()?;
        let now = Instant::now();
        if let Some(raw) = &self.raw {
            self.store.forget_raw(now.plus_seconds(-86_400 * i64::from(raw.keep.0)))?;
        }
        self.store.seal(now)?;
        Ok(self.done)
    }

    /// Commits what waits.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        if let Some(raw) = &mut self.raw
            && !raw.pieces.is_empty()
        {
            self.store.keep_raw(&raw.pieces)?;
            raw.pieces.clear();
        }
        if self.waiting.is_empty() {
            return Ok(());
        }
        let done = self.store.insert(&self.waiting)?;
        self.waiting.clear();
        self.done.added += done.added;
        self.done.known += done.known;
        Ok(())
    }
}
