//! Merging into kubeconfigs that other programs wrote, judged by kubectl: whatever it reads of one
//! before, it reads afterwards, and what it does not know is there as well.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::path::PathBuf;

use common::{Folder, admin_kubeconfig, authority, have, issue};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

/// Each case starts programs.
const CASES: u32 = 48;

/// A folder with alice's key, request and reply.
fn journey() -> Folder {
    let folder = Folder::new();
    let request = "request alice -g developers --algorithm ecdsa-p256 --no-passphrase";
    folder.run(&request.split(' ').collect::<Vec<_>>()).good();
    let authority = authority();
    folder.write("admin.kubeconfig", admin_kubeconfig(&authority));
    let object = issue(&folder.read("alice.csr.yaml"), &authority);
    let reply = "reply --kubeconfig admin.kubeconfig --out alice.reply.yaml";
    let reply: Vec<_> = reply.split(' ').collect();
    folder.run_with(&reply, object.as_bytes()).good();
    folder
}

fn kubectl() -> String {
    let built = std::env::var_os("KUBEBUILDER_ASSETS").map(|it| PathBuf::from(it).join("kubectl"));
    match built.filter(|path| path.exists()) {
        Some(path) => path.to_str().unwrap().to_owned(),
        None => "kubectl".to_owned(),
    }
}

/// What kubectl makes of the file.
fn view(folder: &Folder) -> Value {
    let args = "config view --raw -o json --kubeconfig config";
    let shown = folder.peer(&kubectl(), &args.split(' ').collect::<Vec<_>>());
    serde_json::from_str(&shown).unwrap()
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z0-9./:@-]{1,16}",
        1 => "[ -~äß🙂]{1,12}",
        1 => "(no|on|~|0x1F|1e3|null|: |# |007|1_000|2001-01-01|=|<<)",
    ]
}

fn texts() -> impl Strategy<Value = Value> {
    btree_map("[a-z-]{1,8}", any_text(), 0..3).prop_map(|map| json!(map))
}

/// What a tool keeps in a kubeconfig for itself.
fn any_extensions() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any_text().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
    ];
    let object = btree_map("[a-z-]{1,8}", leaf, 0..3).prop_map(|map| json!(map));
    btree_map("[a-z.]{1,8}", object, 0..3).prop_map(|map| {
        let extensions = map.into_iter();
        let extensions = extensions.map(|(name, it)| json!({"name": name, "extension": it}));
        extensions.collect::<Vec<_>>().into()
    })
}

/// Fields with a value now and then, and one that no kubectl knows.
fn some(fields: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let mut fields = fields;
    fields.push(("extensions", any_extensions().boxed()));
    fields.push(("x-unknown", texts().boxed()));
    fields
        .into_iter()
        .fold(Just(Map::new()).boxed(), |all, (name, value)| {
            let with = |(mut all, value): (Map<String, Value>, Option<Value>)| {
                all.extend(value.map(|value| (name.to_owned(), value)));
                all
            };
            (all, option::of(value)).prop_map(with).boxed()
        })
        .prop_map(Value::from)
        .boxed()
}

fn text() -> BoxedStrategy<Value> {
    any_text().prop_map(Value::from).boxed()
}

fn flag() -> BoxedStrategy<Value> {
    any::<bool>().prop_map(Value::from).boxed()
}

fn any_cluster() -> BoxedStrategy<Value> {
    some(vec![
        ("server", text()),
        ("tls-server-name", text()),
        ("proxy-url", text()),
        ("insecure-skip-tls-verify", flag()),
        ("disable-compression", flag()),
        ("certificate-authority", text()),
        ("certificate-authority-data", Just(json!("YQ==")).boxed()),
    ])
}

