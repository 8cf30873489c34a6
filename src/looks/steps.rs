//! What to do with a file that is another one than is wanted: steps that work as they stand.

use std::path::Path;

use super::kind::{IN_A_TPM, KEY_AS_TEXT};
use super::{Conversion, Look};
use crate::shell::{Command, quoted};
use crate::text;
use crate::text::{Show, Text};

mod first;
mod names;

pub use names::{IsFree, new_name};

/// What a file is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// A private key.
    Key,
    /// What came back to the user, who has the key.
    Reply,
    /// What stands in the cluster, for the administrator.
    Issued,
    /// A request that is to be judged.
    Request,
    /// A request of another program, to be put into a manifest.
    Csr,
    /// A kubeconfig.
    Kubeconfig,
    /// The certificates of an authority, or one certificate.
    Certificate,
    /// Defaults of a team, or a configuration of OpenSSL.
    Configuration,
    /// Anything that names a user.
    Person,
    /// What is to be renewed: a kubeconfig, a certificate or a reply.
    Credential,
    /// The authorizers of an API server.
    Authorization,
    /// The people of a team.
    Roster,
    /// A passphrase, in its first line.
    Passphrase,
}

impl Show for Want {
    fn show(&self) -> Text {
        match self {
            Self::Key => "a private key that can be read here",
            Self::Reply => "a reply",
            Self::Issued => "what kubectl get csr NAME -o yaml prints",
            Self::Request => "a request",
            Self::Csr => "a certification request (CSR)",
            Self::Kubeconfig => "a kubeconfig",
            Self::Certificate => "a certificate",
            Self::Configuration => "a configuration of a team or of OpenSSL",
            Self::Person => "a request, a certificate or an issued object",
            Self::Credential => "a kubeconfig, certificate or reply",
            Self::Authorization => "an AuthorizationConfiguration",
            Self::Roster => "a roster",
            Self::Passphrase => "a passphrase",
        }
        .into()
    }
}

/// Of what names a request, and is none that can be read.
const NOT_AS_PRINTED: &str = "it has the words of one, but not as the cluster prints it: other signs stand between them, or \
                              fields have other names";
const GET: &str = "  kubectl get csr NAME -o yaml";

impl Look {
    /// What to do with such a file where another is wanted. What is advised writes to names that
    /// are free alone: the programs that do it overwrite without asking.
    #[must_use]
    pub fn steps(self, want: Want, file: &Path, is_free: IsFree<'_>) -> Vec<Text> {
        let file = if file == Path::new("-") {
            Path::new("FILE")
        } else {
            file
        };
        let first = self
            .saved_by_a_spreadsheet(want)
            .or_else(|| self.unpacked(file, is_free))
            .or_else(|| self.once_more(want))
            .or_else(|| self.out_of_json(want, file, is_free));
        if let Some(steps) = first.filter(|_| want != Want::Passphrase) {
            return steps;
        }
        match want {
            Want::Key => self.to_a_key(file, is_free),
            Want::Reply => self.to_a_reply(file, is_free),
            Want::Issued => self.to_an_object(file, is_free),
            Want::Request => self.to_a_request(file, is_free),
            Want::Csr => self.to_a_csr(file, is_free),
            Want::Kubeconfig => self.to_a_kubeconfig(file, is_free),
            Want::Certificate => self.to_a_certificate(file, is_free),
            Want::Configuration => self.to_a_configuration(),
            Want::Person => self.to_a_person(file, is_free),
            Want::Credential => self.to_a_credential(file, is_free),
            Want::Authorization => vec![
                "it is the file of kube-apiserver --authorization-config; without such a file leave the \
                 option out"
                    .into(),
            ],
            Want::Roster => vec![
                "a roster is CSV, whose first line is user,groups, or a YAML list of people:"
                    .into(),
                "  - {user: alice, groups: [developers]}".into(),
            ],
            Want::Passphrase => {
                vec!["a passphrase is the first line of a file that holds nothing else".into()]
            }
        }
    }

