//! The readers of logs and event streams: bounded, the same whole or in pieces, and able to go on where they stopped.

use std::ops::ControlFlow;

use redeliver_logs::submissions::Submissions;
use redeliver_logs::{Event, Format, Reader, Unreadable, YearRule, recognise};

use crate::hold::{NOW, bounded};

/// What is told, without what is known of the message from other lines: Postfix joins within a block first, and a queue id that
/// is used again by another message (which takes the same microsecond and inode) may be joined otherwise when blocks are cut
/// elsewhere.
fn by_itself(event: &Event<'_>) -> String {
    match event {
        Event::Refused(refused) => {
            format!("{:?} {:?} {:?} {:?}", refused.place, refused.outcome, refused.text, refused.refusal.recipient)
        }
        Event::Delivered(delivered) => format!("{:?} {:?}", delivered.place, delivered.recipient),
        Event::Submitted(_) => String::new(),
        Event::Unreadable(unreadable) => format!("{unreadable:?}"),
    }
}

/// What a reader tells, in words, and how large it is.
fn told(format: Format, pieces: &[&[u8]]) -> (Vec<String>, usize) {
    let mut reader = Reader::new(format, YearRule::utc(NOW));
    let (mut words, mut quoted) = (Vec::new(), 0);
    let mut take = |event: &Event<'_>| {
        match event {
            Event::Refused(refused) => quoted += refused.text.len(),
            Event::Unreadable(unreadable) => assert!(unreadable.line.len() <= 3 * Unreadable::SHOWN),
            _ => {}
        }
        words.push(if format == Format::Postfix { by_itself(event) } else { format!("{event:?}") });
        ControlFlow::Continue(())
    };
    for piece in pieces {
        assert!(reader.feed(piece, &mut take).is_continue());
    }
    assert!(reader.finish(&mut take).is_continue());
    words.retain(|words| !words.is_empty());
    (words, quoted)
}

/// The first byte names the format, the second says where the source is cut.
pub fn events(bytes: &[u8]) {
    let [chosen, cut, bytes @ ..] = bytes else { return };
    let _ = recognise(bytes);
    let formats: Vec<Format> = Format::all().collect();
    let format = formats[usize::from(*chosen) % formats.len()];
    let (whole, quoted) = told(format, &[bytes]);
    // One record may name many recipients, each with the reply of all.
    bounded(whole.len(), bytes.len(), 2, 64);
    bounded(quoted, bytes.len(), bytes.len().min(256), 4096);
    let (front, back) = bytes.split_at(usize::from(*cut) * bytes.len() / 256);
    assert_eq!(told(format, &[front, back]).0, whole, "read in two pieces");
}

/// A log in which senders of ours are looked for who send spam.
pub fn submissions(bytes: &[u8]) {
    let [chosen, rest @ ..] = bytes else { return };
    let formats: Vec<Format> = Format::all().collect();
    let mut reader = Reader::new(formats[usize::from(*chosen) % formats.len()], YearRule::utc(NOW));
    let mut submissions = Submissions::default();
    let mut seen = 0_usize;
    let mut take = |event: &Event<'_>| {
        submissions.take(event);
        if let Event::Refused(refused) = event {
            submissions.judged(refused, seen % 2 == 0, seen % 3 == 0);
        }
        seen += 1;
        ControlFlow::Continue(())
    };
    let _ = reader.feed(rest, &mut take);
    let _ = reader.finish(&mut take);
    assert!(submissions.verdict().len() <= seen, "more accused than events");
    assert!(submissions.busiest().len() <= seen);
}
