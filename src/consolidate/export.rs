//! The short files of the old application's 30-day export.

use super::ConsolidateError;
use super::plan::{mark, stock_of};
use super::run::{Done, Wishes, place_of};
use crate::archive::{ArchiveError, Kind, Period, Standing, Text, Tree, read_bytes, record};
use crate::past::Past;
use crate::reading::{Instant, MeterId};
use crate::store::Store;
use std::collections::BTreeMap;
use std::ops::Range;

/// Writes the short files of some days (`export_…`), merged with what is there.
///
/// # Errors
/// [`ConsolidateError`]; what was written before it is whole.
pub fn export_days(
    wishes: &Wishes,
    meter: &MeterId,
    days: Range<Instant>,
    mut tell: impl FnMut(Done),
) -> Result<(), ConsolidateError> {
    let store = Store::open(&wishes.store)?;
    let tree = Tree::open(&wishes.archive, false)?;
    let _lock = tree.lock()?;
    for error in tree.set_damaged_manifests_aside()? {
        tell(Done::Refused(error));
    }
    let meters = store.meters()?;
    let is_default = wishes.default_meter.as_ref().map_or(meters.len() == 1, |default| default == meter);
    store.quick_check(meter)?;
    let past = Past::with_archive(&store, &tree);
    let stock = store.stock(meter, days.clone())?;
    for day in Period::each(Kind::Export, &days) {
        let (name, listed) = place_of(&tree, meter, is_default, day)?;
        let path = tree.path(day, &name);
        let mut records = BTreeMap::new();
        let read = |records: &mut BTreeMap<_, _>| -> Result<(), ArchiveError> {
            if let Some(listed) = &listed
                && tree.state_of(day, &name, listed)? == Standing::Other
            {
                return Err(ArchiveError::damaged(&path, "it is not what the manifest says"));
            }
            let Some(bytes) = tree.read(&path)? else { return Ok(()) };
            read_bytes(&path, bytes, |found| {
                if let Some(at) = found.filed.at() {
                    records.insert(at, record(found.filed, found.units).values);
                }
                Ok(())
            })
        };
        let mut flaw = None;
        match read(&mut records) {
            Ok(()) => {}
            Err(error @ ArchiveError::Damaged { .. }) => flaw = Some(error),
            Err(error) => {
                tell(Done::Refused(error));
                continue;
            }
        }
        past.measures(meter, day.range(), |at, values, _, _| -> Result<(), ConsolidateError> {
            records.insert(at, values.clone());
            Ok(())
        })?;
        if records.is_empty() {
            continue;
        }
        let mut text = Text::new(wishes.form, true);
        for (at, values) in &records {
            text.push(*at, values, crate::reading::Quality::Good, "");
        }
        let content = text.finish(meter.as_str(), day.date(), None);
        let origin = mark(stock_of(&stock, day));
        let prepared = tree.prepare(day, (name, meter.as_str()), &content, origin, flaw.is_some())?;
        let unchanged = !prepared.is_change();
        tree.commit(vec![tree.prove(prepared)?])?;
        if let Some(error) = flaw {
            let expected = listed.map(|listed| listed.count);
            tell(Done::SetAside { path: path.clone(), error, expected, now: content.summary.count });
        }
        tell(Done::Written { path, count: content.summary.count, bytes: content.bytes.len() as u64, unchanged });
    }
    Ok(())
}
