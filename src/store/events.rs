//! Events: what happened, one row for each episode.

use super::block::Damage;
use super::block::bytes::checksum;
use super::names::{all_meters, find_meter};
use super::write::{Entry, Inserted, insert_all};
use super::{Store, StoreError, Trouble};
use crate::reading::{Decimal, Event, Instant, MeterId, Origin, Severity};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params, params_from_iter};
use smol_str::SmolStr;
use std::fmt::Write as _;
use std::ops::Range;

/// An event of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEvent {
    /// Its number, which it keeps.
    pub id: i64,
    /// What happened.
    pub event: Event,
}

/// Which events are asked for; the default is all, the newest first.
#[derive(Debug, Clone, Default)]
pub struct EventQuery {
    /// Of this meter, and those of none.
    pub meter: Option<MeterId>,
    /// That overlap this period.
    pub period: Option<Range<Instant>>,
    /// Of one of these severities; of all where it is empty.
    pub severities: Vec<Severity>,
    /// Of one of these kinds; of all where it is empty.
    pub kinds: Vec<SmolStr>,
    /// Of this origin.
    pub origin: Option<Origin>,
    /// With all these words, or beginnings of words, in the description; accents and case do not count.
    pub words: Option<String>,
    /// With a higher number than this: what is new since it was seen.
    pub above: Option<i64>,
    /// No more than these.
    pub limit: Option<usize>,
    /// That are not over yet.
    pub open: bool,
    /// The oldest first.
    pub oldest_first: bool,
}

/// What becomes of the events of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventChange {
    /// It is kept. One of the same meter, kind, phase, start and origin gives way to it.
    Put(Event),
    /// The one of the same meter, kind, phase, start and origin goes.
    Drop(Event),
}

/// What putting events in came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PutEvents {
    /// The numbers of those that are new.
    pub added: Vec<i64>,
    /// How many were there, and are now told more fully: an episode that went on or ended.
    pub changed: usize,
    /// How many were there just so.
    pub same: usize,
    /// How many were taken out.
    pub dropped: usize,
}

impl Store {
    /// Keeps events. One of the same meter, kind, phase, start and origin takes the place of the one there is.
    ///
    /// # Errors
    /// [`StoreError`], naming the file; none of them is kept then. An event of a meter the store does not have is left out.
    pub fn put_events(&mut self, events: &[Event]) -> Result<PutEvents, StoreError> {
        self.write(|connection, _| {
            let mut done = PutEvents::default();
            for event in events {
                put(connection, event, &mut done)?;
            }
            Ok(done)
        })
    }

