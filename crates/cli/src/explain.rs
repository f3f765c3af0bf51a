//! `redeliver explain`: from what a person has to what he is told.

use std::borrow::Cow;
use std::io::{self, BufRead, BufWriter};

use anyhow::{Context, bail};
use redeliver_catalog::{Catalog, Software};
use redeliver_diagnose::{Engine, MOST_BYTES, Ours, Scratch, locate};
use redeliver_intake::{self as intake, Content, Item, Taken};
use redeliver_logs as logs;
use redeliver_message::{Fault, Mail};
use redeliver_model::{self as model, Clock, Origin, Refusal, ReportKind, Timestamp, Unread};
use redeliver_remedies::Volumes;

use crate::arguments::{Explain, Format};
use crate::exit::Exit;
use crate::log::{Filter, LogMemory};
use crate::output;
use crate::progress::Bar;
use crate::sink::{Sink, Wanted};
use crate::telling::{ForLetter, Found, Teller};

/// Runs the command.
pub(crate) fn run(arguments: &Explain, clock: &dyn Clock) -> anyhow::Result<Exit> {
    let nothing_given = arguments.files.is_empty() && arguments.reply.is_empty() && arguments.replies.is_none();
    if arguments.recovery && arguments.addresses && arguments.engaged.is_none() {
        bail!("--recovery --addresses needs the list: --engaged FILE, with lines such as ann@example.net,2026-11-21");
    }
    if nothing_given && io::IsTerminal::is_terminal(&io::stdin()) {
        bail!(
            "nothing to explain: give a reply, for example\n  redeliver explain --reply '550 5.1.1 User unknown'\nor a bounce mail, or pipe a text in; `redeliver explain --help` shows more"
        );
    }
    let engine = engine(arguments)?;
    let own_software = own_software(&engine, arguments)?;
    let mut ours = Ours::default();
    for word in &arguments.ours {
        ours.add(word).context("--ours")?;
    }
    let out = BufWriter::with_capacity(256 * 1024, io::stdout().lock());
    let wanted = match arguments {
        Explain { recovery: true, .. } => Wanted::Recovery,
        Explain { addresses: true, .. } => Wanted::Addresses,
        Explain { summary: true, .. } => Wanted::Summary,
        Explain { each: true, .. } | Explain { letter: true, .. } => Wanted::Each,
        _ => Wanted::AsFits,
    };
    let format = arguments.shape.format_or(if wanted == Wanted::Addresses { Format::Csv } else { Format::Text });
    let sink = Sink::new(out, format, output::style(arguments.verbose), wanted)?;
    let now = clock.now();
    let mut session = Session {
        engine: &engine,
        scratch: Scratch::default(),
        arguments,
        format,
        own_software,
        ours,
        now,
        sink,
        read: 0,
        unread: 0,
        logs: LogMemory::default(),
        volumes: arguments.recovery.then(Volumes::default),
        filter: Filter {
            since: arguments.since.as_deref().map(|text| since(text, now)).transpose()?,
            site: arguments.site.clone(),
            cause: arguments.cause,
            sender: arguments.from.clone(),
        },
    };
    if let Some(list) = &arguments.replies {
        session.list(list)?;
    } else {
        for text in &arguments.reply {
            session.given(text)?;
        }
        let stdin = [std::path::PathBuf::from("-")];
        session.files(if nothing_given { &stdin } else { &arguments.files })?;
    }
    if arguments.recovery {
        session.recovery()?;
    } else {
        session.suspects();
    }
    let (read, unread) = (session.read, session.unread);
    if read > 0 && !session.filter.is_open() && session.sink.told_nothing() {
        output::complain(&format!("read {read}, and none of it passes --since, --site, --cause and --from"));
    }
    session.sink.finish()?;
    Ok(match (read, unread) {
        (_, 0) => Exit::Fine,
        (0, _) => Exit::Usage,
        _ => Exit::Findings,
    })
}

