//! The ids of a studio with every kind of price: `fixtures/price-list.json`.
//!
//! The first family with the first season is the worked example of the pricing rules, amount by amount.

use crate::studio::Studio;

/// The studio.
pub const COMPANY: &str = "co_hillside";
/// Its family without any places: [`A`] and [`B`].
pub const LOVELACE: &str = "fml_lovelace";
/// Its family with places, a trial and charged fees: [`C`] and [`D`].
pub const HOPPER: &str = "fml_hopper";

/// Students without a date of birth.
pub const A: &str = "stu_a";
/// See [`A`].
pub const B: &str = "stu_b";
/// In [`BALLET`] and [`JAZZ`]; charged [`REGISTRATION`] for 2026 and [`COSTUME`].
pub const C: &str = "stu_c";
/// Has a trial of [`TAP`] on 2026-09-16; no scheme counts this student.
pub const D: &str = "stu_d";

/// 7 September to 18 December 2026, per lesson, with [`REGISTRATION`] and [`COSTUME`].
pub const AUTUMN: &str = "sea_autumn";
/// 4 January to 26 March 2027: 120.00, 210.00 and 280.00 for one, two and three classes. No fees.
pub const SPRING: &str = "sea_spring";
/// Autumn's plan U: at once, 5 % off.
pub const PLAN_U: &str = "pp_u";
/// Autumn's plan M: four months from 7 September on.
pub const PLAN_M: &str = "pp_m";
/// Spring's: at once on 7 September 2026, nothing off.
pub const SPRING_U: &str = "pp_spring_u";
/// Spring's: on 7 September 2026, 4 January and 1 February 2027.
pub const SPRING_M: &str = "pp_spring_m";

/// Autumn's class A: Mondays 16:30 at 8.50, 14 lessons, 14 places of which one is taken.
pub const BALLET: &str = "cls_a";
/// Autumn's class B: Wednesdays 16:30 at 9.25, 14 lessons, 12 places.
pub const TAP: &str = "cls_b";
/// Spring's Mondays 17:30, 10 places.
pub const MODERN: &str = "cls_c";
/// Spring's Tuesdays 17:30, 10 places.
pub const STREET: &str = "cls_d";
/// Spring's Thursdays 17:30, any number of places; no scheme counts it.
pub const JAZZ: &str = "cls_e";

/// 20 %.
pub const VAT: &str = "tax_vat";
/// 15.00 a student and year, 25.00 a family, with VAT.
pub const REGISTRATION: &str = "reg_annual";
/// 10.00 a student, without tax.
pub const COSTUME: &str = "fee_costume";
/// The second student: 10 %.
pub const SIBLINGS: &str = "dsc_siblings";
/// From two classes of a student on: 5.00 a line.
pub const CLASSES: &str = "dsc_classes";
/// By the family's classes; not given.
pub const FAMILY_CLASSES: &str = "dsc_family";

/// The studio with every kind of price.
///
/// # Panics
/// If its file isn't JSON.
#[must_use]
pub fn studio() -> Studio {
    Studio::parse(include_str!("../fixtures/price-list.json"))
}
