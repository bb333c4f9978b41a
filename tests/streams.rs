//! What holds for every decoder and every stream: any chunking gives the same answer, damage never gives another number,
//! noise costs no telegram and no memory.

#![allow(missing_docs, clippy::print_stdout)]

mod testenv;

use proptest::prelude::*;
use releve::acquire::{Decoder, Outcome, Settings};
use releve::reading::{AnomalyCode, Quality, Reading, Register};
use releve::wire::dlms::Keys;
use std::fs;
use testenv::check::at_most;
use testenv::{captures, control, figures, fixture};

fn settings() -> Settings {
    let keys = Keys {
        encryption: "000102030405060708090a0b0c0d0e0f".parse().ok(),
        authentication: "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf".parse().ok(),
        ..Keys::default()
    };
    Settings { keys, ..Settings::default() }
}

/// Everything a stream gives when it comes in these pieces.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Reading>, Vec<String>) {
    let (mut readings, mut faults) = (Vec::new(), Vec::new());
    let mut sink = |outcome| match outcome {
        Outcome::Reading(reading) => readings.push(reading),
        Outcome::Fault(fault) => faults.push(fault.to_string()),
    };
    let mut decoder = Decoder::new(settings());
    for piece in pieces {
        decoder.push(piece, &mut sink);
    }
    decoder.finish(&mut sink);
    (readings, faults)
}

fn registers(readings: &[Reading]) -> Vec<&[Register]> {
    readings.iter().map(|reading| reading.registers.as_slice()).collect()
}

#[test]
fn byte_by_byte_is_the_same_as_whole() {
    for (name, path) in captures() {
        let bytes = fs::read(path).unwrap();
        let whole = decode([bytes.as_slice()]);
        assert!(!whole.0.is_empty(), "{name} has no reading");
        let slow = decode(bytes.chunks(1));
        assert_eq!(slow.1, whole.1, "{name}: faults");
        for (slow, whole) in slow.0.iter().zip(&whole.0) {
            assert_eq!(slow.anomalies, whole.anomalies, "{name}");
        }
        assert_eq!(slow, whole, "{name}");
    }
}

#[test]
fn idle_bytes_before_the_first_telegram_change_nothing_however_they_come() {
    // A line that idles at 0 sends NULs; what needs the start of the input, as data lines without identification, is there.
    let mut inputs: Vec<_> = captures().into_iter().map(|(name, path)| (name, fs::read(path).unwrap())).collect();
    inputs.push(("data lines".to_owned(), b"1-0:1.8.0(000123.456*kWh)\r\n1-0:2.8.0(000000.001*kWh)\r\n".to_vec()));
    for (name, bytes) in inputs {
        let bare = decode([bytes.as_slice()]);
        let late = [b"\0\0\0\r\n\0\0".as_slice(), &bytes].concat();
        let whole = decode([late.as_slice()]);
        assert_eq!(registers(&whole.0), registers(&bare.0), "{name}");
        for size in [1, 7, 64] {
            assert_eq!(decode(late.chunks(size)), whole, "{name} in pieces of {size}");
        }
    }
}

/// Fixtures in which every byte of a telegram is under a checksum, and none is damaged: a second flip of the same bit
/// would mend it.
fn checked() -> Vec<(String, Vec<u8>)> {
    let others = ["iec62056/mode_d.txt", "dsmr/stream.txt", "sml/push.bin"];
    let all = captures().into_iter().filter(|(name, _)| !others.contains(&name.as_str()));
    all.map(|(name, path)| (name, fs::read(path).unwrap())).collect()
}

/// A readout whose STX or check byte is gone cannot be checked. It is suspect, says so, and its numbers are the right ones.
fn is_honest_part(reading: &Reading, sound: &[&[Register]]) -> bool {
    let says_so = reading.anomalies.iter().any(|anomaly| anomaly.code == AnomalyCode::Unchecked);
    let right = |register: &Register| sound.iter().any(|registers| registers.contains(register));
    says_so && reading.quality == Quality::Suspect && reading.registers.iter().all(right)
}

#[test]
fn promise_p12_a_flipped_bit_gives_an_error_and_never_another_number() {
    let mut flips = 0;
    for (name, bytes) in checked() {
        let (sound, _) = decode([bytes.as_slice()]);
        let sound = registers(&sound);
        flips += bytes.len() * 8;
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let (readings, _) = decode([damaged.as_slice()]);
            honest(&readings, &sound)
                .unwrap_or_else(|why| panic!("{name}: bit {} of byte {}: {why}", bit % 8, bit / 8));
        }
    }
    figures(12, flips, flips, 0, "bits flipped, never another number");
}

/// What damage gives is what was sent, or a part of it that says so.
fn honest(readings: &[Reading], sound: &[&[Register]]) -> Result<usize, String> {
    let is_honest =
        |reading: &&Reading| sound.contains(&reading.registers.as_slice()) || is_honest_part(reading, sound);
    match readings.iter().find(|reading| !is_honest(reading)) {
        Some(reading) => Err(format!("another number: {:?}", reading.registers)),
        None => Ok(readings.len()),
    }
}

/// A telegram of which a digit was changed, with the checksum that fits: no decoder can know, and the check sees it.
#[test]
fn promise_p12_control_another_number_and_a_hoard_of_memory_are_found_out() {
    let sent = String::from_utf8(fs::read(fixture("dsmr/smart5.txt")).unwrap()).unwrap();
    let end = sent.rfind('!').unwrap() + 1;
    let other = sent[..end].replace("001234.567", "001234.568");
    let sum = crc::Crc::<u16>::new(&crc::CRC_16_ARC).checksum(other.as_bytes());
    let other = format!("{other}{sum:04X}\r\n");
    let (sound, _) = decode([sent.as_bytes()]);
    let (changed, _) = decode([other.as_bytes()]);
    assert_eq!(changed.len(), 1);
    let hoard = at_most("KiB of memory", 100 << 10, 16 << 10);
    control(12, [("a digit changed", honest(&changed, &registers(&sound))), ("all the noise kept", hoard)]);
}

