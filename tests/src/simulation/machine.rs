//! The machine of the simulation: a table and a Stripe in memory, and perhaps one safeguard less.
//!
//! Invariant: a flaw is a type. What is shipped has none, and nothing of it is compiled in.

use std::fmt::Debug;
use std::marker::PhantomData;

use classpay_service::machine::Machine;

use super::stripe::MemoryStripe;
use super::table::MemoryTable;

/// The service's code on stand-ins, with the flaw `F`.
#[derive(Debug, Clone, Copy)]
pub struct Simulated<F>(PhantomData<F>);

macro_rules! safeguards {
    ($($constant:ident = $flaw:ident, $what:literal;)*) => {
        /// A safeguard that is taken away, or none.
        pub trait Flaw: Debug + Clone + Copy + Send + Sync + 'static {
            /// What it is called.
            const NAME: &str;
            $(
                #[doc = concat!("See [`Machine::", stringify!($constant), "`].")]
                const $constant: bool = true;
            )*
        }

        $(
            #[doc = $what]
            #[derive(Debug, Clone, Copy)]
            pub struct $flaw;

            impl Flaw for $flaw {
                const NAME: &str = $what;
                const $constant: bool = false;
            }
        )*

        impl<F: Flaw> Machine for Simulated<F> {
            type Table = MemoryTable;
            type Stripe = MemoryStripe;
            $(const $constant: bool = F::$constant;)*
        }

        /// Calls a macro with every flaw.
        #[macro_export]
        macro_rules! for_each_flaw {
            ($call:ident) => { $($call!($crate::simulation::machine::$flaw);)* };
        }
    };
}

/// Nothing is taken away: the code as it is shipped.
#[derive(Debug, Clone, Copy)]
pub struct AsShipped;

impl Flaw for AsShipped {
    const NAME: &str = "as it is shipped";
}

safeguards! {
    RECORDS_BEFORE_CAPTURE = CapturesFirst, "captures before anything is recorded";
    SEATS_ARE_CONDITIONAL = ReadsSeatsOnly, "reads that there is a seat, then takes it";
    DUE_IS_CONDITIONAL = LowersDueUnseen, "lowers what is due without a condition";
    FINISHES_ONLY_PENDING = FinishesTwice, "finishes an order without its conditions";
    CLAIMS = ClaimsNothing, "places an order without a claim";
    CLAIMS_BEFORE_CANCEL = CancelsUnclaimed, "cancels without a claim";
    GUARDS_FAMILY = ForgetsFamily, "charges fees without the family's version";
    ASKS_AFTER_SILENCE = TakesSilenceForFailure, "takes a timeout for a failure";
    ASKS_AFTER_REFUSAL = TakesRefusalForFailure, "takes an unexpected state for a failure";
    SCHEDULE_ASKS = RollsBackByAge, "rolls an order back because it is old";
    SCHEDULE_READS_EVENTS = TrustsDeliveries, "does not look for events that never arrived";
    COMPARES_AMOUNT = TrustsAmount, "does not compare the intent's amount";
    COMPARES_BASKET = TrustsBasket, "does not compare the basket of a claim";
    RELEASES_AFTER_CANCEL = ReleasesFirst, "gives seats back before Stripe says canceled";
    POSTS_AFTER_SUCCESS = PostsPendingDebit, "posts a bank debit that is under way";
}
