//! What holds of every quote, whatever the studio and the basket are. `PROPTEST_CASES` sets how many are tried.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "the laws are told in plain arithmetic, and a studio that can't be built has failed"
)]

mod studio;

use classpay_domain::basket::{Basket, EnrolmentItem, TrialItem};
use classpay_domain::calendar;
use classpay_domain::catalogue::{PlanKind, PricingModel, PricingPlan, Studio, TaxMode, TaxRate};
use classpay_domain::ledger::{Direction, Totals};
use classpay_domain::money::{Money, Percent, round_div};
use classpay_domain::pricing::{BrokenRule, Line, Quote, postings};
use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};
use proptest::prelude::*;
use studio::{
    TODAY, add_class, add_season, asked, booked, class, id, money, names, on_sale, one_off, place, priced_on, student,
    trial,
};

const STUDENTS: [&str; 3] = ["stu_a", "stu_b", "stu_c"];
const CLASSES: [&str; 3] = ["cls_a", "cls_b", "cls_c"];
const SEASONS: [&str; 2] = ["sea_0", "sea_1"];

/// A studio, what a family wants from it, and the day on which it asks.
#[derive(Debug, Clone)]
struct Story {
    studio: Studio,
    enrolments: Vec<EnrolmentItem>,
    trials: Vec<TrialItem>,
    day: Date,
}

impl Story {
    fn basket(&self) -> Basket {
        Basket::new(self.enrolments.clone(), self.trials.clone())
    }

    fn quote(&self) -> Quote {
        priced_on(&self.studio, &self.basket(), self.day)
    }
}

/// 0 to 100 %, the ends and the whole percents more often than chance would have them.
fn rate() -> impl Strategy<Value = Percent> {
    let whole = (0..=100_i64).prop_map(|percent| percent * 1_000);
    prop_oneof![whole, 0..=100_000_i64, Just(0), Just(100_000)].prop_map(Percent::thousandths)
}

/// A plan as an import lets it in.
fn plan(name: &'static str) -> impl Strategy<Value = PricingPlan> {
    let dates = prop::collection::btree_set(0..150_i64, 1..6);
    let given = (dates, any::<bool>()).prop_map(|(days, given)| if given { days } else { Default::default() });
    (any::<bool>(), -40..90_i64, 1..14_u16, prop::option::of(1..=31_i8), given, rate()).prop_map(
        move |(monthly, first, instalments, payment_day, given, discount)| {
            let dates: Vec<_> = given.iter().map(|day| TODAY + day.days()).collect();
            PricingPlan {
                kind: if monthly { PlanKind::Monthly } else { PlanKind::OneOff },
                first_payment_on: TODAY + first.days(),
                instalments: if dates.is_empty() { instalments } else { dates.len().try_into().unwrap() },
                payment_day,
                dates,
                discount,
                ..one_off(name)
            }
        },
    )
}

fn model() -> impl Strategy<Value = PricingModel> {
    prop_oneof![Just(PricingModel::PerLesson), Just(PricingModel::PerMonth), Just(PricingModel::PerSeason)]
}

fn tax_mode() -> impl Strategy<Value = Option<TaxMode>> {
    prop_oneof![Just(None), Just(Some(TaxMode::Exclusive)), Just(Some(TaxMode::Inclusive))]
}

/// Two seasons with two plans each, three classes in them at prices from `price`, a fee and a trial's price.
fn studio_at(price: impl Strategy<Value = i64> + Clone) -> impl Strategy<Value = Studio> {
    let season = || (model(), plan("pp_u"), plan("pp_m"));
    let prices = (prop::array::uniform3(price.clone()), price);
    let taxes = (tax_mode(), rate(), prop::array::uniform3(any::<bool>()));
    (season(), season(), prices, taxes, prop::option::of(rate())).prop_map(
        |(first, second, (prices, trial_price), (mode, rate, taxed), fee)| {
            let mut studio = studio::studio();
            for (season, (model, plan_u, plan_m)) in SEASONS.into_iter().zip([first, second]) {
                let season = add_season(&mut studio, season, season);
                (season.pricing_model, season.plans) = (model, vec![plan_u, plan_m]);
            }
            add_class(&mut studio, "cls_c", "Jazz", "sea_0", Weekday::Friday);
            studio.family.students.insert(id("stu_c"), student("stu_c", "Cleo"));
            studio.tax_rates.insert(id("tax_1"), TaxRate { id: id("tax_1"), rate, label: "VAT".into() });
            for ((name, price), taxed) in CLASSES.into_iter().zip(prices).zip(taxed) {
                let class = class(&mut studio, name);
                (class.price, class.tax_rate) = (money(price), taxed.then(|| id("tax_1")));
            }
            (studio.company.tax, studio.company.processing_fee) = (mode, fee);
            studio.company.trials.price = money(trial_price);
            studio
        },
    )
}

/// What one student may want of one class.
#[derive(Debug, Clone, Copy)]
enum Wish {
    Nothing,
    Place(&'static str),
    Trial(usize),
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        2 => Just(Wish::Nothing),
        2 => Just(Wish::Place("pp_u")),
        2 => Just(Wish::Place("pp_m")),
        1 => (0..20_usize).prop_map(Wish::Trial),
    ]
}

