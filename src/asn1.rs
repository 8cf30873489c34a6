//! DER as Go's `encoding/asn1` and `cryptobyte` read it, which is what decides in the cluster.
//!
//! The walk is shallow: each structure reads its own elements, so nothing recurses.

/// Universal tag numbers (X.680).
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u32 = 1;
    pub(crate) const INTEGER: u32 = 2;
    pub(crate) const BIT_STRING: u32 = 3;
    pub(crate) const OCTET_STRING: u32 = 4;
    pub(crate) const OID: u32 = 6;
    pub(crate) const UTF8_STRING: u32 = 12;
    pub(crate) const SEQUENCE: u32 = 16;
    pub(crate) const SET: u32 = 17;
    pub(crate) const NUMERIC_STRING: u32 = 18;
    pub(crate) const PRINTABLE_STRING: u32 = 19;
    pub(crate) const T61_STRING: u32 = 20;
    pub(crate) const IA5_STRING: u32 = 22;
    pub(crate) const UTC_TIME: u32 = 23;
    pub(crate) const GENERALIZED_TIME: u32 = 24;
    pub(crate) const BMP_STRING: u32 = 30;
}

/// What is wrong with an encoding, in a few words.
pub(crate) type Problem = &'static str;

/// `NULL`, whole.
pub(crate) const NULL: &[u8] = &[5, 0];

/// The class bits of an identifier octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Universal,
    ContextSpecific,
    /// Application or private: nothing here uses them.
    Other,
}

/// One tag-length-value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) class: Class,
    pub(crate) tag: u32,
    pub(crate) constructed: bool,
    /// The value, without tag and length.
    pub(crate) contents: &'a [u8],
    /// Tag, length and value.
    pub(crate) whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// Whether this is a universal element of the given tag and form.
    pub(crate) fn is(&self, tag: u32, constructed: bool) -> bool {
        self.class == Class::Universal && self.tag == tag && self.constructed == constructed
    }

    /// A reader over the elements inside.
    pub(crate) fn inside(&self) -> Reader<'a> {
        Reader::new(self.contents)
    }
}

/// What stands before the value of an element.
struct Header {
    class: Class,
    tag: u32,
    constructed: bool,
    length: usize,
}