    fn to_a_key(self, file: &Path, is_free: IsFree<'_>) -> Vec<Text> {
        let name = quoted(file);
        let new = new_name(file, "-pkcs8.key", is_free);
        let new = quoted(&new);
        let make = "make a new key: kube-enroll request USER, without --key";
        match self {
            Self::OpenSshKey(Conversion::Possible) => vec![
                "convert a copy of it; the second command asks for the passphrases:".into(),
                text!("  cp -p {} {}", name, new),
                text!("  ssh-keygen -p -m PKCS8 -f {}", new),
            ],
            Self::PuttyKey(Conversion::Possible) => vec![
                "export it and convert that; both ask for its passphrase:".into(),
                text!("  puttygen {} -O private-openssh -o {}", name, new),
                text!("  ssh-keygen -p -m PKCS8 -f {}", new),
            ],
            Self::OpenSshKey(Conversion::Impossible) | Self::PuttyKey(Conversion::Impossible) => {
                vec![
                    "ssh-keygen writes no such key in another form".into(),
                    make.into(),
                ]
            }
            Self::Pkcs12(age) => vec![
                "take the key out of it; it asks for the old passphrase and a new one:".into(),
                text!("  openssl pkcs12{} -in {} -nocerts -out {}", age, name, new),
            ],
            Self::MislabelledKey => vec![
                "write it with the label of what is in it:".into(),
                text!(
                    "  (umask 077; sed 's/OPENSSH PRIVATE KEY/PRIVATE KEY/' {} > {})",
                    name,
                    new
                ),
            ],
            Self::OtherObject(Some("Secret")) => vec![
                "take the key out of it (in another Secret its field may have another name):".into(),
                text!(
                    "  (umask 077; {} > {})",
                    Command::new("kubectl")
                        .word("label")
                        .word("--local")
                        .option("-f", file)
                        .word("a=b")
                        .option("-o", "jsonpath={.data.tls\\.key}")
                        .pipe(Command::new("base64").word("-d")),
                    quoted(new_name(file, "-new.key", is_free))
                ),
            ],
            Self::Jks => vec![
                "convert the store, then take the key out of it:".into(),
                text!(
                    "  keytool -importkeystore -srckeystore {} -destkeystore {} -deststoretype PKCS12",
                    name,
                    quoted(new_name(file, "-new.p12", is_free))
                ),
                text!(
                    "  openssl pkcs12 -in {} -nocerts -out {}",
                    quoted(new_name(file, "-new.p12", is_free)),
                    new
                ),
            ],
            Self::SshPublicKey | Self::PublicKey => {
                vec!["the private key is needed, the other file of the pair".into()]
            }
            Self::Certificate | Self::Request | Self::Object | Self::OpensslText | Self::Pkcs7(_) => {
                vec!["the private key that it belongs to is needed, a file of its own".into()]
            }
            Self::Kubeconfig => vec![
                "a key in it is base64 in client-key-data; the key itself is needed, a file of its own"
                    .into(),
            ],
            Self::OtherKey(what) if what == IN_A_TPM => vec![
                "the key stays there: let the program of the TPM make a CSR, and give that with --csr"
                    .into(),
            ],
            Self::OtherKey(what) if what == KEY_AS_TEXT => {
                vec!["the file is needed that it was printed from, in PEM or DER; then delete this".into()]
            }
            Self::Pgp | Self::Jwk | Self::XmlKey | Self::OtherKey(_) => {
                vec!["it cannot be used here".into(), make.into()]
            }
            _ => vec!["a private key is PKCS#8, PKCS#1 or SEC1, in PEM or DER".into()],
        }
    }

    fn to_a_reply(self, file: &Path, is_free: IsFree<'_>) -> Vec<Text> {
        match self {
            Self::Request => {
                vec!["it is what is sent to the administrator; the reply is what comes back".into()]
            }
            Self::Kubeconfig => vec![
                "it names a cluster: give it with --cluster, beside the certificate or object"
                    .into(),
            ],
            Self::PublicKey | Self::SshPublicKey => vec![
                "the administrator needs a request for it, and sends a certificate back".into(),
            ],
            Self::Pkcs12(age) => vec![
                "take the certificate out of it, and the key into a file of its own for --key:"
                    .into(),
                text!(
                    "  openssl pkcs12{} -in {} -nokeys -out {}",
                    age,
                    quoted(file),
                    quoted(new_name(file, "-new.crt", is_free))
                ),
            ],
            look if look.is_key() => vec!["keys are given with --key".into()],
            Self::Line => vec![
                "if it is the name of an object: the object itself is needed; the administrator runs:"
                    .into(),
                GET.into(),
            ],
            Self::Table | Self::Description => vec![
                "the object itself is needed; the administrator runs:".into(),
                GET.into(),
            ],
            Self::ErrorMessage => {
                vec!["ask the administrator to run it again, until it prints an object".into()]
            }
            Self::Object => vec![NOT_AS_PRINTED.into(), "ask for it once more, as an attachment".into()],
            _ => self.common(file, is_free).unwrap_or_else(|| {
                vec![
                    "a reply is what kube-enroll reply wrote, or what kubectl get csr NAME -o yaml \
                     printed, or a certificate"
                        .into(),
                ]
            }),
        }
    }

