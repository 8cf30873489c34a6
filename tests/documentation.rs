//! What the pages say is there: files, tests and findings that they name.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(Path::new(ROOT).join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> = docs
        .filter(|path| path.extension().is_some_and(|it| it == "md"))
        .collect();
    pages.push(Path::new(ROOT).join("README.md"));
    assert!(pages.len() > 9, "{pages:?}");
    pages
}

#[test]
fn the_readme_is_read_in_a_few_minutes_and_leads_to_every_page() {
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    assert!(readme.lines().count() < 200, "{}", readme.lines().count());
    let index = fs::read_to_string(Path::new(ROOT).join("docs/README.md")).unwrap();
    for page in pages() {
        let name = page.file_name().unwrap().to_str().unwrap();
        let is_linked = readme.contains(&format!("(docs/{name})"));
        assert!(name == "README.md" || is_linked, "{name}");
        assert!(
            name == "README.md" || index.contains(&format!("({name})")),
            "{name}"
        );
    }
}

#[test]
fn links_lead_to_files_that_are_there() {
    let mut number = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            if link.contains("://") || link.starts_with('#') {
                continue;
            }
            number += 1;
            let target = page.parent().unwrap().join(link.split('#').next().unwrap());
            assert!(target.exists(), "{}: {link}", page.display());
        }
    }
    assert!(number > 30, "{number}");
}

fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|it| it == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// Words between backticks.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// A promise that nothing tries is a hope.
#[test]
fn each_promise_names_the_tests_that_try_it() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/security.md")).unwrap();
    let (page, _) = page.rsplit_once("\n\nPlease report").unwrap();
    let promises: Vec<_> = page.split("\n- **").skip(1).collect();
    assert!(promises.len() > 12, "{}", promises.len());
    for promise in promises.into_iter().filter(|it| !it.starts_with("Not ")) {
        let (_, tests) = promise
            .rsplit_once("\n  Tests: ")
            .unwrap_or_else(|| panic!("no test: {promise}"));
        for test in quoted(tests) {
            let (file, name) = test.split_once(' ').unwrap();
            let folder = if file.starts_with("src/") {
                ""
            } else {
                "tests"
            };
            let path = Path::new(ROOT).join(folder).join(file);
            let source = fs::read_to_string(&path).unwrap_or_default();
            let is_there = ["", "    "]
                .iter()
                .any(|indent| source.contains(&format!("#[test]\n{indent}fn {name}() {{")));
            assert!(is_there, "no test {test}: {promise}");
        }
    }
}

#[test]
fn each_attack_has_its_tests_and_its_findings() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/attacks.md")).unwrap();
    let mut all = String::new();
    sources(&Path::new(ROOT).join("src"), &mut all);
    sources(&Path::new(ROOT).join("tests"), &mut all);
    let codes: BTreeSet<_> = kube_enroll::policy::CODES
        .iter()
        .map(|(code, _)| *code)
        .collect();
    let attacks: Vec<_> = page.split("\n## ").skip(1).collect();
    let (last, attacks) = attacks.split_last().unwrap();
    assert!(last.starts_with("What nothing here helps against"));
    assert!(attacks.len() > 10);
    for attack in attacks {
        let (body, tests) = attack.rsplit_once("\nTest").unwrap();
        let tests = quoted(tests);
        assert!(!tests.is_empty(), "{attack}");
        for test in tests {
            let is_there = all.contains(&format!("fn {test}("))
                || all.contains(&format!("{test}()"))
                || Path::new(ROOT).join(test).is_file();
            assert!(is_there, "no test {test}: {attack}");
        }
        let named = quoted(body).into_iter().filter(|word| {
            let is_word = |c: char| c.is_ascii_lowercase() || c == '-';
            word.contains('-') && !word.starts_with('-') && word.chars().all(is_word)
        });
        for code in named {
            assert!(codes.contains(code), "no finding {code}: {attack}");
        }
    }
}