    /// Keeps readings and what was found in them, in one transaction: all of it or, on an error, nothing.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn keep(&mut self, entries: &[Entry], changes: &[EventChange]) -> Result<(Inserted, PutEvents), StoreError> {
        self.write(|connection, names| {
            let inserted = insert_all(connection, names, entries)?;
            let mut done = PutEvents::default();
            for change in changes {
                match change {
                    EventChange::Put(event) => put(connection, event, &mut done)?,
                    EventChange::Drop(event) => {
                        if let Some((_, Some(there))) = find(connection, event)? {
                            connection.prepare_cached("DELETE FROM event WHERE id = ?1")?.execute([there.id])?;
                            done.dropped += 1;
                        }
                    }
                }
            }
            Ok((inserted, done))
        })
    }

    /// The kinds of events there are.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn event_kinds(&self) -> Result<Vec<SmolStr>, StoreError> {
        self.read(|connection, _| {
            let mut statement = connection.prepare_cached("SELECT DISTINCT kind FROM event ORDER BY kind")?;
            let kinds = statement.query_map([], |row| row.get::<_, String>(0))?;
            Ok(kinds.map(|kind| kind.map(SmolStr::from)).collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The number of the event that came last; 0 where there is none.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn last_event(&self) -> Result<i64, StoreError> {
        self.read(|connection, _| {
            Ok(connection.query_row("SELECT coalesce(max(id), 0) FROM event", [], |row| row.get(0))?)
        })
    }

    /// How many events were asked for.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn count_events_of(&self, wanted: &EventQuery) -> Result<u64, StoreError> {
        self.read(|connection, _| {
            let Some((filter, values)) = filter(connection, wanted)? else { return Ok(0) };
            let sql = format!("SELECT count(*) FROM event WHERE {filter}");
            let count: i64 = connection.query_row(&sql, params_from_iter(values), |row| row.get(0))?;
            Ok(u64::try_from(count).unwrap_or_default())
        })
    }

    /// Takes events out: those that `wanted` finds. How many there were.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn drop_events(&mut self, wanted: &EventQuery) -> Result<usize, StoreError> {
        self.write(|connection, _| {
            let Some((filter, values)) = filter(connection, wanted)? else { return Ok(0) };
            let sql = format!("DELETE FROM event WHERE id IN (SELECT id FROM event WHERE {filter})");
            Ok(connection.execute(&sql, params_from_iter(values))?)
        })
    }

    /// The events that were asked for.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn events(&self, wanted: &EventQuery) -> Result<Vec<KeptEvent>, StoreError> {
        self.read(|connection, _| {
            let Some((filter, mut values)) = filter(connection, wanted)? else { return Ok(Vec::new()) };
            let order = if wanted.oldest_first { "at, id" } else { "at DESC, id DESC" };
            let limit = wanted.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
            values.push(Value::Integer(limit));
            let sql = format!("SELECT * FROM event WHERE {filter} ORDER BY {order} LIMIT ?");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            let mut found = Vec::new();
            let meters = all_meters(connection)?;
            while let Some(row) = rows.next()? {
                let line = Line::read(row)?;
                let meter = meters.iter().find(|meter| meter.row == line.meter);
                found.push(line.kept(row, meter.map(|meter| meter.identifier.clone()))?);
            }
            Ok(found)
        })
    }

    /// How many events there are.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn count_events(&self) -> Result<u64, StoreError> {
        self.read(|connection, _| {
            let count: i64 = connection.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?;
            Ok(u64::try_from(count).unwrap_or_default())
        })
    }
}

/// The meter of an event, and the event that is known by the same; `None` for a meter the store does not have.
fn find(connection: &Connection, event: &Event) -> Result<Option<(i64, Option<Line>)>, Trouble> {
    let Some(meter) = number_of(connection, event.meter.as_ref())? else { return Ok(None) };
    let sql = "SELECT * FROM event WHERE meter = ?1 AND at = ?2 AND kind = ?3 AND phase = ?4 AND origin = ?5";
    let (at, phase, origin) = (event.start.unix_micros(), event.phase.unwrap_or(0), origin_number(event.origin));
    let there = connection
        .prepare_cached(sql)?
        .query_row(params![meter, at, event.kind.as_str(), phase, origin], Line::read)
        .optional()?;
    Ok(Some((meter, there)))
}

fn put(connection: &Connection, event: &Event, done: &mut PutEvents) -> Result<(), Trouble> {
    let Some((meter, there)) = find(connection, event)? else { return Ok(()) };
    let line = Line::of(there.as_ref().map_or(0, |there| there.id), meter, event);
    match there {
        None => done.added.push(line.insert(connection)?),
        Some(there) if there == line => done.same += 1,
        Some(_) => {
            line.replace(connection)?;
            done.changed += 1;
        }
    }
    Ok(())
}

/// Every event, each held against its checksum.
pub(super) fn verify(connection: &Connection) -> Result<(), Trouble> {
    let mut statement = connection.prepare("SELECT * FROM event")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        Line::read(row)?.kept(row, None)?;
    }
    Ok(())
}

/// The number of a meter in the table; 0 for none, `None` for one the store does not have.
fn number_of(connection: &Connection, meter: Option<&MeterId>) -> Result<Option<i64>, Trouble> {
    match meter {
        None => Ok(Some(0)),
        Some(meter) => Ok(find_meter(connection, meter)?.map(|row| row.row)),
    }
}