/// Reads elements one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element, whatever it is (`encoding/asn1` `parseTagAndLength`).
    pub(crate) fn element(&mut self) -> Result<Element<'a>, Problem> {
        let start = self.rest;
        let header = self.header()?;
        let (contents, rest) = self
            .rest
            .split_at_checked(header.length)
            .ok_or("data truncated")?;
        let whole = start.get(..start.len() - rest.len()).unwrap_or_default();
        self.rest = rest;
        Ok(Element {
            class: header.class,
            tag: header.tag,
            constructed: header.constructed,
            contents,
            whole,
        })
    }

    /// The next element, which must be universal with this tag and form.
    pub(crate) fn expect(&mut self, tag: u32, constructed: bool) -> Result<Element<'a>, Problem> {
        if self.is_empty() {
            return Err("sequence truncated");
        }
        let element = self.element()?;
        if element.is(tag, constructed) {
            Ok(element)
        } else {
            Err("unexpected tag")
        }
    }

    pub(crate) fn sequence(&mut self) -> Result<Reader<'a>, Problem> {
        Ok(self.expect(tag::SEQUENCE, true)?.inside())
    }

    pub(crate) fn oid(&mut self) -> Result<Oid, Problem> {
        Oid::from_contents(self.expect(tag::OID, false)?.contents)
    }

    pub(crate) fn bit_string(&mut self) -> Result<Vec<u8>, Problem> {
        bit_string(self.expect(tag::BIT_STRING, false)?.contents)
    }

    /// Steps into an element tagged `[number] EXPLICIT`, or tells that the next one is another. Go
    /// looks at nothing but its tag: what it holds is read on as if it stood there bare.
    pub(crate) fn enter_explicit(&mut self, number: u32) -> Result<bool, Problem> {
        let header = self.header()?;
        if self.is_empty() {
            return Err("explicit tag has no child");
        }
        let matches = header.class == Class::ContextSpecific && header.tag == number;
        match (matches, header.length) {
            (true, 0) => Err("explicit tag has no child"),
            _ => Ok(matches && header.constructed),
        }
    }

    /// Tag and length of the next element.
    fn header(&mut self) -> Result<Header, Problem> {
        let identifier = self.byte()?;
        let class = match identifier >> 6 {
            0 => Class::Universal,
            2 => Class::ContextSpecific,
            _ => Class::Other,
        };
        let mut tag = u32::from(identifier & 0x1F);
        if tag == 0x1F {
            tag = self.base128()?;
            if tag < 0x1F {
                return Err("non-minimal tag");
            }
        }
        Ok(Header {
            class,
            tag,
            constructed: identifier & 0x20 != 0,
            length: self.length()?,
        })
    }

    fn byte(&mut self) -> Result<u8, Problem> {
        let (byte, rest) = self.rest.split_first().ok_or("truncated tag or length")?;
        self.rest = rest;
        Ok(*byte)
    }

    fn length(&mut self) -> Result<usize, Problem> {
        let first = self.byte()?;
        if first & 0x80 == 0 {
            return Ok(usize::from(first));
        }
        if first == 0x80 {
            return Err("indefinite length (not DER)");
        }
        let mut length = 0_usize;
        for _ in 0..first & 0x7F {
            let byte = self.byte()?;
            if length >= 1 << 23 {
                return Err("length too large");
            }
            length = length << 8 | usize::from(byte);
            if length == 0 {
                return Err("superfluous leading zeros in length");
            }
        }
        if length < 0x80 {
            return Err("non-minimal length");
        }
        Ok(length)
    }

    /// A base-128 number of at most 31 bits (`encoding/asn1` `parseBase128Int`).
    fn base128(&mut self) -> Result<u32, Problem> {
        let mut value = 0_u64;
        for position in 0..5 {
            let byte = self.byte()?;
            if position == 0 && byte == 0x80 {
                return Err("integer is not minimally encoded");
            }
            value = value << 7 | u64::from(byte & 0x7F);
            if byte & 0x80 == 0 {
                return u32::try_from(value)
                    .ok()
                    .filter(|value| i32::try_from(*value).is_ok())
                    .ok_or("base 128 integer too large");
            }
        }
        Err("base 128 integer too large")
    }
}

/// An OBJECT IDENTIFIER in its DER contents, which are unique for each.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Oid(Vec<u8>);

impl Oid {
    pub(crate) fn from_contents(contents: &[u8]) -> Result<Self, Problem> {
        if contents.is_empty() {
            return Err("zero length OBJECT IDENTIFIER");
        }
        let mut reader = Reader::new(contents);
        while !reader.is_empty() {
            reader.base128()?;
        }
        Ok(Self(contents.to_vec()))
    }

    /// The DER contents, without tag and length.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Display for Oid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut reader = Reader::new(&self.0);
        let first = reader.base128().unwrap_or_default();
        let root = (first / 40).min(2);
        write!(f, "{root}.{}", first - root * 40)?;
        while let Ok(arc) = reader.base128() {
            write!(f, ".{arc}")?;
        }
        Ok(())
    }
}

impl PartialEq<der::oid::ObjectIdentifier> for Oid {
    fn eq(&self, other: &der::oid::ObjectIdentifier) -> bool {
        self.0 == other.as_bytes()
    }
}

/// BOOLEAN contents.
pub(crate) fn boolean(contents: &[u8]) -> Result<bool, Problem> {
    match contents {
        [0] => Ok(false),
        [0xFF] => Ok(true),
        _ => Err("invalid boolean"),
    }
}

