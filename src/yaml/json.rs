//! JSON as `encoding/json` reads it, one value after the other: of a key that comes twice the last
//! one counts, and an escape of half a character is U+FFFD.

use serde_json::{Map, Value};

use super::{Oddity, OddityKind, Problem, YamlError, scalar};
use crate::budget::Budget;

/// Reads values from a text.
pub(super) struct Json<'a> {
    text: &'a str,
    position: usize,
    line: usize,
    budget: &'a mut Budget,
    oddities: &'a mut Vec<Oddity>,
}

type Result<T> = std::result::Result<T, YamlError>;

impl<'a> Json<'a> {
    /// Starts at `position`, which is in that line.
    pub(super) fn new(
        text: &'a str,
        position: usize,
        line: usize,
        budget: &'a mut Budget,
        oddities: &'a mut Vec<Oddity>,
    ) -> Self {
        Self {
            text,
            position,
            line,
            budget,
            oddities,
        }
    }

    /// The next value and the line that it starts in, or nothing where only blanks are left.
    ///
    /// # Errors
    /// [`Problem::Json`], and what exceeds the budget.
    pub(super) fn next(&mut self) -> Result<Option<(usize, Value)>> {
        self.skip_blanks();
        if self.at() == 0 && self.position >= self.text.len() {
            return Ok(None);
        }
        let line = self.line;
        let value = self.value()?;
        Ok(Some((line, value)))
    }

    /// Where the next value would start to be looked for, and the line.
    pub(super) fn place(&self) -> (usize, usize) {
        (self.position, self.line)
    }

    fn at(&self) -> u8 {
        let bytes = self.text.as_bytes();
        bytes.get(self.position).copied().unwrap_or(0)
    }

    fn skip_blanks(&mut self) {
        while matches!(self.at(), b' ' | b'\t' | b'\r' | b'\n') {
            self.line += usize::from(self.at() == b'\n');
            self.position += 1;
        }
    }

    fn error<T>(&self) -> Result<T> {
        Err(YamlError::new(self.line, Problem::Json))
    }

    fn expect(&mut self, token: &str) -> Result<()> {
        let rest = self.text.get(self.position..).unwrap_or_default();
        if !rest.starts_with(token) {
            return self.error();
        }
        self.position += token.len();
        Ok(())
    }

