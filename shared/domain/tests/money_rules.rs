//! The arithmetic that every amount goes through. Each test is named for the rule that it tells.
#![expect(clippy::unwrap_used, reason = "a scenario that breaks off has failed")]

use classpay_domain::money::{Money, Overflow, Percent, PercentError, allocate, round_div, split};

const MOST: Money = Money::minor(i64::MAX);
const LEAST: Money = Money::minor(i64::MIN);

const fn money(units: i64) -> Money {
    Money::minor(units)
}

fn percent(text: &str) -> Percent {
    Percent::parse(text).unwrap()
}

fn units(parts: &[Money]) -> Vec<i64> {
    parts.iter().map(|part| part.units()).collect()
}

#[test]
fn r01_an_amount_is_64_bits_and_what_is_beyond_is_an_error() {
    let (one, minus_one) = (money(1), money(-1));
    let table = [
        ("one more than the most", MOST.plus(one), Err(Overflow)),
        ("the most", money(i64::MAX - 1).plus(one), Ok(MOST)),
        ("one less than the least", LEAST.minus(one), Err(Overflow)),
        ("the least", LEAST.plus(one).unwrap().minus(one), Ok(LEAST)),
        ("the least has no negative", LEAST.negated(), Err(Overflow)),
        ("the most has", MOST.negated(), LEAST.plus(one)),
        ("twice the most", MOST.times(2), Err(Overflow)),
        ("once the most", MOST.times(1), Ok(MOST)),
        ("never the most", MOST.times(0), Ok(Money::ZERO)),
        ("more than 100 % of the most", percent("100.001").of(MOST), Err(Overflow)),
        ("100 % of the most", Percent::HUNDRED.of(MOST), Ok(MOST)),
        ("50 % of the most, 4611686018427387903.5", percent("50").of(MOST), Ok(money(4_611_686_018_427_387_904))),
        ("two thirds of the least", LEAST.fraction(2, 3), Ok(money(-6_148_914_691_236_517_205))),
        ("three halves of it", LEAST.fraction(3, 2), Err(Overflow)),
        ("no parts", one.fraction(1, 0), Err(Overflow)),
        ("a sum on its way", Money::sum([MOST, one, minus_one]), Err(Overflow)),
        ("the same in time", Money::sum([MOST, minus_one, one]), Ok(MOST)),
        ("nothing", Money::sum([]), Ok(Money::ZERO)),
    ];
    for (scenario, is, expected) in table {
        assert_eq!(is, expected, "{scenario}");
    }
}

#[test]
fn r02_a_half_goes_away_from_zero_so_that_a_reversal_is_the_exact_negative() {
    let table = [
        (0, 1, 0),
        (1, 2, 1),
        (1, 3, 0),
        (2, 3, 1),
        (3, 2, 2),
        (5, 2, 3),
        (7, 4, 2),
        (5, 4, 1),
        (49, 100, 0),
        (50, 100, 1),
        (149, 100, 1),
        (150, 100, 2),
        (6, 3, 2),
    ];
    for (n, d, expected) in table {
        assert_eq!(round_div(n, d), Ok(money(expected)), "{n}/{d}");
        let negative = money(expected).negated();
        assert_eq!(round_div(n.checked_neg().unwrap(), d), negative, "−{n}/{d}");
    }
    for d in [0, -1, -2, i128::MIN] {
        assert_eq!(round_div(1, d), Err(Overflow), "1/{d}");
    }
    assert_eq!(round_div(i128::MAX, 2), Err(Overflow));
    assert_eq!(round_div(i128::from(i64::MAX), 1), Ok(MOST));
    assert_eq!(round_div(i128::from(i64::MIN), 1), Ok(LEAST));
}

#[test]
fn r03_a_percentage_is_digits_with_at_most_three_decimals() {
    let table = [
        ("0", Ok(0)),
        ("0.001", Ok(1)),
        ("2.9", Ok(2_900)),
        ("2.90", Ok(2_900)),
        ("2.900", Ok(2_900)),
        ("02.9", Ok(2_900)),
        ("20.000", Ok(20_000)),
        ("100", Ok(100_000)),
        ("12345678", Ok(12_345_678_000)),
        ("123456789", Ok(123_456_789_000)),
        ("1234567890", Err(PercentError)),
        ("2.9000", Err(PercentError)),
        ("2.", Err(PercentError)),
        (".9", Err(PercentError)),
        (".", Err(PercentError)),
        ("", Err(PercentError)),
        ("-2", Err(PercentError)),
        ("2,9", Err(PercentError)),
        ("2.9%", Err(PercentError)),
        ("2.x", Err(PercentError)),
        ("x.2", Err(PercentError)),
    ];
    for (text, expected) in table {
        assert_eq!(Percent::parse(text), expected.map(Percent::thousandths), "{text:?}");
    }
}

