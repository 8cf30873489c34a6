//! Directives, anchors, aliases and tags (`scannerc.go`, from `yaml_parser_scan_directive` to
//! `yaml_parser_scan_uri_escapes`).

use super::{Kind, Result, Scanner, Token};
use crate::yaml::Problem;

/// What a name in a directive, an anchor or a tag handle is made of (`is_alpha`).
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

impl Scanner<'_> {
    fn word(&mut self) -> String {
        let mut word = String::new();
        while is_word(self.at(0)) {
            self.read(&mut word);
        }
        word
    }

    pub(super) fn fetch_directive(&mut self) -> Result {
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let line = self.mark.line;
        self.skip();
        let name = self.word();
        if !self.is_blank_or_end(0) {
            return self.error(Problem::Directive);
        }
        self.skip_blanks();
        let (kind, value, suffix) = match name.as_str() {
            "YAML" => {
                let major = self.version_number()?;
                if self.at(0) != b'.' {
                    return self.error(Problem::Directive);
                }
                self.skip();
                let minor = self.version_number()?;
                let is_1_1 = (major, minor) == (1, 1);
                (Kind::Version(is_1_1), String::new(), String::new())
            }
            "TAG" => {
                let handle = self.scan_tag_handle(true)?;
                if !self.is_blank(0) {
                    return self.error(Problem::Directive);
                }
                self.skip_blanks();
                let prefix = self.scan_tag_uri("")?;
                if !self.is_blank_or_end(0) {
                    return self.error(Problem::Directive);
                }
                (Kind::TagDirective, handle, prefix)
            }
            _ => return self.error(Problem::Directive),
        };
        self.skip_blanks();
        self.skip_comment();
        if !self.is_break_or_end(0) {
            return self.error(Problem::Directive);
        }
        self.skip_line();
        self.tokens.push_back(Token {
            kind,
            line,
            value,
            suffix,
        });
        Ok(())
    }

    /// One or two digits.
    fn version_number(&mut self) -> Result<u8> {
        let (mut number, mut length) = (0, 0);
        while self.at(0).is_ascii_digit() {
            length += 1;
            if length > 2 {
                break;
            }
            number = number * 10 + (self.at(0) - b'0');
            self.skip();
        }
        if matches!(length, 1 | 2) {
            Ok(number)
        } else {
            self.error(Problem::Directive)
        }
    }

    pub(super) fn fetch_anchor(&mut self, kind: Kind) -> Result {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let line = self.mark.line;
        self.skip();
        let name = self.word();
        let is_ended = self.is_blank_or_end(0)
            || matches!(
                self.at(0),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        if name.is_empty() || !is_ended {
            return self.error(Problem::AnchorName);
        }
        self.push(kind, line, name);
        Ok(())
    }

    pub(super) fn fetch_tag(&mut self) -> Result {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let line = self.mark.line;
        let (value, suffix) = if self.at(1) == b'<' {
            self.skip();
            self.skip();
            let suffix = self.scan_tag_uri("")?;
            if self.at(0) != b'>' {
                return self.error(Problem::Tag);
            }
            self.skip();
            (String::new(), suffix)
        } else {
            let handle = self.scan_tag_handle(false)?;
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.scan_tag_uri("")?;
                (handle, suffix)
            } else {
                // It was no handle, but the start of a suffix behind "!", or "!" alone.
                let suffix = self.scan_tag_uri(&handle)?;
                if suffix.is_empty() {
                    (String::new(), "!".to_owned())
                } else {
                    ("!".to_owned(), suffix)
                }
            }
        };
        if !self.is_blank_or_end(0) {
            return self.error(Problem::Tag);
        }
        self.tokens.push_back(Token {
            kind: Kind::Tag,
            line,
            value,
            suffix,
        });
        Ok(())
    }

    fn scan_tag_handle(&mut self, directive: bool) -> Result<String> {
        if self.at(0) != b'!' {
            return self.error(Problem::Tag);
        }
        let mut handle = String::new();
        self.read(&mut handle);
        handle.push_str(&self.word());
        if self.at(0) == b'!' {
            self.read(&mut handle);
        } else if directive && handle != "!" {
            return self.error(Problem::Tag);
        }
        Ok(handle)
    }

    /// `head` is what was read of it already, with the `!` that is not part of it.
    fn scan_tag_uri(&mut self, head: &str) -> Result<String> {
        let mut uri = head.as_bytes().get(1..).unwrap_or_default().to_vec();
        let mut has_tag = !head.is_empty();
        while is_word(self.at(0)) || b";/?:@&=+$,.!~*'()[]%".contains(&self.at(0)) {
            if self.at(0) == b'%' {
                self.scan_uri_escapes(&mut uri)?;
            } else {
                uri.push(self.at(0));
                self.skip();
            }
            has_tag = true;
        }
        if has_tag {
            // Only the tags of YAML itself mean anything, and they are ASCII.
            Ok(String::from_utf8_lossy(&uri).into_owned())
        } else {
            self.error(Problem::Tag)
        }
    }

    /// One character in `%XX`.
    fn scan_uri_escapes(&mut self, uri: &mut Vec<u8>) -> Result {
        let digit = |byte: u8| {
            char::from(byte)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        };
        let mut left = None;
        while left != Some(0) {
            let (Some(high), Some(low), b'%') = (digit(self.at(1)), digit(self.at(2)), self.at(0))
            else {
                return self.error(Problem::Tag);
            };
            let octet = high << 4 | low;
            let width = match octet {
                0..=0x7F => Some(1),
                0xC0..=0xDF => Some(2),
                0xE0..=0xEF => Some(3),
                0xF0..=0xF7 => Some(4),
                _ => None,
            };
            left = match (left, width) {
                (None, Some(width)) => Some(width - 1),
                (Some(left), _) if octet & 0xC0 == 0x80 => Some(left - 1),
                _ => return self.error(Problem::Tag),
            };
            uri.push(octet);
            (0..3).for_each(|_| self.skip());
        }
        Ok(())
    }
}
