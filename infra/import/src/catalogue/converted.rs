//! What a file brings, as the domain's values: the service converts the documents that it stores.

use classpay_domain::catalogue::{
    AgeCutOff, Application, Class, Company, DiscountScheme, Holiday, Off, PricingScheme, Repetition, Season, Student,
    TaxMode, TaxRate,
};
use classpay_domain::money::{Money, Percent};
use classpay_domain::surcharge::Country;
use classpay_service::catalogue::CorruptDocument;
use classpay_service::catalogue::documents::AgeCutOffType;
use jiff::civil::date;

use super::Catalogue;

const DEMO: &str = include_str!("../../../local/demo-studio.json");
const PRICE_LIST: &str = include_str!("../../../../tests/fixtures/price-list.json");

fn demo() -> Catalogue {
    Catalogue::parse(DEMO).unwrap()
}

fn price_list() -> Catalogue {
    Catalogue::parse(PRICE_LIST).unwrap()
}

#[test]
fn every_document_of_the_demo_studio_becomes_a_domain_value() {
    let studio = demo();
    let company = Company::try_from(&studio.company).unwrap();
    assert_eq!((company.timezone.as_str(), company.currency.code()), ("Europe/London", "gbp"));
    assert_eq!(company.tax, Some(TaxMode::Exclusive));
    assert_eq!((company.country.map(Country::code), company.processing_fee), (Some("GB"), None));
    assert_eq!(company.trials.places_per_lesson, Some(2));
    assert_eq!(company.age_cut_off, AgeCutOff::FirstDayOfSeason);
    assert!(studio.tax_rates.iter().all(|doc| TaxRate::try_from(doc).is_ok()));
    assert!(studio.holidays.iter().all(|doc| Holiday::try_from(doc).is_ok()));
    assert!(studio.classes.iter().all(|doc| Class::try_from(doc).is_ok()));
    let seasons: Vec<_> = studio.seasons.iter().map(|doc| Season::try_from(doc).unwrap()).collect();
    assert_eq!(seasons[0].enabled_plans().count(), 2);
    let student = Student::from(&studio.families[0].students[0]);
    assert_eq!((student.name.as_str(), student.archived), ("Ada Okafor", false));
    let pointe = studio.classes.iter().find(|class| class.name == "Pointe Work for Two").unwrap();
    assert!(!Class::try_from(pointe).unwrap().discountable);
}

#[test]
fn r14_whole_percents_become_thousandths_and_fixed_amounts_stay() {
    let schemes: Vec<_> =
        price_list().discount_schemes.iter().map(|doc| DiscountScheme::try_from(doc).unwrap()).collect();
    assert_eq!(schemes[0].application, Application::IndividualItem);
    assert_eq!(schemes[0].tiers, [(2, Off::Percent(Percent::thousandths(10_000)))].into());
    assert_eq!(schemes[1].application, Application::TotalTuition);
    assert_eq!(schemes[1].tiers, [(2, Off::Fixed(Money::minor(500)))].into());
}

#[test]
fn r9_prices_stand_in_the_order_of_their_quantities() {
    let mut doc = price_list().seasons.remove(1);
    doc.pricing_scheme_values.reverse();
    let PricingScheme::ClassQuantity(prices) = Season::try_from(&doc).unwrap().pricing_scheme else {
        panic!("priced by quantity")
    };
    let together: Vec<_> = (0..=4).map(|classes| prices.of(classes).units()).collect();
    assert_eq!(together, [0, 12_000, 21_000, 28_000, 28_000]);
    doc.pricing_scheme_values.remove(1);
    assert_eq!(Season::try_from(&doc).unwrap_err().field, "pricingSchemeValues");
    doc.pricing_scheme_values.clear();
    assert_eq!(Season::try_from(&doc).unwrap_err().field, "pricingSchemeValues");
}

