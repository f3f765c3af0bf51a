//! Which of a domain's TXT records is the SPF record (RFC 7208 4.5). Pure.

use redeliver_net::dns::{Answer, Text};
use redeliver_records::{JoinedText, Parsed, SpfRecord};

use crate::trace::LookUp;
use crate::verdict::Problem;

/// A domain's record, read, and its text with one character a byte.
pub(crate) struct Selected {
    pub(crate) text: String,
    pub(crate) read: Parsed<SpfRecord>,
}

/// The texts of an answer that are meant as SPF.
pub(crate) fn candidates(answer: &Answer) -> Vec<&Text> {
    answer.texts().filter(|text| SpfRecord::is_spf(start(text))).collect()
}

/// Enough of the joined text to see the version.
fn start(text: &Text) -> Vec<u8> {
    text.0.iter().flatten().take(7).copied().collect()
}

/// Reads one TXT record.
pub(crate) fn read(text: &Text) -> Selected {
    let joined = JoinedText::of(&text.0);
    let read = SpfRecord::parse_joined(&joined);
    let shown = match String::from_utf8(joined.bytes) {
        Ok(text) if text.is_ascii() => text,
        Ok(text) => one_character_a_byte(text.as_bytes()),
        Err(error) => one_character_a_byte(error.as_bytes()),
    };
    Selected { text: shown, read }
}

fn one_character_a_byte(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' }).collect()
}

/// The record in the answer to a domain's TXT question, or why there is none to evaluate.
pub(crate) fn select(look_up: &LookUp) -> Result<Selected, Problem> {
    match &look_up.answer {
        // RFC 7208 4.4: no answer is a temporary error.
        Answer::CouldNotAsk(could_not_ask) => {
            Err(Problem::CouldNotAsk(look_up.question.clone(), could_not_ask.clone()))
        }
        answer => match candidates(answer).as_slice() {
            [] => Err(Problem::NoRecord),
            [text] => Ok(read(text)),
            several => Err(Problem::SeveralRecords(several.len())),
        },
    }
}
