//! Files in QR codes: zbar reads the pictures back, and every command reads what was read from them.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use common::commands::journey;
use common::{Ended, Folder, have};
use kube_enroll::qr::{Picture, parts};
use proptest::prelude::*;

const ALGORITHMS: [&str; 6] = [
    "rsa-2048",
    "rsa-3072",
    "rsa-4096",
    "ecdsa-p256",
    "ecdsa-p384",
    "ed25519",
];
const AGREED: [&str; 4] = ["--user", "alice", "-g", "dev"];

fn request(folder: &Folder, algorithm: &str) -> String {
    let request = ["request", "alice", "-g", "dev", "--no-passphrase"];
    let place = ["--algorithm", algorithm, "--output-dir", algorithm];
    folder.run(&[&request[..], &place].concat()).good();
    format!("{algorithm}/alice.csr.yaml")
}

/// What zbar reads in a picture, one code a line, in no order that could be relied on.
fn scanned(folder: &Folder, picture: &str) -> String {
    let quiet = ["-q", "--raw", "-Sdisable", "-Sqrcode.enable", picture];
    folder.peer("zbarimg", &quiet)
}

/// The same of an SVG, once a renderer made pixels of it.
fn scanned_svg(folder: &Folder, svg: &str) -> String {
    folder.peer("rsvg-convert", &["-o", "rendered.png", svg]);
    scanned(folder, "rendered.png")
}

/// What a terminal shows of half blocks, as a picture in PBM: a cell has 8 by 16 pixels.
fn photographed(text: &str, writes_light: bool) -> String {
    let rows: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
    let width = rows.iter().map(Vec::len).max().unwrap();
    let mut picture = format!("P1\n{} {}\n", width * 8, rows.len() * 16);
    for row in &rows {
        for half in 0..2 {
            let pixels: String = (0..width)
                .map(|column| {
                    let is_written = match row.get(column) {
                        Some('█') => true,
                        Some('▀') => half == 0,
                        Some('▄') => half == 1,
                        _ => false,
                    };
                    let is_dark = is_written != writes_light;
                    if is_dark { "11111111" } else { "00000000" }
                })
                .collect();
            for _ in 0..8 {
                picture.push_str(&pixels);
                picture.push('\n');
            }
        }
    }
    picture
}

fn have_readers() -> bool {
    have("zbarimg") && have("rsvg-convert")
}

#[test]
fn manifests_of_all_algorithms_are_read_from_a_picture_byte_for_byte() {
    if !have_readers() {
        return;
    }
    let folder = Folder::new();
    for algorithm in ALGORITHMS {
        let manifest = request(&folder, algorithm);
        let svg = format!("qr {manifest} -o svg --out codes.svg");
        folder.typed(&svg).good();
        let text = scanned_svg(&folder, "codes.svg");
        std::fs::remove_file(folder.file("codes.svg")).unwrap();
        let joined = parts::join(text.as_bytes()).unwrap();
        assert_eq!(
            joined.file[..],
            *folder.read(&manifest).as_bytes(),
            "{algorithm}"
        );
        let is_small = ["ecdsa-p256", "ecdsa-p384", "ed25519"].contains(&algorithm);
        assert!(
            !is_small || text.lines().count() == 1,
            "{algorithm}: {text}"
        );

        folder.write("scanned.txt", &text);
        let verify = [&["verify", "scanned.txt"][..], &AGREED, &["-o", "manifest"]].concat();
        let created = folder.run(&verify).good().stdout;
        let verify = [&["verify", &manifest][..], &AGREED, &["-o", "manifest"]].concat();
        assert_eq!(created, folder.run(&verify).good().stdout);
    }
}

#[test]
fn manifests_of_all_algorithms_are_read_from_a_terminal_byte_for_byte() {
    if !have_readers() {
        return;
    }
    let folder = Folder::new();
    for algorithm in ALGORITHMS {
        let manifest = request(&folder, algorithm);
        for (inverted, writes_light) in [(&[][..], true), (&["--invert"][..], false)] {
            let shown = folder
                .run(&[&["qr", &manifest][..], inverted].concat())
                .good();
            let mut text = String::new();
            for code in shown.stdout.split("\n\n") {
                folder.write("photo.pbm", photographed(code, writes_light));
                text.push_str(&scanned(&folder, "photo.pbm"));
            }
            let joined = parts::join(text.as_bytes()).unwrap();
            assert_eq!(
                joined.file[..],
                *folder.read(&manifest).as_bytes(),
                "{algorithm}"
            );
        }
    }
}

