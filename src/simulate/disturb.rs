//! What goes wrong on the way: noise, lost characters, spoilt checksums, silence, an echo.

use super::meter::Emission;
use super::random;
use crate::reading::Instant;

/// Where the disturbances draw their numbers.
const STREAM: u64 = 200;

/// From when on, and to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first moment.
    pub from: Instant,
    /// The moment it is over; `None` for never.
    pub until: Option<Instant>,
}

impl Span {
    /// Whether a moment lies in it.
    #[must_use]
    pub fn contains(&self, at: Instant) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// A kind of disturbance of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One character in so many arrives as another one.
    Noise(u64),
    /// One character in so many does not arrive.
    Lost(u64),
    /// One character in so many arrives with the wrong parity.
    Parity(u64),
    /// The checksum of one telegram in so many does not fit.
    Checksum(u64),
    /// Nothing is sent.
    Silence,
    /// The head returns what is sent to the meter.
    Echo,
    /// The same, and there is no meter.
    EchoOnly,
    /// The head is not where it should be: most characters arrive garbled, some as NUL, some not at all.
    Misplaced,
}

/// What becomes of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Arrives(u8),
    WrongParity(u8),
    Lost,
}

/// Everything that goes wrong on one line.
#[derive(Debug, Clone, Default)]
pub struct Disturbance {
    seed: u64,
    kinds: Vec<(Kind, Span)>,
    characters: i64,
    telegrams: u64,
}

impl Disturbance {
    /// Nothing goes wrong yet.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, kinds: Vec::new(), characters: 0, telegrams: 0 }
    }

    /// Adds a disturbance.
    pub fn add(&mut self, kind: Kind, span: Span) {
        self.kinds.push((kind, span));
    }

    fn now(&self, at: Instant) -> impl Iterator<Item = Kind> {
        self.kinds.iter().filter(move |(_, span)| span.contains(at)).map(|&(kind, _)| kind)
    }

    pub(crate) fn is_silent(&self, at: Instant) -> bool {
        self.now(at).any(|kind| matches!(kind, Kind::Silence | Kind::EchoOnly))
    }

    pub(crate) fn echoes(&self, at: Instant) -> bool {
        self.now(at).any(|kind| matches!(kind, Kind::Echo | Kind::EchoOnly))
    }

    pub(crate) fn has_meter(&self, at: Instant) -> bool {
        !self.now(at).any(|kind| kind == Kind::EchoOnly)
    }

    /// Spoils the checksum, if it is this telegram's turn.
    pub(crate) fn spoil(&mut self, emission: &mut Emission) {
        let Some(check) = emission.check else { return };
        self.telegrams += 1;
        let turn = self.telegrams;
        if self.now(emission.at).any(|kind| matches!(kind, Kind::Checksum(every) if turn.is_multiple_of(every.max(1))))
            && let Some(octet) = emission.bytes.get_mut(check)
        {
            // A hexadecimal digit stays one.
            *octet ^= 0x01;
        }
    }

    pub(crate) fn fate(&mut self, character: u8, at: Instant) -> Fate {
        if self.kinds.is_empty() {
            return Fate::Arrives(character);
        }
        self.characters += 1;
        let mut fate = Fate::Arrives(character);
        for (n, kind) in (0u64..).zip(self.now(at)) {
            let drawn = random::at(self.seed, STREAM + n, self.characters);
            let is_hit = |every: u64| random::within(drawn, 1, i64::try_from(every).unwrap_or(i64::MAX)) == 1;
            // The low octet is independent of the hit, which the high bits decide.
            let [change, ..] = drawn.to_le_bytes();
            match kind {
                Kind::Noise(every) if is_hit(every) => fate = Fate::Arrives(character ^ change.max(1)),
                Kind::Lost(every) if is_hit(every) => return Fate::Lost,
                Kind::Parity(every) if is_hit(every) => fate = Fate::WrongParity(character),
                Kind::Misplaced => match change {
                    0..=63 => return Fate::Lost,
                    64..=127 => fate = Fate::Arrives(0),
                    128..=207 => fate = Fate::Arrives(character ^ (change | 0x11)),
                    _ => {}
                },
                _ => {}
            }
        }
        fate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Line;

    const NOW: Instant = Instant::from_unix(1_000);

    fn always() -> Span {
        Span { from: Instant::from_unix(0), until: None }
    }

    fn fates(kind: Kind) -> Vec<Fate> {
        let mut disturbance = Disturbance::new(1);
        disturbance.add(kind, always());
        (0..10_000).map(|_| disturbance.fate(b'A', NOW)).collect()
    }

    #[test]
    fn one_in_so_many_is_about_one_in_so_many() {
        let count = |kind, is_hit: fn(&Fate) -> bool| fates(kind).iter().filter(|fate| is_hit(fate)).count();
        let noise = count(Kind::Noise(100), |fate| *fate != Fate::Arrives(b'A'));
        let lost = count(Kind::Lost(100), |fate| *fate == Fate::Lost);
        let parity = count(Kind::Parity(100), |fate| *fate == Fate::WrongParity(b'A'));
        for count in [noise, lost, parity] {
            assert!((60..150).contains(&count), "{count}");
        }
        assert_eq!(count(Kind::Lost(1), |fate| *fate == Fate::Lost), 10_000);
    }

    #[test]
    fn a_misplaced_head_lets_little_through() {
        let fates = fates(Kind::Misplaced);
        let right = fates.iter().filter(|&&fate| fate == Fate::Arrives(b'A')).count();
        let zeros = fates.iter().filter(|&&fate| fate == Fate::Arrives(0)).count();
        assert!((1_000..3_000).contains(&right) && zeros > 1_000, "{right} right, {zeros} NUL");
    }

    #[test]
    fn every_third_checksum_is_spoilt() {
        let mut disturbance = Disturbance::new(1);
        disturbance.add(Kind::Checksum(3), always());
        let spoilt: Vec<_> = (0..6)
            .map(|_| {
                let line = Line::eight_none(9_600);
                let mut emission = Emission { at: NOW, line, bytes: b"!ABCD".to_vec(), check: Some(1) };
                disturbance.spoil(&mut emission);
                emission.bytes != b"!ABCD"
            })
            .collect();
        assert_eq!(spoilt, [false, false, true, false, false, true]);
    }

    #[test]
    fn a_disturbance_has_its_time() {
        let mut disturbance = Disturbance::new(1);
        let until = Some(Instant::from_unix(20));
        disturbance.add(Kind::Silence, Span { from: Instant::from_unix(10), until });
        disturbance.add(Kind::EchoOnly, Span { from: Instant::from_unix(30), until: None });
        let at = |second| Instant::from_unix(second);
        assert_eq!([9, 10, 19, 20, 30].map(|n| disturbance.is_silent(at(n))), [false, true, true, false, true]);
        assert_eq!(
            [29, 30].map(|n| (disturbance.echoes(at(n)), disturbance.has_meter(at(n)))),
            [(false, true), (true, false)]
        );
    }
}
