//! `releve simulate`: a meter of a made-up household, to read without owning one.

use super::args::Globals;
use super::config::nearest;
use super::failure::{self, Failure};
use super::output::{Output, WriteError, say};
use super::target::cannot_write;
use super::when;
use super::words::{count, errors, tr};
use crate::reading::{Instant, Zone};
use crate::simulate::cable::{Cable, Said};
use crate::simulate::catalogue::{self, Profile};
use crate::simulate::fault::{self, Fault, Faults};
use crate::simulate::host::{End, File, Pace, Place, Pty, Run, Summary, Tcp, run};
use crate::simulate::meter::e450::PushKeys;
use crate::simulate::meter::{Meter, Tempo};
use crate::simulate::works::{Setup, shown_wh};
use crate::wire::Line;
use clap::Args;
use serde::Serialize;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const AFTER_HELP: &str = "\
Examples:
  releve simulate                                      # the meters and the faults there are
  releve simulate mode-c --pty --duration 1s           # prints the port to read from
  releve simulate p1 --listen 127.0.0.1:0 --duration 1s
  releve simulate sml --seed 7 --start 2025-06-21T10:00:00Z --count 5 | releve read - -f ndjson
  releve simulate e450 --fault cut@10s:60 --count 30 | releve read - -f csv";

/// Play a meter on a pseudo terminal, a TCP port or into a file
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Cmd {
    /// The meter; without one they are listed
    #[arg(value_name = "METER")]
    meter: Option<String>,
    /// List the meters and the faults
    #[arg(long)]
    list: bool,
    /// Be a serial port; its path is printed [default on a terminal, or without an end]
    #[arg(long, group = "place")]
    pty: bool,
    /// The same, under a name that stays: a symbolic link
    #[arg(long, value_name = "PATH", conflicts_with_all = ["listen", "output"])]
    link: Option<PathBuf>,
    /// Be a serial bridge: listen on TCP; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", group = "place")]
    listen: Option<String>,
    /// Write what the meter sends to a file, - for standard output
    #[arg(short, long, value_name = "FILE", group = "place")]
    output: Option<PathBuf>,
    /// Settings of the bridge's serial port, like 9600,8N1 [default: it follows the meter]
    #[arg(long, value_name = "LINE", requires = "listen", hide_short_help = true)]
    bridge: Option<Line>,
    /// Only mind the reader's speed: data bits and parity of most programs cannot be seen on a pseudo terminal
    #[arg(long, conflicts_with_all = ["listen", "output"], hide_short_help = true)]
    any_format: bool,
    /// How many times faster than real time, or max: as fast as it is read [default: 1; into a file max]. The line of a
    /// meter that is asked keeps its own speed
    #[arg(long, value_name = "N", value_parser = parse_pace)]
    speed: Option<Pace>,
    /// The simulated time it starts at [default: now]; the meter's zone is then --tz, or Central Europe
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// The household: the same seed and start give the same bytes
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// End after so many telegrams
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// End after so much simulated time: 90s, 5m, 2h, 1d
    #[arg(long, value_name = "TIME", value_parser = when::duration)]
    duration: Option<Duration>,
    /// What goes wrong, from when on, how much; see --list; may be repeated
    #[arg(long, value_name = "KIND[@WHEN][:VALUE]", value_parser = str::parse::<Fault>)]
    fault: Vec<Fault>,
    /// Write the keys of a ciphered meter into a new file, for releve read --key-file
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    write_keys: Option<PathBuf>,
    /// At the end write the counters as JSON into a file, - for standard error
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    totals: Option<PathBuf>,
}

fn parse_pace(text: &str) -> Result<Pace, String> {
    match text {
        "max" => Ok(Pace::Max),
        _ => match text.parse() {
            Ok(times @ 1..=86_400) => Ok(Pace::Times(times)),
            _ => Err(tr!("a number from 1 to 86400, or max")),
        },
    }
}

/// What the meter holds at the end.
#[derive(Serialize)]
struct Totals {
    compteur: String,
    telegrammes: u64,
    octets: u64,
    octets_perdus: u64,
    fin: String,
    energie_active_import: String,
    energie_active_import_t1: String,
    energie_active_import_t2: String,
    energie_active_export: String,
    energie_active_export_t1: String,
    energie_active_export_t2: String,
    energie_reactive_import: String,
    energie_reactive_export: String,
    /// The exact sums, before they are cut to whole Wh.
    watt_secondes: Exact,
}

