//! Baskets that break a rule of the studio.
//!
//! The demo studio is changed in its file, as a studio would change it, never in the table.

use classpay_service::error::ErrorCode;
use classpay_tests::Stack;
use classpay_tests::studio::{
    ADA, ADULT, ANIKA, BALLET, CAMPBELL, COMPANY, CONTEMPORARY, FINN, FULL, FULL_NEXT_YEAR, ISLA, MINH, MONTHLY,
    NGUYEN, OKAFOR, OPEN_STUDIO, POINTE, PRIYA, ROHAN, SEASON, SHARMA, SHOW, STREET, Studio, TAP, TERMLY, TOBI,
    ballet_for_ada, basket, place, trial,
};
use serde_json::{Value, json};

use super::refused::Wish;

scenarios! {
    BasketEmpty: a_basket_with_nothing_in_it;
    BasketTooLarge: twenty_six_items;
    DuplicateItem: the_same_place_twice;
    AlreadyEnrolled: who_is_in_the_class_already;
    EnrolmentClosed: what_is_not_on_sale_to_families;
    ClassEnded: a_class_after_its_last_lesson;
    AgeOutOfRange: too_young_and_too_old;
    ClassFull: more_than_the_places_that_are_left;
    NoEnabledPlan: a_season_that_cannot_be_paid_for;
    PlanNotInSeason: a_plan_of_another_season_or_one_that_is_switched_off;
    TrialNotAvailable: trials_that_do_not_take_place;
    TrialAlreadyUsed: a_second_trial_of_the_same_class;
    TrialFull: a_lesson_without_a_trial_place;
    AmountTooLarge: more_than_a_card_can_be_charged;
}

async fn a_basket_with_nothing_in_it(code: ErrorCode) {
    let stack = Stack::start().await;
    Wish::of_family(&stack, OKAFOR, basket(&[], &[])).is_refused(code).await;
}

async fn twenty_six_items(code: ErrorCode) {
    let stack = Stack::start().await;
    let many: Vec<Value> = (0..26).map(|n| place(&format!("cls_{n}"), ADA, FULL)).collect();
    Wish::of_family(&stack, OKAFOR, basket(&many, &[])).is_refused(code).await;
    let trials: Vec<Value> = (0..13).map(|n| trial(&format!("cls_{n}"), ADA, "2026-09-14", "16:30")).collect();
    Wish::of_family(&stack, OKAFOR, basket(&many[..13], &trials)).is_refused(code).await;
    // An unreadable item is reported first, wherever it is in the basket.
    let mut misread = many.clone();
    misread[25]["studentId"] = serde_json::json!("not an id!");
    let (family, misread) = (stack.family(OKAFOR), basket(&misread, &[]));
    let answers = [
        family.quote(OKAFOR, &misread).await,
        family.session(OKAFOR, &misread).await,
        family.checkout(OKAFOR, None, &misread).await,
    ];
    for answer in answers {
        assert_eq!(answer.code(), "wrong_type", "{}", answer.text);
    }
}

async fn the_same_place_twice(code: ErrorCode) {
    let stack = Stack::start().await;
    let twice = basket(&[place(BALLET, ADA, FULL), place(BALLET, ADA, MONTHLY), place(TAP, ADA, FULL)], &[]);
    let messages = Wish::of_family(&stack, OKAFOR, twice).is_refused(code).await;
    assert_eq!(messages, ["Ada Okafor is in the basket twice for Ballet Primary."]);
    let both = basket(&[place(BALLET, ADA, FULL)], &[trial(BALLET, ADA, "2026-09-14", "16:30")]);
    assert_eq!(Wish::of_family(&stack, OKAFOR, both).is_refused(code).await.len(), 1);
}

async fn who_is_in_the_class_already(code: ErrorCode) {
    let stack = Stack::start().await;
    let items = basket(&[place(TAP, ANIKA, FULL), place(TAP, ROHAN, FULL)], &[]);
    let wish = Wish::of_family(&stack, SHARMA, items.clone());
    assert_eq!(wish.is_refused(code).await, ["Anika Sharma is already enrolled in Tap Grade 1."]);
    Wish::of_staff(&stack, SHARMA, items).is_refused(code).await;
}

