//! The files that each command may touch, from its arguments alone.

use std::path::{Path, PathBuf};

use landlock::{RestrictionStatus, RulesetError};

use super::super::args::{Command, KubeconfigArgs, RehearseArgs, ReplyArgs, RequestArgs};
use super::super::input::Input;
use super::super::{file, keyring, reply};
use super::landlock::restrict;

/// What was named, and what follows from it.
#[derive(Default)]
pub struct Reach {
    /// Files to read.
    pub read: Vec<PathBuf>,
    /// Folders to list, with all folders in them.
    pub list: Vec<PathBuf>,
    /// Folders to make files and folders in. A missing one is made in what there is of its path.
    pub create: Vec<PathBuf>,
    /// The kubeconfig that a cluster is taken from, and its context.
    cluster: Option<(PathBuf, Option<String>)>,
}

/// Confines the process to what `command` needs; without a command, to nothing.
///
/// A kubeconfig may name the file of its certificate authority, anywhere. So where a cluster is
/// taken from one, everything is readable until that kubeconfig is read, and nothing else has been
/// read by then. One that comes through a pipe can be read only once, by the command; then
/// everything stays readable.
pub fn confine(command: Option<&Command>) -> Result<RestrictionStatus, RulesetError> {
    let mut reach = command.map_or_else(Reach::default, Reach::of);
    let Some((kubeconfig, context)) = reach.cluster.take() else {
        return restrict(&reach);
    };
    let named = std::mem::replace(&mut reach.read, vec![PathBuf::from("/")]);
    let listed = reach.list.clone();
    reach.list.push(PathBuf::from("/"));
    let first = restrict(&reach);
    if !kubeconfig.is_file() {
        return first;
    }
    reach.read = named;
    reach.list = listed;
    reach.file(&kubeconfig);
    if let Some(authority) = reply::authority_file(&kubeconfig, context.as_deref()) {
        reach.file(&authority);
    }
    restrict(&reach)
}

impl Reach {
    fn of(command: &Command) -> Self {
        let mut reach = Self::default();
        match command {
            Command::Request(args) => reach.request(args),
            Command::Inspect(args) => {
                reach.inputs(&args.files);
                reach.files(args.passphrase_file.as_deref());
            }
            Command::Verify(args) => reach.inputs(&args.files),
            Command::Reply(args) => reach.reply(args),
            Command::Kubeconfig(args) => reach.kubeconfig(args),
            Command::Rbac(args) => reach.inputs(args.file.as_slice()),
            Command::Rehearse(args) => reach.rehearse(args),
            Command::Man { output_dir } => reach.create.extend(output_dir.clone()),
            Command::Credential(args) => {
                reach.file(&args.certificate);
                reach.file(&args.key);
                reach.files(args.passphrase_file.as_deref());
            }
            Command::Passphrase(args) => {
                reach.file(&args.key);
                reach.files(args.passphrase_file.as_deref());
                reach.files(args.new_passphrase_file.as_deref());
                reach.create.push(file::folder_of(&args.key).to_owned());
            }
            Command::Lock | Command::Completions { .. } => {}
        }
        reach
    }

    fn request(&mut self, args: &RequestArgs) {
        self.files(args.key.as_deref());
        self.files(args.config.as_deref());
        self.files(args.passphrase.passphrase_file.as_deref());
        self.create.push(args.output_dir.clone());
    }

    fn reply(&mut self, args: &ReplyArgs) {
        self.inputs(std::slice::from_ref(&args.file));
        self.create
            .extend(args.out.path().map(file::folder_of).map(Path::to_owned));
        if let Ok(kubeconfig) = reply::kubeconfig_path(args) {
            self.cluster = Some((kubeconfig, args.context.clone()));
        }
    }

    fn kubeconfig(&mut self, args: &KubeconfigArgs) {
        self.inputs(&args.replies);
        let keys = match &args.key {
            Some(key) if key.is_dir() => vec![key.clone()],
            Some(key) => {
                self.file(key);
                self.file(&key.with_extension("csr"));
                vec![file::folder_of(key).to_owned()]
            }
            None => Self::beside(&args.replies),
        };
        if args.key.as_ref().is_none_or(|key| key.is_dir()) {
            for folder in &keys {
                self.keys_in(folder);
            }
        }
        self.cluster = args.cluster.clone().map(|cluster| (cluster, None));
        self.files(args.certificate_authority.as_deref());
        self.files(args.client_ca.as_deref());
        self.files(args.passphrase_file.as_deref());
        if let Some(existing) = &args.merge {
            // Each of several certificates puts a new file in its place.
            self.read.push(file::folder_of(existing).to_owned());
        }
        let named = args
            .merge
            .as_deref()
            .or(args.out.as_deref())
            .map(file::folder_of);
        match named.or(args.output_dir.as_deref()) {
            Some(folder) => self.create.push(folder.to_owned()),
            None => self.create.extend(keys),
        }
    }

    fn rehearse(&mut self, args: &RehearseArgs) {
        self.inputs(args.csr.as_slice());
        self.create.push(match &args.dir {
            Some(folder) => file::folder_of(folder).to_owned(),
            None => std::env::temp_dir(),
        });
    }

    fn inputs(&mut self, inputs: &[Input]) {
        inputs
            .iter()
            .filter_map(Input::path)
            .for_each(|path| self.file(path));
    }

    fn files(&mut self, path: Option<&Path>) {
        if let Some(path) = path {
            self.file(path);
        }
    }

    /// A folder in place of a file can be opened, to be told that it is none, but not looked into.
    fn file(&mut self, path: &Path) {
        if path.is_dir() {
            self.list.push(path.to_owned());
        } else {
            self.read.push(path.to_owned());
        }
    }

    /// The `.key` files of a folder and the requests beside them.
    fn keys_in(&mut self, folder: &Path) {
        self.list.push(folder.to_owned());
        for key in keyring::key_files(folder).unwrap_or_default() {
            self.read.push(key.with_extension("csr"));
            self.read.push(key);
        }
    }

    /// The folders where keys are looked for if none is named.
    fn beside(replies: &[Input]) -> Vec<PathBuf> {
        let beside = replies.iter().filter_map(Input::path).map(file::folder_of);
        beside.chain([Path::new(".")]).map(Path::to_owned).collect()
    }
}
