//! Under which time a reading counts: the one rule, in one place.

use crate::reading::{Anomaly, AnomalyCode, Instant, MeterTime, Protocol, Reading, Resolved, Zone};

/// How the bytes of a reading came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// From a meter, just now.
    Live(Instant),
    /// From a capture that was last written then: the meter's own clock is believed whenever there is one.
    Replay(Instant),
}

/// The zones that meter clocks without one are in.
#[derive(Debug, Clone, Copy)]
pub struct Stamped {
    /// The time the reading counts under.
    pub at: Instant,
    /// The zone its meter clock was read in.
    pub zone: Zone,
}

/// How far a live meter's clock may be off and still be believed: a day.
const CREDIBLE_S: i64 = 24 * 3600;

/// The time of a reading: the meter's own where it sends one and it is credible, else the time of receipt.
///
/// A clock without an offset is local time in `zone`; a DSMR clock without its summer or winter flag is Central European
/// Time unless a zone was `chosen`. What is doubtful (a clock the meter calls invalid, the repeated hour without a flag) is
/// noted in the reading.
pub fn timestamp(reading: &mut Reading, receipt: Receipt, zone: Zone, chosen: bool) -> Stamped {
    let zone = if reading.protocol == Protocol::Dsmr && !chosen { Zone::CENTRAL_EUROPE } else { zone };
    let received = match receipt {
        Receipt::Live(at) | Receipt::Replay(at) => at,
    };
    let position = reading.position;
    let Some(clock) = reading.clock else { return Stamped { at: received, zone } };
    let resolved = clock.resolve(zone);
    let at = match (resolved, receipt) {
        (Resolved::Exact(at), _) => at,
        (Resolved::Ambiguous(first, second), Receipt::Live(now)) => nearer(first, second, now),
        (Resolved::Ambiguous(first, _), Receipt::Replay(_)) => {
            let detail = format!("{} came twice in {zone}; the first is taken", clock.civil);
            reading.suspect(Anomaly::new(AnomalyCode::Clock, position, detail));
            first
        }
        (Resolved::Skipped(at), _) => {
            let detail = format!("{} did not exist in {zone}", clock.civil);
            reading.suspect(Anomaly::new(AnomalyCode::Clock, position, detail));
            at
        }
    };
    if let Receipt::Live(now) = receipt
        && now.unix_seconds().abs_diff(at.unix_seconds()) > CREDIBLE_S.unsigned_abs()
    {
        reading.anomalies.push(incredible(&clock, now, position));
        return Stamped { at: now, zone };
    }
    Stamped { at, zone }
}

fn nearer(first: Instant, second: Instant, now: Instant) -> Instant {
    let distance = |at: Instant| now.unix_micros().abs_diff(at.unix_micros());
    if distance(second) < distance(first) { second } else { first }
}

fn incredible(clock: &MeterTime, now: Instant, position: u64) -> Anomaly {
    let detail =
        format!("the meter's clock says {}, more than a day off; the time of receipt {now} counts", clock.civil);
    Anomaly::new(AnomalyCode::Clock, position, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{CivilTime, Offset, Quality};

    fn reading(protocol: Protocol, offset: Offset, civil: (i32, u8, u8, u8, u8, u8)) -> Reading {
        let (y, mo, d, h, mi, s) = civil;
        let clock = MeterTime { civil: CivilTime::new(y, mo, d, h, mi, s).unwrap(), offset, doubtful: false };
        Reading { clock: Some(clock), ..Reading::new(protocol) }
    }

    fn at(text: &str) -> Instant {
        Instant::parse_utc(text).unwrap()
    }

    #[test]
    fn a_meter_clock_counts_when_it_is_credible() {
        let zurich = Zone::parse("Europe/Zurich").unwrap();
        let now = at("2025-11-07T14:30:05Z");
        let mut good = reading(Protocol::Dlms, Offset::Unknown, (2025, 11, 7, 15, 30, 2));
        assert_eq!(timestamp(&mut good, Receipt::Live(now), zurich, false).at, at("2025-11-07T14:30:02Z"));
        let mut reset = reading(Protocol::Dlms, Offset::Unknown, (2000, 1, 1, 0, 0, 0));
        assert_eq!(timestamp(&mut reset, Receipt::Live(now), zurich, false).at, now);
        assert_eq!(reset.anomalies[0].code, AnomalyCode::Clock);
        // Of a capture nobody knows when it was taken: the meter is believed.
        let mut old = reading(Protocol::Dlms, Offset::Unknown, (2000, 1, 1, 0, 0, 0));
        assert_eq!(timestamp(&mut old, Receipt::Replay(now), zurich, false).at, at("1999-12-31T23:00:00Z"));
    }

    #[test]
    fn a_dsmr_clock_without_flag_is_central_european_unless_a_zone_is_chosen() {
        let received = Receipt::Replay(at("2020-01-01T00:00:00Z"));
        let mut p1 = reading(Protocol::Dsmr, Offset::Unknown, (2024, 1, 11, 9, 35, 0));
        assert_eq!(timestamp(&mut p1, received, Zone::UTC, false).at, at("2024-01-11T08:35:00Z"));
        assert_eq!(timestamp(&mut p1, received, Zone::UTC, true).at, at("2024-01-11T09:35:00Z"));
    }

    #[test]
    fn the_repeated_hour_is_settled_by_the_time_of_receipt_or_marked() {
        let brussels = Zone::parse("Europe/Brussels").unwrap();
        let mut live = reading(Protocol::Dlms, Offset::Unknown, (2026, 10, 25, 2, 30, 0));
        let now = Receipt::Live(at("2026-10-25T01:30:04Z"));
        assert_eq!(timestamp(&mut live, now, brussels, false).at, at("2026-10-25T01:30:00Z"));
        assert_eq!(live.quality, Quality::Good);
        let mut replayed = live.clone();
        let stamped = timestamp(&mut replayed, Receipt::Replay(at("2027-01-01T00:00:00Z")), brussels, false);
        assert_eq!((stamped.at, replayed.quality), (at("2026-10-25T00:30:00Z"), Quality::Suspect));
    }
}