fn any_user() -> BoxedStrategy<Value> {
    let list = || vec(any_text(), 1..3).prop_map(|list| json!(list)).boxed();
    let extra = btree_map("[a-z]{1,5}", vec(any_text(), 1..3), 1..3);
    let variable = (any_text(), any_text());
    let variable = variable.prop_map(|(name, value)| json!({"name": name, "value": value}));
    let exec = (any_text(), list(), vec(variable, 0..3), any::<bool>());
    let exec = exec.prop_map(|(command, args, env, cluster)| {
        json!({
            "apiVersion": "client.authentication.k8s.io/v1", "command": command, "args": args,
            "env": env, "interactiveMode": "IfAvailable", "provideClusterInfo": cluster,
            "installHint": "line\nline",
        })
    });
    let provider = (any_text(), texts());
    let provider = provider.prop_map(|(name, config)| json!({"name": name, "config": config}));
    some(vec![
        ("token", text()),
        ("tokenFile", text()),
        ("username", text()),
        ("password", text()),
        ("client-certificate", text()),
        ("client-key", text()),
        ("client-key-data", Just(json!("YQ==")).boxed()),
        ("as", text()),
        ("as-uid", text()),
        ("as-groups", list()),
        (
            "as-user-extra",
            extra.prop_map(|extra| json!(extra)).boxed(),
        ),
        ("exec", exec.boxed()),
        ("auth-provider", provider.boxed()),
    ])
}

fn any_context() -> BoxedStrategy<Value> {
    some(vec![
        ("cluster", text()),
        ("user", text()),
        ("namespace", text()),
    ])
}

fn any_list(body: &'static str, entry: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let entries = btree_map(any_text(), (entry, option::of(texts())), 0..4);
    let entries = entries.prop_map(move |map| {
        let entry = |(name, (value, beside)): (String, (Value, Option<Value>))| {
            let mut entry = json!({"name": name, body: value});
            if let Some(beside) = beside {
                entry["x-beside"] = beside;
            }
            entry
        };
        map.into_iter().map(entry).collect::<Vec<_>>().into()
    });
    prop_oneof![9 => entries, 1 => Just(Value::Null)].boxed()
}

/// Somebody's kubeconfig.
fn any_kubeconfig() -> impl Strategy<Value = Value> {
    let lists = (
        any_list("cluster", any_cluster()),
        any_list("user", any_user()),
        any_list("context", any_context()),
    );
    let rest = (
        option::of(any_text()),
        option::of(flag()),
        option::of(texts()),
        any_extensions(),
    );
    (lists, rest).prop_map(
        |((clusters, users, contexts), (current, colors, unknown, extensions))| {
            let mut all = json!({
                "kind": "Config", "apiVersion": "v1", "clusters": clusters, "users": users,
                "contexts": contexts, "extensions": extensions,
            });
            if let Some(current) = current {
                all["current-context"] = current.into();
            }
            if let Some(colors) = colors {
                all["preferences"] = json!({"colors": colors});
            }
            if let Some(unknown) = unknown {
                all["x-unknown"] = unknown;
            }
            all
        },
    )
}

/// How a file is written, and what comes behind the kubeconfig in it.
fn any_form() -> impl Strategy<Value = (u8, &'static str)> {
    let behind = prop_oneof![
        Just(""),
        Just("---\nkind: Config\nusers: [{name: second, user: {token: t}}]\n"),
        Just("--- # of somebody else\na: [1\n---\n# end\n"),
    ];
    (0..4_u8, behind)
}

fn written(value: &Value, (form, behind): (u8, &str)) -> String {
    let first = match form {
        0 => serde_json::to_string_pretty(value).unwrap() + "\n",
        1 => serde_json::to_string(value).unwrap() + "\n",
        2 => format!("# mine\n{}", kube_enroll::yaml::to_string(value)),
        _ => kube_enroll::yaml::to_string(value).replace('\n', "\r\n"),
    };
    first + behind
}

fn entries(value: &Value, list: &str) -> Vec<Value> {
    value[list].as_array().cloned().unwrap_or_default()
}

/// The same without what is ours; nothing where there is nothing.
fn without_ours(value: &Value) -> Value {
    let mut value = value.clone();
    for (list, ours) in [
        ("clusters", "prod"),
        ("users", "alice@prod"),
        ("contexts", "alice@prod"),
    ] {
        let mut left = entries(&value, list);
        left.retain(|entry| entry["name"] != ours);
        // kubectl sorts them.
        left.sort_by_key(|entry| entry["name"].as_str().unwrap_or_default().to_owned());
        value[list] = left.into();
    }
    value
}

fn read(folder: &Folder) -> Value {
    kube_enroll::yaml::first_document(folder.read("config").as_bytes()).unwrap()
}

fn run<S: Strategy>(strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 64,
        ..ProptestConfig::with_cases(CASES)
    };
    TestRunner::new(config).run(&strategy, test).unwrap();
}

