//! `releve db`: looking after the store.

use super::args::Globals;
use super::failure::{self, Failure};
use super::keys;
use super::output::Output;
use super::table::TwoForms;
use super::words::{count, tr};
use crate::acquire::{Decoder, Outcome, Receipt, Settings, timestamp};
use crate::consolidate::Lock;
use crate::reading::{Instant, MeterId};
use crate::store::{Entry, Info, RawPiece, Replaced, Store};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  releve db check --db target/example.db
  releve db info --db target/example.db
  releve db backup target/copy.db --db target/example.db
  releve db compact --db target/example.db

A check looks at every page, opens every block, and holds it against its totals and checksums. A backup may be taken while
readings come in.";

/// Check, describe, copy or compact the store
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Cmd {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Look at every page and every reading
    #[command(after_help = "Examples:\n  releve db check --db target/example.db")]
    Check,
    /// Say what the store holds
    #[command(
        after_help = "Examples:\n  releve db info --db target/example.db\n  releve db info --db target/example.db -f json"
    )]
    Info {
        #[command(flatten)]
        form: TwoForms,
    },
    /// Copy the store, also while it is in use; the copy is checked
    #[command(after_help = "Examples:\n  releve db backup target/backup.db --db target/example.db")]
    Backup {
        /// The file to make; it must not be there yet
        #[arg(value_name = "FILE")]
        to: PathBuf,
    },
    /// Seal what is over, bring an older store up to date, give back room
    #[command(after_help = "Examples:\n  releve db compact --db target/example.db")]
    Compact,
    /// Decode the kept raw telegrams again; what comes out otherwise now stands in place of what came out then
    #[command(after_help = "Examples:\n  releve db redecode --db target/example.db")]
    Redecode {
        /// The file with the keys of enciphered telegrams
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
    },
}

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let path = globals.store_path()?;
        match self.what {
            What::Check => {
                let found = Store::open(&path)?.check()?;
                if !globals.quiet {
                    let (readings, spans) = (count::readings(found.readings), count::spans(found.spans));
                    output.line(&tr!("sound: {readings}, {spans}", readings, spans))?;
                }
            }
            What::Info { form } => info(&Store::open(&path)?, form.is_json(output), output)?,
            What::Backup { to } => {
                let store = Store::open(&path)?;
                if to.exists() {
                    let what = tr!("{path} is there already", path = to.display());
                    return Err(Failure::new(failure::WRITE, "backup.exists", what)
                        .tip(tr!("name a new file; a backup never replaces one"))
                        .into());
                }
                let found = store.backup(&to)?;
                if !globals.quiet {
                    let readings = count::readings(found.readings);
                    output.line(&format!("{}  {}", to.display(), tr!("{readings}, checked", readings)))?;
                }
            }
            What::Compact => {
                // Opening for writing would make a store.
                if !path.exists() {
                    return Err(Store::open(&path).map(drop).err().map_or_else(|| missing(&path), Into::into));
                }
                let mut store = Store::create(&path)?;
                let before = store.info()?.bytes;
                let now = Instant::now();
                store.seal(now)?;
                store.join(now)?;
                store.compact()?;
                let after = store.info()?.bytes;
                if !globals.quiet {
                    let (before, now) = (bytes(before), bytes(after));
                    output.line(&format!("{}  {}", path.display(), tr!("{before} before, {now} now", before, now)))?;
                }
            }
            What::Redecode { key_file } => {
                let keys = keys::load(key_file.as_deref(), globals)?;
                if !path.exists() {
                    return Err(missing(&path));
                }
                // Values change under the same times and qualities: no consolidation may be checking them meanwhile.
                let _lock = Lock::take(&path)?;
                let done = redecode(&mut Store::create(&path)?, globals, keys)?;
                if !globals.quiet {
                    let Replaced { same, added, changed } = done;
                    output.line(&tr!("{same} the same, {added} added, {changed} changed", same, added, changed))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn missing(path: &std::path::Path) -> anyhow::Error {
    crate::store::StoreError::Missing(path.into()).into()
}

fn info(store: &Store, json: bool, output: &mut Output) -> anyhow::Result<()> {
    let found = store.info()?;
    let meters = store.list_meters()?;
    if json {
        let meters: Vec<_> = meters.iter().map(super::meters::json).collect();
        let Info { schema, bytes, free, hot, sealed, spans, raw, .. } = found;
        let all = serde_json::json!({
            "fichier": store.path().display().to_string(), "schema": schema, "octets": bytes, "octets_libres": free,
            "nb_mesures": hot + sealed, "en_lignes": hot, "en_blocs": sealed, "blocs": spans, "octets_bruts": raw,
            "compteurs": meters,
        });
        return output.line(&serde_json::to_string_pretty(&all)?);
    }
    let (size, free) = (bytes(found.bytes), bytes(found.free));
    let (rows, sealed, spans) = (found.hot, found.sealed, count::spans(found.spans));
    let mut lines = vec![
        (tr!("store"), store.path().display().to_string()),
        (tr!("schema"), format!("{}, SQLite {}", found.schema, crate::store::sqlite_version())),
        (tr!("size"), tr!("{size}, of which {free} free", size, free)),
        (tr!("readings"), tr!("{n}: {rows} as rows, {sealed} in {spans}", n = rows + sealed, rows, sealed, spans)),
    ];
    if found.raw > 0 {
        lines.push((tr!("raw"), bytes(found.raw)));
    }
    lines.extend(meters.into_iter().map(|meter| {
        let extent = meter.extent.map(super::meters::extent).unwrap_or_default();
        (tr!("meter"), format!("{}: {}{extent}", meter.identifier, count::readings(meter.readings)))
    }));
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max(8);
    lines.iter().try_for_each(|(name, text)| output.line(&format!("{name:width$}  {text}")))
}

/// `850 bytes`, `12.4 MB`.
fn bytes(count: u64) -> String {
    for (unit, size) in [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)] {
        if count >= size {
            return format!("{}.{} {unit}", count / size, count % size * 10 / size);
        }
    }
    count::bytes(count)
}

/// Plays the kept streams through the decoder again.
fn redecode(store: &mut Store, globals: &Globals, keys: crate::wire::dlms::Keys) -> anyhow::Result<Replaced> {
    let zone = globals.zone()?;
    let mut done = Replaced::default();
    let mut stream: Option<(i64, Decoder)> = None;
    let mut last: Option<RawPiece> = None;
    let mut waiting: Vec<Entry> = Vec::new();
    let mut place = None;
    while let Some((next, piece)) = store.next_raw(place)? {
        place = Some(next);
        if stream.as_ref().is_none_or(|(number, _)| *number != piece.stream) {
            if let (Some((_, mut decoder)), Some(last)) = (stream.take(), &last) {
                decoder.finish(&mut |outcome| waiting.extend(entry(outcome, last, zone)));
            }
            settle(store, &mut waiting, true, &mut done)?;
            stream = Some((piece.stream, Decoder::new(Settings { keys: keys.clone(), ..Settings::default() })));
        }
        if let Some((_, decoder)) = &mut stream {
            decoder.push(&piece.bytes, &mut |outcome| waiting.extend(entry(outcome, &piece, zone)));
        }
        settle(store, &mut waiting, false, &mut done)?;
        last = Some(piece);
    }
    if let (Some((_, mut decoder)), Some(last)) = (stream, &last) {
        decoder.finish(&mut |outcome| waiting.extend(entry(outcome, last, zone)));
    }
    settle(store, &mut waiting, true, &mut done)?;
    store.seal(Instant::now())?;
    Ok(done)
}

fn entry(outcome: Outcome, piece: &RawPiece, zone: super::args::ZoneChoice) -> Option<Entry> {
    let Outcome::Reading(mut reading) = outcome else { return None };
    let receipt = if piece.is_live { Receipt::Live(piece.at) } else { Receipt::Replay(piece.at) };
    let at = timestamp(&mut reading, receipt, zone.zone, zone.chosen).at;
    let meter: MeterId = piece.meter.clone().or_else(|| reading.meter.clone())?;
    reading.meter = Some(meter.clone());
    let source = reading.protocol.default_source().to_owned();
    Some(Entry { meter, at, source, reading, derived: false })
}

/// Hands on what is whole: readings of the newest instant may still get company.
fn settle(store: &mut Store, waiting: &mut Vec<Entry>, all: bool, done: &mut Replaced) -> anyhow::Result<()> {
    waiting.sort_by(|a, b| (&a.meter, a.at).cmp(&(&b.meter, b.at)));
    let keep = if all { None } else { waiting.iter().map(|entry| entry.at).max() };
    let (rest, whole): (Vec<_>, Vec<_>) = waiting.drain(..).partition(|entry| Some(entry.at) == keep);
    *waiting = rest;
    let replaced = store.replace(&whole)?;
    done.same += replaced.same;
    done.added += replaced.added;
    done.changed += replaced.changed;
    Ok(())
}
