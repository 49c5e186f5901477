//! Amounts, percentages and the three ways to divide an amount (rules 1 to 4 of the pricing rules).
//!
//! No floats, no wrapping, and a single function that rounds ([`round_div`]).

use std::fmt;

/// An amount that doesn't fit in 64 bits. It is reported as `amount_too_large`, never wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount is too large")]
pub struct Overflow;

/// An amount in the currency's minor unit (1000 = 10.00). Signed: a credit and a discount are negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i64);

impl Money {
    /// The amount zero.
    pub const ZERO: Money = Money(0);

    /// An amount in minor units.
    #[must_use]
    pub const fn minor(units: i64) -> Self {
        Self(units)
    }

    /// The amount in minor units.
    #[must_use]
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Whether the amount is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self + other`, or an error if it overflows.
    pub fn plus(self, other: Money) -> Result<Money, Overflow> {
        self.0.checked_add(other.0).map(Money).ok_or(Overflow)
    }

    /// `self - other`, or an error if it overflows.
    pub fn minus(self, other: Money) -> Result<Money, Overflow> {
        self.0.checked_sub(other.0).map(Money).ok_or(Overflow)
    }

    /// The amount with the opposite sign.
    pub fn negated(self) -> Result<Money, Overflow> {
        self.0.checked_neg().map(Money).ok_or(Overflow)
    }

    /// The amount times a whole number.
    pub fn times(self, count: usize) -> Result<Money, Overflow> {
        let count = i128::try_from(count).map_err(|_| Overflow)?;
        narrow(i128::from(self.0).checked_mul(count).ok_or(Overflow)?)
    }

    /// `amount × parts / of`, rounded.
    ///
    /// # Errors
    /// [`Overflow`] beyond 64 bits, or if `of` is zero.
    pub fn fraction(self, parts: usize, of: usize) -> Result<Money, Overflow> {
        let (parts, of) = (i128::try_from(parts).map_err(|_| Overflow)?, i128::try_from(of).map_err(|_| Overflow)?);
        round_div(i128::from(self.0).checked_mul(parts).ok_or(Overflow)?, of)
    }

    /// The sum of the amounts.
    pub fn sum(amounts: impl IntoIterator<Item = Money>) -> Result<Money, Overflow> {
        amounts.into_iter().try_fold(Money::ZERO, Money::plus)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn narrow(wide: i128) -> Result<Money, Overflow> {
    i64::try_from(wide).map(Money).map_err(|_| Overflow)
}

/// `n / d` rounded half away from zero, so that a reversal is the exact negative (rule 2).
///
/// # Errors
/// [`Overflow`] if the quotient is beyond 64 bits, or if `d` is not positive.
pub fn round_div(n: i128, d: i128) -> Result<Money, Overflow> {
    if d <= 0 {
        return Err(Overflow);
    }
    let twice = n.checked_mul(2).ok_or(Overflow)?;
    let half = d.checked_mul(n.signum()).ok_or(Overflow)?;
    let shifted = twice.checked_add(half).ok_or(Overflow)?;
    let divisor = d.checked_mul(2).ok_or(Overflow)?;
    narrow(shifted.checked_div(divisor).ok_or(Overflow)?)
}

/// A percentage as an integer in thousandths of a percent: 20 % is 20,000 (rule 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Percent(i64);

/// A text that is not a percentage: not `digits[.digits]`, or with more than three decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a percentage is digits with at most three decimals, for example 2.9")]
pub struct PercentError;

const DECIMALS: usize = 3;
/// 100 % in thousandths of a percent.
const WHOLE: i128 = 100_000;

impl Percent {
    /// Zero percent.
    pub const ZERO: Percent = Percent(0);
    /// The highest rate of a tax or discount.
    pub const HUNDRED: Percent = Percent(100_000);

    /// A percentage in thousandths of a percent.
    #[must_use]
    pub const fn thousandths(count: i64) -> Self {
        Self(count)
    }

    /// The percentage in thousandths of a percent.
    #[must_use]
    pub const fn in_thousandths(self) -> i64 {
        self.0
    }

    /// Parses `20`, `2.9` or `20.000`.
    ///
    /// # Errors
    /// [`PercentError`] for a sign, an exponent, more than three decimals, or more than nine digits before them.
    pub fn parse(text: &str) -> Result<Self, PercentError> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || decimals.len() > DECIMALS || whole.len() > 9 {
            return Err(PercentError);
        }
        let padded = format!("{whole}{decimals:0<DECIMALS$}");
        padded.parse().map(Percent).map_err(|_| PercentError)
    }

    /// This percentage of the amount, rounded.
    pub fn of(self, amount: Money) -> Result<Money, Overflow> {
        let product = i128::from(amount.0).checked_mul(i128::from(self.0)).ok_or(Overflow)?;
        round_div(product, WHOLE)
    }

    /// The tax included in a gross amount, given this rate on the net amount.
    pub fn contained_in(self, gross: Money) -> Result<Money, Overflow> {
        let rate = i128::from(self.0);
        let product = i128::from(gross.0).checked_mul(rate).ok_or(Overflow)?;
        round_div(product, WHOLE.checked_add(rate).ok_or(Overflow)?)
    }

    /// The shortest form: `2.9`.
    #[must_use]
    pub fn to_shortest(self) -> String {
        let full = self.to_string();
        full.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// Three decimals: `20.000`.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:04}", self.0);
        let (whole, decimals) = digits.split_at(digits.len().saturating_sub(DECIMALS));
        write!(f, "{whole}.{decimals}")
    }
}

/// Splits `total` into `parts` parts that sum to it. The remainder goes to the first parts, one unit each (rule 4).
/// With no parts, the result is empty.
#[must_use]
pub fn split(total: Money, parts: usize) -> Vec<Money> {
    let Ok(count) = i64::try_from(parts) else { return Vec::new() };
    let (Some(each), Some(left_over)) = (total.0.checked_div(count), total.0.checked_rem(count)) else {
        return Vec::new();
    };
    let first = usize::try_from(left_over.unsigned_abs()).unwrap_or(0);
    let step = left_over.signum();
    (0..parts).map(|i| Money(each.saturating_add(if i < first { step } else { 0 }))).collect()
}

/// Divides `total` in proportion to the weights, by the largest-remainder method. A tie goes to the earlier weight, so
/// pass them in the order of their ids. If all weights are zero, they count as equal (rule 4).
///
/// # Errors
/// [`Overflow`] for a negative total or weight, or weights that sum beyond 64 bits.
pub fn allocate(total: Money, weights: &[Money]) -> Result<Vec<Money>, Overflow> {
    if total.0 < 0 || weights.iter().any(|w| w.0 < 0) {
        return Err(Overflow);
    }
    let sum = Money::sum(weights.iter().copied())?;
    if sum.is_zero() {
        return Ok(split(total, weights.len()));
    }
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    for (index, weight) in weights.iter().enumerate() {
        let product = i128::from(total.0).checked_mul(i128::from(weight.0)).ok_or(Overflow)?;
        let divisor = i128::from(sum.0);
        parts.push(narrow(product.checked_div(divisor).ok_or(Overflow)?)?);
        remainders.push((std::cmp::Reverse(product.checked_rem(divisor).ok_or(Overflow)?), index));
    }
    let given = Money::sum(parts.iter().copied())?;
    let left_over = usize::try_from(total.minus(given)?.0).map_err(|_| Overflow)?;
    remainders.sort_unstable();
    for (_, index) in remainders.into_iter().take(left_over) {
        if let Some(part) = parts.get_mut(index) {
            *part = part.plus(Money(1))?;
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r2_a_half_is_rounded_away_from_zero() {
        for (n, d, is) in [(5, 2, 3), (-5, 2, -3), (4, 3, 1), (-4, 3, -1), (1, 2, 1), (49, 100, 0), (0, 7, 0)] {
            assert_eq!(round_div(n, d), Ok(Money(is)), "{n}/{d}");
        }
    }

    #[test]
    fn r3_a_percentage_is_thousandths_and_keeps_its_digits() {
        for (text, is) in [("20.000", 20_000), ("2.9", 2_900), ("0.005", 5), ("100", 100_000), ("0", 0)] {
            assert_eq!(Percent::parse(text), Ok(Percent(is)), "{text}");
        }
        for bad in ["", ".5", "5.", "-1", "+1", "1e2", "1.2345", "1.2.3", " 1", "1 ", "٣"] {
            assert_eq!(Percent::parse(bad), Err(PercentError), "{bad}");
        }
        assert_eq!(Percent(2_900).to_string(), "2.900");
        assert_eq!(Percent(5).to_string(), "0.005");
        assert_eq!((Percent(2_900).to_shortest(), Percent(20_000).to_shortest()), ("2.9".into(), "20".into()));
    }

    #[test]
    fn r4_a_split_gives_what_is_left_over_to_the_first_parts() {
        let units = |total, parts| split(Money(total), parts).into_iter().map(Money::units).collect::<Vec<_>>();
        assert_eq!(units(10, 3), [4, 3, 3]);
        assert_eq!(units(-10, 3), [-4, -3, -3]);
        assert_eq!(units(2, 4), [1, 1, 0, 0]);
        assert_eq!(units(5, 0), [0_i64; 0]);
    }

    #[test]
    fn r4_an_allocation_follows_the_largest_remainder_and_ties_go_to_the_first() {
        let units = |total, weights: &[i64]| {
            let weights: Vec<_> = weights.iter().copied().map(Money).collect();
            allocate(Money(total), &weights).map(|parts| parts.into_iter().map(Money::units).collect::<Vec<_>>())
        };
        assert_eq!(units(10, &[1, 1, 1]), Ok(vec![4, 3, 3]));
        assert_eq!(units(10, &[1, 2, 3]), Ok(vec![2, 3, 5]));
        assert_eq!(units(7, &[0, 0]), Ok(vec![4, 3]));
        assert_eq!(units(7, &[-1, 2]), Err(Overflow));
    }

    #[test]
    fn r1_an_amount_beyond_64_bits_is_an_error_and_never_a_wrap() {
        assert_eq!(Money(i64::MAX).plus(Money(1)), Err(Overflow));
        assert_eq!(Money(i64::MAX).times(2), Err(Overflow));
        assert_eq!(Money(i64::MIN).negated(), Err(Overflow));
        assert_eq!(Percent(200_000).of(Money(i64::MAX)), Err(Overflow));
    }
}
