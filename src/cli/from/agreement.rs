//! What was agreed on, as it is typed.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use kube_enroll::agreement::Agreement;
use kube_enroll::key::AgreedFingerprint;
use kube_enroll::lifetime::Lifetime;
use kube_enroll::policy::Agreed;
use kube_enroll::roster::Roster;
use kube_enroll::shell::Command;
use kube_enroll::text::Text;

use super::super::console::Console;
use super::super::failure::Failure;
use super::file::Stream;
use super::roster;

/// An agreement, to compare with.
#[derive(Debug, clap::Args)]
pub struct AgreementArgs {
    /// The user name agreed on
    #[arg(long)]
    pub user: Option<String>,
    /// A group agreed on; all of them together must be exactly those of the request
    #[arg(
        short,
        long = "group",
        value_name = "GROUP",
        allow_hyphen_values = true
    )]
    pub groups: Vec<String>,
    /// No group at all was agreed on
    #[arg(long, conflicts_with = "groups")]
    pub no_groups: bool,
    /// The fingerprint of the public key, as the user read it out: base64, hexadecimal, or digits
    #[arg(long, value_name = "FINGERPRINT")]
    pub fingerprint: Option<AgreedFingerprint>,
    /// The longest lifetime that may be asked for: 90d, 2160h
    #[arg(long, value_name = "LIFETIME")]
    pub max_lifetime: Option<Lifetime>,
    /// What was agreed on with many people: CSV with the columns user, groups (a;b), fingerprint and
    /// max-lifetime, or the same as a YAML list
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["user", "groups", "no_groups", "fingerprint", "max_lifetime"]
    )]
    pub roster: Option<Stream>,
}

impl AgreementArgs {
    /// The same as values.
    pub fn agreement(&self) -> Agreement {
        let groups = (self.no_groups || !self.groups.is_empty()).then(|| self.groups.clone());
        Agreement {
            user: self.user.clone(),
            groups,
            fingerprint: self.fingerprint,
            max_lifetime: self.max_lifetime,
        }
    }

    /// The roster, where there is one.
    pub fn roster(&self, console: &Console) -> Result<Option<Roster>, Failure> {
        let roster = self.roster.as_ref();
        roster
            .map(|file| roster::read(file, false, console))
            .transpose()
    }

    /// For what is told of names that look like those agreed on.
    pub fn names(&self) -> Agreed<'_> {
        Agreed {
            user: self.user.as_deref(),
            groups: &self.groups,
        }
    }

    /// Demands who and in which groups: without them there is no verdict.
    pub fn require(&self) -> Result<(), Failure> {
        let agreement = self.agreement();
        let missing = match (&agreement.user, &agreement.groups) {
            (None, None) => "neither a user nor groups are given to compare with",
            (None, _) => "no user is given to compare with",
            (_, None) => "no groups are given to compare with",
            (Some(_), Some(_)) => return Ok(()),
        };
        Err(Failure::could_not_run(missing)
            .say("give what was agreed on: --user NAME, and --group GROUP for each group or --no-groups")
            .say("or with many people: --roster FILE")
            .say("to look without a verdict: kube-enroll inspect FILE"))
    }

    /// Where certificates are compared with what was agreed on, half of it is better than nothing, and told.
    pub fn warn_of_half(&self, console: &Console) {
        let agreement = self.agreement();
        match (&agreement.user, &agreement.groups) {
            (Some(_), None) => {
                console
                    .warn("groups are not compared: give --group GROUP for each, or --no-groups");
            }
            (None, Some(_)) => console.warn("the user is not compared: give --user NAME"),
            (None, None) if self.fingerprint.is_some() || self.max_lifetime.is_some() => {
                console.warn(
                    "neither the user nor the groups are compared: give --user NAME, and --group \
                     GROUP for each group or --no-groups",
                );
            }
            _ => {}
        }
    }

    /// What there is to say about the words of [`Self::repeat`].
    pub fn note(&self) -> Text {
        let roster = self.roster.as_ref();
        roster.map_or(Text::default(), |roster| roster::to_repeat(roster).note)
    }

    /// The same words for another command.
    pub fn repeat(&self, mut command: Command) -> Command {
        if let Some(roster) = &self.roster {
            command = command.option("--roster", roster::to_repeat(roster).name);
        }
        if let Some(user) = &self.user {
            command = command.option("--user", user);
        }
        for group in &self.groups {
            command = command.option("--group", group);
        }
        if self.no_groups {
            command = command.word("--no-groups");
        }
        if let Some(fingerprint) = &self.fingerprint {
            command = command.option("--fingerprint", fingerprint.typed());
        }
        if let Some(lifetime) = &self.max_lifetime {
            command = command.option("--max-lifetime", lifetime.to_string());
        }
        command
    }
}
