//! The built-in knowledge, run through the whole engine.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use redeliver_catalog::Catalog;
use redeliver_diagnose::{Engine, Scratch, cause_reply, locate, self_test};
use redeliver_model::{Cause, Timestamp};

fn when() -> Timestamp {
    Timestamp::from_date(2026, 11, 1)
}

/// The causes that a text gets, best first.
fn causes(engine: &Engine, text: &str) -> Vec<Cause> {
    let refusal = locate(text).refusal;
    engine
        .diagnose(&refusal, when(), &mut Scratch::default())
        .causes
        .iter()
        .map(|hypothesis| hypothesis.cause)
        .collect()
}

#[test]
fn every_example_comes_back_with_its_own_rule() {
    let engine = Engine::builtin().unwrap();
    let failures = self_test(&engine);
    let told: Vec<String> = failures.iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{}", told.join("\n"));
}

#[test]
fn every_causes_own_reply_diagnoses_back_to_it() {
    let engine = Engine::builtin().unwrap();
    for cause in Cause::ALL {
        let reply = cause_reply(engine.catalog(), *cause);
        assert_eq!(causes(&engine, &reply)[0], *cause, "{reply}");
    }
}

#[test]
fn a_colliding_code_means_what_its_site_means() {
    let engine = Engine::builtin().unwrap();
    let catalog = engine.catalog();
    let mut told = 0;
    for code in &catalog.colliding {
        for meaning in code.meanings.iter().filter(|meaning| meaning.site != "iana") {
            let site = catalog.site(meaning.site).unwrap();
            let class = code.status.class.unwrap_or(5);
            let status = code.status.to_string().replacen('x', &class.to_string(), 1);
            let text = format!("mx.{}: {class}50 {status} <bob@example.net>", site.mx[0]);
            assert_eq!(causes(&engine, &text)[0], meaning.cause, "{text}");
            told += 1;
        }
    }
    assert!(told >= 10, "only {told} meanings");
}

#[test]
fn the_catalog_is_as_large_as_it_says() {
    let catalog = Catalog::builtin().unwrap();
    assert_eq!(catalog.causes.len(), 44);
    assert!(catalog.lists.len() >= 117 && catalog.sites.len() >= 45 && catalog.software.len() >= 25);
    assert!(catalog.rules.iter().all(|rule| !rule.source.is_empty() && !rule.examples.is_empty()));
    for last in (501..=515).filter(|last| *last != 514) {
        let said = catalog.rules.iter().any(|rule| {
            rule.id.starts_with("microsoft-365/")
                && rule.status.iter().any(|status| status.subject == 7 && status.detail == Some(last))
        });
        assert!(said, "microsoft-365 has no rule for 5.7.{last}");
    }
    for list in catalog.lists.iter().filter(|list| list.status == redeliver_catalog::ListStatus::Dead) {
        assert!(list.is_dead_at(when()), "{}", list.zone);
    }
}

/// Free texts that no phrase is made for: all words together give the cause, and never for sure.
#[test]
fn where_no_wording_is_known_all_words_are_heard() {
    let engine = Engine::builtin().unwrap();
    for (text, cause) in [
        ("550 maildir over the hard limit, ask fritz to tidy up", Cause::MailboxFull),
        ("550 you signed in as frank but the envelope says grace, choose one", Cause::SenderNotAuthorized),
        ("550 We do not take .iso, .img, .one or .lnk files here. Put it on a share.", Cause::BannedContent),
    ] {
        let told = causes(&engine, text);
        assert_eq!(told[0], cause, "{text}: {told:?}");
    }
}

#[test]
fn an_overlay_teaches_words_and_a_wrong_one_is_named() {
    let folder = std::env::temp_dir().join(format!("redeliver-wordings-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("wordings")).unwrap();
    let said =
        "said = [\"brumblefit wozzle glarn\", \"the brumblefit is wozzled\", \"glarn of your wozzle, brumblefit\"]\n";
    std::fs::write(folder.join("wordings/greylisted.toml"), said).unwrap();
    let taught = Engine::new(Catalog::builtin().unwrap().with_overlay(&folder).unwrap());
    assert_eq!(causes(&taught, "550 wozzle brumblefit, glarn")[0], Cause::Greylisted);
    std::fs::write(folder.join("wordings/grey-listed.toml"), said).unwrap();
    let problem = Catalog::builtin().unwrap().with_overlay(&folder).unwrap_err().to_string();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(problem.contains("wordings/grey-listed.toml") && problem.contains("no cause"), "{problem}");
}

#[test]
fn the_overlay_of_a_tie_keeps_both_meanings() {
    let rule = |id: &str, cause: &str| {
        format!(
            "[[rule]]\nid = \"{id}\"\ncause = \"{cause}\"\nconfidence = 0.9\nany = [\"zzyzx applies\"]\nmeaning = \"A rule.\"\n\
             source = \"test\"\nexamples = [\"550 zzyzx applies\"]\n"
        )
    };
    let folder = std::env::temp_dir().join(format!("redeliver-tie-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("phrases")).unwrap();
    std::fs::write(folder.join("phrases/a.toml"), rule("one", "greylisted")).unwrap();
    std::fs::write(folder.join("phrases/b.toml"), rule("two", "policy")).unwrap();
    let engine = Engine::new(Catalog::builtin().unwrap().with_overlay(&folder).unwrap());
    std::fs::remove_dir_all(&folder).unwrap();
    let both = causes(&engine, "550 zzyzx applies");
    assert!(both.contains(&Cause::Greylisted) && both.contains(&Cause::Policy), "{both:?}");
    assert!(self_test(&engine).iter().any(|failure| failure.reason.contains("a tie")));
}
