//! Messages in lines that fit the terminal: broken between words, and never within a command, which is
//! there to be copied.

use unicode_width::UnicodeWidthStr as _;

use crate::cli::args;

/// What an indented line that goes on starts with, besides the blanks before its first one; messages hang
/// so as well.
pub(super) const HANGING: &str = "    ";

/// Programs that are advised, which are commands where they stand first or behind a colon.
const PROGRAMS: [&str; 27] = [
    "7z",
    "age",
    "ansible-vault",
    "base64",
    "bunzip2",
    "certreq",
    "chgrp",
    "chmod",
    "cp",
    "cut",
    "git",
    "gpg",
    "gunzip",
    "jq",
    "keytool",
    "mv",
    "openssl",
    "puttygen",
    "rm",
    "sed",
    "ssh-keygen",
    "tar",
    "unzip",
    "xargs",
    "xxd",
    "xz",
    "zstd",
];

/// What makes a command of the word kubectl.
const OF_KUBECTL: [&str; 11] = [
    "--kubeconfig",
    "apply",
    "auth",
    "certificate",
    "config",
    "create",
    "delete",
    "enroll",
    "get",
    "kuberc",
    "label",
];

/// The text in lines of this width, where that can be; lines at the margin that go on start with `hanging`.
pub(super) fn folded(text: &str, width: usize, hanging: &str) -> String {
    let mut folded = String::with_capacity(text.len() + text.len() / 16);
    let mut was_open = false;
    for line in text.split_inclusive('\n') {
        // Of a command that is folded already.
        let is_open = line.trim_end().ends_with(['\\', '|']);
        let is_part = std::mem::replace(&mut was_open, is_open) || is_open;
        if is_part || line.trim_end().width() <= width {
            folded.push_str(line);
        } else {
            fold(line, width, hanging, &mut folded);
        }
    }
    folded
}

fn fold(line: &str, width: usize, hanging: &str, folded: &mut String) {
    let indent = line.len() - line.trim_start().len();
    let hanging = if indent == 0 { hanging } else { HANGING };
    let mut used = 0;
    for piece in pieces(line) {
        if used > indent && used + piece.trim_end().width() > width {
            let piece = piece.trim_start_matches(' ');
            folded.push('\n');
            folded.extend(std::iter::repeat_n(' ', indent));
            folded.push_str(hanging);
            folded.push_str(piece);
            used = indent + hanging.len() + piece.width();
        } else {
            folded.push_str(piece);
            used += piece.width();
        }
    }
}

/// The words of a line and the commands in it, each with the blanks before it.
fn pieces(line: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut before = None;
    let mut rest = line;
    while !rest.is_empty() {
        let start = rest.len() - rest.trim_start().len();
        let (_, words) = rest.split_at(start);
        let word = words
            .split_inclusive(' ')
            .next()
            .unwrap_or_default()
            .trim_end();
        let next = words.split(' ').nth(1).unwrap_or_default();
        let length = if is_command(before, word, next) {
            length_of_command(words)
        } else {
            word.len()
        };
        let (piece, after) = rest.split_at(start + length.max(1).min(words.len()));
        pieces.push(piece);
        before = Some(piece);
        rest = after;
    }
    pieces
}

/// Whether a command starts with this word.
fn is_command(before: Option<&str>, word: &str, next: &str) -> bool {
    let next = next.trim_end_matches([',', ';', ')', '\n']);
    match word {
        "kubectl" => OF_KUBECTL.contains(&next),
        "kube-enroll" => args::command().find_subcommand(next).is_some(),
        "(umask" => true,
        _ => PROGRAMS.contains(&word) && before.is_none_or(|before| before.ends_with(':')),
    }
}

/// Up to where a command goes: to the end of the line, or to a sign that is none of the shell's where
/// it stands.
fn length_of_command(words: &str) -> usize {
    let is_group = words.starts_with('(');
    let mut quote = None;
    let mut characters = words.char_indices().peekable();
    while let Some((place, character)) = characters.next() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (None, ',' | ';' | ')') if !is_group => {
                let next = characters.peek().map(|(_, next)| *next);
                if next.is_none_or(|next| next.is_whitespace() || next == ':') {
                    return place + 1;
                }
            }
            _ => {}
        }
    }
    words.len()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_hang() {
        let text = "kube-enroll: alice.key is a key of another kind, not one\n  take it from there once more";
        assert_eq!(
            folded(text, 40, HANGING),
            "kube-enroll: alice.key is a key of\n    another kind, not one\n  take it from there once more"
        );
        assert_eq!(folded(text, 80, HANGING), text);
        let word = "x".repeat(50);
        assert_eq!(
            folded(&format!("a: {word} b"), 40, HANGING),
            format!("a:\n    {word}\n    b")
        );
        assert_eq!(folded("\n", 40, HANGING), "\n");
        let text = "Send it to an administrator of the cluster:\n  the whole file, as an attachment to a mail\n";
        assert_eq!(
            folded(text, 40, ""),
            "Send it to an administrator of the\ncluster:\n  the whole file, as an attachment to a\n      mail\n"
        );
    }

    #[test]
    fn commands_stay_whole() {
        for command in [
            "kubectl get csr alice-f0ec96b6 -o yaml | kube-enroll reply --out alice.reply.yaml",
            "kube-enroll renew 'a file, with signs; and (blanks).crt' --no-passphrase --output-dir new",
            "openssl x509 -in trusted-certificates.crt -out trusted-certificates.crt-new.crt",
            "(umask 077; base64 -d some-long-name-of-a-file > some-long-name-of-a-file-decoded.bin)",
            "mv reply-of-alice.yaml reply-of-alice.yaml.gz && gunzip reply-of-alice.yaml.gz",
        ] {
            for (before, after) in [
                (
                    "kube-enroll: warning: it is of no use as it is there; run: ",
                    "",
                ),
                ("  ", ""),
                ("  unpack it, since nothing reads what is packed: ", ""),
            ] {
                let text = folded(&format!("{before}{command}{after}"), 40, HANGING);
                assert!(
                    text.lines()
                        .any(|line| line.trim_start().ends_with(command)),
                    "{text}"
                );
            }
        }
        // Whose sentence goes on.
        let text = "make a new key: kube-enroll request USER --no-passphrase, without --key; or give another one";
        assert_eq!(
            folded(text, 40, HANGING),
            "make a new key:\n    kube-enroll request USER --no-passphrase,\n    without --key; or give another one"
        );
        let text = "what kubectl would do with it, and what kubectl get csr NAME -o yaml prints";
        assert_eq!(
            folded(text, 40, HANGING),
            "what kubectl would do with it, and what\n    kubectl get csr NAME -o yaml prints"
        );
    }

    #[test]
    fn what_is_folded_already_stays_so() {
        let text = "run this, in the folder that all of the files are in:\n\n  kubectl create -f a-file-of-some-length.yaml \\\n    --kubeconfig another-file-of-some-length\n";
        assert_eq!(
            folded(text, 40, HANGING),
            text.replace("the files", "the\n    files")
        );
    }

    /// Whatever the sources make a command of.
    #[test]
    fn every_program_that_is_advised_is_known() {
        fn check(folder: &Path) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    check(&path);
                    continue;
                }
                let source = std::fs::read_to_string(&path).unwrap();
                for rest in source.split("Command::new(\"").skip(1) {
                    let (program, _) = rest.split_once('"').unwrap();
                    let is_known = ["kubectl", "kube-enroll", "/bin/true"].contains(&program)
                        || PROGRAMS.contains(&program);
                    assert!(is_known, "{program} in {}", path.display());
                }
            }
        }
        check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    }
}
