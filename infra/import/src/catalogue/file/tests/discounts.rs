//! What is wrong with discount schemes, and with prices by the number of classes.

use super::*;

fn scheme(id: &str, unit: &str, tiers: &[(i64, i64)]) -> Value {
    let tier = |(j, (quantity, amount)): (usize, &(i64, i64))| json!({"id": format!("{id}_{j}"), "quantity": quantity, "amount": amount});
    json!({
        "id": id, "scheme": "student_qty_by_family", "application": "individual_item",
        "type": unit, "values": tiers.iter().enumerate().map(tier).collect::<Vec<_>>()
    })
}

#[test]
fn r11_a_scheme_has_a_quantity_once_and_r14_an_amount_that_can_be_taken_off() {
    let at = |rest: &str| format!("discountSchemes[0].values{rest}");
    for (unit, tiers, mistakes) in [
        ("percent", &[(2, 10), (3, 100), (1, 0)][..], vec![]),
        ("fixed", &[(2, 500), (4, 0)], vec![]),
        ("percent", &[], vec![]),
        ("percent", &[(2, 10), (2, 20)], vec![at("[1].quantity: another tier begins at 2 too")]),
        ("percent", &[(0, 10)], vec![at("[0].quantity: is not at least 1")]),
        ("percent", &[(2, 101)], vec![at("[0].amount: is not 0 to 100 percent")]),
        ("percent", &[(2, -1)], vec![at("[0].amount: is not 0 to 100 percent")]),
        ("fixed", &[(2, -1)], vec![at("[0].amount: is negative")]),
        (
            "fixed",
            &[(2, -1), (0, -2), (0, 5)],
            vec![
                at("[0].amount: is negative"),
                at("[1].quantity: is not at least 1"),
                at("[1].amount: is negative"),
                at("[2].quantity: is not at least 1"),
                at("[2].quantity: another tier begins at 0 too"),
            ],
        ),
    ] {
        let found = broken(&[("/discountSchemes", json!([scheme("dsc_1", unit, tiers)]))]);
        assert_eq!(found, mistakes, "{unit} {tiers:?}");
    }
    for odd in [json!(2.5), json!("10"), json!(-2)] {
        let mut broken_tier = scheme("dsc_1", "percent", &[(2, 10)]);
        broken_tier["values"][0]["quantity"] = odd;
        let found = broken(&[("/discountSchemes", json!([broken_tier]))]);
        assert!(found.len() == 1 && found[0].starts_with("discountSchemes[0].values[0].quantity: "), "{found:?}");
    }
}

#[test]
fn r11_one_scheme_of_a_kind_is_enabled() {
    let two = |change: fn(&mut Value)| {
        let mut second = scheme("dsc_2", "fixed", &[(2, 500)]);
        change(&mut second);
        broken(&[("/discountSchemes", json!([scheme("dsc_1", "percent", &[(2, 10)]), second]))])
    };
    assert_eq!(two(|_| ()), ["discountSchemes[1].scheme: another enabled scheme is of this kind"]);
    assert_eq!(two(|second| second["enabled"] = json!(false)), [""; 0]);
    assert_eq!(two(|second| second["scheme"] = json!("course_qty_by_family")), [""; 0]);
    assert_eq!(
        two(|second| {
            second["id"] = json!("dsc_1");
            second["values"][0]["id"] = json!("dsc_1_0");
            second["scheme"] = json!("course_qty_by_student");
        }),
        ["discountSchemes[1].id: dsc_1 is used twice", "discountSchemes[1].values[0].id: dsc_1_0 is used twice"]
    );
}

#[test]
fn a_scheme_that_is_not_given_is_checked_like_one_that_is() {
    let mut off = scheme("dsc_1", "percent", &[(2, 101)]);
    off["enabled"] = json!(false);
    only("/discountSchemes", json!([off]), "discountSchemes[0].values[0].amount: is not 0 to 100 percent");
}

fn prices(of: &[(i64, i64)]) -> Value {
    let price = |(j, (quantity, price)): (usize, &(i64, i64))| json!({"id": format!("psv_{j}"), "quantity": quantity, "price": price});
    of.iter().enumerate().map(price).collect()
}

#[test]
fn r9_prices_by_quantity_are_those_of_one_two_three_classes() {
    let gap = "the quantities are not 1, 2, 3, … without a gap";
    let twice = "has a quantity twice";
    let empty = "is empty, and class-quantity needs the price of one class";
    for (scheme, of, mistake) in [
        ("class-quantity", &[(1, 100), (2, 180)][..], None),
        ("class-quantity", &[(2, 180), (1, 100)], None),
        ("class-quantity", &[(1, 0)], None),
        ("none", &[], None),
        ("class-quantity", &[], Some(empty)),
        ("class-quantity", &[(1, 100), (3, 200)], Some(gap)),
        ("class-quantity", &[(2, 100)], Some(gap)),
        ("class-quantity", &[(0, 0), (1, 100)], Some(gap)),
        ("class-quantity", &[(1, 100), (2, 180), (1, 90)], Some(twice)),
        // They are not used, but they were written on purpose.
        ("none", &[(1, 100), (3, 200)], Some(gap)),
    ] {
        let found =
            broken(&[("/seasons/0/pricingScheme", json!(scheme)), ("/seasons/0/pricingSchemeValues", prices(of))]);
        let expected: Vec<_> =
            mistake.map(|what| format!("seasons[0].pricingSchemeValues: {what}")).into_iter().collect();
        assert_eq!(found, expected, "{scheme} {of:?}");
    }
    let negative = "seasons[0].pricingSchemeValues[1].price: -1 is negative";
    only("/seasons/0/pricingSchemeValues", prices(&[(1, 100), (2, -1)]), negative);
    let mut same = prices(&[(1, 100), (2, 180)]);
    same[1]["id"] = json!("psv_0");
    let twice = "seasons[0].pricingSchemeValues[1].id: psv_0 is used twice";
    only("/seasons/0/pricingSchemeValues", same, twice);
    let odd = broken(&[
        ("/seasons/0/pricingScheme", json!("class-quantity")),
        ("/seasons/0/pricingSchemeValues", prices(&[(1, 100), (2, 180)])),
        ("/seasons/0/pricingSchemeValues/0/price", json!("100")),
    ]);
    assert_eq!(odd.len(), 1, "a price that can't be read is no gap: {odd:?}");
}
