//! How prices are taxed, and the details that they are taken apart into. Each test is named for the rule that it tells.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a scenario that breaks off has failed")]

mod studio;

use classpay_domain::catalogue::{Application, DiscountKind, Studio, TaxMode};
use classpay_domain::pricing::Line;
use studio::{
    ada_in_a, class, costing, discount, id, in_short, money, percent, percent_off, priced, season, tax, tax_rate,
    units_off, wanting,
};

fn discounted(mut studio: Studio, off: &str) -> Studio {
    season(&mut studio).plans[0].discount = percent(off);
    studio
}

fn taxed(mut studio: Studio, mode: TaxMode, rate: &str) -> Studio {
    tax(&mut studio, mode, rate);
    studio
}

/// Ada's line in class A.
fn line(studio: &Studio) -> Line {
    priced(studio, &ada_in_a()).lines.remove(0)
}

#[test]
fn r16_nothing_is_taxed_without_a_rate_or_with_tax_disabled() {
    let taxed = taxed(costing(1_000), TaxMode::Exclusive, "20");
    assert_eq!(in_short(&line(&taxed).details), [("tuition", 1_000), ("tax", 200)]);
    assert_eq!(line(&taxed).tax_description.as_deref(), Some("VAT 20%"));
    let mut without_rate = taxed.clone();
    class(&mut without_rate, "cls_a").tax_rate = None;
    let mut disabled = taxed;
    disabled.company.tax = None;
    for (scenario, studio) in [("the class has no rate", without_rate), ("tax is disabled", disabled)] {
        assert_eq!(in_short(&line(&studio).details), [("tuition", 1_000)], "{scenario}");
        assert_eq!(line(&studio).tax_description, None, "{scenario}");
        assert!(priced(&studio, &ada_in_a()).seasons[0].plans[0].taxes.is_empty(), "{scenario}");
    }
}

#[test]
fn r17_exclusive_tax_is_added_after_the_discount() {
    let table: [(_, _, &[_], _); 7] = [
        (1_000, "0", &[("tuition", 1_000), ("tax", 200)], 1_200),
        (1_000, "10", &[("tuition", 1_000), ("tax", 200), ("discount", -100), ("discount-tax", -20)], 1_080),
        // tax(333) = 66.6 ⇒ 67, and tax(300) = 60.
        (333, "10", &[("tuition", 333), ("tax", 67), ("discount", -33), ("discount-tax", -7)], 360),
        // 1.5 ⇒ 2 off; tax(3) = 0.6 ⇒ 1, and tax(1) = 0.2 ⇒ 0.
        (3, "50", &[("tuition", 3), ("tax", 1), ("discount", -2), ("discount-tax", -1)], 1),
        // tax(2) = 0.4 ⇒ 0: details of zero are left out.
        (2, "50", &[("tuition", 2), ("discount", -1)], 1),
        (1_000, "100", &[("tuition", 1_000), ("tax", 200), ("discount", -1_000), ("discount-tax", -200)], 0),
        (0, "10", &[], 0),
    ];
    for (price, discount, details, total) in table {
        let line = line(&taxed(discounted(costing(price), discount), TaxMode::Exclusive, "20"));
        assert_eq!(in_short(&line.details), details, "{discount}% off {price}");
        assert_eq!(line.totals.total, money(total), "{discount}% off {price}");
    }
}

#[test]
fn r17_inclusive_tax_is_contained_in_what_the_discount_leaves() {
    // At 20 % a sixth of the price is tax.
    let table: [(_, _, &[_], _); 6] = [
        (1_200, "0", &[("tuition", 1_000), ("tax", 200)], 1_200),
        // tax(1000) = 166.67 ⇒ 167.
        (1_000, "0", &[("tuition", 833), ("tax", 167)], 1_000),
        // 120 off; tax(1080) = 180; discount −120 + (200 − 180).
        (1_200, "10", &[("tuition", 1_000), ("tax", 200), ("discount", -100), ("discount-tax", -20)], 1_080),
        // 33 off; tax(333) = 55.5 ⇒ 56, and tax(300) = 50; discount −33 + (56 − 50).
        (333, "10", &[("tuition", 277), ("tax", 56), ("discount", -27), ("discount-tax", -6)], 300),
        // 2 off; tax(3) = 0.5 ⇒ 1, and tax(1) = 0.17 ⇒ 0; discount −2 + (1 − 0).
        (3, "50", &[("tuition", 2), ("tax", 1), ("discount", -1), ("discount-tax", -1)], 1),
        (1_000, "100", &[("tuition", 833), ("tax", 167), ("discount", -833), ("discount-tax", -167)], 0),
    ];
    for (price, discount, details, total) in table {
        let line = line(&taxed(discounted(costing(price), discount), TaxMode::Inclusive, "20"));
        assert_eq!(in_short(&line.details), details, "{discount}% off {price}");
        assert_eq!(line.totals.total, money(total), "{discount}% off {price}");
    }
    // tax(1) at 100 % is 0.5 ⇒ 1: nothing of the price is tuition.
    let line = line(&taxed(costing(1), TaxMode::Inclusive, "100"));
    assert_eq!((in_short(&line.details), line.totals.total), (vec![("tax", 1)], money(1)));
}

#[test]
fn r17_a_rate_of_zero_leaves_no_tax_detail_in_either_mode() {
    for mode in [TaxMode::Exclusive, TaxMode::Inclusive] {
        let line = line(&taxed(discounted(costing(1_000), "10"), mode, "0"));
        assert_eq!(in_short(&line.details), [("tuition", 1_000), ("discount", -100)], "{mode:?}");
    }
}

