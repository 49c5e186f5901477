//! One scenario for each rule beyond the shape of a document.

use super::*;

#[test]
fn a_company_keeps_its_rules() {
    let zone = "company.settings.general.timezone: `Europe/Londres` is not a time zone like Europe/London";
    only("/company/settings/general/timezone", json!("Europe/Londres"), zone);
    let currency = "company.settings.billing.currency: `xyz` is not a currency with a known smallest charge";
    only("/company/settings/billing/currency", json!("xyz"), currency);
    only(
        "/company/settings/billing/processingFee",
        json!(101),
        "company.settings.billing.processingFee: 101 % is over 100 %",
    );
    let day = "company.settings.billing.billingDayOfMonth: 32 is not a day of a month, 1 to 31";
    only("/company/settings/billing/billingDayOfMonth", json!(32), day);
    only("/company/settings/trial", json!({"price": -5}), "company.settings.trial.price: -5 is negative");
    let cut_off = "company.settings.enrolment.ageCutOffDays: is missing, and the ageCutOffType needs it";
    only("/company/settings/enrolment", json!({"ageCutOffType": "days_after_season_start"}), cut_off);
}

#[test]
fn a_document_of_another_company_is_named() {
    only("/seasons/0/companyId", json!("co_2"), "seasons[0].companyId: co_2 is another company");
    only("/families/0/companyId", json!("co_2"), "families[0].companyId: co_2 is another company");
    only("/company/address", json!({"companyId": "co_2"}), "company.address.companyId: co_2 is another company");
}

#[test]
fn r3_a_rate_or_discount_is_0_to_100_with_three_decimals() {
    only("/taxRates/0/rate", json!("100.001"), "taxRates[0].rate: 100.001 % is over 100 %");
    let decimals = "taxRates[0].rate: `20.0001`: a percentage is digits with at most three decimals, for example 2.9";
    only("/taxRates/0/rate", json!("20.0001"), decimals);
    only("/seasons/0/pricingPlans/0/discount", json!(101), "seasons[0].pricingPlans[0].discount: 101 % is over 100 %");
    let sign = "seasons[0].pricingPlans[0].discount: `-5`: a percentage is digits with at most three decimals, for example 2.9";
    only("/seasons/0/pricingPlans/0/discount", json!(-5), sign);
}

#[test]
fn an_id_is_used_once() {
    let rate = json!({"id": "tax_1", "rate": 5, "label": "GST"});
    only("/taxRates/-", rate, "taxRates[1].id: tax_1 is used twice");
    let holiday = json!({"id": "hol_1", "name": "Easter", "startAt": "2027-04-01", "endAt": "2027-04-02"});
    only("/holidays/-", holiday, "holidays[1].id: hol_1 is used twice");
    only("/classes/1/id", json!("cls_1"), "classes[1].id: cls_1 is used twice");
    only("/seasons/-", season("sea_2", "pp_3"), "seasons[2].id: sea_2 is used twice");
    only("/seasons/1/pricingPlans/1/id", json!("pp_1"), "seasons[1].pricingPlans[1].id: pp_1 is used twice");
    only(
        "/families/0/students/-",
        student("stu_1"),
        "families[0].students[2].id: stu_1 is used twice, first in families[0].students[0].id",
    );
}

#[test]
fn an_id_is_used_once_in_all_families() {
    let family = json!({
        "id": "fml_1", "name": "Weasley", "createdAt": "2026-09-01 09:00:00",
        "students": [student("stu_1")], "enrolments": [enrolment("enr_1", "stu_1")], "trials": []
    });
    let found = broken(&[("/families/-", family)]);
    assert_eq!(
        found,
        [
            "families[1].id: fml_1 is used twice",
            "families[1].students[0].id: stu_1 is used twice, first in families[0].students[0].id",
            "families[1].enrolments[0].id: enr_1 is used twice, first in families[0].enrolments[0].id",
        ]
    );
}

#[test]
fn what_is_referred_to_exists() {
    only("/classes/1/seasonId", json!("sea_9"), "classes[1].seasonId: there is no season sea_9 in the file");
    only(
        "/classes/1/settings/taxRateId",
        json!("tax_9"),
        "classes[1].settings.taxRateId: there is no tax rate tax_9 in the file",
    );
    let enrolments = "/families/0/enrolments/0";
    let place = "families[0].enrolments[0]";
    let student = format!("{place}.studentId: there is no student of this family stu_9 in the file");
    only(&format!("{enrolments}/studentId"), json!("stu_9"), &student);
    only(
        &format!("{enrolments}/classId"),
        json!("cls_9"),
        &format!("{place}.classId: there is no class cls_9 in the file"),
    );
    let plan = format!("{place}.pricingPlanId: there is no pricing plan pp_9 in the file");
    only(&format!("{enrolments}/pricingPlanId"), json!("pp_9"), &plan);
    only(
        "/families/0/trials/0/classId",
        json!("cls_9"),
        "families[0].trials[0].classId: there is no class cls_9 in the file",
    );
}

