//! A pseudo terminal: to the reader it is a serial port.
//!
//! The kernel keeps the settings that the reader chose, and they are read from the other end. It forces eight data bits
//! without a parity bit on every pseudo terminal, so what is left to see are speed, `INPCK` (parity is checked), `PARODD` (it is
//! odd), `ISTRIP` (seven bits) and `CSTOPB`: settings that a reader of 7E1 makes on a real port as well.

use super::Place;
use crate::simulate::cable::Ear;
use crate::wire::{Line, Parity};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, ioctl_fionread};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{ControlModes, InputModes, OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A pseudo terminal with a name for the reader.
#[derive(Debug)]
pub struct Pty {
    terminal: Option<Terminal>,
    link: Option<PathBuf>,
    any_format: bool,
}

#[derive(Debug)]
struct Terminal {
    master: OwnedFd,
    path: PathBuf,
    /// Whether the reader was there when last looked at.
    was_taken: bool,
}

impl Pty {
    /// A new terminal; `link` is a symbolic link to it under a name that stays. With `any_format` the reader is taken to have
    /// the meter's data bits and parity, whatever can be seen: many programs' settings do not survive a pseudo terminal.
    ///
    /// # Errors
    /// What the system says; only a `link` that leads to a pseudo terminal is replaced.
    pub fn open(link: Option<&Path>, any_format: bool) -> io::Result<Self> {
        let mut pty = Self { terminal: None, link: link.map(Path::to_owned), any_format };
        pty.plug(true)?;
        Ok(pty)
    }

    /// What the reader opens: the link, or the terminal itself.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.link.as_deref().or_else(|| self.terminal.as_ref().map(|terminal| terminal.path.as_path()))
    }

    /// Removes our link, or one that a simulator left behind which was killed.
    fn unlink(&self) {
        let is_ours = |link: &&Path| link.read_link().is_ok_and(|target| target.starts_with("/dev/pts"));
        if let Some(link) = self.link.as_deref().filter(is_ours) {
            // It may be gone already; there is nobody to tell.
            let _ = rustix::fs::unlink(link);
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.unlink();
    }
}

impl Terminal {
    fn open() -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let path = PathBuf::from(name.into_string().map_err(|_| io::ErrorKind::InvalidData)?);
        fcntl_setfl(&master, fcntl_getfl(&master)? | OFlags::NONBLOCK)?;
        let terminal = Self { master, path, was_taken: false };
        // Raw from the start; and once it has been closed the kernel says whether somebody has it open.
        let reader = terminal.other_end()?;
        let mut settings = tcgetattr(&reader)?;
        settings.make_raw();
        settings.set_speed(9_600)?;
        tcsetattr(&reader, OptionalActions::Now, &settings)?;
        Ok(terminal)
    }

    fn other_end(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        Ok(rustix::fs::open(&self.path, flags, Mode::empty())?)
    }

    fn events(&self, wait: Duration) -> io::Result<PollFlags> {
        let mut descriptors = [PollFd::new(&self.master, PollFlags::IN)];
        let wait = Timespec::try_from(wait).unwrap_or_default();
        match poll(&mut descriptors, Some(&wait)) {
            Ok(_) => {}
            // A signal: whoever waits looks at the wish to stop next.
            Err(Errno::INTR) => return Ok(PollFlags::empty()),
            Err(error) => return Err(error.into()),
        }
        Ok(descriptors.iter().map(PollFd::revents).fold(PollFlags::empty(), |all, events| all | events))
    }
}

impl Place for Pty {
    fn is_taken(&mut self) -> io::Result<bool> {
        let Some(terminal) = &mut self.terminal else { return Ok(false) };
        let is_taken = !terminal.events(Duration::ZERO)?.contains(PollFlags::HUP);
        if terminal.was_taken && !is_taken {
            // What the last reader left unread is not for the next one: a closed port hears nothing.
            tcflush(terminal.other_end()?, QueueSelector::IOFlush)?;
        }
        terminal.was_taken = is_taken;
        Ok(is_taken)
    }

    fn ear(&self) -> Ear {
        let settings = self.terminal.as_ref().and_then(|terminal| tcgetattr(&terminal.master).ok());
        let Some(settings) = settings else { return Ear::Follows };
        let baud = settings.output_speed();
        if self.any_format {
            return Ear::Speed(baud);
        }
        let parity = match settings.input_modes.contains(InputModes::INPCK) {
            true if settings.control_modes.contains(ControlModes::PARODD) => Parity::Odd,
            true => Parity::Even,
            false => Parity::None,
        };
        let data = if settings.input_modes.contains(InputModes::ISTRIP) { 7 } else { 8 };
        let stop = if settings.control_modes.contains(ControlModes::CSTOPB) { 2 } else { 1 };
        Ear::Set(Line { baud, data, parity, stop })
    }

    fn take(&mut self, wait: Duration) -> io::Result<Vec<u8>> {
        let Some(terminal) = &self.terminal else { return Ok(Vec::new()) };
        if !terminal.events(wait)?.contains(PollFlags::IN) {
            return Ok(Vec::new());
        }
        let mut buffer = vec![0; 4096];
        match rustix::io::read(&terminal.master, &mut buffer) {
            Ok(count) => {
                buffer.truncate(count);
                Ok(buffer)
            }
            Err(Errno::AGAIN | Errno::IO | Errno::INTR) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    fn give(&mut self, bytes: &[u8], wait: &mut dyn FnMut() -> bool) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let Some(terminal) = &self.terminal else { break };
            match rustix::io::write(&terminal.master, rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::IO) => {
                    if !self.is_taken()? || !wait() {
                        break;
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(rest.len())
    }

    fn plug(&mut self, present: bool) -> io::Result<()> {
        // The old terminal goes first, so that the reader's port is gone.
        self.unlink();
        self.terminal = None;
        if present {
            let terminal = Terminal::open()?;
            if let Some(link) = &self.link {
                std::os::unix::fs::symlink(&terminal.path, link)?;
            }
            self.terminal = Some(terminal);
        }
        Ok(())
    }

    fn leave(&mut self) {
        // With the terminal goes what has not been read from it.
        let mut empty = 0;
        for _ in 0..100 {
            let is_taken = self.is_taken().unwrap_or(false);
            let unread = self.terminal.as_ref().and_then(|terminal| ioctl_fionread(terminal.other_end().ok()?).ok());
            // What is on its way to the reader's queue is in neither for a moment.
            empty = if unread == Some(0) { empty + 1 } else { 0 };
            if !is_taken || empty > 2 {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
