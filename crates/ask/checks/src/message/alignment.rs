//! DMARC of a message (RFC 9989 5): does a domain that was verified stand for the domain in From? Pure but for the walk.

use futures_util::future::join_all;
use redeliver_model::Domain;
use redeliver_net::dns::Dns;
use redeliver_records::{Alignment, Policy};
use redeliver_spf::SpfResult;

use super::signatures::{DkimWord, Signature};
use crate::dmarc::{Applying, Walk, walk};

/// How many domains of signatures are compared.
const MOST_DOMAINS: usize = 10;

/// The result of DMARC in the words of RFC 8601 and RFC 9989 8.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DmarcWord {
    None,
    Pass,
    Fail,
    TempError,
}

impl DmarcWord {
    /// The word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::TempError => "temperror",
        }
    }
}

/// What was gathered.
#[derive(Debug)]
pub(crate) struct AlignmentEvidence {
    /// From the domain in From.
    pub author: Walk,
    /// From each other domain that might be aligned.
    pub others: Vec<Walk>,
}

/// What came out.
#[derive(Debug)]
pub(crate) struct Aligned {
    pub word: DmarcWord,
    pub applying: Option<Applying>,
    pub policy: Option<Policy>,
    /// Domains that are verified and aligned.
    pub by: Vec<String>,
    /// Domains that are verified and not aligned.
    pub strangers: Vec<String>,
    /// Why nobody knows.
    pub unknown: Option<String>,
}

/// Walks from the author's domain and from every domain that may be compared with it.
pub(crate) async fn gather(dns: &dyn Dns, author: &Domain, compared: &[String]) -> AlignmentEvidence {
    let mut domains: Vec<Domain> = compared.iter().filter_map(|domain| Domain::parse(domain).ok()).collect();
    domains.sort();
    domains.dedup();
    domains.retain(|domain| domain != author);
    domains.truncate(MOST_DOMAINS);
    let others = join_all(domains.iter().map(|domain| walk(dns, domain)));
    let (author, others) = futures_util::future::join(walk(dns, author), others).await;
    AlignmentEvidence { author, others }
}

impl AlignmentEvidence {
    fn organisation(&self, domain: &str) -> Option<String> {
        let walk = self.others.iter().chain([&self.author]).find(|walk| walk.domain.as_str() == domain)?;
        Some(walk.organisational().domain)
    }

    /// RFC 9989 4.4: the same domain, or relaxed the same organisation.
    fn is_aligned(&self, domain: &str, mode: Alignment) -> bool {
        let author = self.author.domain.as_str();
        if domain.eq_ignore_ascii_case(author) {
            return true;
        }
        mode == Alignment::Relaxed && self.organisation(domain) == self.organisation(author)
    }

    /// Judges.
    pub(crate) fn judge(&self, spf: Option<(SpfResult, &str)>, signatures: &[Signature]) -> Aligned {
        let mut aligned = Aligned {
            word: DmarcWord::None,
            applying: None,
            policy: None,
            by: Vec::new(),
            strangers: Vec::new(),
            unknown: None,
        };
        let applying = match self.author.applying() {
            Err(asked) => {
                aligned.word = DmarcWord::TempError;
                aligned.unknown = asked.why_not().map(ToString::to_string);
                return aligned;
            }
            Ok(applying) => applying,
        };
        let (dkim_mode, spf_mode) = applying.as_ref().map_or((Alignment::Relaxed, Alignment::Relaxed), |applying| {
            (applying.read.record.dkim_alignment, applying.read.record.spf_alignment)
        });
        let spf_pass = spf.filter(|(result, _)| *result == SpfResult::Pass).map(|(_, domain)| (domain, spf_mode));
        let dkim_pass = signatures
            .iter()
            .filter(|signature| signature.word == DkimWord::Pass)
            .map(|signature| (signature.domain.as_str(), dkim_mode));
        for (domain, mode) in dkim_pass.chain(spf_pass) {
            let list = if self.is_aligned(domain, mode) { &mut aligned.by } else { &mut aligned.strangers };
            if !list.iter().any(|known| known == domain) {
                list.push(domain.to_owned());
            }
        }
        let Some(applying) = applying else { return aligned };
        aligned.policy = applying.policy_for(self.author.domain.as_str());
        // RFC 9989 4.10.1: without a policy and without reports there is no DMARC.
        if aligned.policy.is_some() {
            let maybe = |domain: &str| self.is_aligned(domain, Alignment::Relaxed);
            let unsure = spf.is_some_and(|(result, domain)| result == SpfResult::TempError && maybe(domain))
                || signatures.iter().any(|one| one.word == DkimWord::TempError && maybe(&one.domain));
            aligned.word = match (aligned.by.is_empty(), unsure) {
                (false, _) => DmarcWord::Pass,
                (true, true) => DmarcWord::TempError,
                (true, false) => DmarcWord::Fail,
            };
        }
        aligned.applying = Some(applying);
        aligned
    }
}
