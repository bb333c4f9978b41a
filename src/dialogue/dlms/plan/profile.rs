//! Rows of a profile: by time, else by number, else all of them.

use super::{CLOCK, DEVICE_NAME, Period, Query, SERIAL};
use crate::reading::{CivilTime, Instant, MeterTime, Obis, Offset};
use crate::wire::dlms::{Attribute, Item, Selection, Value, date_time_octets};
use std::collections::VecDeque;

/// Rows asked for at once: two days of quarter hours, some 8 kB.
const ROWS_AT_ONCE: u32 = 192;
/// Requests by time, at most: more than a year of quarter hours.
const MOST_SLICES: u32 = 200;
/// Columns, at most.
const MOST_COLUMNS: usize = 64;
/// What is asked for at once where rows come as things happen.
const DAYS_AT_ONCE: i64 = 3660;

/// The attributes of a profile (Blue Book 4.3.6).
const BUFFER: i8 = 2;
const COLUMNS: i8 = 3;
const CAPTURE_PERIOD: i8 = 4;
const SORT_METHOD: i8 = 5;
const ENTRIES_IN_USE: i8 = 7;

/// Which way the rows are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Range,
    Entries,
    Whole,
}

#[derive(Debug)]
pub(in super::super) struct Rows {
    obis: Obis,
    period: Period,
    queue: VecDeque<Attribute>,
    clock: Option<MeterTime>,
    step_s: i64,
    /// The column that holds the time of a row.
    time_column: Option<Attribute>,
    way: Way,
    slices: VecDeque<Selection>,
    planned: bool,
    /// For the way by numbers: how many rows there are, and whether the newest comes first.
    in_use: Option<u32>,
    newest_first: bool,
    whole_asked: bool,
    /// Whether rows have come.
    came: bool,
}

impl Rows {
    /// The rows of a profile, with clock and number of the meter: at most 7 + 64 + 202 GETs.
    pub(super) fn with_meter(obis: Obis, period: Period) -> Self {
        let mut rows = Self::new(obis, period, None);
        for attribute in [CLOCK, SERIAL, DEVICE_NAME] {
            rows.queue.push_front(attribute);
        }
        rows
    }

    pub(super) fn new(obis: Obis, period: Period, clock: Option<MeterTime>) -> Self {
        let queue = [CAPTURE_PERIOD, SORT_METHOD, COLUMNS].map(|index| Attribute::new(7, obis, index)).into();
        let mut rows = Self {
            obis,
            period,
            queue,
            clock,
            step_s: 0,
            time_column: None,
            way: Way::Range,
            slices: VecDeque::new(),
            planned: false,
            in_use: None,
            newest_first: false,
            whole_asked: false,
            came: false,
        };
        // As far back as there is: no time stands for that in every meter.
        if period.since.is_none() {
            rows.count_rows();
        }
        rows
    }

    fn own(&self, index: i8) -> Attribute {
        Attribute::new(7, self.obis, index)
    }

    pub(super) fn next(&mut self) -> Option<Query> {
        if let Some(attribute) = self.queue.pop_front() {
            return Some(attribute.into());
        }
        if !self.planned {
            self.plan();
        }
        let buffer = self.own(BUFFER);
        if let Some(selection) = self.slices.pop_front() {
            return Some(Query { attribute: buffer, selection: Some(selection) });
        }
        if self.way == Way::Whole && !self.whole_asked {
            self.whole_asked = true;
            return Some(buffer.into());
        }
        None
    }

    pub(super) fn take(&mut self, value: &Value) {
        let Value { attribute, selection, .. } = value;
        let tree = value.tree();
        let root = tree.as_ref().map(crate::wire::dlms::Tree::root);
        if *attribute == CLOCK {
            self.clock = root.and_then(Item::time);
        } else if *attribute == self.own(COLUMNS) {
            self.columns(root);
        } else if *attribute == self.own(CAPTURE_PERIOD) {
            self.step_s = root.and_then(Item::integer).filter(|s| (1..=366 * 86_400).contains(s)).unwrap_or(0);
        } else if *attribute == self.own(ENTRIES_IN_USE) {
            self.in_use = root.and_then(Item::integer).and_then(|n| u32::try_from(n).ok());
        } else if *attribute == self.own(SORT_METHOD) {
            // 2 is last in, first out.
            self.newest_first = root.and_then(Item::integer) == Some(2);
        } else if *attribute == self.own(BUFFER) {
            match root {
                Some(_) => self.came = true,
                None => self.give_way(*selection),
            }
        }
    }

    /// The scaler of each column, and which one holds the time.
    fn columns(&mut self, root: Option<Item<'_, '_>>) {
        for column in root.into_iter().flat_map(Item::elements).take(MOST_COLUMNS) {
            let Some(attribute) = Attribute::of_column(column) else { continue };
            let Attribute { class, obis, index } = attribute;
            if class == 8 && index == 2 && self.time_column.is_none() {
                self.time_column = Some(attribute);
            }
            let scaler = match (class, index) {
                (3 | 4, 2) => Attribute::new(class, obis, 3),
                (5, 2 | 3) => Attribute::new(class, obis, 4),
                _ => continue,
            };
            if !self.queue.contains(&scaler) {
                self.queue.push_back(scaler);
            }
        }
    }

