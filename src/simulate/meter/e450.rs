//! The push of a Landis+Gyr E450 on its customer interface: DLMS in HDLC, 2400 8E1, every five seconds.
//!
//! The list is the one that Swiss utilities agreed on (VSE, 2026): it describes itself, and its values carry no scalers. The
//! forms are those of published captures: frames to `CE FF` from `03` with control `13`, local time without deviation,
//! block transfer in pieces of 112 octets with the LLC header in the first frame only, security control 30.

use super::push::Telegram;
use crate::reading::{MeterTime, Obis, Offset};
use crate::simulate::works::Works;
use crate::wire::Line;
use crate::wire::dlms::{Authenticator, Data, Key, Protection, SystemTitle, date_time_octets, put_length, tag};
use crate::wire::hdlc::{self, Address, Control};
use std::fmt;

/// The keys of a ciphered push.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PushKeys {
    /// Encryption key.
    pub encryption: [u8; 16],
    /// Authentication key.
    pub authentication: [u8; 16],
}

impl PushKeys {
    /// Those of the published examples of the Green Book, which everybody knows.
    pub const EXAMPLE: Self = Self {
        encryption: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        authentication: [
            0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF,
        ],
    };
}

impl PushKeys {
    pub(super) fn authenticator(&self) -> Authenticator {
        Authenticator { encryption: Key::new(self.encryption), authentication: Key::new(self.authentication) }
    }
}

impl fmt::Debug for PushKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushKeys(***)")
    }
}

/// The push in one of its forms.
#[derive(Debug, Clone)]
pub struct E450 {
    keys: Option<PushKeys>,
    in_blocks: bool,
    is_enabled: bool,
    invoke: u32,
}

impl E450 {
    /// Enciphered where there are keys; in one frame, or by general block transfer.
    #[must_use]
    pub const fn new(keys: Option<PushKeys>, in_blocks: bool) -> Self {
        Self { keys, in_blocks, is_enabled: true, invoke: 0 }
    }

    /// The same before the utility has enabled the push: all that comes is a stray short frame of M-Bus.
    #[must_use]
    pub const fn disabled(self) -> Self {
        Self { is_enabled: false, ..self }
    }
}

/// Octets of data in a block.
const BLOCK: usize = 0x70;
/// What comes on lines where nothing else does: SND_NKE to M-Bus address 1.
const STRAY: [u8; 5] = [0x10, 0x40, 0x01, 0x41, 0x16];
const LLC: [u8; 3] = [0xE6, 0xE7, 0x00];

impl Telegram for E450 {
    fn line(&self) -> Line {
        Line::eight_even(2_400)
    }

    fn period(&self) -> u32 {
        5
    }

    fn write(&mut self, works: &Works) -> (Vec<u8>, Option<usize>) {
        if !self.is_enabled {
            return (STRAY.to_vec(), None);
        }
        self.invoke = self.invoke.wrapping_add(1);
        let mut apdu = notification(works, self.invoke);
        if let Some(keys) = &self.keys {
            apdu = sealed(&apdu, works, keys);
        }
        let mut out = Vec::with_capacity(apdu.len() + 64);
        if self.in_blocks {
            let last = apdu.len().div_ceil(BLOCK);
            for (number, block) in (1u16..).zip(apdu.chunks(BLOCK)) {
                let control = if usize::from(number) == last { 0xC0 } else { 0x40 };
                let mut information = if number == 1 { LLC.to_vec() } else { Vec::new() };
                information.extend([0xE0, control]);
                information.extend(number.to_be_bytes());
                information.extend([0, 0]);
                put_length(&mut information, block.len());
                information.extend_from_slice(block);
                out.extend(frame(&information));
            }
        } else {
            out.extend(frame(&[LLC.as_slice(), &apdu].concat()));
        }
        // The last octet that the frame check covers: an enciphered APDU would outlive a wrong frame check, by its own tag.
        let check = out.len() - 4;
        (out, Some(check))
    }
}

/// A frame of unnumbered information, from the meter to whoever listens.
fn frame(information: &[u8]) -> Vec<u8> {
    /// `CE FF`
    const EVERYBODY: Address = Address::server(0x67, Some(0x7F));
    hdlc::encode(EVERYBODY, Address::client(1), Control::Unnumbered, true, false, information)
}

/// The plain APDU: a data notification.
fn notification(works: &Works, invoke: u32) -> Vec<u8> {
    let mut out = vec![0x0F];
    out.extend(invoke.to_be_bytes());
    out.push(12);
    out.extend(date_time(works, false));
    let entries = entries(works);
    // A structure, whose first element is the list of what all of them are. It has no value of its own.
    out.extend([tag::STRUCTURE, u8::try_from(entries.len()).unwrap_or(0)]);
    Data::Array(entries.iter().map(Entry::description).collect()).encode(&mut out);
    for value in entries.iter().filter_map(|entry| entry.value.as_ref()) {
        value.encode(&mut out);
    }
    out
}

/// An attribute and its value.
struct Entry {
    class: u16,
    obis: Obis,
    attribute: i8,
    value: Option<Data>,
}

impl Entry {
    fn description(&self) -> Data {
        Data::Structure(vec![Data::U16(self.class), Data::obis(self.obis), Data::I8(self.attribute), Data::U16(0)])
    }
}

