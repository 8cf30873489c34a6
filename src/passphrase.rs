//! Passphrases: which of them are guessed soon, new ones that are not, and one form for what looks the
//! same.

use rand_core::TryCryptoRng;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::secret::Passphrase;
use crate::text;
use crate::text::{Show, Text};

/// The least number of characters that is not told to be short. NIST SP 800-63B-4 section 3.1.1.2 asks
/// for 15 where nothing else protects; here the key file has to be had first, and scrypt to be paid for
/// each guess.
pub const SHORT: usize = 12;

/// Why a passphrase is guessed soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// It has fewer characters than [`SHORT`].
    Short,
    /// It is a name that is there to be seen: the user's, or this program's.
    Name,
    /// It is one of the words that are tried first, with digits or signs around it or in place of
    /// letters.
    Common,
    /// A piece of it comes over and over again, or it follows the alphabet or the keyboard.
    Pattern,
    /// It is one word, with digits or signs before or behind it: what people write who have to change one.
    Word,
    /// It is the address of a mailbox.
    Address,
}

impl Show for Weakness {
    fn show(&self) -> Text {
        match self {
            Self::Short => text!("it has fewer than {} characters", SHORT),
            Self::Name => "it is little more than a name that others know".into(),
            Self::Common => "it is little more than a word that is tried first".into(),
            Self::Pattern => "it repeats itself, or follows the alphabet or the keyboard".into(),
            Self::Word => "it is one word with a few digits or signs around it".into(),
            Self::Address => "it is an e-mail address, which others know".into(),
        }
    }
}

/// Why this passphrase is guessed soon, if it is; `names` are known to whoever has the key file.
#[must_use]
pub fn weakness(passphrase: &Passphrase, names: &[&str]) -> Option<Weakness> {
    let text = lossy(passphrase);
    let bare = bare(&text);
    let is_little_more_than = |word: &str| {
        let left = bare.replace(word, "");
        bare.contains(word) && left.chars().count() < 4
    };
    let names = names.iter().map(|name| self::bare(name));
    let mut names = names.filter(|name| name.chars().count() > 2);
    if names.any(|name| is_little_more_than(&name)) {
        Some(Weakness::Name)
    } else if is_of_common_words(&bare) {
        Some(Weakness::Common)
    } else if is_pattern(&text) {
        Some(Weakness::Pattern)
    } else if is_address(&text) {
        Some(Weakness::Address)
    } else if is_one_word(&text) {
        Some(Weakness::Word)
    } else if text.chars().count() < SHORT {
        Some(Weakness::Short)
    } else {
        None
    }
}

/// Whether little is left without all of those words.
fn is_of_common_words(bare: &str) -> bool {
    let left = COMMON
        .iter()
        .fold(bare.to_owned(), |left, word| left.replace(word, ""));
    left.len() < bare.len() && left.chars().count() < 4
}

/// Words that lists of leaked passwords have at their top, without those that [`is_pattern`] knows.
const COMMON: [&str; 40] = [
    "abc",
    "access",
    "admin",
    "baseball",
    "batman",
    "changeme",
    "charlie",
    "cluster",
    "computer",
    "default",
    "dragon",
    "flower",
    "football",
    "freedom",
    "hello",
    "iloveyou",
    "kubectl",
    "kubernetes",
    "letmein",
    "login",
    "love",
    "master",
    "michael",
    "monkey",
    "mustang",
    "passphrase",
    "passwd",
    "password",
    "passwort",
    "princess",
    "root",
    "secret",
    "shadow",
    "starwars",
    "summer",
    "sunshine",
    "superman",
    "test",
    "trustno",
    "welcome",
];

/// The letters, with those back in their places that digits and signs often stand for.
fn bare(text: &str) -> Zeroizing<String> {
    let letter = |character: char| match character {
        '0' => Some('o'),
        '1' | '!' => Some('i'),
        '3' => Some('e'),
        '4' | '@' => Some('a'),
        '5' | '$' => Some('s'),
        '7' => Some('t'),
        other => Some(other).filter(|it| it.is_alphabetic()),
    };
    // Digits before and behind a word are no letters.
    let inner = text.trim_matches(|it: char| !it.is_alphabetic() && it != '@' && it != '$');
    let mut bare = Zeroizing::new(String::with_capacity(text.len() * 2));
    bare.extend(
        inner
            .chars()
            .flat_map(char::to_lowercase)
            .filter_map(letter),
    );
    bare
}

/// The rows of keyboards, from above. A key touches those beside it, and those above it to both sides,
/// since each row stands half a key to the right of the one above.
const KEYBOARDS: [[&str; 4]; 3] = [
    ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"],
    ["1234567890", "qwertzuiop", "asdfghjkl", "yxcvbnm"],
    ["1234567890", "azertyuiop", "qsdfghjklm", "wxcvbn"],
];

