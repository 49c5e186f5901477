//! Families' purchases: impatient clients, several tabs, and intents used by the wrong client.
//!
//! A client knows only its answers.

use std::sync::Arc;

use classpay_domain::id::IntentId;
use classpay_domain::order::IntentStatus;
use classpay_service::error::ErrorCode;
use serde_json::{Value, json};

use super::calls::{self, Answer};
use super::rng::Rng;
use super::stripe::PaysWith;
use super::studio::{CLASSES, FAMILIES, LONG_CLASS};
use super::world::{Doing, World};

/// The subject of a purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A basket.
    Basket(Arc<str>),
    /// What a link shows.
    Link(Arc<str>),
}

/// One purchase of one family.
#[derive(Debug)]
pub struct Purchase {
    /// The family.
    pub family: &'static str,
    /// What it buys.
    pub wanted: Wanted,
    /// The intent that the client was given.
    pub intent: Option<String>,
    /// The amount of that intent, as it was shown.
    pub shown: Option<i64>,
    /// The amount that the client requests, if it doesn't name its basket.
    pub amount: Option<i64>,
    /// Whether the client was told that there is nothing to pay.
    pub is_zero_due: bool,
    /// How the payer has paid.
    pub paid: Option<PaysWith>,
    /// How often it was opened, and how often it will be.
    pub opened: (u32, u32),
    /// How often it was checked out, and how often it will be.
    pub called: (u32, u32),
    /// The idempotency key of its calls.
    pub key: Option<String>,
}

/// A call that pays a purchase, or tries to pay something else with its intent.
#[derive(Debug)]
pub struct Call {
    /// The purchase.
    pub purchase: usize,
    /// The family.
    pub family: &'static str,
    /// The subject.
    pub wanted: Wanted,
    /// The intent.
    pub intent: Option<String>,
    /// The amount of that intent, as shown to the payer; only for the purchase's own call.
    pub shown: Option<i64>,
    /// The answer; `None` if the call was killed.
    pub answer: Option<Answer>,
}

impl Purchase {
    /// A random purchase.
    #[must_use]
    pub fn draw(rng: &Rng, number: usize, links: &[Arc<str>]) -> Self {
        let wanted =
            if rng.one_in(3) { Wanted::Link(rng.pick(links).clone()) } else { Wanted::Basket(String::new().into()) };
        let (family, students) = *rng.pick(&FAMILIES);
        let wanted = match wanted {
            Wanted::Basket(_) => Wanted::Basket(basket(rng, students).to_string().into()),
            link @ Wanted::Link(_) => link,
        };
        let is_by_amount = matches!(wanted, Wanted::Basket(_)) && rng.one_in(8);
        let amount = is_by_amount.then(|| *rng.pick(&AMOUNTS));
        Self { amount, ..Self::of(family, wanted, rng, number) }
    }

    /// A purchase of this.
    #[must_use]
    pub fn of(family: &'static str, wanted: Wanted, rng: &Rng, number: usize) -> Self {
        let times = |most: usize| u32::try_from(rng.below(most)).expect("few") + 1;
        Self {
            family,
            wanted,
            intent: None,
            shown: None,
            amount: None,
            is_zero_due: false,
            paid: None,
            opened: (0, times(2)),
            called: (0, times(3)),
            key: rng.one_in(3).then(|| format!("key-{number}")),
        }
    }

    /// A trial and a place in the same class for the same student.
    #[must_use]
    pub fn trial_and_place(rng: &Rng) -> [Self; 2] {
        let (family, students) = *rng.pick(&FAMILIES);
        let (student, (class, plan, _)) = (*rng.pick(students), *rng.pick(&CLASSES));
        let trial = json!({"classId": class, "studentId": student, "trialAt": "2026-09-28", "time": "16:30"});
        let place = json!({"classId": class, "studentId": student, "pricingPlanId": plan});
        let baskets =
            [(90, json!({"enrolments": [], "trials": [trial]})), (91, json!({"enrolments": [place], "trials": []}))];
        baskets.map(|(number, items)| Self::of(family, Wanted::Basket(items.to_string().into()), rng, number))
    }

