//! DKIM and ARC of a message through `mail-auth`, which lives in this file and nowhere else.
//!
//! The library never asks the DNS: it is handed a cache that answers every name, filled with what `net` was answered. What it
//! lets pass and the RFCs do not is caught here, by reading the keys ourselves: `h=` without the signature's hash, short keys,
//! `rsa-sha1`, a signature that leaves `From` out, several keys at one selector.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;
use mail_auth::common::cache::NoCache;
use mail_auth::common::crypto::Algorithm;
use mail_auth::common::parse::TxtRecordParser as _;
use mail_auth::common::verify::DomainKey;
use mail_auth::dkim::DkimError;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{
    AuthenticatedMessage, DkimResult, DnsError, Error, MX, MessageAuthenticator, Parameters, RecordSet, ResolverCache,
    Txt,
};
use redeliver_model::Timestamp;
use redeliver_net::dns::{Answer, Dns, Name, RecordType};
use redeliver_records::{DkimKey, Parsed};

use crate::asked::Asked;
use crate::dkim::is_key;

/// How many signatures of one message are verified; honest mail has one to five.
const MOST_SIGNATURES: usize = 10;
/// How many keys of one selector are tried; there should be one.
const MOST_KEYS: usize = 3;

/// A result of DKIM in the words of RFC 8601 2.7.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DkimWord {
    Pass,
    TempError,
    Fail,
    Policy,
    PermError,
    Neutral,
    None,
}

impl DkimWord {
    /// The word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::TempError => "temperror",
            Self::Fail => "fail",
            Self::Policy => "policy",
            Self::PermError => "permerror",
            Self::Neutral => "neutral",
            Self::None => "none",
        }
    }
}

/// One signature, verified.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    /// `d=`, in lower case; empty if the signature cannot be read.
    pub domain: String,
    /// `s=`.
    pub selector: String,
    /// `a=`.
    pub algorithm: &'static str,
    pub word: DkimWord,
    /// Why, if it is no pass.
    pub reason: String,
    /// Octets of the body that it covers, if not all (`l=`).
    pub covers: Option<u64>,
    /// How many keys stand at the selector.
    pub keys: usize,
    /// Whether the key says `t=y`.
    pub testing: bool,
    pub asked: Option<Asked>,
}

/// The state of an ARC chain (RFC 8617 5.2), or nobody knows.
#[derive(Debug, Clone)]
pub(crate) struct Arc8617 {
    /// `none`, `pass`, `fail`, or `temperror` for could-not-ask.
    pub word: &'static str,
    pub reason: String,
    /// How many sets.
    pub sets: usize,
    /// Who sealed last.
    pub sealer: Option<String>,
    pub asked: Vec<Asked>,
}

/// What the message says about who vouches for it.
#[derive(Debug)]
pub(crate) struct Vouched {
    pub signatures: Vec<Signature>,
    pub arc: Arc8617,
}

/// A selector and its domain.
type Place = (String, String);

/// The keys that the message refers to.
struct Keys(HashMap<Place, Asked>);

/// The cache that answers everything.
struct Filled(HashMap<Box<str>, Txt>);

