//! A meter on a pty that can be unplugged, and a log of it.

use crate::testenv::{Place, fixture};
use releve::reading::{Instant, MeterId};
use releve::store::{Store, StoreError};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::OpenptFlags;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant as Clock};

pub(crate) const METER: &str = "E001234567890";

/// The port of a meter: the pty behind it comes and goes, its name stays.
pub(crate) struct Port {
    pub(crate) path: PathBuf,
    pty: Option<(OwnedFd, OwnedFd)>,
}

impl Port {
    pub(crate) fn new(path: PathBuf) -> Self {
        let mut port = Self { path, pty: None };
        port.plug();
        port
    }

    pub(crate) fn unplug(&mut self) {
        self.pty = None;
        drop(std::fs::remove_file(&self.path));
    }

    pub(crate) fn plug(&mut self) {
        self.unplug();
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let name = PathBuf::from(rustix::pty::ptsname(&master, Vec::new()).unwrap().into_string().unwrap());
        let slave = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let mut raw = rustix::termios::tcgetattr(&slave).unwrap();
        raw.make_raw();
        rustix::termios::tcsetattr(&slave, rustix::termios::OptionalActions::Now, &raw).unwrap();
        rustix::io::ioctl_fionbio(&master, true).unwrap();
        symlink(&name, &self.path).unwrap();
        self.pty = Some((master, slave));
    }

    /// Sends what the other side takes within a second, and says whether it took all.
    pub(crate) fn send(&self, bytes: &[u8]) -> bool {
        self.send_within(bytes, Duration::from_secs(1))
    }

    pub(crate) fn send_within(&self, mut bytes: &[u8], time: Duration) -> bool {
        let Some((master, _)) = &self.pty else { return false };
        let since = Clock::now();
        while !bytes.is_empty() && since.elapsed() < time {
            match rustix::io::write(master, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(_) => sleep(Duration::from_millis(1)),
            }
        }
        bytes.is_empty()
    }

    pub(crate) fn receive(&self) -> Vec<u8> {
        let mut buffer = [0; 256];
        let count = self.pty.as_ref().and_then(|(master, _)| rustix::io::read(master, &mut buffer).ok());
        buffer[..count.unwrap_or(0)].to_vec()
    }
}

/// A P1 telegram of this second.
pub(crate) fn telegram(at: Instant) -> Vec<u8> {
    // Winter time is an hour ahead of UTC.
    let local = at.plus_seconds(3600).to_string();
    let digits: String = local.chars().take(19).filter(char::is_ascii_digit).skip(2).collect();
    let seconds = at.unix_seconds().rem_euclid(1_000_000_000);
    let text = String::from_utf8(std::fs::read(fixture("dsmr/smart5.txt")).unwrap()).unwrap();
    let text = text.replace("251107153002W", &format!("{digits}W"));
    let text = text.replace("001234.567", &format!("{:06}.{:03}", seconds / 1000, seconds % 1000));
    let end = text.rfind('!').unwrap() + 1;
    let crc = crc::Crc::<u16>::new(&crc::CRC_16_ARC).checksum(&text.as_bytes()[..end]);
    format!("{}{crc:04X}\r\n", &text[..end]).into_bytes()
}

