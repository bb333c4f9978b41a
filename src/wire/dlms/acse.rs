//! Opening and closing an association (ISO 8650 in BER; Green Book 9.4.2).
//!
//! ```text
//! 60 36  A1 09 06 07 60857405 08 01 01  8A 02 07 80  8B 07 60857405 08 02 01  AC 0A 80 08 3030…  BE 10 04 0E 01 …
//! │      │                       │      │            │                    │   │                  └ InitiateRequest
//! │      │                       │      │            │                    │   └ password or challenge
//! │      │                       │      │            │                    └ mechanism: 1 password, 5 GMAC
//! │      │                       │      │            └ mechanism name
//! │      │                       │      └ authentication is used
//! │      │                       └ context: 1 logical names, 3 logical names with ciphering
//! │      └ application context name
//! └ AARQ; AARE is 61
//! ```

use super::{Fail, length, put_length};
use zeroize::Zeroizing;

/// The object identifiers of DLMS UA start so.
const OID: [u8; 5] = [0x60, 0x85, 0x74, 0x05, 0x08];

/// What kind of association it is (Green Book, table 12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// Objects by their logical names.
    LogicalNames,
    /// Objects by short names, as meters before 2000.
    ShortNames,
    /// Logical names, APDUs enciphered.
    CipheredLogicalNames,
    /// Short names, APDUs enciphered.
    CipheredShortNames,
    /// A number the standard does not know.
    Other(u8),
}

impl Context {
    const fn number(self) -> u8 {
        match self {
            Self::LogicalNames => 1,
            Self::ShortNames => 2,
            Self::CipheredLogicalNames => 3,
            Self::CipheredShortNames => 4,
            Self::Other(other) => other,
        }
    }

    const fn of(number: u8) -> Self {
        match number {
            1 => Self::LogicalNames,
            2 => Self::ShortNames,
            3 => Self::CipheredLogicalNames,
            4 => Self::CipheredShortNames,
            other => Self::Other(other),
        }
    }
}

/// How the client proves who it is (Green Book, table 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// A password: low-level security.
    Password,
    /// Challenges answered with GMAC: high-level security, mechanism 5.
    Gmac,
    /// Another one of high-level security: 2 to 4, 6, 7.
    Other(u8),
}

impl Mechanism {
    const fn number(self) -> u8 {
        match self {
            Self::Password => 1,
            Self::Gmac => 5,
            Self::Other(other) => other,
        }
    }

    const fn of(number: u8) -> Option<Self> {
        match number {
            0 => None,
            1 => Some(Self::Password),
            5 => Some(Self::Gmac),
            other => Some(Self::Other(other)),
        }
    }
}

/// AARQ: a client asks for an association.
#[derive(Clone, PartialEq, Eq)]
pub struct AssociationRequest<'a> {
    /// What kind.
    pub context: Context,
    /// The client's system title, where the association is ciphered or authenticated with GMAC.
    pub title: Option<&'a [u8]>,
    /// How the client proves who it is.
    pub mechanism: Option<Mechanism>,
    /// Password or challenge.
    pub secret: Option<&'a [u8]>,
    /// The InitiateRequest, enciphered or not.
    pub information: &'a [u8],
}

/// AARE: what the server says to it.
#[derive(Clone, PartialEq, Eq)]
pub struct AssociationResponse<'a> {
    /// What kind.
    pub context: Context,
    /// 0 accepted, 1 refused for good, 2 refused for now.
    pub result: u8,
    /// Why, see [`diagnostic`].
    pub diagnostic: u8,
    /// The server's system title.
    pub title: Option<&'a [u8]>,
    /// The mechanism the server wants.
    pub mechanism: Option<Mechanism>,
    /// The server's challenge.
    pub challenge: Option<&'a [u8]>,
    /// InitiateResponse or ConfirmedServiceError, enciphered or not.
    pub information: &'a [u8],
}

// Passwords stand in requests: neither is ever printed.
impl std::fmt::Debug for AssociationRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { context, mechanism, .. } = self;
        f.debug_struct("AssociationRequest")
            .field("context", context)
            .field("mechanism", mechanism)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AssociationResponse<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { context, result, diagnostic, .. } = self;
        let mut out = f.debug_struct("AssociationResponse");
        out.field("context", context).field("result", result).field("diagnostic", diagnostic).finish_non_exhaustive()
    }
}