    fn value(&mut self) -> Result<Value> {
        let exceeded = |line| move |exceeded| YamlError::new(line, exceeded);
        self.budget.node().map_err(exceeded(self.line))?;
        match self.at() {
            b'{' | b'[' => {
                self.budget.enter().map_err(exceeded(self.line))?;
                let value = if self.at() == b'{' {
                    self.object()
                } else {
                    self.array()
                };
                self.budget.leave();
                value
            }
            b'"' => self.string().map(Value::String),
            b't' => self.expect("true").map(|()| true.into()),
            b'f' => self.expect("false").map(|()| false.into()),
            b'n' => self.expect("null").map(|()| Value::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.error(),
        }
    }

    /// Whether another entry follows, behind a comma unless it is the first.
    fn has_entry(&mut self, first: bool, end: u8) -> Result<bool> {
        self.skip_blanks();
        if self.at() == end {
            self.position += 1;
            return Ok(false);
        }
        if !first {
            self.expect(",")?;
            self.skip_blanks();
        }
        Ok(true)
    }

    fn object(&mut self) -> Result<Value> {
        self.position += 1;
        let mut map = Map::new();
        let mut first = true;
        while self.has_entry(first, b'}')? {
            first = false;
            if self.at() != b'"' {
                return self.error();
            }
            let line = self.line;
            let key = self.string()?;
            self.skip_blanks();
            self.expect(":")?;
            self.skip_blanks();
            let value = self.value()?;
            if map.insert(key, value).is_some() {
                let kind = OddityKind::DuplicateKey;
                self.oddities.push(Oddity { kind, line });
            }
        }
        Ok(Value::Object(map))
    }

    fn array(&mut self) -> Result<Value> {
        self.position += 1;
        let mut items = Vec::new();
        while self.has_entry(items.is_empty(), b']')? {
            items.push(self.value()?);
        }
        Ok(Value::Array(items))
    }

    fn string(&mut self) -> Result<String> {
        self.position += 1;
        let mut string = String::new();
        loop {
            let rest = self.text.get(self.position..).unwrap_or_default();
            let plain = rest
                .bytes()
                .position(|byte| byte < 0x20 || matches!(byte, b'"' | b'\\'));
            let plain = plain.unwrap_or(rest.len());
            string.push_str(rest.get(..plain).unwrap_or_default());
            self.position += plain;
            match self.at() {
                b'"' => {
                    self.position += 1;
                    return Ok(string);
                }
                b'\\' => string.push(self.escape()?),
                _ => return self.error(),
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        self.position += 1;
        let character = match self.at() {
            same @ (b'"' | b'\\' | b'/') => char::from(same),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return self.error(),
        };
        self.position += 1;
        Ok(character)
    }

    /// `u` and four digits, and the other half of a pair where it follows.
    fn unicode(&mut self) -> Result<char> {
        let Some(first) = self.digits(1) else {
            return self.error();
        };
        self.position += 5;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        let follows = self.text.get(self.position..).unwrap_or_default();
        if follows.starts_with("\\u")
            && let Some(second @ 0xDC00..=0xDFFF) = self.digits(2)
            && first < 0xDC00
        {
            self.position += 6;
            let code = 0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF);
            return Ok(char::from_u32(code).unwrap_or('\u{fffd}'));
        }
        Ok('\u{fffd}')
    }

    fn digits(&self, ahead: usize) -> Option<u32> {
        let start = self.position + ahead;
        let digits = self.text.get(start..start + 4)?;
        let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        are_digits.then(|| u32::from_str_radix(digits, 16).ok())?
    }

    /// Integers that are not too large stay such
    /// (sigs.k8s.io/json `UnmarshalCaseSensitivePreserveInts`).
    fn number(&mut self) -> Result<Value> {
        let start = self.position;
        self.position += usize::from(self.at() == b'-');
        if self.at() == b'0' {
            self.position += 1;
        } else {
            self.some_digits()?;
        }
        let mut is_integer = true;
        if self.at() == b'.' {
            is_integer = false;
            self.position += 1;
            self.some_digits()?;
        }
        if matches!(self.at(), b'e' | b'E') {
            is_integer = false;
            self.position += 1;
            self.position += usize::from(matches!(self.at(), b'+' | b'-'));
            self.some_digits()?;
        }
        let text = self.text.get(start..self.position).unwrap_or_default();
        if is_integer && let Ok(integer) = text.parse::<i64>() {
            return Ok(integer.into());
        }
        match text.parse().ok().and_then(scalar::json_number) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(YamlError::new(self.line, Problem::Infinite)),
        }
    }

    fn some_digits(&mut self) -> Result<()> {
        if !self.at().is_ascii_digit() {
            return self.error();
        }
        while self.at().is_ascii_digit() {
            self.position += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Exceeded, Limits};
    use serde_json::json;

    fn read(text: &str) -> Result<Option<Value>> {
        let mut budget = Budget::new(&Limits::default());
        let mut oddities = Vec::new();
        let next = Json::new(text, 0, 1, &mut budget, &mut oddities).next();
        next.map(|found| found.map(|(_, value)| value))
    }

    #[test]
    fn values_are_those_of_go() {
        for (text, value) in [
            (" {} ", json!({})),
            ("[1, -0, 1.5, 1e3, -2E-1]", json!([1, 0, 1.5, 1000, -0.2])),
            ("9223372036854775808", json!(9_223_372_036_854_775_808.0)),
            (
                "{\"a\": 1, \"b\": [], \"a\": null}",
                json!({"a": null, "b": []}),
            ),
            (
                r#""\"\\\/\b\f\n\r\té\u00e9""#,
                json!("\"\\/\u{8}\u{c}\n\r\té\u{e9}"),
            ),
            (r#""\ud83d\ude00""#, json!("\u{1f600}")),
            (r#""\ud83d\u0041""#, json!("\u{fffd}A")),
            (r#""\ude00\ud83d x""#, json!("\u{fffd}\u{fffd} x")),
            ("[true,false,null]", json!([true, false, null])),
        ] {
            assert_eq!(read(text), Ok(Some(value)), "{text}");
        }
        assert_eq!(read(" \r\n\t"), Ok(None));
    }

    #[test]
    fn what_go_refuses_is_refused_in_its_line() {
        for text in [
            "{",
            "[",
            "[1,]",
            "{\"a\":}",
            "{\"a\" 1}",
            "{a: 1}",
            "{,}",
            "\"a",
            "\"\t\"",
            r#""\x""#,
            r#""\u12""#,
            r#""\u+123""#,
            "01x",
            "-",
            "1.",
            "1.e1",
            "1e",
            ".5",
            "+1",
            "tru",
            "'a'",
            "\0",
        ] {
            let read = read(&format!("\n[{text}"));
            assert_eq!(read, Err(YamlError::new(2, Problem::Json)), "{text}");
        }
    }

    #[test]
    fn a_number_that_no_float_holds_is_json_all_the_same() {
        let error = read("1e999").unwrap_err();
        assert_eq!(error.problem, Problem::Infinite);
    }

    #[test]
    fn depth_and_number_of_values_are_bounded() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(1000)).is_ok());
        let error = read(&nested(1_000_000)).unwrap_err();
        assert_eq!(error.problem, Problem::Exceeded(Exceeded::Depth(1000)));
        let error = read(&format!("[{}0]", "0,".repeat(300_000))).unwrap_err();
        assert!(matches!(
            error.problem,
            Problem::Exceeded(Exceeded::Nodes(_))
        ));
    }
}
