//! `kube_enroll::verdict`: what is written of a good request is what its report shows, to other readers.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use der::{Decode as _, DecodePem as _, Encode as _};
use kube_enroll::agreement::Agreement;
use kube_enroll::inspect::{Context, inspect};
use kube_enroll::policy::Agreed;
use kube_enroll::verdict::judge;
use serde_json::Value;
use sha2::Digest as _;
use time::OffsetDateTime;
use x509_cert::request::CertReq;

/// Takes any bytes for a file that an administrator was sent, and agrees on whatever it asks for.
pub fn check(data: &[u8]) {
    let context = Context {
        now: OffsetDateTime::UNIX_EPOCH,
        agreed: Agreed::default(),
        passphrase: None,
    };
    for mut object in inspect("file", data, &context) {
        let identity = object.identity.clone();
        let agreement = Agreement {
            user: identity.as_ref().map(|it| it.username.clone()),
            groups: identity.map(|it| it.groups),
            ..Agreement::default()
        };
        judge(&mut object, &agreement);
        let shown = object.to_value();
        let Some(checked) = object.checked() else {
            continue;
        };
        let manifest = checked.manifest();
        let written: Value = serde_json::from_str(manifest.strip_prefix("---").unwrap()).unwrap();
        assert_eq!(serde_yaml::from_str::<Value>(&manifest).unwrap(), written);
        let spec = &written["spec"];
        assert_eq!(written["metadata"]["name"], shown["name"]);
        assert_eq!(spec["signerName"], shown["signerName"]);
        assert_eq!(spec["usages"], shown["usages"]);
        assert_eq!(spec["expirationSeconds"], shown["expirationSeconds"]);
        let pem = spec["request"].as_str().unwrap();
        let request = CertReq::from_pem(BASE64_STANDARD.decode(pem).unwrap()).unwrap();
        assert_eq!(
            CertReq::from_der(&request.to_der().unwrap()).unwrap(),
            request
        );
        let key = request.info.public_key.to_der().unwrap();
        let fingerprint = BASE64_STANDARD.encode(sha2::Sha256::digest(key));
        let shown = &shown["publicKey"]["fingerprint"];
        assert_eq!(*shown, format!("SHA256:{fingerprint}"));
    }
}
