//! Reading SPF records: every term, every fault, with places. Never fails; what is no term becomes `Unreadable`.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Directive, DomainSpec, DualPrefix, Mechanism, Modifier, Qualifier, SpfRecord, Term, TermKind, macros};
use crate::fault::{Faults, Parsed, Span};
use crate::txt::{bounded, text};

const VERSION: &[u8] = b"v=spf1";

impl SpfRecord {
    /// Whether a TXT record is meant as SPF: `v=spf1` in any case, then a blank or the end (RFC 7208 4.5).
    pub fn is_spf(bytes: impl AsRef<[u8]>) -> bool {
        let bytes = bytes.as_ref();
        bytes.get(..VERSION.len()).is_some_and(|start| start.eq_ignore_ascii_case(VERSION))
            && matches!(bytes.get(VERSION.len()), None | Some(b' '))
    }

    /// Reads a record, its strings already joined.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Parsed<Self> {
        let all = bytes.as_ref();
        let bytes = bounded(all);
        let mut faults = Faults::default();
        if bytes.len() < all.len() {
            let end = Span::new(bytes.len(), all.len());
            faults.breaks("spf-syntax", end, "The record is longer than a TXT record can be.");
        }
        if !Self::is_spf(bytes) {
            let span = Span::new(0, bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len()));
            faults.breaks(
                "spf-bad-version",
                span,
                "A record must begin with `v=spf1` and a blank; this one is not read as SPF.",
            );
        }
        let mut reader = Reader { bytes, faults, redirect: None, exp: None };
        let terms = words(bytes).skip(1).map(|span| Term { span, kind: reader.term(span) }).collect();
        reader.faults.finish(Self { terms })
    }
}

/// The words between blanks; RFC 7208 4.6.1: one or more SP, and nothing else, separates terms.
pub(super) fn words(bytes: &[u8]) -> impl Iterator<Item = Span> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += bytes[at..].iter().take_while(|byte| **byte == b' ').count();
        let start = at;
        at += bytes[at..].iter().take_while(|byte| **byte != b' ').count();
        (start < at).then_some(Span::new(start, at))
    })
}

/// The mechanism of that name; names count in any case (RFC 7208 4.6.1, RFC 5234 2.3).
fn known_mechanism(name: &[u8]) -> Option<&'static str> {
    const NAMES: [&str; 8] = ["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"];
    NAMES.into_iter().find(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

struct Reader<'a> {
    bytes: &'a [u8],
    faults: Faults,
    redirect: Option<Span>,
    exp: Option<Span>,
}