impl ResolverCache<Box<str>, Txt> for Filled {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        // Never "not in the cache": then the library would ask somebody itself.
        Some(self.0.get(name).cloned().unwrap_or(Txt::Error(Error::Dns(DnsError::InvalidRecordType))))
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

/// Verifies every signature, and the ARC chain.
pub(crate) async fn verify(dns: &dyn Dns, bytes: &[u8], now: Timestamp) -> Vouched {
    let nothing = Arc8617 { word: "none", reason: String::new(), sets: 0, sealer: None, asked: Vec::new() };
    let Some(mut message) = AuthenticatedMessage::parse_with_opts(bytes, None, false) else {
        return Vouched { signatures: Vec::new(), arc: nothing };
    };
    let over = take_ends(&mut message, now);
    let places = message.dkim_headers.iter().take(MOST_SIGNATURES).map(|header| (&header.header.s, &header.header.d));
    let ams = message.ams_headers.iter().map(|header| (&header.header.s, &header.header.d));
    let seals = message.as_headers.iter().map(|header| (&header.header.s, &header.header.d));
    let mut wanted: Vec<Place> = places
        .chain(ams.chain(seals).take(2 * MOST_SIGNATURES))
        .map(|(selector, domain)| (selector.to_ascii_lowercase(), domain.to_ascii_lowercase()))
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let keys = ask(dns, wanted).await;
    let Some(library) = library() else {
        return Vouched { signatures: Vec::new(), arc: nothing };
    };
    let mut signatures = signatures(&library, &message, &keys).await;
    for (signature, over) in signatures.iter_mut().zip(over) {
        if over {
            // RFC 6376 6.1.1: PERMFAIL (signature expired).
            let reason =
                if signature.word == DkimWord::Pass { "it has expired, and was good" } else { "it has expired" };
            (signature.word, signature.reason) = (DkimWord::PermError, reason.to_owned());
        }
    }
    signatures.extend(unreadable(&message));
    let arc = if message.as_headers.is_empty() && message.ams_headers.is_empty() {
        nothing
    } else {
        chain(&library, &message, &keys).await
    };
    Vouched { signatures, arc }
}

/// Takes the ends (`x=`) out of what the library compares with the machine's clock, and says which are over by ours. The hash is
/// over the field as it was written, so nothing else changes.
fn take_ends(message: &mut AuthenticatedMessage<'_>, now: Timestamp) -> Vec<bool> {
    let now = u64::try_from(now.0).unwrap_or_default();
    let is_over = |end: u64, begun: u64| end != 0 && (end <= now || end <= begun);
    for header in &mut message.ams_headers {
        if !is_over(header.header.x, header.header.t) {
            header.header.x = 0;
        }
    }
    let ends = message.dkim_headers.iter_mut().map(|header| {
        let over = is_over(header.header.x, header.header.t);
        header.header.x = 0;
        over
    });
    ends.collect()
}

/// The library with a resolver that knows no server.
fn library() -> Option<MessageAuthenticator> {
    let nobody = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
    MessageAuthenticator::new(nobody, ResolverOpts::default()).ok()
}

async fn ask(dns: &dyn Dns, places: Vec<Place>) -> Keys {
    let asking = places.into_iter().map(|(selector, domain)| async move {
        let name = Name::parse(&domain).unwrap_or_else(|_| Name::root());
        let asked = Asked::below(dns, &name, &format!("{selector}._domainkey"), RecordType::Txt).await;
        ((selector, domain), asked)
    });
    Keys(join_all(asking).await.into_iter().collect())
}

impl Keys {
    fn at(&self, selector: &str, domain: &str) -> Option<&Asked> {
        self.0.get(&(selector.to_ascii_lowercase(), domain.to_ascii_lowercase()))
    }

    /// The texts at a place that are keys, with what we read in them.
    fn read(asked: &Asked) -> Vec<(Vec<u8>, Parsed<DkimKey>)> {
        let texts = asked.answer.texts().map(redeliver_net::dns::Text::joined).filter(|text| is_key(text));
        texts.take(MOST_KEYS).map(|text| (text.clone(), DkimKey::parse(&text))).collect()
    }

    /// The cache with the key number `number` of every place; the last one where there are fewer.
    fn filled(&self, number: usize) -> Filled {
        let entry = |((selector, domain), asked): (&Place, &Asked)| {
            let keys = Self::read(asked);
            let txt = match keys.get(number).or(keys.last()) {
                Some((text, _)) => DomainKey::parse(text).map_or_else(Txt::Error, |key| Txt::DomainKey(Arc::new(key))),
                None if asked.why_not().is_some() => Txt::Error(Error::Dns(DnsError::Resolver("no answer".to_owned()))),
                None => Txt::Error(Error::Dns(DnsError::InvalidRecordType)),
            };
            (format!("{selector}._domainkey.{domain}.").into_boxed_str(), txt)
        };
        Filled(self.0.iter().map(entry).collect())
    }
}

type Asking<'x> = Parameters<
    'x,
    &'x AuthenticatedMessage<'x>,
    Filled,
    NoCache<Box<str>, RecordSet<MX>>,
    NoCache<Box<str>, RecordSet<Ipv4Addr>>,
    NoCache<Box<str>, RecordSet<Ipv6Addr>>,
    NoCache<IpAddr, RecordSet<Box<str>>>,
>;

fn parameters<'x>(message: &'x AuthenticatedMessage<'x>, filled: &'x Filled) -> Asking<'x> {
    Parameters {
        params: message,
        cache_txt: Some(filled),
        cache_mx: None,
        cache_ptr: None,
        cache_ipv4: None,
        cache_ipv6: None,
    }
}

async fn signatures(library: &MessageAuthenticator, message: &AuthenticatedMessage<'_>, keys: &Keys) -> Vec<Signature> {
    let rounds = keys.0.values().map(|asked| Keys::read(asked).len()).max().unwrap_or(0).max(1);
    let mut best: Vec<Signature> = Vec::new();
    for number in 0..rounds {
        let filled = keys.filled(number);
        let outputs = library.verify_dkim(parameters(message, &filled)).await;
        let read = outputs.iter().filter_map(|output| Some((output.result(), output.signature()?)));
        for (place, (result, signature)) in read.take(MOST_SIGNATURES).enumerate() {
            let judged = judge(result, signature, keys, number);
            match best.get_mut(place) {
                Some(known) if judged.word < known.word => *known = judged,
                Some(_) => {}
                None => best.push(judged),
            }
        }
    }
    best
}