/// INTEGER contents that fit 64 bits.
pub(crate) fn int64(contents: &[u8]) -> Result<i64, Problem> {
    integer(contents)?;
    if contents.len() > 8 {
        return Err("integer too large");
    }
    let negative = contents.first().is_some_and(|byte| byte & 0x80 != 0);
    let start = if negative { -1 } else { 0 };
    Ok(contents
        .iter()
        .fold(start, |value, byte| value << 8 | i64::from(*byte)))
}

/// INTEGER contents of any length, checked to be minimal; two's complement, big-endian.
pub(crate) fn integer(contents: &[u8]) -> Result<&[u8], Problem> {
    match contents {
        [] => Err("empty integer"),
        [0, second, ..] if second & 0x80 == 0 => Err("integer not minimally-encoded"),
        [0xFF, second, ..] if second & 0x80 != 0 => Err("integer not minimally-encoded"),
        _ => Ok(contents),
    }
}

/// INTEGER contents as an unsigned big-endian number without leading zeros; `None` unless it is
/// greater than zero.
pub(crate) fn positive(contents: &[u8]) -> Option<&[u8]> {
    match integer(contents).ok()? {
        [0] => None,
        [0, rest @ ..] => Some(rest),
        [first, ..] if first & 0x80 != 0 => None,
        all => Some(all),
    }
}

/// BIT STRING contents as bytes, shifted right where bits are unused (`BitString.RightAlign`).
pub(crate) fn bit_string(contents: &[u8]) -> Result<Vec<u8>, Problem> {
    let (&unused, bytes) = contents.split_first().ok_or("zero length BIT STRING")?;
    let padding = u32::from(unused);
    let last = bytes.last().copied();
    let clean = match last {
        _ if padding > 7 => false,
        None => padding == 0,
        Some(last) => padding == 0 || last.trailing_zeros() >= padding,
    };
    if !clean {
        return Err("invalid padding bits in BIT STRING");
    }
    if padding == 0 {
        return Ok(bytes.to_vec());
    }
    let mut carried = 0;
    Ok(bytes
        .iter()
        .map(|byte| {
            let aligned = carried << (8 - padding) | byte >> padding;
            carried = *byte;
            aligned
        })
        .collect())
}

/// Checks `UTCTime` contents: `YYMMDDhhmm[ss]` and a zone.
pub(crate) fn utc_time(contents: &[u8]) -> Result<(), Problem> {
    let with_seconds = time(contents, 2, true);
    if with_seconds || time(contents, 2, false) {
        Ok(())
    } else {
        Err("invalid UTCTime")
    }
}

/// Checks `GeneralizedTime` contents: `YYYYMMDDhhmmss`, perhaps a fraction, and a zone.
pub(crate) fn generalized_time(contents: &[u8]) -> Result<(), Problem> {
    if time(contents, 4, true) {
        Ok(())
    } else {
        Err("invalid GeneralizedTime")
    }
}

/// Whether `contents` is a time that Go's `time.Parse` takes and formats back to the same bytes.
fn time(contents: &[u8], year_digits: usize, seconds: bool) -> bool {
    let mut rest = contents;
    let (Some(year), Some(month), Some(day)) = (
        digits(&mut rest, year_digits),
        digits(&mut rest, 2),
        digits(&mut rest, 2),
    ) else {
        return false;
    };
    // Two digits stand for 1969 to 2068, among which every fourth year is a leap year.
    let leap = year % 4 == 0 && (year_digits == 2 || year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    let clock = digits(&mut rest, 2).is_some_and(|hour| hour < 24)
        && digits(&mut rest, 2).is_some_and(|minute| minute < 60)
        && (!seconds || digits(&mut rest, 2).is_some_and(|second| second < 60));
    (1..=days).contains(&day) && clock && zone(rest)
}

fn digits(rest: &mut &[u8], count: usize) -> Option<u32> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    head.iter().try_fold(0, |value, byte| {
        Some(value * 10 + char::from(*byte).to_digit(10)?)
    })
}

