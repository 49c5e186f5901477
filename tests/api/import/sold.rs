//! Existing sales when a file changes or removes what was sold.
//!
//! Prices depend on the present catalogue and on what is sold, not on the files loaded in between. Anything that
//! continues without its class, season or fee is reported.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_tests::studio::{
    ACRO, BALLET, CAMPBELL, COMPANY, FINN, FULL, FULL_NEXT_YEAR, ISLA, MONTHLY, SEASON, STREET, Studio, TAP, basket,
    place,
};
use classpay_tests::{OKAFOR, Stack};
use serde_json::{Value, json};

use super::whole::load;

const NEXT_YEAR: &str = "sea_01J9ZDEMW5TVDJ0R00YEAR2728";

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

async fn quote(stack: &Stack, family: &str, items: &Value) -> Value {
    stack.family(family).quote(family, items).await.json()
}

/// The demo studio with a list replaced.
fn with_list(studio: &Studio, list: &str, elements: Value) -> Studio {
    let mut file: Value = serde_json::from_str(&studio.text()).expect("JSON");
    file[list] = elements;
    Studio::parse(&file.to_string())
}

/// Isla is in Tap and Finn in Ballet, and a family's classes are discounted from the second one.
fn with_discounts() -> Studio {
    let enrolled = |student: &str, class: &str, id: &str| json!({"id": id, "studentId": student, "classId": class});
    let families = json!({"enrolments": [enrolled(ISLA, TAP, "enr_1"), enrolled(FINN, BALLET, "enr_2")]});
    let tier = |quantity: u32| json!({"id": format!("dscv_{quantity}"), "quantity": quantity, "amount": quantity * 10});
    let scheme = json!([{"id": "dsc_1", "scheme": "course_qty_by_family", "type": "percent",
        "application": "total_tuition", "values": [tier(2), tier(3), tier(4)]}]);
    with_list(&Studio::demo().with(CAMPBELL, &families), "discountSchemes", scheme)
}

#[tokio::test]
async fn what_a_class_is_now_decides_what_is_sold_of_it_counts_for() {
    let undiscounted = with_discounts().with(TAP, &json!({"settings": {"discountable": false}}));
    let moved = with_discounts().with(BALLET, &json!({"seasonId": NEXT_YEAR}));
    let both = undiscounted.clone().with(BALLET, &json!({"seasonId": NEXT_YEAR}));
    let stack = with_discounts().start().await;
    let this_year = basket(&[place(STREET, ISLA, FULL), place(ACRO, FINN, MONTHLY)], &[]);
    let next_year = basket(&[place("cls_01J9ZDEMW5TVDJ0RBA11ET2728", FINN, FULL_NEXT_YEAR)], &[]);
    let mut totals = Vec::new();
    for (what, studio) in [
        ("not discountable", &undiscounted),
        ("moved to another season", &moved),
        ("both", &both),
        ("as it was", &with_discounts()),
        ("moved again", &moved),
    ] {
        let (is_done, said) = load(&stack, studio, &[]).await;
        assert!(is_done, "{what}: {said}");
        let fresh = studio.start().await;
        for items in [&this_year, &next_year] {
            let (twice, once) = (quote(&stack, CAMPBELL, items).await, quote(&fresh, CAMPBELL, items).await);
            assert_eq!(twice["seasons"], once["seasons"], "{what}");
            assert_eq!(twice["payment"], once["payment"], "{what}");
            totals.push(once["payment"]["total"].clone());
        }
        let (is_done, said) = load(&stack, studio, &[]).await;
        assert!(is_done && said.contains(": 0 documents"), "{said}");
    }
    // In each of the first two studios one class fewer counts for this year.
    assert_eq!(totals[0], totals[2]);
    assert_ne!(totals[0], totals[4]);
    assert_ne!(totals[0], totals[6]);
}

#[tokio::test]
async fn a_payment_that_was_priced_with_a_class_that_has_moved_is_priced_again() {
    let stack = with_discounts().start().await;
    let items = basket(&[place(STREET, ISLA, FULL)], &[]);
    let before = stack.table().get(&format!("C#{COMPANY}#CLS#{STREET}"), "SEATS").await.unwrap();
    let moved = with_discounts().with(BALLET, &json!({"seasonId": NEXT_YEAR}));
    let (of_before, (is_done, said)) = (quote(&stack, CAMPBELL, &items).await, load(&stack, &moved, &[]).await);
    assert!(is_done, "{said}");
    assert_ne!(of_before["payment"], quote(&stack, CAMPBELL, &items).await["payment"]);
    let after = stack.table().get(&format!("C#{COMPANY}#CLS#{STREET}"), "SEATS").await.unwrap();
    assert_ne!(before["price_version"], after["price_version"]);
}

