//! What two kubectls make of the same preferences.

use super::reading::clean;
use super::*;

const HEAD: &str = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n";

fn read(fields: &str) -> Kuberc {
    Kuberc::read(format!("{HEAD}{fields}\n").as_bytes())
}

fn list(entries: &str) -> String {
    format!("credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: {entries}")
}

/// Two programs on the path.
fn look_path(command: &str) -> Option<PathBuf> {
    match command {
        "kube-enroll" | "/opt/kube-enroll" => Some("/opt/kube-enroll".into()),
        "kubectl-enroll" => Some("/opt/kubectl-enroll".into()),
        "aws" => Some("/opt/aws".into()),
        command => command.starts_with('/').then(|| command.into()),
    }
}

#[test]
fn what_may_run_already_goes_on_to() {
    let kuberc = read(&list("[{command: aws}]"));
    assert_eq!(
        kuberc.allowing("kube-enroll").unwrap().show().as_str(),
        "kubectl kuberc set --section credentialplugin --policy Allowlist --allowlist-entry \
         command=aws --allowlist-entry command=kube-enroll"
    );
}

#[test]
fn kubectl_runs_what_the_policy_allows_by_name_or_by_path() {
    for (fields, command, runs) in [
        (String::new(), "kube-enroll", true),
        (String::new(), "no-such-program", false),
        (list("[{name: kube-enroll}]"), "kube-enroll", true),
        (list("[{name: /opt/kube-enroll}]"), "kube-enroll", true),
        (list("[{name: kube-enroll}]"), "/opt/kube-enroll", true),
        (
            list("[{name: /opt/kube-enroll}]"),
            "/opt/../opt/kube-enroll",
            true,
        ),
        (
            list("[{name: aws}, {name: kube-enroll}]"),
            "kube-enroll",
            true,
        ),
        (list("[{name: aws}]"), "kube-enroll", false),
        (list("[{name: kube-enroll}]"), "kubectl-enroll", false),
        (list("[{name: opt/kube-enroll}]"), "kube-enroll", false),
        (
            list("[{name: kube-enroll}]"),
            "/elsewhere/kube-enroll",
            false,
        ),
    ] {
        let answer = read(&fields).runs(command, &look_path);
        assert_eq!(answer.old.is_ok(), runs, "{fields} {command}: {answer:?}");
        assert_eq!(answer.new.is_ok(), runs, "{fields} {command}: {answer:?}");
    }
}

#[test]
fn a_path_is_cleaned_as_go_cleans_it() {
    for (path, cleaned) in [
        ("/usr//bin/x", "/usr/bin/x"),
        ("/usr/../bin/x", "/bin/x"),
        ("/../x", "/x"),
        ("./x", "x"),
        ("x/", "x"),
        ("x/..", "."),
        ("../x", "../x"),
        ("../../x", "../../x"),
        ("sub/x", "sub/x"),
        ("/", "/"),
    ] {
        assert_eq!(clean(Path::new(path)).as_os_str(), cleaned, "{path}");
    }
}

#[test]
fn a_mistake_is_told_and_no_command_can_mend_it() {
    for (fields, said) in [
        (
            "credentialPluginPolicy: Some".to_owned(),
            "there is no policy Some",
        ),
        (
            "credentialPluginPolicy: Allowlist".to_owned(),
            "there is no list",
        ),
        (list("[]"), "there is no list"),
        (list("[{}]"), "names nothing"),
        (list("[{name: /usr//bin/x}]"), "/usr/bin/x"),
        (
            "credentialPluginPolicy: DenyAll\ncredentialPluginAllowlist: []".to_owned(),
            "the policy is not Allowlist",
        ),
        (
            "aliases: [{name: a1, command: get}]".to_owned(),
            "letters alone",
        ),
    ] {
        let kuberc = read(&fields);
        let answer = kuberc.runs("aws", &look_path).new.unwrap_err();
        assert!(answer.as_str().contains(said), "{fields}: {answer}");
        assert!(kuberc.mistake().is_some());
        assert!(kuberc.allowing("aws").is_none());
    }
    assert_eq!(read("credentialPluginPolicy: Some").policy(), Some("Some"));
}

#[test]
fn the_answers_of_two_kubectls_are_both_told_where_they_differ() {
    let answer = read(&list("[{command: kube-enroll}]")).runs("kube-enroll", &look_path);
    assert_eq!(
        answer.said().as_str(),
        "yes with kubectl 1.36 and later: kube-enroll is in the list; no with 1.35: there is a \
         mistake in it: an entry of the list has command, where 1.35 wants name"
    );
    let answer = read(&list("[{name: aws}]")).runs("kube-enroll", &look_path);
    assert_eq!(
        answer.said().as_str(),
        "no: nothing in the list is kube-enroll"
    );
}

#[test]
fn of_several_documents_the_first_that_kubectl_can_read_counts() {
    let deny = format!("{HEAD}credentialPluginPolicy: DenyAll\n");
    let alpha = HEAD.replace("v1beta1", "v1alpha1");
    for (first, line) in [
        ("foo: [bar\n", Some(2)),
        ("kind: ConfigMap\napiVersion: v1\n", Some(3)),
        (alpha.as_str(), None),
    ] {
        let kuberc = Kuberc::read(format!("{first}---\n{deny}").as_bytes());
        let runs = kuberc.runs("aws", &look_path).new.is_ok();
        assert_eq!(runs, line.is_none(), "{first}");
        assert_eq!(
            kuberc.line(),
            line.map(|line| line + 1).or(Some(1)),
            "{first}"
        );
    }
}

#[test]
fn a_file_with_a_request_in_it_is_not_taken_for_preferences() {
    let request = "kind: CertificateSigningRequest\n";
    assert!(is_kuberc("kuberc", b"foo: [bar"));
    assert!(is_kuberc("x.yaml", HEAD.as_bytes()));
    let lower = HEAD.replace("Preference", "preference");
    assert!(is_kuberc("x.yaml", lower.as_bytes()));
    assert!(!is_kuberc("x.yaml", b"kind: Preference"));
    assert!(!is_kuberc("kuberc", request.as_bytes()));
    assert!(!is_kuberc(
        "kuberc",
        format!("{HEAD}---\n{request}").as_bytes()
    ));
}
