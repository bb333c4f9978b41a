//! The one monotonic clock of the sessions.

use std::time::{Duration, Instant};

/// Measures the time since something began; never goes back, whatever is done to the host's clock.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where sessions read the monotonic clock")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// What is left of `limit`; zero when it is over.
    #[must_use]
    pub fn left(self, limit: Duration) -> Duration {
        limit.saturating_sub(self.elapsed())
    }
}
