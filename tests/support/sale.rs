//! What a purchase in the store's tests posts: a debit of ten pounds, and the credit that pays it.

use classpay_domain::catalogue::Currency;
use classpay_domain::id::{CompanyId, FamilyId, OrderId};
use classpay_domain::ledger::{Detail, DetailKind, Direction, Entry};
use classpay_domain::money::Money;
use classpay_service::aggregate::{AggregateTransaction, Ledger};
use classpay_service::ids::Ids;
use classpay_service::schedule::{Schedule, ScheduledLine};

use crate::store_fixture::id;
use crate::studio::{ADA, BALLET, FULL};

fn line(kind: DetailKind, amount: i64) -> Detail {
    let about = vec![BALLET.to_owned(), ADA.to_owned()];
    Detail { kind, amount: Money::minor(amount), description: "Ballet Primary, Ada Okafor".to_owned(), about }
}

fn entry(direction: Direction, details: Vec<Detail>) -> Entry {
    Entry { direction, on: id("2026-09-07"), description: "Booking".to_owned(), details }
}

/// The debit, and the credit if the purchase is paid.
pub(crate) fn transactions(
    company: &CompanyId,
    family: &FamilyId,
    order: &OrderId,
    paid: bool,
    ids: &Ids,
) -> Vec<AggregateTransaction> {
    let mut entries = vec![entry(Direction::Debit, vec![line(DetailKind::Tuition, 1000)])];
    if paid {
        let details = vec![line(DetailKind::PaymentAuto, 1029), line(DetailKind::FeeCompany, -29)];
        entries.push(entry(Direction::Credit, details));
    }
    let ledger = Ledger { company, family, family_name: "Okafor", order: Some(order) };
    ledger.aggregates(&entries, ids).expect("small amounts")
}

/// Future instalments.
pub(crate) fn schedule() -> Schedule {
    let line = ScheduledLine {
        kind: "tuition".to_owned(),
        description: "Ballet Primary".to_owned(),
        given_by: FULL.to_owned(),
    };
    let (timezone, currency) = ("Europe/London".to_owned(), Currency::parse("gbp").expect("a currency"));
    let mut schedule = Schedule { timezone, currency, lines: Vec::new(), instalments: Vec::new() };
    schedule.push(id("2026-10-07"), [(line, 500)]);
    schedule
}