/// More than one line, or events: a log, and not a line pasted from one.
fn is_several(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii();
    text.contains(&b'\n') || text.starts_with(b"{") || text.starts_with(b"[")
}

/// The longest text without any code that is taken for what a server said: a notice in plain words. Longer ones are some other
/// file, in which words such as "rejected" say nothing.
const LONGEST_WITHOUT_CODE: usize = 2000;

/// Some other file than a reply.
fn is_no_reply(text: &str) -> bool {
    text.len() > LONGEST_WITHOUT_CODE && {
        let reply = locate(text).refusal.reply;
        reply.code.is_none() && reply.enhanced.is_none()
    }
}

/// `24h`, `90m`, `7d`, or a moment.
fn since(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    if let Some(time) = Timestamp::parse(text) {
        return Ok(time);
    }
    let unit = match text.as_bytes().last() {
        Some(b'm') => 60,
        Some(b'h') => 3600,
        Some(b'd') => 86_400,
        _ => 0,
    };
    match text.get(..text.len().saturating_sub(1)).and_then(|number| number.parse::<i64>().ok()) {
        Some(number) if unit > 0 && number >= 0 => Ok(Timestamp(now.0.saturating_sub(number.saturating_mul(unit)))),
        _ => bail!("--since {text}: write 90m, 24h, 7d, 2024-05-31 or 2024-05-31T10:00:00Z"),
    }
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

/// Where results go.
type Out = Sink<BufWriter<io::StdoutLock<'static>>>;

pub(crate) struct Session<'e> {
    pub(crate) engine: &'e Engine,
    pub(crate) scratch: Scratch,
    pub(crate) arguments: &'e Explain,
    pub(crate) format: Format,
    pub(crate) own_software: Option<&'e Software>,
    pub(crate) ours: Ours,
    pub(crate) now: Timestamp,
    pub(crate) sink: Out,
    pub(crate) read: u64,
    pub(crate) unread: u64,
    pub(crate) logs: LogMemory,
    /// What went where, if the way back is asked for.
    pub(crate) volumes: Option<Volumes>,
    pub(crate) filter: Filter,
}

