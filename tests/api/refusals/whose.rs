//! Another family's or company's records are answered as if they did not exist.
//!
//! Invariant: "not yours" and "not there" get the same answer, except for the request's id.

use classpay_operator::token::{Holder, mint_token};
use classpay_service::error::ErrorCode;
use classpay_tests::studio::{
    ADA, BALLET, COMPANY, FULL, MINH, MONTHLY, NGUYEN, OKAFOR, SEASON, STREET, Studio, TOBI, ballet_for_ada, basket,
    place, trial,
};
use classpay_tests::{Api, Stack, without_request_id};
use serde_json::{Value, json};

use super::refused::{NOTHING, Wish};

scenarios! {
    NotFound: a_family_a_class_or_a_student_that_is_not_there;
}

fn elsewhere(id: &str) -> String {
    id.replace("_01J9ZDEMW5", "_01J9ZE15EW")
}

/// A second company with copies of everything, in the same table.
async fn with_a_second_company(stack: &Stack) {
    Studio::elsewhere().load_into(&stack.table()).await;
}

/// The bodies of the three endpoints' refusals for a family with that id.
async fn knocking(api: &Api, family: &str, code: ErrorCode) -> Vec<Value> {
    let items = ballet_for_ada();
    let answers = [
        api.quote(family, &items).await,
        api.session(family, &items).await,
        api.checkout(family, Some("pi_1"), &items).await,
        api.checkout(family, None, &items).await,
    ];
    let body = |answer: &classpay_tests::Answer| {
        answer.refusal(code);
        without_request_id(answer)
    };
    answers.iter().map(body).collect()
}

async fn a_family_a_class_or_a_student_that_is_not_there(code: ErrorCode) {
    let stack = Stack::start().await;
    for items in [
        basket(&[place("cls_unknown", ADA, FULL)], &[]),
        basket(&[place(BALLET, "stu_unknown", FULL)], &[]),
        basket(&[place(BALLET, ADA, FULL), place(BALLET, MINH, FULL)], &[]),
        basket(&[], &[trial("cls_unknown", ADA, "2026-09-14", "16:30")]),
        basket(&[], &[trial(BALLET, MINH, "2026-09-14", "16:30")]),
    ] {
        let messages = Wish::of_family(&stack, OKAFOR, items).is_refused(code).await;
        assert_eq!(messages, ["There is no such thing."], "nothing is named");
    }
    let archived = Studio::demo().with(ADA, &json!({"archivedAt": "2026-08-01 09:00:00"})).start().await;
    Wish::of_family(&archived, OKAFOR, ballet_for_ada()).is_refused(code).await;
    Wish::of_staff(&archived, OKAFOR, ballet_for_ada()).is_refused(code).await;
}

#[tokio::test]
async fn another_family_is_like_a_family_that_does_not_exist() {
    let stack = Stack::start().await;
    let before = stack.table().picture().await;
    let api = stack.family(OKAFOR);
    let unknown = knocking(&api, "fml_unknown", ErrorCode::NotFound).await;
    assert_eq!(knocking(&api, NGUYEN, ErrorCode::NotFound).await, unknown);
    for no_id in ["fml%2Funknown", "fml%23unknown", "%C3%BC", &"f".repeat(65), "fml_1%00", "..%2F..", "%27%20OR%201=1"]
    {
        assert_eq!(knocking(&api, no_id, ErrorCode::NotFound).await, unknown, "{no_id}");
    }
    assert_eq!(knocking(&stack.staff(), "fml_unknown", ErrorCode::NotFound).await, unknown, "to staff too");
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
}

#[tokio::test]
async fn a_family_s_id_may_be_percent_encoded() {
    let stack = Stack::start().await;
    let encoded = OKAFOR.replace("fml", "%66m%6c");
    assert_eq!(stack.family(OKAFOR).quote(&encoded, &ballet_for_ada()).await.status, 200);
}