#[derive(Serialize)]
struct Exact {
    import: [u64; 2],
    export: [u64; 2],
}

/// Where the bytes go.
enum Where {
    Pty(Option<PathBuf>),
    Tcp(String),
    File(Option<PathBuf>),
}

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let Some(name) = self.meter.as_deref().filter(|_| !self.list) else { return list(output) };
        let profile = Profile::parse(name).ok_or_else(|| unknown(name))?;
        self.check(profile)?;
        if let Some(path) = &self.write_keys {
            write_keys(path)?;
        } else if profile.is_ciphered() {
            globals.note(&tr!("its key is the published example of the Green Book; --write-keys FILE writes it"));
        } else if profile.has_keys() {
            globals.note(&tr!(
                "client 16 is public, 1 has the password 00000000, 2 and 3 the keys that --write-keys FILE writes"
            ));
        }

        let place = self.place(output.is_terminal());
        let pace = self.speed.unwrap_or(if matches!(place, Where::File(_)) { Pace::Max } else { Pace::Times(1) });
        let start = self.start(globals)?;
        // Whoever reads a live meter here lives in its zone; what is to be repeated must not depend on the machine.
        // A P1 clock is Central European by its standard.
        let is_p1 = matches!(profile, Profile::P1 | Profile::P1TenSeconds | Profile::P1Version2);
        let is_fixed = globals.tz.is_none() && (self.start.is_some() || is_p1);
        let zone = if is_fixed { Zone::CENTRAL_EUROPE } else { globals.zone()?.zone };
        let faults = Faults::new(self.fault.clone());
        let mut setup = Setup { zone, ..Setup::new(self.seed, start) };
        faults.set_up(&mut setup);
        // What is asked keeps the speed of its line: only its household hurries.
        let (pace, tempo) = match pace {
            Pace::Times(times) if !profile.describe().pushes => (Pace::Times(1), Tempo::new(start, times)),
            pace => (pace, Tempo::new(start, 1)),
        };
        let mut meter = profile.build(&setup, &faults, tempo);
        let mut cable = Cable::new(start, faults.on_the_line(self.seed, start, tempo));
        let end = End {
            telegrams: self.count,
            at: self
                .duration
                .map(|time| tempo.on_the_line(start.plus_seconds(i64::try_from(time.as_secs()).unwrap_or(i64::MAX)))),
        };
        let settings = Run { start, pace, end, unplugged: faults.unplugged(start, tempo) };

        if matches!(place, Where::Pty(None)) && !settings.unplugged.is_empty() {
            globals.warn(&tr!("the port comes back under a name that nobody knows: --link gives it one that stays"));
        }
        // Before there is anything that would stay behind, and before anybody is told that it is there.
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&stop))?;
        }
        let to_file = matches!(place, Where::File(_));
        let mut place: Box<dyn Place> = match place {
            Where::Pty(link) => {
                let pty =
                    Pty::open(link.as_deref(), self.any_format).map_err(|error| no_link(link.as_deref(), &error))?;
                announce(output, &pty.path().unwrap_or(Path::new("")).display().to_string())?;
                Box::new(pty)
            }
            Where::Tcp(address) => {
                let tcp = Tcp::listen(&address, self.bridge).map_err(|error| no_listener(&address, &error))?;
                announce(output, &format!("tcp://{}", tcp.address()))?;
                Box::new(tcp)
            }
            Where::File(None) => Box::new(File(io::stdout())),
            Where::File(Some(path)) => Box::new(File(create(&path)?)),
        };
        let (line, seed) = (meter.line(), self.seed);
        globals.detail(&tr!("{name}, {line}, from {start}, seed {seed}", name, line, start, seed));
        let mut exchange = Exchange::default();
        let mut watch = |said: Said| {
            if globals.verbose > 0 {
                exchange.note(said);
            }
        };
        let done = run(meter.as_mut(), &mut cable, place.as_mut(), &settings, &stop, &mut watch);
        let summary = done.map_err(|error| match &self.output {
            Some(path) if path.as_os_str() != "-" => anyhow::Error::from(cannot_write(path, &error)),
            _ if to_file => WriteError::from(error).into(),
            _ => error.into(),
        })?;
        exchange.flush();
        drop(place);
        self.report(globals, meter.as_ref(), &summary)?;
        Ok(ExitCode::SUCCESS)
    }

    /// What makes no sense together.
    fn check(&self, profile: Profile) -> Result<(), Failure> {
        let row = profile.describe();
        let usage = |id, text: String| Failure::new(failure::USAGE, id, text);
        if let Some(kind) = self.fault.iter().map(|fault| fault.kind).find(|&kind| !profile.knows(kind)) {
            return Err(usage("simulate.fault", tr!("fault {kind} means nothing for {meter}", kind, meter = row.name))
                .tip(tr!("releve simulate --list says what each fault does")));
        }
        if !row.pushes && (self.output.is_some() || self.speed == Some(Pace::Max)) {
            return Err(usage("simulate.asked", tr!("{meter} only speaks when it is asked", meter = row.name))
                .tip(tr!("give it a port: --pty or --listen 127.0.0.1:0, with --speed N to be faster")));
        }
        if self.write_keys.is_some() && !profile.has_keys() {
            return Err(
                usage("simulate.keys", tr!("{meter} is not ciphered", meter = row.name)).tip(tr!("e450-ciphered is"))
            );
        }
        Ok(())
    }

    fn place(&self, is_terminal: bool) -> Where {
        if let Some(address) = &self.listen {
            return Where::Tcp(address.clone());
        }
        if let Some(path) = &self.output {
            return Where::File(Some(path.clone()).filter(|path| path.as_os_str() != "-"));
        }
        let pushes = self.meter.as_deref().and_then(Profile::parse).is_some_and(|profile| profile.describe().pushes);
        let ends = self.count.is_some() || self.duration.is_some();
        if self.pty || self.link.is_some() || is_terminal || !ends || !pushes {
            Where::Pty(self.link.clone())
        } else {
            Where::File(None)
        }
    }

    fn start(&self, globals: &Globals) -> anyhow::Result<Instant> {
        let start = match &self.start {
            Some(text) => when::moment(text, globals.zone()?, false, globals)?,
            None => Instant::now(),
        };
        Ok(Instant::from_unix(start.unix_seconds()))
    }

    fn report(&self, globals: &Globals, meter: &dyn Meter, summary: &Summary) -> anyhow::Result<()> {
        let works = meter.works();
        let counters = works.counters();
        let kilo = |unit: u64| format!("{}.{:03}", unit / 1_000, unit % 1_000);
        let [[import_1, import_2], [export_1, export_2]] =
            [counters.import, counters.export].map(|tariffs| tariffs.map(|sum| kilo(shown_wh(sum))));
        let totals = Totals {
            compteur: works.serial().to_string(),
            telegrammes: summary.telegrams,
            octets: summary.characters,
            octets_perdus: summary.dropped,
            fin: works.now().to_string(),
            energie_active_import: kilo(counters.import_wh()),
            energie_active_import_t1: import_1,
            energie_active_import_t2: import_2,
            energie_active_export: kilo(counters.export_wh()),
            energie_active_export_t1: export_1,
            energie_active_export_t2: export_2,
            energie_reactive_import: kilo(counters.reactive_import_varh()),
            energie_reactive_export: kilo(counters.reactive_export_varh()),
            watt_secondes: Exact { import: counters.import, export: counters.export },
        };
        match &self.totals {
            Some(path) if path.as_os_str() == "-" => say(&serde_json::to_string(&totals)?),
            Some(path) => {
                let mut file = create(path)?;
                writeln!(file, "{}", serde_json::to_string(&totals)?)?;
            }
            None => globals.detail(&format!(
                "{}; 1.8.0 {} kWh, 2.8.0 {} kWh",
                count::telegrams(totals.telegrammes),
                totals.energie_active_import,
                totals.energie_active_export
            )),
        }
        if summary.dropped > 0 {
            let n = summary.dropped;
            globals.note(&match count::is_singular(n) {
                true => tr!("{n} byte was dropped: it was not read in time", n),
                false => tr!("{n} bytes were dropped: they were not read in time", n),
            });
        }
        Ok(())
    }
}

