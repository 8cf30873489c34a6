//! Words for a command line that others paste: whatever a name holds, the shell takes it as one
//! word, and showing it moves no cursor.

use std::fmt::Write as _;

/// The word as it is, between single quotes, or as `$'...'` (POSIX.1-2024, and every bash, zsh and
/// ksh) with octal escapes where there is anything besides visible ASCII.
#[must_use]
pub fn quote(word: &str) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || b"-_./:@,+".contains(&b);
    let is_visible = |b: u8| b == b' ' || b.is_ascii_graphic();
    if !word.is_empty() && word.bytes().all(is_bare) {
        return word.to_owned();
    }
    if word.bytes().all(is_visible) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut quoted = String::from("$'");
    for byte in word.bytes() {
        if is_visible(byte) && !b"'\\".contains(&byte) {
            quoted.push(char::from(byte));
        } else {
            let _ = write!(quoted, "\\{byte:03o}");
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_word_is_shown_as_plainly_as_it_can_be() {
        for (word, quoted) in [
            ("alice", "alice"),
            ("alice@example.com", "alice@example.com"),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(reboot)`x`;\"", "'$(reboot)`x`;\"'"),
            ("it's", r"'it'\''s'"),
            ("~root", "'~root'"),
            ("Zoë", r"$'Zo\303\253'"),
            ("a\n'\\\u{1b}[2J", r"$'a\012\047\134\033[2J'"),
            ("a\u{202e}1", r"$'a\342\200\2561'"),
        ] {
            assert_eq!(quote(word), quoted);
        }
    }

    #[test]
    fn the_shell_reads_back_every_word() {
        let words = [
            "alice",
            "",
            " a  b ",
            "it's",
            "$HOME`id`",
            "\\",
            "*",
            "#a",
            "a\n",
            "\t\u{1b}[2J",
            "Zoë",
            "!!",
            "-n",
        ];
        for word in words {
            let script = format!("printf %s {}", quote(word));
            let Ok(output) = Command::new("bash").args(["-c", &script]).output() else {
                assert_ne!(
                    std::env::var("CI").as_deref(),
                    Ok("true"),
                    "bash is missing"
                );
                println!("skipped: bash is missing");
                return;
            };
            assert_eq!(output.stdout, word.as_bytes(), "{script}");
        }
    }
}
