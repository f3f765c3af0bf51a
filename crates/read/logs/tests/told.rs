//! What single lines tell beyond the samples: submissions, what was given up, refusals in a reject log, other shapes of a format.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::ops::ControlFlow;

use redeliver_logs::{Event, Format, Origin, Reader, YearRule};
use redeliver_model::Timestamp;

/// What the lines tell, each event as one short line.
fn told(format: Format, text: &str) -> Vec<String> {
    let mut told = Vec::new();
    let mut reader = Reader::new(format, YearRule::utc(Timestamp::from_date(2026, 12, 1)));
    let _ = reader
        .read(&mut text.as_bytes(), &mut |event| {
            told.push(show(event));
            ControlFlow::Continue(())
        })
        .unwrap();
    told
}

fn show(event: &Event<'_>) -> String {
    let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().unwrap_or("-").to_owned();
    match event {
        Event::Refused(refused) => {
            let refusal = &refused.refusal;
            let stage = refusal.stage.map_or("-", redeliver_model::Stage::as_str);
            let (sender, recipient) = (text(&refusal.sender), text(&refusal.recipient));
            format!("{} {stage} {sender} {recipient} {}{}", refused.outcome, refused.text, origin(&refused.origin))
        }
        Event::Delivered(delivered) => {
            let by = delivered.to.host.as_deref().unwrap_or("here");
            format!("delivered {} {} {by}", text(&delivered.sender), delivered.recipient)
        }
        Event::Submitted(submitted) => {
            let count = submitted.recipients.map_or("?".to_owned(), |count| count.to_string());
            format!("submitted {} {count}{}", text(&submitted.sender), origin(&submitted.origin))
        }
        Event::Unreadable(unreadable) => format!("unreadable {}", unreadable.why),
    }
}

fn origin(origin: &Origin<'_>) -> String {
    let parts = [
        ("login", origin.login.as_deref().map(str::to_owned)),
        ("uid", origin.uid.map(|uid| uid.to_string())),
        ("user", origin.user.as_deref().map(str::to_owned)),
        ("script", origin.script.as_deref().map(str::to_owned)),
        ("cwd", origin.directory.as_deref().map(str::to_owned)),
        ("host", origin.host.as_deref().map(str::to_owned)),
        ("ip", origin.ip.map(|ip| ip.to_string())),
    ];
    parts.into_iter().filter_map(|(name, value)| value.map(|value| format!(" {name}={value}"))).collect()
}

#[test]
fn who_handed_a_message_to_postfix() {
    let log = "\
Nov 25 21:33:43 mail postfix/submission/smtpd[1]: 4FzQx: client=pc.example.org[192.0.2.7], sasl_method=PLAIN, sasl_username=desk@example.org
Nov 25 21:33:43 mail postfix/qmgr[2]: 4FzQx: from=<desk@example.org>, size=370, nrcpt=3 (queue active)
Nov 25 21:33:44 mail postfix/qmgr[2]: 4FzQx: from=<desk@example.org>, size=370, nrcpt=2 (queue active)
Nov 25 21:33:44 mail postfix/pickup[1]: 713715F: uid=33 from=<www-data>
Nov 25 21:33:44 mail postfix/cleanup[3]: 713715F: warning: header X-PHP-Originating-Script: 33:mailer from home.php from local; from=<www-data@example.org> to=<a@b.example>
Nov 25 21:33:44 mail postfix/qmgr[2]: 713715F: from=<www-data@example.org>, size=1, nrcpt=1 (queue active)
Nov 25 21:33:45 mail postfix/smtp[4]: 713715F: to=<a@b.example>, relay=none, delay=1, dsn=5.4.4, status=bounced (Host not found)
";
    assert_eq!(
        told(Format::Postfix, log),
        [
            "submitted desk@example.org 3 login=desk@example.org host=pc.example.org ip=192.0.2.7",
            "submitted www-data@example.org 1 uid=33 script=mailer from home.php",
            "bounced - www-data@example.org a@b.example Host not found uid=33 script=mailer from home.php",
        ]
    );
}

