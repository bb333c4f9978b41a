//! How fast captures become readings: full decode with every checksum, on one core, against the crates sml-rs and dsmr5, and
//! against libsml where it is installed (libsml-dev), on the same generated corpus in the same run.
//!
//! ```text
//! cargo bench --bench decode
//! ```
//!
//! Machines drift while they run, so ours and the peer take turns, and the medians and their ratio are printed.

#![allow(clippy::print_stdout, clippy::disallowed_methods, missing_docs, clippy::cast_precision_loss)]

use releve::acquire::{Decoder, Outcome, Settings};
use releve::wire::crc;
use std::hint::black_box;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::Instant;

/// How much of each protocol is decoded in a round.
const CORPUS: usize = 8 * 1024 * 1024;
const ROUNDS: usize = 9;

fn main() {
    println!("corpus      telegrams  registers   releve MB/s    peer MB/s  ratio  peer");
    row("P1", &corpus(p1), Some(("dsmr5", dsmr5)));
    let corpus_of_sml = corpus(sml);
    row("SML", &corpus_of_sml, Some(("sml-rs", sml_rs)));
    libsml(&corpus_of_sml);
    row("D0 text", &corpus(d0), None);
    row("E450 push", &corpus(e450), None);
    row("noise", &noise(), None);
}

/// The same corpus through libsml, in a process of its own that holds it in memory.
fn libsml(corpus: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let (program, file) = (folder.path().join("libsml"), folder.path().join("corpus"));
    std::fs::write(&file, corpus).unwrap();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/libsml.c");
    let built =
        Command::new("cc").args(["-O2", "-o"]).arg(&program).args([source, "-lsml"]).stderr(Stdio::null()).status();
    if !built.is_ok_and(|status| status.success()) {
        println!("           libsml is not installed");
        return;
    }
    let output = Command::new(program).arg(file).arg(ROUNDS.to_string()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let (entries, seconds) = said.trim().split_once(' ').unwrap();
    let theirs = corpus.len() as f64 / 1e6 / seconds.parse::<f64>().unwrap();
    let ours = median((0..ROUNDS).map(|_| rate(corpus, |bytes| releve(bytes).1)).collect());
    println!("{:<10} {:>10} {entries:>10} {ours:>13.0} {theirs:>12.0} {:>6.2}  libsml", "", "", ours / theirs);
}

type Peer = (&'static str, fn(&[u8]) -> usize);

fn row(name: &str, corpus: &[u8], peer: Option<Peer>) {
    let (telegrams, registers) = releve(corpus);
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for _ in 0..ROUNDS {
        ours.push(rate(corpus, |bytes| releve(bytes).1));
        if let Some((_, peer)) = peer {
            theirs.push(rate(corpus, peer));
        }
    }
    let ours = median(ours);
    print!("{name:<10} {telegrams:>10} {registers:>10} {ours:>13.0}");
    match peer {
        Some((peer, _)) => {
            let theirs = median(theirs);
            println!(" {theirs:>12.0} {:>6.2}  {peer}", ours / theirs);
        }
        None => println!("            -      -"),
    }
}

fn rate(corpus: &[u8], work: impl Fn(&[u8]) -> usize) -> f64 {
    let start = Instant::now();
    black_box(work(black_box(corpus)));
    corpus.len() as f64 / 1e6 / start.elapsed().as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn releve(corpus: &[u8]) -> (usize, usize) {
    let (mut telegrams, mut registers) = (0, 0);
    let mut sink = |outcome| {
        if let Outcome::Reading(reading) = outcome {
            telegrams += 1;
            registers += black_box(&reading).registers.len();
        }
    };
    let mut decoder = Decoder::new(Settings::default());
    // As a file or a port hands them over.
    for chunk in corpus.chunks(64 * 1024) {
        decoder.push(chunk, &mut sink);
    }
    decoder.finish(&mut sink);
    (telegrams, registers)
}

fn sml_rs(corpus: &[u8]) -> usize {
    use sml_rs::parser::complete::{File, MessageBody};
    let mut reader = sml_rs::SmlReader::from_slice(corpus);
    let mut entries = 0;
    while let Some(result) = reader.next::<File<'_>>() {
        let Ok(file) = result else { continue };
        for message in &file.messages {
            if let MessageBody::GetListResponse(list) = &message.message_body {
                entries += black_box(list).val_list.len();
            }
        }
    }
    entries
}

fn dsmr5(corpus: &[u8]) -> usize {
    let mut objects = 0;
    for readout in dsmr5::Reader::new(corpus.bytes()) {
        let Ok(readout) = readout else { continue };
        let Ok(telegram) = readout.to_telegram() else { continue };
        objects += telegram.objects().filter(|object| black_box(object).is_ok()).count();
    }
    objects
}

fn corpus(telegram: fn(u32) -> Vec<u8>) -> Vec<u8> {
    let mut corpus = Vec::with_capacity(CORPUS + 4096);
    for number in 0.. {
        if corpus.len() >= CORPUS {
            break;
        }
        corpus.extend(telegram(number));
    }
    corpus
}

fn noise() -> Vec<u8> {
    // A small generator is enough: the bytes only have to have no structure.
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    (0..CORPUS)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[7]
        })
        .collect()
}

