//! Sentences by which notifications are known: that mail came back, is delayed or was delivered, that nobody is at his
//! desk, that the returned message begins. Found in one pass over the words.
//!
//! Only words that a notification says about itself stand here; what a refusal means is the catalog's matter.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::abroad;

/// What a sentence shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Mail could not be delivered.
    Failed,
    /// It is still being tried.
    Delayed,
    /// It was delivered.
    Delivered,
    /// A person is away, or a program answers for him.
    Away,
    /// Behind this line stands the returned message.
    Returned,
    /// A list or a program refuses, in words that nothing else uses.
    Refused,
    /// The message waits for somebody's leave.
    Held,
    /// A message is quoted or forwarded behind this line.
    Forwarded,
    /// An abuse complaint.
    Complaint,
}

use Mark::{Away, Complaint, Delayed, Delivered, Failed, Forwarded, Held, Refused, Returned};

/// In lower case, with plain apostrophes; ASCII letters are compared without case.
const MARKS: &[(Mark, &str)] = &[
    // Postfix, Exim, Sendmail, qmail and their kin.
    (Failed, "i'm sorry to have to inform you that your message could not"),
    (Failed, "this message was created automatically by mail delivery software"),
    (Failed, "a message that you sent could not be delivered"),
    (Failed, "a message that you sent contained one or more recipient addresses that were"),
    (Failed, "this is the qmail-send program"),
    (Failed, "this is the mail delivery agent at"),
    (Failed, "i wasn't able to deliver your message"),
    (Failed, "i am sorry to have to inform you"),
    (Failed, "i tried to deliver a bounce message to this address, but the bounce bounced"),
    (Failed, "had permanent fatal errors"),
    (Failed, "had permanent fatal delivery errors"),
    (Failed, "had permanent delivery errors"),
    (Failed, "transcript of session follows"),
    (Failed, "session transcript"),
    (Failed, "this is the dragonfly mail agent"),
    (Failed, "this is the mailer-daemon at"),
    (Failed, "this is the mail system at host"),
    (Failed, "this is the postfix program at host"),
    (Failed, "this is the mlmmj program"),
    (Failed, "this is the machine generated message from mail service"),
    (Failed, "this is a delivery status notification message from"),
    (Failed, "this is a collection of reports about"),
    // Exchange, Outlook, Domino, GroupWise and other houses.
    (Failed, "did not reach the following recipient"),
    (Failed, "did not reach some or all of the intended recipients"),
    (Failed, "diagnostic information for administrators"),
    (Failed, "delivery has failed to these recipients"),
    (Failed, "delivery to the following recipient"),
    (Failed, "the following recipient(s) could not be reached"),
    (Failed, "couldn't be delivered to the following recipients"),
    (Failed, "couldn't be delivered to"),
    (Failed, "could not be delivered to"),
    (Failed, "could not be delivered for"),
    (Failed, "could not be delivered because"),
    (Failed, "couldn't be delivered"),
    (Failed, "wasn't delivered to"),
    (Failed, "was undeliverable"),
    (Failed, "is undeliverable"),
    (Failed, "undeliverable message"),
    (Failed, "undeliverable to"),
    (Failed, "delivery failed"),
    (Failed, "delivery failure"),
    (Failed, "delivery error"),
    (Failed, "failed to deliver to"),
    (Failed, "failed delivery to"),
    (Failed, "unable to deliver"),
    (Failed, "not able to deliver"),
    (Failed, "cannot be delivered"),
    (Failed, "cannot deliver"),
    (Failed, "could not deliver"),
    (Failed, "couldn't deliver"),
    (Failed, "could not send message"),
    (Failed, "could not be sent"),
    (Failed, "can not be delivered"),
    (Failed, "can't be delivered"),
    (Failed, "not be delivered"),
    (Failed, "has encountered delivery problems"),
    (Failed, "encountered an error while trying to deliver"),
    (Failed, "delivery failed permanently"),
    (Failed, "technical details of permanent failure"),
    (Failed, "the following address failed"),
    (Failed, "the following address(es) failed"),
    (Failed, "following recipients were rejected"),
    (Failed, "following recipients was rejected"),
    (Failed, "returned permanent errors"),
    (Failed, "permanent error"),
    (Failed, "message returned to sender"),
    (Failed, "returning your message"),
    (Failed, "your mail to the following recipients"),
    (Failed, "your message was rejected"),
    (Failed, "an email you sent was rejected"),
    (Failed, "message was not received by"),
    (Failed, "an error was detected while processing"),
    (Failed, "error description:"),
    (Failed, "rejected by a remote mail server"),
    (Failed, "failed after i sent the message"),
    (Failed, "remote host said"),
    (Failed, "remote server returned"),
    (Failed, "remote server replied"),
    (Failed, "the email account that you tried to reach"),
    (Failed, "final-recipient:"),
    (Failed, "reporting-mta:"),
    (Failed, "undelivered mail"),
    (Failed, "error-for:"),
    (Failed, "failed recipients"),
    (Failed, "failed recipient"),
    (Failed, "error message below"),
    (Failed, "requested action not taken"),
    (Failed, "was automatically rejected"),
    (Failed, "was refused by the recipient"),
    (Failed, "could not complete your request"),
    (Failed, "may not exist, or you may not have permission to post messages to the group"),
    (Failed, "nicht zugestellt werden"),
    (Failed, "was not delivered"),
    (Failed, "were not delivered"),
    (Failed, "not delivered to"),
    (Failed, "n'a pas pu \u{ea}tre envoy\u{e9}"),
    (Failed, "has been marked as inactive"),
    (Failed, "you tried to send to a recipient"),
    (Failed, "found inactive addresses"),
    (Failed, "n'a pas pu \u{ea}tre remis"),
    (Failed, "n'a pas pu \u{ea}tre d\u{e9}livr"),
    (Failed, "kon niet worden bezorgd"),
    (Failed, "kan niet worden bezorgd"),
    (Failed, "送信できませんでした"),
    (Failed, "配信できませんでした"),
    (Failed, "配送できませんでした"),
    (Failed, "无法发送到"),
    // Still being tried.
    (Delayed, "this is a warning message only"),
    (Delayed, "you do not need to resend your message"),
    (Delayed, "no action is required on your part"),
    (Delayed, "delivery attempts will continue"),
    (Delayed, "has been delayed"),
    (Delayed, "is delayed"),
    (Delayed, "will be retried"),
    (Delayed, "will keep trying"),
    (Delayed, "will continue trying"),
    (Delayed, "will continue to retry"),
    (Delayed, "will retry"),
    (Delayed, "will try again"),
    (Delayed, "message still undelivered"),
    (Delayed, "still awaiting delivery"),
    (Delayed, "has not yet been delivered"),
    (Delayed, "not been delivered yet"),
    (Delayed, "has not been delivered to one or more of its recipients after more than"),
    (Delayed, "message delayed"),
    (Delayed, "technical details of temporary failure"),
    (Delayed, "delivery delayed"),
    (Delayed, "delivery is delayed"),
    (Delayed, "gmail will retry for"),
    // Delivered.
    (Delivered, "was successfully delivered"),
    (Delivered, "successfully delivered to the following"),
    (Delivered, "your message was delivered to the following"),
    (Delivered, "has been successfully delivered"),
    (Delivered, "has been delivered to the following recipients"),
    (Delivered, "relayed to the following recipients"),
    (Delivered, "delivery to these recipients or groups is complete"),
    (Delivered, "your message has been successfully relayed"),
    // Away.
    (Away, "out of office"),
    (Away, "out of the office"),
    (Away, "auto-reply"),
    (Away, "autoreply"),
    (Away, "automatic reply"),
    (Away, "automatic response"),
    (Away, "on vacation"),
    (Away, "away from my"),
    (Away, "away from the office"),
    (Away, "i am currently away"),
    (Away, "abwesenheit"),
    (Away, "nicht im b\u{fc}ro"),
    (Away, "r\u{e9}ponse automatique"),
    (Away, "absence du bureau"),
    (Away, "respuesta autom\u{e1}tica"),
    (Away, "fuera de la oficina"),
    (Away, "risposta automatica"),
    (Away, "resposta autom\u{e1}tica"),
    (Away, "automatisch antwoord"),
    (Away, "afwezig"),
    (Away, "автоответ"),
    (Away, "自動返信"),
    (Away, "自动回复"),
    // The returned message.
    (Returned, "--- below this line is a copy of the message"),
    (Returned, "--- below the next line is a copy of the message"),
    (Returned, "--- undelivered message follows ---"),
    (Returned, "------ this is a copy of"),
    (Returned, "----- original message"),
    (Returned, "----- message header follows"),
    (Returned, "----- unsent message follows"),
    (Returned, "----- unsent message below"),
    (Returned, "----- undelivered message"),
    (Returned, "----- returned message"),
    (Returned, "----- message headers"),
    (Returned, "------- returned message"),
    (Returned, "------- original message"),
    (Returned, "--- original message"),
    (Returned, "-----original message"),
    (Returned, "--- the original message"),
    (Returned, "original message follows"),
    (Returned, "original message headers"),
    (Returned, "original message header"),
    (Returned, "original headers follow"),
    (Returned, "the original message follows"),
    (Returned, "the following is a copy of"),
    (Returned, "included is a copy of the message header"),
    (Returned, "message headers follow"),
    (Returned, "returned message follows"),
    (Returned, "text of your message follows"),
    (Returned, "the header of the original message"),
    (Returned, "the headers of the original message"),
    (Returned, "here is a copy of the first part of the message"),
    (Returned, "copy of your message"),
    (Returned, "bounced e-mail:"),
    (Returned, "original mail info"),
    (Returned, "old message:"),
    (Returned, "original mail as follows"),
    (Returned, "-------- returned mail"),
    // Lists.
    (Refused, "you are not a member of this mailing list"),
    (Refused, "duplicated message-id in"),
    (Refused, "is being returned to you unprocessed"),
    (Refused, "your posting to the list has been rejected"),
    (Refused, "you are not allowed to post to this mailing list"),
    (Refused, "is not allowed to post to this list"),
    (Refused, "your message has been rejected, probably because you are not subscribed"),
    (Refused, "you have sent a message from an address that is not subscribed"),
    (Refused, "your message to the list has been rejected"),
    (Refused, "has been rejected by the list moderator"),
    (Refused, "stopped the following email for the following reason"),
    (Refused, "we're sorry, but your email message to"),
    // Held.
    (Held, "is being held until"),
    (Held, "is being held because"),
    (Held, "awaits moderator approval"),
    (Held, "to release your message for delivery"),
    (Held, "to complete the delivery of your message, please"),
    (Held, "please confirm that you sent"),
    (Held, "you must confirm that you are"),
    (Held, "my list of approved senders"),
    (Held, "in order to confirm the sent message"),
    (Held, "que voc\u{ea} confirme o envio"),
    (Held, "a confirma\u{e7}\u{e3}o do remetente"),
    // Forwards.
    (Forwarded, "---------- forwarded message"),
    (Forwarded, "-----forwarded message"),
    (Forwarded, "----- forwarded message"),
    (Forwarded, "begin forwarded message"),
    (Forwarded, "-------- weitergeleitete nachricht"),
    (Forwarded, "---------- message transf\u{e9}r\u{e9}"),
    // Complaints.
    (Complaint, "this is an email abuse report"),
    (Complaint, "this is an abuse report"),
    (Complaint, "email abuse report for an email message"),
];

