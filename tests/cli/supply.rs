//! Where the code comes from: every package from the registry with its checksum, licences listed, no `unsafe` of our own.

use crate::testenv::{control, figures, repository};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

fn text(name: &str) -> String {
    fs::read_to_string(repository().join(name)).unwrap()
}

/// The packages of a lock file that are not ours: each of the registry and with a checksum. How many.
fn locked(lock: &str, manifest: &str) -> Result<usize, String> {
    let lock: toml::Value = toml::from_str(lock).map_err(|error| error.to_string())?;
    let manifest: toml::Value = toml::from_str(manifest).map_err(|error| error.to_string())?;
    let packages = lock["package"].as_array().ok_or("no package is locked")?;
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        let (name, version) =
            (package["name"].as_str().unwrap_or_default(), package["version"].as_str().unwrap_or_default());
        versions.entry(name).or_default().push(version);
        if name == manifest["package"]["name"].as_str().unwrap_or_default() {
            continue;
        }
        if package.get("source").and_then(toml::Value::as_str)
            != Some("registry+https://github.com/rust-lang/crates.io-index")
        {
            return Err(format!("{name} {version} is not of the registry"));
        }
        if package.get("checksum").and_then(toml::Value::as_str).is_none_or(|sum| sum.len() != 64) {
            return Err(format!("{name} {version} has no checksum"));
        }
    }
    let asked = manifest["dependencies"].as_table().into_iter().flatten();
    for (name, asked) in asked {
        if !versions.contains_key(name.as_str()) {
            return Err(format!("{name} is not locked"));
        }
        let version = asked.as_str().or_else(|| asked.get("version")?.as_str()).unwrap_or("*");
        if version.contains('*') {
            return Err(format!("{name} may be any version"));
        }
    }
    Ok(packages.len() - 1)
}

/// Whether what `cargo deny` is told refuses unknown sources and unlisted licences.
fn denies(deny: &str) -> Result<usize, String> {
    let deny: toml::Value = toml::from_str(deny).map_err(|error| error.to_string())?;
    let is = |section: &str, key: &str| deny.get(section).and_then(|section| section.get(key)?.as_str());
    for key in ["unknown-registry", "unknown-git"] {
        if is("sources", key) != Some("deny") {
            return Err(format!("{key} is not denied"));
        }
    }
    if is("bans", "wildcards") != Some("deny") {
        return Err("wildcards are not denied".to_owned());
    }
    let allowed = deny["licenses"]["allow"].as_array().map(Vec::as_slice).unwrap_or_default();
    let strong: Vec<_> = allowed.iter().filter_map(toml::Value::as_str).filter(|name| name.contains("GPL")).collect();
    if allowed.is_empty() || !strong.is_empty() { Err(format!("licences: {strong:?}")) } else { Ok(allowed.len()) }
}

/// Our own code has no `unsafe`, and the compiler is told to refuse it.
fn forbids_unsafe(manifest: &str, sources: &[(String, String)]) -> Result<usize, String> {
    let manifest: toml::Value = toml::from_str(manifest).map_err(|error| error.to_string())?;
    let lint = manifest.get("lints").and_then(|lints| lints.get("rust")?.get("unsafe_code")?.as_str());
    if lint != Some("forbid") {
        return Err("unsafe code is not forbidden".to_owned());
    }
    let opened = |text: &str| {
        text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")).any(|line| {
            ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "allow(unsafe_code"]
                .iter()
                .any(|word| line.contains(word))
        })
    };
    match sources.iter().find(|(_, text)| opened(text)) {
        Some((name, _)) => Err(format!("{name} has unsafe code")),
        None => Ok(sources.len()),
    }
}

