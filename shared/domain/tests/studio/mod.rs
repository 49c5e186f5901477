//! A small studio for the scenarios: one season, two classes, two students of one family, one plan; nothing is
//! taxed and nobody pays a fee; it is in the United States, where one may be taken. A test says only what is different about its own.
//!
//! The season runs from Monday 7 September to Friday 18 December 2026. Class A is on Mondays, class B on
//! Wednesdays; half-term takes one lesson from each, so both have 14.
#![allow(dead_code, reason = "every test file is a crate of its own and uses a part of this")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::str::FromStr;

use classpay_domain::basket::{Basket, EnrolmentItem, TrialItem};
use classpay_domain::calendar::YearDay;
use classpay_domain::catalogue::{
    AdditionalFee, AgeCutOff, Application, ChargedFee, Class, ClassOnSale, Company, Currency, DiscountKind,
    DiscountScheme, Enrolment, Family, FeePeriod, Holiday, Off, PlanKind, PricingModel, PricingPlan, PricingScheme,
    RegistrationFee, RegistrationStatus, Repetition, Season, Seats, Student, Studio, TaxMode, TaxRate, TrialBooking,
    TrialPolicy, TrialState,
};
use classpay_domain::id::{EnrolmentId, SeasonId, TrialId};
use classpay_domain::money::{Money, Percent};
use classpay_domain::pricing::{
    BookedQuote, BrokenRule, Buyer, FeeLine, Instalment, LineDetail, Quote, Refusal, quote,
};
use classpay_domain::surcharge::Country;
use jiff::civil::{Date, DateTime, Time, Weekday, date, time};

/// The season's first day, a Monday. Most scenarios begin at eight on that morning.
pub const TODAY: Date = date(2026, 9, 7);
/// When every lesson begins.
pub const HALF_PAST_FOUR: Time = time(16, 30, 0, 0);

/// An id of whatever kind is asked for.
pub fn id<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// A percentage from its text.
pub fn percent(text: &str) -> Percent {
    Percent::parse(text).unwrap()
}

/// So many minor units.
pub const fn money(units: i64) -> Money {
    Money::minor(units)
}

/// Eight in the morning of a day.
pub fn morning(day: Date) -> DateTime {
    day.at(8, 0, 0, 0)
}

/// The small studio.
pub fn studio() -> Studio {
    let company = Company {
        id: id("co_1"),
        country: Country::parse("US"),
        stripe_account: None,
        currency: Currency::parse("gbp").unwrap(),
        timezone: "Europe/London".into(),
        tax: None,
        processing_fee: None,
        trials: TrialPolicy { price: money(500), enabled_on_portal: true, places_per_lesson: None },
        age_cut_off: AgeCutOff::FirstDayOfSeason,
    };
    let students = [student("stu_a", "Ada"), student("stu_b", "Ben")];
    let mut studio = Studio {
        company,
        tax_rates: BTreeMap::new(),
        discount_schemes: BTreeMap::new(),
        holidays: vec![Holiday { starts_on: date(2026, 10, 26), ends_on: date(2026, 10, 30) }],
        seasons: BTreeMap::new(),
        classes: BTreeMap::new(),
        family: Family {
            id: id("fml_1"),
            name: "Lovelace".into(),
            archived: false,
            students: students.into_iter().map(|student| (student.id.clone(), student)).collect(),
            enrolments: vec![],
            trials: vec![],
            charged_fees: vec![],
        },
    };
    add_season(&mut studio, "sea_1", "Autumn").plans = vec![one_off("pp_u")];
    add_class(&mut studio, "cls_a", "Ballet", "sea_1", Weekday::Monday).price = money(850);
    add_class(&mut studio, "cls_b", "Tap", "sea_1", Weekday::Wednesday).price = money(925);
    studio
}

/// The small studio, sold by the season: a class's price is its base. Class A costs so much.
pub fn costing(price: i64) -> Studio {
    let mut studio = studio();
    season(&mut studio).pricing_model = PricingModel::PerSeason;
    class(&mut studio, "cls_a").price = money(price);
    studio
}

