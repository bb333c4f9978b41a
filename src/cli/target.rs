//! Where an export goes: standard output, or a file that gets its name when it is whole.

use super::failure::{self, Failure};
use super::output::{Output, WriteError};
use super::words::errors;
use flate2::{Compression, write::GzEncoder};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// An open target.
pub(super) enum Target<'o> {
    Stdout(&'o mut Output),
    File(Box<FileTarget>),
}

pub(super) struct FileTarget {
    temporary: NamedTempFile,
    writer: Writer,
    path: PathBuf,
}

enum Writer {
    Plain(BufWriter<File>),
    Packed(Box<GzEncoder<BufWriter<File>>>),
}

impl<'o> Target<'o> {
    /// A file (`….gz` is packed), or standard output where none is named.
    pub(super) fn open(path: Option<&Path>, output: &'o mut Output) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::Stdout(output)) };
        let temporary = beside(path)?;
        let file = temporary.reopen().map_err(|error| cannot_write(path, &error))?;
        let buffer = BufWriter::with_capacity(64 * 1024, file);
        let writer = if path.extension().is_some_and(|extension| extension == "gz") {
            Writer::Packed(Box::new(GzEncoder::new(buffer, Compression::default())))
        } else {
            Writer::Plain(buffer)
        };
        Ok(Self::File(Box::new(FileTarget { temporary, writer, path: path.to_owned() })))
    }

    pub(super) fn write(&mut self, text: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Stdout(output) => output.write_bytes(text),
            Self::File(file) => Ok(file.write(text).map_err(|error| cannot_write(&file.path, &error))?),
        }
    }

    /// Gives the file its name.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Stdout(output) => output.flush(),
            Self::File(file) => {
                let FileTarget { temporary, writer, path } = *file;
                let flushed = match writer {
                    Writer::Plain(buffer) => Ok(buffer),
                    Writer::Packed(packer) => packer.finish(),
                };
                flushed.and_then(|mut buffer| buffer.flush()).map_err(|error| cannot_write(&path, &error))?;
                Ok(persist(temporary, &path)?)
            }
        }
    }
}

impl FileTarget {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.writer {
            Writer::Plain(buffer) => buffer.write_all(bytes),
            Writer::Packed(packer) => packer.write_all(bytes),
        }
    }
}

impl Write for Target<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(output) => output.writer().write_all(bytes)?,
            Self::File(file) => file.write(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An empty file in the folder of another.
pub(super) fn beside(path: &Path) -> Result<NamedTempFile, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = tempfile::Builder::new().prefix(".releve-").tempfile_in(folder);
    temporary.map_err(|error| cannot_write(path, &error))
}

/// Flushes a file to the disk and gives it its name, in place of what had it.
pub(super) fn persist(temporary: NamedTempFile, path: &Path) -> Result<(), Failure> {
    let fail = |error: io::Error| cannot_write(path, &error);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        temporary.as_file().set_permissions(std::fs::Permissions::from_mode(0o640)).map_err(fail)?;
    }
    temporary.as_file().sync_all().map_err(fail)?;
    temporary.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}

/// The failure of a file that cannot be written; what had the name before has it still.
pub(super) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let exit = if error.kind() == io::ErrorKind::PermissionDenied { failure::DENIED } else { failure::WRITE };
    Failure::new(exit, "write.failed", errors::cannot_write(path)).cause(error.to_string())
}

/// An error of the writer, for what writes through [`Write`].
pub(super) fn write_error(error: io::Error) -> WriteError {
    WriteError::from(error)
}
