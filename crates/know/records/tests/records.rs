//! Tables of records: what is read, what is named as wrong and where, and that printing gives it back.

use redeliver_records::{
    BimiRecord, DkimKey, DmarcRecord, Effect, Fault, KeyMaterial, Level, MtaStsPolicy, MtaStsRecord, Policy,
    TlsRptRecord, TlsaRecord, mx_pattern_matches,
};

use Effect::{BreaksRecord, LosesPart, Untidy};

type Row<'a> = (&'a str, &'a [(&'a str, Effect, &'a str)]);

fn check(text: &str, faults: &[Fault], want: &[(&str, Effect, &str)]) {
    let got: Vec<_> = faults.iter().map(|fault| (fault.id, fault.effect, fault.span.of(text))).collect();
    assert_eq!(got, want, "{text}");
}

#[test]
fn dmarc_faults_and_their_places() {
    const MAIL: &str = "rua=mailto:a@example.org";
    for (text, id, effect) in [
        ("v=DMARC1; rua=mailto:a@example.org", "dmarc-p-missing", LosesPart),
        ("v=DMARC1", "dmarc-p-missing", BreaksRecord),
        ("v=DMARC1; rua=mailto:a@example.org; p=none", "dmarc-p-not-second", Untidy),
    ] {
        check(text, &DmarcRecord::parse(text).faults, &[(id, effect, text)]);
    }
    let rows: &[Row] = &[
        ("v=DMARC1; p=reject", &[]),
        ("v=DMARC1;p=none;", &[]),
        ("v = DMARC1 ; p = quarantine ; sp = reject ; np=reject; psd=n; t=y; adkim=s; aspf=r", &[]),
        (
            "v=DMARC1; p=reject; rua=mailto:a@example.org!10m",
            &[("dmarc-obsolete-size", Untidy, "mailto:a@example.org!10m")],
        ),
        (
            "v=DMARC1; p=reject; pct=50; ri=3600; rf=afrf",
            &[
                ("dmarc-historic-tag", Untidy, "pct=50"),
                ("dmarc-historic-tag", Untidy, "ri=3600"),
                ("dmarc-historic-tag", Untidy, "rf=afrf"),
            ],
        ),
        ("v=DMARC1; p=rejct", &[("dmarc-bad-policy", BreaksRecord, "rejct")]),
        ("v=DMARC1; p=rejct; rua=mailto:a@example.org", &[("dmarc-bad-policy", LosesPart, "rejct")]),
        ("v=DMARC1; p=reject; sp=no; rua=mailto:a@example.org", &[("dmarc-bad-policy", LosesPart, "no")]),
        (
            "v=DMARC1; p=none rua=mailto:a@example.org",
            &[("dmarc-bad-policy", BreaksRecord, "none rua=mailto:a@example.org")],
        ),
        ("p=reject; v=DMARC1", &[("dmarc-bad-version", BreaksRecord, "v=DMARC1")]),
        ("v=dmarc1; p=reject", &[("dmarc-bad-version", BreaksRecord, "dmarc1")]),
        ("v=DMARC1; p=none; rua=a@example.org", &[("dmarc-rua-no-mailto", LosesPart, "a@example.org")]),
        ("v=DMARC1; p=none; rua=mailto:a@example.org,", &[("dmarc-bad-uri", LosesPart, "")]),
        ("v=DMARC1; p=none; rua=https://example.org/r", &[("dmarc-other-scheme", LosesPart, "https://example.org/r")]),
        ("v=DMARC1; p=none; adkim=x", &[("dmarc-bad-value", LosesPart, "x")]),
        ("v=DMARC1; p=none; fo=0:d:d; ruf=mailto:a@example.org", &[("dmarc-bad-value", LosesPart, "0:d:d")]),
        ("v=DMARC1; p=none; fo=1", &[("dmarc-fo-without-ruf", Untidy, "fo=1")]),
        ("v=DMARC1; p=none; p=reject", &[("dmarc-duplicate-tag", BreaksRecord, "p=reject")]),
        ("v=DMARC1; p=none; x=1", &[("dmarc-unknown-tag", Untidy, "x=1")]),
        ("v=DMARC1; p=none; quarantine", &[("dmarc-not-a-tag", LosesPart, "quarantine")]),
    ];
    for (text, want) in rows {
        check(text, &DmarcRecord::parse(text).faults, want);
    }
    assert!(DmarcRecord::parse(format!("v=DMARC1; {MAIL}")).record.policy.is_none());
}