/// A basket of up to nine items, in any order, on a day before or in the season.
fn story_at(price: impl Strategy<Value = i64> + Clone) -> impl Strategy<Value = Story> {
    let wishes = prop::array::uniform9(wish()).prop_map(|wishes| {
        let pairs = STUDENTS.into_iter().flat_map(|student| CLASSES.map(|class| (student, class)));
        pairs.zip(wishes).filter(|(_, wish)| !matches!(wish, Wish::Nothing)).collect::<Vec<_>>()
    });
    let wishes = wishes.prop_filter("an empty basket", |wishes| !wishes.is_empty()).prop_shuffle();
    (studio_at(price), wishes, -10..95_i64).prop_map(|(mut studio, wishes, day)| {
        let day = TODAY + day.days();
        let (mut enrolments, mut trials) = (vec![], vec![]);
        for ((student, class), wish) in wishes {
            match wish {
                Wish::Nothing => {}
                Wish::Place(plan) => enrolments.push(place(student, class, plan)),
                Wish::Trial(nth) => {
                    let left = lessons_left(&mut studio, class, day);
                    trials.push(trial(student, class, left[nth % left.len()]));
                }
            }
        }
        Story { studio, enrolments, trials, day }
    })
}

/// A story with prices as they are.
fn story() -> impl Strategy<Value = Story> {
    story_at(prop_oneof![0..1_000_000_i64, 0..20_i64])
}

