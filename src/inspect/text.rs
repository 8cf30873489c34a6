//! The report for people: aligned, wrapped to the terminal, and safe whatever the file holds.

use std::collections::HashSet;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr as _;

use super::Object;
use super::contexts::{ContextReport, Means};
use super::object::{CertificateReport, KubeconfigReport};
use super::preferences::KubercReport;
use crate::agreement::{Comparison, Point};
use crate::certificate::show_days_left;
use crate::kuberc::Kuberc;
use crate::manifest;
use crate::policy::{Finding, Level, Prediction};
use crate::text::visible;

/// Longer values are cut, in characters.
const MAX_VALUE: usize = 300;
/// Longer lists are cut.
const MAX_ITEMS: usize = 20;
/// Width of the labels and what follows them.
const LABEL: usize = 13;
/// Nobody reads lines that are longer.
const MAX_WIDTH: usize = 100;

/// How the text is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Columns of the terminal, of which 40 to 100 are used.
    pub width: usize,
    /// Whether fingerprints are shown; what is told of them elsewhere on the page is not said twice.
    pub fingerprints: bool,
}

/// One object as text with ANSI colours.
pub(super) fn render(object: &Object, look: Look) -> String {
    let mut page = Page {
        text: String::new(),
        width: look.width.clamp(40, MAX_WIDTH),
        look,
    };
    page.object(object);
    page.text
}

struct Page {
    text: String,
    width: usize,
    look: Look,
}

impl Page {
    fn object(&mut self, object: &Object) {
        self.title(object);
        self.identity(object);
        self.key(object);
        self.request(object);
        self.status(object);
        if let Some(certificate) = &object.certificate {
            self.certificate(certificate);
        }
        if let Some(kubeconfig) = &object.kubeconfig {
            self.kubeconfig(kubeconfig);
        }
        if let Some(kuberc) = &object.kuberc {
            self.kuberc(kuberc);
        }
        if let Some(comparison) = object.agreement {
            self.comparison(comparison);
        }
        // Of another object kubectl has its own way, which a finding tells.
        let kind = object.kind.as_deref();
        let is_request = matches!(kind, Some(manifest::KIND | "CertificationRequest"));
        if let Some(prediction) = object.prediction.as_ref().filter(|_| is_request) {
            let is_bare = kind != Some(manifest::KIND);
            self.prediction(*prediction, is_bare, object.has_errors());
        }
        if !object.findings.is_empty() {
            self.text.push('\n');
        }
        for finding in &object.findings {
            self.finding(finding);
        }
    }

    fn title(&mut self, object: &Object) {
        let bold = Style::new().bold();
        let kind = object.kind.as_deref().unwrap_or("unreadable");
        let name = object
            .name
            .as_deref()
            .map(|name| format!(" {}", cut(&visible(name).to_string())));
        let name = name.unwrap_or_default();
        let source = visible(&object.source);
        let _ = writeln!(self.text, "{bold}{source}{bold:#}: {kind}{name}");
    }

    fn identity(&mut self, object: &Object) {
        if let Some(identity) = &object.identity {
            self.field("User", &cut(&visible(&identity.username).to_string()));
            self.field("Groups", &items(&identity.groups));
            if let Some(uid) = &identity.uid {
                self.field("UID", &cut(&visible(uid).to_string()));
            }
        } else if object.csr.is_some() {
            self.field("User", "(none: it would not authenticate)");
        }
    }

    fn key(&mut self, object: &Object) {
        if let Some(key) = &object.private_key {
            // The name of the encoding says so where it is.
            let encrypted = if key.encrypted { "" } else { ", NOT encrypted" };
            self.field("Private key", &format!("{}{encrypted}", key.encoding));
        }
        if let Some(key) = &object.public_key {
            let bits = key.bits.map_or(String::new(), |bits| format!(" {bits}"));
            self.field("Key", &format!("{}{bits}", key.algorithm));
            if self.look.fingerprints {
                self.field("Fingerprint", &key.fingerprint.spoken());
            }
        }
    }

