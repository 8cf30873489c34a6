//! A cluster's address: the only part of an admin's kubeconfig that leaves it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization as _;

use super::text;
use crate::certificate::{self, Certificate};
use crate::looks::{Look, look};
use crate::pem;
use crate::text::Show as _;

/// What `kubectl config view` writes in place of data
/// (k8s.io/client-go/tools/clientcmd/api `ShortenConfig`, `redactedBytes`).
const PLACEHOLDERS: [&str; 2] = ["DATA+OMITTED", "REDACTED"];

/// How to reach an API server. Users, tokens and keys have no place here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The name of the entry.
    pub name: String,
    /// `server`.
    pub server: String,
    /// `certificate-authority-data` or `certificate-authority`.
    pub authority: Authority,
    /// `tls-server-name`.
    pub tls_server_name: Option<String>,
    /// `proxy-url`.
    pub proxy_url: Option<String>,
    /// `insecure-skip-tls-verify`, which is told and never taken over.
    pub insecure: bool,
}

/// The certificate authority of the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// None is given: the system's.
    None,
    /// A file, relative to the kubeconfig.
    File(String),
    /// PEM, certificates alone: see [`Authority::from_pem`].
    Data(Vec<u8>),
    /// `DATA+OMITTED` or `REDACTED`: kubectl left it out.
    LeftOut,
    /// Neither base64 of certificates nor a placeholder.
    Broken(BrokenAuthority),
}

/// What stands in place of the base64 of certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenAuthority {
    /// PEM as it is.
    Pem,
    /// The path of a file.
    Path,
    /// Something that is not base64, from this byte on.
    NotBase64(usize),
    /// Base64 of something else.
    NoCertificate(Look),
    /// A file of something else.
    File(Look),
}

impl fmt::Display for BrokenAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem => f.write_str(
                "certificate-authority-data is PEM, and has to be base64 of it (base64 -w0)",
            ),
            Self::Path => f.write_str(
                "certificate-authority-data is a path; a file is named with certificate-authority",
            ),
            Self::NotBase64(offset) => write!(
                f,
                "certificate-authority-data is not base64 from byte {offset} on"
            ),
            Self::NoCertificate(look) => write!(
                f,
                "certificate-authority-data is base64 of something that is no certificate: {}",
                look.show()
            ),
            Self::File(look) => write!(f, "its file holds no certificate: {}", look.show()),
        }
    }
}

/// Why kubectl could not use a cluster entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClusterProblem {
    /// There is no server.
    #[error("cluster \"{0}\" has no server")]
    NoServer(String),
    /// Without https, client-go sends no credentials.
    #[error("server is \"{0}\", expected https://HOST:PORT")]
    NotHttps(String),
    /// It has a blank or a place that was not filled in.
    #[error("server is \"{0}\", which is no URL: {1}")]
    NoUrl(String, &'static str),
    /// The proxy is not one that client-go knows.
    #[error("proxy-url is \"{0}\", expected http://, https:// or socks5://")]
    BadProxy(String),
    /// There is no certificate authority.
    #[error("cluster \"{0}\" has no certificate authority")]
    NoAuthority(String),
    /// The data was left out by `kubectl config view`.
    #[error("the certificate authority of cluster \"{0}\" was left out by kubectl config view")]
    LeftOut(String),
    /// The data is no certificate.
    #[error("the certificate authority of cluster \"{0}\" cannot be read: {1}")]
    BadAuthority(String, BrokenAuthority),
}

