//! The registers of now.

use super::directory::{Directory, Object};
use super::{CLOCK, DEVICE_NAME, OBJECT_LIST, Query, SERIAL};
use crate::reading::Obis;
use crate::wire::dlms::{Attribute, Value};
use std::collections::VecDeque;

/// Objects read, at most: with up to three attributes each, and the three before them, no more than 483 GETs.
const MOST_OBJECTS: usize = 160;

/// What is asked where the object list may not be read.
const USUAL: [[u8; 3]; 17] = [
    [1, 8, 0],
    [1, 8, 1],
    [1, 8, 2],
    [2, 8, 0],
    [2, 8, 1],
    [2, 8, 2],
    [3, 8, 0],
    [4, 8, 0],
    [1, 7, 0],
    [2, 7, 0],
    [32, 7, 0],
    [52, 7, 0],
    [72, 7, 0],
    [31, 7, 0],
    [51, 7, 0],
    [71, 7, 0],
    [14, 7, 0],
];

#[derive(Debug)]
pub(in super::super) struct Registers {
    only: Vec<Obis>,
    queue: VecDeque<Attribute>,
    /// Values that the object list says may not be read.
    pub(super) closed: Vec<Attribute>,
}

impl Registers {
    pub(super) fn new(only: Vec<Obis>) -> Self {
        Self { only, queue: [DEVICE_NAME, OBJECT_LIST].into(), closed: Vec::new() }
    }

    pub(super) fn next(&mut self) -> Option<Query> {
        self.queue.pop_front().map(Query::from)
    }

    pub(super) fn take(&mut self, value: &Value) {
        if value.attribute == OBJECT_LIST {
            self.choose(Directory::of(value).unwrap_or_default());
        }
    }

    /// Clock and number first: they say when and which, should the rest fail.
    fn choose(&mut self, directory: Directory) {
        let listed = |wanted: Attribute| directory.objects.iter().any(|object| object.obis == wanted.obis);
        for first in [CLOCK, SERIAL] {
            if !directory.may_read(first.obis, first.index) {
                self.closed.push(first);
            } else if first == CLOCK || directory.objects.is_empty() || listed(first) {
                self.queue.push_back(first);
            }
        }
        let chosen: Vec<Object> = match (&self.only[..], &directory.objects[..]) {
            ([], []) => USUAL.iter().map(|&[c, d, e]| register(Obis::electricity(c, d, e))).collect(),
            ([], objects) => objects.iter().copied().filter(|object| is_current(*object)).collect(),
            (only, objects) => {
                let find = |code: Obis| objects.iter().find(|object| object.obis == code).copied();
                only.iter().map(|&code| find(code).unwrap_or_else(|| register(code))).collect()
            }
        };
        let asked = [CLOCK, SERIAL, DEVICE_NAME].map(|attribute| attribute.obis);
        let chosen = chosen.into_iter().filter(|object| !asked.contains(&object.obis));
        for object in chosen.take(MOST_OBJECTS) {
            let indices: &[i8] = match object.class {
                // The scaler first: a value without it is not worth asking for.
                3 => &[3, 2],
                4 => &[3, 2, 5],
                5 => &[4, 2],
                _ => &[2],
            };
            // What somebody asks for by name is asked of the meter, whatever its list says.
            let open = |index: i8| !self.only.is_empty() || directory.may_read(object.obis, index);
            if !open(2) {
                self.closed.push(Attribute::new(object.class, object.obis, 2));
                continue;
            }
            let attributes = indices.iter().filter(|&&index| open(index));
            self.queue.extend(attributes.map(|&index| Attribute::new(object.class, object.obis, index)));
        }
    }
}

const fn register(obis: Obis) -> Object {
    Object { class: 3, obis }
}

/// Whether an object is one of the present, not of a past billing period, and of interest to the owner of the meter.
fn is_current(Object { class, obis }: Object) -> bool {
    let [a, _, c, d, _, f] = obis.octets();
    if f != 255 {
        return false;
    }
    match class {
        // Numbers, firmware and set-up identifiers; counts of failures; tariff in force; error and alarm registers.
        1 => match a {
            0 => matches!((c, d), (96, 1 | 5..=7 | 14) | (97, 97 | 98)),
            1 => matches!((c, d), (0, 0 | 2) | (96, 1)),
            _ => false,
        },
        // Thresholds (31 to 45) are settings.
        3..=5 => !(a == 1 && (31..=45).contains(&d)),
        _ => false,
    }
}
