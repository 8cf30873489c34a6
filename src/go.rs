//! What the Go standard library reads, where Kubernetes leaves it to that: times and text.

/// Whether `time.Parse(time.RFC3339, text)` reads it, as `metav1.Time` does: hours may have one
/// digit, fractions any number of them, behind a point or a comma.
pub(crate) fn is_rfc3339(text: &str) -> bool {
    let mut clock = Clock(text.as_bytes());
    let read = clock.date(true).is_some()
        && clock.literal(b'T').is_some()
        && clock.time(true).is_some()
        && clock.zone().is_some();
    read && clock.0.is_empty()
}

/// Whether go.yaml.in/yaml/v2 `parseTimestamp` reads it.
pub(crate) fn is_yaml_timestamp(text: &str) -> bool {
    let year = text.bytes().take_while(u8::is_ascii_digit).count();
    let reads = |read: &dyn Fn(&mut Clock<'_>) -> Option<()>| {
        let mut clock = Clock(text.as_bytes());
        clock.date(false).is_some() && read(&mut clock).is_some() && clock.0.is_empty()
    };
    let zoned = |separator: u8| {
        move |clock: &mut Clock<'_>| {
            clock.literal(separator)?;
            clock.time(false)?;
            clock.zone()
        }
    };
    let spaced = |clock: &mut Clock<'_>| {
        clock.literal(b' ')?;
        clock.0 = clock.0.trim_ascii_start();
        clock.time(false)
    };
    year == 4
        && (reads(&zoned(b'T')) || reads(&zoned(b't')) || reads(&spaced) || reads(&|_| Some(())))
}

/// What is left to read of a time.
struct Clock<'a>(&'a [u8]);

impl Clock<'_> {
    fn literal(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    fn digit(&mut self) -> Option<u32> {
        let (first, rest) = self.0.split_first()?;
        let digit = char::from(*first).to_digit(10)?;
        self.0 = rest;
        Some(digit)
    }

    /// Two digits, or one where `fixed` is not set (package time `getnum`).
    fn number(&mut self, fixed: bool) -> Option<u32> {
        let first = self.digit()?;
        match self.digit() {
            Some(second) => Some(first * 10 + second),
            None if fixed => None,
            None => Some(first),
        }
    }

    fn date(&mut self, fixed: bool) -> Option<()> {
        let mut year = 0;
        for _ in 0..4 {
            year = year * 10 + self.digit()?;
        }
        self.literal(b'-')?;
        let month = self.number(fixed)?;
        self.literal(b'-')?;
        let day = self.number(fixed)?;
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 if is_leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        (1..=days).contains(&day).then_some(())
    }

    fn time(&mut self, fixed: bool) -> Option<()> {
        let hour = self.number(false)?;
        self.literal(b':')?;
        let minute = self.number(fixed)?;
        self.literal(b':')?;
        let second = self.number(fixed)?;
        if let [b'.' | b',', digit, ..] = self.0
            && digit.is_ascii_digit()
        {
            let fraction = self.0.iter().skip(1);
            let digits = fraction.take_while(|byte| byte.is_ascii_digit()).count();
            self.0 = self.0.get(1 + digits..).unwrap_or_default();
        }
        (hour < 24 && minute < 60 && second < 60).then_some(())
    }

    fn zone(&mut self) -> Option<()> {
        if self.literal(b'Z').is_some() {
            return Some(());
        }
        self.literal(b'+').or_else(|| self.literal(b'-'))?;
        let hours = self.number(true)?;
        self.literal(b':')?;
        let minutes = self.number(true)?;
        (hours <= 24 && minutes <= 60).then_some(())
    }
}

/// `strings.ToLower`, which has one character for each.
pub(crate) fn to_lower(text: &str) -> String {
    let lower = |character: char| match character {
        '\u{130}' => 'i',
        other => other.to_lowercase().next().unwrap_or(other),
    };
    text.chars().map(lower).collect()
}

/// Bytes as `encoding/json` writes them: each byte that is not UTF-8 becomes U+FFFD.
pub(crate) fn to_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_go_reads_rfc_3339() {
        for good in [
            "2026-01-02T03:04:05Z",
            "2026-01-02T3:04:05Z",
            "0000-02-29T00:00:00Z",
            "2026-01-02T03:04:05.123456789012Z",
            "2026-01-02T03:04:05,1+24:60",
            "2026-01-02T03:04:05-00:00",
        ] {
            assert!(is_rfc3339(good), "{good}");
        }
        for bad in [
            "",
            "2026-01-02",
            "2026-1-02T03:04:05Z",
            "2026-02-29T03:04:05Z",
            "2100-02-29T03:04:05Z",
            "2026-13-02T03:04:05Z",
            "2026-04-31T03:04:05Z",
            "2026-04-00T03:04:05Z",
            "2026-01-02t03:04:05z",
            "2026-01-02 03:04:05Z",
            "2026-01-02T24:04:05Z",
            "2026-01-02T03:60:05Z",
            "2026-01-02T03:4:05Z",
            "2026-01-02T03:04:60Z",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04:05+25:00",
            "2026-01-02T03:04:05+01:61",
            "2026-01-02T03:04:05+0100",
            "2026-01-02T03:04:05Z ",
            "+026-01-02T03:04:05Z",
        ] {
            assert!(!is_rfc3339(bad), "{bad}");
        }
    }

    #[test]
    fn timestamps_of_yaml_may_have_short_fields() {
        for good in [
            "2024-1-2",
            "2024-1-2T3:4:5Z",
            "2024-1-2t3:4:5.5+01:00",
            "2024-1-2  3:4:5.25",
        ] {
            assert!(is_yaml_timestamp(good), "{good}");
        }
        for bad in [
            "2024",
            "2024-1",
            "02024-1-2",
            "2024-1-2T3:4:5",
            "2024-1-2 3:4:5Z",
            "x",
        ] {
            assert!(!is_yaml_timestamp(bad), "{bad}");
        }
    }

    #[test]
    fn each_character_has_one_lower_case() {
        assert_eq!(
            to_lower("\u{130}\u{212a}\u{df}A\u{3a3}"),
            "ik\u{df}a\u{3c3}"
        );
    }

    #[test]
    fn each_byte_that_is_no_utf8_is_replaced() {
        assert_eq!(to_text(b"a\xE2\x82b"), "a\u{fffd}\u{fffd}b");
    }
}