#[test]
fn an_expired_message_names_who_waited_and_why() {
    let line = |rest: &str| format!("Nov 25 21:33:43 mail postfix/x[1]: 71F: {rest}\n");
    let waits =
        |to: &str, what: &str| line(&format!("to=<{to}>, relay=m.a[192.0.2.1]:25, delay=1, dsn=4.7.1, status={what}"));
    let log = [
        line("from=<s@example.org>, size=1, nrcpt=3 (queue active)"),
        waits("a@b.example", "deferred (host m.a[192.0.2.1] said: 450 4.7.1 Wait (in reply to RCPT TO command))"),
        waits("c@b.example", "deferred (host m.a[192.0.2.1] refused to talk to me: 554 No)"),
        waits("c@b.example", "sent (250 Ok)"),
        line("from=<s@example.org>, status=expired, returned to sender"),
        line("from=<s@example.org>, status=expired, returned to sender"),
    ];
    assert_eq!(
        told(Format::Postfix, &log.concat()),
        [
            "deferred rcpt s@example.org a@b.example 450 4.7.1 Wait",
            "deferred connect s@example.org c@b.example 554 No",
            "delivered s@example.org c@b.example m.a",
            "expired rcpt s@example.org a@b.example 450 4.7.1 Wait",
            "expired - s@example.org - expired, returned to sender",
        ]
    );
}

#[test]
fn who_handed_a_message_to_exim() {
    let log = "\
2026-11-25 21:34:02 [77] cwd=/var/www/shop/forms 3 args: /usr/sbin/sendmail -t -i
2026-11-25 21:34:02 [77] 1xWKcs-00000L-1w <= www-data@example.org U=www-data P=local S=389 T=\"buy A=login:nobody\" for a@b.example c@d.example
2026-11-25 21:34:03 +0100 1xWKcs-00000000L1w-1w2x <= anna@example.org H=(pc) [192.0.2.9] P=esmtpsa X=TLS1.3 CV=no A=dovecot_login:anna@example.org S=389
2026-11-25 21:34:03 cwd=/var/spool/exim4 3 args: /usr/sbin/exim4 -Mc 1xWKcs-00000L-1w
2026-11-25 21:34:04 1xWKcs-00000L-1w ** a@b.example <old@b.example> R=x T=remote_smtp H=m.a [192.0.2.1] X=TLS1.3 CV=yes: SMTP error from remote mail server after pipelined end of data: 550-5.7.1 No\\n550 5.7.1 Never
";
    assert_eq!(
        told(Format::EximMain, log),
        [
            "submitted www-data@example.org 2 user=www-data cwd=/var/www/shop/forms",
            "submitted anna@example.org ? login=anna@example.org ip=192.0.2.9",
            "bounced body www-data@example.org a@b.example 550-5.7.1 No\\n550 5.7.1 Never user=www-data cwd=/var/www/shop/forms",
        ]
    );
}

#[test]
fn a_reject_log_names_the_recipients_behind() {
    let log = "\
2026-11-25 21:34:27 1xWKdH-0000Ah-22 H=client.example.net [192.0.2.1] F=<kim@example.net> rejected after DATA: This message looks like spam
Envelope-from: <kim@example.net>
Envelope-to: <desk@example.org>
Envelope-to: <shop@example.org>
P Received: from client.example.net
----------------------------------------------------------------------------
2026-11-25 21:34:28 1xWKdH-0000Ai-22 H=client.example.net [192.0.2.1] F=<kim@example.net> rejected after DATA: no
";
    assert_eq!(
        told(Format::EximReject, log),
        [
            "rejected-by-us body kim@example.net desk@example.org This message looks like spam",
            "rejected-by-us body kim@example.net shop@example.org This message looks like spam",
            "rejected-by-us body kim@example.net - no",
        ]
    );
}

