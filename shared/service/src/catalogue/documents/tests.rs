use classpay_domain::money::Percent;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::*;

/// Reads a document that is written exactly as it is stored.
fn is_stored_as<T: Serialize + DeserializeOwned>(text: &str) {
    let document: T = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&document).unwrap(), text);
}

fn refused<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
    serde_json::from_str::<T>(text).unwrap_err().to_string()
}

#[test]
fn what_the_demo_studio_lacks_is_read_back_as_well() {
    is_stored_as::<RegistrationFeeDoc>(
        r#"{"id":"reg_1","name":"Registration","amount":1500,"maxAmountPerFamily":2500,"repetitionInterval":"per-season","dueDate":"2026-09-01","proRated":true,"taxRate":{"id":"tax_1","rate":"20.000","label":"VAT","isDefault":true},"archivedAt":"2026-09-07 14:30:41"}"#,
    );
    is_stored_as::<DiscountSchemeDoc>(
        r#"{"id":"dsc_1","scheme":"student_qty_by_family","application":"individual_item","type":"percent","enabled":false,"values":[{"id":"dscv_1","quantity":2,"amount":10}]}"#,
    );
    is_stored_as::<AdditionalFeeDoc>(
        r#"{"id":"mkpl_1","companyId":"co_1","entityId":"sea_1","description":"Costume","amount":1000,"maxAmountPerFamily":null,"taxRateId":"tax_1","proRated":false}"#,
    );
    is_stored_as::<PricingSchemeValueDoc>(r#"{"id":"psv_1","quantity":1,"price":12000}"#);
    is_stored_as::<EnrolmentSettingsDoc>(
        r#"{"id":"co_1","ageCutOffType":"specific_date","ageCutOffDate":"02-29","ageCutOffDays":14}"#,
    );
}

#[test]
fn r3_a_percentage_never_loses_a_digit() {
    for (text, written) in [("2.9", "2.9"), ("2.900", "2.9"), ("0.005", "0.005"), ("100", "100"), ("0", "0")] {
        let number: PercentNumber = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&number).unwrap(), written, "{text}");
    }
    for (text, written) in [("\"20.000\"", "20.000"), ("20", "20.000"), ("2.900", "2.900"), ("\"0.005\"", "0.005")] {
        let rate: PercentText = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&rate).unwrap(), format!("\"{written}\""), "{text}");
    }
    // A float would make something else of it.
    let odd: PercentNumber = serde_json::from_str("999999999.999").unwrap();
    assert_eq!(odd.0, Percent::thousandths(999_999_999_999));
}

#[test]
fn r3_what_is_no_percentage_is_refused() {
    for bad in ["2.9001", "-1", "1e2", "null", "true", "[]"] {
        assert!(refused::<PercentNumber>(bad).contains("at most three decimals"), "{bad}");
        assert!(refused::<PercentText>(bad).contains("at most three decimals"), "{bad}");
    }
    assert!(refused::<PercentNumber>("\"2.9\"").contains("at most three decimals"));
    assert!(refused::<PercentText>("\"20 %\"").contains("at most three decimals"));
}

#[test]
fn a_date_or_time_has_one_spelling() {
    let plan = |date: &str| {
        format!(
            r#"{{"id":"pp_1","seasonId":"sea_1","pricingModel":"per-lesson","type":"one-off","firstPaymentDate":"{date}","numberOfInstallments":1}}"#
        )
    };
    assert!(serde_json::from_str::<PricingPlanDoc>(&plan("2026-09-07")).is_ok());
    for bad in ["2026-9-7", "20260907", "2026-02-30", "2026-09-07T00:00", "2026-09-07 00:00:00", ""] {
        assert!(refused::<PricingPlanDoc>(&plan(bad)).contains("is not a date like 2026-09-07"), "{bad}");
    }
    let class = |time: &str| {
        format!(
            r#"{{"id":"cls_1","seasonId":"sea_1","name":"Tap","price":850,"dayOfWeek":"monday","startTime":"{time}","firstLessonStartDate":"2026-09-07","lastLessonEndDate":"2026-12-14"}}"#
        )
    };
    assert!(serde_json::from_str::<ClassDoc>(&class("09:00")).is_ok());
    for bad in ["9:00", "09:00:00", "24:00", "0900", "T09:00"] {
        assert!(refused::<ClassDoc>(&class(bad)).contains("is not a time like 09:30"), "{bad}");
    }
    let family = |at: &str| format!(r#"{{"id":"fml_1","companyId":"co_1","name":"Potter","createdAt":"{at}"}}"#);
    is_stored_as::<FamilyDoc>(
        r#"{"id":"fml_1","companyId":"co_1","name":"Potter","joinedAt":null,"invitationStatus":"not_invited","autopayEnabled":false,"profilePicture":null,"deletedAt":null,"archivedAt":null,"createdAt":"2023-12-05 14:30:41"}"#,
    );
    for bad in ["2023-12-05", "2023-12-05T14:30:41", "2023-12-05 14:30", "2023-12-05 14:30:41Z"] {
        assert!(refused::<FamilyDoc>(&family(bad)).contains("is not a date and time"), "{bad}");
    }
}

#[test]
fn an_amount_is_an_integer_and_an_id_is_checked() {
    assert!(refused::<PricingSchemeValueDoc>(r#"{"id":"psv_1","quantity":1,"price":12.5}"#).contains("floating point"));
    assert!(refused::<PricingSchemeValueDoc>(r#"{"id":"psv 1","quantity":1,"price":1}"#).contains("an id is 1 to 64"));
}

#[test]
fn what_a_later_version_has_stored_can_be_read() {
    let with_more = r#"{"id":"psv_1","quantity":1,"price":1,"later":{"price":2}}"#;
    let known = r#"{"id":"psv_1","quantity":1,"price":1}"#;
    let read = |text| serde_json::from_str::<PricingSchemeValueDoc>(text).unwrap();
    assert_eq!(read(with_more), read(known));
}

#[test]
fn what_may_be_left_out_has_the_obvious_default() {
    let class: ClassDoc = serde_json::from_str(
        r#"{"id":"cls_1","seasonId":"sea_1","name":"Tap","price":850,"dayOfWeek":"monday","startTime":"16:30","firstLessonStartDate":"2026-09-07","lastLessonEndDate":"2026-12-14"}"#,
    )
    .unwrap();
    assert_eq!((class.capacity, class.places()), (None, None));
    assert_eq!(class.settings, ClassSettingsDoc::default());
    assert!(class.settings.discountable && class.settings.portal_enrolment_enabled && !class.settings.trials_enabled);
    let unlimited = ClassDoc { capacity: Some(0), ..class };
    assert_eq!(unlimited.places(), None);
}
