//! Getting the catalog, and finding things in it.

use std::path::Path;

use redeliver_model::Cause;

use crate::compile;
use crate::completeness;
use crate::entries::{Blocklist, Catalog, CauseEntry, Remedy, ReportEntry, Rule, Site, Software};
use crate::problem::Problem;
use crate::source;

/// Why a catalog could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogError {
    /// The packed catalog of this binary cannot be read: the binary is damaged.
    Damaged,
    /// The overlay has problems; none of it is used.
    Overlay(Vec<Problem>),
}

impl std::fmt::Display for CatalogError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Damaged => f.write_str("the catalog inside this binary is damaged: install it again"),
            Self::Overlay(problems) => {
                let (few, more) = problems.split_at(problems.len().min(5));
                f.write_str("the catalog overlay cannot be used:")?;
                few.iter().try_for_each(|problem| write!(f, "\n  {problem}"))?;
                if more.is_empty() { Ok(()) } else { write!(f, "\n  and {} more", more.len()) }
            }
        }
    }
}

impl std::error::Error for CatalogError {}

impl Catalog {
    /// The catalog that the build packed into the binary.
    pub fn builtin() -> Result<Self, CatalogError> {
        static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/catalog.bin"));
        postcard::from_bytes(PACKED).map_err(|_| CatalogError::Damaged)
    }

    /// This catalog with an operator's folder laid over it: the same id there wins, new ids are added.
    pub fn with_overlay(self, folder: &Path) -> Result<Self, CatalogError> {
        let mut problems = Vec::new();
        let files = source::read_folder(folder, &mut problems);
        if files.is_empty() && problems.is_empty() {
            let reason =
                "there is no catalog file in it (causes/, phrases/, sites/ ... as in catalog/README.md)".to_owned();
            problems.push(Problem { file: folder.display().to_string(), line: 0, reason });
        }
        self.overlaid(files, problems)
    }

    /// This catalog with files laid over it that were read already: their paths below the folder, and their texts.
    pub fn with_overlay_texts(self, texts: Vec<(String, String)>) -> Result<Self, CatalogError> {
        let mut problems = Vec::new();
        let read = texts.into_iter().filter_map(|(path, text)| source::read_file(path, text, &mut problems));
        let files = read.collect();
        self.overlaid(files, problems)
    }

    fn overlaid(self, files: Vec<source::SourceFile>, mut problems: Vec<Problem>) -> Result<Self, CatalogError> {
        let merged = compile::compile(self, files, &mut problems);
        completeness::check_complete(&merged, &mut problems);
        if problems.is_empty() { Ok(merged) } else { Err(CatalogError::Overlay(problems)) }
    }

    /// The entry of a cause.
    pub fn cause(&self, cause: Cause) -> &CauseEntry {
        &self.causes[cause as usize]
    }

    /// What is told about a kind of report, or about `forwarded` mail.
    pub fn report(&self, id: &str) -> Option<&ReportEntry> {
        self.reports.iter().find(|report| report.id == id)
    }

    /// A remedy by its id.
    pub fn remedy(&self, id: &str) -> Option<&Remedy> {
        self.remedies.iter().find(|remedy| remedy.id == id)
    }

    /// A rule by its whole id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// A list by its zone.
    pub fn list(&self, zone: &str) -> Option<&Blocklist> {
        self.lists.iter().find(|list| list.zone == zone)
    }

    /// A site by its id.
    pub fn site(&self, id: &str) -> Option<&Site> {
        self.sites.iter().find(|site| site.id == id)
    }

    /// Software by its id.
    pub fn software(&self, id: &str) -> Option<&Software> {
        self.software.iter().find(|software| software.id == id)
    }
}
