//! `kube_enroll::inspect`: whatever a file holds, its report moves, hides and reorders nothing on a
//! terminal, and its JSON is JSON.

use kube_enroll::inspect::{Context, Look, Style, inspect, report};
use kube_enroll::policy::Agreed;
use time::OffsetDateTime;

use super::plain::assert_plain;

/// The colours of a report, and their end.
const COLOURS: [&str; 6] = [
    "\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m",
];

/// Takes any bytes for any file, and their start for its name.
pub fn check(data: &[u8]) {
    let source = String::from_utf8_lossy(&data[..data.len().min(32)]);
    let context = Context {
        now: OffsetDateTime::UNIX_EPOCH,
        agreed: Agreed::default(),
        passphrase: None,
    };
    let objects = inspect(&source, data, &context);
    for width in [40, 100] {
        let text = report(
            &objects,
            Style::Text(Look {
                width,
                fingerprints: true,
            }),
        );
        let colourless = COLOURS.iter().fold(text, |text, it| text.replace(it, ""));
        colourless.split('\n').for_each(assert_plain);
    }
    let json = report(&objects, Style::Json);
    json.split('\n').for_each(assert_plain);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let yaml = report(&objects, Style::Yaml);
    yaml.split('\n').for_each(assert_plain);
    assert_eq!(
        serde_yaml::from_str::<serde_json::Value>(&yaml).unwrap(),
        value
    );
}
