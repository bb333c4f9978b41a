//! Readings through the bytes of a span and its blocks, without SQL and file: what tests and the fuzzer ask of the codec.

use super::builder::Builder;
use super::column::Opened;
use super::skeleton::{Skeleton, put_skeleton, quality_number};
use super::span::{Named, Readings, Span};
use super::{Damage, Unique};
use crate::reading::{Code, Instant, MeterId, Reading, Register, Unit};
use std::collections::HashMap;

/// The bytes of a span and its blocks.
pub(crate) struct Packed {
    pub(super) count: usize,
    pub(super) head: Vec<u8>,
    /// By series, the blob and how many readings have it.
    pub(super) blocks: HashMap<u32, (Vec<u8>, usize)>,
    pub(super) names: Vec<(Code, Option<Unit>)>,
}

/// Names for series, as the store gives them.
#[derive(Default)]
struct Labels {
    series: HashMap<(Code, Option<Unit>, usize), u32>,
    names: Vec<(Code, Option<Unit>)>,
}

impl Labels {
    fn number(&mut self, reading: &Reading, index: usize, register: &Register) -> Result<u32, Damage> {
        let same = |other: &&Register| other.code == register.code && other.unit == register.unit;
        let nth = reading.registers.iter().take(index).filter(same).count();
        let key = (register.code.clone(), register.unit, nth);
        if let Some(&number) = self.series.get(&key) {
            return Ok(number);
        }
        let number = u32::try_from(self.names.len()).map_err(|_| Damage("too many series"))?;
        self.names.push((register.code.clone(), register.unit));
        self.series.insert(key, number);
        Ok(number)
    }
}

/// Packs readings that are in order of time.
pub(crate) fn pack(all: &[(Instant, Reading)]) -> Result<Packed, Damage> {
    let (mut labels, mut builder, mut known) = (Labels::default(), Builder::default(), Unique::default());
    for (at, reading) in all {
        let (mut bytes, mut numbers) = (Vec::new(), Vec::new());
        let series = |index, register: &Register| labels.number(reading, index, register);
        put_skeleton(&mut bytes, &mut numbers, (reading, "test", *at), series)?;
        let skeleton = Skeleton::parse(&bytes)?;
        let (id, _) = known.number(&bytes);
        let id = u32::try_from(id).map_err(|_| Damage("too many skeletons"))?;
        builder.push(id, (&bytes, &skeleton), at.unix_micros(), quality_number(reading.quality), &numbers)?;
    }
    let (count, head) = (builder.len(), builder.head(&[1], &(0..0), &[]));
    let mut blocks = HashMap::new();
    builder.blocks(
        |series| [i64::from(series)],
        |block, _| {
            blocks.insert(block.series, (block.blob, block.rows));
            Ok::<_, Damage>(())
        },
    )?;
    Ok(Packed { count, head, blocks, names: labels.names })
}

impl Packed {
    /// What is in it.
    pub(crate) fn unpack(&self, meter: &MeterId) -> Result<Vec<(Instant, Reading)>, Damage> {
        let mut stream = self.open()?;
        let mut all = Vec::new();
        while let Some((at, reading, _)) = stream.next(meter)? {
            all.push((at, reading));
        }
        Ok(all)
    }

    /// The readings, one after the other.
    pub(super) fn open(&self) -> Result<Readings, Damage> {
        let span = Span::parse(&[1], &self.head, self.count)?;
        Readings::new(span, |series, rows| {
            let name = usize::try_from(series).ok().and_then(|series| self.names.get(series));
            let (code, unit) = name.cloned().ok_or(Damage("no name"))?;
            let (blob, _) = self.blocks.get(&series).ok_or(Damage("no block"))?;
            Ok::<_, Damage>(Named { code, unit, block: Opened::parse(&[i64::from(series)], blob, rows)? })
        })
    }
}
