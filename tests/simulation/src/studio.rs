//! The studio of the simulation, small so that its families compete.
//!
//! The shipped import imports it, once per thread; a world begins with a copy.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use classpay_import::{Catalogue, Extent, Import, ImportError};
use classpay_service::store::Store;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The studio.
pub const COMPANY: &str = "co_1";
/// Its account.
pub const ACCOUNT: &str = "acct_1";
/// The account to which the studio changes.
pub const NEXT_ACCOUNT: &str = "acct_3";
/// Another studio, whose families and students have the same ids.
pub const OTHER_COMPANY: &str = "co_2";
/// That studio's account.
pub const OTHER_ACCOUNT: &str = "acct_2";
/// The secret with which Stripe signs events.
pub const WEBHOOK_SECRET: &str = "whsec_simulation";
/// The name of the deployment.
pub const DEPLOYMENT: &str = "classpay-simulation";
/// A season with fees: registration is 15.00 per student and 25.00 per family, and a costume is 5.00.
pub const SEASON: &str = "sea_1";
/// A season without fees.
pub const FREE_SEASON: &str = "sea_2";
/// The most that a family pays for registration in a year.
pub const FEE_CAP: i64 = 2500;
/// When worlds begin: 7 September 2026, 09:00 in London.
pub const BEGIN_MS: i64 = 1_788_768_000_000;

/// Families with their students.
pub const FAMILIES: [(&str, &[&str]); 3] =
    [("fml_1", &["stu_1", "stu_2"]), ("fml_2", &["stu_3", "stu_4"]), ("fml_3", &["stu_5"])];
/// A class with one place at 50.00, one with two places at 80.00, one that is free, and one below Stripe's minimum;
/// each with a plan.
pub const CLASSES: [(&str, &str, u32); 4] =
    [("cls_1", "pp_u", 1), ("cls_2", "pp_m", 2), ("cls_free", "pp_free", 1), ("cls_cheap", "pp_free", 2)];
/// A class at 60.00 with two places and a very long name: an order can hold one place in it, but not two.
pub const LONG_CLASS: (&str, &str, u32) = ("cls_long", "pp_free", 2);
/// The length of that name: more than half of the largest order document.
const LONG_NAME: usize = 132_000;
/// Earlier trials, all on one day that worlds don't reach: the student and the class.
pub const TRIALS: [(&str, &str); 3] = [("stu_1", "cls_2"), ("stu_1", "cls_free"), ("stu_3", "cls_1")];
/// That day.
pub const TRIAL_DAY: &str = "2026-12-07";
/// Earlier debits, with the amount due on each.
pub const DEBITS: [(&str, &str, i64); 2] = [("trn_1", "fml_1", 10_000), ("trn_2", "fml_2", 5_000)];

fn class((id, plan, capacity): &(&str, &str, u32), price: i64) -> Value {
    let name = if *id == LONG_CLASS.0 { "L".repeat(LONG_NAME) } else { (*id).to_owned() };
    json!({
        "id": id, "seasonId": if *plan == "pp_free" { FREE_SEASON } else { SEASON }, "name": name, "price": price,
        "dayOfWeek": "monday", "startTime": "16:30", "durationInMinutes": 60, "firstLessonStartDate": "2026-09-14",
        "lastLessonEndDate": "2026-12-14", "capacity": capacity, "settings": {"trialsEnabled": true},
    })
}

fn debit((id, family, amount): &(&str, &str, i64)) -> Value {
    json!({
        "aggregateId": id,
        "transaction": {
            "id": id, "companyId": COMPANY, "familyId": family, "familyName": family, "relatedTransactionId": null,
            "type": "debit", "date": "2026-09-01", "description": "Costumes", "orderId": null, "deletedAt": null,
        },
        "details": [{
            "details": {
                "id": format!("trnd_{id}"), "companyId": COMPANY, "transactionId": id, "type": "manual-debit",
                "amount": amount, "description": "Costumes", "deletedAt": null,
            },
            "relatedEntities": [],
        }],
        "stats": {"total": amount, "subtotal": amount, "discountTotal": 0, "taxTotal": 0},
    })
}

