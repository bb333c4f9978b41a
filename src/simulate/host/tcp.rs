//! A TCP port, as a serial bridge has one: whoever connects hears the meter, and may speak to it.

use super::Place;
use crate::simulate::cable::Ear;
use crate::wire::Line;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Readers at a time; more are refused.
const MAX_READERS: usize = 32;

/// A listening port.
#[derive(Debug)]
pub struct Tcp {
    listener: Option<TcpListener>,
    address: SocketAddr,
    readers: Vec<TcpStream>,
    line: Option<Line>,
}

impl Tcp {
    /// Listens at an address, `127.0.0.1:0` for any free port. The bridge's own serial port is set to `line`, or follows the
    /// meter's.
    ///
    /// # Errors
    /// What the system says.
    pub fn listen(address: &str, line: Option<Line>) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener: Some(listener), address, readers: Vec::new(), line })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until somebody connects, speaks or hangs up.
    fn wait(&self, wait: Duration) -> io::Result<()> {
        let mut descriptors: Vec<_> = self.readers.iter().map(|reader| PollFd::new(reader, PollFlags::IN)).collect();
        descriptors.extend(self.listener.iter().map(|listener| PollFd::new(listener, PollFlags::IN)));
        let wait = Timespec::try_from(wait).unwrap_or_default();
        match poll(&mut descriptors, Some(&wait)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        while let Some(listener) = &self.listener {
            match listener.accept() {
                Ok((reader, _)) if self.readers.len() < MAX_READERS => {
                    reader.set_nonblocking(true)?;
                    reader.set_nodelay(true)?;
                    self.readers.push(reader);
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // It hung up before it was accepted.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Place for Tcp {
    fn is_taken(&mut self) -> io::Result<bool> {
        self.accept()?;
        Ok(!self.readers.is_empty())
    }

    fn ear(&self) -> Ear {
        self.line.map_or(Ear::Follows, Ear::Set)
    }

    fn take(&mut self, wait: Duration) -> io::Result<Vec<u8>> {
        self.wait(wait)?;
        self.accept()?;
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        self.readers.retain_mut(|reader| {
            loop {
                match reader.read(&mut buffer) {
                    Ok(0) => return false,
                    Ok(count) => all.extend_from_slice(buffer.get(..count).unwrap_or_default()),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return false,
                }
            }
        });
        Ok(all)
    }

    fn give(&mut self, bytes: &[u8], wait: &mut dyn FnMut() -> bool) -> io::Result<usize> {
        let mut dropped = 0;
        self.readers.retain_mut(|reader| {
            let mut rest = bytes;
            while !rest.is_empty() {
                match reader.write(rest) {
                    Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        if !wait() {
                            break;
                        }
                    }
                    Err(_) => return false,
                }
            }
            dropped = dropped.max(rest.len());
            true
        });
        Ok(dropped)
    }

    fn plug(&mut self, present: bool) -> io::Result<()> {
        self.readers.clear();
        self.listener = None;
        if present {
            let listener = TcpListener::bind(self.address)?;
            listener.set_nonblocking(true)?;
            self.listener = Some(listener);
        }
        Ok(())
    }
}
