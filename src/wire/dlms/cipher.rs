//! Deciphering: AES-128 in Galois/counter mode, as DLMS security suites 0 and 1 use it (Green Book 9.2.7).

use super::{Apdu, Fail, is_known, length};
use crate::reading::{Anomaly, AnomalyCode};
use aes::Aes128;
use aes_gcm::aead::AeadInOut;
use aes_gcm::aes::cipher::consts::U12;
use aes_gcm::{AesGcm, KeyInit};
use ctr::cipher::{KeyIvInit, StreamCipher};
use std::borrow::Cow;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// AES-128-GCM with the nonce and the tag of DLMS: 12 octets each.
pub(super) type Gcm = AesGcm<Aes128, U12, U12>;
/// Octets of a tag.
pub(super) const TAG: usize = 12;
/// Ciphered APDUs inside each other, at most.
const MAX_LAYERS: usize = 3;

/// An AES-128 key. It is never printed, and wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(pub(super) [u8; 16]);

/// The text is no key. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key has 32 hexadecimal digits, this text has {digits}{}", if *.other { " and other characters" } else { "" })]
pub struct KeyError {
    digits: usize,
    other: bool,
}

impl Key {
    /// The key of sixteen octets.
    #[must_use]
    pub const fn new(octets: [u8; 16]) -> Self {
        Self(octets)
    }
}

impl std::str::FromStr for Key {
    type Err = KeyError;

    /// Reads 32 hexadecimal digits; blanks, colons and dashes between them do not count.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut octets = [0u8; 16];
        let (mut digits, mut other) = (0, false);
        for character in text.chars() {
            match character.to_digit(16).and_then(|digit| u8::try_from(digit).ok()) {
                Some(digit) => {
                    if let Some(octet) = octets.get_mut(digits / 2) {
                        *octet = *octet << 4 | digit;
                    }
                    digits += 1;
                }
                None => other |= !(character.is_whitespace() || matches!(character, ':' | '-')),
            }
        }
        let key = Self(octets);
        octets.zeroize();
        if digits == 32 && !other { Ok(key) } else { Err(KeyError { digits, other }) }
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a utility gives its customer to read a ciphered push.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// The encryption key (GUEK).
    pub encryption: Option<Key>,
    /// The authentication key (GAK, AK). Without it a push can be read, but its tag not be verified.
    pub authentication: Option<Key>,
    /// The meter's system title, for APDUs that carry none (`C8` to `D7`).
    pub title: Option<SystemTitle>,
}

/// The eight octets that name a meter in ciphered APDUs: three letters of the maker and a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SystemTitle(pub [u8; 8]);

impl SystemTitle {
    /// `LGZ6773781fd0`: the maker's letters and the number in hexadecimal digits.
    #[must_use]
    pub fn meter_id(self) -> String {
        let (maker, number) = self.parts();
        format!("{maker}{number}")
    }

    fn parts(self) -> (String, String) {
        use fmt::Write as _;
        let (maker, number) =
            if self.0[..3].iter().all(u8::is_ascii_alphanumeric) { self.0.split_at(3) } else { (&[][..], &self.0[..]) };
        let mut digits = String::with_capacity(16);
        for octet in number {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{octet:02x}");
        }
        (maker.iter().map(|&letter| char::from(letter)).collect(), digits)
    }
}

impl fmt::Display for SystemTitle {
    /// `LGZ 6773781fd0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (maker, number) = self.parts();
        f.pad(format!("{maker} {number}").trim_start())
    }
}

impl fmt::Debug for SystemTitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SystemTitle({self})")
    }
}

/// How far the origin of an APDU is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// It was not protected.
    Plain,
    /// Its tag fits.
    Tag,
    /// It was enciphered without a tag: all that speaks for it is that it makes sense.
    NoTag,
    /// It has a tag, but there is no authentication key to check it with.
    TagNotChecked,
}

/// An APDU without its ciphering.
#[derive(Debug, Clone)]
pub struct Opened<'a> {
    /// The plain APDU, or the text of a P1 telegram.
    pub plain: Cow<'a, [u8]>,
    /// Who enciphered it.
    pub title: Option<SystemTitle>,
    /// The invocation counter, which rises with each APDU.
    pub counter: Option<u32>,
    /// How far its origin is verified.
    pub verified: Verified,
}

