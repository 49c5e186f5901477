//! Everything that an order posts, frozen when it is placed.
//!
//! From here to the order's end nothing is computed again: no price, no id, no date.

use classpay_domain::catalogue::{ChargedFee, Currency, FeePeriod};
use classpay_domain::id::{
    AccountId, ClassId, CompanyId, EnrolmentId, FamilyId, FeeId, IntentId, PlanId, SeasonId, StudentId, TransactionId,
    TrialId,
};
use classpay_domain::link::LinkAlias;
use classpay_domain::money::Money;
use classpay_domain::order::PaidBy;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use crate::aggregate::AggregateTransaction;
use crate::catalogue::documents::text;
use crate::schedule::Schedule;
use crate::stored_entry::StoredEntry;

/// What an order buys and posts. Amounts in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The company that is paid.
    #[serde(with = "text")]
    pub company: CompanyId,
    /// The family that buys.
    #[serde(with = "text")]
    pub family: FamilyId,
    /// The currency of its amounts.
    #[serde(with = "text")]
    pub currency: Currency,
    /// How it is paid; `None`: nothing is collected now.
    pub payment: Option<OrderPayment>,
    /// The hash of the basket.
    pub basket: String,
    /// Places in classes.
    pub enrolments: Vec<BookedEnrolment>,
    /// Trial lessons.
    pub trials: Vec<BookedTrial>,
    /// Trials of earlier orders that end with it, because their students enrol before the lesson.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended_trials: Vec<EndedTrial>,
    /// Fees that are not charged again.
    pub fees: Vec<BookedFee>,
    /// The debit that it pays, if it is a payment link's order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<PaidLink>,
    /// The debits, then the credit.
    pub entries: Vec<StoredEntry>,
}

/// What is captured, and on which account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderPayment {
    /// The Stripe account.
    #[serde(with = "text")]
    pub account: AccountId,
    /// The Stripe intent.
    #[serde(with = "text")]
    pub intent: IntentId,
    /// The exact amount to capture, in minor units.
    pub total: i64,
    /// How it is paid; by card if nothing is stored.
    #[serde(default, with = "paid_by", skip_serializing_if = "paid_by::is_card")]
    pub paid_by: PaidBy,
}

/// What a payment link's order pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaidLink {
    /// The link.
    #[serde(with = "text")]
    pub link: LinkAlias,
    /// The debit.
    #[serde(with = "text")]
    pub debit: TransactionId,
    /// How much of it, in minor units: the payment without the fee.
    pub amount: i64,
    /// Whether that is less than the link was opened for: then the link stays open for the rest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_part: bool,
    /// Until when the link can be paid, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<i64>,
}

/// A place that an order books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BookedEnrolment {
    /// The enrolment's id.
    #[serde(with = "text")]
    pub id: EnrolmentId,
    /// The student.
    #[serde(with = "text")]
    pub student: StudentId,
    /// The class.
    #[serde(with = "text")]
    pub class: ClassId,
    /// The class's season.
    #[serde(with = "text")]
    pub season: SeasonId,
    /// Whether discount schemes count it.
    pub discountable: bool,
    /// How it is paid; `None` for an imported enrolment without a plan.
    #[serde(default, with = "text::option")]
    pub plan: Option<PlanId>,
    /// What is due later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

/// A fee that an order charges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BookedFee {
    /// The fee.
    #[serde(with = "text")]
    pub fee: FeeId,
    /// The student.
    #[serde(with = "text")]
    pub student: StudentId,
    /// `once`, a year, or a season's id.
    #[serde(with = "text")]
    pub period: FeePeriod,
    /// In minor units, before exclusive tax.
    pub amount: i64,
}

impl BookedFee {
    /// The fee as it is stored.
    #[must_use]
    pub fn charged(&self) -> ChargedFee {
        ChargedFee {
            fee: self.fee.clone(),
            student: self.student.clone(),
            period: self.period.clone(),
            amount: Money::minor(self.amount),
        }
    }
}

/// A trial that an order books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BookedTrial {
    /// The trial's id.
    #[serde(with = "text")]
    pub id: TrialId,
    /// The student.
    #[serde(with = "text")]
    pub student: StudentId,
    /// The class.
    #[serde(with = "text")]
    pub class: ClassId,
    /// The lesson.
    #[serde(with = "text")]
    pub on: Date,
    /// When it begins.
    #[serde(with = "text")]
    pub at: Time,
    /// The most trials in that lesson; `None`: any number.
    pub places: Option<u32>,
}

/// A trial that ends because its student enrols.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndedTrial {
    /// The trial's id.
    #[serde(with = "text")]
    pub id: TrialId,
    /// The student.
    #[serde(with = "text")]
    pub student: StudentId,
    /// The class.
    #[serde(with = "text")]
    pub class: ClassId,
    /// The lesson whose trial place is given back.
    #[serde(with = "text")]
    pub on: Date,
}

/// How many trial places of a lesson an order takes and gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LessonPlaces {
    /// Taken by its trials.
    pub taken: u32,
    /// Given back by the trials that end with it.
    pub given_back: u32,
    /// The most that the lesson has; `None`: any number, or none is taken.
    pub most: Option<u32>,
}

/// How [`PaidBy`] is written.
mod paid_by {
    use classpay_domain::order::PaidBy;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    const BANK_DEBIT: &str = "bank-debit";

    pub fn serialize<S: Serializer>(paid_by: &PaidBy, serializer: S) -> Result<S::Ok, S::Error> {
        match paid_by {
            PaidBy::Card => "card",
            PaidBy::BankDebit => BANK_DEBIT,
        }
        .serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PaidBy, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(if text == BANK_DEBIT { PaidBy::BankDebit } else { PaidBy::Card })
    }

    pub fn is_card(paid_by: &PaidBy) -> bool {
        *paid_by == PaidBy::Card
    }
}

impl Snapshot {
    /// How many seats of each class it takes.
    #[must_use]
    pub fn seats(&self) -> std::collections::BTreeMap<&ClassId, u32> {
        let mut seats = std::collections::BTreeMap::new();
        for enrolment in &self.enrolments {
            *seats.entry(&enrolment.class).or_default() += 1;
        }
        seats
    }

    /// How many trial places of each lesson it takes, and gives back when it completes.
    #[must_use]
    pub fn lessons(&self) -> std::collections::BTreeMap<(&ClassId, Date), LessonPlaces> {
        let mut lessons: std::collections::BTreeMap<_, LessonPlaces> = std::collections::BTreeMap::new();
        for trial in &self.trials {
            let places = lessons.entry((&trial.class, trial.on)).or_default();
            places.taken += 1;
            places.most = trial.places;
        }
        for trial in &self.ended_trials {
            lessons.entry((&trial.class, trial.on)).or_default().given_back += 1;
        }
        lessons
    }

    /// What posting it adds to the family's balance.
    #[must_use]
    pub fn balance_change(&self) -> i64 {
        self.entries.iter().map(StoredEntry::balance_change).sum()
    }

    /// The debits, then the credit, as they are posted.
    #[must_use]
    pub fn transactions(&self) -> Vec<AggregateTransaction> {
        self.entries.iter().map(|entry| entry.expand(&self.company, &self.family)).collect()
    }

    /// The credit of its payment.
    #[must_use]
    pub fn credit(&self) -> Option<&StoredEntry> {
        self.entries.iter().find(|entry| !entry.is_debit())
    }
}