fn lessons_left(studio: &mut Studio, name: &str, day: Date) -> Vec<Date> {
    let class = on_sale(studio, name).class.clone();
    let lessons = calendar::lessons(&class, &studio.seasons[&class.season], &studio.holidays);
    calendar::lessons_left(&lessons, &class, studio::morning(day))
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

proptest! {
    #[test]
    fn a_line_s_details_sum_to_its_total_and_its_total_is_base_less_discount_and_tax(story in story()) {
        let mut story = story;
        let quote = story.quote();
        for line in all_lines(&quote) {
            prop_assert_eq!(add_up(line.details.iter().map(|d| d.amount)), line.totals.total.units());
            prop_assert!(line.details.iter().all(|detail| !detail.amount.is_zero()));
            prop_assert!(is_consistent(&line.totals));
            prop_assert!(line.totals.total >= Money::ZERO && line.totals.discount_total <= Money::ZERO);
            // The same again, in other words than the code's.
            let left = lessons_left(&mut story.studio, line.item.class.as_str(), story.day);
            let season = &story.studio.seasons[&line.season];
            let class = &story.studio.classes[&line.item.class].class;
            let units = match season.pricing_model {
                PricingModel::PerLesson => left.len(),
                PricingModel::PerMonth => left.iter().map(|d| d.first_of_month()).collect::<std::collections::BTreeSet<_>>().len(),
                PricingModel::PerSeason => 1,
            };
            let base = i128::from(class.price.units()) * i128::try_from(units).unwrap();
            let off = i128::from(season.enabled_plan(&line.plan).unwrap().discount.in_thousandths());
            let left = base - i128::from(round_div(base * off, 100_000).unwrap().units());
            let rate = i128::from(story.studio.tax_rates[&id("tax_1")].rate.in_thousandths());
            let on_top = match story.studio.company.tax {
                Some(TaxMode::Exclusive) if class.tax_rate.is_some() => round_div(left * rate, 100_000).unwrap().units(),
                Some(_) | None => 0,
            };
            prop_assert_eq!(i128::from(line.totals.total.units()), left + i128::from(on_top));
        }
        for trial in &quote.trials {
            prop_assert_eq!(add_up(trial.details.iter().map(|d| d.amount)), trial.totals.total.units());
            prop_assert!(is_consistent(&trial.totals) && trial.totals.total >= Money::ZERO);
        }
    }

    #[test]
    fn the_tax_of_a_line_is_never_below_zero_and_never_more_than_an_inclusive_total(story in story()) {
        for line in all_lines(&story.quote()) {
            prop_assert!(line.totals.tax_total >= Money::ZERO);
            prop_assert!(line.totals.tax_total <= line.totals.total);
            let shown = line.discounts.iter().map(|discount| discount.tax_amount);
            let kept = add_up(line.details.iter().filter(|d| d.kind.as_str() == "tax").map(|d| d.amount));
            prop_assert_eq!(kept + add_up(shown), line.totals.tax_total.units(), "the discounts' taxes are the discount-tax");
        }
    }

    #[test]
    fn a_line_s_instalments_sum_to_its_total_and_their_details_to_their_amounts(story in story()) {
        let quote = story.quote();
        for line in all_lines(&quote) {
            prop_assert_eq!(add_up(line.instalments.iter().map(|i| i.amount)), line.totals.total.units());
            for instalment in &line.instalments {
                prop_assert!(instalment.amount >= Money::ZERO);
                prop_assert!(instalment.on >= story.day, "nothing is due in the past");
                prop_assert_eq!(add_up(instalment.details.iter().map(|d| d.amount)), instalment.amount.units());
            }
            prop_assert!(line.instalments.is_sorted_by(|one, next| one.on < next.on && one.amount >= next.amount));
            for detail in &line.details {
                let parts = line.instalments.iter().flat_map(|i| &i.details).filter(|part| part.kind == detail.kind);
                prop_assert_eq!(add_up(parts.map(|part| part.amount)), detail.amount.units(), "{:?}", detail.kind);
            }
        }
    }

    #[test]
    fn a_plan_s_quote_is_the_sum_of_its_lines(story in story()) {
        let quote = story.quote();
        for plan in quote.seasons.iter().flat_map(|season| &season.plans) {
            prop_assert!(is_consistent(&plan.totals));
            prop_assert_eq!(add_up(plan.lines.iter().map(|line| line.totals.total)), plan.totals.total.units());
            prop_assert_eq!(add_up(plan.instalments.values().copied()), plan.totals.total.units());
            prop_assert_eq!(add_up(plan.taxes.values().copied()), plan.totals.tax_total.units());
            prop_assert!(plan.instalments.values().all(|amount| !amount.is_zero()));
            prop_assert_eq!(plan.due_now, plan.instalments.get(&story.day).copied().unwrap_or_default());
        }
    }

    #[test]
    fn permuting_the_basket_changes_nothing((story, enrolments, trials) in story().prop_flat_map(|story| {
        let (enrolments, trials) = (story.enrolments.clone(), story.trials.clone());
        (Just(story), Just(enrolments).prop_shuffle(), Just(trials).prop_shuffle())
    })) {
        let (basket, permuted) = (story.basket(), Basket::new(enrolments, trials));
        let (company, family) = (&story.studio.company.id, &story.studio.family.id);
        prop_assert_eq!(basket.hash(company, family), permuted.hash(company, family));
        let quote = story.quote();
        let other = priced_on(&story.studio, &permuted, story.day);
        let written = |quote| postings(&booked(quote), &names(&story.studio), quote.payment);
        prop_assert_eq!(written(&quote), written(&other));
        prop_assert_eq!(quote, other);
    }

    #[test]
    fn choosing_another_plan_changes_no_hash_and_no_season(story in story(), chosen in any::<bool>()) {
        let mut other = story.clone();
        for item in &mut other.enrolments {
            item.plan = chosen.then(|| id("pp_m"));
        }
        let same = |quote: Quote| (quote.hash, quote.trials.len(), quote.seasons.len());
        prop_assert_eq!(same(story.quote()), same(other.quote()));
    }

    #[test]
    fn the_debits_sum_to_the_subtotal_and_so_does_the_credit(story in story()) {
        let quote = story.quote();
        let payment = quote.payment.unwrap();
        prop_assert_eq!(payment.total.units(), payment.subtotal.units() + payment.processing_fee.units());
        let entries = postings(&booked(&quote), &names(&story.studio), Some(payment)).unwrap();
        let (debits, credits): (Vec<_>, Vec<_>) = entries.iter().partition(|e| e.direction == Direction::Debit);
        let total = |entry: &&_| classpay_domain::ledger::Entry::totals(entry).unwrap().total;
        prop_assert_eq!(add_up(debits.iter().map(total)), payment.subtotal.units());
        prop_assert_eq!(credits.iter().map(total).collect::<Vec<_>>(), [payment.subtotal]);
        prop_assert_eq!(add_up(entries.iter().map(|entry| entry.balance_change().unwrap())), 0);
        prop_assert!(debits.iter().all(|debit| !debit.details.is_empty()));
        prop_assert!(debits.is_sorted_by_key(|debit| &debit.description), "the seasons' names are their ids here");
        let debited = debits.iter().map(|debit| debit.totals().unwrap());
        prop_assert!(debited.into_iter().all(|totals| is_consistent(&totals)));
    }

    #[test]
    fn an_amount_beyond_64_bits_is_refused_and_never_a_panic(
        story in story_at(prop_oneof![0..=i64::MAX, Just(i64::MAX), i64::MAX / 40..i64::MAX / 10, 0..1_000_i64])
    ) {
        match asked(&story.studio, &story.basket(), story.day) {
            Err(refusal) => prop_assert_eq!(refusal.rule, BrokenRule::AmountTooLarge),
            Ok(quote) => {
                for line in all_lines(&quote) {
                    let exact: i128 = line.details.iter().map(|detail| i128::from(detail.amount.units())).sum();
                    prop_assert_eq!(exact, i128::from(line.totals.total.units()));
                }
                let payment = quote.payment.unwrap();
                let _ = payment.charge(story.studio.company.currency);
                let _ = postings(&booked(&quote), &names(&story.studio), Some(payment));
            }
        }
    }

    #[test]
    fn lessons_and_dates_are_found_at_either_end_of_the_calendar(
        far in prop_oneof![Just(Date::MIN), Just(Date::MAX), Just(date(9999, 12, 1)), Just(date(-9999, 2, 1))],
        plan in plan("pp_u"),
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
