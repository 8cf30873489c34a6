//! Names of files: the user's name where it needs no care anywhere, else a slug.

use kube_enroll::manifest::slug;

/// The user name, where it is a file name that needs no care anywhere.
pub fn safe(user: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._@+-".contains(c);
    let safe = !user.starts_with(['.', '-']) && !user.is_empty() && user.chars().all(plain);
    safe.then_some(user)
}

/// What files are named after: the user, else the slug of another name for the same.
pub fn stem(user: &str, name: &str) -> String {
    let stem = safe(user).map_or_else(|| slug(name), str::to_owned);
    if stem.is_empty() {
        "user".to_owned()
    } else {
        stem
    }
}
