//! The command line as it is typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use redeliver_model::{Domain, EmailAddress, ReportKind, Timestamp};

/// Why mail was refused, whose fault it is, who can act, whether to act at all, and the steps.
#[derive(Debug, Parser)]
#[command(name = "redeliver", version, max_term_width = 100, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Explain refusals: paste a reply, or give bounce mails, mailboxes, archives or folders of them.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(Box<Explain>),
    /// Check a domain, an IP or a message: what makes receivers refuse, and what does not.
    #[command(after_help = crate::check_arguments::CHECK_EXAMPLES)]
    Check(Box<crate::check_arguments::Check>),
    /// Look into the knowledge behind the answers, or test your own additions to it.
    Catalog(Catalog),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

const EXPLAIN_EXAMPLES: &str = "Examples:
  redeliver explain --reply '554 5.7.1 <bob@example.net>: Relay access denied'
  redeliver explain --host mta5.am0.yahoodns.net --reply '554 5.7.9 Message not accepted for policy reasons'
  redeliver explain refusal.txt --letter
  redeliver explain --ours example.org,192.0.2.0/24 bounce.eml
  redeliver explain ~/Maildir/.Bounces              the summary of all
  redeliver explain bounces.mbox --addresses >addresses.csv
  redeliver explain /var/log/mail.log* --recovery --engaged opened.csv
  grep -h ' status=bounced' /var/log/mail.log | redeliver explain --replies - --format csv

Exit codes: 0 all was read, 1 some input could not be read (the rest was), 2 wrong call or nothing could be read.";

/// What makes no sense beside the recovery calendar, which is reckoned from whole logs. Said of each of its options: clap does not
/// require an argument that conflicts with one that is there.
const NOT_OF_A_LOG: [&str; 7] = ["each", "summary", "letter", "cause", "from", "replies", "reply"];

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Explain {
    /// Bounce mails, texts, mailboxes, archives, or folders of them; `-` reads standard input (also when nothing is given
    /// and input is piped in).
    #[arg(value_name = "FILE|DIR")]
    pub(crate) files: Vec<PathBuf>,
    /// The reply itself, one line or several; may be given more than once.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reply: Vec<String>,
    /// A file with one reply a line; `-` for standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["files", "reply"])]
    pub(crate) replies: Option<PathBuf>,
    /// Take the input for this kind of report, whatever it looks like: refusal, delayed, delivered, feedback, auto-reply,
    /// not-a-bounce, not-ours, fake-bounce.
    #[arg(long = "as", value_name = "KIND", value_parser = kind)]
    pub(crate) kind: Option<ReportKind>,
    /// What is ours: domains, IPs, networks, separated by commas. By these our own mail is told from forgeries, and our own
    /// servers from forwarders.
    #[arg(long, value_name = "DOMAIN,IP", value_delimiter = ',')]
    pub(crate) ours: Vec<String>,
    /// The host that refused. The same code means different things at different receivers.
    #[arg(long, value_name = "NAME", value_parser = host)]
    pub(crate) host: Option<Domain>,
    /// The IP that was refused.
    #[arg(long, value_name = "IP")]
    pub(crate) ip: Option<std::net::IpAddr>,
    /// The envelope sender.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) sender: Option<EmailAddress>,
    /// The recipient.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) recipient: Option<EmailAddress>,
    /// When it was refused (2024-05-31 or 2024-05-31T10:00:00Z): a list may have been alive then.
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    pub(crate) time: Option<Timestamp>,
    /// Only refusals since then: a moment, or 90m, 24h, 7d before now.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only refusals of this receiver: a site's id (google, microsoft-365 ...) or a domain.
    #[arg(long, value_name = "NAME")]
    pub(crate) site: Option<String>,
    /// Only refusals for this cause (`redeliver catalog list causes`).
    #[arg(long, value_name = "CAUSE", value_parser = cause)]
    pub(crate) cause: Option<redeliver_model::Cause>,
    /// Only refusals whose envelope sender contains this text.
    #[arg(long, value_name = "TEXT")]
    pub(crate) from: Option<String>,
    /// The software of your own mail server (postfix, exim, exchange-server, sendmail ...), for its settings.
    #[arg(long, value_name = "NAME")]
    pub(crate) software: Option<String>,
    /// Show every refusal, however many there are (as text, the summary is shown of more than five).
    #[arg(long, conflicts_with_all = ["summary", "addresses", "letter"])]
    pub(crate) each: bool,
    /// Show the summary by cause, place and time, however few there are.
    #[arg(long, conflicts_with_all = ["addresses", "letter"])]
    pub(crate) summary: bool,
    /// Show the refused addresses instead: dead (yes, no, unproven) and why; CSV unless another format is asked for.
    #[arg(long, conflicts_with = "letter")]
    pub(crate) addresses: bool,
    /// Show the way back at receivers that refuse for reputation or volume instead: from the log's own volume, day by day over
    /// four to six weeks. With --addresses: from which day each address of --engaged gets mail again.
    #[arg(long, conflicts_with_all = NOT_OF_A_LOG)]
    pub(crate) recovery: bool,
    /// A list of addresses with the day of their last reaction (ann@example.net,2026-11-21): these people are written to first.
    #[arg(long, value_name = "FILE", requires = "recovery", conflicts_with_all = NOT_OF_A_LOG)]
    pub(crate) engaged: Option<PathBuf>,
    /// With --recovery: an iCalendar, for your calendar.
    #[arg(long, requires = "recovery", conflicts_with_all = ["format", "json", "addresses"], conflicts_with_all = NOT_OF_A_LOG)]
    pub(crate) ics: bool,
    /// Write the letter to whoever must be asked, instead of the explanation.
    #[arg(long, conflicts_with_all = ["format", "json"])]
    pub(crate) letter: bool,
    /// Tell everything: all steps, what it means to each reader, what articles get wrong.
    #[arg(short, long)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) shape: Shape,
    #[command(flatten)]
    pub(crate) knowledge: Knowledge,
}

