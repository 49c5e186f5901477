//! Payment links: a secret that shows one debit and accepts its payment.
//!
//! Invariant: a link has at most one live intent. Two links for one debit never collect twice, because each payment
//! lowers the amount due on a condition.

use std::fmt;
use std::str::FromStr;

use crate::catalogue::Currency;
use crate::fingerprint::Fingerprint;
use crate::id::IdError;
use crate::money::{Money, Overflow, Percent};
use crate::order::IntentStatus;
use crate::pricing::{LARGEST_CHARGE, Payment};

/// The number of random characters in a link's id: 130 bits from the operating system.
pub const LINK_RANDOM_CHARS: usize = 26;
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A payment link's id. It is a secret: anyone who has it may see and pay the debit. It has no `Display`, and its
/// `Debug` hides it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentLinkId(String);

impl PaymentLinkId {
    /// Makes an id from random bytes, using five bits of each.
    #[must_use]
    pub fn from_random(bytes: [u8; LINK_RANDOM_CHARS]) -> Self {
        let chars = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 31)));
        Self(format!("pay_{}", chars.map(|byte| char::from(*byte)).collect::<String>()))
    }

    /// Parses an id that is not trusted.
    pub fn parse(text: impl Into<String>) -> Result<Self, IdError> {
        let text = text.into();
        let fits = (1..=crate::id::ID_MAX_LEN).contains(&text.len());
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if fits && plain { Ok(Self(text)) } else { Err(IdError) }
    }

    /// The secret itself, for an answer only; never for a key or a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The alias, which replaces the id wherever the secret must not appear.
    #[must_use]
    pub fn alias(&self) -> LinkAlias {
        let mut digest = Fingerprint::new("payment-link");
        digest.text(&self.0);
        LinkAlias(digest.finish_hex())
    }
}

impl fmt::Debug for PaymentLinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pay_[secret]")
    }
}

/// The digest of a payment link's id. It names the link in keys, orders and sessions, and at Stripe. Keys appear in
/// metrics, audit logs and exports; the alias in them does not open the link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkAlias(String);

/// The length of an alias: a SHA-256 in hex.
const ALIAS_CHARS: usize = 64;

impl LinkAlias {
    /// The digest as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LinkAlias {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let is_digest = text.len() == ALIAS_CHARS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_digest { Ok(Self(text.to_owned())) } else { Err(IdError) }
    }
}

impl fmt::Display for LinkAlias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The status of a payment link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// Open for payment.
    Open,
    /// An order has claimed its payment.
    Processing,
    /// Paid through this link.
    Paid,
    /// Paid through this link, and refunded in full.
    Refunded,
    /// Not paid in time.
    Expired,
    /// Revoked by staff.
    Revoked,
}

impl LinkState {
    /// Every status.
    pub const ALL: [LinkState; 6] =
        [Self::Open, Self::Processing, Self::Paid, Self::Refunded, Self::Expired, Self::Revoked];

    /// The status's name in the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Processing => "processing",
            Self::Paid => "paid",
            Self::Refunded => "refunded",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// Parses the contract's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Why a debit can't be paid by link at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unpayable {
    /// Nothing is due on the debit.
    #[error("nothing is due")]
    NothingDue,
    /// The amount due is below Stripe's minimum.
    #[error("less is due than can be charged")]
    TooSmall,
    /// The amount due is above Stripe's maximum.
    #[error("more is due than can be charged")]
    TooLarge,
}

impl From<Overflow> for Unpayable {
    fn from(_: Overflow) -> Self {
        Self::TooLarge
    }
}

/// What a link charges: the amount due, and the company's processing fee of the day.
pub fn payment(due: Money, processing_fee_percent: Percent, currency: Currency) -> Result<Payment, Unpayable> {
    if due <= Money::ZERO {
        return Err(Unpayable::NothingDue);
    }
    let processing_fee = processing_fee_percent.of(due)?;
    let total = due.plus(processing_fee)?;
    if total < currency.smallest_charge() {
        return Err(Unpayable::TooSmall);
    }
    if total > LARGEST_CHARGE {
        return Err(Unpayable::TooLarge);
    }
    Ok(Payment { subtotal: due, processing_fee, processing_fee_percent, total })
}

