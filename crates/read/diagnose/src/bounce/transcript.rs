//! The SMTP session that some notifications print: Sendmail's `>>>` and `<<<` lines, and the plain ones of others.

use redeliver_model::Stage;

/// Most replies that are taken from one transcript.
const MOST_EXCHANGES: usize = 200;

/// Lines of a program's output behind the first that are looked through for the code below them.
const MOST_LINES_OF_A_PROGRAM: usize = 8;

/// A refusal in a printed session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The recipient of the RCPT command before it.
    pub recipient: Option<String>,
    /// What the server said, lines joined by blanks.
    pub reply: String,
    /// The server.
    pub host: Option<String>,
    /// The command that it refused.
    pub stage: Option<Stage>,
}

/// Reads the refusals of all sessions printed in `words`.
pub fn exchanges(words: &str) -> Vec<Exchange> {
    let mut found: Vec<Exchange> = Vec::new();
    let mut host: Option<String> = None;
    let mut command: Option<(Stage, Option<String>)> = None;
    let mut goes_on = false;
    let mut above = "";
    for line in words.lines() {
        let line = line.trim();
        if is_conclusion(line, above) {
            continue;
        }
        above = line;
        if let Some(name) = talked_to(line) {
            host = Some(name);
            command = Some((Stage::Connect, None));
            goes_on = false;
        } else if let Some(said) = reply_line(line) {
            let bad = said.starts_with(['4', '5']);
            if goes_on && let Some(last) = found.last_mut() {
                last.reply.push(' ');
                last.reply.push_str(said);
            } else if bad && found.len() < MOST_EXCHANGES && (command.is_some() || line.starts_with("<<<")) {
                let (stage, recipient) = command.clone().map_or((None, None), |(stage, to)| (Some(stage), to));
                found.push(Exchange { recipient, reply: said.to_owned(), host: host.clone(), stage });
            }
            goes_on = bad && said.as_bytes().get(3) == Some(&b'-');
        } else if let Some(read) = command_line(line) {
            command = Some(read);
            goes_on = false;
        } else {
            goes_on = false;
        }
    }
    // "503 Need RCPT" only follows from the refusal before it.
    if found.len() > 1 {
        found.retain(|one| !one.reply.starts_with("503"));
    }
    found
}

/// What Sendmail itself concludes from the server's answer above it: `550 5.1.1 <ann@example.net>... User unknown`, of every 550
/// whatever its words are.
pub fn is_conclusion(line: &str, above: &str) -> bool {
    above.trim_start().starts_with("<<<") && line.contains(">... ") && reply_line(line.trim_start()).is_some()
}

/// What a program of the server's own said before Sendmail put a code of its own below: `mail.local: unknown user: ann`. The code
/// alone is "Service unavailable", or "unknown mailer error".
pub fn program_said(words: &str) -> Option<&str> {
    let (_, session) = words.split_once("Transcript of session follows")?;
    let mut lines = session.lines().skip(1).map(str::trim).skip_while(|line| line.is_empty());
    let line = lines.next()?;
    let (program, said) = line.split_once(": ")?;
    let is_program = program.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte));
    let is_answered = lines
        .take(MOST_LINES_OF_A_PROGRAM)
        .any(|line| reply_line(line).is_some_and(|said| said.starts_with(['4', '5'])));
    (is_program && !said.is_empty() && is_answered).then_some(line)
}

/// `... while talking to mx.example.net.:`, `Attempting SMTP connection to [192.0.2.1 : 25]`.
fn talked_to(line: &str) -> Option<String> {
    let behind = line.split_once("while talking to ").map(|(_, behind)| behind)?;
    let name = behind.trim_end_matches([':', ' ', '.']);
    let name = name.split([' ', ':']).next().unwrap_or_default().trim_end_matches('.');
    (!name.is_empty()).then(|| name.to_owned())
}