    /// Cuts what is wanted into slices that are answered in some kilobytes each.
    fn plan(&mut self) {
        self.planned = true;
        match (self.way, self.in_use) {
            (Way::Range, _) => self.ranges(),
            (Way::Entries, Some(in_use)) => self.entries(in_use),
            (Way::Entries, None) => self.way = Way::Whole,
            (Way::Whole, _) => {}
        }
    }

    fn ranges(&mut self) {
        let Some(since) = self.period.since else { return };
        let column = self.time_column.unwrap_or(CLOCK);
        let slice_s = if self.step_s > 0 { self.step_s * i64::from(ROWS_AT_ONCE) } else { DAYS_AT_ONCE * 86_400 };
        let last = self.last(since);
        // Of more than a year of quarter hours the newest are read.
        let mut from = since.max(last.plus_seconds(-slice_s * i64::from(MOST_SLICES)));
        while from <= last {
            // Both ends are included.
            let to = from.plus_seconds(slice_s - 1).min(last);
            let [from_octets, to_octets] = [from, to].map(|at| date_time_octets(&self.in_meter_time(at)));
            self.slices.push_back(Selection::Range { column, from: from_octets, to: to_octets });
            from = to.plus_seconds(1);
        }
    }

    /// The last moment wanted.
    fn last(&self, since: Instant) -> Instant {
        // A clock that stands before all that is wanted is none.
        let now = self.clock.map(|clock| clock.resolve(self.period.zone).earliest()).filter(|now| *now >= since);
        match (self.period.until, now) {
            (Some(until), Some(now)) => until.min(now.plus_seconds(1)).plus_seconds(-1),
            (Some(until), None) => until.plus_seconds(-1),
            (None, Some(now)) => now,
            (None, None) => since.plus_seconds(366 * 86_400),
        }
    }

    /// A moment as the meter's clock shows it, without deviation: that form every meter takes.
    fn in_meter_time(&self, at: Instant) -> MeterTime {
        let zone = self.period.zone;
        let civil = match self.clock {
            // A meter that does not follow the zone's summer time keeps one offset all year.
            Some(MeterTime { offset: Offset::Minutes(minutes), civil, .. })
                if self.zone_time(civil, minutes) != civil =>
            {
                at.meter_time_at(minutes).civil
            }
            _ => at.meter_time(zone).civil,
        };
        MeterTime::local(civil)
    }

    /// What the zone's clocks show when the meter's shows `civil` at that offset.
    fn zone_time(&self, civil: CivilTime, minutes: i16) -> CivilTime {
        let time = MeterTime { civil, offset: Offset::Minutes(minutes), doubtful: false };
        time.resolve(self.period.zone).earliest().meter_time(self.period.zone).civil
    }

    /// The newest rows, as many as the period can have.
    fn entries(&mut self, in_use: u32) {
        let wanted = match (self.period.since, self.clock) {
            (Some(since), Some(clock)) if self.step_s > 0 => {
                let now = clock.resolve(self.period.zone).earliest();
                let seconds = now.unix_seconds().saturating_sub(since.unix_seconds()).max(0);
                // Two more: a clock that is off, and the row under way.
                u32::try_from(seconds / self.step_s + 2).unwrap_or(u32::MAX).min(in_use)
            }
            _ => in_use,
        };
        let wanted = wanted.min(ROWS_AT_ONCE * MOST_SLICES);
        let (mut from, last) = if self.newest_first { (1, wanted) } else { (in_use - wanted + 1, in_use) };
        while from <= last {
            let to = from.saturating_add(ROWS_AT_ONCE - 1).min(last);
            let slice = Selection::Entries { from, to };
            // The oldest rows first, whichever way the meter counts them.
            if self.newest_first {
                self.slices.push_front(slice);
            } else {
                self.slices.push_back(slice);
            }
            from = to.saturating_add(1);
        }
    }

    /// Rows were refused. Before any came the next way is tried, each once; later only this slice is lost.
    fn give_way(&mut self, refused: Option<Selection>) {
        if self.came {
            return;
        }
        match (self.way, refused) {
            (Way::Range, Some(_)) => self.count_rows(),
            (Way::Entries, Some(_)) => {
                self.way = Way::Whole;
                self.slices.clear();
            }
            _ => {}
        }
    }