impl Session<'_> {
    /// A text from the command line.
    fn given(&mut self, text: &str) -> anyhow::Result<()> {
        let origin = Origin { source: Cow::Borrowed("--reply"), ..Origin::default() };
        if text.len() > MOST_BYTES {
            let words = format!("a reply has {MOST_BYTES} bytes at most, this text has {}", text.len());
            return self.fault(origin, "too-long", words);
        }
        match intake::decode(text.as_bytes()) {
            Ok(_) => self.text(origin, text),
            Err(fault) => self.fault(origin, fault.code, fault.text),
        }
    }

    /// Files, folders, mailboxes, archives.
    fn files(&mut self, paths: &[std::path::PathBuf]) -> anyhow::Result<()> {
        if paths.is_empty() {
            return Ok(());
        }
        let items = intake::items(paths, intake::Options::default());
        let bar = Bar::new(items.progress(), self.sink.is_silent());
        for taken in items {
            bar.show(self.read + self.unread);
            match taken {
                Taken::Fault(unread) => bar.above(|| self.not_read(&unread))?,
                Taken::Item(Item { origin, content, .. }) => self.item(origin, content)?,
            }
        }
        bar.finish();
        Ok(())
    }

    fn item(&mut self, origin: Origin<'_>, content: Content) -> anyhow::Result<()> {
        match content {
            Content::Mail(bytes) => self.mail(&origin, &bytes),
            Content::Text(bytes) => match (logs::recognise(&bytes), intake::decode(&bytes)) {
                (Some(format), _) if is_several(&bytes) => self.log(&origin, format, Box::new(io::Cursor::new(bytes))),
                (_, Ok(text)) if is_no_reply(&text) => {
                    let words = "no server's reply is in it, for there is no code such as 550 or 5.1.1; give the bounce mail itself, or the reply with --reply 'TEXT'";
                    self.fault(origin, "no-reply", words)
                }
                (_, Ok(text)) => self.text(origin, &text),
                (_, Err(fault)) => self.fault(origin, fault.code, fault.text),
            },
            Content::Lines(mut reader) => {
                let format = logs::recognise(reader.fill_buf()?);
                let Some(format) = format else {
                    let words = "these lines are of no log that is known; for one reply a line use --replies FILE";
                    return self.fault(origin, "unknown-log", words);
                };
                self.sink.prefer_summary();
                self.log(&origin, format, reader)
            }
        }
    }

    /// A file with one reply a line.
    fn list(&mut self, path: &std::path::Path) -> anyhow::Result<()> {
        let name = path.to_string_lossy().into_owned();
        match intake::open_lines(path) {
            Ok(mut reader) => self.lines(&name, &mut *reader),
            Err(fault) => self.fault(Origin { source: Cow::Owned(name), ..Origin::default() }, fault.code, fault.text),
        }
    }

    /// One reply a line.
    fn lines(&mut self, name: &str, reader: &mut dyn BufRead) -> anyhow::Result<()> {
        let origin = |line| Origin { source: Cow::Borrowed(name), member: None, line };
        let mut bytes = Vec::new();
        let mut number = 0;
        // Blank lines count as empty replies only where something follows: a file may end in some.
        let mut blank = Vec::new();
        while let Some(length) = intake::read_line(reader, &mut bytes)? {
            number += 1;
            if bytes.iter().all(u8::is_ascii_whitespace) && length == bytes.len() {
                blank.push(number);
                continue;
            }
            for line in blank.drain(..) {
                self.fault(origin(Some(line)), "empty", "the line is empty")?;
            }
            let origin = origin(Some(number));
            if length > intake::LONGEST_LINE {
                let words =
                    format!("a line with one reply has {} bytes at most, this one has {length}", intake::LONGEST_LINE);
                self.fault(origin, "too-long", words)?;
                continue;
            }
            match intake::decode(&bytes) {
                Ok(text) => self.text(origin, &text)?,
                Err(fault) => self.fault(origin, fault.code, fault.text)?,
            }
        }
        if number == blank.len() as u64 {
            self.fault(origin(None), "empty", "there is no reply in it")?;
        }
        Ok(())
    }

    pub(crate) fn fault(
        &mut self,
        origin: Origin<'_>,
        code: &str,
        text: impl Into<Cow<'static, str>>,
    ) -> anyhow::Result<()> {
        self.not_read(&Unread { origin, code, text: text.into() })
    }

    fn not_read(&mut self, unread: &Unread<'_>) -> anyhow::Result<()> {
        self.unread += 1;
        if self.format == Format::Text || self.sink.is_silent() || self.arguments.letter {
            self.sink.flush()?;
            output::complain(&redeliver_report::text_unread(unread));
        }
        if self.arguments.letter || (self.format == Format::Text && !self.sink.is_silent()) {
            return Ok(());
        }
        Ok(self.sink.unread(unread)?)
    }

    /// A text with a reply in it.
    fn text(&mut self, origin: Origin<'_>, text: &str) -> anyhow::Result<()> {
        let located = locate(text);
        let kind = self.arguments.kind.unwrap_or(ReportKind::Refusal);
        self.explain(origin, kind, located.refusal, [located.before, located.after])
    }

    /// A whole mail.
    fn mail(&mut self, origin: &Origin<'_>, bytes: &[u8]) -> anyhow::Result<()> {
        let mut mail = Mail::read(bytes);
        let prepared;
        if !mail.is_as_it_should_be(bytes) {
            prepared = redeliver_message::prepare(bytes);
            mail = Mail::read(&prepared);
        }
        let reading = redeliver_diagnose::read_mail(&mail, &self.ours, self.arguments.kind);
        let beyond = mail.faults.iter().any(|fault| matches!(fault, Fault::TooManyParts | Fault::TooDeep));
        let too_complex = beyond || reading.is_too_complex();
        let is_cut = mail.faults.contains(&Fault::TooLarge)
            && reading.told.iter().all(|told| told.kind == ReportKind::NotABounce || told.refusal.reply.code.is_none());
        let others = reading.others.into_iter().map(|other| (other.told, other.words));
        for (all, words) in std::iter::once((reading.told, reading.words)).chain(others) {
            for told in all {
                self.explain(origin.clone(), told.kind, told.refusal, [&words, ""])?;
            }
        }
        if too_complex {
            let words = "it is too complex: only its first parts, recipients and the starts of long replies were read";
            self.fault(origin.clone(), "too-complex", words)?;
        }
        if is_cut {
            let words = "only the first 8 MB of this mail were read, and there is no server's reply in them";
            self.fault(origin.clone(), "too-long", words)?;
        }
        Ok(())
    }

    /// Tells one refusal to `then`.
    pub(crate) fn tell<R>(
        &mut self,
        origin: Origin<'_>,
        kind: ReportKind,
        refusal: &Refusal<'_>,
        around: [&str; 2],
        then: impl FnOnce(&model::Explanation<'_>, &ForLetter<'_>) -> R,
    ) -> R {
        let teller = Teller { engine: self.engine, now: self.now };
        teller.tell(Found { origin, kind, refusal, own_software: self.own_software, around }, &mut self.scratch, then)
    }

    pub(crate) fn explain(
        &mut self,
        origin: Origin<'_>,
        kind: ReportKind,
        mut refusal: Refusal<'_>,
        around: [&str; 2],
    ) -> anyhow::Result<()> {
        self.add_given(&mut refusal);
        let Self { engine, scratch, sink, now, arguments, own_software, filter, .. } = self;
        let teller = Teller { engine, now: *now };
        let found = Found { origin: origin.clone(), kind, refusal: &refusal, own_software: *own_software, around };
        let written = teller.tell(found, scratch, |told, for_letter| {
            let accepted = told.refusal.reply.code.filter(|code| (200..400).contains(code));
            if let Some(code) = accepted.filter(|_| told.causes.first().is_some_and(|first| first.confidence < 0.5)) {
                return Ok(Some(code));
            }
            let passes = filter.is_open()
                || told.causes.first().is_some_and(|first| {
                    let refusal = &told.refusal;
                    filter.takes(refusal.time, &redeliver_report::place(told), first.cause, refusal.sender.as_deref())
                });
            if !passes {
                return anyhow::Ok(None);
            }
            if arguments.letter {
                letter(engine, sink, for_letter)?;
            } else {
                sink.explanation(told)?;
            }
            anyhow::Ok(None)
        })?;
        let Some(code) = written else {
            self.read += 1;
            return Ok(());
        };
        let words = format!("the server did not refuse: {code} means that it goes on (RFC 5321 4.2.1)");
        self.fault(origin, "not-a-refusal", words)
    }

    /// What was said on the command line wins over what the text says.
    fn add_given(&self, refusal: &mut Refusal<'_>) {
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
}

/// Writes the letter to whoever must be asked.
fn letter(engine: &Engine, sink: &mut Out, about: &ForLetter<'_>) -> anyhow::Result<()> {
    let Some(letter) = redeliver_remedies::letter(engine.catalog(), about.channel, &about.values) else {
        sink.flush()?;
        output::complain(
            "nobody needs to be asked in this case, so there is no letter; without --letter you see the steps",
        );
        return Ok(());
    };
    // Line by line: a line end in a stranger's value must not begin a field or a paragraph.
    let visible = redeliver_report::visible;
    let mut parts = vec![format!("To: {}\nSubject: {}", visible(&letter.to), visible(&letter.subject))];
    parts.extend(letter.body.iter().map(|paragraph| visible(paragraph).into_owned()));
    Ok(sink.plain(&parts.join("\n\n"))?)
}
