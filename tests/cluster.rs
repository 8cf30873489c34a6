//! The whole journey against a real control plane, where `KUBEBUILDER_ASSETS` names a folder with
//! `etcd`, `kube-apiserver`, `kube-controller-manager` and `kubectl` (the envtest convention).

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used
)]

mod common;

use common::Folder;
use common::killed::{has_nameless_files, kill_and_go_on, names, random};
use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The authorizers of the API server.
const AUTHORIZERS: &str = "
apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
- {type: Node, name: node}
- {type: RBAC, name: rbac}
";

/// The servers on loopback; they end with the test.
struct ControlPlane {
    folder: Folder,
    assets: PathBuf,
    servers: Vec<Child>,
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        for server in self.servers.iter_mut().rev() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

impl ControlPlane {
    fn start() -> Option<Self> {
        let Some(assets) = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from) else {
            eprintln!("skipped: KUBEBUILDER_ASSETS names no control plane");
            return None;
        };
        let mut plane = Self {
            folder: Folder::new(),
            assets,
            servers: Vec::new(),
        };
        plane.make_keys();
        plane.authorize(AUTHORIZERS);
        let authorizers = plane.folder.file("authorizers.yaml");
        let authorizers = authorizers.to_str().unwrap();
        let [etcd, peer, api] = [free_port(), free_port(), free_port()];
        let etcd = format!("http://127.0.0.1:{etcd}");
        let peer = format!("http://127.0.0.1:{peer}");
        plane.serve(
            "etcd",
            &[
                "--data-dir=etcd",
                &format!("--listen-client-urls={etcd}"),
                &format!("--advertise-client-urls={etcd}"),
                &format!("--listen-peer-urls={peer}"),
            ],
        );
        plane.serve(
            "kube-apiserver",
            &[
                &format!("--etcd-servers={etcd}"),
                &format!("--secure-port={api}"),
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                "--endpoint-reconciler-type=none",
                &format!("--authorization-config={authorizers}"),
                "--service-cluster-ip-range=10.0.0.0/24",
                "--tls-cert-file=apiserver.crt",
                "--tls-private-key-file=apiserver.key",
                "--client-ca-file=ca.crt",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-account-key-file=sa.pub",
                "--service-account-signing-key-file=sa.key",
            ],
        );
        plane.folder.write("admin.kubeconfig", format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: local\nclusters:\n- name: local\n  cluster:\n    \
             server: https://127.0.0.1:{api}\n    certificate-authority: ca.crt\nusers:\n- name: admin\n  \
             user:\n    client-certificate: admin.crt\n    client-key: admin.key\ncontexts:\n- name: local\n  \
             context:\n    cluster: local\n    user: admin\n"
        ));
        plane.wait_for(&["get", "--raw", "/readyz"], "ok");
        plane.serve(
            "kube-controller-manager",
            &[
                "--kubeconfig=admin.kubeconfig",
                "--bind-address=127.0.0.1",
                "--secure-port=0",
                "--leader-elect=false",
                "--controllers=csrsigning",
                "--cluster-signing-cert-file=ca.crt",
                "--cluster-signing-key-file=ca.key",
            ],
        );
        Some(plane)
    }

    fn make_keys(&self) {
        let script = r#"
            key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
            openssl req -x509 $key -keyout ca.key -out ca.crt -days 30 -subj /CN=kubernetes
            openssl genrsa -out sa.key 2048
            openssl rsa -in sa.key -pubout -out sa.pub
            sign() {
                openssl req -new $key -keyout $1.key -out $1.csr -subj "$2"
                printf "$3" > $1.ext
                openssl x509 -req -in $1.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out $1.crt -extfile $1.ext
            }
            sign apiserver /CN=kube-apiserver "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"
            sign admin /O=system:masters/CN=admin "extendedKeyUsage=clientAuth\n"
        "#;
        self.folder.peer("sh", &["-ec", script]);
    }

    fn serve(&mut self, name: &str, args: &[&str]) {
        let log = File::create(self.folder.file(&format!("{name}.log"))).unwrap();
        let server = Command::new(self.assets.join(name))
            .args(args)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.servers.push(server);
    }

    fn kubectl(&self, folder: &Folder, kubeconfig: &str, args: &[&str]) -> (bool, String) {
        let output = Command::new(self.assets.join("kubectl"))
            .args(["--kubeconfig", kubeconfig])
            .args(args)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let text = if output.status.success() {
            output.stdout
        } else {
            output.stderr
        };
        (
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    }

    /// Starts it, and ends it at any moment.
    fn kubectl_is_killed(&self, folder: &Folder, args: &[&str]) {
        let mut kubectl = Command::new(self.assets.join("kubectl"))
            .args([
                "--kubeconfig",
                self.folder.file("admin.kubeconfig").to_str().unwrap(),
            ])
            .args(args)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(200 + random(400) as u64));
        kubectl.kill().unwrap();
        kubectl.wait().unwrap();
    }

    fn admin(&self, folder: &Folder, args: &[&str]) -> String {
        let kubeconfig = self.folder.file("admin.kubeconfig");
        let (good, text) = self.kubectl(folder, kubeconfig.to_str().unwrap(), args);
        assert!(good, "kubectl {args:?}: {text}");
        text
    }

    /// Asks until the answer is this, or starts with it.
    fn wait_for(&self, args: &[&str], answer: &str) -> String {
        let until = Instant::now() + Duration::from_mins(1);
        let kubeconfig = self.folder.file("admin.kubeconfig");
        loop {
            let (good, text) = self.kubectl(&self.folder, kubeconfig.to_str().unwrap(), args);
            if good && text.starts_with(answer) && !text.is_empty() {
                return text;
            }
            assert!(Instant::now() < until, "kubectl {args:?}: {text}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Request, apply, approve, reply, kubeconfig, whoami.
    fn journey(&self, user: &str, algorithm: &str, groups: &[&str], encrypted: bool) {
        let folder = Folder::new();
        folder.write("pass", "correct horse\n");
        let mut args = vec![
            "request",
            user,
            "--algorithm",
            algorithm,
            "--expires-in",
            "1h",
        ];
        args.extend(groups.iter().flat_map(|group| ["--group", group]));
        args.extend(if encrypted {
            vec!["--passphrase-file", "pass"]
        } else {
            vec!["--no-passphrase"]
        });
        folder.run(&args).good();
        let yaml = folder
            .names()
            .into_iter()
            .find(|name| name.ends_with(".yaml"))
            .unwrap();
        let read = self.admin(
            &folder,
            &["create", "--dry-run=client", "-o", "json", "-f", &yaml],
        );
        let read: serde_json::Value = serde_json::from_str(&read).unwrap();
        let name = read["metadata"]["name"].as_str().unwrap();
        // What a stranger sent is not created, but what was checked of it.
        let mut agreement = vec!["--user", user];
        agreement.extend(groups.iter().flat_map(|group| ["--group", group]));
        if groups.is_empty() {
            agreement.push("--no-groups");
        }
        let verify = [&["verify", &yaml][..], &agreement].concat();
        let checked = folder.run(&[&verify[..], &["-o", "manifest"]].concat());
        folder.write("checked.yaml", checked.good().stdout);
        self.admin(&folder, &["create", "-f", "checked.yaml"]);
        let names = folder.run(&[&verify[..], &["-o", "name"]].concat()).good();
        let resource = format!("certificatesigningrequest.certificates.k8s.io/{name}");
        assert_eq!(names.stdout.trim(), resource);
        let object = self.approve(&folder, name);
        let again = [&["verify", "-"][..], &agreement].concat();
        let again = folder.run_with(&again, object.as_bytes()).good();
        assert!(
            !again.stdout.contains("submitter-fields"),
            "{}",
            again.stdout
        );
        let admin = self.folder.file("admin.kubeconfig");
        let args = [
            "reply",
            "--kubeconfig",
            admin.to_str().unwrap(),
            "--out",
            "reply.yaml",
        ];
        folder.run_with(&args, object.as_bytes()).good();
        let mut args = vec!["kubeconfig", "reply.yaml", "--out", "kc"];
        if encrypted {
            args.extend(["--embed", "--passphrase-file", "pass"]);
        }
        folder.run(&args).good();
        if encrypted {
            self.served(&folder);
        }
        let (good, who) = self.kubectl(&folder, "kc", &["auth", "whoami", "-o", "json"]);
        assert!(good, "{who}");
        let who: serde_json::Value = serde_json::from_str(&who).unwrap();
        let info = &who["status"]["userInfo"];
        assert_eq!(info["username"], user);
        let mut found: Vec<_> = info["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| group.as_str().unwrap().to_owned())
            .collect();
        found.retain(|group| group != "system:authenticated");
        let predicted = folder.run(&["inspect", "-o", "json", &yaml]).json();
        assert_eq!(
            predicted["objects"][0]["identity"]["groups"],
            serde_json::json!(found)
        );
        found.sort();
        let mut expected = groups.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
}

impl ControlPlane {
    /// Approves what was created, and waits until it is issued.
    fn approve(&self, folder: &Folder, name: &str) -> String {
        self.admin(folder, &["certificate", "approve", name]);
        self.wait_for(
            &["get", "csr", name, "-o", "jsonpath={.status.certificate}"],
            "LS0t",
        );
        self.admin(folder, &["get", "csr", name, "-o", "yaml"])
    }

    /// kubectl gets the key from this program, unlocked before since nobody can be asked here.
    fn served(&self, folder: &Folder) {
        let args = [
            "kubeconfig",
            "reply.yaml",
            "--out",
            "served",
            "--exec",
            "--unlock-for",
            "5m",
        ];
        folder
            .run(&[&args[..], &["--passphrase-file", "pass"]].concat())
            .good();
        let named = |ending: &str| {
            let mut names = folder.names().into_iter();
            names.find(|name| name.ends_with(ending)).unwrap()
        };
        let certificate = named(".crt");
        let unlock = ["credential", "--certificate", &certificate, "--key"];
        let key = named(".key");
        let options = [
            key.as_str(),
            "--passphrase-file",
            "pass",
            "--unlock-for",
            "5m",
        ];
        folder.run(&[&unlock[..], &options].concat()).good();
        let (good, who) = self.kubectl(folder, "served", &["auth", "whoami"]);
        assert!(good, "{who}");
        assert!(folder.read(&key).contains("ENCRYPTED"));
    }
}

/// Taking certificates away.
impl ControlPlane {
    /// Puts a new file in the place of the API server's.
    fn authorize(&self, configuration: &str) {
        self.folder.write("authorizers.new", configuration);
        let [new, old] = ["authorizers.new", "authorizers.yaml"].map(|name| self.folder.file(name));
        std::fs::rename(new, old).unwrap();
    }

    /// A certificate and its key, in a kubeconfig.
    fn person(&self, name: &str, user: &str) {
        let script = r#"
            openssl req -utf8 -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -out $1.csr \
                -subj "/O=developers/CN=$2"
            printf "extendedKeyUsage=clientAuth\n" > $1.ext
            openssl x509 -req -in $1.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3 -out $1.crt -extfile $1.ext
        "#;
        self.folder.peer("sh", &["-ec", script, "sh", name, user]);
        let admin = self.folder.read("admin.kubeconfig");
        let kubeconfig = admin
            .replace("admin.crt", &format!("{name}.crt"))
            .replace("admin.key", &format!("{name}.key"));
        self.folder.write(&format!("{name}.kubeconfig"), kubeconfig);
    }

    fn whoami(&self, name: &str) -> (bool, String) {
        let kubeconfig = format!("{name}.kubeconfig");
        self.kubectl(
            &self.folder,
            &kubeconfig,
            &["auth", "whoami", "-o", "jsonpath={.status.userInfo}"],
        )
    }

    fn are_let_in(&self, names: &[&str]) {
        for name in names {
            let (good, text) = self.whoami(name);
            assert!(good, "{name}: {text}");
        }
    }

    fn are_refused(&self, names: &[&str]) {
        for name in names {
            let (good, text) = self.whoami(name);
            assert!(!good && text.contains(REFUSED), "{name}: {text}");
        }
    }

    /// Waits until the API server has read its file again.
    fn wait_until(&self, name: &str, is_let_in: bool) {
        let until = Instant::now() + Duration::from_secs(90);
        loop {
            let (good, text) = self.whoami(name);
            if good == is_let_in {
                return;
            }
            assert!(Instant::now() < until, "{name}: {text}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Runs `rbac` into a folder, and gives the API server what came of it.
    fn rbac(&self, args: &[&str], out: &str) {
        let args = [&["rbac"], args, &["--output-dir", out]].concat();
        self.folder.run(&args).good();
        let configuration = self
            .folder
            .read(&format!("{out}/authorization-config.yaml"));
        // The folder of the control plane is another one here.
        let kubeconfig = self.folder.file("denied-certificates.kubeconfig");
        let here = configuration.replace(
            "/etc/kubernetes/pki/denied-certificates.kubeconfig",
            kubeconfig.to_str().unwrap(),
        );
        let webhook = self
            .folder
            .read(&format!("{out}/denied-certificates.kubeconfig"));
        self.folder.write("denied-certificates.kubeconfig", webhook);
        self.authorize(&here);
    }

    /// What it asks for alice is answered with true, and what it deletes is gone.
    fn script_does_as_it_says(&self, script: &str) {
        let folder = &self.folder;
        let path = format!(
            "{}:{}",
            self.assets.display(),
            std::env::var("PATH").unwrap()
        );
        let bound = folder
            .run(&["rbac", "--user", "alice", "--cluster-role", "view"])
            .good();
        folder.write("bound.yaml", bound.stdout);
        self.admin(folder, &["create", "-f", "bound.yaml"]);
        self.admin(
            folder,
            &[
                "create",
                "clusterrolebinding",
                "theirs",
                "--clusterrole=view",
                "--user=alice",
            ],
        );
        let run = "PATH=$1 KUBECONFIG=admin.kubeconfig sh $2";
        let said = folder.peer("sh", &["-ec", run, "sh", &path, script]);
        assert!(said.starts_with("true\n"), "{said}");
        let theirs = "ClusterRoleBinding \"theirs\" in \"\": ClusterRole \"view\", subjects: 1\n";
        assert!(said.contains(theirs), "{said}");
        let left = self.admin(
            folder,
            &[
                "get",
                "clusterrolebindings",
                "-l",
                "kube-enroll/user=alice",
                "-o",
                "name",
            ],
        );
        assert_eq!(left, "");
    }
}

/// What the holder of a certificate reads that was taken away.
const REFUSED: &str =
    "no such key: this certificate was taken away: ask an administrator for a new one";

/// The same certificate in other bytes: the authority has signed none of what is put behind.
fn rewritten(pem: &str) -> String {
    let block = kube_enroll::pem::first(pem.as_bytes()).unwrap();
    let der = &block.contents;
    assert_eq!(der[..2], [0x30, 0x82], "a length in two bytes");
    let behind = [0x04, 0x01, 0x00];
    let length = u16::from_be_bytes([der[2], der[3]]) + u16::try_from(behind.len()).unwrap();
    let der = [&[0x30, 0x82], &length.to_be_bytes()[..], &der[4..], &behind].concat();
    let base64 = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, der);
    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
}

#[test]
fn a_certificate_that_was_taken_away_is_refused_and_a_new_one_let_in() {
    let Some(plane) = ControlPlane::start() else {
        return;
    };
    let folder = &plane.folder;
    for (name, user) in [
        ("lost", "alice"),
        ("new", "alice"),
        ("bob", "bob"),
        ("odd", r#"Zoë O'Neil, "x" \/\/ é"#),
    ] {
        plane.person(name, user);
    }
    // A thief who writes the certificate otherwise is somebody else to the log.
    folder.write("thief.crt", rewritten(&folder.read("lost.crt")));
    let thief = folder.read("lost.kubeconfig");
    folder.write("thief.kubeconfig", thief.replace("lost.crt", "thief.crt"));
    let [lost, thief] = ["lost", "thief"].map(|name| plane.whoami(name).1);
    assert!(lost.contains("X509SHA256=") && thief.contains("alice") && lost != thief);
    // Somebody without a certificate.
    plane.admin(folder, &["create", "serviceaccount", "robot"]);
    let token = plane.admin(folder, &["create", "token", "robot"]);
    let robot = folder.read("admin.kubeconfig");
    let robot = robot.replace("client-certificate: admin.crt", &format!("token: {token}"));
    folder.write(
        "robot.kubeconfig",
        robot.replace("    client-key: admin.key\n", ""),
    );
    let others = ["bob", "odd", "robot", "admin"];
    plane.are_let_in(&others);

    plane.rbac(&["--revoke", "lost.crt"], "first");
    plane.wait_until("lost", false);
    plane.are_refused(&["lost", "thief", "new"]);
    plane.are_let_in(&others);

    plane.script_does_as_it_says("first/revoke.sh");

    let given = ["--authorization-config", "authorizers.yaml"];
    plane.rbac(&[&["--keep", "new.crt"][..], &given].concat(), "second");
    plane.wait_until("new", true);
    plane.are_refused(&["lost", "thief"]);

    // Several at once, and a name of all kinds of quotes.
    plane.rbac(
        &[&["--revoke", "bob.crt", "odd.kubeconfig"][..], &given].concat(),
        "third",
    );
    plane.wait_until("bob", false);
    plane.are_refused(&["lost", "thief", "bob", "odd"]);
    plane.are_let_in(&["new", "robot", "admin"]);

    // The new one is lost as well.
    plane.rbac(&[&["--revoke", "new.crt"][..], &given].concat(), "fourth");
    plane.wait_until("new", false);
    plane.are_refused(&["lost", "thief", "new"]);

    // Nobody is left.
    let configuration = folder.read("authorizers.yaml");
    let is_left = |line: &&str| !line.ends_with("\\n\\") || !line.trim_start().starts_with('\'');
    let lines: Vec<_> = configuration.lines().filter(is_left).collect();
    assert_eq!(
        configuration.lines().count() - lines.len(),
        3 + 1,
        "{configuration}"
    );
    plane.authorize(&(lines.join("\n") + "\n"));
    plane.wait_until("lost", true);
    plane.are_let_in(&["thief", "new", "bob", "odd"]);
}

#[test]
fn as_many_are_refused_as_are_written() {
    let Some(plane) = ControlPlane::start() else {
        return;
    };
    plane.person("alice", "alice");
    plane.person("bob", "bob");
    let users: Vec<String> = (0..1_800)
        .map(|number| format!("somebody-else-{number:030}"))
        .collect();
    let users = users.iter().flat_map(|user| ["--user", user]);
    let users: Vec<&str> = users.chain(["--user", "alice"]).collect();
    plane.rbac(&[&["--revoke"][..], &users].concat(), "many");
    let length = plane.folder.read("authorizers.yaml").len();
    assert!((90_000..110_000).contains(&length), "{length}");
    plane.wait_until("alice", false);
    plane.are_refused(&["alice"]);
    plane.are_let_in(&["bob"]);
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[test]
fn a_real_cluster_takes_requests_and_knows_their_users() {
    let Some(plane) = ControlPlane::start() else {
        return;
    };
    let seven = ["a", "bb", "zzz", "team 4", "é", "no", "z*"];
    plane.journey("alice", "ecdsa-p256", &["developers"], false);
    plane.journey("bob", "rsa-4096", &seven, true);
    plane.journey("carol", "rsa-2048", &[], false);
    plane.journey("dave", "ecdsa-p384", &["developers", "ops"], true);
    for user in [
        "no",
        "null",
        "1234",
        "1e3",
        "0x1F",
        "2024-01-01",
        "a: b",
        "#x",
        "🙂",
        "~",
        "y",
    ] {
        plane.journey(user, "ed25519", &["developers"], false);
    }
}

/// People who are enrolled at once.
const PEOPLE: usize = 60;

#[test]
fn many_are_enrolled_by_commands_that_are_killed_and_started_again() {
    let Some(plane) = ControlPlane::start() else {
        return;
    };
    let folder = Folder::new();
    if !has_nameless_files(&folder) {
        return;
    }
    let users: Vec<String> = (0..PEOPLE)
        .map(|number| format!("robot-{number}"))
        .collect();
    folder.write(
        "lab.csv",
        format!("user,groups\n{},lab\n", users.join(",lab\n")),
    );
    let words = "request --roster lab.csv --algorithm ecdsa-p256 --no-passphrase --output-dir keys";
    let request: Vec<&str> = words.split(' ').collect();
    let mut keys = BTreeMap::new();
    kill_and_go_on(&folder, &request, "keys", 3 * PEOPLE + 1, |output| {
        for name in names(output)
            .into_iter()
            .filter(|name| name.ends_with(".key"))
        {
            let key = std::fs::read(output.join(&name)).unwrap();
            let first = keys.entry(name).or_insert_with(|| key.clone());
            assert_eq!(*first, key, "a key was made twice");
        }
    });
    assert_eq!(keys.len(), PEOPLE);
    let table = folder.run(&[&request[..], &["-o", "csv"]].concat()).good();
    folder.write("team.csv", table.stdout);

    // kubectl is killed while it creates, and while it approves.
    let words = "verify keys/requests.csr.yaml --roster team.csv -o manifest";
    folder.write("good.yaml", folder.typed(words).good().stdout);
    let count = |path: &str| {
        let path = format!("jsonpath={{{path}}}");
        let found = plane.admin(&folder, &["get", "csr", "-o", &path]);
        found.split_whitespace().count()
    };
    plane.kubectl_is_killed(&folder, &["create", "-f", "good.yaml"]);
    let admin = plane.folder.file("admin.kubeconfig");
    let admin = admin.to_str().unwrap();
    // Those that are there already are refused.
    plane.kubectl(&folder, admin, &["create", "-f", "good.yaml"]);
    assert_eq!(count(".items[*].metadata.name"), PEOPLE);
    for is_killed in [true, false] {
        let pending = plane.admin(&folder, &["get", "csr", "-o", "yaml"]);
        let words = ["verify", "-", "--roster", "team.csv", "-o", "name"];
        let good = folder.run_with(&words, pending.as_bytes()).good().stdout;
        let approve = [
            &["certificate", "approve"],
            &good.lines().collect::<Vec<_>>()[..],
        ]
        .concat();
        if is_killed {
            plane.kubectl_is_killed(&folder, &approve);
        } else if !good.is_empty() {
            plane.admin(&folder, &approve);
        }
    }
    let until = Instant::now() + Duration::from_mins(2);
    while count(".items[*].status.certificate") < PEOPLE {
        assert!(Instant::now() < until, "not all are issued");
        std::thread::sleep(Duration::from_millis(200));
    }
    let issued = plane.admin(&folder, &["get", "csr", "-o", "yaml"]);
    folder.write("issued", issued);
    let reply = [
        "reply",
        "issued",
        "--kubeconfig",
        admin,
        "--roster",
        "team.csv",
    ];
    let reply = [&reply[..], &["--output-dir", "replies"]].concat();
    let whole = |output: &Path| {
        for name in names(output) {
            let text = std::fs::read_to_string(output.join(&name)).unwrap();
            assert!(!name.starts_with('.') && !text.is_empty(), "{name}");
        }
    };
    kill_and_go_on(&folder, &reply, "replies", PEOPLE, whole);
    let words = "kubeconfig replies --key keys --embed --output-dir kubeconfigs";
    let kubeconfig: Vec<&str> = words.split(' ').collect();
    kill_and_go_on(&folder, &kubeconfig, "kubeconfigs", PEOPLE, whole);
    for user in &users {
        let kubeconfig = format!("kubeconfigs/{user}.kubeconfig");
        let path = "jsonpath={.status.userInfo.username} {.status.userInfo.groups[*]}";
        let (good, who) = plane.kubectl(&folder, &kubeconfig, &["auth", "whoami", "-o", path]);
        assert!(
            good && who == format!("{user} lab system:authenticated"),
            "{who}"
        );
    }
}

/// Somebody with a folder, whose kubeconfigs carry the key in one style.
struct Person {
    folder: Folder,
    style: &'static str,
    seen: Vec<String>,
}

const CONFIG: &str = "alice.kubeconfig";

impl Person {
    fn new(style: &'static str) -> Self {
        let folder = Folder::new();
        folder.write("pass", "correct horse\n");
        Self {
            folder,
            style,
            seen: Vec::new(),
        }
    }

    /// Runs a command, with what opens the key where it is locked.
    fn run(&self, words: &str) -> String {
        let secret: &[&str] = match self.style {
            "--exec" => &["--passphrase-file", "pass"],
            _ if words.starts_with("re") && !words.contains("key") => &["--no-passphrase"],
            _ => &[],
        };
        let words: Vec<&str> = words.split_whitespace().collect();
        self.folder.run(&[&words, secret].concat()).good().stdout
    }

    /// Asks, and has it signed; what was printed.
    fn ask(&mut self, words: &str, cluster: &ControlPlane, reply: &str) -> String {
        let printed = self.run(words);
        let names = self.folder.names().into_iter();
        let is_new = |name: &String| name.ends_with(".csr.yaml") && !self.seen.contains(name);
        let manifest = names.clone().find(is_new).unwrap();
        self.seen.push(manifest.clone());
        let printed_reply = printed
            .split_whitespace()
            .find(|it| it.ends_with(".reply.yaml"));
        let reply = if reply.is_empty() {
            printed_reply.unwrap()
        } else {
            reply
        };
        self.is_signed(&manifest, cluster, reply);
        printed
    }

    /// The administrator's side.
    fn is_signed(&self, manifest: &str, cluster: &ControlPlane, reply: &str) {
        let created = cluster.admin(&self.folder, &["create", "-o", "name", "-f", manifest]);
        let (_, name) = created.trim().split_once('/').unwrap();
        let object = cluster.approve(&self.folder, name);
        let admin = cluster.folder.file("named.kubeconfig");
        let write = [
            "reply",
            "--kubeconfig",
            admin.to_str().unwrap(),
            "--out",
            reply,
        ];
        self.folder.run_with(&write, object.as_bytes()).good();
    }

    /// The last command that was printed.
    fn follow(&self, printed: &str) {
        let start = printed.rfind("kube-enroll kubeconfig").unwrap();
        let command = printed[start..].replace("\\\n", " ");
        let line = command.lines().next().unwrap();
        self.run(line.strip_prefix("kube-enroll ").unwrap());
    }

    /// kubectl comes in by each context, and there is no other.
    fn is_known(&self, kubeconfig: &str, expected: &[(&str, &ControlPlane, &str)]) {
        let all = ["config", "get-contexts", "-o", "name"];
        let (_, all) = expected[0].1.kubectl(&self.folder, kubeconfig, &all);
        assert_eq!(all.lines().count(), expected.len(), "{all}");
        for (context, cluster, group) in expected {
            if self.style == "--exec" {
                self.run(&format!("unlock {kubeconfig} --context {context} --for 1m"));
            }
            let whoami = ["--context", context, "auth", "whoami", "-o"];
            let path = "jsonpath={.status.userInfo.username} {.status.userInfo.groups[*]}";
            let (good, who) =
                cluster.kubectl(&self.folder, kubeconfig, &[&whoami[..], &[path]].concat());
            let who = who.replace(" system:authenticated", "");
            assert!(
                good && who == format!("alice {group}"),
                "{kubeconfig} {context}: {who}"
            );
        }
    }
}

#[test]
fn second_times_leave_every_context_in_use() {
    let (Some(prod), Some(dev)) = (ControlPlane::start(), ControlPlane::start()) else {
        return;
    };
    for (plane, name) in [(&prod, "prod"), (&dev, "dev")] {
        let admin = plane.folder.read("admin.kubeconfig");
        plane
            .folder
            .write("named.kubeconfig", admin.replace("local", name));
    }
    for style in ["--embed", "--files", "--exec"] {
        let mut alice = Person::new(style);
        let new = "request alice -g developers --algorithm ecdsa-p256 --expires-in 1h";
        alice.ask(new, &prod, "first.reply.yaml");
        alice.run(&format!("kubeconfig first.reply.yaml {style}"));
        let first = ("alice@prod", &prod, "developers");
        alice.is_known(CONFIG, &[first]);

        // Other groups, with the same key.
        alice.ask(
            "request alice -g ops --key alice.key",
            &prod,
            "ops.reply.yaml",
        );
        alice.run(&format!("kubeconfig ops.reply.yaml {style} --context ops"));
        let ops = ("ops", &prod, "ops");
        alice.is_known(CONFIG, &[first, ops]);

        // Another cluster.
        alice.is_signed("alice.csr.yaml", &dev, "dev.reply.yaml");
        alice.run(&format!("kubeconfig dev.reply.yaml {style}"));
        let second = ("alice@dev", &dev, "developers");
        alice.is_known(CONFIG, &[first, ops, second]);
        alice.run(&format!(
            "kubeconfig dev.reply.yaml {style} --merge home/.kube/config"
        ));

        // The next year, as it is printed.
        let printed = alice.ask("renew alice.kubeconfig --context alice@prod", &prod, "");
        alice.follow(&printed);
        alice.is_known(CONFIG, &[first, ops, second]);
        let renew = "renew alice.kubeconfig --context alice@dev --keep-key --expires-in 2h";
        let printed = alice.ask(renew, &dev, "");
        alice.follow(&printed);
        alice.is_known(CONFIG, &[first, ops, second]);
        alice.is_known("home/.kube/config", &[second]);

        // A key that was lost.
        let is_renewed = |name: &String| name.starts_with("alice-") && name.ends_with(".key");
        let keys = alice.folder.names().into_iter().filter(is_renewed);
        keys.for_each(|key| std::fs::remove_file(alice.folder.file(&key)).unwrap());
        let renew = "renew alice.kubeconfig --context alice@prod --expires-in 2h";
        let printed = alice.ask(renew, &prod, "");
        alice.follow(&printed);
        alice.is_known(CONFIG, &[first, ops, second]);
    }
}

/// The line that the README shows: kubectl, which reads the manifest, makes a client before and one
/// after, and each asks.
#[test]
fn a_locked_key_is_asked_for_where_kubectl_reads_standard_input() {
    if !common::have("expect") {
        return;
    }
    let Some(plane) = ControlPlane::start() else {
        return;
    };
    plane
        .folder
        .write("named.kubeconfig", plane.folder.read("admin.kubeconfig"));
    let mut alice = Person::new("--exec");
    let new = "request alice -g developers --algorithm ecdsa-p256 --expires-in 1h";
    alice.ask(new, &plane, "alice.reply.yaml");
    alice.run("kubeconfig alice.reply.yaml --exec");
    let bind = ["create", "clusterrolebinding", "alice", "--user=alice"];
    let all = ["--clusterrole=cluster-admin"];
    plane.admin(&alice.folder, &[&bind[..], &all].concat());
    let kubectl = plane.assets.join("kubectl");
    let command = format!(
        "{} rbac --user bob --cluster-role view | {} --kubeconfig {CONFIG} apply -f -",
        common::executable(),
        kubectl.display()
    );
    let asked = ("Passphrase for", "correct horse\\r");
    let seen = alice.folder.on_terminal(&command, &[asked, asked]);
    assert!(seen.contains(" created"), "{seen}");
    // Whoever unlocks it before is not asked.
    let unlock = format!("{} unlock {CONFIG}", common::executable());
    let seen = alice
        .folder
        .on_terminal(&format!("{unlock}; {command}"), &[asked]);
    assert!(seen.contains(" unchanged"), "{seen}");
    let bound = [
        "get",
        "clusterrolebinding",
        "-l",
        "kube-enroll/user=bob",
        "-o",
        "name",
    ];
    assert_eq!(plane.admin(&alice.folder, &bound).lines().count(), 1);
}