impl Cluster {
    /// A cluster given by its parts, the authority in PEM; [`Cluster::check`] looks at them.
    #[must_use]
    pub fn new(name: &str, server: &str, authority: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            server: server.to_owned(),
            authority: Authority::from_pem(authority),
            tls_server_name: None,
            proxy_url: None,
            insecure: false,
        }
    }

    pub(super) fn read(name: &str, cluster: Option<&Map<String, Value>>) -> Self {
        let field = |field| cluster.map_or("", |cluster| text(cluster, field));
        let optional = |name| Some(field(name)).filter(|text| !text.is_empty());
        Self {
            name: name.to_owned(),
            server: field("server").to_owned(),
            authority: Authority::read(
                field("certificate-authority-data"),
                field("certificate-authority"),
            ),
            tls_server_name: optional("tls-server-name").map(str::to_owned),
            proxy_url: optional("proxy-url").map(str::to_owned),
            insecure: cluster
                .and_then(|cluster| cluster.get("insecure-skip-tls-verify"))
                .and_then(Value::as_bool)
                .unwrap_or_default(),
        }
    }

    /// Checks what kubectl would stumble over, the certificate authority last.
    ///
    /// # Errors
    /// The first [`ClusterProblem`].
    pub fn check(&self) -> Result<(), ClusterProblem> {
        self.check_address()?;
        let name = || self.name.clone();
        match &self.authority {
            Authority::None => Err(ClusterProblem::NoAuthority(name())),
            Authority::LeftOut => Err(ClusterProblem::LeftOut(name())),
            Authority::Data(pem) if Certificate::all_from_pem(pem).is_ok() => Ok(()),
            Authority::File(_) => Ok(()),
            Authority::Data(pem) => Err(ClusterProblem::BadAuthority(
                name(),
                BrokenAuthority::NoCertificate(look(pem)),
            )),
            Authority::Broken(broken) => Err(ClusterProblem::BadAuthority(name(), *broken)),
        }
    }

    /// Where it is and how it is reached: all that its holder sends its requests to.
    #[must_use]
    pub fn way(&self) -> crate::text::Text {
        let shown = self.without_secrets();
        let label = |text: &str| crate::text::Label::from(text);
        let proxy = shown
            .proxy_url
            .as_deref()
            .map_or(crate::text::Text::default(), |proxy| {
                crate::text!(", through the proxy {}", label(proxy))
            });
        let name = shown.tls_server_name.as_deref();
        let name = name.map_or(crate::text::Text::default(), |name| {
            crate::text!(", with a certificate for {}", label(name))
        });
        crate::text!("{}{}{}", label(&shown.server), proxy, name)
    }

    /// k8s.io/client-go/tools/clientcmd `validateClusterInfo`, rest `IsConfigTransportTLS`.
    fn check_address(&self) -> Result<(), ClusterProblem> {
        if self.server.is_empty() {
            return Err(ClusterProblem::NoServer(self.name.clone()));
        }
        // A scheme is the same in upper case (RFC 3986 section 3.1).
        let (scheme, host) = self.server.split_once("://").unwrap_or_default();
        if !scheme.trim_start().eq_ignore_ascii_case("https")
            || host.is_empty()
            || host.starts_with('/')
        {
            return Err(ClusterProblem::NotHttps(without_secrets(&self.server)));
        }
        let no_url = |why| Err(ClusterProblem::NoUrl(without_secrets(&self.server), why));
        if host.contains(['<', '>', '{', '}', '$']) {
            return no_url("there is a place in it that nobody filled in");
        }
        if self
            .server
            .contains(|c: char| c.is_whitespace() || c.is_control())
        {
            return no_url("there is a blank in it");
        }
        if host.contains("://") {
            return no_url("there are two schemes in it");
        }
        let authority = host.split(['/', '?', '#']).next().unwrap_or_default();
        let authority = authority.rsplit('@').next().unwrap_or_default();
        let (name, port) = match authority.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, Some(port)),
            _ => (authority, None),
        };
        if name.is_empty() {
            return no_url("there is no host in it");
        }
        // Go takes it for no character of ASCII there (net/url).
        if name.contains('%') && !name.starts_with('[') {
            return no_url("there is a % in its host");
        }
        if port.is_some_and(|port| !port.is_empty() && port.parse::<u16>().is_err()) {
            return no_url("its port is no number from 1 to 65535");
        }
        match &self.proxy_url {
            Some(url)
                if !["http://", "https://", "socks5://"]
                    .iter()
                    .any(|s| url.starts_with(s)) =>
            {
                Err(ClusterProblem::BadProxy(without_secrets(url)))
            }
            _ => Ok(()),
        }
    }

    /// Whether the other one is at the same address, however it is written.
    #[must_use]
    pub fn is_same_server(&self, other: &Self) -> bool {
        same_server(&self.server, &other.server)
    }

    /// Whether the addresses of server or proxy have parts that may be secret: a user or password, a
    /// query or a fragment.
    #[must_use]
    pub fn has_secrets(&self) -> bool {
        self.without_secrets() != *self
    }

    /// The same without user and password in front of the hosts (RFC 3986 section 3.2.1), and without
    /// queries and fragments (sections 3.4 and 3.5).
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        Self {
            server: without_secrets(&self.server),
            proxy_url: self.proxy_url.as_deref().map(without_secrets),
            ..self.clone()
        }
    }

    /// Whether the server is an address that means another machine everywhere else: loopback, or
    /// unspecified.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_local(&self.server)
    }

    /// The same of the proxy.
    #[must_use]
    pub fn has_local_proxy(&self) -> bool {
        self.proxy_url.as_deref().is_some_and(is_local)
    }

    /// The entry for `clusters`, with nothing but the address.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut cluster = json!({"server": self.server});
        let mut set = |field: &str, text: Option<String>| {
            if let (Some(text), Some(cluster)) = (text, cluster.as_object_mut()) {
                cluster.insert(field.to_owned(), text.into());
            }
        };
        match &self.authority {
            Authority::Data(pem) => {
                set(
                    "certificate-authority-data",
                    Some(BASE64_STANDARD.encode(pem)),
                );
            }
            Authority::File(path) => set("certificate-authority", Some(path.clone())),
            _ => {}
        }
        set("tls-server-name", self.tls_server_name.clone());
        set("proxy-url", self.proxy_url.clone());
        json!({"name": self.name, "cluster": cluster})
    }
}