async fn what_is_not_on_sale_to_families(code: ErrorCode) {
    let stack = Stack::start().await;
    let audition = basket(&[place(SHOW, ISLA, FULL_NEXT_YEAR)], &[]);
    let messages = Wish::of_family(&stack, CAMPBELL, audition.clone()).is_refused(code).await;
    assert_eq!(messages, ["Enrolment in Show Company (by audition) is closed (Isla Campbell)."]);
    assert_eq!(stack.staff().quote(CAMPBELL, &audition).await.status, 200, "staff may");

    for status in ["never", "closed", "ended"] {
        let closed = Studio::demo().with(SEASON, &json!({"registrationStatus": status}));
        let stack = closed.start().await;
        Wish::of_family(&stack, OKAFOR, ballet_for_ada()).is_refused(code).await;
        assert_eq!(stack.staff().quote(OKAFOR, &ballet_for_ada()).await.status, 200, "staff may");
    }
}

async fn a_class_after_its_last_lesson(code: ErrorCode) {
    let stack = Studio::demo().start_at("2027-07-20T08:00:00Z").await;
    let messages = Wish::of_family(&stack, OKAFOR, ballet_for_ada()).is_refused(code).await;
    assert_eq!(messages, ["Ballet Primary has no lessons left (Ada Okafor)."]);
    Wish::of_staff(&stack, OKAFOR, ballet_for_ada()).is_refused(code).await;
}

async fn too_young_and_too_old(code: ErrorCode) {
    let stack = Stack::start().await;
    let items = basket(&[place(CONTEMPORARY, ADA, FULL), place(BALLET, TOBI, FULL), place(BALLET, ADA, FULL)], &[]);
    let mut messages = Wish::of_family(&stack, OKAFOR, items.clone()).is_refused(code).await;
    messages.sort();
    let expected = ["Ballet Primary is not for Tobi Okafor's age.", "Contemporary Teens is not for Ada Okafor's age."];
    assert_eq!(messages, expected);
    assert_eq!(stack.staff().quote(OKAFOR, &items).await.status, 200, "staff may");
    let too_old = basket(&[place(BALLET, ISLA, FULL)], &[]);
    Wish::of_family(&stack, CAMPBELL, too_old).is_refused(code).await;
}

async fn more_than_the_places_that_are_left(code: ErrorCode) {
    let stack = Stack::start().await;
    let full = basket(&[place(POINTE, MINH, FULL)], &[]);
    let messages = Wish::of_family(&stack, NGUYEN, full.clone()).is_refused(code).await;
    assert_eq!(messages, ["Pointe Work for Two has no place left for Minh Nguyen."]);
    Wish::of_staff(&stack, NGUYEN, full).is_refused(code).await;

    // One is left, and two are wanted: both are named.
    let stack = Studio::demo().with(STREET, &json!({"capacity": 2})).start().await;
    let two = basket(&[place(STREET, ANIKA, FULL), place(STREET, ROHAN, FULL)], &[]);
    assert_eq!(Wish::of_family(&stack, SHARMA, two).is_refused(code).await.len(), 2);
}

async fn a_season_that_cannot_be_paid_for(code: ErrorCode) {
    let off = json!({"enabled": false});
    let studio = Studio::demo().with(SEASON, &json!({"registrationStatus": "closed"}));
    let stack = studio.with(FULL, &off).with(MONTHLY, &off).start().await;
    let messages = Wish::of_staff(&stack, OKAFOR, ballet_for_ada()).is_refused(code).await;
    assert_eq!(messages, ["Ballet Primary can't be paid for yet (Ada Okafor)."]);
}

async fn a_plan_of_another_season_or_one_that_is_switched_off(code: ErrorCode) {
    let stack = Stack::start().await;
    for plan in [FULL_NEXT_YEAR, TERMLY, "pp_unknown"] {
        let messages = Wish::of_family(&stack, OKAFOR, basket(&[place(BALLET, ADA, plan)], &[])).is_refused(code).await;
        assert_eq!(messages, ["The pricing plan for Ada Okafor in Ballet Primary is not one of that season."]);
    }
}

