//! `explain --recovery`: the way back at receivers that refuse for reputation, from the log's own volume.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail};
use redeliver_catalog::{Parameter, Values};
use redeliver_intake as intake;
use redeliver_model::{AddressIsBad, Timestamp};
use redeliver_remedies::{Engagement, NotTaken, Plan, recovery};
use redeliver_report as report;

use crate::arguments::Format;
use crate::explain::Session;
use crate::output;

const DAY: i64 = 86_400;

/// The remedy that the calendar carries out; what it remedies is what is counted.
pub(crate) const LOWER_VOLUME: &str = "lower-volume";

/// Lines of a list that cannot be read and are named one by one.
const NAMED_UNREADABLE: u64 = 5;

impl Session<'_> {
    /// Writes the calendar, or the addresses with their days.
    pub(crate) fn recovery(&mut self) -> anyhow::Result<()> {
        if self.sink.overview().summary.traffic.is_none() {
            bail!(
                "--recovery needs a log: bounces do not tell how much was sent; `redeliver explain /var/log/mail.log --recovery`"
            );
        }
        let list = self.arguments.engaged.as_deref().map(|path| self.engagement(path)).transpose()?;
        let judged = self.sink.overview().addresses();
        let dead: BTreeSet<String> = judged
            .into_iter()
            .filter(|one| one.dead == AddressIsBad::Yes)
            .map(|one| one.address.to_lowercase())
            .collect();
        // The day that has begun is left as it is.
        let start = Timestamp(self.now.0 + DAY);
        let site = self.arguments.site.as_deref();
        let wanted = |place: &str| site.is_none_or(|site| place.eq_ignore_ascii_case(site));
        let volumes = self.volumes.take().unwrap_or_default();
        let plan = recovery(&volumes, start, list.as_ref(), &dead, wanted);
        let text = if self.arguments.addresses { self.invited(&plan)? } else { self.calendar(&plan)? };
        Ok(self.sink.whole(&text)?)
    }

    fn calendar(&self, plan: &Plan) -> anyhow::Result<Vec<u8>> {
        let Plan { recoveries, too_little, .. } = plan;
        if self.arguments.ics {
            return Ok(report::ics_recoveries(recoveries, self.now).into_bytes());
        }
        let style = output::style(self.arguments.verbose);
        Ok(match self.format {
            Format::Text => report::text_recoveries(recoveries, *too_little, &self.rules(), style).into_bytes(),
            Format::Markdown => report::markdown_recoveries(recoveries, *too_little, &self.rules()).into_bytes(),
            Format::Csv => report::csv_recoveries(recoveries)?,
            Format::Json => report::json_recoveries(recoveries, true),
            Format::Jsonl => report::json_recoveries(recoveries, false),
        })
    }

    fn invited(&self, plan: &Plan) -> anyhow::Result<Vec<u8>> {
        Ok(match self.format {
            Format::Json => report::invited_json(&plan.invited, true),
            Format::Jsonl => report::invited_json(&plan.invited, false),
            Format::Markdown => report::invited_markdown(&plan.invited).into_bytes(),
            Format::Text | Format::Csv => {
                let mut table = Vec::new();
                report::invited_csv(&plan.invited, &mut table)?;
                table
            }
        })
    }

    /// The steps of the remedy, in words.
    fn rules(&self) -> Vec<String> {
        let catalog = self.engine.catalog();
        let mut values = Values::new(&catalog.words);
        values.set(Parameter::Site, None);
        let steps = catalog.remedy(LOWER_VOLUME).map(|remedy| remedy.steps.iter()).into_iter().flatten();
        steps.map(|step| step.fill(&values).into_owned()).collect()
    }

    /// Reads the list with the last engagement.
    fn engagement(&mut self, path: &Path) -> anyhow::Result<Engagement> {
        let name = path.display();
        let mut lines = match intake::open_lines(path) {
            Ok(lines) => lines,
            Err(fault) => bail!("--engaged {name}: {}", fault.text),
        };
        let (mut list, mut bytes, mut number, mut unread) = (Engagement::default(), Vec::new(), 0, 0);
        while intake::read_line(&mut *lines, &mut bytes).with_context(|| format!("--engaged {name}"))?.is_some() {
            number += 1;
            let fault = match list.line(&String::from_utf8_lossy(&bytes)) {
                Ok(()) => continue,
                Err(NotTaken::TooMany) => bail!("--engaged {name}, line {number}: {}", NotTaken::TooMany.as_str()),
                Err(fault) => fault,
            };
            unread += 1;
            if unread <= NAMED_UNREADABLE {
                output::complain(&format!("--engaged {name}, line {number}: {}", fault.as_str()));
            }
        }
        if list.is_empty() {
            bail!("--engaged {name}: there is no address in it; write lines such as ann@example.net,2026-11-21");
        }
        if unread > NAMED_UNREADABLE {
            output::complain(&format!("--engaged {name}: {unread} lines could not be read"));
        }
        self.unread += unread;
        Ok(list)
    }
}