#[test]
fn kubectl_reads_of_everything_else_the_same_before_and_after() {
    if !have("kubectl") {
        return;
    }
    let folder = journey();
    run((any_kubeconfig(), any_form()), |(theirs, form)| {
        folder.write("config", written(&theirs, form));
        let (before, raw) = (view(&folder), read(&folder));
        let merge = ["kubeconfig", "alice.reply.yaml", "--merge", "config"];
        let ended = folder.run(&merge);
        prop_assert_eq!(ended.status, 0, "{}", ended.stderr);
        let (after, merged) = (view(&folder), read(&folder));

        // A current context is set where there was none.
        let mut expected = without_ours(&before);
        if expected["current-context"] == "" {
            expected["current-context"] = "alice@prod".into();
        }
        prop_assert_eq!(without_ours(&after), expected);
        prop_assert_eq!(
            entries(&after, "contexts").len(),
            entries(&before, "contexts").len() + 1
        );
        let mut expected = without_ours(&raw);
        if expected.get("current-context").is_none_or(|it| it == "") {
            expected["current-context"] = "alice@prod".into();
        }
        prop_assert_eq!(without_ours(&merged), expected);
        prop_assert!(
            folder.read("config").ends_with(form.1),
            "{}",
            folder.read("config")
        );

        // Once more is nothing new.
        let once = folder.read("config");
        folder.run(&merge).good();
        prop_assert_eq!(folder.read("config"), once);
        Ok(())
    });
}

/// What others add to entries of ours.
fn any_additions() -> impl Strategy<Value = [Value; 3]> {
    let cluster = some(vec![
        ("proxy-url", Just(json!("socks5://localhost:1080")).boxed()),
        ("tls-server-name", text()),
        ("disable-compression", flag()),
    ]);
    let user = some(vec![
        ("as", text()),
        (
            "as-groups",
            vec(any_text(), 1..3).prop_map(|list| json!(list)).boxed(),
        ),
        ("token", text()),
    ]);
    let context = some(vec![("namespace", text())]);
    (cluster, user, context).prop_map(|(cluster, user, context)| [cluster, user, context])
}

#[test]
fn what_others_added_to_our_entries_stays_when_they_are_renewed() {
    if !have("kubectl") {
        return;
    }
    let folder = journey();
    let styles = prop_oneof![Just("--embed"), Just("--files"), Just("--exec")];
    run(
        (any_additions(), [styles.clone(), styles]),
        |(additions, [first, second])| {
            let _ = std::fs::remove_file(folder.file("config"));
            let merge = |style| {
                let args = ["kubeconfig", "alice.reply.yaml", "--merge", "config", style];
                folder.run(&args).good();
            };
            merge(first);
            let mut value = read(&folder);
            for ((list, body), more) in [
                ("clusters", "cluster"),
                ("users", "user"),
                ("contexts", "context"),
            ]
            .into_iter()
            .zip(&additions)
            {
                let ours = value[list][0][body].as_object_mut().unwrap();
                for (field, added) in more.as_object().unwrap() {
                    match (ours.get_mut(field), added) {
                        (Some(Value::Array(there)), Value::Array(added)) => {
                            there.extend(
                                added
                                    .iter()
                                    .filter(|it| it["name"] != "kube-enroll")
                                    .cloned(),
                            );
                        }
                        _ => {
                            ours.insert(field.clone(), added.clone());
                        }
                    }
                }
            }
            folder.write("config", kube_enroll::yaml::to_string(&value));
            let (before, raw) = (view(&folder), read(&folder));
            merge(second);
            let (mut after, mut merged) = (view(&folder), read(&folder));
            let carried = [
                "client-certificate",
                "client-certificate-data",
                "client-key",
                "client-key-data",
                "exec",
            ];
            for (old, new) in [(before, &mut after), (raw, &mut merged)] {
                let mut old = old;
                for value in [&mut old, &mut *new] {
                    let user = value["users"][0]["user"].as_object_mut().unwrap();
                    for field in carried {
                        user.remove(field);
                    }
                    if let Some(extensions) =
                        user.get_mut("extensions").and_then(Value::as_array_mut)
                    {
                        extensions
                            .sort_by_key(|it| it["name"].as_str().unwrap_or_default().to_owned());
                    }
                }
                prop_assert_eq!(&*new, &old);
            }
            Ok(())
        },
    );
}