impl AssociationRequest<'_> {
    /// The octets of the AARQ. They hold the password: whoever keeps them, wipes them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let secret = self.secret.map_or(0, <[u8]>::len);
        let mut body = Zeroizing::new(Vec::with_capacity(96 + secret + self.information.len()));
        tlv(&mut body, 0xA1, &oid(1, self.context.number()));
        if let Some(title) = self.title {
            octets_in(&mut body, 0xA6, 0x04, title);
        }
        if let Some(mechanism) = self.mechanism {
            tlv(&mut body, 0x8A, &[0x07, 0x80]);
            tlv(&mut body, 0x8B, oid(2, mechanism.number()).get(2..).unwrap_or_default());
        }
        if let Some(secret) = self.secret {
            octets_in(&mut body, 0xAC, 0x80, secret);
        }
        octets_in(&mut body, 0xBE, 0x04, self.information);
        whole(0x60, &body)
    }
}

impl<'a> AssociationRequest<'a> {
    /// Takes an AARQ apart and says where it ends.
    ///
    /// # Errors
    /// [`Fail`] where it is none.
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, usize), Fail> {
        let (fields, end) = fields(bytes, 0x60, "no association request")?;
        let context = fields.context().ok_or(Fail::wrong(2, "no application context"))?;
        let request = Self {
            context,
            title: fields.inner(0xA6),
            mechanism: fields.find(0x8B).and_then(|name| Mechanism::of(*name.last()?)),
            secret: fields.inner(0xAC),
            information: fields.inner(0xBE).unwrap_or_default(),
        };
        Ok((request, end))
    }
}

impl AssociationResponse<'_> {
    /// The octets of the AARE.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(96);
        tlv(&mut body, 0xA1, &oid(1, self.context.number()));
        tlv(&mut body, 0xA2, &[0x02, 0x01, self.result]);
        tlv(&mut body, 0xA3, &[0xA1, 0x03, 0x02, 0x01, self.diagnostic]);
        if let Some(title) = self.title {
            octets_in(&mut body, 0xA4, 0x04, title);
        }
        if let Some(mechanism) = self.mechanism {
            tlv(&mut body, 0x88, &[0x07, 0x80]);
            tlv(&mut body, 0x89, oid(2, mechanism.number()).get(2..).unwrap_or_default());
        }
        if let Some(challenge) = self.challenge {
            octets_in(&mut body, 0xAA, 0x80, challenge);
        }
        octets_in(&mut body, 0xBE, 0x04, self.information);
        whole(0x61, &body)
    }
}

impl<'a> AssociationResponse<'a> {
    /// Takes an AARE apart and says where it ends.
    ///
    /// # Errors
    /// [`Fail`] where it is none.
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, usize), Fail> {
        let (fields, end) = fields(bytes, 0x61, "no association response")?;
        let number = |tag: u8| fields.find(tag).and_then(|content| content.last().copied());
        let response = Self {
            context: fields.context().ok_or(Fail::wrong(2, "no application context"))?,
            result: number(0xA2).ok_or(Fail::wrong(2, "no result"))?,
            diagnostic: number(0xA3).unwrap_or(0),
            title: fields.inner(0xA4),
            mechanism: fields.find(0x89).and_then(|name| Mechanism::of(*name.last()?)),
            challenge: fields.inner(0xAA),
            information: fields.inner(0xBE).unwrap_or_default(),
        };
        Ok((response, end))
    }
}

/// RLRQ: the client wants no more of the association; `information` is the enciphered InitiateRequest, where there is one.
#[must_use]
pub fn release_request(information: &[u8]) -> Vec<u8> {
    release(0x62, information)
}

/// RLRE: the server's answer to it.
#[must_use]
pub fn release_response(information: &[u8]) -> Vec<u8> {
    release(0x63, information)
}

fn release(tag: u8, information: &[u8]) -> Vec<u8> {
    // Reason 0: normal.
    let mut body = vec![0x80, 0x01, 0x00];
    if !information.is_empty() {
        octets_in(&mut body, 0xBE, 0x04, information);
    }
    whole(tag, &body)
}

/// What a server says about an association (Green Book, table 14).
#[must_use]
pub const fn diagnostic(number: u8) -> &'static str {
    match number {
        0 => "no objection",
        1 => "no reason given",
        2 => "the application context is not supported",
        3 => "the calling system title is not recognised",
        11 => "the authentication mechanism is not recognised",
        12 => "an authentication mechanism is required",
        13 => "the authentication failed",
        14 => "authentication is required",
        _ => "another reason",
    }
}

