//! The domain's own words about a fail (RFC 7208 6.2). Any fault on the way means that there are none.

use redeliver_net::dns::RecordType;
use redeliver_records::{MacroLetter, MacroString};

use super::Run;
use crate::expand::{expand, query_name};
use crate::trace::{Step, Visit};

/// A longer explanation is cut: it ends up in a reply line.
const LONGEST_EXPLANATION: usize = 1000;

impl Run<'_> {
    /// The explanation of a fail, and the step that looked for it.
    pub(super) async fn explain(&mut self, visit: &Visit) -> (Option<String>, Option<Step>) {
        // RFC 7208 6.2: after a redirect the target's explanation counts, after an include the includer's own.
        let mut visit = visit;
        while let Some(next) = redirected(visit) {
            visit = next;
        }
        let Some((span, spec)) = &visit.explanation else { return (None, None) };
        let record = visit.record.as_deref().unwrap_or_default();
        let mut step = Step::of(span.of(record), *span);
        let target = self.target(&visit.domain, Some(spec), &mut step).await;
        let Some(name) = query_name(&target) else { return (None, Some(step)) };
        let look_up = self.ask(name, RecordType::Txt).await;
        let texts: Vec<Vec<u8>> = look_up.answer.texts().map(redeliver_net::dns::Text::joined).collect();
        step.look_ups.push(look_up);
        // RFC 7208 6.2: one record and no more, ASCII, without syntax errors; else as if there were no exp=.
        let [text] = texts.as_slice() else { return (None, Some(step)) };
        let Some(text) = MacroString::parse_explanation(text) else { return (None, Some(step)) };
        let wanted = text.uses(MacroLetter::ValidatedName);
        let validated = self.validated_for(&visit.domain, wanted, &mut step).await;
        let words = expand(&text, &self.values(&visit.domain, &validated));
        // HELO and MAIL FROM are the client's words: no line break of his gets into a reply.
        let words = words.map(|words| {
            words.chars().take(LONGEST_EXPLANATION).map(|c| if c.is_control() { '?' } else { c }).collect()
        });
        (words, Some(step))
    }
}

/// The record that a redirect led to.
fn redirected(visit: &Visit) -> Option<&Visit> {
    let step = visit.deciding()?;
    let is_redirect = step.term.get(..8).is_some_and(|name| name.eq_ignore_ascii_case("redirect"));
    step.visit.as_deref().filter(|_| is_redirect)
}
