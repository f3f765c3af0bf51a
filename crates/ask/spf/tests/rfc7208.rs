//! The RFC 7208 suite of openspf.org, with its explanation texts, over a zone in memory.

mod suite;

#[tokio::test]
async fn the_whole_suite_in_memory() {
    let Some(json) = suite::json() else { return };
    let (mut run, mut wrong) = (0, Vec::new());
    for scenario in suite::scenarios(&json) {
        for case in &scenario.cases {
            run += 1;
            let got = redeliver_spf::evaluate(&scenario.zone, &case.request).await;
            wrong.extend(suite::mismatch(case, &got));
        }
    }
    eprintln!("RFC 7208 suite in memory: {} of {run}", run - wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(run, 203);
}