    fn request(&mut self, object: &Object) {
        if let Some(csr) = &object.csr {
            self.field("Subject", &cut(&csr.subject));
            let valid = if csr.signature_valid {
                "valid"
            } else {
                "NOT VALID"
            };
            self.field(
                "Signature",
                &format!("{}, {valid}", csr.signature_algorithm),
            );
            if !csr.subject_alt_names.is_empty() {
                self.field("Alt names", &items(&csr.subject_alt_names));
            }
            if !csr.extensions.is_empty() {
                self.field("Extensions", &items(&csr.extensions));
            }
        }
        if let Some(signer) = &object.signer_name {
            self.field("Signer", &cut(&visible(signer).to_string()));
        }
        if let Some(usages) = &object.usages {
            self.field("Usages", &items(usages));
            let lifetime = match object.expiration_seconds {
                Some(seconds) => span(i64::from(seconds)),
                None => "not set, the cluster decides".to_owned(),
            };
            self.field("Lifetime", &lifetime);
        }
    }

    fn status(&mut self, object: &Object) {
        let Some(status) = &object.status else { return };
        self.field("Status", &format!("{:?}", status.state));
        for condition in status.conditions.iter().take(MAX_ITEMS) {
            let said = format!("{}: {}", condition.reason, condition.message);
            self.field(&cut(&condition.kind), &cut(&said));
        }
        if let Some(more @ 1..) = status.conditions.len().checked_sub(MAX_ITEMS) {
            self.field("Conditions", &format!("{more} more"));
        }
        if let Some(certificate) = &status.certificate {
            self.certificate(certificate);
        }
    }

    fn certificate(&mut self, certificate: &CertificateReport) {
        self.field("Certificate", &cut(&certificate.subject));
        self.field("Issuer", &cut(&certificate.issuer));
        self.field("Serial", &cut(&certificate.serial));
        let dates = format!(
            "{} to {} ({})",
            certificate.not_before,
            certificate.not_after,
            show_days_left(certificate.days_left)
        );
        self.field("Valid", &dates);
        let client = if certificate.client_auth {
            "client authentication"
        } else {
            "not for clients"
        };
        let ca = if certificate.is_ca {
            ", certificate authority"
        } else {
            ""
        };
        self.field("For", &format!("{client}{ca}"));
        self.field("Credential", &certificate.credential_id);
    }

    fn kubeconfig(&mut self, kubeconfig: &KubeconfigReport) {
        let current = kubeconfig.current_context.as_deref();
        let contexts = &kubeconfig.contexts;
        let joined: HashSet<_> = contexts.iter().map(|it| it.cluster.as_str()).collect();
        self.field(
            "Current",
            &name(current.unwrap_or("(no context is current)")),
        );
        for context in contexts.iter().take(MAX_ITEMS) {
            self.context(context);
        }
        if contexts.len() > MAX_ITEMS {
            let more = contexts.len() - MAX_ITEMS;
            self.field("Context", &format!("... and {more} more"));
        }
        let others = kubeconfig.clusters.iter();
        let others = others.filter(|cluster| !joined.contains(cluster.name.as_str()));
        for cluster in others.take(MAX_ITEMS) {
            let shown = format!("{}: {}", name(&cluster.name), name(&cluster.server));
            self.field("Cluster", &shown);
        }
        for user in kubeconfig.users.iter().take(MAX_ITEMS) {
            let shown = format!("{}: {}", name(&user.name), items(&user.fields));
            self.field("Holds", &shown);
        }
    }