fn list(output: &mut Output) -> anyhow::Result<ExitCode> {
    output.line(&tr!("Meters:"))?;
    for row in catalogue::TABLE {
        output.line(&format!("  {:<20} {}", row.name, row.what))?;
    }
    output.line("")?;
    output.line(&tr!("Faults, as --fault KIND[@WHEN][:VALUE]; WHEN is like 90s, 5m or 2025-11-07T14:30:00Z:"))?;
    for row in fault::TABLE {
        let value = if row.value.is_empty() { String::new() } else { format!("; {}", row.value) };
        output.line(&format!("  {:<20} {}{value}", row.name, row.what))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn unknown(name: &str) -> Failure {
    let what = tr!("there is no meter '{name}' to simulate", name);
    let names: Vec<&str> = catalogue::TABLE.iter().map(|row| row.name).collect();
    let failure = Failure::new(failure::USAGE, "simulate.meter", what);
    let failure = match nearest(name, &names) {
        Some(meant) => failure.tip(tr!("did you mean '{meant}'?", meant)),
        None => failure,
    };
    failure.tip(tr!("releve simulate lists them"))
}

/// The one line of standard output: where to read.
fn announce(output: &mut Output, place: &str) -> anyhow::Result<()> {
    output.line(place)?;
    output.flush()
}

fn no_link(link: Option<&Path>, error: &io::Error) -> Failure {
    let what = link.map_or_else(|| tr!("no pseudo terminal"), |link| tr!("cannot make {path}", path = link.display()));
    let exit = if error.kind() == io::ErrorKind::PermissionDenied { failure::DENIED } else { failure::WRITE };
    let failure = Failure::new(exit, "simulate.pty", what).cause(error.to_string());
    match error.kind() {
        io::ErrorKind::AlreadyExists => failure.tip(tr!("choose another name, or remove it: nothing is overwritten")),
        _ => failure,
    }
}

fn no_listener(address: &str, error: &io::Error) -> Failure {
    let exit = match error.kind() {
        io::ErrorKind::AddrInUse => failure::BUSY,
        io::ErrorKind::PermissionDenied => failure::DENIED,
        _ => failure::USAGE,
    };
    Failure::new(exit, "simulate.listen", tr!("cannot listen at {address}", address))
        .cause(error.to_string())
        .tip(tr!("write it like 127.0.0.1:5001; port 0 takes a free one"))
}

fn create(path: &Path) -> Result<std::fs::File, Failure> {
    std::fs::File::create(path).map_err(|error| cannot_write(path, &error))
}

/// A key file of mode 600. One that is there already is left alone, unless it is the same.
fn write_keys(path: &Path) -> Result<(), Failure> {
    let digits = |key: [u8; 16]| key.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    let PushKeys { encryption, authentication } = PushKeys::EXAMPLE;
    let text = format!("encryption = \"{}\"\nauthentication = \"{}\"\n", digits(encryption), digits(authentication));
    if std::fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
        Failure::new(failure::WRITE, "simulate.keys", errors::cannot_write(path))
            .cause(error.to_string())
            .tip(tr!("name a new file: keys are not overwritten"))
    })
}

