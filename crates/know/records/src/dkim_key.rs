//! DKIM key records (RFC 6376 3.6.1, RFC 8301, RFC 8463): what the key is, and what verifiers make of it. Never fails; checks
//! no signature.

use crate::fault::{Faults, Parsed, Span};
use crate::tags::{self, Tag, TagIds, take};
use crate::txt::bounded;
use crate::{base64, rsa_key};

/// RFC 8301 3.2: verifiers must not accept fewer bits.
const FEWEST_RSA_BITS: usize = 1024;
/// RFC 8301 3.2: signers should use at least this many.
const GOOD_RSA_BITS: usize = 2048;
/// RFC 8032 5.1.5: an Ed25519 public key has 32 octets.
const ED25519_OCTETS: usize = 32;

const IDS: TagIds =
    TagIds { not_a_tag: "dkim-not-a-tag", duplicate: "dkim-duplicate-tag", not_ascii: "dkim-not-ascii" };

/// The kind of key, `k=`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum KeyType {
    /// `rsa`, the default.
    #[default]
    Rsa,
    /// `ed25519` (RFC 8463).
    Ed25519,
    /// Any other; verifiers ignore the key.
    Other(String),
}

/// The public key, `p=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyMaterial {
    /// Empty: the key was withdrawn.
    Revoked,
    /// An RSA key with so many bits.
    Rsa {
        /// Bits of the modulus.
        bits: usize,
    },
    /// An Ed25519 key.
    Ed25519([u8; 32]),
    /// Not readable as a key of its kind.
    Unreadable,
}

/// A DKIM key record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimKey {
    /// Whether `v=DKIM1` stands there; it may be left out.
    pub version: bool,
    /// `h=`: the hash algorithms allowed; empty for all.
    pub hashes: Vec<String>,
    /// `k=`
    pub key_type: KeyType,
    /// What `p=` holds.
    pub key: KeyMaterial,
    /// `p=` as written, without white space.
    pub encoded: String,
    /// `n=`: notes for people.
    pub notes: Option<String>,
    /// `s=`: services; empty for all.
    pub services: Vec<String>,
    /// `t=` has `y`: the domain is testing.
    pub testing: bool,
    /// `t=` has `s`: the address must be in the same domain as `d=`, not below it.
    pub strict_domain: bool,
    /// Tags that are not known; ignored by verifiers.
    pub others: Vec<Tag>,
}

impl DkimKey {
    /// Reads a key record, its strings already joined.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Parsed<Self> {
        let bytes = bounded(bytes.as_ref());
        let mut faults = Faults::default();
        let mut tags = tags::read(bytes, &IDS, &mut faults);
        let version = tags.iter().any(|tag| tag.name == "v");
        if version {
            // RFC 6376 3.6.1: if given, v= must be first and exactly DKIM1, else the record is discarded.
            tags::check_version(&mut tags, "DKIM1", "dkim-bad-version", &mut faults);
        }
        let key_type = key_type(take(&mut tags, "k"), &mut faults);
        let hashes = hashes(take(&mut tags, "h"), &key_type, &mut faults);
        let encoded = take(&mut tags, "p");
        let key = material(encoded.as_ref(), &key_type, bytes, &mut faults);
        let services = services(take(&mut tags, "s"), &mut faults);
        let (testing, strict_domain) = flags(take(&mut tags, "t"), &mut faults);
        if let Some(tag) = take(&mut tags, "g") {
            let sentence = "The tag `g` was dropped with RFC 6376 and is ignored.";
            faults.untidy("dkim-historic-tag", tag.span, sentence);
        }
        let notes = take(&mut tags, "n").map(|tag| tag.value);
        for tag in &tags {
            faults.untidy("dkim-unknown-tag", tag.span, format!("The tag `{}` is unknown and ignored.", tag.name));
        }
        let encoded = encoded.map(|tag| tag.value.split_ascii_whitespace().collect()).unwrap_or_default();
        faults.finish(Self {
            version,
            hashes,
            key_type,
            key,
            encoded,
            notes,
            services,
            testing,
            strict_domain,
            others: tags,
        })
    }
}

fn key_type(tag: Option<Tag>, faults: &mut Faults) -> KeyType {
    let Some(tag) = tag else { return KeyType::Rsa };
    match tag.value.as_str() {
        "rsa" => KeyType::Rsa,
        "ed25519" => KeyType::Ed25519,
        _ => {
            let sentence = format!("The key type `{}` is unknown, so verifiers ignore the key.", tag.value);
            faults.breaks("dkim-unknown-key-type", tag.value_span, sentence);
            KeyType::Other(tag.value)
        }
    }
}

