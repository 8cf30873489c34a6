//! What a request asks for, and what a file given with it has to say about that: a team's defaults, or
//! the request configuration that OpenSSL's `req` command reads, told apart by what is in them.

mod conf;
mod extension;
mod openssl;
mod subject;
mod team;

use std::fmt;

use crate::csr::RequestedExtension;
use crate::key::Algorithm;
use crate::lifetime::Lifetime;
use crate::text::visible;

/// The longest configuration that is read, in bytes.
pub const MAX_LEN: usize = 256 * 1024;

/// What a request asks for, as far as it was said: on the command line, in a configuration, in the row
/// of a roster, or by the certificate that is renewed. What is absent was not said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The user.
    pub user: Option<String>,
    /// The groups, in order.
    pub groups: Vec<String>,
    /// The kind of key.
    pub algorithm: Option<Algorithm>,
    /// The lifetime to ask for.
    pub expires_in: Option<Lifetime>,
    /// The signer to ask.
    pub signer: Option<String>,
    /// `metadata.name`.
    pub name: Option<String>,
}

impl Settings {
    /// These, and from `others` what these do not say.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            user: self.user.or(others.user),
            groups: if self.groups.is_empty() {
                others.groups
            } else {
                self.groups
            },
            algorithm: self.algorithm.or(others.algorithm),
            expires_in: self.expires_in.or(others.expires_in),
            signer: self.signer.or(others.signer),
            name: self.name.or(others.name),
        }
    }
}

/// What a configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestConfig {
    /// What it asks for.
    pub settings: Settings,
    /// The extensions that it would put into a request; each has a note that says what the signer
    /// makes of it.
    pub extensions: Vec<RequestedExtension>,
    /// What in the file does not mean what its author may think, in the order of the file.
    pub notes: Vec<Note>,
}

impl From<Settings> for RequestConfig {
    fn from(settings: Settings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }
}

/// Something that was read and is not used, or not as it seems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The line it is about, counted from 1.
    pub line: usize,
    /// The fact; may quote the file.
    pub text: String,
}

/// Why a file is not a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The line, counted from 1, where one is to blame.
    pub line: Option<usize>,
    /// The fact; may quote the file.
    pub problem: String,
}

impl ConfigError {
    fn at(line: usize, problem: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            problem: problem.into(),
        }
    }
}

/// `line 3: expected ...`, with what is not plainly visible escaped.
impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}", visible(&self.problem))
    }
}

/// `line 3: ...`, with what is not plainly visible escaped.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, visible(&self.text))
    }
}

/// Reads a configuration. It is OpenSSL's where the first line that is neither blank nor a comment
/// opens a section, sets `name = value` or includes a file, or where a line is `[ req ]`; else it is
/// a team's, in YAML.
///
/// # Errors
///
/// Whatever is not understood, and for an OpenSSL configuration: what OpenSSL refuses, what depends
/// on the environment or on another file, and passwords.
pub fn read(bytes: &[u8]) -> Result<RequestConfig, ConfigError> {
    if bytes.len() > MAX_LEN {
        let problem = format!("longer than {MAX_LEN} bytes");
        return Err(ConfigError {
            line: None,
            problem,
        });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes)
        .map_err(|error| ConfigError::at(line_of(bytes, error.valid_up_to()), "not UTF-8"))?;
    if let Some(at) = text.find('\0') {
        let line = line_of(bytes, at);
        return Err(ConfigError::at(line, "contains a NUL character"));
    }
    if is_openssl(text) {
        openssl::read(text)
    } else {
        team::read(text).map(RequestConfig::from)
    }
}

/// The number of the line that holds the byte at this position.
fn line_of(bytes: &[u8], position: usize) -> usize {
    1 + bytes.iter().take(position).filter(|b| **b == b'\n').count()
}

fn is_openssl(text: &str) -> bool {
    let is_req = |line: &str| {
        let inside = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        inside.is_some_and(|(name, _)| name.trim() == "req")
    };
    let first = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .unwrap_or_default();
    let sets = first
        .find(['=', ':', '{', '"', '\''])
        .and_then(|at| first.get(at..))
        .is_some_and(|rest| rest.starts_with('=') || rest.starts_with("::"));
    sets || first.starts_with(['[', '.']) || text.lines().any(is_req)
}