/// Names of the machine itself; the last ones Docker, Podman and Lima give to the one they run on.
const LOCAL: [&str; 8] = [
    "localhost",
    "ip6-localhost",
    "ip6-loopback",
    "localhost.localdomain",
    // Names of the cluster for its own pods.
    "kubernetes.default.svc",
    "docker.internal",
    "containers.internal",
    "lima.internal",
];

/// Whether the host of an address is this machine wherever it is read.
fn is_local(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest.get(..end).unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(literal) => literal.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    // The zone of an address is a matter of the machine that it is used on.
    let host = host.split('%').next().unwrap_or_default();
    // As names of hosts are mapped before they are looked up (UTS #46): digits of full width, other stops.
    let host: String = host.nfkc().collect::<String>().replace('\u{3002}', ".");
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_local = |address: IpAddr| {
        let address = address.to_canonical();
        let is_link_local = match address {
            IpAddr::V4(address) => address.is_link_local(),
            IpAddr::V6(address) => address.is_unicast_link_local(),
        };
        address.is_loopback() || address.is_unspecified() || is_link_local
    };
    let is_within = |name: &&str| {
        let rest = host.strip_suffix(*name);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    LOCAL.iter().any(is_within)
        || host.ends_with(".svc.cluster.local")
        || inet_aton(&host).is_some_and(|address| is_local(address.into()))
        || host.parse().is_ok_and(is_local)
}

/// An address as `inet_aton(3)` reads it: one to four numbers, decimal, octal or hexadecimal, of which the
/// last fills all bytes that are left.
fn inet_aton(host: &str) -> Option<Ipv4Addr> {
    let number = |digits: &str| {
        let (digits, radix) = match digits.strip_prefix("0x") {
            Some(rest) => (rest, 16),
            None if digits.len() > 1 && digits.starts_with('0') => (digits, 8),
            None => (digits, 10),
        };
        let is_digit = |c: char| c.is_digit(radix);
        let is_number = digits.chars().all(is_digit);
        u32::from_str_radix(digits, radix)
            .ok()
            .filter(|_| is_number)
    };
    let numbers: Option<Vec<u32>> = host.split('.').map(number).collect();
    let numbers = numbers.filter(|numbers| numbers.len() <= 4)?;
    let (last, first) = numbers.split_last()?;
    let left = 8 * (4 - u32::try_from(first.len()).ok()?);
    let mut address = u64::from(*last);
    let fits = address < 1 << left && first.iter().all(|byte| *byte < 256);
    for (byte, shift) in first.iter().zip([24, 16, 8]) {
        address |= u64::from(*byte) << shift;
    }
    Some(Ipv4Addr::from_bits(u32::try_from(address).ok()?)).filter(|_| fits)
}

/// Scheme and host are the same in upper case; port 443 and the path / need not be written.
pub(super) fn same_server(a: &str, b: &str) -> bool {
    let parts = |url: &str| {
        let (scheme, rest) = url.trim().split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        let host = host.to_ascii_lowercase();
        let host = host.strip_suffix(":443").unwrap_or(&host).to_owned();
        let path = path.trim_end_matches('/').to_owned();
        Some((scheme.to_ascii_lowercase(), host, path))
    };
    a == b || parts(a).is_some_and(|a| Some(a) == parts(b))
}

/// An address without user and password, query and fragment. client-go sends none of the last two
/// (rest `NewRESTClient`).
pub(super) fn without_secrets(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, url),
    };
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let rest = rest.get(..end).unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    match scheme {
        Some(scheme) => format!("{scheme}://{host}{path}"),
        None => format!("{host}{path}"),
    }
}