async fn trials_that_do_not_take_place(code: ErrorCode) {
    let stack = Stack::start().await;
    let (no_lesson, other_time) = ("Ballet Primary has no lesson to come on", "The lesson of Ballet Primary on");
    let unfit = [
        (BALLET, "2026-09-15", "16:30", no_lesson),  // a Tuesday
        (BALLET, "2026-09-14", "16:00", other_time), // not when it begins
        (BALLET, "2026-10-26", "16:30", no_lesson),  // half-term
        (BALLET, "2027-07-19", "16:30", no_lesson),  // after the season
        (BALLET, "2026-08-31", "16:30", no_lesson),  // before it
        (TAP, "2026-09-09", "16:15", "Tap Grade 1 takes no trials (Ada Okafor)."),
    ];
    for (class, on, at, sentence) in unfit {
        let items = basket(&[], &[trial(class, ADA, on, at)]);
        let messages = Wish::of_family(&stack, OKAFOR, items).is_refused(code).await.concat();
        assert!(messages.starts_with(sentence), "{messages}");
        assert!(class == TAP || messages.contains(on), "{messages}");
    }
    let off = Studio::demo().with(COMPANY, &json!({"settings": {"trial": {"enableOnPortal": false}}}));
    let stack = off.start().await;
    let items = basket(&[], &[trial(BALLET, ADA, "2026-09-14", "16:30")]);
    let messages = Wish::of_family(&stack, OKAFOR, items.clone()).is_refused(code).await.concat();
    assert!(messages.starts_with("Only the office books trials"), "{messages}");
    assert_eq!(stack.staff().quote(OKAFOR, &items).await.status, 200, "staff may");
}

async fn a_second_trial_of_the_same_class(code: ErrorCode) {
    let stack = Stack::start().await;
    let items = basket(&[], &[trial(BALLET, PRIYA, "2026-09-14", "16:30")]);
    let messages = Wish::of_family(&stack, SHARMA, items).is_refused(code).await;
    assert_eq!(messages, ["Priya Sharma has had a trial of Ballet Primary, or is enrolled in it."]);
    // An enrolled student needs no trial.
    let enrolled = basket(&[], &[trial(STREET, MINH, "2026-09-15", "17:15")]);
    Wish::of_family(&stack, NGUYEN, enrolled).is_refused(code).await;
}

async fn a_lesson_without_a_trial_place(code: ErrorCode) {
    // Priya has the only one on that day.
    let one = json!({"settings": {"trial": {"maxCapacityPerLesson": 1}}});
    let stack = Studio::demo().with(COMPANY, &one).start().await;
    let items = basket(&[], &[trial(BALLET, ADA, "2026-11-30", "16:30")]);
    let messages = Wish::of_family(&stack, OKAFOR, items.clone()).is_refused(code).await;
    assert_eq!(messages, ["Ballet Primary has no trial place left on 2026-11-30 for Ada Okafor."]);
    let another_day = basket(&[], &[trial(BALLET, ADA, "2026-11-23", "16:30")]);
    assert_eq!(stack.family(OKAFOR).quote(OKAFOR, &another_day).await.status, 200);
    // Two are wanted where two fit, but one is taken.
    let stack = Stack::start().await;
    let two = basket(&[], &[trial(STREET, ISLA, "2026-09-15", "17:15"), trial(STREET, FINN, "2026-09-15", "17:15")]);
    assert_eq!(stack.family(CAMPBELL).quote(CAMPBELL, &two).await.status, 200, "two fit");

    let any = json!({"settings": {"trial": {"maxCapacityPerLesson": 1, "limitedCapacity": false}}});
    let stack = Studio::demo().with(COMPANY, &any).start().await;
    assert_eq!(stack.family(OKAFOR).quote(OKAFOR, &items).await.status, 200, "without a limit there is room");
}

async fn more_than_a_card_can_be_charged(code: ErrorCode) {
    // A price at which the basket's amount can't be represented.
    let stack = Studio::demo().with(ADULT, &json!({"price": i64::MAX / 2})).start().await;
    let items = basket(&[place(ADULT, ADA, FULL)], &[]);
    Wish::of_staff(&stack, OKAFOR, items).is_refused(code).await;

    // An amount that can be quoted but not charged: a quote still answers it.
    let dear = Studio::demo().with(OPEN_STUDIO, &json!({"price": 99_999_999})).start().await;
    let items = basket(&[place(OPEN_STUDIO, ADA, FULL)], &[]);
    let family = dear.family(OKAFOR);
    assert_eq!(family.quote(OKAFOR, &items).await.status, 200);
    let before = dear.table().picture().await;
    family.session(OKAFOR, &items).await.refusal(code);
    let amount = json!({"amount": 100_000_000, "transactionId": null});
    family.post(&format!("/v1/integrations/stripe/{OKAFOR}/payment-sessions"), &amount).await.refusal(code);
    assert_eq!(before.changes(&dear.table().picture().await), super::refused::NOTHING);
    Wish::of_family(&dear, OKAFOR, items).checkout_is_refused(code).await;
}
