//! Keys that a person keeps unlocked for a while, in the kernel's memory: the session keyring of
//! keyrings(7), which is never swapped and ends with the login.
//!
//! Who works under another user's number cannot read them, also where the session is shared, as by
//! `su` without `-l`: the owner alone has rights to a key, and not whoever possesses its keyring.

use std::collections::HashSet;

use kube_enroll::key::{EncodedKey, Fingerprint, PrivateKey};
use kube_enroll::pem;
use kube_enroll::text;
use kube_enroll::text::Text;
use zeroize::Zeroizing;

use super::super::failure::Failure;

/// What the descriptions of our keys start with.
#[cfg(target_os = "linux")]
const PREFIX: &str = "kube-enroll:";

/// The largest payload of a key of type "user", in bytes.
#[cfg(target_os = "linux")]
const LARGEST: usize = 32_767;

/// The keys that this process may see, in every session of its user (`proc_keys(5)`). Containers hide
/// it.
pub const ALL_KEYS: &str = "/proc/keys";

/// In which keyring a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyring {
    /// That of this login.
    Session,
    /// The one of the user that all processes without a session share.
    User,
    /// The same, because the login that this session belongs to has ended, as where tmux outlives it.
    UserAfterLogin,
}

impl Keyring {
    /// Who finds the key there, and for how long.
    pub fn about(self) -> Text {
        match self {
            Self::Session => {
                "in this login session: tmux and other programs that were started elsewhere, and \
                 cron, do not find it"
                    .into()
            }
            Self::User => {
                "for all of your processes without a login session, as this one is without".into()
            }
            Self::UserAfterLogin => {
                "for all of your processes without a login session: the login that this shell \
                 belongs to has ended, and its keyring with it"
                    .into()
            }
        }
    }
}

/// The key, if it is unlocked.
#[cfg(target_os = "linux")]
pub fn find(fingerprint: &Fingerprint) -> Option<PrivateKey> {
    let description = description(fingerprint);
    let mut keyrings = [session(), user()].into_iter().flatten();
    let key = keyrings.find_map(|keyring| keyring.search(&description).ok())?;
    let mut buffer = Zeroizing::new(vec![0; LARGEST]);
    let length = key.read(&mut *buffer).ok()?;
    let key = EncodedKey::find(buffer.get(..length)?)
        .ok()?
        .open(None)
        .ok()?;
    (key.public_key().fingerprint() == *fingerprint).then_some(key)
}

/// Keeps `key` unlocked for so many seconds; where it is.
///
/// It gets its end and its rights before others can find it: in the keyring of this process first.
#[cfg(target_os = "linux")]
pub fn keep(key: &PrivateKey, seconds: u32) -> Result<Keyring, Failure> {
    use linux_keyutils::{KeyError, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission};

    let text = key.to_pkcs8_pem()?;
    let der = pem::first(text.expose().as_bytes()).map(|block| block.contents);
    let der = der.unwrap_or_default();
    let keep = || {
        let own = KeyRing::from_special_id(KeyRingIdentifier::Process, true)?;
        let description = description(&key.public_key().fingerprint());
        let key = own.add_key(&description, der.as_slice())?;
        key.set_timeout(usize::try_from(seconds).unwrap_or(usize::MAX))?;
        let rights = Permission::VIEW | Permission::READ | Permission::SEARCH | Permission::LINK;
        key.set_perms(KeyPermissionsBuilder::builder().user(rights).build())?;
        match session() {
            Ok(session) => {
                session.link_key(key)?;
                let is_shared = user() == Ok(session);
                Ok(if is_shared {
                    Keyring::User
                } else {
                    Keyring::Session
                })
            }
            Err(KeyError::KeyRevoked | KeyError::KeyExpired) => {
                user()?.link_key(key)?;
                Ok(Keyring::UserAfterLogin)
            }
            Err(error) => Err(error),
        }
    };
    keep().map_err(|error| refused("keep the key unlocked in", error))
}

/// Forgets every unlocked key of this user at once, in all sessions that can be seen; the number of
/// them.
#[cfg(target_os = "linux")]
pub fn forget() -> Result<usize, Failure> {
    forget_where(&|description| description.starts_with(PREFIX))
}

/// Forgets these keys wherever they are unlocked.
#[cfg(target_os = "linux")]
pub fn forget_keys(fingerprints: &HashSet<Fingerprint>) {
    let meant: HashSet<String> = fingerprints.iter().map(description).collect();
    if !meant.is_empty() {
        // Where there is no keyring, they are in none.
        let _ = forget_where(&|description| meant.contains(description));
    }
}