impl Authority {
    /// The certificates of a file, and nothing else that may stand in it: notes, or the key of the
    /// authority (crypto/x509 `AppendCertsFromPEM` passes over the same).
    #[must_use]
    pub fn from_pem(pem: &[u8]) -> Self {
        let blocks = pem::blocks(pem);
        let certificates: String = blocks
            .filter(|block| block.label == certificate::PEM_LABEL && block.headers.is_empty())
            .map(|block| pem::encode(certificate::PEM_LABEL, &block.contents))
            .collect();
        if certificates.is_empty() {
            Self::Broken(BrokenAuthority::File(look(pem)))
        } else {
            Self::Data(certificates.into_bytes())
        }
    }

    fn from_base64(data: &str) -> Self {
        match pem::decode_base64(data.as_bytes()) {
            Ok(pem) => match Self::from_pem(&pem) {
                Self::Broken(BrokenAuthority::File(look)) => {
                    Self::Broken(BrokenAuthority::NoCertificate(look))
                }
                found => found,
            },
            Err(_) if data.contains("-----BEGIN") => Self::Broken(BrokenAuthority::Pem),
            Err(_) if is_path(data) => Self::Broken(BrokenAuthority::Path),
            Err(offset) => Self::Broken(BrokenAuthority::NotBase64(offset)),
        }
    }

    fn read(data: &str, file: &str) -> Self {
        if PLACEHOLDERS.contains(&data) {
            Self::LeftOut
        } else if !data.is_empty() {
            Self::from_base64(data)
        } else if !file.is_empty() {
            Self::File(file.to_owned())
        } else {
            Self::None
        }
    }
}

