//! kubectl on a terminal, which expect(1) plays: whoever sits before it is asked, and nobody else.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use common::{Folder, authority, executable, have, issue_at};
use time::{Duration, OffsetDateTime};

/// A folder with an encrypted key of alice and a kubeconfig that asks for it. Nothing listens at its
/// server: kubectl asks for the key before it finds out.
fn enrolled(age: i64) -> Option<Folder> {
    if !have("expect") || !have("kubectl") {
        return None;
    }
    let folder = Folder::new();
    folder.write("pass", "correct horse\n");
    let request = ["request", "alice", "--algorithm", "ecdsa-p256"];
    let secret = ["--passphrase-file", "pass"];
    let lifetime = ["--expires-in", "100d"];
    folder
        .run(&[&request[..], &lifetime, &secret].concat())
        .good();
    let authority = authority();
    let then = OffsetDateTime::now_utc() - Duration::days(age);
    let object = issue_at(&folder.read("alice.csr.yaml"), &authority, then);
    folder.write("issued", object);
    folder.write("ca.crt", authority.certificate().to_pem());
    let kubeconfig = ["kubeconfig", "issued", "--server", "https://127.0.0.1:1"];
    let ca = [
        "--certificate-authority",
        "ca.crt",
        "--cluster-name",
        "prod",
    ];
    folder.run(&[&kubeconfig[..], &ca, &secret].concat()).good();
    folder.write(
        "map.json",
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"}}",
    );
    Some(folder)
}

const KUBECTL: &str = "kubectl --kubeconfig alice.kubeconfig";

/// What kubectl says once it has the key.
const SERVED: &str = "refused";

const ASKED: (&str, &str) = ("Passphrase for", "correct horse\\r");

#[test]
fn a_person_is_asked_also_where_the_standard_streams_are_taken() {
    let Some(folder) = enrolled(0) else { return };
    for command in [
        format!("{KUBECTL} get --raw /"),
        format!("cat map.json | {KUBECTL} create --validate=false -f -"),
        format!("{KUBECTL} get --raw / 2>err </dev/null | cat; cat err"),
    ] {
        let seen = folder.on_terminal(&command, &[ASKED]);
        assert!(seen.contains(SERVED), "{command}: {seen}");
        assert!(!seen.contains("correct horse"), "{seen}");
    }
}

#[test]
fn messages_fit_the_terminal_and_the_commands_in_them_stay_whole() {
    if !have("expect") {
        return;
    }
    let folder = Folder::new();
    let name = "a-key-that-another-program-made-last-year";
    let openssh = b"openssh-key-v1\0none some ssh-rsa key";
    folder.write(
        name,
        kube_enroll::pem::encode("OPENSSH PRIVATE KEY", openssh),
    );
    let command = format!("{} request bob --no-passphrase --key {name}", executable());
    let piped = folder.other("sh", &["-c", &command]);
    piped.fails(
        2,
        &[&format!(
            "{name} is a private key in the format of OpenSSH, not"
        )],
    );
    let seen = folder.on_terminal(&format!("stty rows 30 cols 60; echo; {command}"), &[]);
    let seen: Vec<_> = seen
        .lines()
        .map(|line| line.trim_end_matches(['\r', '\n']))
        .collect();
    let place = |line: &str| seen.iter().position(|seen| *seen == line);
    let first = format!("kube-enroll: {name} is a");
    let first = place(&first).unwrap_or_else(|| panic!("{seen:?}"));
    let steps = format!("    ssh-keygen -p -m PKCS8 -f {name}-pkcs8.key");
    let last = place(&steps).unwrap_or_else(|| panic!("{seen:?}"));
    let message = &seen[first..=last];
    let wide: Vec<_> = message.iter().filter(|line| line.len() > 60).collect();
    let copy = format!("    cp -p {name} {name}-pkcs8.key");
    assert_eq!(wide, [&copy, &steps], "{message:?}");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(&message.join(" ")), words(&piped.stderr));
}

#[test]
fn two_that_ask_at_once_ask_one_after_the_other() {
    let Some(folder) = enrolled(0) else { return };
    let both = format!("{KUBECTL} get --raw / 2>one | {KUBECTL} get --raw / 2>two; cat one two");
    let seen = folder.on_terminal(&both, &[ASKED, ASKED]);
    assert_eq!(seen.matches(SERVED).count(), 2, "{seen}");
}

