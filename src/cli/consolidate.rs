//! `releve consolidate`: the archive's files out of the store, and old readings out of both.

use super::args::{Globals, ZoneChoice};
use super::failure::{self, Failure};
use super::output::{Output, printable, say};
use super::when;
use super::words::{count, errors, tr};
use crate::archive::{ArchiveError, Kind, Period, Tree};
use crate::consolidate::verify::{Finding, verify};
use crate::consolidate::{Bounds, ConsolidateError, Done, Select, Wishes, run};
use crate::document::Form;
use crate::reading::{Asked, Instant, Zone};
use crate::store::Store;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  releve consolidate --db target/example.db --archive target/archive --keep 2y --prune -n
  releve consolidate --db target/example.db --archive target/archive
  releve consolidate --db target/example.db --archive target/archive --day 2025-11-07
  releve consolidate --archive target/archive --verify";

const MORE: &str = "\
Examples:
  releve consolidate --db target/example.db --archive target/archive --keep 2y --prune -n
  releve consolidate --db target/example.db --archive target/archive
  releve consolidate --db target/example.db --archive target/archive --day 2025-11-07
  releve consolidate --archive target/archive --verify

Without a period every complete hour, day, week and month is written that is not in the archive yet, the oldest first: a night
that was missed is made up. Hours that are older than yesterday are in their day's file; --hours writes files of them too.
Days are those of UTC. Running it again changes nothing.

--prune takes readings out of the store that are older than --keep, whole days of them, and only those that a file of the
archive, read there and then, is seen to hold. `export` and `stats` find them in the archive. -n goes through all of it, tells
what would be done to the byte, and does nothing.

For cron: -q says nothing unless something is wrong, and a second run while one is going on ends with 75, or waits with
--wait.";

/// Write what is complete into the archive, prune the store
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = MORE)]
pub(super) struct Cmd {
    /// The folder of the archive, made if it is not there [default: the one of the settings]
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// Only this UTC day, complete or not: a date, today or yesterday
    #[arg(long, value_name = "DAY", conflicts_with_all = ["week", "month", "since", "until"])]
    day: Option<String>,
    /// Only this week: 2025-W45
    #[arg(long, value_name = "WEEK", conflicts_with_all = ["month", "since", "until"])]
    week: Option<String>,
    /// Only this month: 2025-11
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["since", "until"])]
    month: Option<String>,
    #[command(flatten)]
    span: when::Span,
    /// Hour files of every day, not only of today and yesterday
    #[arg(long)]
    hours: bool,
    /// Without indentation
    #[arg(long)]
    compact: bool,
    /// How long readings stay in the store: 90d, 26w, 18mo, 2y
    #[arg(long, value_name = "TIME", requires = "prune")]
    keep: Option<KeepFor>,
    /// Take older readings out of the store, once the archive is seen to hold them
    #[arg(long, requires = "keep")]
    prune: bool,
    /// How long files stay in the archive: 10y
    #[arg(long, value_name = "TIME")]
    keep_archive: Option<KeepFor>,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// If another consolidation is going on, wait so long for it to end
    #[arg(long, value_name = "TIME", value_parser = when::duration)]
    wait: Option<Duration>,
    /// Check every file of the archive instead; the store is not needed
    #[arg(long, conflicts_with_all = ["day", "week", "month", "since", "until", "keep", "keep_archive", "dry_run", "compact", "hours"])]
    verify: bool,
}

/// How often it is looked whether another consolidation is over.
const NAP: Duration = Duration::from_millis(200);

/// A length of time in days or months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct KeepFor {
    months: i32,
    days: i64,
}

impl std::str::FromStr for KeepFor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(at);
        let number = number.parse::<u16>().ok().filter(|number| *number > 0);
        let (months, days) = match unit {
            "d" => (0, 1),
            "w" => (0, 7),
            "mo" => (1, 0),
            "y" => (12, 0),
            _ => return Err(tr!("write it like 90d, 26w, 18mo or 2y")),
        };
        let number = number.ok_or_else(|| tr!("write it like 90d, 26w, 18mo or 2y"))?;
        Ok(Self { months: i32::from(number) * months, days: i64::from(number) * days })
    }
}

