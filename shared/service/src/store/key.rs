//! The key of every item. This file is the table's layout.
//!
//! Invariant: a key is built only from validated ids, and a company's items have its id in the key, so that no read or
//! write crosses companies or families. No key contains a secret, because metrics, audit logs and exports show keys.

use classpay_domain::catalogue::FeePeriod;
use classpay_domain::fingerprint::Fingerprint;
use classpay_domain::id::{
    AccountId, ClassId, CompanyId, EnrolmentId, EventId, FamilyId, FeeId, IntentId, OrderId, StudentId, TransactionId,
};
use classpay_domain::link::LinkAlias;
use jiff::civil::Date;

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The partition.
    pub pk: String,
    /// The item within it.
    pub sk: String,
}

impl Key {
    /// Whether this is the key of later instalments.
    #[must_use]
    pub fn is_of_plans(&self) -> bool {
        self.pk.ends_with(PLANS)
    }
}

/// The sort key of a partition's main item.
pub const META: &str = "META";
/// Sort keys of a company's partition.
pub const TAX: &str = "TAX#";
/// See [`TAX`].
pub const REGISTRATION_FEE: &str = "REGFEE#";
/// See [`TAX`].
pub const DISCOUNT: &str = "DISC#";
/// See [`TAX`].
pub const HOLIDAY: &str = "HOL#";
/// See [`TAX`].
pub const SEASON: &str = "SEASON#";
/// Sort keys of a family's partition.
pub const STUDENT: &str = "STU#";
/// See [`STUDENT`].
pub const ENROLMENT: &str = "ENR#";
/// See [`STUDENT`].
pub const TRIAL: &str = "TRIAL#";
/// See [`STUDENT`].
pub const FEE: &str = "FEE#";
/// Sort keys of a family's ledger.
pub const LEDGER_ENTRY: &str = "TRN#";
const SEATS: &str = "SEATS";
/// Sort keys of a class's partition: the trials of a lesson.
pub const LESSON: &str = "LESSON#";
/// The sort key of a claim.
pub const CLAIM: &str = "CLAIM";
/// The sort key of a session.
pub const SESSION: &str = "SESSION";
const DUE: &str = "DUE";
const PLANS: &str = "#PLANS";
const ROLL: &str = "#ROLL";
const ORDER_DOC: &str = "DOC#";
/// Sort keys of a debit's partition.
pub const LINK: &str = "LINK#";
const READS: &str = "READS#";

fn key(pk: String, sk: impl Into<String>) -> Key {
    Key { pk, sk: sk.into() }
}

/// The partition of a company and its price list.
#[must_use]
pub fn company_pk(company: &CompanyId) -> String {
    format!("C#{company}")
}

/// The company itself.
#[must_use]
pub fn company(company: &CompanyId) -> Key {
    key(company_pk(company), META)
}

/// One item of the company's price list: `prefix` is [`TAX`] or one of those beside it.
#[must_use]
pub fn price_list(company: &CompanyId, prefix: &str, id: &str) -> Key {
    key(company_pk(company), format!("{prefix}{id}"))
}

/// What a company has in partitions of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Listed {
    /// A class.
    Class(ClassId),
    /// A family.
    Family(FamilyId),
    /// A student of a family.
    Student(FamilyId, StudentId),
}

/// The partition that lists a company's classes, families and students, whose own items are spread over the table.
#[must_use]
pub fn roll_pk(company: &CompanyId) -> String {
    format!("C#{company}{ROLL}")
}

impl Listed {
    /// The key of its document.
    #[must_use]
    pub fn key(&self, company: &CompanyId) -> Key {
        match self {
            Self::Class(id) => class(company, id),
            Self::Family(id) => family(company, id),
            Self::Student(of, id) => student(company, of, id),
        }
    }

    /// The key of its entry in the company's list.
    #[must_use]
    pub fn entry(&self, company: &CompanyId) -> Key {
        let sk = match self {
            Self::Class(id) => format!("CLS#{id}"),
            Self::Family(id) => format!("F#{id}"),
            Self::Student(of, id) => format!("{STUDENT}{of}#{id}"),
        };
        key(roll_pk(company), sk)
    }

