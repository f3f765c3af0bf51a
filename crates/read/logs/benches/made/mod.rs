//! A made-up Postfix log of any size: the same seed, the same bytes. Nothing in it is real.

use std::io::Write;

/// Replies as receivers word them; `{r}` is the recipient. One in six repeats with nothing of the message in it.
const REPLIES: [(&str, &str); 12] = [
    (
        "bounced",
        "said: 550 5.1.1 <{r}>: Recipient address rejected: User unknown in virtual mailbox table (in reply to RCPT TO command)",
    ),
    (
        "bounced",
        "said: 550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for typos or 550 5.1.1 unnecessary spaces. gsmtp (in reply to RCPT TO command)",
    ),
    (
        "bounced",
        "said: 554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.25 (in reply to RCPT TO command)",
    ),
    (
        "bounced",
        "said: 550 5.7.1 Rejected by the DMARC policy (p=reject) of example.org (in reply to end of DATA command)",
    ),
    ("bounced", "said: 554 5.7.1 Message rejected as spam by content filter (in reply to end of DATA command)"),
    ("bounced", "said: 552 5.2.2 The mailbox of {r} is over its quota (in reply to RCPT TO command)"),
    (
        "deferred",
        "said: 450 4.7.1 <{r}>: Recipient address rejected: Greylisted for 300 seconds (in reply to RCPT TO command)",
    ),
    (
        "deferred",
        "said: 451 4.7.650 The mail server [192.0.2.25] has been temporarily rate limited due to IP reputation. (S775) (in reply to MAIL FROM command)",
    ),
    (
        "deferred",
        "refused to talk to me: 554-mx1.example.net 554 Your access to this mail system has been rejected due to the sending MTA's poor reputation.",
    ),
    (
        "deferred",
        "said: 421 4.7.28 [192.0.2.25] An unusual rate of mail comes from this IP address (in reply to MAIL FROM command)",
    ),
    ("bounced", "said: 550 5.4.1 Recipient address rejected: Access denied (in reply to RCPT TO command)"),
    (
        "bounced",
        "said: 550 5.7.26 This mail is unauthenticated, neither SPF nor DKIM passed (in reply to end of DATA command)",
    ),
];

const USERS: [&str; 8] = ["anna", "ben.jones", "c.miller", "office", "info", "newsletter", "kim.lee", "d"];
const SENDERS: [&str; 4] = ["news@example.org", "shop@example.org", "desk@example.org", "bounce-4711@mail.example.org"];

/// A small generator of numbers (xorshift64*): even enough for choosing texts.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len() as u64) as usize]
    }
}

/// What was written.
#[derive(Debug, Default, Clone, Copy)]
pub struct Written {
    pub bytes: u64,
    pub lines: u64,
    pub delivered: u64,
    pub refused: u64,
}

/// Writes a log of at least `bytes` bytes in which `percent` of all deliveries are refused.
pub fn write(out: &mut dyn Write, bytes: u64, percent: u64) -> std::io::Result<Written> {
    let mut dice = Dice(0x5eed_1234_5678_9abc);
    let mut written = Written::default();
    let (mut text, mut second, mut number) = (String::new(), 0_u64, 0_u64);
    while written.bytes < bytes {
        text.clear();
        number += 1;
        second += u64::from(number.is_multiple_of(20));
        message(&mut text, &mut dice, second, number, percent, &mut written);
        written.bytes += text.len() as u64;
        written.lines += text.bytes().filter(|byte| *byte == b'\n').count() as u64;
        out.write_all(text.as_bytes())?;
    }
    Ok(written)
}

/// The lines of one message, as Postfix 3.7 writes them.
fn message(text: &mut String, dice: &mut Dice, second: u64, number: u64, percent: u64, written: &mut Written) {
    use std::fmt::Write as _;
    let (day, hour, minute, second) = (1 + second / 86_400 % 28, second / 3600 % 24, second / 60 % 60, second % 60);
    let head = format!("Nov {day:2} {hour:02}:{minute:02}:{second:02} mail postfix/");
    let id = format!("{:X}", 0x3F_0000_0000 + number * 977);
    let sender = dice.one(&SENDERS);
    let recipient = format!("{}{}@site{}.example", dice.one(&USERS), dice.roll(100_000), dice.roll(500));
    let domain = recipient.split('@').nth(1).unwrap_or_default().to_owned();
    let (client, pid) = (dice.roll(250), 1000 + dice.roll(30_000));
    let login = if number.is_multiple_of(3) { ", sasl_method=PLAIN, sasl_username=desk@example.org" } else { "" };
    let from = format!("host{client}.example.net[198.51.100.{client}]");
    let relay = format!("mx1.{domain}[203.0.113.{}]", dice.roll(250));
    let delays = format!("delay={}.{}, delays=0.02/0.01/0.31/0.2", dice.roll(9), dice.roll(9));
    let _ = writeln!(text, "{head}smtpd[{pid}]: connect from {from}");
    let _ = writeln!(text, "{head}smtpd[{pid}]: {id}: client={from}{login}");
    let _ = writeln!(text, "{head}cleanup[{pid}]: {id}: message-id=<{number}.{pid}.20261125@mail.example.org>");
    let _ = writeln!(
        text,
        "{head}qmgr[812]: {id}: from=<{sender}>, size={}, nrcpt=1 (queue active)",
        900 + dice.roll(90_000)
    );
    let _ = writeln!(text, "{head}smtpd[{pid}]: disconnect from {from} ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5");
    if dice.roll(100) >= percent {
        written.delivered += 1;
        let _ = writeln!(
            text,
            "{head}smtp[{pid}]: {id}: to=<{recipient}>, relay={relay}:25, {delays}, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4Fz{pid}abc)"
        );
        let _ = writeln!(text, "{head}qmgr[812]: {id}: removed");
        return;
    }
    written.refused += 1;
    let (status, said) = dice.one(&REPLIES);
    let said = said.replace("{r}", &recipient);
    let class = if *status == "bounced" { 5 } else { 4 };
    let _ = writeln!(
        text,
        "{head}smtp[{pid}]: {id}: to=<{recipient}>, relay={relay}:25, {delays}, dsn={class}.7.1, status={status} (host {relay} {said})"
    );
    if *status == "bounced" {
        let bounce = format!("{:X}", 0x7F_0000_0000 + number * 977);
        let _ = writeln!(text, "{head}bounce[{pid}]: {id}: sender non-delivery notification: {bounce}");
        let _ = writeln!(text, "{head}qmgr[812]: {bounce}: from=<>, size=4211, nrcpt=1 (queue active)");
        let _ = writeln!(
            text,
            "{head}virtual[{pid}]: {bounce}: to=<{sender}>, relay=virtual, delay=0.01, delays=0/0.01/0/0, dsn=2.0.0, status=sent (delivered to maildir)"
        );
        let _ = writeln!(text, "{head}qmgr[812]: {bounce}: removed");
        let _ = writeln!(text, "{head}qmgr[812]: {id}: removed");
        written.delivered += 1;
    }
}
