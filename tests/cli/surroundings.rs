//! Odd surroundings: whatever the environment, the arguments, the descriptors and the limits are, a command answers, or says why not.

use crate::testenv::check::{ended_well, refused, right_or_refused};
use crate::testenv::{Place, Run, control, figures, fixture};
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStringExt as _;
use std::process::{Command, Stdio};

/// What prints something, each in its way.
const COMMANDS: [&[&str]; 19] = [
    EXPORT,
    &["export", "--db", "s.db", "-f", "csv"],
    &["stats", "--db", "s.db", "--by", "day"],
    &["events", "--db", "s.db", "-f", "ndjson"],
    &["meters", "--db", "s.db"],
    &["db", "info", "--db", "s.db"],
    &["db", "check", "--db", "s.db"],
    &["obis", "1.8.0"],
    &["ports", "--json"],
    &["explain", "smart5.txt"],
    &["read", "smart5.txt"],
    &["consolidate", "--archive", "a", "--verify"],
    &["consolidate", "--db", "s.db", "--archive", "b", "-n"],
    &["serve", "--db", "s.db", "--get", "/api/stats"],
    &["completions", "bash"],
    &["config", "check"],
    &["simulate", "--list"],
    &["import", "x.csv", "--db", "t.db", "--meter", "M1"],
    &["--help"],
];
const EXPORT: &[&str] = &["export", "--db", "s.db", "-f", "ndjson"];

/// A place with a store, an archive, a capture and a table, and what an export of the store is.
fn world() -> (Place, String) {
    let place = Place::new();
    let rows = (0..2880).map(|row| {
        format!("2025-11-{:02}T{:02}:{:02}:00Z,{}.5\n", 5 + row / 1440, row / 60 % 24, row % 60, 200 + row % 40)
    });
    place.write("x.csv", format!("timestamp,tension_l1\n{}", rows.collect::<String>()));
    place.write("smart5.txt", std::fs::read(fixture("dsmr/smart5.txt")).unwrap());
    place.run(["import", "x.csv", "--db", "s.db", "--meter", "M1", "-q"]).clean();
    place.run(["events", "add", "the cellar was dark", "--at", "2025-11-05", "--db", "s.db", "-q"]).clean();
    place.run(["consolidate", "--db", "s.db", "--archive", "a", "-q"]).clean();
    let right = place.run(EXPORT.iter().copied()).clean();
    (place, right)
}

/// Runs a command as `shell` says, which has it as its arguments.
fn through(place: &Place, shell: &str, arguments: &[&str]) -> Run {
    let command = place.command();
    let mut shelled = Command::new("sh");
    shelled.args(["-c", shell, "-"]).arg(command.get_program()).args(arguments);
    shelled.current_dir(command.get_current_dir().unwrap()).stdin(Stdio::null());
    Run::of(shelled.output().unwrap())
}

#[test]
fn promise_p19_twelve_odd_environments() {
    let (place, right) = world();
    let rubbish = || OsString::from_vec(vec![b'/', 0xff, 0xfe]);
    let environments: [&[(&str, OsString)]; 12] = [
        &[("HOME", "/nonexistent".into())],
        &[("HOME", "relative".into()), ("XDG_DATA_HOME", "also/relative".into())],
        &[("HOME", rubbish()), ("LANG", rubbish())],
        &[("HOME", "".into()), ("PATH", "".into()), ("TMPDIR", "".into())],
        &[("LANG", "xx_XX.nonsense".into()), ("LC_ALL", "".into())],
        &[("TZ", "Nowhere/City".into())],
        &[("TZ", "../../etc/passwd".into())],
        &[("TZ", ":/dev/zero".into())],
        &[("TMPDIR", "/nonexistent".into()), ("XDG_RUNTIME_DIR", "/proc".into())],
        &[("COLUMNS", "0".into()), ("TERM", "dumb".into())],
        &[("COLUMNS", "99999999999999999999".into()), ("LINES", "-1".into()), ("CLICOLOR_FORCE", "1".into())],
        &[("RELEVE_CONFIG", "s.db".into()), ("RUST_BACKTRACE", "full".into())],
    ];
    let mut runs = 0;
    for environment in environments {
        for arguments in COMMANDS {
            let mut command = place.command();
            let run = Run::of(command.args(arguments).envs(environment.iter().cloned()).output().unwrap());
            ended_well(&run).unwrap_or_else(|why| panic!("{environment:?} {arguments:?}: {why}"));
            if arguments == EXPORT {
                right_or_refused(&run, &right).unwrap_or_else(|why| panic!("{environment:?}: {why}"));
            }
            runs += 1;
        }
    }
    figures(19, runs, runs, 0, "commands in 12 odd environments");
}

