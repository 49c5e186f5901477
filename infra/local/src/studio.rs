//! The studio with which a stack was started, as its start-up message and the API's page show it.
//!
//! It reflects the table at the stack's time.

use classpay_domain::basket::{Basket, EnrolmentItem, TrialItem};
use classpay_domain::calendar;
use classpay_domain::catalogue::Studio;
use classpay_domain::id::{CompanyId, FamilyId, PlanId};
use classpay_domain::link::LinkState;
use classpay_domain::pricing::{self, Buyer, Charge};
use classpay_import::Catalogue;
use classpay_service::ids::Ids;
use classpay_service::scope::{Access, FamilyScope, Role};
use classpay_service::store::{Link, Store};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::Problem;

/// A studio that can sell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    pub company_id: String,
    /// Its connected account at Stripe.
    pub stripe_account: String,
    /// The ids of its families.
    pub families: Vec<String>,
    /// The ids of its payment links that are open.
    pub payment_links: Vec<String>,
    /// What the start-up message and the page of the API show.
    pub example: Option<Example>,
}

/// An enrolment that can be bought, and a trial that can be booked with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    pub family: FamilyId,
    enrolment: EnrolmentItem,
    trial: Option<TrialItem>,
}

impl Example {
    /// The items of a basket with only this enrolment.
    #[must_use]
    pub fn enrolments(&self) -> Value {
        let EnrolmentItem { student, class, plan } = &self.enrolment;
        let plan = plan.as_ref().map(PlanId::as_str);
        json!([{"classId": class.as_str(), "studentId": student.as_str(), "pricingPlanId": plan}])
    }

    /// The trial that goes with it, if there is one.
    #[must_use]
    pub fn trials(&self) -> Value {
        let written = |TrialItem { student, class, on, at }: &TrialItem| {
            let time = at.strftime("%H:%M").to_string();
            json!({"classId": class.as_str(), "studentId": student.as_str(), "trialAt": on.to_string(), "time": time})
        };
        self.trial.iter().map(written).collect()
    }
}

/// The facts about a catalogue that the stack needs.
///
/// # Errors
/// The catalogue has no Stripe account, so nothing could be paid.
pub fn loaded(catalogue: &Catalogue) -> Result<Loaded, Problem> {
    let account = catalogue.company.settings.billing.stripe_id.as_ref();
    let account = account.ok_or_else(|| Problem::new("the catalogue lacks company.settings.billing.stripeId"))?;
    Ok(Loaded {
        company_id: catalogue.company.id.to_string(),
        stripe_account: account.to_string(),
        families: catalogue.families.iter().map(|entry| entry.family.id.to_string()).collect(),
        payment_links: Vec::new(),
        example: None,
    })
}

/// A payment link for every debit of the catalogue with an amount due: the open one, or a new one. Link ids are
/// secrets; those of a demo studio are printed.
pub async fn payment_links(store: &Store, catalogue: &Catalogue, now: Timestamp) -> Result<Vec<String>, Problem> {
    let failed = |problem: classpay_service::store::StoreError| Problem::new(format!("payment links: {problem}"));
    let company = &catalogue.company.id;
    let mut ids = Vec::new();
    for debit_id in catalogue.transactions.iter().filter(|t| t.is_debit()).map(|t| &t.transaction.id) {
        let Ok(debit_id) = debit_id.parse() else { continue };
        let Some(debit) = store.load_debit(company, &debit_id).await.map_err(failed)? else { continue };
        if debit.due.due.units() <= 0 {
            continue;
        }
        let links = store.load_links_of(company, &debit_id).await.map_err(failed)?.unwrap_or_default();
        if let Some(open) = links.iter().find(|link| link.state == LinkState::Open && link.expires_s.is_none()) {
            ids.push(open.id.expose().to_owned());
            continue;
        }
        let link = Link::open(Ids::default().payment_link(), company, debit_id, debit, now.as_second(), None);
        store.create_link(&link).await.map_err(failed)?;
        ids.push(link.id.expose().to_owned());
    }
    Ok(ids)
}

