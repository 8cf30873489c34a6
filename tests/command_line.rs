//! What holds for every command: where it reads and writes, what it repeats, and how it ends.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use std::process::{Command, Stdio};

use common::commands::{TAKES_A_FILE, journey, words};
use common::{Folder, executable, have};

#[test]
fn no_piece_of_a_secret_is_repeated_wherever_its_file_is_given() {
    let folder = journey();
    let key = folder.read("alice.key");
    let token = "eyJhbGciOiJSUzI1NiIsImtpZCI6In";
    folder.write("pass", "correct horse battery staple\n");
    let encrypt = "passphrase other.key --new-passphrase-file pass";
    folder.write("other.key", &key);
    folder.typed(encrypt).good();
    let kubeconfig = folder.read("admin").replace("top-secret-token", token);
    let secrets = [
        ("key", key),
        ("encrypted", folder.read("other.key")),
        ("token", format!("{token}\n")),
        ("password", folder.read("pass")),
        ("team", format!("user: bob\n{token}: {token}\n")),
        ("openssl", format!("[ req ]\n{token} = {token}\n{token}\n")),
        ("kubeconfig", kubeconfig.clone()),
        ("broken", kubeconfig.replace("    token:", "  \ttoken: [")),
    ];
    for (name, contents) in &secrets {
        for (command, _) in TAKES_A_FILE {
            folder.write("FILE", contents);
            folder.write("spare", folder.read("alice.key"));
            let ended = folder.typed(command);
            if command.starts_with("credential") && ended.status == 0 {
                // kubectl gets the key: that is what it is for.
                continue;
            }
            let said = format!("{}{}", ended.stdout, ended.stderr);
            let is_secret = |line: &&str| {
                line.len() >= 12
                    && !line.starts_with("-----")
                    && (*name != "kubeconfig" && *name != "broken" || line.contains(token))
            };
            for line in contents.lines().filter(is_secret) {
                let piece = if line.contains(token) { token } else { line };
                for start in 0..=piece.len() - 12 {
                    let part = piece.get(start..start + 12).unwrap();
                    assert!(!said.contains(part), "{name} in {command:?}: {said}");
                }
            }
        }
    }
}

#[test]
fn every_option_that_takes_a_file_is_in_the_table() {
    let folder = Folder::new();
    let help = folder.typed("help").stdout;
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let commands: Vec<_> = commands
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.contains(&"rehearse"), "{help}");
    for command in commands {
        let lines: Vec<Vec<&str>> = TAKES_A_FILE
            .iter()
            .map(|(line, _)| line.split(' ').collect())
            .filter(|words: &Vec<&str>| words[0] == command)
            .collect();
        let has = |before: &str| {
            let mut pairs = lines.iter().flat_map(|words| words.windows(2));
            pairs.any(|pair| pair == [before, "FILE"])
        };
        let help = folder.run(&["help", command]).stdout;
        for line in help.lines().filter(|line| line.contains(" <FILE")) {
            let option = line.split_whitespace().find(|word| word.starts_with("--"));
            match option {
                // Where output goes.
                Some("--out") | None => {}
                Some("--filename") => assert!(has(command), "{command}"),
                Some(option) => assert!(has(option), "{command} {option}"),
            }
        }
    }
}

#[test]
fn nothing_that_a_file_holds_or_is_called_moves_a_terminal() {
    const ODD: &str = "a\u{1b}[2K\u{202e}b";
    let escaped = "a\\e[2K\\u202Eb";
    let folder = journey();
    let renamed = |file: &str, name: &str| {
        let text = folder.read(file);
        let odd = text.replace(name, &name.replace("alice", escaped));
        assert_ne!(odd, text, "{file}");
        odd
    };
    let all = [
        folder
            .read("admin")
            .replace("prod", &format!("\"{escaped}\"")),
        renamed("alice.csr.yaml", "name: \"alice"),
        renamed("issued.yaml", "name: \"alice"),
        renamed("alice.reply.yaml", "name: \"alice"),
        format!("user,groups\n{ODD},dev\n"),
        format!("user: \"{escaped}\"\n\"{escaped}\": 1\n"),
        format!("[ req ]\n{ODD} = {ODD}\n"),
        format!("-----BEGIN {ODD}-----\nYQ==\n-----END {ODD}-----\n"),
        format!("{ODD}\n"),
        format!("kind: {ODD}\n{ODD}: [\n"),
    ];
    for contents in &all {
        for (command, want) in TAKES_A_FILE {
            folder.write(ODD, contents);
            folder.write("spare", folder.read("alice.key"));
            let ended = folder.run(&words(command, ODD));
            let said = format!("{}{}", ended.stdout, ended.stderr);
            let moves = said.contains(['\u{1b}', '\u{202e}']);
            assert!(!moves, "{command} ({want:?}) of {contents}: {said:?}");
        }
    }
}