fn p1(number: u32) -> Vec<u8> {
    let (second, wh, watts) = (number % 60, 1_234_567 + number, number * 7 % 4000);
    let mut text = format!(
        "/ISK5\\2M550T-1011\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(2511071430{second:02}W)\r\n\
         0-0:96.1.1(4530303434303037313430333630353137)\r\n\
         1-0:1.8.1({:06}.{:03}*kWh)\r\n1-0:1.8.2(000890.123*kWh)\r\n1-0:2.8.1(000012.004*kWh)\r\n\
         1-0:2.8.2(000104.800*kWh)\r\n0-0:96.14.0(0002)\r\n1-0:1.7.0({:02}.{:03}*kW)\r\n1-0:2.7.0(00.000*kW)\r\n\
         0-0:96.7.21(00006)\r\n0-0:96.7.9(00003)\r\n1-0:99.97.0(1)(0-0:96.7.19)(180417201458S)(0000000236*s)\r\n\
         1-0:32.32.0(00000)\r\n1-0:52.32.0(00000)\r\n1-0:72.32.0(00000)\r\n1-0:32.36.0(00000)\r\n\
         1-0:52.36.0(00000)\r\n1-0:72.36.0(00000)\r\n0-0:96.13.0()\r\n1-0:32.7.0(231.5*V)\r\n1-0:52.7.0(232.1*V)\r\n\
         1-0:72.7.0(230.8*V)\r\n1-0:31.7.0(001*A)\r\n1-0:51.7.0(002*A)\r\n1-0:71.7.0(003*A)\r\n\
         1-0:21.7.0(00.332*kW)\r\n1-0:41.7.0(00.000*kW)\r\n1-0:61.7.0(00.047*kW)\r\n1-0:22.7.0(00.000*kW)\r\n\
         1-0:42.7.0(00.000*kW)\r\n1-0:62.7.0(00.000*kW)\r\n!",
        wh / 1000,
        wh % 1000,
        watts / 1000,
        watts % 1000,
    )
    .into_bytes();
    let sum = crc::arc(&text);
    text.extend(format!("{sum:04X}\r\n").bytes());
    text
}

fn d0(number: u32) -> Vec<u8> {
    let wh = 219_252 + number;
    let mut text = format!(
        "\x02F.F(00)\r\n0.0(00188123)\r\nC.1.0(18438636)\r\n1.8.1(000000.001*kWh)\r\n1.8.2({0:06}.{1:03}*kWh)\r\n\
         2.8.1(000000.000*kWh)\r\n2.8.2(000000.000*kWh)\r\n1.8.0({0:06}.{1:03}*kWh)\r\n2.8.0(000000.000*kWh)\r\n\
         15.8.0({0:06}.{1:03}*kWh)\r\nC.7.0(0004)\r\n32.7(233*V)\r\n52.7(233*V)\r\n72.7(234*V)\r\n31.7(002.30*A)\r\n\
         51.7(002.32*A)\r\n71.7(002.97*A)\r\n16.7(001.66*kW)\r\n82.8.1(0000)\r\n0.2.0(M27)\r\nC.5.0(1420)\r\n!\r\n\x03",
        wh / 1000,
        wh % 1000,
    )
    .into_bytes();
    let check = text[1..].iter().fold(0, |check, byte| check ^ byte);
    text.push(check);
    [b"/LGZ4ZMF100AC.M27\r\n".to_vec(), text].concat()
}

