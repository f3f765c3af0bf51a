//! The mechanisms that ask the DNS (RFC 7208 5), and the client's validated name.

use std::net::IpAddr;

use redeliver_net::dns::{Name, RecordType};
use redeliver_records::{DomainSpec, DualPrefix};

use super::Run;
use crate::expand::query_name;
use crate::request::UNKNOWN;
use crate::trace::{LookUp, Step};
use crate::verdict::{Problem, SpfResult};

/// An error for a question that got no answer.
fn answered(look_up: &LookUp) -> Result<(), Problem> {
    match look_up.answer.could_not_ask() {
        Some(could_not_ask) => Err(Problem::CouldNotAsk(look_up.question.clone(), could_not_ask.clone())),
        None => Ok(()),
    }
}

/// Whether two addresses agree in the first `prefix` bits; never if they are of different kinds (RFC 7208 5).
pub(crate) fn agree(one: IpAddr, other: IpAddr, prefix: u8) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            let differ = u32::from(one) ^ u32::from(other);
            differ.checked_shr(32 - u32::from(prefix.min(32))).unwrap_or(0) == 0
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            let differ = u128::from(one) ^ u128::from(other);
            differ.checked_shr(128 - u32::from(prefix.min(128))).unwrap_or(0) == 0
        }
        _ => false,
    }
}

