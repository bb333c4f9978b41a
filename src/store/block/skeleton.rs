//! A whole reading, taken apart into its skeleton and its numbers.
//!
//! The skeleton says what the reading consists of: protocol, source, identification, how the meter marks its clock, what
//! was odd, and the registers in order, each as its series and its [form](super::form). Readings of one meter hardly ever
//! have a different one, so it is kept once. Time and quality stand beside it, and where the telegram began in its stream
//! is forgotten.

use super::Damage;
use super::bytes::{Source, put_bytes, put_count, put_number, put_signed};
use super::form::{Form, Zoned, put_register, put_zone, take_zone};
use crate::reading::{
    Anomaly, AnomalyCode, Code, Decimal, Instant, MeterId, Profile, ProfileRow, Protocol, Quality, Reading, Unit,
};
use smol_str::SmolStr;
use std::sync::Arc;

const HAS_CLOCK: u8 = 1;
const HAS_IDENTIFICATION: u8 = 2;
const HAS_ANOMALIES: u8 = 4;
const HAS_PROFILE: u8 = 8;

const PROTOCOLS: [Protocol; 4] = [Protocol::Iec62056, Protocol::Dlms, Protocol::Dsmr, Protocol::Sml];
const QUALITIES: [Quality; 3] = [Quality::Good, Quality::Suspect, Quality::Bad];

/// The number a quality is kept as.
pub(crate) fn quality_number(quality: Quality) -> i64 {
    match quality {
        Quality::Good => 0,
        Quality::Suspect => 1,
        Quality::Bad => 2,
    }
}

/// The quality of such a number.
pub(crate) fn quality_of(number: i64) -> Result<Quality, Damage> {
    usize::try_from(number).ok().and_then(|at| QUALITIES.get(at)).copied().ok_or(Damage("no such quality"))
}

/// Appends the head of a reading: everything but its registers. The clock goes to `numbers`, as its distance to `at`.
pub(crate) fn put_head(out: &mut Vec<u8>, numbers: &mut Vec<i64>, reading: &Reading, source: &str, at: Instant) {
    let protocol = PROTOCOLS.iter().position(|&protocol| protocol == reading.protocol).unwrap_or_default();
    put_count(out, protocol);
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    out.push(
        flag(reading.clock.is_some(), HAS_CLOCK)
            | flag(reading.identification.is_some(), HAS_IDENTIFICATION)
            | flag(!reading.anomalies.is_empty(), HAS_ANOMALIES)
            | flag(reading.profile.is_some(), HAS_PROFILE),
    );
    put_bytes(out, source.as_bytes());
    if let Some(clock) = &reading.clock {
        put_zone(out, clock);
        numbers.push(clock.civil.civil_micros().wrapping_sub(at.unix_micros()));
    }
    if let Some(identification) = &reading.identification {
        put_bytes(out, identification.as_bytes());
    }
    if !reading.anomalies.is_empty() {
        put_count(out, reading.anomalies.len());
        for anomaly in &reading.anomalies {
            put_bytes(out, anomaly.code.as_str().as_bytes());
            put_number(out, anomaly.position);
            put_bytes(out, anomaly.detail.as_bytes());
        }
    }
    if let Some(profile) = reading.profile.as_deref() {
        put_profile(out, profile);
    }
}

/// Profiles are rare and each is different: they are kept as they are.
fn put_profile(out: &mut Vec<u8>, profile: &Profile) {
    put_number(out, profile.period_s.map_or(0, |period| u64::from(period) + 1));
    put_count(out, profile.channels.len());
    for (code, unit) in &profile.channels {
        put_bytes(out, code.to_string().as_bytes());
        put_unit(out, *unit);
    }
    put_count(out, profile.rows.len());
    for row in &profile.rows {
        match &row.time {
            Some(time) => {
                out.push(1);
                put_zone(out, time);
                put_signed(out, time.civil.civil_micros());
            }
            None => out.push(0),
        }
        put_bytes(out, row.status.as_bytes());
        put_count(out, row.values.len());
        for value in &row.values {
            match value {
                Some(number) => {
                    out.push(1);
                    put_signed(out, number.mantissa());
                    put_signed(out, i64::from(number.exponent()));
                }
                None => out.push(0),
            }
        }
    }
}

fn put_unit(out: &mut Vec<u8>, unit: Option<Unit>) {
    match unit {
        Some(unit) => {
            out.push(unit.dlms_code());
            put_signed(out, i64::from(unit.prefix()));
        }
        None => out.push(255),
    }
}

fn take_unit(source: &mut Source<'_>) -> Result<Option<Unit>, Damage> {
    match source.byte()? {
        255 => Ok(None),
        code => {
            let prefix = i8::try_from(source.signed()?).map_err(|_| Damage("no such unit"))?;
            Unit::from_parts(code, prefix).map(Some).ok_or(Damage("no such unit"))
        }
    }
}

/// Everything of a reading but time, quality and registers.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    protocol: Protocol,
    pub(crate) source: SmolStr,
    identification: Option<SmolStr>,
    clock: Option<Zoned>,
    anomalies: Vec<Anomaly>,
    profile: Option<Box<Profile>>,
}

impl Head {
    /// How many numbers it takes: one for a clock.
    pub(crate) fn numbers(&self) -> usize {
        usize::from(self.clock.is_some())
    }

