//! Lasting changes from outside: deleted customers, lost capabilities, calls that Stripe refuses lastingly, an account
//! or a currency that the studio changes, and intents that the studio creates itself.
//!
//! Only dedicated worlds meet them, each only a few. Other worlds draw no numbers for them, so they stay as they were.
//! Nothing here recovers anything: what is lost stays lost, or comes back by chance.

use classpay_domain::id::{AccountId, CustomerId, IntentId};
use classpay_domain::money::Money;
use classpay_domain::order::{IntentStatus, order_of_intent};
use classpay_import::{Extent, ImportError};
use classpay_service::error::ErrorCode;
use classpay_service::store;
use classpay_service::store::key::{self, Key};

use super::calls::{self, Answer};
use super::faults::CallKind;
use super::purchases::{Call, Wanted};
use super::recover::{self, Recovery};
use super::stripe::{Capability, PaysWith};
use super::studio;
use super::world::{Doing, Violation, World};

/// A change from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// The studio deletes a customer that we created.
    CustomerDeleted,
    /// The account loses or regains bank debits or cards.
    CapabilityLost,
    /// Stripe refuses a kind of call lastingly, or answers all kinds again.
    CallsRefused,
    /// The studio connects another account, or its first one again.
    AccountChanged,
    /// The same, and the studio disconnects the account that it leaves: Stripe refuses our calls there.
    AccountDisconnected,
    /// The studio disconnects its account, but still names it.
    AccountClosed,
    /// The studio creates an intent of its own with our marker, in some currency, and its payer pays.
    IntentCopied,
    /// The studio is imported in another currency.
    CurrencyChanged,
}

/// Which changes worlds meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The changes that can happen.
    pub drawn: &'static [Outside],
    /// One world in this many meets them.
    pub one_in: u64,
    /// Whether an answer that says "try again" is a violation where trying again can't help.
    pub forbids_vain_retries: bool,
}

/// The settings of a plain run.
pub const PLAIN: Choice = Choice { drawn: &Outside::ALL, one_in: 4, forbids_vain_retries: true };

/// How often, in steps.
const RARITY: usize = 30;

impl Outside {
    /// Every change.
    pub const ALL: [Self; 8] = [
        Self::CustomerDeleted,
        Self::CapabilityLost,
        Self::CallsRefused,
        Self::AccountChanged,
        Self::AccountDisconnected,
        Self::AccountClosed,
        Self::IntentCopied,
        Self::CurrencyChanged,
    ];
}

/// A world's changes, and their present state.
#[derive(Debug)]
pub struct Surroundings {
    /// The changes that can happen.
    pub drawn: &'static [Outside],
    forbids_vain_retries: bool,
    /// The account that the studio connected last.
    pub account: &'static str,
}

impl Surroundings {
    /// The start of a world that meets no change.
    #[must_use]
    pub fn calm() -> Self {
        Self { drawn: &[], forbids_vain_retries: false, account: studio::ACCOUNT }
    }

    /// The start of a world with a seed.
    #[must_use]
    pub fn of(choice: &Choice, seed: u64) -> Self {
        let Choice { drawn, one_in, forbids_vain_retries } = *choice;
        if seed % one_in == one_in - 1 { Self { drawn, forbids_vain_retries, ..Self::calm() } } else { Self::calm() }
    }
}

/// Whether a change happens in this step.
pub(super) fn is_drawn(world: &World) -> bool {
    !world.outside.drawn.is_empty() && world.rng.one_in(RARITY)
}

/// Makes a change.
pub(super) fn happen(world: &mut World) -> Result<(), Violation> {
    let what = *world.rng.pick(world.outside.drawn);
    world.note(|| format!("from outside: {what:?}"));
    match what {
        Outside::CustomerDeleted => {
            if let Some(customer) = a_customer(world) {
                let mut has_intent = false;
                world.stripe.for_each(|view| has_intent |= *view.customer == customer);
                let is_deleted = world.stripe.delete_customer(&customer).is_ok();
                world.coverage.deleted_unused += u64::from(is_deleted && !has_intent);
            }
        }
        Outside::CapabilityLost => {
            let debits = Capability::BankDebits;
            let capability = *world.rng.pick(&[debits, debits, debits, Capability::Cards]);
            let is_active = world.rng.one_in(3);
            world.stripe.set_capability(&account(world), capability, is_active);
        }
        Outside::CallsRefused if world.rng.one_in(3) => world.stripe.withdraw_refusals(),
        Outside::CallsRefused => {
            let kinds = [CallKind::CreateIntent, CallKind::CreateCustomer, CallKind::CustomerSession];
            let kind = *world.rng.pick(&kinds);
            let refusals = [(400, "amount_too_small"), (402, "card_declined"), (403, "account_restricted")];
            let (status, code) = *world.rng.pick(&refusals);
            world.stripe.refuse(kind, status, code);
        }
        Outside::AccountChanged => world.coverage.account_left += u64::from(change_account(world, true)),
        Outside::AccountDisconnected => {
            world.coverage.account_disconnected += u64::from(change_account(world, false));
        }
        Outside::AccountClosed => {
            world.coverage.account_closed += u64::from(is_under_way(world));
            world.stripe.disconnect(&account(world));
        }
        Outside::IntentCopied => copy_intent(world),
        Outside::CurrencyChanged => {
            let (ctx, account) = (world.ctx.clone(), world.outside.account);
            world.spawn(Doing::Rebilling, async move {
                let imported =
                    studio::load(&ctx.store, &studio::catalogue_as(account, "eur", 5_000), Extent::Part).await;
                let status = match imported {
                    Ok(_) => 200,
                    // The import was cut short, which says nothing about the file.
                    Err(error) if was_cut_short(&error) => 503,
                    Err(_) => 422,
                };
                Some(Answer { status, code: None, released: false, body: None })
            });
        }
    }
    world.check()
}

