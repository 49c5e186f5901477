//! Exact arithmetic: fractions as long as they last, whole minor units where the rules round (rules 2 to 4).

use classpay_domain::money::{Money, Percent};
use num_rational::Ratio;

/// A fraction of minor units, or of anything else.
pub type Exact = Ratio<i128>;

/// A whole number.
pub fn whole(number: impl Into<i128>) -> Exact {
    Exact::from_integer(number.into())
}

/// A count of something.
pub fn count(number: usize) -> i128 {
    i128::try_from(number).unwrap()
}

/// An amount in minor units.
pub fn units(amount: Money) -> i128 {
    amount.units().into()
}

/// A percentage as what it is: 20 % is 1/5.
pub fn part(percent: Percent) -> Exact {
    Exact::new(percent.in_thousandths().into(), 100_000)
}

/// To the nearest, a half away from zero (rule 2).
pub fn rounded(exact: Exact) -> i128 {
    if exact < whole(0) { -rounded(-exact) } else { (exact + Exact::new(1, 2)).floor().to_integer() }
}

/// A percentage of an amount (rule 3).
pub fn percent_of(percent: Percent, amount: i128) -> i128 {
    rounded(part(percent) * whole(amount))
}

/// The parts of a split (rule 4), paid out in notes of 1, 10, 100 and so on: as long as there is a note for everyone,
/// everyone gets one; the last ones go to the first in the row.
pub fn dealt(total: i128, hands: usize) -> Vec<i128> {
    if total < 0 {
        return dealt(-total, hands).into_iter().map(|part| -part).collect();
    }
    let (mut left, mut dealt) = (total, vec![0; hands]);
    let mut note = 1;
    while note * 10 * count(hands) <= total {
        note *= 10;
    }
    while note > 0 {
        while left >= note * count(hands) {
            dealt.iter_mut().for_each(|hand| *hand += note);
            left -= note * count(hands);
        }
        note /= 10;
    }
    for hand in &mut dealt {
        if left > 0 {
            *hand += 1;
            left -= 1;
        }
    }
    dealt
}
