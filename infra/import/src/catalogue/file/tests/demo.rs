//! What a newcomer sees in the demo studios, on whatever day.

use classpay_domain::basket::{Basket, EnrolmentItem, TrialItem};
use classpay_domain::catalogue::Studio;
use classpay_domain::id::{ClassId, PlanId, StudentId};
use classpay_domain::pricing::{self, Quote, Refusal};
use jiff::civil::{DateTime, date, time};

use super::*;

/// The demo studio as one of its families sees it, with nothing sold since the import.
fn studio(family: usize) -> Studio {
    seen::by_family(&Catalogue::parse(DEMO).unwrap(), family)
}

const STEM: &str = "01J9ZDEMW5TVDJ0R";

fn class_id(name: &str) -> ClassId {
    ClassId::parse(format!("cls_{STEM}{name:0>10}")).unwrap()
}

fn place(student: &str, class: &str, plan: &str) -> EnrolmentItem {
    EnrolmentItem {
        student: StudentId::parse(format!("stu_{STEM}{student:0>10}")).unwrap(),
        class: class_id(class),
        plan: Some(PlanId::parse(format!("pp_{STEM}{plan:0>10}")).unwrap()),
    }
}

fn quote(family: usize, items: Vec<EnrolmentItem>, now: DateTime) -> Result<Quote, Refusal> {
    pricing::quote(&studio(family), &Basket::new(items, Vec::new()), now, pricing::Buyer::Family)
}

fn due_now(family: usize, items: Vec<EnrolmentItem>, now: DateTime) -> i64 {
    quote(family, items, now).unwrap().payment.unwrap().total.units()
}

#[test]
fn the_walk_through_costs_money_until_the_school_year_ends() {
    let items = || vec![place("ADA", "BA11ET", "FV112627"), place("T0B1", "BABYBA11ET", "M0NTH2627")];
    for day in [date(2026, 9, 1), date(2026, 11, 21), date(2027, 3, 30), date(2027, 7, 9)] {
        let now = day.to_datetime(time(12, 0, 0, 0));
        assert_eq!(due_now(0, items(), now) > 30, day >= date(2026, 9, 7), "{day}");
    }
}

#[test]
fn next_years_season_can_be_bought_until_it_ends() {
    let items = |plan| vec![place("ADA", "BA11ET2728", plan)];
    let noon = |day: jiff::civil::Date| day.to_datetime(time(12, 0, 0, 0));
    // Before its first date nothing is due.
    assert_eq!(due_now(0, items("FV112728"), noon(date(2026, 11, 21))), 0);
    for day in [date(2027, 9, 1), date(2028, 1, 1), date(2028, 7, 10)] {
        assert!(due_now(0, items("FV112728"), noon(day)) > 30, "{day}");
        assert!(due_now(0, items("M0NTH2728"), noon(day)) > 30, "{day}");
    }
    assert_eq!(refusal(0, place("ADA", "BA11ET2728", "FV112728"), date(2028, 7, 11)), "ClassEnded");
}

fn refusal(family: usize, item: EnrolmentItem, day: jiff::civil::Date) -> String {
    let refusal = quote(family, vec![item], day.to_datetime(time(12, 0, 0, 0))).unwrap_err();
    format!("{:?}", refusal.rule)
}

#[test]
fn there_is_something_to_be_refused_for() {
    let today = date(2026, 11, 21);
    assert_eq!(refusal(7, place("0R1A", "P01NTE", "FV112627"), today), "ClassFull");
    assert_eq!(refusal(0, place("T0B1", "TAP", "FV112627"), today), "AgeOutOfRange");
    assert_eq!(refusal(7, place("C1AN", "SH0W2728", "FV112728"), today), "EnrolmentClosed");
    assert_eq!(refusal(1, place("GRACE", "C0NTEMP", "FV112627"), today), "AlreadyEnrolled");
    assert_eq!(refusal(0, place("ADA", "BA11ET", "TERM1Y2627"), today), "PlanNotInSeason");
}

#[test]
fn there_is_a_last_place_a_free_class_and_an_unlimited_one() {
    let now = date(2026, 11, 21).to_datetime(time(12, 0, 0, 0));
    assert_eq!(studio(0).classes[&class_id("ACR0")].seats.left, Some(1));
    assert_eq!(studio(0).classes[&class_id("ADV1T")].seats.left, None);
    assert_eq!(due_now(0, vec![place("ADA", "0PENSTVD10", "FV112627")], now), 0);
    assert!(due_now(0, vec![place("ADA", "ACR0", "FV112627")], now) > 0);
}

#[test]
fn a_trial_can_be_booked() {
    let basket = Basket::new(
        Vec::new(),
        vec![TrialItem {
            student: StudentId::parse(format!("stu_{STEM}0000000ADA")).unwrap(),
            class: class_id("BA11ET"),
            on: date(2026, 11, 30),
            at: time(16, 30, 0, 0),
        }],
    );
    let now = date(2026, 11, 21).to_datetime(time(12, 0, 0, 0));
    let quote = pricing::quote(&studio(0), &basket, now, pricing::Buyer::Family).unwrap();
    // 5.00 and 20 % of it.
    assert_eq!(quote.payment.unwrap().total.units(), 600);
}

#[test]
fn r35_the_demo_studio_in_the_united_states_has_a_fee_on_top() {
    let studio = seen::by_family(&Catalogue::parse(DEMO_US).unwrap(), 0);
    let named = |prefix: &str, name: &str| format!("{prefix}_01K0DEMW5A{name:0>16}");
    let paid_on = |class: &str, plan: &str, day: jiff::civil::Date| {
        let item = EnrolmentItem {
            student: StudentId::parse(named("stu", "S0F1A")).unwrap(),
            class: ClassId::parse(named("cls", class)).unwrap(),
            plan: Some(PlanId::parse(named("pp", plan)).unwrap()),
        };
        let basket = Basket::new(vec![item], Vec::new());
        let quote = pricing::quote(&studio, &basket, day.to_datetime(time(12, 0, 0, 0)), pricing::Buyer::Family);
        let payment = quote.unwrap().payment.unwrap();
        [payment.subtotal, payment.processing_fee, payment.total].map(classpay_domain::money::Money::units)
    };
    // Nine months at 98.00, 5 % off; 45.00 for the year's membership, 85.00 for the meet.
    assert_eq!(paid_on("BEG1N1", "FV112627", date(2026, 9, 7)), [96_790, 2_807, 99_597]);
    for day in [date(2026, 9, 1), date(2026, 11, 29), date(2027, 5, 28)] {
        assert!(paid_on("BEG1N1", "M0NTH2627", day)[1] > 0, "{day}");
    }
    for day in [date(2027, 8, 2), date(2028, 5, 20)] {
        assert!(paid_on("BEG1N12728", "FV112728", day)[1] > 0, "{day}");
    }
}
