//! Random and mutated bytes: no reader panics, every span lies within the text, and what was printed reads back the same.

use std::fmt::Display;

use redeliver_records::{
    BimiRecord, DkimKey, DmarcRecord, JoinedText, MtaStsPolicy, MtaStsRecord, Parsed, SpfRecord, TlsRptRecord,
    TlsaRecord,
};

const ROUNDS: usize = 40_000;

/// A generator of numbers that are the same in every run (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit.max(1)
    }
}

const SEEDS: &[&str] = &[
    "v=spf1 a mx/24//64 ip4:192.0.2.0/24 ip6:2001:db8::/32 include:%{d2}.example.org exists:%{ir}.%{l1r-}.example.org ~all",
    "v=spf1 ptr:example.org a:foo.example.com/0 redirect=_spf.example.com exp=%{o}.example.com moo=%{s}",
    "v=DKIM1; k=rsa; h=sha256; t=y:s; s=email; n=a note; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAP//////////////////////////",
    "v=DMARC1; p=reject; sp=none; np=quarantine; psd=u; t=n; adkim=s; rua=mailto:a@example.org!10m,https://b; fo=0:d; pct=5",
    "v=STSv1; id=20260101;",
    "version: STSv1\r\nmode: enforce\r\nmx: *.example.com\r\nmax_age: 604800\r\nother: x\r\n",
    "v=TLSRPTv1; rua=mailto:a@example.org,https://example.net/r",
    "v=BIMI1; l=https://example.org/l.svg; a=; avp=brand",
    "3 1 1 abababababababababababababababababababababababababababababababab",
];

const SPLICES: &[&str] = &[
    "%{",
    "}",
    "%",
    "/",
    "//",
    "::",
    ";",
    "=",
    ",",
    "!",
    " ",
    "\t",
    "\r\n",
    "\0",
    "\u{ff}",
    "999999999999",
    "0",
    "v=spf1 ",
    "all",
    "-",
    "p=",
    "mailto:",
    "@",
    "\u{3000}",
    "%{d99999999999999999999}",
    "/129",
    "ip4:",
    "include:",
    "==",
];

fn mutated(numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = SEEDS[numbers.below(SEEDS.len())].as_bytes().to_vec();
    for _ in 0..=numbers.below(6) {
        let at = numbers.below(bytes.len() + 1);
        match numbers.below(5) {
            0 if at < bytes.len() => bytes[at] = numbers.next() as u8,
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 => bytes.truncate(at),
            3 => {
                let end = (at + numbers.below(20)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = numbers.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            _ => drop(bytes.splice(at..at, SPLICES[numbers.below(SPLICES.len())].bytes())),
        }
    }
    bytes
}

fn check<T: Display>(bytes: &[u8], parse: impl Fn(&[u8]) -> Parsed<T>) {
    let read = parse(bytes);
    for fault in &read.faults {
        let span = fault.span;
        assert!(span.start <= span.end && span.end <= bytes.len(), "{fault:?} in {bytes:?}");
        assert!(!fault.text.is_empty() && fault.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    }
    if !read.is_broken() {
        let printed = read.record.to_string();
        let again = parse(printed.as_bytes());
        assert!(!again.is_broken(), "{printed:?} {:?}", again.faults);
        assert_eq!(again.record.to_string(), printed, "{bytes:?}");
    }
}

fn check_all(bytes: &[u8]) {
    check(bytes, |bytes| SpfRecord::parse(bytes));
    check(bytes, |bytes| DkimKey::parse(bytes));
    check(bytes, |bytes| DmarcRecord::parse(bytes));
    check(bytes, |bytes| MtaStsRecord::parse(bytes));
    check(bytes, |bytes| MtaStsPolicy::parse(bytes));
    check(bytes, |bytes| TlsRptRecord::parse(bytes));
    check(bytes, |bytes| BimiRecord::parse(bytes));
    check(bytes, |bytes| TlsaRecord::parse(bytes));
    for term in SpfRecord::parse(bytes).record.terms {
        assert!(term.span.start < term.span.end && term.span.end <= bytes.len());
    }
}

#[test]
fn mutated_records_never_panic_and_keep_their_places() {
    let mut numbers = Numbers(0x5eed);
    for _ in 0..ROUNDS {
        let bytes = mutated(&mut numbers);
        check_all(&bytes);
        let cut = numbers.below(bytes.len() + 1);
        let strings = [&bytes[..cut], &bytes[cut..]];
        let joined = JoinedText::of(&strings).bytes.len();
        let read = SpfRecord::parse_strings(&strings);
        assert!(read.faults.iter().all(|fault| fault.span.end <= joined));
    }
}

#[test]
fn random_bytes_never_panic() {
    let mut numbers = Numbers(0xbad);
    for _ in 0..ROUNDS / 4 {
        let length = numbers.below(200);
        let bytes: Vec<u8> = (0..length).map(|_| numbers.next() as u8).collect();
        check_all(&bytes);
    }
}

#[test]
fn a_record_longer_than_dns_allows_is_cut() {
    let text = format!("v=spf1 {}", "a ".repeat(60_000));
    assert!(SpfRecord::parse(&text).is_broken());
    check_all("; ".repeat(60_000).as_bytes());
}
