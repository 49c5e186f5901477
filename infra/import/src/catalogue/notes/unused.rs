//! Fields that are taken and that no rule obeys.
//!
//! Invariant: where many say the same, the first is named and the others are counted.

use std::collections::{BTreeMap, BTreeSet};

use classpay_domain::catalogue::PlanKind;
use classpay_domain::id::EnrolmentId;
use classpay_domain::money::Money;
use classpay_service::catalogue::documents::text::Textual as _;
use classpay_service::catalogue::documents::{AgeCutOffType, PricingPlanDoc, PricingScheme};
use jiff::civil::Date;

use super::super::file::Catalogue;
use super::{Found, enrolments};

/// What each of them says without effect.
pub(super) fn fields(catalogue: &Catalogue) -> impl Iterator<Item = Found> {
    let unused = billing_day(catalogue).into_iter().chain(cut_offs(catalogue)).chain(prices_of_quantities(catalogue));
    let unused = unused.chain(payment_days(catalogue)).chain(autopay(catalogue));
    unused.chain(prices_of_classes(catalogue)).chain(bare_fees(catalogue))
}

/// The first of the month is what every file says that says nothing.
fn billing_day(catalogue: &Catalogue) -> Option<Found> {
    let day = catalogue.company.settings.billing.billing_day_of_month;
    let what = format!("{day} is not used: a plan's own dates say when it is paid");
    (day != 1).then(|| ("company.settings.billing.billingDayOfMonth".to_owned(), what))
}

fn cut_offs(catalogue: &Catalogue) -> impl Iterator<Item = Found> {
    let settings = &catalogue.company.settings.enrolment;
    let kind = settings.age_cut_off_type;
    let date = settings.age_cut_off_date.filter(|_| kind != AgeCutOffType::SpecificDate);
    let days = settings.age_cut_off_days.filter(|days| *days != 0 && kind != AgeCutOffType::DaysAfterSeasonStart);
    let values =
        [("ageCutOffDate", date.map(|date| date.write())), ("ageCutOffDays", days.map(|days| days.to_string()))];
    values.into_iter().filter_map(move |(name, value)| {
        let what = format!("{} is not used: the ageCutOffType is {}", value?, kind.write());
        Some((format!("company.settings.enrolment.{name}"), what))
    })
}

fn prices_of_quantities(catalogue: &Catalogue) -> impl Iterator<Item = Found> {
    let seasons =
        catalogue.seasons.iter().enumerate().filter(|(_, season)| {
            season.pricing_scheme == PricingScheme::None && !season.pricing_scheme_values.is_empty()
        });
    seasons.map(|(index, _)| {
        let what = "are not used: the pricingScheme is none, and each class has its own price";
        (format!("seasons[{index}].pricingSchemeValues"), what.to_owned())
    })
}

/// A class price equal to the season's price for one class is not named.
fn prices_of_classes(catalogue: &Catalogue) -> Option<Found> {
    let by_quantity = catalogue.seasons.iter().filter(|season| season.pricing_scheme == PricingScheme::ClassQuantity);
    let of_one: BTreeMap<_, _> = by_quantity
        .map(|season| (&season.id, season.quantity_prices().ok().and_then(|all| all.first().copied())))
        .collect();
    let priced = catalogue.classes.iter().enumerate().filter(|(_, class)| {
        let of_one = of_one.get(&class.season_id).copied();
        class.price != Money::ZERO && of_one.is_some_and(|of_one| of_one != Some(class.price))
    });
    counted(
        priced.map(|(index, _)| format!("classes[{index}].price")),
        "is not used: the season's pricingScheme is class-quantity, and its pricingSchemeValues are the prices",
        "are not used: their seasons' pricingScheme is class-quantity, and their pricingSchemeValues are the prices",
    )
}

/// A season's amount that no fee stands behind: what Class Manager answers there is a copy.
fn bare_fees(catalogue: &Catalogue) -> impl Iterator<Item = Found> {
    let seasons = catalogue.seasons.iter().enumerate();
    let bare =
        seasons.filter(|(_, season)| season.registration_fee_dto.is_none() && season.registration_fee != Money::ZERO);
    bare.map(|(index, season)| {
        let what =
            format!("{} is not used: the season has no registrationFeeDto, and names no fee", season.registration_fee);
        (format!("seasons[{index}].registrationFee"), what)
    })
}

fn payment_days(catalogue: &Catalogue) -> impl Iterator<Item = Found> {
    let plans = catalogue.seasons.iter().enumerate().flat_map(|(season, doc)| {
        let plans = doc.pricing_plans.iter().enumerate();
        plans.map(move |(plan, doc)| (format!("seasons[{season}].pricingPlans[{plan}].paymentDay"), doc))
    });
    plans.filter_map(|(place, plan)| {
        let day = plan.payment_day?;
        Some((place, format!("{day} is not used: {}", says_when(plan)?)))
    })
}

/// What says when a plan is paid, if it isn't its day of the month.
fn says_when(plan: &PricingPlanDoc) -> Option<&'static str> {
    if plan.kind == PlanKind::OneOff {
        return Some("a one-off plan is paid on its firstPaymentDate");
    }
    (!plan.installment_dates.is_empty()).then_some("the plan is paid on its installmentDates")
}

fn autopay(catalogue: &Catalogue) -> Option<Found> {
    let wanting = catalogue.families.iter().enumerate().filter(|(_, entry)| entry.family.autopay_enabled);
    let places = wanting.map(|(index, _)| format!("families[{index}].autopayEnabled"));
    counted(
        places,
        "is not used: nothing is collected that nobody pays",
        "are not used: nothing is collected that nobody pays",
    )
}

/// What is still to be paid of an enrolment is known from its plan; Class Manager doesn't answer it.
pub(super) fn without_plan(catalogue: &Catalogue, today: Date, scheduled: &BTreeSet<EnrolmentId>) -> Option<Found> {
    let over = catalogue.seasons.iter().filter(|season| season.end_at < today || season.archived_at.is_some());
    let over: BTreeSet<_> = over.map(|season| &season.id).collect();
    let over = catalogue.classes.iter().filter(|class| over.contains(&class.season_id) || class.archived_at.is_some());
    let over: BTreeSet<_> = over.map(|class| &class.id).collect();
    let without = enrolments(catalogue)
        .filter(|(_, enrolment)| enrolment.pricing_plan_id.is_none() && !over.contains(&enrolment.class_id))
        .filter(|(_, enrolment)| !scheduled.contains(&enrolment.id))
        .map(|(place, _)| place);
    let nothing = "no `pricingPlanId` and no `instalments`: nothing more is debited for";
    counted(without, &format!("it brings {nothing} it"), &format!("bring {nothing} them"))
}

pub(super) fn counted(mut places: impl Iterator<Item = String>, one: &str, many: &str) -> Option<Found> {
    let first = places.next()?;
    let what = match places.count() {
        0 => one.to_owned(),
        more => format!("it and {more} more {many}"),
    };
    Some((first, what))
}