impl Run<'_> {
    pub(super) fn in_network(&self, network: IpAddr, prefix: u8) -> bool {
        agree(self.sender.ip, network, prefix)
    }

    /// The type of address records that the client's address is compared with (RFC 7208 5).
    fn address_type(&self) -> RecordType {
        if self.sender.ip.is_ipv4() { RecordType::A } else { RecordType::Aaaa }
    }

    fn is_among(&self, look_up: &LookUp, prefix: DualPrefix) -> bool {
        let prefix = if self.sender.ip.is_ipv4() { prefix.ip4 } else { prefix.ip6 };
        look_up.answer.addresses().any(|address| self.in_network(address, prefix))
    }

    /// RFC 7208 5.2.
    pub(super) async fn include(&mut self, domain: &str, spec: &DomainSpec, step: &mut Step) -> Result<bool, Problem> {
        let target = self.target(domain, Some(spec), step).await;
        let visit = self.visit(target.clone()).await;
        let result = visit.result;
        step.visit = Some(Box::new(visit));
        match result {
            SpfResult::Pass => Ok(true),
            SpfResult::Fail | SpfResult::SoftFail | SpfResult::Neutral => Ok(false),
            SpfResult::TempError | SpfResult::PermError => Err(Problem::Included(result)),
            SpfResult::None => Err(Problem::IncludeWithoutRecord(target)),
        }
    }

    /// RFC 7208 5.3.
    pub(super) async fn a(
        &mut self,
        domain: &str,
        spec: Option<&DomainSpec>,
        prefix: DualPrefix,
        step: &mut Step,
    ) -> Result<bool, Problem> {
        let Some(name) = self.target_name(domain, spec, step).await else { return Ok(false) };
        let mut look_up = self.ask(name, self.address_type()).await;
        let checked = answered(&look_up).and_then(|()| self.count_void(&mut look_up));
        let matched = self.is_among(&look_up, prefix);
        step.look_ups.push(look_up);
        checked.map(|()| matched)
    }

    /// RFC 7208 5.4.
    pub(super) async fn mx(
        &mut self,
        domain: &str,
        spec: Option<&DomainSpec>,
        prefix: DualPrefix,
        step: &mut Step,
    ) -> Result<bool, Problem> {
        let Some(name) = self.target_name(domain, spec, step).await else { return Ok(false) };
        let mut look_up = self.ask(name, RecordType::Mx).await;
        let checked = answered(&look_up).and_then(|()| self.count_void(&mut look_up));
        let hosts: Vec<Name> = look_up.answer.exchanges().into_iter().map(|(_, host)| host.clone()).collect();
        step.look_ups.push(look_up);
        checked?;
        // RFC 7208 4.6.4: more than ten is permerror. At once, so that the result does not hang on the order of the answer.
        if hosts.len() > self.limits.names {
            return Err(Problem::TooManyMailServers(self.limits.names));
        }
        for host in hosts {
            if host.is_root() {
                continue; // RFC 7505: a null MX names no server.
            }
            let look_up = self.ask(host, self.address_type()).await;
            let checked = answered(&look_up);
            let matched = self.is_among(&look_up, prefix);
            step.look_ups.push(look_up);
            checked?;
            if matched {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// RFC 7208 5.7: an A record, whatever the client's address is.
    pub(super) async fn exists(&mut self, domain: &str, spec: &DomainSpec, step: &mut Step) -> Result<bool, Problem> {
        let Some(name) = self.target_name(domain, Some(spec), step).await else { return Ok(false) };
        let mut look_up = self.ask(name, RecordType::A).await;
        let checked = answered(&look_up).and_then(|()| self.count_void(&mut look_up));
        let found = look_up.answer.addresses().next().is_some();
        step.look_ups.push(look_up);
        checked.map(|()| found)
    }

    /// RFC 7208 5.5.
    pub(super) async fn ptr(
        &mut self,
        domain: &str,
        spec: Option<&DomainSpec>,
        step: &mut Step,
    ) -> Result<bool, Problem> {
        let Some(target) = self.target_name(domain, spec, step).await else { return Ok(false) };
        let mut look_up = self.ask(Name::reverse(self.sender.ip), RecordType::Ptr).await;
        let checked = self.count_void(&mut look_up);
        let names = self.reverse_names(&look_up);
        step.look_ups.push(look_up);
        checked?;
        for name in names.into_iter().filter(|name| name.is_within(&target)) {
            if self.leads_back(name, step).await {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The first reverse names, as many as are allowed; the others are ignored (RFC 7208 4.6.4, 5.5).
    fn reverse_names(&self, look_up: &LookUp) -> Vec<Name> {
        look_up.answer.targets().take(self.limits.names).cloned().collect()
    }

    /// Whether the name has the client's address; an error in DNS means no (RFC 7208 5.5).
    async fn leads_back(&mut self, name: Name, step: &mut Step) -> bool {
        let look_up = self.ask(name, self.address_type()).await;
        let matched = look_up.answer.addresses().any(|address| address == self.sender.ip);
        step.look_ups.push(look_up);
        matched
    }

    /// The value of `%{p}` (RFC 7208 7.3), asked for at most once a domain; only if it is wanted.
    pub(super) async fn validated_for(&mut self, domain: &str, wanted: bool, step: &mut Step) -> String {
        if !wanted {
            return UNKNOWN.to_owned();
        }
        if let Some((_, name)) = self.validated.iter().find(|(known, _)| known == domain) {
            return name.clone();
        }
        let name = self.find_validated(domain, step).await.unwrap_or_else(|| UNKNOWN.to_owned());
        self.validated.push((domain.to_owned(), name.clone()));
        name
    }

    async fn find_validated(&mut self, domain: &str, step: &mut Step) -> Option<String> {
        let look_up = self.ask(Name::reverse(self.sender.ip), RecordType::Ptr).await;
        let mut names = self.reverse_names(&look_up);
        step.look_ups.push(look_up);
        // The domain itself is preferred, then a name below it, then any.
        if let Some(domain) = query_name(domain) {
            names.sort_by_key(|name| if *name == domain { 0 } else { 2 - u8::from(name.is_within(&domain)) });
        }
        for name in names {
            if self.leads_back(name.clone(), step).await {
                return Some(name.as_str().to_owned());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_zero_and_of_all_bits() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        for (one, other, prefix, want) in [
            ("192.0.2.1", "198.51.100.1", 0, true),
            ("192.0.2.1", "192.0.2.1", 32, true),
            ("192.0.2.1", "192.0.2.0", 32, false),
            ("192.0.2.255", "192.0.2.0", 24, true),
            ("192.0.3.0", "192.0.2.0", 24, false),
            ("2001:db8::1", "2001:db8:8000::", 33, false),
            ("2001:db8::1", "2001:db8:7fff::", 33, true),
            ("2001:db8::1", "fe80::1", 0, true),
            ("192.0.2.1", "2001:db8::1", 0, false),
        ] {
            assert_eq!(agree(ip(one), ip(other), prefix), want, "{one} {other}/{prefix}");
        }
    }
}
