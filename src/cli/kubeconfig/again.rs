//! The command as it was typed, with something changed: what a message tells to run.

use kube_enroll::key::AgreedFingerprint;
use kube_enroll::shell::Command;

use super::super::args::show_seconds;
use super::super::from::file::Stream;
use super::{Args, CredentialStyle, Style};

impl Args {
    /// The same in another style.
    pub(super) fn with_style(&self, style: Style) -> Self {
        Self {
            style: CredentialStyle {
                embed: matches!(style, Style::Embed),
                files: matches!(style, Style::Files),
                exec: matches!(style, Style::Exec),
            },
            ..self.clone()
        }
    }

    /// What is typed for it.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::ours("kubeconfig");
        for reply in &self.replies {
            command = command.operand(reply.typed());
        }
        let files: [(_, &Option<Stream>); 6] = [
            ("--key", &self.key),
            ("--cluster", &self.cluster),
            ("--certificate-authority", &self.certificate_authority),
            ("--client-ca", &self.client_ca),
            ("--out", &self.out),
            ("--passphrase-file", &self.passphrase.passphrase_file),
        ];
        for (name, file) in files {
            if let Some(file) = file {
                command = command.option(name, file.typed());
            }
        }
        for file in &self.merge {
            command = command.option("--merge", file.typed());
        }
        let ca_fingerprint = self.ca_fingerprint.as_ref().map(AgreedFingerprint::typed);
        let unlock_for = self.unlock_for.map(|time| show_seconds(time).to_string());
        let texts = [
            ("--cluster-context", &self.cluster_context),
            ("--server", &self.server),
            ("--ca-fingerprint", &ca_fingerprint),
            ("--unlock-for", &unlock_for),
            ("--cluster-name", &self.cluster_name),
            ("--context", &self.context),
            ("--namespace", &self.namespace),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                command = command.option(name, text);
            }
        }
        if let Some(folder) = &self.output_dir {
            command = command.option("--output-dir", folder);
        }
        let styles = [
            ("--embed", self.style.embed),
            ("--files", self.style.files),
            ("--exec", self.style.exec),
        ];
        for (name, is_chosen) in styles {
            if is_chosen {
                command = command.word(name);
            }
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::args::{Cli, Command as Typed};
    use clap::Parser as _;

    #[test]
    fn a_command_is_what_was_typed() {
        for typed in [
            "a.yaml --key k --cluster c --cluster-context x --client-ca r --files --context y \
             --namespace n --cluster-name z --out o --passphrase-file p",
            "a.yaml b.yaml --key k --server https://a --certificate-authority ca --embed --merge m --merge m2 \
             --ca-fingerprint SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "-- -a.yaml --output-dir d --exec --unlock-for 15m",
        ] {
            let typed = match typed.strip_prefix("-- ") {
                Some(rest) => {
                    let (operand, options) = rest.split_once(' ').unwrap();
                    format!("kube-enroll kubeconfig {options} -- {operand}")
                }
                None => format!("kube-enroll kubeconfig {typed}"),
            };
            let parsed =
                |words: &mut dyn Iterator<Item = std::ffi::OsString>| match Cli::try_parse_from(
                    words,
                )
                .unwrap()
                .command
                {
                    Some(Typed::Kubeconfig(args)) => args,
                    other => panic!("{other:?}"),
                };
            let first = parsed(&mut typed.split_whitespace().map(Into::into));
            let again = first.command().words().remove(0);
            let second = parsed(&mut again.into_iter());
            assert_eq!(format!("{first:?}"), format!("{second:?}"));
        }
    }
}