#[cfg(target_os = "linux")]
fn forget_where(is_meant: &dyn Fn(&str) -> bool) -> Result<usize, Failure> {
    use linux_keyutils::{Key, KeyError, KeySerialId};

    let keyrings = [session(), user()];
    if let [Err(error), Err(_)] = keyrings
        && !matches!(error, KeyError::KeyRevoked | KeyError::KeyExpired)
    {
        return Err(refused("look through", error));
    }
    let is_ours = |key: &Key| {
        let metadata = key.metadata();
        metadata.is_ok_and(|it| is_meant(it.get_description()))
    };
    let linked = keyrings
        .iter()
        .flatten()
        .filter_map(|keyring| keyring.get_links(4096).ok());
    let mut keys: Vec<Key> = linked
        .flat_map(|links| {
            links
                .iter()
                .filter_map(linux_keyutils::LinkNode::as_key)
                .collect::<Vec<_>>()
        })
        .filter(is_ours)
        .collect();
    let seen = std::fs::read_to_string(ALL_KEYS).unwrap_or_default();
    let seen = seen.lines().filter_map(listed);
    let meant = seen.filter(|(_, description)| is_meant(description));
    keys.extend(meant.map(|(serial, _)| Key::from_id(KeySerialId::new(serial))));
    keys.sort_by_key(|key| key.get_id().as_raw_id());
    keys.dedup();
    // One that has ended meanwhile is forgotten already.
    Ok(keys.iter().filter(|key| key.invalidate().is_ok()).count())
}

/// Number and description of a key of ours in a line of `/proc/keys`: ID, flags, uses, timeout,
/// permissions, user, group, type, description.
#[cfg(target_os = "linux")]
fn listed(line: &str) -> Option<(i32, &str)> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let [id, _, _, timeout, _, _, _, kind, description, ..] = fields[..] else {
        return None;
    };
    let is_ours = kind == "user" && description.starts_with(PREFIX) && timeout != "expd";
    let serial = u32::from_str_radix(id, 16).ok().filter(|_| is_ours)?;
    let description = description.strip_suffix(':').unwrap_or(description);
    Some((i32::try_from(serial).ok()?, description))
}

/// The session's keyring; that of the user where the login made none. It is not to be created: a
/// new one would end with this process.
#[cfg(target_os = "linux")]
fn session() -> Result<linux_keyutils::KeyRing, linux_keyutils::KeyError> {
    use linux_keyutils::{KeyRing, KeyRingIdentifier};
    KeyRing::from_special_id(KeyRingIdentifier::Session, false)
}

/// What all processes of this user share that have no session.
#[cfg(target_os = "linux")]
fn user() -> Result<linux_keyutils::KeyRing, linux_keyutils::KeyError> {
    use linux_keyutils::{KeyRing, KeyRingIdentifier};
    KeyRing::from_special_id(KeyRingIdentifier::UserSession, false)
}

#[cfg(target_os = "linux")]
fn description(fingerprint: &Fingerprint) -> String {
    format!("{PREFIX}{fingerprint}")
}

#[cfg(target_os = "linux")]
fn refused(doing: &'static str, error: linux_keyutils::KeyError) -> Failure {
    use linux_keyutils::KeyError;
    const NO_SYSTEM_CALL: i32 = 38;
    let (reason, advice) = match error {
        KeyError::KeyRevoked | KeyError::KeyExpired => (
            "the login that this session belongs to has ended",
            "do it in a new login",
        ),
        KeyError::KeyDoesNotExist | KeyError::KeyringDoesNotExist => (
            "this session has none",
            "do it in a login, or in the shell that `keyctl session` starts",
        ),
        KeyError::QuotaExceeded => (
            "its quota is used up",
            "keyctl(1) shows and removes what is in it",
        ),
        KeyError::AccessDenied => (
            "permission denied",
            "the session is that of another user, as after su without -l; do it in a login of yours",
        ),
        KeyError::PermissionDenied
        | KeyError::OperationNotSupported
        | KeyError::Unknown(NO_SYSTEM_CALL) => (
            "not available here",
            "containers often have none: the passphrase is asked each time",
        ),
        _ => (
            "the kernel refused",
            "without it the passphrase is asked each time",
        ),
    };
    Failure::could_not_run(text!("cannot {} the kernel's keyring: {}", doing, reason)).say(advice)
}

/// Only Linux has a keyring.
#[cfg(not(target_os = "linux"))]
pub fn find(_: &Fingerprint) -> Option<PrivateKey> {
    None
}

#[cfg(not(target_os = "linux"))]
pub fn keep(_: &PrivateKey, _: u32) -> Result<Keyring, Failure> {
    Err(Failure::could_not_run(
        "keys are kept unlocked by Linux kernels alone",
    ))
}

#[cfg(not(target_os = "linux"))]
pub fn forget() -> Result<usize, Failure> {
    Ok(0)
}

#[cfg(not(target_os = "linux"))]
pub fn forget_keys(_: &HashSet<Fingerprint>) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn keys_of_ours_are_told_from_others() {
        for (line, key) in [
            (
                "35d8c36c I--Q---     1   9m 001b0000  1000  1000 user      kube-enroll:SHA256:Yg=: 138",
                Some((0x35d8_c36c, "kube-enroll:SHA256:Yg=")),
            ),
            (
                "35d8c36c I--Q---     1 expd 001b0000  1000  1000 user      kube-enroll:SHA256:Yg=: 138",
                None,
            ),
            (
                "0a8a25fb I------     1 perm 1f030000     0     0 keyring   kube-enroll:x: 1",
                None,
            ),
            (
                "18b33fe7 I--Q---     1 perm 1f030000 0 0 user pass: 2",
                None,
            ),
            ("", None),
        ] {
            assert_eq!(listed(line), key, "{line}");
        }
    }
}
