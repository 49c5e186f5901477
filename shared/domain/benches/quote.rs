//! How long the pure quote takes: 1, 5, 25, 50 and 500 lines on a price list with everything in it.
//!
//! A basket has at most 25 items, so the larger ones are priced without the check of the basket's size. All tuition is
//! quoted on both plans, as an answer shows it.
#![expect(clippy::unwrap_used, reason = "a benchmark that can't be set up has failed")]

use std::collections::BTreeMap;
use std::hint::black_box;

use classpay_domain::basket::{Basket, EnrolmentItem};
use classpay_domain::catalogue::{
    AdditionalFee, AgeCutOff, Application, Class, ClassOnSale, Company, Currency, DiscountKind, DiscountScheme, Family,
    Off, PlanKind, PricingModel, PricingPlan, PricingScheme, RegistrationFee, RegistrationStatus, Repetition, Season,
    Seats, Student, Studio, TaxMode, TaxRate, TrialPolicy,
};
use classpay_domain::money::{Money, Percent};
use classpay_domain::pricing::{Buyer, price, quote, resolve};
use classpay_domain::surcharge::Country;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jiff::civil::{DateTime, Weekday, date, time};

const NOW: DateTime = date(2026, 9, 7).at(8, 0, 0, 0);

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn plan(name: &str, kind: PlanKind, instalments: u16, discount: &str) -> PricingPlan {
    PricingPlan {
        id: id(name),
        kind,
        first_payment_on: date(2026, 9, 7),
        instalments,
        payment_day: None,
        dates: vec![],
        discount: Percent::parse(discount).unwrap(),
        enabled: true,
    }
}

fn season() -> Season {
    Season {
        id: id("sea_1"),
        name: "Autumn".into(),
        starts_on: date(2026, 9, 7),
        ends_on: date(2026, 12, 18),
        archived: false,
        registration: RegistrationStatus::Open,
        pricing_model: PricingModel::PerLesson,
        pricing_scheme: PricingScheme::ClassPrice,
        plans: vec![plan("pp_u", PlanKind::OneOff, 1, "5"), plan("pp_m", PlanKind::Monthly, 4, "0")],
        registration_fee: Some(RegistrationFee {
            id: id("reg_1"),
            name: "Registration".into(),
            amount: Money::minor(1500),
            family_cap: Some(Money::minor(2500)),
            repetition: Repetition::Annual,
            year_begins: classpay_domain::calendar::YearDay::NEW_YEAR,
            pro_rated: false,
            tax_rate: Some(id("tax_1")),
        }),
        additional_fees: vec![AdditionalFee {
            id: id("mkpl_1"),
            description: "Costume".into(),
            amount: Money::minor(1000),
            family_cap: None,
            tax_rate: None,
            pro_rated: true,
        }],
    }
}

fn class(name: &str) -> ClassOnSale {
    let class = Class {
        id: id(name),
        season: id("sea_1"),
        name: format!("Ballet {name}"),
        price: Money::minor(850),
        weekday: Weekday::Monday,
        starts_at: time(16, 30, 0, 0),
        first_lesson_on: date(2026, 9, 7),
        last_lesson_on: date(2026, 12, 14),
        tax_rate: Some(id("tax_1")),
        discountable: true,
        portal_enrolment: true,
        takes_trials: true,
        min_age_months: None,
        max_age_months: None,
        archived: false,
    };
    ClassOnSale { class, seats: Seats { left: None, price_version: 1 }, trials_booked: BTreeMap::new() }
}

fn scheme(application: Application, off: Off) -> DiscountScheme {
    DiscountScheme { id: id("dsc_1"), name: "Siblings".into(), application, tiers: [(2, off)].into() }
}

/// A studio, and a basket of so many lines: five classes for each student.
fn studio(lines: usize) -> (Studio, Basket) {
    let student = |n: usize| Student {
        id: id(&format!("stu_{n:03}")),
        name: format!("Student {n}"),
        discountable: true,
        born_on: None,
        archived: false,
    };
    let ten_percent = Off::Percent(Percent::thousandths(10_000));
    let studio = Studio {
        company: Company {
            id: id("co_1"),
            country: Country::parse("US"),
            stripe_account: None,
            currency: Currency::parse("gbp").unwrap(),
            timezone: "Europe/London".into(),
            tax: Some(TaxMode::Exclusive),
            processing_fee: Some(Percent::thousandths(2_900)),
            trials: TrialPolicy { price: Money::minor(500), enabled_on_portal: true, places_per_lesson: None },
            age_cut_off: AgeCutOff::FirstDayOfSeason,
        },
        tax_rates: [(id("tax_1"), TaxRate::new(id("tax_1"), Percent::thousandths(20_000), "VAT"))].into(),
        discount_schemes: [
            (DiscountKind::StudentsOfFamily, scheme(Application::IndividualItem, ten_percent)),
            (DiscountKind::ClassesOfStudent, scheme(Application::TotalTuition, Off::Fixed(Money::minor(500)))),
        ]
        .into(),
        holidays: vec![],
        seasons: [(id("sea_1"), season())].into(),
        classes: (0..5).map(|n| format!("cls_{n}")).map(|name| (id(&name), class(&name))).collect(),
        family: Family {
            id: id("fml_1"),
            name: "Lovelace".into(),
            archived: false,
            students: (0..lines.div_ceil(5)).map(student).map(|student| (student.id.clone(), student)).collect(),
            enrolments: vec![],
            trials: vec![],
            charged_fees: vec![],
        },
    };
    let item = |n: usize| EnrolmentItem {
        student: id(&format!("stu_{:03}", n / 5)),
        class: id(&format!("cls_{}", n % 5)),
        plan: Some(id(if n.is_multiple_of(2) { "pp_u" } else { "pp_m" })),
    };
    (studio, Basket::new((0..lines).map(item).collect(), vec![]))
}

fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("quote");
    for lines in [1, 5, 25] {
        let (studio, basket) = studio(lines);
        group.throughput(Throughput::Elements(u64::try_from(lines).unwrap()));
        group.bench_function(BenchmarkId::from_parameter(lines), |bencher| {
            bencher.iter(|| quote(black_box(&studio), black_box(&basket), NOW, Buyer::Family).unwrap());
        });
    }
    group.finish();
}

fn priced(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("price");
    for lines in [1, 5, 25, 50, 500] {
        let (studio, basket) = studio(lines);
        group.throughput(Throughput::Elements(u64::try_from(lines).unwrap()));
        group.bench_function(BenchmarkId::from_parameter(lines), |bencher| {
            bencher.iter(|| {
                let items = resolve(black_box(&studio), black_box(&basket), NOW).unwrap();
                price(&studio, &items, NOW.date()).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, whole, priced);
criterion_main!(benches);
