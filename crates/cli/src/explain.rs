//! `redeliver explain`: from what a person has to what he is told.

use std::borrow::Cow;
use std::io::{self, BufWriter};

use anyhow::{Context, bail};
use redeliver_catalog::{Catalog, ListLife, Parameter, Software};
use redeliver_diagnose::{Diagnosis, Engine, Hypothesis, Scratch, Why, locate};
use redeliver_model::{self as model, Clock, Explanation, Origin, Party, Refusal, ReportKind, Timestamp, Unread};
use redeliver_remedies::{Situation, advise};

use crate::arguments::{Explain, Format};
use crate::exit::Exit;
use crate::input;
use crate::output;
use crate::sink::Sink;

/// Runs the command.
pub(crate) fn run(arguments: &Explain, clock: &dyn Clock) -> anyhow::Result<Exit> {
    let nothing_given = arguments.files.is_empty() && arguments.reply.is_empty() && arguments.replies.is_none();
    if nothing_given && io::IsTerminal::is_terminal(&io::stdin()) {
        bail!(
            "nothing to explain: give a reply, for example\n  redeliver explain --reply '550 5.1.1 User unknown'\nor a file, or pipe a text in; `redeliver explain --help` shows more"
        );
    }
    let engine = engine(arguments)?;
    let own_software = own_software(&engine, arguments)?;
    let out = BufWriter::with_capacity(256 * 1024, io::stdout().lock());
    let format = arguments.shape.format();
    let sink = Sink::new(out, format, output::style(arguments.verbose))?;
    let mut session = Session {
        engine: &engine,
        scratch: Scratch::default(),
        arguments,
        own_software,
        now: clock.now(),
        sink,
        read: 0,
        unread: 0,
    };
    if let Some(list) = &arguments.replies {
        session.list(list)?;
    } else {
        for text in &arguments.reply {
            session.given(text)?;
        }
        let stdin = [std::path::PathBuf::from("-")];
        let files = if nothing_given { &stdin[..] } else { &arguments.files };
        for path in files {
            session.file(path)?;
        }
    }
    let (read, unread) = (session.read, session.unread);
    session.sink.finish()?;
    Ok(match (read, unread) {
        (_, 0) => Exit::Fine,
        (0, _) => Exit::Usage,
        _ => Exit::Findings,
    })
}

fn engine(arguments: &Explain) -> anyhow::Result<Engine> {
    match &arguments.knowledge.overlay {
        None => Ok(Engine::builtin()?),
        Some(folder) => {
            let catalog =
                Catalog::builtin()?.with_overlay(folder).with_context(|| format!("--catalog {}", folder.display()))?;
            Ok(Engine::new(catalog))
        }
    }
}

fn own_software<'e>(engine: &'e Engine, arguments: &Explain) -> anyhow::Result<Option<&'e Software>> {
    let Some(name) = &arguments.software else { return Ok(None) };
    let known =
        |software: &&Software| software.id.eq_ignore_ascii_case(name) || software.name.eq_ignore_ascii_case(name);
    match engine.catalog().software.iter().find(known) {
        Some(software) => Ok(Some(software)),
        None => bail!("--software {name}: not known; `redeliver catalog list software` shows the names"),
    }
}

struct Session<'e> {
    engine: &'e Engine,
    scratch: Scratch,
    arguments: &'e Explain,
    own_software: Option<&'e Software>,
    now: Timestamp,
    sink: Sink<BufWriter<io::StdoutLock<'static>>>,
    read: u64,
    unread: u64,
}

