//! Telling what a file is: DER, PEM, base64 of either, YAML or JSON.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Context, Object};
use crate::budget::Limits;
use crate::certificate::{self, Certificate};
use crate::csr::{self, CertificationRequest};
use crate::key::{EncodedKey, PublicKey};
use crate::kubeconfig;
use crate::kuberc;
use crate::looks::{Look, look, under_its_coats};
use crate::manifest;
use crate::parallel;
use crate::pem;
use crate::policy::{Code, Effect, Finding};
use crate::text;
use crate::text::{Label, Show as _, Text, count, visible};
use crate::yaml::{self, Document, Oddity};

/// Documents and objects that are made into reports together.
const BATCH: usize = 256;
/// How many of a file's objects are told one by one that are no request, certificate or key.
const TOLD: usize = 1000;

/// The objects of a file: each request, certificate and key, and of the others the first thousand, for
/// a report is many times as large as the two bytes that can be an object.
#[derive(Default)]
struct Gathered {
    objects: Vec<Object>,
    others: usize,
    /// What kubectl makes of the objects that follow.
    rest: Rest,
}

/// What kubectl makes of what stands behind something in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Rest {
    /// It reads on.
    #[default]
    Read,
    /// It cannot be told.
    Untold,
    /// It stops.
    Refused,
}

impl Gathered {
    /// Adds an object, and what kubectl makes of those behind it.
    fn add_before(&mut self, mut object: Object, rest: Rest) {
        match self.rest {
            Rest::Read => {}
            Rest::Untold => object.prediction = None,
            Rest::Refused => object.prediction = Some(super::object::REFUSED),
        }
        if self.rest > Rest::Read {
            object.identity = None;
        }
        self.rest = self.rest.max(rest);
        self.add(object);
    }

    fn add(&mut self, object: Object) {
        self.others += usize::from(object.has_no_key());
        if self.others <= TOLD || !object.has_no_key() {
            self.objects.push(object);
        }
    }

    fn finish(mut self) -> Vec<Object> {
        if let Some(untold @ 1..) = self.others.checked_sub(TOLD) {
            let what = text!(
                "{} without a request, a certificate or a key: not told one by one",
                count(untold, "more object", "more objects")
            );
            self.objects.push(Object::unreadable(what.as_str()));
        }
        self.objects
    }
}

/// Everything in a file, in order.
pub(super) fn objects(source: &str, input: Cow<'_, [u8]>, context: &Context<'_>) -> Vec<Object> {
    if kuberc::is_kuberc(source, &input) {
        return vec![Object::of_kuberc(&input)];
    }
    if let Some(object) = from_der(&input, context) {
        return vec![object];
    }
    if pem::first(&input).is_some() {
        return from_pem(&input, context);
    }
    if let Some(decoded) = unwrapped_base64(&input) {
        if let Some(object) = from_der(&decoded, context) {
            return vec![object];
        }
        if pem::first(&decoded).is_some() {
            return from_pem(&decoded, context);
        }
    }
    from_documents(input, context)
}

fn from_der(der: &[u8], context: &Context<'_>) -> Option<Object> {
    if der.first() != Some(&0x30) {
        return None;
    }
    if CertificationRequest::from_der(der).is_ok() {
        return Some(Object::of_csr(der, context));
    }
    if let Ok(certificate) = Certificate::from_der(der) {
        return Some(Object::of_certificate(&certificate, context.now));
    }
    if let Ok(key) = EncodedKey::find(der) {
        return Some(Object::of_private_key(&key, context.passphrase));
    }
    let key = PublicKey::from_spki_der(der).ok()?;
    Some(Object::of_public_key(&key))
}