/// A mark and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What it shows.
    pub mark: Mark,
    /// First byte.
    pub start: usize,
}

/// All marks of a text, in order.
pub fn find(text: &str) -> Vec<Found> {
    static AUTOMATON: OnceLock<Option<AhoCorasick>> = OnceLock::new();
    let automaton = AUTOMATON.get_or_init(|| {
        let phrases = all().map(|(_, phrase)| phrase);
        AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest).build(phrases).ok()
    });
    let Some(automaton) = automaton else { return Vec::new() };
    let found = automaton.find_iter(text);
    found.map(|hit| Found { mark: mark(hit.pattern().as_usize()), start: hit.start() }).take(MOST_MARKS).collect()
}

/// The sentences in English, then those in other languages.
fn all() -> impl Iterator<Item = (Mark, &'static str)> {
    let abroad = ABROAD.iter().flat_map(|(mark, phrases)| phrases.iter().map(|phrase| (*mark, *phrase)));
    MARKS.iter().copied().chain(abroad)
}

/// What the sentence of this number shows.
fn mark(number: usize) -> Mark {
    let mut before = MARKS.len();
    if let Some((mark, _)) = MARKS.get(number) {
        return *mark;
    }
    for (mark, phrases) in ABROAD {
        before += phrases.len();
        if number < before {
            return *mark;
        }
    }
    Failed
}

const ABROAD: &[(Mark, &[&str])] = &[
    (Failed, abroad::FAILED),
    (Refused, abroad::REFUSED),
    (Delayed, abroad::DELAYED),
    (Delivered, abroad::DELIVERED),
    (Returned, abroad::RETURNED),
];

/// Marks behind so many others are not looked at: a notification says what it is at once.
const MOST_MARKS: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_lower_case_and_without_doubles() {
        let mut seen = std::collections::BTreeSet::new();
        for (number, (of, phrase)) in all().enumerate() {
            assert_eq!(phrase.to_lowercase(), phrase);
            assert!(seen.insert(phrase), "{phrase}");
            assert_eq!(mark(number), of, "{phrase}");
        }
    }

    #[test]
    fn marks_are_found_in_order() {
        let text = "Your message couldn't be delivered. WILL RETRY. --- Below this line is a copy of the message.";
        let marks: Vec<_> = find(text).into_iter().map(|found| found.mark).collect();
        assert_eq!(marks, [Failed, Delayed, Returned]);
    }
}
