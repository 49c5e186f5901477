//! A file with what the published API answers.

use super::*;

const PUBLISHED: &str = include_str!("../../../../../../tests/fixtures/published.json");

#[test]
fn what_class_manager_answers_is_loaded_as_it_is() {
    let studio = Catalogue::parse(PUBLISHED).unwrap();
    assert_eq!(
        studio.left_out.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["classes[2]: a drop-in class is not sold here: it is left out"]
    );
    let [class, archived] = &studio.classes[..] else { panic!("two classes: {:?}", studio.classes) };
    assert_eq!(
        (class.name.as_str(), class.min_age_months, class.max_age_months),
        ("All That Jazz", Some(24), Some(60))
    );
    assert_eq!(archived.name, "Tap");
    let [potter, black] = &studio.families[..] else { panic!("two families") };
    assert_eq!((potter.family.joined_at, black.family.joined_at), (Some("2023-12-05".parse().unwrap()), None));
    assert_eq!(potter.students[0].full_name(), "Harry Potter");
    assert_eq!(potter.enrolments.len(), 1);
    assert!(potter.trials.is_empty(), "an archived trial is none");
    let season = &studio.seasons[0];
    assert_eq!(season.pricing_plans[1].installment_dates, ["2026-09-07", "2026-10-07"].map(|on| on.parse().unwrap()));
    assert_eq!(season.registration_fee_dto.as_ref().unwrap().tax_rate.as_ref().unwrap().label, "VAT (20%)");
    assert_eq!(studio.registration_fees[0].archived_at.unwrap().to_string(), "2024-06-12T09:39:49");
    assert_eq!(studio.holidays.len(), 1);
}

#[test]
fn what_is_personal_and_used_by_no_rule_is_nowhere_kept() {
    let studio = Catalogue::parse(PUBLISHED).unwrap();
    let kept = format!("{studio:?}");
    for personal in ["Asthma", "prefer-not-to-say", "photo.example/h.png"] {
        assert!(PUBLISHED.contains(personal) && !kept.contains(personal), "{personal}");
    }
}

#[test]
fn a_field_that_nobody_publishes_is_named_even_if_it_is_null() {
    for (pointer, place) in [
        ("/families/0/students/0/shoeSize", "families[0].students[0].shoeSize: unknown field"),
        ("/classes/0/endTime", "classes[0].endTime: unknown field"),
        ("/discountSchemes/0/discountType", "discountSchemes[0].discountType: unknown field"),
        ("/company/settings/trial/colour", "company.settings.trial.colour: unknown field"),
        ("/rooms", "rooms: unknown field"),
    ] {
        let mut studio: Value = serde_json::from_str(PUBLISHED).unwrap();
        put(&mut studio, pointer, json!(null));
        assert_eq!(mistakes(&studio.to_string()), [place]);
    }
}

#[test]
fn what_may_be_null_is_null_and_what_must_be_there_is_missing() {
    let mut studio: Value = serde_json::from_str(PUBLISHED).unwrap();
    for pointer in ["/classes/0/entity/capacity", "/company/phone", "/seasons/0/pricingPlans/0/discount"] {
        put(&mut studio, pointer, json!(null));
    }
    assert_eq!(mistakes(&studio.to_string()), [""; 0]);
    put(&mut studio, "/classes/0/entity/price", json!(null));
    put(&mut studio, "/families/0/students/0/firstname", json!(null));
    assert_eq!(
        mistakes(&studio.to_string()),
        ["classes[0].price: is missing", "families[0].students[0].firstname: is missing"]
    );
}

#[test]
fn null_is_as_good_as_left_out_wherever_it_stands() {
    let sound: Value = serde_json::from_str(PUBLISHED).unwrap();
    let mut all = Vec::new();
    pointers(&sound, "", &mut all);
    // An aggregate without its class is no document.
    for pointer in all.iter().filter(|pointer| !pointer.ends_with("/entity")) {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        let (mut null, mut without) = (sound.clone(), sound.clone());
        let Some(object) = without.pointer_mut(parent).and_then(Value::as_object_mut) else { continue };
        object.remove(field);
        put(&mut null, pointer, Value::Null);
        assert_eq!(Catalogue::parse(&null.to_string()), Catalogue::parse(&without.to_string()), "{pointer}");
    }
}

#[test]
fn a_document_of_another_company_is_named() {
    for pointer in ["/holidays/0/companyId", "/families/0/students/0/companyId", "/families/0/companyId"] {
        let mut studio: Value = serde_json::from_str(PUBLISHED).unwrap();
        put(&mut studio, pointer, json!("co_2"));
        let found = mistakes(&studio.to_string());
        let place = pointer.trim_start_matches('/').replace("/0", "[0]").replace('/', ".");
        assert_eq!(found, [format!("{place}: co_2 is another company")]);
    }
}