fn list(value: &str) -> Vec<String> {
    value.split(':').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

fn hashes(tag: Option<Tag>, key_type: &KeyType, faults: &mut Faults) -> Vec<String> {
    let Some(tag) = tag else { return Vec::new() };
    let hashes = list(&tag.value);
    if !hashes.iter().any(|hash| hash == "sha256") {
        let sha1 = hashes.iter().any(|hash| hash == "sha1") && *key_type == KeyType::Rsa;
        // RFC 8301 3.1: rsa-sha1 must not be used, so only sha256 is left.
        let id = if sha1 { "dkim-h-sha1-only" } else { "dkim-no-usable-hash" };
        let sentence = format!("`h={}` does not allow sha256, the only hash that is still accepted.", tag.value);
        faults.breaks(id, tag.span, sentence);
    }
    hashes
}

fn services(tag: Option<Tag>, faults: &mut Faults) -> Vec<String> {
    let Some(tag) = tag else { return Vec::new() };
    let services = list(&tag.value);
    if !services.iter().any(|service| service == "email" || service == "*") {
        let sentence = format!("`s={}` does not allow the key for mail, so verifiers ignore it.", tag.value);
        faults.breaks("dkim-not-for-email", tag.span, sentence);
    }
    services
}

fn flags(tag: Option<Tag>, faults: &mut Faults) -> (bool, bool) {
    let Some(tag) = tag else { return (false, false) };
    let flags = list(&tag.value);
    let has = |flag: &str| flags.iter().any(|given| given == flag);
    if has("y") {
        let sentence = "`t=y` says that the domain is only testing; some receivers then treat the mail as unsigned.";
        faults.loses("dkim-testing", tag.span, sentence);
    }
    if let Some(other) = flags.iter().find(|flag| !matches!(flag.as_str(), "y" | "s")) {
        faults.untidy("dkim-unknown-flag", tag.span, format!("The flag `{other}` is unknown and ignored."));
    }
    (has("y"), has("s"))
}

fn material(tag: Option<&Tag>, key_type: &KeyType, record: &[u8], faults: &mut Faults) -> KeyMaterial {
    let Some(tag) = tag else {
        let sentence = "The record has no `p=`, so there is no key.";
        faults.breaks("dkim-key-missing", Span::new(0, record.len()), sentence);
        return KeyMaterial::Unreadable;
    };
    if tag.value.is_empty() {
        // RFC 6376 3.6.1: an empty p= means that the key has been revoked.
        faults.breaks("dkim-revoked", tag.span, "`p=` is empty: the key was withdrawn, signatures with it fail.");
        return KeyMaterial::Revoked;
    }
    let bytes = match base64::decode(&record[tag.value_span.start..tag.value_span.end]) {
        Ok(bytes) => bytes,
        Err(at) => {
            let at = (tag.value_span.start + at).min(tag.value_span.end);
            let span = Span::new(at, (at + 1).min(tag.value_span.end));
            faults.breaks("dkim-bad-base64", span, "`p=` is no base64, so the key cannot be read.");
            return KeyMaterial::Unreadable;
        }
    };
    match key_type {
        KeyType::Rsa => rsa(&bytes, tag.value_span, faults),
        KeyType::Ed25519 => ed25519(&bytes, tag.value_span, faults),
        KeyType::Other(_) => KeyMaterial::Unreadable,
    }
}

fn rsa(bytes: &[u8], span: Span, faults: &mut Faults) -> KeyMaterial {
    let Some(key) = rsa_key::read(bytes) else {
        faults.breaks("dkim-bad-key", span, "`p=` is base64, but no RSA key; often its end is cut off.");
        return KeyMaterial::Unreadable;
    };
    let bits = key.bits;
    if bits < FEWEST_RSA_BITS {
        let id = if bits <= 512 { "dkim-512" } else { "dkim-key-too-short" };
        let sentence = format!("The RSA key has {bits} bits; verifiers must not accept fewer than {FEWEST_RSA_BITS}.");
        faults.breaks(id, span, sentence);
    } else if bits < GOOD_RSA_BITS {
        let sentence = format!("The RSA key has {bits} bits; {GOOD_RSA_BITS} are advised.");
        faults.untidy("dkim-1024", span, sentence);
    }
    if key.bare {
        let sentence = "The key stands without its wrapping (SubjectPublicKeyInfo); some verifiers cannot read it.";
        faults.untidy("dkim-bare-key", span, sentence);
    }
    KeyMaterial::Rsa { bits }
}

fn ed25519(bytes: &[u8], span: Span, faults: &mut Faults) -> KeyMaterial {
    if let Ok(key) = <[u8; ED25519_OCTETS]>::try_from(bytes) {
        return KeyMaterial::Ed25519(key);
    }
    // RFC 8463 4.2: the key itself, not wrapped as RSA keys are.
    let sentence = format!("An Ed25519 key has {ED25519_OCTETS} octets, this one {}.", bytes.len());
    faults.breaks("dkim-bad-key", span, sentence);
    KeyMaterial::Unreadable
}

impl std::fmt::Display for DkimKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.version {
            f.write_str("v=DKIM1; ")?;
        }
        match &self.key_type {
            KeyType::Rsa => f.write_str("k=rsa; ")?,
            KeyType::Ed25519 => f.write_str("k=ed25519; ")?,
            KeyType::Other(name) => write!(f, "k={name}; ")?,
        }
        if !self.hashes.is_empty() {
            write!(f, "h={}; ", self.hashes.join(":"))?;
        }
        if !self.services.is_empty() {
            write!(f, "s={}; ", self.services.join(":"))?;
        }
        match (self.testing, self.strict_domain) {
            (true, true) => f.write_str("t=y:s; ")?,
            (true, false) => f.write_str("t=y; ")?,
            (false, true) => f.write_str("t=s; ")?,
            (false, false) => {}
        }
        if let Some(notes) = &self.notes {
            write!(f, "n={notes}; ")?;
        }
        self.others.iter().try_for_each(|tag| write!(f, "{tag}; "))?;
        write!(f, "p={}", self.encoded)
    }
}