fn was_cut_short(error: &ImportError) -> bool {
    matches!(error, ImportError::Interrupted | ImportError::Store(_))
}

fn account(world: &World) -> AccountId {
    world.outside.account.parse().expect("an account")
}

/// Any customer that exists: no intent may have been created for it yet.
fn a_customer(world: &World) -> Option<CustomerId> {
    let customers = world.stripe.customers();
    if customers.is_empty() { None } else { Some(world.rng.pick(&customers).clone()) }
}

/// Payments under way stay on their account. Returns whether there are any.
fn change_account(world: &mut World, stays_connected: bool) -> bool {
    let left = world.outside.account;
    let now = if left == studio::ACCOUNT { studio::NEXT_ACCOUNT } else { studio::ACCOUNT };
    let is_under_way = is_under_way(world);
    world.outside.account = now;
    world.stripe.reconnect(&account(world));
    if !stays_connected {
        world.stripe.disconnect(&left.parse().expect("an account"));
    }
    import(world, now);
    is_under_way
}

/// Whether there are payments under way on the account that the studio names.
fn is_under_way(world: &World) -> bool {
    let named = world.outside.account;
    let mut is_under_way = false;
    world.stripe.for_each(|view| is_under_way |= view.account.as_str() == named && !is_final(view.status));
    is_under_way
}

fn is_final(status: IntentStatus) -> bool {
    matches!(status, IntentStatus::Succeeded | IntentStatus::Canceled)
}

/// The studio's own intent is paid, perhaps captured, and perhaps used in a call to us.
fn copy_intent(world: &mut World) {
    let mut intents = Vec::new();
    world.stripe.for_each(|view| intents.push((view.intent.clone(), view.amount)));
    if intents.is_empty() {
        return;
    }
    let (ours, amount) = world.rng.pick(&intents).clone();
    let currency = *world.rng.pick(&["gbp", "eur", "jpy"]);
    let Ok(copy) = world.stripe.copy_intent(&ours, (amount.max(Money::minor(100)), currency)) else { return };
    let is_paid = world.stripe.confirm(&copy, PaysWith::Card).is_ok();
    world.coverage.copied += u64::from(is_paid);
    if world.rng.one_in(2) {
        world.stripe.capture_in_dashboard(&copy, None).ok();
    }
    if world.rng.one_in(2) && !world.purchases.is_empty() {
        call_with(world, copy);
    }
}

fn call_with(world: &mut World, intent: IntentId) {
    let purchase = world.rng.below(world.purchases.len());
    let (family, wanted) = (world.purchases[purchase].family, world.purchases[purchase].wanted.clone());
    let (ctx, call, intent) = (world.ctx.clone(), world.calls.len(), Some(intent.as_str().to_owned()));
    let of = wanted.clone();
    world.calls.push(Call { purchase, family, wanted: of, intent: intent.clone(), shown: None, answer: None });
    match wanted {
        Wanted::Basket(items) => {
            world.spawn(
                Doing::Misusing(call),
                async move { Some(calls::check_out(ctx, family, intent, items, None).await) },
            )
        }
        Wanted::Link(link) => {
            world.spawn(Doing::Misusing(call), async move { Some(calls::process_link(ctx, link, intent).await) });
        }
    }
}

/// The studio's last import holds: one that was cut short, or overtaken by an earlier one, is repeated.
pub(super) fn last_import_holds(world: &mut World) -> Result<(), Violation> {
    if world.outside.drawn.is_empty() {
        return Ok(());
    }
    import(world, world.outside.account);
    recover::run_all(world)
}

