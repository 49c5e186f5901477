//! What is wrong with fees, and with what was charged before.

use super::*;

fn fee(id: &str, every: &str) -> Value {
    json!({
        "id": id, "name": "Joining", "amount": 1500, "maxAmountPerFamily": 2500, "repetitionInterval": every,
        "taxRate": {"id": "tax_1", "rate": "20.000", "label": "VAT"}
    })
}

fn with(mut fee: Value, name: &str, value: Value) -> Value {
    fee[name] = value;
    fee
}

/// The small studio with one fee of each kind: the annual one is taken by the first season, the per-season one by the
/// second, and the first season has an additional fee.
fn with_fees() -> Vec<(&'static str, Value)> {
    let fees = json!([fee("reg_once", "one-off"), fee("reg_year", "annual"), fee("reg_season", "per-season")]);
    let costume = json!({"id": "fee_1", "description": "Costume", "amount": 1000, "taxRateId": "tax_1"});
    vec![
        ("/registrationFees", fees),
        ("/seasons/0/enableRegistrationFees", json!(true)),
        ("/seasons/0/registrationFeeId", json!("reg_year")),
        ("/seasons/1/enableRegistrationFees", json!(true)),
        ("/seasons/1/registrationFeeDto", fee("reg_season", "per-season")),
        ("/seasons/0/additionalFees", json!([costume])),
    ]
}

fn broken_fees(pointer: &'static str, value: Value) -> Vec<String> {
    let mut changes = with_fees();
    changes.push((pointer, value));
    broken(&changes)
}

#[test]
fn r22_each_mistake_of_a_registration_fee_is_named() {
    assert_eq!(broken(&with_fees()), [""; 0]);
    let rate = |rate: &str, label: &str| json!({"id": "tax_1", "rate": rate, "label": label});
    for (pointer, value, mistake) in [
        ("/registrationFees/0/amount", json!(-1), "registrationFees[0].amount: -1 is negative"),
        ("/registrationFees/1/maxAmountPerFamily", json!(-5), "registrationFees[1].maxAmountPerFamily: -5 is negative"),
        (
            "/registrationFees/0/taxRate/id",
            json!("tax_9"),
            "registrationFees[0].taxRate.id: there is no tax rate tax_9 in the file",
        ),
        (
            "/registrationFees/0/taxRate",
            rate("5", "VAT"),
            "registrationFees[0].taxRate.rate: is 5.000, but the rate of tax_1 is 20.000",
        ),
        (
            "/registrationFees/0/taxRate",
            rate("20", "GST"),
            "registrationFees[0].taxRate.label: is `GST`, but tax_1 is called `VAT`",
        ),
        ("/registrationFees/0/id", json!("reg_year"), "registrationFees[1].id: reg_year is used twice"),
        (
            "/seasons/0/registrationFeeId",
            json!("reg_9"),
            "seasons[0].registrationFeeId: there is no registration fee reg_9 in the file",
        ),
        (
            "/seasons/1/registrationFeeId",
            json!("reg_year"),
            "seasons[1].registrationFeeId: is not the registrationFeeDto's",
        ),
        (
            "/seasons/1/registrationFeeDto/amount",
            json!(1400),
            "seasons[1].registrationFeeDto.amount: is not what registrationFees[2] says of reg_season",
        ),
        (
            "/seasons/1/registrationFeeDto/taxRate",
            json!(null),
            "seasons[1].registrationFeeDto.taxRate: is not what registrationFees[2] says of reg_season",
        ),
        (
            "/seasons/1/registrationFeeDto/taxRate/rate",
            json!("19"),
            "seasons[1].registrationFeeDto.taxRate.rate: is 19.000, but the rate of tax_1 is 20.000",
        ),
        ("/seasons/0/maxRegistrationFee", json!(-1), "seasons[0].maxRegistrationFee: -1 is negative"),
        (
            "/seasons/0/registrationFeeTaxRateId",
            json!("tax_9"),
            "seasons[0].registrationFeeTaxRateId: there is no tax rate tax_9 in the file",
        ),
    ] {
        assert_eq!(broken_fees(pointer, value.clone()), [mistake], "{pointer} {value}");
    }
}

#[test]
fn every_field_of_a_copy_that_contradicts_is_named() {
    let other = json!({
        "id": "reg_season", "name": "Entry", "amount": 1, "repetitionInterval": "annual", "dueDate": "2026-09-01",
        "proRated": true, "archivedAt": "2026-09-01 09:00:00"
    });
    let fields =
        ["name", "amount", "maxAmountPerFamily", "repetitionInterval", "dueDate", "proRated", "taxRate", "archivedAt"];
    let named = fields.map(|field| {
        format!("seasons[1].registrationFeeDto.{field}: is not what registrationFees[2] says of reg_season")
    });
    assert_eq!(broken_fees("/seasons/1/registrationFeeDto", other), named);
}

#[test]
fn a_fee_may_be_spelled_out_in_seasons_alone_if_they_agree() {
    let alone = |second: Value| {
        broken(&[
            ("/seasons/0/enableRegistrationFees", json!(true)),
            ("/seasons/0/registrationFeeDto", fee("reg_1", "annual")),
            ("/seasons/1/registrationFeeDto", second),
        ])
    };
    assert_eq!(alone(fee("reg_1", "annual")), [""; 0]);
    let other = alone(with(fee("reg_1", "annual"), "amount", json!(-1)));
    assert_eq!(
        other,
        ["seasons[1].registrationFeeDto.amount: is not what seasons[0].registrationFeeDto says of reg_1"]
    );
    let negative = alone(with(fee("reg_2", "annual"), "amount", json!(-1)));
    assert_eq!(negative, ["seasons[1].registrationFeeDto.amount: -1 is negative"]);
    // What can't be read is named, and not that it is missing.
    let unreadable = broken(&[
        ("/seasons/0/enableRegistrationFees", json!(true)),
        ("/seasons/0/registrationFeeDto", with(fee("reg_1", "annual"), "amount", json!("much"))),
        ("/families/0/chargedFees", json!([{"feeId": "reg_1", "studentId": "stu_1", "period": "2026", "amount": 5}])),
    ]);
    assert!(
        unreadable.len() == 1 && unreadable[0].starts_with("seasons[0].registrationFeeDto.amount"),
        "{unreadable:?}"
    );
}

