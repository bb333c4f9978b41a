//! What the files of a day hold of a meter, whoever wrote them: day file, hour files, plain JSON of the old application.

use super::layout::{Kind, Named, Period};
use super::scan::scan;
use super::text::unpack;
use super::{ArchiveError, Content, Record, Records, Standing, Summary, Tree, add, read_bytes};
use crate::document::{Filed, History};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Whose files are looked for.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'a> {
    /// The meter.
    pub meter: &'a str,
    /// Files without a meter in their name, or in themselves, are this meter's too.
    pub is_default: bool,
    /// The meters that may have files in the tree: theirs are left alone without a word.
    pub known: &'a [String],
}

impl Whose<'_> {
    /// The names that a file of this period may have, the old application's first.
    fn names(self, period: Period) -> Vec<String> {
        let mut names = Vec::new();
        for suffix in [None, Some(self.meter)] {
            let packed = period.file_name(suffix);
            names.extend(packed.strip_suffix(".gz").map(ToOwned::to_owned));
            names.push(packed);
        }
        names
    }
}

/// What is wrong with a file, and whether the manifest lists it.
#[derive(Debug)]
pub struct Flaw {
    /// The name of the file.
    pub name: String,
    /// What is wrong.
    pub error: ArchiveError,
    /// How many readings it is to hold.
    pub expected: Option<usize>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The readings.
    pub records: Records,
    /// Files that could not be read.
    pub flaws: Vec<Flaw>,
}

impl Tree {
    /// The names of files there are of a period, that may be the meter's.
    #[must_use]
    pub fn candidates(&self, whose: Whose<'_>, period: Period) -> Vec<String> {
        let folder = period.kind().folder();
        whose.names(period).into_iter().filter(|name| self.has(folder, name)).collect()
    }

    /// The readings of a day that files hold: hour files first, then what is in the day file.
    ///
    /// # Errors
    /// [`ArchiveError`] where the manifest is damaged or the disk fails; a file that cannot be used is among the flaws.
    pub fn gather(&self, whose: Whose<'_>, day: Period) -> Result<Gathered, ArchiveError> {
        let mut all = Gathered::default();
        for hour in Period::each(Kind::Hour, &day.range()) {
            self.gather_file(whose, hour, &mut all)?;
        }
        self.gather_file(whose, day, &mut all)?;
        Ok(all)
    }

    /// The readings that the files of a period hold.
    ///
    /// # Errors
    /// As [`Tree::gather`].
    pub fn gather_file(&self, whose: Whose<'_>, period: Period, all: &mut Gathered) -> Result<(), ArchiveError> {
        for name in self.candidates(whose, period) {
            let listed = self.listed(period, &name)?;
            if listed.as_ref().is_some_and(|listed| listed.meter != whose.meter) {
                continue;
            }
            let expected = listed.as_ref().map(|listed| listed.count);
            let done = match &listed {
                Some(listed) => match self.state_of(period, &name, listed) {
                    Ok(Standing::Whole | Standing::Former) => self.take(whose, period, &name, all),
                    Ok(Standing::Missing) => Ok(()),
                    // Another thread gave it a new content just now: it is the manifest's again.
                    Ok(Standing::Other) if self.listed(period, &name)?.as_ref() != Some(listed) => {
                        self.take(whose, period, &name, all)
                    }
                    Ok(Standing::Other) => {
                        Err(ArchiveError::damaged(&self.path(period, &name), "it is not what the manifest says"))
                    }
                    Err(error) => Err(error),
                },
                None => self.take(whose, period, &name, all),
            };
            if let Err(error) = done {
                all.flaws.push(Flaw { name, error, expected });
            }
        }
        Ok(())
    }

    /// What a week or month file holds, and whose it is; `None` where there is none.
    ///
    /// # Errors
    /// [`ArchiveError`], naming the file.
    pub fn history(&self, path: &Path) -> Result<Option<(String, History)>, ArchiveError> {
        let Some(bytes) = self.read(path)? else { return Ok(None) };
        let text = unpack(bytes).map_err(|error| ArchiveError::damaged(path, error))?;
        History::read(&text).map(Some).map_err(|error| ArchiveError::damaged(path, error))
    }