impl<'a> Opened<'a> {
    /// An APDU that was never ciphered.
    #[must_use]
    pub fn plain(apdu: &'a [u8]) -> Self {
        Self { plain: Cow::Borrowed(apdu), title: None, counter: None, verified: Verified::Plain }
    }
}

/// The parts of a ciphered APDU; ranges count from its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Envelope {
    /// Where the system title is, if the APDU carries one.
    pub(super) title: Option<std::ops::Range<usize>>,
    /// The fields of general ciphering that are authenticated too, each with its length octet.
    pub(super) associated: std::ops::Range<usize>,
    /// Where the security control stands.
    pub(super) control: usize,
    /// Where the invocation counter stands.
    pub(super) counter: std::ops::Range<usize>,
    /// Ciphertext (or plaintext) without the tag.
    pub(super) text: std::ops::Range<usize>,
    /// The tag; empty where there is none.
    pub(super) tag: std::ops::Range<usize>,
}

/// Whether the tag is that of a ciphered APDU.
pub(super) const fn is_ciphered(tag: u8) -> bool {
    matches!(tag, 0x21 | 0x28 | 0xC8..=0xCF | 0xD0..=0xD7 | 0xDB..=0xDD)
}

impl Envelope {
    /// Takes the ciphered APDU at the start of `bytes` apart; `bytes` may go on behind it.
    pub(super) fn parse(bytes: &[u8]) -> Result<(Self, usize), Fail> {
        let octet = |at: usize| bytes.get(at).copied().ok_or(Fail::Short { need: at + 1 });
        let mut at = 1;
        let mut title = None;
        let mut associated = 0..0;
        match octet(0)? {
            0xDB | 0xDC => {
                let (length, from) = length(bytes, 1)?;
                match length {
                    0 => {}
                    8 => title = Some(from..from + 8),
                    _ => return Err(Fail::wrong(1, "a system title has eight octets")),
                }
                at = from + length;
            }
            0xDD => {
                // Transaction id, originator, recipient, date-time, other information: each with its length.
                for field in 0..5 {
                    let (length, from) = length(bytes, at)?;
                    if field == 1 && length == 8 {
                        title = Some(from..from + 8);
                    }
                    at = from + length;
                }
                associated = 1..at;
                // Key information: none, or the name of a key both sides hold.
                match octet(at)? {
                    0 => at += 1,
                    1 if octet(at + 1)? == 0 => at += 3,
                    _ => return Err(Fail::wrong(at, "a key wrapped or agreed upon inside the APDU is not supported")),
                }
            }
            tag if is_ciphered(tag) => {}
            _ => return Err(Fail::wrong(0, "not ciphered")),
        }
        let (length, control) = length(bytes, at)?;
        let end = control + length;
        let security = octet(control)?;
        let tag = if security & 0x10 != 0 { TAG } else { 0 };
        if length < 5 + tag {
            return Err(Fail::wrong(at, "too short for security control, counter and tag"));
        }
        if bytes.len() < end {
            return Err(Fail::Short { need: end });
        }
        let text = control + 5..end - tag;
        let tag = text.end..end;
        Ok((Self { title, associated, control, counter: control + 1..control + 5, text, tag }, end))
    }
}

/// Deciphers an APDU, also one that is ciphered twice, or passes a plain one through.
///
/// # Errors
/// `KeyMissing` with the system title, `KeyMismatch` where the tag does not fit or the text makes no sense, `Syntax`
/// where the APDU is not formed as its tag says. Positions count from the start of the APDU.
pub fn open<'a>(apdu: &'a [u8], keys: &Keys) -> Result<Opened<'a>, Anomaly> {
    let mut opened = Opened::plain(apdu);
    for _ in 0..MAX_LAYERS {
        if !opened.plain.first().is_some_and(|&tag| is_ciphered(tag)) {
            return Ok(opened);
        }
        let layer = open_layer(&opened.plain, keys)?;
        let title = layer.title.or(opened.title);
        let verified = if opened.verified == Verified::Tag { Verified::Tag } else { layer.verified };
        opened = Opened { plain: Cow::Owned(layer.plain), title, counter: layer.counter, verified };
    }
    Err(Anomaly::new(AnomalyCode::Syntax, 0, "ciphered more often than any meter does"))
}

struct Layer {
    plain: Vec<u8>,
    title: Option<SystemTitle>,
    counter: Option<u32>,
    verified: Verified,
}

