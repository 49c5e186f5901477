//! `cargo dev import`, run as a user runs it, against a running stack.

mod ledger;
mod places;
mod sold;
mod whole;

use std::path::Path;
use std::process::Output;

use classpay_tests::studio::{ADA, BALLET, MONTHLY, Studio};
use classpay_tests::{OKAFOR, Stack, assert_books_balance, binaries, price_list, studio};
use serde_json::{Value, json};
use tokio::process::Command;

const DEMO: &str = include_str!("../../../infra/local/demo-studio.json");

async fn import(stack: &Stack, file: &Path) -> Output {
    import_as(stack, file, &[]).await
}

async fn import_as(stack: &Stack, file: &Path, options: &[&str]) -> Output {
    let mut import = Command::new(binaries().join("classpay-local"));
    import.arg("import").arg(file).args(["--table", &stack.table().name, "--dynamodb-url", stack.dynamodb_url()]);
    import.args(options).output().await.expect("it starts")
}

#[tokio::test]
async fn a_changed_studio_moves_seats_by_the_difference_and_resets_nothing_that_was_sold() {
    let stack = Studio::in_london().start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await.status, 200);
    let (left, posted) = (stack.seats_left(studio::BALLET).await, stack.posted(OKAFOR).await);
    let mut changed: serde_json::Value = serde_json::from_str(DEMO).unwrap();
    let classes = changed["classes"].as_array_mut().unwrap();
    let ballet = classes.iter_mut().find(|class| class["id"] == studio::BALLET).unwrap();
    ballet["capacity"] = (ballet["capacity"].as_i64().unwrap() + 3).into();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("studio.json");
    std::fs::write(&file, changed.to_string()).unwrap();

    for written in ["1 documents", "0 documents"] {
        let done = import(&stack, &file).await;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success() && said.contains(written), "{said} {}", String::from_utf8_lossy(&done.stderr));
    }
    assert_eq!((stack.seats_left(studio::BALLET).await, stack.posted(OKAFOR).await), (left + 3, posted));
}

#[tokio::test]
async fn what_a_file_says_without_effect_is_loaded_and_named() {
    let stack = Studio::in_london().start().await;
    let billing = json!({"isProcessingFeeEnabled": true, "processingFee": 2.9, "billingTiming": "arrears"});
    let wanting = Studio::in_london().with(studio::COMPANY, &json!({"settings": {"billing": billing}}));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("studio.json");
    std::fs::write(&file, wanting.text()).unwrap();
    let done = import(&stack, &file).await;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success() && said.contains("1 documents"), "{said}");
    let lines: Vec<_> = said.lines().skip_while(|line| *line != "Notes:").skip(1).collect();
    let [fee, timing, _counted] = lines.as_slice() else { panic!("two notes, not {said}") };
    let place = "  company.settings.billing";
    assert!(fee.starts_with(&format!("{place}.processingFee: 2.9 % is not charged from 2018-01-13 on: GB")), "{fee}");
    assert!(timing.starts_with(&format!("{place}.billingTiming: `arrears` is not used")), "{timing}");
    // It isn't.
    let quote = stack.family(OKAFOR).quote(OKAFOR, &studio::ballet_for_ada()).await.json();
    assert_eq!((&quote["payment"]["processingFee"], &quote["payment"]["processingFeePercent"]), (&json!(0), &json!(0)));
    // Settings that have an effect are not listed.
    std::fs::write(&file, Studio::demo().text()).unwrap();
    let done = import(&stack, &file).await;
    assert!(done.status.success() && !String::from_utf8_lossy(&done.stdout).contains("Notes:"), "{done:?}");
    let quote = stack.family(OKAFOR).quote(OKAFOR, &studio::ballet_for_ada()).await;
    assert!(quote.text.contains(r#""processingFeePercent":2.9,"#), "{}", quote.text);
}

#[tokio::test]
async fn a_file_with_mistakes_names_them_all_and_changes_nothing() {
    let stack = Studio::in_london().start().await;
    let before = stack.table().picture().await;
    let broken = DEMO.replacen("\"rate\": \"20.000\"", "\"rate\": \"120.000\"", 1).replacen("\"gbp\"", "\"xyz\"", 1);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("studio.json");
    std::fs::write(&file, broken).unwrap();
    let refused = import(&stack, &file).await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    assert!(said.contains("taxRates[0].rate") && said.contains("company.settings.billing.currency"), "{said}");
    assert!(before.changes(&stack.table().picture().await).is_empty());
}

#[tokio::test]
async fn a_studio_with_every_kind_of_price_is_loaded_once_and_then_changes_nothing() {
    let stack = Studio::in_london().start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("price-list.json");
    std::fs::write(&file, price_list::studio().text()).unwrap();
    let mut pictures = Vec::new();
    // 1 company, 1 rate, 2 fees, 3 schemes, 1 holiday, 2 seasons, 5 classes, 2 families, 4 students; 2 enrolments,
    // 1 trial and 2 charged fees.
    for written in ["26 documents", "0 documents"] {
        let done = import(&stack, &file).await;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success() && said.contains(written), "{said} {}", String::from_utf8_lossy(&done.stderr));
        pictures.push(stack.table().picture().await);
    }
    assert!(pictures[0].changes(&pictures[1]).is_empty());
}