#[test]
fn each_code_goes_to_a_file_of_its_own() {
    if !have_readers() {
        return;
    }
    let folder = journey();
    let svg = "qr alice.csr.yaml -o svg --parts 3 --output-dir codes";
    let said = folder.typed(svg).good();
    assert!(
        said.stdout.contains("codes/alice.csr.yaml-3-of-3.svg"),
        "{}",
        said.stdout
    );
    let text: String = [3, 1, 2]
        .map(|number| scanned_svg(&folder, &format!("codes/alice.csr.yaml-{number}-of-3.svg")))
        .concat();
    let joined = parts::join(text.as_bytes()).unwrap();
    assert_eq!(joined.file[..], *folder.read("alice.csr.yaml").as_bytes());
    folder.typed(svg).good();
    let svg = ["qr", "-", "-o", "text", "--output-dir", "codes", "-q"];
    let quiet = folder
        .run_with(&svg, folder.read("alice.csr").as_bytes())
        .good();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    assert!(folder.read("codes/qr.txt").contains('█'));
}

/// The parts of a file as a scanner types them.
fn typed(folder: &Folder, file: &str, count: usize) -> Vec<String> {
    let parts = parts::split(folder.read(file).as_bytes(), count);
    parts.iter().map(|part| part.to_string()).collect()
}

#[test]
fn every_command_reads_what_was_scanned_in_any_order() {
    let folder = journey();
    for file in [
        "alice.csr.yaml",
        "alice.csr",
        "issued.yaml",
        "alice.reply.yaml",
        "admin",
    ] {
        let parts = typed(&folder, file, 3);
        let text = [&*parts[2], &parts[0], &parts[1]];
        folder.write(&format!("{file}.txt"), text.concat().to_lowercase());
    }
    let same = |command: &[&str]| {
        let with = |suffix: &str| {
            let words = command.iter().map(|word| word.replace(".qr", suffix));
            let words: Vec<String> = words.collect();
            folder
                .run(&words.iter().map(String::as_str).collect::<Vec<_>>())
                .good()
        };
        let scanned = with(".txt").stdout.replace(".txt", "");
        assert_eq!(scanned, with("").stdout, "{command:?}");
    };
    same(&[
        "inspect",
        "alice.csr.yaml.qr",
        "alice.csr.qr",
        "alice.reply.yaml.qr",
    ]);
    same(&[
        "verify",
        "alice.csr.yaml.qr",
        "--user",
        "alice",
        "-g",
        "dev",
    ]);
    same(&["list", "-o", "csv", "alice.reply.yaml.qr"]);
    same(&["reply", "issued.yaml.qr", "--kubeconfig", "admin.qr"]);
    same(&["rbac", "issued.yaml.qr", "--cluster-role", "view"]);
    same(&["rehearse", "--csr", "alice.csr.qr", "-q"]);
    same(&[
        "request",
        "--csr",
        "alice.csr.qr",
        "-q",
        "--output-dir",
        "again",
    ]);
    same(&["kubeconfig", "alice.reply.yaml.qr", "--out", "-"]);
    same(&[
        "kubeconfig",
        "issued.yaml.qr",
        "--cluster",
        "admin.qr",
        "--out",
        "-",
    ]);
    same(&["qr", "alice.reply.yaml.qr"]);
    let piped = folder.run_with(&["inspect"], folder.read("alice.csr.yaml.txt").as_bytes());
    piped.good();
}

#[test]
fn what_was_not_scanned_whole_is_told_by_every_command() {
    let folder = journey();
    let [one, two, three] = typed(&folder, "alice.csr.yaml", 3).try_into().unwrap();
    let other = &typed(&folder, "alice.reply.yaml", 3)[1];
    let (head, end) = two.split_at(two.len() / 2);
    let other_digit = if end.starts_with('A') { "B" } else { "A" };
    let damaged = format!("{head}{other_digit}{}", &end[1..]);
    let verify = |text: &str| -> Ended {
        folder.write("scanned.txt", text);
        folder.run(&[&["verify", "scanned.txt"][..], &AGREED].concat())
    };
    verify(&format!("{one}\n{three}\n")).fails(2, &["scanned.txt: part 2 of 3 is missing\n  scan"]);
    verify(&format!("{three}\n{three}\n")).fails(
        2,
        &["parts 1, 2 of 3 are missing; part 3 is there more than once"],
    );
    verify(&format!("{one}\n{two}\n{other}\n")).fails(
        2,
        &["part 1 of 3 (line 1) and part 2 of 3 (line 3) are of two different files"],
    );
    verify(&format!("{one}\n{damaged}\n{three}\n")).fails(2, &["part 2 (line 2) is damaged"]);
    verify(&format!("{one}\n{two}\n{three}\nThanks!\n")).fails(
        2,
        &[
            "line 4 holds something that is no part of a QR code",
            "remove what is not from a code",
        ],
    );
    let mail = verify(&format!("Hello,\nhere it is:\n{one}\n{two}\n{three}\n"));
    mail.fails(1, &["text of QR codes with something else around it"]);
    let doubled = verify(&format!("{one}\n{two}\n{two}\n{three}\n")).good();
    assert!(
        doubled
            .stderr
            .contains("part 2 is there more than once, and is the same each time")
    );
    folder.write("scanned.txt", format!("{one}\n{three}\n"));
    for command in [
        &["inspect", "scanned.txt"][..],
        &["list", "scanned.txt"],
        &["reply", "scanned.txt", "--kubeconfig", "admin"],
        &["kubeconfig", "scanned.txt"],
        &["qr", "scanned.txt"],
    ] {
        folder.run(command).fails(2, &["part 2 of 3 is missing"]);
    }
}

