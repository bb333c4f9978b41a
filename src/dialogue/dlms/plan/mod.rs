//! What to ask for, in which order, and what follows from the answers.

mod directory;
mod log;
mod profile;
mod registers;

pub(super) use self::log::Log;
pub(super) use self::profile::Rows;
pub(super) use self::registers::Registers;

use super::association::ASSOCIATION;
use crate::reading::{Instant, Obis, Zone};
use crate::wire::dlms::{Attribute, Selection, Value};
use std::collections::{BTreeMap, VecDeque};

/// The clock of nearly every meter.
pub(super) const CLOCK: Attribute = Attribute::new(8, Obis::new(0, 0, 1, 0, 0, 255), 2);
/// The logical device name.
const DEVICE_NAME: Attribute = Attribute::new(1, Obis::new(0, 0, 42, 0, 0, 255), 2);
/// The number printed on the meter.
const SERIAL: Attribute = Attribute::new(1, Obis::new(0, 0, 96, 1, 0, 255), 2);
/// The objects of the association.
const OBJECT_LIST: Attribute = Attribute::new(15, ASSOCIATION, 2);

/// What a dialogue is to read.
#[derive(Debug, Clone)]
pub enum Plan {
    /// The registers of now: clock, numbers of the meter, energies, powers, voltages. With codes, only those.
    Registers {
        /// Which ones; none means all the association may read.
        only: Vec<Obis>,
    },
    /// A load profile.
    Profile {
        /// Which one: 1-0:99.1.0 is the quarter-hour profile.
        obis: Obis,
        /// Which part of it.
        period: Period,
    },
    /// The event logs, 0-0:99.98.x, and the log of power failures, 1-0:99.97.0.
    Log {
        /// Only this one.
        only: Option<Obis>,
        /// Which part of them.
        period: Period,
    },
    /// Exactly these attributes.
    Attributes(Vec<Attribute>),
}

/// A stretch of time in a meter whose clock shows the time of a zone.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    /// The first moment; `None` for as far back as there is.
    pub since: Option<Instant>,
    /// The moment behind the last; `None` for the meter's now.
    pub until: Option<Instant>,
    /// The zone of the meter's clock. A meter that says otherwise by the deviation of its own clock is believed.
    pub zone: Zone,
}

/// Attributes that do not change while a meter stays as it is: scalers, object lists, columns of profiles. Kept from one
/// dialogue to the next they save most of the traffic; a meter with another name is asked everything anew.
#[derive(Debug, Clone, Default)]
pub struct Known {
    name: Option<Box<[u8]>>,
    lasting: BTreeMap<Attribute, Box<[u8]>>,
}

impl Known {
    /// The lasting ones among what was read; none where the meter did not say its name.
    #[must_use]
    pub fn of(values: &[Value]) -> Self {
        let read = |value: &Value| Some((value.attribute, value.result.clone().ok()?));
        let name = values.iter().find(|value| value.attribute == DEVICE_NAME).and_then(read).map(|(_, name)| name);
        let lasting = values.iter().filter(|value| value.selection.is_none() && is_lasting(value.attribute));
        let lasting = if name.is_some() { lasting.filter_map(read).collect() } else { BTreeMap::new() };
        Self { name, lasting }
    }

    /// What need not be asked. Nothing counts before the meter has said its name.
    pub(super) fn get(&self, query: Query, named: bool) -> Option<&[u8]> {
        let lasting = if named && query.selection.is_none() { self.lasting.get(&query.attribute) } else { None };
        lasting.map(|octets| &**octets)
    }

    /// Whether a value is the name of the meter that all this is known of.
    pub(super) fn is_name(&self, value: &Value) -> bool {
        value.attribute == DEVICE_NAME && self.name.is_some() && value.result.as_ref().ok() == self.name.as_ref()
    }
}

fn is_lasting(attribute: Attribute) -> bool {
    matches!((attribute.class, attribute.index), (3 | 4, 3) | (5, 4) | (7, 3..=5) | (15, 2))
}

/// One thing to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) attribute: Attribute,
    pub(super) selection: Option<Selection>,
}

impl From<Attribute> for Query {
    fn from(attribute: Attribute) -> Self {
        Self { attribute, selection: None }
    }
}

/// A plan being carried out. Each asks a bounded number of things: the bound stands with it.
#[derive(Debug)]
pub(super) enum Work {
    Registers(Registers),
    Rows(Box<Rows>),
    Log(Box<Log>),
    List(VecDeque<Attribute>),
}

/// Attributes of a list, at most.
const MOST_ATTRIBUTES: usize = 1000;

impl Work {
    pub(super) fn new(plan: Plan) -> Self {
        match plan {
            Plan::Registers { only } => Self::Registers(Registers::new(only)),
            Plan::Profile { obis, period } => Self::Rows(Box::new(Rows::with_meter(obis, period))),
            Plan::Log { only, period } => Self::Log(Box::new(Log::new(only, period))),
            Plan::Attributes(attributes) => Self::List(attributes.into_iter().take(MOST_ATTRIBUTES).collect()),
        }
    }

    /// What to ask next; `None` when there is nothing left.
    pub(super) fn next(&mut self) -> Option<Query> {
        match self {
            Self::Registers(work) => work.next(),
            Self::Rows(work) => work.next(),
            Self::Log(work) => work.next(),
            Self::List(work) => work.pop_front().map(Query::from),
        }
    }

    /// What need not be asked, since the server has said already that it will not tell.
    pub(super) fn closed(&mut self) -> Vec<Attribute> {
        match self {
            Self::Registers(work) => std::mem::take(&mut work.closed),
            _ => Vec::new(),
        }
    }

    /// Takes the answer to what was asked last.
    pub(super) fn take(&mut self, value: &Value) {
        match self {
            Self::Registers(work) => work.take(value),
            Self::Rows(work) => work.take(value),
            Self::Log(work) => work.take(value),
            Self::List(_) => {}
        }
    }
}