    /// Reads the sort key of an entry; `None`: no entry has this sort key.
    #[must_use]
    pub fn parse(sk: &str) -> Option<Self> {
        match sk.split_once('#')? {
            ("CLS", id) => id.parse().ok().map(Self::Class),
            ("F", id) => id.parse().ok().map(Self::Family),
            ("STU", ids) => {
                let (of, id) = ids.split_once('#')?;
                Some(Self::Student(of.parse().ok()?, id.parse().ok()?))
            }
            _ => None,
        }
    }
}

fn class_pk(company: &CompanyId, class: &ClassId) -> String {
    format!("C#{company}#CLS#{class}")
}

/// A class.
#[must_use]
pub fn class(company: &CompanyId, class: &ClassId) -> Key {
    key(class_pk(company, class), META)
}

/// The seats left in a class. They have their own item, because every buyer of the class writes it.
#[must_use]
pub fn seats(company: &CompanyId, class: &ClassId) -> Key {
    key(class_pk(company, class), SEATS)
}

/// The trials booked in one lesson.
#[must_use]
pub fn lesson(company: &CompanyId, class: &ClassId, on: Date) -> Key {
    key(class_pk(company, class), format!("{LESSON}{on}"))
}

/// The partition of a family.
#[must_use]
pub fn family_pk(company: &CompanyId, family: &FamilyId) -> String {
    format!("C#{company}#F#{family}")
}

/// The family itself: balance, version, customer.
#[must_use]
pub fn family(company: &CompanyId, family: &FamilyId) -> Key {
    key(family_pk(company, family), META)
}

/// A student.
#[must_use]
pub fn student(company: &CompanyId, family: &FamilyId, student: &StudentId) -> Key {
    key(family_pk(company, family), format!("{STUDENT}{student}"))
}

/// A student's place in a class.
#[must_use]
pub fn enrolment(company: &CompanyId, family: &FamilyId, student: &StudentId, class: &ClassId) -> Key {
    key(family_pk(company, family), format!("{ENROLMENT}{student}#{class}"))
}

/// A student's trial of a class.
#[must_use]
pub fn trial(company: &CompanyId, family: &FamilyId, student: &StudentId, class: &ClassId) -> Key {
    key(family_pk(company, family), format!("{TRIAL}{student}#{class}"))
}

/// Where the enrolment or trial is that a file imported under this id: `prefix` is [`ENROLMENT`] or [`TRIAL`].
#[must_use]
pub fn loaded_place(company: &CompanyId, prefix: &str, id: &str) -> Key {
    key(format!("C#{company}#{prefix}{id}"), "STAND")
}

/// A fee that a student was charged.
#[must_use]
pub fn charged_fee(
    company: &CompanyId,
    family: &FamilyId,
    fee: &FeeId,
    student: &StudentId,
    period: &FeePeriod,
) -> Key {
    key(family_pk(company, family), format!("{FEE}{fee}#{student}#{period}"))
}

/// The partition of a family's ledger, kept apart so that a quote doesn't read the family's history.
#[must_use]
pub fn ledger_pk(company: &CompanyId, family: &FamilyId) -> String {
    format!("C#{company}#F#{family}#LEDGER")
}

/// The later instalments of an enrolment, outside the family's partition so that a quote doesn't read them.
#[must_use]
pub fn plans(company: &CompanyId, family: &FamilyId, enrolment: &EnrolmentId) -> Key {
    key(plans_pk(company, family), enrolment.as_str())
}

/// The partition of all later instalments of a family.
#[must_use]
pub fn plans_pk(company: &CompanyId, family: &FamilyId) -> String {
    format!("C#{company}#F#{family}{PLANS}")
}

/// A debit or credit.
#[must_use]
pub fn transaction(company: &CompanyId, family: &FamilyId, transaction: &str) -> Key {
    let ulid = transaction.split_once('_').map_or(transaction, |(_, ulid)| ulid);
    key(ledger_pk(company, family), format!("{LEDGER_ENTRY}{ulid}"))
}

/// The partition of what a debit still owes, and of its links.
#[must_use]
pub fn debit_pk(company: &CompanyId, debit: &TransactionId) -> String {
    format!("C#{company}#TRN#{debit}")
}

