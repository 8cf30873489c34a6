//! What `kube-enroll request` builds: every request that can be asked for reads back as it was asked
//! for, the certification request by `x509-cert` and the manifest by `serde_yaml`.

use arbitrary::{Arbitrary, Unstructured};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use der::asn1::Any;
use der::oid::ObjectIdentifier;
use der::oid::db::rfc4519::{COMMON_NAME, ORGANIZATION_NAME};
use der::{Decode as _, Encode as _, Tag};
use kube_enroll::csr::{CertificationRequest, RequestedExtension};
use kube_enroll::lifetime::Lifetime;
use kube_enroll::manifest::Manifest;
use kube_enroll::name::Subject;
use serde_json::{Value, json};
use x509_cert::request::{CertReq, ExtensionReq};

use super::keys::{KEYS, rng};
use super::plain::assert_plain;
use super::signed::Signed;

/// What is asked for.
#[derive(Debug, Arbitrary)]
struct Wish {
    key: u8,
    seconds: Option<i64>,
    allow_system: bool,
    user: String,
    groups: Vec<String>,
    name: Option<String>,
    signer: Option<String>,
    extensions: Vec<WishedExtension>,
}

#[derive(Debug, Arbitrary)]
struct WishedExtension {
    arc: u16,
    critical: bool,
    value: Vec<u8>,
}

/// Takes any bytes for a wish.
pub fn check(data: &[u8]) {
    let Ok(wish) = Wish::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let subject = match Subject::new(&wish.user, &wish.groups, wish.allow_system) {
        Ok(subject) => subject,
        Err(error) => return assert_plain(&error.to_string()),
    };
    let key = &KEYS[usize::from(wish.key) % KEYS.len()];
    let extensions: Vec<_> = wish
        .extensions
        .iter()
        .map(WishedExtension::to_request)
        .collect();
    match CertificationRequest::build(&subject, &extensions, key, &mut rng()) {
        Ok(request) => {
            assert_request(request.der(), &subject, &extensions);
            assert_eq!(request.public_key(), key.public_key());
            assert_manifest(&wish, &request);
        }
        // An extension may be one that the cluster cannot read.
        Err(error) => assert!(!extensions.is_empty(), "{error}"),
    }
}

impl WishedExtension {
    /// One of RFC 5280, or of nobody.
    fn to_request(&self) -> RequestedExtension {
        let arcs = [2, 5, 29, u32::from(self.arc)];
        RequestedExtension {
            oid: ObjectIdentifier::from_arcs(arcs).unwrap(),
            critical: self.critical,
            value: self.value.clone(),
        }
    }
}

fn assert_request(request: &[u8], subject: &Subject, extensions: &[RequestedExtension]) {
    assert_eq!(Signed::read(request).unwrap().verifies(), Some(true));
    let read = CertReq::from_der(request).unwrap();
    assert_eq!(read.to_der().unwrap(), request);

    let groups = subject
        .groups()
        .iter()
        .map(|group| (ORGANIZATION_NAME, group.as_str()));
    let attributes = groups.chain([(COMMON_NAME, subject.user())]);
    let asked =
        attributes.map(|(oid, text)| (oid, Any::new(Tag::Utf8String, text.as_bytes()).unwrap()));
    let found = read
        .info
        .subject
        .iter()
        .map(|it| (it.oid, it.value.clone()));
    assert!(found.eq(asked));

    let mut found = Vec::new();
    for attribute in read.info.attributes.iter() {
        assert_eq!(attribute.values.len(), 1);
        let value = attribute.values.get(0).unwrap().to_der().unwrap();
        found.extend(ExtensionReq::from_der(&value).unwrap().0);
    }
    let found = found.into_iter().map(|it| RequestedExtension {
        oid: it.extn_id,
        critical: it.critical,
        value: it.extn_value.into_bytes().to_vec(),
    });
    assert_eq!(found.collect::<Vec<_>>(), extensions);
}

fn assert_manifest(wish: &Wish, request: &CertificationRequest) {
    let mut manifest = Manifest::new(&wish.user, request);
    if let Some(name) = &wish.name {
        manifest.name.clone_from(name);
    }
    if let Some(signer) = &wish.signer {
        manifest.signer.clone_from(signer);
    }
    manifest.expiration = wish.seconds.and_then(|it| Lifetime::try_from(it).ok());
    let mut spec = json!({
        "request": BASE64_STANDARD.encode(request.to_pem()),
        "signerName": manifest.signer,
        "usages": manifest.usages,
    });
    if let Some(lifetime) = manifest.expiration {
        spec["expirationSeconds"] = lifetime.seconds().into();
    }
    let expected = json!({
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": manifest.name},
        "spec": spec,
    });
    let read: Value = serde_yaml::from_str(&manifest.to_yaml()).unwrap();
    assert_eq!(read, expected);
}
