//! Registers as they are asked for with `--obis`.

use crate::cli::words::tr;
use crate::reading::{Code, Obis};

/// A register asked for: without `A-B:` any channel of electricity will do.
#[derive(Debug, Clone)]
pub(super) struct CodePattern {
    code: Code,
    obis: Option<Obis>,
    any_channel: bool,
}

pub(super) fn parse_code(text: &str) -> Result<CodePattern, String> {
    let code = Code::parse(text.as_bytes());
    let obis = code.resolved();
    if obis.is_none() && !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(tr!("write it like 1.8.0, 1-0:1.8.0, C.1.0 or 1.8.0*12"));
    }
    Ok(CodePattern { code, obis, any_channel: !text.contains(':') })
}

impl CodePattern {
    pub(super) fn matches(&self, code: &Code) -> bool {
        match (self.obis, code.resolved()) {
            (Some(asked), Some(found)) if self.any_channel => {
                // Letter codes resolve to abstract objects, whatever prefix they were printed with.
                found.a() <= 1 && asked.octets()[2..] == found.octets()[2..]
            }
            (Some(asked), Some(found)) => asked == found,
            _ => self.code == *code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_without_channel_matches_any_channel_of_electricity() {
        let matches = |asked: &str, found: &str| parse_code(asked).unwrap().matches(&Code::parse(found.as_bytes()));
        assert!(matches("1.8.0", "1-0:1.8.0*255"));
        assert!(matches("1.8.0", "1-1:1.8.0"));
        assert!(matches("1.8", "1.8.0"));
        assert!(matches("C.1.0", "0-0:96.1.0"));
        assert!(matches("96.1.0", "C.1.0"));
        assert!(matches("FF", "FF"));
        assert!(!matches("1.8.0", "1.8.1"));
        assert!(!matches("1.8.0", "1.8.0*12"));
        assert!(!matches("1-0:1.8.0", "1-1:1.8.0"));
        assert!(!matches("1.0.0", "7-0:1.0.0"));
        assert!(parse_code("1.8,0").is_err());
    }
}