/// A registration fee of every season, which Isla was charged for 2026.
fn with_fee() -> Studio {
    let fee = json!([{"id": "reg_1", "name": "Registration", "amount": 1000, "maxAmountPerFamily": 2500,
        "repetitionInterval": "annual"}]);
    let charged = json!({"chargedFees": [{"feeId": "reg_1", "studentId": ISLA, "period": "2026", "amount": 1000}]});
    let takes = json!({"enableRegistrationFees": true, "registrationFeeId": "reg_1"});
    let studio = Studio::demo().with(CAMPBELL, &charged).with(SEASON, &takes);
    with_list(&studio, "registrationFees", fee)
}

#[tokio::test]
async fn a_fee_that_an_earlier_version_has_stored_under_the_bare_year_is_counted_once() {
    let stack = with_fee().start().await;
    let pk = format!("C#{COMPANY}#F#{CAMPBELL}");
    let mut fees = stack.table().partition(&pk, "FEE#").await;
    let [fee] = fees.as_mut_slice() else { panic!("one fee") };
    stack.table().delete(&pk, fee["sk"].as_s().unwrap()).await;
    fee.insert("sk".to_owned(), text(&format!("FEE#reg_1#{ISLA}#2026")));
    fee.insert("period".to_owned(), text("2026"));
    stack.table().put(fee.clone()).await;
    let items = basket(&[place(BALLET, FINN, FULL)], &[]);
    let before = quote(&stack, CAMPBELL, &items).await["registrationFees"].clone();
    assert_eq!(before[0]["subTotal"], 1000);
    let (is_done, said) = load(&stack, &with_fee(), &[]).await;
    assert!(is_done && said.contains(": 0 documents"), "{said}");
    assert_eq!(stack.table().partition(&pk, "FEE#").await.len(), 1);
    // Where it was loaded under both ids already, it still counts once.
    let both: HashMap<_, _> = fee.clone();
    let again = HashMap::from([
        ("sk".to_owned(), text(&format!("FEE#reg_1#{ISLA}#2026-01-01"))),
        ("period".to_owned(), text("2026-01-01")),
    ]);
    stack.table().put(both.into_iter().chain(again).collect()).await;
    let charged = |amount: i64| json!({"amount": amount});
    let (is_done, said) = load(&stack, &with_fee().with("reg_1", &charged(1800)), &[]).await;
    assert!(is_done, "{said}");
    assert_eq!(quote(&stack, CAMPBELL, &items).await["registrationFees"][0]["subTotal"], 1500);
}

#[tokio::test]
async fn a_fee_that_a_part_of_the_catalogue_changes_is_charged_in_the_seasons_that_take_it() {
    let spelled_out = json!({"registrationFeeId": null, "registrationFeeDto": {"id": "reg_1", "name": "Registration",
        "amount": 1000, "maxAmountPerFamily": 2500, "repetitionInterval": "annual"}});
    for studio in [with_fee(), with_fee().with(SEASON, &spelled_out)] {
        changed_by_a_part(studio).await;
    }
}

async fn changed_by_a_part(studio: Studio) {
    let dto = json!({"registrationFeeDto": {"amount": 1800}});
    let is_spelled_out = studio.text().contains("registrationFeeDto");
    let dearer = studio.clone().with("reg_1", &json!({"amount": 1800}));
    let dearer = if is_spelled_out { dearer.with(SEASON, &dto) } else { dearer };
    let mut part: Value = serde_json::from_str(&dearer.text()).expect("JSON");
    for list in ["discountSchemes", "holidays", "seasons", "classes", "families", "transactions"] {
        part[list] = json!([]);
    }
    let (stack, fresh) = (studio.start().await, dearer.start().await);
    for counted in [": 2 documents", ": 0 documents"] {
        let (is_done, said) = load(&stack, &Studio::parse(&part.to_string()), &["--partial"]).await;
        assert!(is_done && said.contains(counted), "{said}");
    }
    let items = basket(&[place(BALLET, FINN, FULL)], &[]);
    let (here, there) = (quote(&stack, CAMPBELL, &items).await, quote(&fresh, CAMPBELL, &items).await);
    assert_eq!(here["registrationFees"][0]["subTotal"], 1500, "up to the family's limit");
    assert_eq!((&here["registrationFees"], &here["payment"]), (&there["registrationFees"], &there["payment"]));
}