fn entries(works: &Works) -> Vec<Entry> {
    let (load, counters) = (works.load(), works.counters());
    let entry = |class, obis, attribute, value| Entry { class, obis, attribute, value: Some(value) };
    let push = Obis::new(0, 8, 25, 9, 0, 255);
    let text = |text: &str| Data::Octets(text.as_bytes().to_vec());
    let register = |obis, number: u64| entry(3, obis, 2, Data::U32(u32::try_from(number).unwrap_or(u32::MAX)));
    let small = |obis, number: u64| entry(3, obis, 2, Data::U16(u16::try_from(number).unwrap_or(u16::MAX)));
    let positive = super::digits::positive;
    let energy = |c| Obis::new(1, 1, c, 8, 0, 255);
    let mut entries = vec![
        Entry { class: 40, obis: push, attribute: 2, value: None },
        entry(40, push, 1, Data::obis(push)),
        entry(1, Obis::new(0, 0, 42, 0, 0, 255), 2, text(&device_name(works))),
        entry(1, Obis::new(0, 0, 96, 1, 1, 255), 2, text(&works.serial().to_string())),
        entry(8, Obis::new(0, 0, 1, 0, 0, 255), 2, Data::Octets(date_time(works, true).to_vec())),
        register(energy(1), counters.import_wh()),
        register(energy(2), counters.export_wh()),
        register(energy(3), counters.reactive_import_varh()),
        register(energy(4), counters.reactive_export_varh()),
        register(Obis::electricity(1, 7, 0), positive(load.watts())),
        register(Obis::electricity(2, 7, 0), positive(-load.watts())),
    ];
    for (phase, c) in load.phases.iter().zip([32, 52, 72]) {
        entries.push(small(Obis::electricity(c, 7, 0), positive(phase.decivolts + 5) / 10));
    }
    for (phase, c) in load.phases.iter().zip([31, 51, 71]) {
        entries.push(small(Obis::electricity(c, 7, 0), phase.milliamperes() / 10));
    }
    entries
}

/// The logical device name: maker, type and number, sixteen characters.
pub(super) fn device_name(works: &Works) -> String {
    format!("LGZ10306{:08}", works.serial())
}

/// The system title: maker, `g`, number.
pub(super) fn system_title(works: &Works) -> [u8; 8] {
    let [a, b, c, d] = works.serial().to_be_bytes();
    [b'L', b'G', b'Z', b'g', a, b, c, d]
}

/// Local time without deviation and hundredths (Blue Book 4.1.6.1). Only the clock object says that it is summer; the header
/// never does.
fn date_time(works: &Works, says_summer: bool) -> [u8; 12] {
    const HUNDREDTHS: usize = 8;
    let clock = works.clock().on_clock(works.zone());
    let offset = if says_summer { clock.offset } else { Offset::Unknown };
    let mut octets = date_time_octets(&MeterTime { offset, ..clock });
    octets[HUNDREDTHS] = 0xFF;
    octets
}

/// General global ciphering with a tag. The counter is that of the five-second periods since 1970, so that it rises from run
/// to run as well.
fn sealed(apdu: &[u8], works: &Works, keys: &PushKeys) -> Vec<u8> {
    let counter = u32::try_from(works.now().unix_seconds() / 5).unwrap_or(u32::MAX);
    let title = SystemTitle(system_title(works));
    Protection { keys: keys.authenticator(), title, counter }.seal_general(apdu).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Instant;
    use crate::simulate::meter::{Meter as _, Push};
    use crate::simulate::works::Setup;
    use crate::wire::Cut;
    use crate::wire::dlms::{Apdu, Joiner, Keys, Verified, open};

    fn first(e450: E450) -> Vec<u8> {
        let start = Instant::parse_utc("2025-07-11T12:30:00Z").unwrap();
        Push::new(Works::new(&Setup::new(1, start)), e450).act(start).unwrap().bytes
    }

    /// Frames, blocks and ciphering undone by the reader's own means.
    fn plain(bytes: &[u8]) -> (Vec<u8>, Verified) {
        let mut joiner = Joiner::new();
        let mut at = 0;
        while at < bytes.len() {
            match hdlc::cut(&bytes[at..], true) {
                Cut::Whole { len, value } => {
                    let joined = joiner.hdlc(&value, &bytes[at..at + len], at as u64);
                    if let Some(apdu) = joined.apdu {
                        let keys = Keys {
                            encryption: "000102030405060708090a0b0c0d0e0f".parse().ok(),
                            authentication: "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf".parse().ok(),
                            title: None,
                        };
                        let opened = open(apdu.bytes, &keys).unwrap();
                        return (opened.plain.into_owned(), opened.verified);
                    }
                    at += len;
                }
                Cut::Nothing => at += 1,
                other => panic!("{other:?}"),
            }
        }
        panic!("no APDU in {bytes:02x?}");
    }

    #[test]
    fn all_forms_hold_the_same_list() {
        let (whole, verified) = plain(&first(E450::new(None, false)));
        assert_eq!(verified, Verified::Plain);
        assert!(matches!(Apdu::parse(&whole), Ok((Apdu::Notification(_), len)) if len == whole.len()));
        assert_eq!(plain(&first(E450::new(None, true))), (whole.clone(), Verified::Plain));
        for in_blocks in [false, true] {
            let keys = Some(PushKeys::EXAMPLE);
            assert_eq!(plain(&first(E450::new(keys, in_blocks))), (whole.clone(), Verified::Tag));
        }
    }

    #[test]
    fn a_push_fits_into_its_period() {
        let bytes = first(E450::new(Some(PushKeys::EXAMPLE), true));
        assert!(Line::eight_even(2_400).time_of(bytes.len()).as_secs() < 4, "{} octets", bytes.len());
    }

    #[test]
    fn before_the_push_is_enabled_only_a_stray_frame_comes() {
        assert_eq!(first(E450::new(None, false).disabled()), STRAY);
    }

    #[test]
    fn keys_are_never_printed() {
        assert!(!format!("{:?}", E450::new(Some(PushKeys::EXAMPLE), false)).contains("13"));
    }
}
