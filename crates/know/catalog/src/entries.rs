//! The checked form of the catalog: what the engine, the remedies and the reports look up.
//!
//! Texts are borrowed from the packed catalog in the binary (or, for an overlay, kept for the life of the process), so
//! reading the catalog at start-up copies no text.

use redeliver_model::{
    About, Act, AddressIsBad, Cause, Fault, PartialDate, Retry, Scope, Stage, StatusPattern, Subject, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::sentence::Sentence;

/// A text of the catalog.
pub type Text = &'static str;

/// Everything that is known.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Catalog {
    /// One entry a cause.
    pub causes: Vec<CauseEntry>,
    /// What a person does.
    pub remedies: Vec<Remedy>,
    /// Lists of IPs and domains.
    pub lists: Vec<Blocklist>,
    /// Receiving operators.
    pub sites: Vec<Site>,
    /// Mail software and filters.
    pub software: Vec<Software>,
    /// How refusals are worded.
    pub rules: Vec<Rule>,
    /// Free wordings of a cause, from which the classifier learns its words.
    pub wordings: Vec<(Cause, Vec<Text>)>,
    /// Words that say nothing about the cause.
    pub trailers: Vec<Trailer>,
    /// What is told about reports that are no plain refusal.
    pub reports: Vec<ReportEntry>,
    /// Letters to whoever must be asked, one a channel.
    pub letters: Vec<Letter>,
    /// Codes that mean different things at different sites.
    pub colliding: Vec<CollidingCode>,
    /// What is said for an unknown parameter, in the order of `Parameter::ALL`.
    pub words: Vec<Text>,
    /// The same for letters, where the writer fills in what is not known.
    pub letter_words: Vec<Text>,
}

/// One cause: what it means and what usually follows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
#[allow(missing_docs, reason = "the fields are explained in catalog/README.md")]
pub struct CauseEntry {
    pub cause: Cause,
    pub subject: Subject,
    pub scope: Scope,
    pub fault: Fault,
    pub act: Act,
    pub retry: Retry,
    pub address_is_bad: AddressIsBad,
    pub about: About,
    pub reply: Sentence,
    pub settled_by: Vec<Text>,
    pub confirms: Text,
    pub refutes: Text,
    pub remedies: Vec<u16>,
    pub source: Text,
    pub myths: Vec<Myth>,
    pub title: Sentence,
    pub summary: Sentence,
    pub actor: Sentence,
    pub author: Sentence,
    pub hosted: Sentence,
    pub administrator: Sentence,
}

/// What is told about a report that is no plain refusal: `delivered`, `not-ours` ..., or a refusal behind a forwarder.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
#[allow(missing_docs, reason = "the fields are explained in catalog/README.md")]
pub struct ReportEntry {
    /// A word of `ReportKind`, or `forwarded`.
    pub id: Text,
    pub fault: Fault,
    pub act: Act,
    pub remedies: Vec<u16>,
    pub source: Text,
    pub title: Sentence,
    pub summary: Sentence,
    pub actor: Sentence,
    pub author: Sentence,
    pub hosted: Sentence,
    pub administrator: Sentence,
}

/// What articles get wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Myth {
    /// The claim.
    pub says: Text,
    /// What is true.
    pub truth: Text,
}

/// Steps a person takes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
#[allow(missing_docs, reason = "the fields are explained in catalog/README.md")]
pub struct Remedy {
    pub id: Text,
    pub who: Who,
    pub proves: Option<Text>,
    pub channel: Channel,
    pub subjects: Vec<Subject>,
    pub list: Option<ListLife>,
    pub source: Text,
    pub title: Sentence,
    pub steps: Vec<Sentence>,
}

/// Whether the list that is named still lived, where a remedy depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListLife {
    /// It had ended.
    Dead,
    /// It had not, or is not known.
    Alive,
}

/// Who takes the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the words are explained in catalog/README.md")]
pub enum Who {
    Author,
    Hosted,
    Administrator,
    Recipient,
    Receiver,
}

impl Who {
    /// As a person says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Author => "you",
            Self::Hosted => "you, at your provider",
            Self::Administrator => "who runs the sending server",
            Self::Recipient => "the recipient",
            Self::Receiver => "who runs the receiving server",
        }
    }
}

/// How one reaches whoever must be asked. The refusing host itself takes no mail from the refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the words are explained in catalog/README.md")]
pub enum Channel {
    Nobody,
    HostingProvider,
    ListForm,
    SiteForm,
    RecipientByOtherWay,
    OwnProvider,
    ReceiverByOtherWay,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Nobody,
        Self::HostingProvider,
        Self::ListForm,
        Self::SiteForm,
        Self::RecipientByOtherWay,
        Self::OwnProvider,
        Self::ReceiverByOtherWay,
    ];

    /// The word of the catalog.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::HostingProvider => "hosting-provider",
            Self::ListForm => "list-form",
            Self::SiteForm => "site-form",
            Self::RecipientByOtherWay => "recipient-by-other-way",
            Self::OwnProvider => "own-provider",
            Self::ReceiverByOtherWay => "receiver-by-other-way",
        }
    }
}

/// A letter to whoever must be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Letter {
    /// Whom it goes to.
    pub channel: Channel,
    /// How one asks there, in one sentence.
    pub way: Sentence,
    /// Whom to send it to.
    pub to: Sentence,
    /// The subject line.
    pub subject: Sentence,
    /// The text, a paragraph each.
    pub body: Vec<Sentence>,
}

