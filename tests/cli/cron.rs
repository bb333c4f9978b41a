//! Lines for cron, of docs/CRON.md and contrib/crontab, as cron runs them: no HOME, no terminal, no locale.

use crate::testenv::simulator::Simulator;
use crate::testenv::{Place, Run, repository};
use releve::reading::Instant;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const PAGES: [&str; 2] = ["docs/CRON.md", "contrib/crontab"];

/// A crontab: its variables and its commands.
type Crontab = (Vec<(String, String)>, Vec<String>);

/// The crontab that a page shows, or that a file is.
fn crontab(page: &str) -> Crontab {
    let text = fs::read_to_string(repository().join(page)).unwrap();
    let text = match text.contains("```") {
        true => text.split("```crontab\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect(),
        false => text,
    };
    let (mut variables, mut commands) = (Vec::new(), Vec::new());
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line
            .split_once('=')
            .filter(|(name, _)| name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_'))
        {
            Some((name, value)) => variables.push((name.to_owned(), value.to_owned())),
            None => commands.push(command(line)),
        }
    }
    (variables, commands)
}

/// The command of a line, behind five fields of time in which cron finds its way.
fn command(line: &str) -> String {
    let mut rest = line;
    for (field, most) in ["minute", "hour", "day", "month", "weekday"].into_iter().zip([59, 23, 31, 12, 7]) {
        let (value, behind) = rest.split_once(' ').unwrap();
        let number = value.strip_prefix("*/").unwrap_or(value);
        assert!(value == "*" || number.parse::<u32>().unwrap() <= most, "{field} of {line}");
        rest = behind.trim_start();
    }
    // What stands behind a bare % would be the command's input.
    assert!(!rest.replace("\\%", "").contains('%'), "{line}");
    rest.replace("\\%", "%")
}

/// Runs a command as cron does, with the folders of a real machine in `folder`.
fn run(folder: &Path, (variables, _): &Crontab, line: &str) -> Run {
    let here = |text: &str| {
        let root = folder.to_str().unwrap();
        text.replace("/var/lib/releve", &format!("{root}/lib"))
            .replace("/srv/backup", &format!("{root}/backup"))
            .replace("/dev/serial/by-id/usb-meter", &format!("{root}/meter"))
    };
    let program = Path::new(env!("CARGO_BIN_EXE_releve")).parent().unwrap().display();
    let mut command = Command::new("setsid");
    command.args(["--wait", "sh", "-c", &here(line)]).current_dir("/").env_clear();
    command.envs([("SHELL", "/bin/sh"), ("LOGNAME", "releve"), ("LANG", "C"), ("PATH", "/usr/bin:/bin")]);
    command.envs(variables.iter().map(|(name, value)| (name, here(value))));
    let path = variables.iter().find(|(name, _)| name == "PATH").map_or("/usr/bin:/bin", |(_, path)| path);
    Run::of(command.env("PATH", format!("{program}:{path}")).stdin(Stdio::null()).output().unwrap())
}

/// A machine with a meter and folders for a store and its copies.
fn machine() -> (Place, Simulator) {
    let place = Place::new();
    for folder in ["lib", "backup"] {
        fs::create_dir(place.path(folder)).unwrap();
    }
    let meter = Simulator::start_at(&place.path(""), &["sml", "--link", "meter"]);
    (place, meter)
}

/// The lines that have something to say every time.
fn always_speaks(line: &str) -> bool {
    line.starts_with("releve stats ")
}

#[test]
fn lines_are_silent_when_all_is_well_and_do_their_work() {
    let (place, _meter) = machine();
    let root = place.path("");
    let fresh = place.run(["read", "--port", "./meter", "--save", "--db", "lib/releve.db", "-q", "-f", "json"]).json();
    let meter = fresh["compteur"].as_str().unwrap();
    // Last week was read too, so that there is something to consolidate and to tell.
    let since = Instant::now().plus_seconds(-14 * 86_400);
    let rows: String = (0..1300).map(|at| format!("{},{}.5\n", since.plus_seconds(at * 900), 100 + at)).collect();
    place.write("before.csv", format!("timestamp,energie_active_import\n{rows}"));
    place.run(["import", "before.csv", "--meter", meter, "--db", "lib/releve.db", "-q"]).clean();
    let mut count = 0;
    for page in PAGES {
        let crontab = crontab(page);
        for line in &crontab.1 {
            let run = run(&root, &crontab, line);
            assert_eq!((run.exit, run.stderr.as_str()), (0, ""), "{line}: {}", run.stdout);
            assert_eq!(run.stdout.is_empty(), !always_speaks(line), "{line}: {}", run.stdout);
            count += 1;
        }
    }
    assert!(count >= 12, "{count} lines");
    assert!(fs::read_dir(place.path("lib/archive/quotidien")).unwrap().count() > 1);
    assert_eq!(fs::read_dir(place.path("backup")).unwrap().count(), 1);
}

#[test]
fn every_line_speaks_up_when_something_is_wrong() {
    for page in PAGES {
        let crontab = crontab(page);
        for line in &crontab.1 {
            let place = Place::new();
            fs::create_dir(place.path("lib")).unwrap();
            let run = run(&place.path(""), &crontab, line);
            assert!(!run.stdout.is_empty() || !run.stderr.is_empty(), "{line} says nothing");
            assert!(run.exit != 0 || line.contains("tee silent"), "{line} ends with 0");
            assert!(!place.path("lib/releve.db").exists() || line.contains("--save"), "{line} makes a store");
        }
    }
}

#[test]
fn an_alarm_that_comes_once_comes_again_after_readings() {
    let (place, _meter) = machine();
    let crontab = crontab("docs/CRON.md");
    let alarm = crontab.1.iter().find(|line| line.contains("tee silent")).unwrap();
    let said = || run(&place.path(""), &crontab, alarm).stdout;
    assert!(!said().is_empty(), "there is no store");
    assert_eq!(said(), "");
    place.run(["read", "--port", "./meter", "--save", "--db", "lib/releve.db", "-q"]);
    assert_eq!(said(), "");
    fs::remove_file(place.path("lib/releve.db")).unwrap();
    assert!(!said().is_empty(), "it is wrong again");
}

#[test]
fn the_second_of_two_consolidations_leaves_with_75() {
    let place = Place::new();
    fs::create_dir(place.path("lib")).unwrap();
    place.capture("dsmr/smart5.txt");
    place.run(["import", "dsmr_smart5.txt", "--db", "lib/releve.db", "-q"]).clean();
    let lock = fs::File::create(place.path("lib/releve.db.lock")).unwrap();
    lock.lock().unwrap();
    let crontab = crontab("docs/CRON.md");
    let line = crontab.1.iter().find(|line| line.starts_with("releve consolidate")).unwrap();
    let busy = run(&place.path(""), &crontab, line);
    assert_eq!((busy.exit, busy.stdout.as_str()), (75, ""), "{}", busy.stderr);
    assert!(busy.stderr.starts_with("error: "), "{}", busy.stderr);
    drop(lock);
    run(&place.path(""), &crontab, line).clean();
}
