//! Who answers for a domain, asked past the resolver: only after the resolver got no answer. Gathers; `sender_domain` judges.

use std::net::{IpAddr, SocketAddr};

use futures_util::future::join_all;
use redeliver_net::dns::{Answer, DNS_PORT, Dns, Name, Question, RecordType, Why};

use crate::asked::Asked;

/// How many name servers are asked; domains have two to four, and a delegation may name thirteen.
const MOST_SERVERS: usize = 4;

/// A delegation, followed by hand.
#[derive(Debug)]
pub(crate) struct Delegation {
    /// The question for the name servers of the domain above.
    pub parent: Asked,
    /// What each of the domain's own servers said to a question for its SOA.
    pub servers: Vec<(Name, IpAddr, Answer)>,
}

impl Delegation {
    /// Whether every server that the domain above names was asked, and none of them answers for the domain.
    pub(crate) fn is_lame(&self) -> bool {
        let proves = |answer: &Answer| {
            answer.could_not_ask().is_some_and(|no| {
                matches!(
                    no.why,
                    Why::Timeout | Why::ServerFailure | Why::Refused | Why::NotAuthoritative | Why::Unreachable
                )
            })
        };
        !self.servers.is_empty() && self.servers.iter().all(|(_, _, answer)| proves(answer))
    }
}

/// Follows the delegation of `domain` from the domain above it.
pub(crate) async fn follow(dns: &dyn Dns, domain: &Name) -> Option<Delegation> {
    let parent_name = domain.parent().filter(|parent| !parent.is_root())?;
    let parent = Asked::at(dns, &parent_name, RecordType::Ns).await;
    let mut delegation = Delegation { parent, servers: Vec::new() };
    let above = addresses(dns, delegation.parent.answer.targets().cloned().collect()).await;
    let ns = Question::new(domain.clone(), RecordType::Ns);
    let asked = join_all(above.iter().map(|(_, address)| dns.ask_server(server(*address), &ns))).await;
    let named = asked.iter().find_map(|answer| match answer {
        Answer::CouldNotAsk(no) if no.why == Why::NotAuthoritative => Some(no.referral.clone()),
        Answer::Present { .. } => Some(answer.targets().cloned().collect()),
        _ => None,
    });
    let own = addresses(dns, named.unwrap_or_default()).await;
    let soa = Question::new(domain.clone(), RecordType::Soa);
    let answers = join_all(own.iter().map(|(_, address)| dns.ask_server(server(*address), &soa))).await;
    delegation.servers =
        own.into_iter().zip(answers).map(|((name, address), answer)| (name, address, answer)).collect();
    Some(delegation)
}

const fn server(address: IpAddr) -> SocketAddr {
    SocketAddr::new(address, DNS_PORT)
}

/// One address of each name.
async fn addresses(dns: &dyn Dns, mut names: Vec<Name>) -> Vec<(Name, IpAddr)> {
    names.truncate(MOST_SERVERS);
    let asking = names.into_iter().map(|name| async move {
        let asked = Asked::each(dns, &name, [RecordType::A, RecordType::Aaaa]).await;
        let found = asked.iter().flat_map(|asked| asked.answer.addresses()).next();
        found.map(|address| (name, address))
    });
    join_all(asking).await.into_iter().flatten().collect()
}
