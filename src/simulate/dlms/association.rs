//! The server's side of an association: who may open one, and what both sides prove.

use crate::reading::Obis;
use crate::wire::dlms::{
    AssociationRequest, AssociationResponse, Authenticator, Conformance, Context, Initiate, Keys, Mechanism, Password,
    Protection, ServiceError, SystemTitle, open,
};
use std::borrow::Cow;

/// How a client has to prove who it is.
#[derive(Debug, Clone)]
pub enum Security {
    /// Not at all.
    None,
    /// With a password.
    Password(Password),
    /// With GMAC, both sides; `ciphered` says whether every APDU has to be enciphered too.
    Gmac {
        /// The keys.
        keys: Authenticator,
        /// Every APDU is enciphered.
        ciphered: bool,
    },
}

/// One association that a meter offers.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The client it is for: 16 the public one, 1 management, 2 reading.
    pub client: u8,
    /// How the client has to prove who it is.
    pub security: Security,
    /// What it may read; `None` for everything.
    pub only: Option<Vec<Obis>>,
}

/// How far an association has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    None,
    /// The client has to answer the challenge.
    Pending {
        client_title: SystemTitle,
        client_challenge: Vec<u8>,
        challenge: [u8; 16],
    },
    Open,
}

/// The association of the client that is connected.
#[derive(Debug)]
pub(super) struct Association {
    offer: Offer,
    title: SystemTitle,
    max_pdu: u16,
    state: State,
    agreed: Initiate,
    protection: Option<Protection>,
    client_title: Option<SystemTitle>,
    /// The highest counter the client has used.
    pub(super) heard: Option<u32>,
}

/// What the server offers.
const CONFORMANCE: Conformance = Conformance(Conformance::READER.0 | Conformance::MULTIPLE.0);

/// Octets that ciphering adds to an APDU, at most.
const ENVELOPE: usize = 24;

/// Why a ciphered APDU is not taken.
pub(super) enum Refused {
    /// It cannot be deciphered, or came without ciphering.
    Deciphering,
    /// Its counter is not above the last.
    Counter(u32),
}

impl Association {
    pub(super) fn new(offer: Offer, title: SystemTitle, max_pdu: u16, counter: u32, heard: Option<u32>) -> Self {
        let protection = match &offer.security {
            Security::Gmac { keys, .. } => Some(Protection { keys: keys.clone(), title, counter }),
            _ => None,
        };
        let agreed = Initiate { conformance: Conformance(0), max_pdu: 0 };
        Self { offer, title, max_pdu, state: State::None, agreed, protection, client_title: None, heard }
    }

    pub(super) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// The counter of the server's next APDU.
    pub(super) fn counter(&self) -> Option<u32> {
        self.protection.as_ref().map(|protection| protection.counter)
    }

    pub(super) fn may_read(&self, obis: Obis) -> bool {
        self.offer.only.as_ref().is_none_or(|only| only.contains(&obis))
    }

    pub(super) fn offers(&self, service: Conformance) -> bool {
        self.agreed.conformance.offers(service)
    }

    /// The longest APDU to send before it is enciphered.
    pub(super) fn room(&self) -> usize {
        let most = if self.agreed.max_pdu == 0 { u16::MAX } else { self.agreed.max_pdu };
        usize::from(most) - if self.ciphered() { ENVELOPE } else { 0 }
    }

    fn ciphered(&self) -> bool {
        matches!(self.offer.security, Security::Gmac { ciphered: true, .. })
    }

    /// AARQ in, AARE out. `challenge` is the server's, should one be needed.
    pub(super) fn request(&mut self, apdu: &[u8], challenge: [u8; 16]) -> Vec<u8> {
        self.state = State::None;
        let outcome = match AssociationRequest::parse(apdu) {
            Ok((request, _)) => self.consider(&request, challenge),
            Err(_) => Err((1, Vec::new())),
        };
        let ciphered = self.ciphered();
        let context = if ciphered { Context::CipheredLogicalNames } else { Context::LogicalNames };
        let (result, diagnostic, information) = match outcome {
            Ok((diagnostic, information)) => (0, diagnostic, information),
            Err((diagnostic, information)) => (1, diagnostic, information),
        };
        let secure = matches!(self.offer.security, Security::Gmac { .. });
        let pending = matches!(self.state, State::Pending { .. });
        AssociationResponse {
            context,
            result,
            diagnostic,
            title: secure.then_some(&self.title.0[..]),
            mechanism: secure.then_some(Mechanism::Gmac),
            challenge: pending.then_some(&challenge[..]),
            information: &information,
        }
        .encode()
    }