    fn to_an_object(self, file: &Path, is_free: IsFree<'_>) -> Vec<Text> {
        match self {
            Self::Table | Self::Description => {
                vec!["the object itself is needed; run:".into(), GET.into()]
            }
            Self::ErrorMessage => {
                vec!["mend what it says, and run it again, until it prints an object".into()]
            }
            Self::Certificate => vec![
                "the object is needed in which the cluster put it; run:".into(),
                GET.into(),
            ],
            Self::Request => vec![
                "it has to be created in the cluster and approved first; kube-enroll verify says how"
                    .into(),
            ],
            Self::Line => vec![
                "if it is the name of an object: the object itself is needed; run:".into(),
                GET.into(),
            ],
            Self::Kubeconfig => vec!["a kubeconfig is given with --kubeconfig".into()],
            look if look.is_key() => vec![not_to_you(), GET.into()],
            Self::Object => vec![NOT_AS_PRINTED.into(), "print it anew:".into(), GET.into()],
            _ => self
                .common(file, is_free)
                .unwrap_or_else(|| vec!["it is made by:".into(), GET.into()]),
        }
    }

    fn to_a_request(self, file: &Path, is_free: IsFree<'_>) -> Vec<Text> {
        match self {
            look if look.is_key() => vec![
                not_to_you(),
                "ask for a request, which holds no secret: the .csr.yaml file of kube-enroll request"
                    .into(),
            ],
            Self::Certificate => {
                vec!["it is what comes back; ask for the request that it is to be issued for".into()]
            }
            Self::PublicKey | Self::SshPublicKey => {
                vec!["ask for a request, which is signed with the key that belongs to it".into()]
            }
            Self::Table | Self::Description => {
                vec!["the object itself is needed; run:".into(), GET.into()]
            }
            Self::ErrorMessage => {
                vec!["mend what it says, and run it again, until it prints an object".into()]
            }
            Self::Certreq | Self::Cfssl | Self::OpensslConfig => vec![
                "it says what a request is to be made of; ask for what was made of it".into(),
            ],
            _ => self.common(file, is_free).unwrap_or_else(|| {
                vec![
                    "a request is a CertificateSigningRequest in YAML or JSON, or a CSR in PEM or DER"
                        .into(),
                ]
            }),
        }
    }

    fn to_a_csr(self, file: &Path, is_free: IsFree<'_>) -> Vec<Text> {
        match self {
            Self::PrivateKey => vec![
                "a request is made with a key of yours by:".into(),
                text!(
                    "  {}",
                    Command::ours("request").operand("USER").option("--key", file)
                ),
            ],
            look if look.is_key() => vec![
                "a key is given with --key, where it can be read; a request for one in a store is made by the \
                 program of the store"
                    .into(),
            ],
            Self::Certificate => vec![
                "a request to follow a certificate is made by:".into(),
                text!("  {}", Command::ours("renew").operand(file)),
            ],
            Self::Object => vec![
                "it is a manifest already; what is in it is shown by:".into(),
                text!("  {}", Command::ours("inspect").operand(file)),
            ],
            Self::PublicKey | Self::SshPublicKey => vec![
                "a request is signed with the private key that belongs to it: give that with --key"
                    .into(),
            ],
            Self::Certreq => vec![
                "make the request of it, and give that:".into(),
                text!(
                    "  {}",
                    Command::new("certreq")
                        .word("-new")
                        .operand(file)
                        .operand(new_name(file, "-new.csr", is_free))
                ),
            ],
            Self::OpensslConfig => {
                vec!["it says what a request is to be made of: give it with --config".into()]
            }
            Self::Cfssl => vec![
                "name what it says, CN and names: kube-enroll request USER --group GROUP".into(),
            ],
            _ => self.common(file, is_free).unwrap_or_else(|| {
                vec!["a CSR is PEM that starts with BEGIN CERTIFICATE REQUEST, or DER".into()]
            }),
        }
    }

    fn to_a_kubeconfig(self, file: &Path, is_free: IsFree<'_>) -> Vec<Text> {
        const VIEW: &str = "  kubectl config view --raw --flatten --minify";
        match self {
            Self::Table => vec!["the kubeconfig itself is needed; run:".into(), VIEW.into()],
            Self::Certificate => vec![
                "a certificate of the cluster's authority is part of a kubeconfig; that file is \
                 needed"
                    .into(),
            ],
            Self::Object => vec![
                "it is a request; a reply, which names its cluster, is made of it by:".into(),
                text!("  {}", Command::ours("reply").operand(file)),
            ],
            Self::ErrorMessage => vec![
                "mend what it says, and run it again, until it prints a kubeconfig".into(),
            ],
            look if look.is_key() => vec![
                "a key says nothing of a cluster; a kubeconfig is printed by:".into(),
                VIEW.into(),
            ],
            _ => self.common(file, is_free).unwrap_or_else(|| {
                vec![
                    "a kubeconfig has clusters, users and contexts: the file in ~/.kube/config, or what"
                        .into(),
                    VIEW.into(),
                ]
            }),
        }
    }

