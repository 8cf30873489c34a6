//! Whether kubectl's own preferences let it run this program.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Object;
use crate::kuberc::{self, Answer, Kuberc, LookPath};
use crate::policy::{Code, Effect, Finding};
use crate::shell::Command;
use crate::text;
use crate::text::{Label, Show as _, Text, visible};

/// A kuberc, as far as it is about programs that kubeconfigs name.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct KubercReport {
    /// `credentialPluginPolicy`, as it is written; `None` where none is set.
    pub policy: Option<String>,
    /// What may run, by name or path.
    pub allowlist: Vec<String>,
    /// How a kubeconfig names this program: of several ways, the first that does not run; `None` where
    /// nobody has asked.
    pub command: Option<String>,
    /// Whether kubectl 1.36 and later runs that.
    pub runs: Option<bool>,
    /// Whether kubectl 1.35 runs that.
    pub runs_in_135: Option<bool>,
    /// The line, counted from 1, of the document that kubectl takes, where there are several.
    pub line: Option<usize>,
    /// Each way to name it, and what came of it.
    #[serde(skip)]
    pub(super) answers: Vec<(String, Answer)>,
    #[serde(skip)]
    pub(super) kuberc: Option<Kuberc>,
}

impl Object {
    pub(super) fn of_kuberc(input: &[u8]) -> Self {
        let kuberc = Kuberc::read(input);
        let mut report = Self {
            kind: Some(kuberc::KIND.to_owned()),
            ..Self::default()
        };
        if let Some(mistake) = kuberc.mistake() {
            let message = text!(
                "kubectl takes none of this file, and runs no command: {}; correct it in an editor: \
                 kubectl kuberc set reads the file first, and ends there too",
                mistake
            );
            report.add(refused("credentialPluginPolicy", &message));
        }
        report.kuberc = Some(Box::new(KubercReport {
            policy: kuberc.policy().map(str::to_owned),
            allowlist: kuberc.allowlist().to_vec(),
            line: kuberc.line(),
            kuberc: Some(kuberc),
            ..KubercReport::default()
        }));
        report
    }

    /// Asks a kuberc whether kubectl runs these commands of kubeconfigs, which are this program.
    pub fn ask_kuberc(&mut self, commands: &[String], look_path: LookPath<'_>) {
        let Some(report) = &mut self.kuberc else {
            return;
        };
        let Some(kuberc) = &report.kuberc else {
            return;
        };
        let is_mistaken = kuberc.mistake().is_some();
        let answers = commands
            .iter()
            .map(|command| (command.clone(), kuberc.runs(command, look_path)));
        report.answers = answers.collect();
        let mut all = report.answers.iter();
        let worst = all.find(|(_, answer)| !answer.runs());
        if let Some((command, answer)) = worst.or(report.answers.first()) {
            report.command = Some(command.clone());
            report.runs = Some(answer.runs());
            report.runs_in_135 = Some(answer.old.is_ok());
        }
        let refusals = report.answers.iter().filter_map(refusal);
        let refusals: Vec<_> = refusals
            .map(|message| refused("credentialPluginPolicy", &message))
            .collect();
        if !is_mistaken {
            self.add_all(refusals);
        }
    }

    /// What has kubectl (1.36 and later) run this program, where it does not.
    #[must_use]
    pub fn allowing(&self) -> Option<Command> {
        let report = self.kuberc.as_ref()?;
        let kuberc = report.kuberc.as_ref()?;
        let command = report
            .command
            .as_deref()
            .filter(|_| report.runs == Some(false))?;
        kuberc.allowing(command)
    }

    /// Whether it is a kubeconfig that has kubectl run this program.
    #[must_use]
    pub fn runs_commands(&self) -> bool {
        let kubeconfig = self.kubeconfig.as_ref();
        kubeconfig.is_some_and(|it| !it.commands().is_empty())
    }

    /// Says which commands that this kubeconfig names by their path are not there.
    pub fn look_for_commands(&mut self, look_path: LookPath<'_>) {
        let folder = self.folder();
        let Some(kubeconfig) = &mut self.kubeconfig else {
            return;
        };
        let mut findings = Vec::new();
        for (user, command) in kubeconfig.commands() {
            if command.contains('/') && look_path(&run_path(&folder, &command)).is_none() {
                findings.push(Finding::new(
                    Effect::NotAuthenticated,
                    Code::BadKubeconfig,
                    format!("users[{}].exec", visible(&user)),
                    text!(
                        "kubectl runs {} for the key, which is no program that is there",
                        Label::from(command.as_str())
                    )
                    .to_string(),
                ));
                kubeconfig.is_not_run(&user);
            }
        }
        self.add_all(findings);
    }

    /// Where a path without an absolute beginning begins (clientcmd `ResolveLocalPaths`).
    fn folder(&self) -> PathBuf {
        let folder = Path::new(&self.source).parent().unwrap_or(Path::new(""));
        std::path::absolute(folder).unwrap_or_default()
    }

    /// Asks the preferences in `file` whether kubectl runs what the users of this kubeconfig name.
    pub fn ask_preferences(&mut self, kuberc: &Kuberc, file: &Path, look_path: LookPath<'_>) {
        let folder = self.folder();
        let Some(kubeconfig) = &mut self.kubeconfig else {
            return;
        };
        let mut findings = Vec::new();
        for (user, command) in kubeconfig.commands() {
            let answer = kuberc.runs(&run_path(&folder, &command), look_path);
            if let Some(message) = refusal(&(command, answer)) {
                let field = format!("users[{}].exec", visible(&user));
                findings.push(refused(&field, &text!("{} ({})", message, file)));
                kubeconfig.is_not_run(&user);
            }
        }
        self.add_all(findings);
    }
}

/// What is run: a name as it is, a path from where it begins.
fn run_path(folder: &Path, command: &str) -> String {
    if command.contains('/') {
        folder.join(command).to_string_lossy().into_owned()
    } else {
        command.to_owned()
    }
}

fn refusal((command, answer): &(String, Answer)) -> Option<Text> {
    let why = answer.new.as_ref().err()?;
    let since = if answer.old.is_err() {
        "1.35 and later"
    } else {
        "1.36 and later"
    };
    let command = Label::from(command.as_str());
    Some(text!(
        "kubectl ({}) does not run {}: {}",
        since,
        command,
        why.show()
    ))
}

fn refused(field: &str, message: &Text) -> Finding {
    Finding::new(
        Effect::NotAccepted,
        Code::PluginRefused,
        field,
        message.to_string(),
    )
}
