//! Files that changed on their way are read or told for what they are, and nothing that is in a file beside
//! a key is lost.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use common::commands::journey;
use common::{Folder, have};

/// As fold breaks lines: at a width, or behind the last blank before it.
fn folded(text: &str, width: usize, at_blanks: bool) -> String {
    let mut folded = String::new();
    for mut line in text.lines() {
        while line.len() > width {
            let head = line.get(..width).unwrap();
            let end = head
                .rfind(' ')
                .filter(|_| at_blanks)
                .map_or(width, |it| it + 1);
            let (head, rest) = line.split_at(end);
            folded.push_str(head);
            folded.push('\n');
            line = rest;
        }
        folded.push_str(line);
        folded.push('\n');
    }
    folded
}

fn before_each(text: &str, sign: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| format!("{sign}{line}\n")).collect();
    lines.concat()
}

#[test]
fn a_reply_is_read_whatever_width_its_lines_were_broken_at() {
    let folder = journey();
    let reply = folder.read("alice.reply.yaml");
    let wanted = kube_enroll::reply::Reply::read(reply.as_bytes()).unwrap();
    let plain = reply
        .replace('"', "")
        .replace("status: True", "status: \"True\"");
    for text in [&reply, &plain] {
        for width in 40..=200 {
            for at_blanks in [false, true] {
                let broken = folded(text, width, at_blanks);
                for came in [broken.clone(), before_each(&broken, "> ")] {
                    let read = kube_enroll::reply::Reply::read_forgiving(came.as_bytes());
                    let (read, _) = read.unwrap_or_else(|why| panic!("{width} {at_blanks}: {why}"));
                    let certificate = |reply: &kube_enroll::reply::Reply| {
                        let status = reply.requests[0].status.clone();
                        status.unwrap().certificate
                    };
                    assert_eq!(
                        read.requests[0].request, wanted.requests[0].request,
                        "{came}"
                    );
                    assert_eq!(certificate(&read), certificate(&wanted), "{came}");
                    assert_eq!(read.cluster, wanted.cluster, "{came}");
                }
            }
        }
    }
}

#[test]
fn nothing_below_a_reply_is_taken_for_a_part_of_it() {
    let folder = journey();
    let reply = folder.read("alice.reply.yaml");
    folder.write(
        "mail",
        folded(&reply, 72, false) + "\n-- \nBob, who sends it\n",
    );
    folder.typed("kubeconfig mail --out a").good();
}

#[test]
fn a_passphrase_is_not_set_where_something_else_would_be_lost() {
    let folder = journey();
    let (key, certificate) = (folder.read("alice.key"), folder.read("alice.crt"));
    folder.write("pass", "correct horse battery\n");
    folder.set_mode("pass", 0o600);
    for (contents, named) in [
        (
            format!("{certificate}{key}"),
            "a certificate, a private key",
        ),
        (format!("{key}{key}"), "a private key, a private key"),
        (
            format!("Bag Attributes\n    friendlyName: a\n{key}"),
            "text, a private key",
        ),
        (
            format!("Hello,\n\n{}", before_each(&key, "> ")),
            "a private key, text",
        ),
    ] {
        folder.write("two.pem", &contents);
        folder.set_mode("two.pem", 0o600);
        let change = ["passphrase", "two.pem", "--new-passphrase-file", "pass"];
        let ended = folder.run(&change);
        let said = ended.stderr.clone();
        ended.fails(2, &["two.pem", named, "nothing was changed"]);
        assert_eq!(folder.read("two.pem"), contents);
        let change = ["passphrase", "-", "--new-passphrase-file", "pass"];
        let piped = folder.run_with(&change, contents.as_bytes());
        assert_eq!(
            (piped.status, piped.stdout.as_str()),
            (2, ""),
            "{}",
            piped.stderr
        );
        // What is advised works as it is printed, and leads to the same key.
        if let Some(step) = said.lines().find(|line| line.contains("sed -n")) {
            folder.peer("sh", &["-c", step]);
            assert_eq!(folder.read("two-new.key"), key);
            let change = ["passphrase", "two-new.key", "--new-passphrase-file", "pass"];
            folder.run(&change).good();
            std::fs::remove_file(folder.file("two-new.key")).unwrap();
        }
    }
}

#[test]
fn of_two_keys_in_a_file_it_is_told_which_is_taken() {
    let folder = journey();
    let key = folder.read("alice.key");
    folder.write("two.pem", format!("{key}{key}"));
    let request = "request bob --no-passphrase --key two.pem";
    folder
        .typed(request)
        .good()
        .says(&["2 private keys", "first"]);
}