#[test]
fn a_time_may_be_written_in_each_published_way() {
    for (written, read) in [
        ("2023-12-05 14:30:41", "2023-12-05T14:30:41"),
        ("2025-05-04T09:42:00Z", "2025-05-04T09:42:00"),
        ("2024-06-12T09:39:49.000000Z", "2024-06-12T09:39:49"),
        ("2025-05-04T09:42:00+01:00", "2025-05-04T08:42:00"),
        ("2025-05-04", "2025-05-04T00:00:00"),
    ] {
        let mut studio: Value = serde_json::from_str(PUBLISHED).unwrap();
        put(&mut studio, "/families/0/createdAt", json!(written));
        let studio = Catalogue::parse(&studio.to_string()).unwrap();
        assert_eq!(studio.families[0].family.created_at.to_string(), read, "{written}");
    }
    let mut studio: Value = serde_json::from_str(PUBLISHED).unwrap();
    put(&mut studio, "/families/0/createdAt", json!("yesterday"));
    let named = "families[0].createdAt: `yesterday` is not a date and time like 2026-09-07 14:30:41";
    assert_eq!(mistakes(&studio.to_string()), [named]);
}

#[test]
fn what_is_deleted_there_is_archived_or_gone_here() {
    let mut studio: Value = serde_json::from_str(PUBLISHED).unwrap();
    let at = json!("2026-09-01 10:00:00");
    for pointer in ["/families/0/students/0/deletedAt", "/classes/0/entity/deletedAt", "/seasons/0/deletedAt"] {
        put(&mut studio, pointer, at.clone());
    }
    put(&mut studio, "/discountSchemes/0/deletedAt", at.clone());
    put(&mut studio, "/families/0/enrolments/0/deletedAt", at);
    let studio = Catalogue::parse(&studio.to_string()).unwrap();
    assert!(studio.families[0].students[0].archived_at.is_some() && studio.seasons[0].archived_at.is_some());
    assert!(studio.classes[0].archived_at.is_some() && studio.classes[1].archived_at.is_none());
    assert!(studio.discount_schemes.is_empty() && studio.families[0].enrolments.is_empty());
}

#[test]
fn a_file_in_utf_8_is_read_with_its_mark_or_without_and_another_encoding_is_named() {
    let utf_32: Vec<u8> = PUBLISHED.chars().flat_map(|character| u32::from(character).to_le_bytes()).collect();
    let utf_16: Vec<u8> = PUBLISHED.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let read = |bytes: &[u8]| Catalogue::read(bytes, Timestamp::UNIX_EPOCH).map_err(|found| found[0].to_string());
    let sound = Catalogue::parse(PUBLISHED);
    assert_eq!(read(PUBLISHED.as_bytes()), Ok(sound.clone().unwrap()));
    assert_eq!(read(&[b"\xef\xbb\xbf", PUBLISHED.as_bytes()].concat()), Ok(sound.unwrap()));
    for (bytes, named) in [
        ([b"\xff\xfe".as_slice(), &utf_16].concat(), "the file is UTF-16: save it as UTF-8"),
        (utf_32, "the file is UTF-32: save it as UTF-8"),
        (b"\x1f\x8b\x08\0".to_vec(), "the file is compressed: unpack it"),
        (utf_16, "the file is UTF-16: save it as UTF-8"),
        (
            b"{\"company\":\n {\"name\": \"Caf\xe9\"}}".to_vec(),
            "line 2 is not UTF-8, perhaps Windows-1252 or Latin-1: save the file as UTF-8",
        ),
    ] {
        assert_eq!(read(&bytes).unwrap_err(), named);
    }
}

/// A school with so many classes and families, each of them with something that is not as it must be.
fn wrong_everywhere(classes: usize, families: usize) -> String {
    let mut studio = studio();
    let wrong_class = |n: usize| {
        let mut class = class(&format!("cls_{n}"));
        class[["price", "dayOfWeek", "startTime", "seasonId", "colour"][n % 5]] = json!("sea_none");
        class
    };
    let wrong_family = |n: usize| {
        let mut student = student(&format!("stu_{n}"));
        student[["dateOfBirth", "shoeSize", "discountable"][n % 3]] = json!("no");
        let enrolled = |k: usize| {
            let class = format!("cls_{}", (n + k) % classes);
            json!({"id": format!("enr_{n}_{k}"), "studentId": format!("stu_{n}"), "classId": class, "pricingPlanId": "pp_1"})
        };
        let enrolments: Vec<_> = (0..2).map(enrolled).collect();
        json!({"id": format!("fml_{n}"), "name": "Potter", "students": [student], "enrolments": enrolments})
    };
    studio["classes"] = (0..classes).map(wrong_class).collect();
    studio["families"] = (0..families).map(wrong_family).collect();
    studio.to_string()
}

