//! Gathering a policy: records, what they lead to, and the answers behind every term. Asks, and judges nothing.

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;

use redeliver_model::Timestamp;
use redeliver_net::dns::{Answer, Dns, Name, Question, RecordType, Text, Why};
use redeliver_records::{DomainSpec, MacroLetter, MacroPart, Mechanism, Modifier, TermKind};

use super::{Cost, Policy, TermCost};
use crate::expand::{Values, checkable, expand, query_name, shortened};
use crate::request::{Request, Sender, UNKNOWN};
use crate::select::{Selected, select};
use crate::trace::LookUp;
use crate::verdict::Problem;

/// Terms looked at in all: a policy that includes itself in twos would never end.
const MOST_TERMS: usize = 500;
/// Questions asked in all; a good policy needs a dozen.
const MOST_QUESTIONS: usize = 300;
/// Records below one another: a policy needs a look-up for each, so that deeper than ten is broken already.
const MOST_RECORDS_DEEP: usize = 30;
/// Mail servers of one `mx` whose addresses are asked for; ten are allowed, and more is a fault already.
const MOST_MAIL_SERVERS: usize = 12;

/// Gathers the policy of a domain; whether all of it was seen.
pub(super) async fn walk(dns: &dyn Dns, domain: &str) -> (Policy, bool) {
    let request = Request::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), domain, format!("postmaster@{domain}"));
    let sender = Sender::of(&request);
    let root = shortened(&sender.domain).to_owned();
    let mut walk = Walk { dns, sender, answers: HashMap::new(), path: Vec::new(), terms: 0, complete: true };
    if let Some(name) = checkable(&root) {
        walk.fetch([Question::new(name.clone(), RecordType::Txt), Question::new(name, RecordType::Spf)]).await;
    }
    let mut policy = walk.policy(root).await;
    policy.type99 = checkable(&policy.domain).map(|name| walk.look_up(name, RecordType::Spf));
    (policy, walk.complete)
}

struct Walk<'a> {
    dns: &'a dyn Dns,
    sender: Sender,
    answers: HashMap<Question, Answer>,
    /// The domains above, in lower case.
    path: Vec<String>,
    terms: usize,
    complete: bool,
}

type Walking<'a> = Pin<Box<dyn Future<Output = Policy> + Send + 'a>>;

