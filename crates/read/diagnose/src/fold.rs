//! Folding: the one form in which texts and phrases are compared.
//!
//! Lower case, accents off, punctuation to single blanks; addresses and IPs become one mark each; host names, URLs and
//! dotted codes stay whole and are remembered as *names*, since words inside them say nothing.

use std::net::Ipv6Addr;

/// Stands for a mail address in folded text (`{addr}` in phrases).
pub const ADDRESS: u8 = 0x01;
/// Stands for an IP address (`{ip}` in phrases).
pub const IP: u8 = 0x02;

/// Texts longer than this are cut before folding. No refusal of use is longer: RFC 5321 4.5.3.1.5 allows 512 octets a
/// line, and the longest real multi-line reply seen has under 4 KiB.
pub const MOST_BYTES: usize = 16 * 1024;

/// What a run of the text was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A mail address.
    Address,
    /// An IP address, perhaps with a port behind it.
    Ip,
    /// A URL with its scheme.
    Url,
    /// A host name or another dotted name.
    Name,
}

/// Where in the text it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// In which of the lines that were added.
    pub line: u16,
    /// First byte in that line.
    pub start: u32,
    /// The byte behind the last.
    pub end: u32,
    /// Its place in the folded text.
    pub folded: u32,
}

/// A folded text.
#[derive(Debug, Default, Clone)]
pub struct Folded {
    /// The bytes, mostly ASCII, with single blanks between words.
    pub bytes: Vec<u8>,
    /// Start and end of each name in `bytes`, in order.
    pub names: Vec<(u32, u32)>,
    /// Addresses, IPs, URLs and names in the order of the text.
    pub found: Vec<Found>,
    lines: u16,
    /// Whether the present line has an `@` or a `:` at all: most have not, and need not be searched for addresses.
    has_at: bool,
    has_colon: bool,
}

impl Folded {
    /// Folds `text` into this buffer, replacing what was there.
    pub fn fold(&mut self, text: &str) {
        self.clear();
        self.add(text);
    }

