//! The meter's own clock, which may be set wrong and may run wrong.

/// What happens to the meter's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockChange {
    /// It is set forward, or back where negative.
    Step {
        /// UNIX second.
        at: i64,
        /// By so many seconds.
        seconds: i64,
    },
    /// It begins to run fast, or slow where negative.
    Drift {
        /// UNIX second.
        from: i64,
        /// By so many seconds a day.
        seconds_a_day: i64,
    },
}

/// The clock.
#[derive(Debug, Clone, Default)]
pub struct Clock(Vec<ClockChange>);

impl Clock {
    pub(super) const fn new(changes: Vec<ClockChange>) -> Self {
        Self(changes)
    }

    /// What it shows at a UNIX second.
    #[must_use]
    pub fn shown(&self, second: i64) -> i64 {
        let off: i64 = self
            .0
            .iter()
            .map(|change| match *change {
                ClockChange::Step { at, seconds } if second >= at => seconds,
                ClockChange::Drift { from, seconds_a_day } if second >= from => {
                    seconds_a_day.saturating_mul(second - from) / 86_400
                }
                _ => 0,
            })
            .fold(0, i64::saturating_add);
        second.saturating_add(off)
    }

    /// What it showed just before it was set in this second; `None` where it was not set.
    pub(super) fn set_at(&self, second: i64) -> Option<i64> {
        let is_set = |change: &ClockChange| matches!(*change, ClockChange::Step { at, .. } if at == second);
        self.0.iter().any(is_set).then(|| self.shown(second - 1).saturating_add(1))
    }
}
