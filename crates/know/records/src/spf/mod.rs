//! SPF records (RFC 7208): what they say, and how they are written. Reading is in `parse`, macros are in `macros`.

mod macros;
mod parse;
mod seams;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::fault::Span;

pub use macros::{MacroLetter, MacroPart, MacroString};

/// A `domain-spec`: a macro string that gives a domain name (RFC 7208 7.1).
pub type DomainSpec = MacroString;

/// An SPF record: its terms, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpfRecord {
    /// Every term, the unreadable ones too.
    pub terms: Vec<Term>,
}

/// One term and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Where it stands in the joined text.
    pub span: Span,
    /// What it is.
    pub kind: TermKind,
}

/// A directive, a modifier, or neither (RFC 7208 4.6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TermKind {
    /// A mechanism with its qualifier.
    Directive(Directive),
    /// `name=value`.
    Modifier(Modifier),
    /// Not readable; as it was written.
    Unreadable(String),
}

/// A mechanism and the result it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The result when the mechanism matches.
    pub qualifier: Qualifier,
    /// What is compared with the client.
    pub mechanism: Mechanism,
}

/// The result a mechanism gives when it matches (RFC 7208 4.6.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Qualifier {
    /// `+`, or nothing.
    #[default]
    Pass,
    /// `-`
    Fail,
    /// `~`
    SoftFail,
    /// `?`
    Neutral,
}

impl Qualifier {
    /// The sign before the mechanism; none for pass, which needs none.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Pass => "",
            Self::Fail => "-",
            Self::SoftFail => "~",
            Self::Neutral => "?",
        }
    }
}

/// Lengths of network prefixes, in bits (RFC 7208 5.3, `dual-cidr-length`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DualPrefix {
    /// For IPv4: 0 to 32.
    pub ip4: u8,
    /// For IPv6: 0 to 128.
    pub ip6: u8,
}

impl Default for DualPrefix {
    fn default() -> Self {
        Self { ip4: 32, ip6: 128 }
    }
}

/// What is compared with the client (RFC 7208 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mechanism {
    /// `all`: always (5.1).
    All,
    /// `include`: the other domain's record gives pass (5.2).
    Include(DomainSpec),
    /// `a`: an address of the name (5.3).
    A {
        /// The name, or the domain itself.
        domain: Option<DomainSpec>,
        /// How many bits must agree.
        prefix: DualPrefix,
    },
    /// `mx`: an address of a mail server of the name (5.4).
    Mx {
        /// The name, or the domain itself.
        domain: Option<DomainSpec>,
        /// How many bits must agree.
        prefix: DualPrefix,
    },
    /// `ptr`: the client's reverse name, not to be used (5.5).
    Ptr(Option<DomainSpec>),
    /// `ip4`: a network (5.6).
    Ip4 {
        /// An address in the network.
        network: Ipv4Addr,
        /// 0 to 32.
        prefix: u8,
    },
    /// `ip6`: a network (5.6).
    Ip6 {
        /// An address in the network.
        network: Ipv6Addr,
        /// 0 to 128.
        prefix: u8,
    },
    /// `exists`: the name has an A record (5.7).
    Exists(DomainSpec),
}

impl Mechanism {
    /// The name in small letters.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Include(_) => "include",
            Self::A { .. } => "a",
            Self::Mx { .. } => "mx",
            Self::Ptr(_) => "ptr",
            Self::Ip4 { .. } => "ip4",
            Self::Ip6 { .. } => "ip6",
            Self::Exists(_) => "exists",
        }
    }

    /// Whether evaluating it asks the DNS and counts towards the ten of RFC 7208 4.6.4.
    pub const fn costs_lookup(&self) -> bool {
        !matches!(self, Self::All | Self::Ip4 { .. } | Self::Ip6 { .. })
    }

    /// The domain it names, if it names one.
    pub const fn domain(&self) -> Option<&DomainSpec> {
        match self {
            Self::Include(domain) | Self::Exists(domain) => Some(domain),
            Self::A { domain, .. } | Self::Mx { domain, .. } | Self::Ptr(domain) => domain.as_ref(),
            Self::All | Self::Ip4 { .. } | Self::Ip6 { .. } => None,
        }
    }
}

/// `name=value` (RFC 7208 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Modifier {
    /// `redirect`: the record that decides when nothing here matched (6.1).
    Redirect(DomainSpec),
    /// `exp`: where the explanation of a fail stands (6.2).
    Exp(DomainSpec),
    /// Any other; ignored (6).
    Unknown {
        /// As written.
        name: String,
        /// As written.
        value: MacroString,
    },
}

impl SpfRecord {
    /// The directives in order, with their places.
    pub fn directives(&self) -> impl Iterator<Item = (Span, &Directive)> {
        self.terms.iter().filter_map(|term| match &term.kind {
            TermKind::Directive(directive) => Some((term.span, directive)),
            _ => None,
        })
    }

    /// The target of `redirect=`, with the place of the term.
    pub fn redirect(&self) -> Option<(Span, &DomainSpec)> {
        self.terms.iter().find_map(|term| match &term.kind {
            TermKind::Modifier(Modifier::Redirect(domain)) => Some((term.span, domain)),
            _ => None,
        })
    }

    /// The target of `exp=`, with the place of the term.
    pub fn explanation(&self) -> Option<(Span, &DomainSpec)> {
        self.terms.iter().find_map(|term| match &term.kind {
            TermKind::Modifier(Modifier::Exp(domain)) => Some((term.span, domain)),
            _ => None,
        })
    }

    /// The first `all`, with its place.
    pub fn all(&self) -> Option<(Span, &Directive)> {
        self.directives().find(|(_, directive)| directive.mechanism == Mechanism::All)
    }
}

impl std::fmt::Display for SpfRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("v=spf1")?;
        self.terms.iter().try_for_each(|term| write!(f, " {}", term.kind))
    }
}

impl std::fmt::Display for TermKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directive(directive) => directive.fmt(f),
            Self::Modifier(Modifier::Redirect(domain)) => write!(f, "redirect={domain}"),
            Self::Modifier(Modifier::Exp(domain)) => write!(f, "exp={domain}"),
            Self::Modifier(Modifier::Unknown { name, value }) => write!(f, "{name}={value}"),
            Self::Unreadable(text) => f.write_str(text),
        }
    }
}

impl std::fmt::Display for Directive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.qualifier.sign(), self.mechanism)
    }
}

impl std::fmt::Display for Mechanism {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())?;
        if let Some(domain) = self.domain() {
            write!(f, ":{domain}")?;
        }
        match self {
            Self::A { prefix, .. } | Self::Mx { prefix, .. } => {
                if prefix.ip4 != 32 {
                    write!(f, "/{}", prefix.ip4)?;
                }
                if prefix.ip6 != 128 {
                    write!(f, "//{}", prefix.ip6)?;
                }
                Ok(())
            }
            Self::Ip4 { network, prefix: 32 } => write!(f, ":{network}"),
            Self::Ip4 { network, prefix } => write!(f, ":{network}/{prefix}"),
            Self::Ip6 { network, prefix: 128 } => write!(f, ":{network}"),
            Self::Ip6 { network, prefix } => write!(f, ":{network}/{prefix}"),
            Self::All | Self::Include(_) | Self::Ptr(_) | Self::Exists(_) => Ok(()),
        }
    }
}
