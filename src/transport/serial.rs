//! A serial port: the optical head, the P1 cable, or a pty that plays one.

use super::descriptor::{self, Deadline, Taken, is_gone};
use super::holder::Holder;
use super::link::{Link, LinkError};
use crate::wire::{Line, Parity};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{ControlModes, InputModes, OptionalActions, QueueSelector, Termios};
use serialport::{SerialPort as _, TTYPort};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

/// A serial port, ours alone while this lives, and as it was before afterwards.
#[derive(Debug)]
pub(super) struct Serial {
    name: String,
    line: Line,
    /// The lock, and the count of bytes not yet sent.
    port: TTYPort,
    /// The same port without blocking: bytes go over this one, for a write to a blocking port has no end.
    bytes: OwnedFd,
    original: Termios,
    is_pty: bool,
}

/// How much longer than the line needs a transmission may take.
const GRACE: Duration = Duration::from_secs(1);

/// How often to look whether the last byte has left.
const GLANCE: Duration = Duration::from_millis(2);

impl Serial {
    pub(super) fn open(path: &Path, line: Line) -> Result<Self, LinkError> {
        let name = path.display().to_string();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let bytes = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| not_opened(path, error.into()))?;
        if !rustix::termios::isatty(&bytes) {
            return Err(LinkError::NotAPort { name });
        }
        // serialport takes away another's TIOCEXCL when it does not get its own lock, so it only tries a port that is free.
        if rustix::fs::flock(&bytes, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(busy(path));
        }
        let _ = rustix::fs::flock(&bytes, FlockOperation::Unlock);
        let original = rustix::termios::tcgetattr(&bytes).map_err(|error| not_opened(path, error.into()))?;
        let builder = serialport::new(name.as_str(), line.baud);
        let port = TTYPort::open(&builder).map_err(|error| match error.kind() {
            serialport::ErrorKind::NoDevice => busy(path),
            _ => not_opened(path, error.into()),
        })?;
        let is_pty = rustix::fs::fstat(&bytes).is_ok_and(|stat| is_unix98_pty(stat.st_rdev));
        let mut serial = Self { name, line, port, bytes, original, is_pty };
        serial.set_line(line)?;
        Ok(serial)
    }

    fn fail(&self, source: io::Error) -> LinkError {
        let name = self.name.clone();
        if is_gone(&source) { LinkError::Gone { name } } else { LinkError::Io { name, source } }
    }

    /// Waits until the last bit has left, as far as the driver knows: at most until `deadline`.
    fn drain(&self, deadline: Deadline) -> io::Result<()> {
        while self.port.bytes_to_write().is_ok_and(|queued| queued > 0) {
            if deadline.has_passed() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            std::thread::sleep(GLANCE);
        }
        // The queue is empty: what is left is the few bytes inside the UART, which nothing can hold back.
        match rustix::termios::tcdrain(&self.bytes) {
            Ok(()) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Link for Serial {
    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, LinkError> {
        match descriptor::read(&self.bytes, buffer, wait) {
            Ok(Taken::Bytes(count)) => Ok(count),
            Ok(Taken::Silence) => Ok(0),
            Ok(Taken::End) => Err(LinkError::Gone { name: self.name.clone() }),
            Err(error) => Err(self.fail(error)),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        let within = self.line.time_of(bytes.len()) + GRACE;
        let deadline = Deadline::after(within);
        descriptor::write_all(&self.bytes, bytes, within)
            .and_then(|()| self.drain(deadline))
            .map_err(|error| self.fail(error))
    }

    fn set_line(&mut self, line: Line) -> Result<(), LinkError> {
        let refuse = |why: String| LinkError::Line { name: self.name.clone(), line, why };
        let mut wanted = rustix::termios::tcgetattr(&self.bytes).map_err(|error| self.fail(error.into()))?;
        apply(&mut wanted, line).map_err(|error| refuse(error.to_string()))?;
        match rustix::termios::tcsetattr(&self.bytes, OptionalActions::Now, &wanted) {
            Ok(()) => {}
            // A pty knows neither 7 data bits nor parity. The rest has been set when the C library notices.
            Err(Errno::INVAL) if self.is_pty => {}
            Err(Errno::INVAL) => return Err(refuse("the port refuses it".to_owned())),
            Err(error) => return Err(self.fail(error.into())),
        }
        let found = rustix::termios::tcgetattr(&self.bytes).map_err(|error| self.fail(error.into()))?;
        if let Some(why) = difference(&wanted, &found, self.is_pty) {
            return Err(refuse(why));
        }
        self.line = line;
        Ok(())
    }

    fn line(&self) -> Option<Line> {
        Some(self.line)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Serial {
    fn drop(&mut self) {
        // Closing would wait for output that cannot leave, up to half a minute.
        let _ = rustix::termios::tcflush(&self.bytes, QueueSelector::OFlush);
        let _ = rustix::termios::tcsetattr(&self.bytes, OptionalActions::Now, &self.original);
    }
}

/// Writes a line into a terminal's settings.
///
/// `ISTRIP` goes with 7 data bits: where the port does them it changes nothing, and on a pty, which always moves 8, the
/// top bit is dropped as a port would and the other side can see what was asked for.
fn apply(termios: &mut Termios, line: Line) -> io::Result<()> {
    termios.set_speed(line.baud)?;
    let control = &mut termios.control_modes;
    control.remove(
        ControlModes::CSIZE
            | ControlModes::PARENB
            | ControlModes::PARODD
            | ControlModes::CMSPAR
            | ControlModes::CSTOPB
            | ControlModes::CRTSCTS,
    );
    control.insert(ControlModes::CREAD | ControlModes::CLOCAL);
    control.insert(if line.data == 7 { ControlModes::CS7 } else { ControlModes::CS8 });
    control.set(ControlModes::PARENB, line.parity != Parity::None);
    control.set(ControlModes::PARODD, line.parity == Parity::Odd);
    control.set(ControlModes::CSTOPB, line.stop == 2);
    let input = &mut termios.input_modes;
    input.set(InputModes::ISTRIP, line.data == 7);
    input.set(InputModes::INPCK, line.parity != Parity::None);
    input.set(InputModes::IGNPAR, line.parity == Parity::None);
    Ok(())
}

/// What the port made of the settings, where that is not what was asked for.
fn difference(wanted: &Termios, found: &Termios, is_pty: bool) -> Option<String> {
    // Dividers round; a UART still understands one that is 2 % off.
    let (asked, got) = (wanted.output_speed(), found.output_speed());
    if asked.abs_diff(got) > asked / 50 {
        return Some(format!("the port makes {got} baud of it"));
    }
    let frame = ControlModes::CSIZE | ControlModes::PARENB | ControlModes::PARODD | ControlModes::CSTOPB;
    if !is_pty && wanted.control_modes & frame != found.control_modes & frame {
        return Some("the port does not do that character format".to_owned());
    }
    None
}

fn is_unix98_pty(device: u64) -> bool {
    // The slaves' majors, Documentation/admin-guide/devices.txt of Linux.
    (136..=143).contains(&rustix::fs::major(device))
}

fn busy(path: &Path) -> LinkError {
    LinkError::Busy { name: path.display().to_string(), holder: Holder::of(path).map(|holder| holder.to_string()) }
}

fn not_opened(path: &Path, source: io::Error) -> LinkError {
    let name = path.display().to_string();
    match source.kind() {
        io::ErrorKind::NotFound => LinkError::Missing { name, source },
        io::ErrorKind::PermissionDenied => LinkError::Denied { name, source },
        io::ErrorKind::ResourceBusy => busy(path),
        io::ErrorKind::IsADirectory => LinkError::NotAPort { name },
        // A device file with nothing behind it.
        _ if is_gone(&source) => LinkError::Missing { name, source },
        _ => LinkError::Io { name, source },
    }
}