/// The form of the output.
#[derive(Debug, Args)]
pub(crate) struct Shape {
    /// The form of the output.
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) format: Option<Format>,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
}

impl Shape {
    pub(crate) fn format(&self) -> Format {
        self.format_or(Format::Text)
    }

    /// The format, or another one where none is asked for.
    pub(crate) fn format_or(&self, other: Format) -> Format {
        if self.json { Format::Json } else { self.format.unwrap_or(other) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One screen for a person.
    Text,
    /// A JSON array.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// A table for spreadsheets.
    Csv,
    /// For a ticket or a wiki.
    Markdown,
}

/// Which knowledge to use.
#[derive(Debug, Args)]
pub(crate) struct Knowledge {
    /// A folder of your own knowledge, laid over the built-in catalog (the same id there wins).
    #[arg(long = "catalog", value_name = "DIR")]
    pub(crate) overlay: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Catalog {
    #[command(subcommand)]
    pub(crate) command: CatalogCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogCommand {
    /// List what is known: causes, remedies, lists, sites, software, rules, codes.
    List {
        /// Only one kind.
        #[arg(value_enum)]
        kind: Option<Kind>,
        #[command(flatten)]
        shape: Shape,
        #[command(flatten)]
        knowledge: Knowledge,
    },
    /// Show one thing whole: a cause, remedy, list, site, software, rule (`google/spf-hard-fail`) or code (`5.7.9`).
    Show {
        /// Its id.
        id: String,
        #[command(flatten)]
        knowledge: Knowledge,
    },
    /// Check the catalog: every example must come back with its own rule. With a folder: the same with it laid over.
    Test {
        /// A folder of the catalog's shape.
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Causes,
    Remedies,
    Lists,
    Sites,
    Software,
    Rules,
    Codes,
}

fn address(text: &str) -> Result<EmailAddress, String> {
    EmailAddress::parse(text).map_err(|error| format!("not a mail address: {error}"))
}

fn kind(text: &str) -> Result<ReportKind, String> {
    text.parse().map_err(|error: redeliver_model::UnknownWord| error.to_string())
}

fn cause(text: &str) -> Result<redeliver_model::Cause, String> {
    text.parse().map_err(|error: redeliver_model::UnknownWord| error.to_string())
}

fn host(text: &str) -> Result<Domain, String> {
    Domain::parse(text).map_err(|error| format!("not a host name: {error}"))
}

fn timestamp(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "not a time: write 2024-05-31 or 2024-05-31T10:00:00Z".to_owned())
}