#[test]
fn a_dash_is_standard_input_for_every_option() {
    let folder = journey();
    let with = |words: &[&str], file: &str| {
        let ended = folder.run_with(words, folder.read(file).as_bytes());
        ended.good()
    };
    let out = ["--output-dir", "out"];
    with(
        &[&["request", "bob", "--key", "-"][..], &out].concat(),
        "alice.key",
    );
    with(&["reply", "issued.yaml", "--kubeconfig", "-"], "admin");
    let reply = ["kubeconfig", "alice.reply.yaml"];
    with(&[&reply[..], &["--key", "-"], &out].concat(), "alice.key");
    with(
        &[&reply[..], &["--cluster", "-", "--output-dir", "out2"]].concat(),
        "admin",
    );
    let merged = with(&[&reply[..], &["--merge", "-"]].concat(), "admin");
    assert!(merged.stdout.contains("alice@prod") && merged.stdout.contains("top-secret-token"));
    assert!(merged.stderr.contains("Try it"), "{}", merged.stderr);
    let whole = folder.run(&[&reply[..], &["--out", "-"]].concat()).good();
    assert!(whole.stdout.starts_with("apiVersion"), "{}", whole.stdout);
    let key = with(&["passphrase", "-", "--remove"], "alice.key");
    assert_eq!(key.stdout, folder.read("alice.key"));
    let twice = "kubeconfig - --key -";
    folder.typed(twice).fails(2, &["more than once"]);
}

#[test]
fn a_verdict_does_not_depend_on_a_reader_who_stays() {
    let folder = journey();
    for (user, status) in [("alice", 0), ("bob", 1)] {
        let mut child = Command::new(executable())
            .args(["verify", "alice.csr.yaml", "-g", "dev", "--user", user])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(status), "{user}");
    }
}

#[test]
fn quiet_says_nothing_about_what_is_good_and_everything_about_what_is_not() {
    let folder = journey();
    let good = folder
        .typed("-q verify alice.csr.yaml -g dev --user alice")
        .good();
    assert_eq!((good.stdout.as_str(), good.stderr.as_str()), ("", ""));
    let bad = folder.typed("-q verify alice.csr.yaml -g dev --user bob");
    bad.fails(1, &["user-mismatch", "NOT GOOD: "]);
    folder.set_mode("alice.key", 0o644);
    let exposed = folder.typed("-q kubeconfig alice.reply.yaml").good();
    assert!(exposed.stderr.contains("warning: others can read"));
    assert_eq!(exposed.stdout, "");
}

#[test]
fn help_and_version_are_commands_too() {
    let folder = Folder::new();
    let help = folder.typed("help").good().stdout;
    assert!(help.contains("Exit status"), "{help}");
    let request = folder.typed("help request").good().stdout;
    assert_eq!(request, folder.typed("request --help").good().stdout);
    let version = folder.typed("version").good().stdout;
    assert_eq!(version, folder.typed("--version").good().stdout);
    assert!(
        folder
            .typed("version -v")
            .good()
            .stdout
            .contains("landlock")
    );
}

#[test]
fn colour_is_a_matter_of_choice() {
    let folder = journey();
    let coloured = |words: &[&str]| {
        let ended = folder.run(&[words, &["inspect", "alice.csr"]].concat());
        ended.good().stdout.contains('\u{1b}')
    };
    assert!(!coloured(&[]));
    assert!(!coloured(&["--color", "never"]));
    assert!(coloured(&["--color", "always"]));
    assert!(
        folder
            .typed("help --color=always")
            .stdout
            .contains('\u{1b}')
            || !coloured(&[])
    );
}

#[test]
fn each_key_that_stays_closed_is_named_with_its_reason() {
    let folder = journey();
    let other = "request bob --algorithm ecdsa-p256 --no-passphrase";
    folder.typed(&format!("{other} --output-dir keys")).good();
    folder.write("keys/empty.key", "nothing");
    std::fs::copy(folder.file("alice.key"), folder.file("keys/closed.key")).unwrap();
    folder.write("pass", "correct horse\n");
    let encrypt = "passphrase keys/closed.key --new-passphrase-file pass";
    folder.typed(encrypt).good();
    let ended = folder.typed("kubeconfig alice.reply.yaml --key keys");
    ended.fails(
        2,
        &[
            "is not among those that could be opened: of 3 .key files in keys, 2 could not",
            "keys/closed.key is encrypted, and there is no terminal",
            "keys/empty.key is one line of text, not a private key",
            "--passphrase-file FILE",
        ],
    );
    folder.write("wrong", "horse\n");
    let wrong = "kubeconfig alice.reply.yaml --key keys --passphrase-file wrong";
    folder
        .typed(wrong)
        .fails(2, &["keys/closed.key: the passphrase does not open"]);
}

