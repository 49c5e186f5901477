//! Random studios, and what random families want from them on random days. All of it is as an import lets it in, and
//! almost all of it can be sold: classes that have ended are the exception.
#![allow(dead_code, reason = "every test file is a crate of its own and uses a part of this")]

pub mod bars;
mod family;
pub mod seasons;

use std::collections::BTreeMap;

use classpay_domain::basket::{Basket, EnrolmentItem, TrialItem};
use classpay_domain::calendar;
use classpay_domain::catalogue::{
    AgeCutOff, Application, Class, ClassOnSale, Company, Currency, DiscountKind, DiscountScheme, Holiday, Off, Season,
    Seats, Studio, TaxMode, TaxRate, TrialPolicy,
};
use classpay_domain::id::TaxRateId;
use classpay_domain::money::Percent;
use classpay_domain::pricing::{Buyer, Quote, Refusal, quote};
use classpay_domain::surcharge::Country;
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, date, time};
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;

use super::studio::{id, money};

/// A studio, what a family wants from it, and when it asks.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub studio: Studio,
    pub enrolments: Vec<EnrolmentItem>,
    pub trials: Vec<TrialItem>,
    pub now: DateTime,
}

impl Scenario {
    pub fn basket(&self) -> Basket {
        Basket::new(self.enrolments.clone(), self.trials.clone())
    }

    /// What staff are answered: no window of enrolment is closed to them.
    pub fn asked(&self) -> Result<Quote, Refusal> {
        self.asked_by(Buyer::Staff)
    }

    /// What this buyer is answered.
    pub fn asked_by(&self, buyer: Buyer) -> Result<Quote, Refusal> {
        quote(&self.studio, &self.basket(), self.now, buyer)
    }
}

/// Prices in minor units.
pub type Prices = BoxedStrategy<i64>;

/// Prices as studios have them, round ones so often that two are often the same, and a few units.
pub fn usual() -> Prices {
    prop_oneof![3 => (0..30_i64).prop_map(|n| n * 50), 3 => 0..3_000_i64, 1 => 0..12_i64, 1 => 0..1_000_000_i64].boxed()
}

/// Prices of which some are near the end of what 64 bits hold.
pub fn huge() -> Prices {
    let end = i64::MAX;
    prop_oneof![40 => 0..1_000_i64, 6 => end / 100_000..end / 1_000, 3 => end / 300..end / 3, 1 => 0..=end, 1 => Just(end)]
        .boxed()
}

/// 0 to 100 %, the rates of real taxes more often than chance would have them.
pub fn rate() -> impl Strategy<Value = Percent> {
    let known = prop::sample::select(vec![0, 5_000, 7_700, 10_000, 17_500, 20_000, 25_000, 33_333, 100_000_i64]);
    prop_oneof![2 => known, 1 => 0..=100_000_i64].prop_map(Percent::thousandths)
}

/// The rates that a studio has.
const TAX_RATES: [&str; 3] = ["tax_0", "tax_1", "tax_2"];

/// One of the studio's rates, or none.
fn tax_rate() -> impl Strategy<Value = Option<TaxRateId>> {
    prop_oneof![1 => Just(None), 5 => prop::sample::select(&TAX_RATES[..]).prop_map(|rate| Some(id(rate)))]
}

/// Times before, at and after those at which lessons begin.
fn time_of_day() -> impl Strategy<Value = Time> {
    let times = [(0, 0, 0), (8, 0, 0), (9, 0, 0), (16, 29, 59), (16, 30, 0), (16, 30, 1), (23, 59, 59)];
    prop::sample::select(times.map(|(hour, minute, second)| time(hour, minute, second, 0)).to_vec())
}

fn company(prices: &Prices) -> impl Strategy<Value = Company> + use<> {
    let tax = prop_oneof![1 => Just(None), 2 => Just(Some(TaxMode::Exclusive)), 2 => Just(Some(TaxMode::Inclusive))];
    let fee = prop::option::of((0..10_000_i64).prop_map(Percent::thousandths));
    let currency = prop::sample::select(vec!["gbp", "usd", "huf", "mxn", "jpy"]);
    // Where a fee is allowed, isn't any more, and where nobody knows; one law begins while the first seasons are sold.
    let country = prop::sample::select(vec!["US", "NZ", "CH", "US", "AU", "AU", "AU", "GB", "HR", "NO", ""]);
    (tax, fee, country, currency, prices.clone()).prop_map(|(tax, processing_fee, country, currency, trial)| Company {
        id: id("co_1"),
        country: Country::parse(country),
        stripe_account: None,
        currency: Currency::parse(currency).unwrap(),
        timezone: "Europe/London".into(),
        tax,
        processing_fee,
        trials: TrialPolicy { price: money(trial), enabled_on_portal: true, places_per_lesson: None },
        age_cut_off: AgeCutOff::FirstDayOfSeason,
    })
}

fn off(prices: &Prices) -> impl Strategy<Value = Off> + use<> {
    let percent = (0..=100_i64).prop_map(|whole| Off::Percent(Percent::thousandths(whole * 1_000)));
    prop_oneof![percent, prices.clone().prop_map(|amount| Off::Fixed(money(amount)))]
}

fn scheme(name: &'static str, prices: &Prices) -> impl Strategy<Value = Option<DiscountScheme>> + use<> {
    let tiers = prop::collection::btree_map(1..6_u32, off(prices), 1..4);
    let application = prop_oneof![Just(Application::TotalTuition), Just(Application::IndividualItem)];
    let scheme = (application, tiers).prop_map(move |(application, tiers)| DiscountScheme {
        id: id(name),
        name: name.into(),
        application,
        tiers,
    });
    prop::option::of(scheme)
}