impl KeepFor {
    /// The time that lies so far back: the same day of an earlier month, or its last.
    fn before(self, now: Instant) -> Option<Instant> {
        let now = now.plus_seconds(-86_400 * self.days);
        if self.months == 0 {
            return Some(now);
        }
        let (year, month, day) = now.utc_day();
        let month = year * 12 + i32::from(month) - 1 - self.months;
        let (year, month) = (month.div_euclid(12), u8::try_from(month.rem_euclid(12) + 1).ok()?);
        let midnight = (1..=day).rev().find_map(|day| Instant::start_of_utc_day(year, month, day))?;
        Some(midnight.plus_seconds(now.unix_seconds().rem_euclid(86_400)))
    }
}

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let archive = archive_path(self.archive.as_deref(), globals)?;
        if self.verify {
            return check(&archive, globals, output);
        }
        let now = Instant::now();
        let select = self.select(now, globals)?;
        let cutoff = |keep: Option<KeepFor>| keep.map(|keep| keep.before(now).ok_or_else(too_long)).transpose();
        let bounds = Bounds { store: cutoff(self.keep)?, archive: cutoff(self.keep_archive)? };
        if let (Some(of_store), Some(of_archive)) = (bounds.store, bounds.archive)
            && of_archive > of_store
        {
            let what =
                tr!("--keep-archive is shorter than --keep: what leaves the archive would still be in the store");
            return Err(Failure::new(failure::USAGE, "consolidate.keep", what).into());
        }
        let path = globals.store_path()?;
        let store = Store::open(&path)?;
        let meter = match globals.named_meter()? {
            Some(named) => Some(super::export::find_meter(&store, &named)?),
            None => None,
        };
        let default_meter = match globals.default_meter()? {
            Some(named) => store.find_meter(&named)?,
            None => None,
        };
        drop(store);
        let wishes = Wishes {
            store: path,
            archive,
            meter,
            default_meter,
            select,
            hours: self.hours,
            form: if self.compact { Form::Compact } else { Form::Indented },
            bounds,
            dry: self.dry_run,
            trusting: false,
            now,
            workers: std::thread::available_parallelism().map_or(1, |count| count.get().min(4)),
        };
        self.go(&wishes, globals, output)
    }

    fn go(&self, wishes: &Wishes, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let bar = bar(globals);
        let mut failed = None;
        let mut anything = false;
        let mut naps = self.wait.map_or(0, |wait| wait.as_millis().div_ceil(NAP.as_millis()));
        let mut is_told = false;
        let mut go = || {
            run(wishes, |done| {
                anything |= !matches!(done, Done::Planned(_));
                match done {
                    Done::Planned(count) => bar.inc_length(count as u64),
                    Done::Written { .. } => bar.inc(1),
                    _ => {}
                }
                if let Some(trouble) = trouble(&done) {
                    bar.suspend(|| say(&trouble));
                }
                if let Some(line) = line(&done).filter(|_| !globals.quiet && failed.is_none()) {
                    // Written when it is done, not later; but a reader that has gone does not stop the work.
                    let told = bar.suspend(|| output.line(&line).and_then(|()| output.flush()));
                    failed = told.err();
                }
            })
        };
        let done = loop {
            match go() {
                // Whoever finds it taken has done nothing yet.
                Err(ConsolidateError::Busy { .. } | ConsolidateError::Archive(ArchiveError::Busy(_))) if naps > 0 => {
                    if !std::mem::replace(&mut is_told, true) {
                        globals.note(&tr!("another consolidation is going on, waiting for it"));
                    }
                    naps -= 1;
                    std::thread::sleep(NAP);
                }
                done => break done,
            }
        };
        bar.finish_and_clear();
        let report = done?;
        if let Some(error) = failed {
            return Err(error);
        }
        if !anything {
            globals.note(&self.nothing(wishes));
        } else if self.dry_run {
            globals.note(&tr!("nothing was changed"));
        }
        Ok(if report.is_damaged { ExitCode::from(failure::DATA) } else { ExitCode::SUCCESS })
    }

    fn nothing(&self, wishes: &Wishes) -> String {
        let given = self.day.as_ref().or(self.week.as_ref()).or(self.month.as_ref());
        match (given, &wishes.select) {
            (Some(given), _) => tr!("no reading of {period}, nothing written", period = given),
            (None, Select::All) => tr!("everything that is complete is in the archive"),
            _ => tr!("nothing of that time is complete, nothing written"),
        }
    }

    fn select(&self, now: Instant, globals: &Globals) -> anyhow::Result<Select> {
        let given = [(&self.day, Kind::Day), (&self.week, Kind::Week), (&self.month, Kind::Month)];
        for (text, kind) in given {
            if let Some(text) = text {
                return Ok(Select::One(period(text, kind, now)?));
            }
        }
        if self.span.since.is_none() && self.span.until.is_none() {
            return Ok(Select::All);
        }
        Ok(Select::Within(self.span.resolve_in(ZoneChoice { zone: Zone::UTC, chosen: true }, globals)?))
    }
}