    /// Empties the buffer.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.names.clear();
        self.found.clear();
        self.lines = 0;
    }

    /// Adds another line behind a blank.
    pub fn add(&mut self, text: &str) {
        let text = bounded(text, MOST_BYTES.saturating_sub(self.bytes.len()));
        self.blank();
        let bytes = text.as_bytes();
        self.has_at = bytes.contains(&b'@');
        self.has_colon = bytes.contains(&b':');
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            at = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => self.token(text, at),
                b'*' | b'_' if self.has_at && address_end(bytes, at).is_some() => self.token(text, at),
                b':' if bytes.get(at + 1) == Some(&b':') => self.token(text, at),
                b'\'' | b'`' => {
                    // doesn't -> doesnt; 'quoted' -> quoted
                    if !(self.ends_in_letter() && bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic)) {
                        self.blank();
                    }
                    at + 1
                }
                0x80.. => self.wide(text, at),
                _ => {
                    self.blank();
                    at + 1
                }
            };
        }
        if self.bytes.last() == Some(&b' ') {
            self.bytes.pop();
        }
        self.lines = self.lines.saturating_add(1);
    }

    /// Whether `start..end` touches a name.
    pub fn touches_name(&self, start: usize, end: usize) -> bool {
        let after = self.names.partition_point(|name| name.0 < end as u32);
        after > 0 && self.names[after - 1].1 > start as u32
    }

    fn ends_in_letter(&self) -> bool {
        self.bytes.last().is_some_and(u8::is_ascii_alphabetic)
    }

    fn blank(&mut self) {
        if self.bytes.last().is_some_and(|last| *last != b' ') {
            self.bytes.push(b' ');
        }
    }

    fn found(&mut self, kind: Kind, start: usize, end: usize) {
        let folded = self.bytes.len() as u32;
        self.found.push(Found { kind, line: self.lines, start: start as u32, end: end as u32, folded });
    }

    fn mark(&mut self, mark: u8) {
        self.blank();
        self.bytes.extend([mark, b' ']);
    }

    fn name(&mut self, raw: &str) {
        let start = self.bytes.len() as u32;
        self.bytes.extend(raw.bytes().map(|byte| byte.to_ascii_lowercase()));
        self.names.push((start, self.bytes.len() as u32));
    }

    fn words(&mut self, raw: &[u8]) {
        if raw.iter().all(u8::is_ascii_alphanumeric) {
            self.bytes.extend(raw.iter().map(u8::to_ascii_lowercase));
            return;
        }
        for byte in raw {
            if byte.is_ascii_alphanumeric() {
                self.bytes.push(byte.to_ascii_lowercase());
            } else {
                self.blank();
            }
        }
    }

    /// A run that starts with a letter or digit: a URL, an address, an IP, a name or words. Returns the place behind it.
    fn token(&mut self, text: &str, at: usize) -> usize {
        let bytes = text.as_bytes();
        if starts_url(&bytes[at..]) {
            let end = url_end(bytes, at);
            self.found(Kind::Url, at, end);
            self.name(&text[at..end]);
            return end;
        }
        if self.has_at
            && let Some(end) = address_end(bytes, at)
        {
            self.found(Kind::Address, at, end);
            self.mark(ADDRESS);
            return end;
        }
        if self.has_colon
            && let Some(end) = ipv6_end(bytes, at)
        {
            self.found(Kind::Ip, at, end);
            self.mark(IP);
            return end;
        }
        let mut end = at + bytes[at..].iter().take_while(|byte| is_name_byte(**byte)).count();
        while end > at && !bytes[end - 1].is_ascii_alphanumeric() {
            end -= 1;
        }
        if end == at {
            self.blank();
            return at + 1;
        }
        // "denied...7d39": dots in a row separate words.
        if let Some(dots) = bytes[at..end].windows(2).position(|two| two == b"..") {
            end = at + dots;
        }
        let run = &bytes[at..end];
        if run.contains(&b'.') {
            // Answers of lists (RFC 5782 2.1) say something by themselves and are kept.
            if is_ipv4(run) && !run.starts_with(b"127.") {
                self.found(Kind::Ip, at, end);
                self.mark(IP);
                return end + port_length(&bytes[end..]);
            }
            if let Some(stop) = sentence_stop(run) {
                self.words(&run[..stop]);
                self.blank();
                return at + stop + 1;
            }
            let end = if bytes.get(end) == Some(&b'/') && ends_in_label(run) { url_end(bytes, at) } else { end };
            self.found(Kind::Name, at, end);
            self.name(&text[at..end]);
            return end;
        }
        self.words(run);
        end
    }

    /// One character outside ASCII. Returns the place behind it.
    fn wide(&mut self, text: &str, at: usize) -> usize {
        let Some(wide) = text[at..].chars().next() else { return text.len() };
        match wide {
            '’' | '‘' | '\u{2bc}' => {
                if !self.ends_in_letter() {
                    self.blank();
                }
            }
            '\u{300}'..='\u{36f}' => {} // combining marks
            'À'..='ɏ' => match latin(wide) {
                "" => self.blank(),
                plain => self.bytes.extend_from_slice(plain.as_bytes()),
            },
            'ё' | 'Ё' => self.bytes.extend_from_slice("е".as_bytes()),
            '！'..='～' => {
                let narrow = (wide as u32 - 0xff01 + 0x21) as u8;
                self.words(&[narrow]);
            }
            _ if wide.is_alphanumeric() => {
                for lower in wide.to_lowercase() {
                    let mut buffer = [0; 4];
                    self.bytes.extend_from_slice(lower.encode_utf8(&mut buffer).as_bytes());
                }
            }
            _ => self.blank(),
        }
        at + wide.len_utf8()
    }
}

