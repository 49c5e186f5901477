//! Students, and the fees that they were charged.
//!
//! Invariant: a period that no fee could have is corrupt; whether it fits the fee is the file's business.

use classpay_domain::catalogue::{ChargedFee, FeePeriod, Student};

use super::super::documents::{ChargedFeeEntry, StudentDoc};
use super::{CorruptDocument, corrupt, price};

/// Everything that a student's document may say is a student.
impl From<&StudentDoc> for Student {
    fn from(doc: &StudentDoc) -> Self {
        Self {
            id: doc.id.clone(),
            name: doc.full_name(),
            discountable: doc.discountable,
            born_on: doc.date_of_birth,
            archived: doc.archived_at.is_some(),
        }
    }
}

impl TryFrom<&ChargedFeeEntry> for ChargedFee {
    type Error = CorruptDocument;

    fn try_from(entry: &ChargedFeeEntry) -> Result<Self, CorruptDocument> {
        Ok(Self {
            fee: entry.fee_id.clone(),
            student: entry.student_id.clone(),
            period: FeePeriod::parse(&entry.period).ok_or_else(|| corrupt(&entry.fee_id, "period"))?,
            amount: price(entry.amount, &entry.fee_id, "amount")?,
        })
    }
}
