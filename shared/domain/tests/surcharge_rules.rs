//! Where, and from which day on, nobody is charged for paying by card.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a scenario that breaks off has failed")]

mod studio;

use classpay_domain::money::Percent;
use classpay_domain::pricing::{Payment, Quote};
use classpay_domain::surcharge::{BANS, Country};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use studio::{TODAY, ada_in_a, costing, money, one_off, percent, priced_on, season};

/// What is quoted on a day for 10.00 that are due then, by a studio there that wants 2.9 % on top.
fn quoted(country: &str, day: Date) -> Quote {
    let mut studio = costing(1_000);
    studio.company.processing_fee = Some(percent("2.9"));
    studio.company.country = Country::parse(country);
    let mut plan = one_off("pp_u");
    plan.first_payment_on = day;
    season(&mut studio).plans = vec![plan];
    priced_on(&studio, &ada_in_a(), day)
}

fn with(fee: i64, percentage: &str) -> Payment {
    let total = money(1_000).plus(money(fee)).unwrap();
    let (processing_fee, processing_fee_percent) = (money(fee), percent(percentage));
    Payment { subtotal: money(1_000), processing_fee, processing_fee_percent, total }
}

#[test]
fn r35_no_fee_is_charged_where_and_when_the_law_forbids_it() {
    let (long_ago, psd2) = (date(2018, 1, 12), date(2018, 1, 13));
    let (free, charged) = (with(0, "0"), with(29, "2.9"));
    let table = [
        ("GB", long_ago, charged),
        ("GB", psd2, free),
        ("GB", TODAY, free),
        ("DE", long_ago, charged),
        ("DE", psd2, free),
        ("HR", TODAY, free),
        ("NO", psd2, free),
        ("IS", TODAY, free),
        ("LI", TODAY, free),
        ("AU", date(2026, 9, 30), charged),
        ("AU", date(2026, 10, 1), free),
        ("AU", date(2026, 12, 1), free),
        ("US", TODAY, charged),
        ("US", date(2026, 12, 1), charged),
        ("CH", TODAY, charged),
        ("NZ", date(2026, 12, 1), charged),
        ("CA", TODAY, charged),
        // Of no country that is known: nobody can say that it is allowed.
        ("", TODAY, free),
        ("UK", TODAY, free),
        ("London", long_ago, free),
        // As a file may write it.
        ("gb", TODAY, free),
        ("us", TODAY, charged),
    ];
    for (country, day, expected) in table {
        assert_eq!(quoted(country, day).payment, Some(expected), "{country:?} on {day}");
    }
}

#[test]
fn r35_the_fee_ends_on_the_day_of_the_law_everywhere() {
    let countries: Vec<_> = BANS.iter().map(|ban| ban.country).collect();
    assert_eq!(
        countries.join(" "),
        "GB AT AX BE BG CY CZ DE DK EE ES FI FR GF GP MF MQ RE YT GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK IS LI NO AU"
    );
    for ban in BANS {
        let percent_on = |day| quoted(ban.country, day).payment.unwrap().processing_fee_percent;
        assert_eq!(
            (percent_on(ban.since - 1.day()), percent_on(ban.since)),
            (percent("2.9"), Percent::ZERO),
            "{ban:?}"
        );
    }
}

#[test]
fn r35_the_day_on_which_a_fee_ends_changes_the_price_and_its_hash() {
    let hash = |country, day| quoted(country, day).hash;
    let (before, after) = (date(2026, 9, 30), date(2026, 10, 1));
    assert!(hash("AU", before).is_some());
    assert_ne!(hash("AU", before), hash("AU", after));
    assert_eq!(hash("US", before), hash("US", after));
    assert_eq!(hash("AU", before), hash("US", before), "a country that charges like another has its price");
    assert_eq!(hash("AU", after), hash("GB", after));
}
