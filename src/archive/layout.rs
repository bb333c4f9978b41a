//! Which file holds which stretch of time, and where it stands in the tree. All times are UTC.

use crate::reading::{Instant, MeterId};
use std::ops::Range;
use std::path::{Path, PathBuf};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The readings of an hour.
    Hour,
    /// The readings of a day.
    Day,
    /// Quarters of an hour of an ISO week.
    Week,
    /// Quarters of an hour of a month.
    Month,
    /// The readings of a day in the old application's short form.
    Export,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Export];

    /// The folder of its files.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Hour | Self::Day => "quotidien",
            Self::Week => "hebdomadaire",
            Self::Month | Self::Export => "mensuel",
        }
    }

    /// Whether a file of it holds readings, not means.
    #[must_use]
    pub const fn has_readings(self) -> bool {
        !matches!(self, Self::Week | Self::Month)
    }
}

/// The folders of the tree.
pub const FOLDERS: [&str; 3] = ["quotidien", "hebdomadaire", "mensuel"];

/// What the name of a manifest begins with.
const MANIFEST: &str = "manifeste_";

/// The stretch of time of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    start: Instant,
    kind: Kind,
}

impl Period {
    /// The one that a moment is in; `None` outside the years 0 to 9999.
    #[must_use]
    pub fn containing(kind: Kind, at: Instant) -> Option<Self> {
        let seconds = at.unix_seconds();
        let start = match kind {
            Kind::Hour => seconds.div_euclid(HOUR) * HOUR,
            Kind::Day | Kind::Export => seconds.div_euclid(DAY) * DAY,
            // 1970 began on a Thursday.
            Kind::Week => (seconds.div_euclid(DAY) + 3).div_euclid(7) * 7 * DAY - 3 * DAY,
            Kind::Month => {
                let (year, month, _) = at.utc_day();
                Instant::start_of_utc_day(year, month, 1)?.unix_seconds()
            }
        };
        let period = Self { start: Instant::from_unix(start), kind };
        let (year, ..) = period.start.utc_day();
        let (last, ..) = period.end().utc_day();
        // Beyond the calendar every moment counts as the first of 1970.
        let is_known = period.range().contains(&at) && (0..=9999).contains(&year) && (0..=9999).contains(&last);
        is_known.then_some(period)
    }

    /// What its file holds.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.kind
    }

    /// Its first moment.
    #[must_use]
    pub const fn start(self) -> Instant {
        self.start
    }

    /// The first moment after it.
    #[must_use]
    pub fn end(self) -> Instant {
        match self.kind {
            Kind::Hour => self.start.plus_seconds(HOUR),
            Kind::Day | Kind::Export => self.start.plus_seconds(DAY),
            Kind::Week => self.start.plus_seconds(7 * DAY),
            Kind::Month => {
                let (year, month, _) = self.start.utc_day();
                let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
                Instant::start_of_utc_day(year, month, 1).unwrap_or(self.start)
            }
        }
    }

    /// From its first moment to before the one after it.
    #[must_use]
    pub fn range(self) -> Range<Instant> {
        self.start..self.end()
    }

    /// The next one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::containing(self.kind, self.end())
    }

    /// The ones of a kind that touch a stretch of time, oldest first.
    pub fn each(kind: Kind, range: &Range<Instant>) -> impl Iterator<Item = Self> + use<> {
        let end = range.end;
        let first = if range.is_empty() { None } else { Self::containing(kind, range.start) };
        std::iter::successors(first, |period| period.next()).take_while(move |period| period.start < end)
    }

    /// The UTC hour of the day it begins with.
    #[must_use]
    pub fn hour(self) -> u8 {
        u8::try_from(self.start.unix_seconds().rem_euclid(DAY) / HOUR).unwrap_or_default()
    }

    /// `2025-11-07`, the day it begins with.
    #[must_use]
    pub fn date(self) -> String {
        let (year, month, day) = self.start.utc_day();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// The name of its file; `suffix` is the meter's identifier where several meters share the tree.
    #[must_use]
    pub fn file_name(self, suffix: Option<&str>) -> String {
        let suffix = suffix.map(|id| format!("_{id}")).unwrap_or_default();
        let (year, month, day) = self.start.utc_day();
        let name = match self.kind {
            Kind::Hour => format!("mesure_{year:04}{month:02}{day:02}_{:02}", self.hour()),
            Kind::Day => format!("jour_{year:04}{month:02}{day:02}"),
            Kind::Week => {
                let (year, week) = self.iso_week();
                format!("semaine_{year:04}-W{week:02}")
            }
            Kind::Month => format!("mois_{year:04}{month:02}"),
            Kind::Export => format!("export_{year:04}-{month:02}-{day:02}"),
        };
        format!("{name}{suffix}.json.gz")
    }

    /// The ISO 8601 year and week: those of its Thursday.
    fn iso_week(self) -> (i32, i64) {
        let thursday = self.start.plus_seconds(3 * DAY);
        let (year, ..) = thursday.utc_day();
        let first = Instant::start_of_utc_day(year, 1, 1).unwrap_or(thursday);
        (year, (thursday.unix_seconds() - first.unix_seconds()) / DAY / 7 + 1)
    }

    /// The manifest that lists its file: one a month for hours and days, one a year for the others.
    #[must_use]
    pub fn manifest(self) -> String {
        // A week belongs to the year in its name.
        let (year, month, _) = self.start.plus_seconds(if self.kind == Kind::Week { 3 * DAY } else { 0 }).utc_day();
        match self.kind {
            Kind::Hour | Kind::Day => format!("{MANIFEST}{year:04}{month:02}.json"),
            _ => format!("{MANIFEST}{year:04}.json"),
        }
    }
}