/// An object identifier of DLMS UA: `arc` 1 for contexts, 2 for mechanisms.
const fn oid(arc: u8, number: u8) -> [u8; 9] {
    let [a, b, c, d, e] = OID;
    [0x06, 0x07, a, b, c, d, e, arc, number]
}

fn tlv(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    put_length(out, content.len());
    out.extend_from_slice(content);
}

/// A value inside a field. It is written in its place, so that a password leaves no copy behind.
fn octets_in(out: &mut Vec<u8>, tag: u8, inner: u8, content: &[u8]) {
    let mut head = vec![inner];
    put_length(&mut head, content.len());
    out.push(tag);
    put_length(out, head.len() + content.len());
    out.extend(head);
    out.extend_from_slice(content);
}

fn whole(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 4);
    tlv(&mut out, tag, body);
    out
}

/// The fields of an AARQ or AARE; there are fewer than sixteen kinds.
struct Fields<'a>(Vec<(u8, &'a [u8])>);

/// Where each field of an AARQ or AARE is, with its tag; those of a broken one as far as they go.
pub(super) fn extents(apdu: &[u8]) -> Vec<(u8, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    let Ok((_, mut at)) = length(apdu, 1) else { return found };
    while let (Some(&tag), Ok((length, from))) = (apdu.get(at), length(apdu, at + 1)) {
        if from + length > apdu.len() || found.len() >= 16 {
            break;
        }
        found.push((tag, at..from + length));
        at = from + length;
    }
    found
}

impl<'a> Fields<'a> {
    fn find(&self, tag: u8) -> Option<&'a [u8]> {
        self.0.iter().find(|field| field.0 == tag).map(|field| field.1)
    }

    /// The content of the one value inside a field.
    fn inner(&self, tag: u8) -> Option<&'a [u8]> {
        let field = self.find(tag)?;
        let (length, from) = length(field, 1).ok()?;
        field.get(from..from + length)
    }

    fn context(&self) -> Option<Context> {
        self.find(0xA1)?.last().copied().map(Context::of)
    }
}

fn fields<'a>(bytes: &'a [u8], tag: u8, what: &'static str) -> Result<(Fields<'a>, usize), Fail> {
    match bytes.first() {
        Some(&first) if first == tag => {}
        Some(_) => return Err(Fail::wrong(0, what)),
        None => return Err(Fail::Short { need: 1 }),
    }
    let (total, mut at) = length(bytes, 1)?;
    let end = at + total;
    let body = bytes.get(..end).ok_or(Fail::Short { need: end })?;
    let mut fields = Vec::new();
    while let Some(&tag) = body.get(at) {
        let broken = Fail::wrong(at, "a field that does not fit its association");
        let (length, from) = length(body, at + 1).map_err(|_| broken)?;
        let content = body.get(from..from + length).ok_or(broken)?;
        if fields.len() >= 16 {
            return Err(Fail::wrong(at, "more fields than an association has"));
        }
        fields.push((tag, content));
        at = from + length;
    }
    Ok((Fields(fields), end))
}

#[cfg(test)]
mod tests {
    use super::super::examples::bytes;
    use super::super::{Conformance, Initiate, ServiceError};
    use super::*;
    use proptest::prelude::*;

    /// The APDU of a frame of the specification.
    fn apdu(frame: &str) -> Vec<u8> {
        let frame = bytes(frame);
        frame[11..frame.len() - 3].to_vec()
    }

    const GURUX: Initiate = Initiate { conformance: Conformance(0x40_1E_5D), max_pdu: 0xFFFF };