/// One object for each block; a request takes in what stands around it.
fn from_pem(input: &[u8], context: &Context<'_>) -> Vec<Object> {
    let mut gathered = Gathered::default();
    for block in pem::blocks(input) {
        let object = match block.label.as_str() {
            csr::PEM_LABEL | csr::LEGACY_PEM_LABEL => {
                let first = gathered.objects.is_empty();
                let text = if first {
                    input
                } else {
                    input.get(block.span).unwrap_or_default()
                };
                let mut object = Object::of_csr(text, context);
                if !first {
                    object.add(Finding::new(
                        Effect::Misleads,
                        Code::SecondBlock,
                        "",
                        "another PEM block stands before it, which is what a reader of one block takes",
                    ));
                }
                object
            }
            label @ (certificate::PEM_LABEL | certificate::OLD_PEM_LABEL) => {
                match Certificate::from_der(&block.contents) {
                    Ok(certificate) => {
                        let mut object = Object::of_certificate(&certificate, context.now);
                        if label == certificate::OLD_PEM_LABEL {
                            object.add(Finding::new(
                            Effect::Warns,
                            Code::PemLabel,
                            "",
                            "an old label, X509 CERTIFICATE: kubectl and the cluster read CERTIFICATE alone",
                        ));
                        }
                        object
                    }
                    Err(_) => {
                        let look = look(input.get(block.span).unwrap_or_default());
                        Object::unreadable(look.show().as_str())
                    }
                }
            }
            "PUBLIC KEY" => match PublicKey::from_spki_der(&block.contents) {
                Ok(key) => Object::of_public_key(&key),
                Err(error) => Object::unreadable(&error.to_string()),
            },
            // Files of elliptic-curve keys start with their curve.
            "EC PARAMETERS" if input.get(block.span.end..).is_some_and(holds_ec_key) => continue,
            label if label.ends_with("PRIVATE KEY") => {
                match EncodedKey::find(input.get(block.span.clone()).unwrap_or_default()) {
                    Ok(key) => Object::of_private_key(&key, context.passphrase),
                    Err(error) => match look(input.get(block.span).unwrap_or_default()) {
                        Look::PrivateKey => Object::unreadable(&error.to_string()),
                        look => Object::unreadable(look.show().as_str()),
                    },
                }
            }
            label => {
                let look = look(input.get(block.span).unwrap_or_default());
                let what = if look.is_telling() {
                    text!("{}, which is of no use here", look)
                } else {
                    text!(
                        "a PEM block {}, which is of no use here",
                        Label::from(label)
                    )
                };
                Object::unreadable(what.as_str())
            }
        };
        gathered.add(object);
    }
    let mut objects = gathered.finish();
    if objects.is_empty() {
        objects.push(Object::unreadable("no PEM block that is of any use here"));
    }
    objects
}

fn holds_ec_key(input: &[u8]) -> bool {
    pem::first(input).is_some_and(|block| block.label == "EC PRIVATE KEY")
}

/// The bytes behind text that is base64 and nothing else, as copied out of a manifest.
fn unwrapped_base64(input: &[u8]) -> Option<Vec<u8>> {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    if !input
        .iter()
        .all(|byte| is_base64(byte) || byte.is_ascii_whitespace())
    {
        return None;
    }
    let packed: Vec<u8> = input.iter().copied().filter(is_base64).collect();
    if packed.len() < 16 {
        return None;
    }
    pem::decode_base64(&packed).ok().map(|bytes| bytes.to_vec())
}

/// What a file is that holds no object.
fn otherwise(input: &[u8], look: Look) -> Option<Text> {
    let is_ours = matches!(
        look,
        Look::Empty | Look::EmptyList | Look::Object | Look::Kubeconfig | Look::OtherObject(_)
    );
    if look == Look::Parts {
        let what = "text of QR codes with something else around it, or in another encoding: leave \
                    the codes alone, as UTF-8; each starts with 1QRZ";
        return Some(what.into());
    }
    if look == Look::ClearSigned {
        let step = "gpg --decrypt checks it and prints the text";
        return Some(text!("{}; kubectl would not read it: {}", look, step));
    }
    if !input.trim_ascii().is_empty()
        && let Some((inside, coats)) = under_its_coats(input)
    {
        let step = if inside.is_key() {
            "a private key is never to be sent; its owner saves it as plain text where it is"
        } else {
            "have it sent as an attachment, or save it as plain text"
        };
        return Some(text!(
            "{}, spoiled on its way ({}); kubectl would not read it: {}",
            inside,
            coats,
            step
        ));
    }
    (look.is_telling() && !is_ours).then(|| look.show())
}

