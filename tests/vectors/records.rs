//! Tables in the form of NIST's validation programs: `name = value` lines in blocks, comments with
//! `#`. What a block leaves out is as in the block before it.

use std::collections::HashMap;

use dashu_int::UBig;

#[derive(Clone, Default)]
pub struct Record<'a>(HashMap<&'a str, &'a str>);

/// The blocks that end with the field `last`, each with all that stands before it.
pub fn records<'a>(table: &'a str, last: &str) -> Vec<Record<'a>> {
    let mut so_far = Record::default();
    let mut records = Vec::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let line = line.trim_start_matches('[').trim_end_matches(']');
        let Some((name, value)) = line.split_once(" =") else {
            assert!(line.is_empty(), "{line}");
            continue;
        };
        so_far.0.insert(name, value.trim_start());
        if name == last {
            records.push(so_far.clone());
        }
    }
    assert!(!records.is_empty(), "no {last} in the table");
    records
}

impl<'a> Record<'a> {
    pub fn text(&self, name: &str) -> &'a str {
        self.0.get(name).unwrap_or_else(|| panic!("no {name}"))
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let digits = self.text(name).as_bytes().chunks(2);
        let digits = digits.map(|pair| std::str::from_utf8(pair).unwrap());
        digits
            .map(|pair| u8::from_str_radix(pair, 16).unwrap())
            .collect()
    }

    pub fn number(&self, name: &str) -> UBig {
        UBig::from_str_radix(self.text(name), 16).unwrap()
    }
}