/// A condition and its values; `None` where nothing can fit it.
fn filter(connection: &Connection, wanted: &EventQuery) -> Result<Option<(String, Vec<Value>)>, Trouble> {
    let mut sql = String::from("1");
    let mut values = Vec::new();
    if let Some(meter) = &wanted.meter {
        let Some(meter) = find_meter(connection, meter)? else { return Ok(None) };
        sql.push_str(" AND meter IN (0, ?)");
        values.push(Value::Integer(meter.row));
    }
    if let Some(period) = &wanted.period {
        // Without an end: what detectors found goes on; of what people and other programs say nobody knows.
        sql.push_str(" AND at < ? AND (at >= ? OR until > ? OR (until IS NULL AND origin <= ?))");
        let since = Value::Integer(period.start.unix_micros());
        let last = Value::Integer(origin_number(Origin::Reader));
        values.extend([Value::Integer(period.end.unix_micros()), since.clone(), since, last]);
    }
    let mut one_of = |column: &str, among: Vec<Value>| {
        if !among.is_empty() {
            let marks = vec!["?"; among.len()].join(", ");
            let _ = write!(sql, " AND {column} IN ({marks})");
            values.extend(among);
        }
    };
    one_of("severity", wanted.severities.iter().map(|&severity| Value::Integer(severity_number(severity))).collect());
    one_of("kind", wanted.kinds.iter().map(|kind| Value::Text(kind.to_string())).collect());
    one_of("origin", wanted.origin.map(|origin| Value::Integer(origin_number(origin))).into_iter().collect());
    if let Some(words) = &wanted.words {
        // Every word as a quoted beginning: nothing a person types is FTS5 syntax.
        let terms: Vec<String> = words
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(|word| format!("\"{word}\"*"))
            .collect();
        if terms.is_empty() {
            return Ok(None);
        }
        sql.push_str(" AND id IN (SELECT rowid FROM event_words WHERE event_words MATCH ?)");
        values.push(Value::Text(terms.join(" ")));
    }
    if wanted.open {
        sql.push_str(" AND until IS NULL");
    }
    if let Some(above) = wanted.above {
        sql.push_str(" AND id > ?");
        values.push(Value::Integer(above));
    }
    Ok(Some((sql, values)))
}

fn severity_number(severity: Severity) -> i64 {
    severity as i64
}

fn origin_number(origin: Origin) -> i64 {
    origin as i64
}

/// A row of the table as it stands there.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    id: i64,
    meter: i64,
    numbers: [Option<i64>; 9],
    texts: [Option<String>; 4],
}

/// The columns behind `id` and `meter`: first the numbers, then the texts.
const NUMBERS: [&str; 9] =
    ["at", "until", "severity", "origin", "phase", "value", "value_exponent", "threshold", "threshold_exponent"];
const TEXTS: [&str; 4] = ["kind", "unit", "code", "description"];

impl Line {
    fn of(id: i64, meter: i64, event: &Event) -> Self {
        let mantissa = |number: Option<Decimal>| number.map(Decimal::mantissa);
        let exponent = |number: Option<Decimal>| number.map(|number| i64::from(number.exponent()));
        let text = |text: &Option<SmolStr>| text.as_ref().map(ToString::to_string);
        Self {
            id,
            meter,
            numbers: [
                Some(event.start.unix_micros()),
                event.end.map(Instant::unix_micros),
                Some(severity_number(event.severity)),
                Some(origin_number(event.origin)),
                Some(event.phase.unwrap_or(0).into()),
                mantissa(event.value),
                exponent(event.value),
                mantissa(event.threshold),
                exponent(event.threshold),
            ],
            texts: [
                Some(event.kind.to_string()),
                text(&event.unit),
                text(&event.code),
                Some(event.description.to_string()),
            ],
        }
    }