fn sources() -> Vec<(String, String)> {
    let (mut found, mut folders) = (Vec::new(), vec![repository().join("src")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

#[test]
fn promise_p21_what_is_built_is_locked_listed_and_without_unsafe_of_our_own() {
    let manifest = text("Cargo.toml");
    let packages = locked(&text("Cargo.lock"), &manifest).unwrap();
    let licences = denies(&text("deny.toml")).unwrap();
    let files = forbids_unsafe(&manifest, &sources()).unwrap();
    assert!(packages > 100 && files > 300, "{packages} packages, {files} files");
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(text(licence).len() > 1000, "{licence}");
    }
    // What the advisories say is asked where there is a network: .ci/run asks the rest, too.
    assert!(text(".ci/run").contains("cargo deny --locked check"));
    figures(21, 0, 0, 0, format_args!("{packages} packages locked, {licences} licences, {files} files without unsafe"));
}

/// The licences that packages have, as cargo knows them without a network.
#[test]
fn promise_p21_every_package_has_a_licence_that_is_listed() {
    let arguments = ["metadata", "--format-version", "1", "--locked", "--offline"];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(repository()).output().unwrap();
    if !output.status.success() {
        println!("skipped: cargo has not all packages here: {}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let deny: toml::Value = toml::from_str(&text("deny.toml")).unwrap();
    let mut allowed: BTreeSet<String> = strings(&deny["licenses"]["allow"]);
    for exception in deny["licenses"]["exceptions"].as_array().into_iter().flatten() {
        allowed.extend(strings(&exception["allow"]));
    }
    let packages = metadata["packages"].as_array().unwrap();
    for package in packages {
        let licence = package["license"].as_str().unwrap_or_default();
        is_listed(licence, &allowed).unwrap_or_else(|why| panic!("{}: {why}", package["name"]));
    }
    figures(21, 0, 0, 0, format_args!("{} packages, each under a licence that is listed", packages.len()));
}

fn strings(list: &toml::Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect()
}

/// One of the licences that may be chosen among is listed, of those that hold together each.
fn is_listed(licence: &str, allowed: &BTreeSet<String>) -> Result<(), String> {
    let expression = licence.replace('/', " OR ").replace(['(', ')'], " ");
    let name = |part: &str| part.split(" WITH ").next().unwrap_or_default().trim().to_owned();
    let ok = expression.split(" OR ").any(|choice| choice.split(" AND ").all(|part| allowed.contains(&name(part))));
    if ok { Ok(()) } else { Err(format!("'{licence}' is not listed")) }
}

#[test]
fn promise_p21_control_what_is_not_locked_listed_or_safe_is_found_out() {
    let (manifest, lock, deny) = (text("Cargo.toml"), text("Cargo.lock"), text("deny.toml"));
    let source = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let unsafe_file = vec![("src/x.rs".to_owned(), "fn x() { unsafe { y() } }\n".to_owned())];
    let allowed = BTreeSet::from(["MIT".to_owned()]);
    control(
        21,
        [
            (
                "a package of somewhere else",
                locked(&lock.replacen(source, "source = \"git+https://example.com/x\"", 1), &manifest),
            ),
            ("a package without checksum", locked(&lock.replacen("checksum = ", "sum = ", 1), &manifest)),
            (
                "a package that is not locked",
                locked(&lock.replace("name = \"chrono\"", "name = \"chrome\""), &manifest),
            ),
            ("a package of any version", locked(&lock, &manifest.replace("crc = \"3.4.0\"", "crc = \"*\""))),
            ("unknown sources allowed", denies(&deny.replace("unknown-git = \"deny\"", "unknown-git = \"allow\""))),
            ("a licence that binds", denies(&deny.replace("\"ISC\"", "\"GPL-3.0\""))),
            ("unsafe code", forbids_unsafe(&manifest, &unsafe_file)),
            ("unsafe code allowed", forbids_unsafe(&manifest.replace("\"forbid\"", "\"warn\""), &[])),
            ("a licence that is not listed", is_listed("AGPL-3.0", &allowed).map(|()| 0)),
        ],
    );
}
