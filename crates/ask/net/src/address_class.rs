//! What kind of address an IP is: public, or one of the kinds that lead inward or nowhere.
//!
//! Pure: it looks at the octets only (the special-purpose registries of RFC 6890 and what came after). IPv6 is public only
//! inside `2000::/3`, so that a range that nobody thought of is refused rather than reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kind of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressClass {
    /// Reachable by anybody.
    Public,
    /// "This" network: 0.0.0.0/8, `::` (RFC 791 3.2).
    Unspecified,
    /// The machine itself: 127.0.0.0/8, `::1`.
    Loopback,
    /// RFC 1918, and the unique local addresses of RFC 4193.
    Private,
    /// 169.254.0.0/16 (clouds keep their metadata there), `fe80::/10`, and the old site-local `fec0::/10`.
    LinkLocal,
    /// Behind a provider's NAT: 100.64.0.0/10 (RFC 6598).
    CarrierNat,
    /// One to many, or to all.
    Multicast,
    /// For examples in texts (RFC 5737, RFC 3849, RFC 9637).
    Documentation,
    /// An IPv4 address in the clothes of IPv6: NAT64, 6to4, Teredo, IPv4-compatible.
    Translated,
    /// Kept for protocols, tests or the future.
    Reserved,
}

impl AddressClass {
    /// The kind of `address`; an IPv4-mapped one (`::ffff:0:0/96`) is judged as the IPv4 address that it is.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => of_v4(v4),
            IpAddr::V6(v6) => of_v6(v6),
        }
    }

    /// The word in JSON and text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Unspecified => "unspecified",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::LinkLocal => "link-local",
            Self::CarrierNat => "carrier-nat",
            Self::Multicast => "multicast",
            Self::Documentation => "documentation",
            Self::Translated => "translated",
            Self::Reserved => "reserved",
        }
    }
}

impl std::fmt::Display for AddressClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

#[expect(clippy::match_same_arms, reason = "each range stands beside the RFC that takes it out")]
fn of_v4(v4: Ipv4Addr) -> AddressClass {
    match v4.octets() {
        [0, ..] => AddressClass::Unspecified,
        [127, ..] => AddressClass::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => AddressClass::Private,
        [169, 254, ..] => AddressClass::LinkLocal,
        [100, 64..=127, ..] => AddressClass::CarrierNat,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => AddressClass::Documentation,
        [192, 88, 99, _] => AddressClass::Translated, // RFC 7526: the withdrawn 6to4 relays
        [192, 0, 0, _] | [198, 18..=19, ..] => AddressClass::Reserved, // RFC 6890, RFC 2544
        [224..=239, ..] | [255, 255, 255, 255] => AddressClass::Multicast,
        [240..=255, ..] => AddressClass::Reserved,
        _ => AddressClass::Public,
    }
}

#[expect(clippy::match_same_arms, reason = "each range stands beside the RFC that takes it out")]
fn of_v6(v6: Ipv6Addr) -> AddressClass {
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => AddressClass::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressClass::Loopback,
        [0, 0, 0, 0, 0, 0, ..] => AddressClass::Translated, // RFC 4291 2.5.5.1: IPv4-compatible
        [0, 0, 0, 0, 0xffff, 0, ..] => AddressClass::Translated, // RFC 2765: IPv4-translated
        [0x64, 0xff9b, ..] => AddressClass::Translated,     // RFC 6052, RFC 8215: NAT64
        [0x2002, ..] => AddressClass::Translated,           // RFC 3056: 6to4
        [0x2001, 0, ..] => AddressClass::Translated,        // RFC 4380: Teredo
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => AddressClass::Documentation,
        [0x2001, 1..=0x1ff, ..] => AddressClass::Reserved, // RFC 2928: protocols
        [0xfc00..=0xfdff, ..] => AddressClass::Private,
        [0xfe80..=0xfeff, ..] => AddressClass::LinkLocal,
        [0xff00..=0xffff, ..] => AddressClass::Multicast,
        // RFC 5214: ISATAP carries an IPv4 address that a router may unpack.
        [_, _, _, _, 0 | 0x200, 0x5efe, ..] => AddressClass::Translated,
        [0x2000..=0x3fff, ..] => AddressClass::Public,
        _ => AddressClass::Reserved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_inward_address_passes_for_a_public_one() {
        use AddressClass as C;
        for (address, class) in [
            ("8.8.8.8", C::Public),
            ("172.32.0.1", C::Public),
            ("100.128.0.1", C::Public),
            ("2606:4700::1", C::Public),
            ("2001:4860::8888", C::Public),
            ("0.0.0.0", C::Unspecified),
            ("0.1.2.3", C::Unspecified),
            ("127.0.0.1", C::Loopback),
            ("127.255.255.254", C::Loopback),
            ("10.0.0.1", C::Private),
            ("172.16.0.1", C::Private),
            ("172.31.255.255", C::Private),
            ("192.168.1.1", C::Private),
            ("169.254.169.254", C::LinkLocal),
            ("100.64.0.1", C::CarrierNat),
            ("100.127.255.255", C::CarrierNat),
            ("192.0.2.1", C::Documentation),
            ("198.51.100.1", C::Documentation),
            ("203.0.113.1", C::Documentation),
            ("192.0.0.8", C::Reserved),
            ("198.18.0.1", C::Reserved),
            ("198.19.255.255", C::Reserved),
            ("192.88.99.1", C::Translated),
            ("224.0.0.1", C::Multicast),
            ("255.255.255.255", C::Multicast),
            ("240.0.0.1", C::Reserved),
            ("::", C::Unspecified),
            ("::1", C::Loopback),
            ("::ffff:127.0.0.1", C::Loopback),
            ("::ffff:10.0.0.1", C::Private),
            ("::ffff:8.8.8.8", C::Public),
            ("::127.0.0.1", C::Translated),
            ("::ffff:0:127.0.0.1", C::Translated),
            ("64:ff9b::7f00:1", C::Translated),
            ("64:ff9b:1::1", C::Translated),
            ("2002:7f00:1::", C::Translated),
            ("2001::1", C::Translated),
            ("2001:db8::1", C::Documentation),
            ("3fff::1", C::Documentation),
            ("2001:10::1", C::Reserved),
            ("fc00::1", C::Private),
            ("fd12:3456::1", C::Private),
            ("fe80::1", C::LinkLocal),
            ("fec0::1", C::LinkLocal),
            ("ff02::1", C::Multicast),
            ("100::1", C::Reserved),
            ("4000::1", C::Reserved),
            ("2606:4700::5efe:7f00:1", C::Translated),
        ] {
            assert_eq!(AddressClass::of(address.parse().unwrap()), class, "{address}");
        }
    }
}
