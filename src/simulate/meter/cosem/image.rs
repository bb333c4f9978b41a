//! What a DLMS meter shows of its works: registers, load profile, logs.

use crate::reading::{Decimal, Instant, Obis, Unit};
use crate::simulate::dlms::{Event, Failure, Gauge, LoadProfile, MeterImage, Row};
use crate::simulate::meter::digits::positive;
use crate::simulate::meter::e450::device_name;
use crate::simulate::works::{self, Entry, PERIOD, Works, shown_wh};

/// The load profile of the quarter hours.
const PROFILE: Obis = Obis::new(1, 0, 99, 1, 0, 255);
/// Its columns behind time and status, the counters at the end of each period.
const COLUMNS: [Obis; 2] = [Obis::electricity(1, 8, 0), Obis::electricity(2, 8, 0)];
/// The standard event log and the fraud detection log.
const STANDARD: Obis = Obis::new(0, 0, 99, 98, 0, 255);
const FRAUD: Obis = Obis::new(0, 0, 99, 98, 1, 255);

/// The meter at the moment its works have reached.
pub(super) fn image(works: &Works) -> MeterImage {
    let local = |at: Instant| at.meter_time(works.zone());
    MeterImage {
        device_name: device_name(works),
        serial: works.serial().to_string(),
        now: local(works.clock()),
        registers: registers(works),
        profiles: vec![LoadProfile {
            obis: PROFILE,
            period_s: PERIOD.unsigned_abs().try_into().unwrap_or(u32::MAX),
            columns: COLUMNS.to_vec(),
            rows: works.rows().map(|row| line(works, row)).collect(),
            compressed: false,
        }],
        logs: vec![STANDARD, FRAUD],
        events: works.events().map(|entry| event(works, entry)).collect(),
        failures: works
            .long_failures()
            .map(|failure| Failure {
                end: local(failure.end),
                seconds: u32::try_from(failure.seconds).unwrap_or(u32::MAX),
            })
            .collect(),
        selects: (true, true),
    }
}

fn registers(works: &Works) -> Vec<Gauge> {
    let (load, counters) = (works.load(), works.counters());
    let gauge = |c, d, e, number: u64, exponent, unit| Gauge {
        obis: Obis::electricity(c, d, e),
        value: Decimal::new(i64::try_from(number).unwrap_or(i64::MAX), exponent),
        unit,
    };
    let ([import_1, import_2], [export_1, export_2]) = (counters.import, counters.export);
    let mut registers = vec![
        gauge(1, 8, 0, counters.import_wh(), 0, Unit::WH),
        gauge(1, 8, 1, shown_wh(import_1), 0, Unit::WH),
        gauge(1, 8, 2, shown_wh(import_2), 0, Unit::WH),
        gauge(2, 8, 0, counters.export_wh(), 0, Unit::WH),
        gauge(2, 8, 1, shown_wh(export_1), 0, Unit::WH),
        gauge(2, 8, 2, shown_wh(export_2), 0, Unit::WH),
        gauge(3, 8, 0, counters.reactive_import_varh(), 0, Unit::VARH),
        gauge(4, 8, 0, counters.reactive_export_varh(), 0, Unit::VARH),
        gauge(1, 7, 0, positive(load.watts()), 0, Unit::W),
        gauge(2, 7, 0, positive(-load.watts()), 0, Unit::W),
        gauge(3, 7, 0, positive(load.vars()), 0, Unit::VAR),
        gauge(4, 7, 0, positive(-load.vars()), 0, Unit::VAR),
    ];
    for (phase, c) in load.phases.iter().zip([32, 52, 72]) {
        registers.push(gauge(c, 7, 0, positive(phase.decivolts), -1, Unit::V));
    }
    for (phase, c) in load.phases.iter().zip([31, 51, 71]) {
        registers.push(gauge(c, 7, 0, phase.milliamperes() / 10, -2, Unit::A));
    }
    registers.push(gauge(14, 7, 0, positive(load.millihertz) / 10, -2, Unit::HZ));
    registers
}

fn line(works: &Works, row: &works::Row) -> Row {
    let number = |wh: u64| Decimal::new(i64::try_from(wh).unwrap_or(i64::MAX), 0);
    Row {
        time: row.end.meter_time(works.zone()),
        status: row.status,
        values: [row.counters.import_wh(), row.counters.export_wh()].map(number).to_vec(),
    }
}

/// The numbers of IDIS meters; covers belong to the fraud detection log.
fn event(works: &Works, entry: &Entry) -> Event {
    let (log, code) = match entry.event {
        works::Event::PowerDown => (STANDARD, 1),
        works::Event::PowerUp => (STANDARD, 2),
        works::Event::Season => (STANDARD, 3),
        works::Event::ClockBefore => (STANDARD, 4),
        works::Event::ClockAfter => (STANDARD, 5),
        works::Event::LogCleared => (STANDARD, 255),
        works::Event::CoverOpened => (FRAUD, 40),
        works::Event::CoverClosed => (FRAUD, 41),
    };
    Event { log, time: entry.at.meter_time(works.zone()), code }
}
