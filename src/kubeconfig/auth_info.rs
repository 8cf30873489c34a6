//! How each user of a kubeconfig proves who it is (k8s.io/client-go/tools/clientcmd/api `AuthInfo`).

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::assemble::EXTENSION;
use super::{ExecEntry, Kubeconfig, text};
use crate::certificate::{Certificate, Chain};
use crate::key::{EncodedKey, Fingerprint};
use crate::pem;
use crate::text::{Show as _, Text};

/// A user entry, with the certificate and key that it has or names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthInfo<'a> {
    /// The name of the entry.
    pub name: &'a str,
    /// The certificate.
    pub certificate: Option<Held<'a>>,
    /// The private key.
    pub key: Option<Held<'a>>,
    /// How kubectl gets both, where that is by `kube-enroll credential`.
    pub exec: Option<ExecEntry<&'a str>>,
    /// The fingerprint of the key that this program marked the entry with.
    pub mark: Option<&'a str>,
    /// Whether this program made the entry.
    pub is_ours: bool,
}

/// Where a certificate or key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held<'a> {
    /// In the kubeconfig, in base64.
    Data(&'a str),
    /// In a file, which lies in or below the folder of the kubeconfig if its path is not absolute
    /// (clientcmd `ResolveLocalPaths`).
    File(&'a str),
    /// In a file that an argument names.
    Argument(&'a str),
}

const NOT_PEM: &str = "it is DER, and clients of Kubernetes read PEM alone";

impl Held<'_> {
    /// The file, of a kubeconfig in this folder.
    #[must_use]
    pub fn path(&self, folder: &Path) -> Option<PathBuf> {
        match self {
            Self::Data(_) => None,
            Self::File(path) => Some(folder.join(path)),
            Self::Argument(path) => Some(PathBuf::from(path)),
        }
    }

    /// The certificates in what it holds or names. Clients read PEM alone, and this program DER as well.
    ///
    /// # Errors
    /// Why there are none, in words.
    pub fn chain(&self, contents: &[u8]) -> Result<Chain, Text> {
        let error = match Chain::from_pem(contents) {
            Ok(chain) => return Ok(chain),
            Err(error) => error,
        };
        match Certificate::from_der(contents) {
            Ok(certificate) if self.is_served() => Ok(certificate.into()),
            Ok(_) => Err(NOT_PEM.into()),
            Err(_) => Err(error.show()),
        }
    }

    /// What can be seen of the private key in what it holds or names.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub fn key(&self, contents: &[u8]) -> Result<EncodedKey, Text> {
        let key = EncodedKey::find(contents).map_err(|error| error.show())?;
        if key.is_pem() || self.is_served() {
            Ok(key)
        } else {
            Err(NOT_PEM.into())
        }
    }

    /// Whether it is this program that reads it for the clients.
    fn is_served(&self) -> bool {
        matches!(self, Self::Argument(_))
    }

    /// What is in the kubeconfig; nothing where it is not base64.
    #[must_use]
    pub fn data(&self) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Data(base64) => pem::decode_base64(base64.as_bytes()).ok(),
            Self::File(_) | Self::Argument(_) => None,
        }
    }
}

impl Kubeconfig {
    /// Every user entry.
    pub fn auth_infos(&self) -> impl Iterator<Item = AuthInfo<'_>> {
        let users = self.entries("users", "user");
        users.map(|(name, body)| AuthInfo::read(name, body))
    }

    /// The keys of all user entries that this program made.
    #[must_use]
    pub fn fingerprints(&self) -> HashSet<Fingerprint> {
        let marks = self.auth_infos().filter_map(|user| user.mark);
        marks.filter_map(|mark| mark.parse().ok()).collect()
    }
}