/// Taxes the classes A and B at a rate.
pub fn tax(studio: &mut Studio, mode: TaxMode, rate: &str) {
    studio.company.tax = Some(mode);
    studio.tax_rates.insert(id("tax_1"), TaxRate::new(id("tax_1"), percent(rate), "VAT"));
    for on_sale in studio.classes.values_mut() {
        on_sale.class.tax_rate = Some(id("tax_1"));
    }
}

/// One more tax rate.
pub fn tax_rate(studio: &mut Studio, name: &str, rate: &str) {
    studio.tax_rates.insert(id(name), TaxRate::new(id(name), percent(rate), "VAT"));
}

/// Puts a scheme with these tiers into force. Its id and name are those of its kind: `dsc_students` "Siblings",
/// `dsc_classes` "Classes", `dsc_family` "Family".
pub fn discount<const N: usize>(
    studio: &mut Studio,
    kind: DiscountKind,
    application: Application,
    tiers: [(u32, Off); N],
) {
    let (scheme, name) = match kind {
        DiscountKind::StudentsOfFamily => ("dsc_students", "Siblings"),
        DiscountKind::ClassesOfStudent => ("dsc_classes", "Classes"),
        DiscountKind::ClassesOfFamily => ("dsc_family", "Family"),
    };
    let scheme = DiscountScheme { id: id(scheme), name: name.into(), application, tiers: tiers.into() };
    studio.discount_schemes.insert(kind, scheme);
}

/// So many percent off.
pub fn percent_off(text: &str) -> Off {
    Off::Percent(percent(text))
}

/// So many minor units off.
pub const fn units_off(units: i64) -> Off {
    Off::Fixed(money(units))
}

/// A registration fee called "Registration", the same for all, untaxed, whole and without a cap.
pub fn registration(fee: &str, amount: i64, repetition: Repetition) -> RegistrationFee {
    RegistrationFee {
        id: id(fee),
        name: "Registration".into(),
        amount: money(amount),
        family_cap: None,
        repetition,
        year_begins: YearDay::NEW_YEAR,
        pro_rated: false,
        tax_rate: None,
    }
}

/// An additional fee, untaxed, whole and without a cap.
pub fn additional(fee: &str, description: &str, amount: i64) -> AdditionalFee {
    AdditionalFee {
        id: id(fee),
        description: description.into(),
        amount: money(amount),
        family_cap: None,
        tax_rate: None,
        pro_rated: false,
    }
}

/// A student was charged a fee for a period already.
pub fn charged(studio: &mut Studio, fee: &str, who: &str, period: &str, amount: i64) {
    let period = FeePeriod::parse(period).unwrap();
    let charged = ChargedFee { fee: id(fee), student: id(who), period, amount: money(amount) };
    studio.family.charged_fees.push(charged);
}

/// One more student of the family.
pub fn join(studio: &mut Studio, who: &str, name: &str) {
    studio.family.students.insert(id(who), student(who, name));
}

/// A student whose age nobody knows.
pub fn student(student: &str, name: &str) -> Student {
    Student { id: id(student), name: name.into(), discountable: true, born_on: None, archived: false }
}

/// A plan that is paid on the season's first day.
pub fn one_off(plan: &str) -> PricingPlan {
    PricingPlan {
        id: id(plan),
        kind: PlanKind::OneOff,
        first_payment_on: TODAY,
        instalments: 1,
        payment_day: None,
        dates: vec![],
        discount: Percent::ZERO,
        enabled: true,
    }
}

/// A plan that is paid in so many months from the season's first day on.
pub fn monthly(plan: &str, instalments: u16) -> PricingPlan {
    PricingPlan { kind: PlanKind::Monthly, instalments, ..one_off(plan) }
}

