//! A file, or whatever else can only be written to: every byte of the meter, at once.

use super::Place;
use crate::simulate::cable::Ear;
use std::io::{self, Write};
use std::time::Duration;

/// Something to write to.
#[derive(Debug)]
pub struct File<W>(pub W);

impl<W: Write> Place for File<W> {
    fn is_taken(&mut self) -> io::Result<bool> {
        Ok(true)
    }

    fn ear(&self) -> Ear {
        Ear::Follows
    }

    fn take(&mut self, wait: Duration) -> io::Result<Vec<u8>> {
        std::thread::sleep(wait);
        Ok(Vec::new())
    }

    fn give(&mut self, bytes: &[u8], _: &mut dyn FnMut() -> bool) -> io::Result<usize> {
        self.0.write_all(bytes)?;
        self.0.flush()?;
        Ok(0)
    }

    fn plug(&mut self, _: bool) -> io::Result<()> {
        Ok(())
    }
}
