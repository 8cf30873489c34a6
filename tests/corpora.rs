//! Every fuzz target has seeds, and every seed has what every target demands.

#![allow(clippy::unwrap_used)]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fuzz::TARGETS;
use kube_enroll::parallel;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// The names of all files and folders in a folder, without their extensions.
fn names(folder: &Path) -> BTreeSet<String> {
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    files(folder).into_iter().map(stem).collect()
}

#[test]
fn every_target_has_a_program_and_seeds_and_there_are_no_others() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&folder("fuzz_targets")), targets);
    assert_eq!(names(&folder("seeds")), targets);
    let manifest = std::fs::read_to_string(folder("Cargo.toml")).unwrap();
    for target in targets {
        assert!(
            !files(&folder("seeds").join(&target)).is_empty(),
            "{target}"
        );
        assert!(
            manifest.contains(&format!("\nname = \"{target}\"\n")),
            "{target}"
        );
    }
}

#[test]
fn every_seed_has_what_every_target_demands() {
    let folders = files(&folder("seeds"));
    let seeds: Vec<_> = folders.iter().flat_map(|folder| files(folder)).collect();
    let failures = parallel::map(&seeds, |seed| {
        let data = std::fs::read(seed).unwrap();
        let failed = |target: fuzz::Target| catch_unwind(|| target(&data)).is_err();
        let targets = TARGETS.iter().filter(|(_, target)| failed(*target));
        let names: Vec<_> = targets
            .map(|(name, _)| format!("{name} {}", seed.display()))
            .collect();
        names
    });
    assert_eq!(failures.concat(), [""; 0]);
}
