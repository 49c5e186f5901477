//! Random seasons with their plans and fees.

use classpay_domain::calendar::YearDay;
use classpay_domain::catalogue::{
    AdditionalFee, PlanKind, PricingModel, PricingPlan, PricingScheme, QuantityPrices, RegistrationFee,
    RegistrationStatus, Repetition, Season,
};
use classpay_domain::money::Percent;
use jiff::ToSpan;
use jiff::civil::Date;
use proptest::prelude::*;

use super::super::studio::{id, money};
use super::{Prices, rate, tax_rate};

/// One or two seasons around a day. The second may have the first's registration fee.
pub fn seasons(around: Date, prices: &Prices) -> impl Strategy<Value = Vec<Season>> + use<> {
    let two =
        (season("sea_a", around, prices), season("sea_b", around, prices), prop::bool::weighted(0.65), any::<bool>());
    two.prop_map(|(first, mut second, both, shared)| {
        if shared {
            second.registration_fee.clone_from(&first.registration_fee);
        }
        if both { vec![first, second] } else { vec![first] }
    })
}

fn season(name: &'static str, around: Date, prices: &Prices) -> impl Strategy<Value = Season> + use<> {
    let plans = prop::collection::vec(plan(), 1..4);
    let fees =
        (prop::option::weighted(0.7, registration_fee(prices)), prop::collection::vec(additional_fee(prices), 0..3));
    (0..100_i64, 20..220_i64, model(), scheme(prices), plans, fees).prop_map(
        move |(first, length, pricing_model, pricing_scheme, mut plans, (registration_fee, additional_fees))| {
            let starts_on = around + first.days();
            name_plans(name, starts_on, &mut plans);
            let named = |(index, fee)| AdditionalFee { id: id(&format!("fee_{index}_{name}")), ..fee };
            Season {
                id: id(name),
                name: name.into(),
                starts_on,
                ends_on: starts_on + length.days(),
                archived: false,
                registration: RegistrationStatus::Closed,
                pricing_model,
                pricing_scheme,
                plans: plans.into_iter().map(|(plan, _, _)| plan).collect(),
                registration_fee: registration_fee.map(|fee| RegistrationFee { id: id(&format!("reg_{name}")), ..fee }),
                additional_fees: additional_fees.into_iter().enumerate().map(named).collect(),
            }
        },
    )
}

fn model() -> impl Strategy<Value = PricingModel> {
    prop_oneof![Just(PricingModel::PerLesson), Just(PricingModel::PerMonth), Just(PricingModel::PerSeason)]
}

fn scheme(prices: &Prices) -> impl Strategy<Value = PricingScheme> + use<> {
    // Mostly, more classes cost more. Nothing says that they must.
    let prices =
        (prop::collection::vec(prices.clone(), 1..5), prop::bool::weighted(0.8)).prop_map(|(mut prices, rising)| {
            if rising {
                prices.sort_unstable();
            }
            PricingScheme::ClassQuantity(QuantityPrices::new(prices.into_iter().map(money).collect()))
        });
    prop_oneof![Just(PricingScheme::ClassPrice), prices]
}

/// A plan, the days from the season's first to its own first, and those to the dates that are given.
type Planned = (PricingPlan, i64, Vec<i64>);

/// A plan before it is known which season it is for.
fn plan() -> impl Strategy<Value = Planned> {
    let days = prop::collection::btree_set(-40..200_i64, 1..7);
    let given = prop::option::weighted(0.3, Just(days).prop_flat_map(|days| days));
    let discount =
        prop_oneof![1 => Just(Percent::ZERO), 2 => rate(), 2 => (0..=20_000_i64).prop_map(Percent::thousandths)];
    let day = prop::option::of(prop_oneof![1 => 28..=31_i8, 2 => 1..=28_i8]);
    (prop::bool::weighted(0.7), -45..60_i64, 1..14_u16, day, given, discount, prop::bool::weighted(0.8)).prop_map(
        |(monthly, first, instalments, payment_day, given, discount, enabled)| {
            // They may be in any order.
            let given: Vec<_> = given.filter(|_| monthly).into_iter().flatten().rev().collect();
            let plan = PricingPlan {
                id: id("pp"),
                kind: if monthly { PlanKind::Monthly } else { PlanKind::OneOff },
                first_payment_on: Date::ZERO,
                instalments: if given.is_empty() { instalments } else { given.len().try_into().unwrap() },
                payment_day,
                dates: vec![],
                discount,
                enabled,
            };
            (plan, first, given)
        },
    )
}

/// Puts plans into a season. One of them can be chosen at least.
fn name_plans(season: &str, starts_on: Date, plans: &mut [Planned]) {
    for (index, (plan, first, given)) in plans.iter_mut().enumerate() {
        plan.id = id(&format!("pp_{index}_{season}"));
        plan.first_payment_on = starts_on + first.days();
        plan.dates = given.iter().map(|day| starts_on + day.days()).collect();
    }
    if plans.iter().all(|(plan, _, _)| !plan.enabled) {
        plans[0].0.enabled = true;
    }
}

/// A plan of a season that starts on a day.
pub fn plan_from(starts_on: Date) -> impl Strategy<Value = PricingPlan> {
    plan().prop_map(move |plan| {
        let mut plans = [plan];
        name_plans("sea_a", starts_on, &mut plans);
        let [(plan, _, _)] = plans;
        plan
    })
}

fn registration_fee(prices: &Prices) -> BoxedStrategy<RegistrationFee> {
    let repetition = prop::sample::select(vec![Repetition::OneOff, Repetition::Annual, Repetition::PerSeason]);
    let begins = prop_oneof![1 => Just((1, 1)), 1 => Just((2, 29)), 2 => (1..=12_i8, 1..=28_i8)];
    (prices.clone(), prop::option::of(prices.clone()), repetition, begins, any::<bool>(), tax_rate())
        .prop_map(|(amount, cap, repetition, (month, day), pro_rated, tax_rate)| RegistrationFee {
            id: id("reg"),
            name: "Registration".into(),
            amount: money(amount),
            family_cap: cap.map(money),
            repetition,
            year_begins: YearDay::new(month, day).unwrap(),
            pro_rated,
            tax_rate,
        })
        .boxed()
}

fn additional_fee(prices: &Prices) -> impl Strategy<Value = AdditionalFee> + use<> {
    (prices.clone(), prop::option::of(prices.clone()), any::<bool>(), tax_rate()).prop_map(
        |(amount, cap, pro_rated, tax_rate)| AdditionalFee {
            id: id("fee"),
            description: "Costume".into(),
            amount: money(amount),
            family_cap: cap.map(money),
            tax_rate,
            pro_rated,
        },
    )
}
