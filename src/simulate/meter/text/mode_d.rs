//! Mode D: identification and readout come every few seconds, without being asked for and without a block check.

use super::registers::registers;
use crate::simulate::meter::Telegram;
use crate::simulate::works::Works;
use crate::wire::Line;

/// The push of mode D: 2400 7E1, identification and readout without a block check.
#[derive(Debug, Clone, Copy)]
pub struct ModeD;

impl Telegram for ModeD {
    fn line(&self) -> Line {
        Line::seven_even(2_400)
    }

    fn period(&self) -> u32 {
        5
    }

    fn write(&mut self, works: &Works) -> (Vec<u8>, Option<usize>) {
        let mut text = "/ESY3Q3DA1004 V3.04\r\n\r\n".to_owned();
        for (code, groups) in registers(works) {
            let code = match code {
                "F.F" | "1.6.0" | "0.2.0" => continue,
                "C.1.0" => "0-0:96.1.0".to_owned(),
                "C.7.0" => "0-0:96.7.0".to_owned(),
                code => format!("1-0:{code}"),
            };
            text.extend([&code, "*255", &groups, "\r\n"]);
        }
        text.push_str("!\r\n");
        (text.into_bytes(), None)
    }
}