#[test]
fn a_certificate_that_was_changed_is_not_called_one_of_another_authority() {
    let folder = journey();
    let issued = folder.read("issued.yaml");
    let pem = folder.read("alice.crt");
    let block = kube_enroll::pem::first(pem.as_bytes()).unwrap();
    let mut der = block.contents.to_vec();
    *der.last_mut().unwrap() ^= 1;
    let changed = kube_enroll::pem::encode("CERTIFICATE", &der);
    folder.write("changed.crt", &changed);
    let words = ["not as it was issued", "signature is not by that key"];
    folder
        .typed("kubeconfig changed.crt --cluster admin --out a")
        .fails(1, &words);
    assert!(!folder.has("a"));
    let ca = kube_enroll::kubeconfig::Kubeconfig::read(folder.read("admin").as_bytes()).unwrap();
    let kube_enroll::kubeconfig::Authority::Data(ca) = ca.cluster(None).unwrap().authority else {
        panic!("no authority");
    };
    folder.write("ca.crt", ca);
    let with = "kubeconfig changed.crt --cluster admin --client-ca ca.crt --out a";
    folder.typed(with).fails(1, &words);
    let encode = |pem: &str| base64::prelude::BASE64_STANDARD.encode(pem);
    let object = issued.replace(&encode(&pem), &encode(&changed));
    assert_ne!(object, issued);
    folder.write("changed.yaml", object);
    folder
        .typed("reply changed.yaml --kubeconfig admin --out r")
        .fails(1, &words);
    assert!(!folder.has("r"));
}

#[test]
fn typographic_quotation_marks_are_named_to_who_verifies() {
    let folder = journey();
    let manifest = folder.read("alice.csr.yaml");
    let marked = |open: &str, close: &str| {
        let mut is_open = false;
        let parts = manifest.split('"').map(str::to_owned);
        parts
            .reduce(|text, part| {
                is_open = !is_open;
                text + if is_open { open } else { close } + &part
            })
            .unwrap()
    };
    for (open, close) in [
        ("\u{201c}", "\u{201d}"),
        ("\u{201e}", "\u{201c}"),
        ("\u{ab}", "\u{bb}"),
        ("\u{e2}\u{20ac}\u{153}", "\u{e2}\u{20ac}\u{9d}"),
    ] {
        folder.write("word.csr.yaml", marked(open, close));
        let ended = folder.typed("verify word.csr.yaml --user alice --no-groups");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("quotation marks"), "{open}: {said}");
        assert!(!said.contains("YOUR rights"), "{open}: {said}");
    }
    let old: Vec<u8> = marked("\u{201c}", "\u{201d}")
        .chars()
        .map(|c| match c {
            '\u{201c}' => 0x93,
            '\u{201d}' => 0x94,
            other => u8::try_from(other).unwrap(),
        })
        .collect();
    folder.write("word.csr.yaml", old);
    let ended = folder.typed("verify word.csr.yaml --user alice --no-groups");
    assert!(ended.stdout.contains("quotation marks"), "{}", ended.stdout);
}

#[test]
fn a_signature_is_no_key_and_is_passed_over_in_a_folder() {
    let folder = journey();
    let armour = |what: &str| {
        format!("-----BEGIN PGP {what}-----\n\niHUEAB\n=abcd\n-----END PGP {what}-----\n")
    };
    folder.write("a.asc", armour("SIGNATURE"));
    folder.write("b.asc", armour("PUBLIC KEY BLOCK"));
    folder.write("c.asc", armour("PRIVATE KEY BLOCK"));
    for (file, named) in [
        ("a.asc", "a signature, made with OpenPGP"),
        ("b.asc", "a public key of OpenPGP"),
        ("c.asc", "a private key of OpenPGP"),
    ] {
        folder
            .typed(&format!("kubeconfig {file}"))
            .fails(1, &[named]);
        let ended = folder.typed(&format!("verify {file} --user alice --no-groups"));
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains(named), "{said}");
    }
    std::fs::create_dir(folder.file("sent")).unwrap();
    folder.write("sent/alice.csr.yaml", folder.read("alice.csr.yaml"));
    folder.write("sent/alice.csr.yaml.asc", armour("SIGNATURE"));
    folder.write("sent/alice.csr.yaml.gpg", b"\x88\x75\x04\0\x16\x0a\0\x1d");
    folder.write(
        "sent/alice.csr.yaml.sig",
        b"-----BEGIN SSH SIGNATURE-----\nYQ==\n-----END SSH SIGNATURE-----\n",
    );
    let ended = folder.typed("verify sent --user alice -g dev").good();
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains("3 signatures"), "{said}");
}