/// What a debit still owes.
#[must_use]
pub fn due(company: &CompanyId, debit: &TransactionId) -> Key {
    key(debit_pk(company, debit), DUE)
}

/// Which family owns the credit that a file imported under this id. A debit's family is known from what it still owes.
#[must_use]
pub fn loaded_credit(company: &CompanyId, credit: &TransactionId) -> Key {
    key(debit_pk(company, credit), "CREDIT")
}

/// An entry for a link in its debit's partition.
#[must_use]
pub fn link_of_debit(company: &CompanyId, debit: &TransactionId, link: &LinkAlias) -> Key {
    key(debit_pk(company, debit), format!("{LINK}{link}"))
}

/// The prefix of payment links' partitions.
pub const PAYMENT_LINK: &str = "PL#";

/// A payment link.
#[must_use]
pub fn link(link: &LinkAlias) -> Key {
    key(format!("{PAYMENT_LINK}{link}"), META)
}

/// How often Stripe was asked about a link in one hour, counted since 1970.
#[must_use]
pub fn link_reads(link: &LinkAlias, hour: i64) -> Key {
    key(format!("{PAYMENT_LINK}{link}"), format!("{READS}{hour}"))
}

/// The prefix of orders' partitions.
pub const ORDER: &str = "ORD#";

/// An order's head.
#[must_use]
pub fn order(order: &OrderId) -> Key {
    key(format!("{ORDER}{order}"), META)
}

/// What an order posts, frozen. An order that collects nothing may be booked again, as the next generation.
#[must_use]
pub fn order_doc(order: &OrderId, generation: u64) -> Key {
    key(format!("{ORDER}{order}"), format!("{ORDER_DOC}{generation}"))
}

/// The sort key of the record of how far an account's events were read.
pub const FEED: &str = "FEED";

/// How far an account's events were read.
#[must_use]
pub fn feed(account: &AccountId) -> Key {
    key(format!("ACCT#{account}"), FEED)
}

/// The payment methods that an account has refused.
#[must_use]
pub fn account_methods(account: &AccountId) -> Key {
    key(format!("ACCT#{account}"), "METHODS")
}

/// The prefix of intents' partitions.
const INTENT: &str = "PI#";

fn intent_pk(account: &AccountId, intent: &IntentId) -> String {
    format!("{INTENT}{account}#{intent}")
}

/// The intent that a session or claim is about; `None`: the key is neither's.
#[must_use]
pub fn intent_of(key: &Key) -> Option<(AccountId, IntentId)> {
    let (account, intent) = key.pk.strip_prefix(INTENT)?.split_once('#')?;
    account.parse().ok().zip(intent.parse().ok())
}

/// The claim of an intent.
#[must_use]
pub fn claim(account: &AccountId, intent: &IntentId) -> Key {
    key(intent_pk(account, intent), CLAIM)
}

/// The session of an intent: what we made it for.
#[must_use]
pub fn session(account: &AccountId, intent: &IntentId) -> Key {
    key(intent_pk(account, intent), SESSION)
}

/// The prefix of events' partitions.
pub const EVENT: &str = "EVT#";

/// A Stripe event.
#[must_use]
pub fn event(account: &AccountId, event: &EventId) -> Key {
    key(format!("{EVENT}{account}#{event}"), META)
}

/// The record of a family's call with an `Idempotency-Key`. The key itself is not stored.
#[must_use]
pub fn idempotency(company: &CompanyId, family: &FamilyId, route: &str, header: &str) -> Key {
    let mut digest = Fingerprint::new("idempotency-key");
    digest.text(header);
    key(format!("IDEM#{company}#{family}#{route}#{}", digest.finish_hex()), META)
}

/// The prefix of review records' partitions.
pub const REVIEW: &str = "REVIEW#";

/// The partition of a company's review records.
#[must_use]
pub fn review_pk(company: &CompanyId) -> String {
    format!("{REVIEW}{company}")
}

/// A review record.
#[must_use]
pub fn review(company: &CompanyId, ulid: &str) -> Key {
    key(review_pk(company), ulid)
}
