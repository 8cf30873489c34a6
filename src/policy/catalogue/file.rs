//! Findings about a file as a whole, and about the object in it.

use super::{Code, Entry, entry};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        Code::Unreadable,
        "The file, or a document in it, is neither PEM, DER, base64, YAML nor JSON that can be read, or \
         there is nothing in it.",
        "kubectl stops at the first document that it cannot read: nothing behind it is created.",
        "a: b: c",
        "Send the file again, as an attachment and not pasted into a message. `kube-enroll inspect` \
         names the line.",
    ),
    entry(
        Code::WrongKind,
        "The object is not a CertificateSigningRequest of certificates.k8s.io/v1.",
        "kubectl creates whatever is in a file, with the rights of whoever runs it: a \
         ClusterRoleBinding in a file of requests makes its author an administrator.",
        "kind: ClusterRoleBinding",
        "Do not create the file. Ask its sender for one that holds the request alone.",
    ),
    entry(
        Code::SecondMeaning,
        "There is something in the file that two programs may read differently, or that one of them \
         passes over: anchors, aliases, tags, merge keys, keys that are there twice, directives, a \
         byte-order mark inside, bytes behind the end.",
        "What was checked would not be what is created: one program sees alice's request, the other \
         mallory's.",
        "spec: {request: A, request: B}",
        "Have the manifest made anew by `kube-enroll request`, or write it plainly.",
    ),
    entry(
        Code::NotAlone,
        "The file holds other things than requests beside this one, or its list other fields than items.",
        "Who creates the file creates them all. A good request beside something else is how something \
         else gets in.",
        "a request, `---`, a Secret",
        "Ask for a file that holds requests and nothing else.",
    ),
    entry(
        Code::UnknownField,
        "There is a field that the API does not have, perhaps misspelt.",
        "kubectl asks for strict checks: the API server refuses the whole object.",
        "spec: {usage: [client auth]}",
        "Correct the name; the message says which field is close.",
    ),
    entry(
        Code::WrongType,
        "A value is of another type than the field has: a number or true where text belongs, or the \
         reverse.",
        "The API server refuses the object. In YAML, `no`, `on` and `1e3` are not text unless they are \
         quoted.",
        "metadata: {name: 1234}",
        "Quote the text, or take the quotes off the number.",
    ),
    entry(
        Code::BadBase64,
        "A field that holds base64 does not, from the byte on that the message names; or base64 was \
         applied twice.",
        "The API server refuses the object. Spaces inside, missing `=` and the alphabet of URLs are \
         what it stumbles over.",
        "request: LS0t LS1C",
        "Write it with `base64 -w0`, once, from the PEM file.",
    ),
    entry(
        Code::BadMetadata,
        "Labels, annotations, finalizers, owners or the generation are not what the API server takes.",
        "It refuses the object.",
        "labels: {a: ' '}",
        "Leave them out: a request needs none.",
    ),
    entry(
        Code::BadName,
        "metadata.name is missing, or is no DNS-1123 subdomain: lower-case letters and digits, with \
         dashes and dots between them, at most 253 characters.",
        "The API server takes nearly any name but those with a slash or percent sign. A name is typed \
         and pasted: one with a semicolon or a space is a command to the shell, one with a dash in \
         front an option.",
        "name: 'x; kubectl create clusterrolebinding ...'",
        "Have the request made with another --name, or without: `kube-enroll request` makes a good one.",
    ),
    entry(
        Code::SameName,
        "Another request of this run has the same name.",
        "`kubectl create` makes the first and refuses the second, and what is approved by this name is \
         whichever came first.",
        "two files with name: alice-3f9a1c2e",
        "Leave out the one that is there by mistake, or have it made anew.",
    ),
    entry(
        Code::NamespaceIgnored,
        "The object has a namespace, and requests belong to none.",
        "It is harmless, and a sign that the file was not made for this.",
        "metadata: {namespace: dev}",
        "Take it out.",
    ),
    entry(
        Code::SubmitterFields,
        "spec.username, uid, groups or extra are given.",
        "They look like the user who is asked for. The server replaces them by whoever creates the \
         object; who is asked for stands in the request's subject.",
        "spec: {username: bob}",
        "Take them out. In objects that were fetched from a cluster the server has filled them in, and \
         nothing is said of them.",
    ),
    entry(
        Code::CsrPrefix,
        "The name starts with `csr-`.",
        "Amazon EKS approves requests of such names and never issues a certificate.",
        "name: csr-alice",
        "Choose another name.",
    ),
    entry(
        Code::NameWithoutHash,
        "The name does not end in the hash of what is asked for.",
        "A second request may have the same name. `kubectl apply` of it says \"configured\" and keeps \
         the old request, which is then approved. Names are free: the hash guards against accidents \
         and proves nothing.",
        "name: alice",
        "Use `kubectl create`, which fails where the name is taken; `kube-enroll request` makes names \
         with the hash.",
    ),
    entry(
        Code::NoRequest,
        "spec.request holds no PEM block CERTIFICATE REQUEST.",
        "The API server refuses the object.",
        "request: '' (empty, or base64 of DER)",
        "Put the PEM file of the request there, in base64.",
    ),
    entry(
        Code::PemLabel,
        "The first PEM block has another label than CERTIFICATE REQUEST.",
        "The API server takes this label only. keytool and certtool write NEW CERTIFICATE REQUEST.",
        "-----BEGIN NEW CERTIFICATE REQUEST-----",
        "Change the label in both lines, or use `openssl req -in FILE -out FILE`.",
    ),
    entry(
        Code::TextAroundBlock,
        "There is text before or after the PEM block, or a header inside.",
        "The API server skips it, and a person reads it: it may name another user than the request.",
        "CN=bob, then the request of mallory",
        "Go by the report, not by the text; have the request sent without it.",
    ),
    entry(
        Code::SecondBlock,
        "A second PEM block follows the first.",
        "The API server reads the first alone. A tool that reads the last one shows another request \
         than the one that is issued.",
        "two CERTIFICATE REQUEST blocks in spec.request",
        "Ask for one request a manifest.",
    ),
];