/// Whether two of three neighbours are the same or next to each other, in the alphabet, among the digits
/// or on a keyboard, or whether all of it is a short piece again and again.
fn is_pattern(text: &str) -> bool {
    const LONGEST_PIECE: usize = 64;
    let characters: Zeroizing<Vec<char>> =
        Zeroizing::new(text.chars().flat_map(char::to_lowercase).collect());
    let touch = |rows: &[&str; 4], one: char, other: char| {
        let place = |it| {
            (0_usize..)
                .zip(rows)
                .find_map(|(row, keys)| Some((row, keys.find(it)?)))
        };
        let (Some(one), Some(other)) = (place(one), place(other)) else {
            return false;
        };
        let ((above, left), (below, right)) = (one.min(other), one.max(other));
        match below - above {
            0 => right - left == 1,
            1 => left == right || left == right + 1,
            _ => false,
        }
    };
    let is_next = |one: char, other: char| {
        u32::from(one).abs_diff(u32::from(other)) <= 1
            || KEYBOARDS.iter().any(|rows| touch(rows, one, other))
    };
    let pairs = characters.iter().zip(characters.iter().skip(1));
    let next = pairs.filter(|(one, other)| is_next(**one, **other)).count();
    let is_run = characters.len() > 2 && 3 * next >= 2 * (characters.len() - 1);
    let repeats = |piece: usize| {
        let mut shifted = characters.iter().zip(characters.iter().skip(piece));
        shifted.all(|(one, other)| one == other)
    };
    is_run || (1..=LONGEST_PIECE.min(characters.len() / 2)).any(repeats)
}

/// Whether it is a word as it stands in a sentence or a headline, digits for letters included, and little
/// more around it: letters of their own in one case are rarely drawn by chance.
fn is_one_word(text: &str) -> bool {
    const LONGEST_WORD: usize = 14;
    const MOST_AROUND: usize = 8;
    let is_letter_too = |it: &char| "013457@$".contains(*it);
    let word = text.trim_matches(|it: char| !it.is_alphabetic());
    let length = word.chars().count();
    let letters = word.chars().filter(|it| it.is_alphabetic()).count();
    let around = text.chars().count() - length;
    let is_upper = |text: &str| text.chars().any(char::is_uppercase);
    let rest = word.trim_start_matches(|first: char| first.is_uppercase());
    (1..=LONGEST_WORD).contains(&length)
        && (1..=MOST_AROUND).contains(&around)
        && letters * 4 >= length * 3
        && word
            .chars()
            .all(|it| it.is_alphabetic() || is_letter_too(&it))
        && (rest.is_empty() || !is_upper(rest))
}

/// Whether it is `NAME@HOST.DOMAIN`, with a few digits or signs around it.
fn is_address(text: &str) -> bool {
    let bare = text.trim_matches(|it: char| !it.is_alphabetic());
    let is_name = |name: &str, signs: &str| {
        let is_own = |it: char| it.is_alphanumeric() || signs.contains(it);
        !name.is_empty() && name.chars().all(is_own)
    };
    bare.split_once('@').is_some_and(|(name, host)| {
        let domain = host.rsplit_once('.').map(|(_, domain)| domain);
        is_name(name, "._%+-")
            && is_name(host, ".-")
            && domain
                .is_some_and(|domain| domain.len() > 1 && domain.chars().all(char::is_alphabetic))
    })
}

fn lossy(passphrase: &Passphrase) -> Zeroizing<String> {
    Zeroizing::new(String::from_utf8_lossy(passphrase.expose()).into_owned())
}

/// A new passphrase to be written down: four groups of five letters, of which those are left out that
/// look like others or move between keyboards; 90 bits.
///
/// # Errors
/// [`Error::Randomness`] where the generator fails.
pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Passphrase> {
    const LETTERS: &[u8; 23] = b"abcdefghijkmnopqrstuvwx";
    const GROUPS: usize = 4;
    const GROUP: usize = 5;
    // The largest multiple of the letters' number that a byte holds: so each is as likely.
    const END: u8 = 253;
    let mut letters = Zeroizing::new(Vec::with_capacity(GROUPS * (GROUP + 1)));
    let mut drawn = Zeroizing::new([0_u8]);
    while letters.len() < GROUPS * (GROUP + 1) - 1 {
        if letters.len() % (GROUP + 1) == GROUP {
            letters.push(b'-');
        }
        rng.try_fill_bytes(&mut *drawn)
            .map_err(|_| Error::Randomness)?;
        let [byte] = *drawn;
        if byte < END {
            letters.extend(LETTERS.get(usize::from(byte) % LETTERS.len()));
        }
    }
    Ok(letters.into())
}