#[tokio::test]
async fn a_season_of_a_part_that_says_otherwise_of_a_fee_is_refused() {
    let stack = with_fee().start().await;
    let mut part: Value = serde_json::from_str(&with_fee().text()).unwrap();
    for list in ["discountSchemes", "holidays", "classes", "families", "transactions", "registrationFees"] {
        part[list] = json!([]);
    }
    part["seasons"].as_array_mut().unwrap().retain(|season| season["id"] == SEASON);
    let dto = |amount: i64| {
        json!({"id": "reg_1", "name": "Registration", "amount": amount, "maxAmountPerFamily": 2500,
            "repetitionInterval": "annual"})
    };
    let before = stack.table().picture().await;
    for (amount, is_taken) in [(1000, true), (2000, false)] {
        part["seasons"][0]["registrationFeeDto"] = dto(amount);
        let (is_done, said) = load(&stack, &Studio::parse(&part.to_string()), &["--partial"]).await;
        let told = "seasons[0].registrationFeeDto: is not what the table says of reg_1";
        assert_eq!((is_done, said.contains(told)), (is_taken, !is_taken), "{said}");
    }
    assert_eq!(before.changes(&stack.table().picture().await), [""; 0]);
}

#[tokio::test]
async fn what_was_sold_of_a_class_that_has_moved_stays_on_its_plan() {
    let on_plan = json!({"enrolments": [{"id": "enr_1", "studentId": ISLA, "classId": TAP, "pricingPlanId": MONTHLY,
        "instalments": [{"date": "2026-10-07", "amount": 3210}]}]});
    let whole = Studio::demo().with(CAMPBELL, &on_plan);
    let stack = whole.start().await;
    let before = stack.balance(CAMPBELL).await;
    let moved = whole.with(TAP, &json!({"seasonId": NEXT_YEAR}));
    let (is_done, said) = load(&stack, &moved, &[]).await;
    let note = "enrolments[0].pricingPlanId: it and 1 more belong to other seasons than their classes: the enrolments keep them";
    assert!(is_done && said.contains(note) && said.contains(": 1 documents"), "{said}");
    stack.move_clock("2026-10-07T08:00:00Z").await;
    stack.run_schedule().await;
    assert_eq!(stack.balance(CAMPBELL).await, before + 3_210);
}

/// A family's debit for some items.
fn debit(family: &str, id: &str, about: &[&str], amount: i64) -> Value {
    let entities: Vec<_> = about
        .iter()
        .map(|entity| {
            json!({"id": format!("trne_{id}"), "companyId": COMPANY, "transactionDetailId": "trnd_1",
            "entityId": entity})
        })
        .collect();
    json!({
        "aggregateId": id,
        "transaction": {"id": id, "companyId": COMPANY, "familyId": family, "familyName": "F",
            "relatedTransactionId": null, "type": "debit", "date": "2026-09-01", "description": "Owed", "orderId": null,
            "deletedAt": null},
        "details": [{"details": {"id": format!("trnd_{id}"), "companyId": COMPANY, "transactionId": id,
            "type": "manual-debit", "amount": amount, "description": "Owed", "deletedAt": null},
            "relatedEntities": entities}],
        "stats": {"total": amount, "subtotal": amount, "discountTotal": 0, "taxTotal": 0},
    })
}

#[tokio::test]
async fn money_due_and_trials_of_what_goes_are_named_though_nobody_is_enrolled_there() {
    let owing = [debit(OKAFOR, "trn_1", &["reg_1"], 1500), debit(CAMPBELL, "trn_2", &[STREET, SEASON], 700)];
    let trial = json!({"trials": [{"id": "trl_1", "studentId": FINN, "classId": STREET, "trialAt": "2099-12-01",
        "time": "17:15"}]});
    let nobody = Studio::demo().with("fml_01J9ZDEMW5TVDJ0R0000NGVYEN", &json!({"enrolments": []}));
    let fees = json!([{"id": "reg_1", "name": "Registration", "amount": 1000, "repetitionInterval": "one-off"}]);
    let whole = with_list(&nobody, "registrationFees", fees).with(CAMPBELL, &trial).with_transactions(&owing);
    let stack = whole.start().await;
    let smaller = with_list(&whole.without(&[STREET]), "registrationFees", json!([]));
    let (is_done, said) = load(&stack, &smaller, &["--remove", "2"]).await;
    assert!(is_done, "{said}");
    for told in [
        "Registration (reg_1) is archived; what was sold stays: 1500 gbp due",
        &format!("({STREET}) is archived; what was sold stays: 1 trial to come, 700 gbp due"),
    ] {
        assert!(said.contains(told), "{told:?} is not in {said}");
    }
}