    #[test]
    fn the_requests_of_the_specification() {
        let information = GURUX.request();
        let public = AssociationRequest {
            context: Context::LogicalNames,
            title: None,
            mechanism: None,
            secret: None,
            information: &information,
        };
        let frame = "7E A0 2B 03 21 10 FB AF E6 E6 00 60 1D A1 09 06 07 60 85 74 05 08 01 01 BE 10 04 0E 01 00 00 00 06 5F 1F 04 00 40 1E 5D FF FF 91 23 7E";
        assert_eq!(public.encode(), apdu(frame));
        let password =
            AssociationRequest { mechanism: Some(Mechanism::Password), secret: Some(b"00000000"), ..public.clone() };
        let frame = "7E A0 44 03 41 10 B3 E1 E6 E6 00 60 36 A1 09 06 07 60 85 74 05 08 01 01 8A 02 07 80 8B 07 60 85 74 05 08 02 01 AC 0A 80 08 30 30 30 30 30 30 30 30 BE 10 04 0E 01 00 00 00 06 5F 1F 04 00 40 1E 5D FF FF 08 3A 7E";
        assert_eq!(password.encode(), apdu(frame));
        for request in [public, password] {
            let octets = request.encode();
            assert_eq!(AssociationRequest::parse(&octets), Ok((request, octets.len())));
        }
        assert!(!format!("{:?}", AssociationRequest::parse(&apdu(frame))).contains("30"));
    }

    #[test]
    fn the_response_of_the_specification() {
        let initiate = Initiate { conformance: Conformance(0x00_50_1F), max_pdu: 500 };
        let information = initiate.response();
        let accepted = AssociationResponse {
            context: Context::LogicalNames,
            result: 0,
            diagnostic: 0,
            title: None,
            mechanism: None,
            challenge: None,
            information: &information,
        };
        let frame = "7E A0 37 21 03 30 6C 7C E6 E7 00 61 29 A1 09 06 07 60 85 74 05 08 01 01 A2 03 02 01 00 A3 05 A1 03 02 01 00 BE 10 04 0E 08 00 06 5F 1F 04 00 00 50 1F 01 F4 00 07 19 0A 7E";
        let octets = apdu(frame);
        assert_eq!(accepted.encode(), octets);
        let (parsed, end) = AssociationResponse::parse(&octets).unwrap();
        assert_eq!((&parsed, end), (&accepted, octets.len()));
        assert_eq!(Initiate::parse_response(parsed.information), Ok(initiate));
    }

    #[test]
    fn offers_are_read_with_and_without_the_second_octet_of_the_tag() {
        assert_eq!(Initiate::parse_request(&GURUX.request()), Ok(GURUX));
        assert_eq!(Initiate::parse_request(&bytes("01 00 00 00 06 5F 04 00 40 1E 5D FF FF")), Ok(GURUX));
        let keyed = bytes("01 01 04 AABBCCDD 01 00 01 05 06 5F 1F 04 00 40 1E 5D FF FF");
        assert_eq!(Initiate::parse_request(&keyed), Ok(GURUX));
        assert!(Initiate::parse_request(&bytes("01 00 00 00 05 5F 1F 04 00 40 1E 5D FF FF")).is_err());
        assert_eq!(Conformance::READER.0, 0x00_10_15);
        let error = ServiceError::initiate(3);
        assert_eq!(ServiceError::parse(&error.encode()), Ok(error));
        assert_eq!(error.meaning(), "the APDU size is too short");
    }

    #[test]
    fn a_release_is_short() {
        assert_eq!(release_request(&[]), bytes("62 03 80 01 00"));
        assert_eq!(release_response(&[]), bytes("63 03 80 01 00"));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            context in 0u8..6, title in proptest::option::of(any::<[u8; 8]>()), mechanism in 0u8..9, result in 0u8..3,
            secret in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..65)),
            information in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let request = AssociationRequest {
                context: Context::of(context),
                title: title.as_ref().map(|title| &title[..]),
                mechanism: Mechanism::of(mechanism),
                secret: secret.as_deref(),
                information: &information,
            };
            let octets = request.encode();
            prop_assert_eq!(AssociationRequest::parse(&octets), Ok((request.clone(), octets.len())));
            let response = AssociationResponse {
                context: request.context, result, diagnostic: context, title: request.title,
                mechanism: request.mechanism, challenge: request.secret, information: &information,
            };
            let octets = response.encode();
            prop_assert_eq!(AssociationResponse::parse(&octets), Ok((response, octets.len())));
        }

        #[test]
        fn any_bytes(mut input in proptest::collection::vec(any::<u8>(), 1..100), response: bool) {
            input[0] = if response { 0x61 } else { 0x60 };
            if let Ok((_, end)) = AssociationRequest::parse(&input) { prop_assert!(end <= input.len()); }
            if let Ok((_, end)) = AssociationResponse::parse(&input) { prop_assert!(end <= input.len()); }
            let _ = (Initiate::parse_request(&input), Initiate::parse_response(&input), ServiceError::parse(&input));
        }
    }
}