/// What a server said: `<<< 550 no`, or a bare line with a code.
fn reply_line(line: &str) -> Option<&str> {
    let marked = ["<<< ", "Received >>> ", "<-- ", "<- ", "S: ", "< "].iter().find_map(|mark| line.strip_prefix(mark));
    let said = marked.unwrap_or(line).trim_start();
    let bytes = said.as_bytes();
    let code = bytes.len() >= 3 && matches!(bytes[0], b'2'..=b'5') && bytes[1..3].iter().all(u8::is_ascii_digit);
    (code && matches!(bytes.get(3), None | Some(b' ' | b'-'))).then_some(said)
}

/// What the client said: `>>> RCPT To:<ann@example.net>`, or a bare command.
fn command_line(line: &str) -> Option<(Stage, Option<String>)> {
    let marked = [">>> ", "Sent <<< ", "--> ", "-> ", "C: ", "> "].iter().find_map(|mark| line.strip_prefix(mark));
    let said = marked.unwrap_or(line).trim_start();
    let upper = said.get(..said.floor_char_boundary(said.len().min(10))).unwrap_or_default().to_ascii_uppercase();
    let stage = if upper.starts_with("RCPT TO:") {
        Stage::Rcpt
    } else if upper.starts_with("MAIL FROM:") {
        Stage::Mail
    } else if marked.is_none() && said.len() > 4 && !upper.starts_with("EHLO ") && !upper.starts_with("HELO ") {
        return None;
    } else if upper.starts_with("EHLO") || upper.starts_with("HELO") || upper.starts_with("LHLO") {
        Stage::Helo
    } else if upper.starts_with("DATA") || upper.starts_with("BDAT") {
        Stage::Data
    } else if upper.starts_with("STARTTLS") {
        Stage::Tls
    } else if upper.starts_with("AUTH") {
        Stage::Auth
    } else if said == "." {
        Stage::Body
    } else {
        return None;
    };
    let inner = said.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(inner, _)| inner);
    let recipient = inner.filter(|_| stage == Stage::Rcpt).map(str::to_owned);
    Some((stage, recipient))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sendmail_session_of_two_recipients() {
        let words = "   ----- Transcript of session follows -----\n... while talking to mx.example.net.:\n>>> RCPT To:<ann@example.net>\n<<< 550-5.1.1 no\n<<< 550 5.1.1 such user\n>>> RCPT To:<bob@example.net>\n<<< 552 full\n>>> DATA\n<<< 503 Need RCPT\n";
        let read: Vec<_> =
            exchanges(words).into_iter().map(|one| (one.recipient.unwrap_or_default(), one.reply, one.stage)).collect();
        assert_eq!(
            read,
            [
                ("ann@example.net".into(), "550-5.1.1 no 550 5.1.1 such user".into(), Some(Stage::Rcpt)),
                ("bob@example.net".into(), "552 full".into(), Some(Stage::Rcpt)),
            ]
        );
        assert_eq!(exchanges(words)[0].host.as_deref(), Some("mx.example.net"));
    }

    #[test]
    fn a_program_of_the_server_says_why() {
        let said = |session: &str| {
            let words = format!("<ann@example.net>\n\n   ----- Transcript of session follows -----\n{session}");
            program_said(&words).map(str::to_owned)
        };
        let full = "procmail: Quota exceeded while writing \"/var/mail/ann\"";
        assert_eq!(
            said(&format!("{full}\n550 5.0.0 <ann@example.net>... Can't create output\n")).as_deref(),
            Some(full)
        );
        for other in [
            "... while talking to mx.example.net.:\n<<< 550 no\n",
            "<ann@example.net>... Deferred: Connection refused\n",
            "procmail: Quota exceeded\n",
            "550 5.1.1 <ann@example.net>... User unknown\n",
            "",
        ] {
            assert_eq!(said(other), None, "{other}");
        }
    }

    #[test]
    fn a_plain_session() {
        let words = " EHLO a.example\n 250-mx\n 250 SIZE\n MAIL From:<a@example.org>\n 250 ok\n RCPT To:<bob@example.net>\n 552 over quota\n QUIT";
        let read = exchanges(words);
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].recipient.as_deref(), Some("bob@example.net"));
        assert_eq!(exchanges("550 people came and said\n451 of them left"), []);
    }
}
