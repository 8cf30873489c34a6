//! Binary data as hexadecimal digits: which program printed them, and how they become bytes again.

use std::path::Path;

use crate::shell::{Command, quoted};
use crate::text;
use crate::text::{Show as _, Text};

/// How the digits stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dump {
    /// Nothing but digits, blanks and colons.
    Plain,
    /// As `xxd` prints it.
    Xxd,
    /// As `hexdump -C` prints it.
    Canonical,
    /// As `od` and `hexdump` print it, in words whose order another machine may have otherwise.
    Words,
}

/// Whether text is DER in hexadecimal digits, or what a program printed of a file.
pub(super) fn dump(text: &str) -> Option<Dump> {
    const ENOUGH: usize = 64;
    let is_digit = |c: char| c.is_ascii_hexdigit() || c.is_whitespace() || c == ':';
    let digits = text.chars().filter(char::is_ascii_hexdigit).count();
    let is_plain = text.trim_start().starts_with("30") && text.chars().all(is_digit);
    if is_plain && digits >= ENOUGH {
        return Some(Dump::Plain);
    }
    // An offset that grows by 16.
    let is_row = |start: &str| text.lines().any(|line| line.starts_with(start));
    let begins = |first, next: [&str; 2]| is_row(first) && next.into_iter().any(is_row);
    if begins("00000000: ", ["00000010: ", "00000020: "]) {
        Some(Dump::Xxd)
    } else if begins("00000000  ", ["00000010  ", "00000020  "]) {
        Some(Dump::Canonical)
    } else if begins("00000000", ["00000010", "00000020"])
        || begins("0000000 ", ["0000010 ", "0000020 "])
    {
        Some(Dump::Words)
    } else {
        None
    }
}

impl Dump {
    /// How it becomes the bytes again, in a new file that only its owner can read.
    pub(super) fn undone(self, file: &Path, new: &Path) -> Text {
        let xxd = || Command::new("xxd").word("-r");
        let undo = match self {
            Self::Plain => xxd().word("-p").operand(file).show(),
            Self::Xxd => xxd().operand(file).show(),
            Self::Canonical => {
                let cut = Command::new("cut").word("-c10-58").operand(file);
                cut.pipe(xxd().word("-p")).show()
            }
            Self::Words => {
                return "take the file itself, or have it printed by xxd, whose output can be turned back"
                    .into();
            }
        };
        text!(
            "turn it into the bytes that it stands for: (umask 077; {} > {})",
            undo,
            quoted(new)
        )
    }
}