#[test]
fn a_plan_belongs_to_its_season() {
    let stands = "seasons[0].pricingPlans[0].seasonId: is not the season it stands in";
    only("/seasons/0/pricingPlans/0/seasonId", json!("sea_2"), stands);
    let model = "seasons[0].pricingPlans[0].pricingModel: is not the season's";
    only("/seasons/0/pricingPlans/0/pricingModel", json!("per-month"), model);
}

#[test]
fn what_begins_ends_later() {
    only("/seasons/0/endAt", json!("2026-09-06"), "seasons[0].endAt: is before startAt");
    only("/holidays/0/endAt", json!("2026-10-25"), "holidays[0].endAt: is before startAt");
    let lessons = "classes[0].lastLessonEndDate: is before firstLessonStartDate";
    only("/classes/0/lastLessonEndDate", json!("2026-09-01"), lessons);
    only("/classes/0/maxAgeMonths", json!(59), "classes[0].maxAgeMonths: is below minAgeMonths");
}

#[test]
fn r19_a_plan_has_the_dates_it_says() {
    let one_off = "/seasons/0/pricingPlans/0";
    let monthly = "/seasons/0/pricingPlans/1";
    let at = |plan: usize, rest: &str| format!("seasons[0].pricingPlans[{plan}].{rest}");
    let count = |plan: &str| format!("{plan}/numberOfInstallments");
    only(&count(monthly), json!(0), &at(1, "numberOfInstallments: is 0: the plan has no date"));
    only(&count(monthly), json!(61), &at(1, "numberOfInstallments: is 61, and a plan has at most 60"));
    only(&count(one_off), json!(2), &at(0, "numberOfInstallments: is 2, but a one-off plan has one"));
    only(&count(monthly), Value::Null, &at(1, "numberOfInstallments: is missing"));
    let dates = format!("{monthly}/installmentDates");
    let two = json!(["2026-09-07", "2026-10-07"]);
    only(&dates, two, &at(1, "installmentDates: has 2 dates, but numberOfInstallments is 3"));
    let twice = json!(["2026-09-07", "2026-10-07", "2026-09-07"]);
    only(&dates, twice, &at(1, "installmentDates: has a date twice"));
    let both = broken(&[(dates.as_str(), json!(["2026-09-07", "2026-09-07"]))]);
    let twice = at(1, "installmentDates: has a date twice");
    assert_eq!(both, [at(1, "installmentDates: has 2 dates, but numberOfInstallments is 3"), twice]);
    let other = json!(["2026-09-08"]);
    let first = at(0, "installmentDates: a one-off plan is paid on its firstPaymentDate");
    only(&format!("{one_off}/installmentDates"), other, &first);
    for day in [0, 32] {
        let what = at(1, &format!("paymentDay: {day} is not a day of a month, 1 to 31"));
        only(&format!("{monthly}/paymentDay"), json!(day), &what);
    }
    let first = format!("{monthly}/firstPaymentDate");
    let on = |first_on: &str, day: i32| {
        broken(&[(first.as_str(), json!(first_on)), (format!("{monthly}/paymentDay").as_str(), json!(day))])
    };
    let soon = at(1, "firstPaymentDate: 2026-09-30 is a day before the second payment, on 2026-10-01");
    assert_eq!((on("2026-09-30", 1), on("2026-09-24", 1), on("2026-09-30", 7)), (vec![soon], vec![], vec![]));
    let given = json!(["2026-09-30", "2026-10-01", "2026-11-01"]);
    assert_eq!(broken(&[(dates.as_str(), given)]), [""; 0], "the studio has said so");
    let mut dateless = studio();
    dateless["seasons"][0]["pricingPlans"][1].as_object_mut().unwrap().remove("firstPaymentDate");
    assert_eq!(mistakes(&dateless.to_string()), [at(1, "firstPaymentDate: is missing")]);
}

