//! The public contract in JSON: one object a refusal, on one line. `docs/explain.schema.json` describes it.
//!
//! Written by hand rather than through a serializer: this is the hot path of a log with millions of refusals.

use redeliver_model::{Explanation, Hypothesis, Origin, Party, Remedy, ServerSetting, Unread};

use crate::escape::is_dangerous;

/// The version of the contract. Fields may be added within a version.
pub const SCHEMA: u32 = 1;

/// Writes one explanation as one line.
pub fn explanation(told: &Explanation<'_>, out: &mut Vec<u8>) {
    let refusal = &told.refusal;
    let mut json = Object::open(out);
    json.raw("schema", "1");
    origin(&mut json, &told.origin);
    json.text("kind", told.kind.as_str());
    json.optional("time", refusal.time.map(|time| time.to_string()).as_deref());
    json.optional("queue_id", refusal.queue_id.as_deref());
    json.optional("recipient", refusal.recipient.as_deref());
    json.optional("final_recipient", refusal.recipient.as_deref());
    json.optional("original_recipient", refusal.original_recipient.as_deref());
    json.optional("sender", refusal.sender.as_deref());
    reply(json.key("reply"), refusal);
    json.optional("stage", refusal.stage.map(redeliver_model::Stage::as_str));
    json.optional("site", told.site.map(|(id, _)| id));
    json.optional("software", told.software);
    json.optional("list", told.list.map(|(zone, _)| zone));
    let mut roles = Object::open(json.key("roles"));
    party(roles.key("reported_by"), &refusal.reported_by);
    party(roles.key("refused_by"), &refusal.refused_by);
    party(roles.key("client"), &refusal.client);
    roles.close();
    json.optional("outcome", refusal.outcome.map(redeliver_model::Outcome::as_str));
    forwarded(json.key("forwarded"), refusal.forwarded.as_ref());
    array(json.key("causes"), &told.causes, hypothesis);
    json.text("scope", told.scope.as_str());
    match refusal.reply.class() {
        Some(class) => json.raw("code_class", digit(class)),
        None => json.raw("code_class", "null"),
    }
    json.text("retry", told.retry.as_str());
    json.text("address_is_bad", told.address_is_bad.as_str());
    let mut verdict = Object::open(json.key("verdict"));
    verdict.text("fault", told.verdict.fault.as_str());
    verdict.text("actor", &told.verdict.actor);
    verdict.text("act", told.verdict.act.as_str());
    verdict.text("summary", &told.verdict.summary);
    verdict.close();
    array(json.key("settled_by"), &told.settled_by, |check, out| string(check, out));
    array(json.key("remedies"), &told.remedies, remedy);
    array(json.key("settings"), &told.settings, setting);
    json.close();
    out.push(b'\n');
}

/// Writes what could not be read as one line.
pub fn unread(unread: &Unread<'_>, out: &mut Vec<u8>) {
    let mut json = Object::open(out);
    json.raw("schema", "1");
    origin(&mut json, &unread.origin);
    let mut error = Object::open(json.key("error"));
    error.text("code", unread.code);
    let place = unread.origin.line.map(|line| format!("line {line}"));
    error.optional("place", place.as_deref());
    error.text("text", &unread.text);
    error.close();
    json.close();
    out.push(b'\n');
}

/// An object of texts, without a line end.
pub fn row(fields: &[(&str, &str)]) -> String {
    let mut out = Vec::new();
    let mut json = Object::open(&mut out);
    for (key, value) in fields {
        json.text(key, value);
    }
    json.close();
    String::from_utf8_lossy(&out).into_owned()
}

fn origin(json: &mut Object<'_>, origin: &Origin<'_>) {
    json.text("source", &origin.source);
    json.optional("member", origin.member.as_deref());
    match origin.line {
        Some(line) => json.raw("line", &line.to_string()),
        None => json.raw("line", "null"),
    }
}

fn reply(out: &mut Vec<u8>, refusal: &redeliver_model::Refusal<'_>) {
    let mut json = Object::open(out);
    match refusal.reply.code {
        Some(code) => json.raw("code", &code.to_string()),
        None => json.raw("code", "null"),
    }
    json.optional("enhanced", refusal.reply.enhanced.map(|status| status.to_string()).as_deref());
    array(json.key("lines"), &refusal.reply.lines, |line, out| string(line, out));
    json.close();
}

fn party(out: &mut Vec<u8>, party: &Party<'_>) {
    if party.is_unknown() {
        out.extend_from_slice(b"null");
        return;
    }
    let mut json = Object::open(out);
    json.optional("host", party.host.as_deref());
    json.optional("ip", party.ip.map(|ip| ip.to_string()).as_deref());
    json.optional("helo", party.helo.as_deref());
    json.optional("side", party.side.map(redeliver_model::Side::as_str));
    json.close();
}

fn forwarded(out: &mut Vec<u8>, forwarded: Option<&redeliver_model::Forwarding<'_>>) {
    let Some(forwarded) = forwarded else {
        out.extend_from_slice(b"null");
        return;
    };
    let mut json = Object::open(out);
    json.optional("by", forwarded.by.as_deref());
    json.optional("from", forwarded.from.as_deref());
    json.optional("to", forwarded.to.as_deref());
    json.text("shown_by", &forwarded.shown_by);
    json.close();
}

