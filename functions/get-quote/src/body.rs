//! The answer of a quote, in the contract's shape. Amounts in minor units.
//!
//! Invariant: nothing is computed here; every amount was decided by the domain.

use std::sync::Arc;

use classpay_domain::id::{ClassId, FamilyId, FeeId, PlanId, StudentId};
use classpay_domain::ledger::{DetailKind, Totals};
use classpay_domain::money::Money;
use classpay_domain::pricing::{FeeLine, FeeSum, Line, PlanQuote, Quote, SeasonQuote, TrialLine};
use classpay_service::aggregate::detail_kinds;
use classpay_service::catalogue::documents::text::AsText;
use classpay_service::catalogue::documents::{PricingPlanDoc, PublishedSeason};
use classpay_service::refusals::PaymentBody;
use classpay_service::store::LoadedStudio;
use jiff::civil::{Date, Time};
use schemars::JsonSchema;
use serde::Serialize;

/// The whole answer.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Quote")]
pub struct QuoteBody<'a> {
    /// What is charged for being registered, in sum for each fee and period.
    registration_fees: Vec<RegistrationFeeBody<'a>>,
    /// The seasons of the enrolments.
    seasons: Vec<SeasonQuoteBody<'a>>,
    /// The trial lessons.
    #[schemars(extend("x-addition" = true))]
    trials: Vec<TrialQuoteBody<'a>>,
    /// What a checkout would charge now; null unless every enrolment's plan is known: named, or the season's only one.
    #[schemars(extend("x-addition" = true))]
    payment: Option<PaymentBody>,
    /// Says what is charged, when, and for what: a session or a checkout that is given it refuses another price. Null with
    /// `payment`.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"), extend("x-addition" = true))]
    quote_hash: Option<&'a str>,
}

/// What the basket's students pay of one registration fee for one period.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "QuotedRegistrationFee")]
struct RegistrationFeeBody<'a> {
    name: &'a str,
    #[schemars(with = "AsText<FeeId>")]
    registration_fee_id: &'a str,
    /// Before tax.
    sub_total: i64,
    /// Its tax.
    tax_total: i64,
    /// Both.
    total: i64,
    /// The first day of what it is charged for; null: it is charged once for ever.
    #[schemars(with = "Option<AsText<Date>>", extend("x-addition" = true))]
    period_start_at: Option<String>,
    /// The last day of that.
    #[schemars(with = "Option<AsText<Date>>", extend("x-addition" = true))]
    period_end_at: Option<String>,
}

/// A season with what is to be paid for it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "QuotedSeason")]
struct SeasonQuoteBody<'a> {
    /// Who asks.
    #[schemars(with = "AsText<FamilyId>")]
    family_id: &'a str,
    /// The season.
    season: PublishedSeason<'a>,
    /// The plans to choose from.
    enabled_pricing_plans: Vec<&'a PricingPlanDoc>,
    /// What the tuition costs on each of them.
    #[schemars(extend("x-addition" = true))]
    quotes: Vec<PlanQuoteBody<'a>>,
    /// What is charged for enrolling in this season.
    #[schemars(extend("x-addition" = true))]
    additional_fees: Vec<AdditionalFeeBody<'a>>,
}

/// What a student pays of an additional fee.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "QuotedAdditionalFee")]
struct AdditionalFeeBody<'a> {
    #[schemars(with = "AsText<FeeId>")]
    additional_fee_id: &'a str,
    description: &'a str,
    #[schemars(with = "AsText<StudentId>")]
    student_id: &'a str,
    /// Before tax.
    sub_total: i64,
    /// Its tax.
    tax_total: i64,
    /// Both.
    total: i64,
}

/// What the tuition costs on a plan.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "QuotedPlan")]
struct PlanQuoteBody<'a> {
    #[schemars(with = "AsText<PlanId>")]
    pricing_plan_id: &'a str,
    /// Before discounts and tax.
    subtotal: i64,
    /// Not positive.
    discount_total: i64,
    /// Tax, less that on discounts.
    tax_total: i64,
    /// `subtotal + discountTotal + taxTotal`.
    total: i64,
    /// A line for each enrolment.
    items: Vec<BillItemBody<'a>>,
    /// Tax by its rate.
    taxes: Vec<TaxBody<'a>>,
    /// What of the total is due today.
    due_now: i64,
    /// The total by its dates.
    instalments: Vec<InstalmentBody>,
}

/// A line of a bill.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BillItem")]
struct BillItemBody<'a> {
    description: &'a str,
    #[serde(rename = "type")]
    #[schemars(schema_with = "detail_kinds")]
    kind: &'static str,
    subtotal: i64,
    /// Not positive.
    discount_total: i64,
    /// Null: not taxed.
    tax_total: Option<i64>,
    /// Null: not taxed.
    tax_description: Option<&'a str>,
    /// `subtotal + discountTotal + taxTotal`.
    total: i64,
    discounts: Vec<DiscountBody<'a>>,
    #[schemars(with = "AsText<ClassId>", extend("x-addition" = true))]
    class_id: &'a str,
    #[schemars(with = "AsText<StudentId>", extend("x-addition" = true))]
    student_id: &'a str,
}

/// A discount on a line.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BillItemDiscount")]
struct DiscountBody<'a> {
    description: &'a str,
    /// Negative.
    amount: i64,
    /// The tax on it; not positive.
    tax_amount: i64,
    /// Both.
    total: i64,
}