#[test]
fn an_open_season_can_be_paid_and_a_closed_one_need_not_be() {
    let off =
        [("/seasons/1/pricingPlans/0/enabled", json!(false)), ("/seasons/1/pricingPlans/1/enabled", json!(false))];
    assert_eq!(broken(&off), ["seasons[1].pricingPlans: an open season needs a plan that is enabled"]);
    let mut closed = off.to_vec();
    closed.push(("/seasons/1/registrationStatus", json!("closed")));
    assert_eq!(broken(&closed), [""; 0]);
}

#[test]
fn a_price_is_not_negative() {
    only("/classes/0/price", json!(-1), "classes[0].price: -1 is negative");
    assert_eq!(broken(&[("/classes/0/price", json!(0))]), [""; 0]);
}

#[test]
fn a_student_is_in_a_class_once() {
    let enrolled = "families[0].enrolments[1].classId: the student is enrolled in this class already";
    only("/families/0/enrolments/-", enrolment("enr_2", "stu_1"), enrolled);
    let tried = "families[0].trials[1].classId: the student has a trial in this class already";
    only("/families/0/trials/-", trial("trl_2", "stu_2"), tried);
}

#[test]
fn what_is_archived_is_not_refused_for_what_nobody_buys_any_more() {
    let at = json!("2026-09-01 10:00:00");
    let soon = json!([{"id": "pp_1", "type": "monthly", "firstPaymentDate": "2026-09-30", "paymentDay": 1,
        "numberOfInstallments": 3, "enabled": false}]);
    let wrong = [("/families/0/enrolments/0/pricingPlanId", json!(null)), ("/seasons/0/pricingPlans", soon)];
    assert_eq!(broken(&wrong).len(), 2);
    let archived = [("/seasons/0/archivedAt", at.clone()), ("/classes/0/archivedAt", at)];
    assert_eq!(broken(&[wrong.as_slice(), &archived].concat()), [""; 0]);
}

fn transaction(id: &str, kind: &str, total: i64, related: Option<&str>) -> Value {
    json!({
        "aggregateId": id,
        "transaction": {
            "id": id, "companyId": "co_1", "familyId": "fml_1", "familyName": "Potter", "relatedTransactionId": related,
            "type": kind, "date": "2026-09-01", "description": "Costume", "orderId": null, "deletedAt": null
        },
        "details": [{
            "details": {
                "id": "trnd_1", "companyId": "co_1", "transactionId": id, "type": "manual-debit", "amount": total,
                "description": "Costume", "deletedAt": null
            },
            "relatedEntities": []
        }],
        "stats": {"total": total, "subtotal": total, "discountTotal": 0, "taxTotal": 0}
    })
}

#[test]
fn transactions_have_true_sums_and_no_debit_is_credited_with_more_than_it_owes() {
    let (debit, credit) =
        (transaction("trn_1", "debit", 1000, None), transaction("trn_2", "credit", 1000, Some("trn_1")));
    assert_eq!(broken(&[("/transactions", json!([debit, credit]))]), [""; 0]);
    let mut untrue = debit.clone();
    untrue["stats"]["total"] = json!(999);
    only("/transactions", json!([untrue]), "transactions[0].stats: must be the sums of the details");
    for kind in ["debit", "credit"] {
        let place = format!("transactions[0].stats.total: is -5, and a {kind} is not below zero");
        only("/transactions", json!([transaction("trn_1", kind, -5, None)]), &place);
    }
    let twice = json!([debit, debit]);
    only("/transactions", twice, "transactions[1].transaction.id: is there twice");
    let like = json!([debit, transaction("inv_1", "debit", 5, None)]);
    let place = "transactions[1].transaction.id: differs from another's only before the first `_`";
    only("/transactions", like, place);
    let over = json!([debit, credit, transaction("trn_3", "credit", 1, Some("trn_1"))]);
    only("/transactions", over, "transactions[0]: is credited with more than it owes");
    let unrelated = json!([transaction("trn_2", "credit", 5, Some("trn_9"))]);
    let place = "transactions[0].transaction.relatedTransactionId: must be a debit of the same family in this file";
    only("/transactions", unrelated, place);
    let mut foreign = debit;
    foreign["transaction"]["familyId"] = json!("fml_9");
    only(
        "/transactions",
        json!([foreign]),
        "transactions[0].transaction.familyId: there is no family fml_9 in families: one that has left stays there, with its archivedAt",
    );
}

#[test]
fn a_class_may_have_more_students_than_places() {
    let two = [("/families/0/enrolments/-", enrolment("enr_2", "stu_2")), ("/families/0/trials", json!([]))];
    assert_eq!(broken(&[two.as_slice(), &[("/classes/0/capacity", json!(1))]].concat()), [""; 0]);
}
