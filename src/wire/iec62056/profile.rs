//! Load profile `P.01` and event logs `P.98`, `P.99`, as VDEW meters send them.
//!
//! ```text
//! P.01(1220823161500)(08)(15)(2)(1.5)(kW)(2.5)(kW)        P.98(1220826235646)(00008020)()(1)(0.9.2)()(1220826)
//!      │             │   │   │  └ channel and its unit         │             │           │  │        └ its value
//!      │             │   │   └ how many of them                │             │           │  └ what came with it
//!      │             │   └ period in minutes                   │             │           └ how many of them
//!      │             └ status of the rows that follow          │             └ status: what happened
//!      └ time of the first row                                 └ when
//! (0.18374)(0.00078)      rows, without an address
//! (0.16832)(0.00000)
//! ```
//!
//! Both headers have the same grammar: season and time, status, period, a count, so many pairs of code and unit, then
//! values. A new header comes whenever the status changes or a gap begins. Answers without entries, `P.01(ERROR)`, are normal.

use super::super::text::{Stamp, stamp};
use crate::reading::{Code, Unit};
use smol_str::SmolStr;

/// The most channels a header may announce; no meter has more registers to record.
const MAX_CHANNELS: usize = 64;

/// The header of a load profile, or an entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// When.
    pub time: Stamp,
    /// The status word, hexadecimal digits as sent.
    pub status: SmolStr,
    /// The recording period, where there is one.
    pub period_s: Option<u32>,
    /// What the values are.
    pub channels: Vec<(Code, Option<Unit>)>,
    /// The groups behind the header: a log's values, or rows on the header's own line.
    pub values: &'a [&'a [u8]],
}

impl<'a> Header<'a> {
    /// Reads the groups of a `P.` data set; `None` where they are no header, as in `P.01(ERROR)`.
    #[must_use]
    pub fn parse(groups: &'a [&'a [u8]]) -> Option<Self> {
        let [time, status, period, count, rest @ ..] = groups else { return None };
        let time = stamp(time)?;
        let number = |text: &[u8]| std::str::from_utf8(text).ok()?.trim().parse::<u32>().ok();
        let count = usize::try_from(number(count)?).ok().filter(|&n| n <= MAX_CHANNELS)?;
        let (pairs, values) = rest.split_at_checked(count.checked_mul(2)?)?;
        let channels = pairs
            .chunks_exact(2)
            .filter_map(|pair| Some((Code::parse(pair.first()?), Unit::parse_bytes(pair.get(1)?))))
            .collect();
        let period_s = number(period).filter(|&minutes| minutes > 0).and_then(|minutes| minutes.checked_mul(60));
        Some(Self { time, status: String::from_utf8_lossy(status).into(), period_s, channels, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(text: &str) -> Vec<&[u8]> {
        text.trim_matches(['(', ')']).split(")(").map(str::as_bytes).collect()
    }

    #[test]
    fn a_load_profile_header() {
        let groups = groups("(1220823161500)(08)(15)(2)(1-0:1.5.0)(kW)(5.5)(kvar)");
        let header = Header::parse(&groups).unwrap();
        assert_eq!(header.time.time().unwrap().civil.to_string(), "2022-08-23T16:15:00");
        assert_eq!((header.status.as_str(), header.period_s), ("08", Some(900)));
        let channels: Vec<_> = header.channels.iter().map(|(c, u)| format!("{c} {}", u.unwrap())).collect();
        assert_eq!(channels, ["1-0:1.5.0*255 kW", "1-0:5.5.0*255 kvar"]);
        assert!(header.values.is_empty());
    }

    #[test]
    fn a_log_entry_brings_its_values() {
        let groups = groups("(1220826235646)(00008020)()(2)(0.9.1)()(0.9.2)()(1235703)(1220826)");
        let header = Header::parse(&groups).unwrap();
        assert_eq!((header.status.as_str(), header.period_s, header.channels.len()), ("00008020", None, 2));
        assert_eq!(header.values, [&b"1235703"[..], b"1220826"]);
    }

    #[test]
    fn what_is_no_header_is_none() {
        for text in ["(ERROR)", "(1220826235646)(00)()(3)(0.9.1)()", "(x)(00)()(0)", "(1220826235646)(00)(15)(99999)"] {
            assert_eq!(Header::parse(&groups(text)), None, "{text}");
        }
    }
}
