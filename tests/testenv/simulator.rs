//! The program as a simulated meter, running.

use super::Place;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything here takes; only a failure gets there.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The program while it runs.
pub struct Simulator {
    pub place: Place,
    pub child: Child,
    stdout: BufReader<ChildStdout>,
    /// The port or address it can be read at.
    pub address: String,
}

impl Simulator {
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_in(Place::new(), arguments)
    }

    pub fn start_in(place: Place, arguments: &[&str]) -> Self {
        let folder = place.path("");
        Self::start_with(place, &folder, arguments)
    }

    /// Starts it in another folder.
    pub fn start_at(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_with(Place::new(), folder, arguments)
    }

    fn start_with(place: Place, folder: &Path, arguments: &[&str]) -> Self {
        let mut child = place
            .command()
            .current_dir(folder)
            .arg("simulate")
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut address = String::new();
        stdout.read_line(&mut address).unwrap();
        Self { place, child, stdout, address: address.trim_end().to_owned() }
    }

    /// Asks it to end, and gives what it said on stderr.
    pub fn end(mut self) -> String {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.ended()
    }

    pub fn ended(&mut self) -> String {
        let until = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        let status = self.child.wait().unwrap();
        let (mut said, mut rest) = (String::new(), String::new());
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        self.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!((status.code(), rest.as_str()), (Some(0), ""), "{said}");
        said
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