fn from_documents(input: Cow<'_, [u8]>, context: &Context<'_>) -> Vec<Object> {
    let stream = yaml::read(&input, &Limits::for_input(&input));
    let documents = &stream.documents;
    let is_broken = documents.iter().all(|document| match &document.content {
        Ok(Value::Object(object)) => {
            kind(object).is_none_or(|kind| !can_be_kind(kind)) && !is_kubeconfig(object)
        }
        _ => true,
    });
    let look = look(&input);
    if is_broken && let Some(what) = otherwise(&input, look) {
        return vec![Object::unreadable(what.as_str())];
    }
    if documents.is_empty() {
        return vec![Object::unreadable("there is nothing in it")];
    }
    let bytes = Bytes::of(&input);
    // Thousands of objects and the text that they were read from are not held at once.
    drop(input);
    let mut gathered = Gathered::default();
    let mut has_more = false;
    let mut documents = stream.documents.into_iter();
    loop {
        // Of thousands a report and what it is made of are not needed at once.
        let batch: Vec<Document> = documents.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        let mut report = |found: &[Found<'_>]| {
            for some in found.chunks(BATCH) {
                let objects = parallel::map(some, |found| match found {
                    Found::Object(object, document) => from_object(object, document, context),
                    Found::Nothing(problem, Rest::Untold) => Object::untold(problem),
                    Found::Nothing(problem, _) => Object::unreadable(problem),
                });
                for (object, found) in objects.into_iter().zip(some) {
                    gathered.add_before(object, found.rest());
                }
            }
        };
        let mut waiting: Vec<Document> = Vec::new();
        for mut document in batch {
            let list = document.content.as_ref().ok().and_then(Value::as_object);
            has_more |= list.is_some_and(|list| {
                list.contains_key("items")
                    && manifest::items(list).is_ok()
                    && manifest::has_more(list)
            });
            let Some(items) = take_items(&mut document) else {
                waiting.push(document);
                continue;
            };
            report(&found_in_all(&waiting, bytes));
            waiting.clear();
            let mut items = items.into_iter();
            loop {
                let some: Vec<Value> = items.by_ref().take(BATCH).collect();
                if some.is_empty() {
                    break;
                }
                let maps = some.iter().filter_map(Value::as_object);
                let found = maps.map(|object| Found::Object(Cow::Borrowed(object), &document));
                report(&found.collect::<Vec<_>>());
            }
        }
        report(&found_in_all(&waiting, bytes));
    }
    let mut objects = gathered.finish();
    refuse_names_that_come_twice(&mut objects);
    tell_oddities(&stream.oddities, &mut objects);
    tell_company(&mut objects);
    if has_more {
        for object in objects.iter_mut().filter(|object| object.kind.is_some()) {
            object.add(Finding::list_with_more());
        }
    }
    objects
}

/// The second `kubectl create` of a name fails.
fn refuse_names_that_come_twice(objects: &mut [Object]) {
    let mut seen = HashSet::new();
    for object in objects {
        let is_request = object.kind.as_deref() == Some(manifest::KIND);
        let Some(name) = object.name.clone().filter(|_| is_request) else {
            continue;
        };
        if !seen.insert(name) {
            object.refuse(Finding::same_name(Effect::NotAccepted, "this file"));
        }
    }
}

/// A request in a file with something else is how something else gets in.
fn tell_company(objects: &mut [Object]) {
    let is_request = |object: &Object| object.kind.as_deref() == Some(manifest::KIND);
    let is_reply = objects.iter().any(|object| object.status.is_some());
    if is_reply || objects.iter().all(is_request) {
        return;
    }
    for object in objects.iter_mut().filter(|object| is_request(object)) {
        object.add(Finding::not_alone());
    }
}