fn too_long() -> Failure {
    Failure::new(failure::USAGE, "consolidate.keep", tr!("no calendar goes back so far"))
}

/// A day, week or month as people write it.
fn period(text: &str, kind: Kind, now: Instant) -> Result<Period, Failure> {
    let (what, tip) = match kind {
        Kind::Week => (tr!("'{text}' is not a week", text), tr!("like 2025-W45 or last week")),
        Kind::Month => (tr!("'{text}' is not a month", text), tr!("like 2025-11 or last month")),
        _ => (tr!("'{text}' is not a date", text), tr!("like 2025-11-07, today or yesterday (UTC days)")),
    };
    let asked = Asked::parse(text, now, Zone::UTC).ok();
    let period = asked.and_then(|asked| {
        Period::containing(kind, asked.since).filter(|period| period.range() == (asked.since..asked.until))
    });
    period.ok_or_else(|| Failure::new(failure::USAGE, "time.unknown", what).tip(tip))
}

/// The archive that is named, by the option or in the settings.
pub(super) fn archive_path(named: Option<&Path>, globals: &Globals) -> anyhow::Result<PathBuf> {
    if let Some(path) = named.or(globals.config()?.file.archive.as_deref()) {
        return Ok(path.to_owned());
    }
    Err(Failure::new(failure::USAGE, "archive.unnamed", tr!("which folder is the archive?"))
        .tip(tr!("name it with --archive DIR, or as archive = \"...\" in the settings"))
        .into())
}

/// What is said on stdout.
pub(super) fn line(done: &Done) -> Option<String> {
    let said = match done {
        Done::Written { path, count, bytes, unchanged } => {
            let is_means = path.parent().is_some_and(|folder| folder.ends_with("hebdomadaire"))
                || path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("mois_"));
            let what = if is_means { count::values(*count) } else { count::readings(*count) };
            let end = if *unchanged { tr!(", unchanged") } else { String::new() };
            format!("{}  {what}, {}{end}", path.display(), count::bytes(*bytes))
        }
        Done::Adopted { path, count } => {
            format!("{}  {}", path.display(), tr!("{readings}, listed", readings = count::readings(*count)))
        }
        Done::Pruned { meter, until, readings, bytes } => {
            let (readings, bytes) = (count::readings(*readings), count::bytes(*bytes));
            let said = tr!("before {until}: {readings} out of the store, {bytes}", until, readings, bytes);
            format!("{meter}  {said}")
        }
        Done::Removed { path, bytes } => {
            format!("{}  {}", path.display(), tr!("removed, {bytes}", bytes = count::bytes(*bytes)))
        }
        Done::SetAside { path, .. } => format!("{}  {}", path.display(), tr!("damaged, set aside")),
        Done::Planned(_) | Done::Refused(_) | Done::Kept { .. } => return None,
    };
    Some(printable(&said))
}

