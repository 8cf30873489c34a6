//! What may stand on a terminal, by the properties that Unicode gives to characters and not by our
//! own table.

use std::sync::LazyLock;

use regex::Regex;

/// Controls, private use, line separators, spaces other than the space, what reorders, what is not
/// drawn, and what is no character.
static DECEPTIVE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"[[\p{Cc}\p{Co}\p{Zl}\p{Zp}\p{White_Space}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]--[ ]]",
    )
    .unwrap()
});

/// Demands that nothing in a line moves, hides or reorders anything.
pub(super) fn assert_plain(line: &str) {
    assert!(!DECEPTIVE.is_match(line), "{line:?}");
}