    /// Whether its calls can end.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.is_zero_due || (self.intent.is_some() && self.paid.is_some())
    }
}

/// The amounts that clients without a basket request: the price of the first class for a new student, that of the class
/// with the long name, and one that nothing costs.
const AMOUNTS: [i64; 3] = [7_203, 6_174, 12_345];
/// Baskets of which one is near the limits of an order, or above.
const BASKETS_A_LONG_ONE: usize = 60;

/// One or two items of a family's students.
fn basket(rng: &Rng, students: &[&str]) -> Value {
    if rng.one_in(BASKETS_A_LONG_ONE) {
        return long_basket(students);
    }
    let mut enrolments: Vec<Value> = Vec::new();
    let mut trials: Vec<Value> = Vec::new();
    for _ in 0..=rng.below(2) {
        let (student, (class, plan, _)) = (*rng.pick(students), *rng.pick(&CLASSES));
        let is_same = |item: &Value| item["studentId"] == student && item["classId"] == class;
        if enrolments.iter().chain(&trials).any(is_same) {
            continue;
        }
        if rng.one_in(6) {
            let day = *rng.pick(&["2026-09-14", "2026-09-21"]);
            trials.push(json!({"classId": class, "studentId": student, "trialAt": day, "time": "16:30"}));
        } else {
            enrolments.push(json!({"classId": class, "studentId": student, "pricingPlanId": plan}));
        }
    }
    json!({"enrolments": enrolments, "trials": trials})
}

/// A place in the class with the long name for each of a family's students: two are more than an order can hold.
fn long_basket(students: &[&str]) -> Value {
    let (class, plan, _) = LONG_CLASS;
    let place = |student: &&str| json!({"classId": class, "studentId": student, "pricingPlanId": plan});
    json!({"enrolments": students.iter().map(place).collect::<Vec<_>>(), "trials": []})
}

impl World {
    /// Continues a purchase: it is opened, paid or checked out, or its intent is misused.
    pub fn advance(&mut self, which: usize) {
        let purchase = &self.purchases[which];
        let opens = purchase.intent.is_none() || matches!(purchase.wanted, Wanted::Link(_));
        if !purchase.is_zero_due && opens && purchase.opened.0 < purchase.opened.1 {
            self.purchases[which].opened.0 += 1;
            self.open(which);
        } else if purchase.intent.is_some() && purchase.paid.is_none() {
            if self.rng.one_in(8) {
                self.call(which);
            } else {
                self.pay(which);
            }
        } else if purchase.is_paid() && self.rng.one_in(12) {
            self.misuse(which);
        } else if purchase.is_paid() && purchase.called.0 < purchase.called.1 {
            self.call(which);
        }
    }

    /// Opens a session or the link.
    pub fn open(&mut self, which: usize) {
        let Purchase { family, wanted, amount, .. } = &self.purchases[which];
        let (family, ctx) = (*family, self.ctx.clone());
        if let Some(amount) = *amount {
            self.spawn(Doing::Opening(which), async move { Some(calls::open_amount(ctx, family, amount).await) });
            return;
        }
        match wanted.clone() {
            Wanted::Basket(items) => {
                self.spawn(Doing::Opening(which), async move { Some(calls::open_session(ctx, family, items).await) })
            }
            Wanted::Link(link) => {
                self.spawn(Doing::Opening(which), async move { Some(calls::open_link(ctx, link).await) });
            }
        }
    }

    /// The payer confirms the intent that was shown.
    pub fn pay(&mut self, which: usize) {
        let is_link = matches!(self.purchases[which].wanted, Wanted::Link(_));
        let with = match self.rng.below(20) {
            0 => PaysWith::DecliningCard,
            1..=6 if is_link => PaysWith::BankDebit,
            _ => PaysWith::Card,
        };
        let Some(intent) =
            self.purchases[which].intent.as_ref().and_then(|intent| IntentId::parse(intent.as_str()).ok())
        else {
            return;
        };
        let confirmed = self.stripe.confirm(&intent, with).is_ok();
        let status = self.stripe.inspect(&intent, |view| view.status);
        let under_way = matches!(status, Some(IntentStatus::RequiresCapture | IntentStatus::Processing));
        if confirmed && under_way {
            self.purchases[which].paid = Some(with);
        } else if !confirmed {
            // It was paid in another tab or has ended; the client learns that from its next call.
            self.purchases[which].paid = Some(PaysWith::Card);
        }
    }