#[test]
fn dmarc_prints_what_it_read() {
    for text in [
        "v=DMARC1; p=reject",
        "v=DMARC1; p=none; sp=quarantine; np=reject; t=y; psd=n; adkim=s; aspf=s; \
         rua=mailto:a@example.org,mailto:b@example.net!5m; ruf=mailto:c@example.org; fo=1:d:s; pct=20; x=y",
        "v=DMARC1; p=quarantine; psd=y",
    ] {
        assert_eq!(DmarcRecord::parse(text).record.to_string(), text);
    }
    let tidy = DmarcRecord::parse("v=DMARC1 ;psd=u ; p=Reject;adkim=r").record.to_string();
    assert_eq!(tidy, "v=DMARC1; p=reject");
}

#[test]
fn dmarc_applies_the_policy_of_the_level() {
    let none = Some(Policy::None);
    for (text, itself, below, missing) in [
        ("v=DMARC1; p=reject", Some(Policy::Reject), Some(Policy::Reject), Some(Policy::Reject)),
        ("v=DMARC1; p=none; sp=quarantine", none, Some(Policy::Quarantine), Some(Policy::Quarantine)),
        ("v=DMARC1; p=none; np=reject", none, none, Some(Policy::Reject)),
        ("v=DMARC1; p=reject; sp=quarantine; t=y", Some(Policy::Quarantine), none, none),
        ("v=DMARC1; p=reject; sp=wrong; rua=mailto:a@example.org", none, none, none),
        ("v=DMARC1; p=wrong", None, None, None),
        ("v=DMARC1; rua=mailto:a@example.org", none, none, none),
    ] {
        let record = DmarcRecord::parse(text).record;
        let got = [Level::Itself, Level::Subdomain, Level::NonExistent].map(|level| record.applied_policy(level));
        assert_eq!(got, [itself, below, missing], "{text}");
    }
}

/// An RSA public key of that many bits, made up: the modulus is ones.
fn rsa(bits: usize, bare: bool) -> String {
    let mut modulus = vec![0];
    modulus.extend(vec![0xff; bits / 8]);
    let key = der(0x30, &[der(0x02, &modulus), der(0x02, &[1, 0, 1])].concat());
    if bare {
        return base64(&key);
    }
    let algorithm = der(0x30, &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0]);
    base64(&der(0x30, &[algorithm, der(0x03, &[vec![0], key].concat())].concat()))
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    match length {
        0..128 => bytes.push(length as u8),
        128..256 => bytes.extend([0x81, length as u8]),
        _ => bytes.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    bytes.extend_from_slice(content);
    bytes
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..chunk.len()].copy_from_slice(chunk);
        let number = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for place in 0..4 {
            let letter = LETTERS[(number >> (18 - 6 * place) & 63) as usize] as char;
            text.push(if place <= chunk.len() { letter } else { '=' });
        }
    }
    text
}

