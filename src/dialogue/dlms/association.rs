//! Opening an association: who the client is, how it proves that, and what the server has to prove in turn.

use super::outcome::Trouble;
use crate::reading::Obis;
use crate::wire::dlms::{
    Apdu, AssociationRequest, AssociationResponse, Attribute, Authenticator, Conformance, Context, Data, INVOKE,
    Initiate, Keys, Mechanism, Password, Protection, Request, ServiceError, SystemTitle, Verified, open,
};
use std::borrow::Cow;
use zeroize::Zeroizing;

/// The current association, of which every server has one.
pub(super) const ASSOCIATION: Obis = Obis::new(0, 0, 40, 0, 0, 255);

/// How the client proves who it is.
#[derive(Debug, Clone, Default)]
pub enum Access {
    /// Not at all: the public client.
    #[default]
    Public,
    /// With a password (low-level security).
    Password(Password),
    /// With answers to challenges by AES-GMAC, both ways (high-level security, mechanism 5).
    Gmac(Box<Gmac>),
}

/// What high-level security takes.
#[derive(Debug, Clone)]
pub struct Gmac {
    /// Encryption key and authentication key.
    pub keys: Authenticator,
    /// The client's own system title; meters may insist on the one their utility gave.
    pub title: SystemTitle,
    /// The client's challenge: random, never the same twice; whoever plays the dialogue draws it.
    pub challenge: [u8; 16],
    /// Whether every APDU is enciphered too.
    pub ciphered: bool,
    /// The next invocation counter.
    pub counter: Counter,
}

/// Where the invocation counter comes from. A meter refuses one that is not above the last it saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Kept from the last time.
    Known(u32),
    /// Read from this object by the public client first: mostly 0-0:43.1.0, .1 or .2.
    ReadFrom(Obis),
}

impl Access {
    /// The object the counter has to be read from first.
    pub(super) fn counter_object(&self) -> Option<Obis> {
        match self {
            Self::Gmac(gmac) => match gmac.counter {
                Counter::ReadFrom(obis) => Some(obis),
                Counter::Known(_) => None,
            },
            _ => None,
        }
    }
}

/// What follows an accepted request.
#[derive(Debug)]
pub(super) enum Accepted {
    /// The association stands.
    Open,
    /// The server wants its challenge answered.
    Prove,
}

/// One association in the making, and in use.
#[derive(Debug)]
pub(super) struct Association {
    access: Access,
    protection: Option<Protection>,
    server_title: Option<SystemTitle>,
    server_challenge: Vec<u8>,
    pub(super) agreed: Option<Initiate>,
    /// The counter of the last APDU of the server: the next one has to be above it.
    last_heard: Option<u32>,
}

/// The longest APDU taken; a server that fills it needs 64 kB of memory, which is its own affair.
const MAX_PDU: u16 = 0xFFFF;

impl Association {
    pub(super) fn new(access: Access, counter: Option<u32>) -> Self {
        let protection = match &access {
            Access::Gmac(gmac) => {
                let known = match gmac.counter {
                    Counter::Known(known) => Some(known),
                    Counter::ReadFrom(_) => None,
                };
                let counter = counter.or(known).unwrap_or(1);
                Some(Protection { keys: gmac.keys.clone(), title: gmac.title, counter })
            }
            _ => None,
        };
        Self { access, protection, server_title: None, server_challenge: Vec::new(), agreed: None, last_heard: None }
    }

    /// The counter the next APDU will have, to be kept for the next time.
    pub(super) fn counter(&self) -> Option<u32> {
        self.protection.as_ref().map(|protection| protection.counter)
    }

    pub(super) fn server_title(&self) -> Option<SystemTitle> {
        self.server_title
    }

    fn ciphered(&self) -> bool {
        matches!(&self.access, Access::Gmac(gmac) if gmac.ciphered)
    }