fn schemes(prices: &Prices) -> impl Strategy<Value = BTreeMap<DiscountKind, DiscountScheme>> + use<> {
    // The ids are not in the order of application.
    let [first, second, third] = ["dsc_b", "dsc_c", "dsc_a"].map(|name| scheme(name, prices));
    (first, second, third).prop_map(|(students, classes, all)| {
        let kinds = [DiscountKind::StudentsOfFamily, DiscountKind::ClassesOfStudent, DiscountKind::ClassesOfFamily];
        kinds.into_iter().zip([students, classes, all]).filter_map(|(kind, scheme)| Some((kind, scheme?))).collect()
    })
}

fn holidays(around: Date) -> impl Strategy<Value = Vec<Holiday>> {
    let holiday = (-5..200_i64, 0..15_i64).prop_map(move |(first, more)| Holiday {
        starts_on: around + first.days(),
        ends_on: around + (first + more).days(),
    });
    prop::collection::vec(holiday, 0..4)
}

/// One to five classes in these seasons.
fn classes(seasons: Vec<Season>, prices: &Prices) -> impl Strategy<Value = Vec<Class>> + use<> {
    let when = (0..7_i64, prop::sample::select(vec![time(9, 0, 0, 0), time(16, 30, 0, 0)]), -20..30_i64, -30..20_i64);
    let class = (prop::sample::select(seasons), when, prices.clone(), tax_rate(), prop::bool::weighted(0.85));
    let class = class.prop_map(|(season, (weekday, starts_at, first, last), price, tax_rate, discountable)| Class {
        id: id("cls"),
        season: season.id,
        name: "Ballet".into(),
        price: money(price),
        weekday: (date(2026, 9, 7) + weekday.days()).weekday(),
        starts_at,
        first_lesson_on: season.starts_on + first.days(),
        last_lesson_on: season.ends_on + last.days(),
        tax_rate,
        discountable,
        portal_enrolment: true,
        takes_trials: true,
        min_age_months: None,
        max_age_months: None,
        archived: false,
    });
    prop::collection::vec(class, 1..6).prop_map(|mut classes| {
        for (class, name) in classes.iter_mut().zip(["cls_a", "cls_b", "cls_c", "cls_d", "cls_e"]) {
            class.id = id(name);
        }
        classes
    })
}

/// Everything but the family.
fn empty_studio(prices: Prices) -> impl Strategy<Value = (Studio, Date)> {
    let around = prop::sample::select(vec![date(2026, 9, 7), date(2027, 10, 30), date(2028, 1, 10)]);
    let of_seasons = prices.clone();
    let seasons = around.prop_flat_map(move |around| (Just(around), seasons::seasons(around, &of_seasons)));
    seasons.prop_flat_map(move |(around, seasons)| {
        let classes = classes(seasons.clone(), &prices);
        let rest = (company(&prices), schemes(&prices), holidays(around), prop::array::uniform3(rate()));
        (Just(around), Just(seasons), classes, rest).prop_map(together)
    })
}

type Rest = (Company, BTreeMap<DiscountKind, DiscountScheme>, Vec<Holiday>, [Percent; 3]);

fn together((around, seasons, classes, rest): (Date, Vec<Season>, Vec<Class>, Rest)) -> (Studio, Date) {
    let (company, discount_schemes, holidays, rates) = rest;
    let rates = TAX_RATES.into_iter().zip(rates);
    let rates = rates.map(|(name, rate)| (id(name), TaxRate::new(id(name), rate, name)));
    let on_sale = |class: Class| {
        let seats = Seats { left: None, price_version: 1 };
        (class.id.clone(), ClassOnSale { class, seats, trials_booked: BTreeMap::new() })
    };
    let studio = Studio {
        company,
        tax_rates: rates.collect(),
        discount_schemes,
        holidays,
        seasons: seasons.into_iter().map(|season| (season.id.clone(), season)).collect(),
        classes: classes.into_iter().map(on_sale).collect(),
        family: family::nobody(),
    };
    (studio, around)
}

/// A scenario whose every price is one of these.
pub fn scenario_at(prices: Prices) -> impl Strategy<Value = Scenario> {
    empty_studio(prices.clone()).prop_flat_map(move |(studio, around)| {
        let family = family::family(&studio, around, &prices);
        (Just(studio), family, now(), family::wishes()).prop_map(|(mut studio, family, (part, time), wishes)| {
            studio.family = family;
            let now = day_of(&studio, part).to_datetime(time);
            family::wanted(studio, now, &wishes)
        })
    })
}

/// A scenario with prices as they are.
pub fn scenario() -> impl Strategy<Value = Scenario> {
    scenario_at(usual())
}

/// How far into the seasons a family asks, in thousandths, and at what time.
fn now() -> impl Strategy<Value = (i32, Time)> {
    (prop_oneof![8 => 0..800_i32, 1 => 800..1_001_i32], time_of_day())
}

/// A day from three weeks before the first season to the end of the one that ends first.
fn day_of(studio: &Studio, part: i32) -> Date {
    let from = studio.seasons.values().map(|season| season.starts_on).min().unwrap() - 21.days();
    let to = studio.seasons.values().map(|season| season.ends_on).min().unwrap();
    let span = from.until(to).unwrap().get_days();
    from + (span * part / 1_000).days()
}

/// The lessons of a class that have not begun.
fn lessons_left(studio: &Studio, class: &Class, now: DateTime) -> Vec<Date> {
    let lessons = calendar::lessons(class, &studio.seasons[&class.season], &studio.holidays);
    calendar::lessons_left(&lessons, class, now)
}