/// An enrolment that can be bought with something to pay now, given the table and the time.
pub async fn example(store: &Store, catalogue: &Catalogue, now: Timestamp) -> Result<Option<Example>, Problem> {
    let Ok(zone) = TimeZone::get(&catalogue.company.settings.general.timezone) else { return Ok(None) };
    let shop = Shop { store, company: &catalogue.company.id, now: now.to_zoned(zone).datetime() };
    for class in &catalogue.classes {
        let season = catalogue.seasons.iter().find(|season| season.id == class.season_id);
        let plan = season.and_then(|season| season.pricing_plans.iter().find(|plan| plan.enabled));
        let Some(plan) = plan else { continue };
        for (entry, student) in catalogue.families.iter().flat_map(|e| e.students.iter().map(move |s| (e, s))) {
            let item =
                EnrolmentItem { student: student.id.clone(), class: class.id.clone(), plan: Some(plan.id.clone()) };
            let family = &entry.family.id;
            if shop.sells(family, &Basket::new(vec![item.clone()], Vec::new())).await? {
                let trial = shop.trial_beside(family, &item, catalogue).await?;
                return Ok(Some(Example { family: family.clone(), enrolment: item, trial }));
            }
        }
    }
    Ok(None)
}

/// The table and its time.
struct Shop<'a> {
    store: &'a Store,
    company: &'a CompanyId,
    now: DateTime,
}

impl Shop<'_> {
    /// Whether a basket can be bought and part of it is due now.
    async fn sells(&self, family: &FamilyId, basket: &Basket) -> Result<bool, Problem> {
        let Some(studio) = self.studio_for(family, basket).await? else { return Ok(false) };
        let quote = pricing::quote(&studio, basket, self.now, Buyer::Family);
        let charge = quote.ok().and_then(|quote| quote.payment?.charge(studio.company.currency).ok());
        Ok(matches!(charge, Some(Charge::Collect(_))))
    }

    /// The next lesson of another class that the same student can try.
    async fn trial_beside(
        &self,
        family: &FamilyId,
        item: &EnrolmentItem,
        catalogue: &Catalogue,
    ) -> Result<Option<TrialItem>, Problem> {
        let student = &item.student;
        for other in catalogue.classes.iter().filter(|class| class.id != item.class) {
            let there = EnrolmentItem { student: student.clone(), class: other.id.clone(), plan: None };
            let Some(studio) = self.studio_for(family, &Basket::new(vec![there], Vec::new())).await? else { continue };
            let Some(class) = studio.classes.get(&other.id).map(|on_sale| &on_sale.class) else { continue };
            let Some(season) = studio.seasons.get(&class.season) else { continue };
            let lessons = calendar::lessons(class, season, &studio.holidays);
            let Some(on) = calendar::lessons_left(&lessons, class, self.now).first().copied() else { continue };
            let trial = TrialItem { student: student.clone(), class: class.id.clone(), on, at: class.starts_at };
            if self.sells(family, &Basket::new(vec![item.clone()], vec![trial.clone()])).await? {
                return Ok(Some(trial));
            }
        }
        Ok(None)
    }

    async fn studio_for(&self, family: &FamilyId, basket: &Basket) -> Result<Option<Studio>, Problem> {
        let scope = FamilyScope {
            company: self.company.clone(),
            family: family.clone(),
            role: Role::Family,
            access: Access::Granted,
        };
        let loaded = self.store.load_studio(&scope, basket).await;
        Ok(loaded.map_err(|problem| Problem::new(problem.to_string()))?.map(|loaded| loaded.studio))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use classpay_operator::import::catalogue;

    use super::*;

    #[test]
    fn each_demo_studio_is_loaded_by_its_name() {
        let first_day = "2026-09-07T08:00:00Z".parse().unwrap();
        let families = |name: &str| {
            let catalogue = catalogue(Some(Path::new(name)), first_day).unwrap();
            loaded(&catalogue).unwrap().families.len()
        };
        assert_eq!(["demo", "demo-us"].map(families), [8, 4]);
    }
}
