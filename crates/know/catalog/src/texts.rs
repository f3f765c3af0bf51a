//! Compiles what is said to people beside causes and remedies: letters, reports that are no refusal, words for unknown values.

use std::collections::BTreeMap;

use redeliver_model::{Cause, ReportKind};
use toml::Spanned;

use crate::compile::{Build, keep, put, texts};
use crate::entries::{Letter, ReportEntry, Text};
use crate::sentence::Parameter;
use crate::source::{LetterFile, ReportFile, SourceFile, WordingsFile, WordsFile};

/// The entry about refusals behind a forwarder, which are no kind of their own.
pub const FORWARDED: &str = "forwarded";

/// The entry about refusals that our own server gave.
pub const BY_US: &str = "by-us";

impl Build<'_> {
    pub(crate) fn report(&mut self, file: &SourceFile, source: &ReportFile) {
        let (id, at) = (source.id.get_ref(), source.id.span().start);
        self.id(file, "report", id, at);
        if id.parse::<ReportKind>().is_err() && id != FORWARDED && id != BY_US {
            self.problem(file, at, format!("`{id}` is no kind of report"));
        }
        let en = &source.en;
        let entry = ReportEntry {
            id: keep(id),
            fault: source.fault,
            act: source.act,
            remedies: self.remedy_ids(file, &source.remedies),
            source: keep(&source.source),
            title: self.sentence(file, &en.title),
            summary: self.sentence(file, &en.summary),
            actor: self.sentence(file, &en.actor),
            author: self.sentence(file, &en.author),
            hosted: self.sentence(file, &en.hosted),
            administrator: self.sentence(file, &en.administrator),
        };
        put(&mut self.catalog.reports, entry, |report| report.id);
    }

    pub(crate) fn letter(&mut self, file: &SourceFile, source: &LetterFile) {
        let entry = Letter {
            channel: *source.channel.get_ref(),
            way: self.sentence(file, &source.en.way),
            to: self.sentence(file, &source.en.to),
            subject: self.sentence(file, &source.en.subject),
            body: source.en.body.iter().map(|paragraph| self.sentence(file, paragraph)).collect(),
        };
        if entry.channel.as_str() != file.stem() {
            self.problem(file, source.channel.span().start, "the channel is not the file's name");
        }
        put(&mut self.catalog.letters, entry, |letter| letter.channel);
    }

    pub(crate) fn wordings(&mut self, file: &SourceFile, source: &WordingsFile) {
        let Ok(cause) = file.stem().parse::<Cause>() else {
            self.problem(file, 0, format!("the file's name `{}` is no cause", file.stem()));
            return;
        };
        for text in source.said.iter().filter(|text| text.get_ref().trim().is_empty()) {
            self.problem(file, text.span().start, "the text is empty");
        }
        // An operator's sentences come on top of ours.
        self.catalog.wordings.push((cause, texts(&source.said)));
    }

    pub(crate) fn words(&mut self, file: &SourceFile, source: &WordsFile) {
        self.catalog.words = self.word_table(file, &source.en);
        self.catalog.letter_words = self.word_table(file, &source.letter);
    }

    fn word_table(&mut self, file: &SourceFile, source: &BTreeMap<Spanned<String>, String>) -> Vec<Text> {
        let mut words = vec![""; Parameter::ALL.len()];
        for (name, text) in source {
            match Parameter::named(name.get_ref()) {
                Some(parameter) => words[parameter as usize] = keep(text),
                None => self.problem(file, name.span().start, format!("`{}` is not a parameter", name.get_ref())),
            }
        }
        for parameter in Parameter::ALL.into_iter().filter(|parameter| words[*parameter as usize].is_empty()) {
            self.problem(file, 0, format!("no words for `{}`", parameter.as_str()));
        }
        words
    }
}
