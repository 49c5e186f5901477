//! What holds of every quote, whatever the studio and the basket are. `PROPTEST_CASES` sets how many are tried.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "the laws are told in plain arithmetic, and a studio that can't be built has failed"
)]

mod random;
mod studio;

use std::collections::BTreeMap;

use classpay_domain::basket::Basket;
use classpay_domain::calendar;
use classpay_domain::catalogue::{PricingPlan, Studio};
use classpay_domain::id::FeeId;
use classpay_domain::ledger::{Direction, Entry, Totals};
use classpay_domain::money::Money;
use classpay_domain::pricing::{BrokenRule, Line, Quote, postings};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use random::{Scenario, scenario};
use studio::{TODAY, booked, class, names};

/// What is quoted. Nothing, if a class has ended; that this is the exception, `oracle_agrees.rs` sees to.
fn quoted(scenario: &Scenario) -> Option<Quote> {
    match scenario.asked() {
        Ok(quote) => Some(quote),
        Err(refusal) => {
            assert_eq!(refusal.rule, BrokenRule::ClassEnded);
            None
        }
    }
}

/// A scenario that is quoted, and its quote.
fn sale() -> impl Strategy<Value = (Scenario, Quote)> {
    scenario().prop_filter_map("a class has ended", |scenario| quoted(&scenario).map(|quote| (scenario, quote)))
}

/// The lines on their own plans and on every other plan of their season.
fn all_lines(quote: &Quote) -> impl Iterator<Item = &Line> {
    quote.lines.iter().chain(quote.seasons.iter().flat_map(|season| &season.plans).flat_map(|plan| &plan.lines))
}

fn add_up(amounts: impl IntoIterator<Item = Money>) -> i64 {
    amounts.into_iter().map(Money::units).sum()
}

fn is_consistent(totals: &Totals) -> bool {
    totals.total.units() == totals.subtotal.units() + totals.discount_total.units() + totals.tax_total.units()
}

/// The families' caps by fee.
fn caps(studio: &Studio) -> BTreeMap<&FeeId, Money> {
    let registration = studio.seasons.values().flat_map(|season| &season.registration_fee);
    let registration = registration.filter_map(|fee| Some((&fee.id, fee.family_cap?)));
    let additional = studio.seasons.values().flat_map(|season| &season.additional_fees);
    registration.chain(additional.filter_map(|fee| Some((&fee.id, fee.family_cap?)))).collect()
}