    /// What kubectl may run, and whether it runs this program.
    fn kuberc(&mut self, kuberc: &KubercReport) {
        let policy = kuberc.kuberc.as_ref().map(Kuberc::policy_said);
        self.field("Policy", policy.unwrap_or_default().as_str());
        if !kuberc.allowlist.is_empty() {
            self.field("Allowlist", &items(&kuberc.allowlist));
        }
        if let Some(line) = kuberc.line {
            let taken = format!("the first document that kubectl can read, from line {line} on");
            self.field("Taken", &taken);
        }
        for (command, answer) in &kuberc.answers {
            let style = if answer.runs() {
                AnsiColor::Green.on_default()
            } else {
                AnsiColor::Red.on_default()
            };
            self.styled_field(
                "Runs",
                &format!("{}: {}", name(command), answer.said()),
                style,
            );
        }
    }

    /// Who, where, until when, with which key, and whether that works here.
    fn context(&mut self, context: &ContextReport) {
        self.field("Context", &name(&context.name));
        let server = context.server.as_deref();
        let server = server.map_or("(no such cluster)".to_owned(), name);
        self.field("Cluster", &format!("{}: {server}", name(&context.cluster)));
        if context.insecure {
            let what = "any server is taken for it (insecure-skip-tls-verify)";
            self.styled_field("TLS", what, AnsiColor::Red.on_default());
        }
        for (label, value) in [
            ("TLS name", &context.tls_server_name),
            ("Proxy", &context.proxy_url),
            ("Namespace", &context.namespace),
            ("Runs", &context.runs),
        ] {
            if let Some(value) = value {
                self.field(label, &name(value));
            }
        }
        if let Some(user) = &context.user {
            self.field("User", &name(user));
            self.field("Groups", &items(&context.groups));
        }
        if let (Some(end), Some(left)) = (&context.not_after, context.days_left) {
            self.field("Valid", &format!("until {end} ({})", show_days_left(left)));
        }
        let place = match (&context.key_file, context.means) {
            (Some(file), _) => name(file),
            (None, Means::Embedded) => "in the kubeconfig".to_owned(),
            (None, _) => String::new(),
        };
        let key = [Some(place), context.key.map(|key| key.spoken())];
        let key: Vec<_> = key
            .into_iter()
            .flatten()
            .filter(|it| !it.is_empty())
            .collect();
        if !key.is_empty() {
            self.field("Key", &key.join(", "));
        }
        let (usable, style) = match (context.usable, context.means) {
            (Some(false), _) => ("no, see below", AnsiColor::Red.on_default()),
            (Some(true), Means::Exec) => (
                "yes: kubectl asks kube-enroll for the key",
                AnsiColor::Green.on_default(),
            ),
            (Some(true), Means::Through) => (
                "yes, by the command that is named below",
                AnsiColor::Yellow.on_default(),
            ),
            (Some(true), _) => ("yes", AnsiColor::Green.on_default()),
            (None, Means::Other) => ("not known: it has no certificate", Style::new()),
            (None, _) => ("not known: its files were not read", Style::new()),
        };
        self.styled_field("Usable here", usable, style);
    }

    /// Point by point.
    fn comparison(&mut self, comparison: Comparison) {
        let points = [
            ("user", comparison.user),
            ("groups", comparison.groups),
            ("fingerprint", comparison.fingerprint),
            ("lifetime", comparison.lifetime),
        ];
        let said = points.map(|(name, point)| {
            let word = match point {
                Point::Agreed => "agreed",
                Point::Different => "DIFFERENT",
                Point::NotCompared => "not compared",
            };
            format!("{name} {word}")
        });
        let style = if comparison.is_agreed() {
            AnsiColor::Green.on_default()
        } else {
            AnsiColor::Yellow.on_default()
        };
        self.styled_field("Agreement", &said.join(", "), style);
    }