#[test]
fn a_reply_in_signed_text_is_read_and_a_request_named() {
    let folder = journey();
    let signed = |text: String| {
        let escaped: Vec<_> = text
            .lines()
            .map(|line| {
                let escape = if line.starts_with('-') { "- " } else { "" };
                format!("{escape}{line}\n")
            })
            .collect();
        let escaped = escaped.concat();
        format!(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{escaped}-----BEGIN PGP SIGNATURE-----\n\n\
             iHUEAB\n=abcd\n-----END PGP SIGNATURE-----\n"
        )
    };
    folder.write("reply.asc", signed(folder.read("alice.reply.yaml")));
    let ended = folder.typed("kubeconfig reply.asc --out a").good();
    ended.says(&["a signature of OpenPGP, which was not checked"]);
    folder.write("request.asc", signed(folder.read("alice.csr.yaml")));
    let ended = folder.typed("verify request.asc --user alice --no-groups");
    assert_eq!(ended.status, 1);
    assert!(ended.stdout.contains("gpg --decrypt"), "{}", ended.stdout);
}

#[test]
fn a_document_is_no_passphrase_and_one_line_is() {
    let folder = Folder::new();
    for contents in [
        "-----BEGIN SSH SIGNATURE-----\nYQ==\n-----END SSH SIGNATURE-----\n",
        "Private-Key: (2048 bit, 2 primes)\nmodulus:\n    00:ab\nprivateExponent:\n    01:02\n",
        "# created: 2026-11-28T11:00:00Z\n# public key: age1x\nAGE-SECRET-KEY-1QQ\n",
        "Error from server (Forbidden): csr is forbidden\n",
        "{\"auths\": {\"a\": {\"auth\": \"b\"}}}\n",
        "machine a login b password c\n",
        "SPKAC=MIICQDCC\n",
        "${PASSPHRASE}\nand more\n",
    ] {
        folder.write("file", contents);
        folder.set_mode("file", 0o600);
        let request = "request bob --algorithm ed25519 --passphrase-file file";
        folder.typed(request).fails(2, &["file", "passphrase"]);
        assert!(!folder.has("bob.key"));
    }
    for (number, line) in [
        "# nobody guesses this",
        "${not} a <place> to {{fill}} in",
        "https://correct.horse/battery",
        "30 31 32 and so on",
        "name: value",
    ]
    .iter()
    .enumerate()
    {
        folder.write("file", format!("{line}\n"));
        let request = format!("request user{number} --algorithm ed25519 --passphrase-file file");
        folder.typed(&request).good();
    }
}

#[test]
fn nobody_is_told_to_have_a_private_key_sent() {
    let folder = journey();
    folder.write("quoted", before_each(&folder.read("alice.key"), "> "));
    let said = folder.typed("inspect quoted").stdout;
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("never to be sent"), "{said}");
    assert!(!said.contains("attachment"), "{said}");
    if !have("openssl") {
        return;
    }
    let printed = folder.peer("openssl", &["pkey", "-in", "alice.key", "-noout", "-text"]);
    folder.write("printed", printed);
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.file("printed"), mode).unwrap();
    for command in [
        "kubeconfig printed",
        "inspect printed",
        "verify printed --user alice --no-groups",
    ] {
        let ended = folder.typed(command);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            said.contains("a private key as openssl prints it"),
            "{command}: {said}"
        );
        assert!(!said.contains("attachment"), "{command}: {said}");
    }
}

