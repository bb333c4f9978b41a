//! Rows of a profile to readings, and entries of event logs.

use super::objects::{identity, scaler_unit};
use super::plain_value;
use crate::reading::{
    Anomaly, AnomalyCode, Code, Decimal, LogEntry, MeterTime, Obis, Offset, Protocol, Quality, Reading, Register, Unit,
    Value as Content,
};
use crate::wire::dlms::{Attribute, Item, Value, tag};
use smol_str::{SmolStr, format_smolstr};

/// What the bits of a row's status octet say (DSMR P3 5.x; IDIS meters use the same).
const STATUS: [(u8, Quality, AnomalyCode, &str); 5] = [
    (0x80, Quality::Suspect, AnomalyCode::Status, "power failed in the period"),
    (0x20, Quality::Suspect, AnomalyCode::Clock, "the clock was set in the period"),
    (0x04, Quality::Bad, AnomalyCode::Status, "the values are not valid"),
    (0x02, Quality::Suspect, AnomalyCode::Clock, "the clock was invalid"),
    (0x01, Quality::Bad, AnomalyCode::Status, "critical error of the meter"),
];
const CLOCK_INVALID: u8 = 0x02;
const SUMMER: u8 = 0x08;

/// A column of a profile.
#[derive(Debug, Clone, Copy)]
struct Column {
    attribute: Attribute,
    scale: Option<(i8, u8)>,
}

impl Column {
    fn is_clock(&self) -> bool {
        self.attribute.class == 8 && self.attribute.index == 2
    }

    /// 0-0:96.10.x holds the status of a row, where it is a number of one octet.
    fn is_status(&self) -> bool {
        matches!(self.attribute.obis.octets(), [0 | 1, _, 96, 10, _, _])
    }
}

/// A profile as far as it has been read.
struct Table<'v> {
    values: &'v [Value],
    obis: Obis,
    columns: Vec<Column>,
    period_s: i64,
    newest_first: bool,
}

impl<'v> Table<'v> {
    fn of(values: &'v [Value], obis: Obis) -> Self {
        let own = |index: i8| values.iter().find(|value| value.attribute == Attribute::new(7, obis, index));
        let number = |index: i8| own(index).and_then(Value::tree).and_then(|tree| tree.root().integer());
        let columns = own(3).and_then(Value::tree);
        let columns = columns.iter().flat_map(|tree| tree.root().elements()).filter_map(|column| {
            let attribute = Attribute::of_column(column)?;
            let scale = match (attribute.class, attribute.index) {
                (3 | 4, 2) | (5, 2 | 3) => scaler_unit(values, attribute.class, attribute.obis),
                _ => None,
            };
            Some(Column { attribute, scale })
        });
        Self {
            values,
            obis,
            columns: columns.collect(),
            period_s: number(4).unwrap_or(0),
            newest_first: number(5) == Some(2),
        }
    }

    /// What `each` makes of every row that came, oldest first, with nulls filled in from the row above.
    fn rows<T>(&self, mut each: impl FnMut(&[Cell<'_, '_>]) -> T) -> Vec<T> {
        let mut rows = Vec::new();
        let buffer = Attribute::new(7, self.obis, 2);
        for answer in self.values.iter().filter(|value| value.attribute == buffer) {
            let Some(tree) = answer.tree() else { continue };
            let first = rows.len();
            let mut above: Vec<Cell<'_, '_>> = Vec::new();
            for row in tree.root().elements() {
                let mut cells = Vec::with_capacity(self.columns.len());
                for (at, (column, item)) in self.columns.iter().zip(row.elements()).enumerate() {
                    let before = above.get(at).copied();
                    cells.push(self.cell(column, item, before));
                }
                rows.push(each(&cells));
                above = cells;
            }
            // The answers come oldest first; within one the meter's own order holds.
            if let (true, Some(answer)) = (self.newest_first, rows.get_mut(first..)) {
                answer.reverse();
            }
        }
        rows
    }

    /// A null is the value of the row above; in the clock's column the next time.
    fn cell<'t, 'a>(&self, column: &Column, item: Item<'t, 'a>, above: Option<Cell<'t, 'a>>) -> Cell<'t, 'a> {
        if item.tag() != tag::NULL {
            let time = if column.is_clock() { item.time() } else { None };
            return Cell { item: Some(item), time };
        }
        let above = above.unwrap_or(Cell { item: None, time: None });
        if !column.is_clock() {
            return above;
        }
        let step = if self.newest_first { -self.period_s } else { self.period_s };
        let next = |time: MeterTime| MeterTime { civil: time.civil.plus_millis(step.saturating_mul(1000)), ..time };
        Cell { item: above.item, time: above.time.filter(|_| step != 0).map(next) }
    }
}