/// What is said, a line a message: from the meter with time and settings, from the reader as the meter made it out.
#[derive(Default)]
struct Exchange {
    /// The reader's characters come one by one.
    heard: Vec<u8>,
}

impl Exchange {
    fn note(&mut self, said: Said) {
        match said {
            Said::Reader(characters) => {
                for character in characters {
                    self.heard.push(character);
                    if self.is_whole() {
                        self.flush();
                    }
                }
            }
            Said::Meter(emission) => {
                self.flush();
                say(&format!("{} {} < {}", emission.at, emission.line, readable(&emission.bytes)));
            }
        }
    }

    /// Whether what was heard is a line of text or a frame, or too much to wait for its end.
    fn is_whole(&self) -> bool {
        match self.heard.as_slice() {
            [0x7E, .., 0x7E] => self.heard.len() > 2,
            [0x7E, ..] => self.heard.len() >= 2_048,
            heard => heard.ends_with(b"\n") || heard.len() >= 64,
        }
    }

    fn flush(&mut self) {
        if !self.heard.is_empty() {
            say(&format!("> {}", readable(&self.heard)));
            self.heard.clear();
        }
    }
}

fn readable(bytes: &[u8]) -> String {
    /// Longer messages are cut.
    const MOST: usize = 120;
    let shown = bytes.get(..MOST).unwrap_or(bytes);
    let is_text = shown.iter().all(|byte| (0x20..0x7F).contains(byte) || matches!(byte, 1..=6 | 10 | 13 | 0x15));
    let mut text = if is_text {
        String::from_utf8_lossy(shown).escape_debug().to_string()
    } else {
        shown.iter().map(|byte| format!("{byte:02x} ")).collect()
    };
    if bytes.len() > MOST {
        text += &format!("... {}", count::bytes(bytes.len()));
    }
    text
}
