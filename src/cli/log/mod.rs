//! `releve log`: meters read for as long as it runs, every reading kept.

mod archivist;
mod company;
mod journal;
mod memory;
mod mqtt;
mod print;
mod reload;
mod service;
mod words;

use super::args::{Globals, meter_id, none_given};
use super::config;
use super::failure::{self, Failure};
use super::interrupt::Interrupt;
use super::output::Output;
use super::source::Source;
use super::words::{count, errors, tr};
use super::{ports, when};
use crate::logger::{self, Keep, Place, Plan, Refusal, Summary};
use crate::reading::MeterId;
use crate::session::Stop;
use crate::store::Inserted;
use clap::{Args, ValueEnum};
use company::Company;
use journal::{Journal, Level};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;
pub(super) use words::{stored, time};

const EXAMPLES: &str = "\
Examples:
  releve log --port target/meter --count 2 --print ndjson
  releve log --port target/meter --count 2 --interval 1s --print ndjson -q
  releve config default                             # the file that names several meters";

const MORE: &str = "\
Examples:
  releve log --port target/meter --count 2 --print ndjson
  releve log --port target/meter --count 2 --interval 1s --print ndjson -q
  releve config default                             # the file that names several meters

Without --port and --meter every meter of the settings file is logged, each with its own interval; without such a file the meter
on the only USB port. A port that is not there is waited for, and found again after it was unplugged, by the USB serial number
also under another name.

A meter that sends by itself is kept as it sends, up to once a second, or with --interval one reading an interval. A meter that
has to be asked is asked every --interval, at full minutes for 60s [default: 60s].

What a meter sends is written every --commit in one go: a power cut loses at most that (with --commit 10s a meter that sends
every second costs about 120 MB of writing to the card a day, with --interval 60s about 10 MB). A process that is killed loses
nothing: what is not in the store yet also stands in memory, in $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR or /dev/shm, and the
next `releve log` of the same store finds it there. Readings that come no oftener than --commit are written at once.

With --archive each hour, day, week and month is written into the archive a minute after it is over, as `releve consolidate` does.

Events (outages, voltages out of bounds, peaks, silence; see `releve events`) are found as readings come in and stored with
them; with `exec` in the settings, under [evenements], a command is run for each new one.

With --mqtt, or `url` under [mqtt] in the settings, readings are published to a broker, and Home Assistant finds the meter by itself
(docs/HOME-ASSISTANT.md). A broker that is away is waited for, and holds up nothing.

While the store is locked or the disk is full, up to 10,000 readings wait in memory. Ctrl-C and TERM store what was received
and end with 0. HUP is a closing terminal; without a terminal what was received is stored, the settings are read again and each
meter is begun with anew (settings that make no sense are said and change nothing; the store stays the same). Under systemd: Type=notify, READY=1 comes with the
first reading, the watchdog is fed while every meter sends or is tried again.";

/// Keep reading meters into the store
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = MORE)]
pub(super) struct Cmd {
    /// Keep one reading an interval; ask meters that do not send by themselves this often
    #[arg(long, value_name = "TIME", value_parser = interval)]
    interval: Option<Duration>,
    /// Write in groups: a power cut loses no more than came in this time
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = when::duration)]
    commit: Duration,
    /// Write each hour and day into this archive when it is over
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// Also print each reading that is kept, a line each
    #[arg(long, value_name = "FORMAT")]
    print: Option<Print>,
    /// Also publish readings to this MQTT broker, for Home Assistant and others: mqtt://HOST:PORT
    #[arg(long, value_name = "URL")]
    mqtt: Option<String>,
    /// End after so many readings
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    #[command(flatten)]
    source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Print {
    /// An object a line
    Ndjson,
}

/// The shortest interval: meters have no more to say.
const SHORTEST: Duration = Duration::from_secs(1);

fn interval(text: &str) -> Result<Duration, String> {
    let interval = when::duration(text)?;
    if interval < SHORTEST { Err(tr!("the shortest is 1s")) } else { Ok(interval) }
}

/// The interval that the settings of a meter say.
fn interval_of(settings: &config::Meter) -> Result<Option<Duration>, Failure> {
    let asked = settings.interval.as_deref().map(|text| {
        interval(text).map_err(|why| {
            let what = tr!("settings: {key} = \"{text}\": {why}", key = "interval", text, why);
            Failure::new(failure::CONFIG, "config.value", what)
        })
    });
    asked.transpose()
}

/// Whether a meter could be logged with these settings, were it there.
pub(super) fn check(settings: &config::Meter, globals: &Globals) -> anyhow::Result<()> {
    none_given::<Source>().reach(settings, globals)?;
    interval_of(settings)?;
    Ok(())
}

