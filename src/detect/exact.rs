//! Exact arithmetic on whole numbers: means, roundings, lengths of time.

use crate::reading::{Decimal, Instant};

/// A number in millionths; finer digits than that are cut off. `None` where it is too large.
pub(super) fn millionths(value: Decimal) -> Option<i64> {
    let places = i32::from(value.exponent()) + 6;
    let power = 10i64.checked_pow(places.unsigned_abs());
    // A power beyond 64 bits makes any number too large, or nothing.
    if places >= 0 { value.mantissa().checked_mul(power?) } else { Some(power.map_or(0, |p| value.mantissa() / p)) }
}

/// `numerator / denominator`, rounded half to even.
pub(super) fn divided(numerator: i128, denominator: i128) -> i128 {
    let (quotient, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    // Twice the rest may be too large a number.
    let up = match rest.cmp(&(denominator - rest)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
        std::cmp::Ordering::Greater => true,
    };
    quotient + i128::from(up)
}

/// The number with at most so many decimals, rounded half to even, and without zeros behind them.
pub(super) fn rounded(value: Decimal, decimals: u8) -> Decimal {
    let excess = -i32::from(value.exponent()) - i32::from(decimals);
    let mut mantissa = value.mantissa();
    let mut exponent = value.exponent();
    if excess > 0 {
        let Some(power) = 10i128.checked_pow(excess.unsigned_abs()) else { return Decimal::ZERO };
        mantissa = i64::try_from(divided(i128::from(mantissa), power)).unwrap_or(mantissa);
        exponent = -i8::try_from(decimals).unwrap_or(0);
    }
    while exponent < 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        exponent += 1;
    }
    Decimal::new(mantissa, exponent)
}

/// A length of time in seconds, to the millisecond.
pub(super) fn seconds_between(from: Instant, until: Instant) -> Decimal {
    let millis = (until.unix_micros() - from.unix_micros()) / 1000;
    rounded(Decimal::new(millis, -3), 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_to_the_even_side() {
        let text = |mantissa, exponent, decimals| rounded(Decimal::new(mantissa, exponent), decimals).to_string();
        assert_eq!([text(2565, -3, 2), text(2575, -3, 2), text(-2565, -3, 2)], ["2.56", "2.58", "-2.56"]);
        assert_eq!([text(25_300, -2, 1), text(7, 2, 3), text(1, -9, 3)], ["253", "700", "0"]);
        assert_eq!(millionths(Decimal::new(2315, -1)), Some(231_500_000));
        assert_eq!(millionths(Decimal::new(i64::MAX, 0)), None);
    }
}