impl Walk<'_> {
    /// Asks what is not known yet, all at once.
    async fn fetch(&mut self, questions: impl IntoIterator<Item = Question>) {
        let mut wanted: Vec<Question> = Vec::new();
        for question in questions {
            if self.answers.contains_key(&question) || wanted.contains(&question) {
                continue;
            }
            if self.answers.len() + wanted.len() >= MOST_QUESTIONS {
                self.complete = false;
                break;
            }
            wanted.push(question);
        }
        let answers = self.dns.ask_all(&wanted).await;
        self.answers.extend(wanted.into_iter().zip(answers));
    }

    /// The answer to a question that was fetched.
    fn look_up(&self, name: Name, record_type: RecordType) -> LookUp {
        let question = Question::new(name, record_type);
        let answer = self.answers.get(&question).cloned().unwrap_or(Answer::unasked(Why::BudgetUsedUp));
        let void = answer.is_absent();
        LookUp { question, answer, void }
    }

    fn policy(&mut self, domain: String) -> Walking<'_> {
        Box::pin(self.policy_now(domain))
    }

    /// The policy of a domain whose TXT records were fetched.
    async fn policy_now(&mut self, domain: String) -> Policy {
        let mut policy = Policy::of(&domain);
        let Some(name) = checkable(&domain) else {
            policy.problem = Some(Problem::NotADomain);
            return policy;
        };
        let look_up = self.look_up(name, RecordType::Txt);
        policy.answer_octets = answer_octets(&look_up);
        let selected = select(&look_up);
        policy.look_up = Some(look_up);
        match selected {
            Err(problem) => {
                policy.problem = Some(problem);
                return policy;
            }
            Ok(Selected { text, read }) => policy.read(text, read),
        }
        let mut terms = self.terms_of(&policy);
        self.fetch(terms.iter().flat_map(questions)).await;
        let hosts: Vec<Question> = terms.iter().flat_map(|term| self.host_questions(term)).collect();
        self.fetch(hosts).await;
        self.path.push(domain.to_ascii_lowercase());
        for term in &mut terms {
            self.terms += 1;
            if self.terms > MOST_TERMS {
                self.complete = false;
                break;
            }
            self.price(term).await;
            policy.cost += term.cost;
        }
        self.path.pop();
        policy.terms = terms;
        policy
    }

    /// The terms of a record with the names they lead to.
    fn terms_of(&self, policy: &Policy) -> Vec<TermCost> {
        let text = policy.record.as_deref().unwrap_or_default();
        let has_all = policy.parsed.all();
        let terms = policy.parsed.terms.iter().map(|term| {
            let target = self.target(&policy.domain, &term.kind);
            // RFC 7208 5.1: mechanisms behind `all` are never evaluated, and redirect counts only without one.
            let behind = has_all.is_some_and(|(all, _)| all.start < term.span.start);
            let unreachable = match &term.kind {
                TermKind::Directive(_) => behind,
                TermKind::Modifier(Modifier::Redirect(_)) => has_all.is_some(),
                _ => false,
            };
            TermCost {
                term: term.span.of(text).to_owned(),
                span: term.span,
                target,
                look_ups: Vec::new(),
                cost: Cost::default(),
                policy: None,
                loops: false,
                unreachable,
                kind: term.kind.clone(),
            }
        });
        terms.collect()
    }

    /// The name a term leads to, if it is the same for every mail.
    fn target(&self, domain: &str, kind: &TermKind) -> Option<String> {
        let spec = match kind {
            TermKind::Directive(directive) => match &directive.mechanism {
                Mechanism::All | Mechanism::Ip4 { .. } | Mechanism::Ip6 { .. } => return None,
                mechanism => mechanism.domain(),
            },
            TermKind::Modifier(Modifier::Redirect(spec)) => Some(spec),
            _ => return None,
        };
        let Some(spec) = spec else { return Some(shortened(domain).to_owned()) };
        if !is_fixed(spec) {
            return None;
        }
        let values = Values { sender: &self.sender, domain, validated: UNKNOWN, receiver: None, now: Timestamp(0) };
        expand(spec, &values).map(|text| shortened(&text).to_owned())
    }

    /// The addresses of the mail servers of an `mx`.
    fn host_questions(&self, term: &TermCost) -> Vec<Question> {
        let both =
            |host: &Name| [RecordType::A, RecordType::Aaaa].map(|record_type| Question::new(host.clone(), record_type));
        self.mail_servers(term).iter().flat_map(both).collect()
    }

    fn mail_servers(&self, term: &TermCost) -> Vec<Name> {
        let asks_mx = |question: &Question| question.record_type == RecordType::Mx;
        let Some(question) = questions(term).into_iter().find(asks_mx) else { return Vec::new() };
        let look_up = self.look_up(question.name, RecordType::Mx);
        let exchanges = look_up.answer.exchanges();
        exchanges
            .into_iter()
            .map(|(_, host)| host.clone())
            .filter(|host| !host.is_root())
            .take(MOST_MAIL_SERVERS)
            .collect()
    }

    /// What a term costs, with what it leads to.
    async fn price(&mut self, term: &mut TermCost) {
        if term.unreachable {
            return;
        }
        let redirect = matches!(term.kind, TermKind::Modifier(Modifier::Redirect(_)));
        let mechanism = match &term.kind {
            TermKind::Directive(directive) if directive.mechanism.costs_lookup() => Some(&directive.mechanism),
            _ if redirect => None,
            _ => return,
        };
        term.cost.lookups = 1;
        if redirect || matches!(mechanism, Some(Mechanism::Include(_))) {
            self.follow(term).await;
            return;
        }
        let mx = matches!(mechanism, Some(Mechanism::Mx { .. }));
        let looked: Vec<LookUp> =
            questions(term).into_iter().map(|question| self.look_up(question.name, question.record_type)).collect();
        let void = |wanted: &[RecordType]| {
            u32::from(looked.iter().any(|found| wanted.contains(&found.question.record_type) && found.void))
        };
        // An `exists` asks for A whatever the client is; an `a` asks for the client's own kind of address.
        let a = matches!(mechanism, Some(Mechanism::A { .. }));
        term.cost.voids_ip4 = void(&[RecordType::A, RecordType::Mx]);
        term.cost.voids_ip6 = if a { void(&[RecordType::Aaaa]) } else { term.cost.voids_ip4 };
        term.look_ups = looked;
        if mx {
            let hosts = self.host_questions(term);
            term.look_ups.extend(hosts.into_iter().map(|host| self.look_up(host.name, host.record_type)));
        }
    }

    /// Walks the record that an `include` or `redirect` leads to.
    async fn follow(&mut self, term: &mut TermCost) {
        let Some(target) = term.target.clone() else { return };
        if self.path.contains(&target.to_ascii_lowercase()) {
            term.loops = true;
            return;
        }
        if self.path.len() >= MOST_RECORDS_DEEP {
            self.complete = false;
            return;
        }
        let policy = self.policy(target).await;
        term.cost += policy.cost;
        term.policy = Some(Box::new(policy));
    }
}

/// Whether a name depends on the domain only, not on the mail.
fn is_fixed(spec: &DomainSpec) -> bool {
    spec.parts.iter().all(|part| {
        !matches!(part, MacroPart::Expand { letter, .. } if !matches!(letter, MacroLetter::Domain | MacroLetter::SenderDomain))
    })
}

/// What a term asks, as far as it is the same for every mail.
fn questions(term: &TermCost) -> Vec<Question> {
    if term.unreachable {
        return Vec::new();
    }
    let Some(target) = term.target.as_deref() else { return Vec::new() };
    let types: &[RecordType] = match &term.kind {
        TermKind::Directive(directive) => match directive.mechanism {
            Mechanism::A { .. } => &[RecordType::A, RecordType::Aaaa],
            Mechanism::Mx { .. } => &[RecordType::Mx],
            Mechanism::Exists(_) => &[RecordType::A],
            Mechanism::Include(_) => &[RecordType::Txt],
            _ => &[],
        },
        TermKind::Modifier(Modifier::Redirect(_)) => &[RecordType::Txt],
        _ => &[],
    };
    let name = if types == [RecordType::Txt] { checkable(target) } else { query_name(target) };
    let Some(name) = name else { return Vec::new() };
    types.iter().map(|record_type| Question::new(name.clone(), *record_type)).collect()
}

/// The octets of an answer with these TXT records, without EDNS (RFC 1035 4.1).
fn answer_octets(look_up: &LookUp) -> usize {
    let record = |text: &Text| 12 + text.0.iter().map(|string| string.len() + 1).sum::<usize>();
    let name: usize = look_up.question.name.labels().iter().map(|label| label.len() + 1).sum();
    12 + name + 1 + 4 + look_up.answer.texts().map(record).sum::<usize>()
}
