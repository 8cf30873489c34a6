//! At home in shells and in kubectl. Completion is judged by the shells themselves: each runs in a
//! terminal of its own and says what stands on its command line.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::os::unix::fs::symlink;

use common::{Folder, admin_kubeconfig, authority, executable, have};

/// What a person types, and what is on the command line after the tabulator key.
const COMPLETED: [(&str, &str); 13] = [
    ("kube-enroll reh", "kube-enroll rehearse "),
    ("kube-enroll -q verif", "kube-enroll -q verify "),
    (
        "kube-enroll request alice --algo",
        "kube-enroll request alice --algorithm ",
    ),
    (
        "kube-enroll request alice --algorithm ecdsa-p2",
        "kube-enroll request alice --algorithm ecdsa-p256 ",
    ),
    (
        "kube-enroll request alice --algorithm=ed",
        "kube-enroll request alice --algorithm=ed25519 ",
    ),
    ("kube-enroll inspect -o js", "kube-enroll inspect -o json "),
    (
        "kube-enroll verify --explain user-mis",
        "kube-enroll verify --explain user-mismatch ",
    ),
    (
        "kube-enroll reply --kubeconfig admin.yaml --context pro",
        "kube-enroll reply --kubeconfig admin.yaml --context prod ",
    ),
    (
        "kube-enroll renew --context in-",
        "kube-enroll renew --context in-use ",
    ),
    (
        "kube-enroll reply --context arn:aws:",
        "kube-enroll reply --context arn:aws:eks:7:cluster/lab ",
    ),
    (
        "kube-enroll request alice --output-dir fol",
        "kube-enroll request alice --output-dir folder/",
    ),
    ("kube-enroll inspect fil", "kube-enroll inspect file.key "),
    (
        "kube-enroll request alice --key=fil",
        "kube-enroll request alice --key=file.key ",
    ),
];

/// A folder where the program, its plugin and its scripts are installed, with something to complete.
fn home() -> Folder {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "kubectl"] {
        let script = folder.run(&["completions", shell]).good().stdout;
        folder.write(&format!("script.{shell}"), script);
    }
    std::fs::create_dir_all(folder.file("bin")).unwrap();
    std::fs::create_dir_all(folder.file(".kube")).unwrap();
    std::fs::create_dir_all(folder.file("folder")).unwrap();
    symlink(executable(), folder.file("bin/kube-enroll")).unwrap();
    symlink(executable(), folder.file("bin/kubectl-enroll")).unwrap();
    std::fs::rename(
        folder.file("script.kubectl"),
        folder.file("bin/kubectl_complete-enroll"),
    )
    .unwrap();
    folder.set_mode("bin/kubectl_complete-enroll", 0o755);
    folder.write("file.key", "");
    folder.write("folder-not.txt", "");
    let admin = admin_kubeconfig(&authority());
    folder.write("admin.yaml", &admin);
    let contexts = |names: &[&str]| {
        let entry =
            |name: &&str| format!("- {{name: {name}, context: {{cluster: prod, user: admin}}}}\n");
        let entries: String = names.iter().map(entry).collect();
        format!(
            "{}{entries}",
            admin.replace("- name: prod\n  context", "- name: first\n  context")
        )
    };
    let names = [
        "in-use",
        "'arn:aws:eks:7:cluster/lab'",
        "'x$(touch done)'",
        r#""y\e[2J""#,
    ];
    folder.write(".kube/config", contexts(&names));
    folder
}

