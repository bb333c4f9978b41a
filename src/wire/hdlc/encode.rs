//! Writing HDLC frames, and the sizes that SNRM and UA negotiate.

use super::{Address, Control, FLAG};
use crate::wire::crc;

/// The most information a frame can carry: 2047 octets between the flags, less the longest header and both checks.
pub const MAX_INFORMATION: usize = 2030;

impl Address {
    /// A client's address, always one octet; up to 127.
    #[must_use]
    pub const fn client(number: u8) -> Self {
        Self { upper: (number & 0x7F) as u16, lower: None, octets: 1 }
    }

    /// A server's address in as few octets as it takes: one without a lower part, two, or four.
    #[must_use]
    pub const fn server(upper: u16, lower: Option<u16>) -> Self {
        let octets = match lower {
            None if upper < 0x80 => 1,
            Some(lower) if upper < 0x80 && lower < 0x80 => 2,
            _ => 4,
        };
        let lower = match lower {
            None if octets == 4 => Some(0),
            lower => lower,
        };
        Self { upper, lower, octets }
    }

    fn write(self, out: &mut Vec<u8>) {
        // Seven bits an octet; masked, so that the cast keeps all of them.
        #[allow(clippy::cast_possible_truncation)]
        let seven = |part: u16, shift: u16| ((part >> shift) as u8 & 0x7F) << 1;
        let lower = self.lower.unwrap_or(0);
        match self.octets {
            1 => out.push(seven(self.upper, 0) | 1),
            2 => out.extend([seven(self.upper, 0), seven(lower, 0) | 1]),
            _ => out.extend([seven(self.upper, 7), seven(self.upper, 0), seven(lower, 7), seven(lower, 0) | 1]),
        }
    }
}

/// One frame with both its flags. `information` has at most [`MAX_INFORMATION`] octets; what is beyond is left out.
#[must_use]
pub fn encode(
    destination: Address,
    source: Address,
    control: Control,
    poll: bool,
    segmented: bool,
    information: &[u8],
) -> Vec<u8> {
    let information = information.get(..MAX_INFORMATION).unwrap_or(information);
    let mut out = Vec::with_capacity(information.len() + 20);
    out.extend([FLAG, 0, 0]);
    destination.write(&mut out);
    source.write(&mut out);
    out.push(control.octet(poll));
    let checks = if information.is_empty() { 2 } else { 4 };
    // The format field counts everything between the flags; eleven bits hold it.
    #[allow(clippy::cast_possible_truncation)]
    let length = (out.len() - 1 + checks + information.len()) as u16 & 0x07FF;
    let format = 0xA000 | if segmented { 0x0800 } else { 0 } | length;
    if let Some(place) = out.get_mut(1..3) {
        place.copy_from_slice(&format.to_be_bytes());
    }
    if !information.is_empty() {
        let check = crc::x25(out.get(1..).unwrap_or_default());
        out.extend(check.to_le_bytes());
        out.extend_from_slice(information);
    }
    let check = crc::x25(out.get(1..).unwrap_or_default());
    out.extend(check.to_le_bytes());
    out.push(FLAG);
    out
}

/// How much a side sends and takes at once, as SNRM and UA say it: seen from the sender of that frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of information in a frame it sends.
    pub transmit: u16,
    /// Octets of information in a frame it takes.
    pub receive: u16,
    /// Frames it sends before it waits for an answer, 1 to 7.
    pub transmit_window: u8,
    /// Frames it takes before it gives an answer, 1 to 7.
    pub receive_window: u8,
}

impl Default for Limits {
    /// What holds where nothing is said: 128 octets and one frame, both ways.
    fn default() -> Self {
        Self { transmit: 128, receive: 128, transmit_window: 1, receive_window: 1 }
    }
}

impl Limits {
    /// What the information of an SNRM or UA says; what it leaves out, or garbles, keeps its default.
    #[must_use]
    pub fn parse(information: &[u8]) -> Self {
        let mut limits = Self::default();
        let [0x81, 0x80, _, rest @ ..] = information else { return limits };
        let mut rest = rest;
        while let [id, length, more @ ..] = rest {
            let Some((value, behind)) = more.split_at_checked(usize::from(*length)) else { break };
            let number = value.iter().fold(0u32, |sum, &octet| sum << 8 | u32::from(octet));
            let size = || u16::try_from(number).unwrap_or(u16::MAX).clamp(16, MAX_INFORMATION as u16);
            let window = || u8::try_from(number).unwrap_or(u8::MAX).clamp(1, 7);
            match id {
                0x05 => limits.transmit = size(),
                0x06 => limits.receive = size(),
                0x07 => limits.transmit_window = window(),
                0x08 => limits.receive_window = window(),
                _ => {}
            }
            rest = behind;
        }
        limits
    }

    /// The information of an SNRM: sizes in two octets, as gurux writes them.
    #[must_use]
    pub fn request(&self) -> Vec<u8> {
        self.write(2)
    }

    /// The information of a UA: sizes in as few octets as they take.
    #[must_use]
    pub fn answer(&self) -> Vec<u8> {
        self.write(1)
    }

    fn write(&self, least: usize) -> Vec<u8> {
        let mut out = vec![0x81, 0x80, 0];
        for (id, size) in [(0x05, self.transmit), (0x06, self.receive)] {
            match size.to_be_bytes() {
                [0, low] if least == 1 => out.extend([id, 1, low]),
                [high, low] => out.extend([id, 2, high, low]),
            }
        }
        for (id, window) in [(0x07, self.transmit_window), (0x08, self.receive_window)] {
            out.extend([id, 4, 0, 0, 0, window]);
        }
        let length = u8::try_from(out.len() - 3).unwrap_or(u8::MAX);
        if let Some(place) = out.get_mut(2) {
            *place = length;
        }
        out
    }

