//! A file in numbered parts of text, to be joined in any order.
//!
//! ```text
//! part  = mark number count file check piece
//! mark  = "1QRZ"
//! number, count = two decimal digits each, from 01
//! file  = the first 40 bits of SHA-256 over the whole file, in base32
//! check = the first 20 bits of SHA-256 over number, count, file and piece, in base32
//! piece = the next of the file, in base32
//! ```
//!
//! Base32 is that of RFC 4648 in upper case, without padding. So a part has letters and digits alone,
//! which QR codes hold in their alphanumeric mode and scanners that type do not garble; and since no
//! piece has a `1` in it, the next mark ends a piece where nothing else stands between two parts. The
//! mark shows which layout of the keyboard a scanner did not know of.
//!
//! The checks are for accidents. They are short, and who makes a file can make two with the same; what
//! is in the file has to be judged all the same, as if it had come on a stick.

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::base32;
use crate::text;
use crate::text::{Show, Text};

/// More parts than this nobody scans; their number has two digits.
pub const MOST: usize = 99;
/// What stands before the piece in each part, in characters.
pub const HEAD: usize = MARK.len() + 2 + 2 + FILE + CHECK;

const MARK: &str = "1QRZ";
/// The length of the check of the whole file.
const FILE: usize = 8;
/// The length of the check of a part.
const CHECK: usize = 4;
/// Five bytes are eight characters: pieces of such length can be joined as they are.
const GROUP: usize = 5;
/// What zbar writes before what a code holds, unless it is told not to.
const SYMBOLOGY: &[u8] = b"QR-Code:";
/// U+FEFF, which editors put in front.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// What a scanner that takes the keyboard for an American one types on another: what is typed, and
/// for what.
struct Layout {
    mark: &'static str,
    typed: &'static str,
    meant: &'static str,
}

const LAYOUTS: [Layout; 3] = [
    Layout {
        mark: MARK,
        typed: "",
        meant: "",
    },
    // German and others
    Layout {
        mark: "1QRY",
        typed: "YZ",
        meant: "ZY",
    },
    // French; with shift or without, so that the digits stand for themselves too
    Layout {
        mark: "&ARW",
        typed: "QAZW?&É\"'(-È_ÇÀ",
        meant: "AQWZM1234567890",
    },
];

/// Why text is not a file in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartsError {
    /// Something in this line is not part of a part.
    Other {
        /// The line, from 1.
        line: usize,
    },
    /// A part that does not hold its check.
    Damaged {
        /// Its number, where that can be read.
        number: Option<u8>,
        /// The line that it starts in, from 1.
        line: usize,
    },
    /// Two parts of different files.
    TwoFiles([Place; 2]),
    /// Two parts with the same number, and not the same in them.
    TwoPieces([Place; 2]),
    /// Some are missing.
    Missing {
        /// The numbers of those that are not there.
        missing: Vec<u8>,
        /// The numbers of those that are there more than once.
        doubled: Vec<u8>,
        /// How many there have to be.
        count: u8,
    },
    /// All parts hold, and the file does not: it is not the one that they were made of.
    Whole,
}

/// A part, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its number.
    pub number: u8,
    /// How many there are of its file.
    pub count: u8,
    /// The line that it starts in, from 1.
    pub line: usize,
}

impl Show for Place {
    fn show(&self) -> Text {
        text!(
            "part {} of {} (line {})",
            self.number,
            self.count,
            self.line
        )
    }
}

impl Show for PartsError {
    fn show(&self) -> Text {
        match self {
            Self::Other { line } => text!(
                "line {} holds something that is no part of a QR code: each part starts with {}",
                *line,
                MARK
            ),
            Self::Damaged {
                number: Some(number),
                line,
            } => text!("part {} (line {}) is damaged", *number, *line),
            Self::Damaged { number: None, line } => text!("the part in line {} is damaged", *line),
            Self::TwoFiles([first, second]) => {
                text!("{} and {} are of two different files", *first, *second)
            }
            Self::TwoPieces([first, second]) => text!(
                "{} and {} are not the same, though they have the same number",
                *first,
                *second
            ),
            Self::Missing {
                missing,
                doubled,
                count,
            } => {
                let is = if missing.len() == 1 { "is" } else { "are" };
                let text = text!("{} of {} {} missing", numbers(missing), *count, is);
                match &doubled[..] {
                    [] => text,
                    doubled => text!("{}; {}", text, doubled_parts(doubled)),
                }
            }
            Self::Whole => "all parts are there, and the file that they make is not the one that \
                            they were made of"
                .into(),
        }
    }
}

