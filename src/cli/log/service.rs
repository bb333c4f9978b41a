//! What the service manager is told: ready, a status in words, signs of life (sd_notify(3)).

use crate::cli::log::words;
use crate::cli::words::{count, tr};
use crate::logger::Kept;
use crate::reading::{Column, Columns, MeterId, TariffMemory};
use crate::session::Stopwatch;
use sd_notify::NotifyState;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Service {
    /// Whether there is a service manager that listens.
    listens: bool,
    watchdog: Option<Duration>,
    fed: Stopwatch,
    told: Stopwatch,
    /// What happened last, until a reading comes.
    last: String,
    meters: BTreeMap<MeterId, Meter>,
}

#[derive(Debug)]
struct Meter {
    count: u64,
    last: Stopwatch,
    power: String,
    memory: TariffMemory,
}

/// How often the status is brought up to date.
const STATUS: Duration = Duration::from_secs(5);

/// How much longer the start may take each time; said every few seconds, as long as no meter speaks.
const PATIENCE: Duration = Duration::from_secs(60);

impl Service {
    pub(super) fn new() -> Self {
        Self {
            listens: std::env::var_os("NOTIFY_SOCKET").is_some(),
            watchdog: sd_notify::watchdog_enabled(),
            fed: Stopwatch::start(),
            told: Stopwatch::start(),
            last: String::new(),
            meters: BTreeMap::new(),
        }
    }

    /// A reading has been received: with the first one the service is ready.
    pub(super) fn kept(&mut self, kept: &Kept) {
        if !self.listens {
            return;
        }
        let is_ready = !self.meters.is_empty();
        let meter = self.meters.entry(kept.meter.clone()).or_insert_with(|| Meter {
            count: 0,
            last: Stopwatch::start(),
            power: String::new(),
            memory: TariffMemory::default(),
        });
        meter.count += 1;
        meter.last = Stopwatch::start();
        let power = Columns::of(&kept.reading, &mut meter.memory).get(Column::PowerTotal);
        meter.power = power.map(|watts| format!(", {watts} W")).unwrap_or_default();
        self.last.clear();
        if !is_ready {
            tell(&[NotifyState::Ready, NotifyState::Status(&self.status())]);
        }
    }

    /// Something happened.
    pub(super) fn notice(&mut self, text: &str) {
        text.clone_into(&mut self.last);
        self.tell_status();
    }

    /// Everything moves.
    pub(super) fn alive(&mut self) {
        if self.watchdog.is_some_and(|period| self.fed.left(period / 3).is_zero()) {
            self.fed = Stopwatch::start();
            tell(&[NotifyState::Watchdog]);
        }
        if self.told.left(STATUS).is_zero() {
            self.tell_status();
        }
    }

    pub(super) fn stopping(&self) {
        if self.listens {
            tell(&[NotifyState::Stopping]);
        }
    }

    fn tell_status(&mut self) {
        if self.listens {
            self.told = Stopwatch::start();
            tell(&[NotifyState::Status(&self.status())]);
            if self.meters.is_empty() {
                // A meter that is silent for hours is no reason to begin anew.
                let micros = u32::try_from(PATIENCE.as_micros()).unwrap_or(u32::MAX);
                tell(&[NotifyState::ExtendTimeoutUsec(micros)]);
            }
        }
    }

    /// `18438636: 1106 readings, last 4 s ago, 1660 W`.
    fn status(&self) -> String {
        let meters = self.meters.iter().map(|(name, meter)| {
            let ago = words::time(Duration::from_secs(meter.last.elapsed().as_secs()));
            let readings = count::readings(meter.count);
            let power = &meter.power;
            tr!("{meter}: {readings}, last {time} ago{power}", meter = name, readings, time = ago, power)
        });
        let parts: Vec<String> = meters.chain((!self.last.is_empty()).then(|| self.last.clone())).collect();
        parts.join("; ")
    }
}

/// Whoever does not listen misses nothing.
fn tell(state: &[NotifyState<'_>]) {
    drop(sd_notify::notify(state));
}
