//! Key files: 32 hexadecimal digits, or TOML with `encryption` and `authentication`.

use super::args::Globals;
use super::failure::{self, Failure};
use super::words::tr;
use crate::wire::dlms::{Key, Keys};
use serde::Deserialize;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The keys of a file, of `$CREDENTIALS_DIRECTORY/releve.key`, or none.
pub(super) fn load(file: Option<&Path>, globals: &Globals) -> anyhow::Result<Keys> {
    let path = match file {
        Some(path) => path.to_owned(),
        None => match std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from) {
            Some(folder) if folder.join("releve.key").exists() => folder.join("releve.key"),
            _ => return Ok(Keys::default()),
        },
    };
    let text = secret(&path, "key", file.is_some(), globals)?;
    parse(&text).ok_or_else(|| {
        Failure::new(failure::CONFIG, "key.format", tr!("{path} is no key file", path = path.display()))
            .tip(tr!("write 32 hex digits, or two lines: encryption = \"...\" and authentication = \"...\""))
            .into()
    })
}

/// The password in a file: its first line.
pub(super) fn password(path: &Path, globals: &Globals) -> anyhow::Result<Zeroizing<String>> {
    let text = secret(path, "password", true, globals)?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

/// A file that only its owner should be able to read; `what` it holds is part of the errors' names.
fn secret(path: &Path, what: &str, warn: bool, globals: &Globals) -> anyhow::Result<Zeroizing<String>> {
    let name = path.display();
    let is_key = what == "key";
    let id = if is_key { "key.file" } else { "password.file" };
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if is_key => {
            Failure::new(failure::NO_INPUT, id, tr!("there is no key file {path}", path = name))
        }
        io::ErrorKind::NotFound => {
            Failure::new(failure::NO_INPUT, id, tr!("there is no password file {path}", path = name))
        }
        io::ErrorKind::PermissionDenied if is_key => {
            Failure::new(failure::DENIED, id, tr!("may not read the key file {path}", path = name))
        }
        io::ErrorKind::PermissionDenied => {
            Failure::new(failure::DENIED, id, tr!("may not read the password file {path}", path = name))
        }
        _ if is_key => {
            let what = tr!("cannot read the key file {path}: {why}", path = name, why = error);
            Failure::new(failure::NO_INPUT, id, what)
        }
        _ => {
            let what = tr!("cannot read the password file {path}: {why}", path = name, why = error);
            Failure::new(failure::NO_INPUT, id, what)
        }
    })?;
    if warn {
        warn_if_open(path, globals);
    }
    Ok(text)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    encryption: Zeroizing<String>,
    authentication: Option<Zeroizing<String>>,
}

pub(super) fn parse(text: &str) -> Option<Keys> {
    let bare = text.trim();
    if let Ok(encryption) = bare.parse() {
        return Some(Keys { encryption: Some(encryption), ..Keys::default() });
    }
    let file: KeyFile = toml::from_str(text).ok()?;
    let key = |text: &str| text.parse::<Key>().ok();
    let authentication = match &file.authentication {
        Some(text) => Some(key(text)?),
        None => None,
    };
    Some(Keys { encryption: Some(key(&file.encryption)?), authentication, ..Keys::default() })
}

#[cfg(unix)]
fn warn_if_open(path: &Path, globals: &Globals) {
    use std::os::unix::fs::PermissionsExt as _;
    let open =
        fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0);
    if open {
        globals.warn(&tr!(
            "{path} can be read by others: chmod 600 {file}",
            path = path.display(),
            file = path.display()
        ));
    }
}

#[cfg(not(unix))]
fn warn_if_open(_: &Path, _: &Globals) {}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "000102030405060708090A0B0C0D0E0F";

    #[test]
    fn both_forms_of_a_key_file() {
        let bare = parse(&format!(" {DIGITS}\n")).unwrap();
        assert!(bare.encryption.is_some() && bare.authentication.is_none());
        let both = parse(&format!("encryption = \"{DIGITS}\"\nauthentication = '{DIGITS}'\n")).unwrap();
        assert!(both.encryption.is_some() && both.authentication.is_some());
    }

    #[test]
    fn anything_else_is_refused() {
        let doubled = format!("{DIGITS}00");
        let short = format!("encryption = \"{}\"", &DIGITS[1..]);
        let unknown = format!("encryption = \"{DIGITS}\"\nauth = \"{DIGITS}\"");
        for text in ["", "zz", &doubled, &short, &unknown, "authentication = \"00\""] {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn keys_are_never_printed() {
        let keys = parse(DIGITS).unwrap();
        assert!(!format!("{keys:?}").to_lowercase().contains("0a0b"), "{keys:?}");
    }
}