#[tokio::test]
async fn what_is_left_out_of_a_file_is_said() {
    let stack = Stack::start().await;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/published.json");
    let done = import(&stack, std::path::Path::new(file)).await;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said} {}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("classes[2]: a drop-in class is not sold here: it is left out"), "{said}");
}

#[tokio::test]
async fn what_a_loaded_enrolment_still_owes_is_debited_on_its_dates_and_once() {
    let mut studio: Value = serde_json::from_str(&Studio::demo().text()).unwrap();
    let own = studio["families"].as_array_mut().unwrap().iter_mut().find(|family| family["id"] == OKAFOR).unwrap();
    own["enrolments"] = json!([{
        "id": "enr_loaded", "studentId": ADA, "classId": BALLET, "pricingPlanId": MONTHLY,
        "instalments": [{"date": "2026-10-07", "amount": 3210}, {"date": "2026-11-07", "amount": 3200}],
    }]);
    let stack = Studio::parse(&studio.to_string()).start().await;
    let (before, file) = (stack.balance(OKAFOR).await, tempfile::tempdir().unwrap());
    let path = file.path().join("studio.json");
    std::fs::write(&path, studio.to_string()).unwrap();
    for (now, owed) in [
        ("2026-10-06T22:30:00Z", 0),
        ("2026-10-07T08:00:00Z", 3210),
        ("2026-10-08T08:00:00Z", 3210),
        ("2026-11-07T08:00:00Z", 6410),
        ("2026-12-07T08:00:00Z", 6410),
    ] {
        // Loading the same file again changes nothing.
        assert!(import(&stack, &path).await.status.success());
        stack.move_clock(now).await;
        stack.run_schedule().await;
        assert_eq!(stack.balance(OKAFOR).await, before + owed, "{now}");
    }
    assert_books_balance(&stack).await;
}

