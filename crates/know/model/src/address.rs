//! Domain names and mail addresses as values of their own.

/// Why a text is no domain or address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No text.
    #[error("it is empty")]
    Empty,
    /// Longer than the protocol allows (RFC 5321 4.5.3.1: 64 octets of local part, 255 of domain).
    #[error("it is longer than mail allows")]
    TooLong,
    /// A label of a domain is empty, longer than 63 octets or has a wrong character (RFC 1035 2.3.1).
    #[error("a label of the domain is empty, too long or has a wrong character")]
    BadLabel,
    /// No `@`, or nothing on one of its sides.
    #[error("it has no local part or no domain")]
    NoAt,
    /// A control character or a blank outside quotes in the local part.
    #[error("the local part has a blank or a control character")]
    BadLocalPart,
}

/// A domain name: lower case, no trailing dot, at most 253 octets. Non-ASCII labels are kept as U-labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(String);

impl Domain {
    /// Reads a domain name; underscores are allowed, since DNS records of mail live below them.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim().trim_end_matches('.');
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        // Checked as it will be kept: a capital letter may become two characters, of which one is no letter.
        let text = if text.len() > 253 { text.to_owned() } else { text.to_lowercase() };
        if text.len() > 253 {
            return Err(AddressError::TooLong);
        }
        let good_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| {
                    c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || (!c.is_ascii() && c.is_alphanumeric())
                })
        };
        if text.split('.').all(good_label) { Ok(Self(text)) } else { Err(AddressError::BadLabel) }
    }

    /// The name in lower case, without a trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this name is `parent` or lies below it.
    pub fn is_within(&self, parent: &str) -> bool {
        within(&self.0, parent)
    }
}

/// Whether the lower-case name `name` is `parent` or lies below it.
fn within(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// A mail address; the local part keeps its case (RFC 5321 2.4), the domain does not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress {
    local: String,
    domain: Domain,
}

impl EmailAddress {
    /// Reads `local@domain`, with or without angle brackets; the last `@` separates.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let text = text.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')).unwrap_or(text);
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::NoAt)?;
        if local.is_empty() || domain.is_empty() {
            return Err(AddressError::NoAt);
        }
        if local.len() > 64 {
            return Err(AddressError::TooLong); // RFC 5321 4.5.3.1.1
        }
        let quoted = local.len() >= 2 && local.starts_with('"') && local.ends_with('"');
        if local.chars().any(|c| c.is_control() || (!quoted && c.is_whitespace())) {
            return Err(AddressError::BadLocalPart);
        }
        Ok(Self { local: local.to_owned(), domain: Domain::parse(domain)? })
    }

    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// What stands behind it.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }
}

impl std::fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_a_name_again() {
        assert_eq!(Domain::parse("\u{130}"), Err(AddressError::BadLabel));
        for name in ["B\u{dc}CHER.example", "EXAMPLE.com."] {
            let kept = Domain::parse(name).unwrap();
            assert_eq!(Domain::parse(kept.as_str()), Ok(kept));
        }
    }

    #[test]
    fn domains_are_folded_and_bounded() {
        assert_eq!(Domain::parse("Mail.Example.NET.").unwrap().as_str(), "mail.example.net");
        assert!(Domain::parse("mail.example.net").unwrap().is_within("example.net"));
        assert!(!Domain::parse("badexample.net").unwrap().is_within("example.net"));
        assert_eq!(Domain::parse("a..b"), Err(AddressError::BadLabel));
        assert_eq!(Domain::parse(&"a".repeat(64)), Err(AddressError::BadLabel));
        assert_eq!(Domain::parse(&"a.".repeat(200)), Err(AddressError::TooLong));
    }

    #[test]
    fn addresses_keep_the_case_of_the_local_part() {
        assert_eq!(EmailAddress::parse("<Ann.Bee@Example.ORG>").unwrap().to_string(), "Ann.Bee@example.org");
        assert_eq!(EmailAddress::parse("\"a b\"@example.org").unwrap().local(), "\"a b\"");
        assert_eq!(EmailAddress::parse("a b@example.org"), Err(AddressError::BadLocalPart));
        assert_eq!(EmailAddress::parse("example.org"), Err(AddressError::NoAt));
    }
}
