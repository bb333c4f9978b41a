//! What both sides agree on inside an association: services, the size of APDUs; and what stands in the way.

use super::Fail;

/// The service with this number in the standard's table.
const fn bit(number: u32) -> Conformance {
    Conformance(0x80_00_00 >> number)
}

/// The services an association offers (Green Book, table 16). Bit 0 of the standard is the highest of 24.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conformance(pub u32);

impl Conformance {
    /// GET answers in several blocks.
    pub const BLOCK_GET: Self = bit(11);
    /// Several attributes in one request.
    pub const MULTIPLE: Self = bit(14);
    /// GET.
    pub const GET: Self = bit(19);
    /// A part of an attribute: rows of a profile by time or by number.
    pub const SELECTIVE: Self = bit(21);
    /// ACTION, which the last step of high-level security takes.
    pub const ACTION: Self = bit(23);
    /// What a program that only reads proposes.
    pub const READER: Self = Self(Self::BLOCK_GET.0 | Self::GET.0 | Self::SELECTIVE.0 | Self::ACTION.0);

    /// Whether all services of `other` are offered.
    #[must_use]
    pub const fn offers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The services both sides know.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// The services and the largest APDU one side offers: InitiateRequest and InitiateResponse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Initiate {
    /// The services.
    pub conformance: Conformance,
    /// The longest APDU the sender takes, 0 for any.
    pub max_pdu: u16,
}

/// The version of DLMS there is.
const VERSION: u8 = 6;

impl Initiate {
    /// `01 00 00 00 06 5F1F 04 00 conformance(3) size(2)`: no dedicated key, an answer wanted, no quality of service.
    #[must_use]
    pub fn request(&self) -> Vec<u8> {
        let mut out = vec![0x01, 0, 0, 0, VERSION];
        self.write(&mut out);
        out
    }

    /// `08 00 06 5F1F 04 00 conformance(3) size(2) 0007`: the last two name the objects by logical names.
    #[must_use]
    pub fn response(&self) -> Vec<u8> {
        let mut out = vec![0x08, 0, VERSION];
        self.write(&mut out);
        out.extend([0x00, 0x07]);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        let [_, a, b, c] = self.conformance.0.to_be_bytes();
        let [high, low] = self.max_pdu.to_be_bytes();
        out.extend([0x5F, 0x1F, 0x04, 0x00, a, b, c, high, low]);
    }

    /// An InitiateRequest; a dedicated key in it is stepped over.
    ///
    /// # Errors
    /// [`Fail`] where it is none, or of another version.
    pub fn parse_request(bytes: &[u8]) -> Result<Self, Fail> {
        let octet = |at: usize| bytes.get(at).copied().ok_or(Fail::Short { need: at + 1 });
        if octet(0)? != 0x01 {
            return Err(Fail::wrong(0, "no initiate request"));
        }
        let mut at = 2;
        if octet(1)? != 0 {
            let (length, from) = super::length(bytes, 2)?;
            at = from + length;
        }
        // Response allowed and quality of service: absent, or one octet each.
        for _ in 0..2 {
            at += if octet(at)? == 0 { 1 } else { 2 };
        }
        Self::tail(bytes, at)
    }

    /// An InitiateResponse.
    ///
    /// # Errors
    /// [`Fail`] where it is none, or of another version.
    pub fn parse_response(bytes: &[u8]) -> Result<Self, Fail> {
        match *bytes {
            [0x08, 0, ..] => Self::tail(bytes, 2),
            [0x08, _, ..] => Self::tail(bytes, 3),
            _ => Err(Fail::wrong(0, "no initiate response")),
        }
    }

    /// Version, conformance, size.
    fn tail(bytes: &[u8], at: usize) -> Result<Self, Fail> {
        let rest = bytes.get(at..).unwrap_or_default();
        // The second octet of the tag may be missing (Green Book, table 17, note 2).
        match *rest {
            [VERSION, 0x5F, 0x1F, 0x04, _, a, b, c, high, low, ..]
            | [VERSION, 0x5F, 0x04, _, a, b, c, high, low, ..] => Ok(Self {
                conformance: Conformance(u32::from_be_bytes([0, a, b, c])),
                max_pdu: u16::from_be_bytes([high, low]),
            }),
            [VERSION, ..] => Err(Fail::wrong(at + 1, "no conformance block")),
            _ => Err(Fail::wrong(at, "another version of DLMS than 6")),
        }
    }
}

/// ConfirmedServiceError, `0E service error value`: why an association could not even be considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceError {
    /// Which service: 1 initiate.
    pub service: u8,
    /// Which list the value is of: 6 initiate.
    pub error: u8,
    /// What is wrong.
    pub value: u8,
}

impl ServiceError {
    /// What a server says to an InitiateRequest it cannot serve; 1 version too low, 2 conformance, 3 size too short,
    /// 4 refused.
    #[must_use]
    pub const fn initiate(value: u8) -> Self {
        Self { service: 1, error: 6, value }
    }

    /// The four octets.
    #[must_use]
    pub const fn encode(self) -> [u8; 4] {
        [0x0E, self.service, self.error, self.value]
    }

    /// Those of an APDU.
    ///
    /// # Errors
    /// [`Fail`] where it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fail> {
        match *bytes {
            [0x0E, service, error, value, ..] => Ok(Self { service, error, value }),
            [] | [0x0E, ..] => Err(Fail::Short { need: 4 }),
            _ => Err(Fail::wrong(0, "no confirmed service error")),
        }
    }

    /// What it says.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match (self.error, self.value) {
            (6, 1) => "the version of DLMS is too low",
            (6, 2) => "the services asked for do not fit",
            (6, 3) => "the APDU size is too short",
            (6, 4) => "refused by the meter",
            (0, _) => "application reference",
            (1, _) => "no resources in the meter",
            (2, _) => "the meter is not in the state for it",
            (3, _) => "service not supported",
            (4, _) => "definition",
            (5, _) => "access",
            _ => "another reason",
        }
    }
}