/// Tax of one rate.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "QuotedTax")]
struct TaxBody<'a> {
    description: &'a str,
    amount: i64,
}

/// A part and its date.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "QuotedInstalment")]
struct InstalmentBody {
    #[schemars(with = "AsText<Date>")]
    date: String,
    amount: i64,
}

/// What a trial lesson costs.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "QuotedTrial")]
struct TrialQuoteBody<'a> {
    #[schemars(with = "AsText<ClassId>")]
    class_id: &'a str,
    #[schemars(with = "AsText<StudentId>")]
    student_id: &'a str,
    #[schemars(with = "AsText<Date>")]
    trial_at: String,
    #[schemars(with = "AsText<Time>")]
    time: String,
    /// Before tax.
    sub_total: i64,
    /// Its tax.
    tax_total: i64,
    /// Both.
    total: i64,
}

impl<'a> QuoteBody<'a> {
    /// The answer for a quote.
    pub fn new(loaded: &'a LoadedStudio, quote: &'a Quote) -> Self {
        Self {
            registration_fees: quote.registration_fees_in_sum.iter().map(RegistrationFeeBody::new).collect(),
            seasons: quote.seasons.iter().filter_map(|season| SeasonQuoteBody::new(loaded, quote, season)).collect(),
            trials: quote.trials.iter().map(TrialQuoteBody::new).collect(),
            payment: quote.payment.as_ref().map(PaymentBody::from),
            quote_hash: quote.hash.as_deref(),
        }
    }
}

impl<'a> RegistrationFeeBody<'a> {
    fn new(fee: &'a FeeSum) -> Self {
        let Totals { total, subtotal, tax_total, .. } = fee.totals;
        Self {
            name: &fee.name,
            registration_fee_id: fee.fee.as_str(),
            sub_total: subtotal.units(),
            tax_total: tax_total.units(),
            total: total.units(),
            period_start_at: fee.days.map(|(first, _)| first.to_string()),
            period_end_at: fee.days.map(|(_, last)| last.to_string()),
        }
    }
}

impl<'a> AdditionalFeeBody<'a> {
    fn new(fee: &'a FeeLine) -> Self {
        let Totals { total, subtotal, tax_total, .. } = fee.totals;
        Self {
            additional_fee_id: fee.fee.as_str(),
            description: &fee.name,
            student_id: fee.student.as_str(),
            sub_total: subtotal.units(),
            tax_total: tax_total.units(),
            total: total.units(),
        }
    }
}

impl<'a> SeasonQuoteBody<'a> {
    /// `None` can't be: a quote's seasons are among those that were loaded.
    fn new(loaded: &'a LoadedStudio, quote: &'a Quote, of_season: &'a SeasonQuote) -> Option<Self> {
        let season = loaded.seasons.get(&of_season.season)?;
        let fees = quote.additional_fees.iter().filter(|fee| fee.season == of_season.season);
        Some(Self {
            family_id: loaded.studio.family.id.as_str(),
            season: season.published(),
            enabled_pricing_plans: season.pricing_plans.iter().filter(|plan| plan.enabled).collect(),
            quotes: of_season.plans.iter().map(PlanQuoteBody::new).collect(),
            additional_fees: fees.map(AdditionalFeeBody::new).collect(),
        })
    }
}

impl<'a> PlanQuoteBody<'a> {
    fn new(quote: &'a PlanQuote) -> Self {
        let Totals { total, subtotal, discount_total, tax_total } = quote.totals;
        let tax = |(description, amount): (&'a Arc<str>, &Money)| TaxBody { description, amount: amount.units() };
        let instalments = quote.instalments.iter();
        Self {
            pricing_plan_id: quote.plan.as_str(),
            subtotal: subtotal.units(),
            discount_total: discount_total.units(),
            tax_total: tax_total.units(),
            total: total.units(),
            items: quote.lines.iter().map(BillItemBody::new).collect(),
            taxes: quote.taxes.iter().map(tax).collect(),
            due_now: quote.due_now.units(),
            instalments: instalments
                .map(|(on, amount)| InstalmentBody { date: on.to_string(), amount: amount.units() })
                .collect(),
        }
    }
}

impl<'a> BillItemBody<'a> {
    fn new(line: &'a Line) -> Self {
        let Totals { total, subtotal, discount_total, tax_total } = line.totals;
        let discounts = line.discounts.iter().map(|discount| DiscountBody {
            description: &discount.description,
            amount: discount.amount.units(),
            tax_amount: discount.tax_amount.units(),
            total: discount.total.units(),
        });
        Self {
            description: &line.description,
            kind: DetailKind::Tuition.as_str(),
            subtotal: subtotal.units(),
            discount_total: discount_total.units(),
            tax_total: line.tax_description.as_ref().map(|_| tax_total.units()),
            tax_description: line.tax_description.as_deref(),
            total: total.units(),
            discounts: discounts.collect(),
            class_id: line.item.class.as_str(),
            student_id: line.item.student.as_str(),
        }
    }
}

impl<'a> TrialQuoteBody<'a> {
    fn new(trial: &'a TrialLine) -> Self {
        let Totals { total, subtotal, tax_total, .. } = trial.totals;
        Self {
            class_id: trial.item.class.as_str(),
            student_id: trial.item.student.as_str(),
            trial_at: trial.item.on.to_string(),
            time: trial.item.at.strftime("%H:%M").to_string(),
            sub_total: subtotal.units(),
            tax_total: tax_total.units(),
            total: total.units(),
        }
    }
}