/// What the name of a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The time it is of.
    pub period: Period,
    /// The meter it is of, where the name says so.
    pub suffix: Option<String>,
    /// It is `….json.gz`, not the old application's plain `.json`.
    pub packed: bool,
}

impl Named {
    /// Reads the name of a file; `None` where it is no name of the tree.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (stem, packed) = match name.strip_suffix(".json.gz") {
            Some(stem) => (stem, true),
            None => (name.strip_suffix(".json")?, false),
        };
        let (kind, rest) = [
            ("mesure_", Kind::Hour),
            ("jour_", Kind::Day),
            ("semaine_", Kind::Week),
            ("mois_", Kind::Month),
            ("export_", Kind::Export),
        ]
        .into_iter()
        .find_map(|(start, kind)| Some((kind, stem.strip_prefix(start)?)))?;
        let width = match kind {
            Kind::Hour => 11,
            Kind::Day | Kind::Week => 8,
            Kind::Month => 6,
            Kind::Export => 10,
        };
        let (date, suffix) = rest.split_at_checked(width)?;
        let suffix = match suffix {
            "" => None,
            suffix => Some(suffix.strip_prefix('_').filter(|id| is_identifier(id))?.to_owned()),
        };
        let number = |from: usize, to: usize| -> Option<u16> {
            let digits = date.get(from..to)?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
        };
        let year = i32::from(number(0, 4)?);
        let of_day =
            |month: u16, day: u16| Instant::start_of_utc_day(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?);
        let at = match kind {
            Kind::Hour => of_day(number(4, 6)?, number(6, 8)?)?.plus_seconds(i64::from(number(9, 11)?) * HOUR),
            Kind::Day => of_day(number(4, 6)?, number(6, 8)?)?,
            // The first Thursday of the year is in its first week.
            Kind::Week => of_day(1, 4)?.plus_seconds((i64::from(number(6, 8)?) - 1) * 7 * DAY),
            Kind::Month => of_day(number(4, 6)?, 1)?,
            Kind::Export => of_day(number(5, 7)?, number(8, 10)?)?,
        };
        let period = Period::containing(kind, at)?;
        // Written back it has to be the same: hour 24, week 53 of a short year, other marks between the digits.
        let same = period.file_name(suffix.as_deref()).strip_suffix(".json.gz") == Some(stem);
        same.then_some(Self { period, suffix, packed })
    }
}

/// Whether a meter can be called so: an identifier is what it is, nothing is cleaned here.
fn is_identifier(text: &str) -> bool {
    MeterId::new(text).is_some_and(|meter| meter.as_str() == text)
}

