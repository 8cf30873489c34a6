//! Readers do no more than twice the work for twice the input, whatever the input is.
//!
//! Work is counted in instructions, by callgrind, which no other process disturbs: this program runs
//! itself under it, to read one file.

#![allow(clippy::unwrap_used)]

mod common;

use std::process::Command;

use common::{Folder, have};
use kube_enroll::budget::Limits;
use kube_enroll::inspect::{Context, Style, inspect, report};
use kube_enroll::looks::look;
use kube_enroll::policy::Agreed;
use kube_enroll::reply::Reply;
use kube_enroll::roster::Roster;
use kube_enroll::yaml;
use time::OffsetDateTime;

/// The file that [`reads_the_file_named_in_the_environment`] reads.
const FILE: &str = "KUBE_ENROLL_GROWTH_FILE";
/// The smaller input, in bytes.
const SIZE: usize = 8 << 10;

#[test]
#[ignore = "run by the tests below, under callgrind"]
fn reads_the_file_named_in_the_environment() {
    let input = std::fs::read(std::env::var_os(FILE).unwrap()).unwrap();
    let stream = yaml::read(&input, &Limits::default());
    assert!(stream.documents.len() + stream.oddities.len() <= input.len());
    // Whatever it is, and whether the way did something to it.
    let context = Context {
        now: OffsetDateTime::UNIX_EPOCH,
        agreed: Agreed::default(),
        passphrase: None,
    };
    let objects = inspect("input", &input, &context);
    let shown = report(&objects, Style::Json);
    let is_reply = Reply::read_forgiving(&input).is_ok();
    let is_roster = Roster::read(&input, false).is_ok();
    let looks = look(&input);
    assert!(!(is_reply && is_roster), "{looks:?} {shown}");
}

/// How many instructions it takes to read `input`, what a program takes to start included.
fn instructions(folder: &Folder, input: &str) -> u64 {
    let file = folder.path().join("input");
    std::fs::write(&file, input).unwrap();
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--test-threads=1"])
        .arg("reads_the_file_named_in_the_environment")
        .env(FILE, &file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success(), "{said}");
    let counted = said.split_once("Collected : ").unwrap().1;
    let digits = counted.split_whitespace().next().unwrap();
    digits.parse().unwrap()
}

/// Compares what an input of that shape takes with what twice of it takes.
fn check(shape: impl Fn(usize) -> String) {
    if !have("valgrind") {
        return;
    }
    let folder = Folder::new();
    let nothing = instructions(&folder, "");
    let [once, twice] = [SIZE, 2 * SIZE].map(|size| instructions(&folder, &shape(size)) - nothing);
    assert!(twice * 10 <= once * 25, "{once} instructions, then {twice}");
}

/// A test for each shape: what comes first, what is repeated to that size, and what comes last.
macro_rules! shapes {
    ($($name:ident $first:literal $repeated:literal $last:literal;)*) => {$(
        #[test]
        fn $name() {
            check(|size| {
                let count = size / $repeated.len();
                [$first, &$repeated.repeat(count), $last].concat()
            });
        }
    )*};
}

shapes! {
    brackets_without_end "[\"!,\"," "[" "";
    dashes_without_end "" "- " "";
    question_marks_without_end "" "? " "";
    json_brackets_without_end "{\"a\": " "[" "";
    many_items "a: [" "1," "]";
    many_pairs_in_a_sequence "a: [" "b: c, " "]";
    many_words "a: " "b " "";
    many_lines "a: |" "\n b" "\n";
    many_empty_lines "a: |\n" "\n" "";
    many_blanks "a:" " " "b";
    many_escapes "a: \"" "\\n" "\"";
    many_escapes_in_json "{\"a\": \"" "\\u0041" "\"}";
    many_comments "" "#\n" "";
    many_documents "" "a\n---\n" "";
    many_json_documents "" "{}" "";
    many_separators "" "---\n" "";
    many_aliases "a: &a x\nb: [" "*a," "]\n";
    many_merges "a: &a {b: 1}\nc: {" "<<: *a, " "}\n";
    many_duplicates "" "a: 1\n" "";
    many_tags "" "- !!str x\n" "";
    many_marks "a: " "\u{feff}" "";
    nothing_but_marks "" "\u{feff}" "";
    many_backslashes "apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata: {name: '" "\\" "'}\n";
    many_quote_signs "" "> " "a: 1\n";
    many_fences "" "```\n" "a: 1\n";
    keys_that_close_late "- " "[]" ": a\n";
}

#[test]
fn many_different_keys() {
    check(|size| {
        (0..size / 10)
            .map(|number| format!("k{number}: 1\n"))
            .collect::<Vec<_>>()
            .concat()
    });
}

#[test]
fn many_different_anchors() {
    check(|size| {
        (0..size / 12)
            .map(|number| format!("- &a{number} x\n"))
            .collect::<Vec<_>>()
            .concat()
    });
}

#[test]
fn chains_of_aliases() {
    check(|size| {
        let link = |number: usize| match number.checked_sub(1) {
            None => "- &a0 [1]\n".to_owned(),
            Some(last) => format!("- &a{number} [*a{last}]\n"),
        };
        (0..size / 16).map(link).collect::<String>()
    });
}

#[test]
fn keys_in_keys() {
    check(|size| {
        let key = ["[".repeat(300), "]:".repeat(300)].concat();
        format!("[{}]", format!("{key},").repeat(size / key.len()))
    });
}