/// One mistake for each rule of prices: the place in the file, and the start of the message.
fn mistakes_of_prices() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("/taxRates/0/label", json!("GST"), "registrationFees[0].taxRate.label: is `VAT`"),
        ("/registrationFees/1/amount", json!(-1), "registrationFees[1].amount: -1 is negative"),
        ("/registrationFees/1/maxAmountPerFamily", json!(-1), "registrationFees[1].maxAmountPerFamily: -1 is negative"),
        ("/discountSchemes/0/values/0/amount", json!(101), "discountSchemes[0].values[0].amount: is not 0 to 100"),
        (
            "/discountSchemes/1/scheme",
            json!("student_qty_by_family"),
            "discountSchemes[1].scheme: another enabled scheme",
        ),
        ("/discountSchemes/1/values/0/quantity", json!(0), "discountSchemes[1].values[0].quantity: is not at least 1"),
        (
            "/discountSchemes/2/values/1/quantity",
            json!(4),
            "discountSchemes[2].values[1].quantity: another tier begins",
        ),
        ("/seasons/0/registrationFeeId", json!("reg_9"), "seasons[0].registrationFeeId: there is no registration fee"),
        ("/seasons/0/additionalFees/0/amount", json!(-1), "seasons[0].additionalFees[0].amount: -1 is negative"),
        (
            "/seasons/0/additionalFees/0/taxRateId",
            json!("tax_9"),
            "seasons[0].additionalFees[0].taxRateId: there is no",
        ),
        ("/seasons/0/additionalFees/0/entityId", json!("sea_9"), "seasons[0].additionalFees[0].entityId: is not the"),
        (
            "/seasons/1/pricingSchemeValues/1/quantity",
            json!(4),
            "seasons[1].pricingSchemeValues: the quantities are not",
        ),
        (
            "/seasons/1/pricingSchemeValues/2/price",
            json!(-1),
            "seasons[1].pricingSchemeValues[2].price: -1 is negative",
        ),
        (
            "/families/1/chargedFees/0/period",
            json!("once"),
            "families[1].chargedFees[0].period: `once` is not the first day of a fee year",
        ),
        (
            "/families/1/chargedFees/1/feeId",
            json!("fee_9"),
            "families[1].chargedFees[1].feeId: there is no fee fee_9 in the file",
        ),
        ("/families/1/chargedFees/1/studentId", json!("stu_a"), "families[1].chargedFees[1].studentId: there is no"),
        ("/families/1/chargedFees/1/amount", json!(-1), "families[1].chargedFees[1].amount: -1 is negative"),
    ]
}

#[tokio::test]
async fn a_price_list_with_every_mistake_names_them_all_and_writes_nothing() {
    let stack = Studio::in_london().start().await;
    let before = stack.table().picture().await;
    let mut broken: Value = serde_json::from_str(&price_list::studio().text()).unwrap();
    for (pointer, value, _) in mistakes_of_prices() {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        broken.pointer_mut(parent).unwrap()[field] = value;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("price-list.json");
    std::fs::write(&file, broken.to_string()).unwrap();
    let refused = import(&stack, &file).await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    for (_, _, mistake) in mistakes_of_prices() {
        assert!(said.lines().any(|line| line.trim().starts_with(mistake)), "{mistake}\n{said}");
    }
    assert_eq!(said.lines().filter(|line| line.starts_with("  ")).count(), mistakes_of_prices().len(), "{said}");
    assert!(before.changes(&stack.table().picture().await).is_empty());
}

/// The demo studio with one occurrence of a text replaced.
async fn import_with(stack: &Stack, what: &str, instead: &str) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("studio.json");
    let changed = DEMO.replacen(what, instead, 1);
    assert_ne!(changed, DEMO);
    std::fs::write(&file, changed).expect("the file can be written");
    let done = import(stack, &file).await;
    (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
}

#[tokio::test]
async fn a_studio_that_is_loaded_keeps_its_currency() {
    let stack = Studio::in_london().start().await;
    let before = stack.table().picture().await;
    let (is_done, said) = import_with(&stack, "\"gbp\"", "\"jpy\"").await;
    assert!(!is_done && said.contains("company.settings.billing.currency: is jpy"), "{said}");
    assert!(said.contains("loaded in gbp"), "{said}");
    assert!(before.changes(&stack.table().picture().await).is_empty());
}

#[tokio::test]
async fn a_studio_in_leva_is_told_of_the_euro() {
    let stack = Studio::in_london().start().await;
    let (is_done, said) = import_with(&stack, "\"gbp\"", "\"bgn\"").await;
    assert!(!is_done && said.contains("company.settings.billing.currency: `bgn` is the Bulgarian lev"), "{said}");
    assert!(said.contains("2026-01-01") && said.contains("`eur`"), "{said}");
}

#[tokio::test]
async fn a_plan_of_more_than_60_instalments_is_refused_where_it_stands() {
    let stack = Studio::in_london().start().await;
    let before = stack.table().picture().await;
    let (is_done, said) = import_with(&stack, "\"numberOfInstallments\": 10", "\"numberOfInstallments\": 61").await;
    assert!(!is_done && said.contains("numberOfInstallments: is 61, and a plan has at most 60"), "{said}");
    assert!(said.contains("seasons[0].pricingPlans["), "{said}");
    assert!(before.changes(&stack.table().picture().await).is_empty());
}
