//! A student who has tried a class, or is about to, enrols in it: the price, and what happens to the trial's place.

use classpay_tests::studio::{
    ACRO, ADA, BALLET, CAMPBELL, COMPANY, FINN, FULL, ISLA, OKAFOR, OPEN_STUDIO, PRIYA, SHARMA, Studio, basket, one,
    place, trial,
};
use classpay_tests::{Call, Item, Stack, assert_books_balance};
use serde_json::{Value, json};

/// The lesson of Ballet for which Priya has a trial.
const LESSON: &str = "2026-11-30";

/// A studio with one trial place in each lesson.
async fn with_one_trial_place() -> Stack {
    Studio::demo().with(COMPANY, &json!({"settings": {"trial": {"maxCapacityPerLesson": 1}}})).start().await
}

async fn trial_of(stack: &Stack, family: &str, student: &str, class: &str) -> Item {
    let pk = format!("C#{}#F#{family}", stack.company());
    stack.table().get(&pk, &format!("TRIAL#{student}#{class}")).await.expect("a trial")
}

async fn priyas(stack: &Stack) -> Item {
    trial_of(stack, SHARMA, PRIYA, BALLET).await
}

fn state(trial: &Item) -> &str {
    trial["place_state"].as_s().expect("a state")
}

fn adas() -> Value {
    basket(&[], &[trial(BALLET, ADA, LESSON, "16:30")])
}

async fn is_refused(stack: &Stack, family: &str, items: &Value, code: &str) -> Vec<String> {
    let quote = stack.family(family).quote(family, items).await;
    assert_eq!((quote.status, quote.code().as_str()), (409, code), "{}", quote.text);
    serde_json::from_value(quote.json()["messages"].clone()).expect("messages")
}

/// The price of an enrolment before discounts and tax.
async fn tuition(stack: &Stack, family: &str, items: &Value) -> i64 {
    let quote = stack.family(family).quote(family, items).await;
    assert_eq!(quote.status, 200, "{}", quote.text);
    quote.json()["seasons"][0]["quotes"][0]["items"][0]["subtotal"].as_i64().expect("an amount")
}

#[tokio::test]
async fn a_child_with_a_trial_enrols_pays_one_lesson_less_and_another_child_has_its_place() {
    let stack = with_one_trial_place().await;
    is_refused(&stack, OKAFOR, &adas(), "trial_full").await;
    let (place, lesson) = (one(BALLET, PRIYA), 850);
    let whole = tuition(&stack, OKAFOR, &one(BALLET, ADA)).await;
    assert_eq!(tuition(&stack, SHARMA, &place).await, whole - lesson);

    let intent = stack.authorise(SHARMA, &place).await;
    let sold = stack.check_out(SHARMA, &intent, &place).await;
    assert_eq!(sold.status, 200, "{}", sold.text);
    assert_eq!(state(&priyas(&stack).await), "ENDED");
    assert_eq!(stack.check_out(SHARMA, &intent, &place).await.text, sold.text, "a second click");

    let paid = stack.authorise(OKAFOR, &adas()).await;
    assert_eq!(stack.check_out(OKAFOR, &paid, &adas()).await.status, 200);
    let again = basket(&[], &[trial(BALLET, PRIYA, "2026-09-14", "16:30")]);
    is_refused(&stack, SHARMA, &again, "trial_already_used").await;
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_child_whose_order_is_given_up_keeps_its_trial() {
    let stack = with_one_trial_place().await;
    let (place, before) = (one(BALLET, PRIYA), priyas(&stack).await);
    let intent = stack.authorise(SHARMA, &place).await;
    stack.order_fault(Call::Capture, 100_000, &json!({"status": 500})).await;
    assert_eq!(stack.check_out(SHARMA, &intent, &place).await.status, 202);
    assert!(priyas(&stack).await.contains_key("ending_order"), "nobody else may end it");
    is_refused(&stack, OKAFOR, &adas(), "trial_full").await;

    stack.move_clock("2026-09-08T08:01:30Z").await;
    stack.run_schedule().await;
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert_eq!(priyas(&stack).await, before);
    is_refused(&stack, OKAFOR, &adas(), "trial_full").await;
    assert_eq!(stack.seats_left(BALLET).await, 14);

    // The payment can be captured again, and then the trial ends.
    stack.withdraw_faults().await;
    let intent = stack.authorise(SHARMA, &place).await;
    assert_eq!(stack.check_out(SHARMA, &intent, &place).await.status, 200);
    assert_eq!(state(&priyas(&stack).await), "ENDED");
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_child_that_enrols_for_nothing_gives_its_trial_s_place_back() {
    let free = Studio::demo().with(OPEN_STUDIO, &json!({"settings": {"trialsEnabled": true}}));
    let stack = free.with(COMPANY, &json!({"settings": {"trial": {"maxCapacityPerLesson": 1}}})).start().await;
    let tries = |student| basket(&[], &[trial(OPEN_STUDIO, student, "2026-09-12", "13:00")]);
    let intent = stack.authorise(OKAFOR, &tries(ADA)).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &tries(ADA)).await.status, 200);
    is_refused(&stack, CAMPBELL, &tries(FINN), "trial_full").await;
    for _ in 0..2 {
        let enrolled = stack.family(OKAFOR).checkout(OKAFOR, None, &one(OPEN_STUDIO, ADA)).await;
        assert_eq!(enrolled.status, 204, "{}", enrolled.text);
    }
    assert_eq!(state(&trial_of(&stack, OKAFOR, ADA, OPEN_STUDIO).await), "ENDED");
    let intent = stack.authorise(CAMPBELL, &tries(FINN)).await;
    assert_eq!(stack.check_out(CAMPBELL, &intent, &tries(FINN)).await.status, 200);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_class_without_a_place_left_takes_no_trial_and_a_trial_takes_no_place() {
    // Two places, one of them taken.
    let stack = Studio::demo().with(ACRO, &json!({"settings": {"trialsEnabled": true}})).start().await;
    let finns = trial(ACRO, FINN, "2026-09-12", "11:00");
    let tries = basket(&[], std::slice::from_ref(&finns));
    let beside = basket(&[place(ACRO, ISLA, FULL)], &[finns]);
    let messages = is_refused(&stack, CAMPBELL, &beside, "trial_full").await;
    let names = |who: &str| messages.iter().any(|message| message.contains(who));
    assert!(messages.len() == 2 && names("Isla Campbell") && names("Finn Campbell"), "{messages:?}");

    let (late, early) = (stack.authorise(CAMPBELL, &tries).await, stack.authorise(OKAFOR, &one(ACRO, ADA)).await);
    assert_eq!(stack.check_out(OKAFOR, &early, &one(ACRO, ADA)).await.status, 200);
    let refused = stack.check_out(CAMPBELL, &late, &tries).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "trial_full"), "{}", refused.text);
    assert!(refused.says_released(), "{}", refused.text);
    assert_eq!(stack.seats_left(ACRO).await, 0);
    assert_books_balance(&stack).await;
}
