//! The egress guard: which addresses may be reached at all, and which count as public.
//!
//! It decides on an address before the first packet. It never resolves names, never opens anything and knows no ports; one
//! value is made from the command line and passed to everything that dials.

use std::net::IpAddr;

use crate::address_class::AddressClass;

/// Why a text is no range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    /// What stands before the slash is no IP address.
    #[error("it is no IP address")]
    NoAddress,
    /// What stands behind the slash is no number, or too large.
    #[error("the length of the prefix is wrong")]
    BadLength,
}

/// A range of addresses: `192.0.2.0/24`, `2001:db8::/32`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cidr {
    address: IpAddr,
    length: u8,
}

impl Cidr {
    /// The range of `length` leading bits of `address`.
    pub fn new(address: IpAddr, length: u8) -> Result<Self, CidrError> {
        // An IPv4-mapped range is an IPv4 range: addresses are compared in their canonical form.
        let (address, length) = match (address, address.to_canonical()) {
            (IpAddr::V6(_), v4 @ IpAddr::V4(_)) if length >= 96 => (v4, length - 96),
            _ => (address, length),
        };
        let longest = if address.is_ipv4() { 32 } else { 128 };
        if length > longest { Err(CidrError::BadLength) } else { Ok(Self { address, length }) }
    }

    /// Whether `address` lies in the range; IPv4-mapped addresses count as IPv4.
    pub fn contains(self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(range), IpAddr::V4(address)) => {
                let differing = range.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= u32::from(self.length)
            }
            (IpAddr::V6(range), IpAddr::V6(address)) => {
                let differing = range.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= u32::from(self.length)
            }
            _ => false,
        }
    }
}

impl std::str::FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.trim().parse().map_err(|_| CidrError::NoAddress)?;
        let length = match length {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| CidrError::BadLength)?
            }
            Some(_) => return Err(CidrError::BadLength),
            None if address.is_ipv4() => 32,
            None => 128,
        };
        Self::new(address, length)
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// How far a connection may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Reach {
    /// Only to public addresses: the address came from DNS, mail or anybody's input.
    #[default]
    World,
    /// To any address: the operator named it himself (his resolver, his next hop).
    Anywhere,
}

/// An address that must not be reached; no packet was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Blocked {
    /// Not in a range of `--net-allow`.
    #[error("{0} is outside the allowed networks")]
    NotAllowed(IpAddr),
    /// Not public, and the address came from outside.
    #[error("{0} is not a public address ({1})")]
    NotPublic(IpAddr, AddressClass),
}

/// The guard. The default lets everything public out, and everything that the operator names.
///
/// ```
/// use redeliver_net::{Guard, Reach};
/// let guard = Guard::default().allow_only(vec!["127.0.0.0/8".parse()?]).assume_public(vec!["127.192.2.0/24".parse()?]);
/// assert!(guard.permit("127.192.2.7".parse()?, Reach::World).is_ok());
/// assert!(guard.permit("127.0.0.1".parse()?, Reach::World).is_err());
/// assert!(guard.permit("8.8.8.8".parse()?, Reach::Anywhere).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Guard {
    allowed: Option<Vec<Cidr>>,
    assumed_public: Vec<Cidr>,
}

impl Guard {
    /// Lets nothing out but these ranges (`--net-allow`); an empty list lets nothing out.
    #[must_use]
    pub fn allow_only(mut self, ranges: Vec<Cidr>) -> Self {
        self.allowed = Some(ranges);
        self
    }

    /// Lets these ranges count as public (`--assume-public`).
    #[must_use]
    pub fn assume_public(mut self, ranges: Vec<Cidr>) -> Self {
        self.assumed_public = ranges;
        self
    }

    /// Whether `address` may be reached.
    pub fn permit(&self, address: IpAddr, reach: Reach) -> Result<(), Blocked> {
        let inside = |ranges: &[Cidr]| ranges.iter().any(|range| range.contains(address));
        if self.allowed.as_deref().is_some_and(|allowed| !inside(allowed)) {
            return Err(Blocked::NotAllowed(address));
        }
        match AddressClass::of(address) {
            AddressClass::Public => Ok(()),
            _ if reach == Reach::Anywhere || inside(&self.assumed_public) => Ok(()),
            class => Err(Blocked::NotPublic(address, class)),
        }
    }

