//! Tags with a comma right behind them: go.yaml.in/yaml/v2 refuses them, and `libyaml-safer` panics.

use libyaml_safer::{Encoding, Scanner, TokenData};

use super::YamlError;

/// Demands a blank between every tag and a comma. A scanner looks at the text with a blank put
/// before each comma that a tag might end at, and finds those where one does.
///
/// # Errors
/// [`YamlError`] where there is none, and for what stops the scanner before it has seen all.
pub(super) fn check(text: &str) -> Result<(), YamlError> {
    let (spaced, added) = spaced(text);
    if added.is_empty() {
        return Ok(());
    }
    let mut scanner = Scanner::new();
    scanner.set_input(&spaced[..]);
    scanner.set_encoding(Encoding::Utf8);
    for token in scanner {
        let token = token.map_err(|error| YamlError::of(&error))?;
        let end = usize::try_from(token.end_mark.index).unwrap_or_default();
        if matches!(token.data, TokenData::Tag { .. }) && added.binary_search(&end).is_ok() {
            let problem = "did not find expected whitespace or line break";
            return Err(YamlError::new(super::line_of(token.end_mark.line), problem));
        }
    }
    Ok(())
}

/// The text with a blank before each comma that ends a word with a `!` in it, and where those
/// blanks are.
fn spaced(text: &str) -> (Vec<u8>, Vec<usize>) {
    let mut spaced = Vec::with_capacity(text.len());
    let mut added = Vec::new();
    let mut may_be_tag = false;
    for byte in text.bytes() {
        match byte {
            b'!' => may_be_tag = true,
            b',' if may_be_tag => {
                added.push(spaced.len());
                spaced.push(b' ');
                may_be_tag = false;
            }
            b' ' | b'\t' | b'\r' | b'\n' | b'\0' | b',' => may_be_tag = false,
            _ => {}
        }
        spaced.push(byte);
    }
    (spaced, added)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_needs_a_blank_before_a_comma() {
        for text in [
            "[!a,b]",
            "a: 1\n'é': {x: !, y: z}",
            "[!!str,b]",
            "[\"!,\", !a,b]",
            "[!<a>,b]",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
        let error = check("a: 1\nb: [!a,b]").unwrap_err();
        assert_eq!(error.line, Some(2));
    }

    #[test]
    fn commas_behind_exclamation_marks_are_no_matter() {
        for text in [
            "[!a ,b]",
            "a: hello!, world",
            "a: 'hi!, you' # !a,b",
            "[\"x!,y\", z!,a]",
            "|\n !a,b\n",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }
}
