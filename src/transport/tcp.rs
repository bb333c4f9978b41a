//! A raw TCP connection to a serial bridge that keeps its own speed.

use super::descriptor::{self, Deadline, Taken, is_gone};
use super::link::{Link, LinkError};
use crate::wire::Line;
use rustix::net::sockopt;
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::Duration;

/// A raw TCP connection.
#[derive(Debug)]
pub(super) struct Tcp {
    name: String,
    stream: TcpStream,
}

/// Looking the name up and connecting may take so long, all addresses together.
const CONNECT: Duration = Duration::from_secs(5);

/// What is written must be gone within so long.
const SEND: Duration = Duration::from_secs(2);

/// A connection without traffic is asked after so long whether it is still there, then again and again.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_PROBES: u32 = 3;

impl Tcp {
    /// Connects; `name` is what to call it in messages.
    pub(super) fn open(name: String, host: &str, port: u16) -> Result<Self, LinkError> {
        match connect(host, port) {
            Ok(stream) => Ok(Self { name, stream }),
            Err(source) => Err(LinkError::Missing { name, source }),
        }
    }

    fn fail(&self, source: io::Error) -> LinkError {
        let name = self.name.clone();
        if is_gone(&source) { LinkError::Gone { name } } else { LinkError::Io { name, source } }
    }
}

impl Link for Tcp {
    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, LinkError> {
        match descriptor::read(&self.stream, buffer, wait) {
            Ok(Taken::Bytes(count)) => Ok(count),
            Ok(Taken::Silence) => Ok(0),
            Ok(Taken::End) => Err(LinkError::Gone { name: self.name.clone() }),
            Err(error) => Err(self.fail(error)),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        descriptor::write_all(&self.stream, bytes, SEND).map_err(|error| self.fail(error))
    }

    fn set_line(&mut self, _: Line) -> Result<(), LinkError> {
        Err(LinkError::FixedLine { name: self.name.clone() })
    }

    fn line(&self) -> Option<Line> {
        None
    }

    fn name(&self) -> &str {
        &self.name
    }
}

fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let deadline = Deadline::after(CONNECT);
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    for address in look_up(host, port, CONNECT)? {
        let left = deadline.left();
        if left.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(&address, left).and_then(prepare) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The system's own look-up has no time limit, so it is not waited for longer than this.
fn look_up(host: &str, port: u16, within: Duration) -> io::Result<Vec<SocketAddr>> {
    let (answer, answered) = mpsc::channel();
    let host = host.to_owned();
    std::thread::spawn(move || answer.send((host.as_str(), port).to_socket_addrs().map(Vec::from_iter)));
    answered.recv_timeout(within).map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

fn prepare(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nonblocking(true)?;
    // A meter waits for each short request: nothing is gained by collecting them.
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(&stream, true)?;
    sockopt::set_tcp_keepidle(&stream, KEEPALIVE)?;
    sockopt::set_tcp_keepintvl(&stream, KEEPALIVE_INTERVAL)?;
    sockopt::set_tcp_keepcnt(&stream, KEEPALIVE_PROBES)?;
    Ok(stream)
}
