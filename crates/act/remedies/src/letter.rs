//! The letter to whoever must be asked, with the facts of the case.

use std::borrow::Cow;

use redeliver_catalog::{Catalog, Channel, Values};

/// A letter, ready to be read over and sent. What only the sender knows stands in [square brackets].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter<'c> {
    /// Whom to send it to, and how.
    pub to: Cow<'c, str>,
    /// The subject line.
    pub subject: Cow<'c, str>,
    /// The paragraphs.
    pub body: Vec<Cow<'c, str>>,
}

/// The letter for a channel; none where nobody needs to be asked.
pub fn letter<'c>(catalog: &'c Catalog, channel: Channel, values: &Values<'_>) -> Option<Letter<'c>> {
    let values = &values.with_words(&catalog.letter_words);
    let letter = catalog.letters.iter().find(|letter| letter.channel == channel)?;
    Some(Letter {
        to: letter.to.fill(values),
        subject: letter.subject.fill(values),
        body: letter.body.iter().map(|paragraph| paragraph.fill(values)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use redeliver_catalog::Parameter;

    use super::*;

    #[test]
    fn what_is_not_known_is_left_for_the_writer() {
        let catalog = Catalog::builtin().unwrap();
        let letter = letter(&catalog, Channel::ReceiverByOtherWay, &Values::new(&catalog.words)).unwrap();
        assert!(letter.body[0].starts_with("Your server [its name] refused"), "{}", letter.body[0]);
    }

    #[test]
    fn a_letter_carries_the_reply_and_the_ip() {
        let catalog = Catalog::builtin().unwrap();
        let mut values = Values::new(&catalog.words);
        values.set(Parameter::Ip, Some("192.0.2.7"));
        values.set(Parameter::Reply, Some("554 5.7.1 No"));
        let letter = letter(&catalog, Channel::ListForm, &values).unwrap();
        assert!(letter.subject.contains("192.0.2.7"));
        assert!(letter.body.iter().any(|paragraph| paragraph == "554 5.7.1 No"));
        assert!(super::letter(&catalog, Channel::Nobody, &values).is_none());
    }
}