    /// Lists a file that is whole by itself and of a meter that is known; how many readings or values it has.
    ///
    /// # Errors
    /// [`ArchiveError`], naming the file.
    pub fn adopt(&self, named: &Named, name: &str, known: &[String]) -> Result<Option<usize>, ArchiveError> {
        let path = self.path(named.period, name);
        let Some(bytes) = self.read(&path)? else { return Ok(None) };
        let mut summary = Summary::default();
        let mut meter: Option<String> = None;
        if named.period.kind().has_readings() {
            let mut found = Records::new();
            let mut is_others = None;
            read_bytes(&path, bytes.clone(), |reading| -> Result<(), ArchiveError> {
                match (&meter, reading.meter) {
                    (Some(one), Some(other)) if one != other => is_others = Some(other.to_owned()),
                    (None, Some(other)) => meter = Some(other.to_owned()),
                    _ => {}
                }
                let at = reading.filed.at();
                let at = at.ok_or_else(|| ArchiveError::damaged(&path, "a reading has no time"))?;
                add(&mut found, at, record(reading.filed, reading.units));
                Ok(())
            })?;
            if let Some(found) = is_others {
                return Err(ArchiveError::OtherMeter { path, found });
            }
            found.iter().for_each(|(at, record)| summary.take(*at, &record.values));
        } else {
            let Some((of, history)) = self.history(&path)? else { return Ok(None) };
            meter = Some(of);
            summary = super::content::summary_of(&history);
        }
        // An export file does not say whose it is, but its name may.
        let Some(meter) = named.suffix.clone().or(meter) else { return Ok(None) };
        let count = summary.count;
        if !known.contains(&meter) || count == 0 {
            return Ok(None);
        }
        let range = named.period.range();
        if summary.between.is_some_and(|(first, last)| first < range.start || last >= range.end) {
            return Err(ArchiveError::damaged(&path, "its readings are of another time than its name"));
        }
        let scanned = scan(&bytes, named.period.kind()).map_err(|error| ArchiveError::damaged(&path, error))?;
        if (scanned.count, scanned.between) != (count, summary.between) {
            // Two readings of one time, or another order: only what is written by these rules is vouched for.
            return Ok(None);
        }
        let content = Content { bytes, summary };
        let prepared = self.prepare(named.period, (name.to_owned(), &meter), &content, "-".to_owned(), false)?;
        self.commit(vec![self.prove(prepared)?])?;
        Ok(Some(count))
    }

    /// Where a file stands.
    #[must_use]
    pub fn path(&self, period: Period, name: &str) -> PathBuf {
        self.root().join(period.kind().folder()).join(name)
    }

    fn take(&self, whose: Whose<'_>, period: Period, name: &str, all: &mut Gathered) -> Result<(), ArchiveError> {
        let path = self.path(period, name);
        let Some(bytes) = self.read(&path)? else { return Ok(()) };
        let has_suffix = Named::parse(name).is_some_and(|named| named.suffix.is_some());
        // All of a file or nothing.
        let mut found: Vec<(crate::reading::Instant, Record)> = Vec::new();
        let mut is_others = false;
        read_bytes(&path, bytes, |reading| -> Result<(), ArchiveError> {
            match reading.meter {
                Some(meter) if meter == whose.meter => {}
                Some(meter) if !has_suffix && whose.known.iter().any(|known| known == meter) => is_others = true,
                Some(meter) => {
                    return Err(ArchiveError::OtherMeter { path: path.clone(), found: meter.to_owned() });
                }
                None if whose.is_default || has_suffix => {}
                None => is_others = true,
            }
            let at = reading.filed.at().ok_or_else(|| {
                ArchiveError::damaged(&path, format!("'{:.40}' is not a time", reading.filed.timestamp))
            })?;
            // The old application's hours are not always the ones in the name.
            if Period::containing(Kind::Day, period.start()).is_some_and(|day| !day.range().contains(&at)) {
                return Err(ArchiveError::damaged(&path, format!("{at} is not in its time")));
            }
            found.push((at, record(reading.filed, reading.units)));
            Ok(())
        })?;
        if !is_others {
            for (at, record) in found {
                add(&mut all.records, at, record);
            }
        }
        Ok(())
    }
}

/// A reading of a file as it is merged.
#[must_use]
pub fn record(filed: &Filed, units: &BTreeMap<String, String>) -> Record {
    let source = filed.source.as_deref().unwrap_or("import");
    Record { values: filed.values(units), quality: filed.grade(), source: source.into() }
}