#[test]
fn inspect_tells_how_a_cluster_is_reached_and_what_is_run_for_it() {
    let folder = Folder::new();
    folder.write(
        "hid",
        "apiVersion: v1\nkind: Config\n\
         clusters: [{name: o, cluster: {server: \"https://o\", insecure-skip-tls-verify: true, \
         proxy-url: \"http://user:word@proxy.example:3128\", tls-server-name: other.example}}]\n\
         contexts: [{name: o, context: {cluster: o, user: o, namespace: kube-system}}]\n\
         users: [{name: o, user: {exec: {command: /tmp/other.sh, args: [word]}}}]\n",
    );
    let ended = folder.typed("inspect hid");
    for told in [
        "insecure-skip-tls-verify",
        "http://proxy.example:3128",
        "other.example",
        "kube-system",
        "/tmp/other.sh",
    ] {
        assert!(ended.stdout.contains(told), "{told}: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains("word"), "{}", ended.stdout);
    let report = folder.typed("inspect hid -o json").json();
    let context = &report["objects"][0]["kubeconfig"]["contexts"][0];
    assert_eq!(context["insecure"], true);
    assert_eq!(context["proxyUrl"], "http://proxy.example:3128");
    assert_eq!(context["tlsServerName"], "other.example");
    assert_eq!(context["namespace"], "kube-system");
    assert_eq!(context["runs"], "/tmp/other.sh");
}

#[test]
fn a_reply_is_read_from_what_programs_show_of_it() {
    let folder = journey();
    let reply = folder.read("alice.reply.yaml");
    let numbered = |sign: &str| {
        let lines = reply.lines().enumerate();
        let lines: Vec<_> = lines
            .map(|(number, line)| format!("{:6}{sign}{line}\n", number + 1))
            .collect();
        lines.concat()
    };
    for (number, came) in [
        numbered("\t"),
        numbered(" | "),
        format!("{{code:yaml}}\n{reply}{{code}}\n"),
        format!("{{noformat}}\n{reply}{{noformat}}\n"),
        serde_json::json!({"channel": "ops", "text": reply}).to_string(),
        reply.replace("---\n", ""),
        reply.replace("---\n", "\u{2014}\n"),
        reply.replace("---\n", "________\n"),
        reply.replace('\n', "\\n"),
        format!(
            "<pre><code class=\"a\">{}</code></pre>\n",
            reply.replace('"', "&#x22;")
        ),
        format!("From a@b Sat Nov 28 11:00:00 2026\nSubject: it\n\n{reply}"),
    ]
    .into_iter()
    .enumerate()
    {
        folder.write("came", &came);
        let ended = folder.typed(&format!("kubeconfig came --out out{number}"));
        assert_eq!(ended.status, 0, "{came}: {}", ended.stderr);
    }
}

#[test]
fn a_template_is_no_request_that_waits() {
    let folder = journey();
    let template = "apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\n\
                    metadata:\n  name: ${USER}\nspec:\n  request: $(cat a.csr)\n  \
                    signerName: kubernetes.io/kube-apiserver-client\n  usages: [client auth]\n";
    folder.write("template", template);
    for command in ["kubeconfig template", "reply template --kubeconfig admin"] {
        folder.typed(command).fails(1, &["a template", "line 4"]);
    }
}

#[test]
fn what_is_advised_fits_the_place_and_the_file() {
    let folder = journey();
    let ended = folder.typed("reply issued.yaml --kubeconfig alice.key");
    assert!(!ended.stderr.contains("--key"), "{}", ended.stderr);
    folder.write(
        "text",
        "-----BEGIN SSH SIGNATURE-----\nYQ==\n-----END SSH SIGNATURE-----\n",
    );
    let ended = folder.typed("kubeconfig text");
    assert!(!ended.stderr.contains("base64"), "{}", ended.stderr);
    folder.write(
        "env",
        "TOKEN=QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo\nNAME=QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo\n",
    );
    let ended = folder.typed("kubeconfig env");
    assert!(!ended.stderr.contains("base64"), "{}", ended.stderr);
    folder.write("empty", "\n");
    folder
        .typed("request zed --no-passphrase --config empty")
        .fails(2, &["there is nothing in it"]);
    if have("openssl") {
        folder.peer(
            "openssl",
            &["genpkey", "-algorithm", "x25519", "-out", "other.key"],
        );
        let ended = folder.typed("request zed --csr other.key");
        assert!(!ended.stderr.contains("--key"), "{}", ended.stderr);
        let store = [
            "crl2pkcs7",
            "-nocrl",
            "-certfile",
            "alice.crt",
            "-outform",
            "DER",
            "-out",
            "a.p7b",
        ];
        folder.peer("openssl", &store);
        let ended = folder.typed("kubeconfig a.p7b");
        let step = ended
            .stderr
            .lines()
            .find(|line| line.contains("openssl pkcs7"));
        folder.peer("sh", &["-c", step.unwrap()]);
    }
}

#[test]
fn a_number_without_a_unit_is_asked_back() {
    let folder = journey();
    folder
        .typed("list --expires-within 14")
        .fails(2, &["is 14d meant"]);
    assert_ne!(folder.typed("list --expires-within 14s").status, 2);
}

#[test]
fn a_file_may_stand_behind_f_as_with_kubectl() {
    let folder = journey();
    folder.typed("passphrase -f alice.key --remove").good();
    folder.typed("renew -f alice.crt --no-passphrase").good();
    folder
        .typed("renew --no-passphrase")
        .fails(2, &["CREDENTIAL"]);
}
