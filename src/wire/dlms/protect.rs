//! Enciphering what is sent, and proving who sends it (Green Book 9.2.7).

use super::cipher::{Gcm, Key, SystemTitle, TAG};
use super::put_length;
use aes_gcm::KeyInit;
use aes_gcm::aead::AeadInOut;
use std::fmt;
use zeroize::Zeroizing;

/// Authenticated and enciphered: what associations with ciphering use.
const BOTH: u8 = 0x30;
/// The tag of general global ciphering.
const GENERAL: u8 = 0xDB;
/// Authenticated only: what the last step of high-level security uses.
const AUTHENTICATED: u8 = 0x10;

/// A password. It is never printed, and wiped when dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// A password of these octets; mostly they are ASCII.
    #[must_use]
    pub fn new(octets: &[u8]) -> Self {
        Self(Zeroizing::new(octets.to_vec()))
    }

    /// The octets, to be sent or compared.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What one side needs to answer a challenge with GMAC, and to check the other side's answer.
#[derive(Clone)]
pub struct Authenticator {
    /// The encryption key.
    pub encryption: Key,
    /// The authentication key.
    pub authentication: Key,
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator(***)")
    }
}

impl Authenticator {
    /// The answer of the side with this `title` to a challenge: security control 10, the counter, and the tag over
    /// control, authentication key and challenge.
    #[must_use]
    pub fn prove(&self, title: SystemTitle, counter: u32, challenge: &[u8]) -> [u8; 17] {
        let mut out = [0; 17];
        let tag = self.seal(AUTHENTICATED, title, counter, challenge, &mut []);
        let [a, b, c, d] = counter.to_be_bytes();
        for (place, octet) in out.iter_mut().zip([AUTHENTICATED, a, b, c, d].into_iter().chain(tag)) {
            *place = octet;
        }
        out
    }

    /// The counter of the other side's answer, if it is one to this challenge.
    #[must_use]
    pub fn verify(&self, title: SystemTitle, challenge: &[u8], proof: &[u8]) -> Option<u32> {
        let &[AUTHENTICATED, a, b, c, d, ..] = proof else { return None };
        let counter = u32::from_be_bytes([a, b, c, d]);
        // The tag is no secret of this side: a comparison in constant time would hide nothing.
        (self.prove(title, counter, challenge)[..] == *proof).then_some(counter)
    }

    /// Enciphers `text` in its place and gives the tag over control, authentication key and `clear`.
    fn seal(&self, control: u8, title: SystemTitle, counter: u32, clear: &[u8], text: &mut [u8]) -> [u8; TAG] {
        let mut nonce = [0u8; 12];
        nonce[..8].copy_from_slice(&title.0);
        nonce[8..].copy_from_slice(&counter.to_be_bytes());
        let mut associated = Zeroizing::new(vec![control]);
        associated.extend_from_slice(&self.authentication.0);
        associated.extend_from_slice(clear);
        let sealed =
            Gcm::new(&self.encryption.0.into()).encrypt_inout_detached(&nonce.into(), &associated, text.into());
        // Only more than 64 GiB cannot be sealed.
        sealed.map_or([0; TAG], Into::into)
    }
}

/// Enciphers the APDUs of one side, and counts them.
#[derive(Debug, Clone)]
pub struct Protection {
    /// The keys.
    pub keys: Authenticator,
    /// The side's own system title.
    pub title: SystemTitle,
    /// The counter of the next APDU; it never repeats under one key.
    pub counter: u32,
}

impl Protection {
    /// The next counter.
    pub fn count(&mut self) -> u32 {
        let counter = self.counter;
        self.counter = self.counter.saturating_add(1);
        counter
    }

    /// The APDU, authenticated and enciphered under its global tag; as it is where its service has none, and `None`
    /// once the counters are used up.
    #[must_use]
    pub fn seal(&mut self, plain: &[u8]) -> Option<Vec<u8>> {
        let Some(tag) = global(plain.first().copied()?) else { return Some(plain.to_vec()) };
        self.seal_behind(vec![tag], plain)
    }