impl Cmd {
    pub(super) fn run(self, globals: &Globals, _: &mut Output) -> anyhow::Result<ExitCode> {
        let mut plans = self.plans(globals)?;
        let store = globals.store_path()?;
        let (rules, setting) = (globals.events()?.rules(), globals.setting()?);
        let mut keep = Keep { tail: memory::folder(), window: self.commit, count: self.count, store, rules, setting };
        let interrupt = Interrupt::catch()?;
        let hang_up = interrupt.catch_hang_up()?;

        let journal = Journal::new(globals);
        journal.say(Level::Info, &words::beginning(&plans, &keep));
        if keep.tail.is_none() {
            let window = time(keep.window);
            let text = tr!(
                "there is no folder in memory for what is not in the store yet: a kill costs up to {time}",
                time = window
            );
            journal.say(Level::Debug, &text);
        }
        let mut company = Company::gather(&self, &keep.store, journal, interrupt.stop(), globals)?;
        let (mut before, mut lost, command) = (Inserted::default(), 0, &self);
        let done = loop {
            company.several = plans.len() > 1;
            // A round ends with the log, or because the settings are to be followed as they are now.
            let (round, afresh) = (Stop::default(), globals.afresh());
            let (done, next) = thread::scope(|scope| {
                let read = move || {
                    let globals = afresh.afresh();
                    let events = globals.events()?;
                    let broker = globals.config()?.file.mqtt.broker(command.mqtt.as_deref(), &globals)?;
                    let plans = command.plans(&globals)?;
                    let settings = (plans, events.rules(), globals.setting()?, events.exec.clone(), broker);
                    // They make sense: what is said from now on is in their language, as the names of sensors are.
                    crate::cli::words::choose(globals.language());
                    Ok(settings)
                };
                let (stop, hang_up, round) = (interrupt.stop(), &*hang_up, &round);
                let waiting = thread::Builder::new()
                    .name("settings".to_owned())
                    .spawn_scoped(scope, move || reload::wait(hang_up, stop, round, journal, read))?;
                let done = logger::run(plans, &keep, round, &mut |event| company.heed(event));
                round.set();
                Ok::<_, std::io::Error>((done, waiting.join().unwrap_or_default()))
            })?;
            match (next, &done) {
                (Some((next, rules, setting, exec, broker)), Ok(summary)) if !interrupt.stop().is_set() => {
                    let left = |count: u64| count.saturating_sub(u64::try_from(summary.stored.added).unwrap_or(count));
                    keep.count = keep.count.map(left);
                    if keep.count == Some(0) {
                        break done;
                    }
                    before += summary.stored;
                    lost += summary.lost;
                    if summary.unstored > 0 && !summary.in_tail {
                        end(summary, &keep, journal);
                    }
                    (plans, keep.rules, keep.setting) = (next, rules, setting);
                    company.renew(exec, broker)?;
                    let now = words::beginning(&plans, &keep);
                    journal.say(Level::Notice, &tr!("settings read again: {what}", what = now));
                }
                _ => break done,
            }
        };
        let printed = company.leave();
        let mut summary = done.map_err(refused)?;
        summary.stored += before;
        summary.lost += lost;
        end(&summary, &keep, journal);
        printed?;
        // It has been said; a script hears it by the status.
        let is_lost = summary.unstored > 0 && !summary.in_tail;
        Ok(if is_lost { ExitCode::from(failure::WRITE) } else { ExitCode::SUCCESS })
    }

    /// The meters: the one that is named, else those of the settings, else the only one there is.
    fn plans(&self, globals: &Globals) -> anyhow::Result<Vec<Plan>> {
        let meters = &globals.config()?.file.meters;
        if self.source.port.is_some() || globals.meter.is_some() || meters.is_empty() {
            let none = config::Meter::default();
            let settings = globals.meter_settings()?.unwrap_or(&none);
            return Ok(vec![self.plan(None, settings, globals.named_meter()?, globals)?]);
        }
        let several = meters.len() > 1;
        let plan = |(alias, settings): (&String, &config::Meter)| {
            let meter = settings.id.as_deref().map(meter_id).transpose()?;
            self.plan(several.then_some(alias.as_str()), settings, meter, globals)
        };
        meters.iter().map(plan).collect()
    }

    fn plan(
        &self,
        name: Option<&str>,
        settings: &config::Meter,
        meter: Option<MeterId>,
        globals: &Globals,
    ) -> anyhow::Result<Plan> {
        let reach = self.source.reach(settings, globals)?;
        let place = match reach.port {
            Some(address) => Place::At(address),
            None => {
                ports::at_most_one("releve log")?;
                Place::TheOnly
            }
        };
        let zone = globals.zone()?;
        Ok(Plan {
            name: name.map(Into::into),
            place,
            wishes: reach.wishes,
            meter,
            interval: self.interval.or(interval_of(settings)?),
            zone: zone.zone,
            zone_chosen: zone.chosen,
        })
    }
}

/// The last words.
fn end(summary: &Summary, keep: &Keep, journal: Journal) {
    let Summary { stored, unstored, in_tail, lost } = *summary;
    if lost > 0 {
        let text = match count::is_singular(lost) {
            true => tr!("{n} reading was lost while the store could not be written", n = lost),
            false => tr!("{n} readings were lost while the store could not be written", n = lost),
        };
        journal.say(Level::Error, &text);
    }
    if unstored > 0 {
        let store = keep.store.display();
        let n = unstored;
        let text = match (in_tail, count::is_singular(n)) {
            (true, true) => tr!("{n} reading is not in {store} yet: the next `releve log` will store it", n, store),
            (true, false) => {
                tr!("{n} readings are not in {store} yet: the next `releve log` will store them", n, store)
            }
            (false, true) => tr!("{n} reading could not be stored in {store} and is lost", n, store),
            (false, false) => tr!("{n} readings could not be stored in {store} and are lost", n, store),
        };
        journal.say(Level::Error, &text);
    }
    journal.say(Level::Info, &words::stored(&stored));
}

fn refused(refusal: Refusal) -> anyhow::Error {
    match refusal {
        Refusal::Link(error) => error.into(),
        Refusal::Store(error) => error.into(),
        Refusal::Nameless { .. } => Failure::new(failure::USAGE, "meter.unknown", errors::refusal(&refusal))
            .tip(tr!("name it: --meter ID"))
            .into(),
        Refusal::NothingLeft => Failure::new(failure::NO_METER, "meter.none", errors::refusal(&refusal)).into(),
        Refusal::Thread(_) => Failure::new(failure::OTHER, "other", errors::refusal(&refusal)).into(),
    }
}
