//! What is to be said about a policy. Pure: it looks at what was gathered.

use redeliver_records::{Effect, Mechanism, Modifier, Qualifier, Span, SpfRecord, TermKind};

use super::{Harm, Note, Policy, TermCost};
use crate::select::candidates;
use crate::verdict::{Problem, RFC_LIMITS};

/// RFC 7208 3.4: the answer should stay below 512 octets, for which about 450 characters of record are room.
const LONG_RECORD: usize = 450;
/// The longest answer over UDP without EDNS (RFC 1035 4.2.1).
const LONG_ANSWER: usize = 512;

/// How a record came into the policy.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Via {
    Root,
    Include,
    Redirect,
}

/// Everything to be said about the policy below this root.
pub(super) fn notes(root: &Policy) -> Vec<Note> {
    let mut judge = Judge { notes: Vec::new(), included: Vec::new() };
    judge.root(root);
    judge.policy(root, Via::Root);
    judge.totals(root);
    judge.notes
}

struct Judge {
    notes: Vec<Note>,
    /// Domains included so far, in lower case.
    included: Vec<String>,
}

impl Judge {
    fn note(&mut self, id: &'static str, harm: Harm, domain: &str, span: Option<Span>, text: String) {
        let note = Note { id, harm, domain: domain.to_owned(), span, text };
        // A record that is included twice is judged once.
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn term(&mut self, id: &'static str, harm: Harm, policy: &Policy, term: &TermCost, text: String) {
        self.note(id, harm, &policy.domain, Some(term.span), text);
    }

    /// What can be said of the top only: whether there is a record at all.
    fn root(&mut self, policy: &Policy) {
        let domain = &policy.domain;
        let type99 = policy.type99.as_ref().is_some_and(|look_up| !candidates(&look_up.answer).is_empty());
        match &policy.problem {
            Some(Problem::NoRecord) if type99 => {
                let text = format!("{domain} has its policy in the withdrawn record type 99 only, which nobody reads.");
                self.note("spf-type99-only", Harm::Weakens, domain, None, text);
            }
            Some(Problem::NoRecord) => self.missing(policy),
            Some(Problem::NotADomain) => {
                self.note("spf-missing", Harm::Weakens, domain, None, format!("`{domain}` can have no SPF record."));
            }
            _ if type99 => {
                let text = "There is also a record of the withdrawn type 99; it can go.".to_owned();
                self.note("spf-type99", Harm::Untidy, domain, None, text);
            }
            _ => {}
        }
    }

    /// No record, or one that is not taken as SPF.
    fn missing(&mut self, policy: &Policy) {
        let domain = &policy.domain;
        self.note("spf-missing", Harm::Weakens, domain, None, format!("{domain} has no SPF record."));
        let texts = policy.look_up.iter().flat_map(|look_up| look_up.answer.texts());
        for text in texts {
            let joined = text.joined();
            let shown = String::from_utf8_lossy(&joined[..joined.len().min(60)]).into_owned();
            if !shown.to_ascii_lowercase().trim_start_matches(['"', ' ', '\\']).starts_with("v=spf1") {
                continue;
            }
            let faults = SpfRecord::parse_strings(&text.0).faults;
            let split = faults.iter().any(|fault| fault.id == "spf-split-strings");
            let (id, sentence) = if split {
                ("spf-split-strings", "its strings are joined without a blank behind `v=spf1`")
            } else {
                ("spf-bad-version", "it does not begin with `v=spf1` and a blank")
            };
            self.note(id, Harm::Weakens, domain, None, format!("`{shown}` is not read as SPF: {sentence}."));
        }
    }

    fn policy(&mut self, policy: &Policy, via: Via) {
        self.record(policy);
        if policy.record.is_some() {
            self.ending(policy, via);
            self.sizes(policy);
        }
        for (number, term) in policy.terms.iter().enumerate() {
            self.duplicate(policy, term, &policy.terms[..number]);
            if term.unreachable {
                self.unreachable(policy, term);
            } else {
                self.judge_term(policy, term);
            }
        }
    }

    /// The record's own faults, and why there is none.
    fn record(&mut self, policy: &Policy) {
        for fault in &policy.faults {
            let harm = match fault.effect {
                Effect::BreaksRecord => Harm::PermError,
                Effect::LosesPart => Harm::Weakens,
                Effect::Untidy => Harm::Untidy,
            };
            self.note(fault.id, harm, &policy.domain, Some(fault.span), fault.text.clone());
        }
        match &policy.problem {
            Some(problem @ Problem::SeveralRecords(_)) => {
                self.note(
                    "spf-multiple",
                    Harm::PermError,
                    &policy.domain,
                    None,
                    format!("{}: {problem}.", policy.domain),
                );
            }
            Some(problem @ Problem::CouldNotAsk(..)) => {
                let text = format!("The record of {} is not known: {problem}.", policy.domain);
                self.note("spf-could-not-ask", Harm::CouldNotAsk, &policy.domain, None, text);
            }
            _ => {}
        }
    }

    /// How the record ends: what those get whom nothing matches.
    fn ending(&mut self, policy: &Policy, via: Via) {
        match policy.parsed.all() {
            Some((span, directive)) if directive.qualifier == Qualifier::Pass => {
                let text = "`+all` lets anybody send in this name.".to_owned();
                self.note("spf-plus-all", Harm::Weakens, &policy.domain, Some(span), text);
            }
            None if via != Via::Include && policy.parsed.redirect().is_none() => {
                let text = "Neither `all` nor `redirect` ends the record, so all others get neutral.".to_owned();
                self.note("spf-no-all", Harm::Weakens, &policy.domain, None, text);
            }
            _ => {}
        }
    }

    fn sizes(&mut self, policy: &Policy) {
        if policy.octets > LONG_RECORD {
            let text = format!("The record has {} octets; above {LONG_RECORD} an answer may not fit.", policy.octets);
            self.note("spf-record-long", Harm::Untidy, &policy.domain, None, text);
        }
        if policy.answer_octets > LONG_ANSWER {
            let size = policy.answer_octets;
            let text =
                format!("The answer with all TXT records has {size} octets, more than {LONG_ANSWER} over plain UDP.");
            self.note("spf-answer-too-big", Harm::Untidy, &policy.domain, None, text);
        }
    }

    fn duplicate(&mut self, policy: &Policy, term: &TermCost, before: &[TermCost]) {
        let TermKind::Directive(directive) = &term.kind else { return };
        let same = before.iter().any(|other| match &other.kind {
            TermKind::Directive(other) => {
                other.mechanism.to_string().eq_ignore_ascii_case(&directive.mechanism.to_string())
            }
            _ => false,
        });
        if same && directive.mechanism != Mechanism::All {
            let text = format!("`{}` stands twice in the record; the second one only costs.", term.term);
            self.term("spf-duplicate-term", Harm::Untidy, policy, term, text);
        }
    }

    fn unreachable(&mut self, policy: &Policy, term: &TermCost) {
        let (id, text) = match &term.kind {
            TermKind::Modifier(_) => ("spf-redirect-with-all", format!("`{}` is ignored beside `all`.", term.term)),
            _ => ("spf-after-all", format!("`{}` stands behind `all` and is never looked at.", term.term)),
        };
        self.term(id, Harm::Untidy, policy, term, text);
    }

    fn judge_term(&mut self, policy: &Policy, term: &TermCost) {
        self.answers(policy, term);
        let include = match &term.kind {
            TermKind::Directive(directive) => match &directive.mechanism {
                Mechanism::Include(_) => true,
                Mechanism::Ptr(_) => {
                    let text = "`ptr` is slow, unsure and ignored by some receivers; it should not be used.".to_owned();
                    return self.term("spf-ptr", Harm::Weakens, policy, term, text);
                }
                _ => return,
            },
            TermKind::Modifier(Modifier::Redirect(_)) => false,
            _ => return,
        };
        if term.loops {
            let target = term.target.as_deref().unwrap_or_default();
            let own = target.eq_ignore_ascii_case(&policy.domain);
            let id = if !include && own { "spf-redirect-self" } else { "spf-include-loop" };
            let text = format!("`{}` leads back to {target}, so the record never ends.", term.term);
            return self.term(id, Harm::PermError, policy, term, text);
        }
        let Some(inner) = &term.policy else { return };
        if include {
            let target = inner.domain.to_ascii_lowercase();
            if self.included.contains(&target) {
                let text = format!("{target} is included more than once, and costs its look-ups each time.");
                self.term("spf-duplicate-include", Harm::Untidy, policy, term, text);
            }
            self.included.push(target);
        }
        if matches!(inner.problem, Some(Problem::NoRecord | Problem::NotADomain)) {
            let id = if include { "spf-include-missing" } else { "spf-redirect-missing" };
            let text = format!("`{}` leads to {}, which has no SPF record.", term.term, inner.domain);
            self.term(id, Harm::PermError, policy, term, text);
        }
        self.policy(inner, if include { Via::Include } else { Via::Redirect });
    }

    /// What the answers behind a term say.
    fn answers(&mut self, policy: &Policy, term: &TermCost) {
        for look_up in &term.look_ups {
            if let Some(could_not_ask) = look_up.answer.could_not_ask() {
                let text = format!("`{}` is not known: {}: {could_not_ask}.", term.term, look_up.question);
                self.term("spf-could-not-ask", Harm::CouldNotAsk, policy, term, text);
            }
            let servers = look_up.answer.exchanges().len();
            if servers > RFC_LIMITS.names {
                let text = format!("`{}` names {servers} mail servers, more than {}.", term.term, RFC_LIMITS.names);
                self.term("spf-mx-over-10", Harm::PermError, policy, term, text);
            }
        }
        if term.cost.voids_ip4 > 0 && term.cost.voids_ip6 > 0 && term.policy.is_none() {
            let text = format!("`{}` finds nothing.", term.term);
            self.term("spf-void-term", Harm::Untidy, policy, term, text);
        }
    }

    fn totals(&mut self, root: &Policy) {
        let cost = root.cost;
        if cost.lookups > RFC_LIMITS.lookups {
            let text = format!("The policy needs {} look-ups, {} are allowed.", cost.lookups, RFC_LIMITS.lookups);
            self.note("spf-too-many-lookups", Harm::PermError, &root.domain, None, text);
        }
        let most = RFC_LIMITS.voids;
        let whom = match (cost.voids_ip4 > most, cost.voids_ip6 > most) {
            (true, true) => "all clients",
            (true, false) => "IPv4 clients",
            (false, true) => "IPv6 clients",
            (false, false) => return,
        };
        let count = cost.voids_ip4.max(cost.voids_ip6);
        let text = format!("{count} look-ups find nothing for {whom}, {most} are allowed.");
        self.note("spf-void-lookups", Harm::PermError, &root.domain, None, text);
    }
}
