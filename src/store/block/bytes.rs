//! The small change of every layout here: variable-length numbers, texts, checksums.
//!
//! A number is written in groups of seven bits, lowest first, the top bit set on all but the last (LEB128). A signed one
//! is folded first, so that small numbers of either sign stay short: 0, −1, 1, −2 become 0, 1, 2, 3.

use super::Damage;

/// Appends a number.
pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        // The low seven bits, so the cast loses nothing.
        #[allow(clippy::cast_possible_truncation)]
        out.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    #[allow(clippy::cast_possible_truncation)]
    out.push(number as u8);
}

/// Appends a signed number.
pub(crate) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_number(out, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

/// Appends a count or a length.
pub(crate) fn put_count(out: &mut Vec<u8>, count: usize) {
    put_number(out, count as u64);
}

/// Appends bytes behind their length.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_count(out, bytes.len());
    out.extend_from_slice(bytes);
}

const CHECK: crc::Crc<u32, crc::Table<16>> = crc::Crc::<u32, crc::Table<16>>::new(&crc::CRC_32_ISCSI);

/// What is shorter is summed up in one piece, which takes half the time.
const SHORT: usize = 256;

/// CRC-32C of `key` numbers and bytes: what stands beside some bytes is part of what they mean.
pub(crate) fn checksum(key: &[i64], bytes: &[u8]) -> u32 {
    let length = key.len() * 8 + bytes.len();
    let mut short = [0; SHORT];
    if let Some((numbers, rest)) = short.get_mut(..length).map(|short| short.split_at_mut(key.len() * 8)) {
        for (place, number) in numbers.chunks_exact_mut(8).zip(key) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        rest.copy_from_slice(bytes);
        return CHECK.checksum(&short[..length]);
    }
    let mut digest = CHECK.digest();
    for number in key {
        digest.update(&number.to_le_bytes());
    }
    digest.update(bytes);
    digest.finalize()
}

/// Appends the checksum of everything so far.
pub(crate) fn seal(key: &[i64], mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = checksum(key, &bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// The bytes without their checksum, which has to fit.
pub(crate) fn unseal<'a>(key: &[i64], bytes: &'a [u8]) -> Result<&'a [u8], Damage> {
    let (body, sum) = bytes.split_last_chunk::<4>().ok_or(Damage("a block is too short"))?;
    if checksum(key, body).to_le_bytes() != *sum {
        return Err(Damage("a checksum does not fit"));
    }
    Ok(body)
}

/// Bytes that are read from the front.
#[derive(Debug, Clone)]
pub(crate) struct Source<'a> {
    rest: &'a [u8],
}

impl<'a> Source<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Damage> {
        let (&first, rest) = self.rest.split_first().ok_or(Damage("a block breaks off"))?;
        self.rest = rest;
        Ok(first)
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Damage> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Damage("a block breaks off"))?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    pub(crate) fn number(&mut self) -> Result<u64, Damage> {
        match self.rest {
            // Most are short.
            [low @ 0..=0x7F, rest @ ..] => {
                self.rest = rest;
                Ok(u64::from(*low))
            }
            [low, high @ 0..=0x7F, rest @ ..] => {
                self.rest = rest;
                Ok(u64::from(low & 0x7F) | u64::from(*high) << 7)
            }
            _ => self.long_number(),
        }
    }

    fn long_number(&mut self) -> Result<u64, Damage> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damage("a number is too long"))
    }

    #[inline]
    pub(crate) fn signed(&mut self) -> Result<i64, Damage> {
        let folded = self.number()?;
        Ok((folded >> 1).cast_signed() ^ -((folded & 1).cast_signed()))
    }

    /// A count of things that take at least one byte each of what is left: never more than there can be.
    pub(crate) fn count(&mut self) -> Result<usize, Damage> {
        let count = self.number()?;
        match usize::try_from(count) {
            Ok(count) if count <= self.rest.len() => Ok(count),
            _ => Err(Damage("a count is too large")),
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Damage> {
        let count = self.count()?;
        self.take(count)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Damage> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Damage("a text is not UTF-8"))
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(number: u64, signed: i64) {
            let mut out = Vec::new();
            put_number(&mut out, number);
            put_signed(&mut out, signed);
            let mut source = Source::new(&out);
            prop_assert_eq!(source.number(), Ok(number));
            prop_assert_eq!(source.signed(), Ok(signed));
            prop_assert!(source.is_empty());
        }

        #[test]
        fn a_flipped_bit_is_noticed(bytes in proptest::collection::vec(any::<u8>(), 1..200), at: usize, bit in 0..8u8) {
            let mut sealed = seal(&[7], bytes.clone());
            prop_assert_eq!(unseal(&[7], &sealed), Ok(bytes.as_slice()));
            prop_assert!(unseal(&[8], &sealed).is_err());
            let at = at % sealed.len();
            sealed[at] ^= 1 << bit;
            prop_assert!(unseal(&[7], &sealed).is_err());
        }

        #[test]
        fn a_checksum_is_the_same_in_one_piece_and_in_several(key: [i64; 3], bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let mut digest = CHECK.digest();
            key.iter().for_each(|number| digest.update(&number.to_le_bytes()));
            bytes.iter().for_each(|byte| digest.update(&[*byte]));
            prop_assert_eq!(checksum(&key, &bytes), digest.finalize());
        }
    }

    #[test]
    fn a_count_never_promises_more_than_there_is() {
        let mut out = Vec::new();
        put_number(&mut out, 1 << 40);
        out.extend([0; 10]);
        assert!(Source::new(&out).count().is_err());
        assert!(Source::new(&[0x80; 12]).number().is_err());
    }
}