/// Whether it is written like the path of a file.
fn is_path(text: &str) -> bool {
    const ENDINGS: [&str; 4] = [".crt", ".pem", ".cer", ".der"];
    let text = text.trim();
    text.starts_with(['/', '~', '.'])
        || text.get(1..3) == Some(":\\")
        || ENDINGS.iter().any(|ending| text.ends_with(ending))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::rehearsal;
    use serde_json::json;

    /// A certificate authority's own, another one each time.
    pub(crate) fn certificate() -> String {
        let now = time::OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000);
        let authority = rehearsal::Authority::new(now, &mut getrandom::SysRng).unwrap();
        authority.certificate().to_pem()
    }

    fn reachable() -> Cluster {
        Cluster::new("prod", "https://a:6443", certificate().as_bytes())
    }

    fn read(cluster: &Value) -> Cluster {
        Cluster::read("prod", cluster.as_object())
    }

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        for other in ["https://a:6443/", "HTTPS://A:6443", " https://a:6443"] {
            assert!(same_server("https://a:6443", other), "{other}");
        }
        assert!(same_server("https://a", "https://a:443/"));
        assert!(same_server("https://a/k8s/c-1/", "https://a/k8s/c-1"));
        for other in [
            "https://a",
            "http://a:6443",
            "https://a:6443/x",
            "a:6443",
            "",
        ] {
            assert!(!same_server("https://a:6443", other), "{other}");
        }
    }

    #[test]
    fn this_machine_is_known_by_every_spelling_of_its_addresses() {
        for host in [
            "localhost",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0X7F.1",
            "0177.0.0.1",
            "017700000001",
            "0",
            "127.255.255.255",
            "[::1]",
            "[::1%25lo]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
            "127\u{3002}0\u{ff0e}0\u{ff61}1",
            "ip6-localhost",
        ] {
            for url in [format!("https://{host}:6443/"), format!("http://{host}")] {
                assert!(is_local(&url), "{url}");
            }
        }
        for host in [
            "10.0.0.1",
            "134744072",
            "8.8",
            "0300.0250.1.1",
            "127.0.0.1.example.com",
            "256.0.0.1",
            "127.0.0.0.1",
            "0x",
            "4294967296",
            "[::ffff:10.0.0.1]",
            "[fd00::1]",
        ] {
            assert!(!is_local(&format!("https://{host}:6443")), "{host}");
        }
    }

    #[test]
    fn what_may_be_secret_in_an_address_is_noticed() {
        assert!(!reachable().has_secrets());
        for (server, proxy_url) in [
            ("https://user:word@a", None),
            ("https://a/?token=word", None),
            ("https://a?word", None),
            ("https://a/k8s#word", None),
            ("user:word@a:6443", None),
            ("https://a", Some("http://user@proxy".to_owned())),
        ] {
            let server = server.to_owned();
            let cluster = Cluster {
                server,
                proxy_url,
                ..reachable()
            };
            assert!(cluster.has_secrets() && !cluster.without_secrets().has_secrets());
        }
    }

    #[test]
    fn credentials_are_sent_over_https_alone() {
        assert_eq!(reachable().check(), Ok(()));
        for server in ["http://a", "a:6443", "https://", "https:///a"] {
            let server = server.to_owned();
            let cluster = Cluster {
                server: server.clone(),
                ..reachable()
            };
            assert_eq!(cluster.check(), Err(ClusterProblem::NotHttps(server)));
        }
        for (server, is_url) in [
            ("HTTPS://a", true),
            ("https://[fd00::1]:6443/k8s/clusters/c-1", true),
            ("https://a:6443 ", false),
            ("https://<master>:6443", false),
        ] {
            let cluster = Cluster {
                server: server.to_owned(),
                ..reachable()
            };
            assert_eq!(cluster.check().is_ok(), is_url, "{server}");
        }
        let cluster = Cluster {
            server: String::new(),
            ..reachable()
        };
        assert_eq!(
            cluster.check(),
            Err(ClusterProblem::NoServer("prod".to_owned()))
        );
    }

    #[test]
    fn proxies_are_those_that_client_go_knows() {
        let check = |proxy: &str| {
            let proxy_url = Some(proxy.to_owned());
            Cluster {
                proxy_url,
                ..reachable()
            }
            .check()
        };
        for proxy in ["http://p:1", "https://p:1", "socks5://p:1"] {
            assert_eq!(check(proxy), Ok(()));
        }
        for proxy in ["p:1", "socks4://p", "ftp://p"] {
            assert_eq!(
                check(proxy),
                Err(ClusterProblem::BadProxy(proxy.to_owned()))
            );
        }
    }

    #[test]
    fn the_authority_is_a_certificate_a_file_or_what_is_wrong_with_it() {
        let check = |authority| {
            Cluster {
                authority,
                ..reachable()
            }
            .check()
        };
        let name = || "prod".to_owned();
        assert_eq!(check(Authority::File("ca.crt".to_owned())), Ok(()));
        assert_eq!(
            check(Authority::None),
            Err(ClusterProblem::NoAuthority(name()))
        );
        assert_eq!(
            check(Authority::LeftOut),
            Err(ClusterProblem::LeftOut(name()))
        );
        for broken in [
            Authority::Broken(BrokenAuthority::NoCertificate(Look::Line)),
            Authority::Data(b"no certificate".to_vec()),
        ] {
            let why = BrokenAuthority::NoCertificate(Look::Line);
            assert_eq!(
                check(broken),
                Err(ClusterProblem::BadAuthority(name(), why))
            );
        }
    }

    #[test]
    fn data_goes_before_a_file() {
        let authority = |data: &str, file: &str| {
            let fields = json!({"certificate-authority-data": data, "certificate-authority": file});
            read(&fields).authority
        };
        let pem = certificate();
        let encoded = BASE64_STANDARD.encode(&pem);
        assert_eq!(authority(&encoded, "f"), Authority::Data(pem.into_bytes()));
        assert_eq!(
            authority("YQ==", "f"),
            Authority::Broken(BrokenAuthority::NoCertificate(Look::Line))
        );
        assert_eq!(authority("", "f"), Authority::File("f".to_owned()));
        for (data, broken) in [
            ("YWJ?", BrokenAuthority::NotBase64(3)),
            ("/etc/kubernetes/pki/ca.crt", BrokenAuthority::Path),
            ("-----BEGIN CERTIFICATE-----\n", BrokenAuthority::Pem),
        ] {
            assert_eq!(authority(data, "f"), Authority::Broken(broken));
        }
        assert_eq!(authority("DATA+OMITTED", ""), Authority::LeftOut);
        assert_eq!(authority("REDACTED", ""), Authority::LeftOut);
        assert_eq!(authority("", ""), Authority::None);
    }

    #[test]
    fn the_address_reads_back_and_nothing_else_is_kept() {
        let authority = BASE64_STANDARD.encode(certificate());
        let fields = json!({
            "server": "https://a", "certificate-authority-data": authority, "tls-server-name": "n",
            "proxy-url": "http://p", "insecure-skip-tls-verify": true, "disable-compression": true,
        });
        let cluster = read(&fields);
        assert!(cluster.insecure);
        let mut address = fields;
        for dropped in ["insecure-skip-tls-verify", "disable-compression"] {
            address.as_object_mut().unwrap().remove(dropped);
        }
        assert_eq!(
            cluster.to_value(),
            json!({"name": "prod", "cluster": address})
        );
        let bare = json!({"server": "https://a", "certificate-authority": "/ca"});
        assert_eq!(read(&bare).to_value()["cluster"], bare);
        assert!(!read(&bare).insecure);
    }
}

crate::text::show_raw!(ClusterProblem);