#[test]
fn what_is_in_the_codes_is_judged_as_strictly_as_a_file() {
    let folder = journey();
    let manifest = folder.read("alice.csr.yaml");
    let hidden = "---\nkind: ClusterRoleBinding\napiVersion: rbac.authorization.k8s.io/v1\n";
    for (file, words) in [
        (
            format!("{manifest}{hidden}"),
            "ClusterRoleBinding with YOUR rights",
        ),
        (manifest.replace("metadata:", "metadata: &a"), "anchor"),
        (manifest.replace("spec:", "spec: {}\nspec:"), "spec"),
        (format!("> {}", manifest.replace('\n', "\n> ")), "spoiled"),
    ] {
        folder.write("hostile.yaml", &file);
        folder.write("hostile.txt", typed(&folder, "hostile.yaml", 4).concat());
        let verify = |name: &str| {
            let ended = folder.run(&[&["verify", name][..], &AGREED, &["-o", "manifest"]].concat());
            ended.fails(1, &[words]);
            assert_eq!(ended.stdout, "");
            ended.stderr.replace(name, "FILE")
        };
        assert_eq!(verify("hostile.txt"), verify("hostile.yaml"));
    }
    // A mark in a manifest does not make it anything else.
    folder.write("marked.yaml", format!("# 1QRZ0102\n{manifest}"));
    folder
        .run(&[&["verify", "marked.yaml"][..], &AGREED].concat())
        .good();
}

#[test]
fn what_may_be_secret_is_not_shown() {
    let folder = journey();
    let (key, manifest) = (folder.read("alice.key"), folder.read("alice.csr.yaml"));
    let (reply, admin) = (folder.read("alice.reply.yaml"), folder.read("admin"));
    let certificate =
        String::from_utf8(common::certificate_of(&folder.read("issued.yaml"))).unwrap();
    folder
        .typed("kubeconfig alice.reply.yaml --out kubeconfig")
        .good();
    let request = manifest.split('"').nth(7).unwrap();
    let key_inside = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &key);
    for (file, words) in [
        (key.clone(), "a private key"),
        (folder.read("kubeconfig"), "a kubeconfig with users"),
        (admin.clone(), "a kubeconfig with users"),
        (
            reply.replace("server: \"https://", "server: \"https://a:b@"),
            "a kubeconfig with more",
        ),
        (format!("{reply}token: \"abc\"\n"), "a kubeconfig with more"),
        (format!("{certificate}{key}"), "a private key"),
        (
            format!("password: abc\n{certificate}"),
            "line 1 is no part of the PEM",
        ),
        (format!("{certificate}\nhunter2"), "is no part of the PEM"),
        (
            manifest.replace(request, &key_inside),
            "that does not belong there",
        ),
        (
            format!("{manifest}token: abc\n"),
            "that does not belong there",
        ),
        (format!("{manifest}# abc\n"), "a comment in line 11"),
        (format!("--- # abc\n{manifest}"), "a comment in line 1"),
        (manifest.replace("spec:", "spec: {a: b}\nspec:"), "line"),
        (
            format!("{manifest}---\nkind: Secret\napiVersion: v1\n"),
            "is not shown",
        ),
        (
            r#"{"kind": "List", "apiVersion": "v1", "items": [{}], "a": 1}"#.to_owned(),
            "is not shown",
        ),
        ("s3cret\n".to_owned(), "one line of text"),
        (key_inside, "a private key"),
        ("user: alice\npassword: abc\n".to_owned(), "is not shown"),
        (String::new(), "there is nothing in it"),
    ] {
        folder.write("FILE", &file);
        let ended = folder.typed("qr FILE");
        ended.fails(2, &["FILE is not shown: ", words]);
        assert_eq!(ended.stdout, "", "{file}");
        folder.write(
            "FILE",
            parts::split(file.as_bytes(), 2)
                .iter()
                .map(|it| it.to_string())
                .collect::<String>(),
        );
        folder.typed("qr FILE").fails(2, &["FILE is not shown: "]);
    }
    let public = folder.peer("openssl", &["pkey", "-in", "alice.key", "-pubout"]);
    folder.write("alice.pub", public);
    folder.write("alice.crt", &certificate);
    folder.peer(
        "openssl",
        &[
            "x509",
            "-in",
            "alice.crt",
            "-outform",
            "der",
            "-out",
            "alice.der",
        ],
    );
    let get = format!(
        "{{\"kind\": \"List\", \"apiVersion\": \"v1\", \"items\": [{}]}}",
        serde_json::to_string(
            &kube_enroll::yaml::first_document(folder.read("issued.yaml").as_bytes()).unwrap()
        )
        .unwrap()
    );
    folder.write("list.json", get);
    for public in [
        "alice.pub",
        "alice.crt",
        "alice.der",
        "alice.csr",
        "alice.csr.yaml",
        "issued.yaml",
        "alice.reply.yaml",
        "list.json",
    ] {
        folder.typed(&format!("qr {public}")).good();
    }
}

