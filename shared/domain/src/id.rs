//! Ids, one type for each kind, so that a class can't be mistaken for a student.
//!
//! An id inside the service has passed [`IdError`]'s check, so it is safe in a key and in a log line. A payment link's
//! id is a secret and is therefore not among these types.

use std::fmt;
use std::sync::Arc;

/// An id that is empty, longer than 64 characters or has a character outside `[A-Za-z0-9_]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 1 to 64 characters of A-Z, a-z, 0-9 and _")]
pub struct IdError;

/// The longest id that a caller may pass.
pub const ID_MAX_LEN: usize = 64;

fn check(text: &str) -> Result<(), IdError> {
    let fits = (1..=ID_MAX_LEN).contains(&text.len());
    if fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') { Ok(()) } else { Err(IdError) }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// A clone is cheap.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The prefix of the ids of this kind that we generate.
            pub const PREFIX: &str = $prefix;

            /// Parses an id that is not trusted.
            ///
            /// # Errors
            /// [`IdError`] for what isn't `[A-Za-z0-9_]{1,64}`.
            pub fn parse(text: impl Into<Arc<str>>) -> Result<Self, IdError> {
                let text = text.into();
                check(&text)?;
                Ok(Self(text))
            }

            /// Makes the id of this kind from 128 bits: the prefix and 26 characters of Crockford's base32.
            #[must_use]
            pub fn from_bits(bits: u128) -> Self {
                Self(format!("{}_{}", $prefix, ulid::Ulid::from(bits)).into())
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A class business.
    CompanyId = "co";
    /// A family: who owes and pays.
    FamilyId = "fml";
    /// A student of a family.
    StudentId = "stu";
    /// A class that takes place weekly.
    ClassId = "cls";
    /// A season: a term, a school year.
    SeasonId = "sea";
    /// A pricing plan of a season.
    PlanId = "pp";
    /// A tax rate.
    TaxRateId = "tax";
    /// A registration fee, or an additional fee of a season.
    FeeId = "fee";
    /// A discount scheme.
    DiscountSchemeId = "dsc";
    /// A student's enrolment in a class.
    EnrolmentId = "enr";
    /// A student's single trial lesson.
    TrialId = "trl";
    /// An order: what one payment buys.
    OrderId = "ord";
    /// A transaction of the ledger: a debit or a credit.
    TransactionId = "trn";
    /// A line of a transaction.
    DetailId = "trnd";
    /// The item that a line of a transaction is about.
    DetailEntityId = "trne";
    /// Stripe's PaymentIntent.
    IntentId = "pi";
    /// Stripe's connected account.
    AccountId = "acct";
    /// Stripe's customer.
    CustomerId = "cus";
    /// Stripe's event.
    EventId = "evt";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_break_a_key_or_a_log_line_is_refused() {
        for bad in ["", "cls 1", "cls#1", "cls/../x", "clś", &"x".repeat(65)] {
            assert_eq!(ClassId::parse(bad), Err(IdError), "{bad}");
        }
        assert!(ClassId::parse("x".repeat(64)).is_ok());
    }

    #[test]
    fn a_minted_id_has_its_prefix_and_26_characters() {
        assert_eq!(OrderId::from_bits(u128::MAX).as_str(), "ord_7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
        assert_eq!(OrderId::from_bits(0).as_str(), "ord_00000000000000000000000000");
    }
}