impl<'a> AuthInfo<'a> {
    fn read(name: &'a str, body: Option<&'a Map<String, Value>>) -> Self {
        let field = |name| body.map_or("", |body| text(body, name));
        // Data takes the place of a file (client-go `rest.LoadTLSFiles`).
        let held = |data, file| match (field(data), field(file)) {
            ("", "") => None,
            ("", file) => Some(Held::File(file)),
            (data, _) => Some(Held::Data(data)),
        };
        let mark = body.and_then(our_mark);
        let exec = body.and_then(|body| ExecEntry::read(body, mark.is_some()));
        let runs_another = exec.is_none() && body.is_some_and(|body| body.contains_key("exec"));
        let (certificate, key) = match &exec {
            Some(exec) => (
                exec.certificate.map(Held::Argument),
                exec.key.map(Held::Argument),
            ),
            None => (
                held("client-certificate-data", "client-certificate"),
                held("client-key-data", "client-key"),
            ),
        };
        Self {
            name,
            certificate,
            key,
            mark: mark.and_then(|mark| mark.pointer("/extension/fingerprint")?.as_str()),
            // What was made something else since is not ours to replace.
            is_ours: exec.is_some() || mark.is_some() && !runs_another,
            exec,
        }
    }
}

fn our_mark(user: &Map<String, Value>) -> Option<&Value> {
    let extensions = user.get("extensions").and_then(Value::as_array);
    let mut extensions = extensions.into_iter().flatten();
    extensions.find(|extension| extension.get("name") == Some(&EXTENSION.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "
users:
- {name: data, user: {client-certificate-data: YQ==, client-certificate: x, client-key: /k}}
- {name: files, user: {client-certificate: c, client-key: d/k}}
- name: exec
  user:
    exec: {command: /opt/kube-enroll, args: [credential, --certificate, c, --key=/k]}
- {name: token, user: {token: t}}
- name: theirs
  user: {exec: {command: aws, args: [credential, --certificate, /c]}}
- name: other
  user: {exec: {command: kube-enroll, args: [version, --certificate, /c]}}
- name: marked
  user: {extensions: [{name: kube-enroll, extension: {}}]}
- name: script
  user:
    exec: {command: /opt/wrap.sh, args: [credential, --certificate, c, --key, k]}
    extensions: [{name: kube-enroll, extension: {}}]
- name: plugin
  user:
    exec: {command: kubectl, args: [enroll, credential, --certificate, c, --key, k]}
    extensions: [{name: kube-enroll, extension: {}}]
- {name: nothing}
";

    #[test]
    fn certificate_and_key_are_found_in_every_style() {
        let kubeconfig = Kubeconfig::read(CONFIG.as_bytes()).unwrap();
        let (data, file, argument) = (Held::Data, Held::File, Held::Argument);
        let expected = [
            ("data", Some(data("YQ==")), Some(file("/k")), None, false),
            ("files", Some(file("c")), Some(file("d/k")), None, false),
            (
                "exec",
                Some(argument("c")),
                Some(argument("/k")),
                Some("/opt/kube-enroll"),
                true,
            ),
            ("token", None, None, None, false),
            ("theirs", None, None, None, false),
            ("other", None, None, None, false),
            ("marked", None, None, None, true),
            (
                "script",
                Some(argument("c")),
                Some(argument("k")),
                Some("/opt/wrap.sh"),
                true,
            ),
            (
                "plugin",
                Some(argument("c")),
                Some(argument("k")),
                Some("kubectl"),
                true,
            ),
            ("nothing", None, None, None, false),
        ];
        let found: Vec<_> = kubeconfig
            .auth_infos()
            .map(|it| {
                let command = it.exec.map(|exec| exec.command);
                (it.name, it.certificate, it.key, command, it.is_ours)
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn files_lie_beside_the_kubeconfig_and_arguments_are_taken_as_they_are() {
        let folder = Path::new("/home/alice");
        for (held, path) in [
            (Held::File("c"), Some("/home/alice/c")),
            (Held::File("/c"), Some("/c")),
            (Held::Argument("c"), Some("c")),
            (Held::Data("YQ=="), None),
        ] {
            assert_eq!(held.path(folder), path.map(PathBuf::from));
        }
        assert_eq!(Held::Data("YQ==").data().unwrap()[..], *b"a");
        assert_eq!(Held::Data("-").data(), None);
    }
}