/// A file with a second meaning is judged as a whole: each of its objects may be read as another.
fn tell_oddities(oddities: &[Oddity], objects: &mut [Object]) {
    let mut kinds = HashSet::new();
    for oddity in oddities {
        if kinds.insert(oddity.kind) {
            for object in objects.iter_mut().filter(|object| object.kind.is_some()) {
                object.add(Finding::second_meaning(*oddity));
            }
        }
    }
}

/// What a document holds: an object, or why there is none.
enum Found<'a> {
    Object(Cow<'a, Map<String, Value>>, &'a Document),
    Nothing(String, Rest),
}

impl Found<'_> {
    /// What kubectl makes of what stands behind it: what does not say what it is ends its reading.
    fn rest(&self) -> Rest {
        match self {
            Self::Object(object, _) if kind(object).is_none() || !has_version(object) => {
                Rest::Refused
            }
            Self::Object(..) => Rest::Read,
            Self::Nothing(_, rest) => *rest,
        }
    }
}

/// The items of a long list whose items are the objects themselves, taken out of it.
fn take_items(document: &mut Document) -> Option<Vec<Value>> {
    let Ok(Value::Object(map)) = &mut document.content else {
        return None;
    };
    let objects = manifest::items(map).ok()?;
    let items = map.get("items").and_then(Value::as_array)?;
    let is_itself = |(object, item): (&Cow<'_, Map<String, Value>>, &Value)| {
        item.as_object()
            .is_some_and(|item| std::ptr::eq(item, &raw const **object))
    };
    let are_themselves = objects.len() == items.len() && objects.iter().zip(items).all(is_itself);
    if items.len() <= BATCH || !are_themselves {
        return None;
    }
    match map.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Some(items),
        _ => None,
    }
}

/// What the bytes of a file are, where they are no text.
#[derive(Debug, Clone, Copy)]
struct Bytes {
    have_zeros: bool,
    are_text: bool,
}

impl Bytes {
    fn of(input: &[u8]) -> Self {
        Self {
            have_zeros: input.contains(&0),
            are_text: std::str::from_utf8(input).is_ok(),
        }
    }
}

fn found_in_all(documents: &[Document], bytes: Bytes) -> Vec<Found<'_>> {
    let found = documents
        .iter()
        .flat_map(|document| found_in(document, bytes));
    found.collect()
}

fn found_in(document: &Document, bytes: Bytes) -> Vec<Found<'_>> {
    let nothing = |problem: String, rest| vec![Found::Nothing(problem, rest)];
    let rest = |cannot_tell| {
        if cannot_tell {
            Rest::Untold
        } else {
            Rest::Refused
        }
    };
    match &document.content {
        Ok(Value::Object(map)) => match manifest::items(map) {
            Ok(items) if items.is_empty() => {
                nothing("a list with nothing in it".to_owned(), Rest::Read)
            }
            Ok(items) => {
                let objects = items.into_iter();
                objects
                    .map(|object| Found::Object(object, document))
                    .collect()
            }
            Err(problem) => nothing(
                format!("line {}: {problem}", document.line),
                rest(problem.cannot_tell()),
            ),
        },
        Ok(_) => nothing(not_an_object(document, bytes), Rest::Refused),
        Err(_) if bytes.have_zeros => nothing(NOT_TEXT.to_owned(), Rest::Refused),
        Err(error) => nothing(error.to_string(), rest(error.cannot_tell())),
    }
}

const NOT_TEXT: &str = "neither PEM, DER, base64, YAML nor JSON";

fn not_an_object(document: &Document, bytes: Bytes) -> String {
    if !bytes.are_text {
        return NOT_TEXT.to_owned();
    }
    format!(
        "line {}: not a Kubernetes object, nor PEM, DER or base64",
        document.line
    )
}

