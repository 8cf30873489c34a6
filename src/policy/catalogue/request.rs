//! Findings about a certification request, its key, and what it asks the signer for.

use super::{Code, Entry, entry};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        Code::BadRequest,
        "The certification request cannot be read.",
        "The API server reads it with the same rules and refuses the object.",
        "a request that was cut off",
        "Have it made anew.",
    ),
    entry(
        Code::UnusualEncoding,
        "The request is not encoded as DER would have it: `x509-cert` does not write what it read of \
         it to the very same bytes.",
        "Programs differ in what they take besides DER. Where there is only one way to write a \
         request, no two can read different things in it.",
        "a version other than 0, sets out of order",
        "Have the request made by another program; openssl, keytool, Go and kube-enroll write DER.",
    ),
    entry(
        Code::BadSignature,
        "The request is not signed by the key that is in it.",
        "The API server refuses it. It was changed on the way, or made with a key that its sender does \
         not hold.",
        "a request with its CN edited",
        "Have it made anew, and compare the fingerprint with its maker.",
    ),
    entry(
        Code::WeakSignature,
        "The request is signed with SHA-1.",
        "Others could make a request with the same signature.",
        "openssl req -sha1",
        "Have it made anew with SHA-256, the default of every current tool.",
    ),
    entry(
        Code::BadSigner,
        "spec.signerName is missing, or not a domain with a path.",
        "The API server refuses the object.",
        "signerName: client",
        "Write kubernetes.io/kube-apiserver-client.",
    ),
    entry(
        Code::OtherSigner,
        "Another signer than kubernetes.io/kube-apiserver-client is asked.",
        "Approving lets that signer issue what its own rules say: whom it lets in where cannot be told \
         from here. `verify` calls it no good.",
        "signerName: example.com/vpn",
        "Approve it only if you run that signer and know its rules.",
    ),
    entry(
        Code::BadUsages,
        "spec.usages is empty, or has a usage twice or one that there is none of.",
        "The API server refuses the object.",
        "usages: [Client Auth]",
        "Write [digital signature, client auth].",
    ),
    entry(
        Code::UsagesRefused,
        "There are usages that the signer of users refuses, or client auth is missing.",
        "The request is accepted and approved, and fails then: SignerValidationFailure.",
        "usages: [server auth]",
        "Write [digital signature, client auth]; with RSA, key encipherment may be there as well.",
    ),
    entry(
        Code::UsagesUnfit,
        "Key encipherment is asked for a key that can only sign.",
        "It is issued, and means nothing.",
        "usages: [key encipherment, client auth], with an ECDSA key",
        "Ask for digital signature and client auth.",
    ),
    entry(
        Code::TooLarge,
        "Names are so long that etcd does not store the object, or no server takes the certificate.",
        "The request stays unissued, or no connection can be made with what is issued.",
        "a thousand groups",
        "Ask for fewer groups or shorter names.",
    ),
    entry(
        Code::SubjectRefused,
        "The signer issues to nodes alone, and this is not a node's request.",
        "The request is approved and fails then.",
        "signerName: kubernetes.io/kubelet-serving, for a user",
        "Ask kubernetes.io/kube-apiserver-client.",
    ),
    entry(
        Code::BadLifetime,
        "spec.expirationSeconds is less than 600.",
        "The API server refuses the object.",
        "expirationSeconds: 60",
        "Ask for ten minutes or more.",
    ),
    entry(
        Code::LifetimeUnset,
        "spec.expirationSeconds is not set.",
        "The certificate lasts as long as the signer grants, by default a year. What was issued is hard \
         to take back; a short lifetime is the surest way.",
        "spec without expirationSeconds",
        "Ask for what is needed: `kube-enroll request --expires-in 90d`.",
    ),
    entry(
        Code::LifetimeLong,
        "More than a year is asked for.",
        "Who leaves keeps the certificate until it ends. The signer may cut it to a year.",
        "expirationSeconds: 315360000",
        "Agree on less, and verify with --max-lifetime.",
    ),
    entry(
        Code::SubjectAltNames,
        "Subject alternative names are asked for.",
        "The signer copies them. Kubernetes does not look at them; other servers that trust the same \
         authority may.",
        "DNS:example.com",
        "Have the request made without them, unless you know who reads them.",
    ),
    entry(
        Code::ExtensionDropped,
        "Extensions are asked for that the signer drops.",
        "It goes by spec.usages; nothing else of them is issued.",
        "basicConstraints: CA:TRUE",
        "Nothing needs to be done.",
    ),
    entry(
        Code::WeakKey,
        "An RSA key of less than 2048 bits, or with a public exponent below 65537.",
        "Such keys are within reach of those who can pay for it. `verify` calls it no good.",
        "openssl genrsa 1024",
        "Make a new key: `kube-enroll request` makes no weak ones.",
    ),
    entry(
        Code::BrokenKey,
        "The private half of the key can be computed from the public one: ROCA, a small factor, or \
         primes that lie close together.",
        "Anyone who sees the request can act as its user.",
        "a key made by a smart card of 2012 to 2017 (CVE-2017-15361)",
        "Make a new key with another program or device.",
    ),
    entry(
        Code::SharedFactor,
        "The modulus shares a prime with that of another key.",
        "Both private keys can be computed in a moment. It comes of machines that have no randomness \
         yet when they make keys.",
        "two keys made on first boot of one image",
        "Make both anew, on a machine with a good source of randomness.",
    ),
    entry(
        Code::SameKey,
        "Another request of this run has the same key, for somebody else.",
        "Whoever holds it is both of them; what one does, the other may have done.",
        "one key for a team",
        "Every person makes a key of their own.",
    ),
    entry(
        Code::NotInRoster,
        "The roster has nobody of the name that the request asks for.",
        "What was agreed on with whom stands in the roster: nobody asked for this one.",
        "a request for `mallory`, and a roster of alice and bob",
        "Ask the sender for a request with the name in the roster, or add a row to it.",
    ),
    entry(
        Code::SecondRequest,
        "Several requests of this run are what was agreed on with one person, or another one asks for them \
         with a key that signed it, be it approved, denied, failed or not good.",
        "Which of them the person made cannot be told: whoever knows the name can ask for it with a key \
         of their own.",
        "two requests for `alice` in one folder",
        "Ask for the fingerprint and give it (--fingerprint, or in the roster), or take the requests away \
         that are not meant.",
    ),
    entry(
        Code::ClaimedStatus,
        "The file says that the cluster approved, denied or issued the request.",
        "Anybody can write that into a file, so that a request is passed over or a person seems to have \
         a certificate.",
        "`status` with a certificate in a file of the folder of requests",
        "Take the file away, or judge what the cluster says: `kubectl get csr -o yaml | kube-enroll verify \
         - --roster team.csv`.",
    ),
    entry(
        Code::UnusableKey,
        "TLS does not take the key.",
        "The certificate is issued, and no connection can be made with it.",
        "RSA with 16384 bits, or ECDSA on P-224",
        "Make a key of another kind: `kube-enroll request --algorithm ecdsa-p256`.",
    ),
];
