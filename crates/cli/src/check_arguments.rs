//! The arguments of `redeliver check` as they are typed.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use redeliver_net::Cidr;

use crate::arguments::{Knowledge, Shape};

pub(crate) const CHECK_EXAMPLES: &str = "Examples:
  redeliver check example.org --ip 192.0.2.7 --selector s1
  redeliver check 192.0.2.7 --helo mail.example.org
  redeliver check message.eml
  redeliver check --targets domains.txt --json
  redeliver check example.net --recipient

Severity: refuses (receivers refuse mail for it), weakens (they trust it less, or refuse it in bulk), untidy (nobody minds).
Exit codes: 0 nothing wrong, 1 findings, or some target could not be read, 2 wrong call, 3 something could not be asked, and
nothing was found wrong.";

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Check {
    /// Domains, IPs, mail addresses, or files with one message each (`-` reads one from standard input; a name without a
    /// slash is a file only if it ends in .eml).
    #[arg(value_name = "DOMAIN|IP|FILE.eml", required_unless_present = "targets")]
    pub(crate) given: Vec<String>,
    /// A file with one target a line (`#` begins a comment); `-` for standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) targets: Option<PathBuf>,
    /// The IP that sends.
    #[arg(long, value_name = "IP")]
    pub(crate) ip: Option<IpAddr>,
    /// The name that the sending server says at HELO or EHLO.
    #[arg(long, value_name = "NAME")]
    pub(crate) helo: Option<String>,
    /// The envelope sender; empty for a bounce.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mail_from: Option<String>,
    /// A DKIM selector that signs for the domain; may be given more than once.
    #[arg(long, value_name = "NAME")]
    pub(crate) selector: Vec<String>,
    /// How many messages a day go to one receiver: decides whether rules for bulk senders apply.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) daily: Option<u32>,
    /// Look at the domains as recipients: do they exist, and who takes their mail?
    #[arg(long)]
    pub(crate) recipient: bool,
    /// Ask DNS only; connect to no mail or web server.
    #[arg(long)]
    pub(crate) no_connect: bool,
    /// Try whether the domain's mail servers relay for strangers. For servers of your own only.
    #[arg(long)]
    pub(crate) open_relay: bool,
    /// Ask registries when the domains were registered (RDAP); they learn what is asked about.
    #[arg(long)]
    pub(crate) rdap: bool,
    /// Ask lists whose state is not known, too.
    #[arg(long)]
    pub(crate) all_lists: bool,
    /// A file with keys of paid lists: one a line, the zone and the key.
    #[arg(long, value_name = "FILE")]
    pub(crate) list_keys: Option<PathBuf>,
    /// The resolver to ask, instead of this machine's; may be given more than once.
    #[arg(long, value_name = "IP[:PORT]", value_parser = server)]
    pub(crate) resolver: Vec<SocketAddr>,
    /// Reach nothing outside this range; may be given more than once.
    #[arg(long, value_name = "CIDR", value_parser = cidr)]
    pub(crate) net_allow: Vec<Cidr>,
    /// Let this range count as public (for tests); may be given more than once.
    #[arg(long, value_name = "CIDR", value_parser = cidr)]
    pub(crate) assume_public: Vec<Cidr>,
    /// A file with the certificate authorities to trust, instead of this machine's.
    #[arg(long, value_name = "FILE.pem")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The name to say at EHLO; this machine's own unless given.
    #[arg(long, value_name = "NAME")]
    pub(crate) own_name: Option<String>,
    /// Write down everything that was asked and answered.
    #[arg(long, value_name = "FILE", conflicts_with = "world")]
    pub(crate) record: Option<PathBuf>,
    /// Ask this recording instead of the network.
    #[arg(long, value_name = "FILE")]
    pub(crate) world: Option<PathBuf>,
    /// Show what passed, and open every finding to the raw answers.
    #[arg(short, long)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) shape: Shape,
    #[command(flatten)]
    pub(crate) knowledge: Knowledge,
}

fn server(text: &str) -> Result<SocketAddr, String> {
    redeliver_net::dns::parse_server(text).map_err(|error| error.to_string())
}

fn cidr(text: &str) -> Result<Cidr, String> {
    text.parse().map_err(|error: redeliver_net::CidrError| error.to_string())
}
