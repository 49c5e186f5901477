//! What a file brings, as it is stored and as it is answered.

use classpay_domain::id::FeeId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Catalogue, ChargedFeeEntry, TrialEntry};

const DEMO: &str = include_str!("../../../local/demo-studio.json");
const DEMO_US: &str = include_str!("../../../local/demo-studio-us.json");
const PRICE_LIST: &str = include_str!("../../../../tests/fixtures/price-list.json");

/// Writes a document and reads it again.
fn survives<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(document: &T) {
    let stored = serde_json::to_string(document).unwrap();
    let again: T = serde_json::from_str(&stored).unwrap();
    assert_eq!(again, *document, "{stored}");
    assert_eq!(serde_json::to_string(&again).unwrap(), stored);
}

#[test]
fn what_is_stored_is_read_back_as_it_was() {
    [DEMO, DEMO_US, PRICE_LIST].into_iter().for_each(every_document_survives);
}

fn every_document_survives(of: &str) {
    let studio = Catalogue::parse(of).unwrap();
    survives(&studio.company);
    studio.tax_rates.iter().for_each(survives);
    studio.registration_fees.iter().for_each(survives);
    studio.discount_schemes.iter().for_each(survives);
    studio.holidays.iter().for_each(survives);
    studio.seasons.iter().for_each(survives);
    studio.classes.iter().for_each(survives);
    for entry in &studio.families {
        survives(&entry.family);
        entry.students.iter().for_each(survives);
        entry.enrolments.iter().for_each(survives);
        entry.trials.iter().for_each(survives);
        entry.charged_fees.iter().for_each(survives);
    }
}

#[test]
fn what_a_family_has_is_read_as_it_is_written() {
    let fee = r#"{"feeId":"reg_1","studentId":"stu_1","period":"2026","amount":1500}"#;
    let read: ChargedFeeEntry = serde_json::from_str(fee).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), fee);
    let trial = |time: &str| {
        format!(r#"{{"id":"trl_1","studentId":"stu_1","classId":"cls_1","trialAt":"2026-09-07","time":"{time}"}}"#)
    };
    assert!(serde_json::from_str::<TrialEntry>(&trial("09:00")).is_ok());
    for bad in ["9:00", "09:00:00", "24:00", "0900", "T09:00"] {
        let refused = serde_json::from_str::<TrialEntry>(&trial(bad)).unwrap_err().to_string();
        assert!(refused.contains("is not a time like 09:30"), "{bad}");
    }
}

#[test]
fn an_answer_shows_a_season_without_what_is_only_input() {
    let studio = Catalogue::parse(DEMO).unwrap();
    let mut season = studio.seasons[0].clone();
    season.registration_fee_id = Some(FeeId::parse("reg_1").unwrap());
    let published: Value = serde_json::to_value(season.published()).unwrap();
    let mut fields: Vec<_> = published.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    let mut contract = [
        "id",
        "companyId",
        "name",
        "startAt",
        "endAt",
        "registrationOpen",
        "registrationStatus",
        "enableRegistrationFees",
        "registrationFeeDto",
        "registrationFee",
        "registrationFeeTaxRateId",
        "hasMaxRegistrationFee",
        "maxRegistrationFee",
        "pricingScheme",
        "pricingModel",
        "pricingPlans",
        "additionalFees",
        "createdAt",
        "updatedAt",
        "archivedAt",
    ];
    contract.sort_unstable();
    assert_eq!(fields, contract);
    let mut plan: Vec<_> = published["pricingPlans"][0].as_object().unwrap().keys().map(String::as_str).collect();
    plan.sort_unstable();
    let mut contract = [
        "id",
        "seasonId",
        "pricingModel",
        "firstPaymentDate",
        "numberOfInstallments",
        "type",
        "paymentDay",
        "discount",
        "billingTiming",
        "enabled",
        "installmentDates",
    ];
    contract.sort_unstable();
    assert_eq!(plan, contract);
}

#[test]
fn a_company_is_published_in_the_contracts_fields() {
    let studio = Catalogue::parse(DEMO).unwrap();
    let company: Value = serde_json::to_value(&studio.company).unwrap();
    let keys = |pointer: &str| {
        let object = company.pointer(pointer).unwrap().as_object().unwrap();
        let mut keys: Vec<_> = object.keys().cloned().collect();
        keys.sort_unstable();
        keys.join(" ")
    };
    assert_eq!(keys(""), "address createdAt email id logo name phone settings slug");
    assert_eq!(keys("/address"), "address1 address2 companyId countryCode entityId id state town zip");
    assert_eq!(keys("/settings"), "billing enrolment general tax trial");
    assert_eq!(
        keys("/settings/general"),
        "brandColor brandColors id industry locale size startDayOfWeek timezone use12HourClock"
    );
    assert_eq!(keys("/settings/general/brandColors"), "100 200 300 400 50 500 600 700 800 900 950");
    assert_eq!(keys("/settings/tax"), "enabled id taxIdLabel taxIdNumber taxMode");
    assert_eq!(keys("/settings/trial"), "enableOnPortal id limitedCapacity maxCapacityPerLesson price");
    assert_eq!(
        keys("/settings/billing"),
        "billingDayOfMonth billingTiming currency id isProcessingFeeEnabled processingFee stripeId"
    );
    assert_eq!(keys("/settings/enrolment"), "ageCutOffDate ageCutOffDays ageCutOffType id");
}