#[test]
fn a_wrong_passphrase_can_be_typed_again_and_ctrl_c_ends_kubectl_too() {
    let Some(folder) = enrolled(0) else { return };
    let command = format!("{KUBECTL} get --raw /");
    let wrong = ("Passphrase for", "wrong\\r");
    let seen = folder.on_terminal(&command, &[wrong, ("try again", ""), ASKED]);
    assert!(seen.contains(SERVED), "{seen}");

    let command = format!("stty echo; {KUBECTL} get pods; echo ended $?; stty -a");
    let seen = folder.on_terminal(&command, &[("Passphrase for", "\\003")]);
    assert_eq!(seen.matches("Passphrase for").count(), 1, "{seen}");
    assert!(
        seen.contains("ended 130") || !seen.contains("ended"),
        "{seen}"
    );
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_the_question_comes_again() {
    let Some(folder) = enrolled(0) else { return };
    let command = format!("{KUBECTL} get --raw /");
    let steps = [
        ("Passphrase for", "\\032"),
        // The one that is stopped has no turn.
        (
            "READY>",
            "kubectl --kubeconfig alice.kubeconfig get --raw /\\r",
        ),
        ASKED,
        ("READY>", "fg\\r"),
        ASKED,
    ];
    let seen = folder.on_terminal(&command, &steps);
    assert_eq!(seen.matches(SERVED).count(), 2, "{seen}");
}

#[test]
fn nobody_is_asked_in_the_background_or_while_another_program_reads_the_terminal() {
    let Some(folder) = enrolled(0) else { return };
    let background = format!("{KUBECTL} get --raw / >out 2>&1 & wait; cat out");
    let seen = folder.on_terminal(&background, &[]);
    assert!(seen.contains("in the background of its terminal"), "{seen}");
    assert!(seen.contains("run: kube-enroll unlock"), "{seen}");
    // As a shell that completes a word, and full-screen programs.
    let key_by_key = format!("stty -icanon; {KUBECTL} get --raw /; stty icanon");
    let seen = folder.on_terminal(&key_by_key, &[]);
    assert!(seen.contains("another program has taken over"), "{seen}");
}

/// As where kubectl alone is killed: who comes next reads the terminal, and it echoes.
#[test]
fn a_question_ends_with_whoever_had_it_asked() {
    if !have("expect") {
        return;
    }
    let folder = Folder::new();
    let request = format!("'{}' request bob --algorithm ecdsa-p256", executable());
    let script = format!(
        "stty echo\ntimeout --foreground 2 sh -c \"{request}; true\"\nsleep 1\nstty -a\n\
         read line\necho got-$line\n"
    );
    folder.write("script", script);
    let steps = [("Passphrase for the new key", ""), ("icanon", "mine\\r")];
    let seen = folder.on_terminal("sh script", &steps);
    let (_, after) = seen.split_once("Passphrase for").unwrap();
    assert!(after.contains("got-mine"), "{seen}");
    assert!(
        after.contains(" echo ") && !after.contains("-echo "),
        "{seen}"
    );
    assert!(!folder.has("bob.key"));
}

/// kube-rs says `interactive` wherever it runs.
#[test]
fn where_there_is_no_terminal_nobody_is_asked_whatever_the_client_says() {
    let Some(folder) = enrolled(0) else { return };
    let script = "setsid -w sh -c \"$1\" </dev/null 2>&1";
    let info = "export KUBERNETES_EXEC_INFO='{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\
                \"spec\":{\"interactive\":true}}'";
    let program = executable();
    let credential = format!("'{program}' credential --certificate alice@prod.crt --key alice.key");
    let command = format!("{info}; {credential}; {KUBECTL} get --raw /");
    let ended = folder.other("sh", &["-c", script, "sh", &command]);
    ended.fails(
        1,
        &["there is no terminal", "run: kube-enroll unlock alice.key"],
    );

    let answered = format!("{info}; {credential} --passphrase-file pass");
    let ended = folder.other("sh", &["-c", script, "sh", &answered]).good();
    assert_eq!(
        ended.json()["apiVersion"],
        "client.authentication.k8s.io/v1beta1"
    );
}

#[test]
fn a_key_is_not_written_to_a_terminal_and_nobody_is_asked_for_it_in_vain() {
    let Some(folder) = enrolled(0) else { return };
    let program = executable();
    let command = format!("{program} credential --certificate alice@prod.crt --key alice.key");
    let seen = folder.on_terminal(&command, &[]);
    assert!(seen.contains("not written to a terminal"), "{seen}");
    assert!(!seen.contains("Passphrase"), "{seen}");
}

/// A tenth of a hundred days.
#[test]
fn a_certificate_that_ends_soon_is_told_once_with_the_command_that_renews_it() {
    for (age, warned) in [(89, false), (91, true)] {
        let Some(folder) = enrolled(age) else { return };
        let seen = folder.on_terminal(&format!("{KUBECTL} get --raw /"), &[ASKED]);
        assert!(seen.contains(SERVED), "{seen}");
        let warning = format!(
            "run: kube-enroll renew {}/alice.kubeconfig --context alice@prod",
            folder.path().display()
        );
        let count = usize::from(warned);
        assert_eq!(seen.matches("ends in 8 days").count(), count, "{seen}");
        assert_eq!(seen.matches(&warning).count(), count, "{seen}");
        if warned {
            let words: Vec<&str> = warning.split(' ').skip(2).collect();
            let secret = ["--passphrase-file", "pass"];
            folder.run(&[&words, &secret[..]].concat()).good();
        }
    }
}

/// Types at the prompts of `request bob OPTIONS`. Of the answers, `SHOWN` is the passphrase that the screen
/// shows.
fn request(folder: &Folder, options: &str, answers: &[&str]) -> String {
    let mut script = format!(
        "set timeout 60\nspawn -noecho {} request bob --algorithm ecdsa-p256 {options}\n",
        executable()
    );
    for answer in answers {
        let answer = answer.replace("SHOWN", "$shown");
        script.extend([format!(
            "expect {{\n    -re {{  ([a-x]{{5}}-[a-x]{{5}}-[a-x]{{5}}-[a-x]{{5}})\\s}} \
             {{ set shown $expect_out(1,string); exp_continue }}\n    -re {{(type it|try again|for \
             none\\)|The same again): }} {{}}\n    eof {{ puts \"NOT ASKED\"; exit 3 }}\n}}\n\
             after 300\nsend \"{answer}\\r\"\n"
        )]);
    }
    script.push_str("expect eof\n");
    folder.write("request.exp", script);
    let ended = folder.other("expect", &["request.exp"]);
    assert!(!ended.stdout.contains("NOT ASKED"), "{}", ended.stdout);
    ended.stdout
}

#[test]
fn a_passphrase_is_made_on_request_and_holds_once_it_was_written_down() {
    if !have("expect") || !have("openssl") {
        return;
    }
    let folder = Folder::new();
    let generated = "--generate-passphrase";
    let seen = request(&folder, generated, &["another", "others", "and others"]);
    assert!(seen.contains("that was another passphrase"), "{seen}");
    assert!(!folder.path().join("bob.key").exists());

    let seen = request(&folder, generated, &["another", "SHOWN"]);
    let shown = seen.split_whitespace().find(|word| {
        let groups: Vec<&str> = word.split('-').collect();
        groups.len() == 4 && groups.iter().all(|group| group.len() == 5)
    });
    folder.write("shown", shown.unwrap());
    let open = ["pkey", "-in", "bob.key", "-passin", "file:shown", "-noout"];
    folder.other("openssl", &open).good();
    assert!(folder.read("bob.key").contains("ENCRYPTED PRIVATE KEY"));

    // Where there is no terminal, nothing shows it.
    let without = folder.other(
        "setsid",
        &[
            "-w",
            &executable(),
            "request",
            "carol",
            "--generate-passphrase",
        ],
    );
    without.fails(2, &["there is no terminal"]);
}

#[test]
fn a_passphrase_that_is_guessed_soon_is_told_and_taken() {
    if !have("expect") {
        return;
    }
    for (typed, reason) in [
        ("Kubernetes2026!", "a word that is tried first"),
        ("bob-bob-bob", "a name that others know"),
        ("abcdefghijklm", "follows the alphabet"),
        ("gr3nz", "fewer than 12 characters"),
    ] {
        let folder = Folder::new();
        let seen = request(&folder, "", &[typed, typed]);
        let seen = seen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(seen.contains(reason), "{typed}: {seen}");
        assert!(!seen.contains(typed), "{seen}");
        assert!(folder.path().join("bob.key").exists());
    }
    let folder = Folder::new();
    let own = "seven brave wet herons";
    let seen = request(&folder, "", &[own, own]);
    assert!(!seen.contains("guess"), "{seen}");
}

/// A keyboard of one system types a letter and its accent as one character, that of another as two.
#[test]
fn a_key_opens_however_its_passphrase_is_composed() {
    let folder = Folder::new();
    let (composed, decomposed) = (
        "caf\u{e9} au lait et le pain",
        "cafe\u{301} au lait et le pain",
    );
    for (name, made_with, opened_with) in
        [("one", composed, decomposed), ("two", decomposed, composed)]
    {
        folder.write("made", made_with);
        folder.write("opened", opened_with);
        let request = ["request", name, "--algorithm", "ecdsa-p256"];
        folder
            .run(&[&request[..], &["--passphrase-file", "made"]].concat())
            .good();
        let key = format!("{name}.key");
        let inspect = ["inspect", &key, "--passphrase-file", "opened"];
        let seen = folder.run(&inspect).good();
        assert!(seen.stdout.contains("ECDSA"), "{}", seen.stdout);
    }
}