#[test]
fn r03_a_percentage_of_an_amount_is_rounded() {
    let table = [
        ("20", 1_000, 200, 167),       // 20/120: 166.67
        ("2.9", 36_001, 1_044, 1_015), // 1044.03; 29/1029: 1014.61
        ("0.001", 50_000, 1, 0),       // 0.5; 0.499995
        ("0.001", 49_999, 0, 0),
        ("100", 333, 333, 167), // a half: 166.5
        ("50", 5, 3, 2),        // 2.5; a third: 1.67
        ("0", 1_000, 0, 0),
        ("250", 100, 250, 71), // 250/350: 71.43
    ];
    for (rate, amount, of, contained) in table {
        assert_eq!(percent(rate).of(money(amount)), Ok(money(of)), "{rate} % of {amount}");
        let negative = money(amount).negated().unwrap();
        assert_eq!(percent(rate).of(negative), money(of).negated(), "{rate} % of −{amount}");
        assert_eq!(percent(rate).contained_in(money(amount)), Ok(money(contained)), "{rate} % in {amount}");
        assert_eq!(percent(rate).contained_in(negative), money(contained).negated(), "{rate} % in −{amount}");
    }
}

#[test]
fn r03_a_percentage_is_printed_with_three_decimals_or_the_fewest() {
    for (text, long, short) in
        [("2.9", "2.900", "2.9"), ("20", "20.000", "20"), ("100", "100.000", "100"), ("0.05", "0.050", "0.05")]
    {
        assert_eq!(percent(text).to_string(), long);
        assert_eq!(percent(text).to_shortest(), short);
    }
    assert_eq!((Percent::ZERO.to_string(), Percent::ZERO.to_shortest()), ("0.000".into(), "0".into()));
}

#[test]
fn r04_what_is_left_over_of_a_split_goes_one_unit_each_to_the_first_parts() {
    let table: [(_, _, &[_]); 10] = [
        (10, 1, &[10]),
        (10, 2, &[5, 5]),
        (10, 3, &[4, 3, 3]),
        (11, 3, &[4, 4, 3]),
        (2, 4, &[1, 1, 0, 0]),
        (0, 2, &[0, 0]),
        (-10, 3, &[-4, -3, -3]),
        (-11, 3, &[-4, -4, -3]),
        (-1, 2, &[-1, 0]),
        (5, 0, &[]),
    ];
    for (total, parts, expected) in table {
        assert_eq!(units(&split(money(total), parts)), expected, "{total} in {parts}");
    }
    assert_eq!(split(LEAST, 1), [LEAST]);
    assert_eq!(units(&split(LEAST, 2)), [i64::MIN / 2, i64::MIN / 2]);
}

#[test]
fn r04_an_allocation_gives_the_largest_remainders_a_unit_and_a_tie_to_the_first() {
    let table: [(_, &[_], _); 13] = [
        (10, &[1, 1, 1], Ok(vec![4, 3, 3])),
        (11, &[1, 1, 1], Ok(vec![4, 4, 3])),
        (10, &[1, 2, 3], Ok(vec![2, 3, 5])), // 1.67, 3.33, 5
        (10, &[3, 2, 1], Ok(vec![5, 3, 2])),
        (10, &[1, 0, 3], Ok(vec![3, 0, 7])), // 2.5 and 7.5
        (1, &[1, 2], Ok(vec![0, 1])),
        (7, &[0, 0], Ok(vec![4, 3])), // all zero: as equal weights
        (0, &[1, 2], Ok(vec![0, 0])),
        (0, &[0, 0], Ok(vec![0, 0])),
        (5, &[], Ok(vec![])),
        (-1, &[1, 2], Err(Overflow)),
        (7, &[-1, 2], Err(Overflow)),
        (7, &[i64::MAX, 1], Err(Overflow)),
    ];
    for (total, weights, expected) in table {
        let weights: Vec<_> = weights.iter().copied().map(money).collect();
        assert_eq!(allocate(money(total), &weights).map(|parts| units(&parts)), expected, "{total} by {weights:?}");
    }
    assert_eq!(allocate(MOST, &[MOST]), Ok(vec![MOST]));
}

#[test]
fn r01_an_amount_is_printed_in_minor_units() {
    for (amount, text) in [(money(1_050), "1050"), (money(-5), "-5"), (Money::ZERO, "0")] {
        assert_eq!(amount.to_string(), text);
        assert_eq!(amount.is_zero(), text == "0");
    }
}
