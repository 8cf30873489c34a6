//! One QR code (ISO/IEC 18004), drawn for a terminal or as SVG.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode, Version};

/// How many characters of the alphanumeric mode codes of each version hold, from 1 on, with the least
/// error correction (ISO/IEC 18004 table 7). A code of the last of these can be read from a screen
/// with a phone; larger ones often cannot.
pub const CAPACITIES: [usize; 25] = [
    25, 47, 77, 114, 154, 195, 224, 279, 335, 395, 468, 535, 619, 667, 758, 854, 938, 1046, 1153,
    1249, 1352, 1460, 1588, 1704, 1853,
];

/// The light border that readers need, in modules (ISO/IEC 18004 section 6.3.8).
const QUIET: usize = 4;
/// The same in a terminal, where room is short and readers are content with it.
const QUIET_IN_TERMINAL: usize = 2;

/// A code, module by module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    dark: Vec<bool>,
    width: usize,
}

impl Picture {
    /// The smallest code that holds this text, with the best error correction that has room in it.
    /// `None` where the largest of [`CAPACITIES`] does not hold it.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let levels = [EcLevel::H, EcLevel::Q, EcLevel::M, EcLevel::L];
        let versions = 1..=i16::try_from(CAPACITIES.len()).ok()?;
        let code = versions.map(Version::Normal).find_map(|version| {
            levels
                .iter()
                .find_map(|level| QrCode::with_version(text, version, *level).ok())
        })?;
        Some(Self {
            width: code.width(),
            dark: code
                .into_colors()
                .into_iter()
                .map(|color| color == Color::Dark)
                .collect(),
        })
    }

    /// How many columns a code of this version takes in a terminal, and how many lines.
    #[must_use]
    pub fn size_in_terminal(version: usize) -> (usize, usize) {
        let width = 17 + 4 * version + 2 * QUIET_IN_TERMINAL;
        (width, width.div_ceil(2))
    }

    /// Whether a module is dark; those outside are not.
    fn is_dark(&self, x: Option<usize>, y: Option<usize>) -> bool {
        let (Some(x), Some(y)) = (x.filter(|x| *x < self.width), y) else {
            return false;
        };
        self.dark
            .get(y * self.width + x)
            .copied()
            .unwrap_or_default()
    }

    /// Two modules a character, the upper half of a block and the lower. Blocks are light: white on
    /// black whatever the colours of a terminal are, and what it writes with where it takes none.
    /// `inverted`, blocks are dark, for what writes dark on light.
    #[must_use]
    pub fn half_blocks(&self, is_coloured: bool, inverted: bool) -> String {
        let (start, end) = match (is_coloured, inverted) {
            (true, false) => ("\u{1b}[38;5;231;48;5;16m", "\u{1b}[0m\n"),
            (true, true) => ("\u{1b}[38;5;16;48;5;231m", "\u{1b}[0m\n"),
            (false, _) => ("", "\n"),
        };
        let size = self.width + 2 * QUIET_IN_TERMINAL;
        let at = |position: usize| position.checked_sub(QUIET_IN_TERMINAL);
        let mut text = String::new();
        for y in (0..size).step_by(2) {
            text.push_str(start);
            for x in 0..size {
                let is_light = |y| self.is_dark(at(x), at(y)) == inverted;
                // The lower half of the last line may be no part of the code.
                text.push(match (is_light(y), is_light(y + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                });
            }
            text.push_str(end);
        }
        text
    }

    /// Its width in [`Self::svg`], in modules.
    fn full_width(&self) -> usize {
        self.width + 2 * QUIET
    }

    /// Codes below each other, each with a word on which of them it is, where there are several.
    #[must_use]
    pub fn svg(pictures: &[(Self, Option<[usize; 2]>)]) -> String {
        /// Room for the words, and their height, in modules.
        const WORDS: usize = 6;
        const LETTERS: usize = 4;
        let width = pictures.iter().map(|(it, _)| it.full_width()).max();
        let width = width.unwrap_or_default();
        let mut body = String::new();
        let mut top = 0;
        for (picture, number) in pictures {
            let mut path = String::new();
            for y in 0..picture.width {
                let mut x = 0;
                while x < picture.width {
                    let run = (x..picture.width).take_while(|x| picture.is_dark(Some(*x), Some(y)));
                    let run = run.count();
                    if run > 0 {
                        // Writing to a String cannot fail.
                        let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, top + y + QUIET);
                    }
                    x += run.max(1);
                }
            }
            let _ = writeln!(body, "<path d=\"{path}\"/>");
            top += picture.full_width();
            if let Some([number, count]) = number {
                let _ = writeln!(
                    body,
                    "<text x=\"{QUIET}\" y=\"{top}\" font-size=\"{LETTERS}\" \
                     font-family=\"sans-serif\">part {number} of {count}</text>"
                );
                top += WORDS;
            }
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {top}\" width=\"{}\" \
             height=\"{}\" shape-rendering=\"crispEdges\">\n<rect width=\"100%\" height=\"100%\" \
             fill=\"#fff\"/>\n{body}</svg>\n",
            width * SCALE,
            top * SCALE
        )
    }
}

/// Pixels a module, where a viewer does not scale.
const SCALE: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_hold_what_the_standard_says_and_not_a_character_more() {
        for (version, capacity) in (1..).zip(CAPACITIES) {
            let text = "A".repeat(capacity);
            assert_eq!(Picture::new(&text).unwrap().width, 17 + 4 * version);
            let larger = Picture::new(&format!("{text}A")).map(|larger| larger.width);
            assert_ne!(larger, Some(17 + 4 * version));
        }
    }

    #[test]
    fn half_blocks_have_a_light_border() {
        let picture = Picture::new("A").unwrap();
        let plain = picture.half_blocks(false, false);
        let lines: Vec<&str> = plain.lines().collect();
        assert_eq!((lines.len(), lines[0].chars().count()), (13, 25));
        assert_eq!(lines[0], "█".repeat(25));
        assert!(
            lines
                .iter()
                .all(|line| line.starts_with("██") && line.ends_with("██"))
        );
        // The upper left corner of a finder pattern: a line of dark, below it one dark at each end.
        assert!(lines[1].starts_with("██ ▄▄▄▄▄ "), "{}", lines[1]);
        let inverted = picture.half_blocks(false, true);
        assert!(inverted.lines().all(|line| line.starts_with("  ")));
        assert!(
            picture
                .half_blocks(true, false)
                .lines()
                .all(|line| line.ends_with("\u{1b}[0m"))
        );
    }
}