/// Company, account, currency, the price of the first class, and whether the file has the class with the long name.
type Edition = (&'static str, &'static str, &'static str, i64, bool);

thread_local! {
    static READ: RefCell<BTreeMap<Edition, Rc<Catalogue>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Loads a studio, or part of one.
pub async fn load(store: &Store, catalogue: &Catalogue, extent: Extent) -> Result<(), ImportError> {
    let plan = Import::of(store).plan(catalogue, extent, Timestamp::UNIX_EPOCH).await?;
    Import::of(store).write(plan).await.map(drop)
}

/// The studio as first imported, with this price for its first class. It is parsed once per thread.
///
/// # Panics
/// If it has a mistake.
#[must_use]
pub fn catalogue(price: i64) -> Rc<Catalogue> {
    read_once((COMPANY, ACCOUNT, "gbp", price, true))
}

/// The studio with this account and currency, as imported again. It leaves out the class with the long name, which
/// stays as it is, because writing that class takes longer than all the rest.
///
/// # Panics
/// If it has a mistake.
#[must_use]
pub fn catalogue_as(account: &'static str, currency: &'static str, price: i64) -> Rc<Catalogue> {
    read_once((COMPANY, account, currency, price, false))
}

/// The other studio.
///
/// # Panics
/// If it has a mistake.
#[must_use]
pub fn other_catalogue() -> Rc<Catalogue> {
    read_once((OTHER_COMPANY, OTHER_ACCOUNT, "gbp", 5_000, false))
}

fn read_once(edition: Edition) -> Rc<Catalogue> {
    let new = || Rc::new(read_catalogue(edition));
    READ.with_borrow_mut(|read| Rc::clone(read.entry(edition).or_insert_with(new)))
}

fn read_catalogue((company, account, currency, price, has_long): Edition) -> Catalogue {
    let plan = |id: &str, kind: &str, count: u32| json!({"id": id, "type": kind, "firstPaymentDate": "2026-09-07", "numberOfInstallments": count});
    let season = |id: &str, fees: bool, plans: Value| {
        json!({
            "id": id, "name": id, "startAt": "2026-09-07", "endAt": "2026-12-18", "registrationStatus": "open",
            "pricingModel": "per-season", "createdAt": "2026-06-01 09:00:00", "pricingPlans": plans,
            "enableRegistrationFees": fees, "registrationFeeId": fees.then_some("reg_1"),
            "additionalFees": if fees {
                json!([{"id": "fee_costume", "description": "Costume", "amount": 500}])
            } else { json!([]) },
        })
    };
    let family = |(id, students): &(&str, &[&str])| {
        let student = |id: &&str| json!({"id": id, "firstname": id, "lastname": "S"});
        let own = TRIALS.iter().filter(|(student, _)| students.contains(student));
        let trial = |(student, class): &(&str, &str)| {
            let id = format!("trl_{student}_{class}");
            json!({"id": id, "studentId": student, "classId": class, "trialAt": TRIAL_DAY, "time": "16:30"})
        };
        json!({
            "id": id, "name": id, "createdAt": "2026-06-01 09:00:00",
            "students": students.iter().map(student).collect::<Vec<_>>(), "trials": own.map(trial).collect::<Vec<_>>(),
        })
    };
    let prices = [price, 8_000, 0, 20, 6_000];
    let classes = CLASSES.iter().chain(has_long.then_some(&LONG_CLASS)).zip(prices);
    let file = json!({
        "company": {
            "id": company, "name": "Simulated", "createdAt": "2026-05-04 10:12:33", "address": {"countryCode": "US"},
            "settings": {
                "general": {"timezone": "Europe/London"},
                "trial": {"price": 500, "enableOnPortal": true, "maxCapacityPerLesson": 1, "limitedCapacity": true},
                "billing": {
                    "stripeId": account, "currency": currency, "isProcessingFeeEnabled": true, "processingFee": 2.9,
                },
            },
        },
        "registrationFees": [{
            "id": "reg_1", "name": "Registration", "amount": 1500, "maxAmountPerFamily": FEE_CAP,
            "repetitionInterval": "annual",
        }],
        "discountSchemes": [{
            "id": "dsc_1", "scheme": "student_qty_by_family", "application": "individual_item",
            "type": "percent", "values": [{"id": "dscv_1", "quantity": 2, "amount": 10}],
        }],
        "seasons": [
            season(SEASON, true, json!([plan("pp_u", "one-off", 1), plan("pp_m", "monthly", 3)])),
            season(FREE_SEASON, false, json!([plan("pp_free", "one-off", 1)])),
        ],
        "classes": classes.map(|(one, price)| class(one, price)).collect::<Vec<_>>(),
        "families": FAMILIES.iter().map(family).collect::<Vec<_>>(),
        // Debits belong to the first studio.
        "transactions": DEBITS.iter().filter(|_| company == COMPANY).map(debit).collect::<Vec<_>>(),
    });
    match Catalogue::parse(&file.to_string()) {
        Ok(catalogue) => catalogue,
        Err(mistakes) => panic!("the simulated studio has mistakes: {mistakes:#?}"),
    }
}
