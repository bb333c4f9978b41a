//! The Debian package as Cargo.toml describes it, held against the files. `.ci/deb` builds it and asks lintian.

use crate::testenv::{Place, Run, repository};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use toml::Table;

/// `[package.metadata.deb]`.
fn deb() -> Table {
    let manifest: Table = toml::from_str(&fs::read_to_string(repository().join("Cargo.toml")).unwrap()).unwrap();
    manifest["package"]["metadata"]["deb"].as_table().unwrap().clone()
}

/// Each file of the package and its place in it, with its mode.
fn files() -> Vec<(PathBuf, String, String)> {
    let mut found = Vec::new();
    for asset in deb()["assets"].as_array().unwrap() {
        let [source, to, mode] = asset.as_array().unwrap().as_slice() else { panic!("{asset:?}") };
        let (source, to) = (source.as_str().unwrap(), to.as_str().unwrap());
        let sources = matching(source);
        assert!(!sources.is_empty(), "nothing is {source}");
        for path in sources {
            let name = path.file_name().unwrap().to_str().unwrap();
            let to = if to.ends_with('/') { format!("{to}{name}") } else { to.to_owned() };
            found.push((path, to, mode.as_str().unwrap().to_owned()));
        }
    }
    found
}

/// The files a source stands for: one, or those of a folder with a certain beginning and end.
fn matching(source: &str) -> Vec<PathBuf> {
    if source == "target/release/releve" {
        return vec![source.into()];
    }
    let Some((begin, end)) = source.split_once('*') else {
        return Vec::from_iter(repository().join(source).is_file().then(|| source.into()));
    };
    let (folder, begin) = begin.rsplit_once('/').unwrap();
    let is_meant = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        path.is_file() && name.starts_with(begin) && name.ends_with(end)
    };
    let entries = fs::read_dir(repository().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(is_meant).map(|path| path.strip_prefix(repository()).unwrap().to_owned()).collect()
}

/// The files of a folder of the repository, and of those in it.
fn all(folder: &str) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(repository().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(repository()).unwrap();
        if path.is_dir() { found.extend(all(name.to_str().unwrap())) } else { found.extend([name.to_owned()]) }
    }
    found
}

#[test]
fn everything_there_is_to_install_is_in_the_package() {
    let deb = deb();
    let packed: BTreeSet<PathBuf> = files().into_iter().map(|(source, ..)| source).collect();
    let scripts = Path::new(deb["maintainer-scripts"].as_str().unwrap()).to_owned();
    for folder in ["man", "completions", "contrib", "docs"] {
        for file in all(folder) {
            assert!(packed.contains(&file) || file.starts_with(&scripts), "{} is not in the package", file.display());
        }
    }
    let copyright = Path::new(deb["license-file"][0].as_str().unwrap()).to_owned();
    for file in all(scripts.to_str().unwrap()) {
        let is_script = file.ends_with("postrm");
        assert!(packed.contains(&file) || file == copyright || is_script, "{} is for nothing", file.display());
    }
    assert!(repository().join(copyright).is_file());
}

#[test]
fn everything_is_where_debian_looks_for_it() {
    let places: BTreeSet<String> = files().into_iter().map(|(_, to, _)| to).collect();
    for place in [
        "usr/bin/releve",
        "usr/share/man/man1/releve.1",
        "usr/share/man/man1/releve-log.1",
        // A completion is found by the exact name of the command.
        "usr/share/bash-completion/completions/releve",
        "usr/share/zsh/vendor-completions/_releve",
        "usr/share/fish/vendor_completions.d/releve.fish",
        "usr/lib/systemd/system/releve-log.service",
        "usr/lib/systemd/system/releve-serve.service",
        "usr/lib/systemd/system/releve-consolidate.service",
        "usr/lib/systemd/system/releve-consolidate.timer",
        "usr/lib/sysusers.d/releve.conf",
        "usr/lib/udev/rules.d/60-releve.rules",
        "etc/releve/releve.toml",
    ] {
        assert!(places.contains(place), "{place} is missing: {places:?}");
    }
    for (source, to, mode) in files() {
        assert_eq!(mode, if to == "usr/bin/releve" { "755" } else { "644" }, "{}", source.display());
    }
}

#[test]
fn units_are_neither_enabled_nor_started_and_need_no_path_to_the_program() {
    let units = deb()["systemd-units"].clone();
    assert_eq!((units["enable"].as_bool(), units["start"].as_bool()), (Some(false), Some(false)));
    for file in all("contrib/systemd") {
        let text = fs::read_to_string(repository().join(&file)).unwrap();
        let run = text.lines().filter_map(|line| line.strip_prefix("ExecStart="));
        // systemd looks in /usr/local/bin and /usr/bin: the units serve an installation by hand and the package.
        assert!(run.into_iter().all(|line| line.starts_with("releve ")), "{}", file.display());
    }
}

#[test]
fn the_settings_file_is_the_commented_default() {
    let (source, ..) = files().into_iter().find(|(_, to, _)| to == "etc/releve/releve.toml").unwrap();
    let text = fs::read_to_string(repository().join(source)).unwrap();
    let place = Place::new();
    assert_eq!(place.run(["config", "default"]).clean(), text);
    assert!(text.lines().all(|line| line.is_empty() || line.starts_with('#')), "{text}");
    place.write("releve.toml", &text);
    assert_eq!(place.run(["config", "check", "--config", "releve.toml"]).clean(), "releve.toml: ok\n");
}

#[test]
fn the_changelog_is_of_this_version() {
    let deb = deb();
    // Compressed on its way, under the name that packages without a revision have.
    let (source, ..) = files().into_iter().find(|(_, to, _)| to == "usr/share/doc/releve/changelog").unwrap();
    let text = fs::read_to_string(repository().join(source)).unwrap();
    assert_eq!(deb["revision"].as_str(), Some(""));
    let first = format!("releve ({}) ", env!("CARGO_PKG_VERSION"));
    assert!(text.starts_with(&first), "{text} is not {first}");
    assert!(text.contains(&format!("\n -- {}  ", deb["maintainer"].as_str().unwrap())), "{text}");
}

#[test]
fn what_was_read_stays_when_the_package_goes() {
    let place = Place::new();
    fs::create_dir_all(place.path("var/lib/releve")).unwrap();
    place.write("var/lib/releve/releve.db", "readings");
    let script = repository().join(deb()["maintainer-scripts"].as_str().unwrap()).join("postrm");
    let run = |argument: &str| {
        let mut command = Command::new("sh");
        Run::of(command.arg(&script).arg(argument).env("DPKG_ROOT", place.path("")).output().unwrap()).clean()
    };
    assert_eq!((run("remove"), run("upgrade")), (String::new(), String::new()));
    assert!(run("purge").contains("/var/lib/releve"));
    assert!(place.path("var/lib/releve/releve.db").exists());
    fs::remove_dir_all(place.path("var")).unwrap();
    assert_eq!(run("purge"), "", "there is nothing to speak of");
}
