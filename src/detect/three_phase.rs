//! Three voltages together: the meter's own means of them, and how far they are from each other.

use super::exact::millionths;
use super::means::Mean;
use super::rules::Rule;
use super::seen::Seen;
use crate::reading::{Decimal, Instant, Obis};

/// A mean of the meter's own is that of the window that ended within so many seconds.
const FRESH: i64 = 10;

/// The meter's own means of the voltages, where the reading has them: of the last period before those of the current one.
pub(super) fn own_means(seen: &Seen<'_>) -> [Option<Decimal>; 3] {
    let mut own: [Option<(u8, Decimal)>; 3] = [None; 3];
    for register in &seen.reading.registers {
        let Some([1, _, c @ (32 | 52 | 72), d @ (24 | 25), 0, 255]) = register.code.obis().map(Obis::octets) else {
            continue;
        };
        let place = usize::from((c - 32) / 20);
        if own[place].is_none_or(|(before, _)| before < d)
            && let Some((value, _)) = register.normalised()
        {
            own[place] = Some((d, value));
        }
    }
    own.map(|own| own.map(|(_, value)| value).filter(|_| seen.is_good))
}

/// Which of the meter's own means was taken last: each stands for one window, however often it is sent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OwnMean {
    taken: Option<Instant>,
}

impl OwnMean {
    /// A mean of the meter's own, if it is that of a window that has just ended.
    pub(super) fn take(&mut self, value: Option<Decimal>, rule: &Rule, at: Instant) -> Option<Mean> {
        let into = at.unix_seconds().rem_euclid(rule.window());
        let until = Instant::from_unix(at.unix_seconds() - into);
        let value = value.filter(|_| into <= FRESH && self.taken.is_none_or(|taken| taken < until))?;
        self.taken = Some(until);
        Some(Mean { from: until.plus_seconds(-rule.window()), until, value })
    }
}

/// U2/U1 in percent to a thousandth, from three magnitudes and angles of 120° taken for granted:
/// √(a² + b² + c² − ab − bc − ca) / (a + b + c).
pub(super) fn unbalance(voltages: [Decimal; 3]) -> Option<Decimal> {
    let [a, b, c] = voltages.map(|voltage| millionths(voltage).map(|micro| i128::from(micro / 1000)));
    let (a, b, c) = (a?, b?, c?);
    let square = u128::try_from(a * a + b * b + c * c - a * b - b * c - c * a).ok()?;
    let sum = u128::try_from(a + b + c).ok().filter(|sum| *sum > 0)?;
    // Percent and thousandths: five places, so ten under the root.
    let ratio = (square.checked_mul(10_000_000_000)? / (sum * sum)).isqrt();
    Some(Decimal::new(i64::try_from(ratio).ok()?, -3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unbalance_is_estimated_as_the_page_says() {
        let estimate = |all: [i64; 3]| {
            super::super::exact::rounded(unbalance(all.map(|volts| Decimal::new(volts, 0))).unwrap(), 2).to_string()
        };
        assert_eq!(estimate([230, 230, 220]), "1.47");
        assert_eq!(estimate([236, 229, 224]), "1.52");
        assert_eq!(estimate([240, 230, 225]), "1.9");
        assert_eq!(estimate([230, 230, 207]), "3.45");
    }
}
