//! A meter as simple tables: registers, clock, load profile, event logs.

use super::objects::{Object, Objects};
use crate::reading::{Decimal, MeterTime, Obis, Unit};
use crate::wire::dlms::{Attribute, Data, Selection, access, date_time};
use std::time::Duration;

/// A register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauge {
    /// Its code.
    pub obis: Obis,
    /// What it shows; its exponent becomes the scaler.
    pub value: Decimal,
    /// Its unit; a prefix such as kilo goes into the scaler.
    pub unit: Unit,
}

/// A row of a load profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The end of its period.
    pub time: MeterTime,
    /// The status octet: 80 power down, 20 clock adjusted, 08 summer time, 04 not valid, 02 clock invalid, 01 error.
    pub status: u8,
    /// A number for each column, with the exponent of its register.
    pub values: Vec<Decimal>,
}

/// A load profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadProfile {
    /// Its code: 1-0:99.1.0 for the quarter hours.
    pub obis: Obis,
    /// Seconds between rows.
    pub period_s: u32,
    /// The columns behind time and status; each is a register of the image.
    pub columns: Vec<Obis>,
    /// The rows, oldest first.
    pub rows: Vec<Row>,
    /// Whether a time that follows from the row above, and a value that equals it, are sent as null.
    pub compressed: bool,
}

/// An entry of an event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Which log: 0-0:99.98.0 the standard one, .1 fraud, .4 or .5 power quality and communication.
    pub log: Obis,
    /// When.
    pub time: MeterTime,
    /// What, by the meter's own table.
    pub code: u8,
}

/// A long power failure, an entry of 1-0:99.97.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// When the mains were back.
    pub end: MeterTime,
    /// How long they were away, s.
    pub seconds: u32,
}

/// A meter as it stands at one moment. Whoever simulates one fills it in before the server is given bytes.
#[derive(Debug, Clone)]
pub struct MeterImage {
    /// The logical device name, 0-0:42.0.0: `LGZ1030653520967`.
    pub device_name: String,
    /// The number printed on the meter, 0-0:96.1.0.
    pub serial: String,
    /// What its clock shows.
    pub now: MeterTime,
    /// Its registers.
    pub registers: Vec<Gauge>,
    /// Its load profiles.
    pub profiles: Vec<LoadProfile>,
    /// The logs it has, also where they are empty.
    pub logs: Vec<Obis>,
    /// Their entries, oldest first.
    pub events: Vec<Event>,
    /// The log of long power failures, oldest first.
    pub failures: Vec<Failure>,
    /// Whether rows may be chosen by time, and by number. Some meters take neither.
    pub selects: (bool, bool),
}

const CLOCK: Obis = Obis::new(0, 0, 1, 0, 0, 255);
const DEVICE_NAME: Obis = Obis::new(0, 0, 42, 0, 0, 255);
const SERIAL: Obis = Obis::new(0, 0, 96, 1, 0, 255);
const FAILURES: Obis = Obis::new(1, 0, 99, 97, 0, 255);
const FAILURE_SECONDS: Obis = Obis::new(0, 0, 96, 7, 19, 255);
const STATUS: Obis = Obis::new(0, 0, 96, 10, 1, 255);
/// The object that holds the code of the last event of log `e`: 0-0:96.11.e.
const fn event_code(log: Obis) -> Obis {
    Obis::new(0, 0, 96, 11, log.e(), 255)
}

impl Objects for MeterImage {
    fn list(&self) -> Vec<Object> {
        let object = |class, version, obis, attributes| Object { class, version, obis, attributes };
        let mut list = vec![object(8, 0, CLOCK, 9), object(1, 0, DEVICE_NAME, 2), object(1, 0, SERIAL, 2)];
        list.extend(self.registers.iter().map(|register| object(3, 0, register.obis, 3)));
        list.extend(self.profiles.iter().map(|profile| object(7, 1, profile.obis, 8)));
        list.extend(self.logs.iter().chain([&FAILURES]).map(|&log| object(7, 1, log, 8)));
        list
    }

    fn get(&mut self, attribute: Attribute, selection: Option<&Selection>, _: Duration) -> Result<Data, u8> {
        let Attribute { class, obis, index } = attribute;
        let listed = self.list().into_iter().find(|object| object.obis == obis).ok_or(access::OBJECT_UNDEFINED)?;
        if listed.class != class {
            return Err(access::OBJECT_CLASS_INCONSISTENT);
        }
        match (class, index) {
            (_, 1) => Ok(Data::obis(obis)),
            (8, 2) => Ok(Data::time(&self.now)),
            (1, 2) if obis == DEVICE_NAME => Ok(Data::Octets(self.device_name.clone().into_bytes())),
            (1, 2) => Ok(Data::Octets(self.serial.clone().into_bytes())),
            (3, 2 | 3) => self.register(obis, index).ok_or(access::OBJECT_UNAVAILABLE),
            (7, _) => match self.profiles.iter().find(|profile| profile.obis == obis) {
                Some(profile) => self.profile(profile, index, selection),
                None => self.log(obis, index, selection),
            },
            _ => Err(access::OBJECT_UNAVAILABLE),
        }
    }
}