/// A meter that sends by itself, each telegram a second later than the one before, however fast they come.
pub(crate) struct Meter {
    pub(crate) port: Arc<Mutex<Port>>,
    next: Arc<AtomicI64>,
    sending: Arc<AtomicBool>,
    sent: Arc<Mutex<Vec<(i64, Clock)>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Meter {
    pub(crate) fn sending_every(path: PathBuf, period: Duration) -> Self {
        Self::sending_from(Instant::now().unix_seconds() - 3600, path, period)
    }

    /// The same, its first telegram of this second.
    pub(crate) fn sending_from(start: i64, path: PathBuf, period: Duration) -> Self {
        let mut meter = Self {
            port: Arc::new(Mutex::new(Port::new(path))),
            next: Arc::new(AtomicI64::new(start)),
            sending: Arc::new(AtomicBool::new(true)),
            sent: Arc::default(),
            over: Arc::default(),
            thread: None,
        };
        let (port, next, sent) = (Arc::clone(&meter.port), Arc::clone(&meter.next), Arc::clone(&meter.sent));
        // At full speed the other side sets the pace.
        let patience = Duration::from_secs(if period.is_zero() { 60 } else { 1 });
        let (sending, over) = (Arc::clone(&meter.sending), Arc::clone(&meter.over));
        meter.thread = Some(thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                let due = Clock::now() + period;
                if sending.load(Ordering::Relaxed) {
                    let second = next.fetch_add(1, Ordering::Relaxed);
                    let port = port.lock().unwrap();
                    if port.send_within(&telegram(Instant::from_unix(second)), patience) {
                        sent.lock().unwrap().push((second, Clock::now()));
                    }
                }
                sleep(due.saturating_duration_since(Clock::now()));
            }
        }));
        meter
    }

    pub(crate) fn speak(&self, speaks: bool) {
        self.sending.store(speaks, Ordering::Relaxed);
    }

    /// The telegrams that were sent whole, with the time.
    pub(crate) fn sent(&self) -> Vec<(i64, Clock)> {
        self.sent.lock().unwrap().clone()
    }

    /// How many those are.
    pub(crate) fn count(&self) -> usize {
        self.sent.lock().unwrap().len()
    }

    /// The second of the last telegram.
    pub(crate) fn last(&self) -> i64 {
        self.sent().last().unwrap().0
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// A second of yesterday, if the day is old enough for that: a clock that is off by a day would not be believed.
pub(crate) fn first_of_yesterday() -> i64 {
    Instant::now().unix_seconds() - 84_600
}

/// A folder with a store, and one in memory for the tail.
pub(crate) struct House {
    pub(crate) place: Place,
    memory: tempfile::TempDir,
}

impl House {
    pub(crate) fn new() -> Self {
        let memory = if Path::new("/dev/shm").is_dir() { PathBuf::from("/dev/shm") } else { std::env::temp_dir() };
        Self { place: Place::new(), memory: tempfile::tempdir_in(memory).unwrap() }
    }

    pub(crate) fn meter(&self, period_ms: u64) -> Meter {
        Meter::sending_every(self.place.path("meter"), Duration::from_millis(period_ms))
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = self.place.command();
        command.arg("log").env("RELEVE_DB", "a.db").env("XDG_RUNTIME_DIR", self.memory.path());
        command
    }

    /// A log of the port `meter`.
    pub(crate) fn log(&self, arguments: &[&str]) -> Log {
        Log::start(self.command().args(["--port", "./meter"]).args(arguments))
    }

    /// How many files of tails there are.
    pub(crate) fn tails(&self) -> usize {
        std::fs::read_dir(self.memory.path().join("releve")).into_iter().flatten().count()
    }

    /// The seconds of the meter that are in the store.
    pub(crate) fn stored(&self) -> Vec<i64> {
        stored(&self.place.path("a.db"), METER)
    }
}

pub(crate) fn stored(path: &Path, meter: &str) -> Vec<i64> {
    let store = match Store::open(path) {
        Ok(store) => store,
        // There is none yet, or one that is just being made.
        Err(StoreError::Missing(_) | StoreError::Empty(_) | StoreError::Locked(_)) => return Vec::new(),
        Err(error) => panic!("{error:?}"),
    };
    let mut seconds = Vec::new();
    let ever = Instant::from_unix(0)..Instant::from_unix(1 << 40);
    let done = store.readings(&MeterId::new(meter).unwrap(), ever, |kept| {
        seconds.push(kept.at.unix_seconds());
        Ok::<_, StoreError>(())
    });
    done.unwrap();
    seconds
}

/// No second twice, and none missing from the first to the last.
#[track_caller]
pub(crate) fn assert_whole(seconds: &[i64]) {
    crate::testenv::check::gapless(seconds).unwrap();
}

/// A running `releve log`.
pub(crate) struct Log {
    pub(crate) child: Child,
    said: Arc<Mutex<String>>,
    listener: Option<JoinHandle<()>>,
}

impl Log {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let heard = Arc::clone(&said);
        let listener = thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                *heard.lock().unwrap() += &(line + "\n");
            }
        });
        Self { child, said, listener: Some(listener) }
    }

    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until something is true.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, seconds: u64, mut is_so: impl FnMut(&str) -> bool) {
        let since = Clock::now();
        while !is_so(&self.said()) {
            let waited = since.elapsed();
            assert!(waited < Duration::from_secs(seconds), "not {what} after {waited:?}: {}", self.said());
            sleep(Duration::from_millis(10));
        }
    }

    /// Waits until it has said this so many times.
    #[track_caller]
    pub(crate) fn says(&self, text: &str, times: usize, seconds: u64) {
        self.until(&format!("said '{text}'"), seconds, |said| said.matches(text).count() >= times);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Waits for the end.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().unwrap();
        drop(self.listener.take().map(JoinHandle::join));
        let said = self.said();
        assert!(!said.contains("panicked"), "{said}");
        (status.code(), said)
    }

    /// Ends it by TERM, and asserts that it takes leave as promised.
    #[track_caller]
    pub(crate) fn end(self) -> String {
        self.end_by(Signal::TERM)
    }

    #[track_caller]
    pub(crate) fn end_by(self, signal: Signal) -> String {
        self.takes_leave(signal).unwrap()
    }

    /// Ends it; an error is that it took too long or had another exit status than 0.
    pub(crate) fn takes_leave(self, signal: Signal) -> Result<String, String> {
        let since = Clock::now();
        self.signal(signal);
        let (code, said) = self.ended();
        crate::testenv::check::at_most("time to the end", since.elapsed(), Duration::from_secs(2))?;
        if code == Some(0) { Ok(said) } else { Err(format!("exit {code:?}: {said}")) }
    }

    pub(crate) fn stdout(&mut self) -> String {
        let mut text = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    /// A field of `/proc/PID/NAME`, in its unit.
    pub(crate) fn proc(&self, name: &str, field: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/{name}", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim_start_matches(':').split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Processor time used, in clock ticks of 10 ms.
    pub(crate) fn ticks(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    pub(crate) fn descriptors(&self) -> Vec<String> {
        let all = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap();
        // One that has been closed meanwhile leads nowhere.
        let mut all: Vec<String> = all
            .filter_map(|one| Some(std::fs::read_link(one.ok()?.path()).ok()?.to_string_lossy().into_owned()))
            .collect();
        all.sort();
        all
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