/// Drives a shell in a terminal: each line is typed and ended by a tabulator, and the key Ctrl-X then
/// writes what is on the command line into a file. Gives those, and all that the terminal showed.
fn drive(folder: &Folder, shell: &str, setup: &[&str], lines: &[&str]) -> (Vec<String>, String) {
    let script = r#"
        log_user 0
        log_file -noappend -a shown
        set timeout 30
        set stty_init "columns 200 rows 60"
        set env(TERM) xterm
        set env(PATH) "[pwd]/bin:$env(PATH)"
        set env(HISTFILE) /dev/null
        proc wait_for {file} {
            for {set i 0} {$i < 600} {incr i} {
                if {[file exists $file]} { return }
                expect -timeout 0 -re {.+} {}
                after 50
            }
            puts stderr "no $file"
            exit 1
        }
        spawn -noecho {*}[lindex $argv 0]
        foreach line [split [read [open setup]] "\n"] { send -- "$line\r" }
        wait_for ready
        set number 0
        foreach line [lrange [split [read [open lines]] "\n"] 0 end] {
            send -- "$line\t"
            after 300
            send -- "\030"
            wait_for "line.$number"
            send -- "\025"
            incr number
        }
        expect -timeout 1 -re {nothing like this} {}
        close
    "#;
    folder.write("drive.exp", script);
    folder.write("setup", [setup, &["touch ready"]].concat().join("\n"));
    folder.write("lines", lines.join("\n"));
    let ended = folder.other("expect", &["drive.exp", shell]);
    let shown = folder.read("shown");
    assert_eq!(ended.status, 0, "{shell}: {}\n{shown}", ended.stderr);
    let read = |number| folder.read(&format!("line.{number}"));
    ((0..lines.len()).map(read).collect(), shown)
}

/// Everything in [`COMPLETED`], and what is offered where there is a choice.
fn completes(shell: &str, setup: &[&str], file_ends: &str) {
    let program = shell.split(' ').next().unwrap();
    if !have(program) || !have("expect") {
        return;
    }
    let folder = home();
    let mut lines: Vec<&str> = COMPLETED.iter().map(|(typed, _)| *typed).collect();
    lines.extend([
        "kube-enroll \t",
        "kube-enroll reply --context x",
        "kube-enroll reply --context y",
    ]);
    let (found, shown) = drive(&folder, shell, setup, &lines);
    for ((typed, expected), line) in COMPLETED.iter().zip(&found) {
        let expected = match expected.strip_suffix("file.key ") {
            Some(before) => format!("{before}file.key{file_ends}"),
            None => (*expected).to_owned(),
        };
        assert_eq!(*line, expected, "{typed:?} in {shell}\n{shown}");
    }
    for command in ["kubeconfig", "rehearse", "completions", "lock"] {
        assert!(shown.contains(command), "{command} in {shell}: {shown}");
    }
    // A name that is a command to a shell is not run, neither now nor when the line is.
    let hostile = found[COMPLETED.len() + 1].replace("kube-enroll reply --context", "printf %s");
    assert_eq!(folder.peer(program, &["-c", &hostile]), "x$(touch done)");
    assert!(!folder.has("done"));
    // One that moves the cursor is not offered.
    assert_eq!(found[COMPLETED.len() + 2], "kube-enroll reply --context y");
}

#[test]
fn bash_completes_commands_options_values_contexts_and_files() {
    completes(
        "bash --norc --noprofile -i",
        &[
            "source script.bash",
            "number=0; dump() { printf %s \"$READLINE_LINE\" >\"line.$((number++))\"; }",
            "bind -x '\"\\C-x\": dump'",
        ],
        " ",
    );
}

#[test]
fn zsh_completes_commands_options_values_contexts_and_files() {
    completes(
        "zsh -f -i",
        &[
            "autoload -Uz compinit && compinit -u -d compdump",
            "source script.zsh",
            "number=0; dump() { printf %s \"$BUFFER\" >\"line.$((number++))\" }",
            "zle -N dump; bindkey -e; bindkey '^X' dump",
        ],
        " ",
    );
}

#[test]
fn fish_completes_commands_options_values_contexts_and_files() {
    completes(
        "fish --no-config -i",
        &[
            "source script.fish",
            "set -g number 0",
            "function dump; printf %s (commandline) >line.$number; set -g number (math $number + 1); end",
            "bind \\cx dump",
        ],
        " ",
    );
}