impl Session<'_> {
    /// A text from the command line.
    fn given(&mut self, text: &str) -> anyhow::Result<()> {
        let origin = Origin { source: Cow::Borrowed("--reply"), ..Origin::default() };
        match input::check_text(text) {
            Ok(()) => self.explain(origin, text),
            Err(fault) => self.fault(origin, fault),
        }
    }

    /// A file with one refusal.
    fn file(&mut self, path: &std::path::Path) -> anyhow::Result<()> {
        let name = path.to_string_lossy();
        let origin = Origin { source: name, ..Origin::default() };
        let bytes = match input::read_file(path) {
            Ok(bytes) => bytes,
            Err(fault) => return self.fault(origin, fault),
        };
        match input::decode(&bytes) {
            Ok(text) => self.explain(origin, &text),
            Err(fault) => self.fault(origin, fault),
        }
    }

    /// A file with one reply a line.
    fn list(&mut self, path: &std::path::Path) -> anyhow::Result<()> {
        let name = path.to_string_lossy().into_owned();
        let origin = |line| Origin { source: Cow::Owned(name.clone()), member: None, line };
        let mut reader = match input::open_lines(path) {
            Ok(reader) => reader,
            Err(fault) => return self.fault(origin(None), fault),
        };
        let mut bytes = Vec::new();
        let mut number = 0;
        // Blank lines count as empty replies only where something follows: a file may end in some.
        let mut blank = Vec::new();
        while let Some(length) = input::read_line(&mut *reader, &mut bytes)? {
            number += 1;
            if bytes.iter().all(u8::is_ascii_whitespace) && length == bytes.len() {
                blank.push(number);
                continue;
            }
            for line in blank.drain(..) {
                self.fault(origin(Some(line)), ("empty", "the line is empty".to_owned()))?;
            }
            let origin = Origin { source: Cow::Borrowed(&name), member: None, line: Some(number) };
            if length > input::LONGEST_LINE {
                let words =
                    format!("a line with one reply has {} bytes at most, this one has {length}", input::LONGEST_LINE);
                self.fault(origin, ("too-long", words))?;
                continue;
            }
            match input::decode(&bytes) {
                Ok(text) => self.explain(origin, &text)?,
                Err(fault) => self.fault(origin, fault)?,
            }
        }
        if number == blank.len() as u64 {
            self.fault(origin(None), ("empty", "there is no reply in it".to_owned()))?;
        }
        Ok(())
    }

    fn fault(&mut self, origin: Origin<'_>, (code, text): input::Fault) -> anyhow::Result<()> {
        self.unread += 1;
        let unread = Unread { origin, code, text: Cow::Owned(text) };
        if self.arguments.shape.format() == Format::Text || self.arguments.letter {
            self.sink.flush()?;
            output::complain(&redeliver_report::text_unread(&unread));
            return Ok(());
        }
        Ok(self.sink.unread(&unread)?)
    }

    fn explain(&mut self, origin: Origin<'_>, text: &str) -> anyhow::Result<()> {
        self.read += 1;
        let located = locate(text);
        let around = [located.before, located.after].into_iter().filter(|words| !words.trim().is_empty());
        let mut own_software = self.own_software;
        for words in around {
            own_software = own_software.or_else(|| self.engine.software_of(words, &mut self.scratch));
        }
        let mut refusal = located.refusal;
        self.add_given(&mut refusal);
        let diagnosis = self.engine.diagnose(&refusal, self.now, &mut self.scratch);
        if let Some(code @ 200..400) = refusal.reply.code
            && diagnosis.first().confidence < 0.5
        {
            self.read -= 1;
            let words = format!("the server did not refuse: {code} means that it goes on (RFC 5321 4.2.1)");
            return self.fault(origin, ("not-a-refusal", words));
        }
        let told_refusal = with_facts(&refusal, &diagnosis);
        let mut values = self.engine.values(&diagnosis, &told_refusal);
        let code = refusal.reply.code.map(|code| code.to_string());
        let status = refusal.reply.enhanced.map(|status| status.to_string());
        let ip = told_refusal.client.ip.map(|ip| ip.to_string());
        if ip.is_some() {
            values.set(Parameter::Ip, ip.as_deref());
        }
        values.set(Parameter::Code, code.as_deref());
        values.set(Parameter::Status, status.as_deref());
        let advice = advise(self.engine.catalog(), &situation(&diagnosis, own_software), &values);
        if self.arguments.letter {
            let reply = refusal.reply.to_string();
            let time = refusal.time.map(|time| time.to_string());
            values.set(Parameter::Reply, Some(&reply));
            values.set(Parameter::Time, time.as_deref());
            return self.letter(advice.channel, &values);
        }
        let entry = self.engine.catalog().cause(diagnosis.first().cause);
        let told = Explanation {
            origin,
            kind: ReportKind::Refusal,
            site: diagnosis.site.map(|site| (site.id, site.name)),
            software: diagnosis.software.map(|software| software.name),
            list: diagnosis.list.map(|list| (list.zone, list.name)).or(diagnosis.facts.list.map(|zone| (zone, zone))),
            title: advice.title,
            causes: diagnosis.causes.iter().map(|hypothesis| tell(hypothesis, &values)).collect(),
            scope: diagnosis.scope,
            retry: diagnosis.retry,
            address_is_bad: diagnosis.address_is_bad,
            verdict: advice.verdict,
            for_whom: advice.for_whom,
            settled_by: diagnosis.settled_by.clone(),
            confirms: (entry.confirms, entry.refutes),
            remedies: advice.remedies,
            settings: advice.settings,
            myths: entry.myths.iter().map(|myth| (myth.says, myth.truth)).collect(),
            refusal: told_refusal.clone(),
        };
        Ok(self.sink.explanation(&told)?)
    }

    /// What was said on the command line wins over what the text says.
    fn add_given<'a>(&self, refusal: &mut Refusal<'a>)
    where
        Self: 'a,
    {
        let given = self.arguments;
        if let Some(host) = &given.host {
            refusal.refused_by.host = Some(Cow::Owned(host.to_string()));
        }
        refusal.client.ip = given.ip.or(refusal.client.ip);
        refusal.time = given.time.or(refusal.time);
        if let Some(sender) = &given.sender {
            refusal.sender = Some(Cow::Owned(sender.to_string()));
        }
        if let Some(recipient) = &given.recipient {
            refusal.recipient = Some(Cow::Owned(recipient.to_string()));
        }
    }

    fn letter(
        &mut self,
        channel: redeliver_catalog::Channel,
        values: &redeliver_catalog::Values<'_>,
    ) -> anyhow::Result<()> {
        let Some(letter) = redeliver_remedies::letter(self.engine.catalog(), channel, values) else {
            self.sink.flush()?;
            output::complain(
                "nobody needs to be asked in this case, so there is no letter; without --letter you see the steps",
            );
            return Ok(());
        };
        let mut text = format!("To: {}\nSubject: {}\n", letter.to, letter.subject);
        for paragraph in &letter.body {
            text.push('\n');
            text.push_str(paragraph);
            text.push('\n');
        }
        let shown: Vec<_> = text.lines().map(redeliver_report::visible).collect();
        Ok(self.sink.plain(&shown.join("\n"))?)
    }
}

