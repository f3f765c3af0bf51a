//! One run over one or many targets: the resolver is tried first, then every target is gathered and judged, many at a time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use redeliver_diagnose::Engine;
use redeliver_model::{Finding, Timestamp};
use redeliver_net::dns::{Allowance, Dns, QUESTIONS_OF_A_SUBJECT};
use redeliver_net::smtp::Smtp;
use redeliver_net::{Guard, Net};

use crate::asked::raw;
use crate::honest::Honest;
use crate::known::{Known, Scope, Target};
use crate::mail_servers::Means;
use crate::{domain, message};

/// How long the questions of one target may take: what has not answered by then is could-not-ask.
pub const QUESTIONS_DEADLINE: Duration = Duration::from_millis(3_800);
/// How many questions may come up late.
const LATER_QUESTIONS: u32 = 50;
/// How many targets are under way at once; the resolver holds more questions than these put.
const MOST_AT_ONCE: usize = 96;

/// Checks targets, with one network, one knowledge and one clock.
pub struct Checker<'c> {
    /// The network.
    pub net: Net,
    /// Which addresses count as public.
    pub guard: Guard,
    /// The knowledge.
    pub engine: &'c Engine,
    /// What may be done.
    pub scope: Scope,
    /// The moment.
    pub now: Timestamp,
}

impl std::fmt::Debug for Checker<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checker").field("scope", &self.scope).field("now", &self.now).finish_non_exhaustive()
    }
}

/// A run that is under way, as the checks see it.
pub(crate) struct Run<'c> {
    pub net: &'c Net,
    pub guard: &'c Guard,
    pub engine: &'c Engine,
    pub scope: &'c Scope,
    pub now: Timestamp,
    /// The resolver behind the allowance of the target.
    pub resolver: Arc<Honest>,
}

impl Run<'_> {
    /// Questions that come up after sessions with mail servers, when the first allowance is over.
    pub(crate) fn later(&self) -> Allowance<Arc<Honest>> {
        Allowance::new(self.resolver.clone(), QUESTIONS_DEADLINE, LATER_QUESTIONS)
    }

    /// Whom mail servers are gathered with.
    pub(crate) fn means<'a>(&'a self, dns: &'a dyn Dns) -> Means<'a> {
        let smtp: &dyn Smtp = &*self.net.smtp;
        Means { dns, smtp, guard: self.guard, scope: self.scope }
    }
}

impl Checker<'_> {
    /// Checks all targets; the findings come target by target, in the order of the targets, worst first.
    ///
    /// `done` is told how many targets are finished.
    pub async fn check_all(
        &self,
        targets: &[(String, Target, Known)],
        mut done: impl FnMut(usize),
    ) -> Vec<Vec<Finding>> {
        let honest = Arc::new(Honest::find_out(self.net.dns.clone()).await);
        let checking = targets.iter().enumerate().map(|(number, (name, target, known))| {
            let honest = honest.clone();
            async move { (number, self.check_one(honest, name, target, known).await) }
        });
        let mut findings: Vec<Vec<Finding>> = vec![Vec::new(); targets.len()];
        let mut under_way = stream::iter(checking).buffer_unordered(MOST_AT_ONCE);
        let mut finished = 0;
        while let Some((number, found)) = under_way.next().await {
            findings[number] = found;
            finished += 1;
            done(finished);
        }
        findings
    }

    async fn check_one(&self, honest: Arc<Honest>, name: &str, target: &Target, known: &Known) -> Vec<Finding> {
        let run = Run {
            net: &self.net,
            guard: &self.guard,
            engine: self.engine,
            scope: &self.scope,
            now: self.now,
            resolver: honest.clone(),
        };
        let allowance = Allowance::new(honest.clone(), QUESTIONS_DEADLINE, QUESTIONS_OF_A_SUBJECT);
        let dns: &dyn Dns = &allowance;
        let mut findings = of_resolver(&honest);
        let found: std::pin::Pin<Box<dyn Future<Output = Vec<Finding>> + '_>> = match target {
            Target::Domain(domain) => Box::pin(domain::check(&run, dns, domain, known)),
            Target::Recipient(domain) => Box::pin(domain::check_recipient(&run, dns, domain)),
            Target::Address(ip) => Box::pin(async {
                let evidence = domain::gather_ip(&run, dns, *ip, known.helo.as_deref()).await;
                domain::judge_ip(&evidence)
            }),
            Target::Message { bytes } => Box::pin(message::check(&run, dns, bytes, known)),
        };
        findings.extend(found.await);
        for finding in &mut findings {
            name.clone_into(&mut finding.target);
        }
        findings.sort_by_key(Finding::rank);
        findings
    }
}

/// What is to be said about the resolver, if anything.
fn of_resolver(honest: &Honest) -> Vec<Finding> {
    let (id, summary) = if honest.is_lied_to() {
        (
            "resolver-invents-addresses",
            "The resolver gives addresses to names that do not exist. What rests on addresses, blocklists above all, \
             cannot be known through it; ask through another one (--resolver).",
        )
    } else if honest.is_deaf() {
        ("resolver-does-not-answer", "The resolver does not answer; name another one (--resolver).")
    } else {
        return Vec::new();
    };
    vec![Finding::could_not_ask("resolver", id, summary).fact("asked", raw(&honest.probes))]
}