#[tokio::test]
async fn another_company_is_out_of_reach_for_its_own_staff_s_colleagues() {
    let stack = Stack::start().await;
    with_a_second_company(&stack).await;
    let before = stack.table().picture().await;
    let unknown = knocking(&stack.staff(), "fml_unknown", ErrorCode::NotFound).await;
    assert_eq!(knocking(&stack.staff(), &elsewhere(OKAFOR), ErrorCode::NotFound).await, unknown);
    // A token of the other company, for a family of this one.
    let token = mint_token(&elsewhere(COMPANY), &Holder::Family(OKAFOR.to_owned()));
    assert_eq!(knocking(&stack.caller(Some(&token)), OKAFOR, ErrorCode::NotFound).await, unknown);
    let staff = mint_token(&elsewhere(COMPANY), &Holder::Staff);
    assert_eq!(knocking(&stack.caller(Some(&staff)), OKAFOR, ErrorCode::NotFound).await, unknown);
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
    // For the other company everything exists.
    let theirs = basket(&[place(&elsewhere(BALLET), &elsewhere(ADA), &elsewhere(FULL))], &[]);
    assert_eq!(stack.caller(Some(&staff)).quote(&elsewhere(OKAFOR), &theirs).await.status, 200);
}

#[tokio::test]
async fn another_company_s_class_student_and_plan_can_not_be_bought() {
    let stack = Stack::start().await;
    with_a_second_company(&stack).await;
    for items in [
        basket(&[place(&elsewhere(BALLET), ADA, FULL)], &[]),
        basket(&[place(BALLET, &elsewhere(ADA), FULL)], &[]),
        basket(&[], &[trial(&elsewhere(BALLET), ADA, "2026-09-14", "16:30")]),
    ] {
        let messages = Wish::of_family(&stack, OKAFOR, items).is_refused(ErrorCode::NotFound).await;
        assert_eq!(messages, ["There is no such thing."]);
    }
    let plan = basket(&[place(BALLET, ADA, &elsewhere(FULL))], &[]);
    Wish::of_family(&stack, OKAFOR, plan).is_refused(ErrorCode::PlanNotInSeason).await;
}

#[tokio::test]
async fn staff_buy_for_a_family_what_the_family_may_not() {
    let closed = Studio::demo().with(BALLET, &json!({"settings": {"portalEnrolmentEnabled": false}}));
    let stack = closed.start().await;
    // Not on sale, and not for the student's age.
    let items = basket(&[place(BALLET, TOBI, MONTHLY)], &[trial(STREET, ADA, "2026-09-15", "17:15")]);
    stack.family(OKAFOR).quote(OKAFOR, &items).await.refusal(ErrorCode::EnrolmentClosed);
    let session = stack.staff().session(OKAFOR, &items).await;
    let intent = classpay_tests::intent_id(&session);
    stack.confirm(&intent).await;
    let bought = stack.staff().checkout(OKAFOR, Some(&intent), &items).await;
    assert_eq!(bought.status, 200, "{}", bought.text);
}

#[tokio::test]
async fn what_is_archived_is_like_what_is_not_there() {
    let since = "2026-09-01 09:00:00";
    let changes = [
        (OKAFOR, json!({"archivedAt": since})),
        (OKAFOR, json!({"deletedAt": since})),
        (SEASON, json!({"archivedAt": since})),
        (BALLET, json!({"archivedAt": since})),
    ];
    for (id, change) in changes {
        let stack = Studio::demo().with(id, &change).start().await;
        for caller in [stack.family(OKAFOR), stack.staff()] {
            let answers = [
                caller.quote(OKAFOR, &ballet_for_ada()).await,
                caller.session(OKAFOR, &ballet_for_ada()).await,
                caller.checkout(OKAFOR, None, &ballet_for_ada()).await,
            ];
            for answer in answers {
                assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{change}: {}", answer.text);
            }
        }
        assert_eq!(stack.intent_count().await, 0, "{change}");
    }
}

#[tokio::test]
async fn a_season_that_is_not_open_for_registration_is_sold_by_staff_alone() {
    let stack = Studio::demo().with(SEASON, &json!({"registrationOpen": false})).start().await;
    let closed = stack.family(OKAFOR).quote(OKAFOR, &ballet_for_ada()).await;
    assert_eq!((closed.status, closed.code().as_str()), (422, "enrolment_closed"), "{}", closed.text);
    assert_eq!(stack.staff().quote(OKAFOR, &ballet_for_ada()).await.status, 200);
}
