//! Python programs at the far end, and the TCP connection to them.

use crate::testenv::python::python_with;
use crate::testenv::repository;
use releve::transport::{Link, LinkError};
use releve::wire::Line;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A TCP connection as a link.
#[derive(Debug)]
pub(crate) struct Tcp(pub(crate) TcpStream);

impl Link for Tcp {
    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, LinkError> {
        self.0.set_read_timeout(Some(wait.max(Duration::from_millis(1)))).unwrap();
        match self.0.read(buffer) {
            Ok(0) => Err(LinkError::Gone { name: "peer".into() }),
            Ok(count) => Ok(count),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(0),
            Err(source) => Err(LinkError::Io { name: "peer".into(), source }),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        self.0.write_all(bytes).map_err(|source| LinkError::Io { name: "peer".into(), source })
    }

    fn set_line(&mut self, _: Line) -> Result<(), LinkError> {
        Err(LinkError::FixedLine { name: "peer".into() })
    }

    fn line(&self) -> Option<Line> {
        None
    }

    fn name(&self) -> &str {
        "peer"
    }
}

/// A Python program of this folder, running.
pub(crate) struct Peer {
    process: Child,
    out: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts it; `None`, with the reason printed, where its packages are not installed.
    pub(crate) fn start(script: &str, arguments: &[&str]) -> Option<Self> {
        let python = python_with("gurux_dlms")?;
        let mut process = Command::new(python)
            .arg(repository().join("tests/peers").join(script))
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        Some(Self { process, out })
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// What else it prints until it ends.
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        rest
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