fn import(world: &mut World, account: &'static str) {
    let ctx = world.ctx.clone();
    world.spawn(Doing::Repricing, async move {
        studio::load(&ctx.store, &studio::catalogue_as(account, "gbp", 5_000), Extent::Part).await.ok();
        None
    });
}

/// Disconnected accounts are connected again, and what was unreachable ends as if it had always been reachable.
pub(super) fn reconnected_accounts_recover(world: &mut World) -> Result<(), Violation> {
    let mut is_lost = false;
    world.stripe.for_each(|view| is_lost |= !view.is_connected);
    if !is_lost {
        return Ok(());
    }
    for account in [studio::ACCOUNT, studio::NEXT_ACCOUNT] {
        world.stripe.reconnect(&account.parse().expect("an account"));
    }
    recover::by_schedule(world, 2 * 3600)?;
    recover::days_go_by(world, Recovery::Schedule)?;
    world.coverage.reconnected += 1;
    Ok(())
}

/// When nothing goes wrong any more, opening a purchase is never answered "try again": a lasting refusal by Stripe is
/// answered as lasting. 15: and the studio's currency is unchanged.
///
/// # Errors
/// The opening and its answer, or that the currency has changed.
pub(super) fn lasting_refusals_are_final(world: &mut World) -> Result<(), Violation> {
    if world.outside.drawn.is_empty() {
        return Ok(());
    }
    let company = Key { pk: format!("C#{}", studio::COMPANY), sk: "META".to_owned() };
    let company = world.table.item(&company).expect("the studio");
    let doc = company.get("doc").and_then(store::Value::as_text).expect("a document");
    if !doc.contains(r#""currency":"gbp""#) {
        return Err("15: money is owed in pounds, and the studio is billed in another currency".to_owned());
    }
    if !world.outside.forbids_vain_retries {
        return Ok(());
    }
    no_opening_fails_in_vain(world)?;
    // Answers stored under a key are gone.
    recover::by_schedule(world, 25 * 3600)?;
    no_opening_fails_in_vain(world)?;
    // Now refusals are stored under the keys, and then their cause goes away.
    world.stripe.withdraw_refusals();
    no_opening_fails_in_vain(world)?;
    // The same with new customers, which are deleted before we store them.
    world.stripe.refuse(CallKind::CreateIntent, 402, "card_declined");
    delete_all_customers(world);
    no_opening_fails_in_vain(world)?;
    delete_all_customers(world);
    world.stripe.withdraw_refusals();
    no_opening_fails_in_vain(world)
}

fn delete_all_customers(world: &World) {
    for customer in world.stripe.customers() {
        world.stripe.delete_customer(&customer).ok();
    }
}

fn is_claimed_out_of_reach(world: &World) -> bool {
    let is_paid = |status| match status {
        IntentStatus::RequiresCapture | IntentStatus::Processing | IntentStatus::Succeeded => true,
        IntentStatus::RequiresPaymentMethod
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresAction
        | IntentStatus::Canceled => false,
    };
    // A bank debit that failed out of our reach still looks under way to us.
    let is_pending = |account: &AccountId, intent: &IntentId| {
        let order = world.table.item(&key::order(&order_of_intent(account, intent)));
        let state = order.as_ref().and_then(|order| order.get("order_state"));
        state.is_some_and(|state| state.as_text() == Some("PENDING"))
    };
    let mut found = false;
    world.stripe.for_each(|view| {
        let is_claimed = is_paid(view.status) || is_pending(view.account, view.intent);
        found |= !view.is_connected && is_claimed;
    });
    found
}

/// Opens every purchase. None is answered "try again", and none as refused for good unless Stripe refuses it now.
fn no_opening_fails_in_vain(world: &mut World) -> Result<(), Violation> {
    // A payment on an account that refuses our calls blocks its link.
    let may_be_refused = world.stripe.refuses_payments() || is_claimed_out_of_reach(world);
    // An account that is closed to us and still named refuses them all.
    let is_closed = !world.stripe.is_connected(&account(world));
    for which in 0..world.purchases.len() {
        world.open(which);
        while !world.running.is_empty() {
            let Some(done) = world.step()? else { continue };
            let Some(answer) = done.answer else { continue };
            let is_refusal = answer.status == 502
                && (may_be_refused || is_closed && answer.code == Some(ErrorCode::StripeMisconfigured));
            if done.what == Doing::Opening(which) && answer.status >= 500 && !is_refusal {
                let purchase = &world.purchases[which];
                return Err(format!("nothing passes here, and {purchase:?} was answered {answer:?}"));
            }
            world.learn(done.what, answer);
        }
    }
    Ok(())
}