#[test]
fn r22_a_season_has_the_fee_that_is_taken() {
    let mut doc = price_list().seasons.remove(0);
    let season = Season::try_from(&doc).unwrap();
    let fee = season.registration_fee.unwrap();
    assert_eq!((fee.amount.units(), fee.family_cap), (1500, Some(Money::minor(2500))));
    assert_eq!((fee.repetition, fee.tax_rate.unwrap().as_str()), (Repetition::Annual, "tax_vat"));
    assert_eq!((season.additional_fees[0].amount.units(), &season.additional_fees[0].tax_rate), (1000, &None));
    doc.enable_registration_fees = false;
    assert_eq!(Season::try_from(&doc).unwrap().registration_fee, None);
    doc.enable_registration_fees = true;
    doc.registration_fee_dto.as_mut().unwrap().archived_at = Some(doc.created_at);
    assert_eq!(Season::try_from(&doc).unwrap().registration_fee, None);
    doc.registration_fee_dto = None;
    assert_eq!(Season::try_from(&doc).unwrap().registration_fee, None);
}

#[test]
fn what_is_turned_off_is_not_there() {
    let mut doc = price_list().company;
    assert_eq!(Company::try_from(&doc).unwrap().processing_fee, Some(Percent::thousandths(2_900)));
    doc.settings.tax.enabled = false;
    doc.settings.trial.limited_capacity = false;
    doc.settings.billing.is_processing_fee_enabled = false;
    let company = Company::try_from(&doc).unwrap();
    assert_eq!((company.tax, company.processing_fee, company.trials.places_per_lesson), (None, None, None));
}

#[test]
fn r35_a_stored_company_charges_what_its_domain_value_charges() {
    let mut doc = price_list().company;
    for country in ["US", "GB", "AU", "", "UK"] {
        doc.address.country_code = country.to_owned();
        let company = Company::try_from(&doc).unwrap();
        for day in [date(2018, 1, 12), date(2026, 9, 30), date(2026, 10, 1)] {
            assert_eq!(doc.processing_fee_on(day), company.processing_fee_on(day), "{country:?} on {day}");
        }
    }
    doc.address.country_code = "AU".to_owned();
    let charged = |day| doc.processing_fee_on(day).in_thousandths();
    assert_eq!((charged(date(2026, 9, 30)), charged(date(2026, 10, 1))), (2_900, 0));
}

#[test]
fn a_document_that_the_import_would_have_refused_is_corrupt() {
    let mut studio = demo();
    studio.company.settings.general.timezone = "Europe/Londres".to_owned();
    let corrupt = Company::try_from(&studio.company).unwrap_err();
    assert_eq!(corrupt.field, "settings.general.timezone");
    assert_eq!(corrupt.id, studio.company.id.as_str());
    studio.company.settings.general.timezone = "UTC".to_owned();
    studio.company.settings.enrolment.age_cut_off_type = AgeCutOffType::SpecificDate;
    let corrupt = Company::try_from(&studio.company).unwrap_err();
    assert_eq!(corrupt.field, "settings.enrolment.ageCutOffDate");
    studio.seasons[0].pricing_plans[0].number_of_installments = 2;
    let corrupt = Season::try_from(&studio.seasons[0]).unwrap_err();
    let plan = studio.seasons[0].pricing_plans[0].id.to_string();
    assert_eq!(corrupt, CorruptDocument { id: plan, field: "numberOfInstallments" });
    studio.classes[0].price = Money::minor(-1);
    assert_eq!(Class::try_from(&studio.classes[0]).unwrap_err().field, "price");
}

#[test]
fn a_fee_or_a_scheme_that_the_import_would_have_refused_is_corrupt() {
    let mut season = price_list().seasons.remove(0);
    season.additional_fees[0].max_amount_per_family = Some(Money::minor(-1));
    let corrupt = Season::try_from(&season).unwrap_err();
    assert_eq!((corrupt.id.as_str(), corrupt.field), ("fee_costume", "maxAmountPerFamily"));
    season.additional_fees.clear();
    season.registration_fee_dto.as_mut().unwrap().amount = Money::minor(-1);
    let corrupt = Season::try_from(&season).unwrap_err();
    assert_eq!((corrupt.id.as_str(), corrupt.field), ("reg_annual", "amount"));
    let mut scheme = price_list().discount_schemes.remove(0);
    scheme.values[0].amount = 101;
    assert_eq!(DiscountScheme::try_from(&scheme).unwrap_err().field, "amount");
    scheme.values[0].quantity = 0;
    assert_eq!(DiscountScheme::try_from(&scheme).unwrap_err().field, "quantity");
}
