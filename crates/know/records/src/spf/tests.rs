//! What SPF records are, what is wrong with them and where.

use super::*;
use crate::Effect::{self, BreaksRecord, LosesPart, Untidy};
use crate::JoinedText;

fn faults(record: &str) -> Vec<(&'static str, Effect, &str)> {
    SpfRecord::parse(record).faults.iter().map(|fault| (fault.id, fault.effect, fault.span.of(record))).collect()
}

#[test]
fn good_records_print_as_they_were_written() {
    for record in [
        "v=spf1",
        "v=spf1 -all",
        "v=spf1 a mx ptr include:_spf.example.com ~all",
        "v=spf1 a:mail.example.com/24//64 mx/28 mx:example.com//48 ?all",
        "v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.7 ip6:2001:db8::/32 ip6:2001:db8::1 redirect=_spf.example.org",
        "v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d2} exp=explain.%{d} -all",
        "v=spf1 a:%{H}.example.com exists:%{i}.%%percent%_%-.example.net -all",
        "v=spf1 a:foo:bar/baz.example.com include:o.example.com. -all",
        "v=spf1 a:foo.example.xn--zckzah ptr:example.com -all",
        "v=spf1 a:%{d5r.+-,/_=} -all",
    ] {
        let read = SpfRecord::parse(record);
        assert_eq!(read.record.to_string(), record);
        assert!(read.faults.is_empty(), "{record}: {:?}", read.faults);
        let again = SpfRecord::parse(read.record.to_string());
        assert_eq!(again, read, "{record}");
    }
}

#[test]
fn spans_point_at_the_terms() {
    let record = "v=spf1  +a   -all ";
    let terms: Vec<&str> = SpfRecord::parse(record).record.terms.iter().map(|term| term.span.of(record)).collect();
    assert_eq!(terms, ["+a", "-all"]);
}

#[test]
fn every_fault_is_named_at_its_place() {
    for (record, id, effect, place) in [
        ("v=spf10 -all", "spf-bad-version", BreaksRecord, "v=spf10"),
        ("v=spf1 ipv4:192.0.2.1 -all", "spf-syntax", BreaksRecord, "ipv4:192.0.2.1"),
        ("v=spf1 redirect:example.org", "spf-syntax", BreaksRecord, "redirect:example.org"),
        ("v=spf1 192.0.2.1 -all", "spf-syntax", BreaksRecord, "192.0.2.1"),
        ("v=spf1 mx, -all", "spf-syntax", BreaksRecord, "mx,"),
        ("v=spf1 1up=foo", "spf-syntax", BreaksRecord, "1up=foo"),
        ("v=spf1 =all", "spf-syntax", BreaksRecord, "=all"),
        ("v=spf1 moo.cow/far_out=man:dog/cat -all", "spf-syntax", BreaksRecord, "moo.cow/far_out=man:dog/cat"),
        ("v=spf1 -all.", "spf-syntax", BreaksRecord, "-all."),
        ("v=spf1 -all:foobar", "spf-syntax", BreaksRecord, ":foobar"),
        ("v=spf1 ptr/0 -all", "spf-syntax", BreaksRecord, "/0"),
        ("v=spf1 ip4:192.0.2.0/33 -all", "spf-bad-cidr", BreaksRecord, "/33"),
        ("v=spf1 ip4:192.0.2.0/032 -all", "spf-bad-cidr", BreaksRecord, "/032"),
        ("v=spf1 ip4:192.0.2.0//32", "spf-bad-cidr", BreaksRecord, "//32"),
        ("v=spf1 ip6:2001:db8::/129", "spf-bad-cidr", BreaksRecord, "/129"),
        ("v=spf1 a/33 -all", "spf-bad-cidr", BreaksRecord, "/33"),
        ("v=spf1 a//129 -all", "spf-bad-cidr", BreaksRecord, "/129"),
        ("v=spf1 a/24/64 -all", "spf-bad-cidr", BreaksRecord, "/64"),
        ("v=spf1 include:example.org/24 -all", "spf-bad-cidr", BreaksRecord, "example.org/24"),
        ("v=spf1 exists:example.org/24", "spf-bad-cidr", BreaksRecord, "example.org/24"),
        ("v=spf1 ip4:192.0.2 -all", "spf-bad-address", BreaksRecord, "192.0.2"),
        ("v=spf1 ip4:192.0.2.1:8080", "spf-bad-address", BreaksRecord, "192.0.2.1:8080"),
        ("v=spf1 ip4:192.0.02.1", "spf-bad-address", BreaksRecord, "192.0.02.1"),
        ("v=spf1 ip4", "spf-bad-address", BreaksRecord, "ip4"),
        ("v=spf1 ip6::CAFE::BABE", "spf-bad-address", BreaksRecord, ":CAFE::BABE"),
        ("v=spf1 a:192.0.2.1", "spf-a-with-address", BreaksRecord, "192.0.2.1"),
        ("v=spf1 include:", "spf-missing-domain", BreaksRecord, "include:"),
        ("v=spf1 include +all", "spf-missing-domain", BreaksRecord, "include"),
        ("v=spf1 exp= -all", "spf-missing-domain", BreaksRecord, "exp="),
        ("v=spf1 a: -all", "spf-missing-domain", BreaksRecord, "a:"),
        ("v=spf1 ptr: -all", "spf-missing-domain", BreaksRecord, "ptr:"),
        ("v=spf1 a:museum", "spf-bad-domain", BreaksRecord, "museum"),
        ("v=spf1 a:museum.", "spf-bad-domain", BreaksRecord, "museum."),
        ("v=spf1 a:abc.123", "spf-bad-domain", BreaksRecord, "abc.123"),
        ("v=spf1 mx:example.-com", "spf-bad-domain", BreaksRecord, "example.-com"),
        ("v=spf1 a:example.com:8080", "spf-bad-domain", BreaksRecord, "example.com:8080"),
        ("v=spf1 redirect=-all", "spf-bad-domain", BreaksRecord, "-all"),
        ("v=spf1 exists:%(ir).example.org", "spf-macro-bad", BreaksRecord, "%"),
        ("v=spf1 exists:foo%.example.org", "spf-macro-bad", BreaksRecord, "%"),
        ("v=spf1 a:%{a}.example.org", "spf-macro-bad", BreaksRecord, "%{a}"),
        ("v=spf1 a:%{c}.example.org", "spf-macro-bad", BreaksRecord, "%{c}"),
        ("v=spf1 a:%{d0}.example.org", "spf-macro-bad", BreaksRecord, "%{d0}"),
        ("v=spf1 a:%{d", "spf-macro-bad", BreaksRecord, "%{d"),
        ("v=spf1 foo=%abc", "spf-macro-bad", BreaksRecord, "%"),
        ("v=spf1 a\tmx -all", "spf-not-ascii", BreaksRecord, "a\tmx"),
        ("v=spf1 a:b.example\rptr -all", "spf-not-ascii", BreaksRecord, "\r"),
        ("v=spf1 exp=a.example exp=b.example", "spf-duplicate-modifier", BreaksRecord, "exp=b.example"),
        ("v=spf1 ip4=192.0.2.1 -all", "spf-unknown-modifier", LosesPart, "ip4=192.0.2.1"),
        ("v=spf1 moo.cow-far_out=man:dog/cat -all", "spf-unknown-modifier", LosesPart, "moo.cow-far_out=man:dog/cat"),
        ("v=spf1 ip4:192.0.2.1/24 -all", "spf-host-bits", Untidy, "192.0.2.1"),
        ("v=spf1 ip6:2001:db8::1/64 -all", "spf-host-bits", Untidy, "2001:db8::1"),
    ] {
        assert_eq!(faults(record), [(id, effect, place)], "{record:?}");
    }
}