#[test]
fn r25_each_mistake_of_an_additional_fee_is_named() {
    for (pointer, value, mistake) in [
        ("amount", json!(-1), "amount: -1 is negative"),
        ("maxAmountPerFamily", json!(-1), "maxAmountPerFamily: -1 is negative"),
        ("entityId", json!("sea_2"), "entityId: is not the season it stands in"),
        ("companyId", json!("co_2"), "companyId: co_2 is another company"),
        ("taxRateId", json!("tax_9"), "taxRateId: there is no tax rate tax_9 in the file"),
        ("id", json!("reg_once"), "id: reg_once is used twice"),
    ] {
        let mut changes = with_fees();
        let pointer = format!("/seasons/0/additionalFees/0/{pointer}");
        changes.push((pointer.as_str(), value));
        assert_eq!(broken(&changes), [format!("seasons[0].additionalFees[0].{mistake}")], "{pointer}");
    }
    let twice = json!([{"id": "fee_1", "description": "Shoes", "amount": 500}]);
    assert_eq!(
        broken_fees("/seasons/1/additionalFees", twice),
        ["seasons[1].additionalFees[0].id: fee_1 is used twice"]
    );
    let odd = broken_fees("/seasons/0/additionalFees/0/id", json!("fee#1"));
    assert_eq!(odd, ["seasons[0].additionalFees[0].id: an id is 1 to 64 characters of A-Z, a-z, 0-9 and _"]);
    // A fee that only a season spells out has an id like any other.
    let spelled_out = with(fee("reg_season", "per-season"), "id", json!("fee_1"));
    let found = broken_fees("/seasons/1/registrationFeeDto", spelled_out);
    assert_eq!(found, ["seasons[1].registrationFeeDto.id: fee_1 is used twice"]);
}

fn charged(fee: &str, period: &str) -> Value {
    json!({"feeId": fee, "studentId": "stu_1", "period": period, "amount": 1500})
}

#[test]
fn r24_a_charged_fees_period_is_one_that_the_fee_has() {
    for (fee, period, expected) in [
        ("reg_once", "once", None),
        ("reg_once", "2026", Some("`once`")),
        ("reg_year", "2026", None),
        ("reg_year", "2026-09-01", None),
        ("reg_year", "2026-02-30", Some("the first day of a fee year like 2026-09-01")),
        ("reg_year", "26", Some("the first day of a fee year like 2026-09-01")),
        ("reg_year", "0026", Some("the first day of a fee year like 2026-09-01")),
        ("reg_year", "sea_1", Some("the first day of a fee year like 2026-09-01")),
        ("reg_season", "sea_2", None),
        ("reg_season", "sea_1", Some("the id of a season with reg_season")),
        ("reg_season", "sea_9", Some("the id of a season with reg_season")),
        ("reg_season", "once", Some("the id of a season with reg_season")),
        ("fee_1", "sea_1", None),
        ("fee_1", "sea_2", Some("sea_1, the fee's season")),
        ("fee_1", "2026", Some("sea_1, the fee's season")),
    ] {
        let expected: Vec<_> = expected
            .map(|expected| format!("families[0].chargedFees[0].period: `{period}` is not {expected}"))
            .into_iter()
            .collect();
        assert_eq!(broken_fees("/families/0/chargedFees", json!([charged(fee, period)])), expected, "{fee} {period}");
    }
}

#[test]
fn r24_each_mistake_of_a_charged_fee_is_named() {
    let family = json!({
        "id": "fml_2", "name": "Weasley", "createdAt": "2026-09-01 09:00:00", "students": [student("stu_9")],
        "chargedFees": [charged("reg_year", "2026"), with(charged("reg_year", "2026"), "studentId", json!("stu_9"))]
    });
    let found = broken_fees("/families/-", family);
    assert_eq!(found, ["families[1].chargedFees[0].studentId: there is no student of this family stu_1 in the file"]);
    let all = json!([
        charged("reg_9", "once"),
        with(charged("reg_once", "once"), "amount", json!(-1)),
        charged("reg_year", "2026"),
        charged("reg_year", "2026-01-01"),
        charged("reg_year", "2027"),
        with(charged("reg_year", "2026"), "studentId", json!("stu_2")),
        with(charged("fee_1", "sea_2"), "studentId", json!("stu_8")),
    ]);
    let at = |rest: &str| format!("families[0].chargedFees{rest}");
    assert_eq!(
        broken_fees("/families/0/chargedFees", all),
        [
            at("[0].feeId: there is no fee reg_9 in the file"),
            at("[1].amount: -1 is negative"),
            at("[3].period: the student was charged this fee for this period already"),
            at("[6].studentId: there is no student of this family stu_8 in the file"),
            at("[6].period: `sea_2` is not sea_1, the fee's season"),
        ]
    );
}

#[test]
fn r24_what_was_charged_may_be_above_a_cap_that_was_lowered() {
    let both = json!([charged("reg_year", "2026"), with(charged("reg_year", "2026"), "studentId", json!("stu_2"))]);
    assert_eq!(broken_fees("/families/0/chargedFees", both), [""; 0]);
}