/// `Z`, or an offset that is not zero.
fn zone(mut rest: &[u8]) -> bool {
    match rest.split_first() {
        Some((b'Z', [])) => true,
        Some((b'+' | b'-', offset)) => {
            rest = offset;
            let (hours, minutes) = (digits(&mut rest, 2), digits(&mut rest, 2));
            hours.is_some_and(|hours| hours <= 24)
                && minutes.is_some_and(|minutes| minutes < 60)
                && (hours, minutes) != (Some(0), Some(0))
                && rest.is_empty()
        }
        _ => false,
    }
}

/// An element of a low tag and less than 64 KiB, for tests.
#[cfg(test)]
pub(crate) fn encode(identifier: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).unwrap();
    let mut encoded = vec![identifier];
    match length.to_be_bytes() {
        [0, short] if short < 0x80 => encoded.push(short),
        [0, long] => encoded.extend([0x81, long]),
        long => encoded.extend([[0x82].as_slice(), &long].concat()),
    }
    encoded.extend(contents);
    encoded
}

crate::text::show_escaped!(Oid);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_minimal_and_definite() {
        for bad in [
            &[0x30, 0x80, 0, 0][..],
            &[0x04, 0x81, 0x01, 0],
            &[0x04, 0x82, 0x00, 0x80],
            &[0x04, 0x02, 0],
            &[0x04],
            &[0x1F, 0x1E, 0],
        ] {
            assert!(Reader::new(bad).element().is_err(), "{bad:x?}");
        }
        assert!(Reader::new(&[0x1F, 0x1F, 0]).element().is_ok());
        let problem = |der: &[u8]| Reader::new(der).element().unwrap_err();
        assert_eq!(
            problem(&[4, 0x84, 0x7F, 0xFF, 0xFF, 0xFF]),
            "data truncated"
        );
        assert_eq!(problem(&[4, 0x84, 0x80, 0, 0, 0]), "length too large");
    }

    #[test]
    fn an_element_ends_where_its_length_says() {
        for length in [0, 1, 127, 128, 255, 256, 65_535] {
            let contents = vec![7; length];
            let octets = encode(4, &contents);
            let der = [&octets, NULL].concat();
            let mut reader = Reader::new(&der);
            let element = reader.element().unwrap();
            assert!(element.is(tag::OCTET_STRING, false));
            assert_eq!((element.contents, element.whole), (&*contents, &*octets));
            assert_eq!(reader.element().unwrap().whole, NULL);
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn an_element_is_told_by_class_tag_and_form() {
        let is_sequence = |identifier| {
            let der = encode(identifier, &[]);
            Reader::new(&der).expect(tag::SEQUENCE, true).is_ok()
        };
        assert!(is_sequence(0x30));
        for other in [0x10, 0x31, 0x70, 0xB0, 0xF0] {
            assert!(!is_sequence(other), "{other:x}");
        }
    }

    #[test]
    fn an_explicit_tag_is_entered_by_its_number_and_form() {
        let enter = |der: &[u8]| Reader::new(der).enter_explicit(1);
        assert_eq!(enter(&[0xA1, 2, 5, 0]), Ok(true));
        for other in [0xA2, 0x81, 0x21] {
            assert_eq!(enter(&[other, 2, 5, 0]), Ok(false), "{other:x}");
        }
        assert_eq!(enter(&[0xA2, 0, 5, 0]), Ok(false));
        assert!(enter(&[0xA1, 0]).is_err());
        assert!(enter(&[0xA1, 0, 5, 0]).is_err());
    }

    #[test]
    fn integers_are_minimal_and_bounded() {
        assert_eq!(int64(&[0x80]), Ok(-128));
        assert_eq!(int64(&[0, 0x80]), Ok(128));
        assert_eq!(int64(&[0xFF, 0x7F]), Ok(-129));
        assert_eq!(int64(&i64::MIN.to_be_bytes()), Ok(i64::MIN));
        assert_eq!(int64(&i64::MAX.to_be_bytes()), Ok(i64::MAX));
        assert!(int64(&[]).is_err());
        assert!(int64(&[0, 1]).is_err());
        assert!(int64(&[0xFF, 0xFF]).is_err());
        assert!(int64(&[1; 9]).is_err());
    }

    #[test]
    fn positive_numbers_lose_the_zero_of_their_sign() {
        assert_eq!(positive(&[5]), Some(&[5][..]));
        assert_eq!(positive(&[0, 0x80]), Some(&[0x80][..]));
        for other in [&[][..], &[0], &[0, 5], &[0x80], &[0xFF, 0x7F]] {
            assert_eq!(positive(other), None, "{other:x?}");
        }
    }

    #[test]
    fn unused_bits_are_zero_and_shifted_out() {
        assert_eq!(bit_string(&[0, 1, 2]), Ok(vec![1, 2]));
        assert_eq!(bit_string(&[4, 0x10, 0x20]), Ok(vec![0x01, 0x02]));
        assert_eq!(bit_string(&[7, 0x80]), Ok(vec![1]));
        assert_eq!(bit_string(&[0]), Ok(vec![]));
        for bad in [&[][..], &[1], &[8, 0], &[4, 0x18]] {
            assert!(bit_string(bad).is_err(), "{bad:x?}");
        }
    }

    #[test]
    fn object_identifiers_are_shown_with_dots() {
        let oid = |contents: &[u8]| Oid::from_contents(contents).map(|oid| oid.to_string());
        assert_eq!(oid(&[0x55, 0x04, 0x03]), Ok("2.5.4.3".to_owned()));
        assert_eq!(oid(&[0x88, 0x37]), Ok("2.999".to_owned()));
        for (first, shown) in [(39, "0.39"), (40, "1.0"), (79, "1.39"), (80, "2.0")] {
            assert_eq!(oid(&[first]), Ok(shown.to_owned()));
        }
        let largest = oid(&[0x2A, 0x87, 0xFF, 0xFF, 0xFF, 0x7F]);
        assert_eq!(largest, Ok(format!("1.2.{}", i32::MAX)));
        assert!(oid(&[]).is_err());
        assert!(oid(&[0x55, 0x80, 0x01]).is_err());
        assert!(oid(&[0x55, 0x88]).is_err());
        assert!(oid(&[0x55, 0x88, 0x80, 0x80, 0x80, 0x00]).is_err());
        assert!(oid(&[0x55, 0x81, 0x80, 0x80, 0x80, 0x80, 0x00]).is_err());
    }

    #[test]
    fn times_are_those_that_go_formats_back() {
        for good in [
            "9912312359Z",
            "991231235959Z",
            "9901310000Z",
            "0002290000+0130",
            "0001010000+0001",
            "000229000000-2400",
        ] {
            assert_eq!(utc_time(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in [
            "",
            "alice",
            "9913312359Z",
            "9900010000Z",
            "9902290000Z",
            "9904310000Z",
            "9901000000Z",
            "9901320000Z",
            "9912312400Z",
            "9912312360Z",
            "991231235960Z",
            "9912312359",
            "9912312359Z0",
            "9912312359+0000",
            "9912312359+2500",
            "9912312359+0060",
            "9912312359+01300",
            "991231235959.5Z",
        ] {
            assert!(utc_time(bad.as_bytes()).is_err(), "{bad}");
        }
        for good in ["20240229000000Z", "20000229000000Z", "00000101000000Z"] {
            assert_eq!(generalized_time(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in [
            "21000229000000Z",
            "20240229000000.5Z",
            "20240229000000.50Z",
            "20240229000000.Z",
            "202402290000Z",
            "20240229000000",
        ] {
            assert!(generalized_time(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
