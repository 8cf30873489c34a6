//! `kube_enroll::qr` and what may be shown: any bytes come back from their parts, what joins is joined
//! from its own parts too, and what is public holds no key.

use kube_enroll::inspect::demand_public;
use kube_enroll::key::EncodedKey;
use kube_enroll::qr::parts::{self, MOST};

/// Takes any bytes for a file, and for what was scanned.
pub fn check(data: &[u8]) {
    let count = 1 + usize::from(data.first().copied().unwrap_or_default()) % MOST;
    comes_back(data, count);
    if let Ok(joined) = parts::join(data) {
        assert!(parts::is_parts(data));
        comes_back(&joined.file, count);
    }
    if demand_public(data).is_ok() {
        assert!(EncodedKey::find(data).is_err());
    }
}

fn comes_back(file: &[u8], count: usize) {
    let parts = parts::split(file, count);
    assert!(parts.len() <= count);
    let text: String = parts.iter().rev().map(|part| part.to_lowercase()).collect();
    let joined = parts::join(text.as_bytes()).unwrap();
    assert_eq!(joined.file[..], *file);
    assert!(joined.doubled.is_empty());
}