    /// What holds for this side once the other has said `theirs`: neither sends more than the other takes.
    #[must_use]
    pub fn agreed(&self, theirs: &Self) -> Self {
        Self {
            transmit: self.transmit.min(theirs.receive),
            receive: self.receive.min(theirs.transmit),
            transmit_window: self.transmit_window.min(theirs.receive_window),
            receive_window: self.receive_window.min(theirs.transmit_window),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Cut;
    use crate::wire::dlms::examples::bytes;
    use crate::wire::hdlc::cut;
    use proptest::prelude::*;

    const PUBLIC: Address = Address::client(16);
    const SERVER: Address = Address::server(1, None);

    fn check(frame: &[u8], hex: &str) {
        assert_eq!(frame, bytes(hex), "{hex}");
    }

    #[test]
    fn the_frames_of_the_specification() {
        let plain = |control| encode(SERVER, PUBLIC, control, true, false, &[]);
        check(&plain(Control::SetNormalResponseMode), "7E A0 07 03 21 93 0F 01 7E");
        check(&plain(Control::Disconnect), "7E A0 07 03 21 53 03 C7 7E");
        check(&plain(Control::ReceiveReady { expected: 1 }), "7E A0 07 03 21 31 17 87 7E");
        check(&plain(Control::ReceiveReady { expected: 2 }), "7E A0 07 03 21 51 11 E4 7E");
        let asks = Limits::default().request();
        check(
            &encode(SERVER, PUBLIC, Control::SetNormalResponseMode, true, false, &asks),
            "7E A0 20 03 21 93 7D D9 81 80 14 05 02 00 80 06 02 00 80 07 04 00 00 00 01 08 04 00 00 00 01 CE 6A 7E",
        );
        let grants = Limits::default().answer();
        check(
            &encode(PUBLIC, SERVER, Control::Acknowledge, true, false, &grants),
            "7E A0 1E 21 03 73 C3 7A 81 80 12 05 01 80 06 01 80 07 04 00 00 00 01 08 04 00 00 00 01 53 3B 7E",
        );
        let get = bytes("E6 E6 00 C0 01 C1 00 08 00 00 01 00 00 FF 02 00");
        check(
            &encode(SERVER, PUBLIC, Control::Information { sent: 1, expected: 1 }, true, false, &get),
            "7E A0 19 03 21 32 6F D8 E6 E6 00 C0 01 C1 00 08 00 00 01 00 00 FF 02 00 60 1A 7E",
        );
        let answer = bytes("E6 E7 00 C4 01 C1 00 06 00 00 32 89");
        check(
            &encode(PUBLIC, SERVER, Control::Information { sent: 1, expected: 2 }, true, false, &answer),
            "7E A0 15 21 03 52 5D 8A E6 E7 00 C4 01 C1 00 06 00 00 32 89 A6 84 7E",
        );
    }

    #[test]
    fn addresses_take_as_few_octets_as_they_can() {
        let mut out = Vec::new();
        Address::server(0x1234, Some(0x3FFF)).write(&mut out);
        Address::client(0x3A).write(&mut out);
        check(&out, "48 68 FE FF 75");
        assert_eq!(Address::server(1, Some(17)), Address { upper: 1, lower: Some(17), octets: 2 });
        assert_eq!(Address::server(0x80, None), Address { upper: 0x80, lower: Some(0), octets: 4 });
    }

    #[test]
    fn neither_side_sends_more_than_the_other_takes() {
        // A real Iskra answers 410 octets in two and four octets wide parameters.
        let theirs = Limits::parse(&bytes("81 80 12 05 01 9A 06 01 9A 07 04 00 00 00 01 08 04 00 00 00 01"));
        assert_eq!((theirs.transmit, theirs.receive), (154, 154));
        let ours = Limits { transmit: 512, receive: 128, transmit_window: 1, receive_window: 7 };
        let agreed = Limits { transmit: 154, receive: 128, transmit_window: 1, receive_window: 1 };
        assert_eq!(ours.agreed(&theirs), agreed);
        assert_eq!(Limits::parse(&[]), Limits::default());
        // What is left out keeps its default, nonsense is brought into range.
        let odd = Limits::parse(&bytes("81 80 0A 06 02 FF FF 07 01 00 05 01 00 99 05"));
        assert_eq!(odd, Limits { transmit: 16, receive: 2030, ..Limits::default() });
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            upper in 0u16..0x4000, lower in proptest::option::of(0u16..0x4000), client in 0u8..0x80, octet: u8,
            segmented: bool, information in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let (control, poll) = Control::parse(octet);
            let server = Address::server(upper, lower);
            let frame = encode(server, Address::client(client), control, poll, segmented, &information);
            let Cut::Whole { len, value } = cut(&frame, false) else { panic!("{frame:02x?}") };
            prop_assert_eq!(len + 1, frame.len());
            prop_assert_eq!((value.destination, value.source), (server, Address::client(client)));
            prop_assert_eq!((value.control, value.segmented), (octet, segmented));
            prop_assert_eq!(&frame[value.information], &information[..]);
        }

        #[test]
        fn limits_read_back(transmit in 16u16..2030, receive in 16u16..2030, transmit_window in 1u8..8, receive_window in 1u8..8) {
            let limits = Limits { transmit, receive, transmit_window, receive_window };
            prop_assert_eq!(Limits::parse(&limits.request()), limits);
            prop_assert_eq!(Limits::parse(&limits.answer()), limits);
        }

        #[test]
        fn any_parameters(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let limits = Limits::parse(&bytes);
            prop_assert!(limits.transmit >= 16 && limits.transmit_window >= 1);
        }
    }
}