/// The refusal with what its words name.
fn with_facts<'r>(refusal: &'r Refusal<'_>, diagnosis: &Diagnosis<'_, 'r>) -> Refusal<'r> {
    let facts = &diagnosis.facts;
    let borrowed = |party: &'r Party<'_>| Party {
        host: party.host.as_deref().map(Cow::Borrowed),
        ip: party.ip,
        helo: party.helo.as_deref().map(Cow::Borrowed),
        side: party.side,
    };
    let lines = refusal.reply.lines.iter().map(|line| Cow::Borrowed(line.as_ref())).collect();
    let mut told = Refusal {
        reply: model::Reply { code: refusal.reply.code, enhanced: refusal.reply.enhanced, lines },
        stage: refusal.stage,
        reported_by: borrowed(&refusal.reported_by),
        refused_by: borrowed(&refusal.refused_by),
        client: borrowed(&refusal.client),
        sender: facts.sender.map(Cow::Borrowed),
        recipient: facts.recipient.map(Cow::Borrowed),
        time: refusal.time,
    };
    told.client.ip = told.client.ip.or_else(|| facts.ip.and_then(|ip| ip.parse().ok()));
    told
}

fn situation<'c>(diagnosis: &Diagnosis<'c, '_>, own_software: Option<&'c Software>) -> Situation<'c> {
    let first = diagnosis.first();
    Situation {
        cause: first.cause,
        subject: first.subject,
        act: diagnosis.act,
        fault: diagnosis.fault,
        rule: match first.why {
            Why::Rule(rule) => Some(rule),
            _ => None,
        },
        list: diagnosis
            .list
            .map(|_| if matches!(first.why, Why::DeadList(..)) { ListLife::Dead } else { ListLife::Alive }),
        site: diagnosis.site,
        software: diagnosis.software,
        own_software,
    }
}

/// A hypothesis in words.
fn tell<'c>(hypothesis: &Hypothesis<'c>, values: &redeliver_catalog::Values<'_>) -> model::Hypothesis<'c> {
    let (rule, why): (Option<Cow<'c, str>>, Cow<'c, str>) = match hypothesis.why {
        Why::Rule(rule) => (Some(rule.id.into()), rule.meaning.fill(values)),
        Why::AlsoMeant(rule) => (Some(rule.id.into()), "The same words are also used for this.".into()),
        Why::DeadList(rule, list) => {
            let since = list.dead_since.map_or_else(String::new, |date| format!(" since {date}"));
            let why = format!(
                "{} is closed{since}: nobody is on it, and a receiver that still asks it refuses at random.",
                list.name
            );
            (Some(rule.id.into()), why.into())
        }
        Why::Nearest(rule, likeness) => {
            let example = rule.examples.first().copied().unwrap_or_default();
            let why = format!("No rule fits. Most like ({:.0} %): {example}", likeness * 100.0);
            (Some(format!("nearest:{}", rule.id).into()), why.into())
        }
        Why::Nothing => (None, "The text says nothing that is known.".into()),
    };
    model::Hypothesis {
        cause: hypothesis.cause,
        subject: hypothesis.subject,
        confidence: hypothesis.confidence,
        rule,
        why,
    }
}