/// The start of `text`, at most `most` bytes, cut between characters.
fn bounded(text: &str, most: usize) -> &str {
    if text.len() <= most { text } else { &text[..text.floor_char_boundary(most)] }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

fn starts_url(bytes: &[u8]) -> bool {
    let starts = |scheme: &[u8]| bytes.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    matches!(bytes[0], b'h' | b'H') && (starts(b"http://") || starts(b"https://"))
}

/// The end of a URL: a blank, a bracket or a quote ends it; punctuation at its end is not part of it.
fn url_end(bytes: &[u8], at: usize) -> usize {
    let stops = |byte: u8| {
        byte <= b' ' || byte >= 0x7f || matches!(byte, b'<' | b'>' | b'"' | b'\'' | b')' | b']' | b'}' | b'|')
    };
    let mut end = at + bytes[at..].iter().take_while(|byte| !stops(**byte)).count();
    while end > at && matches!(bytes[end - 1], b'.' | b',' | b':' | b';' | b'!' | b'?') {
        end -= 1;
    }
    end
}

/// The end of a mail address that starts at `at`, if one does.
fn address_end(bytes: &[u8], at: usize) -> Option<usize> {
    let is_local =
        |byte: u8| is_name_byte(byte) || matches!(byte, b'+' | b'%' | b'=' | b'*' | b'~' | b'#' | b'&' | b'!');
    // RFC 5321 4.5.3.1.1 allows 64 octets; VERP senders use more.
    let local = bytes[at..].iter().take(200).take_while(|byte| is_local(**byte)).count();
    if local == 0 || bytes.get(at + local) != Some(&b'@') {
        return None;
    }
    let start = at + local + 1;
    let mut end =
        start + bytes[start..].iter().take(255).take_while(|byte| is_name_byte(**byte) || **byte == b'*').count();
    while end > start && matches!(bytes[end - 1], b'.' | b'-') {
        end -= 1;
    }
    (end > start).then_some(end)
}

fn ipv6_end(bytes: &[u8], at: usize) -> Option<usize> {
    let run =
        bytes[at..].iter().take(45).take_while(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')).count();
    let mut end = at + run;
    if bytes[at..end].split(|byte| *byte == b':').count() < 3 {
        return None;
    }
    while end > at && matches!(bytes[end - 1], b'.' | b':') && !bytes[at..end].ends_with(b"::") {
        end -= 1;
    }
    if bytes.get(end).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let text = std::str::from_utf8(&bytes[at..end]).ok()?;
    text.parse::<Ipv6Addr>().ok().filter(|ip| !ip.is_unspecified()).map(|_| end)
}

/// Four dotted parts of digits; `x` in place of digits is how people hide them.
fn is_ipv4(run: &[u8]) -> bool {
    let mut parts = 0;
    for part in run.split(|byte| *byte == b'.') {
        parts += 1;
        let digits = (1..=3).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
        let hidden = (1..=3).contains(&part.len()) && part.iter().all(|byte| matches!(byte, b'x' | b'X'));
        if parts > 4 || !(digits || hidden) {
            return false;
        }
    }
    parts == 4
}

fn port_length(rest: &[u8]) -> usize {
    match rest.first() {
        Some(b':' | b'/') => match rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count() {
            0 => 0,
            digits => digits + 1,
        },
        _ => 0,
    }
}

/// `spam.FortiGuard`: a full stop without a blank behind it, not a dotted name.
fn sentence_stop(run: &[u8]) -> Option<usize> {
    run.windows(4)
        .position(|four| {
            four[0].is_ascii_lowercase()
                && four[1] == b'.'
                && four[2].is_ascii_uppercase()
                && four[3].is_ascii_lowercase()
        })
        .map(|at| at + 1)
}

/// Whether the last label of a dotted run is alphabetic, as of a host name.
fn ends_in_label(run: &[u8]) -> bool {
    run.rsplit(|byte| *byte == b'.')
        .next()
        .is_some_and(|label| label.len() >= 2 && label.iter().all(u8::is_ascii_alphabetic))
}

/// A Latin letter without its accent; empty for signs.
fn latin(wide: char) -> &'static str {
    match wide {
        'À'..='Å' | 'à'..='å' | 'Ā'..='ą' => "a",
        'Æ' | 'æ' => "ae",
        'Ç' | 'ç' | 'Ć'..='č' => "c",
        'Ď'..='đ' | 'Ð' | 'ð' => "d",
        'È'..='Ë' | 'è'..='ë' | 'Ē'..='ě' => "e",
        'Ĝ'..='ģ' => "g",
        'Ĥ'..='ħ' => "h",
        'Ì'..='Ï' | 'ì'..='ï' | 'Ĩ'..='ı' => "i",
        'Ĵ' | 'ĵ' => "j",
        'Ķ'..='ĸ' => "k",
        'Ĺ'..='ł' => "l",
        'Ñ' | 'ñ' | 'Ń'..='ŋ' => "n",
        'Ò'..='Ö' | 'Ø' | 'ò'..='ö' | 'ø' | 'Ō'..='ő' => "o",
        'Œ' | 'œ' => "oe",
        'Ŕ'..='ř' => "r",
        'ß' => "ss",
        'Ś'..='š' | 'Ș' | 'ș' => "s",
        'Ţ'..='ŧ' | 'Ț' | 'ț' => "t",
        'Ù'..='Ü' | 'ù'..='ü' | 'Ũ'..='ų' => "u",
        'Ý' | 'ý' | 'ÿ' | 'Ŷ'..='Ÿ' => "y",
        'Ŵ' | 'ŵ' => "w",
        'Ź'..='ž' => "z",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(text: &str) -> String {
        let mut folded = Folded::default();
        folded.fold(text);
        String::from_utf8(folded.bytes).unwrap().replace('\u{1}', "{addr}").replace('\u{2}', "{ip}")
    }

    #[test]
    fn words_names_addresses_and_ips() {
        for (text, want) in [
            ("Recipient address rejected: Access-denied!", "recipient address rejected access denied"),
            ("User doesn't exist, doesn’t it?", "user doesnt exist doesnt it"),
            ("<user@example.com>: no", "{addr} no"),
            ("<bounce+a=b.example@mx.example.org> (x)", "{addr} x"),
            ("****@icloud.com: inactive", "{addr} inactive"),
            ("Client host [192.0.2.7] blocked", "client host {ip} blocked"),
            ("Client [2001:db8::7]:25 and ::1", "client {ip} 25 and {ip}"),
            ("IP 1.2.3.4:25, X.X.X.X", "ip {ip} {ip}"),
            (
                "using zen.spamhaus.org; see HTTPS://Check.Spamhaus.org/A?b=C.",
                "using zen.spamhaus.org see https://check.spamhaus.org/a?b=c",
            ),
            ("see spamhaus.org/zen, please", "see spamhaus.org/zen please"),
            ("was detected as spam.FortiGuard AntiSpam", "was detected as spam fortiguard antispam"),
            ("RESOLVER.ADR.RecipNotFound; not found", "resolver.adr.recipnotfound not found"),
            ("Boîte du destinataire archivée, Größe", "boite du destinataire archivee grosse"),
            ("Access denied...7d39d5 ok", "access denied 7d39d5 ok"),
            ("Ящик ПЕРЕПОЛНЕН", "ящик переполнен"),
            ("ＥＲＲＯＲ：拒否。", "error 拒否"),
            ("said:: no ::", "said no"),
            ("blocked_by-policy (#5.7.1)", "blocked by policy 5.7.1"),
        ] {
            assert_eq!(fold(text), want, "{text}");
        }
    }

    #[test]
    fn a_name_is_remembered_as_such() {
        let mut folded = Folded::default();
        folded.fold("see http://spam.example/blocked now");
        assert!(folded.touches_name(10, 14));
        assert!(!folded.touches_name(0, 3));
        assert!(!folded.touches_name(folded.bytes.len() - 3, folded.bytes.len()));
    }

    #[test]
    fn a_huge_text_is_cut() {
        let mut folded = Folded::default();
        folded.fold(&"é".repeat(MOST_BYTES));
        assert!(folded.bytes.len() <= MOST_BYTES);
    }
}
