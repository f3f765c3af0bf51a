//! `redeliver check`: from targets as typed to findings as shown. What is looked at, and what it means, is for `checks`.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use redeliver_catalog::Catalog;
use redeliver_checks::{Checker, Known, KnownBy, Scope, Target};
use redeliver_diagnose::Engine;
use redeliver_model::{CheckResult, Clock, Domain, EmailAddress, Finding, Origin, Unread};
use redeliver_net::dns::Resolver;
use redeliver_net::smtp::{SmtpClient, SmtpPatience};
use redeliver_net::tls::{Roots, Tls};
use redeliver_net::world::{Tape, World};
use redeliver_net::{Guard, Net};

use crate::check_arguments::Check;
use crate::check_output::{self, Checked};
use crate::exit::Exit;

/// How long a mail server may take to answer the dial. Who waits for a report waits no longer; a greeting may take 30 seconds.
const DIAL: Duration = Duration::from_secs(4);
/// The longest list of targets: a provider's customers.
const MOST_TARGETS: usize = 100_000;
/// The largest message: twice what the most generous providers take.
const LARGEST_MESSAGE: u64 = 64 * 1024 * 1024;
/// The most lines of header fields of a message: honest mail has some hundred, and each is kept with what surrounds it.
const MOST_FIELD_LINES: usize = 20_000;
/// The largest file of list keys.
const LARGEST_KEYS: u64 = 64 * 1024;

/// Runs the command.
pub(crate) fn run(arguments: &Check, clock: &Arc<dyn Clock>) -> anyhow::Result<Exit> {
    let (targets, unread) = targets(arguments)?;
    if targets.is_empty() && unread.is_empty() {
        bail!("nothing to check: there is no target in the list");
    }
    let engine = match &arguments.knowledge.overlay {
        None => Engine::builtin()?,
        Some(folder) => {
            let catalog = Catalog::builtin()?.with_overlay(folder);
            Engine::new(catalog.with_context(|| format!("--catalog {}", folder.display()))?)
        }
    };
    let guard = guard(arguments);
    let (net, tape) = net(arguments, &guard, clock.clone())?;
    let checker = Checker { net, guard, engine: &engine, scope: scope(arguments)?, now: clock.now() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bar = check_output::bar(targets.len());
    let findings = runtime.block_on(checker.check_all(&targets, |done| bar.set_position(done as u64)));
    bar.finish_and_clear();
    if let Some(tape) = tape {
        tape.finish().context("--record")?;
    }
    let all: Vec<Checked> =
        targets.into_iter().zip(findings).map(|((target, ..), findings)| Checked { target, findings }).collect();
    check_output::write(arguments, &all, &unread)?;
    Ok(exit(&all, !unread.is_empty()))
}

/// Worst of: 2 nothing could be read, 1 findings, 3 could not ask, 0.
fn exit(checked: &[Checked], some_unread: bool) -> Exit {
    let any = |wanted: fn(&Finding) -> bool| checked.iter().flat_map(|one| &one.findings).any(wanted);
    match (checked.is_empty(), some_unread) {
        (true, true) => Exit::Usage,
        _ if some_unread || any(Finding::is_wrong) => Exit::Findings,
        _ if any(|finding| finding.result == CheckResult::CouldNotAsk) => Exit::CouldNotAsk,
        _ => Exit::Fine,
    }
}

/// Why a target is not taken: a stable word, and a sentence.
type Fault = (&'static str, String);

type Named = (String, Target, Known);

/// Reads the targets; those that cannot be read are told, and the rest is looked at.
fn targets(arguments: &Check) -> anyhow::Result<(Vec<Named>, Vec<Unread<'static>>)> {
    let mut words: Vec<(String, Option<u64>)> = arguments.given.iter().map(|word| (word.clone(), None)).collect();
    if let Some(list) = &arguments.targets {
        let mut reader = match redeliver_intake::open_lines(list) {
            Ok(reader) => reader,
            Err(fault) => bail!("--targets {}: {}", list.display(), fault.text),
        };
        let (mut line, mut number) = (Vec::new(), 0);
        while redeliver_intake::read_line(&mut *reader, &mut line)?.is_some() {
            number += 1;
            let text = String::from_utf8_lossy(&line);
            let word = text.split('#').next().unwrap_or_default().trim();
            if !word.is_empty() {
                words.push((word.to_owned(), Some(number)));
            }
            if words.len() > MOST_TARGETS {
                bail!("--targets: more than {MOST_TARGETS} targets");
            }
        }
    }
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    for (word, line) in words {
        match target(arguments, &word) {
            Ok((target, known)) => found.push((word, target, known)),
            Err((code, text)) => {
                let origin = Origin { source: Cow::Owned(word), member: None, line };
                unread.push(Unread { origin, code, text: text.into() });
            }
        }
    }
    Ok((found, unread))
}

fn target(arguments: &Check, word: &str) -> Result<(Target, Known), Fault> {
    let mut known = Known {
        ip: arguments.ip.map(|ip| (ip, KnownBy::Given)),
        helo: arguments.helo.clone(),
        mail_from: arguments.mail_from.clone(),
        selectors: arguments.selector.clone(),
        daily: arguments.daily,
    };
    let path = Path::new(word);
    let eml = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("eml"));
    if word == "-" || word.contains('/') || eml {
        return message(path).map(|bytes| (Target::Message { bytes }, known));
    }
    let bare = word.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok((Target::Address(ip), known));
    }
    let wrong = |error: &dyn std::fmt::Display| {
        ("no-target", format!("it is neither a domain nor an IP, nor a file that is called .eml: {error}"))
    };
    let domain = if word.contains('@') {
        let address = EmailAddress::parse(word).map_err(|error| wrong(&error))?;
        known.mail_from.get_or_insert_with(|| address.to_string());
        address.domain().clone()
    } else {
        Domain::parse(word).map_err(|error| wrong(&error))?
    };
    let target = if arguments.recipient { Target::Recipient(domain) } else { Target::Domain(domain) };
    Ok((target, known))
}

