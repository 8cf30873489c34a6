//! Of several certificates of one person for one cluster, the one that was issued last: the replies of
//! earlier years lie in the same folder.

use std::collections::HashMap;

use kube_enroll::certificate::{Certificate, Chain};
use kube_enroll::kubeconfig::Cluster;
use kube_enroll::manifest::CertificateSigningRequest;
use kube_enroll::reply::Reply;
use kube_enroll::text;
use kube_enroll::text::count;
use time::OffsetDateTime;

use super::super::from::file::Stream;
use super::Run;

/// More than this are not told one by one.
const SHOWN: usize = 10;

/// The user, the groups in their order of names, and the cluster with its server.
type Holder = (String, Vec<String>, Option<(String, String)>);

/// Whom a certificate in a reply is for, and where.
fn holder(chain: &Chain, cluster: Option<&Cluster>) -> Option<Holder> {
    let mut identity = chain.holder().subject().identity()?;
    identity.groups.sort();
    let cluster = cluster.map(|it| (it.name.clone(), it.server.clone()));
    Some((identity.username, identity.groups, cluster))
}

/// Which of two is newer: one that has not ended, issued last, and of those the one that ends last.
type Age = (bool, OffsetDateTime, OffsetDateTime);

fn age(leaf: &Certificate, now: OffsetDateTime) -> Age {
    let (first, last) = (leaf.not_before(), leaf.not_after());
    (last >= now, first, last)
}

fn chain_of(request: &CertificateSigningRequest) -> Option<Chain> {
    let pem = request.status.as_ref()?.certificate.as_deref()?;
    Chain::from_pem(pem).ok()
}

impl Run<'_> {
    /// Takes the older certificates out of the replies, where the key of a newer one for the same user,
    /// groups and cluster is here.
    pub(super) fn pass_over_older(&self, replies: &mut [(&Stream, Reply)]) {
        let mut newest: HashMap<Holder, (Age, &Stream)> = HashMap::new();
        let number = |reply: &Reply| reply.requests.len() + usize::from(reply.chain.is_some());
        let all = replies.iter().map(|(_, reply)| number(reply));
        if all.sum::<usize>() < 2 {
            return;
        }
        for (input, reply) in replies.iter() {
            let issued = reply.requests.iter().filter_map(chain_of);
            for chain in issued.chain(reply.chain.clone()) {
                let leaf = chain.holder();
                // One that is not valid yet is of no use now.
                if leaf.not_before() > self.now {
                    continue;
                }
                let is_here = self.keys.knows(leaf.public_key(), input);
                let holder = holder(&chain, reply.cluster.as_ref());
                let Some(holder) = holder.filter(|_| is_here.unwrap_or(false)) else {
                    continue;
                };
                let its_age = age(leaf, self.now);
                let last = newest.entry(holder).or_insert((its_age, input));
                if its_age > last.0 {
                    *last = (its_age, input);
                }
            }
        }
        let mut passed = Vec::new();
        for (input, reply) in replies.iter_mut() {
            let cluster = reply.cluster.clone();
            let mut is_last = |chain: Option<Chain>| {
                let newer = chain.and_then(|chain| {
                    let (newest, file) = newest.get(&holder(&chain, cluster.as_ref())?)?;
                    let its_age = age(chain.holder(), self.now);
                    let has_ended = newest.0 && !its_age.0;
                    (its_age < *newest).then_some((*file, has_ended))
                });
                passed.extend(newer.map(|(file, has_ended)| (*input, file, has_ended)));
                newer.is_none()
            };
            reply.requests.retain(|request| is_last(chain_of(request)));
            if !is_last(reply.chain.clone()) {
                reply.chain = None;
            }
        }
        if passed.len() > SHOWN {
            self.console.note(text!(
                "{} passed over: newer ones of the same users and groups are among the replies",
                count(passed.len(), "certificate is", "certificates are")
            ));
            return;
        }
        for (older, newer, has_ended) in &passed {
            let why = if *has_ended {
                "ends later"
            } else {
                "was issued later"
            };
            self.console.note(text!(
                "the certificate in {} is passed over: {} has one of the same user and groups that {}",
                older,
                newer,
                why
            ));
        }
    }
}
