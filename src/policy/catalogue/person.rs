//! Findings about who is asked for, and against what was agreed on.

use super::{Code, Entry, entry};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        Code::SystemMasters,
        "The group system:masters is asked for, or a name that looks like it.",
        "Its members bypass all authorization, and no rule takes it back. The API server refuses it for \
         users; other spellings pass and mean nothing, and nobody asks for them in good faith.",
        "O=system:masters",
        "Ask for a group that RBAC binds to cluster-admin, if that is what is meant.",
    ),
    entry(
        Code::SystemIdentity,
        "The user or a group is part of the cluster itself: a node, a component, a service account, or \
         the administrators of kubeadm.",
        "The API server signs it. The holder then is that node, component or administrator.",
        "CN=system:node:worker-1, O=system:nodes",
        "Do not approve it for a person.",
    ),
    entry(
        Code::NoUser,
        "There is no common name (CN), or an empty one.",
        "The certificate is issued, and its holder is system:anonymous.",
        "O=developers alone",
        "Have the request made with the user as CN.",
    ),
    entry(
        Code::SeveralUsers,
        "There are several common names.",
        "The API server takes the last one. A reader of the first believes something else.",
        "CN=alice, CN=admin",
        "Have it made with one.",
    ),
    entry(
        Code::EmptyGroup,
        "A group is empty.",
        "The holder would be in the group \"\", which nobody expects to be bound.",
        "O=",
        "Have it made without.",
    ),
    entry(
        Code::LooksLikeIdentity,
        "An attribute that is neither user nor group looks like one. It is an error where it is written \
         to be taken for one (system:..., CN=..., O=...) and a warning otherwise.",
        "Kubernetes looks at CN and O alone. A person who reads the subject may approve for the sake of \
         an OU that says something else.",
        "OU=system:masters",
        "Go by user and groups in the report.",
    ),
    entry(
        Code::AttributeDropped,
        "The subject has an attribute that Kubernetes does not look at, or that the signer drops.",
        "It is harmless, and is not in the certificate or means nothing there.",
        "title=Dr, C=DE",
        "Nothing needs to be done.",
    ),
    entry(
        Code::NameSyntax,
        "A name holds what separates names elsewhere (CN=, /O=), or a place of a template that was not \
         filled in.",
        "Nothing is separated inside of a common name: the person gets the whole text as user name, and \
         no group.",
        "CN=jane,O=dev as one common name",
        "Ask what was meant, and have it made anew with the user and each group by itself.",
    ),
    entry(
        Code::Deceptive,
        "A name holds characters that control the terminal, turn the direction of text, or cannot be \
         seen.",
        "What is shown is not what is there. Kubernetes issues such names as they are, and RBAC compares \
         every byte.",
        "CN=alice followed by U+202E",
        "Do not approve it.",
    ),
    entry(
        Code::OuterSpace,
        "A name starts or ends with a space.",
        "Nobody sees it, and to RBAC it is another name.",
        "CN=\"alice \"",
        "Have it made without.",
    ),
    entry(
        Code::MixedScripts,
        "A name mixes letters of scripts that look alike.",
        "It can be read as a name that it is not.",
        "O=developers with a Cyrillic e",
        "Ask its maker what is meant; do not approve it unless that is clear.",
    ),
    entry(
        Code::LookAlike,
        "A name is not the one agreed on and looks like it.",
        "RBAC compares bytes: it is somebody else.",
        "CN=Alice, agreed on alice",
        "Have it made with the name agreed on, or agree on this one.",
    ),
    entry(
        Code::LongName,
        "A user or group has more than 64 characters.",
        "Kubernetes takes it. Tools that go by RFC 5280 may refuse to read the certificate.",
        "O=CN=developers,OU=groups,DC=... of a directory",
        "Shorten the name if other tools are to read it.",
    ),
    entry(
        Code::MisleadingComment,
        "A comment in the file names another user than the request.",
        "Comments are read by people and by nothing else.",
        "# user: alice, around a request of mallory",
        "Go by the report; ask its sender.",
    ),
    entry(
        Code::UserMismatch,
        "The request is for another user than agreed on.",
        "Approving it lets somebody else in.",
        "found \"mallory\", agreed on \"alice\"",
        "Ask its maker. Have it made anew if it was a mistake.",
    ),
    entry(
        Code::GroupMismatch,
        "The request is for other groups than agreed on: too many, too few, or others.",
        "RBAC gives rights to groups. One too many may be all of them.",
        "found admins, agreed on developers",
        "Ask its maker. Have it made anew if it was a mistake.",
    ),
    entry(
        Code::FingerprintMismatch,
        "The request is for another key than agreed on.",
        "It is not the request that its maker made: it was exchanged on the way, or there are two.",
        "found SHA256:..., agreed on SHA256:...",
        "Do not approve it. Have the fingerprint read out again and the file sent again.",
    ),
    entry(
        Code::LifetimeMismatch,
        "The request asks for longer than agreed on, or leaves the lifetime to the cluster.",
        "What was issued is hard to take back before it ends.",
        "found 31536000 seconds, agreed on at most 90d",
        "Have it made anew with `--expires-in`.",
    ),
];