#[test]
fn kubectl_completes_the_plugin() {
    if !have("kubectl") {
        return;
    }
    let folder = home();
    let path = path(&folder);
    let ask = |words: &[&str]| {
        let words = [
            &[path.as_str(), "kubectl", "__complete", "enroll"][..],
            words,
        ]
        .concat();
        folder.peer("env", &words)
    };
    let commands = ask(&["reh"]);
    assert!(commands.starts_with("rehearse\t"), "{commands}");
    let algorithms = ask(&["request", "alice", "--algorithm", "ed"]);
    assert!(algorithms.starts_with("ed25519"), "{algorithms}");
    let files = ask(&["verify", ""]);
    assert!(files.starts_with(":0\n"), "{files}");
}

/// For `env`: the folder of the program comes first.
fn path(folder: &Folder) -> String {
    let path = std::env::var("PATH").unwrap();
    format!("PATH={}/bin:{path}", folder.path().display())
}

#[test]
fn as_a_plugin_of_kubectl_it_speaks_of_kubectl_enroll() {
    if !have("kubectl") {
        return;
    }
    let folder = home();
    let path = path(&folder);
    let enroll = |words: &[&str]| {
        let words = [&[path.as_str(), "kubectl", "enroll"][..], words].concat();
        folder.other("env", &words)
    };
    let made = enroll(&common::REQUEST).good();
    let help = enroll(&["--help"]).good();
    let explained = enroll(&["verify", "--explain", "same-name"]).good();
    let helps = [
        enroll(&["help"]),
        enroll(&["request", "--help"]),
        enroll(&["verify", "-h"]),
        enroll(&["list", "--help"]),
    ];
    let wrong = [
        enroll(&["verfy"]),
        enroll(&["request"]),
        enroll(&["verify", "alice.csr.yaml"]),
        enroll(&["kubeconfig", "alice.csr.yaml"]),
    ];
    let all = [made, help, explained]
        .into_iter()
        .chain(helps)
        .chain(wrong);
    let mut named = 0;
    for ended in all {
        let said = format!("{}{}", ended.stdout, ended.stderr);
        for command in [
            "request",
            "verify",
            "kubeconfig",
            "help",
            "list",
            "reply",
            "[OPTIONS]",
        ] {
            assert!(!said.contains(&format!("kube-enroll {command}")), "{said}");
        }
        named += said.matches("kubectl enroll ").count();
    }
    assert!(named > 20, "{named}");
    let failed = enroll(&["verfy"]);
    failed.fails(2, &["kubectl enroll: word 1", "run: kubectl enroll help"]);
}

#[test]
fn kubectl_runs_the_program_by_a_name_that_the_path_has() {
    let folder = home();
    folder.issue_to_alice();
    let written = |name: &str, path: &str| {
        let program = folder.file(name);
        let path = format!("PATH={path}");
        let words = [
            path.as_str(),
            program.to_str().unwrap(),
            "kubeconfig",
            "issued.yaml",
        ];
        let options = ["--cluster", "admin", "--exec", "--out", "-"];
        let ended = folder
            .other("/usr/bin/env", &[&words[..], &options].concat())
            .good();
        let line = ended.stdout.lines().find(|line| line.contains("command:"));
        line.unwrap()
            .trim()
            .replace("command: ", "")
            .replace('"', "")
    };
    let bin = folder.file("bin");
    let bin = bin.to_str().unwrap();
    assert_eq!(written("bin/kube-enroll", bin), "kube-enroll");
    assert_eq!(written("bin/kubectl-enroll", bin), "kubectl-enroll");
    std::fs::remove_file(folder.file("bin/kube-enroll")).unwrap();
    assert_eq!(written("bin/kubectl-enroll", bin), "kubectl-enroll");
    // kubectl runs nothing from a folder that is named from where one is.
    let own = std::fs::canonicalize(executable()).unwrap();
    assert_eq!(written("bin/kubectl-enroll", "bin"), own.to_str().unwrap());
}