#[test]
fn a_lost_byte_gives_an_error_and_never_another_number() {
    // Parity does not notice a byte that is gone.
    for (name, bytes) in checked().into_iter().filter(|(name, _)| name != "dsmr/v2_parity.bin") {
        let (sound, _) = decode([bytes.as_slice()]);
        let sound = registers(&sound);
        for at in 0..bytes.len() {
            let (readings, _) = decode([&bytes[..at], &bytes[at + 1..]]);
            for reading in &readings {
                assert!(
                    sound.contains(&reading.registers.as_slice()) || is_honest_part(reading, &sound),
                    "{name}: without byte {at}: {:?}",
                    reading.registers
                );
            }
        }
    }
}

#[test]
fn a_capture_cut_anywhere_gives_only_whole_telegrams() {
    for (name, bytes) in checked() {
        let (sound, _) = decode([bytes.as_slice()]);
        let sound = registers(&sound);
        for end in 0..bytes.len() {
            let (readings, _) = decode([&bytes[..end]]);
            for reading in &readings {
                let honest = sound.contains(&reading.registers.as_slice()) || is_honest_part(reading, &sound);
                assert!(honest, "{name}: first {end} bytes: {:?}", reading.registers);
            }
        }
    }
}

#[test]
fn two_captures_in_a_row_are_both_read_whatever_stands_between() {
    let noise: [&[u8]; 6] =
        [b"", b"\0\0\0", b"\x7e\x7e", b"/ISK5", b"\x1b\x1b\x1b\x1b\x01\x01", b"\x68\x20\x20\x68\xff"];
    // Blocks without a start of their own are only known as whole inputs.
    let framed: Vec<_> = checked().into_iter().filter(|(name, _)| !name.contains("worked_example.txt")).collect();
    for (first_name, first) in &framed {
        for (second_name, second) in &framed {
            let alone = decode([second.as_slice()]).0;
            for between in noise {
                let (readings, _) = decode([first.as_slice(), between, second.as_slice()]);
                let last = &readings[readings.len().saturating_sub(alone.len())..];
                assert_eq!(registers(last), registers(&alone), "{first_name}, {between:?}, {second_name}");
            }
        }
    }
}

#[test]
fn data_lines_behind_the_echo_of_a_request_are_read() {
    let (readings, faults) = decode([&b"\0\0\r\n/?7654321!\r\n6.8(0012.250*MWh)6.26(00640.50*m3)!\r\n"[..]]);
    assert_eq!((readings.len(), readings[0].registers.len(), faults.len()), (1, 2, 0));
    // Not in the middle of something: then they are the rest of a telegram.
    assert!(decode([&b"xyz\r\n/?!\r\n6.8(0012.250*MWh)\r\n!\r\n"[..]]).0.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_chunking_is_the_same_as_whole(which in 0usize..100, cuts in prop::collection::vec(0usize..4000, 0..12)) {
        let all = captures();
        let (name, path) = &all[which % all.len()];
        let bytes = fs::read(path).unwrap();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(decode(pieces), decode([bytes.as_slice()]), "{}", name);
    }

    #[test]
    fn noise_before_costs_no_telegram(noise in prop::collection::vec(any::<u8>(), 0..600), which in 0usize..100) {
        let framed = ["dsmr/smart5.txt", "sml/worked_example.bin", "dlms/e450_push.bin", "dlms/mbus_two_segments.bin"];
        let bytes = fs::read(fixture(framed[which % framed.len()])).unwrap();
        let alone = decode([bytes.as_slice()]).0;
        let (readings, _) = decode([noise.as_slice(), bytes.as_slice()]);
        prop_assert!(
            registers(&readings).contains(&alone[0].registers.as_slice()),
            "{} after {:02x?}", which % framed.len(), noise
        );
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        decode([bytes.as_slice()]);
    }
}

/// 100 MB of noise with a telegram now and then: all of them are found, in bounded memory.
#[cfg(target_os = "linux")]
#[test]
fn promise_p12_noise_by_the_hundred_megabytes_takes_no_memory() {
    use std::io::{BufWriter, Write as _};
    let place = testenv::Place::new();
    let path = place.path("noise.bin");
    let telegram = fs::read(fixture("dsmr/smart5.txt")).unwrap();
    let mut file = BufWriter::new(fs::File::create(&path).unwrap());
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    for _ in 0..100 {
        for _ in 0..131_072 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            file.write_all(&state.to_le_bytes()).unwrap();
        }
        file.write_all(b"\r\n").unwrap();
        file.write_all(&telegram).unwrap();
    }
    file.into_inner().unwrap().sync_all().unwrap();
    let mut child = place
        .command()
        .args(["read", "noise.bin", "-f", "ndjson", "-q"])
        .stdout(fs::File::create(place.path("out")).unwrap())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
        peak_kib = peak_kib.max(line.trim().trim_end_matches(" kB").parse().unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(child.wait().unwrap().success());
    let readings = fs::read_to_string(place.path("out")).unwrap().lines().count();
    assert_eq!(readings, 100);
    assert!(peak_kib > 0);
    at_most("KiB of memory", peak_kib, 16 * 1024).unwrap();
    figures(12, 100, readings, 100 - readings, format_args!("megabytes of noise, peak {peak_kib} KiB"));
}