    /// The AARQ.
    pub(super) fn request(&mut self) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let plain = Initiate { conformance: Conformance::READER, max_pdu: MAX_PDU }.request();
        let information = self.seal(&plain)?;
        let (title, mechanism, secret): (Option<&[u8]>, _, Option<&[u8]>) = match &self.access {
            Access::Public => (None, None, None),
            Access::Password(password) => (None, Some(Mechanism::Password), Some(password.octets())),
            Access::Gmac(gmac) => (Some(&gmac.title.0), Some(Mechanism::Gmac), Some(&gmac.challenge)),
        };
        let context = if self.ciphered() { Context::CipheredLogicalNames } else { Context::LogicalNames };
        let request = AssociationRequest { context, title, mechanism, secret, information: &information };
        Ok(Zeroizing::new(request.encode()))
    }

    /// What the server says to it.
    pub(super) fn accept(&mut self, apdu: &[u8]) -> Result<Accepted, Trouble> {
        let (response, _) = match apdu.first() {
            Some(0x61) => {
                AssociationResponse::parse(apdu).map_err(|_| Trouble::Nonsense("the association response"))?
            }
            Some(0xD8) => return Err(exception(apdu)),
            Some(0x0E) => {
                let error = ServiceError::parse(apdu).ok();
                return Err(Trouble::Rejected { result: 1, diagnostic: 1, error });
            }
            _ => return Err(Trouble::Nonsense("the answer to the association request")),
        };
        self.server_title = response.title.and_then(|title| title.try_into().ok()).map(SystemTitle);
        if response.result != 0 {
            let error = ServiceError::parse(response.information).ok();
            return Err(Trouble::Rejected { result: response.result, diagnostic: response.diagnostic, error });
        }
        let information = self.open(response.information)?.into_owned();
        if let Ok(error) = ServiceError::parse(&information) {
            return Err(Trouble::Rejected { result: 1, diagnostic: response.diagnostic, error: Some(error) });
        }
        let agreed = Initiate::parse_response(&information).map_err(|_| Trouble::Nonsense("what the server offers"))?;
        self.agreed = Some(agreed);
        let Access::Gmac(gmac) = &self.access else { return Ok(Accepted::Open) };
        let challenge = response.challenge.unwrap_or_default();
        // A server that gives the client's own challenge or title back would have its proof made by the client.
        let mirrored = challenge == gmac.challenge || self.server_title == Some(gmac.title);
        if !(8..=64).contains(&challenge.len()) || mirrored {
            return Err(Trouble::Impostor);
        }
        self.server_challenge = challenge.to_vec();
        Ok(Accepted::Prove)
    }

    /// The answer to the server's challenge: `reply_to_HLS_authentication` of the association object.
    pub(super) fn prove(&mut self) -> Result<Vec<u8>, Trouble> {
        let Some(protection) = &mut self.protection else { return Err(Trouble::Impostor) };
        let counter = protection.count();
        let proof = protection.keys.prove(protection.title, counter, &self.server_challenge);
        let parameter = Data::Octets(proof.to_vec()).to_octets();
        let method = Attribute::new(15, ASSOCIATION, 1);
        let apdu = Request::Action { invoke: INVOKE, method, parameter: Some(&parameter) }.encode();
        self.seal(&apdu).map(Cow::into_owned)
    }

    /// The server's own proof.
    pub(super) fn verify(&mut self, apdu: &[u8]) -> Result<(), Trouble> {
        let apdu = self.open(apdu)?.into_owned();
        let proof = match Apdu::parse(&apdu) {
            Ok((Apdu::Action { result: 0, value: Some(Ok(tree)) }, _)) => tree.root().octets().map(<[u8]>::to_vec),
            Ok((Apdu::Action { .. }, _)) => return Err(Trouble::AuthenticationFailed),
            Ok((Apdu::Exception { .. }, _)) => return Err(exception(&apdu)),
            _ => return Err(Trouble::Nonsense("the answer to the proof")),
        };
        let (Access::Gmac(gmac), Some(title), Some(proof)) = (&self.access, self.server_title, proof) else {
            return Err(Trouble::Impostor);
        };
        gmac.keys.verify(title, &gmac.challenge, &proof).map(drop).ok_or(Trouble::Impostor)
    }

    /// Enciphers an APDU, if this association does so.
    pub(super) fn seal<'a>(&mut self, apdu: &'a [u8]) -> Result<Cow<'a, [u8]>, Trouble> {
        if !self.ciphered() {
            return Ok(Cow::Borrowed(apdu));
        }
        let sealed = self.protection.as_mut().and_then(|protection| protection.seal(apdu));
        sealed.map(Cow::Owned).ok_or(Trouble::CounterUsedUp)
    }

    /// Deciphers an APDU. In a ciphered association nothing counts that is not authenticated, except a refusal.
    pub(super) fn open<'a>(&mut self, apdu: &'a [u8]) -> Result<Cow<'a, [u8]>, Trouble> {
        let Access::Gmac(gmac) = &self.access else { return Ok(Cow::Borrowed(apdu)) };
        let keys = Keys {
            encryption: Some(gmac.keys.encryption.clone()),
            authentication: Some(gmac.keys.authentication.clone()),
            title: self.server_title,
        };
        let opened = open(apdu, &keys).map_err(Trouble::Cipher)?;
        let refusal = matches!(apdu.first(), Some(0xD8 | 0x0E));
        if gmac.ciphered && opened.verified != Verified::Tag && !refusal {
            return Err(Trouble::Unprotected);
        }
        if let Some(counter) = opened.counter {
            if self.last_heard.is_some_and(|last| counter <= last) {
                return Err(Trouble::Replayed);
            }
            self.last_heard = Some(counter);
        }
        Ok(opened.plain)
    }
}

/// The trouble of an exception response.
pub(super) fn exception(apdu: &[u8]) -> Trouble {
    match *apdu {
        [0xD8, _, 6, a, b, c, d, ..] => Trouble::CounterTooLow { last: u32::from_be_bytes([a, b, c, d]) },
        [_, state, service, ..] => Trouble::Exception { state, service },
        _ => Trouble::Nonsense("the exception response"),
    }
}