#[test]
fn r17_a_line_s_discount_shows_the_tax_that_falls_away() {
    for (mode, amount, tax, total) in [(TaxMode::Exclusive, -120, -24, -144), (TaxMode::Inclusive, -100, -20, -120)] {
        let line = line(&taxed(discounted(costing(1_200), "10"), mode, "20"));
        let shown = &line.discounts[0];
        assert_eq!(
            (shown.amount, shown.tax_amount, shown.total),
            (money(amount), money(tax), money(total)),
            "{mode:?}"
        );
        assert_eq!(line.totals.discount_total, money(amount), "{mode:?}");
    }
}

/// What a line shows of its discounts: amount, tax and both.
fn shown(line: &Line) -> Vec<(i64, i64, i64)> {
    line.discounts.iter().map(|d| (d.amount.units(), d.tax_amount.units(), d.total.units())).collect()
}

#[test]
fn r16_each_class_is_taxed_at_its_own_rate() {
    let mut studio = taxed(costing(1_000), TaxMode::Exclusive, "20");
    tax_rate(&mut studio, "tax_2", "5.5");
    class(&mut studio, "cls_b").price = money(1_000);
    class(&mut studio, "cls_b").tax_rate = Some(id("tax_2"));
    let quote = priced(&studio, &wanting("aA aB bB"));
    let taxes: Vec<_> = quote.lines.iter().map(|line| line.totals.tax_total.units()).collect();
    assert_eq!(taxes, [200, 55, 55]);
    let taxes = &quote.seasons[0].plans[0].taxes;
    let taxes: Vec<_> = taxes.iter().map(|(of, tax)| (&**of, tax.units())).collect();
    assert_eq!(taxes, [("VAT 20%", 200), ("VAT 5.5%", 110)]);
}

/// Two schemes and the plan, each with a discount of its own on Ada's line at this price.
fn thrice_discounted(price: i64, siblings: i64, classes: i64, plan: &str) -> Studio {
    let mut studio = discounted(costing(price), plan);
    discount(&mut studio, DiscountKind::StudentsOfFamily, Application::TotalTuition, [(1, units_off(siblings))]);
    discount(&mut studio, DiscountKind::ClassesOfStudent, Application::TotalTuition, [(1, units_off(classes))]);
    studio
}

#[test]
fn r17_of_several_discounts_exclusive_tax_is_taken_off_in_their_order() {
    // 1003 less 102 is 901, less 51 is 850, less 10 % is 765.
    let studio = taxed(thrice_discounted(1_003, 102, 51, "10"), TaxMode::Exclusive, "20");
    let line = line(&studio);
    // tax(1003) = 200.6 ⇒ 201; tax(901) = 180.2 ⇒ 180; tax(850) = 170; tax(765) = 153.
    let details = [
        ("tuition", 1_003),
        ("tax", 201),
        ("discount", -102),
        ("discount", -51),
        ("discount", -85),
        ("discount-tax", -48), // 153 − 201
    ];
    assert_eq!(in_short(&line.details), details);
    assert_eq!(line.totals.total, money(918)); // 765 + 153
    // 180 − 201, 170 − 180, 153 − 170.
    assert_eq!(shown(&line), [(-102, -21, -123), (-51, -10, -61), (-85, -17, -102)]);
    let totals = line.totals;
    assert_eq!((totals.subtotal, totals.discount_total, totals.tax_total), (money(1_003), money(-238), money(153)));
}

#[test]
fn r17_of_several_discounts_each_leaves_out_the_inclusive_tax_that_it_contains() {
    // 1000 less 100 is 900, less 50 is 850, less 10 % is 765.
    let studio = taxed(thrice_discounted(1_000, 100, 50, "10"), TaxMode::Inclusive, "20");
    let line = line(&studio);
    // A sixth: tax(1000) = 166.67 ⇒ 167; tax(900) = 150; tax(850) = 141.67 ⇒ 142; tax(765) = 127.5 ⇒ 128.
    let details = [
        ("tuition", 833),
        ("tax", 167),
        ("discount", -83),     // −100 + (167 − 150)
        ("discount", -42),     // −50 + (150 − 142)
        ("discount", -71),     // −85 + (142 − 128)
        ("discount-tax", -39), // 128 − 167
    ];
    assert_eq!(in_short(&line.details), details);
    assert_eq!(line.totals.total, money(765));
    // 150 − 167, 142 − 150, 128 − 142: with its tax, each discount is what was taken off.
    assert_eq!(shown(&line), [(-83, -17, -100), (-42, -8, -50), (-71, -14, -85)]);
    let totals = line.totals;
    assert_eq!((totals.subtotal, totals.discount_total, totals.tax_total), (money(833), money(-196), money(128)));
}

#[test]
fn r17_a_discount_that_is_nothing_but_tax_is_no_detail() {
    // At 100 % inclusive, tax(1) = 0.5 ⇒ 1 and tax(0) = 0: the unit taken off is −1 + (1 − 0).
    let line = line(&taxed(discounted(costing(1), "100"), TaxMode::Inclusive, "100"));
    assert_eq!(in_short(&line.details), [("tax", 1), ("discount-tax", -1)]);
    assert_eq!((line.totals.total, shown(&line)), (money(0), vec![(0, -1, -1)]));
}

#[test]
fn r17_details_say_what_they_are() {
    let mut studio = taxed(discounted(costing(1_000), "5"), TaxMode::Exclusive, "20");
    let kind = DiscountKind::StudentsOfFamily;
    discount(&mut studio, kind, Application::TotalTuition, [(1, percent_off("10"))]);
    let line = line(&studio);
    let words: Vec<_> = line.details.iter().map(|detail| &*detail.description).collect();
    assert_eq!(words, ["Ballet, Ada", "VAT 20%", "Siblings", "Plan discount 5%", "VAT 20% on discounts"]);
}
