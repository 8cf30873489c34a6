//! Every option and operand that takes a file, in one table: what holds for all of them is tried at each,
//! and a new one cannot be forgotten by one test alone.

use super::{Folder, certificate_of};

/// What is wanted in the place of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Whatever there is: it is looked at.
    Anything,
    Authorization,
    Certificate,
    Configuration,
    Credential,
    Csr,
    Key,
    Kubeconfig,
    Passphrase,
    Person,
    Reply,
    Request,
    Roster,
    Unlockable,
}

/// Command lines with `FILE` in the place of one file, for the folder that [`journey`] makes.
pub const TAKES_A_FILE: &[(&str, Want)] = &[
    ("request --csr FILE", Want::Csr),
    ("request bob --no-passphrase --key FILE", Want::Key),
    (
        "request bob --algorithm ed25519 --passphrase-file FILE",
        Want::Passphrase,
    ),
    (
        "request --algorithm ecdsa-p256 --no-passphrase --config FILE",
        Want::Configuration,
    ),
    (
        "request --algorithm ecdsa-p256 --no-passphrase --roster FILE",
        Want::Roster,
    ),
    ("renew FILE --no-passphrase", Want::Credential),
    ("renew alice.crt --passphrase-file FILE", Want::Passphrase),
    ("inspect FILE", Want::Anything),
    ("inspect -o json FILE", Want::Anything),
    ("inspect alice.key --passphrase-file FILE", Want::Passphrase),
    ("list FILE", Want::Anything),
    ("verify FILE --user bob --no-groups", Want::Request),
    ("verify alice.csr.yaml --roster FILE", Want::Roster),
    ("reply FILE --kubeconfig admin", Want::Reply),
    ("reply issued.yaml --kubeconfig FILE", Want::Kubeconfig),
    (
        "reply issued.yaml --kubeconfig admin --roster FILE",
        Want::Roster,
    ),
    ("kubeconfig FILE --key alice.key", Want::Reply),
    ("kubeconfig alice.reply.yaml --key FILE", Want::Key),
    (
        "kubeconfig alice.reply.yaml --cluster FILE",
        Want::Kubeconfig,
    ),
    (
        "kubeconfig alice.reply.yaml --server https://a --certificate-authority FILE",
        Want::Certificate,
    ),
    (
        "kubeconfig alice.reply.yaml --client-ca FILE",
        Want::Certificate,
    ),
    ("kubeconfig alice.reply.yaml --merge FILE", Want::Kubeconfig),
    (
        "kubeconfig alice.reply.yaml --passphrase-file FILE",
        Want::Passphrase,
    ),
    ("rbac FILE --cluster-role view", Want::Person),
    ("rbac --revoke FILE", Want::Person),
    ("rbac --revoke alice.crt --keep FILE", Want::Person),
    (
        "rbac --revoke alice.crt --client-ca FILE",
        Want::Certificate,
    ),
    (
        "rbac --revoke alice.crt --authorization-config FILE",
        Want::Authorization,
    ),
    ("passphrase FILE --remove", Want::Key),
    (
        "passphrase alice.key --passphrase-file FILE --remove",
        Want::Passphrase,
    ),
    (
        "passphrase spare --new-passphrase-file FILE",
        Want::Passphrase,
    ),
    (
        "credential --certificate FILE --key alice.key",
        Want::Certificate,
    ),
    ("credential --certificate alice.crt --key FILE", Want::Key),
    (
        "credential --certificate alice.crt --key alice.key --passphrase-file FILE",
        Want::Passphrase,
    ),
    ("unlock FILE", Want::Unlockable),
    ("unlock alice.key --passphrase-file FILE", Want::Passphrase),
    ("qr FILE", Want::Anything),
    ("rehearse --csr FILE", Want::Request),
];

/// The words of a command line, with this file in the place that is for it.
pub fn words<'a>(line: &'a str, file: &'a str) -> Vec<&'a str> {
    let put = |word| if word == "FILE" { file } else { word };
    line.split(' ').map(put).collect()
}

/// A folder with alice's key, a copy of it in `spare`, her request, the issued object, her certificate,
/// the reply, and an admin's kubeconfig.
pub fn journey() -> Folder {
    let folder = Folder::new();
    folder.issue_to_alice();
    let issued = folder.read("issued.yaml");
    folder.write("alice.crt", certificate_of(&issued));
    folder.write("spare", folder.read("alice.key"));
    folder
        .typed("reply issued.yaml --kubeconfig admin --out alice.reply.yaml")
        .good();
    folder
}
