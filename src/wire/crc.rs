//! The checksums of the meter protocols, by their catalogue names.

use crc::{CRC_16_ARC, CRC_16_IBM_SDLC, CRC_16_KERMIT, Crc, Table};

/// CRC-16/X-25, which the catalogue lists as IBM-SDLC: HDLC's HCS and FCS, SML files and messages.
static X25: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_IBM_SDLC);
/// CRC-16/ARC: DSMR P1.
static ARC: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_ARC);
/// CRC-16/Kermit: SML messages of some Holley meters.
static KERMIT: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_KERMIT);

/// CRC-16/X.25. On the wire its low octet comes first.
#[must_use]
pub fn x25(bytes: &[u8]) -> u16 {
    X25.checksum(bytes)
}

/// CRC-16/ARC.
#[must_use]
pub fn arc(bytes: &[u8]) -> u16 {
    ARC.checksum(bytes)
}

/// CRC-16/ARC of bytes that come in pieces.
#[must_use]
pub fn arc_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> u16 {
    let mut digest = ARC.digest();
    for piece in pieces {
        digest.update(piece);
    }
    digest.finalize()
}

/// CRC-16/Kermit.
#[must_use]
pub fn kermit(bytes: &[u8]) -> u16 {
    KERMIT.checksum(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn catalogue_check_values() {
        assert_eq!(super::x25(b"123456789"), 0x906E);
        assert_eq!(super::arc(b"123456789"), 0xBB3D);
        assert_eq!(super::arc_of([&b"1234"[..], b"", b"56789"]), 0xBB3D);
        assert_eq!(super::kermit(b"123456789"), 0x2189);
    }
}