    /// Reads the columns by name, so that their order in the file does not matter.
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut line =
            Self { id: row.get("id")?, meter: row.get("meter")?, numbers: [None; 9], texts: [const { None }; 4] };
        for (slot, name) in line.numbers.iter_mut().zip(NUMBERS) {
            *slot = row.get(name)?;
        }
        for (slot, name) in line.texts.iter_mut().zip(TEXTS) {
            *slot = row.get(name)?;
        }
        Ok(line)
    }

    fn checksum(&self) -> i64 {
        let mut key = vec![self.meter];
        // What is absent differs from every number.
        for number in self.numbers {
            key.extend([i64::from(number.is_some()), number.unwrap_or(0)]);
        }
        let mut text = Vec::new();
        for part in &self.texts {
            key.push(part.as_ref().map_or(-1, |part| i64::try_from(part.len()).unwrap_or(i64::MAX)));
            text.extend_from_slice(part.as_deref().unwrap_or_default().as_bytes());
        }
        i64::from(checksum(&key, &text))
    }

    /// Puts it in place of the one with its number.
    fn replace(&self, connection: &Connection) -> Result<(), Trouble> {
        connection.prepare_cached("DELETE FROM event WHERE id = ?1")?.execute([self.id])?;
        self.insert(connection).map(drop)
    }

    /// Inserts it, with a number that none had before where it has none; which.
    fn insert(&self, connection: &Connection) -> Result<i64, Trouble> {
        let sql = format!(
            "INSERT INTO event (id, meter, {}, {}, checksum) VALUES (?{})",
            NUMBERS.join(", "),
            TEXTS.join(", "),
            ", ?".repeat(2 + NUMBERS.len() + TEXTS.len()),
        );
        let (id, sum) = ((self.id != 0).then_some(self.id), self.checksum());
        let mut values: Vec<&dyn ToSql> = vec![&id, &self.meter];
        values.extend(self.numbers.iter().map(|number| number as &dyn ToSql));
        values.extend(self.texts.iter().map(|text| text as &dyn ToSql));
        values.push(&sum);
        connection.prepare_cached(&sql)?.execute(values.as_slice())?;
        Ok(connection.last_insert_rowid())
    }

    /// The event of a row whose checksum fits.
    fn kept(self, row: &Row<'_>, meter: Option<MeterId>) -> Result<KeptEvent, Trouble> {
        let damaged = Damage("the row of an event is damaged");
        if self.checksum() != row.get::<_, i64>("checksum")? {
            return Err(damaged.into());
        }
        let [at, until, severity, origin, phase, value, value_exponent, threshold, threshold_exponent] = self.numbers;
        let [kind, unit, code, description] = self.texts;
        let number = |mantissa: Option<i64>, exponent: Option<i64>| {
            let exponent = exponent.and_then(|exponent| i8::try_from(exponent).ok());
            mantissa.zip(exponent).map(|(mantissa, exponent)| Decimal::new(mantissa, exponent))
        };
        let index = |number: Option<i64>| number.and_then(|number| usize::try_from(number).ok());
        Ok(KeptEvent {
            id: self.id,
            event: Event {
                meter,
                kind: kind.unwrap_or_default().into(),
                severity: index(severity).and_then(|at| Severity::ALL.get(at).copied()).ok_or(damaged)?,
                start: Instant::from_unix_micros(at.ok_or(damaged)?),
                end: until.map(Instant::from_unix_micros),
                description: description.unwrap_or_default().into(),
                value: number(value, value_exponent),
                unit: unit.map(SmolStr::from),
                code: code.map(SmolStr::from),
                threshold: number(threshold, threshold_exponent),
                phase: phase.and_then(|phase| u8::try_from(phase).ok()).filter(|&phase| phase > 0),
                origin: index(origin).and_then(|at| Origin::ALL.get(at).copied()).ok_or(damaged)?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Code, Protocol, Reading, Register};
    use crate::store::Entry;

    fn store() -> (tempfile::TempDir, Store, MeterId) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::create(&folder.path().join("s.db")).unwrap();
        let meter = MeterId::new("E450001234").unwrap();
        let mut reading = Reading::new(Protocol::Dsmr);
        reading.registers.push(Register::number(Code::parse(b"1-0:1.8.0"), Decimal::new(1, 0), None));
        let at = Instant::from_unix(1_762_500_000);
        let entry = Entry { meter: meter.clone(), at, source: "p1".into(), reading, derived: false };
        store.insert(&[entry]).unwrap();
        (folder, store, meter)
    }

    fn event(meter: &MeterId, second: i64, kind: &str, description: &str) -> Event {
        Event {
            meter: Some(meter.clone()),
            kind: kind.into(),
            severity: Severity::Error,
            start: Instant::from_unix(second),
            end: None,
            description: description.into(),
            value: Some(Decimal::new(2561, -1)),
            unit: Some("V".into()),
            code: Some("1-0:52.7.0".into()),
            threshold: Some(Decimal::new(253, 0)),
            phase: Some(2),
            origin: Origin::Readings,
        }
    }

    #[test]
    fn an_event_comes_back_as_it_was_and_is_there_once() {
        let (_folder, mut store, meter) = store();
        let open = event(&meter, 100, "surtension", "Surtension L2");
        assert_eq!(store.put_events(std::slice::from_ref(&open)).unwrap().added, [1]);
        assert_eq!(
            store.put_events(std::slice::from_ref(&open)).unwrap(),
            PutEvents { same: 1, ..PutEvents::default() }
        );
        let over = Event { end: Some(Instant::from_unix(1900)), description: "Surtension L2, 30 min".into(), ..open };
        assert_eq!(store.put_events(std::slice::from_ref(&over)).unwrap().changed, 1);
        let found = store.events(&EventQuery::default()).unwrap();
        assert_eq!(found, [KeptEvent { id: 1, event: over }]);
        assert_eq!(store.count_events().unwrap(), 1);
    }

    #[test]
    fn words_are_found_without_accents_and_case_and_gone_with_the_event() {
        let (_folder, mut store, meter) = store();
        let outage = Event { meter: None, ..event(&meter, 100, "coupure", "Panne électrique au réseau") };
        store.put_events(&[outage, event(&meter, 200, "surtension", "Surtension L2")]).unwrap();
        let words = |words: &str| EventQuery { words: Some(words.into()), ..EventQuery::default() };
        let found = |store: &Store, query: &str| store.events(&words(query)).unwrap().len();
        assert_eq!([found(&store, "ELECTRIQUE"), found(&store, "panne rés"), found(&store, "surt")], [1, 1, 1]);
        assert_eq!([found(&store, "panne surtension"), found(&store, "\"OR* NEAR("), found(&store, "!!")], [0, 0, 0]);
        assert_eq!(store.drop_events(&words("panne")).unwrap(), 1);
        assert_eq!(found(&store, "panne"), 0);
    }

    #[test]
    fn a_question_is_narrowed_by_time_meter_kind_severity_and_number() {
        let (_folder, mut store, meter) = store();
        let long = Event { end: Some(Instant::from_unix(500)), ..event(&meter, 100, "coupure", "a") };
        let over = Some(Instant::from_unix(300));
        let info = Event { severity: Severity::Info, end: over, ..event(&meter, 300, "changement_heure", "b") };
        store.put_events(&[long, info, event(&meter, 900, "surtension", "c")]).unwrap();
        let ask = |query: EventQuery| {
            store.events(&query).unwrap().into_iter().map(|kept| kept.event.description.to_string()).collect::<String>()
        };
        let all = EventQuery::default;
        let period = |from, to| Some(Instant::from_unix(from)..Instant::from_unix(to));
        assert_eq!(ask(all()), "cba");
        assert_eq!(ask(EventQuery { oldest_first: true, limit: Some(2), ..all() }), "ab");
        assert_eq!(ask(EventQuery { period: period(400, 900), ..all() }), "a");
        assert_eq!(ask(EventQuery { period: period(2000, 3000), ..all() }), "c");
        assert_eq!(ask(EventQuery { open: true, ..all() }), "c");
        assert_eq!(ask(EventQuery { severities: vec![Severity::Info, Severity::Warning], ..all() }), "b");
        assert_eq!(ask(EventQuery { kinds: vec!["surtension".into()], ..all() }), "c");
        assert_eq!(ask(EventQuery { above: Some(2), ..all() }), "c");
        assert_eq!(ask(EventQuery { meter: Some(meter.clone()), origin: Some(Origin::Person), ..all() }), "");
        assert_eq!(ask(EventQuery { meter: MeterId::new("other"), ..all() }), "");
    }

    #[test]
    fn a_flipped_bit_in_an_event_is_seen() {
        let (_folder, mut store, meter) = store();
        store.put_events(&[event(&meter, 100, "surtension", "Surtension L2")]).unwrap();
        store.connection.execute("UPDATE event SET value = value + 1", []).unwrap();
        assert!(matches!(store.events(&EventQuery::default()), Err(StoreError::Damaged { .. })));
        assert!(matches!(store.check(), Err(StoreError::Damaged { .. })));
    }
}