impl Reader<'_> {
    fn slice(&self, span: Span) -> &[u8] {
        &self.bytes[span.start..span.end]
    }

    fn word(&self, span: Span) -> String {
        text(self.slice(span)).into_owned()
    }

    fn term(&mut self, span: Span) -> TermKind {
        // RFC 7208 4.6.1: a modifier has its `=` right behind the name, before any `:` or `/`.
        let sign = self.slice(span).iter().position(|byte| matches!(byte, b':' | b'/' | b'='));
        let kind = match sign.map(|at| (at, self.bytes[span.start + at])) {
            Some((at, b'=')) => self.modifier(span, span.start + at).map(TermKind::Modifier),
            _ => self.directive(span).map(TermKind::Directive),
        };
        kind.unwrap_or_else(|| TermKind::Unreadable(self.word(span)))
    }

    fn modifier(&mut self, span: Span, equals: usize) -> Option<Modifier> {
        let name_span = Span::new(span.start, equals);
        let name = self.word(name_span);
        let value = Span::new(equals + 1, span.end);
        let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic()) || !name.bytes().all(good) {
            let sentence = format!("`{}` is no term: `{name}` is no name of a modifier.", self.word(span));
            self.faults.breaks("spf-syntax", span, sentence);
            return None;
        }
        match name.to_ascii_lowercase().as_str() {
            "redirect" => {
                let twice = self.redirect.replace(span).is_some();
                self.twice(twice, span, "redirect");
                self.domain(value, span, "redirect=").map(Modifier::Redirect)
            }
            "exp" => {
                let twice = self.exp.replace(span).is_some();
                self.twice(twice, span, "exp");
                self.domain(value, span, "exp=").map(Modifier::Exp)
            }
            lower => {
                let value = self.macro_string(value, span)?;
                let sentence = if matches!(lower, "a" | "mx" | "ptr" | "ip4" | "ip6" | "include" | "exists" | "all") {
                    format!("`{name}=` is no mechanism and is ignored; it is written `{lower}:`.")
                } else {
                    format!("The modifier `{name}=` is unknown and ignored.")
                };
                self.faults.loses("spf-unknown-modifier", span, sentence);
                Some(Modifier::Unknown { name, value })
            }
        }
    }

    /// RFC 7208 6: `redirect` and `exp` at most once each.
    fn twice(&mut self, twice: bool, span: Span, name: &str) {
        if twice {
            let sentence = format!("`{name}=` stands twice; at most one is allowed.");
            self.faults.breaks("spf-duplicate-modifier", span, sentence);
        }
    }

    fn directive(&mut self, span: Span) -> Option<Directive> {
        let (qualifier, start) = match self.bytes[span.start] {
            b'+' => (Qualifier::Pass, span.start + 1),
            b'-' => (Qualifier::Fail, span.start + 1),
            b'~' => (Qualifier::SoftFail, span.start + 1),
            b'?' => (Qualifier::Neutral, span.start + 1),
            _ => (Qualifier::Pass, span.start),
        };
        let rest = Span::new(start, span.end);
        let name_end = self.slice(rest).iter().position(|byte| matches!(byte, b':' | b'/'));
        let name_end = name_end.map_or(span.end, |at| start + at);
        let name_span = Span::new(start, name_end);
        let Some(name) = known_mechanism(self.slice(name_span)) else {
            let name = self.word(name_span).to_ascii_lowercase();
            return self.unknown(span, &name);
        };
        let tail = Span::new(name_end, span.end);
        let has_value = self.bytes.get(name_end) == Some(&b':') && name_end < span.end;
        let mechanism = match name {
            "all" if tail.start == tail.end => Some(Mechanism::All),
            "all" => self.syntax(tail, "`all` takes nothing behind it."),
            "include" if has_value => self.required_domain(tail, span, "include").map(Mechanism::Include),
            "exists" if has_value => self.required_domain(tail, span, "exists").map(Mechanism::Exists),
            "include" | "exists" => {
                self.faults.breaks("spf-missing-domain", span, format!("`{name}` needs `:` and a domain."));
                None
            }
            "a" => self.address(tail, span, "a").map(|(domain, prefix)| Mechanism::A { domain, prefix }),
            "mx" => self.address(tail, span, "mx").map(|(domain, prefix)| Mechanism::Mx { domain, prefix }),
            "ptr" if has_value => self.required_domain(tail, span, "ptr").map(|domain| Mechanism::Ptr(Some(domain))),
            "ptr" if tail.start == tail.end => Some(Mechanism::Ptr(None)),
            "ptr" => self.syntax(tail, "`ptr` takes no prefix length."),
            "ip4" => self.ip4(tail, span, has_value),
            _ => self.ip6(tail, span, has_value),
        };
        mechanism.map(|mechanism| Directive { qualifier, mechanism })
    }

    fn syntax<T>(&mut self, span: Span, sentence: &str) -> Option<T> {
        self.faults.breaks("spf-syntax", span, sentence);
        None
    }

    fn unknown(&mut self, span: Span, name: &str) -> Option<Directive> {
        let term = self.word(span);
        if !term.is_ascii() || term.bytes().any(|byte| byte.is_ascii_control()) {
            let sentence = format!("`{term}` has a byte that is not printable ASCII; only blanks separate terms.");
            self.faults.breaks("spf-not-ascii", span, sentence);
            return None;
        }
        let hint = match name {
            "ipv4" | "ip" => " It is written `ip4:`.",
            "ipv6" => " It is written `ip6:`.",
            "redirect" => " It is written `redirect=`.",
            "exp" => " It is written `exp=`.",
            _ if name.ends_with(',') || name.ends_with(';') => " Blanks alone separate terms.",
            _ if name.parse::<Ipv4Addr>().is_ok() => " An address is written `ip4:` and the address.",
            _ if name.contains('.') => " A domain needs `include:`, `a:` or `mx:` before it.",
            _ if name.starts_with("v=spf1") => " `v=spf1` stands once, at the start.",
            _ => "",
        };
        self.syntax(span, &format!("`{term}` is no mechanism of SPF.{hint}"))
    }

    /// `:domain`, and nothing else.
    fn required_domain(&mut self, tail: Span, term: Span, name: &str) -> Option<DomainSpec> {
        self.domain(Span::new(tail.start + 1, tail.end), term, name)
    }

    /// RFC 7208 5.3, 5.4: `[":" domain-spec] [dual-cidr-length]`.
    fn address(&mut self, tail: Span, term: Span, name: &str) -> Option<(Option<DomainSpec>, DualPrefix)> {
        let (rest, prefix) = self.dual_prefix(tail)?;
        if rest.start == rest.end {
            return Some((None, prefix));
        }
        if self.bytes[rest.start] != b':' {
            self.faults.breaks("spf-bad-cidr", rest, "The prefix length is not written `/24`, `//64` or `/24//64`.");
            return None;
        }
        let domain = Span::new(rest.start + 1, rest.end);
        if self.word(domain).parse::<Ipv4Addr>().is_ok() {
            let sentence = format!("`{name}:` takes a name; an address is written `ip4:{}`.", self.word(domain));
            self.faults.breaks("spf-a-with-address", domain, sentence);
            return None;
        }
        self.domain(domain, term, name).map(|domain| (Some(domain), prefix))
    }

    /// Takes `/24`, `//64` or `/24//64` off the end; the rest and the lengths.
    fn dual_prefix(&mut self, tail: Span) -> Option<(Span, DualPrefix)> {
        let mut prefix = DualPrefix::default();
        let mut rest = tail;
        if let Some((before, length)) = self.length_at_end(rest) {
            let double = self.bytes[..before].ends_with(b"/") && before > rest.start;
            let most = if double { 128 } else { 32 };
            let value = self.checked_length(Span::new(before, rest.end), length, most)?;
            if double {
                prefix.ip6 = value;
                rest.end = before - 1;
                if let Some((before, length)) = self.length_at_end(rest) {
                    prefix.ip4 = self.checked_length(Span::new(before, rest.end), length, 32)?;
                    rest.end = before;
                }
            } else {
                prefix.ip4 = value;
                rest.end = before;
            }
        }
        Some((rest, prefix))
    }

    /// The digits behind the last slash of `span`, and the place of that slash.
    fn length_at_end(&self, span: Span) -> Option<(usize, Span)> {
        let digits = self.slice(span).iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let slash = span.end.checked_sub(digits + 1).filter(|slash| *slash >= span.start)?;
        (digits > 0 && self.bytes[slash] == b'/').then_some((slash, Span::new(slash + 1, span.end)))
    }

    fn checked_length(&mut self, whole: Span, digits: Span, most: u8) -> Option<u8> {
        let word = self.word(digits);
        // RFC 7208 5.6: no leading zeros; 5.3: at most 32 and 128.
        let good = word.len() <= 3 && (word.len() == 1 || !word.starts_with('0'));
        let value = word.parse::<u8>().ok().filter(|value| good && *value <= most);
        if value.is_none() {
            let sentence = format!("`{word}` is no prefix length; it is 0 to {most}, without leading zeros.");
            self.faults.breaks("spf-bad-cidr", whole, sentence);
        }
        value
    }

    fn ip4(&mut self, tail: Span, term: Span, has_value: bool) -> Option<Mechanism> {
        let (address, prefix) = self.network(tail, term, has_value, 32)?;
        let Ok(network) = self.word(address).parse::<Ipv4Addr>() else {
            let sentence = format!("`{}` is no IPv4 address in four parts.", self.word(address));
            self.faults.breaks("spf-bad-address", address, sentence);
            return None;
        };
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
        self.host_bits(u32::from(network) & !mask != 0, address);
        Some(Mechanism::Ip4 { network, prefix })
    }

    fn ip6(&mut self, tail: Span, term: Span, has_value: bool) -> Option<Mechanism> {
        let (address, prefix) = self.network(tail, term, has_value, 128)?;
        let Ok(network) = self.word(address).parse::<Ipv6Addr>() else {
            let sentence = format!("`{}` is no IPv6 address.", self.word(address));
            self.faults.breaks("spf-bad-address", address, sentence);
            return None;
        };
        let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
        self.host_bits(u128::from(network) & !mask != 0, address);
        Some(Mechanism::Ip6 { network, prefix })
    }

    fn host_bits(&mut self, set: bool, address: Span) {
        if set {
            let sentence = "The address has bits behind the prefix length; they are ignored.";
            self.faults.untidy("spf-host-bits", address, sentence);
        }
    }

    /// RFC 7208 5.6: `":" network ["/" length]`: the place of the address, and the length.
    fn network(&mut self, tail: Span, term: Span, has_value: bool, most: u8) -> Option<(Span, u8)> {
        if !has_value || tail.end - tail.start < 2 {
            self.faults.breaks("spf-bad-address", term, "The address is missing.");
            return None;
        }
        let value = Span::new(tail.start + 1, tail.end);
        let Some(slash) = self.slice(value).iter().position(|byte| *byte == b'/') else {
            return Some((value, most));
        };
        let slash = value.start + slash;
        let length = self.checked_length(Span::new(slash, value.end), Span::new(slash + 1, value.end), most)?;
        Some((Span::new(value.start, slash), length))
    }

    fn macro_string(&mut self, value: Span, term: Span) -> Option<macros::MacroString> {
        match macros::read(self.slice(value), value.start, false) {
            Ok(value) => Some(value),
            Err(fault) => {
                let ascii = self.slice(value).iter().all(u8::is_ascii_graphic);
                let sentence = format!("`{}` {}.", self.word(term), fault.text);
                self.faults.breaks(if ascii { "spf-macro-bad" } else { "spf-not-ascii" }, fault.span, sentence);
                None
            }
        }
    }

    /// RFC 7208 7.1: `domain-spec = macro-string domain-end`.
    fn domain(&mut self, value: Span, term: Span, name: &str) -> Option<DomainSpec> {
        if value.start >= value.end {
            self.faults.breaks("spf-missing-domain", term, format!("The domain behind `{name}` is missing."));
            return None;
        }
        let domain = self.macro_string(value, term)?;
        if domain.ends_like_a_domain() {
            return Some(domain);
        }
        let word = self.word(value);
        if word.rsplit_once('/').is_some_and(|(_, digits)| digits.bytes().all(|byte| byte.is_ascii_digit())) {
            self.faults.breaks("spf-bad-cidr", value, format!("A prefix length in `{word}` is wrong or not allowed."));
        } else {
            let sentence = format!("`{word}` is no domain name: it must end in a dot and a top-level label.");
            self.faults.breaks("spf-bad-domain", value, sentence);
        }
        None
    }
}