    /// Takes the way by numbers: for it, the rows have to be counted first.
    fn count_rows(&mut self) {
        self.way = Way::Entries;
        self.slices.clear();
        self.planned = false;
        self.queue.push_back(self.own(ENTRIES_IN_USE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Zone;
    use crate::wire::dlms::{Data, Refusal, date_time};

    const PROFILE: Obis = Obis::new(1, 0, 99, 1, 0, 255);

    fn at(text: &str) -> Instant {
        Instant::parse_utc(text).unwrap()
    }

    /// Plays a plan against a meter that answers by this function; gives what was asked of the buffer.
    fn asked(mut rows: Rows, mut answer: impl FnMut(Query) -> Option<Data>) -> Vec<String> {
        let mut asked = Vec::new();
        while let Some(query) = rows.next() {
            assert!(asked.len() < 300, "it never ends");
            let Query { attribute, selection } = query;
            if attribute.index == BUFFER {
                let time = |octets: &[u8; 12]| date_time(octets).unwrap().civil.to_string();
                asked.push(match selection {
                    Some(Selection::Range { from, to, .. }) => format!("{} to {}", time(&from), time(&to)),
                    Some(Selection::Entries { from, to }) => format!("{from} to {to}"),
                    None => "all".into(),
                });
            }
            let result = match answer(query) {
                Some(data) => Ok(data.to_octets().into()),
                None => Err(Refusal::Access { result: 13 }),
            };
            rows.take(&Value { attribute, selection, result });
        }
        asked
    }

    fn rows(since: Option<&str>, clock: MeterTime) -> Rows {
        let period = Period { since: since.map(at), until: None, zone: Zone::CENTRAL_EUROPE };
        Rows::new(PROFILE, period, Some(clock))
    }

    /// A meter with rows each quarter of an hour, `in_use` of them, counted this way.
    fn meter(in_use: u32, sort: u8, takes: [bool; 2]) -> impl FnMut(Query) -> Option<Data> {
        move |query| match (query.attribute.index, query.selection) {
            (CAPTURE_PERIOD, _) => Some(Data::U32(900)),
            (SORT_METHOD, _) => Some(Data::Enum(sort)),
            (ENTRIES_IN_USE, _) => Some(Data::U32(in_use)),
            (COLUMNS, _) => Some(Data::Array(Vec::new())),
            (_, Some(Selection::Range { .. })) => takes[0].then(|| Data::Array(Vec::new())),
            (_, Some(Selection::Entries { .. })) => takes[1].then(|| Data::Array(Vec::new())),
            _ => Some(Data::Array(Vec::new())),
        }
    }

    fn clock(text: &str) -> MeterTime {
        at(text).meter_time(Zone::CENTRAL_EUROPE)
    }

    #[test]
    fn ranges_are_two_days_each_in_the_time_the_meters_clock_shows() {
        let now = clock("2025-10-27T12:00:00Z");
        assert_eq!(
            asked(rows(Some("2025-10-24T22:00:00Z"), now), meter(5760, 1, [true; 2])),
            ["2025-10-25T00:00:00 to 2025-10-26T22:59:59", "2025-10-26T23:00:00 to 2025-10-27T13:00:00"]
        );
        // A meter that keeps winter time all year says so by its deviation.
        let winter = at("2025-07-03T12:00:00Z").meter_time_at(60);
        assert_eq!(
            asked(rows(Some("2025-07-01T22:00:00Z"), winter), meter(5760, 1, [true; 2])),
            ["2025-07-01T23:00:00 to 2025-07-03T13:00:00"].map(str::to_owned)
        );
    }

    #[test]
    fn of_many_years_the_newest_four_hundred_days_are_asked_for() {
        let asked = asked(rows(Some("2015-01-01T00:00:00Z"), clock("2025-11-07T00:00:00Z")), meter(1, 1, [true; 2]));
        assert_eq!(asked.len(), 201);
        assert!(asked[0].starts_with("2024-10-03"), "{}", asked[0]);
        assert!(asked[200].ends_with("2025-11-07T01:00:00"), "{}", asked[200]);
    }

    #[test]
    fn a_clock_that_stands_in_the_past_hides_no_rows() {
        let asked = asked(rows(Some("2025-11-07T00:00:00Z"), clock("2000-01-01T00:00:00Z")), meter(1, 1, [true; 2]));
        assert_eq!(asked.len(), 184);
    }

    #[test]
    fn each_way_is_tried_once() {
        let now = || clock("2025-11-07T12:00:00Z");
        let since = Some("2025-11-07T00:00:00Z");
        assert_eq!(asked(rows(since, now()), meter(5760, 1, [false, true]))[1..], ["5711 to 5760"]);
        assert_eq!(asked(rows(since, now()), meter(5760, 2, [false, true]))[1..], ["1 to 50"]);
        let whole = asked(rows(since, now()), meter(5760, 1, [false, false]));
        assert_eq!(whole[1..], ["5711 to 5760", "all"]);
        // The oldest first, also where the meter counts from the newest.
        assert_eq!(asked(rows(None, now()), meter(300, 1, [true; 2])), ["1 to 192", "193 to 300"]);
        assert_eq!(asked(rows(None, now()), meter(300, 2, [true; 2])), ["193 to 300", "1 to 192"]);
    }
}
