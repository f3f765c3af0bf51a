//! `redeliver explain`: from what a person has to what he is told.

use std::borrow::Cow;
use std::io::{self, BufWriter};

use anyhow::{Context, bail};
use redeliver_catalog::{Catalog, Software};
use redeliver_diagnose::{Engine, Ours, Scratch, locate};
use redeliver_model::{Clock, Origin, Refusal, ReportKind, Timestamp, Unread};

use crate::arguments::{Explain, Format};
use crate::exit::Exit;
use crate::input;
use crate::output;
use crate::sink::Sink;
use crate::telling::{ForLetter, Found, Teller};

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
    let mut ours = Ours::default();
    for word in &arguments.ours {
        ours.add(word).context("--ours")?;
    }
    let out = BufWriter::with_capacity(256 * 1024, io::stdout().lock());
    let format = arguments.shape.format();
    let sink = Sink::new(out, format, output::style(arguments.verbose))?;
    let mut session = Session {
        engine: &engine,
        scratch: Scratch::default(),
        arguments,
        own_software,
        ours,
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

/// Where results go.
type Out = Sink<BufWriter<io::StdoutLock<'static>>>;

struct Session<'e> {
    engine: &'e Engine,
    scratch: Scratch,
    arguments: &'e Explain,
    own_software: Option<&'e Software>,
    ours: Ours,
    now: Timestamp,
    sink: Out,
    read: u64,
    unread: u64,
}

impl Session<'_> {
    /// A text from the command line.
    fn given(&mut self, text: &str) -> anyhow::Result<()> {
        let origin = Origin { source: Cow::Borrowed("--reply"), ..Origin::default() };
        match input::check_text(text) {
            Ok(()) => self.text(origin, text),
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
        if input::is_mail(&bytes) {
            return self.mail(&origin, &bytes);
        }
        match input::decode(&bytes) {
            Ok(text) => self.text(origin, &text),
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
                Ok(text) => self.text(origin, &text)?,
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

    /// A text with a reply in it.
    fn text(&mut self, origin: Origin<'_>, text: &str) -> anyhow::Result<()> {
        let located = locate(text);
        let mut own_software = self.own_software;
        for words in [located.before, located.after].into_iter().filter(|words| !words.trim().is_empty()) {
            own_software = own_software.or_else(|| self.engine.software_of(words, &mut self.scratch));
        }
        let kind = self.arguments.kind.unwrap_or(ReportKind::Refusal);
        self.explain(origin, kind, located.refusal, own_software)
    }

    /// A whole mail.
    fn mail(&mut self, origin: &Origin<'_>, bytes: &[u8]) -> anyhow::Result<()> {
        let bytes = redeliver_message::unwrap_encoded_messages(bytes);
        let mail = redeliver_message::Mail::read(&bytes);
        let reading = redeliver_diagnose::read_mail(&mail, &self.ours, self.arguments.kind);
        let own_software = self.own_software.or_else(|| self.engine.software_of(&reading.words, &mut self.scratch));
        for told in reading.told {
            self.explain(origin.clone(), told.kind, told.refusal, own_software)?;
        }
        Ok(())
    }

    fn explain(
        &mut self,
        origin: Origin<'_>,
        kind: ReportKind,
        mut refusal: Refusal<'_>,
        own_software: Option<&Software>,
    ) -> anyhow::Result<()> {
        self.add_given(&mut refusal);
        let Self { engine, scratch, sink, now, arguments, .. } = self;
        let teller = Teller { engine, now: *now };
        let found = Found { origin: origin.clone(), kind, refusal: &refusal, own_software };
        let written = teller.tell(found, scratch, |told, for_letter| {
            let accepted = told.refusal.reply.code.filter(|code| (200..400).contains(code));
            if let Some(code) = accepted.filter(|_| told.causes.first().is_some_and(|first| first.confidence < 0.5)) {
                return Ok(Some(code));
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
        self.fault(origin, ("not-a-refusal", words))
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
    let mut text = format!("To: {}\nSubject: {}\n", letter.to, letter.subject);
    for paragraph in &letter.body {
        text.push('\n');
        text.push_str(paragraph);
        text.push('\n');
    }
    let shown: Vec<_> = text.lines().map(redeliver_report::visible).collect();
    Ok(sink.plain(&shown.join("\n"))?)
}