impl PartsError {
    /// What to do.
    #[must_use]
    pub fn step(&self) -> Text {
        match self {
            Self::Other { .. } => "remove what is not from a code, and scan what was not read whole",
            Self::Damaged { .. } => {
                "remove it and scan that code again; a scanner that types needs the keyboard layout \
                 of its machine"
            }
            Self::TwoFiles(_) => "put the parts of each file into a file of their own",
            Self::TwoPieces(_) | Self::Whole => "scan the codes again, all of them",
            Self::Missing { .. } => "scan what is missing, and add it anywhere",
        }
        .into()
    }
}

/// What was told of parts that are there more than once.
#[must_use]
pub fn doubled_parts(doubled: &[u8]) -> Text {
    let verb = if doubled.len() == 1 { "is" } else { "are" };
    text!("{} {} there more than once", numbers(doubled), verb)
}

/// `part 2`, `parts 2, 3`, `parts 2 to 5, 7`; the numbers are in order.
fn numbers(numbers: &[u8]) -> Text {
    let noun = if numbers.len() == 1 { "part" } else { "parts" };
    let runs = numbers.chunk_by(|one, next| one + 1 == *next);
    let runs = runs.map(|run| match run {
        [first, _, .., last] => text!("{} to {}", *first, *last),
        _ => Text::join(run.iter().map(Show::show), ", "),
    });
    text!("{} {}", noun, Text::join(runs, ", "))
}

/// How many parts a file takes, each of which is at most so long, in characters. `None` where those
/// are more than [`MOST`].
#[must_use]
pub fn count(size: usize, longest: usize) -> Option<usize> {
    let groups = longest.checked_sub(HEAD)? / 8;
    let count = size.div_ceil(groups.checked_mul(GROUP).filter(|bytes| *bytes > 0)?);
    (count <= MOST).then_some(count.max(1))
}

/// The parts of a file, `count` of them or, where it is short, fewer. All but the last are as long as
/// each other.
#[must_use]
pub fn split(file: &[u8], count: usize) -> Vec<Zeroizing<String>> {
    let count = count.clamp(1, MOST);
    let size = file
        .len()
        .div_ceil(count)
        .next_multiple_of(GROUP)
        .max(GROUP);
    let pieces: Vec<&[u8]> = if file.is_empty() {
        vec![file]
    } else {
        file.chunks(size).collect()
    };
    let whole = digest(&[file], FILE);
    let total = pieces.len();
    let pieces = pieces.into_iter().zip(1..);
    let part = |(piece, number): (&[u8], usize)| {
        let head = format!("{number:02}{total:02}{}", *whole);
        let piece = base32::encode(piece);
        let check = digest(&[head.as_bytes(), piece.as_bytes()], CHECK);
        Zeroizing::new(format!("{MARK}{head}{}{}", *check, *piece))
    };
    pieces.map(part).collect()
}

/// The first characters of SHA-256 in base32.
fn digest(parts: &[&[u8]], length: usize) -> Zeroizing<String> {
    beginning(
        parts.iter().fold(Sha256::new(), Sha256::chain_update),
        length,
    )
}

fn beginning(hash: Sha256, length: usize) -> Zeroizing<String> {
    let mut text = base32::encode(&hash.finalize());
    text.truncate(length);
    text
}

/// A file whose parts were joined.
#[derive(Debug)]
pub struct Joined {
    /// The file: it may be anything.
    pub file: Zeroizing<Vec<u8>>,
    /// The numbers of parts that are there more than once, and the same each time.
    pub doubled: Vec<u8>,
}

/// Whether bytes start as a part does, whatever it was typed on.
#[must_use]
pub fn is_parts(input: &[u8]) -> bool {
    layout(input).is_some()
}

