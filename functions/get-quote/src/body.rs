//! The answer of a quote, in the contract's shape. Amounts in minor units.
//!
//! Invariant: nothing is computed here; every amount was decided by the domain.

use std::sync::Arc;

use classpay_domain::ledger::{DetailKind, Totals};
use classpay_domain::money::Money;
use classpay_domain::pricing::{FeeLine, FeeSum, Line, PlanQuote, Quote, SeasonQuote, TrialLine};
use classpay_service::catalogue::documents::{PricingPlanDoc, PublishedSeason};
use classpay_service::refusals::PaymentBody;
use classpay_service::store::LoadedStudio;
use serde::Serialize;

/// The whole answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QuoteBody<'a> {
    registration_fees: Vec<RegistrationFeeBody<'a>>,
    seasons: Vec<SeasonQuoteBody<'a>>,
    trials: Vec<TrialQuoteBody<'a>>,
    payment: Option<PaymentBody>,
    quote_hash: &'a str,
}

/// What the basket's students pay of one registration fee.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RegistrationFeeBody<'a> {
    name: &'a str,
    registration_fee_id: &'a str,
    sub_total: i64,
    tax_total: i64,
    total: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SeasonQuoteBody<'a> {
    family_id: &'a str,
    season: PublishedSeason<'a>,
    enabled_pricing_plans: Vec<&'a PricingPlanDoc>,
    quotes: Vec<PlanQuoteBody<'a>>,
    additional_fees: Vec<AdditionalFeeBody<'a>>,
}

/// What a student pays of an additional fee.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AdditionalFeeBody<'a> {
    additional_fee_id: &'a str,
    description: &'a str,
    student_id: &'a str,
    sub_total: i64,
    tax_total: i64,
    total: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlanQuoteBody<'a> {
    pricing_plan_id: &'a str,
    subtotal: i64,
    discount_total: i64,
    tax_total: i64,
    total: i64,
    items: Vec<BillItemBody<'a>>,
    taxes: Vec<TaxBody<'a>>,
    due_now: i64,
    instalments: Vec<InstalmentBody>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BillItemBody<'a> {
    description: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    subtotal: i64,
    discount_total: i64,
    tax_total: Option<i64>,
    tax_description: Option<&'a str>,
    total: i64,
    discounts: Vec<DiscountBody<'a>>,
    class_id: &'a str,
    student_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DiscountBody<'a> {
    description: &'a str,
    amount: i64,
    tax_amount: i64,
    total: i64,
}

#[derive(Serialize)]
struct TaxBody<'a> {
    description: &'a str,
    amount: i64,
}

#[derive(Serialize)]
struct InstalmentBody {
    date: String,
    amount: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TrialQuoteBody<'a> {
    class_id: &'a str,
    student_id: &'a str,
    trial_at: String,
    time: String,
    sub_total: i64,
    tax_total: i64,
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
            quote_hash: &quote.hash,
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