fn sml(number: u32) -> Vec<u8> {
    let server = b"\x0b\x0a\x01LGZ\x00\x00\x00\x04\xd2";
    let open = sml_message(1, b"\x01\x01", &[b"\x76\x01\x01\x05\x00\x00\x00\x01", &server[..], b"\x01\x01"].concat());
    let energy = |tariff: u8, value: u32, status: &[u8]| {
        let code = [&b"\x77\x07\x01\x00\x01\x08"[..], &[tariff], b"\xff"].concat();
        [&code, status, b"\x01\x62\x1e\x52\xff\x59\x00\x00\x00\x00", &value.to_be_bytes()[..], b"\x01"].concat()
    };
    let power = number.to_be_bytes();
    let maker = b"\x77\x07\x81\x81\xc7\x82\x03\xff\x01\x01\x01\x01\x04LGZ\x01";
    let key = [&b"\x77\x07\x81\x81\xc7\x82\x05\xff\x01\x01\x01\x01\x83\x02"[..], &[0x5A; 48], b"\x01"].concat();
    let list = [
        &b"\x77\x01"[..],
        server,
        b"\x07\x01\x00\x62\x0a\xff\xff\x72\x62\x01\x65",
        &number.to_be_bytes(),
        b"\x77",
        maker,
        &[&b"\x77\x07\x01\x00\x00\x00\x09\xff\x01\x01\x01\x01"[..], server, b"\x01"].concat(),
        &energy(0, 12_345_678 + number, b"\x63\x01\x82"),
        &energy(1, 12_345_678 + number, b"\x01"),
        &energy(2, 0, b"\x01"),
        &[&b"\x77\x07\x01\x00\x10\x07\x00\xff\x01\x01\x62\x1b\x52\xff\x55\x00"[..], &power[1..], b"\x01"].concat(),
        &key,
        b"\x01\x01",
    ]
    .concat();
    let messages = [open, sml_message(2, b"\x07\x01", &list), sml_message(3, b"\x02\x01", b"\x71\x01")].concat();
    let fill = messages.len().next_multiple_of(4) - messages.len();
    let mut file =
        [&b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01"[..], &messages, &vec![0; fill], b"\x1b\x1b\x1b\x1b\x1a"].concat();
    file.push(u8::try_from(fill).unwrap());
    file.extend(crc::x25(&file).to_le_bytes());
    file
}

fn sml_message(number: u8, body: &[u8], content: &[u8]) -> Vec<u8> {
    let head = [b"\x76\x05\x00\x00\x00", &[number][..], b"\x62\x00\x62\x00\x72\x63", body];
    let mut message = [&head.concat(), content].concat();
    let sum = crc::x25(&message).to_le_bytes();
    message.push(0x63);
    message.extend(sum);
    message.push(0);
    message
}

fn e450(number: u32) -> Vec<u8> {
    const OBJECTS: [(u8, [u8; 6]); 14] = [
        (40, [0, 8, 25, 9, 0, 255]),
        (1, [0, 0, 42, 0, 0, 255]),
        (3, [1, 1, 1, 8, 0, 255]),
        (3, [1, 1, 2, 8, 0, 255]),
        (3, [1, 1, 3, 8, 0, 255]),
        (3, [1, 1, 4, 8, 0, 255]),
        (3, [1, 0, 1, 7, 0, 255]),
        (3, [1, 0, 2, 7, 0, 255]),
        (3, [1, 0, 32, 7, 0, 255]),
        (3, [1, 0, 52, 7, 0, 255]),
        (3, [1, 0, 72, 7, 0, 255]),
        (3, [1, 0, 31, 7, 0, 255]),
        (3, [1, 0, 51, 7, 0, 255]),
        (3, [1, 0, 71, 7, 0, 255]),
    ];
    let mut apdu = b"\x0f\x00\x00\x00\x2a\x0c\x07\xe9\x0b\x07\x05\x0e\x1e\x00\xff\x80\x00\x00\x02\x0e\x01\x0e".to_vec();
    for (class, obis) in OBJECTS {
        apdu.extend([2, 4, 0x12, 0, class, 9, 6]);
        apdu.extend(obis);
        apdu.extend([0x0f, 2, 0x12, 0, 0]);
    }
    apdu.extend(b"\x09\x10LGZ1030650001234");
    for value in [1_234_567 + number, 904_321, 37, 344_697, number % 4000, 0] {
        apdu.push(6);
        apdu.extend(value.to_be_bytes());
    }
    for value in [231u16, 232, 230, 412, 298, 305] {
        apdu.push(0x12);
        apdu.extend(value.to_be_bytes());
    }
    let blocks: Vec<_> = apdu.chunks(112).collect();
    let mut stream = Vec::new();
    for (at, block) in blocks.iter().enumerate() {
        let control = if at + 1 == blocks.len() { 0xC0 } else { 0x40 };
        let mut information = if at == 0 { vec![0xE6, 0xE7, 0] } else { Vec::new() };
        information.extend([0xE0, control, 0, u8::try_from(at + 1).unwrap(), 0, 0, u8::try_from(block.len()).unwrap()]);
        information.extend(*block);
        let length = u16::try_from(information.len() + 10).unwrap() | 0xA000;
        let mut frame = [&length.to_be_bytes()[..], b"\xce\xff\x03\x13"].concat();
        frame.extend(crc::x25(&frame).to_le_bytes());
        frame.extend(information);
        frame.extend(crc::x25(&frame).to_le_bytes());
        stream.push(0x7E);
        stream.extend(frame);
        stream.push(0x7E);
    }
    stream
}
