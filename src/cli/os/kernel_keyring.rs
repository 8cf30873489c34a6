//! Keys that a person keeps unlocked for a while, in the kernel's memory: the session keyring of
//! keyrings(7), which is never swapped and ends with the login.

use kube_enroll::key::{EncodedKey, Fingerprint, PrivateKey};
use kube_enroll::pem;
use kube_enroll::text;
use zeroize::Zeroizing;

use super::super::failure::Failure;

/// What the descriptions of our keys start with.
#[cfg(target_os = "linux")]
const PREFIX: &str = "kube-enroll:";

/// The largest payload of a key of type "user", in bytes.
#[cfg(target_os = "linux")]
const LARGEST: usize = 32_767;

/// The key, if it is unlocked.
#[cfg(target_os = "linux")]
pub fn find(fingerprint: &Fingerprint) -> Option<PrivateKey> {
    let key = session().ok()?.search(&description(fingerprint)).ok()?;
    let mut buffer = Zeroizing::new(vec![0; LARGEST]);
    let length = key.read(&mut *buffer).ok()?;
    let key = EncodedKey::find(buffer.get(..length)?)
        .ok()?
        .open(None)
        .ok()?;
    (key.public_key().fingerprint() == *fingerprint).then_some(key)
}

/// Keeps `key` unlocked for so many seconds.
///
/// It gets its end before others can find it: in the keyring of this process first.
#[cfg(target_os = "linux")]
pub fn keep(key: &PrivateKey, seconds: u32) -> Result<(), Failure> {
    use linux_keyutils::{KeyRing, KeyRingIdentifier};

    let text = key.to_pkcs8_pem()?;
    let der = pem::first(text.expose().as_bytes()).map(|block| block.contents);
    let der = der.unwrap_or_default();
    let keep = || {
        let session = session()?;
        let own = KeyRing::from_special_id(KeyRingIdentifier::Process, true)?;
        let description = description(&key.public_key().fingerprint());
        let key = own.add_key(&description, der.as_slice())?;
        key.set_timeout(usize::try_from(seconds).unwrap_or(usize::MAX))?;
        session.link_key(key)
    };
    keep().map_err(|error| refused("keep the key unlocked in", error))
}

/// Forgets every unlocked key at once; the number of them.
#[cfg(target_os = "linux")]
pub fn forget() -> Result<usize, Failure> {
    let forget = || {
        let session = session()?;
        let mut forgotten = 0;
        for link in session.get_links(4096)?.iter() {
            let Some(key) = link.as_key() else { continue };
            let is_ours = key
                .metadata()
                .is_ok_and(|it| it.get_description().starts_with(PREFIX));
            if is_ours {
                key.invalidate()?;
                forgotten += 1;
            }
        }
        Ok(forgotten)
    };
    forget().map_err(|error| refused("look through", error))
}

/// The session's keyring; that of the user where the login made none. It is not to be created: a
/// new one would end with this process.
#[cfg(target_os = "linux")]
fn session() -> Result<linux_keyutils::KeyRing, linux_keyutils::KeyError> {
    use linux_keyutils::{KeyRing, KeyRingIdentifier};
    KeyRing::from_special_id(KeyRingIdentifier::Session, false)
}

#[cfg(target_os = "linux")]
fn description(fingerprint: &Fingerprint) -> String {
    format!("{PREFIX}{fingerprint}")
}

#[cfg(target_os = "linux")]
fn refused(doing: &'static str, error: linux_keyutils::KeyError) -> Failure {
    use linux_keyutils::KeyError;
    let reason = match error {
        KeyError::AccessDenied | KeyError::PermissionDenied => "permission denied",
        KeyError::QuotaExceeded => "its quota is used up",
        KeyError::OperationNotSupported => "not supported here",
        _ => "the kernel refused",
    };
    Failure::could_not_run(text!("cannot {} the kernel's keyring: {}", doing, reason))
        .say("containers often have none; without --unlock-for the passphrase is asked each time")
}

/// Only Linux has a keyring.
#[cfg(not(target_os = "linux"))]
pub fn find(_: &Fingerprint) -> Option<PrivateKey> {
    None
}

#[cfg(not(target_os = "linux"))]
pub fn keep(_: &PrivateKey, _: u32) -> Result<(), Failure> {
    Err(Failure::could_not_run(
        "--unlock-for takes the keyring of a Linux kernel",
    ))
}

#[cfg(not(target_os = "linux"))]
pub fn forget() -> Result<usize, Failure> {
    Ok(0)
}