fn open_layer(bytes: &[u8], keys: &Keys) -> Result<Layer, Anomaly> {
    let (envelope, end) = Envelope::parse(bytes)?;
    if end != bytes.len() {
        return Err(Fail::wrong(end, "more octets than the ciphered APDU has").into());
    }
    let part = |range: &std::ops::Range<usize>| bytes.get(range.clone()).unwrap_or_default();
    let sent_title = envelope.title.as_ref().and_then(|range| part(range).try_into().ok()).map(SystemTitle);
    let title = sent_title.or(keys.title);
    let counter: [u8; 4] = part(&envelope.counter).try_into().unwrap_or_default();
    let control = bytes.get(envelope.control).copied().unwrap_or_default();
    let (text, tag) = (part(&envelope.text), part(&envelope.tag));
    let layer = |plain: &[u8], verified| Layer {
        plain: plain.to_vec(),
        title,
        counter: Some(u32::from_be_bytes(counter)),
        verified,
    };
    let unsupported = |what: &'static str| Err(Fail::wrong(envelope.control, what).into());
    match control & 0x0F {
        0 | 1 => {}
        2 => return unsupported("security suite 2 (AES-256) is not supported"),
        _ => return unsupported("no known security suite"),
    }
    if control & 0x80 != 0 {
        return unsupported("compressed before ciphering: not supported");
    }
    if control & 0x30 == 0 {
        return Ok(layer(text, Verified::Plain));
    }
    let encrypted = control & 0x20 != 0;
    let Some(key) = &keys.encryption else {
        if !encrypted {
            return Ok(layer(text, Verified::TagNotChecked));
        }
        let whose = title.map_or_else(String::new, |title| format!(" of {title}"));
        let detail = format!("the APDU{whose} is enciphered and no encryption key is set");
        return Err(Anomaly::new(AnomalyCode::KeyMissing, 0, detail));
    };
    let Some(title) = title else {
        return Err(Anomaly::new(AnomalyCode::KeyMissing, 0, "the APDU carries no system title and none is set"));
    };
    let mut nonce = [0u8; 12];
    nonce[..8].copy_from_slice(&title.0);
    nonce[8..].copy_from_slice(&counter);
    let mismatch = |why: &str| {
        let detail = format!("the key does not fit the APDU of {title}: {why}");
        Err(Anomaly::new(AnomalyCode::KeyMismatch, 0, detail))
    };
    match (&keys.authentication, tag.is_empty()) {
        (Some(authentication), false) => {
            // With lengths in front, and, since general ciphering is rare and readings of the standard differ, without.
            let with_lengths = part(&envelope.associated).to_vec();
            let mut plain = None;
            for fields in [with_lengths.clone(), without_lengths(&with_lengths)] {
                let mut associated = vec![control];
                associated.extend_from_slice(&authentication.0);
                associated.extend_from_slice(&fields);
                plain = plain.or_else(|| verify(key, &nonce, &associated, text, tag, encrypted));
            }
            match plain {
                Some(plain) => Ok(layer(&plain, Verified::Tag)),
                None => mismatch("the tag differs (wrong encryption or authentication key, or damage)"),
            }
        }
        (_, no_tag) => {
            let mut plain = text.to_vec();
            if encrypted {
                keystream(key, &nonce, &mut plain);
            }
            if !makes_sense(&plain) {
                return mismatch("the deciphered text makes no sense");
            }
            Ok(layer(&plain, if no_tag { Verified::NoTag } else { Verified::TagNotChecked }))
        }
    }
}

/// The plaintext, if the tag fits.
fn verify(key: &Key, nonce: &[u8; 12], associated: &[u8], text: &[u8], tag: &[u8], encrypted: bool) -> Option<Vec<u8>> {
    let cipher = Gcm::new(&key.0.into());
    let tag: [u8; TAG] = tag.try_into().ok()?;
    let nonce = (*nonce).into();
    if encrypted {
        let mut plain = text.to_vec();
        cipher.decrypt_inout_detached(&nonce, associated, plain.as_mut_slice().into(), &tag.into()).ok()?;
        return Some(plain);
    }
    let mut authenticated = associated.to_vec();
    authenticated.extend_from_slice(text);
    cipher.decrypt_inout_detached(&nonce, &authenticated, (&mut [][..]).into(), &tag.into()).ok()?;
    Some(text.to_vec())
}

