//! Sentences of events, in French as the page shows them.

use super::exact::rounded;
use super::machine::Episode;
use crate::reading::{Decimal, Instant};
use smol_str::{SmolStr, format_smolstr};

/// A number with a decimal comma and at most so many decimals.
pub(super) fn number(value: Decimal, decimals: u8) -> String {
    rounded(value, decimals).to_string().replace('.', ",")
}

/// A length of time: `30 s`, `42 min`, `1 h 05 min`, `3 j 4 h`.
#[must_use]
pub fn length(seconds: i64) -> String {
    let two = |many: i64, unit: &str, rest: i64, of: &str| match rest {
        0 => format!("{many} {unit}"),
        rest => format!("{many} {unit} {rest} {of}"),
    };
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => two(seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => two(seconds / 3600, "h", seconds / 60 % 60, "min"),
        _ => two(seconds / 86_400, "j", seconds / 3600 % 24, "h"),
    }
}

pub(super) fn between(from: Instant, until: Instant) -> i64 {
    until.unix_seconds() - from.unix_seconds()
}

/// ` L2`, where it is about a phase.
pub(super) fn phase(phase: Option<u8>) -> String {
    phase.map(|phase| format!(" L{phase}")).unwrap_or_default()
}

/// What was found out about an episode, and how long it was.
pub(super) fn episode(what: &str, episode: &Episode) -> SmolStr {
    match episode.end {
        None => format_smolstr!("{what}, en cours"),
        Some(end) if end == episode.start => format_smolstr!("{what}, valeur instantanée"),
        Some(end) => {
            let length = length(between(episode.start, end));
            let cut = if episode.is_cut { ", fin à l'heure de la dernière mesure" } else { "" };
            format_smolstr!("{what}, durée {length}{cut}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lengths_read_well() {
        assert_eq!(number(Decimal::new(256_149, -3), 1), "256,1");
        assert_eq!(number(Decimal::new(4500, 0), 1), "4500");
        let all = [42, 60, 90, 2520, 3900, 7200, 273_600].map(length);
        assert_eq!(all, ["42 s", "1 min", "1 min 30 s", "42 min", "1 h 5 min", "2 h", "3 j 4 h"]);
    }
}
