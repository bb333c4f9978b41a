//! Listening in on a link: for a capture, for `-v`.

use super::link::{Link, LinkError};
use crate::wire::Line;
use std::fmt;
use std::time::Duration;

/// Something that passed a link.
#[derive(Debug, Clone, Copy)]
pub enum Traffic<'a> {
    /// These bytes came.
    Received(&'a [u8]),
    /// These bytes are about to go.
    Sent(&'a [u8]),
    /// A message that holds a password is about to go; nobody who listens in gets to see it.
    SentSecret,
    /// The line has these settings from here on.
    Line(Line),
    /// The link failed.
    Failed(&'a LinkError),
}

/// Who listens in. A closure that takes a [`Traffic`] does.
pub trait Tap: Send {
    /// Takes note.
    ///
    /// # Errors
    /// [`LinkError::Capture`] if that is not possible; it becomes the failure of the link.
    fn on(&mut self, traffic: Traffic<'_>) -> Result<(), LinkError>;
}

impl<F: FnMut(Traffic<'_>) + Send> Tap for F {
    fn on(&mut self, traffic: Traffic<'_>) -> Result<(), LinkError> {
        self(traffic);
        Ok(())
    }
}

/// A link that somebody listens in on.
pub struct Tapped {
    link: Box<dyn Link>,
    tap: Box<dyn Tap>,
}

impl Tapped {
    /// Lets `tap` hear all that passes `link` from here on, beginning with the settings of the line.
    ///
    /// # Errors
    /// Those of the tap.
    pub fn new(link: Box<dyn Link>, mut tap: Box<dyn Tap>) -> Result<Self, LinkError> {
        if let Some(line) = link.line() {
            tap.on(Traffic::Line(line))?;
        }
        Ok(Self { link, tap })
    }

    fn hear<T>(&mut self, result: Result<T, LinkError>) -> Result<T, LinkError> {
        if let Err(error) = &result {
            // The link's own trouble is the one to report.
            let _ = self.tap.on(Traffic::Failed(error));
        }
        result
    }
}

impl Link for Tapped {
    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, LinkError> {
        let result = self.link.receive(buffer, wait);
        let count = self.hear(result)?;
        match buffer.get(..count) {
            Some(bytes) if count > 0 => self.tap.on(Traffic::Received(bytes))?,
            _ => {}
        }
        Ok(count)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        // Said before, so that it stands before an answer that comes while it still goes.
        self.tap.on(if holds_password(bytes) { Traffic::SentSecret } else { Traffic::Sent(bytes) })?;
        let result = self.link.send(bytes);
        self.hear(result)
    }

    fn set_line(&mut self, line: Line) -> Result<(), LinkError> {
        let result = self.link.set_line(line);
        // That the line cannot be set is no trouble of a link that says so.
        if matches!(result, Err(LinkError::FixedLine { .. })) {
            return result;
        }
        self.hear(result)?;
        self.tap.on(Traffic::Line(line))
    }

    fn line(&self) -> Option<Line> {
        self.link.line()
    }

    fn name(&self) -> &str {
        self.link.name()
    }
}

/// Whether a message is one of those that carry a password: `SOH P1` and `SOH P2` of IEC 62056-21, and an AARQ with low-level
/// security (Green Book, table 13).
fn holds_password(bytes: &[u8]) -> bool {
    const LOW_LEVEL: [u8; 7] = [0x60, 0x85, 0x74, 0x05, 0x08, 0x02, 0x01];
    let masked = |at: usize| bytes.get(at).map(|byte| byte & 0x7F);
    matches!((masked(0), masked(1), masked(2)), (Some(0x01), Some(b'P'), Some(b'1' | b'2')))
        || bytes.windows(LOW_LEVEL.len()).any(|window| window == LOW_LEVEL)
}

impl fmt::Debug for Tapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tapped").field(&self.link).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_with_a_password_are_known() {
        assert!(holds_password(b"\x01P1\x02(00000000)\x03\x61"));
        assert!(holds_password(&[0x81, 0x50, 0xB1, 0x82, 0x28]));
        let low =
            [0x7E, 0xA0, 0x44, 0x8B, 0x07, 0x60, 0x85, 0x74, 0x05, 0x08, 0x02, 0x01, 0xAC, 0x0A, 0x80, 0x08, 0x30];
        assert!(holds_password(&low));
        for open in [&b"/?!\r\n"[..], b"\x01R1\x021.8.0()\x03\x5A", b"\x06050\r\n", &low[..8]] {
            assert!(!holds_password(open), "{}", open.escape_ascii());
        }
    }
}
