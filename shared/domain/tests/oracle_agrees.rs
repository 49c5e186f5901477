//! The shipped prices are those of the pricing rules: an oracle that knows only the rules prices the same random
//! baskets, and the two bills say the same. `PROPTEST_CASES` sets how many are compared.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "the rules are told in plain arithmetic, and a scenario that breaks off has failed"
)]

mod oracle;
mod random;
mod studio;

use std::cell::RefCell;
use std::collections::BTreeMap;

use classpay_domain::basket::Basket;
use classpay_domain::calendar::YearDay;
use classpay_domain::catalogue::{
    AdditionalFee, Application, DiscountKind, DiscountScheme, Off, RegistrationFee, Repetition, Studio, TaxMode,
};
use classpay_domain::pricing::{BrokenRule, Buyer};
use jiff::civil::date;
use oracle::bill::Bill;
use oracle::{disagreements, shipped};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use random::bars::barred;
use random::{Scenario, scenario, scenario_at};
use studio::{TODAY, id, money, monthly, morning, one_off, percent, place, trial};

/// In how many of the scenarios something happened.
#[derive(Debug, Default)]
struct Tally(RefCell<BTreeMap<&'static str, u32>>);

impl Tally {
    fn count(&self, what: &'static str, happened: bool) {
        *self.0.borrow_mut().entry(what).or_default() += u32::from(happened);
    }

    fn count_all(&self, bill: &Bill) {
        let lines = || bill.plans.iter().flat_map(|on| &on.lines);
        let details = || lines().flat_map(|line| &line.details);
        let given_by = |kind: &str| details().any(|d| d.given_by.iter().any(|giver| giver.starts_with(kind)));
        self.count("scheme discount", given_by("dsc"));
        self.count("plan discount", given_by("pp"));
        self.count("tax", details().any(|detail| detail.kind.as_str() == "tax"));
        self.count("discount tax", details().any(|detail| detail.kind.as_str() == "discount-tax"));
        self.count("instalments", lines().any(|line| line.parts.len() > 1));
        self.count("two seasons", bill.plans.iter().any(|on| on.season != bill.plans[0].season));
        self.count("registration fee", !bill.registration_fees.is_empty());
        self.count("additional fee", !bill.additional_fees.is_empty());
        self.count("trial", !bill.trials.is_empty());
        self.count("trial that ends", !bill.ended_trials.is_empty());
        self.count("payment", bill.payment.is_some());
        self.count("processing fee", bill.payment.as_ref().is_some_and(|payment| payment.fee != 0));
    }

    /// A test that has seen too little proves too little.
    fn is_enough(&self, cases: u32) {
        let enough = |what: &str| if what == "sold" { cases / 2 } else { cases / 50 };
        let rare = self.0.borrow().iter().any(|(what, count)| *count < enough(what));
        assert!(!rare, "too little in {cases} scenarios: {self:?}");
    }
}

/// Compares the two bills of a scenario, or why it has none, as staff and as the family ask.
fn compare(scenario: &Scenario, tally: &Tally) -> Result<(), TestCaseError> {
    let (studio, basket) = (&scenario.studio, scenario.basket());
    let page = oracle::bill(studio, &basket, scenario.now);
    for buyer in [Buyer::Staff, Buyer::Family] {
        let is_for_family =
            |is_barred: fn(&Studio, &Basket) -> bool| buyer == Buyer::Family && is_barred(studio, &basket);
        let barred = [
            (BrokenRule::NotFound, "not found", oracle::bars::is_archived(studio, &basket)),
            (BrokenRule::EnrolmentClosed, "closed", is_for_family(oracle::bars::is_closed)),
            (BrokenRule::ClassEnded, "ended", page.is_none()),
            (BrokenRule::AgeOutOfRange, "of another age", is_for_family(oracle::bars::is_of_another_age)),
        ];
        // The first that applies is told.
        let refusal = barred.iter().find(|(_, _, applies)| *applies).map(|(rule, ..)| *rule);
        barred.iter().for_each(|(rule, what, _)| tally.count(what, refusal == Some(*rule)));
        match (refusal, &page) {
            (None, Some(page)) => compare_bills(scenario, buyer, page, tally)?,
            (refusal, _) => {
                prop_assert_eq!(scenario.asked_by(buyer).err().map(|refusal| refusal.rule), refusal, "{:?}", buyer)
            }
        }
    }
    Ok(())
}

fn compare_bills(scenario: &Scenario, buyer: Buyer, page: &Bill, tally: &Tally) -> Result<(), TestCaseError> {
    let code = match scenario.asked_by(buyer) {
        Ok(quote) => shipped::bill(&scenario.studio, &quote).map_err(|_| BrokenRule::AmountTooLarge),
        Err(refusal) => Err(refusal.rule),
    };
    tally.count("sold", code.is_ok());
    match code {
        Err(rule) => {
            tally.count("too large", true);
            prop_assert_eq!(rule, BrokenRule::AmountTooLarge);
            let weight = page.weight() + shipped::charged_before(&scenario.studio);
            prop_assert!(weight > i128::from(i64::MAX), "nothing is too large in\n{}", page.facts().join("\n"));
        }
        Ok(code) => {
            tally.count_all(page);
            let differences = disagreements(page, &code);
            prop_assert!(differences.is_empty(), "at {}:\n{}\n", scenario.now, differences.join("\n"));
        }
    }
    Ok(())
}

/// Compares so many scenarios as `PROPTEST_CASES` wants.
fn compare_all(scenarios: impl Strategy<Value = Scenario>) {
    let config = Config { failure_persistence: None, ..Config::default() };
    let (cases, tally) = (config.cases, Tally::default());
    if let Err(failure) = TestRunner::new(config).run(&scenarios, |scenario| compare(&scenario, &tally)) {
        panic!("{failure}");
    }
    tally.is_enough(cases);
}

#[test]
fn a_quote_is_what_the_rules_say() {
    compare_all(barred(scenario()));
}

#[test]
fn a_quote_near_the_end_of_64_bits_is_what_the_rules_say_or_refused() {
    compare_all(barred(scenario_at(random::huge())));
}

/// The same scenario in another order of everything that has none.
fn permuted(scenario: Scenario) -> impl Strategy<Value = (Scenario, Scenario)> {
    let family = scenario.studio.family.clone();
    let bought = (Just(scenario.enrolments.clone()).prop_shuffle(), Just(scenario.trials.clone()).prop_shuffle());
    let (trials, fees) = (Just(family.trials).prop_shuffle(), Just(family.charged_fees).prop_shuffle());
    let had = (Just(family.enrolments).prop_shuffle(), trials, fees);
    let holidays = Just(scenario.studio.holidays.clone()).prop_shuffle();
    (Just(scenario), bought, had, holidays).prop_map(|(scenario, bought, had, holidays)| {
        let mut other = scenario.clone();
        (other.enrolments, other.trials) = bought;
        let own = &mut other.studio.family;
        (own.enrolments, own.trials, own.charged_fees) = had;
        other.studio.holidays = holidays;
        for season in other.studio.seasons.values_mut() {
            season.plans.reverse();
            season.additional_fees.reverse();
        }
        (scenario, other)
    })
}

proptest! {
    #[test]
    fn the_order_of_things_changes_only_the_order_of_the_plans((scenario, other) in scenario().prop_flat_map(permuted)) {
        let facts = |scenario: &Scenario| {
            let quote = scenario.asked().map_err(|refusal| refusal.rule)?;
            let mut facts = shipped::bill(&scenario.studio, &quote).unwrap().facts();
            facts.sort();
            Ok::<_, BrokenRule>(facts)
        };
        prop_assert_eq!(facts(&scenario), facts(&other));
    }
}

/// The pricing rules' worked example: 20 % tax on top; two students, two schemes, both kinds of fee and a trial.
fn example() -> (Studio, Basket) {
    let mut studio = studio::studio();
    studio::tax(&mut studio, TaxMode::Exclusive, "20");
    studio.company.processing_fee = Some(percent("2.9"));
    let scheme = |name: &str, application, off| DiscountScheme {
        id: id(name),
        name: name.into(),
        application,
        tiers: BTreeMap::from([(2, off)]),
    };
    let students = scheme("dsc_s", Application::IndividualItem, Off::Percent(percent("10")));
    let classes = scheme("dsc_c", Application::TotalTuition, Off::Fixed(money(500)));
    studio.discount_schemes =
        BTreeMap::from([(DiscountKind::StudentsOfFamily, students), (DiscountKind::ClassesOfStudent, classes)]);
    let mut plan_u = one_off("pp_u");
    plan_u.discount = percent("5");
    let season = studio::season(&mut studio);
    season.plans = vec![plan_u, monthly("pp_m", 4)];
    season.registration_fee = Some(RegistrationFee {
        id: id("reg_1"),
        name: "Registration".into(),
        amount: money(1500),
        family_cap: Some(money(2500)),
        repetition: Repetition::Annual,
        year_begins: YearDay::NEW_YEAR,
        pro_rated: false,
        tax_rate: Some(id("tax_1")),
    });
    season.additional_fees = vec![AdditionalFee {
        id: id("fee_1"),
        description: "Costume".into(),
        amount: money(1000),
        family_cap: None,
        tax_rate: None,
        pro_rated: false,
    }];
    let enrolments =
        vec![place("stu_a", "cls_a", "pp_u"), place("stu_a", "cls_b", "pp_u"), place("stu_b", "cls_a", "pp_m")];
    (studio, Basket::new(enrolments, vec![trial("stu_b", "cls_b", date(2026, 9, 9))]))
}

#[test]
fn the_oracle_says_what_the_worked_example_says() {
    let (studio, basket) = example();
    let bill = oracle::bill(&studio, &basket, morning(TODAY)).unwrap();
    // What is said of the whole season on every plan is not in the example.
    let facts: Vec<_> = bill.facts().into_iter().skip_while(|fact| !fact.starts_with("line")).collect();
    let expected = [
        "line stu_a in cls_a on pp_u: 12996 = tuition 11900 tax 2380 discount -500 by dsc_c discount -570 by pp_u discount-tax -214",
        "line stu_a in cls_a on pp_u: off -500 and tax -100",
        "line stu_a in cls_a on pp_u: off -570 and tax -114",
        "line stu_a in cls_a on pp_u: 2026-09-07 12996 = tuition 11900 tax 2380 discount -500 by dsc_c discount -570 by pp_u discount-tax -214",
        "line stu_a in cls_b on pp_u: 14192 = tuition 12950 tax 2590 discount -500 by dsc_c discount -623 by pp_u discount-tax -225",
        "line stu_a in cls_b on pp_u: off -500 and tax -100",
        "line stu_a in cls_b on pp_u: off -623 and tax -125",
        "line stu_a in cls_b on pp_u: 2026-09-07 14192 = tuition 12950 tax 2590 discount -500 by dsc_c discount -623 by pp_u discount-tax -225",
        "line stu_b in cls_a on pp_m: 12852 = tuition 11900 tax 2380 discount -1190 by dsc_s discount-tax -238",
        "line stu_b in cls_a on pp_m: off -1190 and tax -238",
        // 595 of tax, -297.5 and -59.5: the first two take the odd units, and tuition what is missing.
        "line stu_b in cls_a on pp_m: 2026-09-07 3213 = tuition 2976 tax 595 discount -298 by dsc_s discount-tax -60",
        "line stu_b in cls_a on pp_m: 2026-10-07 3213 = tuition 2976 tax 595 discount -298 by dsc_s discount-tax -60",
        "line stu_b in cls_a on pp_m: 2026-11-07 3213 = tuition 2974 tax 595 discount -297 by dsc_s discount-tax -59",
        "line stu_b in cls_a on pp_m: 2026-12-07 3213 = tuition 2974 tax 595 discount -297 by dsc_s discount-tax -59",
        "registration reg_1 of stu_a for 2026-01-01 in sea_1: 1500 = registration-fee 1500 tax 300",
        "registration reg_1 of stu_b for 2026-01-01 in sea_1: 1000 = registration-fee 1000 tax 200",
        "additional fee_1 of stu_a for sea_1 in sea_1: 1000 = additional-fee 1000",
        "additional fee_1 of stu_b for sea_1 in sea_1: 1000 = additional-fee 1000",
        "trial stu_b in cls_b, sea_1: trial 500 tax 100",
        "payment 36001 + 1044 = 37045, collected",
        "debit 33001 = tuition 11900 tax 2380 discount -500 discount -570 discount-tax -214 \
         tuition 12950 tax 2590 discount -500 discount -623 discount-tax -225 \
         tuition 2976 tax 595 discount -298 discount-tax -60 \
         additional-fee 1000 additional-fee 1000 trial 500 tax 100",
        "debit 3000 = registration-fee 1500 tax 300 registration-fee 1000 tax 200",
        "credit 36001 = payment-auto 37045 fee-company -1044",
    ];
    assert_eq!(facts, expected);
    let tally = Tally::default();
    compare(
        &Scenario {
            studio,
            enrolments: basket.enrolments().into(),
            trials: basket.trials().into(),
            now: morning(TODAY),
        },
        &tally,
    )
    .unwrap();
}
