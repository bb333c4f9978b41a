//! The event logs of a meter, one behind the other.

use super::directory::Directory;
use super::profile::Rows;
use super::{CLOCK, DEVICE_NAME, OBJECT_LIST, Period, Query, SERIAL};
use crate::reading::{MeterTime, Obis};
use crate::wire::dlms::{Attribute, Item, Value};
use std::collections::VecDeque;

/// Logs, at most; each takes no more than 269 GETs.
const MOST_LOGS: usize = 24;

/// What is asked where the object list may not be read: IDIS and DSMR meters have the first five.
const USUAL: [Obis; 7] = [
    Obis::new(0, 0, 99, 98, 0, 255),
    Obis::new(0, 0, 99, 98, 1, 255),
    Obis::new(0, 0, 99, 98, 2, 255),
    Obis::new(0, 0, 99, 98, 4, 255),
    Obis::new(0, 0, 99, 98, 5, 255),
    Obis::new(0, 0, 99, 98, 3, 255),
    Obis::new(1, 0, 99, 97, 0, 255),
];

#[derive(Debug)]
pub(in super::super) struct Log {
    period: Period,
    queue: VecDeque<Attribute>,
    clock: Option<MeterTime>,
    logs: VecDeque<Obis>,
    /// The log under way.
    rows: Option<Rows>,
}

impl Log {
    pub(super) fn new(only: Option<Obis>, period: Period) -> Self {
        let mut queue = VecDeque::from([DEVICE_NAME, CLOCK, SERIAL]);
        if only.is_none() {
            queue.push_back(OBJECT_LIST);
        }
        Self { period, queue, clock: None, logs: only.into_iter().collect(), rows: None }
    }

    pub(super) fn next(&mut self) -> Option<Query> {
        if let Some(attribute) = self.queue.pop_front() {
            return Some(attribute.into());
        }
        loop {
            if let Some(query) = self.rows.as_mut().and_then(Rows::next) {
                return Some(query);
            }
            let log = self.logs.pop_front()?;
            self.rows = Some(Rows::new(log, self.period, self.clock));
        }
    }

    pub(super) fn take(&mut self, value: &Value) {
        if let Some(rows) = &mut self.rows {
            rows.take(value);
        } else if value.attribute == CLOCK {
            self.clock = value.tree().as_ref().and_then(|tree| Item::time(tree.root()));
        } else if value.attribute == OBJECT_LIST {
            self.logs = match Directory::of(value) {
                Some(directory) => {
                    let logs = directory.objects.iter().filter(|object| object.class == 7 && is_log(object.obis));
                    logs.map(|object| object.obis).take(MOST_LOGS).collect()
                }
                None => USUAL.into(),
            };
        }
    }
}

/// Whether a profile's code is that of an event log.
fn is_log(obis: Obis) -> bool {
    matches!(obis.octets(), [0 | 1, _, 99, 98, _, _] | [1, _, 99, 97, _, _])
}