#[test]
fn dkim_keys_and_what_verifiers_make_of_them() {
    let (good, short, tiny, bare) = (rsa(2048, false), rsa(1024, false), rsa(512, false), rsa(2048, true));
    let (odd, ed) = (rsa(768, false), base64(&[7; 32]));
    let rows: Vec<(String, Vec<&str>, Option<Effect>)> = vec![
        (format!("v=DKIM1; k=rsa; p={good}"), vec![], None),
        (format!("p={good}"), vec![], None),
        (format!("v=DKIM1; k=ed25519; p={ed}"), vec![], None),
        (format!("v=DKIM1; p={} {}", &good[..40], &good[40..]), vec![], None),
        (format!("v=DKIM1; p={bare}"), vec!["dkim-bare-key"], Some(Untidy)),
        (format!("v=DKIM1; t=y; p={short}"), vec!["dkim-testing", "dkim-1024"], Some(LosesPart)),
        (format!("v=DKIM1; p={tiny}"), vec!["dkim-512"], Some(BreaksRecord)),
        (format!("v=DKIM1; p={odd}"), vec!["dkim-key-too-short"], Some(BreaksRecord)),
        ("v=DKIM1; p=".to_owned(), vec!["dkim-revoked"], Some(BreaksRecord)),
        ("v=DKIM1; k=rsa".to_owned(), vec!["dkim-key-missing"], Some(BreaksRecord)),
        ("v=DKIM1; p=!!!".to_owned(), vec!["dkim-bad-base64"], Some(BreaksRecord)),
        (format!("v=DKIM1; p={}", &good[..100]), vec!["dkim-bad-key"], Some(BreaksRecord)),
        (format!("v=DKIM1; k=ed25519; p={good}"), vec!["dkim-bad-key"], Some(BreaksRecord)),
        (format!("v=DKIM1; h=sha1; p={good}"), vec!["dkim-h-sha1-only"], Some(BreaksRecord)),
        (format!("v=DKIM1; h=sha1:sha256; p={good}"), vec![], None),
        (format!("k=rsa; v=DKIM1; p={good}"), vec!["dkim-bad-version"], Some(BreaksRecord)),
        (format!("v=DKIM2; p={good}"), vec!["dkim-bad-version"], Some(BreaksRecord)),
        (format!("v=DKIM1; k=dsa; p={good}"), vec!["dkim-unknown-key-type"], Some(BreaksRecord)),
        (format!("v=DKIM1; s=tlsrpt; p={good}"), vec!["dkim-not-for-email"], Some(BreaksRecord)),
        (format!("v=DKIM1; s=*; t=s; g=*; p={good}"), vec!["dkim-historic-tag"], Some(Untidy)),
        (format!("v=DKIM1; p={good}; p={good}"), vec!["dkim-duplicate-tag"], Some(BreaksRecord)),
    ];
    for (text, ids, worst) in rows {
        let read = DkimKey::parse(&text);
        assert_eq!(read.faults.iter().map(|fault| fault.id).collect::<Vec<_>>(), ids, "{text}");
        let got = read.faults.iter().map(|fault| fault.effect).min_by_key(|effect| *effect as u8);
        assert_eq!(got, worst, "{text}");
        assert!(read.faults.iter().all(|fault| fault.span.end <= text.len()));
    }
    let key = DkimKey::parse(format!("v=DKIM1; k=ed25519; h=sha256; s=email; t=y:s; n=note; p={ed}"));
    assert_eq!(key.record.key, KeyMaterial::Ed25519([7; 32]));
    assert_eq!(DkimKey::parse(key.record.to_string()).record, key.record);
    assert_eq!(DkimKey::parse(format!("p={good}")).record.key, KeyMaterial::Rsa { bits: 2048 });
}