    /// Checks the basket out, or processes the link.
    pub fn call(&mut self, which: usize) {
        let purchase = &mut self.purchases[which];
        purchase.called.0 += 1;
        let (family, intent, key) = (purchase.family, purchase.intent.clone(), purchase.key.clone());
        let wanted = purchase.wanted.clone();
        let (call, ctx) = (self.calls.len(), self.ctx.clone());
        let own = wanted.clone();
        let shown = purchase.shown;
        self.calls.push(Call { purchase: which, family, wanted: own, intent: intent.clone(), shown, answer: None });
        match wanted {
            Wanted::Basket(items) => {
                self.spawn(
                    Doing::Paying(call),
                    async move { Some(calls::check_out(ctx, family, intent, items, key).await) },
                )
            }
            Wanted::Link(link) => {
                self.spawn(Doing::Paying(call), async move { Some(calls::process_link(ctx, link, intent).await) })
            }
        }
    }

    /// Uses the intent for another basket, another family or another link.
    fn misuse(&mut self, which: usize) {
        let intent = self.purchases[which].intent.clone();
        let ctx = self.ctx.clone();
        let call = self.calls.len();
        let mut told = |family, wanted| {
            let intent = intent.clone();
            self.calls.push(Call { purchase: which, family, wanted, intent, shown: None, answer: None });
        };
        if self.rng.one_in(4) {
            let link = self.rng.pick(&self.links).clone();
            told(self.purchases[which].family, Wanted::Link(link.clone()));
            self.spawn(Doing::Misusing(call), async move { Some(calls::process_link(ctx, link, intent).await) });
            return;
        }
        let own = self.purchases[which].family;
        if let (true, Some(intent), Wanted::Basket(items)) =
            (self.rng.one_in(3), &intent, self.purchases[which].wanted.clone())
        {
            let intent = intent.clone();
            self.spawn(Doing::Trespassing, async move { Some(calls::trespass(ctx, own, intent, items).await) });
            return;
        }
        let (family, students) = if self.rng.one_in(3) { *self.rng.pick(&FAMILIES) } else { family_of(own) };
        let items: Arc<str> = basket(&self.rng, students).to_string().into();
        told(family, Wanted::Basket(items.clone()));
        self.spawn(
            Doing::Misusing(call),
            async move { Some(calls::check_out(ctx, family, intent, items, None).await) },
        );
    }

    /// Records a client's answer.
    pub fn learn(&mut self, doing: Doing, answer: Answer) {
        self.coverage.see_answer(&answer);
        match doing {
            Doing::Opening(which) => {
                let purchase = &mut self.purchases[which];
                purchase.is_zero_due |= answer.code == Some(ErrorCode::PaymentNotNeeded);
                if answer.status == 200 {
                    let body: Value = serde_json::from_str(answer.body.as_deref().unwrap_or_default()).expect("JSON");
                    let intent = body.pointer("/paymentSession/paymentIntent").unwrap_or(&body["paymentIntent"]);
                    purchase.intent = intent["id"].as_str().map(str::to_owned);
                    purchase.shown = intent["amount"].as_i64();
                }
            }
            Doing::Paying(call) | Doing::Misusing(call) => self.calls[call].answer = Some(answer),
            Doing::Trespassing => self.coverage.trespassed += 1,
            Doing::Rebilling => self.coverage.currency_refused += u64::from(answer.status == 422),
            Doing::Delivering | Doing::Scheduled | Doing::Revoking | Doing::Repricing => {}
        }
    }
}

fn family_of(id: &str) -> (&'static str, &'static [&'static str]) {
    *FAMILIES.iter().find(|(family, _)| *family == id).expect("a family of the studio")
}
