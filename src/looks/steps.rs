//! What to do with a file that is another one than is wanted: steps that work as they stand.

use std::path::{Path, PathBuf};

use super::{Conversion, Damage, IN_A_TPM, Look, Packing, Sealing};
use crate::shell::{Command, quoted};
use crate::text;
use crate::text::{Show, Text};

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

    /// Sheets are zip archives or older documents.
    fn saved_by_a_spreadsheet(self, want: Want) -> Option<Vec<Text>> {
        let is_sheet = matches!(self, Self::Packed(Packing::Zip) | Self::Document(_));
        (is_sheet && want == Want::Roster)
            .then(|| vec!["save it from the spreadsheet as CSV, in UTF-8".into()])
    }

    /// What is in it can be had with another program.
    fn unpacked(self, file: &Path, is_free: IsFree<'_>) -> Option<Vec<Text>> {
        let command = |program| Command::new(program);
        let unpack = match self {
            Self::Packed(Packing::Gzip) => command("gunzip").operand(gzipped(file, is_free)),
            Self::Packed(Packing::Zip) => command("unzip").operand(file),
            Self::Packed(Packing::Tar) => command("tar").word("-xf").operand(file),
            Self::Packed(Packing::Bzip2) => command("bunzip2").operand(file),
            Self::Packed(Packing::Xz) => command("xz").word("-d").word("-k").operand(file),
            Self::Packed(Packing::Zstd) => command("zstd").word("-d").operand(file),
            Self::Packed(Packing::SevenZip) => command("7z").word("x").operand(file),
            Self::Sealed(Sealing::Age) => command("age")
                .word("--decrypt")
                .option("-o", opened(file, is_free))
                .operand(file),
            Self::Sealed(Sealing::Pgp) => command("gpg")
                .option("--output", opened(file, is_free))
                .option("--decrypt", file),
            Self::Sealed(Sealing::Ansible) => command("ansible-vault").word("view").operand(file),
            Self::Sealed(Sealing::Openssl) => {
                return Some(vec![
                    "decrypt it with openssl enc -d and the cipher and passphrase that it was \
                     encrypted with"
                        .into(),
                ]);
            }
            Self::Sealed(Sealing::Luks) => {
                return Some(vec![
                    "it is a whole volume: open it with cryptsetup, mount it, and name the file in it"
                        .into(),
                ]);
            }
            Self::Sealed(Sealing::Smime) => {
                return Some(vec![
                    "open it in the mail program that has the key for it, and save what is in it"
                        .into(),
                ]);
            }
            Self::Base64 => command("base64").word("-d").operand(file),
            Self::LfsPointer => command("git").word("lfs").word("pull"),
            Self::Hex(dump) => {
                return Some(vec![
                    dump.undone(file, &new_name(file, "-new.der", is_free)),
                ]);
            }
            _ => return None,
        };
        let step = match self {
            Self::Packed(Packing::Gzip) if gzipped(file, is_free) != file => text!(
                "unpack it: mv {} {} && {}",
                quoted(file),
                quoted(gzipped(file, is_free)),
                unpack
            ),
            Self::Base64 => text!(
                "decode it: (umask 077; {} > {})",
                unpack,
                quoted(new_name(file, "-decoded.bin", is_free))
            ),
            Self::Packed(_) => text!("unpack it: {}", unpack),
            Self::LfsPointer => text!("fetch the file: {}", unpack),
            _ => text!("decrypt it: {}", unpack),
        };
        Some(vec![step])
    }

    /// It is damaged, or a picture of the thing.
    fn once_more(self, want: Want) -> Option<Vec<Text>> {
        let own = matches!(want, Want::Key | Want::Configuration | Want::Csr);
        let again = if own {
            "take it from where it came once more, whole"
        } else {
            "ask for the file once more, whole"
        };
        let as_attachment = if own {
            "take it once more from where it came, in binary or as an attachment"
        } else {
            "ask for it once more, as an attachment and not as text"
        };
        let step = match self {
            Self::Damaged(Damage::OtherEnd(begin, end)) => {
                return Some(vec![
                    text!(
                        "if lines {} and {} are of one block, write behind END what stands behind BEGIN, in a \
                         copy",
                        begin,
                        end
                    ),
                    text!("else {}", again),
                ]);
            }
            Self::Damaged(
                Damage::Mangled | Damage::Indentation | Damage::Lines | Damage::Length(..),
            ) => as_attachment,
            _ if self.is_damaged() => again,
            Self::Document(_) | Self::Image | Self::Html | Self::Mail if own => {
                "find the file itself: not a text about it, nor a picture of it"
            }
            Self::Document(_) | Self::Image | Self::Html | Self::Mail => {
                "ask for the file itself, as an attachment"
            }
            Self::Companion => "take the file of the same name without ._ in front",
            Self::Url => "fetch what is there, and name the file that it was saved in",
            Self::Conflict(_) => "resolve the conflict in an editor, or take one side with git",
            Self::Template(_) if !own => {
                "the person whose template it is has to fill it in (or run what fills it in)"
            }
            Self::Utf16 | Self::Utf32 => "save it as UTF-8, without a byte order mark",
            Self::Parts => "remove what is not from a code: what is left starts with 1QRZ",
            _ => return None,
        };
        Some(vec![step.into()])
    }

    /// The PEM in JSON of another program.
    fn out_of_json(self, want: Want, file: &Path, is_free: IsFree<'_>) -> Option<Vec<Text>> {
        let Self::PemInJson(fields) = self else {
            return None;
        };
        let (field, becomes, mask) = match want {
            Want::Key => (fields.key, "-new.key", "umask 077; "),
            Want::Request | Want::Csr if fields.key.is_some() => return None,
            Want::Request | Want::Csr => (fields.request, "-new.csr", ""),
            _ => (fields.certificate, "-new.crt", ""),
        };
        let take = Command::new("jq").word("-r").word(field?).operand(file);
        let new = new_name(file, becomes, is_free);
        let take = text!("{}{} > {}", mask, take, quoted(new));
        let take = if mask.is_empty() {
            take
        } else {
            text!("({})", take)
        };
        Some(vec!["take the PEM out of it:".into(), text!("  {}", take)])
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
            Self::Certificate | Self::Request | Self::Object | Self::OpensslText | Self::Pkcs7 => {
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
                "keys are given with --key; a kubeconfig is printed by:".into(),
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
            Self::Pkcs7 => vec![
                "take the certificates out of it (add -inform DER where it is not PEM):".into(),
                text!(
                    "  openssl pkcs7 -print_certs -in {} -out {}",
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

/// Whether nothing is there under a name.
pub type IsFree<'a> = &'a dyn Fn(&Path) -> bool;

/// A name in the same folder for what is made of a file: the file's, and what it becomes. Two stores
/// of one stem do not share it.
#[must_use]
pub fn new_name(file: &Path, becomes: &str, is_free: IsFree<'_>) -> PathBuf {
    let is_plain = |extension: &std::ffi::OsStr| extension == "key" || extension == "pem";
    let name = if file.extension().is_none_or(is_plain) {
        file.file_stem()
    } else {
        file.file_name()
    };
    let name = name.unwrap_or_default().to_string_lossy().into_owned();
    let (what, ending) = becomes.rsplit_once('.').unwrap_or((becomes, ""));
    free(file, is_free, |number| {
        format!("{name}{what}{number}.{ending}")
    })
}

/// The first name that is free, with nothing or a number in it.
fn free(file: &Path, is_free: IsFree<'_>, name: impl Fn(String) -> String) -> PathBuf {
    let numbers = (2..).map(|number: u64| format!("-{number}"));
    let mut names = std::iter::once(String::new()).chain(numbers);
    let paths = |number| file.with_file_name(name(number));
    let mut paths = names.by_ref().map(paths);
    paths.find(|path| is_free(path)).unwrap_or_default()
}

/// `NAME-opened` in the same folder, with the extension that it has.
fn opened(file: &Path, is_free: IsFree<'_>) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let extension = file.extension().map(std::ffi::OsStr::to_string_lossy);
    let extension = extension.map_or(String::new(), |extension| format!(".{extension}"));
    free(file, is_free, |number| {
        format!("{stem}-opened{number}{extension}")
    })
}

/// A name that gunzip takes.
fn gzipped(file: &Path, is_free: IsFree<'_>) -> PathBuf {
    if file.extension().is_some_and(|it| it == "gz" || it == "tgz") {
        return file.to_owned();
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    free(file, is_free, |number| format!("{name}{number}.gz"))
}