fn hypothesis(hypothesis: &Hypothesis<'_>, out: &mut Vec<u8>) {
    let mut json = Object::open(out);
    json.text("cause", hypothesis.cause.as_str());
    json.text("subject", hypothesis.subject.as_str());
    json.raw("confidence", hundredths(hypothesis.confidence, &mut [0; 4]));
    json.optional("rule", hypothesis.rule.as_deref());
    json.text("why", &hypothesis.why);
    json.close();
}

fn remedy(remedy: &Remedy<'_>, out: &mut Vec<u8>) {
    let mut json = Object::open(out);
    json.text("id", remedy.id);
    json.text("title", &remedy.title);
    json.text("who", remedy.who);
    json.optional("channel", remedy.channel.as_deref());
    json.optional("proves", remedy.proves);
    array(json.key("steps"), &remedy.steps, |step, out| string(step, out));
    json.close();
}

fn setting(setting: &ServerSetting<'_>, out: &mut Vec<u8>) {
    let mut json = Object::open(out);
    json.text("software", setting.software);
    json.text("side", if setting.on_refusing_side { "theirs" } else { "ours" });
    json.text("text", setting.text);
    json.optional("command", setting.command);
    json.close();
}

/// 0 to 1 with two decimals.
fn hundredths(value: f32, buffer: &mut [u8; 4]) -> &str {
    #[expect(clippy::cast_sign_loss, reason = "the value was clamped to 0 and above")]
    let hundred = (value.clamp(0.0, 1.0) * 100.0).round() as u8;
    *buffer = [b'0' + hundred / 100, b'.', b'0' + hundred / 10 % 10, b'0' + hundred % 10];
    std::str::from_utf8(buffer).unwrap_or("0.00")
}

fn digit(value: u8) -> &'static str {
    match value {
        2 => "2",
        4 => "4",
        5 => "5",
        _ => "3",
    }
}

pub(crate) fn array<T>(out: &mut Vec<u8>, items: &[T], mut write: impl FnMut(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

/// All of them as one array, or each on a line of its own.
pub(crate) fn listed<T>(all: &[T], as_array: bool, write: impl Fn(&T, &mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    if as_array {
        array(&mut out, all, write);
        out.push(b'\n');
    } else {
        for one in all {
            write(one, &mut out);
            out.push(b'\n');
        }
    }
    out
}

/// An object being written; the first key has no comma in front.
pub(crate) struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Object<'o> {
    pub(crate) fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    pub(crate) fn key(&mut self, key: &str) -> &mut Vec<u8> {
        let start: &[u8] = if self.empty { b"\"" } else { b",\"" };
        self.empty = false;
        self.out.extend_from_slice(start);
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) {
        string(value, self.key(key));
    }

    pub(crate) fn optional(&mut self, key: &str, value: Option<&str>) {
        match value {
            Some(value) => self.text(key, value),
            None => self.raw(key, "null"),
        }
    }

    /// A value that is JSON already.
    pub(crate) fn raw(&mut self, key: &str, value: &str) {
        self.key(key).extend_from_slice(value.as_bytes());
    }

    pub(crate) fn close(self) {
        self.out.push(b'}');
    }
}

/// A JSON string; what could draw on a terminal is escaped too, so that a line may be shown as it is.
pub(crate) fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut plain = 0;
    let mut at = 0;
    while at < bytes.len() {
        at = plain_until::<32>(bytes, at);
        at = plain_until::<8>(bytes, at);
        let Some(byte) = bytes.get(at).copied() else { break };
        if PLAIN[usize::from(byte)] {
            at += 1;
            continue;
        }
        if byte >= 0x80 {
            let Some(c) = text[at..].chars().next() else { break };
            if is_dangerous(c) {
                out.extend_from_slice(&bytes[plain..at]);
                let mut units = [0; 2];
                c.encode_utf16(&mut units).iter().for_each(|unit| hex(*unit, out));
                plain = at + c.len_utf8();
            }
            at += c.len_utf8();
            continue;
        }
        out.extend_from_slice(&bytes[plain..at]);
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => hex(u16::from(byte), out),
        }
        at += 1;
        plain = at;
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
}

/// Goes on from `at` by `N` bytes at a time while all of them may stand as they are; the compiler makes vectors of them.
#[inline]
fn plain_until<const N: usize>(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..at + N) {
        let mut other = 0;
        for byte in chunk {
            other |= u8::from(byte.wrapping_sub(b' ') > 0x5e) | u8::from(*byte == b'"') | u8::from(*byte == b'\\');
        }
        if other != 0 {
            break;
        }
        at += N;
    }
    at
}

/// Bytes that a JSON string may hold as they are (RFC 8259 7), DEL left out.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0x20;
    while byte < 0x7f {
        plain[byte] = byte != b'"' as usize && byte != b'\\' as usize;
        byte += 1;
    }
    plain
};

fn hex(unit: u16, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |shift: u16| DIGITS[usize::from(unit >> shift & 15)];
    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_reads_back() {
        for text in
            ["", "plain", "\"\\\n\r\t\0\u{1f}\u{7f}", "Größe \u{202e}\u{1b}[2J 拒否 😀 \u{e0041}", "\u{feff}x\u{2028}"]
        {
            let mut out = Vec::new();
            string(text, &mut out);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
            assert!(!String::from_utf8(out).unwrap().chars().any(is_dangerous));
        }
    }

    #[test]
    fn confidence_has_two_decimals() {
        for (value, want) in [(0.0, "0.00"), (0.976, "0.98"), (1.0, "1.00"), (7.0, "1.00"), (0.305, "0.31")] {
            assert_eq!(hundredths(value, &mut [0; 4]), want);
        }
    }
}
