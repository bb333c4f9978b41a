//! A capture, played to its end.

use super::collector::Collector;
use crate::acquire::{Decoder, Outcome, Receipt, Settings};
use crate::cli::failure::{self, Failure};
use crate::cli::output::Output;
use crate::cli::words::{errors, tr};
use crate::reading::Instant;
use crate::transport::Input;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// How much to take from the source at once.
const CHUNK: usize = 64 * 1024;

/// A pipe or device that has not given a single telegram in so many bytes is no meter.
const PATIENCE: u64 = 16 * 1024 * 1024;

/// Every reading of a capture, in order.
pub(super) fn read(
    input: &mut Input,
    settings: Settings,
    copy: Option<&Path>,
    collector: &mut Collector<'_>,
    output: &mut Output,
) -> anyhow::Result<()> {
    let mut receipt = match input.modified() {
        Some(modified) => Receipt::Replay(Instant::from_system_time(modified)),
        None => Receipt::Replay(Instant::now()),
    };
    let mut copy = copy.map(create).transpose()?;
    let mut decoder = Decoder::new(settings);
    let mut buffer = vec![0; CHUNK];
    let mut outcomes = Vec::new();
    loop {
        let count = match input.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::reading(&collector.source, &error).into()),
        };
        if let Some(received) = input.received() {
            receipt = Receipt::Replay(received);
        }
        let bytes = &buffer[..count];
        if let Some((file, path)) = &mut copy {
            file.write_all(bytes).map_err(|error| {
                Failure::new(failure::WRITE, "capture.write", errors::cannot_write(path)).cause(error.to_string())
            })?;
        }
        collector.raw(bytes, receipt)?;
        let mut sink = |outcome| outcomes.push(outcome);
        if count == 0 {
            decoder.finish(&mut sink);
        } else {
            decoder.push(bytes, &mut sink);
        }
        for outcome in outcomes.drain(..) {
            match outcome {
                Outcome::Reading(reading) => collector.reading(reading, receipt, output)?,
                Outcome::Fault(fault) => collector.fault(fault),
            }
        }
        if count == 0 {
            if let Some(line) = input.cut() {
                collector.note(&tr!("line {line} of the capture was cut off while it was written", line));
            }
            collector.length = decoder.position();
            return Ok(());
        }
        if input.is_endless()
            && let Some(saver) = &mut collector.saver
        {
            // Whoever reads along a line may stop at any instant: nothing waits for a fuller group.
            saver.flush()?;
        }
        output.flush()?;
        if input.is_endless() && collector.readings == 0 && decoder.position() >= PATIENCE {
            let source = &collector.source;
            let what = tr!("{source}: {n} bytes without a telegram", source, n = decoder.position());
            return Err(Failure::new(failure::NOT_A_METER, "data.unknown", what)
                .tip(tr!("is this what a meter sends? see with: releve explain"))
                .into());
        }
    }
}

fn create(path: &Path) -> anyhow::Result<(File, PathBuf)> {
    let file = File::create(path).map_err(|error| {
        let exit = if error.kind() == io::ErrorKind::PermissionDenied { failure::DENIED } else { failure::WRITE };
        Failure::new(exit, "capture.write", errors::cannot_write(path)).cause(error.to_string())
    })?;
    Ok((file, path.to_owned()))
}
