//! How a call restarts when another call was faster, and what it answers when it can't continue.
//!
//! A call takes rounds until one gives the answer, until its deadline is near, or until it has had [`MAX_ROUNDS`]. Once
//! a round has sent something whose reply was lost, an error is no longer an answer: only a refusal decided after it is
//! one, and everything else is pending.

use classpay_domain::id::OrderId;

use crate::deadline::Deadline;
use crate::error::{Error, ErrorCode};

/// The most rounds of a call. Each restart means that another call has progressed.
const MAX_ROUNDS: usize = 8;

/// How a round ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Round<T> {
    /// It is the last, with this answer.
    Over(T),
    /// Another call was faster: read again.
    Again,
    /// Something was sent for this order, and its reply was lost or what it did must be read: read again.
    Sent(OrderId),
}

impl<T> Round<T> {
    /// The same round with another answer.
    pub fn map<U>(self, answer: impl FnOnce(T) -> U) -> Round<U> {
        match self {
            Self::Over(over) => Round::Over(answer(over)),
            Self::Again => Round::Again,
            Self::Sent(order) => Round::Sent(order),
        }
    }
}

/// The rounds of a call.
#[derive(Debug)]
pub struct Rounds {
    left: usize,
    deadline: Deadline,
    sent: Option<OrderId>,
}

impl Rounds {
    /// The rounds of a call with this deadline.
    #[must_use]
    pub const fn until(deadline: Deadline) -> Self {
        Self { left: MAX_ROUNDS, deadline, sent: None }
    }

    /// Counts another round, if there is time for it.
    pub fn another(&mut self) -> bool {
        if self.left == 0 || self.deadline.is_near() {
            return false;
        }
        self.left = self.left.saturating_sub(1);
        true
    }

    /// Whether a round of this call has sent something whose reply was lost.
    #[must_use]
    pub const fn was_sent(&self) -> bool {
        self.sent.is_some()
    }

    /// What the call answers after a round; `None`: it needs another.
    pub fn judge<T>(&mut self, round: Result<Round<T>, Error>) -> Option<Result<T, Error>> {
        match round {
            Ok(Round::Over(answer)) => Some(Ok(answer)),
            Ok(Round::Again) => None,
            Ok(Round::Sent(order)) => {
                self.sent = Some(order);
                None
            }
            Err(error) if error.is_refusal() || self.sent.is_none() => Some(Err(error)),
            Err(error) => {
                let cause = error.cause.as_deref();
                tracing::warn!(%error, cause, "error after a lost reply; answering pending");
                self.left = 0;
                None
            }
        }
    }

    /// The order for which something was sent and whose outcome isn't known in time.
    ///
    /// # Errors
    /// `unavailable` if nothing was sent.
    pub fn give_up(self) -> Result<OrderId, Error> {
        self.sent.ok_or_else(|| Error::from(ErrorCode::Unavailable).because("no round was the last in time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> OrderId {
        OrderId::from_bits(1)
    }

    fn refused() -> Result<Round<u8>, Error> {
        Err(ErrorCode::ClassFull.into())
    }

    fn unreachable() -> Result<Round<u8>, Error> {
        Err(ErrorCode::Unavailable.into())
    }

    fn stripe_refuses() -> Result<Round<u8>, Error> {
        Err(ErrorCode::StripeRefused.into())
    }

    /// What a call with these rounds answers, and how many of them it takes.
    fn call(
        rounds: Vec<Result<Round<u8>, Error>>,
        deadline: Deadline,
    ) -> (Result<u8, Result<OrderId, ErrorCode>>, usize) {
        let mut call = Rounds::until(deadline);
        let mut taken = 0;
        let mut rounds = rounds.into_iter();
        while call.another() {
            taken += 1;
            match call.judge(rounds.next().unwrap_or(Ok(Round::Again))) {
                Some(Ok(answer)) => return (Ok(answer), taken),
                Some(Err(error)) => return (Err(Err(error.code)), taken),
                None => {}
            }
        }
        (Err(call.give_up().map_err(|error| error.code)), taken)
    }

    #[test]
    fn an_error_is_an_answer_only_until_a_reply_is_lost() {
        let far = Deadline::at_ms(u64::MAX);
        let (again, sent, over) = (|| Ok(Round::Again), || Ok(Round::Sent(order())), || Ok(Round::Over(7)));
        let pending = || Err(Ok(order()));
        let code = |code| Err(Err(code));
        let table = [
            (vec![over()], Ok(7), 1),
            (vec![again(), over()], Ok(7), 2),
            (vec![], code(ErrorCode::Unavailable), MAX_ROUNDS),
            (vec![refused()], code(ErrorCode::ClassFull), 1),
            (vec![again(), unreachable()], code(ErrorCode::Unavailable), 2),
            (vec![stripe_refuses()], code(ErrorCode::StripeRefused), 1),
            (vec![sent(), over()], Ok(7), 2),
            (vec![sent()], pending(), MAX_ROUNDS),
            (vec![sent(), refused()], code(ErrorCode::ClassFull), 2),
            (vec![sent(), again(), unreachable(), over()], pending(), 3),
            (vec![sent(), stripe_refuses(), over()], pending(), 2),
            (vec![unreachable(), sent()], code(ErrorCode::Unavailable), 1),
        ];
        for (rounds, answer, taken) in table {
            let told = format!("{rounds:?}");
            assert_eq!(call(rounds, far), (answer, taken), "{told}");
        }
    }

    #[test]
    fn no_round_begins_near_the_deadline() {
        let near = Deadline::at_ms(0);
        assert_eq!(call(vec![Ok(Round::Over(7))], near), (Err(Err(ErrorCode::Unavailable)), 0));
    }
}