#[test]
fn what_is_too_large_for_codes_is_told() {
    let folder = journey();
    let reply = folder.read("alice.reply.yaml");
    let (object, _) = reply.split_once("---\n").unwrap();
    folder.write("all.yaml", format!("{object}---\n").repeat(100));
    folder
        .typed("qr all.yaml")
        .fails(2, &["too many for 99 codes", "carry it as a file"]);
    folder
        .typed("qr alice.csr --parts 100")
        .fails(2, &["--parts"]);
}

#[test]
fn hostile_parts_take_no_time() {
    let folder = journey();
    let one = &typed(&folder, "alice.csr.yaml", 3)[0];
    let head = &one[..parts::HEAD];
    for text in [
        one.repeat((1 << 20) / one.len()),
        head.repeat((1 << 16) / head.len()),
        "1QRZ".repeat(1 << 18),
        format!("1QRZ{}", "9".repeat(1 << 20))
            .chars()
            .take(1 << 20)
            .collect(),
        format!("1QRZ{}", "A".repeat((1 << 20) - 4)),
        format!("{one}{}", "\n".repeat((1 << 20) - one.len())),
        format!("{}{}", "\n".repeat((1 << 20) - one.len()), one),
        format!("&arw{}", "é".repeat((1 << 19) - 2)),
    ] {
        folder.write("scanned.txt", &text);
        let started = std::time::Instant::now();
        let ended = folder.run(&[&["verify", "scanned.txt"][..], &AGREED].concat());
        ended.fails(2, &["scanned.txt: "]);
        assert!(ended.stderr.len() < 1000, "{}", ended.stderr);
        assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_come_back_from_parts_in_any_order(
        file in prop::collection::vec(any::<u8>(), 0..3000),
        count in 1..=parts::MOST,
        order in any::<u64>(),
        separator in prop::sample::select(vec!["", "\n", "\r\n", " ", "\n\n\t"]),
        lower in any::<bool>(),
    ) {
        let mut parts: Vec<String> = parts::split(&file, count).iter().map(|part| part.to_string()).collect();
        prop_assert!(parts.len() <= count);
        // A shuffle that only the seed decides.
        let mut state = order;
        for last in (1..parts.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            parts.swap(last, usize::try_from(state >> 33).unwrap() % (last + 1));
        }
        let text = parts.join(separator);
        let text = if lower { text.to_lowercase() } else { text };
        prop_assert_eq!(&parts::join(text.as_bytes()).unwrap().file[..], &file[..]);
        if parts.len() > 1 {
            let without = parts[1..].concat();
            let is_missing = matches!(parts::join(without.as_bytes()), Err(parts::PartsError::Missing { .. }));
            prop_assert!(is_missing);
        }
        prop_assert!(parts.iter().all(|part| Picture::new(part).is_some() || part.len() > 1853));
    }

    #[test]
    fn any_text_is_joined_or_refused_with_its_line(text in "(1QRZ)?[0-9A-Z1QRZ\n é]{0,200}") {
        if let Err(error) = parts::join(text.as_bytes()) {
            let lines = text.lines().count().max(1);
            if let parts::PartsError::Other { line } | parts::PartsError::Damaged { line, .. } = error {
                prop_assert!((1..=lines).contains(&line), "{line} of {lines}");
            }
        }
    }
}
