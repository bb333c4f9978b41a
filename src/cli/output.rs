//! Where text goes: stdout for data, with every failure noticed, and stderr for talk.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal as _, Write};

/// Writing the data failed; a closed pipe is a quiet end, everything else a failure.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct WriteError(#[from] pub(super) io::Error);

/// Standard output, buffered. Its last error is not lost: [`Output::finish`] has to be called.
#[derive(Debug)]
pub(super) struct Output {
    writer: BufWriter<io::Stdout>,
    terminal: bool,
}

impl Output {
    pub(super) fn stdout() -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        Self { writer: BufWriter::with_capacity(64 * 1024, stdout), terminal }
    }

    /// Whether a person is looking.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    pub(super) fn write(&mut self, text: &str) -> anyhow::Result<()> {
        self.write_bytes(text.as_bytes())
    }

    /// Text that was made as bytes.
    pub(super) fn write_bytes(&mut self, text: &[u8]) -> anyhow::Result<()> {
        Ok(self.writer.write_all(text).map_err(WriteError)?)
    }

    pub(super) fn line(&mut self, text: &str) -> anyhow::Result<()> {
        self.write(text)?;
        self.write("\n")
    }

    /// Hands on what is buffered, so that a reader down the pipe sees it now.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        Ok(self.writer.flush().map_err(WriteError)?)
    }

    /// The writer itself, for serialisers.
    pub(super) fn writer(&mut self) -> &mut impl Write {
        &mut self.writer
    }

    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.flush()
    }
}

/// Whether the reader of our output has gone: nothing to report, nobody to report it to.
pub(super) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<WriteError>().map(|error| &error.0).or_else(|| cause.downcast_ref::<io::Error>());
        io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// A line on stderr. If even that is closed there is nothing left to do.
pub(super) fn say(text: &str) {
    let mut stderr = io::stderr();
    // A log or a mail of cron's may not know what an ellipsis is.
    let text = if stderr.is_terminal() { Cow::from(text) } else { Cow::from(text.replace('…', "...")) };
    let _ = writeln!(stderr, "{text}");
}

/// Text from a meter or a file name, with control characters replaced: it must not steer the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