/// Applies the key stream of Galois/counter mode: its block counter starts at 2, 1 being that of the tag.
fn keystream(key: &Key, nonce: &[u8; 12], text: &mut [u8]) {
    let mut block = [0u8; 16];
    block[..12].copy_from_slice(nonce);
    block[15] = 2;
    ctr::Ctr32BE::<Aes128>::new(&key.0.into(), &block.into()).apply_keystream(text);
}

fn without_lengths(fields: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(fields.len());
    let mut at = 0;
    while let Ok((length, from)) = length(fields, at) {
        plain.extend_from_slice(fields.get(from..from + length).unwrap_or_default());
        at = from + length;
    }
    plain
}

/// Whether a text deciphered without a tag can be one: a wrong key gives noise, not an error.
fn makes_sense(plain: &[u8]) -> bool {
    match plain {
        // A P1 telegram. Sixteen printable octets are no accident.
        [b'/', rest @ ..] => rest.iter().take(16).all(|&b| b.is_ascii_graphic() || matches!(b, b' ' | b'\r' | b'\n')),
        &[tag, ..] if is_ciphered(tag) => Envelope::parse(plain).is_ok_and(|(_, end)| end == plain.len()),
        // A block: control, number and acknowledgement, length, data.
        &[0xE0, _, _, _, _, _, ..] => length(plain, 6).is_ok_and(|(length, from)| from + length == plain.len()),
        &[tag, ..] if super::holds_values(tag) => Apdu::parse(plain).is_ok_and(|(_, end)| end == plain.len()),
        &[tag, ..] => is_known(tag) && plain.len() < 64,
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{CIPHERED, MBUS, PLAIN, bytes, keys};
    use super::*;
    use proptest::prelude::*;

    /// The vectors of the Green Book, 9.2.7.3; dlms-cosem agrees.
    const GET: &str = "C0 01 00 00 08 00 00 01 00 00 FF 02 00";

    fn green_book() -> Keys {
        Keys { title: Some(SystemTitle(*b"MMM\0\0\xBCaN")), ..keys() }
    }

    fn check(hex: &str, keys: &Keys, plain: &str, verified: Verified) {
        let apdu = bytes(hex);
        let opened = open(&apdu, keys).unwrap();
        assert_eq!((&*opened.plain, opened.verified), (&bytes(plain)[..], verified), "{hex}");
    }

    #[test]
    fn green_book_vectors() {
        let authenticated =
            "C8 1E 10 01 23 45 67 C0 01 00 00 08 00 00 01 00 00 FF 02 00 06 72 5D 91 0F 92 21 D2 63 87 75 16";
        let encrypted = "C8 12 20 01 23 45 67 41 13 12 FF 93 5A 47 56 68 27 C4 67 BC";
        let both = "C8 1E 30 01 23 45 67 41 13 12 FF 93 5A 47 56 68 27 C4 67 BC 7D 82 5C 3B E4 A7 7C 3F CC 05 6B 6B";
        check(authenticated, &green_book(), GET, Verified::Tag);
        check(encrypted, &green_book(), GET, Verified::NoTag);
        check(both, &green_book(), GET, Verified::Tag);
        let without = Keys { authentication: None, ..green_book() };
        check(authenticated, &without, GET, Verified::TagNotChecked);
        check(both, &without, GET, Verified::TagNotChecked);
        assert_eq!(open(&bytes(both), &keys()).unwrap_err().code, AnomalyCode::KeyMissing);
    }

    #[test]
    fn a_push_of_an_e450() {
        let frame = bytes(CIPHERED);
        let apdu = &frame[12..frame.len() - 3];
        let opened = open(apdu, &keys()).unwrap();
        assert_eq!(*opened.plain, bytes(PLAIN));
        assert_eq!((opened.counter, opened.verified), (Some(42), Verified::Tag));
        assert_eq!(opened.title.unwrap().to_string(), "LGZ 67730000d4");
        assert_eq!(opened.title.unwrap().meter_id(), "LGZ67730000d4");
        let frame = bytes(MBUS);
        let opened = open(&frame[9..frame.len() - 2], &keys()).unwrap();
        assert_eq!((&*opened.plain, opened.verified), (&bytes(PLAIN)[..], Verified::NoTag));
    }

    #[test]
    fn wrong_and_missing_keys_are_told_apart() {
        let frame = bytes(CIPHERED);
        let apdu = &frame[12..frame.len() - 3];
        let fault = open(apdu, &Keys::default()).unwrap_err();
        assert_eq!(fault.code, AnomalyCode::KeyMissing);
        assert_eq!(fault.detail, "the APDU of LGZ 67730000d4 is enciphered and no encryption key is set");
        let wrong = Some(Key::new([7; 16]));
        for keys in [
            Keys { encryption: wrong.clone(), ..keys() },
            Keys { authentication: wrong.clone(), ..keys() },
            Keys { encryption: wrong, ..Keys::default() },
        ] {
            assert_eq!(open(apdu, &keys).unwrap_err().code, AnomalyCode::KeyMismatch);
        }
    }

    #[test]
    fn every_flipped_bit_of_an_authenticated_push_is_noticed() {
        let frame = bytes(CIPHERED);
        let apdu = frame[12..frame.len() - 3].to_vec();
        for bit in 0..apdu.len() * 8 {
            let mut damaged = apdu.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            if let Ok(opened) = open(&damaged, &keys()) {
                // A tag of another protocol, or a security control without protection, leaves the text enciphered.
                let plain = Apdu::parse(&opened.plain);
                assert!(!matches!(plain, Ok((Apdu::Notification(_), end)) if end == opened.plain.len()), "bit {bit}");
            }
        }
    }

    #[test]
    fn general_ciphering_authenticates_its_header() {
        // Built here with both readings of the standard; no published frame is known to us.
        let plain = bytes(PLAIN);
        let header = bytes("08 0102030405060708 08 4C475A67730000D4 08 4D4D4D0000000001 00 00");
        for fields in [header.clone(), without_lengths(&header)] {
            let mut associated = vec![0x30];
            associated.extend(keys().authentication.unwrap().0);
            associated.extend(fields);
            let mut text = plain.clone();
            let nonce = *b"LGZgs\0\0\xD4\0\0\0\x2A";
            let tag = Gcm::new(&keys().encryption.unwrap().0.into())
                .encrypt_inout_detached(&nonce.into(), &associated, text.as_mut_slice().into())
                .unwrap();
            let mut apdu = vec![0xDD];
            apdu.extend(&header);
            apdu.extend([0, u8::try_from(5 + text.len() + TAG).unwrap(), 0x30, 0, 0, 0, 0x2A]);
            apdu.extend(text);
            apdu.extend(tag.iter());
            assert_eq!(*open(&apdu, &keys()).unwrap().plain, plain);
        }
    }

    #[test]
    fn what_is_not_supported_says_so() {
        let detail = |hex: &str| open(&bytes(hex), &green_book()).unwrap_err().detail.to_string();
        assert_eq!(detail("C8 06 22 00000001 00"), "octet 2: security suite 2 (AES-256) is not supported");
        assert_eq!(detail("C8 06 A0 00000001 00"), "octet 2: compressed before ciphering: not supported");
        assert!(detail("DD 00 00 00 00 00 01 02 00 00 06 20 00000001 00").contains("agreed upon"));
        assert!(detail("DB 08 4C475A67730000D4 30 20").contains("ends early"));
    }

    #[test]
    fn keys_are_read_and_never_printed() {
        let key: Key = "00:01:02:03 04050607-08090A0B 0C0D0E0F".parse().unwrap();
        assert_eq!(Some(&key), keys().encryption.as_ref());
        assert_eq!(format!("{:?}", keys()), "Keys { encryption: Some(***), authentication: Some(***), title: None }");
        let error = "0001".parse::<Key>().unwrap_err().to_string();
        assert_eq!(error, "a key has 32 hexadecimal digits, this text has 4");
        assert!("zz".repeat(16).parse::<Key>().unwrap_err().to_string().ends_with("and other characters"));
        assert_eq!(SystemTitle([0x2F, 0x19, 0x22, 1, 2, 3, 4, 5]).to_string(), "2f19220102030405");
    }

    proptest! {
        #[test]
        fn any_bytes(mut input in proptest::collection::vec(any::<u8>(), 1..120), tag in 0u8..60) {
            input[0] = [0xDB, 0xDC, 0xDD, 0xC8, 0xE0, input[0]][usize::from(tag % 6)];
            let _ = open(&input, &green_book());
            let _ = open(&input, &Keys { authentication: None, ..green_book() });
        }
    }
}