#[test]
fn mta_sts_records_and_policies() {
    let rows: &[Row] = &[
        ("v=STSv1; id=20260101T000000;", &[]),
        ("v=STSv1; id=2026-01-01;", &[("mta-sts-bad-id", BreaksRecord, "2026-01-01")]),
        ("v=STSv1;", &[("mta-sts-id-missing", BreaksRecord, "v=STSv1;")]),
        ("id=1; v=STSv1", &[("mta-sts-bad-version", BreaksRecord, "v=STSv1")]),
    ];
    for (text, want) in rows {
        check(text, &MtaStsRecord::parse(text).faults, want);
    }
    assert_eq!(MtaStsRecord::parse(rows[0].0).record.to_string(), rows[0].0);

    let good = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n";
    let read = MtaStsPolicy::parse(good);
    assert!(read.faults.is_empty(), "{:?}", read.faults);
    assert_eq!(read.record.to_string(), good);
    assert!(read.record.allows("a.example.net.") && !read.record.allows("a.b.example.net"));
    let rows: &[Row] = &[
        ("version: STSv1\nmode: none\nmax_age: 86400\n", &[]),
        (
            "version: STSv1\nmode: enforce\nmax_age: 86400\nmx: a_b\n",
            &[
                ("mta-sts-mx-missing", BreaksRecord, "version: STSv1\nmode: enforce\nmax_age: 86400\nmx: a_b\n"),
                ("mta-sts-bad-mx", BreaksRecord, "a_b"),
            ],
        ),
        (
            "version: STSv1\nmode: none\nmax_age: 86400\nmode: enforce",
            &[("mta-sts-duplicate-field", Untidy, "mode: enforce")],
        ),
        ("version: STSv1\nmode: none\nmax_age: 60", &[("mta-sts-short-age", Untidy, "60")]),
        ("version: STSv1\nmode: none\nmax_age: 86400\nhello", &[("mta-sts-bad-line", BreaksRecord, "hello")]),
    ];
    for (text, want) in rows {
        check(text, &MtaStsPolicy::parse(text).faults, want);
    }
    assert!(MtaStsPolicy::parse("version: STSv1\nmode: none\nmax_age: -1").is_broken());
    assert!(
        mx_pattern_matches("MAIL.example.com", "mail.example.com.")
            && !mx_pattern_matches("*.example.com", "example.com")
    );
}

#[test]
fn tls_reports_logos_and_certificates() {
    let rows: &[Row] = &[
        ("v=TLSRPTv1; rua=mailto:a@example.org,https://example.org/r", &[]),
        ("v=TLSRPTv1", &[("tlsrpt-bad", BreaksRecord, "v=TLSRPTv1")]),
        (
            "v=TLSRPTv1; rua=a@example.org",
            &[("tlsrpt-bad-uri", LosesPart, "a@example.org"), ("tlsrpt-bad", BreaksRecord, "a@example.org")],
        ),
    ];
    for (text, want) in rows {
        check(text, &TlsRptRecord::parse(text).faults, want);
    }
    assert_eq!(TlsRptRecord::parse(rows[0].0).record.to_string(), rows[0].0);

    let rows: &[Row] = &[
        ("v=BIMI1; l=https://example.org/logo.svg; a=https://example.org/mark.pem", &[]),
        ("v=BIMI1; l=; a=", &[]),
        (
            "v=BIMI1; l=http://example.org/logo.svg; a=",
            &[("bimi-not-https", BreaksRecord, "http://example.org/logo.svg")],
        ),
        ("v=BIMI1; a=", &[("bimi-location-missing", BreaksRecord, "v=BIMI1; a=")]),
    ];
    for (text, want) in rows {
        check(text, &BimiRecord::parse(text).faults, want);
    }
    assert_eq!(BimiRecord::parse(rows[0].0).record.to_string(), rows[0].0);
    assert!(BimiRecord::parse(rows[1].0).record.declines());

    let hash = "ab".repeat(32);
    let good = format!("3 1 1 {hash}");
    assert!(TlsaRecord::parse(&good).faults.is_empty());
    assert_eq!(TlsaRecord::parse(format!("3 1 1 {} {}", &hash[..9], &hash[9..])).record.to_string(), good);
    assert_eq!(TlsaRecord::from_parts(3, 1, 1, vec![0xab; 32]).record, TlsaRecord::parse(&good).record);
    for (text, id, place) in [
        ("1 1 1 HASH", "tlsa-usage-not-for-mail", "1"),
        ("3 2 1 HASH", "tlsa-unknown-selector", "2"),
        ("3 1 2 HASH", "tlsa-bad-length", "HASH"),
        ("3 1 x HASH", "tlsa-bad-number", "x"),
        ("3 1 1 HASHz", "tlsa-bad-data", "z"),
    ] {
        let text = text.replace("HASH", &hash);
        check(&text, &TlsaRecord::parse(&text).faults, &[(id, BreaksRecord, &place.replace("HASH", &hash))]);
    }
}