/// What is said on stderr, also with `-q`.
pub(super) fn trouble(done: &Done) -> Option<String> {
    let said = match done {
        Done::SetAside { error, expected, now, .. } => {
            let held = match expected {
                Some(expected) => {
                    let before = count::readings(*expected);
                    match count::is_singular(*now) {
                        true => tr!("it held {before}, there is {now} now", before, now),
                        false => tr!("it held {before}, there are {now} now", before, now),
                    }
                }
                None => tr!("written anew with {readings}", readings = count::readings(*now)),
            };
            failure::warning(&format!("{}; {held}", cause(error)))
        }
        Done::Refused(error) => failure::warning(&cause(error)),
        Done::Kept { meter, day, why } => {
            let day = day.date();
            failure::warning(&tr!("{meter}: nothing from {day} on leaves the store: {why}", meter, day, why))
        }
        _ => return None,
    };
    Some(printable(&said))
}

fn cause(error: &ArchiveError) -> String {
    errors::with_cause(errors::archive(error), error)
}

/// `--verify`.
fn check(archive: &Path, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
    if !archive.is_dir() {
        let what = tr!("there is no archive {path}", path = archive.display());
        return Err(Failure::new(failure::NO_INPUT, "archive.missing", what).into());
    }
    let tree = Tree::open(archive, true)?;
    let mut lines = Vec::new();
    let found = verify(&tree, |finding| match finding {
        Finding::Damaged(error) => {
            say(&Failure::new(failure::DATA, "archive.damaged", cause(&error)).to_string());
        }
        Finding::Unlisted(path) => lines.push(format!("{}  {}", path.display(), tr!("is in no manifest"))),
        Finding::Aside(path) => lines.push(format!("{}  {}", path.display(), tr!("was set aside"))),
    })?;
    if !globals.quiet {
        for line in lines {
            output.line(&printable(&line))?;
        }
        let (whole, readings) = (count::files(found.whole), count::readings(found.readings));
        let damaged = found.damaged;
        output.line(&tr!(
            "{files} whole, {readings} in day files; {n} damaged",
            files = whole,
            readings,
            n = damaged
        ))?;
    }
    Ok(if found.damaged > 0 { ExitCode::from(failure::DATA) } else { ExitCode::SUCCESS })
}

fn bar(globals: &Globals) -> ProgressBar {
    if globals.quiet {
        return ProgressBar::hidden();
    }
    // Drawn on a terminal only.
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(5));
    if let Ok(style) = ProgressStyle::with_template(&tr!("{{wide_bar}} {{pos}} of {{len}} files  {{eta}}")) {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_long_ago() {
        let now = Instant::parse_utc("2024-02-29T12:30:00Z").unwrap();
        let before = |text: &str| text.parse::<KeepFor>().unwrap().before(now).unwrap().to_string();
        assert_eq!(before("2y"), "2022-02-28T12:30:00Z");
        assert_eq!(before("4y"), "2020-02-29T12:30:00Z");
        assert_eq!(before("3mo"), "2023-11-29T12:30:00Z");
        assert_eq!(before("1w"), "2024-02-22T12:30:00Z");
        for text in ["", "2", "y", "-1d", "0d", "1h", "99999y", "1.5y"] {
            assert!(text.parse::<KeepFor>().is_err(), "{text}");
        }
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        let now = Instant::parse_utc("2026-03-01T00:30:00Z").unwrap();
        let name = |text: &str, kind| period(text, kind, now).map(|period| period.file_name(None));
        assert_eq!(name("2024-02-29", Kind::Day).unwrap(), "jour_20240229.json.gz");
        assert_eq!(name("yesterday", Kind::Day).unwrap(), "jour_20260228.json.gz");
        assert_eq!(name("2020-W53", Kind::Week).unwrap(), "semaine_2020-W53.json.gz");
        assert_eq!(name("2025-11", Kind::Month).unwrap(), "mois_202511.json.gz");
        for (text, kind) in [
            ("2026-02-29", Kind::Day),
            ("2025-11-31", Kind::Day),
            ("2026-13-01", Kind::Day),
            ("2025-00-10", Kind::Day),
            ("2025-11", Kind::Day),
            ("2021-W53", Kind::Week),
            ("2025-W00", Kind::Week),
            ("2025-11-07", Kind::Week),
            ("2025-13", Kind::Month),
            ("hier", Kind::Day),
        ] {
            assert_eq!(name(text, kind).unwrap_err().exit, failure::USAGE, "{text}");
        }
    }
}
