//! H: help and discovery.

use super::{demo, installed, run};
use crate::testenv::{Place, Run};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Every command with those below it, as they are typed.
pub(crate) fn commands() -> Vec<String> {
    fn below(tree: &clap::Command, path: &str, found: &mut Vec<String>) {
        for command in tree.get_subcommands().filter(|command| command.get_name() != "help" || path.is_empty()) {
            let path = format!("{path} {}", command.get_name()).trim_start().to_owned();
            below(command, &path, found);
            found.push(path);
        }
    }
    let mut found = Vec::new();
    below(&releve::cli::command(), "", &mut found);
    assert!(found.len() > 25, "{found:?}");
    found
}

#[test]
fn h1_the_bare_command_teaches_and_does_not_hang() {
    let said = Place::new().run([]);
    assert_eq!((said.exit, said.stdout.as_str()), (2, ""));
    let lines = said.stderr.lines().count();
    assert!((10..=24).contains(&lines), "{lines} lines");
    assert!(said.stderr.matches("\n  releve ").count() >= 2, "{}", said.stderr);
    assert!(said.stderr.lines().all(|line| line.len() <= 80), "{}", said.stderr);
}

#[test]
fn h2_the_short_help_is_one_screen_and_the_long_one_is_longer() {
    let place = Place::new();
    for command in commands() {
        let short = run(&place, &format!("{command} -h")).clean();
        let long = run(&place, &format!("{command} --help")).clean();
        assert!(short.lines().count() <= 40, "{command} -h has {} lines", short.lines().count());
        assert!(long.lines().count() > short.lines().count(), "{command}");
    }
    assert!(run(&place, "-h").clean().lines().count() <= 45);
    for command in commands().iter().map(String::as_str).chain([""]) {
        for help in ["-h", "--help"] {
            let mut narrow = place.command();
            narrow.env("COLUMNS", "80").args(command.split_whitespace()).arg(help);
            let text = Run::of(narrow.output().unwrap()).clean();
            let examples = text.find("Examples:").unwrap_or(text.len());
            let wide: Vec<_> = text[..examples].lines().filter(|line| line.chars().count() > 80).collect();
            assert!(wide.is_empty(), "{command} {help}: {wide:?}");
        }
    }
}

#[test]
fn h4_the_help_is_had_anywhere_on_the_line() {
    let place = Place::new();
    for line in
        ["read --format json -h", "read -p /nowhere -h", "stats --db none.db --by day -h", "--db none.db log -h"]
    {
        assert!(run(&place, line).clean().contains("\nUsage: releve "), "{line}");
    }
}

#[test]
fn h5_help_of_a_command_is_the_commands_help() {
    let place = Place::new();
    for command in commands() {
        let (by_help, by_flag) = (run(&place, &format!("help {command}")), run(&place, &format!("{command} --help")));
        assert_eq!(by_help.clean(), by_flag.clean(), "{command}");
    }
    assert_eq!(run(&place, "help").clean(), run(&place, "--help").clean());
}

#[test]
fn h6_commands_stand_in_groups() {
    let help = run(&Place::new(), "-h").clean();
    for heading in ["Look at a meter:", "Keep readings:", "Ask about them:", "Share them:", "Set up and repair:"] {
        assert_eq!(help.matches(heading).count(), 1, "{help}");
    }
    for command in commands().iter().filter(|command| !command.contains(' ')) {
        assert_eq!(help.matches(&format!("\n  {command} ")).count(), 1, "{command}: {help}");
    }
}

#[test]
fn h7_the_version_says_what_a_bug_report_needs() {
    let place = Place::new();
    assert_eq!(run(&place, "-V").clean().lines().count(), 1);
    let long = run(&place, "--version").clean();
    for field in ["target: ", "sqlite: 3.", "time zones: IANA 20"] {
        assert!(long.contains(field), "{long}");
    }
    assert!(long.lines().all(|line| !line.trim_end().ends_with(':')), "{long}");
}

#[test]
fn h8_the_registers_that_are_known_can_be_asked_for() {
    let place = Place::new();
    let rows = run(&place, "obis 1.8 -f json").json();
    let first = rows.as_array().unwrap().iter().find(|row| row["obis"] == "1-0:1.8.0").unwrap();
    assert_eq!(first["nom"], "Active energy import (+A) total");
    assert!(run(&place, "obis 1.8 -f table --lang fr").clean().contains("nergie active"));
}

#[test]
fn h9_every_command_has_its_page_with_every_flag_and_pages_render() {
    let place = Place::new();
    run(&place, "man pages").clean();
    for command in commands() {
        let path = place.path(&format!("pages/releve-{}.1", command.replace(' ', "-")));
        let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let help = run(&place, &format!("{command} --help")).clean();
        let options = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
        for word in options.flat_map(str::split_whitespace).filter(|word| word.starts_with("--") && word.len() > 2) {
            let flag: String = word.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            assert!(page.contains(&flag.replace('-', "\\-")), "{command}: the page lacks {flag}");
        }
        assert!(!page.contains("\\fR\n\n.TP"), "{command}: the page lacks the text of an option");
    }
    let pages: BTreeSet<_> = fs::read_dir(place.path("pages")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(pages.len() > 25);
    if !installed("man", "--version") {
        return;
    }
    for page in pages {
        let rendered =
            Command::new("man").args(["--warnings", "-l"]).arg(&page).env("MANPAGER", "cat").output().unwrap();
        assert!(rendered.status.success(), "{}", page.display());
        assert_eq!(String::from_utf8_lossy(&rendered.stderr), "", "{}", page.display());
    }
}

#[test]
fn h10_completions_are_sound_and_know_ports_meters_and_fields() {
    let place = demo();
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&place, &format!("completions {shell}")).clean();
        if !installed(shell, "-c") && Command::new(shell).args(["-c", ":"]).output().is_err() {
            continue;
        }
        let mut check = Command::new(shell).arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        check.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let checked = check.wait_with_output().unwrap();
        assert!(checked.status.success(), "{shell}: {}", String::from_utf8_lossy(&checked.stderr));
    }
    let offered = |line: &[&str]| {
        let mut asked = place.command();
        asked.env("COMPLETE", "fish").args(["--", "releve"]).args(line);
        Run::of(asked.output().unwrap()).clean()
    };
    assert_eq!(offered(&["stats", "--db", "demo.db", "--meter", "E4"]), "E450001234\n");
    assert_eq!(offered(&["stats", "--fields", "couverture,tens"]), "couverture,tension\n");
    assert_eq!(offered(&["export", "--fields", "tension_l"]), "tension_l1\ntension_l2\ntension_l3\n");
    assert_eq!(offered(&["events", "--type", "surtension_b"]), "surtension_breve\n");
    assert!(offered(&["consolid"]).starts_with("consolidate\t"));
    for port in run(&place, "ports --name-only").stdout.lines() {
        assert!(offered(&["read", "--port", port]).contains(port));
    }
    assert!(!place.path(".local").exists(), "a completion made a store");
}