/// The library's result for one signature, and what the key and the signature say against it.
fn judge(result: &DkimResult, signature: &mail_auth::dkim::Signature, keys: &Keys, number: usize) -> Signature {
    let asked = keys.at(&signature.s, &signature.d);
    let read = asked.map(Keys::read).unwrap_or_default();
    let key = read.get(number).or(read.last()).map(|(_, key)| key);
    let (word, reason) = match objection(signature, asked, key) {
        Some(objection) => objection,
        None => word(result),
    };
    let algorithm = match signature.a {
        Algorithm::RsaSha1 => "rsa-sha1",
        Algorithm::RsaSha256 => "rsa-sha256",
        Algorithm::Ed25519Sha256 => "ed25519-sha256",
    };
    Signature {
        domain: signature.d.to_ascii_lowercase(),
        selector: signature.s.clone(),
        algorithm,
        word,
        reason,
        covers: Some(signature.l).filter(|length| *length > 0),
        keys: read.len(),
        testing: key.is_some_and(|key| key.record.testing),
        asked: asked.cloned(),
    }
}

/// What speaks against a signature before any cryptography.
fn objection(
    signature: &mail_auth::dkim::Signature,
    asked: Option<&Asked>,
    key: Option<&Parsed<DkimKey>>,
) -> Option<(DkimWord, String)> {
    let asked = asked?;
    if let Answer::CouldNotAsk(no) = &asked.answer {
        return Some((DkimWord::TempError, format!("the key is not known: {no}")));
    }
    let Some(key) = key else {
        return Some((DkimWord::PermError, "there is no key at the selector".to_owned()));
    };
    // RFC 6376 6.1.2 step 6 (hash), 6.1.1 (From), RFC 8301 3.1 (SHA-1) and 3.2 (length).
    if let Some(fault) = key.first_break() {
        let short = matches!(fault.id, "dkim-512" | "dkim-key-too-short");
        let word = if short { DkimWord::Policy } else { DkimWord::PermError };
        return Some((word, fault.text.clone()));
    }
    if signature.a == Algorithm::RsaSha1 {
        return Some((DkimWord::Policy, "rsa-sha1 is no longer accepted".to_owned()));
    }
    if !signature.h.iter().any(|name| name.eq_ignore_ascii_case("from")) {
        return Some((DkimWord::PermError, "the signature does not cover From".to_owned()));
    }
    None
}

fn word(result: &DkimResult) -> (DkimWord, String) {
    match result {
        DkimResult::Pass => (DkimWord::Pass, String::new()),
        // RFC 8601 2.7.1: a body that was changed is a failed verification, not a neutral one.
        DkimResult::Neutral(error @ Error::Dkim(DkimError::FailedBodyHashMatch)) | DkimResult::Fail(error) => {
            (DkimWord::Fail, error.to_string())
        }
        DkimResult::Neutral(error) => (DkimWord::Neutral, error.to_string()),
        DkimResult::PermError(error) => (DkimWord::PermError, error.to_string()),
        DkimResult::TempError(error) => (DkimWord::TempError, error.to_string()),
        DkimResult::None => (DkimWord::None, String::new()),
    }
}

/// Signatures that cannot be read as such.
fn unreadable(message: &AuthenticatedMessage<'_>) -> Vec<Signature> {
    let errors = message.errors.iter().filter(|header| header.name.eq_ignore_ascii_case(b"dkim-signature"));
    let one = |error: &Error| Signature {
        domain: String::new(),
        selector: String::new(),
        algorithm: "",
        word: DkimWord::Neutral,
        reason: error.to_string(),
        covers: None,
        keys: 0,
        testing: false,
        asked: None,
    };
    errors.take(MOST_SIGNATURES).map(|header| one(&header.header)).collect()
}

async fn chain(library: &MessageAuthenticator, message: &AuthenticatedMessage<'_>, keys: &Keys) -> Arc8617 {
    let filled = keys.filled(0);
    let output = library.verify_arc(parameters(message, &filled)).await;
    let seals = message.as_headers.iter().map(|header| (&header.header.s, &header.header.d));
    let asked: Vec<Asked> = seals.filter_map(|(selector, domain)| keys.at(selector, domain).cloned()).collect();
    let (word, reason) = match output.result() {
        DkimResult::Pass => ("pass", String::new()),
        DkimResult::None => ("none", String::new()),
        DkimResult::TempError(error) => ("temperror", error.to_string()),
        DkimResult::Neutral(error) | DkimResult::Fail(error) | DkimResult::PermError(error) => {
            ("fail", error.to_string())
        }
    };
    let word = if word == "fail" && asked.iter().any(|asked| asked.why_not().is_some()) { "temperror" } else { word };
    let sealer = message.as_headers.last().map(|header| header.header.d.clone());
    Arc8617 { word, reason, sets: message.as_headers.len(), sealer, asked }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// The library's own resolver goes past our guard: it must not be used anywhere else.
    #[test]
    fn the_library_is_used_in_this_file_only() {
        fn look(folder: &Path) {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    look(&path);
                } else if !path.ends_with("message/signatures.rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    assert!(!text.contains("mail_auth"), "{}", path.display());
                }
            }
        }
        look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    }
}