crate::text::show_escaped!(ConfigError, Note);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> RequestConfig {
        super::read(text.as_bytes()).unwrap()
    }

    fn error(text: &str) -> String {
        super::read(text.as_bytes()).unwrap_err().to_string()
    }

    fn notes(text: &str) -> Vec<String> {
        read(text).notes.iter().map(ToString::to_string).collect()
    }

    fn with_subject(lines: &str) -> String {
        format!("[req]\nprompt=no\ndistinguished_name=dn\n[dn]\n{lines}\n")
    }

    const HAND_MADE: &str = "[ req ]\ndefault_bits = 2048\nprompt = no\ndefault_md = sha256\n\
        distinguished_name = dn\n[ dn ]\nCN = alice\nO = developers\n[ v3_ext ]\n\
        authorityKeyIdentifier=keyid,issuer:always\nbasicConstraints=CA:FALSE\n\
        keyUsage=keyEncipherment,dataEncipherment\nextendedKeyUsage=serverAuth,clientAuth\n";

    #[test]
    fn the_file_of_the_hand_made_flow_gives_user_group_key_and_digest() {
        let expected = RequestConfig {
            settings: Settings {
                user: Some("alice".into()),
                groups: vec!["developers".into()],
                algorithm: Some(Algorithm::Rsa2048),
                ..Settings::default()
            },
            notes: vec![Note {
                line: 9,
                text: "[ v3_ext ] is not named by req_extensions: it is not part of the request, \
                    nor is it with OpenSSL"
                    .into(),
            }],
            ..RequestConfig::default()
        };
        assert_eq!(read(HAND_MADE), expected);
    }

    #[test]
    fn a_setting_that_is_not_used_is_told_with_its_reason() {
        let file = "[req]\nattributes = a\ndefault_keyfile = k\nx509_extensions = e\nother = o\n\
            prompt = no\ndistinguished_name = dn\n[dn]\nCN = alice\n";
        assert_eq!(
            notes(file),
            [
                "line 2: attributes is not used: Kubernetes does not read a request's attributes",
                "line 3: default_keyfile is not used: the key file is named after the user",
                "line 4: x509_extensions is for self-signed certificates: it says nothing about a \
                 request",
                "line 5: other is not read, by OpenSSL neither",
            ]
        );
    }

    #[test]
    fn an_extension_in_der_is_left_as_it_is() {
        let file = HAND_MADE.replacen("default_md", "req_extensions = v3_ext\ndefault_md", 1)
            + "keyUsage = DER:03020780\nextendedKeyUsage = ASN1:NULL\n";
        let notes = notes(&file);
        let last = &notes[notes.len() - 2..];
        assert!(
            last[0].starts_with("line 15: keyUsage is left out"),
            "{last:?}"
        );
        assert!(
            last[1].starts_with("line 16: extendedKeyUsage is left out"),
            "{last:?}"
        );
    }

    #[test]
    fn a_file_is_read_up_to_its_longest() {
        let blank = |len| super::read(&vec![b'\n'; len]);
        assert_eq!(blank(MAX_LEN), Ok(RequestConfig::default()));
        assert!(blank(MAX_LEN + 1).is_err());
    }

    #[test]
    fn named_extensions_are_read_with_what_becomes_of_them() {
        let file = HAND_MADE.replacen("default_md", "req_extensions = v3_ext\ndefault_md", 1)
            + "subjectAltName = critical,DNS:a.example, IP:::1\nextendedKeyUsage=clientAuth,1.2.3\n";
        assert_eq!(
            notes(&file),
            [
                "line 11: authorityKeyIdentifier is left out: the signer would drop it",
                "line 12: basicConstraints = CA:FALSE is left out without --with-extensions: the signer \
                 writes CA:FALSE whatever is asked",
                "line 13: keyUsage = keyEncipherment, dataEncipherment is left out without --with-extensions: the signer goes by spec.usages instead",
                "line 14: extendedKeyUsage is set again on line 16, and only that counts",
                "line 15: subjectAltName = critical, DNS:a.example, IP:::1 is left out without --with-extensions: the signer would copy it, and Kubernetes does not look at it",
                "line 16: extendedKeyUsage = clientAuth, 1.2.3 is left out without --with-extensions: the \
                 signer goes by spec.usages instead",
            ]
        );
        let critical: Vec<bool> = read(&file).extensions.iter().map(|e| e.critical).collect();
        assert_eq!(critical, [false, false, true, false]);
    }

    #[test]
    fn the_format_is_told_by_the_content() {
        for text in [
            "[req]\n",
            "\n# comment\n  [ req ] # another\n",
            "prompt = no\n[ req ]\n",
            "a::b = c: d\n[req]\n",
            ".pragma = a:b\n[req]\n",
            "\u{feff}[req]\r\n",
        ] {
            assert!(is_openssl(text.trim_start_matches('\u{feff}')), "{text}");
            assert_eq!(read(text).settings.user, None);
        }
        for text in [
            "user: alice",
            "---\nuser: alice\n",
            "# [ req ]\nuser: alice # = x",
            "user: a = b",
            "{user: alice}",
            "{\"user\": \"alice\", \"signer\": \"a=b\"}",
            "\"user\": a=b",
            "groups:\n  [ req, dev ]\n",
        ] {
            assert!(!is_openssl(text), "{text}");
        }
    }

    #[test]
    fn what_is_said_first_counts_and_what_is_not_said_is_taken_from_the_next() {
        let all = Settings {
            user: Some("alice".into()),
            groups: vec!["dev".into(), "ops".into()],
            algorithm: Some(Algorithm::EcdsaP256),
            expires_in: "90d".parse().ok(),
            signer: Some("example.com/people".into()),
            name: Some("alice-1".into()),
        };
        let other = Settings {
            user: Some("bob".into()),
            groups: vec!["oncall".into()],
            algorithm: Some(Algorithm::Rsa2048),
            expires_in: "1d".parse().ok(),
            signer: Some("example.com/robots".into()),
            name: Some("bob-1".into()),
        };
        assert_eq!(all.clone().or(other), all);
        assert_eq!(Settings::default().or(all.clone()), all);
    }

    #[test]
    fn a_team_sets_what_the_command_line_sets() {
        let expected = Settings {
            user: Some("alice".into()),
            groups: vec!["dev".into(), "ops".into()],
            algorithm: Some(Algorithm::EcdsaP256),
            expires_in: "90d".parse().ok(),
            signer: Some("example.com/people".into()),
            name: Some("alice-1".into()),
        };
        let file = "user: alice\ngroups: [dev, ops]\nalgorithm: ecdsa-p256\nexpiresIn: 90d\n\
            signer: example.com/people\nname: alice-1\n";
        assert_eq!(read(file).settings, expected);
        assert_eq!(read("group: dev").settings.groups, ["dev"]);
        assert_eq!(
            read("group: [dev]\nexpiresIn: 7776000").settings.expires_in,
            expected.expires_in
        );
        assert_eq!(read("user: no").settings.user.as_deref(), Some("no"));
        for empty in ["", "# nothing\n\n", "{}"] {
            assert_eq!(read(empty), RequestConfig::default(), "{empty:?}");
        }
    }

    #[test]
    fn a_misspelt_default_is_an_error_with_its_line() {
        for (text, line, part) in [
            (
                "user: alice\ngruop: dev\n",
                2,
                "unknown field, expected user, group",
            ),
            (
                "user: alice\ngroup: 7\n",
                2,
                "expected a group or a list of groups",
            ),
            ("user: alice\ngroups: [dev, 7]\n", 2, "expected a string"),
            ("user: 7\n", 1, "expected a string"),
            ("algorithm: rsa-1024\n", 1, "expected one of rsa-4096"),
            ("algorithm: 4096\n", 1, "expected a string"),
            ("user: true\n", 1, "expected a string"),
            ("group: a\ngroups: b\n", 1, "a field is there twice"),
            (
                "user: alice\nexpiresIn: 5m\n",
                2,
                "expected 600 to 2147483647 seconds",
            ),
            ("expiresIn: soon\n", 1, "expected a lifetime such as 90d"),
            ("expiresIn: -1\n", 1, "expected a lifetime"),
            ("user: [\n", 1, "expected a string"),
            ("user: \"alice\n", 2, "not the defaults of a team"),
            ("just words\n", 1, "not the defaults of a team"),
        ] {
            let error = super::read(text.as_bytes()).unwrap_err();
            assert_eq!(error.line, Some(line), "{error}");
            assert!(error.problem.contains(part), "{error}");
        }
        let expected =
            "line 1: unknown field, expected user, group, algorithm, expiresIn, signer or name";
        assert_eq!(error("usr: alice"), expected);
    }

    #[test]
    fn what_has_no_effect_is_noted_with_its_line() {
        for (lines, expected) in [
            (
                "CN=alice\nO=dev\nO=ops",
                "line 6: O is set again on line 7, and only that counts; write several as 0.O, 1.O",
            ),
            (
                "CN=alice\nOU=x",
                "line 6: OU is left out: Kubernetes reads only CN and O",
            ),
            (
                "0.CN=alice\n1.CN=bob",
                "line 6: replaces the earlier CN alice: Kubernetes reads the last",
            ),
            (
                "CN=Zoë",
                "line 5: CN is taken as UTF-8; OpenSSL does so only with utf8 = yes",
            ),
            (
                "[req]\ndefault_md=sha512",
                "line 6: default_md is not used: the digest is SHA-256, or SHA-384 with a P-384 key",
            ),
            (
                "[req]\nencrypt_key=no",
                "line 6: encrypt_key is not used: the passphrase options decide",
            ),
            (
                "[req]\nstring_mask=nombstr",
                "line 6: string_mask is not used: names are written as UTF8String",
            ),
            (
                "[req]\npromt=no",
                "line 6: promt is not read, by OpenSSL neither",
            ),
            (
                "[v3]\nsubjectAltName=email:copy\n[req]\nreq_extensions=v3",
                "line 6: the alternative name email:copy is left out",
            ),
        ] {
            assert_eq!(notes(&with_subject(lines)), [expected]);
        }
        assert_eq!(
            notes("[req]\ndistinguished_name=dn\n[dn]\nCN=alice\nO=Group\nO_default=dev"),
            ["line 4: CN is a question (prompt is not `no`) without CN_default"]
        );
        let quiet = "[req]\nprompt=no\nutf8=yes\nstring_mask=utf8only\ndefault_md=default\n";
        assert_eq!(notes(quiet), [""; 0]);
    }

    #[test]
    fn an_error_names_its_line_and_both_sides() {
        for (file, expected) in [
            (
                with_subject("CN=alice\n.include /etc/ssl/openssl.cnf"),
                "line 6: reads another file (.include), which is not done: put its lines here",
            ),
            (
                with_subject("who=$ENV::USER\nCN=$who"),
                "line 5: expected an attribute such as CN, O or OU, in these letters; found who",
            ),
            (
                with_subject("CN=$ENV::USER"),
                "line 5: CN takes its value from the environment ($ENV::USER), which is not read",
            ),
            (
                with_subject("cn=alice"),
                "line 5: expected an attribute such as CN, O or OU, in these letters; found cn",
            ),
            (
                with_subject("CN=$you"),
                "line 5: the variable you has no value here",
            ),
            (
                with_subject("CN=${you"),
                "line 5: the variable you has no closing }",
            ),
            (
                with_subject("CN=alice\n[v3"),
                "line 6: the section name has no closing ]",
            ),
            (
                with_subject("CN=alice\n; comment"),
                "line 6: expected `name = value`, `[ section ]` or a comment that starts with #",
            ),
            (
                "default_bits 2048\n[req]".into(),
                "line 1: expected `name = value`, `[ section ]` or a comment that starts with #",
            ),
            (
                with_subject("CN=a\\\nb\n[req]\noutput_password=x"),
                "line 8: output_password is a passphrase in a file that others read",
            ),
            (
                "[req]\ndistinguished_name=dn\n[dn]\nCN=x\nCN_default=alice\nCN_max=4".into(),
                "line 4: expected at most 4 bytes (CN_max), found 5",
            ),
            (
                "[req]\ndistinguished_name=dn\n[dn]\nCN=x\nCN_default=alice\nCN_min=8".into(),
                "line 4: expected at least 8 bytes (CN_min), found 5",
            ),
            (
                "[req]\nreq_extensions=x\n[x]\nsubjectAltName=DNS:".into(),
                "line 4: subjectAltName has an empty value",
            ),
            (
                "input_password=x\n[req]\n".into(),
                "line 1: input_password is a passphrase in a file that others read",
            ),
            (with_subject("CN=\nO=dev"), "line 5: CN is empty"),
            (
                "[req]\ndefault_bits=many".into(),
                "line 2: expected 2048, 3072 or 4096 for default_bits, found many",
            ),
            (
                "[req]\ndistinguished_name=x".into(),
                "line 2: distinguished_name is [ x ], which is not there",
            ),
            (
                "[req]\nreq_extensions=x".into(),
                "line 2: req_extensions is [ x ], which is not there",
            ),
            (
                "[req]\nreq_extensions=x\n[x]\nkeyUsage=clientAuth".into(),
                "line 4: expected a key usage such as digitalSignature, found clientAuth",
            ),
            (
                "[req]\nreq_extensions=x\n[x]\nsubjectAltName=IP:1.2.3".into(),
                "line 4: expected an alternative name (DNS, IP, email or URI) in ASCII, found IP:1.2.3",
            ),
            ("[dn]\nCN=alice".into(), "no section [ req ]"),
            ("[req]\n\0".into(), "line 2: contains a NUL character"),
        ] {
            assert_eq!(error(&file), expected, "{file}");
        }
        let binary = super::read(b"[req]\n\n\xff").unwrap_err();
        assert_eq!(binary.to_string(), "line 3: not UTF-8");
    }

    #[test]
    fn an_unused_setting_may_depend_on_the_environment() {
        let file = format!(
            "HOME=.\nRANDFILE=$ENV::HOME/.rnd\n{}",
            with_subject("CN=alice")
        );
        assert_eq!(read(&file).settings.user.as_deref(), Some("alice"));
    }

    #[test]
    fn variables_cannot_grow_without_bound() {
        let doubling = |times: usize| {
            let lines: Vec<String> = (0..times).map(|n| format!("{n}.OU=${{n{n}}}")).collect();
            let values: Vec<String> = (0..times)
                .map(|n| format!("n{}=$n{n}$n{n}\n", n + 1))
                .collect();
            format!(
                "n0=aaaaaaaa\n{}{}",
                values.concat(),
                with_subject(&lines.join("\n"))
            )
        };
        assert_eq!(
            error(&doubling(20)),
            "line 15: the value is longer than 65536 bytes"
        );
        let many = format!("a={}\n{}", "a".repeat(60_000), "b=$a\n".repeat(20));
        assert_eq!(
            error(&format!("{many}[req]\n")),
            "line 18: the values are longer than 1048576 bytes together"
        );
        let long = vec![b'#'; MAX_LEN + 1];
        assert!(super::read(&long).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = super::read(&bytes);
        }

        #[test]
        fn no_text_makes_it_panic(text in "([\\[\\]=:$@#'\"\\\\{}(), \n.+]|CN|O|req|dn|v3|DNS|IP|CA|keyUsage|subjectAltName|é|[a-z]){0,80}") {
            let subject = with_subject(&text);
            let extensions = format!("[req]\nreq_extensions=v3\n[v3]\n{text}");
            for file in [text, subject, extensions] {
                let _ = super::read(file.as_bytes());
            }
        }
    }
}
