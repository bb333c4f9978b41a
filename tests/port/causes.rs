//! What keeps a meter from being read, each cause produced and named, with what to do about it.

use crate::side_by_side;
use crate::testenv::simulator::Simulator;
use crate::testenv::{Place, Run, fixture};
use rustix::fs::{FlockOperation, Mode, OFlags};
use serde_json::Value;

struct Case {
    id: &'static str,
    /// The meter and its faults.
    meter: &'static [&'static str],
    /// What is said beside the port.
    options: &'static [&'static str],
    /// Exit status of `read`.
    exit: i32,
}

const CASES: &[Case] = &[
    Case { id: "meter.silent", meter: &["mode-c", "--fault", "silence"], options: &[], exit: 69 },
    Case { id: "head.echo", meter: &["mode-c", "--fault", "echo-only"], options: &[], exit: 69 },
    Case { id: "line.speed", meter: &["sml"], options: &["--serial", "2400,8E1"], exit: 76 },
    Case { id: "line.parity", meter: &["e450"], options: &["--serial", "2400,7E1"], exit: 76 },
    Case { id: "head.misplaced", meter: &["sml", "--fault", "misplaced"], options: &[], exit: 65 },
    Case { id: "meter.mode_e", meter: &["e450-optical", "--fault", "mode-e-only"], options: &[], exit: 76 },
    Case { id: "meter.no_data", meter: &["mode-c", "--fault", "ident-only"], options: &[], exit: 65 },
    Case { id: "key.missing", meter: &["e450-ciphered"], options: &[], exit: 65 },
    // Settings that are insisted on and right are not searched for again.
    Case { id: "key.missing", meter: &["e450-ciphered"], options: &["--serial", "2400,8E1"], exit: 65 },
    Case { id: "key.mismatch", meter: &["e450-ciphered"], options: &["--key-file", "WRONG"], exit: 65 },
    Case { id: "meter.pin", meter: &["sml", "--fault", "no-pin"], options: &[], exit: 0 },
    Case { id: "push.off", meter: &["e450", "--fault", "no-push"], options: &[], exit: 69 },
    Case { id: "meter.unknown", meter: &["gps"], options: &[], exit: 76 },
];

/// What the doctor says about the port and the meter.
fn doctor(port: &str, options: &[&str]) -> (Run, Value) {
    let place = Place::new();
    let run = place.run([&["doctor", "--port", port, "-f", "json"], options].concat());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    (run, report)
}

/// The check that found something: its state, its name, and its tips.
fn finding(report: &Value) -> (String, String, usize) {
    let checks = report["verifications"].as_array().unwrap();
    let bad: Vec<_> = checks.iter().filter(|check| check["id"].is_string()).collect();
    let [check] = bad[..] else { panic!("{report:#}") };
    let text = |key: &str| check[key].as_str().unwrap().to_owned();
    (text("etat"), text("id"), check["conseils"].as_array().map_or(0, Vec::len))
}

#[test]
fn each_cause_is_named_by_doctor_and_by_read_with_a_tip() {
    let wrong = fixture("dlms/wrong.key");
    side_by_side(CASES, |case| {
        let options: Vec<&str> = case
            .options
            .iter()
            .map(|&option| if option == "WRONG" { wrong.to_str().unwrap() } else { option })
            .collect();
        let simulator = Simulator::start(&[case.meter, &["--pty"]].concat());
        let (run, report) = doctor(&simulator.address, &options);
        let (state, id, tips) = finding(&report);
        let expected = if case.exit == 0 { ("alerte", 0) } else { ("echec", 1) };
        assert_eq!((id.as_str(), state.as_str(), run.exit), (case.id, expected.0, expected.1), "{report:#}");
        assert!(tips > 0, "{report:#}");

        let read = Place::new().run([&["read", "--port", &simulator.address], &options[..]].concat());
        assert_eq!(read.exit, case.exit, "{}: {}", case.id, read.stderr);
        assert!(read.stderr.contains(&format!("[{}]", case.id)) && read.stderr.contains("  tip: "), "{}", read.stderr);
        assert_eq!(read.stdout.is_empty(), case.exit != 0, "{}", read.stdout);
    });
}

#[test]
fn a_port_that_somebody_else_has_is_named_with_its_holder() {
    let simulator = Simulator::start(&["p1", "--pty"]);
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let held = rustix::fs::open(&simulator.address, flags, Mode::empty()).unwrap();
    rustix::fs::flock(&held, FlockOperation::NonBlockingLockExclusive).unwrap();
    let (run, report) = doctor(&simulator.address, &[]);
    let (state, id, tips) = finding(&report);
    assert_eq!((state.as_str(), id.as_str(), run.exit), ("echec", "port.busy", 1));
    assert!(tips > 0 && run.stdout.contains(&format!("pid {}", std::process::id())), "{}", run.stdout);
    let read = Place::new().run(["read", "--port", &simulator.address]);
    assert_eq!(read.exit, 75, "{}", read.stderr);
}

/// Root may open everything, so this needs to be somebody else.
#[test]
fn a_port_that_may_not_be_opened_is_named_with_its_group() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    let simulator = Simulator::start(&["p1", "--pty"]);
    std::fs::set_permissions(&simulator.address, std::fs::Permissions::from_mode(0o660)).unwrap();
    let place = Place::new();
    let program = place.path("releve");
    std::fs::copy(env!("CARGO_BIN_EXE_releve"), &program).unwrap();
    for path in [place.path(""), program.clone()] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can become somebody else");
        return;
    }
    const NOBODY: u32 = 65534;
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(&program);
        command.args(arguments).env_clear().env("HOME", "/").current_dir("/").uid(NOBODY).gid(NOBODY);
        loop {
            match command.output() {
                // Another test's child may still hold the copy open for writing, between its fork and its exec.
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                output => return Run::of(output.unwrap()),
            }
        }
    };
    let report: Value =
        serde_json::from_str(&run(&["doctor", "--port", &simulator.address, "-f", "json"]).stdout).unwrap();
    let (state, id, tips) = finding(&report);
    assert_eq!((state.as_str(), id.as_str()), ("echec", "port.permission"));
    assert!(tips > 0);
    assert_eq!(run(&["read", "--port", &simulator.address]).exit, 77);
}