/// The text behind a byte order mark and blanks, and the layout that its mark is typed on.
fn layout(input: &[u8]) -> Option<&'static Layout> {
    let head = unmarked(input).trim_ascii_start();
    let head = head.strip_prefix(SYMBOLOGY).unwrap_or(head);
    LAYOUTS.iter().find(|layout| {
        let mark = head.get(..layout.mark.len());
        mark.is_some_and(|mark| mark.eq_ignore_ascii_case(layout.mark.as_bytes()))
    })
}

/// Joins parts that stand in any order, behind each other or with blanks and line breaks anywhere, in
/// upper or lower case.
///
/// # Errors
/// [`PartsError`] for anything that is not a whole file, and for what is no part.
pub fn join(input: &[u8]) -> Result<Joined, PartsError> {
    let layout = layout(input).ok_or(PartsError::Other { line: 1 })?;
    let input = &*without_symbology(input);
    let text = Typed::read(input, layout)?;
    let mut parts: [Option<Part<'_>>; MOST] = [None; MOST];
    let mut doubled = [false; MOST];
    let mut position = 0;
    let first = Part::read(&text, position)?;
    let two = |other: &Part<'_>, part: &Part<'_>| [text.place(other), text.place(part)];
    while position < text.characters.len() {
        let part = Part::read(&text, position)?;
        if (first.file, first.count) != (part.file, part.count) {
            return Err(PartsError::TwoFiles(two(&first, &part)));
        }
        let index = usize::from(part.number) - 1;
        if let (Some(place), Some(doubled)) = (parts.get_mut(index), doubled.get_mut(index)) {
            match place {
                Some(other) if other.piece != part.piece => {
                    return Err(PartsError::TwoPieces(two(other, &part)));
                }
                Some(_) => *doubled = true,
                None => *place = Some(part),
            }
        }
        position = part.end;
    }
    let count = first.count;
    let parts = parts.get(..usize::from(count)).unwrap_or_default();
    let numbers = |is_meant: &dyn Fn(usize) -> bool| -> Vec<u8> {
        let numbers = (1..=count).zip(0..);
        numbers
            .filter_map(|(number, index)| is_meant(index).then_some(number))
            .collect()
    };
    let doubled = numbers(&|index| doubled.get(index) == Some(&true));
    let missing = numbers(&|index| parts.get(index).is_none_or(Option::is_none));
    if !missing.is_empty() {
        return Err(PartsError::Missing {
            missing,
            doubled,
            count,
        });
    }
    let pieces: Vec<&[u8]> = parts.iter().flatten().map(|part| part.piece).collect();
    let whole = base32::decode(&Zeroizing::new(pieces.concat()));
    let whole = whole.filter(|whole| digest(&[whole], FILE).as_bytes() == first.file);
    whole
        .map(|file| Joined { file, doubled })
        .ok_or(PartsError::Whole)
}

/// Text as it was meant: in upper case, without blanks.
struct Typed<'a> {
    characters: Zeroizing<Vec<u8>>,
    /// How many characters there are before each line break.
    breaks: Vec<usize>,
    input: &'a [u8],
}

impl<'a> Typed<'a> {
    fn read(input: &'a [u8], layout: &Layout) -> Result<Self, PartsError> {
        let mut characters = Zeroizing::new(Vec::with_capacity(input.len()));
        let mut breaks = Vec::new();
        let mut position = 0;
        for chunk in input.utf8_chunks() {
            for character in chunk.valid().chars() {
                let start = position;
                position += character.len_utf8();
                if character == '\n' {
                    breaks.push(characters.len());
                }
                let is_mark = start == 0 && character == BYTE_ORDER_MARK;
                if character.is_ascii_whitespace() || is_mark {
                    continue;
                }
                let byte = layout.meant(character);
                characters.push(byte.ok_or_else(|| PartsError::Other {
                    line: line(input, start),
                })?);
            }
            if !chunk.invalid().is_empty() {
                let line = line(input, position);
                return Err(PartsError::Other { line });
            }
        }
        Ok(Self {
            characters,
            breaks,
            input,
        })
    }

