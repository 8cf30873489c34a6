//! A reply takes the cluster's address out of an admin's kubeconfig, and nothing secret.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kube_enroll::kubeconfig::{Cluster, Kubeconfig};
use kube_enroll::{reply, yaml};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases;
use super::kubeconfigs::{CA, any_cluster, read};

/// Stands for every secret.
const MARK: &str = "hunter2";

/// Every place of a kubeconfig that has been seen to hold a secret.
fn secretive_kubeconfig(cluster: &Cluster, host: &str, others: &[String]) -> Value {
    let pem = format!(
        "{}-----BEGIN PRIVATE KEY-----\n{MARK}\n-----END PRIVATE KEY-----\n{MARK}\n",
        *CA
    );
    let user = json!({
        "token": MARK, "tokenFile": MARK, "password": MARK, "username": MARK,
        "client-certificate-data": MARK, "client-key-data": MARK, "client-key": MARK, "as": MARK,
        "auth-provider": {"name": MARK, "config": {"id-token": MARK, "refresh-token": MARK}},
        "exec": {"command": MARK, "args": [MARK], "env": [{"name": MARK, "value": MARK}]},
    });
    let users = others
        .iter()
        .map(|name| json!({"name": name, "user": user}));
    json!({
        "apiVersion": "v1", "kind": "Config", "preferences": {"note": MARK}, "extensions": [{"name": MARK}],
        "current-context": "a",
        "users": users.collect::<Vec<_>>(),
        "contexts": [{"name": "a", "context": {
            "cluster": cluster.name, "user": others.first(), "namespace": MARK,
            "extensions": [{"name": MARK, "extension": MARK}],
        }}],
        "clusters": [{"name": cluster.name, "token": MARK, "cluster": {
            "server": format!("https://admin:{MARK}@{host}"),
            "certificate-authority-data": BASE64_STANDARD.encode(pem),
            "tls-server-name": cluster.tls_server_name,
            "proxy-url": format!("http://admin:{MARK}@proxy:3128"),
            "token": MARK, "client-key-data": MARK,
            "extensions": [{"name": MARK, "extension": {"token": MARK}}],
        }}],
    })
}

/// All texts of a value, those in base64 opened.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => {
            let opened = BASE64_STANDARD.decode(text).unwrap_or_default();
            vec![text.clone(), String::from_utf8_lossy(&opened).into_owned()]
        }
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(map) => map
            .iter()
            .flat_map(|(name, value)| [vec![name.clone()], texts(value)].concat())
            .collect(),
        _ => Vec::new(),
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn nothing_secret_of_a_kubeconfig_is_in_a_reply(
        cluster in any_cluster(),
        host in "[a-z0-9.]{1,12}(:[0-9]{1,4})?(/[a-z@/]{0,6})?",
        behind in "([?#][a-z@/]{0,6})?",
        others in vec("[a-z]{1,8}", 0..3),
    ) {
        let others: Vec<_> = others.into_iter().enumerate().map(|(n, name)| format!("{name}{n}")).collect();
        let kubeconfig = yaml::to_string(&secretive_kubeconfig(&cluster, &(host.clone() + &behind), &others));
        let kubeconfig = Kubeconfig::read(kubeconfig.as_bytes()).unwrap();
        let written = read(&reply::write(&[], &kubeconfig.cluster(None).unwrap()));
        let fields = written["clusters"][0]["cluster"].as_object().unwrap();
        for field in fields.keys() {
            let known = ["server", "certificate-authority-data", "tls-server-name", "proxy-url"];
            prop_assert!(known.contains(&field.as_str()), "{}", field);
        }
        prop_assert_eq!(&fields["server"], &["https://", host.as_str()].concat());
        prop_assert_eq!(&fields["proxy-url"], "http://proxy:3128");
        prop_assert_eq!(&fields["certificate-authority-data"], &BASE64_STANDARD.encode(&*CA));
        prop_assert_eq!(written.keys().collect::<Vec<_>>(), ["apiVersion", "kind", "clusters"]);
        let leaked = texts(&Value::Object(written)).into_iter().find(|text| text.contains(MARK));
        prop_assert_eq!(leaked, None);
    }
}
