//! The files of the catalog as they are written: folders, TOML, places of the ids.

use std::collections::BTreeMap;
use std::path::Path;

use redeliver_model::{About, Act, AddressIsBad, Cause, Fault, Retry, Scope, Stage, Subject};
use serde::Deserialize;
use toml::Spanned;

use crate::entries::{Channel, ListLife, ListStatus, Lists, SettingSide, Weight, Who};
use crate::problem::Problem;

/// One file: its path below the catalog folder, its text, and what it holds.
pub struct SourceFile {
    /// For example `sites/google.toml`.
    pub path: String,
    /// The whole text, to find lines by place.
    pub text: String,
    /// What was read.
    pub content: Content,
}

impl SourceFile {
    /// The file name without its ending.
    pub fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.strip_suffix(".toml").unwrap_or(name)
    }

    /// A problem at a place in the text.
    pub fn problem(&self, at: usize, reason: impl Into<String>) -> Problem {
        Problem { file: self.path.clone(), line: line_at(&self.text, at), reason: reason.into() }
    }
}

/// What the folders hold.
pub enum Content {
    Cause(Box<CauseFile>),
    Remedy(RemedyFile),
    Blocklist(Box<BlocklistFile>),
    Site(SiteFile),
    Software(SoftwareFile),
    Phrases(PhrasesFile),
    Codes(CodesFile),
    Letter(LetterFile),
    Report(Box<ReportFile>),
    Words(WordsFile),
    Wordings(WordingsFile),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CauseFile {
    pub id: Spanned<Cause>,
    pub subject: Subject,
    pub scope: Scope,
    pub fault: Fault,
    pub act: Act,
    pub retry: Retry,
    pub address_is_bad: AddressIsBad,
    pub about: About,
    pub reply: Spanned<String>,
    pub settled_by: Vec<Spanned<String>>,
    pub confirms: String,
    pub refutes: String,
    pub remedies: Vec<Spanned<String>>,
    pub source: String,
    #[serde(default)]
    pub myth: Vec<MythFile>,
    pub en: CauseTexts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MythFile {
    pub says: String,
    pub truth: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CauseTexts {
    pub title: Spanned<String>,
    pub summary: Spanned<String>,
    pub actor: Spanned<String>,
    pub author: Spanned<String>,
    pub hosted: Spanned<String>,
    pub administrator: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportFile {
    pub id: Spanned<String>,
    pub fault: Fault,
    pub act: Act,
    pub remedies: Vec<Spanned<String>>,
    pub source: String,
    pub en: CauseTexts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemedyFile {
    pub id: Spanned<String>,
    pub who: Who,
    pub proves: Option<Spanned<String>>,
    pub channel: Channel,
    #[serde(default)]
    pub subjects: Vec<Subject>,
    pub list: Option<ListLife>,
    pub source: String,
    pub en: RemedyTexts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemedyTexts {
    pub title: Spanned<String>,
    pub steps: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlocklistFile {
    pub zone: Spanned<String>,
    pub name: String,
    pub lists: Lists,
    pub status: ListStatus,
    pub dead_since: Option<Spanned<String>>,
    #[serde(default)]
    pub weight: Weight,
    pub test_listed: Option<String>,
    pub test_clean: Option<String>,
    pub note: String,
    pub removal: Option<String>,
    pub who_may_ask: String,
    pub expires: Option<String>,
    pub source: String,
    pub phrases: Vec<Spanned<String>>,
    pub cause: Option<Cause>,
    #[serde(default)]
    pub answers: BTreeMap<String, String>,
    #[serde(default)]
    pub non_answers: BTreeMap<String, String>,
    #[serde(default)]
    pub rule: Vec<RuleFile>,
    #[serde(default)]
    pub trailer: Vec<TrailerFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteFile {
    pub id: Spanned<String>,
    pub name: String,
    pub mx: Vec<String>,
    pub marks: Vec<Spanned<String>>,
    #[serde(default)]
    pub form: Vec<FormFile>,
    #[serde(default)]
    pub fact: Vec<FactFile>,
    #[serde(default)]
    pub rule: Vec<RuleFile>,
    #[serde(default)]
    pub trailer: Vec<TrailerFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormFile {
    pub name: String,
    pub url: String,
    pub causes: Vec<Cause>,
    pub who: String,
    pub give: String,
    pub takes: Option<String>,
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactFile {
    pub about: Spanned<String>,
    pub text: String,
    pub source: String,
    pub since: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftwareFile {
    pub id: Spanned<String>,
    pub name: String,
    pub marks: Vec<Spanned<String>>,
    #[serde(default)]
    pub setting: Vec<SettingFile>,
    #[serde(default)]
    pub rule: Vec<RuleFile>,
    #[serde(default)]
    pub trailer: Vec<TrailerFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingFile {
    pub cause: Cause,
    pub side: SettingSide,
    pub text: String,
    pub command: Option<String>,
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhrasesFile {
    #[serde(default)]
    pub rule: Vec<RuleFile>,
    #[serde(default)]
    pub trailer: Vec<TrailerFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodesFile {
    #[serde(default)]
    pub rule: Vec<RuleFile>,
    #[serde(default)]
    pub code: Vec<CodeFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeFile {
    pub status: Spanned<String>,
    pub meanings: Vec<MeaningFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeaningFile {
    pub site: Spanned<String>,
    pub cause: Cause,
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LetterFile {
    pub channel: Spanned<Channel>,
    pub en: LetterTexts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LetterTexts {
    pub way: Spanned<String>,
    pub to: Spanned<String>,
    pub subject: Spanned<String>,
    pub body: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordingsFile {
    pub said: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordsFile {
    pub en: BTreeMap<Spanned<String>, String>,
    pub letter: BTreeMap<Spanned<String>, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    pub id: Spanned<String>,
    pub cause: Cause,
    pub subject: Option<Subject>,
    pub scope: Option<Scope>,
    pub confidence: Spanned<f32>,
    #[serde(default)]
    pub any: Vec<Spanned<String>>,
    #[serde(default)]
    pub all: Vec<Spanned<String>>,
    #[serde(default)]
    pub not: Vec<Spanned<String>>,
    #[serde(default)]
    pub code: Vec<Spanned<String>>,
    #[serde(default)]
    pub status: Vec<Spanned<String>>,
    #[serde(default)]
    pub stage: Vec<Stage>,
    #[serde(default)]
    pub only_here: bool,
    pub tier: Option<TierWord>,
    #[serde(default)]
    pub also: Vec<AlsoFile>,
    #[serde(default)]
    pub settled_by: Vec<Spanned<String>>,
    pub retry: Option<Retry>,
    pub address_is_bad: Option<AddressIsBad>,
    pub act: Option<Act>,
    pub actor: Option<Spanned<String>>,
    pub fault: Option<Fault>,
    #[serde(default)]
    pub remedies: Vec<Spanned<String>>,
    pub meaning: Spanned<String>,
    pub source: String,
    pub since: Option<String>,
    pub examples: Vec<Spanned<String>>,
    #[serde(default)]
    pub not_examples: Vec<String>,
}

/// The only kind of evidence that a rule states itself; the others follow from where it stands.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
pub enum TierWord {
    Tag,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlsoFile {
    pub cause: Cause,
    pub confidence: f32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrailerFile {
    pub any: Vec<Spanned<String>>,
    pub source: String,
}

const FOLDERS: [&str; 10] =
    ["causes", "remedies", "blocklists", "sites", "software", "phrases", "wordings", "codes", "letters", "reports"];

/// Reads a folder of the catalog's shape. What cannot be read is a problem, the rest is returned, sorted by path.
pub fn read_folder(root: &Path, problems: &mut Vec<Problem>) -> Vec<SourceFile> {
    let mut files = Vec::new();
    match std::fs::read_dir(root) {
        Ok(_) => {}
        Err(error) => {
            problems.push(Problem { file: root.display().to_string(), line: 0, reason: error.to_string() });
            return files;
        }
    }
    let mut paths = vec![String::from("words.toml")];
    for folder in FOLDERS {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if Path::new(&name).extension().is_some_and(|ending| ending == "toml") && !name.starts_with('.') {
                paths.push(format!("{folder}/{name}"));
            }
        }
    }
    paths.sort();
    for path in paths {
        match read_bounded(&root.join(&path)) {
            Ok(text) => files.extend(read_file(path, text, problems)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => problems.push(Problem { file: path, line: 0, reason: error.to_string() }),
        }
    }
    files
}

/// Largest file of a catalog: ten times the largest of ours.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// Reads an ordinary file that is not too large; devices and pipes would never end.
fn read_bounded(path: &Path) -> std::io::Result<String> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() || metadata.len() > LARGEST_FILE {
        return Err(std::io::Error::other("not an ordinary file of 4 MB at most"));
    }
    std::fs::read_to_string(path)
}

/// Reads one file; its folder says what it is.
pub fn read_file(path: String, text: String, problems: &mut Vec<Problem>) -> Option<SourceFile> {
    let content = match path.split_once('/').map_or("words", |(folder, _)| folder) {
        "causes" => toml::from_str(&text).map(|file| Content::Cause(Box::new(file))),
        "remedies" => toml::from_str(&text).map(Content::Remedy),
        "blocklists" => toml::from_str(&text).map(|file| Content::Blocklist(Box::new(file))),
        "sites" => toml::from_str(&text).map(Content::Site),
        "software" => toml::from_str(&text).map(Content::Software),
        "phrases" => toml::from_str(&text).map(Content::Phrases),
        "wordings" => toml::from_str(&text).map(Content::Wordings),
        "codes" => toml::from_str(&text).map(Content::Codes),
        "letters" => toml::from_str(&text).map(Content::Letter),
        "reports" => toml::from_str(&text).map(|file| Content::Report(Box::new(file))),
        _ => toml::from_str(&text).map(Content::Words),
    };
    match content {
        Ok(content) => Some(SourceFile { path, text, content }),
        Err(error) => {
            let line = error.span().map_or(0, |span| line_at(&text, span.start));
            problems.push(Problem { file: path, line, reason: error.message().trim().to_owned() });
            None
        }
    }
}

/// The number of the line that holds the byte at `at`.
fn line_at(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}
