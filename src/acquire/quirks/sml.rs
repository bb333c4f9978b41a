//! Oddities of SML meters.

use crate::reading::Obis;

/// DZG DVS74: a positive power is sent as an integer with a sign that does not mean it.
///
/// - **What:** 16.7.0 from 327.68 W on comes as two octets of signed type, `53 8B 28` for 356.24 W, and reads as
///   −299.12 W. So does 1.28 W and more in one octet.
/// - **Which meters:** DZG with numbers 42 000 000 to 48 999 999 and 55 000 000 to 58 999 999.
/// - **Evidence:** a published capture of a DVS-7412.2, whose owner knew the power; libsml corrects the same numbers.
///   These meters send truly negative values in four octets, so one and two octets can be told apart.
/// - **When it would be wrong:** on DVS7420, DVS7612, DVSB12.2H and DWSB20 of the same maker, which shorten negative
///   values correctly: −105.5 W would become 549.9 W. Their numbers are others; a meter of those types inside the ranges
///   would be read wrong.
#[must_use]
pub fn unsigned_power(server_id: &[u8], name: &[u8], octets: &[u8]) -> bool {
    const ACTIVE_POWER: [u8; 6] = Obis::electricity(16, 7, 0).octets();
    let [0x0A, 0x01, b'D', b'Z', b'G', _, serial @ ..] = server_id else { return false };
    let Ok(serial) = <[u8; 4]>::try_from(serial) else { return false };
    name == ACTIVE_POWER
        && octets.len() <= 2
        && matches!(u32::from_be_bytes(serial), 42_000_000..=48_999_999 | 55_000_000..=58_999_999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_numbers_known_to_be_wrong_are_corrected() {
        let power = [1, 0, 16, 7, 0, 255];
        let server = |maker: &[u8; 3], serial: u32| [&[0x0A, 1][..], maker, &[0], &serial.to_be_bytes()].concat();
        let applies = |serial| unsigned_power(&server(b"DZG", serial), &power, &[0x8B, 0x28]);
        for wrong in [42_000_000, 42_082_910, 48_999_999, 55_000_000, 58_999_999] {
            assert!(applies(wrong), "{wrong}");
        }
        for right in [0, 40_051_478, 41_999_999, 49_000_000, 54_999_999, 59_000_000, 60_694_611, u32::MAX] {
            assert!(!applies(right), "{right}");
        }
        let dvs74 = server(b"DZG", 42_082_910);
        assert!(!unsigned_power(&server(b"EMH", 42_082_910), &power, &[0x8B, 0x28]));
        assert!(!unsigned_power(&dvs74, &[1, 0, 36, 7, 0, 255], &[0x8B, 0x28]));
        // A truly negative power has four octets.
        assert!(!unsigned_power(&dvs74, &power, &[0xFF, 0xFF, 0x8B, 0x28]));
        assert!(!unsigned_power(&[], &power, &[0x8B, 0x28]));
    }
}