/// A kubeconfig whose user runs this program, and preferences beside it.
fn with_preferences(folder: &Folder, fields: &str) {
    let kubeconfig = r#"{"apiVersion": "v1", "kind": "Config", "current-context": "a",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "contexts": [{"name": "a", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"exec": {"command": "kube-enroll", "interactiveMode": "Never",
            "apiVersion": "client.authentication.k8s.io/v1", "args": ["credential"]}}}]}"#;
    folder.write("exec.yaml", kubeconfig);
    let head = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n";
    folder.write(".kube/kuberc", format!("{head}{fields}\n"));
}

const LIST: &str = "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: ";

/// A file, and whether kubectl 1.35 and kubectl 1.36 run this program with it. Each was tried with both.
struct Preferences(String, bool, bool);

fn preferences(folder: &Folder) -> Vec<Preferences> {
    let bin = folder.path().join("bin/kube-enroll");
    let head = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n";
    let alpha = head.replace("v1beta1", "v1alpha1");
    let deny = "credentialPluginPolicy: DenyAll";
    let mut all = Vec::new();
    let mut with = |fields: &str, old, new| {
        all.push(Preferences(format!("{head}{fields}\n"), old, new));
    };
    with("", true, true);
    with("credentialPluginPolicy: AllowAll", true, true);
    with(
        "credentialPluginPolicy: AllowAll\ncredentialPluginAllowlist: null",
        true,
        true,
    );
    with("credentialPluginPolicy: ''", true, true);
    with(deny, false, false);
    with("credentialpluginpolicy: DenyAll", true, true);
    with(
        "credentialPluginPolicy: AllowAll\ncredentialPluginPolicy: DenyAll",
        false,
        false,
    );
    with(
        "credentialPluginPolicy: DenyAll\ncredentialPluginPolicy: AllowAll",
        true,
        true,
    );
    with("credentialPluginPolicy: Some", false, false);
    with("credentialPluginPolicy: Allowlist", false, false);
    with(
        &format!("{deny}\ncredentialPluginAllowlist: []"),
        false,
        false,
    );
    // What is of another type makes kubectl pass over all of it.
    with("credentialPluginPolicy: 5", true, true);
    with(&format!("{deny}\ndefaults: 5"), true, true);
    with(
        &format!("{deny}\naliases: [{{name: a, command: get, prependArgs: x}}]"),
        true,
        true,
    );
    with(
        &format!("{deny}\ncredentialPluginAllowlist: aws"),
        true,
        true,
    );
    // Others make it run nothing.
    with("aliases: [{name: a1, command: get}]", false, false);
    with(
        "aliases: [{name: a, command: get}, {name: a, command: get}]",
        false,
        false,
    );
    with(
        "defaults: [{command: get, options: [{name: -o, default: x}]}]",
        false,
        false,
    );
    // Several documents.
    with(&format!("{deny}\n---\n{head}"), false, false);
    with(&format!("---\n{head}{deny}"), true, true);
    with(&format!("{deny}\n--- x\n"), true, true);
    for (entries, old, new) in lists(&bin.display().to_string()) {
        with(&format!("{LIST}{entries}"), old, new);
    }
    // Whatever else lies there.
    let mut raw = |text: String, runs| all.push(Preferences(text, runs, runs));
    raw(format!("{alpha}{deny}\n"), true);
    raw(format!("{alpha}---\n{head}{deny}\n"), true);
    raw(format!("foo: [bar\n---\n{head}{deny}\n"), false);
    raw(
        format!("apiVersion: v1\nkind: ConfigMap\n---\n{head}{deny}\n"),
        false,
    );
    raw(format!("{head}{LIST}[aws]\n---\n{head}{deny}\n"), false);
    raw(
        format!("{head}{deny}\n").replace("Preference", "preference"),
        true,
    );
    raw(
        format!("{head}{deny}\n").replace("kind: Preference\n", ""),
        true,
    );
    raw("foo: [bar\n".to_owned(), true);
    raw(String::new(), true);
    raw(
        r#"{"apiVersion": "kubectl.config.k8s.io/v1beta1", "kind": "Preference", "credentialPluginPolicy": "DenyAll"}"#.to_owned(),
        false,
    );
    all
}