/// One list of IPs or domains.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
#[allow(missing_docs, reason = "the fields are explained in catalog/README.md")]
pub struct Blocklist {
    pub zone: Text,
    pub name: Text,
    pub lists: Lists,
    pub status: ListStatus,
    pub dead_since: Option<PartialDate>,
    pub weight: Weight,
    pub test_listed: Option<Text>,
    pub test_clean: Option<Text>,
    pub note: Text,
    pub removal: Option<Text>,
    pub who_may_ask: Text,
    pub expires: Option<Text>,
    pub source: Text,
    pub phrases: Vec<Text>,
    pub cause: Cause,
    pub answers: Vec<(Text, Text)>,
    pub non_answers: Vec<(Text, Text)>,
}

impl Blocklist {
    /// Whether the list had ended when a refusal named it. A dead list without a known end counts as long dead.
    pub fn is_dead_at(&self, when: Timestamp) -> bool {
        self.status == ListStatus::Dead && self.dead_since.is_none_or(|date| date.start() <= when)
    }
}

/// What a list can be asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the words are explained in catalog/README.md")]
pub enum Lists {
    Ip,
    Domain,
    Both,
}

/// Whether a list still lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the words are explained in catalog/README.md")]
pub enum ListStatus {
    Alive,
    Dead,
    Paid,
    Unknown,
}

/// How much receivers rely on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the words are explained in catalog/README.md")]
pub enum Weight {
    High,
    #[default]
    Medium,
    Low,
}

/// One receiving operator.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
#[allow(missing_docs, reason = "the fields are explained in catalog/README.md")]
pub struct Site {
    pub id: Text,
    pub name: Text,
    pub mx: Vec<Text>,
    pub marks: Vec<Text>,
    pub forms: Vec<Form>,
    pub facts: Vec<SiteFact>,
}

/// Where one asks a site.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
#[allow(missing_docs, reason = "the fields are explained in catalog/README.md")]
pub struct Form {
    pub name: Text,
    pub url: Text,
    pub causes: Vec<Cause>,
    pub who: Text,
    pub give: Text,
    pub takes: Option<Text>,
    pub source: Text,
}

/// A limit, requirement or habit of a site.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
#[allow(missing_docs, reason = "the fields are explained in catalog/README.md")]
pub struct SiteFact {
    pub about: Text,
    pub text: Text,
    pub source: Text,
    pub since: Option<Text>,
}

/// One kind of mail software.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
#[allow(missing_docs, reason = "the fields are explained in catalog/README.md")]
pub struct Software {
    pub id: Text,
    pub name: Text,
    pub marks: Vec<Text>,
    pub settings: Vec<Setting>,
}

/// What fixes a cause in one kind of software.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
#[allow(missing_docs, reason = "the fields are explained in catalog/README.md")]
pub struct Setting {
    pub cause: Cause,
    pub side: SettingSide,
    pub text: Text,
    pub command: Option<Text>,
    pub source: Text,
}

/// On which side the software runs that a setting is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the words are explained in catalog/README.md")]
pub enum SettingSide {
    Sender,
    Receiver,
}

/// Kinds of evidence, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tier {
    /// A basic code alone.
    Code,
    /// An enhanced code alone.
    Status,
    /// Wording.
    Words,
    /// Wording of a known site.
    Site,
    /// A named list.
    List,
    /// A tag or code that the server prints.
    Tag,
}

/// Where a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// `codes/`.
    Codes,
    /// `phrases/`.
    Phrases,
    /// `software/`, by index.
    Software(u16),
    /// `sites/`, by index.
    Site(u16),
    /// `blocklists/`, by index: a rule of its file.
    List(u16),
    /// `blocklists/`, by index: the list is named.
    Named(u16),
}

/// One way to say no, and what it means.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
#[allow(missing_docs, reason = "the fields are explained in catalog/README.md")]
pub struct Rule {
    pub id: Text,
    pub origin: Origin,
    pub tier: Tier,
    pub cause: Cause,
    pub subject: Subject,
    pub scope: Scope,
    pub confidence: f32,
    pub any: Vec<Text>,
    pub all: Vec<Text>,
    pub not: Vec<Text>,
    pub code: Vec<Text>,
    pub status: Vec<StatusPattern>,
    pub stage: Vec<Stage>,
    pub only_here: bool,
    pub also: Vec<Also>,
    pub settled_by: Vec<Text>,
    pub retry: Option<Retry>,
    pub address_is_bad: Option<AddressIsBad>,
    pub act: Option<Act>,
    pub actor: Option<Sentence>,
    pub fault: Option<Fault>,
    pub remedies: Vec<u16>,
    pub meaning: Sentence,
    pub source: Text,
    pub since: Option<Text>,
    pub examples: Vec<Text>,
    pub not_examples: Vec<Text>,
}

/// Another documented meaning of the same text.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are explained in catalog/README.md")]
pub struct Also {
    pub cause: Cause,
    pub confidence: f32,
}

/// Words that say nothing about the cause.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
#[allow(missing_docs, reason = "the fields are explained in catalog/README.md")]
pub struct Trailer {
    pub any: Vec<Text>,
    pub source: Text,
}

/// A code with several documented meanings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct CollidingCode {
    /// The code.
    pub status: StatusPattern,
    /// Who means what by it.
    pub meanings: Vec<CodeMeaning>,
}

/// What one site means by a code.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
#[allow(missing_docs, reason = "the fields are explained in catalog/README.md")]
pub struct CodeMeaning {
    pub site: Text,
    pub cause: Cause,
    pub source: Text,
}
