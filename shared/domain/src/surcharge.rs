//! Where a payer must not be charged for paying by card (rule 35).
//!
//! Invariant: a fee is taken only where we know that no law in [`BANS`] forbids it. A company whose country is unknown
//! takes none.

use std::fmt;

use jiff::civil::{Date, date};

use crate::money::Percent;

/// An ISO 3166-1 country code, such as `GB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(&'static str);

/// Every officially assigned two-letter code.
const COUNTRIES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP \
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT \
    MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ \
    UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

impl Country {
    /// Parses a code in any case. `None` if no country has it.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        COUNTRIES.split_ascii_whitespace().find(|known| known.eq_ignore_ascii_case(code)).map(Self)
    }

    /// The code in upper case.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A law that forbids charging consumers for paying by card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ban {
    /// The country in which it applies.
    pub country: &'static str,
    /// The first day on which it applies there.
    pub since: Date,
    /// The legal source.
    pub source: &'static str,
}

const UNITED_KINGDOM: &str = "Consumer Rights (Payment Surcharges) Regulations 2012, regulation 6A";
const UNION: &str = "Directive (EU) 2015/2366, article 62";
/// The directive entered the EEA Agreement later. No fee is taken in the time between the two dates either.
const EEA: &str = "Directive (EU) 2015/2366, article 62, in the EEA by Joint Committee Decision 165/2019";
const AUSTRALIA: &str = "Reserve Bank of Australia, Review of Merchant Card Payment Costs and Surcharging";

const PSD2: Date = date(2018, 1, 13);

const fn ban(country: &'static str, since: Date, source: &'static str) -> Ban {
    Ban { country, since, source }
}

/// Where, and from which day, surcharges are forbidden. All 27 member states were in the Union when the directive began
/// to apply.
pub const BANS: [Ban; 39] = [
    ban("GB", PSD2, UNITED_KINGDOM),
    ban("AT", PSD2, UNION),
    // Åland, and the parts of France in which Union law applies, have codes of their own.
    ban("AX", PSD2, UNION),
    ban("BE", PSD2, UNION),
    ban("BG", PSD2, UNION),
    ban("CY", PSD2, UNION),
    ban("CZ", PSD2, UNION),
    ban("DE", PSD2, UNION),
    ban("DK", PSD2, UNION),
    ban("EE", PSD2, UNION),
    ban("ES", PSD2, UNION),
    ban("FI", PSD2, UNION),
    ban("FR", PSD2, UNION),
    ban("GF", PSD2, UNION),
    ban("GP", PSD2, UNION),
    ban("MF", PSD2, UNION),
    ban("MQ", PSD2, UNION),
    ban("RE", PSD2, UNION),
    ban("YT", PSD2, UNION),
    ban("GR", PSD2, UNION),
    ban("HR", PSD2, UNION),
    ban("HU", PSD2, UNION),
    ban("IE", PSD2, UNION),
    ban("IT", PSD2, UNION),
    ban("LT", PSD2, UNION),
    ban("LU", PSD2, UNION),
    ban("LV", PSD2, UNION),
    ban("MT", PSD2, UNION),
    ban("NL", PSD2, UNION),
    ban("PL", PSD2, UNION),
    ban("PT", PSD2, UNION),
    ban("RO", PSD2, UNION),
    ban("SE", PSD2, UNION),
    ban("SI", PSD2, UNION),
    ban("SK", PSD2, UNION),
    ban("IS", PSD2, EEA),
    ban("LI", PSD2, EEA),
    ban("NO", PSD2, EEA),
    ban("AU", date(2026, 10, 1), AUSTRALIA),
];

impl Ban {
    /// The ban of a country, whether it applies yet or not.
    #[must_use]
    pub fn of(country: Country) -> Option<&'static Self> {
        BANS.iter().find(|ban| ban.country == country.code())
    }
}

/// The part of a fee that may be charged on a day: all of it, or nothing if the law forbids it or the country is
/// unknown.
#[must_use]
pub fn charged(fee: Option<Percent>, country: Option<Country>, on: Date) -> Percent {
    let (Some(fee), Some(country)) = (fee, country) else { return Percent::ZERO };
    let is_forbidden = Ban::of(country).is_some_and(|ban| ban.since <= on);
    if is_forbidden { Percent::ZERO } else { fee }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn r35_every_law_is_of_one_country_and_says_where_it_is_written() {
        let countries: BTreeSet<_> = BANS.iter().map(|ban| Country::parse(ban.country).unwrap()).collect();
        assert_eq!(countries.len(), BANS.len());
        for ban in &BANS {
            assert_eq!(Ban::of(Country::parse(ban.country).unwrap()), Some(ban));
            assert!(!ban.source.is_empty());
        }
    }

    #[test]
    fn r35_the_parts_of_a_state_that_have_a_code_of_their_own_are_under_its_law() {
        for (part, state) in
            [("AX", "FI"), ("GF", "FR"), ("GP", "FR"), ("MF", "FR"), ("MQ", "FR"), ("RE", "FR"), ("YT", "FR")]
        {
            let since = |code| Ban::of(Country::parse(code).unwrap()).map(|ban| ban.since);
            assert_eq!(since(part), since(state), "{part}");
        }
    }

    #[test]
    fn a_country_is_what_iso_3166_assigns_in_any_case() {
        let codes: BTreeSet<_> = COUNTRIES.split_ascii_whitespace().collect();
        assert_eq!((codes.len(), COUNTRIES.split_ascii_whitespace().count()), (249, 249));
        assert!(codes.iter().all(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())));
        assert_eq!(Country::parse("gb").map(Country::code), Some("GB"));
        for none in ["", "UK", "EL", "EU", "XX", "USA", "G", "GB ", "AD AE"] {
            assert_eq!(Country::parse(none), None, "{none:?}");
        }
    }
}
