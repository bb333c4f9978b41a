//! A pty whose master end plays the meter.

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::Termios;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) struct Pty {
    master: OwnedFd,
    /// Keeps the pty alive while nobody else has it open, and raw.
    _slave: OwnedFd,
    pub(crate) path: PathBuf,
}

impl Pty {
    pub(crate) fn new() -> Self {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let path = PathBuf::from(rustix::pty::ptsname(&master, Vec::new()).unwrap().into_string().unwrap());
        let slave = rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let mut raw = rustix::termios::tcgetattr(&slave).unwrap();
        raw.make_raw();
        rustix::termios::tcsetattr(&slave, rustix::termios::OptionalActions::Now, &raw).unwrap();
        rustix::io::ioctl_fionbio(&master, true).unwrap();
        Self { master, _slave: slave, path }
    }

    pub(crate) fn name(&self) -> &str {
        self.path.to_str().unwrap()
    }

    pub(crate) fn write(&self, bytes: &[u8]) {
        assert_eq!(rustix::io::write(&self.master, bytes), Ok(bytes.len()));
    }

    /// So many bytes, as they come.
    pub(crate) fn read(&self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 256];
        for _ in 0..2000 {
            match rustix::io::read(&self.master, &mut buffer) {
                Ok(more) => bytes.extend_from_slice(&buffer[..more]),
                Err(_) => std::thread::sleep(Duration::from_millis(2)),
            }
            if bytes.len() >= count {
                break;
            }
        }
        bytes
    }

    /// The settings of the line, as the other side sees them.
    pub(crate) fn termios(&self) -> Termios {
        rustix::termios::tcgetattr(&self.master).unwrap()
    }
}