    /// The head that [`put_head`] wrote.
    pub(crate) fn take(source: &mut Source<'_>) -> Result<Self, Damage> {
        let protocol = usize::try_from(source.number()?).ok().and_then(|at| PROTOCOLS.get(at)).copied();
        let flags = source.byte()?;
        let mut head = Self {
            protocol: protocol.ok_or(Damage("no such protocol"))?,
            source: SmolStr::new(source.text()?),
            identification: None,
            clock: None,
            anomalies: Vec::new(),
            profile: None,
        };
        if flags & HAS_CLOCK != 0 {
            head.clock = Some(take_zone(source)?);
        }
        if flags & HAS_IDENTIFICATION != 0 {
            head.identification = Some(SmolStr::new(source.text()?));
        }
        if flags & HAS_ANOMALIES != 0 {
            for _ in 0..source.count()? {
                let code = AnomalyCode::parse(source.text()?).ok_or(Damage("no such anomaly"))?;
                let position = source.number()?;
                head.anomalies.push(Anomaly::new(code, position, source.text()?));
            }
        }
        if flags & HAS_PROFILE != 0 {
            head.profile = Some(Box::new(take_profile(source)?));
        }
        Ok(head)
    }

    /// The reading without its registers, and its source.
    pub(crate) fn fill(
        &self,
        meter: &MeterId,
        at: Instant,
        quality: Quality,
        numbers: &mut impl Iterator<Item = i64>,
    ) -> Result<(Reading, SmolStr), Damage> {
        let clock = match self.clock {
            Some(zone) => {
                let distance = numbers.next().ok_or(Damage("a number is missing"))?;
                Some(zone.at(at.unix_micros().wrapping_add(distance))?)
            }
            None => None,
        };
        let reading = Reading {
            protocol: self.protocol,
            meter: Some(meter.clone()),
            identification: self.identification.clone(),
            clock,
            registers: Vec::new(),
            profile: self.profile.clone(),
            quality,
            anomalies: self.anomalies.clone(),
            position: 0,
        };
        Ok((reading, self.source.clone()))
    }
}

fn take_profile(source: &mut Source<'_>) -> Result<Profile, Damage> {
    let period = source.number()?;
    let period_s = period.checked_sub(1).map(u32::try_from).transpose().map_err(|_| Damage("no such period"))?;
    let mut profile = Profile { channels: Vec::new(), period_s, rows: Vec::new() };
    for _ in 0..source.count()? {
        let code = Code::parse(source.bytes()?);
        profile.channels.push((code, take_unit(source)?));
    }
    for _ in 0..source.count()? {
        let time = match source.byte()? {
            0 => None,
            _ => {
                let zone = take_zone(source)?;
                Some(zone.at(source.signed()?)?)
            }
        };
        let status = SmolStr::new(source.text()?);
        let mut values = Vec::new();
        for _ in 0..source.count()? {
            values.push(match source.byte()? {
                0 => None,
                _ => {
                    let mantissa = source.signed()?;
                    let exponent = i8::try_from(source.signed()?).map_err(|_| Damage("no such exponent"))?;
                    Some(Decimal::new(mantissa, exponent))
                }
            });
        }
        profile.rows.push(ProfileRow { time, status, values });
    }
    Ok(profile)
}

/// A skeleton as bytes, taken apart without being interpreted: the head, and series and form of each register.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) head: &'a [u8],
    pub(crate) registers: &'a [u8],
}

/// The bytes of a skeleton: the head behind its length, then for each register its series and its form behind its length.
///
/// `series` finds the number of a series from code, unit, and how often the pair came before in this reading.
pub(crate) fn put_skeleton<E>(
    out: &mut Vec<u8>,
    numbers: &mut Vec<i64>,
    (reading, source, at): (&Reading, &str, Instant),
    mut series: impl FnMut(usize, &crate::reading::Register) -> Result<u32, E>,
) -> Result<(), E> {
    let mut piece = Vec::with_capacity(64);
    put_head(&mut piece, numbers, reading, source, at);
    put_bytes(out, &piece);
    for (index, register) in reading.registers.iter().enumerate() {
        put_number(out, u64::from(series(index, register)?));
        piece.clear();
        put_register(&mut piece, numbers, register);
        put_bytes(out, &piece);
    }
    Ok(())
}

impl<'a> Parts<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Result<Self, Damage> {
        let mut source = Source::new(bytes);
        let head = source.bytes()?;
        Ok(Self { head, registers: source.rest() })
    }

    /// Series and form of each register.
    pub(crate) fn registers(self) -> impl Iterator<Item = Result<(u32, &'a [u8]), Damage>> {
        let mut source = Source::new(self.registers);
        std::iter::from_fn(move || {
            (!source.is_empty()).then(|| {
                let series = u32::try_from(source.number()?).map_err(|_| Damage("no such series"))?;
                Ok((series, source.bytes()?))
            })
        })
    }
}

/// A skeleton, ready to be filled with numbers.
#[derive(Debug, Clone)]
pub(crate) struct Skeleton {
    pub(crate) head: Arc<Head>,
    pub(crate) registers: Vec<(u32, Form)>,
    /// How many numbers it takes.
    pub(crate) numbers: usize,
}

impl Skeleton {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Damage> {
        let parts = Parts::of(bytes)?;
        let mut source = Source::new(parts.head);
        let head = Head::take(&mut source)?;
        if !source.is_empty() {
            return Err(Damage("a head is too long"));
        }
        let registers = parts
            .registers()
            .map(|register| register.and_then(|(series, form)| Ok((series, Form::parse(form)?))))
            .collect::<Result<Vec<_>, _>>()?;
        let numbers = head.numbers() + registers.iter().map(|(_, form)| form.numbers).sum::<usize>();
        Ok(Self { head: Arc::new(head), registers, numbers })
    }
}
