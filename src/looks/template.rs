//! Places in a text that somebody has to fill in.

/// The line of the first place that is for a program or a person to fill in: `{{ }}`, `${ }`, `$( )`,
/// `<NAME>`.
#[must_use]
pub fn unfilled(text: &str) -> Option<usize> {
    let position = text.lines().position(is_unfilled)?;
    Some(position + 1)
}

/// Whether there is a place to fill in.
fn is_unfilled(line: &str) -> bool {
    let holds = |begin: &str, end: char| {
        line.split_once(begin)
            .is_some_and(|(_, rest)| rest.contains(end))
    };
    let in_brackets = || {
        let inside = line
            .split_once('<')
            .and_then(|(_, rest)| rest.split_once('>'));
        inside.is_some_and(|(name, _)| {
            let is_word = |c: char| c.is_ascii_alphanumeric() || " _-.".contains(c);
            name.len() > 2
                && name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.chars().all(is_word)
        })
    };
    // A command that nobody ran may go on in the next line.
    holds("{{", '}') || holds("{%", '}') || holds("${", '}') || line.contains("$(") || in_brackets()
}