#[tokio::test]
async fn a_class_and_a_season_of_one_id_are_told_apart() {
    let file = with_discounts().text().replace(TAP, "same_1").replace(NEXT_YEAR, "same_1");
    let whole = Studio::parse(&file);
    let stack = whole.start().await;
    let mut file: Value = serde_json::from_str(&whole.text()).unwrap();
    file["seasons"].as_array_mut().unwrap().retain(|season| season["id"] != "same_1");
    file["classes"].as_array_mut().unwrap().retain(|class| class["seasonId"] != "same_1");
    let (is_done, said) = load(&stack, &Studio::parse(&file.to_string()), &["--remove", "4"]).await;
    assert!(is_done, "{said}");
    // The class stays with its students; nobody is in the season.
    assert!(said.contains("(same_1) is archived\n"), "{said}");
}

#[tokio::test]
async fn what_the_file_itself_archives_is_named_and_not_asked_for() {
    let stack = Studio::demo().start().await;
    let archived = json!({"archivedAt": "2026-09-01 00:00:00"});
    let file = Studio::demo().with(TAP, &archived).with(CAMPBELL, &archived).with(BALLET, &json!({"price": 900}));
    let (is_done, said) = load(&stack, &file, &[]).await;
    assert!(is_done && said.contains(": 3 documents"), "{said}");
    for told in [
        "classes: 2 changed, 1 of them archived by the file\n",
        &format!("Tap Grade 1 ({TAP}) is archived; what was sold stays: 1 live enrolment\n"),
        &format!("Campbell ({CAMPBELL}) is archived\n"),
    ] {
        assert!(said.contains(told), "{told:?} is not in {said}");
    }
    let (is_done, said) = load(&stack, &file, &[]).await;
    assert!(is_done && said.contains(": 0 documents") && !said.contains("archived"), "{said}");
}

#[tokio::test]
async fn a_table_whose_list_is_not_known_to_be_whole_says_so_at_the_first_whole_load() {
    let stack = Studio::demo().start().await;
    // As an earlier version has left it.
    let table = stack.table();
    for item in table.partition(&format!("C#{COMPANY}#ROLL"), "").await {
        table.delete(item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap()).await;
    }
    let mut company = table.get(&format!("C#{COMPANY}"), "META").await.unwrap();
    company.remove("roll");
    table.put(company).await;
    let note = "may not all be listed";
    for (options, is_told) in [(&["--partial"][..], false), (&[], true), (&[], false)] {
        let (is_done, said) = load(&stack, &Studio::demo().without(&[TAP]), options).await;
        assert!(is_done, "{said}");
        assert_eq!(said.contains(note), is_told, "{options:?}: {said}");
    }
    // Only a class that is newly missing counts as removed.
    let (is_done, said) = load(&stack, &Studio::demo().without(&[TAP, STREET]), &["--remove", "1"]).await;
    assert!(is_done && said.contains("classes: 1 of"), "{said}");
}

#[tokio::test]
async fn an_enrolment_that_has_ended_holds_no_place_and_earns_no_discount_and_is_told() {
    let mut file: Value = serde_json::from_str(&with_discounts().text()).unwrap();
    let families = file["families"].as_array_mut().unwrap();
    let index = families.iter().position(|family| family["id"] == CAMPBELL).unwrap();
    families[index]["enrolments"][0]["endAt"] = json!("2020-06-30");
    families[index]["enrolments"][0]["instalments"] = json!([{"date": "2026-10-07", "amount": 500}]);
    let ended = Studio::parse(&file.to_string());
    file["families"][index]["enrolments"].as_array_mut().unwrap().remove(0);
    let (stack, fresh) = (ended.start().await, Studio::parse(&file.to_string()).start().await);
    let items = basket(&[place(STREET, ISLA, FULL)], &[]);
    assert_eq!(quote(&stack, CAMPBELL, &items).await["payment"], quote(&fresh, CAMPBELL, &items).await["payment"]);
    assert_eq!(stack.seats_left(TAP).await, fresh.seats_left(TAP).await);
    assert_eq!(stack.table().partition(&format!("C#{COMPANY}#F#{CAMPBELL}#PLANS"), "").await.len(), 0);
    let (is_done, said) = load(&stack, &ended, &[]).await;
    assert!(is_done && said.contains(": 0 documents"), "{said}");
    assert!(said.contains(&format!("families[{index}].enrolments[0].endAt: 2020-06-30 is past")), "{said}");
}

#[tokio::test]
async fn a_drop_in_class_is_left_out_with_what_is_in_it() {
    let studio = Studio::demo().with(BALLET, &json!({"type": "drop-in"})).with(TAP, &json!({"type": "drop-in"}));
    let stack = studio.start().await;
    let (is_done, said) = load(&stack, &studio, &[]).await;
    assert!(is_done, "{said}");
    for within in ["1 enrolment in it", "1 trial in it"] {
        let told = format!("a drop-in class is not sold here: it is left out, with {within}");
        assert!(said.contains(&told), "{told:?} is not in {said}");
    }
}