    /// The line with which a piece stops to be the one that has this check: what stands there is from no
    /// code. Nothing where it never was that one.
    fn foreign_line(
        &self,
        start: usize,
        checked: &[u8],
        piece: &[u8],
        check: &[u8],
    ) -> Option<usize> {
        let mut hash = Sha256::new().chain_update(checked);
        let mut read = 0;
        let ends = self.breaks.iter().filter_map(|end| end.checked_sub(start));
        for end in ends.take_while(|end| *end < piece.len()) {
            hash.update(piece.get(read..end)?);
            read = end;
            if beginning(hash.clone(), CHECK).as_bytes() == check {
                return Some(self.line(start + end));
            }
        }
        None
    }

    /// The line of a character. It is told once, with what is wrong there.
    fn line(&self, position: usize) -> usize {
        let is_character = |byte: &u8| !byte.is_ascii_whitespace() && byte.is_ascii();
        // Characters that are not ASCII are counted by their first byte.
        let is_first = |byte: &u8| is_character(byte) || *byte >= 0xC0;
        let unmarked = unmarked(self.input);
        let mut bytes = unmarked
            .iter()
            .enumerate()
            .filter(|(_, byte)| is_first(byte));
        let offset = bytes
            .nth(position)
            .map_or(unmarked.len(), |(offset, _)| offset);
        line(unmarked, offset)
    }

    fn place(&self, part: &Part<'_>) -> Place {
        Place {
            number: part.number,
            count: part.count,
            line: self.line(part.start),
        }
    }
}

impl Layout {
    /// The letter or digit that was meant by a character.
    fn meant(&self, typed: char) -> Option<u8> {
        let upper = typed.to_uppercase().next().unwrap_or(typed);
        let position = self.typed.chars().position(|it| it == upper);
        let meant = position.and_then(|position| self.meant.as_bytes().get(position));
        let byte = meant.copied().or_else(|| u8::try_from(upper).ok());
        byte.filter(u8::is_ascii_alphanumeric)
    }
}

/// The line, from 1, of a byte.
fn line(input: &[u8], offset: usize) -> usize {
    let before = input.get(..offset).unwrap_or_default();
    1 + memchr::memchr_iter(b'\n', before).count()
}

/// With blanks in place of the name of the code that each line may start with.
fn without_symbology(input: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut blanked = Zeroizing::new(input.to_vec());
    let lines = blanked.split_mut(|byte| *byte == b'\n');
    for line in lines.filter(|line| line.starts_with(SYMBOLOGY)) {
        line.iter_mut()
            .take(SYMBOLOGY.len())
            .for_each(|byte| *byte = b' ');
    }
    blanked
}

/// Without a byte order mark at the start.
fn unmarked(input: &[u8]) -> &[u8] {
    input.strip_prefix("\u{feff}".as_bytes()).unwrap_or(input)
}

/// A part that holds its check.
#[derive(Clone, Copy)]
struct Part<'a> {
    number: u8,
    count: u8,
    file: &'a [u8],
    piece: &'a [u8],
    /// Where it starts and ends among the characters.
    start: usize,
    end: usize,
}

