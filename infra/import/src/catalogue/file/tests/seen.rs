//! A studio as one of its families sees it, with nothing sold since the import.

use std::collections::BTreeMap;

use classpay_domain::catalogue::{
    ChargedFee, Class, ClassOnSale, Company, DiscountScheme, Enrolment, Family, Holiday, Season, Seats, Student,
    Studio, TaxRate, TrialBooking, TrialState,
};

use super::*;

/// All that a quote for this family is made from.
pub(super) fn by_family(catalogue: &Catalogue, family: usize) -> Studio {
    let given = catalogue.discount_schemes.iter().filter(|doc| doc.enabled);
    Studio {
        company: Company::try_from(&catalogue.company).unwrap(),
        tax_rates: catalogue.tax_rates.iter().map(|doc| (doc.id.clone(), TaxRate::try_from(doc).unwrap())).collect(),
        discount_schemes: given.map(|doc| (doc.kind, DiscountScheme::try_from(doc).unwrap())).collect(),
        holidays: catalogue.holidays.iter().map(|doc| Holiday::try_from(doc).unwrap()).collect(),
        seasons: catalogue.seasons.iter().map(|doc| (doc.id.clone(), Season::try_from(doc).unwrap())).collect(),
        classes: catalogue.classes.iter().map(|doc| (doc.id.clone(), on_sale(catalogue, doc))).collect(),
        family: family_of(catalogue, &catalogue.families[family]),
    }
}

fn on_sale(catalogue: &Catalogue, doc: &ClassDoc) -> ClassOnSale {
    let all = catalogue.families.iter().flat_map(|family| &family.enrolments);
    let taken = u32::try_from(all.filter(|enrolment| enrolment.class_id == doc.id).count()).unwrap();
    ClassOnSale {
        class: Class::try_from(doc).unwrap(),
        seats: Seats { left: doc.places().map(|places| places - taken), price_version: 1 },
        trials_booked: BTreeMap::new(),
    }
}

fn family_of(catalogue: &Catalogue, entry: &FamilyEntry) -> Family {
    let enrolled = |enrolment: &EnrolmentEntry| {
        let class = catalogue.classes.iter().find(|class| class.id == enrolment.class_id).unwrap();
        Enrolment {
            id: enrolment.id.clone(),
            student: enrolment.student_id.clone(),
            class: class.id.clone(),
            season: class.season_id.clone(),
            discountable: class.settings.discountable,
        }
    };
    let tried = |trial: &TrialEntry| TrialBooking {
        id: trial.id.clone(),
        student: trial.student_id.clone(),
        class: trial.class_id.clone(),
        on: trial.trial_at,
        state: TrialState::Active,
    };
    Family {
        id: entry.family.id.clone(),
        name: entry.family.name.clone(),
        archived: entry.family.archived_at.is_some() || entry.family.deleted_at.is_some(),
        students: entry.students.iter().map(|doc| (doc.id.clone(), Student::from(doc))).collect(),
        enrolments: entry.enrolments.iter().map(enrolled).collect(),
        trials: entry.trials.iter().map(tried).collect(),
        charged_fees: entry.charged_fees.iter().map(|entry| ChargedFee::try_from(entry).unwrap()).collect(),
    }
}
