//! `kube_enroll::kubeconfig`: a person's entries can be added to a kubeconfig, are found in it again,
//! and take nothing away.

use std::collections::BTreeSet;

use kube_enroll::certificate::Chain;
use kube_enroll::kubeconfig::{Cluster, Credential, Kubeconfig, NewEntry, merge};

const CONTEXT: &str = "alice@prod";
const AUTHORITY: &[u8] = include_bytes!("../seeds/certificate/chain.pem");

/// Takes any bytes for a kubeconfig.
pub fn check(data: &[u8]) {
    let Ok(kubeconfig) = Kubeconfig::read(data) else {
        return;
    };
    for cluster in kubeconfig.clusters() {
        // Whatever it is, it can be told.
        let _ = cluster.check();
    }
    let _ = kubeconfig.cluster(None);
    let before = entries(&kubeconfig);
    let entry = entry();
    if let Ok(merged) = merge(kubeconfig, &entry) {
        let merged = Kubeconfig::read(merged.expose().as_bytes()).unwrap();
        assert_eq!(merged.cluster(Some(CONTEXT)), Ok(entry.cluster));
        assert!(entries(&merged).is_superset(&before));
    }
}

fn entry() -> NewEntry {
    NewEntry {
        cluster: Cluster::new("prod", "https://10.0.0.1:6443", AUTHORITY),
        user: "alice".to_owned(),
        context: CONTEXT.to_owned(),
        namespace: Some("dev".to_owned()),
        credential: Credential::Files {
            certificate: "/home/alice/alice.crt".to_owned(),
            key: "/home/alice/alice.key".to_owned(),
        },
        certificate: Chain::from_pem(AUTHORITY).unwrap().leaf().clone(),
    }
}

/// What a kubeconfig holds, but for what users hold, which a renewal replaces.
fn entries(kubeconfig: &Kubeconfig) -> BTreeSet<String> {
    let clusters = kubeconfig.clusters().map(|it| (it.name, it.server));
    let clusters = clusters.map(|it| format!("cluster {it:?}"));
    let users = kubeconfig.users().map(|(name, _)| format!("user {name:?}"));
    let contexts = kubeconfig.contexts().map(|it| format!("context {it:?}"));
    clusters.chain(users).chain(contexts).collect()
}