/// One more season, like the first but without plans.
pub fn add_season<'a>(studio: &'a mut Studio, season: &str, name: &str) -> &'a mut Season {
    let added = Season {
        id: id(season),
        name: name.into(),
        starts_on: TODAY,
        ends_on: date(2026, 12, 18),
        archived: false,
        registration: RegistrationStatus::Open,
        pricing_model: PricingModel::PerLesson,
        pricing_scheme: PricingScheme::ClassPrice,
        plans: vec![],
        registration_fee: None,
        additional_fees: vec![],
    };
    studio.seasons.entry(id(season)).insert_entry(added).into_mut()
}

/// One more class, at 1.00 a unit.
pub fn add_class<'a>(studio: &'a mut Studio, class: &str, name: &str, season: &str, day: Weekday) -> &'a mut Class {
    let added = Class {
        id: id(class),
        season: id(season),
        name: name.into(),
        price: money(100),
        weekday: day,
        starts_at: HALF_PAST_FOUR,
        first_lesson_on: TODAY,
        last_lesson_on: date(2026, 12, 18),
        tax_rate: None,
        discountable: true,
        portal_enrolment: true,
        takes_trials: true,
        min_age_months: None,
        max_age_months: None,
        archived: false,
    };
    let seats = Seats { left: None, price_version: 1 };
    let on_sale = ClassOnSale { class: added, seats, trials_booked: BTreeMap::new() };
    &mut studio.classes.entry(id(class)).insert_entry(on_sale).into_mut().class
}

/// The first season.
pub fn season(studio: &mut Studio) -> &mut Season {
    studio.seasons.get_mut(&id("sea_1")).unwrap()
}

/// A class with its seats.
pub fn on_sale<'a>(studio: &'a mut Studio, class: &str) -> &'a mut ClassOnSale {
    studio.classes.get_mut(&id(class)).unwrap()
}

/// A class.
pub fn class<'a>(studio: &'a mut Studio, name: &str) -> &'a mut Class {
    &mut on_sale(studio, name).class
}

/// Enrols a student in one of the studio's classes already.
pub fn enrol(studio: &mut Studio, enrolment: &str, who: &str, class: &str) {
    let season = studio.classes[&id(class)].class.season.clone();
    let live = Enrolment { id: id(enrolment), student: id(who), class: id(class), season, discountable: true };
    studio.family.enrolments.push(live);
}

/// A student has a trial of a lesson already, in this state.
pub fn tried(studio: &mut Studio, who: &str, class: &str, on: Date, state: TrialState) {
    let id = id(&format!("trl_{}", studio.family.trials.len()));
    studio.family.trials.push(TrialBooking { id, student: self::id(who), class: self::id(class), on, state });
}

/// A place in a class on a plan.
pub fn place(student: &str, class: &str, plan: &str) -> EnrolmentItem {
    EnrolmentItem { plan: Some(id(plan)), ..undecided(student, class) }
}

/// A place in a class, its plan not chosen yet.
pub fn undecided(student: &str, class: &str) -> EnrolmentItem {
    EnrolmentItem { student: id(student), class: id(class), plan: None }
}

/// Places on plan U in short: `aA bC` is Ada (`stu_a`) in class A (`cls_a`), and Ben in class C.
pub fn wanting(items: &str) -> Basket {
    let items = letters(items).map(|(who, class)| place(&who, &class, "pp_u"));
    Basket::new(items.collect(), vec![])
}

/// Live enrolments in the first season in short, like [`wanting`]; the classes need not be the studio's.
pub fn live(studio: &mut Studio, enrolments: &str) {
    for (n, (who, class)) in letters(enrolments).enumerate() {
        let (student, class) = (id(&who), id(&class));
        let live = Enrolment { id: id(&format!("enr_{n}")), student, class, season: id("sea_1"), discountable: true };
        studio.family.enrolments.push(live);
    }
}

fn letters(pairs: &str) -> impl Iterator<Item = (String, String)> {
    pairs.split_whitespace().map(|pair| {
        let (who, class) = pair.split_at(1);
        (format!("stu_{who}"), format!("cls_{}", class.to_lowercase()))
    })
}

