//! Two probes and no `--port`: a person picks one, a script is told which there are.

use crate::testenv::Place;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Output};

/// Runs a line of the shell where two probes are plugged in: their device files are those of `full` and `zero`, which every
/// machine has and which are no serial ports.
fn with_two_probes(line: &str) -> Option<Output> {
    let place = Place::new();
    for (name, product) in [("full", "CP2104 USB to UART Bridge"), ("zero", "FT232R USB UART")] {
        let device = place.path(&format!("sys/devices/{name}"));
        let tty = device.join("tty").join(name);
        fs::create_dir_all(&tty).unwrap();
        for folder in ["sys/class/tty", "sys/bus/usb-serial"] {
            fs::create_dir_all(place.path(folder)).unwrap();
        }
        symlink("../..", tty.join("device")).unwrap();
        symlink("../../bus/usb-serial", device.join("subsystem")).unwrap();
        symlink(format!("../../devices/{name}/tty/{name}"), place.path("sys/class/tty").join(name)).unwrap();
        for (attribute, text) in [("idVendor", "10c4"), ("idProduct", "ea60"), ("product", product)] {
            fs::write(device.join(attribute), format!("{text}\n")).unwrap();
        }
    }
    // A place of mounts of its own, in which /sys is ours.
    let script = format!("mount --bind sys /sys && {line}");
    let output = Command::new("unshare")
        .args(["-m", "-r", "sh", "-c", &script])
        .env("LC_ALL", "C")
        .env("releve", env!("CARGO_BIN_EXE_releve"))
        .current_dir(place.path(""))
        .output();
    match output {
        Ok(output) if !String::from_utf8_lossy(&output.stderr).contains("unshare") => Some(output),
        _ => {
            println!("skipped: no mounts of our own here");
            None
        }
    }
}

#[test]
fn d3_a_script_is_told_the_lines_to_type() {
    let Some(output) = with_two_probes("\"$releve\" read </dev/null") else { return };
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
    assert!(said.contains("2 probes") && said.contains("tip: releve read --port /dev/full   CP2104"), "{said}");
    assert!(said.contains("tip: releve read --port /dev/zero   FT232R"), "{said}");
}

/// What the terminal shows, and how the program ended, after some keys.
fn picked(keys: &str) -> Option<String> {
    let line =
        format!("(sleep 1; printf '{keys}'; sleep 1) | script -qec '\"$releve\" read; echo status $?' /dev/null");
    let output = with_two_probes(&line)?;
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    if shown.is_empty() {
        println!("skipped: script is not installed");
        return None;
    }
    Some(shown)
}

#[test]
fn d3_a_person_picks_with_arrows_and_enter() {
    let Some(shown) = picked("\\033[B\\r") else { return };
    assert!(shown.contains("Which probe?") && shown.contains("/dev/full   CP2104"), "{shown}");
    // The second one was taken, and is no serial port.
    assert!(shown.contains("/dev/zero (FT232R USB UART)") && shown.contains("[port.kind]"), "{shown}");
    assert!(shown.contains("status 2"), "{shown}");
}

#[test]
fn d3_escape_leaves_as_an_interrupt_does() {
    let Some(shown) = picked("\\033") else { return };
    assert!(shown.contains("Which probe?") && shown.contains("status 130"), "{shown}");
    assert!(!shown.contains("error:") && !shown.contains("port.kind"), "{shown}");
}
