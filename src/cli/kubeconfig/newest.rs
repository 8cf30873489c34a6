//! Of several certificates of one person for one cluster, the one that ends last: the replies of earlier
//! years lie in the same folder.

use std::collections::HashMap;

use kube_enroll::certificate::Chain;
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

fn chain_of(request: &CertificateSigningRequest) -> Option<Chain> {
    let pem = request.status.as_ref()?.certificate.as_deref()?;
    Chain::from_pem(pem).ok()
}

impl Run<'_> {
    /// Takes the older certificates out of the replies, where the key of a newer one for the same user,
    /// groups and cluster is here; how many are left.
    pub(super) fn pass_over_older(&self, replies: &mut [(&Stream, Reply)]) -> usize {
        let mut newest: HashMap<Holder, (OffsetDateTime, &Stream)> = HashMap::new();
        let number = |reply: &Reply| reply.requests.len() + usize::from(reply.chain.is_some());
        let all = replies
            .iter()
            .map(|(_, reply)| number(reply))
            .sum::<usize>();
        if all < 2 {
            return all;
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
                let last = newest.entry(holder).or_insert((leaf.not_after(), input));
                if leaf.not_after() > last.0 {
                    *last = (leaf.not_after(), input);
                }
            }
        }
        let mut passed = Vec::new();
        for (input, reply) in replies.iter_mut() {
            let cluster = reply.cluster.clone();
            let mut is_last = |chain: Option<Chain>| {
                let newer = chain.and_then(|chain| {
                    let (end, file) = newest.get(&holder(&chain, cluster.as_ref())?)?;
                    (chain.holder().not_after() < *end).then_some(*file)
                });
                passed.extend(newer.map(|file| (*input, file)));
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
            return all - passed.len();
        }
        for (older, newer) in &passed {
            self.console.note(text!(
                "the certificate in {} is passed over: {} has one of the same user and groups that ends later",
                older,
                newer
            ));
        }
        all - passed.len()
    }
}
