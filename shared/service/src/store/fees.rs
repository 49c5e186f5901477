//! Fees that students were charged, for pricing the next basket.
//!
//! Invariant: a fee is charged once per student and period, until the order that charged it is cancelled.

use classpay_domain::catalogue::ChargedFee;
use classpay_domain::id::{CompanyId, OrderId};

use super::item::Item;
use super::key::{self, Key};
use super::write::{Guard, Write, Writes};
use crate::snapshot::{BookedFee, Snapshot};

/// Charged, or reserved for an order that is not finished.
pub(super) const CHARGED: &str = "CHARGED";
/// Given back.
pub const RELEASED: &str = "RELEASED";

/// The item of a charged fee.
#[must_use]
pub fn charged_fee_item(key: &Key, company: &CompanyId, charged: &ChargedFee) -> Item {
    Item::at(key)
        .text("cid", company.as_str())
        .text("fee_state", CHARGED)
        .text("fee", charged.fee.as_str())
        .text("student", charged.student.as_str())
        .text("period", charged.period.as_str())
        .number("amount", charged.amount.units())
}

/// Charges a fee of an order, on the condition that it isn't charged yet.
pub(super) fn charge(writes: &mut Writes, snapshot: &Snapshot, fee: &BookedFee, order: &OrderId) {
    let key = fee_key(snapshot, fee);
    let item = charged_fee_item(&key, &snapshot.company, &fee.charged()).text("order_id", order.as_str());
    writes.push(Write::put(item).when(Guard::Absent.or(Guard::is("fee_state", RELEASED))));
}

/// Gives a fee back that the order charged.
pub(super) fn released(snapshot: &Snapshot, fee: &BookedFee, order: &OrderId) -> Write {
    Write::edit(fee_key(snapshot, fee))
        .set("fee_state", RELEASED)
        .when(Guard::is("order_id", order.as_str()))
        .when(Guard::is("fee_state", CHARGED))
}

fn fee_key(snapshot: &Snapshot, fee: &BookedFee) -> Key {
    key::charged_fee(&snapshot.company, &snapshot.family, &fee.fee, &fee.student, &fee.period)
}