/// The passphrase in composed form (NFC), as most keyboards type it; the same bytes where it is no
/// UTF-8.
#[must_use]
pub fn composed(passphrase: &Passphrase) -> Passphrase {
    normal(passphrase, |text| text.nfc().collect())
}

/// The other ways to write what looks the same: composed (NFC), and decomposed (NFD) as some systems
/// hand it over. None for ASCII.
#[must_use]
pub fn other_forms(passphrase: &Passphrase) -> Vec<Passphrase> {
    let decomposed = normal(passphrase, |text| text.nfd().collect());
    let mut forms = vec![composed(passphrase), decomposed];
    forms.retain(|form| form != passphrase);
    forms
}

fn normal(passphrase: &Passphrase, normalise: impl Fn(&str) -> String) -> Passphrase {
    let bytes = passphrase.expose();
    Passphrase::new(match std::str::from_utf8(bytes) {
        Ok(text) => normalise(text).into_bytes(),
        Err(_) => bytes.clone(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.as_bytes().to_vec())
    }

    fn weak(text: &str) -> Option<Weakness> {
        weakness(&passphrase(text), &["alice", "al"])
    }

    #[test]
    fn what_is_tried_first_is_told_with_its_reason() {
        for (text, expected) in [
            ("tr4iv!b", Weakness::Short),
            ("elf letters", Weakness::Short),
            ("Alice2026!", Weakness::Name),
            ("alice", Weakness::Name),
            ("P@ssw0rd", Weakness::Common),
            ("password123456789", Weakness::Common),
            ("2026-Kubernetes!!!", Weakness::Common),
            ("Summer2026Summer", Weakness::Common),
            ("123456789012", Weakness::Pattern),
            ("qwertyuiop12", Weakness::Pattern),
            ("abcdefghijklmnop", Weakness::Pattern),
            ("aaaaaaaaaaaaaaaaa", Weakness::Pattern),
            ("tr4iv!tr4iv!tr4iv!", Weakness::Pattern),
            ("qazwsxedcrfv", Weakness::Pattern),
            ("1q2w3e4r5t6y", Weakness::Pattern),
            ("zaq12wsx", Weakness::Pattern),
            ("1qaz2wsx3edc", Weakness::Pattern),
            ("yaq1xsw2cde3", Weakness::Pattern),
            ("!1Qaz@2Wsx", Weakness::Pattern),
            ("monkeydragon", Weakness::Common),
            ("Berlin-2026!", Weakness::Word),
            ("!!BERLIN2026", Weakness::Word),
            ("B3rlin-2026!", Weakness::Word),
            ("M\u{fc}nchen-2026!", Weakness::Word),
            ("2026/11/kiosk", Weakness::Word),
            ("carl@example.com", Weakness::Address),
            ("Carl.Smith+k8s@mail.example.org1!", Weakness::Address),
        ] {
            assert_eq!(weak(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn long_ones_of_their_own_are_not_found_fault_with() {
        for text in [
            "correct horse battery staple",
            "four words and alice",
            "h7Jw!q0zKp2x",
            "Qm7-berlin-xK2",
            "hJwqKzpXbTrm1!",
            "vcegoxkirzhsuqd-26!",
            "in@the garden.of eden",
            "my secret is in the garden",
            "were we free after dessert",
            "as sad as a dressed bear",
            "\u{fc}ber sieben br\u{fc}cken",
        ] {
            assert_eq!(weak(text), None, "{text}");
        }
    }

    #[test]
    fn generated_ones_can_be_written_down_and_never_come_twice() {
        let mut seen = HashSet::new();
        for _ in 0..50 {
            let new = generate(&mut getrandom::SysRng).unwrap();
            let text = String::from_utf8(new.expose().clone()).unwrap();
            assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [5; 4]);
            assert!(!text.contains(['l', 'y', 'z']), "{text}");
            assert_eq!(weak(&text), None, "{text}");
            assert!(seen.insert(text));
        }
    }

    #[test]
    fn what_looks_the_same_has_one_form() {
        let (composed_form, decomposed) = ("caf\u{e9} au lait", "cafe\u{301} au lait");
        assert_eq!(composed(&passphrase(decomposed)), passphrase(composed_form));
        assert_eq!(
            other_forms(&passphrase(composed_form)),
            [passphrase(decomposed)]
        );
        assert_eq!(
            other_forms(&passphrase(decomposed)),
            [passphrase(composed_form)]
        );
        assert_eq!(other_forms(&passphrase("cafe au lait")), []);
        let not_utf8 = Passphrase::new(vec![b'a', 0xff]);
        assert_eq!(composed(&not_utf8), not_utf8);
        assert_eq!(other_forms(&not_utf8), []);
    }
}
