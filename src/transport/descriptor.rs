//! Reading and writing a file descriptor without ever waiting longer than asked.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// A moment after which nobody waits any longer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Instant);

#[expect(clippy::disallowed_methods, reason = "the end of a wait")]
impl Deadline {
    pub(super) fn after(wait: Duration) -> Self {
        // Half a century is as good as for ever, and no clock overflows.
        Self(Instant::now() + wait.min(Duration::from_secs(50 * 365 * 86_400)))
    }

    /// The time that is left; zero once it has passed.
    pub(super) fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    pub(super) fn has_passed(self) -> bool {
        self.left().is_zero()
    }
}

/// What a bounded read came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing came in that time, or a signal ended the wait.
    Silence,
    /// The other end hung up.
    End,
}

/// Takes what has come, waiting at most `wait` for the first byte. The descriptor must not block.
pub(super) fn read(fd: impl AsFd, buffer: &mut [u8], wait: Duration) -> io::Result<Taken> {
    if !is_ready(&fd, PollFlags::IN, wait)? {
        return Ok(Taken::Silence);
    }
    match rustix::io::read(&fd, buffer) {
        Ok(0) => Ok(Taken::End),
        Ok(count) => Ok(Taken::Bytes(count)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(Taken::Silence),
        Err(error) => Err(error.into()),
    }
}

/// Writes everything, within that time. The descriptor must not block.
pub(super) fn write_all(fd: impl AsFd, mut bytes: &[u8], within: Duration) -> io::Result<()> {
    let deadline = Deadline::after(within);
    while !bytes.is_empty() {
        match rustix::io::write(&fd, bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::AGAIN) if deadline.has_passed() => return Err(io::ErrorKind::TimedOut.into()),
            Err(Errno::AGAIN) => drop(is_ready(&fd, PollFlags::OUT, deadline.left())?),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether the other end is gone for good: unplugged, hung up, reset, or silent to keepalive.
pub(super) fn is_gone(error: &io::Error) -> bool {
    const GONE: [Errno; 9] = [
        Errno::IO,
        Errno::NXIO,
        Errno::NODEV,
        Errno::PIPE,
        Errno::CONNRESET,
        Errno::CONNABORTED,
        Errno::NETDOWN,
        Errno::NETUNREACH,
        Errno::HOSTUNREACH,
    ];
    let timed_out = error.raw_os_error() == Some(Errno::TIMEDOUT.raw_os_error());
    timed_out || GONE.iter().any(|gone| error.raw_os_error() == Some(gone.raw_os_error()))
}

/// Waits until it can be read or written, or has hung up (reading and writing then say so).
fn is_ready(fd: impl AsFd, what: PollFlags, wait: Duration) -> io::Result<bool> {
    // Too long for the system is as good as for ever.
    let wait = Timespec::try_from(wait).ok();
    let mut watched = [PollFd::new(&fd, what)];
    match poll(&mut watched, wait.as_ref()) {
        Ok(count) => Ok(count > 0),
        // A signal: whoever waits looks whether it is time to stop.
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