#[test]
fn the_version_ends_at_a_blank_or_the_end() {
    for (text, want) in [("v=spf1", true), ("V=SpF1 mx", true), ("v=spf10", false), ("v=spf1mx", false), ("", false)] {
        assert_eq!(SpfRecord::is_spf(text), want, "{text}");
    }
}

#[test]
fn terms_glued_together_at_a_seam_are_seen() {
    let table: &[(&[&str], Option<Effect>)] = &[
        (&["v=spf1 ip4:192.0.2.1", "include:example.org -all"], Some(BreaksRecord)),
        (&["v=spf1 include:a.example", "include:b.example -all"], Some(LosesPart)),
        (&["v=spf1 include:a.example", "-all"], Some(LosesPart)),
        (&["v=spf1", "mx -all"], Some(BreaksRecord)),
        (&["v=spf1 mx ", "-all"], None),
        (&["v=spf1 mx", " -all"], None),
        (&["v=spf1 include:mail.exam", "ple.org -all"], None),
        (&["v=spf1 include:mail.example.", "mx -all"], None),
        (&["v=spf1 ip4:192.0.2.", "1 -all"], None),
        (&["v=spf1 ip4:", "192.0.2.5 -all"], None),
    ];
    for (strings, want) in table {
        let read = SpfRecord::parse_strings(strings);
        let got = read.faults.iter().find(|fault| fault.id == "spf-split-strings").map(|fault| fault.effect);
        assert_eq!(got, *want, "{strings:?} {:?}", read.faults);
    }
    assert_eq!(JoinedText::of(&["ab", "", "c"]).seams, [2, 2]);
}

#[test]
fn an_explanation_may_have_blanks_and_its_own_letters_only() {
    for (text, good) in [
        ("%{c} is not allowed. See http://example.org/%{r}?t=%{t}", true),
        ("The %{x}-files.", false),
        ("\u{e9}", false),
    ] {
        assert_eq!(MacroString::parse_explanation(text.as_bytes()).is_some(), good, "{text}");
    }
}
