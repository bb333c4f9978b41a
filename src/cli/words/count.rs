//! How many of something, in words that go with the number.

use super::{chosen, tr};
use crate::reading::Language;

/// A number of things as the program counts them.
pub(in crate::cli) trait Count: TryInto<u64> {}
impl Count for u64 {}
impl Count for usize {}
impl Count for u32 {}

fn number(count: impl Count) -> u64 {
    count.try_into().unwrap_or(u64::MAX)
}

/// Whether a noun after the number stands in the singular: after one, and in French after zero too.
pub(in crate::cli) fn is_singular(count: impl Count) -> bool {
    match number(count) {
        1 => true,
        0 => chosen() == Language::French,
        _ => false,
    }
}

/// A function that says how many of something there are.
macro_rules! counted {
    ($($(#[$doc:meta])* $name:ident: $one:expr, $many:expr;)*) => {$(
        $(#[$doc])*
        pub(in crate::cli) fn $name(count: impl Count) -> String {
            let n = number(count);
            let (one, many): (fn(u64) -> String, fn(u64) -> String) = ($one, $many);
            if is_singular(n) { one(n) } else { many(n) }
        }
    )*};
}

counted! {
    /// `2 bytes`.
    bytes: |n| tr!("{n} byte", n), |n| tr!("{n} bytes", n);
    /// `2 events`.
    events: |n| tr!("{n} event", n), |n| tr!("{n} events", n);
    /// `2 files`.
    files: |n| tr!("{n} file", n), |n| tr!("{n} files", n);
    /// `2 meters`.
    meters: |n| tr!("{n} meter", n), |n| tr!("{n} meters", n);
    /// `2 readings`.
    readings: |n| tr!("{n} reading", n), |n| tr!("{n} readings", n);
    /// `2 sealed spans`.
    spans: |n| tr!("{n} sealed span", n), |n| tr!("{n} sealed spans", n);
    /// `2 telegrams`.
    telegrams: |n| tr!("{n} telegram", n), |n| tr!("{n} telegrams", n);
    /// `2 values`.
    values: |n| tr!("{n} value", n), |n| tr!("{n} values", n);
}