#[test]
fn promise_p19_twelve_odd_sets_of_arguments_and_more() {
    let (place, right) = world();
    let long = "x".repeat(100_000);
    let sets: [&[&str]; 22] = [
        &[""],
        &["-"],
        &[&long],
        &["@x"],
        &["export", "export"],
        &["export", "--db"],
        &["export", "--db", "/"],
        &["export", "--db", "/dev/null"],
        &["export", "--db", "/proc/self/mem"],
        &["export", "--db", ""],
        &["export", "--db", "s.db", "--since", "9999-99-99"],
        &["export", "--db", "s.db", "--since", &long],
        &["export", "--db", "s.db", "--meter", &long],
        &["export", "--db", "s.db", "-f", "\u{1b}[2J\n"],
        &["read", "/proc/self/fd"],
        &["stats", "--db", "s.db", "--by", "0"],
        &["serve", "--db", "s.db", "--listen", "256.0.0.1:99999"],
        &["consolidate", "--db", "s.db", "--archive", "/dev/null"],
        &["consolidate", "--db", "s.db", "--archive", "/proc/nowhere"],
        &["man", "/dev/null"],
        &["db", "backup", "s.db", "--db", "s.db"],
        &["import", "/dev/null", "--db", "t.db"],
    ];
    for arguments in sets {
        let run = place.run(arguments.iter().copied());
        let shown: Vec<String> = arguments.iter().map(|argument| argument.chars().take(40).collect()).collect();
        refused(&run).unwrap_or_else(|why| panic!("{shown:?}: {why:.300}"));
        assert!(!run.stderr.contains('\u{1b}'), "{shown:?}");
    }
    let bytes = place.command().arg(OsString::from_vec(vec![0xff, 0xfe])).output().unwrap();
    assert_eq!(bytes.status.code(), Some(2));
    assert_eq!(place.run(EXPORT.iter().copied()).clean(), right);
    figures(19, sets.len() + 1, sets.len() + 1, 0, "odd sets of arguments");
}

#[test]
fn promise_p19_closed_descriptors_few_of_them_and_short_files_harm_no_store() {
    let (place, right) = world();
    let whole = std::fs::read(place.path("s.db")).unwrap();
    let mut runs = 0;
    let unharmed = |what: &str| {
        place.run(["db", "check", "--db", "s.db", "-q"]).clean();
        right_or_refused(&place.run(EXPORT.iter().copied()), &right)
            .and_then(|is_right| if is_right { Ok(()) } else { Err("no answer".to_owned()) })
            .unwrap_or_else(|why| panic!("after {what}: {why}"));
    };
    for closed in ["0<&-", "1>&-", "2>&-", "0<&- 1>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-"] {
        let writes: [&[&str]; 4] = [
            &["import", "x.csv", "--db", "s.db", "--meter", "M1"],
            &["consolidate", "--db", "s.db", "--archive", "a"],
            &["db", "compact", "--db", "s.db"],
            EXPORT,
        ];
        for arguments in writes {
            let run = through(&place, &format!("exec \"$@\" {closed}"), arguments);
            assert_eq!(run.exit, 0, "{closed} {arguments:?}: {}", run.stderr);
            unharmed(closed);
            runs += 1;
        }
    }
    for limit in [4, 6, 8, 10, 12] {
        for arguments in COMMANDS {
            let run = through(&place, &format!("ulimit -n {limit}; exec \"$@\""), arguments);
            ended_well(&run).unwrap_or_else(|why| panic!("{limit} descriptors, {arguments:?}: {why}"));
            if arguments == EXPORT {
                right_or_refused(&run, &right).unwrap_or_else(|why| panic!("{limit} descriptors: {why}"));
            }
            runs += 1;
        }
        unharmed("few descriptors");
    }
    // Blocks of 512 bytes. A signal ends it, or, where that is ignored, the write fails.
    for limit in [0, 16, 40] {
        for (signal, arguments) in [
            ("", &["import", "x.csv", "--db", "new.db", "--meter", "M1"][..]),
            ("trap '' XFSZ; ", &["import", "x.csv", "--db", "new.db", "--meter", "M1"]),
            ("trap '' XFSZ; ", &["consolidate", "--db", "s.db", "--archive", "new"]),
            ("trap '' XFSZ; ", &["import", "smart5.txt", "--db", "s.db"]),
        ] {
            let run = through(&place, &format!("{signal}ulimit -f {limit}; exec \"$@\""), arguments);
            if run.exit != 0 && !signal.is_empty() {
                refused(&run).unwrap_or_else(|why| panic!("{limit} blocks, {arguments:?}: {why}"));
            }
            assert!(run.exit != 0 || limit > 0, "{limit} blocks, {arguments:?}: exit 0");
            runs += 1;
        }
        let lines = |db| place.run(["export", "--db", db, "-f", "ndjson", "-q"]).stdout.lines().count();
        assert!([0, 2880].contains(&lines("new.db")), "{limit} blocks: half a file was taken in");
        place.write("s.db", &whole);
        for name in ["s.db-wal", "s.db-shm", "new.db", "new.db-wal", "new.db-shm"] {
            let _ = std::fs::remove_file(place.path(name));
        }
        let _ = std::fs::remove_dir_all(place.path("new"));
        unharmed("short files");
    }
    figures(19, runs, runs, 0, "commands with closed descriptors, 4 to 12 of them, and files of 0 to 20 kB");
}

