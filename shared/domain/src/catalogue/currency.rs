//! Currencies in which cards are charged.
//!
//! Invariant: we don't sell in a currency whose smallest charge we don't know.

use jiff::civil::Date;

use crate::money::Money;

/// A currency that Stripe settles cards in, with its smallest charge (rule 31).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Currency {
    code: &'static str,
    minimum: i64,
}

/// Stripe's smallest charge by currency, in minor units.
const MINIMUMS: [(&str, i64); 23] = [
    ("usd", 50),
    ("aud", 50),
    ("cad", 50),
    ("chf", 50),
    ("eur", 50),
    ("brl", 50),
    ("inr", 50),
    ("nzd", 50),
    ("sgd", 50),
    ("gbp", 30),
    ("aed", 200),
    ("myr", 200),
    ("pln", 200),
    ("ron", 200),
    ("czk", 1500),
    ("dkk", 250),
    ("nok", 300),
    ("sek", 300),
    ("hkd", 400),
    ("huf", 17500),
    ("jpy", 50),
    ("mxn", 1000),
    ("thb", 1000),
];

/// Currencies that were sold in but no longer exist, with the currency that replaced them and the date.
const REPLACED: [(&str, Replaced); 1] =
    [("bgn", Replaced { name: "the Bulgarian lev", by: "eur", since: jiff::civil::date(2026, 1, 1) })];

/// A currency that is no longer legal tender, and its replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced {
    /// The name of the old currency.
    pub name: &'static str,
    /// The code of the replacement.
    pub by: &'static str,
    /// The first day on which nothing can be paid in the old currency.
    pub since: Date,
}

impl Currency {
    /// The replacement of the currency with this code, if it was replaced.
    #[must_use]
    pub fn replaced(code: &str) -> Option<Replaced> {
        let code = code.to_ascii_lowercase();
        REPLACED.iter().find(|(replaced, _)| *replaced == code).map(|(_, replaced)| *replaced)
    }

    /// Parses an ISO 4217 code in any case. `None` if we don't know its smallest charge and so can't sell in it.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let code = code.to_ascii_lowercase();
        let known = MINIMUMS.iter().find(|(known, _)| *known == code);
        known.map(|&(code, minimum)| Self { code, minimum })
    }

    /// The code in lower case, as Stripe writes it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// The smallest amount that Stripe charges in this currency.
    #[must_use]
    pub const fn smallest_charge(self) -> Money {
        Money::minor(self.minimum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r31_a_currency_without_a_known_smallest_charge_is_not_sold_in() {
        assert_eq!(Currency::parse("GBP").map(|c| (c.code(), c.smallest_charge().units())), Some(("gbp", 30)));
        assert_eq!(Currency::parse("xyz"), None);
        assert_eq!(Currency::parse(""), None);
    }

    #[test]
    fn what_was_replaced_is_not_sold_in_and_what_replaced_it_is() {
        for (code, replaced) in REPLACED {
            assert_eq!((Currency::parse(code), Currency::replaced(code)), (None, Some(replaced)));
            assert!(Currency::parse(replaced.by).is_some());
        }
        assert_eq!(Currency::replaced("eur"), None);
    }
}