    /// kubectl takes no bare request: it is that of the manifest which is made of it.
    fn prediction(&mut self, prediction: Prediction, is_bare: bool, has_errors: bool) {
        let text = match prediction {
            Prediction {
                accepted: false, ..
            } => "the API server refuses it".to_owned(),
            Prediction {
                issued: Some(false),
                ..
            } => "accepted, and once approved, not issued".to_owned(),
            Prediction { issued: None, .. } => {
                "accepted; another signer decides the rest".to_owned()
            }
            Prediction {
                authenticates: false,
                ..
            } => "accepted and issued, and of no use: it does not authenticate".to_owned(),
            _ => "accepted, issued once approved, authenticates".to_owned(),
        };
        let refused = !prediction.accepted || prediction.issued == Some(false);
        let style = match (refused, has_errors) {
            (true, _) => AnsiColor::Red.on_default(),
            // It works, and somebody wants it to look like something else.
            (false, true) => AnsiColor::Yellow.on_default(),
            (false, false) => AnsiColor::Green.on_default(),
        };
        let text = if is_bare {
            format!("in a manifest of ours: {text}")
        } else {
            text
        };
        self.styled_field("Prediction", &text, style);
    }

    fn field(&mut self, label: &str, value: &str) {
        self.styled_field(label, value, Style::new());
    }

    fn styled_field(&mut self, label: &str, value: &str, style: Style) {
        let lines = wrap(value, self.width - LABEL - 2);
        for (position, line) in lines.iter().enumerate() {
            let label = if position == 0 { label } else { "" };
            let _ = writeln!(self.text, "  {label:LABEL$}{style}{line}{style:#}");
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let (word, style) = match finding.level {
            Level::Error => ("error", AnsiColor::Red.on_default().bold()),
            Level::Warning => ("warning", AnsiColor::Yellow.on_default().bold()),
            Level::Note => ("note", Style::new().dimmed()),
        };
        let field = cut(&finding.field);
        let _ = writeln!(
            self.text,
            "  {style}{word}{style:#} {} {field}",
            finding.code
        );
        for line in wrap(&finding.message, self.width - 4) {
            let _ = writeln!(self.text, "    {line}");
        }
    }
}

/// A lifetime in days and hours where it is whole, and in seconds.
fn span(seconds: i64) -> String {
    match crate::lifetime::Lifetime::try_from(seconds) {
        Ok(lifetime) => format!("{lifetime} ({seconds} seconds)"),
        Err(_) => format!("{seconds} seconds"),
    }
}

/// A value that is short enough to be shown.
fn cut(value: &str) -> String {
    match value.char_indices().nth(MAX_VALUE) {
        Some((end, _)) => {
            let shown = value.get(..end).unwrap_or_default();
            format!("{shown}... ({} characters)", value.chars().count())
        }
        None => value.to_owned(),
    }
}

/// A raw name that is fit to be shown.
fn name(raw: &str) -> String {
    cut(&visible(raw).to_string())
}

fn items(items: &[String]) -> String {
    if items.is_empty() {
        return "(none)".to_owned();
    }
    let shown: Vec<_> = items
        .iter()
        .take(MAX_ITEMS)
        .map(|item| cut(&visible(item).to_string()))
        .collect();
    match items.len().saturating_sub(MAX_ITEMS) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Breaks at spaces where it can, at commas else, and anywhere where it must.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word;
        while let Some(line) = lines.last_mut() {
            let gap = usize::from(!line.is_empty());
            if fits(word, width.saturating_sub(line.width() + gap)) {
                line.push_str(if gap == 1 { " " } else { "" });
                line.push_str(word);
                break;
            }
            if line.is_empty() {
                let (head, tail) = split_at_width(word, width);
                line.push_str(head);
                word = tail;
            }
            lines.push(String::new());
        }
    }
    lines
}

/// Whether a word is no wider than that; of one that is, no more is looked at than it takes to know.
fn fits(word: &str, width: usize) -> bool {
    let mut used = 0;
    word.chars().all(|character| {
        used += character.encode_utf8(&mut [0; 4]).width();
        used <= width
    })
}