    /// Whether `address` counts as public, be it allowed or not.
    pub fn is_public(&self, address: IpAddr) -> bool {
        AddressClass::of(address) == AddressClass::Public
            || self.assumed_public.iter().any(|range| range.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn ranges(texts: &[&str]) -> Vec<Cidr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn ranges_are_read_whole_or_not_at_all() {
        for (text, error) in [
            ("", CidrError::NoAddress),
            ("192.0.2/24", CidrError::NoAddress),
            ("127.1/8", CidrError::NoAddress),
            ("192.0.2.0/33", CidrError::BadLength),
            ("192.0.2.0/", CidrError::BadLength),
            ("192.0.2.0/+8", CidrError::BadLength),
            ("192.0.2.0/8/8", CidrError::BadLength),
            ("2001:db8::/129", CidrError::BadLength),
            ("example.org/8", CidrError::NoAddress),
        ] {
            assert_eq!(text.parse::<Cidr>(), Err(error), "{text}");
        }
        assert_eq!("::ffff:192.0.2.0/120".parse::<Cidr>().unwrap().to_string(), "192.0.2.0/24");
        assert_eq!("192.0.2.7".parse::<Cidr>().unwrap().to_string(), "192.0.2.7/32");
    }

    #[test]
    fn a_range_ends_where_its_bits_end() {
        for (range, address, inside) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.99/24", "192.0.2.1", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("0.0.0.0/0", "::ffff:203.0.113.9", true),
            ("::/0", "::ffff:203.0.113.9", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/33", "2001:db8:7fff::1", true),
            ("2001:db8::/33", "2001:db8:8000::1", false),
            ("192.0.2.7", "::ffff:192.0.2.7", true),
            ("2001:db8::1", "2001:db8::2", false),
            ("127.0.0.0/8", "::1", false),
        ] {
            assert_eq!(range.parse::<Cidr>().unwrap().contains(ip(address)), inside, "{range} {address}");
        }
    }

    #[test]
    fn nothing_outside_the_allowed_networks_is_reached() {
        let guard = Guard::default().allow_only(ranges(&["127.0.0.0/8", "2001:db8::/32"]));
        for reached in ["127.0.0.1", "127.255.0.1", "::ffff:127.0.0.1", "2001:db8::5"] {
            assert_eq!(guard.permit(ip(reached), Reach::Anywhere), Ok(()), "{reached}");
        }
        for refused in ["128.0.0.1", "8.8.8.8", "::1", "10.0.0.1", "64:ff9b::7f00:1", "2606:4700::1", "::127.0.0.1"] {
            assert_eq!(guard.permit(ip(refused), Reach::Anywhere), Err(Blocked::NotAllowed(ip(refused))), "{refused}");
        }
        let shut = Guard::default().allow_only(Vec::new());
        assert!(shut.permit(ip("8.8.8.8"), Reach::Anywhere).is_err());
    }

    #[test]
    fn an_address_from_outside_never_leads_inward() {
        let guard = Guard::default();
        for inward in
            ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fe80::1", "64:ff9b::a00:1"]
        {
            assert!(matches!(guard.permit(ip(inward), Reach::World), Err(Blocked::NotPublic(..))), "{inward}");
            assert_eq!(guard.permit(ip(inward), Reach::Anywhere), Ok(()), "{inward}");
        }
        assert_eq!(guard.permit(ip("8.8.8.8"), Reach::World), Ok(()));
    }

    #[test]
    fn a_test_network_counts_as_public_and_its_neighbours_do_not() {
        let guard = Guard::default().assume_public(ranges(&["127.192.2.0/24"]));
        assert_eq!(guard.permit(ip("127.192.2.7"), Reach::World), Ok(()));
        assert_eq!(guard.permit(ip("::ffff:127.192.2.7"), Reach::World), Ok(()));
        assert!(guard.permit(ip("127.192.3.7"), Reach::World).is_err());
        assert!(guard.permit(ip("64:ff9b::7fc0:207"), Reach::World).is_err());
        assert!(guard.is_public(ip("127.192.2.7")) && !guard.is_public(ip("127.0.0.1")));
        // Assuming an address public does not allow it.
        let shut = guard.allow_only(Vec::new());
        assert!(shut.permit(ip("127.192.2.7"), Reach::World).is_err());
    }
}
