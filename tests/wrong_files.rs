//! Every kind of file that people mistake for another, at every option that takes one: it is called by
//! its name, nothing of it is repeated, nothing is written, and what is advised works.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::commands::{TAKES_A_FILE, Want, journey};
use common::{Ended, Folder, authority, have};

/// A file, the words that it is called by, and where it is right or tells more of itself.
struct Kind {
    name: &'static str,
    contents: Vec<u8>,
    words: &'static str,
    fits: &'static [Want],
}

fn kind(
    name: &'static str,
    contents: impl AsRef<[u8]>,
    words: &'static str,
    fits: &'static [Want],
) -> Kind {
    let contents = contents.as_ref().to_vec();
    Kind {
        name,
        contents,
        words,
        fits,
    }
}

#[allow(clippy::too_many_lines, reason = "it is a table")]
fn kinds(folder: &Folder) -> Vec<Kind> {
    let key = folder.read("alice.key");
    let certificate = folder.read("alice.crt");
    let der = |pem: &str| {
        let body: String = pem
            .lines()
            .filter(|line| !line.starts_with("---"))
            .collect();
        BASE64_STANDARD.decode(body).unwrap()
    };
    let pem = |label: &str, body: &[u8]| {
        let base64 = BASE64_STANDARD.encode(body);
        let lines: Vec<_> = base64
            .as_bytes()
            .chunks(64)
            .map(String::from_utf8_lossy)
            .collect();
        format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            lines.join("\n")
        )
    };
    let secret = b"openssh-key-v1\0none a secret that nobody should ever see, of some length";
    let words =
        "a secret that nobody should ever see, in base64: QSBzZWNyZXQgdGhhdCBub2JvZHkgc2hvdWxk";
    let pkcs12 = [&[0x30, 0x82, 0x01, 0x00, 2, 1, 3, 0x30][..], &[7; 256]].concat();
    let pkcs7 = [
        &[
            0x30, 0x82, 0x01, 0x00, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2,
        ][..],
        &[7; 256],
    ]
    .concat();
    let cut = key.lines().take(2).collect::<Vec<_>>().join("\n");
    let all: &[Want] = &[];
    vec![
        kind(
            "empty",
            "",
            "there is nothing in it",
            &[Want::Configuration, Want::Kubeconfig],
        ),
        kind(
            "blank",
            "\n \n",
            "there is nothing in it",
            &[Want::Configuration, Want::Kubeconfig],
        ),
        kind("key", &key, "a private key", &[Want::Key, Want::Unlockable]),
        kind(
            "key in DER",
            der(&key),
            "a private key",
            &[Want::Key, Want::Unlockable],
        ),
        kind(
            "OPENSSH",
            pem("OPENSSH PRIVATE KEY", secret),
            "the format of OpenSSH",
            all,
        ),
        kind(
            "PuTTY",
            format!("PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 1\n{words}\n"),
            "a private key of PuTTY",
            all,
        ),
        kind(
            "SSH public key",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ alice@laptop\n",
            "a public key of SSH",
            all,
        ),
        kind(
            "JWK",
            format!("{{\"kty\":\"EC\",\"d\":\"{words}\"}}"),
            "a key in JSON (JWK)",
            all,
        ),
        kind(
            "PGP",
            format!(
                "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{words}\n-----END PGP PRIVATE KEY BLOCK-----\n"
            ),
            "a private key of OpenPGP",
            all,
        ),
        kind(
            "PGP message",
            format!("-----BEGIN PGP MESSAGE-----\n\n{words}\n-----END PGP MESSAGE-----\n"),
            "encrypted as a whole, with OpenPGP",
            all,
        ),
        kind(
            "age",
            format!("age-encryption.org/v1\n-> X25519 {words}\n"),
            "encrypted as a whole, with age",
            all,
        ),
        kind("PKCS#12", &pkcs12, "a PKCS#12 file (PFX)", all),
        kind(
            "JKS",
            [&b"\xFE\xED\xFE\xED\0\0\0\x02"[..], words.as_bytes()].concat(),
            "a Java key store",
            all,
        ),
        kind("PKCS#7", &pkcs7, "a PKCS#7 file", all),
        kind("PKCS#7 in PEM", pem("PKCS7", &pkcs7), "a PKCS#7 file", all),
        kind(
            "certificate",
            &certificate,
            "a certificate",
            &[
                Want::Certificate,
                Want::Reply,
                Want::Person,
                Want::Request,
                Want::Credential,
            ],
        ),
        kind(
            "request",
            folder.read("alice.csr"),
            "a certification request",
            &[Want::Request, Want::Person, Want::Csr],
        ),
        kind("CRL", pem("X509 CRL", secret), "revoked certificates", all),
        kind(
            "parameters",
            pem("EC PARAMETERS", b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"),
            "parameters of a curve",
            all,
        ),
        kind(
            "kubeconfig",
            folder.read("admin"),
            "a kubeconfig",
            &[
                Want::Kubeconfig,
                Want::Request,
                Want::Person,
                Want::Credential,
                Want::Unlockable,
            ],
        ),
        kind(
            "gzip",
            b"\x1F\x8B\x08\0\0\0\0\0",
            "compressed with gzip",
            all,
        ),
        kind("zip", b"PK\x03\x04\x14\0\0\0", "a zip archive", all),
        kind(
            "tar",
            [&[b'x'; 257][..], b"ustar\0", &[0; 100]].concat(),
            "a tar archive",
            all,
        ),
        kind(
            "PDF",
            b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n",
            "a PDF document",
            all,
        ),
        kind("PNG", b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", "an image", all),
        kind("JPEG", b"\xFF\xD8\xFF\xE0\0\x10JFIF", "an image", all),
        kind(
            "web page",
            "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n",
            "a web page",
            all,
        ),
        kind(
            "mail",
            "From: alice@example.org\nSubject: the key\n\nIt is attached.\n",
            "a mail",
            all,
        ),
        kind(
            "table",
            "NAME    AGE   SIGNERNAME   REQUESTOR   CONDITION\nalice   58s   kubernetes.io/kube-apiserver-client   admin   Approved,Issued\n",
            "a table that kubectl prints",
            all,
        ),
        kind(
            "description",
            "Name:               alice\nLabels:             <none>\nRequesting User:    admin\n",
            "what kubectl describe prints",
            all,
        ),
        kind(
            "error",
            "Error from server (Forbidden): certificatesigningrequests is forbidden\n",
            "an error message",
            all,
        ),
        kind(
            "not found",
            "Error from server (NotFound): certificatesigningrequests \"alice\" not found\n",
            "NotFound",
            all,
        ),
        kind(
            "shell",
            "bash: kubectl: command not found\n",
            "an error message",
            all,
        ),
        kind(
            "template",
            "metadata:\n  name: {{ username }}\n",
            "line 2 is not filled in",
            &[Want::Configuration],
        ),
        kind(
            "cfssl",
            "{\"CN\": \"alice\", \"key\": {\"algo\": \"ecdsa\", \"size\": 256}}\n",
            "a request of cfssl",
            all,
        ),
        kind(
            "certreq",
            "[NewRequest]\r\nSubject = \"CN=alice\"\r\n",
            "an INF file for certreq",
            all,
        ),
        kind("cut off", cut, "cut off behind line 2", all),
        kind("zeros", [0; 4096], "only zero bytes", all),
        kind(
            "another END",
            key.replace("END PRIVATE", "END RSA PRIVATE"),
            "begins with other words, in line 1, than it ends with, in line",
            all,
        ),
        kind(
            "no BEGIN",
            key.split_once('\n').unwrap().1,
            "there is an END in line",
            all,
        ),
        kind(
            "a hole",
            {
                let mut lines: Vec<_> = certificate.lines().collect();
                lines.drain(3..5);
                lines.join("\n")
            },
            "a certificate that is damaged",
            all,
        ),
        kind(
            "DER that is cut off",
            &der(&certificate)[..200],
            "cut off: 200 of",
            all,
        ),
        kind(
            "another label",
            certificate.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
            "a label of other programs",
            all,
        ),
        kind(
            "JSON with PEM",
            serde_json::to_string_pretty(
                &serde_json::json!({"csr": folder.read("alice.csr"), "key": &key}),
            )
            .unwrap(),
            "JSON with PEM in its fields",
            all,
        ),
        kind(
            ".NET",
            format!("<RSAKeyValue><D>{words}</D></RSAKeyValue>"),
            "a key in XML",
            all,
        ),
        kind(
            "Windows",
            [&b"\x07\x02\0\0\0\xA4\0\0RSA2"[..], &[9; 99]].concat(),
            "a private key of Windows",
            all,
        ),
        kind(
            "ssh.com",
            format!("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n{words}\n"),
            "a private key of ssh.com",
            all,
        ),
        kind(
            "hexadecimal",
            kube_enroll::text::hex(&der(&certificate)),
            "hexadecimal digits",
            all,
        ),
        kind("address", "https://example.org/alice.yaml\n", "(URL)", all),
        kind(
            "macOS",
            [&b"\0\x05\x16\x07\0\x02\0\0"[..], &[0; 99]].concat(),
            "what macOS writes beside a file",
            all,
        ),
        kind(
            "UTF-32",
            b"\xFF\xFE\0\0a\0\0\0b\0\0\0",
            "text in UTF-32",
            all,
        ),
        kind("LUKS", b"LUKS\xBA\xBE\0\x02 something", "LUKS", all),
        kind(
            "docx",
            [
                &b"PK\x03\x04\x14\0\x06\0"[..],
                &[0; 22],
                b"[Content_Types].xml",
            ]
            .concat(),
            "an office program",
            all,
        ),
        kind(
            "winmail.dat",
            b"\x78\x9F\x3E\x22\x01\0 something",
            "winmail.dat",
            all,
        ),
        kind(
            "Secret",
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n",
            "Secret",
            &[Want::Configuration, Want::Request, Want::Roster],
        ),
        kind(
            "no indentation",
            joined(folder.read("alice.reply.yaml").lines().map(str::trim_start)),
            "lost the indentation",
            &[Want::Request, Want::Configuration],
        ),
        kind(
            "no beginning",
            joined(folder.read("alice.reply.yaml").lines().skip(4)),
            "whose beginning is missing",
            &[Want::Request, Want::Kubeconfig],
        ),
        kind("damaged", key.replacen('M', "!", 3), "damaged", all),
        kind(
            "token",
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2VjcmV0\n",
            "a token",
            all,
        ),
        kind(
            "Git LFS",
            "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n",
            "a pointer of Git LFS",
            all,
        ),
    ]
}

/// Lines, each with its end.
fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines: Vec<_> = lines.collect();
    lines.join("\n") + "\n"
}