/// A value of a row.
#[derive(Debug, Clone, Copy)]
struct Cell<'t, 'a> {
    item: Option<Item<'t, 'a>>,
    time: Option<MeterTime>,
}

/// The rows of a load profile among what a server answered (columns, period, scalers and buffer): each a reading of its
/// own, oldest first, its clock the end of its period. A row that ends one answer and begins the next is given once.
///
/// A null in the buffer is resolved to the value of the row above, or to the next time. The status octet 0-0:96.10.x
/// decides on the quality, and in an unknown zone on summer time.
#[must_use]
pub fn rows(values: &[Value], obis: Obis) -> Vec<Reading> {
    let table = Table::of(values, obis);
    let (meter, identification) = identity(values);
    let mut rows = table.rows(|cells| {
        let mut row = Reading::new(Protocol::Dlms);
        row.meter.clone_from(&meter);
        row.identification.clone_from(&identification);
        row.clock = cells.iter().find_map(|cell| cell.time);
        for (column, cell) in table.columns.iter().zip(cells) {
            add(&mut row, column, *cell);
        }
        row
    });
    rows.dedup_by(|second, first| {
        first.clock.is_some() && first.clock == second.clock && first.registers == second.registers
    });
    rows
}

fn add(row: &mut Reading, column: &Column, cell: Cell<'_, '_>) {
    let Attribute { class, obis, index } = column.attribute;
    if column.is_clock() {
        return;
    }
    let number = cell.item.and_then(Item::integer);
    if let (true, Some(status)) = (column.is_status(), number.and_then(|n| u8::try_from(n).ok())) {
        judge(row, status);
    }
    // The time of a maximum stands in a column of its own, behind that of its value.
    if let ((4, 5) | (5, 6), Some(time)) = ((class, index), cell.item.and_then(Item::time))
        && let Some(register) = row.registers.iter_mut().find(|register| register.code.obis() == Some(obis))
    {
        register.detail_mut().time = Some(time);
        return;
    }
    let register = match (number, column.scale, cell.item) {
        (Some(raw), Some((scaler, unit)), _) => {
            Register::number(obis, Decimal::new(raw, scaler), Unit::from_dlms(unit))
        }
        (_, _, Some(item)) => Register::new(obis, plain_value(item), None),
        (_, _, None) => Register::new(obis, Content::Nothing, None),
    };
    if number.is_some() && column.scale.is_none() && matches!(class, 3..=5) {
        let detail = format_smolstr!("{obis}: the scaler is not known");
        row.suspect(Anomaly::new(AnomalyCode::Implausible, 0, detail));
    }
    row.registers.push(register);
}

/// What a row's status octet says of its values and its time.
fn judge(row: &mut Reading, status: u8) {
    for (bit, quality, code, meaning) in STATUS {
        if status & bit != 0 {
            row.suspect(Anomaly::new(code, 0, format_smolstr!("status {status:02x}: {meaning}")));
            row.quality = row.quality.min(quality);
        }
    }
    if let Some(clock) = &mut row.clock {
        clock.doubtful |= status & CLOCK_INVALID != 0;
        if clock.offset == Offset::Unknown {
            clock.offset = if status & SUMMER != 0 { Offset::Summer } else { Offset::Winter };
        }
    }
}

/// The entries of an event log among what a server answered: time, and under the code of each further column its value.
/// What the number of an event means depends on the make of the meter, see
/// [`quirks::events`](crate::acquire::quirks::events).
#[must_use]
pub fn entries(values: &[Value], obis: Obis) -> Vec<LogEntry> {
    let table = Table::of(values, obis);
    table.rows(|cells| {
        let further = table.columns.iter().zip(cells).filter(|(column, _)| !column.is_clock());
        let values = further.map(|(column, cell)| (Code::Obis(column.attribute.obis), text(*cell))).collect();
        let time = cells.iter().find_map(|cell| cell.time);
        LogEntry { log: Code::Obis(obis), time, status: SmolStr::default(), values }
    })
}

/// The codes of the profiles, and of the logs, of which rows came, in the order they were asked for.
#[must_use]
pub fn profiles(values: &[Value]) -> Vec<Obis> {
    let mut found = Vec::new();
    for value in values.iter().filter(|value| (value.attribute.class, value.attribute.index) == (7, 2)) {
        if value.result.is_ok() && !found.contains(&value.attribute.obis) {
            found.push(value.attribute.obis);
        }
    }
    found
}