#[test]
fn every_mistake_of_a_large_school_is_named_in_time_linear_in_its_file() {
    let began = std::time::Instant::now();
    let found = Catalogue::parse(&wrong_everywhere(5_000, 3_000)).unwrap_err();
    let took = began.elapsed();
    let of = |list: &str| found.iter().filter(|mistake| mistake.place.starts_with(list)).count();
    assert_eq!(of("classes["), 5_000, "{:?}", &found[..20]);
    assert!(of("families[") >= 3_000, "{}", of("families["));
    assert!(took.as_secs() < 10, "it took {took:?}");
}

#[test]
fn instalments_that_are_still_to_come_are_in_order_and_of_a_plan() {
    let with = |plan: Value, instalments: Value| {
        let mut studio = studio();
        put(&mut studio, "/families/0/enrolments/0/pricingPlanId", plan);
        put(&mut studio, "/families/0/enrolments/0/instalments", instalments);
        mistakes(&studio.to_string())
    };
    let at = |rest: &str| vec![format!("families[0].enrolments[0].{rest}")];
    let due = |on: &str, amount: i64| json!({"date": on, "amount": amount});
    assert_eq!(with(json!("pp_1_m"), json!([due("2026-10-07", 900), due("2026-11-07", 900)])), [""; 0]);
    let twice = with(json!("pp_1_m"), json!([due("2026-10-07", 900), due("2026-10-07", 900)]));
    assert_eq!(twice, at("instalments[1].date: is not after the one before"));
    let nothing = with(json!("pp_1_m"), json!([due("2026-10-07", 0)]));
    assert_eq!(nothing, at("instalments[0].amount: 0 is not 1 to 99999999"));
    let planless = with(json!(null), json!([due("2026-10-07", 900)]));
    assert_eq!(planless, at("pricingPlanId: is missing, and its instalments are of a plan"));
}

#[test]
fn an_enrolment_may_stand_beside_its_adjustments_as_the_api_lists_it() {
    let listed = |adjustments: Value, more: Option<&str>| {
        let mut studio: Value = serde_json::from_str(PUBLISHED).unwrap();
        let enrolment = studio["families"][0]["enrolments"][0].take();
        let mut listed = json!({"enrolment": enrolment, "adjustments": adjustments});
        if let Some(name) = more {
            listed[name] = json!(1);
        }
        studio["families"][0]["enrolments"][0] = listed;
        Catalogue::parse(&studio.to_string())
    };
    let (bare, plain) = (Catalogue::parse(PUBLISHED).unwrap(), listed(json!([]), None).unwrap());
    assert_eq!(bare, plain);
    let adjusted = listed(json!([{"id": "enad_1", "reason": "make-up-lesson"}]), None).unwrap();
    assert_eq!(adjusted.families, bare.families);
    let said = "families[0].enrolments[0].adjustments: are not used: the enrolment is loaded without them";
    assert!(adjusted.left_out.iter().any(|left_out| left_out.to_string() == said), "{:?}", adjusted.left_out);
    let wrong = listed(json!([]), Some("colour")).unwrap_err();
    assert_eq!(wrong[0].to_string(), "families[0].enrolments[0].colour: unknown field");
}

#[test]
fn a_deleted_transaction_or_detail_is_left_out_and_its_credit_is_of_no_debit() {
    let mut studio: Value = serde_json::from_str(DEMO).unwrap();
    let costumes = studio["transactions"][0].clone();
    let mut credit = costumes.clone();
    let head = json!({"id": "trn_cash", "type": "credit", "relatedTransactionId": costumes["aggregateId"]});
    credit["aggregateId"] = json!("trn_cash");
    head.as_object().unwrap().iter().for_each(|(name, value)| credit["transaction"][name] = value.clone());
    put(&mut studio, "/transactions/-", credit);
    let at = json!("2026-09-03T10:00:00.000000Z");
    put(&mut studio, "/transactions/0/transaction/deletedAt", at.clone());
    // A detail of another amount, which the sums don't count.
    let mut detail = studio["transactions"][1]["details"][0].clone();
    detail["details"]["deletedAt"] = at;
    detail["details"]["amount"] = json!(99);
    put(&mut studio, "/transactions/1/details/-", detail);
    let studio = Catalogue::parse(&studio.to_string()).unwrap();
    let [exam, cash] = &studio.transactions[..] else { panic!("two: {:?}", studio.transactions) };
    assert_eq!((exam.details.len(), &cash.transaction.related_transaction_id), (1, &None));
    let told = studio.left_out.iter().map(ToString::to_string).collect::<Vec<_>>();
    let place = "transactions[2].transaction.relatedTransactionId";
    assert_eq!(told, [format!("{place}: trn_01J9ZDEMW5TVDJ0R0000C0STM0 is deleted: this is a credit of no debit")]);
    let [deleted] = &studio.deleted[..] else { panic!("one: {:?}", studio.deleted) };
    assert_eq!((deleted.place.as_str(), deleted.id.as_str()), ("transactions[0]", "trn_01J9ZDEMW5TVDJ0R0000C0STM0"));
}