fn said(ended: &Ended) -> String {
    let said = format!("{}{}", ended.stdout, ended.stderr);
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_kind_of_file_is_called_by_its_name_wherever_it_is_given() {
    let folder = journey();
    let kinds = kinds(&folder);
    folder.write("FILE", "");
    let before = folder.names();
    let mut wrong = Vec::new();
    for kind in &kinds {
        for (command, want) in TAKES_A_FILE {
            // Any text may be a passphrase, and what is looked at is what it is.
            let is_any = [Want::Anything, Want::Passphrase].contains(want);
            if is_any || kind.fits.contains(want) {
                continue;
            }
            folder.write("FILE", &kind.contents);
            let ended = folder.typed(command);
            let said = said(&ended);
            let name = kind.name;
            if !(ended.status == 1 || ended.status == 2) {
                wrong.push(format!("{name}: {command:?} ends with {}", ended.status));
            } else if !said.contains("FILE") || !said.contains(kind.words) {
                wrong.push(format!("{name}: {command:?} says {said}"));
            }
            let text = String::from_utf8_lossy(&kind.contents);
            let secret = text
                .lines()
                .filter(|line| line.len() > 30 && !line.starts_with("-----"));
            for line in secret {
                let piece: String = line.chars().skip(12).take(12).collect();
                if kind.name != "kubeconfig" && kind.name != "request" && said.contains(&piece) {
                    wrong.push(format!("{name}: {command:?} repeats {piece:?}"));
                }
            }
            assert_eq!(folder.names(), before, "{name}: {command:?}");
            let is_untouched = std::fs::read(folder.file("FILE")).unwrap() == kind.contents;
            assert!(is_untouched, "{name}: {command:?}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A folder is given where a file is wanted.
#[test]
fn a_folder_is_called_a_folder() {
    let folder = journey();
    std::fs::create_dir(folder.file("FILE")).unwrap();
    for (command, want) in TAKES_A_FILE {
        let takes_folders = command.starts_with("verify FILE")
            || command.starts_with("list ")
            || *want == Want::Key && command.starts_with("kubeconfig");
        if !takes_folders {
            folder.typed(command).fails(2, &["FILE", "is a directory"]);
        }
    }
}

/// A step of a message: the line that starts with one of these programs.
fn steps<'a>(ended: &'a Ended, programs: &[&str]) -> Vec<&'a str> {
    let lines = ended.stderr.lines().map(str::trim);
    let lines = lines.map(|line| line.strip_prefix("run: ").unwrap_or(line));
    lines
        .filter(|line| programs.iter().any(|program| line.starts_with(program)))
        .collect()
}

/// Runs what a message advises, in its folder, with what it asks for typed before.
fn follow(folder: &Folder, step: &str, more: &str) {
    folder.peer("sh", &["-c", &format!("{step} {more}")]);
}

#[test]
fn keys_of_openssh_and_putty_are_converted_by_the_commands_that_are_advised() {
    if !["ssh-keygen", "puttygen"].into_iter().all(have) {
        return;
    }
    let folder = journey();
    for (kind, bits) in [("rsa", "3072"), ("ecdsa", "256")] {
        let made = format!("openssh-{kind}");
        let make = ["-q", "-t", kind, "-b", bits, "-N", "", "-f", &made];
        folder.peer("ssh-keygen", &make);
        let request = format!("request bob --no-passphrase --key {made}");
        let ended = folder.typed(&request);
        ended.fails(2, &["a private key in the format of OpenSSH"]);
        let [copy, convert] = steps(&ended, &["cp ", "ssh-keygen "])[..] else {
            panic!("{}", ended.stderr);
        };
        follow(&folder, copy, "");
        follow(&folder, convert, "-P '' -N ''");
        let new = format!("openssh-{kind}-pkcs8.key");
        let out = format!("out-{kind}");
        let request = format!("request bob --key {new} --output-dir {out}");
        folder.typed(&request).good();

        let putty = format!("putty-{kind}.ppk");
        folder.peer("puttygen", &[&made, "-O", "private", "-o", &putty]);
        let ended = folder.typed(&format!("request bob --no-passphrase --key {putty}"));
        ended.fails(2, &["a private key of PuTTY"]);
        let [export, convert] = steps(&ended, &["puttygen ", "ssh-keygen "])[..] else {
            panic!("{}", ended.stderr);
        };
        follow(&folder, export, "");
        follow(&folder, convert, "-P '' -N ''");
        let new = format!("putty-{kind}.ppk-pkcs8.key");
        let out = format!("out-putty-{kind}");
        let request = format!("request bob --key {new} --output-dir {out}");
        folder.typed(&request).good();
    }
    folder.peer("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", "ed"]);
    folder.typed("request bob --no-passphrase --key ed").fails(
        2,
        &["Ed25519", "ssh-keygen writes no such key", "make a new key"],
    );
}

#[test]
fn stores_of_keys_give_them_up_to_the_commands_that_are_advised() {
    if !["openssl", "keytool"].into_iter().all(have) {
        return;
    }
    let folder = journey();
    let make = "openssl pkcs12 -export -inkey alice.key -in alice.crt -name alice -out store.pfx -passout pass:secret12";
    folder.peer("sh", &["-c", make]);
    let ended = folder.typed("request bob --key store.pfx");
    ended.fails(2, &["a PKCS#12 file"]);
    let [step] = steps(&ended, &["openssl "])[..] else {
        panic!("{}", ended.stderr);
    };
    follow(
        &folder,
        step,
        "-passin pass:secret12 -passout pass:another12",
    );
    folder.write("pass", "another12\n");
    let new = "request bob --key store.pfx-pkcs8.key --passphrase-file pass";
    folder.typed(&format!("{new} --output-dir out")).good();

    let ended = folder.typed("kubeconfig store.pfx --cluster admin");
    let [step] = steps(&ended, &["openssl "])[..] else {
        panic!("{}", ended.stderr);
    };
    follow(&folder, step, "-passin pass:secret12");
    let kubeconfig = "kubeconfig store.pfx-new.crt --key alice.key --cluster admin";
    folder
        .typed(&format!("{kubeconfig} --out from-store"))
        .good();

    let make = "keytool -genkeypair -keystore store.jks -storetype JKS -storepass secret12 -keypass secret12 -alias a -keyalg RSA -keysize 2048 -dname CN=a";
    folder.peer("sh", &["-c", make]);
    let ended = folder.typed("request bob --key store.jks");
    ended.fails(2, &["a Java key store"]);
    let [import, take] = steps(&ended, &["keytool ", "openssl "])[..] else {
        panic!("{}", ended.stderr);
    };
    follow(
        &folder,
        import,
        "-srcstorepass secret12 -deststorepass secret12",
    );
    follow(
        &folder,
        take,
        "-passin pass:secret12 -passout pass:another12",
    );
    let new = "request bob --key store.jks-pkcs8.key --passphrase-file pass";
    folder.typed(&format!("{new} --output-dir out2")).good();
}

#[test]
fn keys_under_old_encryptions_are_converted_by_the_command_that_is_advised() {
    if !["openssl"].into_iter().all(have) {
        return;
    }
    let folder = journey();
    for (name, make) in [
        (
            "rfc1421.key",
            "openssl genrsa -traditional -aes128 -passout pass:secret12 2048 > rfc1421.key",
        ),
        (
            "pbes1.key",
            "openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -in alice.key -passout pass:secret12 -out pbes1.key",
        ),
    ] {
        folder.peer("sh", &["-c", make]);
        folder.write("old", "secret12\n");
        let request = format!("request bob --key {name} --passphrase-file old");
        let ended = folder.typed(&request);
        assert_eq!(ended.status, 2, "{}", ended.stderr);
        let [step] = steps(&ended, &["openssl "])[..] else {
            panic!("{}", ended.stderr);
        };
        follow(
            &folder,
            step,
            "-passin pass:secret12 -passout pass:secret12",
        );
        let new = name.replace(".key", "-pkcs8.key");
        let request = ["request", "bob", "--key", &new, "--passphrase-file", "old"];
        folder
            .run(
                &[
                    &request[..],
                    &["--output-dir", name.trim_end_matches(".key")],
                ]
                .concat(),
            )
            .good();
    }
}

#[test]
fn packed_and_wrapped_files_are_opened_by_the_commands_that_are_advised() {
    if !["openssl", "gzip", "tar"].into_iter().all(have) {
        return;
    }
    let folder = journey();
    let kubeconfig = "kubeconfig FILE --key alice.key";
    let opened = |make: &str, from: &str| {
        folder.peer("sh", &["-c", make]);
        let ended = folder.typed(&format!("kubeconfig {from} --key alice.key"));
        assert_eq!(ended.status, 1, "{}", ended.stderr);
        let step = ended.stderr.lines().find_map(|line| {
            line.trim().strip_prefix("unpack it: ").or_else(|| {
                let line = line.trim();
                line.starts_with("openssl ").then_some(line)
            })
        });
        follow(&folder, step.unwrap(), "");
    };
    opened("gzip -c alice.reply.yaml > FILE", "FILE");
    folder.typed(&format!("{kubeconfig} --out a")).good();
    opened(
        "gzip -c alice.reply.yaml > zipped.yaml.gz",
        "zipped.yaml.gz",
    );
    assert_eq!(folder.read("zipped.yaml"), folder.read("alice.reply.yaml"));
    opened(
        "mkdir d && cp alice.reply.yaml d/inside.yaml && tar -C d -cf reply.tar inside.yaml",
        "reply.tar",
    );
    assert!(folder.has("inside.yaml"));
    opened(
        "openssl crl2pkcs7 -nocrl -certfile alice.crt -out chain.p7b",
        "chain.p7b",
    );
    let kubeconfig = "kubeconfig chain.p7b-new.crt --key alice.key --cluster admin";
    folder.typed(&format!("{kubeconfig} --out b")).good();
}

#[test]
fn dumps_are_turned_back_by_the_commands_that_are_advised() {
    if !["openssl", "xxd", "hexdump"].into_iter().all(have) {
        return;
    }
    let folder = journey();
    folder.peer(
        "openssl",
        &[
            "pkey",
            "-in",
            "alice.key",
            "-outform",
            "DER",
            "-out",
            "key.der",
        ],
    );
    folder.peer(
        "openssl",
        &[
            "x509",
            "-in",
            "alice.crt",
            "-outform",
            "DER",
            "-out",
            "crt.der",
        ],
    );
    for (number, dump) in [
        "xxd",
        "xxd -p",
        "xxd -u -p -c 16",
        "hexdump -C",
        "xxd -p -c 1 | paste -sd: | fold -w 48",
    ]
    .into_iter()
    .enumerate()
    {
        let turned = |from: &str, command: &[&str]| {
            let name = format!("{from}-{number}");
            let (first, rest) = dump
                .split_once(" | ")
                .map_or((dump, ""), |(first, rest)| (first, rest));
            let pipe = if rest.is_empty() { "" } else { " | " };
            folder.peer(
                "sh",
                &["-c", &format!("{first} {from}.der{pipe}{rest} > {name}")],
            );
            let ended = folder.run(&[command, &[&name]].concat());
            assert_ne!(ended.status, 0);
            let said = ended.stderr.lines().find_map(|line| {
                line.trim()
                    .strip_prefix("turn it into the bytes that it stands for: ")
            });
            follow(
                &folder,
                said.unwrap_or_else(|| panic!("{dump}: {}", ended.stderr)),
                "",
            );
            format!("{name}-new.der")
        };
        let out = format!("out-{number}");
        let request = [
            "request",
            "bob",
            "--no-passphrase",
            "--output-dir",
            &out,
            "--key",
        ];
        let key = turned("key", &request);
        assert_eq!(folder.mode(&key), 0o600);
        folder.run(&[&request[..], &[&key]].concat()).good();
        let renew = ["renew", "--no-passphrase", "--output-dir", &out];
        let certificate = turned("crt", &renew);
        folder.run(&[&renew[..], &[&certificate]].concat()).good();
    }
    folder.peer("sh", &["-c", "od key.der > words"]);
    let request = "request bob --no-passphrase --key words";
    folder
        .typed(request)
        .fails(2, &["hexadecimal digits", "the file itself"]);
}

#[test]
fn certificates_with_trust_are_written_anew_by_the_command_that_is_advised() {
    if !have("openssl") {
        return;
    }
    let folder = journey();
    let trust = "openssl x509 -in alice.crt -trustout -addtrust clientAuth -out trusted.crt";
    folder.peer("sh", &["-c", trust]);
    let ended = folder.typed("renew trusted.crt --no-passphrase");
    ended.fails(2, &["under a label of other programs"]);
    let [step] = steps(&ended, &["openssl "])[..] else {
        panic!("{}", ended.stderr);
    };
    follow(&folder, step, "");
    let new = "trusted.crt-new.crt";
    assert_eq!(folder.read(new), folder.read("alice.crt"));
    folder
        .typed(&format!("renew {new} --no-passphrase --output-dir out"))
        .good();
}

/// OpenSSL reads it too; kubectl does not, nor does the cluster.
#[test]
fn the_old_label_of_certificates_is_read_with_a_note_where_nobody_judges() {
    let folder = journey();
    let old = |pem: &str| pem.replace("CERTIFICATE", "X509 CERTIFICATE");
    let crt = folder.read("alice.crt");
    folder.write("old.crt", old(&crt));
    folder.write("old-ca.crt", old(&authority().certificate().to_pem()));
    if have("openssl") {
        let read = folder.peer("openssl", &["x509", "-in", "old.crt"]);
        assert_eq!(read, crt);
    }
    for command in [
        "renew old.crt --no-passphrase --output-dir renewed",
        "kubeconfig old.crt --key alice.key --cluster admin --out made",
        "kubeconfig alice.crt --key alice.key --server https://a --certificate-authority old-ca.crt --out -",
    ] {
        let said = said(&folder.typed(command).good());
        assert!(
            said.contains("without the old label X509 CERTIFICATE"),
            "{said}"
        );
    }
    let made = folder.read("made");
    assert!(made.contains(&BASE64_STANDARD.encode(&crt)), "{made}");
    folder
        .typed("inspect old.crt")
        .says(&["User         alice", "pem-label", "X509 CERTIFICATE"]);
    assert_eq!(
        folder.typed("list old.crt").good().stdout,
        folder
            .typed("list alice.crt")
            .good()
            .stdout
            .replace("alice.crt", "old.crt")
    );
    folder
        .typed("verify old.crt --user alice -g dev")
        .fails(1, &["NOT GOOD"]);
    // What a cluster issues never has it.
    let issued = with_certificate(&folder, &BASE64_STANDARD.encode(old(&crt)));
    folder.write("issued.yaml", issued);
    for command in [
        "reply issued.yaml --kubeconfig admin",
        "credential --certificate old.crt --key alice.key",
    ] {
        let ended = folder.typed(command);
        assert_ne!(ended.status, 0, "{}", ended.stdout);
        assert!(
            ended.stderr.contains("a label of other programs"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn the_authority_is_taken_out_of_a_kubeconfig_by_the_command_that_is_advised() {
    if !["kubectl", "base64"].into_iter().all(have) {
        return;
    }
    let folder = journey();
    let ended = folder.typed("kubeconfig alice.reply.yaml --client-ca admin");
    ended.fails(2, &["admin is a kubeconfig, not a certificate"]);
    let [step] = steps(&ended, &["kubectl "])[..] else {
        panic!("{}", ended.stderr);
    };
    follow(&folder, step, "> ca.crt");
    let kubeconfig = "kubeconfig alice.reply.yaml --client-ca ca.crt";
    folder.typed(&format!("{kubeconfig} --out a")).good();
}

#[test]
fn a_file_in_place_of_a_passphrase_is_refused() {
    let folder = journey();
    for name in ["alice.key", "alice.crt", "admin", "alice.csr"] {
        folder.set_mode(name, 0o600);
        let command = format!("passphrase alice.key --new-passphrase-file {name}");
        folder.typed(&command).fails(2, &[name, "not a passphrase"]);
    }
}

#[test]
fn what_is_no_file_is_never_replaced_by_one() {
    let folder = journey();
    folder.peer("mkfifo", &["pipe"]);
    std::os::unix::fs::symlink(folder.file("pipe"), folder.file("link")).unwrap();
    std::os::unix::fs::symlink("/dev/null", folder.file("null")).unwrap();
    for (name, what) in [
        ("pipe", "a named pipe"),
        ("link", "a named pipe"),
        ("null", "a device"),
    ] {
        let merge = format!("kubeconfig alice.reply.yaml --merge {name}");
        folder
            .typed(&merge)
            .fails(2, &[name, what, "is not replaced"]);
    }
    assert!(!std::fs::metadata(folder.file("pipe")).unwrap().is_file());
    assert!(folder.file("null").is_symlink());
}

#[test]
fn what_is_advised_for_a_key_overwrites_no_other() {
    let folder = journey();
    let store = [&[0x30, 0x82, 0x01, 0x00, 2, 1, 3, 0x30][..], &[7; 256]].concat();
    folder.write("bob.p12", &store);
    folder.write("bob.p12-pkcs8.key", "another key");
    let request = "request bob --no-passphrase --key bob.p12";
    folder
        .typed(request)
        .fails(2, &["-out bob.p12-pkcs8-2.key"]);
    // Two stores of one stem.
    folder.write("bob.jks", b"\xFE\xED\xFE\xED some store");
    let request = "request bob --no-passphrase --key bob.jks";
    folder.typed(request).fails(2, &["-out bob.jks-pkcs8.key"]);
}

#[test]
fn a_passphrase_is_read_as_it_is_typed_whatever_an_editor_put_around_it() {
    let folder = journey();
    let wide: Vec<u8> = "hunter2hunter2\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    folder.write("plain", "hunter2hunter2\n");
    for (name, contents) in [
        ("marked", b"\xEF\xBB\xBFhunter2hunter2\r\n".to_vec()),
        ("wide", [&b"\xFF\xFE"[..], &wide].concat()),
        ("unmarked", wide.clone()),
    ] {
        folder.write(name, contents);
        let change = format!("passphrase alice.key --new-passphrase-file {name}");
        folder.typed(&change).good();
        let back = "passphrase alice.key --passphrase-file plain";
        folder.typed(&format!("{back} --remove")).good();
    }
}

#[test]
fn what_is_no_passphrase_is_not_taken_for_one() {
    let folder = journey();
    let key = folder.read("alice.key");
    let wide: Vec<u8> = key.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for contents in [
        wide,
        BASE64_STANDARD.encode(&key).into_bytes(),
        b"eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2lnbmF0dXJl\n".to_vec(),
        b"[default]\naws_access_key_id = AKIA\naws_secret_access_key = word\n".to_vec(),
        b"user: alice\npassword: word\n".to_vec(),
    ] {
        folder.write("file", contents);
        let change = "passphrase alice.key --new-passphrase-file file";
        folder.typed(change).fails(2, &["not a passphrase"]);
    }
    assert_eq!(folder.read("alice.key"), key);
}

#[test]
fn a_secret_that_is_typed_in_place_of_a_file_is_not_repeated() {
    let folder = journey();
    let line = folder.read("alice.key").lines().nth(1).unwrap().to_owned();
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJlc2lnbmF0dXJl";
    let word = "sk-Zq7Rt9Lm2Vx4Bn8Kd1Wp";
    for secret in [line.as_str(), token, word] {
        for (words, place) in [
            (
                &["inspect", "X"][..],
                "word 2 of the command line names no file",
            ),
            (&["kubeconfig", "X"], "word 2 of the command line"),
            (
                &["verify", "X", "--user", "a", "--no-groups"],
                "word 2 of the command line",
            ),
            (&["request", "a", "--key", "X"], "--key names no file"),
            (&["renew", "X"], "names no file"),
            (
                &["request", "a", "--passphrase-file", "X"],
                "--passphrase-file names no file",
            ),
            (&["verify", "--explain", "X"], "names no finding"),
        ] {
            let words: Vec<_> = words
                .iter()
                .map(|word| if *word == "X" { secret } else { word })
                .collect();
            let ended = folder.run(&words);
            assert_ne!(ended.status, 0);
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(said.contains(place), "{words:?}: {said}");
            let end = secret.get(secret.len() - 12..).unwrap();
            let piece = secret.get(..12).unwrap();
            assert!(!said.contains(piece) && !said.contains(end), "{said}");
        }
    }
    // A short password is one there all the same.
    let request = "request a --passphrase-file hunter2";
    let ended = folder.typed(request);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    folder
        .typed("inspect alice-of-old.key")
        .fails(2, &["alice-of-old.key"]);
}

#[test]
fn a_pipe_is_waited_for_and_named_where_its_writer_is_late() {
    let folder = journey();
    folder.peer("mkfifo", &["pipe"]);
    let writer = format!(
        "(sleep 1; cat alice.key > pipe) & exec {} request bob --key pipe",
        common::executable()
    );
    folder.peer("sh", &["-c", &writer]);
    assert!(folder.has("bob.csr.yaml"));
    // Nobody can tell who is late from nobody, or who opened the pipe and has still to ask somebody.
    let late = [
        "(sleep 6; cat alice.key >pipe) & PROGRAM request carol --key pipe",
        "(sleep 6; cat alice.key) | PROGRAM request dora --key /dev/stdin",
    ];
    let begun = late.map(|line| {
        let line = line.replace("PROGRAM", &format!("'{}'", common::executable()));
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &line]).current_dir(folder.path());
        shell
            .stderr(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null());
        shell.spawn().unwrap()
    });
    for shell in begun {
        let ended = shell.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{said}");
        assert_eq!(
            said.matches("nothing has come through it yet").count(),
            1,
            "{said}"
        );
    }
    assert!(folder.has("carol.csr.yaml") && folder.has("dora.csr.yaml"));
    // Whoever waits can stop.
    let inspect = ["-s", "INT", "1", &common::executable(), "inspect", "pipe"];
    let ended = folder.other("timeout", &inspect);
    assert_eq!((ended.status, &*ended.stderr), (124, ""));
}

#[test]
fn a_reply_that_ends_before_its_authority_is_cut_off() {
    let folder = journey();
    let reply = folder.read("alice.reply.yaml");
    let end = reply.find("certificate-authority-data").unwrap();
    let (head, _) = reply.split_at(end);
    for cut in [head, head.trim_end_matches(' ')] {
        folder.write("cut", cut);
        folder
            .typed("kubeconfig cut --key alice.key --out made")
            .fails(1, &["cut is cut off", "once more, whole"]);
        assert!(!folder.has("made"));
    }
    // Where there is none at all, that is said in the reply.
    let admin = folder.read("admin");
    let admin: Vec<_> = admin
        .lines()
        .filter(|line| !line.contains("certificate-authority-data"))
        .collect();
    folder.write("admin-without", admin.join("\n"));
    let reply = "reply issued.yaml --kubeconfig admin-without";
    folder.typed(&format!("{reply} --out without")).good();
    folder
        .typed("kubeconfig without --key alice.key --out made")
        .good();
}

#[test]
fn a_token_in_an_address_is_refused_and_not_repeated() {
    let folder = journey();
    for server in [
        "https://k:6443/?token=abcdefghijklmnopqr",
        "https://k:6443#abcdefghijklmnopqr",
        "https://abcdefghijklmnopqr@k:6443",
    ] {
        for ended in [
            folder.typed(&format!(
                "reply issued.yaml --kubeconfig admin --server {server}"
            )),
            folder.typed(&format!("kubeconfig alice.reply.yaml --server {server}")),
        ] {
            ended.fails(ended.status.max(1), &["a query (?)"]);
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(!said.contains("abcdefghijkl"), "{said}");
        }
    }
}

#[test]
fn a_private_key_beside_a_request_is_an_alarm_whatever_it_is_in() {
    let folder = journey();
    let key = folder.read("alice.key");
    let base64 = BASE64_STANDARD.encode(&key);
    let csr = serde_json::json!({"csr": folder.read("alice.csr"), "key": &key});
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\ndata:\n  tls.key: {base64}\n"
    );
    let manifest: String = folder
        .read("alice.csr.yaml")
        .lines()
        .map(|line| match line.split_once("request:") {
            Some((head, _)) => format!("{head}request: \"{base64}\"\n"),
            None => format!("{line}\n"),
        })
        .collect();
    for contents in [csr.to_string(), secret, manifest] {
        folder.write("file", contents);
        let verify = "verify file --user alice -g dev";
        folder
            .typed(verify)
            .fails(1, &["a private key in the file", "delete it"]);
    }
}

#[test]
fn nothing_is_compared_and_predicted_of_what_is_no_request() {
    let folder = journey();
    folder.write(
        "file",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n",
    );
    folder.write("zip", b"PK\x03\x04 something");
    for name in ["file", "zip", "alice.key"] {
        let verify = format!("verify {name} --user alice -g dev");
        let ended = folder.typed(&verify);
        ended.fails(1, &[]);
        assert!(!ended.stdout.contains("DIFFERENT"), "{}", ended.stdout);
        let json = folder.typed(&format!("{verify} -o json")).json();
        assert!(!json.to_string().contains("\"different\""), "{json}");
    }
    let ended = folder.typed("verify file --user alice -g dev");
    ended.fails(1, &["with YOUR rights"]);
    assert!(!ended.stdout.contains("refuses it"), "{}", ended.stdout);
}

/// The issued object with another text in place of its certificate.
fn with_certificate(folder: &Folder, value: &str) -> String {
    let lines = folder.read("issued.yaml");
    let lines = lines
        .lines()
        .map(|line| match line.split_once("certificate: ") {
            Some((head, _)) => format!("{head}certificate: {value}\n"),
            None => format!("{line}\n"),
        });
    lines.collect()
}

#[test]
fn a_certificate_that_is_damaged_is_called_so_and_not_missing() {
    let folder = journey();
    let pem = folder.read("alice.crt");
    let half: String = pem.chars().take(pem.len() / 2).collect();
    let (head, tail) = pem.split_at(pem.len() / 2);
    let flipped = format!("{head}{}", tail.replacen(['A', 'B', 'C', 'D'], "z", 3));
    let base64 = |text: &str| BASE64_STANDARD.encode(text);
    for (value, words) in [
        ("\"!!!\"".to_owned(), "damaged"),
        ("\"<certificate>\"".to_owned(), "nobody filled in"),
        ("17".to_owned(), "is a number"),
        (base64(&half), "cut off behind line"),
        (base64(&folder.read("alice.key")), "is a private key"),
        (base64(&folder.read("alice.csr")), "a certification request"),
        (base64("some text of somebody"), "one line of text"),
        (
            base64(&pem.replace("\nMII", "\nAII")),
            "a certificate that is damaged",
        ),
        (base64(&flipped), "status.certificate"),
    ] {
        folder.write("FILE", with_certificate(&folder, &value));
        for command in [
            &[
                "kubeconfig",
                "FILE",
                "--key",
                "alice.key",
                "--cluster",
                "admin",
            ][..],
            &["reply", "FILE", "--kubeconfig", "admin"],
        ] {
            let ended = folder.run(command);
            let said = said(&ended);
            assert_eq!(ended.status, 1, "{value}: {said}");
            // One letter may be in a part that nothing depends on but the signature.
            let is_named = value == base64(&flipped) || said.contains(words);
            assert!(is_named && !said.contains("Approved"), "{value}: {said}");
            for guess in ["Amazon", "EKS", "cut off in line", "truncated"] {
                assert!(!said.contains(guess), "{value}: {said}");
            }
        }
        assert!(
            !folder
                .names()
                .iter()
                .any(|name| name.contains("kubeconfig"))
        );
    }
}

#[test]
fn a_certificate_that_is_encoded_in_another_way_is_read_all_the_same() {
    let folder = journey();
    let pem = folder.read("alice.crt");
    let packed = BASE64_STANDARD.encode(&pem);
    let chunks = packed.as_bytes().chunks(76);
    let chunks: Vec<_> = chunks.map(String::from_utf8_lossy).collect();
    let body: String = pem
        .lines()
        .filter(|line| !line.starts_with("---"))
        .collect();
    let issued = folder.read("issued.yaml");
    let conditions = joined(issued.lines().filter(|line| !line.contains("certificate:")));
    let without = issued
        .split_once("  conditions:")
        .map_or(conditions, |(head, _)| {
            format!("{head}  certificate: {packed}\n")
        });
    for (number, contents) in [
        with_certificate(&folder, &chunks.join(" ")),
        with_certificate(&folder, &chunks.join("\n    ")),
        with_certificate(&folder, &format!("|\n    {}", pem.replace('\n', "\n    "))),
        with_certificate(&folder, &body),
        with_certificate(&folder, &BASE64_STANDARD.encode(&packed)),
        // Nothing says that it was approved, and there it is.
        without,
    ]
    .into_iter()
    .enumerate()
    {
        folder.write("FILE", contents);
        let out = format!("out-{number}");
        let kubeconfig = "kubeconfig FILE --key alice.key --cluster admin";
        folder.typed(&format!("{kubeconfig} --out {out}")).good();
        let reply = format!("reply-{number}");
        let make = format!("reply FILE --kubeconfig admin --out {reply}");
        folder.typed(&make).good();
        let read = ["kubeconfig", &reply, "--key", "alice.key", "--out"];
        folder
            .run(&[&read[..], &[&format!("again-{number}")]].concat())
            .good();
    }
}

#[test]
fn lines_that_are_not_quoted_are_not_lost() {
    let folder = journey();
    let reply = folder.read("alice.reply.yaml");
    for quoted in 1..reply.lines().count() {
        let lines = reply.lines().enumerate().map(|(number, line)| {
            let sign = if number < quoted { "> " } else { "" };
            format!("{sign}{line}\n")
        });
        folder.write(
            "FILE",
            format!("Hello,\n{}-- \nBob\n", lines.collect::<String>()),
        );
        let out = format!("out-{quoted}");
        let kubeconfig = format!("kubeconfig FILE --key alice.key --out {out}");
        folder.typed(&kubeconfig).good();
        assert_eq!(
            folder.read(&out),
            folder.read("out-1"),
            "{quoted} lines are quoted"
        );
    }
}

#[test]
fn where_a_reply_is_cut_off_that_is_said_and_nowhere_else() {
    let folder = journey();
    let reply = folder.read("alice.reply.yaml");
    for length in (200..reply.len() - 2).step_by(97) {
        folder.write("FILE", &reply[..length]);
        let ended = folder.typed("kubeconfig FILE --key alice.key --out out");
        assert_ne!(ended.status, 0, "{length}: {}", ended.stderr);
        assert!(!ended.stderr.contains("EKS"), "{length}: {}", ended.stderr);
    }
    let one_line = reply.replace('\n', " ");
    let config_map = "apiVersion: v1\nkind: ConfigMap\ndata: {a: [}\n".to_owned();
    for contents in [one_line, config_map] {
        folder.write("FILE", contents);
        let ended = folder.typed("kubeconfig FILE --key alice.key --out out");
        assert_ne!(ended.status, 0);
        for guess in ["cut off", "--cluster", "--kubeconfig"] {
            assert!(!ended.stderr.contains(guess), "{}", ended.stderr);
        }
    }
}

#[test]
fn pem_is_taken_out_of_json_by_the_command_that_is_advised() {
    if !["jq", "openssl"].into_iter().all(have) {
        return;
    }
    let folder = journey();
    let json = |value: serde_json::Value| serde_json::to_string_pretty(&value).unwrap();
    folder.write(
        "csr.json",
        json(serde_json::json!({"csr": folder.read("alice.csr")})),
    );
    folder.write(
        "key.json",
        json(serde_json::json!({"private_key": folder.read("alice.key")})),
    );
    let certificate = serde_json::json!({"data": {"certificate": folder.read("alice.crt")}});
    folder.write("vault.json", json(certificate));
    let trusted = "openssl x509 -in alice.crt -trustout -addtrust clientAuth -out trusted";
    folder.peer("sh", &["-c", trusted]);
    for (wrong, then) in [
        (
            &["request", "--csr", "csr.json"][..],
            &["request", "--csr", "csr.json-new.csr", "--output-dir", "a"][..],
        ),
        (
            &["request", "bob", "--key", "key.json"],
            &[
                "request",
                "bob",
                "--key",
                "key.json-new.key",
                "--output-dir",
                "b",
            ],
        ),
        (
            &[
                "kubeconfig",
                "vault.json",
                "--key",
                "alice.key",
                "--cluster",
                "admin",
            ],
            &[
                "kubeconfig",
                "vault.json-new.crt",
                "--key",
                "alice.key",
                "--cluster",
                "admin",
                "--out",
                "c",
            ],
        ),
        (
            &[
                "kubeconfig",
                "trusted",
                "--key",
                "alice.key",
                "--cluster",
                "admin",
            ],
            &[
                "kubeconfig",
                "trusted-new.crt",
                "--key",
                "alice.key",
                "--cluster",
                "admin",
                "--out",
                "d",
            ],
        ),
    ] {
        let ended = folder.run(wrong);
        let [step] = steps(&ended, &["jq ", "(umask", "openssl "])[..] else {
            panic!("{}", ended.stderr);
        };
        follow(&folder, step, "");
        folder.run(then).good();
    }
}

#[test]
fn what_a_kubeconfig_lacks_is_mended_by_the_commands_that_are_advised() {
    if !["kubectl", "openssl"].into_iter().all(have) {
        return;
    }
    let folder = journey();
    let admin = folder.read("admin");
    let head = admin.lines();
    let head = head.take_while(|line| !line.starts_with("contexts:"));
    let no_context = joined(head.filter(|line| !line.starts_with("current-context:")));
    let second = "- name: second\n  cluster: {server: https://b}\n";
    let two = no_context.replacen("clusters:\n", &format!("clusters:\n{second}"), 1);
    let reply = "reply issued.yaml --kubeconfig FILE";
    folder.write("FILE", &two);
    let ended = folder.typed(reply);
    ended.fails(2, &["there are 2 clusters in it", "--context"]);
    let [step] = steps(&ended, &["kubectl "])[..] else {
        panic!("{}", ended.stderr);
    };
    follow(&folder, step, "");
    let made = folder.peer(
        "kubectl",
        &[
            "config",
            "get-contexts",
            "-o",
            "name",
            "--kubeconfig",
            "FILE",
        ],
    );
    assert_eq!(made.trim(), "second");
    folder.typed(&format!("{reply} --context second")).good();
    // Which contexts there are.
    folder.write("FILE", admin.replace("cluster: prod", "cluster: gone"));
    let ended = folder.typed(reply);
    ended.fails(
        2,
        &[
            "names the cluster \"gone\"",
            "name a context with --context",
        ],
    );
    let [step] = steps(&ended, &["kubectl "])[..] else {
        panic!("{}", ended.stderr);
    };
    follow(&folder, step, "");
    // An authority that is none.
    let key = BASE64_STANDARD.encode(folder.read("alice.key"));
    let lines = admin
        .lines()
        .map(|line| match line.split_once("authority-data: ") {
            Some((head, _)) => format!("{head}authority-data: {key}\n"),
            None => format!("{line}\n"),
        });
    folder.write("FILE", lines.collect::<String>());
    let ended = folder.typed(reply);
    ended.fails(1, &["no certificate: a private key"]);
    let [step] = steps(&ended, &["kubectl "])[..] else {
        panic!("{}", ended.stderr);
    };
    folder.peer(
        "sh",
        &[
            "-c",
            "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=ca -out ca.crt",
        ],
    );
    follow(&folder, step, "");
    folder.typed(reply).good();
    // And what there is no command for.
    for (contents, words) in [
        ("", "there is no cluster in it"),
        ("a password", "one line of text, not a kubeconfig"),
        (
            "a,b\nc,d\n",
            "text of no kind that is known here, not a kubeconfig",
        ),
        ("clusters: {}\n", "is not a list"),
    ] {
        folder.write("FILE", contents);
        let ended = folder.typed(reply);
        ended.fails(2, &[words]);
        assert!(ended.stderr.lines().count() > 1, "{}", ended.stderr);
    }
}

#[test]
fn keys_in_the_stores_of_others_are_taken_out_by_the_commands_that_are_advised() {
    if !["openssl", "kubectl", "base64"].into_iter().all(have) {
        return;
    }
    let folder = journey();
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\ndata:\n  tls.key: {}\n",
        BASE64_STANDARD.encode(folder.read("alice.key"))
    );
    folder.write("secret.yaml", secret);
    let relabelled = folder
        .read("alice.key")
        .replace("PRIVATE", "OPENSSH PRIVATE");
    folder.write("relabelled", relabelled);
    let make = "openssl pkcs12 -export -legacy -inkey alice.key -in alice.crt -out old.p12 -passout pass:secret12";
    folder.peer("sh", &["-c", make]);
    folder.peer("sh", &["-c", "base64 old.p12 > packed"]);
    folder.write("pass", "another12\n");
    for (name, new, more) in [
        ("secret.yaml", "secret.yaml-new.key", ""),
        ("relabelled", "relabelled-pkcs8.key", ""),
        ("packed", "packed-decoded.bin", ""),
        (
            "old.p12",
            "old.p12-pkcs8.key",
            "-passin pass:secret12 -passout pass:another12",
        ),
    ] {
        let ended = folder.typed(&format!("request bob --no-passphrase --key {name}"));
        ended.fails(2, &[name]);
        let lines = ended.stderr.lines().map(str::trim);
        let lines = lines.map(|line| line.strip_prefix("decode it: ").unwrap_or(line));
        let mut lines = lines;
        let step = lines.rfind(|line| line.starts_with("(umask") || line.starts_with("openssl "));
        follow(&folder, step.unwrap(), more);
        assert!(folder.has(new), "{:?}", folder.names());
    }
    for (number, key) in [
        "secret.yaml-new.key",
        "relabelled-pkcs8.key",
        "old.p12-pkcs8.key",
    ]
    .into_iter()
    .enumerate()
    {
        let out = format!("out-{number}");
        let request = format!("request bob --key {key} --passphrase-file pass");
        folder
            .typed(&format!("{request} --output-dir {out}"))
            .good();
    }
    folder
        .typed("request bob --no-passphrase --key packed-decoded.bin")
        .fails(2, &["a PKCS#12 file"]);
    for (label, words) in [
        ("DSA PRIVATE KEY", "DSA"),
        ("TSS2 PRIVATE KEY", "--csr"),
        ("ANY PRIVATE KEY", "make a new key"),
    ] {
        folder.write("other", kube_enroll::pem::encode(label, b"some key"));
        let request = "request bob --no-passphrase --key other";
        let ended = folder.typed(request);
        ended.fails(2, &[words]);
        assert!(!ended.stderr.contains("openssl"), "{}", ended.stderr);
    }
}

#[test]
fn a_request_of_another_program_is_read_however_it_came() {
    let folder = journey();
    let csr = folder.read("alice.csr");
    let quoted = format!("> {}\n", csr.trim_end().replace('\n', "\n> "));
    for (number, contents) in [quoted, BASE64_STANDARD.encode(&csr)]
        .into_iter()
        .enumerate()
    {
        folder.write("FILE", contents);
        let out = format!("out-{number}");
        folder
            .typed(&format!("request --csr FILE --output-dir {out}"))
            .good();
    }
}

#[test]
fn keys_that_cannot_be_read_stand_with_what_to_do_about_them() {
    let folder = journey();
    folder.peer("mkdir", &["keys"]);
    folder.write("keys/a.key", "-----BEGIN PRIVATE KEY-----\nYQ==\n");
    folder.write("keys/b.key", "ssh-ed25519 AAAA b@c\n");
    folder.write("keys/c.key", "-----BEGIN PRIVATE KEY-----\nYg==\n");
    let ended = folder.typed("kubeconfig alice.reply.yaml --key keys --out out");
    let lines: Vec<_> = ended.stderr.lines().collect();
    let place = |words: &str| lines.iter().position(|line| line.contains(words)).unwrap();
    assert_eq!(place("c.key"), place("a.key") + 1, "{}", ended.stderr);
    assert_eq!(
        place("once more, whole"),
        place("c.key") + 1,
        "{}",
        ended.stderr
    );
    assert_eq!(place("the other file of the pair"), place("b.key") + 1);
}

#[test]
fn an_address_that_leads_nowhere_is_refused_or_told() {
    let folder = journey();
    let reply = |server: &str| {
        let reply = [
            "reply",
            "issued.yaml",
            "--kubeconfig",
            "admin",
            "--server",
            server,
        ];
        folder.run(&reply)
    };
    for (server, words) in [
        ("https://", "expected https://HOST:PORT"),
        ("https://k:99999", "its port is no number"),
        ("https://https://k", "two schemes"),
        ("https://%31%32%37.0.0.1:1", "%"),
        ("https://{{ .Values.host }}", "nobody filled in"),
        ("https://a b", "blank"),
    ] {
        reply(server).fails(1, &[words]);
    }
    for server in [
        "https://127.1",
        "https://169.254.1.1",
        "https://localhost.localdomain",
        "https://kubernetes.default.svc:443",
    ] {
        reply(server).good().says(&["nobody else reaches"]);
    }
    for server in ["https://[fd00::1]:6443", "https://k", "https://k:6443/path"] {
        let ended = reply(server).good();
        assert!(!ended.stderr.contains("nobody else"), "{}", ended.stderr);
    }
}

#[test]
fn a_certificate_that_is_of_no_use_is_told_where_it_is_sent_back() {
    let folder = journey();
    let then = time::OffsetDateTime::now_utc() - time::Duration::days(4000);
    let old = common::issue_at(&folder.read("alice.csr.yaml"), &authority(), then);
    folder.write("old.yaml", old);
    let reply = "reply old.yaml --kubeconfig admin --out old.reply.yaml";
    folder
        .typed(reply)
        .good()
        .says(&["was valid until", "of no use to anybody now"]);
    let other = folder
        .read("issued.yaml")
        .replace("kube-apiserver-client", "kubelet-serving");
    folder.write("other.yaml", other);
    let reply = "reply other.yaml --kubeconfig admin --out other.reply.yaml";
    folder.typed(reply).good().says(&["kubelet-serving"]);
}

#[test]
fn what_is_left_in_a_folder_by_programs_is_passed_over_and_told() {
    let folder = journey();
    folder.peer("mkdir", &["requests"]);
    folder.write("requests/alice.csr.yaml", folder.read("alice.csr.yaml"));
    folder.write("requests/Thumbs.db", b"\xD0\xCF\x11\xE0 something");
    folder.write("requests/alice.csr.yaml~", "an older one");
    folder.write("requests/team.csv", "user,groups\nalice,dev\n");
    let verify = "verify requests --roster requests/team.csv";
    let ended = folder.typed(verify).good();
    let said = said(&ended);
    assert!(said.contains("passed over 3 files of editors"), "{said}");
    // Whatever its name, what is named is judged.
    let named = "verify requests/alice.csr.yaml~ --user alice -g dev";
    folder.typed(named).fails(1, &["NOT GOOD"]);
}

#[test]
fn verify_says_what_to_do_with_what_is_no_request() {
    let folder = journey();
    for (contents, words) in [
        (&b"PK\x03\x04\x14\0\0\0"[..], "unzip FILE"),
        (
            b"NAME  AGE  SIGNERNAME\na  1d  b\n",
            "kubectl get csr NAME -o yaml",
        ),
        (b"Certificate Request:\n    Data:\n", "the PEM is needed"),
    ] {
        folder.write("FILE", contents);
        let verify = "verify FILE --user alice -g dev";
        let ended = folder.typed(verify);
        ended.fails(1, &["Do not create or approve it", words]);
    }
}