    fn to_a_certificate(self, file: &Path, is_free: IsFree<'_>) -> Vec<Text> {
        match self {
            Self::Request => {
                vec!["it asks for a certificate; the one that was issued is needed".into()]
            }
            Self::Pkcs12(age) => vec![
                "take the certificates out of it:".into(),
                text!(
                    "  openssl pkcs12{} -in {} -nokeys -out {}",
                    age,
                    quoted(file),
                    quoted(new_name(file, "-new.crt", is_free))
                ),
            ],
            Self::Jks => vec![
                "take the certificate out of it (its names: keytool -list -keystore FILE):".into(),
                text!(
                    "  keytool -exportcert -rfc -keystore {} -alias NAME -file {}",
                    quoted(file),
                    quoted(new_name(file, "-new.crt", is_free))
                ),
            ],
            Self::Kubeconfig => vec![
                "take the certificate of the cluster's authority out of it:".into(),
                text!("  {}", authority_of(file)),
            ],
            look if look.is_key() => {
                vec!["the certificate is needed, which is a file of its own and not secret".into()]
            }
            _ => self.common(file, is_free).unwrap_or_else(|| {
                vec!["a certificate is PEM that starts with BEGIN CERTIFICATE, or DER".into()]
            }),
        }
    }

    fn to_a_configuration(self) -> Vec<Text> {
        match self {
            Self::Cfssl => vec![
                "write what it says as: user: NAME (its CN) and group: [GROUP] (its names, O), or name \
                 them: kube-enroll request USER --group GROUP"
                    .into(),
            ],
            Self::Certreq => vec![
                "write what its Subject says as: user: NAME and group: [GROUP], or name them: \
                 kube-enroll request USER --group GROUP"
                    .into(),
            ],
            look if look.is_key() => vec!["keys are given with --key".into()],
            _ => vec![
                "a team's defaults are YAML: user, group, algorithm, expiresIn, signer, name".into(),
            ],
        }
    }

    fn to_a_person(self, file: &Path, is_free: IsFree<'_>) -> Vec<Text> {
        self.common(file, is_free).unwrap_or_else(|| {
            vec!["give a request, a certificate or an issued object, or --user NAME".into()]
        })
    }

    fn to_a_credential(self, file: &Path, is_free: IsFree<'_>) -> Vec<Text> {
        match self {
            Self::Request => {
                vec!["it asks for a certificate; name the reply or certificate that came back".into()]
            }
            Self::Pkcs12(_) | Self::Jks => self.to_a_certificate(file, is_free),
            Self::PrivateKey => vec![
                "name the kubeconfig, certificate or reply that belongs to it; without any of them, ask \
                 anew:"
                    .into(),
                text!(
                    "  {}",
                    Command::ours("request").operand("USER").option("--key", file)
                ),
            ],
            _ => self.common(file, is_free).unwrap_or_else(|| {
                vec![
                    "a kubeconfig, a certificate or a reply can be renewed; this shows those that are here:"
                        .into(),
                    text!("  {}", Command::ours("list")),
                ]
            }),
        }
    }

    /// What is the same for all that comes from elsewhere.
    fn common(self, file: &Path, is_free: IsFree<'_>) -> Option<Vec<Text>> {
        Some(match self {
            Self::NotFound | Self::EmptyList => vec![
                "a request is deleted one hour after it was issued, denied or failed, and 24 \
                 hours after it was created if nobody approved it; or the name is another one:"
                    .into(),
                "  kubectl get csr".into(),
            ],
            Self::Pkcs7(form) => vec![
                "take the certificates out of it:".into(),
                text!(
                    "  openssl pkcs7{} -print_certs -in {} -out {}",
                    form,
                    quoted(file),
                    quoted(new_name(file, "-new.crt", is_free))
                ),
            ],
            Self::OpensslText => vec!["the PEM is needed, from BEGIN to END".into()],
            Self::LabelledCertificate => vec![
                "write it with the label that is read here:".into(),
                text!(
                    "  {}",
                    Command::new("openssl")
                        .word("x509")
                        .option("-in", file)
                        .option("-out", new_name(file, "-new.crt", is_free))
                ),
            ],
            _ => return None,
        })
    }
}

/// Prints the authority of the current context's cluster.
fn authority_of(kubeconfig: &Path) -> Command {
    Command::new("kubectl")
        .word("config")
        .word("view")
        .word("--raw")
        .word("--flatten")
        .word("--minify")
        .option("--kubeconfig", kubeconfig)
        .option(
            "-o",
            "jsonpath={.clusters[0].cluster.certificate-authority-data}",
        )
        .pipe(Command::new("base64").word("-d"))
}

/// What an administrator who was sent a key does.
fn not_to_you() -> Text {
    "a private key stays with its owner: delete it, and have a new one made there".into()
}