/// Lists, and whether kubectl 1.35 and kubectl 1.36 run this program with each.
fn lists(bin: &str) -> Vec<(String, bool, bool)> {
    let mut all = Vec::new();
    let mut list = |entries: &str, old, new| all.push((entries.to_owned(), old, new));
    list("[{name: kube-enroll}]", true, true);
    list("[{name: aws}, {name: kube-enroll}]", true, true);
    list(&format!("[{{name: {bin}}}]"), true, true);
    list("[{name: aws}]", false, false);
    list("[{name: kubectl-enroll}]", false, false);
    list("[{name: bin/kube-enroll}]", false, false);
    list("[]", false, false);
    list("[{}, {name: kube-enroll}]", false, false);
    list("[null, {name: kube-enroll}]", false, false);
    // A path has to be as Go cleans it.
    for path in ["/usr//bin/x", "/usr/../bin/x", "./x", "/usr/bin/x/"] {
        list(
            &format!("[{{name: kube-enroll}}, {{name: {path}}}]"),
            false,
            false,
        );
    }
    for path in ["sub/x", "../x", "."] {
        list(
            &format!("[{{name: kube-enroll}}, {{name: {path}}}]"),
            true,
            true,
        );
    }
    list("[{name: kube-enroll, sha256: abc}]", true, true);
    list("[{Name: kube-enroll}]", false, false);
    list("[kube-enroll]", true, true);
    list("[aws]", true, true);
    list("[{name: 5}]", true, true);
    list("{name: aws}", true, true);
    // In 1.36 the name of the field is another.
    list("[{command: kube-enroll}]", false, true);
    list("[{command: aws}]", false, false);
    list("[{command: kube-enroll, name: ''}]", false, true);
    list("[{command: '', name: kube-enroll}]", true, true);
    list("[{command: kube-enroll, name: kube-enroll}]", true, true);
    list("[{command: aws, name: kube-enroll}]", true, true);
    list("[{command: kube-enroll, name: aws}]", false, true);
    list("[{command: 5}]", false, true);
    all
}

#[test]
fn preferences_of_kubectl_say_whether_it_runs_this_program() {
    let folder = home();
    let path = path(&folder);
    with_preferences(&folder, "");
    for Preferences(text, old, new) in preferences(&folder) {
        folder.write(".kube/kuberc", &text);
        let inspect = [&path, "kube-enroll", "inspect", "-o", "json"];
        let ended = folder.other("env", &[&inspect[..], &[".kube/kuberc"]].concat());
        assert_eq!(ended.status, i32::from(!new), "{text}: {}", ended.stdout);
        let report = &ended.json()["objects"][0];
        assert_eq!(report["kuberc"]["runs"], new, "{text}");
        assert_eq!(report["kuberc"]["runsIn135"], old, "{text}");
        assert_eq!(report["kuberc"]["command"], "kube-enroll");
        let codes = report["findings"].as_array().unwrap().iter();
        let codes: Vec<_> = codes.map(|finding| &finding["code"]).collect();
        let expected: &[&str] = if new { &[] } else { &["plugin-refused"] };
        assert_eq!(codes, expected, "{text}");
        // The kubeconfig is no good here either.
        let ended = folder.other("env", &[&inspect[..], &["exec.yaml"]].concat());
        assert_eq!(
            ended.stdout.contains("plugin-refused"),
            !new,
            "{text}: {}",
            ended.stdout
        );
    }
    with_preferences(&folder, &format!("{LIST}[{{command: aws}}]"));
    let shown = folder.other("env", &[&path, "kube-enroll", "inspect", ".kube/kuberc"]);
    shown.fails(
        1,
        &[
            "Policy       Allowlist",
            "kube-enroll: no: nothing in the list is kube-enroll",
            "--allowlist-entry command=aws --allowlist-entry command=kube-enroll\n",
        ],
    );
    for (fields, said) in [
        ("", "Policy       none is set: kubectl runs every command\n"),
        (
            "foo: [bar",
            "Policy       none: kubectl takes nothing of this file, and runs every command\n",
        ),
        (
            "aliases: [{name: a1, command: get}]",
            "Policy       none: kubectl takes nothing of this file, and runs no command\n",
        ),
    ] {
        with_preferences(&folder, fields);
        let shown = folder.other("env", &[&path, "kube-enroll", "inspect", ".kube/kuberc"]);
        assert!(shown.stdout.contains(said), "{fields}: {}", shown.stdout);
    }
    let judged = ["verify", ".kube/kuberc", "--user", "alice", "--no-groups"];
    assert_eq!(folder.run(&judged).status, 1);
}