proptest! {
    // However many cases are wanted, those whose classes have ended are not among them.
    #![proptest_config(ProptestConfig { max_local_rejects: u32::MAX, ..ProptestConfig::default() })]

    #[test]
    fn details_sum_to_the_total_which_is_never_below_zero((_, quote) in sale()) {
        for line in all_lines(&quote) {
            prop_assert_eq!(add_up(line.details.iter().map(|d| d.amount)), line.totals.total.units());
            prop_assert!(line.details.iter().all(|detail| !detail.amount.is_zero()));
            prop_assert!(is_consistent(&line.totals));
            prop_assert!(line.totals.total >= Money::ZERO && line.totals.discount_total <= Money::ZERO);
        }
        let fees = quote.fees().map(|fee| (&fee.details, &fee.totals));
        for (details, totals) in fees.chain(quote.trials.iter().map(|trial| (&trial.details, &trial.totals))) {
            prop_assert_eq!(add_up(details.iter().map(|d| d.amount)), totals.total.units());
            prop_assert!(is_consistent(totals) && totals.total >= Money::ZERO && totals.discount_total.is_zero());
        }
    }

    #[test]
    fn the_tax_of_a_line_is_never_below_zero_and_never_more_than_an_inclusive_total((_, quote) in sale()) {
        for line in all_lines(&quote) {
            prop_assert!(line.totals.tax_total >= Money::ZERO);
            prop_assert!(line.totals.tax_total <= line.totals.total);
            let shown = line.discounts.iter().map(|discount| discount.tax_amount);
            let kept = add_up(line.details.iter().filter(|d| d.kind.as_str() == "tax").map(|d| d.amount));
            prop_assert_eq!(kept + add_up(shown), line.totals.tax_total.units(), "the discounts' taxes are the discount-tax");
        }
        for totals in quote.fees().map(|fee| &fee.totals).chain(quote.trials.iter().map(|trial| &trial.totals)) {
            prop_assert!(Money::ZERO <= totals.tax_total && totals.tax_total <= totals.total);
        }
    }

    #[test]
    fn a_line_s_instalments_sum_to_its_total_and_differ_by_one_at_most((scenario, quote) in sale()) {
        for line in all_lines(&quote) {
            let amounts: Vec<_> = line.instalments.iter().map(|instalment| instalment.amount).collect();
            prop_assert_eq!(add_up(amounts.clone()), line.totals.total.units());
            if let (Some(first), Some(last)) = (amounts.first(), amounts.last()) {
                prop_assert!(first.units() - last.units() <= 1);
            }
            for instalment in &line.instalments {
                prop_assert!(instalment.amount >= Money::ZERO);
                prop_assert!(instalment.on >= scenario.now.date(), "nothing is due in the past");
                prop_assert_eq!(add_up(instalment.details.iter().map(|d| d.amount)), instalment.amount.units());
            }
            prop_assert!(line.instalments.is_sorted_by(|one, next| one.on < next.on && one.amount >= next.amount));
            for detail in &line.details {
                let of_kind = |part: &&classpay_domain::pricing::LineDetail| (part.kind, &part.giver) == (detail.kind, &detail.giver);
                let parts = line.instalments.iter().flat_map(|i| &i.details).filter(of_kind);
                prop_assert_eq!(add_up(parts.map(|part| part.amount)), detail.amount.units(), "{:?}", detail.kind);
            }
        }
    }

    #[test]
    fn a_plan_s_quote_is_the_sum_of_its_lines((scenario, quote) in sale()) {
        for plan in quote.seasons.iter().flat_map(|season| &season.plans) {
            prop_assert!(is_consistent(&plan.totals));
            prop_assert_eq!(add_up(plan.lines.iter().map(|line| line.totals.total)), plan.totals.total.units());
            prop_assert_eq!(add_up(plan.instalments.values().copied()), plan.totals.total.units());
            prop_assert_eq!(add_up(plan.taxes.values().copied()), plan.totals.tax_total.units());
            prop_assert!(plan.instalments.values().all(|amount| !amount.is_zero()));
            prop_assert_eq!(plan.due_now, plan.instalments.get(&scenario.now.date()).copied().unwrap_or_default());
        }
    }

    #[test]
    fn a_family_pays_no_fee_above_its_cap_and_no_student_pays_one_twice((scenario, quote) in sale()) {
        let caps = caps(&scenario.studio);
        let charged = &scenario.studio.family.charged_fees;
        for fee in quote.fees() {
            let same = |other: &&classpay_domain::pricing::FeeLine| (&other.fee, &other.period) == (&fee.fee, &fee.period);
            let now: Vec<_> = quote.fees().filter(same).collect();
            let before: Vec<_> = charged.iter().filter(|old| (&old.fee, &old.period) == (&fee.fee, &fee.period)).collect();
            if let Some(cap) = caps.get(&fee.fee) {
                let sum = add_up(now.iter().map(|fee| fee.amount)) + add_up(before.iter().map(|old| old.amount));
                prop_assert!(sum <= cap.units(), "{sum} of {} for {}, at most {cap}", fee.fee, fee.period);
            }
            prop_assert!(fee.amount > Money::ZERO);
            prop_assert!(before.iter().all(|old| old.student != fee.student));
            prop_assert_eq!(now.iter().filter(|other| other.student == fee.student).count(), 1);
        }
    }

    #[test]
    fn permuting_the_basket_changes_nothing((scenario, quote, enrolments, trials) in sale().prop_flat_map(|(scenario, quote)| {
        let (enrolments, trials) = (scenario.enrolments.clone(), scenario.trials.clone());
        (Just(scenario), Just(quote), Just(enrolments).prop_shuffle(), Just(trials).prop_shuffle())
    })) {
        let (basket, permuted) = (scenario.basket(), Basket::new(enrolments.clone(), trials.clone()));
        let (company, family) = (&scenario.studio.company.id, &scenario.studio.family.id);
        prop_assert_eq!(basket.hash(company, family), permuted.hash(company, family));
        let other = quoted(&Scenario { enrolments, trials, ..scenario.clone() }).unwrap();
        let written = |quote| postings(&booked(quote), &names(&scenario.studio), quote.payment);
        prop_assert_eq!(written(&quote), written(&other));
        prop_assert_eq!(quote, other);
    }

    #[test]
    fn choosing_another_plan_changes_no_season((scenario, quote) in sale(), chosen in any::<bool>()) {
        let mut other = scenario.clone();
        for item in &mut other.enrolments {
            let season = &scenario.studio.seasons[&scenario.studio.classes[&item.class].class.season];
            item.plan = season.enabled_plans().last().filter(|_| chosen).map(|plan| plan.id.clone());
        }
        let other = quoted(&other).unwrap();
        let sums = |quote: &Quote| {
            let plans = quote.seasons.iter().flat_map(|season| season.plans.clone());
            plans.map(|plan| (plan.plan, plan.totals, plan.taxes, plan.due_now, plan.instalments)).collect::<Vec<_>>()
        };
        prop_assert_eq!(sums(&quote), sums(&other));
        prop_assert_eq!(&quote.trials, &other.trials);
        let charged = |quote: &Quote| {
            let lines = quote.lines.iter().map(|line| (line.plan.clone(), line.instalments.clone()));
            (lines.collect::<Vec<_>>(), quote.payment)
        };
        prop_assert_eq!(quote.hash == other.hash, charged(&quote) == charged(&other));
        prop_assert_eq!(quote.registration_fees, other.registration_fees);
        prop_assert_eq!(quote.additional_fees, other.additional_fees);
    }

    #[test]
    fn the_debits_sum_to_the_subtotal_and_so_does_the_credit((scenario, quote) in sale()) {
        let Some(payment) = quote.payment else { return Ok(()) };
        prop_assert_eq!(payment.total.units(), payment.subtotal.units() + payment.processing_fee.units());
        let entries = postings(&booked(&quote), &names(&scenario.studio), Some(payment)).unwrap();
        let (debits, credits): (Vec<_>, Vec<_>) = entries.iter().partition(|e| e.direction == Direction::Debit);
        let total = |entry: &&Entry| entry.totals().unwrap().total;
        prop_assert_eq!(add_up(debits.iter().map(total)), payment.subtotal.units());
        prop_assert_eq!(credits.iter().map(total).collect::<Vec<_>>(), [payment.subtotal]);
        prop_assert_eq!(add_up(entries.iter().map(|entry| entry.balance_change().unwrap())), 0);
        prop_assert!(debits.iter().all(|debit| !debit.details.is_empty()));
        let debited = debits.iter().map(|debit| debit.totals().unwrap());
        prop_assert!(debited.into_iter().all(|totals| is_consistent(&totals)));
    }

    #[test]
    fn lessons_and_dates_are_found_at_either_end_of_the_calendar(
        far in prop_oneof![Just(Date::MIN), Just(Date::MAX), Just(date(9999, 12, 1)), Just(date(-9999, 2, 1))],
        plan in random::seasons::plan_from(TODAY),
    ) {
        let plan = PricingPlan { first_payment_on: far, ..plan };
        let dates = calendar::payment_dates(&plan, TODAY);
        prop_assert!(dates.iter().all(|date| *date >= TODAY));
        let mut studio = studio::studio();
        let class = class(&mut studio, "cls_a");
        (class.first_lesson_on, class.last_lesson_on) = (far, far);
        let class = class.clone();
        let season = studio::season(&mut studio);
        (season.starts_on, season.ends_on) = (far, far);
        prop_assert!(calendar::lessons(&class, season, &[]).len() <= 1);
    }
}
