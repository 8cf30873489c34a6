//! Findings about what comes back from a cluster: decisions, certificates, kubeconfigs.

use super::{Code, Entry, entry};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        Code::Denied,
        "The request was denied.",
        "Nothing will be issued; a decision cannot be taken back.",
        "conditions: [{type: Denied}]",
        "Ask who denied it. Make a new request.",
    ),
    entry(
        Code::Failed,
        "The signer refused the request after it was approved.",
        "Nothing will be issued; the reason stands in the message.",
        "reason: SignerValidationFailure",
        "Correct what the message says, and make a new request.",
    ),
    entry(
        Code::NotIssued,
        "The request was approved, and there is no certificate.",
        "The signer is not running, or does not sign for users, as on some managed clusters. Such \
         requests are deleted after 24 hours.",
        "Approved, without Issued",
        "Wait a minute and fetch it again. If it stays so, ask who runs kube-controller-manager.",
    ),
    entry(
        Code::CertificateMismatch,
        "The certificate is for another key, user or groups than the request, or cannot be read.",
        "It does not fit the private key, or lets in somebody else.",
        "the certificate of an older request of the same name",
        "Fetch the object of your request, by its own name.",
    ),
    entry(
        Code::OtherCertificates,
        "Beside the certificate there stand others that did not issue it, the same one stands there twice, or \
         it is not the first.",
        "Clients show the first certificate and send the others along. A cluster stores the one that was \
         issued, and those that issued it behind it: who wrote the others is not known.",
        "the certificate of somebody else's authority in status.certificate",
        "Ask who signed it. `kube-enroll reply` sends on the certificate with those that issued it, and no \
         others.",
    ),
    entry(
        Code::UnknownExtension,
        "The certificate has a critical extension that API servers do not know.",
        "They refuse it with 401, whoever signed it.",
        "a critical 1.3.6.1.4.1.99999.1",
        "Have it issued without that extension, or with one that is not critical.",
    ),
    entry(
        Code::LifetimeCut,
        "The certificate is valid for less than was asked for.",
        "The signer has a limit, or its own certificate ends before.",
        "asked for two years, granted one",
        "Renew it in time; `kube-enroll list` tells when.",
    ),
    entry(
        Code::LifetimeExceeded,
        "The certificate is valid for longer than was asked for.",
        "What was agreed on may be an hour and what was given ten years: the signer does not heed the \
         lifetime, or it was signed by hand.",
        "asked for an hour, granted ten years",
        "Ask who signed it and how; agree on a `max-lifetime`, with which it is not sent back.",
    ),
    entry(
        Code::Expired,
        "The certificate is not valid any more.",
        "The API server refuses it with 401.",
        "notAfter in the past",
        "Make a new request: `kube-enroll renew`. If the clock of this machine is wrong, set it.",
    ),
    entry(
        Code::NotYetValid,
        "The certificate is not valid yet.",
        "Certificates are dated back by five minutes: the clock of this machine is slow.",
        "notBefore in the future",
        "Set the clock.",
    ),
    entry(
        Code::UnusableUid,
        "The certificate's user UID (1.3.6.1.4.1.57683.2) is given twice, is empty or is no string.",
        "API servers since 1.33 refuse such a certificate with 401; older ones do not look at it.",
        "two attributes 1.3.6.1.4.1.57683.2 in the subject",
        "Have a certificate issued with one UID or none. The cluster's own signer puts none in.",
    ),
    entry(
        Code::NoClientAuth,
        "The certificate is not for client authentication.",
        "The API server does not take it for a user.",
        "extendedKeyUsage: serverAuth",
        "Make a new request with the usage client auth.",
    ),
    entry(
        Code::BadKubeconfig,
        "kubectl does not take the kubeconfig, or not all of it.",
        "It fails, or goes on without what it cannot use: a server without https:// gets no \
         certificate.",
        "server: http://10.0.0.1",
        "Correct what the message names.",
    ),
    entry(
        Code::PluginRefused,
        "kubectl's preferences (`~/.kube/kuberc`, kubectl 1.35 and later) do not let it run kube-enroll, or \
         have a mistake in them for which it runs nothing.",
        "An encrypted key is served by kube-enroll: kubectl says `plugin not allowed`, and every command \
         fails.",
        "credentialPluginPolicy: DenyAll",
        "Allow it, with all others that are used: `kubectl kuberc set --section credentialplugin --policy \
         Allowlist --allowlist-entry command=kube-enroll`. kubectl 1.35 has no such command: there the \
         list in the file is `credentialPluginAllowlist: [{name: kube-enroll}]`. A mistake in the file is \
         corrected in an editor, since `kubectl kuberc set` reads it first.",
    ),
    entry(
        Code::Redacted,
        "kubectl left data out of the kubeconfig.",
        "DATA+OMITTED is valid base64 and no certificate: it fails only when it is used.",
        "certificate-authority-data: DATA+OMITTED",
        "Write it with `kubectl config view --raw --flatten --minify`.",
    ),
];
