//! RFC 2217: a serial port at the other end of a telnet connection, its speed and character format changed from here.
//!
//! [`telnet`] takes the commands out of the stream, `session` knows what was agreed and what the far end confirmed, and
//! the link pumps bytes between them and a TCP connection. The first two see no socket and no clock.
//!
//! ```text
//! IAC WILL COM-PORT        we want to set the port           FF FB 2C
//! IAC DO COM-PORT          the server lets us                FF FD 2C
//! IAC SB COM-PORT SET-BAUDRATE 300 IAC SE                    FF FA 2C 01 00 00 01 2C FF F0
//! IAC SB COM-PORT SERVER-SET-BAUDRATE 300 IAC SE             FF FA 2C 65 00 00 01 2C FF F0
//! ```

mod session;
pub mod telnet;

use super::descriptor::Deadline;
use super::link::{Link, LinkError};
use super::tcp::Tcp;
use crate::wire::Line;
use session::{Answer, Session};
use std::time::Duration;

/// A serial port behind a server that speaks RFC 2217.
#[derive(Debug)]
pub(super) struct Rfc2217 {
    tcp: Tcp,
    session: Session,
    line: Line,
}

/// A server says within so long whether it lets the port be set, and confirms each setting.
const ANSWER: Duration = Duration::from_secs(3);

/// What comes from the meter while an answer is waited for: more than any line delivers in that time.
const MAX_INBOX: usize = 1 << 20;

const CHUNK: usize = 4096;

impl Rfc2217 {
    pub(super) fn open(name: String, host: &str, port: u16, line: Line) -> Result<Self, LinkError> {
        let tcp = Tcp::open(name, host, port)?;
        let mut link = Self { tcp, session: Session::default(), line };
        let no_rfc2217 = |link: &Self| LinkError::NoRfc2217 { name: link.name().to_owned() };
        link.session.negotiate();
        match link.pump_until(|session| session.agreed()) {
            Ok(Some(true)) => {}
            Ok(_) | Err(LinkError::Gone { .. }) => return Err(no_rfc2217(&link)),
            Err(error) => return Err(error),
        }
        link.set_line(line)?;
        Ok(link)
    }

    /// Reads and answers until `done` has something to say, for as long as a server may take.
    fn pump_until<T>(&mut self, done: impl Fn(&Session) -> Option<T>) -> Result<Option<T>, LinkError> {
        let deadline = Deadline::after(ANSWER);
        loop {
            if let Some(answer) = done(&self.session) {
                return Ok(Some(answer));
            }
            if deadline.has_passed() || self.session.inbox.len() > MAX_INBOX {
                return Ok(None);
            }
            self.pump(deadline.left())?;
        }
    }

    /// Writes what is due, takes what has come.
    fn pump(&mut self, wait: Duration) -> Result<(), LinkError> {
        self.flush()?;
        let mut buffer = [0; CHUNK];
        let count = self.tcp.receive(&mut buffer, wait)?;
        self.session.push(buffer.get(..count).unwrap_or_default());
        self.flush()
    }

    fn flush(&mut self) -> Result<(), LinkError> {
        let output = self.session.take_output();
        if output.is_empty() { Ok(()) } else { self.tcp.send(&output) }
    }
}

impl Link for Rfc2217 {
    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, LinkError> {
        let deadline = Deadline::after(wait);
        loop {
            let count = self.session.inbox.len().min(buffer.len());
            if count > 0 {
                for (place, byte) in buffer.iter_mut().zip(self.session.inbox.drain(..count)) {
                    *place = byte;
                }
                return Ok(count);
            }
            self.pump(deadline.left())?;
            if deadline.has_passed() && self.session.inbox.is_empty() {
                return Ok(0);
            }
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        self.session.write(bytes);
        self.flush()?;
        // A change of speed may follow at once, and must not overtake what is still in the far end's UART.
        std::thread::sleep(self.line.time_of(bytes.len()));
        Ok(())
    }

    fn set_line(&mut self, line: Line) -> Result<(), LinkError> {
        self.session.request(line);
        let name = self.tcp.name().to_owned();
        let refuse = |why: String| LinkError::Line { name, line, why };
        let answer = self.pump_until(|session| match session.answer(line) {
            Answer::Pending => None,
            Answer::Same => Some(None),
            Answer::Other(what) => Some(Some(what)),
        });
        match answer? {
            Some(None) => {}
            Some(Some(what)) => return Err(refuse(format!("the bridge sets {what} instead"))),
            None => return Err(refuse("the bridge does not confirm it".to_owned())),
        }
        self.line = line;
        Ok(())
    }

    fn line(&self) -> Option<Line> {
        Some(self.line)
    }

    fn name(&self) -> &str {
        self.tcp.name()
    }
}
