//! Amounts and percentages as a catalogue's author or a client may write them.
//!
//! Invariant: what is read is written again as the same number; nothing wraps; parts sum to the whole.

use classpay_domain::money::{Money, Overflow, Percent, round_div, split};
use classpay_service::api::extract;

/// Thousandths of a percent in one.
const WHOLE: i128 = 100_000;

/// Panics if the input breaks the invariant.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (first, second) = text.split_once('\n').unwrap_or((text, "0"));
    let percent = Percent::parse(first);
    if let Ok(percent) = percent {
        assert_eq!(Percent::parse(&percent.to_shortest()), Ok(percent));
        assert_eq!(Percent::parse(&percent.to_string()), Ok(percent));
        assert!(percent.in_thousandths() >= 0);
    }
    let Ok(units) = extract::from_json::<i64>(second.as_bytes(), "amount") else { return };
    let amount = Money::minor(units);
    if let Ok(percent) = percent {
        check_parts(percent, amount);
    }
    let parts = split(amount, first.len() % 40);
    if !parts.is_empty() {
        assert_eq!(Money::sum(parts.iter().copied()), Ok(amount));
        let (least, most) = (parts.iter().min().expect("some"), parts.iter().max().expect("some"));
        assert!(most.units() - least.units() <= 1);
    }
    assert_eq!(round_div(i128::from(units), 1), Ok(amount));
}

fn check_parts(percent: Percent, amount: Money) {
    let units = amount.units();
    if let Ok(part) = percent.of(amount) {
        let exact = i128::from(units) * i128::from(percent.in_thousandths());
        let beyond = ((i128::from(part.units()) * WHOLE).abs() - exact.abs()) * 2;
        assert!((1 - WHOLE..=WHOLE).contains(&beyond), "rounded half away from zero");
        if let Ok(less) = amount.negated() {
            assert_eq!(percent.of(less), part.negated(), "a reversal is the exact negative");
        }
    }
    let Ok(tax) = percent.contained_in(amount) else { return };
    assert!(tax.units().unsigned_abs() <= units.unsigned_abs(), "a price contains no more tax than itself");
    if percent <= Percent::HUNDRED {
        let net = amount.minus(tax).expect("what is left of it");
        match percent.of(net).and_then(|tax| net.plus(tax)) {
            Ok(gross) => assert!(gross.units().abs_diff(units) <= 1, "taken out and put on again"),
            // A unit more than can be written.
            Err(Overflow) => assert!(units.unsigned_abs() >= i64::MAX.unsigned_abs()),
        }
    }
}
