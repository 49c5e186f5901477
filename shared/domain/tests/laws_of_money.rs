//! What holds of money, percentages and divisions whatever the numbers are. `PROPTEST_CASES` sets how many are tried.
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "the laws are told in plain arithmetic")]

use classpay_domain::money::{Money, Overflow, Percent, allocate, round_div, split};
use proptest::prelude::*;

/// Any amount, the extremes more often than chance would have them.
fn any_amount() -> impl Strategy<Value = i64> {
    prop_oneof![4 => any::<i64>(), 4 => -1_000_000..1_000_000_i64, 1 => Just(i64::MIN), 1 => Just(i64::MAX)]
}

/// 0 to 100 %.
fn rate() -> impl Strategy<Value = Percent> {
    (0..=Percent::HUNDRED.in_thousandths()).prop_map(Percent::thousandths)
}

/// An amount that 64 bits hold, or the law is broken.
fn held(amount: Result<Money, Overflow>) -> Money {
    amount.unwrap()
}

fn wide(amount: Money) -> i128 {
    i128::from(amount.units())
}

fn sum(parts: &[Money]) -> i128 {
    parts.iter().copied().map(wide).sum()
}

proptest! {
    #[test]
    fn r02_rounding_is_to_the_nearest_and_a_half_goes_away_from_zero(n in any::<i64>(), d in 1..1_000_000_000_i64) {
        let (n, d) = (i128::from(n), i128::from(d));
        let rounded = wide(held(round_div(n, d)));
        let error = (rounded * d - n) * n.signum();
        prop_assert!(-d < 2 * error && 2 * error <= d, "{n}/{d} = {rounded}");
    }

    #[test]
    fn r02_a_reversal_is_the_exact_negative(n in any::<i64>(), d in 1..1_000_000_i64) {
        prop_assume!(n != i64::MIN);
        let (n, d) = (i128::from(n), i128::from(d));
        prop_assert_eq!(round_div(-n, d), round_div(n, d).and_then(Money::negated));
    }

    #[test]
    fn r03_a_percentage_that_is_printed_is_read_as_itself(thousandths in 0..1_000_000_000_000_i64) {
        let percent = Percent::thousandths(thousandths);
        prop_assert_eq!(Percent::parse(&percent.to_string()), Ok(percent));
        prop_assert_eq!(Percent::parse(&percent.to_shortest()), Ok(percent));
    }

    #[test]
    fn r03_a_text_is_a_percentage_or_an_error(text in "[0-9.+eE -]{0,16}|\\PC{0,8}") {
        if let Ok(percent) = Percent::parse(&text) {
            prop_assert!(percent >= Percent::ZERO);
            prop_assert_eq!(Percent::parse(&percent.to_string()), Ok(percent));
        }
    }

    #[test]
    fn r04_the_parts_of_a_split_sum_to_the_total_and_differ_by_one_at_most(total in any_amount(), k in 1..200_usize) {
        let parts = split(Money::minor(total), k);
        prop_assert_eq!(parts.len(), k);
        prop_assert_eq!(sum(&parts), i128::from(total));
        let units = || parts.iter().map(|part| part.units());
        prop_assert!(wide(*parts.iter().max().unwrap()) - wide(*parts.iter().min().unwrap()) <= 1);
        prop_assert!(units().all(|part| part.signum() * total.signum() >= 0), "no part is on the other side of zero");
        prop_assert!(units().map(i64::unsigned_abs).is_sorted_by(|first, next| first >= next), "the first parts get more");
    }

    #[test]
    fn r04_an_allocation_sums_to_its_total_within_one_unit_of_each_share(
        total in 0..=i64::MAX,
        weights in prop::collection::vec(0..1_000_000_i64, 1..30),
    ) {
        let weights: Vec<_> = weights.into_iter().map(Money::minor).collect();
        let parts = allocate(Money::minor(total), &weights).unwrap();
        prop_assert_eq!(sum(&parts), i128::from(total));
        let whole = sum(&weights);
        prop_assume!(whole > 0);
        let mut more = vec![];
        let mut less = vec![];
        for (index, (part, weight)) in parts.iter().zip(&weights).enumerate() {
            let exact = i128::from(total) * wide(*weight);
            prop_assert!((wide(*part) * whole - exact).abs() < whole, "{part} of {total} for {weight} in {whole}");
            // In the order in which the units that are left over are given away.
            let turn = (std::cmp::Reverse(exact % whole), index);
            if wide(*part) * whole > exact { more.push(turn) } else { less.push(turn) }
        }
        let last_given = more.iter().max();
        prop_assert!(less.iter().all(|turn| last_given.is_none_or(|last| last < turn)), "largest remainder, then the first");
    }

    #[test]
    fn r04_equal_weights_or_none_are_a_split(total in 0..=i64::MAX, weight in 0..1_000_000_i64, k in 1..30_usize) {
        let weights = vec![Money::minor(weight); k];
        prop_assert_eq!(allocate(Money::minor(total), &weights), Ok(split(Money::minor(total), k)));
    }

    #[test]
    fn r17_the_tax_that_a_price_contains_never_exceeds_it(gross in 0..=i64::MAX, rate in rate()) {
        let tax = held(rate.contained_in(Money::minor(gross)));
        prop_assert!(Money::ZERO <= tax && tax <= Money::minor(gross));
        let net = Money::minor(gross - tax.units());
        if let Ok(on_top) = rate.of(net) {
            prop_assert!((on_top.units() - tax.units()).abs() <= 1, "and it is the tax of the rest, give or take a unit");
        }
    }

    #[test]
    fn r17_tax_grows_with_the_price(a in 0..=i64::MAX / 2, b in 0..=i64::MAX / 2, rate in rate()) {
        let (less, more) = (Money::minor(a.min(b)), Money::minor(a.max(b)));
        prop_assert!(held(rate.of(less)) <= held(rate.of(more)));
        prop_assert!(held(rate.contained_in(less)) <= held(rate.contained_in(more)));
    }

    #[test]
    fn r01_what_64_bits_do_not_hold_is_an_error_and_never_a_panic_or_a_wrap(
        (a, b) in (any_amount(), any_amount()),
        count in prop_oneof![any::<usize>(), 0..1_000_usize],
        percent in any_amount(),
        weights in prop::collection::vec(any_amount(), 0..6),
    ) {
        let (x, y) = (Money::minor(a), Money::minor(b));
        let exact = |wide: i128| i64::try_from(wide).map(Money::minor).map_err(|_| Overflow);
        let (a, b) = (i128::from(a), i128::from(b));
        prop_assert_eq!(x.plus(y), exact(a + b));
        prop_assert_eq!(x.minus(y), exact(a - b));
        prop_assert_eq!(x.negated(), exact(-a));
        let product = a.checked_mul(i128::try_from(count).unwrap());
        prop_assert_eq!(x.times(count), product.map_or(Err(Overflow), exact));
        // None of these has to succeed, but all have to come back.
        let percent = Percent::thousandths(percent);
        let _ = (percent.of(x), percent.contained_in(x), percent.to_string(), percent.to_shortest());
        let _ = (round_div(a, b), round_div(a * b, a), round_div(i128::MAX, b), round_div(i128::MIN, i128::MAX));
        let weights: Vec<_> = weights.into_iter().map(Money::minor).collect();
        if let Ok(parts) = allocate(x, &weights) {
            prop_assert!(weights.is_empty() || sum(&parts) == a);
        }
        let _ = Money::sum(weights);
    }
}