#[test]
fn what_the_kubeconfig_in_use_names_is_looked_for_in_the_list() {
    let folder = home();
    let path = path(&folder);
    with_preferences(&folder, &format!("{LIST}[{{name: kube-enroll}}]"));
    let said = |program: &str, kubeconfig: &str| {
        let set = format!("KUBECONFIG={kubeconfig}");
        folder.other("env", &[&path, &set, program, "inspect", ".kube/kuberc"])
    };
    said("kubectl-enroll", "exec.yaml").good();
    let text = folder
        .read("exec.yaml")
        .replace("kube-enroll", "kubectl-enroll");
    folder.write("plugin.yaml", text);
    said("kube-enroll", "plugin.yaml").fails(1, &["kubectl-enroll: no"]);
    said("kube-enroll", "plugin.yaml:exec.yaml").fails(1, &["kubectl-enroll: no"]);
    said("kubectl-enroll", "none.yaml").fails(1, &["kubectl-enroll: no"]);
}

/// kubectl 1.35 and later.
#[test]
fn kubectl_runs_this_program_where_we_say_that_it_does() {
    let Some(assets) = std::env::var_os("KUBEBUILDER_ASSETS") else {
        println!("skipped: KUBEBUILDER_ASSETS names no folder with kubectl");
        return;
    };
    let kubectl = std::path::Path::new(&assets).join("kubectl");
    let kubectl = kubectl.to_str().unwrap();
    let folder = home();
    let path = path(&folder);
    // What a kubectl says of its version is not always the version of its code.
    let is_new = folder.other(kubectl, &["kuberc", "set", "--help"]).status == 0;
    with_preferences(&folder, "");
    for Preferences(text, old, new) in preferences(&folder) {
        folder.write(".kube/kuberc", &text);
        let words = [
            &path,
            kubectl,
            "--kubeconfig",
            "exec.yaml",
            "get",
            "--raw",
            "/",
        ];
        let ended = folder.other("env", &words);
        // It asks for the certificate that the kubeconfig does not name.
        let ran = ended.stderr.contains("missing: --certificate");
        let runs = if is_new { new } else { old };
        assert_eq!(ran, runs, "{text}: {}", ended.stderr);
    }
}

#[test]
fn who_gets_an_entry_that_runs_this_program_is_told_how_to_allow_it() {
    let folder = home();
    folder.issue_to_alice();
    let path = path(&folder);
    let write = |style: &str| {
        let words = [
            path.as_str(),
            "kube-enroll",
            "kubeconfig",
            "issued.yaml",
            "--cluster",
        ];
        let ended = folder
            .other("env", &[&words[..], &["admin", style]].concat())
            .good();
        ended
            .stdout
            .replace("\\\n", " ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let line = "kubectl kuberc set --section credentialplugin --policy Allowlist --allowlist-entry \
                command=kube-enroll";
    assert!(write("--exec").contains(line));
    assert!(!write("--embed").contains(line));
}