    /// The APDU under general global ciphering: the system title goes with it, as pushes have it. `None` once the counters
    /// are used up.
    #[must_use]
    pub fn seal_general(&mut self, plain: &[u8]) -> Option<Vec<u8>> {
        let mut head = vec![GENERAL];
        put_length(&mut head, self.title.0.len());
        head.extend(self.title.0);
        self.seal_behind(head, plain)
    }

    /// Length, security header, text and tag behind `out`.
    fn seal_behind(&mut self, mut out: Vec<u8>, plain: &[u8]) -> Option<Vec<u8>> {
        if self.counter == u32::MAX {
            return None;
        }
        let counter = self.count();
        let mut text = plain.to_vec();
        let check = self.keys.seal(BOTH, self.title, counter, &[], &mut text);
        put_length(&mut out, 5 + text.len() + TAG);
        out.push(BOTH);
        out.extend(counter.to_be_bytes());
        out.extend(text);
        out.extend(check);
        Some(out)
    }
}

/// The tag of a service under the global key.
const fn global(tag: u8) -> Option<u8> {
    match tag {
        0x01 => Some(0x21),
        0x08 => Some(0x28),
        0xC0..=0xC7 => Some(tag + 8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{bytes, keys};
    use super::super::{Keys, Verified, open};
    use super::*;
    use proptest::prelude::*;

    fn authenticator() -> Authenticator {
        let keys = keys();
        Authenticator {
            encryption: keys.encryption.clone().unwrap(),
            authentication: keys.authentication.clone().unwrap(),
        }
    }

    const CLIENT: SystemTitle = SystemTitle(*b"MMM\0\0\0\0\x01");
    const SERVER: SystemTitle = SystemTitle(*b"MMM\0\0\xBCaN");

    #[test]
    fn the_challenges_of_the_green_book() {
        let proof = authenticator().prove(CLIENT, 1, b"P6wRJ21F");
        assert_eq!(proof[..], bytes("10 00000001 1A52FE7DD3E72748973C1E28"));
        let proof = authenticator().prove(SERVER, 0x0123_4567, b"K56iVagY");
        assert_eq!(proof[..], bytes("10 01234567 FE1466AFB3DBCD4F9389E2B7"));
        assert_eq!(authenticator().verify(SERVER, b"K56iVagY", &proof), Some(0x0123_4567));
        assert_eq!(authenticator().verify(CLIENT, b"K56iVagY", &proof), None);
        assert_eq!(authenticator().verify(SERVER, b"K56iVagZ", &proof), None);
        assert_eq!(authenticator().verify(SERVER, b"K56iVagY", &proof[..16]), None);
    }

    #[test]
    fn the_ciphered_request_of_the_green_book() {
        let mut side = Protection { keys: authenticator(), title: SERVER, counter: 0x0123_4567 };
        let sealed = side.seal(&bytes("C0 01 00 00 08 00 00 01 00 00 FF 02 00")).unwrap();
        let both = "C8 1E 30 01 23 45 67 41 13 12 FF 93 5A 47 56 68 27 C4 67 BC 7D 82 5C 3B E4 A7 7C 3F CC 05 6B 6B";
        assert_eq!(sealed, bytes(both));
        assert_eq!(side.counter, 0x0123_4568);
        // A release has no ciphered form of its own.
        assert_eq!(side.seal(&[0x62, 0]), Some(vec![0x62, 0]));
        side.counter = u32::MAX;
        assert_eq!(side.seal(&[0xC0]), None);
        assert!(!format!("{side:?}").contains("0, 1, 2"));
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(plain in proptest::collection::vec(any::<u8>(), 1..300), counter in 0..u32::MAX) {
            let plain = [&[0xC4][..], &plain].concat();
            let mut side = Protection { keys: authenticator(), title: SERVER, counter };
            let sealed = side.seal(&plain).unwrap();
            let opened = open(&sealed, &Keys { title: Some(SERVER), ..keys() }).unwrap();
            prop_assert_eq!((&*opened.plain, opened.counter, opened.verified), (&plain[..], Some(counter), Verified::Tag));
        }
    }
}
