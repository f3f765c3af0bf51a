//! TLSA records (RFC 6698 2, for mail RFC 7672 3.1): reading the written form, printing, what senders can use. Never fails.

use crate::fault::{Faults, Parsed, Span};
use crate::txt::{bounded, text};

/// What a server's certificate must be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsaRecord {
    /// Certificate usage: 2 an authority (DANE-TA), 3 the server's own (DANE-EE); 0 and 1 are not for mail.
    pub usage: u8,
    /// 0 the whole certificate, 1 its public key.
    pub selector: u8,
    /// 0 the thing itself, 1 its SHA-256, 2 its SHA-512.
    pub matching: u8,
    /// The certificate, key or hash.
    pub data: Vec<u8>,
}

impl TlsaRecord {
    /// Reads `3 1 1 0b1c...`; the data may be split by blanks (RFC 6698 2.2).
    pub fn parse(bytes: impl AsRef<[u8]>) -> Parsed<Self> {
        let bytes = bounded(bytes.as_ref());
        let mut faults = Faults::default();
        let words: Vec<Span> = words(bytes).collect();
        let mut record = Self::default();
        for (place, name, value) in [
            (0, "usage", &mut record.usage),
            (1, "selector", &mut record.selector),
            (2, "matching type", &mut record.matching),
        ] {
            let span = words.get(place).copied().unwrap_or(Span::new(bytes.len(), bytes.len()));
            match text(&bytes[span.start..span.end]).parse() {
                Ok(number) => *value = number,
                Err(_) => faults.breaks("tlsa-bad-number", span, format!("The {name} is no number from 0 to 255.")),
            }
        }
        let mut digits = Vec::new();
        for span in words.iter().skip(3) {
            for (at, byte) in (span.start..).zip(&bytes[span.start..span.end]) {
                match (*byte as char).to_digit(16) {
                    Some(digit) => digits.push(digit as u8),
                    None => faults.breaks("tlsa-bad-data", Span::new(at, at + 1), "The data is not written in hex."),
                }
            }
        }
        let data =
            words.get(3).map_or(Span::new(bytes.len(), bytes.len()), |first| Span::new(first.start, bytes.len()));
        if digits.len() % 2 == 1 {
            faults.breaks("tlsa-bad-data", data, "The data has half an octet.");
        }
        record.data = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        let place = |number: usize| words.get(number).copied().unwrap_or_default();
        record.check(place(0), place(1), place(2), data, &mut faults);
        faults.finish(record)
    }

    /// Checks a record that came from the wire; the spans of its faults are empty.
    pub fn from_parts(usage: u8, selector: u8, matching: u8, data: Vec<u8>) -> Parsed<Self> {
        let record = Self { usage, selector, matching, data };
        let (mut faults, nowhere) = (Faults::default(), Span::default());
        record.check(nowhere, nowhere, nowhere, nowhere, &mut faults);
        faults.finish(record)
    }

    fn check(&self, usage: Span, selector: Span, matching: Span, data: Span, faults: &mut Faults) {
        match self.usage {
            2 | 3 => {}
            // RFC 7672 3.1.3: usages 0 and 1 are not for SMTP; senders may treat them as unusable.
            0 | 1 => faults.breaks("tlsa-usage-not-for-mail", usage, "Usages 0 and 1 are not for mail; use 3 or 2."),
            other => faults.breaks("tlsa-unknown-usage", usage, format!("The usage {other} is unknown.")),
        }
        if self.selector > 1 {
            faults.breaks("tlsa-unknown-selector", selector, format!("The selector {} is unknown.", self.selector));
        }
        let wanted = match self.matching {
            0 => None,
            1 => Some(32),
            2 => Some(64),
            other => {
                faults.breaks("tlsa-unknown-matching", matching, format!("The matching type {other} is unknown."));
                None
            }
        };
        if let Some(wanted) = wanted.filter(|wanted| *wanted != self.data.len()) {
            let sentence = format!("The hash must have {wanted} octets, it has {}.", self.data.len());
            faults.breaks("tlsa-bad-length", data, sentence);
        } else if self.data.is_empty() {
            faults.breaks("tlsa-bad-length", data, "There is no certificate data.");
        }
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = Span> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let start = at;
        at += bytes[at..].iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
        (start < at).then_some(Span::new(start, at))
    })
}

impl std::fmt::Display for TlsaRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {} ", self.usage, self.selector, self.matching)?;
        self.data.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
