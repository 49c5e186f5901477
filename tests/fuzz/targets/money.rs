//! Amounts and percentages as a catalogue's author or a client may write them.
//!
//! Invariant: what is read is written again as the same number; nothing wraps; parts sum to the whole.
#![no_main]

use classpay_domain::money::{Money, Overflow, Percent, round_div, split};
use classpay_service::http::extract;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
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
        if let (Ok(part), Ok(mirrored)) = (percent.of(amount), amount.negated().and_then(|less| percent.of(less))) {
            assert_eq!(part.negated(), Ok(mirrored), "a reversal is the exact negative");
        }
        if let Ok(tax) = percent.contained_in(amount) {
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
    }
    let parts = split(amount, first.len() % 40);
    if !parts.is_empty() {
        assert_eq!(Money::sum(parts.iter().copied()), Ok(amount));
        let (least, most) = (parts.iter().min().expect("some"), parts.iter().max().expect("some"));
        assert!(most.units() - least.units() <= 1);
    }
    assert_eq!(round_div(i128::from(units), 1), Ok(amount));
});