/// Whether a file of this name is a manifest.
#[must_use]
pub fn is_manifest(name: &str) -> bool {
    let stem = name.strip_prefix(MANIFEST).and_then(|rest| rest.strip_suffix(".json"));
    stem.is_some_and(|digits| matches!(digits.len(), 4 | 6) && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The path of a period's file.
#[must_use]
pub fn path(archive: &Path, period: Period, suffix: Option<&str>) -> PathBuf {
    archive.join(period.kind().folder()).join(period.file_name(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Instant {
        Instant::parse_utc(text).unwrap()
    }

    #[test]
    fn names_are_the_contracts() {
        let name = |kind, time: &str| {
            let period = Period::containing(kind, at(time)).unwrap();
            format!("{}/{}", kind.folder(), period.file_name(None))
        };
        assert_eq!(name(Kind::Hour, "2025-11-07T13:59:59.9Z"), "quotidien/mesure_20251107_13.json.gz");
        assert_eq!(name(Kind::Day, "2025-11-07T13:00:00Z"), "quotidien/jour_20251107.json.gz");
        assert_eq!(name(Kind::Week, "2025-11-09T23:59:59Z"), "hebdomadaire/semaine_2025-W45.json.gz");
        assert_eq!(name(Kind::Month, "2024-02-29T12:00:00Z"), "mensuel/mois_202402.json.gz");
        assert_eq!(name(Kind::Export, "2025-11-07T13:00:00Z"), "mensuel/export_2025-11-07.json.gz");
        let day = Period::containing(Kind::Day, at("2025-11-07T13:00:00Z")).unwrap();
        assert_eq!(day.file_name(Some("E450001234")), "jour_20251107_E450001234.json.gz");
    }

    #[test]
    fn weeks_around_new_year_are_those_of_iso_8601() {
        let cases = [
            ("2020-12-31", "semaine_2020-W53", "2020-12-28"),
            ("2021-01-03", "semaine_2020-W53", "2020-12-28"),
            ("2021-01-04", "semaine_2021-W01", "2021-01-04"),
            ("2024-12-30", "semaine_2025-W01", "2024-12-30"),
            ("2026-12-31", "semaine_2026-W53", "2026-12-28"),
            ("2023-01-01", "semaine_2022-W52", "2022-12-26"),
        ];
        for (day, name, monday) in cases {
            let week = Period::containing(Kind::Week, at(&format!("{day}T12:00:00Z"))).unwrap();
            assert_eq!((week.file_name(None), week.date()), (format!("{name}.json.gz"), monday.to_owned()));
        }
    }

    #[test]
    fn a_name_that_is_no_date_is_no_name() {
        for name in [
            "jour_20250229.json.gz",
            "mesure_20251107_24.json.gz",
            "semaine_2025-W53.json.gz",
            "semaine_2025-W00.json.gz",
            "mois_202513.json.gz",
            "jour_20251107X.json.gz",
            "jour_20251107_.json.gz",
            "jour_20251107_a/b.json.gz",
            "jour_20251107_{\"a\": 1}.json",
            "jour_20251107.json.gz.corrompu",
            "export_2025.11.07.json",
            "manifeste_202511.json",
            "jour_2025é107.json",
        ] {
            assert_eq!(Named::parse(name), None, "{name}");
        }
        let old = Named::parse("mesure_20251107_13.json").unwrap();
        assert_eq!((old.packed, old.period.hour()), (false, 13));
        assert!(is_manifest("manifeste_202511.json") && is_manifest("manifeste_2025.json"));
        assert!(!is_manifest("manifeste_2025.json.corrompu"));
    }

    proptest! {
        #[test]
        fn a_name_says_its_period(seconds in -60_000_000_000i64..250_000_000_000, index in 0usize..5, meter in "[A-Z0-9]{0,9}") {
            let kind = Kind::ALL[index];
            let moment = Instant::from_unix(seconds);
            let period = Period::containing(kind, moment).unwrap();
            prop_assert!(period.range().contains(&moment));
            let suffix = Some(meter.as_str()).filter(|id| !id.is_empty());
            let named = Named::parse(&period.file_name(suffix)).unwrap();
            prop_assert_eq!((named.period, named.suffix.as_deref()), (period, suffix));
            prop_assert_eq!(period.next().unwrap().start(), period.end());
        }
    }
}