#[test]
fn promise_p19_a_full_output_is_an_error_of_every_command() {
    let (place, _) = world();
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        println!("skipped: there is no /dev/full");
        return;
    };
    for arguments in COMMANDS {
        let mut command = place.command();
        let run = Run::of(command.args(arguments).stdout(full.try_clone().unwrap()).output().unwrap());
        assert_eq!(run.exit, 74, "{arguments:?}: {}", run.stderr);
        refused(&run).unwrap_or_else(|why| panic!("{arguments:?}: {why}"));
    }
    // And a pipe that is closed is none.
    let shell = "\"$@\" | head -n 1 >/dev/null";
    for arguments in COMMANDS {
        let run = through(&place, shell, arguments);
        assert_eq!((run.exit, run.stderr.matches("error").count()), (0, 0), "{arguments:?}: {}", run.stderr);
    }
    figures(19, 2 * COMMANDS.len(), 2 * COMMANDS.len(), 0, "commands into a full device and into a closed pipe");
}

#[test]
fn promise_p19_reads_that_fail_are_said() {
    if !Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success()) {
        println!("skipped: strace is not installed or may not trace");
        return;
    }
    let (place, right) = world();
    let traced = |options: &[&str]| {
        let (command, mut traced) = (place.command(), Command::new("strace"));
        traced.args(["-f", "-qq", "-o", "trace.txt"]).args(options).arg(command.get_program()).args(EXPORT);
        let run =
            Run::of(traced.current_dir(command.get_current_dir().unwrap()).stdin(Stdio::null()).output().unwrap());
        (run, std::fs::read_to_string(place.path("trace.txt")).unwrap())
    };
    let (mut tried, mut said) = (0, 0);
    let faults = [("pread64", "EIO"), ("read", "EIO"), ("openat", "EMFILE"), ("newfstatat", "EIO"), ("fcntl", "EIO")];
    for (call, error) in faults {
        let only = format!("trace={call}");
        let calls = traced(&["-e", &only]).1.matches(&format!("{call}(")).count();
        assert!(calls > 0, "there is no {call} that could fail");
        let some = if std::env::var_os("LONG").is_some() { 40 } else { 7 };
        for (nth, when) in (1..=calls).step_by((calls / some).max(1)).enumerate() {
            // Once, or from then on.
            let inject = format!("inject={call}:error={error}:when={when}{}", ["", "+"][nth % 2]);
            let (run, trace) = traced(&["-e", &only, "-e", &inject]);
            // Before the program itself begins its loader says it, with 127.
            if trace.contains("(INJECTED)") && run.exit != 127 {
                let is_right = right_or_refused(&run, &right).unwrap_or_else(|why| panic!("{inject}: {why}"));
                said += usize::from(!is_right);
                tried += 1;
            }
        }
    }
    assert!(tried >= 15 && said >= 8, "{tried} tried, {said} said");
    figures(19, tried, tried, 0, format_args!("failing reads and openings, {said} of them said"));
}

/// Programs that say nothing, panic, hang on a signal or take a full device for room.
#[test]
fn promise_p19_control_who_says_nothing_or_panics_is_found_out() {
    let place = Place::new();
    let stand_in =
        |script: &str| Run::of(Command::new("sh").args(["-c", script]).current_dir(place.path("")).output().unwrap());
    let panics = Run { exit: 101, stdout: String::new(), stderr: "thread 'main' panicked at src/main.rs:1".to_owned() };
    control(
        19,
        [
            ("a full output and exit 0", refused(&stand_in("echo reading >/dev/full 2>/dev/null; exit 0"))),
            ("an error without a word", ended_well(&stand_in("exit 74"))),
            ("an exit status that the manual does not know", ended_well(&stand_in("echo 'error: x' >&2; exit 99"))),
            ("a program that a signal ended", ended_well(&stand_in("kill -SEGV $$"))),
            ("a panic", ended_well(&panics)),
            ("half an answer and exit 0", right_or_refused(&stand_in("echo one"), "one\ntwo\n").map(drop)),
        ],
    );
}