/// The objects of all documents, lists taken apart, those too that kubectl would not create.
pub(crate) fn flattened(documents: &[Document]) -> Vec<Cow<'_, Map<String, Value>>> {
    let objects = documents
        .iter()
        .filter_map(|document| document.content.as_ref().ok()?.as_object());
    let items = |object| manifest::items(object).unwrap_or_else(|_| plain_items(object));
    objects.flat_map(items).collect()
}

fn plain_items(list: &Map<String, Value>) -> Vec<Cow<'_, Map<String, Value>>> {
    let items = list.get("items").and_then(Value::as_array);
    let objects = items.into_iter().flatten().filter_map(Value::as_object);
    objects.map(Cow::Borrowed).collect()
}

/// Whether there can be such a kind: typographic quotation marks are a part of what they stand around.
fn can_be_kind(kind: &str) -> bool {
    kind.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The kind that an object says it is.
pub(crate) fn kind(object: &Map<String, Value>) -> Option<&str> {
    object
        .get("kind")
        .and_then(Value::as_str)
        .filter(|kind| !kind.is_empty())
}

fn has_version(object: &Map<String, Value>) -> bool {
    let version = object.get("apiVersion").and_then(Value::as_str);
    version.is_some_and(|version| !version.is_empty())
}

/// Whether an object is a kubeconfig, which need not say so.
pub(crate) fn is_kubeconfig(object: &Map<String, Value>) -> bool {
    match kind(object) {
        Some(kind) => kind == kubeconfig::KIND,
        None => object.contains_key("clusters"),
    }
}

fn from_object(object: &Map<String, Value>, document: &Document, context: &Context<'_>) -> Object {
    match kind(object) {
        Some(manifest::KIND) => Object::of_manifest(object, &document.comments, context),
        _ if is_kubeconfig(object) => Object::of_kubeconfig(object, context.now),
        None => Object::unreadable(&format!(
            "line {}: an object without kind, which kubectl refuses",
            document.line
        )),
        Some(kind) if !can_be_kind(kind) => Object::unreadable(&format!(
            "line {}: a kind that there is nowhere, because it has other signs than letters and digits in it \
             (quotation marks of a word processor?)",
            document.line
        )),
        Some(kind) => Object::of_foreign_kind(kind, has_version(object)),
    }
}

impl Object {
    fn has_no_key(&self) -> bool {
        self.csr.is_none()
            && self.certificate.is_none()
            && self.private_key.is_none()
            && self.public_key.is_none()
    }

    /// Something that cannot be read at all.
    pub(super) fn unreadable(problem: &str) -> Self {
        let problem = visible(problem).to_string();
        Self {
            prediction: Some(super::object::REFUSED),
            findings: vec![Finding::new(
                Effect::NotAccepted,
                Code::Unreadable,
                "",
                problem,
            )],
            ..Self::default()
        }
    }

    /// Something that cannot be read here, and perhaps by kubectl.
    fn untold(problem: &str) -> Self {
        Self {
            prediction: None,
            ..Self::unreadable(problem)
        }
    }

    /// What the cluster makes of another kind is not known here; without a version kubectl refuses it.
    fn of_foreign_kind(kind: &str, has_version: bool) -> Self {
        // These are written and read by programs, and no cluster has any.
        const NO_RESOURCES: [&str; 4] = ["ExecCredential", "Status", "Table", "Preference"];
        let is_resource = !NO_RESOURCES.contains(&kind);
        let kind = visible(kind).to_string();
        let message = if is_resource {
            format!(
                "a {kind}, which is no certificate signing request: kubectl would create or \
                 change this {kind} with YOUR rights"
            )
        } else {
            format!(
                "kind {kind}, which is no certificate signing request and nothing that can be created"
            )
        };
        Self {
            prediction: (!has_version || !is_resource).then_some(super::object::REFUSED),
            findings: vec![Finding::new(
                Effect::NotAccepted,
                Code::WrongKind,
                "kind",
                message,
            )],
            kind: Some(kind),
            ..Self::default()
        }
    }
}