impl MeterImage {
    fn register(&self, obis: Obis, index: i8) -> Option<Data> {
        let gauge = self.registers.iter().find(|register| register.obis == obis)?;
        if index == 2 {
            return Some(number(gauge.value));
        }
        let scaler = gauge.value.exponent().checked_add(gauge.unit.prefix())?;
        Some(Data::Structure(vec![Data::I8(scaler), Data::Enum(gauge.unit.dlms_code())]))
    }

    fn profile(&self, profile: &LoadProfile, index: i8, selection: Option<&Selection>) -> Result<Data, u8> {
        match index {
            2 => {
                let times: Vec<MeterTime> = profile.rows.iter().map(|row| row.time).collect();
                let chosen = self.choose(&times, selection)?;
                Ok(Data::Array(rows(profile, profile.rows.get(chosen).unwrap_or_default())))
            }
            3 => {
                let columns = profile.columns.iter().map(|&column| capture(3, column, 2));
                Ok(Data::Array([capture(8, CLOCK, 2), capture(1, STATUS, 2)].into_iter().chain(columns).collect()))
            }
            _ => facts(index, profile.period_s, profile.rows.len()),
        }
    }

    fn log(&self, obis: Obis, index: i8, selection: Option<&Selection>) -> Result<Data, u8> {
        let entry = |time: &MeterTime, what: Data| (*time, Data::Structure(vec![Data::time(time), what]));
        let (what, entries): (Obis, Vec<(MeterTime, Data)>) = if obis == FAILURES {
            let entries = self.failures.iter().map(|failure| entry(&failure.end, Data::U32(failure.seconds)));
            (FAILURE_SECONDS, entries.collect())
        } else {
            let events = self.events.iter().filter(|event| event.log == obis);
            (event_code(obis), events.map(|event| entry(&event.time, Data::U8(event.code))).collect())
        };
        match index {
            2 => {
                let times: Vec<MeterTime> = entries.iter().map(|(time, _)| *time).collect();
                let chosen = self.choose(&times, selection)?;
                Ok(Data::Array(
                    entries.get(chosen).unwrap_or_default().iter().map(|(_, entry)| entry.clone()).collect(),
                ))
            }
            3 => Ok(Data::Array(vec![capture(8, CLOCK, 2), capture(1, what, 2)])),
            _ => facts(index, 0, entries.len()),
        }
    }

    /// The rows a selection means, by their place.
    fn choose(&self, times: &[MeterTime], selection: Option<&Selection>) -> Result<std::ops::Range<usize>, u8> {
        match selection {
            None => Ok(0..times.len()),
            Some(Selection::Range { from, to, .. }) if self.selects.0 => {
                // The time on the wall is compared: what stands behind it, zone or deviation, is the same on both sides.
                let wall = |octets: &[u8; 12]| date_time(octets).map(|time| time.civil);
                let (Some(from), Some(to)) = (wall(from), wall(to)) else { return Err(access::OTHER_REASON) };
                let first = times.iter().take_while(|time| time.civil < from).count();
                let end = times.iter().take_while(|time| time.civil <= to).count();
                Ok(first..end.max(first))
            }
            Some(Selection::Entries { from, to }) if self.selects.1 => {
                let place = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
                let end = if *to == 0 { times.len() } else { place(*to).min(times.len()) };
                let first = place(*from).saturating_sub(1).min(end);
                Ok(first..end)
            }
            Some(_) => Err(access::SCOPE_OF_ACCESS_VIOLATED),
        }
    }
}

/// Period, sort method (first in, first out), sort object, rows there are, rows there can be.
fn facts(index: i8, period_s: u32, rows: usize) -> Result<Data, u8> {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    match index {
        4 => Ok(Data::U32(period_s)),
        5 => Ok(Data::Enum(1)),
        6 => Ok(capture(8, CLOCK, 2)),
        7 => Ok(Data::U32(rows)),
        8 => Ok(Data::U32(rows.max(5760))),
        _ => Err(access::OBJECT_UNAVAILABLE),
    }
}

fn capture(class: u16, obis: Obis, index: i8) -> Data {
    Data::Structure(vec![Data::U16(class), Data::obis(obis), Data::I8(index), Data::U16(0)])
}

fn rows(profile: &LoadProfile, chosen: &[Row]) -> Vec<Data> {
    let mut above: Option<&Row> = None;
    let mut rows = Vec::with_capacity(chosen.len());
    for row in chosen {
        let above_then = above.replace(row).filter(|_| profile.compressed);
        let follows = above_then.is_some_and(|above| {
            let next = above.time.civil.plus_millis(i64::from(profile.period_s) * 1000);
            MeterTime { civil: next, ..above.time } == row.time
        });
        let mut cells = vec![if follows { Data::Null } else { Data::time(&row.time) }, Data::U8(row.status)];
        for (at, value) in row.values.iter().enumerate() {
            let same = above_then.is_some_and(|above| above.values.get(at) == Some(value));
            cells.push(if same { Data::Null } else { number(*value) });
        }
        rows.push(Data::Structure(cells));
    }
    rows
}

/// The digits of a number, in the type a meter would use.
fn number(value: Decimal) -> Data {
    let digits = value.mantissa();
    match (u32::try_from(digits), i32::try_from(digits)) {
        (Ok(digits), _) => Data::U32(digits),
        (_, Ok(digits)) => Data::I32(digits),
        _ => Data::I64(digits),
    }
}