/// Reads a file with one message; `-` is standard input.
fn message(path: &Path) -> Result<Vec<u8>, Fault> {
    let fault = |error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound => ("not-found", "there is no such file".to_owned()),
        io::ErrorKind::PermissionDenied => ("not-allowed", "you may not read this file".to_owned()),
        _ => ("io", error.to_string()),
    };
    let mut reader: Box<dyn io::Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(|error| fault(&error))?)
    };
    let mut bytes = Vec::new();
    reader.by_ref().take(LARGEST_MESSAGE + 1).read_to_end(&mut bytes).map_err(|error| fault(&error))?;
    if bytes.len() as u64 > LARGEST_MESSAGE {
        return Err(("too-long", "the message is larger than 64 MB".to_owned()));
    }
    let fields = memchr::memmem::find(&bytes, b"\n\n").into_iter().chain(memchr::memmem::find(&bytes, b"\n\r\n")).min();
    let lines = memchr::memchr_iter(b'\n', &bytes[..fields.unwrap_or(bytes.len())]).count();
    if lines > MOST_FIELD_LINES {
        return Err(("too-complex", format!("the message has more than {MOST_FIELD_LINES} lines of header fields")));
    }
    if !redeliver_intake::is_mail(&bytes) {
        return Err(("no-mail", "this is no message: it must begin with its header fields".to_owned()));
    }
    Ok(bytes)
}

fn guard(arguments: &Check) -> Guard {
    let guard = Guard::default().assume_public(arguments.assume_public.clone());
    if arguments.net_allow.is_empty() { guard } else { guard.allow_only(arguments.net_allow.clone()) }
}

/// The network, real or recorded, and the tape if it is to be written down.
fn net(arguments: &Check, guard: &Guard, clock: Arc<dyn Clock>) -> anyhow::Result<(Net, Option<Arc<Tape>>)> {
    if let Some(path) = &arguments.world {
        let shown = || format!("--world {}", path.display());
        let file = File::open(path).with_context(shown)?;
        return Ok((Net::played(World::read(BufReader::new(file)).with_context(shown)?), None));
    }
    let resolver = if arguments.resolver.is_empty() {
        Resolver::of_this_machine(guard.clone())
    } else {
        Resolver::new(arguments.resolver.clone(), guard.clone())
    };
    let roots = match &arguments.ca_file {
        None => Roots::of_this_machine(),
        Some(path) => {
            let pem = std::fs::read(path).with_context(|| format!("--ca-file {}", path.display()))?;
            Roots::from_pem(&pem)
        }
    };
    let tls = Tls::new(roots, clock);
    let mut net = Net::real(guard, resolver, tls.clone());
    let patience = SmtpPatience { connect: DIAL, ..SmtpPatience::LOOK };
    net.smtp = Arc::new(SmtpClient::new(guard.clone(), tls).with_patience(patience));
    let Some(path) = &arguments.record else { return Ok((net, None)) };
    let file = File::create(path).with_context(|| format!("--record {}", path.display()))?;
    let tape = Arc::new(Tape::new(Box::new(BufWriter::new(file))));
    Ok((net.recorded(&tape), Some(tape)))
}

fn scope(arguments: &Check) -> anyhow::Result<Scope> {
    let mut scope = Scope {
        connect: !arguments.no_connect,
        open_relay: arguments.open_relay,
        rdap: arguments.rdap,
        all_lists: arguments.all_lists,
        ..Scope::default()
    };
    if let Some(name) = arguments.own_name.clone().or_else(own_name) {
        scope.own_name = name;
    }
    if let Some(path) = &arguments.list_keys {
        scope.list_keys = list_keys(path)?;
    }
    Ok(scope)
}

/// This machine's name, if it is a full one.
fn own_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Domain::parse(&name).ok().map(|name| name.to_string()).filter(|name| name.contains('.'))
}

fn list_keys(path: &PathBuf) -> anyhow::Result<std::collections::BTreeMap<String, String>> {
    let shown = || format!("--list-keys {}", path.display());
    let mut text = String::new();
    File::open(path).with_context(shown)?.take(LARGEST_KEYS).read_to_string(&mut text).with_context(shown)?;
    let mut keys = std::collections::BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (None, ..) => {}
            (Some(zone), Some(key), None) => {
                keys.insert(zone.to_ascii_lowercase(), key.to_owned());
            }
            // The key itself is a secret: the line is named, not shown.
            _ => bail!(
                "--list-keys {}, line {}: a zone and a key, with a blank between them",
                path.display(),
                number + 1
            ),
        }
    }
    Ok(keys)
}
