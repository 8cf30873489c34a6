//! What the dependencies are not: able to open a socket, or written in C. The lists are those of
//! `deny.toml`, so that this holds without cargo-deny and without a network.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// All packages that become part of the program or of its build on this platform.
fn packages() -> Vec<Value> {
    let metadata = metadata();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let mut found = BTreeSet::new();
    let mut next = vec![metadata["resolve"]["root"].as_str().unwrap()];
    while let Some(id) = next.pop() {
        if found.insert(id) {
            let node = nodes.iter().find(|node| node["id"] == id).unwrap();
            let needed = node["deps"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dep| is_needed(dep));
            next.extend(needed.map(|dep| dep["pkg"].as_str().unwrap()));
        }
    }
    let mut packages = metadata["packages"].as_array().unwrap().clone();
    packages.retain(|package| found.contains(package["id"].as_str().unwrap()));
    for package in &mut packages {
        let node = nodes
            .iter()
            .find(|node| node["id"] == package["id"])
            .unwrap();
        package["enabled"] = node["features"].clone();
    }
    assert!(packages.len() > 50, "{}", packages.len());
    packages
}

fn metadata() -> Value {
    let version = Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .args(["--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Not for tests alone.
fn is_needed(dependency: &Value) -> bool {
    let mut kinds = dependency["dep_kinds"].as_array().unwrap().iter();
    kinds.any(|kind| kind["kind"] != "dev")
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

#[test]
fn no_dependency_is_one_that_deny_toml_bans() {
    let deny = read("deny.toml");
    let banned: BTreeSet<_> = deny
        .lines()
        .filter_map(|line| line.trim().strip_prefix("{ crate = \"")?.split('"').next())
        .collect();
    assert!(banned.contains("socket2") && banned.contains("cc"));
    for package in packages() {
        assert!(!banned.contains(name(&package)), "{}", name(&package));
    }
}

#[test]
fn no_dependency_runs_code_in_the_build_that_deny_toml_does_not_allow() {
    let deny = read("deny.toml");
    let (_, list) = deny.split_once("allow-build-scripts = [").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    for package in packages() {
        let mut targets = package["targets"].as_array().unwrap().iter();
        if targets.any(|target| target["kind"][0] == "custom-build") {
            let entry = format!("\"{}\",", name(&package));
            assert!(list.contains(&entry), "{entry}");
        }
    }
}

#[test]
fn no_dependency_links_a_library_or_compiles_c() {
    for package in packages() {
        assert!(package["links"].is_null(), "{}", name(&package));
        for target in package["targets"].as_array().unwrap() {
            let kinds = target["kind"].as_array().unwrap();
            if kinds.iter().any(|kind| kind == "custom-build") {
                let script = std::fs::read_to_string(target["src_path"].as_str().unwrap()).unwrap();
                // What compiles C from a build script is a crate, and banned by its name.
                assert!(!script.contains("rustc-link-lib"), "{}", name(&package));
            }
        }
    }
}

#[test]
fn no_dependency_has_its_network_part_enabled() {
    for package in packages() {
        let enabled = package["enabled"].as_array().unwrap();
        for feature in ["net", "network", "http", "io_uring", "tls"] {
            let found = enabled.iter().any(|name| name == feature);
            assert!(!found, "{}: {feature}", name(&package));
        }
    }
}

#[test]
fn every_dependency_is_from_crates_io() {
    for package in packages() {
        let own = name(&package) == env!("CARGO_PKG_NAME");
        let registry = package["source"] == "registry+https://github.com/rust-lang/crates.io-index";
        assert!(own || registry, "{}: {}", name(&package), package["source"]);
    }
}

#[test]
fn the_documentation_says_of_each_direct_dependency_why_it_is_there() {
    let metadata = metadata();
    let mut all = metadata["packages"].as_array().unwrap().iter();
    let own = all.find(|package| name(package) == env!("CARGO_PKG_NAME"));
    let direct = own.unwrap()["dependencies"].as_array().unwrap();
    let direct: BTreeSet<_> = direct
        .iter()
        .map(|dependency| dependency["rename"].as_str().unwrap_or(name(dependency)))
        .collect();
    let readme = read("docs/building.md");
    let (_, section) = readme.split_once("\n## Dependencies\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let column = |row| str::split(row, '|').nth(2);
    let rows = section.lines().filter_map(column);
    let explained: BTreeSet<_> = rows
        .flat_map(|crates| crates.split('`').skip(1).step_by(2))
        .collect();
    assert_eq!(explained, direct);
}

/// krew's own rules (sigs.k8s.io/krew `validation.ValidatePlugin` and its `validate-krew-manifest`).
#[test]
fn the_manifest_for_krew_keeps_its_rules_and_carries_the_checksums_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let targets = [
        ("x86_64-unknown-linux-gnu", "linux", "amd64"),
        ("aarch64-unknown-linux-gnu", "linux", "arm64"),
        ("aarch64-apple-darwin", "darwin", "arm64"),
    ];
    let tarballs = targets.map(|(target, ..)| {
        let name = format!("kube-enroll-{version}-{target}");
        let tarball = folder.path().join(format!("{name}.tar.gz"));
        std::fs::write(&tarball, target).unwrap();
        (name, tarball)
    });
    let output = Command::new("release/krew")
        .args(tarballs.iter().map(|(_, tarball)| tarball))
        .env("RELEASE_URL", "https://example.com/v1")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success());
    let plugin = kube_enroll::yaml::first_document(&output.stdout).unwrap();
    assert_eq!(
        plugin["apiVersion"],
        "krew.googlecontainertools.github.com/v1alpha2"
    );
    assert_eq!(plugin["kind"], "Plugin");
    // The file is called so.
    assert_eq!(plugin["metadata"]["name"], "enroll");
    let spec = &plugin["spec"];
    assert_eq!(spec["version"], format!("v{version}"));
    let lines = |field: &str, longest: usize| {
        let text = spec[field].as_str().unwrap();
        assert!(text.lines().all(|line| line.len() <= longest), "{field}");
        text.lines().count()
    };
    assert_eq!(lines("shortDescription", 50), 1);
    assert!(lines("description", 80) > 1 && lines("caveats", 80) > 1);
    let platforms = spec["platforms"].as_array().unwrap();
    assert_eq!(platforms.len(), targets.len());
    for ((platform, (name, tarball)), (_, os, arch)) in platforms.iter().zip(&tarballs).zip(targets)
    {
        let labels = serde_json::json!({"os": os, "arch": arch});
        assert_eq!(platform["selector"]["matchLabels"], labels);
        assert_eq!(
            platform["uri"],
            format!("https://example.com/v1/{name}.tar.gz")
        );
        let sum = Command::new("sha256sum")
            .arg(tarball)
            .output()
            .unwrap()
            .stdout;
        let sum = String::from_utf8(sum).unwrap();
        assert_eq!(platform["sha256"].as_str(), sum.split(' ').next());
        assert_eq!(platform["bin"], "kube-enroll");
        let files = platform["files"].as_array().unwrap();
        let froms: Vec<_> = files
            .iter()
            .map(|file| file["from"].as_str().unwrap())
            .collect();
        assert_eq!(
            froms,
            [format!("{name}/kube-enroll"), format!("{name}/LICENSE-*")]
        );
        assert!(files.iter().all(|file| file["to"] == "."));
    }
}