    /// Diagnostic and user information, of acceptance or refusal.
    fn consider(
        &mut self,
        request: &AssociationRequest<'_>,
        challenge: [u8; 16],
    ) -> Result<(u8, Vec<u8>), (u8, Vec<u8>)> {
        let wanted = if self.ciphered() { Context::CipheredLogicalNames } else { Context::LogicalNames };
        let refuse = |diagnostic: u8| Err((diagnostic, Vec::new()));
        if request.context != wanted {
            return refuse(2);
        }
        let title: Option<[u8; 8]> = request.title.and_then(|title| title.try_into().ok());
        self.client_title = title.map(SystemTitle);
        let plain = match self.open(request.information) {
            Ok(plain) => plain.into_owned(),
            Err(_) => return refuse(13),
        };
        let service_error = |value| Err((1, ServiceError::initiate(value).encode().to_vec()));
        let Ok(proposed) = Initiate::parse_request(&plain) else { return service_error(1) };
        let conformance = CONFORMANCE.and(proposed.conformance);
        if !conformance.offers(Conformance::GET) {
            return service_error(2);
        }
        if (1..64).contains(&proposed.max_pdu) {
            return service_error(3);
        }
        let max_pdu = if proposed.max_pdu == 0 { self.max_pdu } else { proposed.max_pdu.min(self.max_pdu) };
        let (state, diagnostic) = match (&self.offer.security, request.mechanism) {
            (Security::None, None) => (State::Open, 0),
            (Security::None, Some(_)) => return refuse(11),
            (_, None) => return refuse(14),
            (Security::Password(password), Some(Mechanism::Password)) => {
                if request.secret != Some(password.octets()) {
                    return refuse(13);
                }
                (State::Open, 0)
            }
            (Security::Gmac { .. }, Some(Mechanism::Gmac)) => {
                let (Some(client_title), Some(client_challenge)) = (self.client_title, request.secret) else {
                    return refuse(13);
                };
                if !(8..=64).contains(&client_challenge.len()) {
                    return refuse(13);
                }
                (State::Pending { client_title, client_challenge: client_challenge.to_vec(), challenge }, 14)
            }
            _ => return refuse(11),
        };
        self.agreed = Initiate { conformance, max_pdu };
        self.state = state;
        // What the server says is its own limit (Green Book 9.4.6.1).
        let offered = Initiate { conformance, max_pdu: self.max_pdu }.response();
        Ok((diagnostic, self.seal(&offered)))
    }

    /// The client's proof in, the server's out; `None` where it does not fit.
    pub(super) fn prove(&mut self, proof: &[u8]) -> Option<Vec<u8>> {
        let State::Pending { client_title, client_challenge, challenge } =
            std::mem::replace(&mut self.state, State::None)
        else {
            return None;
        };
        let protection = self.protection.as_mut()?;
        let counter = protection.keys.verify(client_title, &challenge, proof)?;
        // Inside a ciphered APDU the proof was counted before its envelope.
        let ciphered = matches!(self.offer.security, Security::Gmac { ciphered: true, .. });
        if !ciphered && self.heard.is_some_and(|last| counter <= last) {
            return None;
        }
        self.heard = self.heard.max(Some(counter));
        let counter = protection.count();
        let own = protection.keys.prove(protection.title, counter, &client_challenge);
        self.state = State::Open;
        Some(own.to_vec())
    }

    pub(super) fn close(&mut self) {
        self.state = State::None;
    }

    /// Deciphers what the client sends; in a ciphered association nothing else is taken.
    pub(super) fn open<'a>(&mut self, apdu: &'a [u8]) -> Result<Cow<'a, [u8]>, Refused> {
        let Security::Gmac { keys, ciphered } = &self.offer.security else { return Ok(Cow::Borrowed(apdu)) };
        let keys = Keys {
            encryption: Some(keys.encryption.clone()),
            authentication: Some(keys.authentication.clone()),
            title: self.client_title,
        };
        let opened = open(apdu, &keys).map_err(|_| Refused::Deciphering)?;
        match opened.counter {
            Some(counter) => {
                if let Some(last) = self.heard.filter(|&last| counter <= last) {
                    return Err(Refused::Counter(last));
                }
                self.heard = Some(counter);
            }
            None if *ciphered => return Err(Refused::Deciphering),
            None => {}
        }
        Ok(opened.plain)
    }

    /// Enciphers an answer, if this association does so.
    pub(super) fn seal(&mut self, apdu: &[u8]) -> Vec<u8> {
        match &mut self.protection {
            Some(protection) if matches!(self.offer.security, Security::Gmac { ciphered: true, .. }) => {
                protection.seal(apdu).unwrap_or_else(|| apdu.to_vec())
            }
            _ => apdu.to_vec(),
        }
    }
}
