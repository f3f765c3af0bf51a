//! What many reports come to, while they are read: counts for the summary, and a verdict on each address.

use redeliver_diagnose::Addresses;
use redeliver_model::{AddressTally, AddressVerdict, Explanation, Outcome, ReportKind};
use redeliver_report::Summary;

/// Counts and addresses.
#[derive(Default)]
pub(crate) struct Overview {
    pub(crate) summary: Summary,
    pub(crate) addresses: Addresses,
}

impl Overview {
    pub(crate) fn add(&mut self, told: &Explanation<'_>) {
        if told.refusal.outcome == Some(Outcome::RejectedByUs) {
            if let Some(first) = told.causes.first() {
                *self.summary.traffic.get_or_insert_default().refused_by_us.entry(first.cause).or_default() += 1;
            }
            return;
        }
        self.summary.add(told);
        if !matches!(told.kind, ReportKind::Refusal | ReportKind::Delayed) {
            return;
        }
        let refusal = &told.refusal;
        // The list holds the address that was written to.
        let written_to = refusal.original_recipient.as_deref().or(refusal.recipient.as_deref());
        if let (Some(address), Some(first)) = (written_to, told.causes.first()) {
            let why = self.addresses.reason(&told.title);
            self.addresses.add(address, told.address_is_bad, first.cause, why, refusal.time);
        }
    }

    /// The summary, and how many addresses are dead.
    pub(crate) fn summary(&self) -> (&Summary, AddressTally) {
        (&self.summary, self.addresses.tally())
    }

    /// The addresses, judged.
    pub(crate) fn addresses(&mut self) -> Vec<AddressVerdict> {
        std::mem::take(&mut self.addresses).judge()
    }
}
