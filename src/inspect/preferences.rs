//! Whether kubectl's own preferences let it run this program.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Object;
use crate::kuberc::{self, Kuberc, LookPath, Policy};
use crate::policy::{Code, Effect, Finding};
use crate::shell::Command;
use crate::text;
use crate::text::{Label, Text};

/// A kuberc, as far as it is about programs that kubeconfigs name.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct KubercReport {
    /// `credentialPluginPolicy`; `None` where none is set.
    pub policy: Option<String>,
    /// What may run, by name or path.
    pub allowlist: Vec<String>,
    /// How a kubeconfig would name this program; `None` where nobody has asked.
    pub command: Option<String>,
    /// Whether kubectl (1.35 and later) runs that.
    pub runs: Option<bool>,
    /// Why.
    #[serde(skip)]
    pub(super) why: Text,
    #[serde(skip)]
    kuberc: Option<Kuberc>,
}

impl Object {
    pub(super) fn of_kuberc(object: &Map<String, Value>) -> Self {
        let kuberc = Kuberc::read(object);
        let policy = kuberc.policy().ok().and_then(Policy::name);
        let mut report = Self {
            kind: Some(kuberc::KIND.to_owned()),
            ..Self::default()
        };
        if let Err(mistake) = kuberc.policy() {
            let message = text!(
                "kubectl takes none of this file, and runs no command: {}",
                mistake
            );
            report.add(refused(&message));
        }
        report.kuberc = Some(KubercReport {
            policy: policy.map(str::to_owned),
            allowlist: kuberc.allowlist().to_vec(),
            kuberc: Some(kuberc),
            ..KubercReport::default()
        });
        report
    }

    /// Asks a kuberc whether kubectl runs `command` of a kubeconfig, which is this program.
    pub fn ask_kuberc(&mut self, command: &str, look_path: LookPath<'_>) {
        let Some(report) = &mut self.kuberc else {
            return;
        };
        let Some(kuberc) = &report.kuberc else {
            return;
        };
        let answer = kuberc.runs(command, look_path);
        report.command = Some(command.to_owned());
        report.runs = Some(answer.is_ok());
        let is_mistaken = kuberc.policy().is_err();
        match answer {
            Ok(why) => report.why = why,
            Err(why) => {
                let command = Label::from(command);
                let message = text!("kubectl (1.35 and later) does not run {}: {}", command, why);
                report.why = why;
                if !is_mistaken {
                    self.add(refused(&message));
                }
            }
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
        kuberc.policy().is_ok().then(|| kuberc.allowing(command))
    }
}

fn refused(message: &Text) -> Finding {
    Finding::new(
        Effect::NotAccepted,
        Code::PluginRefused,
        "credentialPluginPolicy",
        message.to_string(),
    )
}