/// A trial of a lesson.
pub fn trial(student: &str, class: &str, on: Date) -> TrialItem {
    TrialItem { student: id(student), class: id(class), on, at: HALF_PAST_FOUR }
}

/// A basket of places.
pub fn places<const N: usize>(items: [EnrolmentItem; N]) -> Basket {
    Basket::new(items.into(), vec![])
}

/// A basket of trials.
pub fn trials<const N: usize>(items: [TrialItem; N]) -> Basket {
    Basket::new(vec![], items.into())
}

/// The basket with Ada in class A on plan U.
pub fn ada_in_a() -> Basket {
    places([place("stu_a", "cls_a", "pp_u")])
}

/// What the family is quoted on the season's first morning.
pub fn priced(studio: &Studio, basket: &Basket) -> Quote {
    priced_on(studio, basket, TODAY)
}

/// What the family is quoted on the morning of a day.
pub fn priced_on(studio: &Studio, basket: &Basket, day: Date) -> Quote {
    asked(studio, basket, day).unwrap()
}

/// What the family is answered on the morning of a day.
pub fn asked(studio: &Studio, basket: &Basket, day: Date) -> Result<Quote, Refusal> {
    quote(studio, basket, morning(day), Buyer::Family)
}

/// The broken rule and its items in words: `Ada in Ballet`, `Ben tries Tap on 2026-09-09`.
pub type Broken = Option<(BrokenRule, Vec<String>)>;

/// What a buyer is refused on the morning of a day.
pub fn broken_by(buyer: Buyer, studio: &Studio, basket: &Basket, day: Date) -> Broken {
    let refusal = quote(studio, basket, morning(day), buyer).err()?;
    let items = refusal.items.iter().map(|item| match item.trial_on {
        Some(on) => format!("{} tries {} on {on}", item.student_name, item.class_name),
        None => format!("{} in {}", item.student_name, item.class_name),
    });
    Some((refusal.rule, items.collect()))
}

/// What a family is told on the season's first morning.
pub fn refused(studio: &Studio, basket: &Basket) -> Broken {
    broken_by(Buyer::Family, studio, basket, TODAY)
}

/// What staff are told on the season's first morning.
pub fn refused_to_staff(studio: &Studio, basket: &Basket) -> Broken {
    broken_by(Buyer::Staff, studio, basket, TODAY)
}

/// The rule that is broken and the items that break it.
pub fn broken<const N: usize>(rule: BrokenRule, items: [&str; N]) -> Broken {
    Some((rule, items.map(String::from).into()))
}

/// Fees in short: student, season, period and the amount before exclusive tax.
pub fn owed(fees: &[FeeLine]) -> Vec<(&str, &str, &str, i64)> {
    fees.iter()
        .map(|fee| (fee.student.as_str(), fee.season.as_str(), fee.period.as_str(), fee.amount.units()))
        .collect()
}

/// Details in short: kind and amount.
pub fn in_short(details: &[LineDetail]) -> Vec<(&'static str, i64)> {
    details.iter().map(|detail| (detail.kind.as_str(), detail.amount.units())).collect()
}

/// Instalments in short: date and amount.
pub fn due(instalments: &[Instalment]) -> Vec<(Date, i64)> {
    instalments.iter().map(|instalment| (instalment.on, instalment.amount.units())).collect()
}

/// The ids that a quote's lines and trials are booked under: `enr_0`, `enr_1`, `trl_0`, …
pub fn booked(quote: &Quote) -> BookedQuote<'_> {
    let (mut enrolments, mut trials) = (0_u32.., 0_u32..);
    let enrolment = || id::<EnrolmentId>(&format!("enr_{}", enrolments.next().unwrap()));
    BookedQuote::new(quote, enrolment, || id::<TrialId>(&format!("trl_{}", trials.next().unwrap())))
}

/// The seasons' names.
pub fn names(studio: &Studio) -> BTreeMap<SeasonId, String> {
    studio.seasons.iter().map(|(id, season)| (id.clone(), season.name.clone())).collect()
}
