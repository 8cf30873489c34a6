//! Subject alternative names (RFC 5280 section 4.2.1.6) as crypto/x509 `parseSANExtension` takes
//! them. The signer copies them, and nothing in Kubernetes looks at them afterwards.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::uri;
use crate::asn1::{Problem, Reader};
use crate::text::visible;

/// One name of the kinds that crypto/x509 keeps; it drops all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectAltName {
    /// A host name.
    Dns(String),
    /// A mail address.
    Email(String),
    /// A URI.
    Uri(String),
    /// An IP address.
    Ip(IpAddr),
}

/// Reads the value of a `subjectAltName` extension.
pub(super) fn read(value: &[u8]) -> Result<Vec<SubjectAltName>, Problem> {
    let mut names = Reader::new(value).sequence()?;
    let mut read = Vec::new();
    while !names.is_empty() {
        let element = names.element()?;
        if element.tag > 30 {
            return Err("invalid subject alternative name");
        }
        // The identifier octet with the context-specific bit taken away.
        match element.whole.first().map(|identifier| identifier ^ 0x80) {
            Some(1) => read.push(SubjectAltName::Email(ia5(element.contents)?)),
            Some(2) => read.push(SubjectAltName::Dns(ia5(element.contents)?)),
            Some(6) => {
                let text = ia5(element.contents)?;
                uri::check(&text)?;
                read.push(SubjectAltName::Uri(text));
            }
            Some(7) => read.push(SubjectAltName::Ip(ip(element.contents)?)),
            _ => {}
        }
    }
    Ok(read)
}

fn ia5(bytes: &[u8]) -> Result<String, Problem> {
    if bytes.is_ascii() {
        Ok(bytes.iter().copied().map(char::from).collect())
    } else {
        Err("subject alternative name is not an IA5String")
    }
}

fn ip(bytes: &[u8]) -> Result<IpAddr, Problem> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        Ok(IpAddr::V4(Ipv4Addr::from(octets)))
    } else if let Ok(octets) = <[u8; 16]>::try_from(bytes) {
        Ok(IpAddr::V6(Ipv6Addr::from(octets)))
    } else {
        Err("IP address is neither 4 nor 16 bytes long")
    }
}

impl fmt::Display for SubjectAltName {
    /// As openssl writes them: `DNS:host`, deceptive characters escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "DNS:{}", visible(name)),
            Self::Email(address) => write!(f, "email:{}", visible(address)),
            Self::Uri(uri) => write!(f, "URI:{}", visible(uri)),
            Self::Ip(address) => write!(f, "IP:{address}"),
        }
    }
}