#[test]
fn sendmail_in_older_words() {
    let log = "\
Nov  2 08:03:11 mail sm-mta[1]: 7B2FebHJ9A2B38: AUTH=server, relay=pc.example.org [192.0.2.7], authid=desk, mech=PLAIN, bits=0
Nov  2 08:03:11 mail sm-mta[1]: 7B2FebHJ9A2B38: from=<s@example.org>, size=2, class=0, nrcpts=1, msgid=<x>, proto=ESMTPSA, daemon=MTA, relay=pc.example.org [192.0.2.7]
Nov  2 08:03:13 mail sm-mta[1]: 7B2FebHJ9A2B38: to=<a@b.example>, ctladdr=<s@example.org> (33/33), delay=00:00:02, mailer=esmtp, pri=1, relay=m.a. [192.0.2.1], dsn=4.0.0, stat=Deferred: 421 Try later, please
Nov  2 08:03:14 mail sm-mta[1]: 7B2FebHJ9A2B38: to=<a@b.example>, delay=00:00:03, mailer=esmtp, relay=m.a. [192.0.2.1], dsn=5.1.1, stat=User unknown
";
    assert_eq!(
        told(Format::Sendmail, log),
        [
            "submitted s@example.org 1 login=desk host=pc.example.org ip=192.0.2.7",
            "deferred - s@example.org a@b.example 421 Try later, please login=desk",
            "bounced - s@example.org a@b.example User unknown login=desk",
        ]
    );
}

#[test]
fn postscreen_and_milters_refuse_too() {
    let log = "\
Nov 25 21:33:43 mail postfix/postscreen[1]: NOQUEUE: reject: RCPT from [192.0.2.1]:4711: 550 5.7.1 Service unavailable; client [192.0.2.1] blocked using x.example; from=<s@a.example>, to=<r@example.org>, proto=ESMTP, helo=<h>
Nov 25 21:33:43 mail postfix/cleanup[1]: 71F: milter-reject: END-OF-MESSAGE from c.a.example[192.0.2.1]: 5.7.1 Spam message rejected; from=<s@a.example> to=<r@example.org> proto=ESMTP helo=<h>
Nov 25 21:33:43 mail postfix/smtpd[1]: NOQUEUE: reject_warning: RCPT from c.a.example[192.0.2.1]: 450 4.7.25 no; from=<s@a.example> to=<r@example.org> proto=ESMTP helo=<h>
Nov 25 21:33:43 mail postfix/smtp[1]: 71F: to=<a@b.example>, relay=none, delay=1, dsn=4.4.1, status=undeliverable (connect to x[192.0.2.1]:25: no)
";
    assert_eq!(
        told(Format::Postfix, log),
        [
            "rejected-by-us rcpt s@a.example r@example.org 550 5.7.1 Service unavailable; client [192.0.2.1] blocked using x.example",
            "rejected-by-us body s@a.example r@example.org 5.7.1 Spam message rejected",
        ]
    );
}

#[test]
fn the_other_message_trace() {
    let log = "\u{feff}\"Received\",\"SenderAddress\",\"RecipientAddress\",\"Subject\",\"Status\",\"ToIP\",\"FromIP\",\"Size\",\"MessageId\",\"MessageTraceId\"\r\n\
        \"11/7/2026 8:38:11 AM\",\"s@example.org\",\"a@b.example\",\"x, y\",\"Failed\",\"\",\"192.0.2.1\",\"2\",\"<1>\",\"t1\"\r\n\
        \"11/7/2026 8:38:11 AM\",\"s@example.org\",\"c@b.example\",\"x\",\"Delivered\",\"192.0.2.2\",\"192.0.2.1\",\"2\",\"<1>\",\"t1\"\r\n";
    assert_eq!(redeliver_logs::recognise(log.as_bytes()), Some(Format::M365Trace));
    assert_eq!(
        told(Format::M365Trace, log),
        ["bounced - s@example.org a@b.example ", "delivered s@example.org c@b.example here"]
    );
}

#[test]
fn a_failure_of_qmail_whose_start_was_rotated_away() {
    let log = "Nov 25 21:34:42 mail qmail: 1764106482.1 delivery 7: failure: 203.0.113.23_does_not_like_recipient./Remote_host_said:_550_5.1.1_no_such_user/Giving_up_on_203.0.113.23./\n\
        Nov 25 21:34:43 mail qmail: 1764106483.1 delivery 8: success: 203.0.113.23_accepted_message./Remote_host_said:_250_ok/\n";
    assert_eq!(told(Format::Qmail, log), ["bounced rcpt - - 550 5.1.1 no such user"]);
}