fn text(cell: Cell<'_, '_>) -> SmolStr {
    match cell.item.map(plain_value) {
        Some(Content::Number(number)) => SmolStr::new(number.to_string()),
        Some(Content::Text(text)) => text,
        Some(Content::Bool(yes)) => SmolStr::new(yes.to_string()),
        Some(Content::Octets(octets)) => match std::str::from_utf8(&octets) {
            Ok(text) if !text.contains(char::is_control) => text.into(),
            _ => octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>().into(),
        },
        _ => SmolStr::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{CivilTime, Instant, Zone};
    use crate::wire::dlms::Data;

    const PROFILE: Obis = Obis::new(1, 0, 99, 1, 0, 255);
    const LOG: Obis = Obis::new(0, 0, 99, 98, 0, 255);
    const CLOCK: Obis = Obis::new(0, 0, 1, 0, 0, 255);
    const STATUS: Obis = Obis::new(0, 0, 96, 10, 1, 255);
    const IMPORT: Obis = Obis::electricity(1, 8, 0);
    const MAXIMUM: Obis = Obis::electricity(1, 6, 0);

    fn value(class: u16, obis: Obis, index: i8, data: &Data) -> Value {
        let attribute = Attribute::new(class, obis, index);
        Value { attribute, selection: None, result: Ok(data.to_octets().into()) }
    }

    fn list(columns: &[(u16, Obis, i8)]) -> Data {
        let column = |&(class, obis, index): &(u16, Obis, i8)| {
            Data::Structure(vec![Data::U16(class), Data::obis(obis), Data::I8(index), Data::U16(0)])
        };
        Data::Array(columns.iter().map(column).collect())
    }

    fn at(hour: u8, minute: u8) -> MeterTime {
        MeterTime::local(CivilTime::new(2025, 11, 7, hour, minute, 0).unwrap())
    }

    fn scaler(scaler: i8, unit: u8) -> Data {
        Data::Structure(vec![Data::I8(scaler), Data::Enum(unit)])
    }

    fn buffer(rows: Vec<Vec<Data>>) -> Value {
        value(7, PROFILE, 2, &Data::Array(rows.into_iter().map(Data::Structure).collect()))
    }

    /// A profile of quarter hours: clock, status, import.
    fn profile(rows: Vec<Vec<Data>>) -> Vec<Value> {
        vec![
            value(1, Obis::new(0, 0, 96, 1, 0, 255), 2, &Data::Octets(b"53520967".to_vec())),
            value(7, PROFILE, 3, &list(&[(8, CLOCK, 2), (1, STATUS, 2), (3, IMPORT, 2)])),
            value(7, PROFILE, 4, &Data::U32(900)),
            value(3, IMPORT, 3, &scaler(1, 30)),
            buffer(rows),
        ]
    }

    /// Time, quality, and the last number of each row.
    fn shown(rows: &[Reading]) -> Vec<String> {
        let line = |row: &Reading| {
            let time = row.clock.map_or("no time".to_owned(), |clock| clock.civil.to_string());
            let register = row.registers.last().unwrap();
            let unit = register.unit_text().unwrap_or_default();
            let number = register.as_number().map_or("nothing".to_owned(), |number| number.to_string());
            format!("{time} {} {number} {unit}", row.quality.as_str())
        };
        rows.iter().map(line).collect()
    }

    #[test]
    fn a_null_is_the_row_above_and_in_the_clock_the_next_time() {
        let values = profile(vec![
            vec![Data::time(&at(14, 0)), Data::U8(0), Data::U32(100)],
            vec![Data::Null, Data::Null, Data::U32(101)],
            vec![Data::Null, Data::U8(0x80), Data::Null],
        ]);
        let rows = rows(&values, PROFILE);
        assert_eq!(
            shown(&rows),
            [
                "2025-11-07T14:00:00 good 1000 Wh",
                "2025-11-07T14:15:00 good 1010 Wh",
                "2025-11-07T14:30:00 suspect 1010 Wh",
            ]
        );
        assert_eq!(rows[0].meter.as_ref().unwrap().as_str(), "53520967");
        assert_eq!(rows[2].anomalies[0].detail, "status 80: power failed in the period");
    }

    #[test]
    fn a_null_in_the_first_row_is_nothing() {
        let rows = rows(&profile(vec![vec![Data::time(&at(14, 0)), Data::U8(0), Data::Null]]), PROFILE);
        assert_eq!(shown(&rows), ["2025-11-07T14:00:00 good nothing "]);
    }

    #[test]
    fn rows_come_in_order_and_once_however_they_were_asked_for() {
        let row = |minute, number| vec![Data::time(&at(14, minute)), Data::U8(0), Data::U32(number)];
        let mut values = profile(vec![row(0, 1), row(15, 2), row(30, 3)]);
        values.push(buffer(vec![row(30, 3), row(45, 4)]));
        let times = shown(&rows(&values, PROFILE));
        assert_eq!(times.len(), 4);
        assert!(times.is_sorted());
        // The newest first: a null counts the time down.
        let mut values = profile(vec![row(15, 2), vec![Data::Null, Data::Null, Data::U32(1)]]);
        values.push(buffer(vec![row(30, 3)]));
        values.push(value(7, PROFILE, 5, &Data::Enum(2)));
        assert_eq!(
            shown(&rows(&values, PROFILE)),
            ["2025-11-07T14:00:00 good 10 Wh", "2025-11-07T14:15:00 good 20 Wh", "2025-11-07T14:30:00 good 30 Wh"]
        );
    }

    #[test]
    fn the_status_octet_decides_on_quality_and_season() {
        for (status, quality, offset, doubtful) in [
            (0x00, Quality::Good, Offset::Winter, false),
            (0x08, Quality::Good, Offset::Summer, false),
            (0x20, Quality::Suspect, Offset::Winter, false),
            (0x02, Quality::Suspect, Offset::Winter, true),
            (0x0C, Quality::Bad, Offset::Summer, false),
            (0x81, Quality::Bad, Offset::Winter, false),
        ] {
            let row = vec![Data::time(&at(2, 30)), Data::U8(status), Data::U32(1)];
            let [row] = &rows(&profile(vec![row]), PROFILE)[..] else { panic!() };
            let clock = row.clock.unwrap();
            assert_eq!((row.quality, clock.offset, clock.doubtful), (quality, offset, doubtful), "{status:02x}");
        }
    }

    #[test]
    fn the_repeated_hour_keeps_its_order() {
        let zone = Zone::CENTRAL_EUROPE;
        let start = Instant::parse_utc("2025-10-26T00:00:00Z").unwrap();
        let times: Vec<MeterTime> = (0..8).map(|n| start.plus_seconds(n * 900).meter_time(zone)).collect();
        let row =
            |(n, time): (usize, &MeterTime)| vec![Data::time(time), Data::U8(0), Data::U32(u32::try_from(n).unwrap())];
        let found = rows(&profile(times.iter().enumerate().map(row).collect()), PROFILE);
        let clocks: Vec<_> = found.iter().map(|row| row.clock.unwrap().resolve(zone).earliest()).collect();
        assert_eq!(clocks, (0..8).map(|n| start.plus_seconds(n * 900)).collect::<Vec<_>>());
    }

    #[test]
    fn the_time_of_a_maximum_goes_with_it() {
        let values = vec![
            value(7, PROFILE, 3, &list(&[(8, CLOCK, 2), (4, MAXIMUM, 2), (4, MAXIMUM, 5)])),
            value(4, MAXIMUM, 3, &scaler(0, 27)),
            buffer(vec![vec![Data::time(&at(0, 0)), Data::U32(4711), Data::time(&at(18, 15))]]),
        ];
        let [row] = &rows(&values, PROFILE)[..] else { panic!() };
        let [register] = &row.registers[..] else { panic!("{:?}", row.registers) };
        assert_eq!(register.time().unwrap().civil, at(18, 15).civil);
    }

    #[test]
    fn a_column_without_its_scaler_is_suspect() {
        let mut values = profile(vec![vec![Data::time(&at(14, 0)), Data::U8(0), Data::U32(100)]]);
        values.remove(3);
        assert_eq!(shown(&rows(&values, PROFILE)), ["2025-11-07T14:00:00 suspect 100 "]);
    }

    #[test]
    fn entries_of_a_log_keep_their_numbers() {
        let code = Obis::new(0, 0, 96, 11, 0, 255);
        let entry = |hour, number| Data::Structure(vec![Data::time(&at(hour, 0)), Data::U8(number)]);
        let values = vec![
            value(7, LOG, 3, &list(&[(8, CLOCK, 2), (1, code, 2)])),
            value(7, LOG, 2, &Data::Array(vec![entry(10, 1), entry(11, 2)])),
        ];
        let entries = entries(&values, LOG);
        let shown: Vec<_> = entries.iter().map(|e| format!("{} {:?}", e.time.unwrap().civil, e.values)).collect();
        assert_eq!(
            shown,
            [
                r#"2025-11-07T10:00:00 [(Obis(0-0:96.11.0*255), "1")]"#,
                r#"2025-11-07T11:00:00 [(Obis(0-0:96.11.0*255), "2")]"#,
            ]
        );
        use crate::acquire::quirks::events::{Family, explain};
        assert_eq!(explain(Family::Idis, &entries[0]).unwrap().1.kind, "coupure");
        assert_eq!(profiles(&values), [LOG]);
    }
}