/// What a retrieval does about the link's live intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retrieval {
    /// Shows the live intent.
    Show,
    /// Creates the next intent.
    Open,
    /// Cancels the intent because the amount due has changed, then creates the next one.
    CancelThenOpen,
    /// Settles the intent: the payer has done their part.
    Settle,
}

/// Decides by the status of the live intent (`None` if there is none) and by whether it charges what is due.
#[must_use]
pub fn retrieval(live: Option<IntentStatus>, charges_what_is_due: Amount) -> Retrieval {
    match (live, charges_what_is_due) {
        (None | Some(IntentStatus::Canceled), _) => Retrieval::Open,
        (
            Some(
                IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction,
            ),
            Amount::Right,
        ) => Retrieval::Show,
        (
            Some(
                IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction,
            ),
            Amount::Wrong,
        ) => Retrieval::CancelThenOpen,
        (Some(IntentStatus::RequiresCapture | IntentStatus::Processing | IntentStatus::Succeeded), _) => {
            Retrieval::Settle
        }
    }
}

/// Whether an intent charges what is due now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// It charges exactly that.
    Right,
    /// It charges another amount.
    Wrong,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_s_id_is_130_random_bits_that_no_log_line_shows() {
        let id = PaymentLinkId::from_random([0xFF; LINK_RANDOM_CHARS]);
        assert_eq!(id.expose(), "pay_ZZZZZZZZZZZZZZZZZZZZZZZZZZ");
        assert_eq!(format!("{id:?}"), "pay_[secret]");
        assert_ne!(id, PaymentLinkId::from_random([1; LINK_RANDOM_CHARS]));
    }

    #[test]
    fn an_alias_is_the_same_for_the_same_id_and_shows_nothing_of_it() {
        let id = PaymentLinkId::from_random([7; LINK_RANDOM_CHARS]);
        let alias = id.alias();
        assert_eq!(alias, id.clone().alias());
        assert_ne!(alias, PaymentLinkId::from_random([8; LINK_RANDOM_CHARS]).alias());
        assert!(!alias.as_str().contains(id.expose()));
        assert_eq!(alias.as_str().parse(), Ok(alias.clone()));
        for no_alias in ["", id.expose(), &alias.as_str().to_uppercase(), &alias.as_str()[1..]] {
            assert_eq!(no_alias.parse::<LinkAlias>(), Err(IdError), "{no_alias}");
        }
    }

    #[test]
    fn a_link_charges_what_is_due_and_the_fee() {
        let gbp = Currency::parse("gbp").unwrap();
        let fee = Percent::thousandths(2_900);
        let pay = |due| payment(Money::minor(due), fee, gbp);
        assert_eq!(pay(1000).map(|p| (p.processing_fee.units(), p.total.units())), Ok((29, 1029)));
        let free = payment(Money::minor(1000), Percent::ZERO, gbp);
        assert_eq!(free.map(|p| (p.processing_fee.units(), p.total.units())), Ok((0, 1000)));
        assert_eq!(pay(0), Err(Unpayable::NothingDue));
        assert_eq!(pay(-5), Err(Unpayable::NothingDue));
        assert_eq!(pay(28), Err(Unpayable::TooSmall));
        assert_eq!(pay(99_999_999), Err(Unpayable::TooLarge));
        assert_eq!(pay(i64::MAX), Err(Unpayable::TooLarge));
    }

    #[test]
    fn an_intent_that_the_payer_has_paid_is_settled_and_never_cancelled_by_a_retrieval() {
        for amount in [Amount::Right, Amount::Wrong] {
            for status in [IntentStatus::RequiresCapture, IntentStatus::Processing, IntentStatus::Succeeded] {
                assert_eq!(retrieval(Some(status), amount), Retrieval::Settle);
            }
            assert_eq!(retrieval(Some(IntentStatus::Canceled), amount), Retrieval::Open);
        }
        assert_eq!(retrieval(Some(IntentStatus::RequiresAction), Amount::Wrong), Retrieval::CancelThenOpen);
        assert_eq!(retrieval(Some(IntentStatus::RequiresAction), Amount::Right), Retrieval::Show);
    }

    #[test]
    fn the_states_are_read_as_they_are_written() {
        for state in LinkState::ALL {
            assert_eq!(LinkState::parse(state.as_str()), Some(state));
        }
    }
}