impl<'a> Part<'a> {
    fn read(text: &'a Typed<'_>, start: usize) -> Result<Self, PartsError> {
        let line = || text.line(start);
        let rest = text.characters.get(start..).unwrap_or_default();
        if !rest.starts_with(MARK.as_bytes()) {
            return Err(PartsError::Other { line: line() });
        }
        let number_at = |start: usize| {
            let digits = std::str::from_utf8(rest.get(start..start + 2)?).ok()?;
            let number: u8 = digits.parse().ok()?;
            Some(number).filter(|number| *number > 0)
        };
        let number = number_at(MARK.len());
        let damaged = || PartsError::Damaged {
            number,
            line: line(),
        };
        let (Some(number), Some(count), Some((head, piece))) = (
            number,
            number_at(MARK.len() + 2),
            rest.split_at_checked(HEAD),
        ) else {
            return Err(damaged());
        };
        let length = piece.iter().take_while(|it| base32::is_digit(**it)).count();
        let piece = piece.get(..length).unwrap_or_default();
        let (checked, check) = head.split_at(HEAD - CHECK);
        let checked = checked.get(MARK.len()..).unwrap_or_default();
        let (_, file) = checked.split_at(checked.len() - FILE);
        let holds = |piece: &[u8]| digest(&[checked, piece], CHECK).as_bytes() == check;
        if number > count || !holds(piece) {
            return Err(text
                .foreign_line(start + HEAD, checked, piece, check)
                .map_or_else(damaged, |line| PartsError::Other { line }));
        }
        Ok(Self {
            number,
            count,
            file,
            piece,
            start,
            end: start + HEAD + length,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE_OF_THREE: &[u8] = b"apiVersion: certificates.k8s.io/v1\nkind: Nothing\n";

    fn three() -> Vec<String> {
        let parts = split(FILE_OF_THREE, 3);
        assert_eq!(parts.len(), 3);
        parts.iter().map(|part| part.to_string()).collect()
    }

    fn said(text: &str) -> String {
        join(text.as_bytes()).unwrap_err().show().to_string()
    }

    #[test]
    fn parts_are_joined_in_any_order_and_form() {
        let parts = three();
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]] {
            let parts = order.map(|index| parts[index].as_str());
            for text in [
                parts.concat(),
                parts.join("\n"),
                parts.join("\r\n\r\n"),
                parts.join(" ").to_lowercase(),
                format!("\u{feff}\n {}\n", parts.join("\t")),
                format!("QR-Code:{}\r\n", parts.join("\nQR-Code:")),
            ] {
                let joined = join(text.as_bytes()).unwrap();
                assert_eq!(&joined.file[..], FILE_OF_THREE, "{text}");
                assert!(joined.doubled.is_empty());
            }
        }
    }

    #[test]
    fn other_text_between_parts_is_told_by_its_own_line() {
        let [one, two, three] = &three()[..] else {
            panic!("three parts");
        };
        for foreign in [
            "part two of three",
            "Hello",
            "two",
            "2",
            "ok\nand\nmore",
            "see: above",
        ] {
            for (text, line) in [
                (format!("{one}\n{foreign}\n{two}\n{three}\n"), 2),
                (format!("{one}\n\n{two}\r\n{foreign}\r\n{three}"), 4),
                (format!("{one}\n{two}\n{three}\n{foreign}"), 4),
                (
                    format!("{}\n{}\n{foreign}\n{two}{three}", &one[..40], &one[40..]),
                    3,
                ),
            ] {
                let error = join(text.as_bytes()).unwrap_err();
                assert_eq!(error, PartsError::Other { line }, "{text}");
            }
        }
        // What is damaged besides is called that.
        let damaged = format!("{}A\nHello\n{two}\n{three}\n", &one[..one.len() - 1]);
        assert!(
            said(&damaged).contains("part 1 (line 1) is damaged"),
            "{damaged}"
        );
    }

    #[test]
    fn a_scanner_that_types_on_another_keyboard_is_understood() {
        let text = three().concat();
        let typed_on = |pairs: &[(char, char)]| -> String {
            let key = |c: char| pairs.iter().find(|(meant, _)| *meant == c);
            text.chars()
                .map(|c| key(c).map_or(c, |(_, typed)| *typed))
                .collect()
        };
        let german = typed_on(&[('Y', 'Z'), ('Z', 'Y')]);
        let french: Vec<(char, char)> = "AQWZM1234567890"
            .chars()
            .zip("QAZW?&é\"'(-è_çà".chars())
            .collect();
        let french = typed_on(&french);
        for typed in [german, french] {
            assert_ne!(typed, text);
            assert_eq!(
                &join(typed.as_bytes()).unwrap().file[..],
                FILE_OF_THREE,
                "{typed}"
            );
        }
    }

    #[test]
    fn what_is_missing_doubled_or_of_another_file_is_told() {
        let [one, two, three] = three().try_into().unwrap();
        let doubled = join([&*one, &two, &three, &two].concat().as_bytes()).unwrap();
        assert_eq!(
            (&doubled.file[..], &doubled.doubled[..]),
            (FILE_OF_THREE, &[2][..])
        );
        assert_eq!(said(&format!("{one}\n{three}")), "part 2 of 3 is missing");
        assert_eq!(said(&two), "parts 1, 3 of 3 are missing");
        assert_eq!(
            said(&[&*three, &two, &three].concat()),
            "part 1 of 3 is missing; part 3 is there more than once"
        );
        let other = &split(b"another file", 1)[0];
        assert_eq!(
            said(&format!("{one}\n{two}\n{}", other.as_str())),
            "part 1 of 3 (line 1) and part 1 of 1 (line 3) are of two different files"
        );
    }

    #[test]
    fn many_numbers_are_told_in_few_words() {
        for (list, shown) in [
            (&[3][..], "part 3"),
            (&[1, 2], "parts 1, 2"),
            (&[1, 2, 3], "parts 1 to 3"),
            (&[1, 3, 4, 6, 7, 8, 99], "parts 1, 3, 4, 6 to 8, 99"),
        ] {
            assert_eq!(numbers(list).as_str(), shown);
        }
    }

    #[test]
    fn what_was_not_read_whole_is_told_by_its_line() {
        let [one, two, three] = three().try_into().unwrap();
        let all = |two: &str| format!("{one}\n{two}\n{three}\n");
        for end in 0..two.len() {
            let text = all(&two[..end]);
            let error = said(&text);
            let is_told = error.contains("line 2") || end == 0 && error == "part 2 of 3 is missing";
            // Half a mark is taken for the end of the part before it.
            assert!(
                is_told || (1..4).contains(&end) && error.contains("line 1"),
                "{end}: {error}"
            );
        }
        for index in 0..two.len() {
            let mut other = two.clone().into_bytes();
            other[index] = if other[index] == b'A' { b'B' } else { b'A' };
            let text = all(std::str::from_utf8(&other).unwrap());
            assert!(join(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(
            said(&all("hello, here it is")),
            "line 2 holds something that is no part of a QR code: each part starts with 1QRZ"
        );
        let invalid = [one.as_bytes(), b"\n\xff"].concat();
        assert_eq!(join(&invalid).unwrap_err(), PartsError::Other { line: 2 });
    }

    #[test]
    fn a_forged_check_of_the_whole_is_noticed() {
        let part = |number: usize, file: &str, piece: &[u8]| {
            let head = format!("{number:02}02{file}");
            let piece = base32::encode(piece);
            let check = digest(&[head.as_bytes(), piece.as_bytes()], CHECK);
            format!("{MARK}{head}{}{}", *check, *piece)
        };
        let [one, two] = [part(1, "AAAAAAAA", b"hello"), part(2, "AAAAAAAA", b"world")];
        assert_eq!(
            join([&*one, &two].concat().as_bytes()).unwrap_err(),
            PartsError::Whole
        );
        let again = part(1, "AAAAAAAA", b"hallo");
        let error = join([&*one, &two, &again].concat().as_bytes()).unwrap_err();
        assert!(matches!(error, PartsError::TwoPieces(_)), "{error:?}");
        for (number, count) in [
            ("00", "02"),
            ("03", "02"),
            ("+1", "02"),
            ("1 ", "99"),
            ("01", "00"),
        ] {
            assert!(
                join(
                    one.replacen("0102", &[number, count].concat(), 1)
                        .as_bytes()
                )
                .is_err()
            );
        }
    }

    #[test]
    fn there_are_as_few_parts_as_fit() {
        assert_eq!(count(0, HEAD + 8), Some(1));
        assert_eq!(count(5, HEAD + 8), Some(1));
        assert_eq!(count(6, HEAD + 8), Some(2));
        assert_eq!(count(6, HEAD + 7), None);
        assert_eq!(count(6, 3), None);
        assert_eq!(count(5 * MOST, HEAD + 8), Some(MOST));
        assert_eq!(count(5 * MOST + 1, HEAD + 8), None);
        for size in 0..400 {
            let file = vec![b'x'; size];
            let Some(count) = count(size, HEAD + 30) else {
                continue;
            };
            let parts = split(&file, count);
            assert!(parts.len() <= count);
            assert!(parts.iter().all(|part| part.len() <= HEAD + 30));
        }
    }
}
