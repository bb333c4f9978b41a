//! Numbers as text telegrams write them.

/// A number given in its last place, with leading zeros before and so many decimals behind the point:
/// `padded(12_345, 6, 3)` is `000012.345`. A number too wide keeps all its digits.
pub(super) fn padded(number: u64, before: usize, decimals: u32) -> String {
    let one = 10u64.pow(decimals);
    let (whole, part) = (number / one, number % one);
    match usize::try_from(decimals) {
        Ok(width @ 1..) => format!("{whole:0before$}.{part:0width$}"),
        _ => format!("{whole:0before$}"),
    }
}

/// Octets as hexadecimal digits, two each.
pub(super) fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}

/// A number that cannot be negative in what it stands for: the part in this direction, 0 otherwise.
pub(super) fn positive(number: i32) -> u64 {
    u64::from(number.max(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_zeros() {
        assert_eq!(padded(12_345, 6, 3), "000012.345");
        assert_eq!(padded(2_315, 3, 1), "231.5");
        assert_eq!(padded(7, 4, 0), "0007");
        assert_eq!(padded(123_456, 2, 0), "123456");
        assert_eq!(hexadecimal(b"E0"), "4530");
        assert_eq!([positive(-5), positive(5)], [0, 5]);
    }
}