/// As much of a word as fits, up to a comma if there is one: the parts of a name stay whole.
fn split_at_width(word: &str, width: usize) -> (&str, &str) {
    let mut used = 0;
    let end = word.char_indices().find(|(_, character)| {
        used += character.encode_utf8(&mut [0; 4]).width();
        used > width
    });
    let (head, _) = word.split_at(end.map_or(word.len(), |(end, _)| end.max(1)));
    word.split_at(head.rfind(',').map_or(head.len(), |comma| comma + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::object::{NamedFields, NamedServer};
    use crate::inspect::status::ConditionReport;
    use crate::inspect::{CsrReport, PrivateKeyReport, State, StatusReport};
    use crate::name::Identity;

    #[test]
    fn text_is_wrapped_at_spaces_and_inside_long_words() {
        assert_eq!(wrap("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrap("ab cd", 4), ["ab", "cd"]);
        assert_eq!(wrap("abcdef", 4), ["abcd", "ef"]);
        assert_eq!(wrap("CN=a,O=b", 6), ["CN=a,", "O=b"]);
        assert_eq!(wrap("", 4), [""]);
    }

    fn shown(object: &Object) -> String {
        let text = render(
            object,
            Look {
                width: 50,
                fingerprints: true,
            },
        );
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn a_finding_is_told_within_the_width() {
        let finding = Finding::shared_factor(Some(&"word ".repeat(30)));
        let object = Object {
            findings: vec![finding],
            ..Object::default()
        };
        let text = shown(&object);
        assert!(text.lines().all(|line| line.len() <= 50), "{text}");
        assert!(text.lines().any(|line| line.len() > 44), "{text}");
    }

    #[test]
    fn values_stand_in_one_column_within_the_width() {
        let object = Object {
            signer_name: Some("word ".repeat(30)),
            ..Object::default()
        };
        let text = shown(&object);
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert!(lines[0].starts_with("  Signer       word"), "{text}");
        for line in &lines {
            assert!(line.len() <= 50 && line.get(15..).is_some(), "{line:?}");
        }
        assert!(lines[1].starts_with("               word"), "{text}");
    }

    #[test]
    fn it_says_who_the_holder_is_or_that_there_is_none() {
        let identity = Some(Identity {
            username: "alice".to_owned(),
            groups: vec!["dev".to_owned(), "on\u{202e}call".to_owned()],
            uid: None,
        });
        let holder = Object {
            identity,
            ..Object::default()
        };
        let expected = "  User         alice\n  Groups       dev, on\\u{202e}call\n";
        assert!(shown(&holder).ends_with(expected));
        let nobody = Object {
            csr: Some(CsrReport {
                subject: "O=dev".to_owned(),
                subject_alt_names: Vec::new(),
                extensions: vec!["keyUsage".to_owned()],
                signature_algorithm: "Ed25519".to_owned(),
                signature_valid: false,
            }),
            ..Object::default()
        };
        let expected = "  User         (none: it would not authenticate)\n  Subject      O=dev\n  \
                        Signature    Ed25519, NOT VALID\n  Extensions   keyUsage\n";
        assert!(shown(&nobody).ends_with(expected));
    }

    #[test]
    fn a_certificate_is_told_with_its_use() {
        let certificate = CertificateReport {
            subject: "CN=a".to_owned(),
            issuer: "CN=ca".to_owned(),
            serial: "0a".to_owned(),
            not_before: "then".to_owned(),
            not_after: "later".to_owned(),
            days_left: 2,
            credential_id: "X509SHA256=00".to_owned(),
            client_auth: true,
            is_ca: false,
        };
        let told = |client_auth, is_ca| {
            shown(&Object {
                certificate: Some(Box::new(CertificateReport {
                    client_auth,
                    is_ca,
                    ..certificate.clone()
                })),
                ..Object::default()
            })
        };
        let head = "  Certificate  CN=a\n  Issuer       CN=ca\n  Serial       0a\n  \
                    Valid        then to later (2 days left)\n  For          ";
        let id = "  Credential   X509SHA256=00\n";
        assert!(told(true, false).ends_with(&format!("{head}client authentication\n{id}")));
        let both = "not for clients, certificate\n               authority\n";
        assert!(told(false, true).ends_with(&format!("{head}{both}{id}")));
    }

    #[test]
    fn a_kubeconfig_is_told_without_what_it_holds() {
        let kubeconfig = KubeconfigReport {
            clusters: vec![NamedServer {
                name: "c".to_owned(),
                server: "https://c".to_owned(),
            }],
            users: vec![NamedFields {
                name: "u".to_owned(),
                fields: vec!["token".to_owned(), "exec".to_owned()],
            }],
            ..KubeconfigReport::default()
        };
        let object = Object {
            kubeconfig: Some(Box::new(kubeconfig)),
            ..Object::default()
        };
        let expected = "  Current      (no context is current)\n  Cluster      c: https://c\n  \
                        Holds        u: token, exec\n";
        assert!(shown(&object).ends_with(expected));
    }

    #[test]
    fn a_key_in_the_clear_is_told() {
        let key = |encrypted| Object {
            private_key: Some(PrivateKeyReport {
                encoding: "PKCS#8".to_owned(),
                encrypted,
            }),
            ..Object::default()
        };
        assert!(shown(&key(false)).ends_with("  Private key  PKCS#8, NOT encrypted\n"));
        assert!(shown(&key(true)).ends_with("  Private key  PKCS#8\n"));
    }

    #[test]
    fn the_prediction_is_a_sentence_in_a_colour() {
        let (red, yellow, green) = ("\u{1b}[31m", "\u{1b}[33m", "\u{1b}[32m");
        let misleads = Finding::not_a_request("Secret");
        for (accepted, issued, authenticates, findings, colour, said) in [
            (
                false,
                Some(false),
                false,
                &[][..],
                red,
                "the API server refuses it",
            ),
            (true, Some(false), false, &[], red, "not issued"),
            (true, None, false, &[], green, "another signer decides"),
            (true, Some(true), false, &[], green, "does not authenticate"),
            (true, Some(true), true, &[], green, "issued once approved"),
            (
                true,
                Some(true),
                true,
                &[misleads],
                yellow,
                "issued once approved",
            ),
        ] {
            let object = Object {
                kind: Some("CertificateSigningRequest".to_owned()),
                prediction: Some(Prediction {
                    accepted,
                    issued,
                    authenticates,
                }),
                findings: findings.to_vec(),
                ..Object::default()
            };
            let text = render(
                &object,
                Look {
                    width: 100,
                    fingerprints: true,
                },
            );
            let line = text
                .lines()
                .find(|line| line.contains("Prediction"))
                .unwrap();
            assert!(line.contains(colour) && line.contains(said), "{line:?}");
        }
    }

    #[test]
    fn lists_are_cut_after_twenty() {
        let names = |count| -> Vec<String> { (0..count).map(|n| n.to_string()).collect() };
        assert_eq!(items(&[]), "(none)");
        assert_eq!(items(&names(2)), "0, 1");
        assert!(items(&names(20)).ends_with("18, 19"));
        assert!(items(&names(22)).ends_with("18, 19 and 2 more"));
    }

    #[test]
    fn a_lifetime_is_shown_in_days_and_seconds() {
        assert_eq!(span(7_776_000), "90d (7776000 seconds)");
        assert_eq!(span(599), "599 seconds");
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(cut("short"), "short");
        assert!(cut(&"é".repeat(1000)).ends_with("... (1000 characters)"));
    }

    #[test]
    fn it_says_where_a_request_stands_and_who_decided_why() {
        let condition = ConditionReport {
            kind: "Denied".to_owned(),
            reason: "Unknown".to_owned(),
            message: "who is alice?".to_owned(),
        };
        let object = Object {
            status: Some(Box::new(StatusReport {
                state: State::Denied,
                conditions: vec![condition],
                certificate: None,
            })),
            ..Object::default()
        };
        let expected = "  Status       Denied\n  Denied       Unknown: who is alice?\n";
        assert!(shown(&object).ends_with(expected));
    }
}