#[test]
fn a_report_goes_to_the_file_that_was_named() {
    let folder = journey();
    let shown = folder.typed("inspect alice.csr").good().stdout;
    let quiet = folder.typed("inspect alice.csr --out report").good();
    assert_eq!(quiet.stdout, "");
    assert_eq!(folder.read("report"), shown);
}

#[test]
fn files_stand_behind_f_as_for_kubectl_too() {
    let folder = journey();
    let same = |operand: &[&str], option: &[&str]| {
        let (operand, option) = (folder.run(operand).good(), folder.run(option).good());
        assert_eq!(operand.stdout, option.stdout);
    };
    let agreed = ["--user", "alice", "-g", "dev"];
    same(
        &["inspect", "alice.csr", "alice.crt"],
        &["inspect", "-f", "alice.csr", "-f", "alice.crt"],
    );
    same(
        &["inspect", "alice.csr", "alice.crt"],
        &["inspect", "-f", "alice.csr,alice.crt"],
    );
    same(&["list", "alice.crt"], &["list", "--filename=alice.crt"]);
    same(
        &[&["verify", "alice.csr.yaml"][..], &agreed].concat(),
        &[&["verify", "-f", "alice.csr.yaml"][..], &agreed].concat(),
    );
    same(
        &["reply", "issued.yaml", "--kubeconfig", "admin"],
        &["reply", "-f", "issued.yaml", "--kubeconfig", "admin"],
    );
    same(&["qr", "alice.csr"], &["qr", "-f", "alice.csr"]);
    let role = ["--clusterrole", "view", "-n", "dev"];
    same(
        &[&["rbac", "alice.crt"][..], &role].concat(),
        &[&["rbac", "-falice.crt"][..], &role].concat(),
    );
    let kubeconfig = "kubeconfig -f alice.reply.yaml -n dev";
    let written = folder.typed(&format!("{kubeconfig} --out -"));
    let written = written.good().stdout;
    assert!(written.contains("namespace: \"dev\""), "{written}");
    let read = folder.read("alice.csr");
    let piped = folder.run_with(&["inspect", "-f", "-"], read.as_bytes());
    piped.good();
    let twice = "reply -f issued.yaml -f admin";
    folder
        .typed(twice)
        .fails(2, &["--filename <FILE> is given twice"]);
    let both = "reply issued.yaml -f admin";
    folder.typed(both).fails(2, &["cannot be used with"]);
}

#[test]
fn manual_pages_have_the_sections_that_manual_pages_have() {
    let folder = Folder::new();
    folder.typed("man --output-dir pages").good();
    let pages = std::fs::read_dir(folder.file("pages")).unwrap();
    let names: Vec<_> = pages
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.len() > 15, "{names:?}");
    for name in &names {
        let page = folder.read(&format!("pages/{name}"));
        let sections: Vec<_> = page
            .lines()
            .filter_map(|line| line.strip_prefix(".SH "))
            .map(|section| section.trim_matches('"'))
            .collect();
        let expected = [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "COMMANDS",
            "NOTES",
            "EXAMPLES",
            "FILES",
            "ENVIRONMENT",
            "EXIT STATUS",
            "SEE ALSO",
        ];
        let places = sections.iter().map(|section| {
            expected
                .iter()
                .position(|expected| expected == section)
                .unwrap()
        });
        assert!(places.is_sorted(), "{name}: {sections:?}");
        let mut must = [
            "NAME",
            "SYNOPSIS",
            "OPTIONS",
            "EXAMPLES",
            "ENVIRONMENT",
            "EXIT STATUS",
            "SEE ALSO",
        ]
        .iter();
        assert!(
            must.all(|section| sections.contains(section)),
            "{name}: {sections:?}"
        );
        assert!(page.contains(env!("CARGO_PKG_VERSION")), "{name}");
        // Every option has its words.
        assert!(!page.contains("\n\n.TP"), "{name}: {page}");
        for other in page
            .lines()
            .filter(|line| line.starts_with(".BR kube\\-enroll"))
        {
            let other = other.split(' ').nth(1).unwrap().replace('\\', "");
            assert!(names.contains(&format!("{other}.1")), "{name}: {other}");
        }
    }
    let verify = folder.read("pages/kube-enroll-verify.1").replace('\\', "");
    assert!(verify.contains("kube-enroll verify [OPTIONS]"), "{verify}");
    assert!(verify.contains(".BR kube-enroll (1)"), "{verify}");
    if !have("groff") {
        return;
    }
    for name in &names {
        let page = format!("pages/{name}");
        let said = folder
            .other("groff", &["-man", "-Tutf8", "-ww", "-z", &page])
            .good();
        assert_eq!(format!("{}{}", said.stdout, said.stderr), "", "{name}");
    }
}
