//! What a person, or a script, is told about one refusal.

use std::borrow::Cow;

use crate::{About, Act, AddressIsBad, Cause, Fault, Refusal, ReportKind, Retry, Scope, Subject, Timestamp};

/// A cause with what speaks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Hypothesis<'a> {
    /// The cause.
    pub cause: Cause,
    /// What the refusal is about.
    pub subject: Subject,
    /// 0 to 1: how often a careful reader would agree.
    pub confidence: f32,
    /// The rule behind it; `words` where only all words together speak for it, none where nothing is known.
    pub rule: Option<Cow<'a, str>>,
    /// Why, in one sentence.
    pub why: Cow<'a, str>,
}

/// Whose fault it is, who can act, and whether to.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict<'a> {
    /// Whose fault.
    pub fault: Fault,
    /// Who can act.
    pub actor: Cow<'a, str>,
    /// Whether to.
    pub act: Act,
    /// The one sentence.
    pub summary: Cow<'a, str>,
}

/// Ordered steps for one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Remedy<'a> {
    /// Its id in the catalog.
    pub id: &'a str,
    /// What it does.
    pub title: Cow<'a, str>,
    /// Who takes the steps.
    pub who: &'a str,
    /// Whom one asks, in words; none if nobody needs to be asked.
    pub channel: Option<Cow<'a, str>>,
    /// The check that shows that it worked.
    pub proves: Option<&'a str>,
    /// One action each.
    pub steps: Vec<Cow<'a, str>>,
}

/// A setting of a mail server that bears on the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSetting<'a> {
    /// The software's name.
    pub software: &'a str,
    /// For the refusing server, or for our own.
    pub on_refusing_side: bool,
    /// What to change.
    pub text: &'a str,
    /// The exact line.
    pub command: Option<&'a str>,
}

/// What the same thing means to three readers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForWhom<'a> {
    /// To who wrote the message.
    pub author: Cow<'a, str>,
    /// To a user of a hosted service.
    pub hosted: Cow<'a, str>,
    /// To who runs the sending server.
    pub administrator: Cow<'a, str>,
}

/// Where the input came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin<'a> {
    /// File name, `-` for standard input, or `--reply`.
    pub source: Cow<'a, str>,
    /// The member of an archive or mailbox.
    pub member: Option<Cow<'a, str>>,
    /// The line, counted from 1.
    pub line: Option<u64>,
}

/// Everything that is told about one refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation<'a> {
    /// Where it was found.
    pub origin: Origin<'a>,
    /// What kind of report it was found in.
    pub kind: ReportKind,
    /// What was read.
    pub refusal: Refusal<'a>,
    /// The refusing operator: its id and name.
    pub site: Option<(&'a str, &'a str)>,
    /// The refusing software's name.
    pub software: Option<&'a str>,
    /// The list that is named: zone and name.
    pub list: Option<(&'a str, &'a str)>,
    /// Whom it is about.
    pub about: About,
    /// The title of the likeliest cause.
    pub title: Cow<'a, str>,
    /// The causes, best first; never empty.
    pub causes: Vec<Hypothesis<'a>>,
    /// How far the no reaches.
    pub scope: Scope,
    /// When to send again.
    pub retry: Retry,
    /// Whether the address is dead.
    pub address_is_bad: AddressIsBad,
    /// The verdict.
    pub verdict: Verdict<'a>,
    /// What it means to each kind of reader.
    pub for_whom: ForWhom<'a>,
    /// The checks that confirm, refute or decide.
    pub settled_by: Vec<&'a str>,
    /// What confirms the likeliest cause, and what refutes it.
    pub confirms: (&'a str, &'a str),
    /// What to do.
    pub remedies: Vec<Remedy<'a>>,
    /// Settings of the software that was recognised.
    pub settings: Vec<ServerSetting<'a>>,
    /// What articles get wrong about it, and what is true.
    pub myths: Vec<(&'a str, &'a str)>,
}

/// What is known of one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressVerdict {
    /// The address, in lower case behind the `@`.
    pub address: String,
    /// Whether it is dead.
    pub dead: AddressIsBad,
    /// Why, in one sentence.
    pub why: String,
    /// The cause of the worst refusal.
    pub cause: Cause,
    /// How many refusals there were.
    pub refusals: u64,
    /// The first and the last of them, as far as they are dated.
    pub seen: Option<(Timestamp, Timestamp)>,
}

/// How many refused addresses are dead, unproven and fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AddressTally {
    /// They take no mail.
    pub dead: u64,
    /// One refusal does not prove it.
    pub unproven: u64,
    /// The refusal said nothing against them.
    pub fine: u64,
}

/// What could not be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread<'a> {
    /// Where it was.
    pub origin: Origin<'a>,
    /// A stable word for the fault: `empty`, `binary`, `too-long`, `too-complex`, `not-a-refusal`, `not-found`, `io`.
    pub code: &'a str,
    /// What is wrong and what to do.
    pub text: Cow<'a, str>,
}
