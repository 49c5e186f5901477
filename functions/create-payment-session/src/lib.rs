//! `POST /v1/integrations/stripe/{familyId}/payment-sessions`: opens the intent that a checkout captures.
//!
//! Invariant: an intent's secret is answered only once its session is stored, so that a payer can confirm nothing that
//! we don't know. Two sessions for the same basket share one intent.

mod intent;

use classpay_domain::basket::Basket;
use classpay_domain::catalogue::Currency;
use classpay_domain::id::{CustomerId, TransactionId};
use classpay_domain::money::Money;
use classpay_domain::pricing::{Charge, LARGEST_CHARGE};
use classpay_service::api::{Caller, Response, extract};
use classpay_service::basket::{self, Plans};
use classpay_service::catalogue::documents::text::AsText;
use classpay_service::context::Context;
use classpay_service::error::{Error, ErrorCode};
use classpay_service::quoting::{local_now, price};
use classpay_service::refusals::quote_changed;
use classpay_service::scope::FamilyScope;
use classpay_service::store::{Commit, LoadedStudio, SessionKind};
use classpay_service::stripe::{KnownCustomer, NewCustomer, PaymentSessionBody, SavedCards, StripeError};
use classpay_service::telemetry;
use classpay_service::wire::ItemsBody;
use classpay_service::wire::object::object_or_null;
use intent::Failure;
use lambda_http::Request;
use schemars::JsonSchema;
use serde::Deserialize;

/// What a session is opened for: exactly one of `amount` and `items`.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "PaymentSessionRequest")]
pub struct SessionBody {
    /// What to authorise, in minor units. Written in digits: `1029.0` is refused.
    amount: Option<i64>,
    /// Not supported yet: null.
    #[schemars(with = "Option<AsText<TransactionId>>")]
    transaction_id: Option<String>,
    /// The basket; the server works the amount out, as a checkout would.
    #[serde(default, deserialize_with = "object_or_null")]
    #[schemars(extend("x-addition" = true))]
    items: Option<ItemsBody>,
    /// The `quoteHash` of the quote that the payer saw: at another price nothing is charged.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"), extend("x-addition" = true))]
    quote_hash: Option<String>,
}

/// The request, validated.
enum Wanted {
    Amount(Money),
    Items { basket: Basket, items: ItemsBody, quote_hash: Option<String> },
}

impl Wanted {
    fn parse(body: SessionBody) -> Result<Self, Error> {
        if body.transaction_id.is_some() {
            return Err(Error::new(ErrorCode::NotSupported, "A session for a transaction is not supported yet."));
        }
        match (body.amount, body.items) {
            (Some(amount), None) if body.quote_hash.is_none() => Ok(Self::Amount(Money::minor(amount))),
            (None, Some(items)) => {
                let basket = basket::parse(&items, Plans::Required)?;
                Ok(Self::Items { basket, items, quote_hash: body.quote_hash })
            }
            _ => Err(Error::new(ErrorCode::WrongType, "Exactly one of amount and items must be given.")),
        }
    }
}

/// Answers a payment session.
///
/// # Errors
/// The refusals of a session; nothing has been charged in any case.
pub async fn handle(ctx: &Context, request: &Request) -> Result<Response, Error> {
    let scope = Caller::of(request)?.scope(extract::path(request, "familyId")?)?;
    let wanted = Wanted::parse(extract::body(request)?)?;
    let nothing = Basket::new(Vec::new(), Vec::new());
    let basket = match &wanted {
        Wanted::Amount(_) => &nothing,
        Wanted::Items { basket, .. } => basket,
    };
    let loaded = ctx.store.load_current_studio(&scope, basket).await?.ok_or_else(Error::not_found)?;
    if loaded.studio.family.archived {
        return Err(Error::not_found());
    }
    let currency = loaded.studio.company.currency;
    let amount = match &wanted {
        Wanted::Amount(amount) => collectable(*amount, currency)?,
        Wanted::Items { basket, quote_hash, .. } => total_due(ctx, &scope, &loaded, basket, quote_hash.as_deref())?,
    };
    let account = loaded.studio.company.stripe_account.clone().ok_or(ErrorCode::StripeMisconfigured)?;
    let stripe = ctx.stripe()?.within(extract::deadline(request).for_stripe());
    let kind = match wanted {
        Wanted::Amount(_) => SessionKind::Amount,
        Wanted::Items { basket, items, .. } => {
            SessionKind::Basket { hash: basket.hash(&scope.company, &scope.family).as_str().to_owned(), items }
        }
    };
    let open = intent::Open { ctx, scope: &scope, stripe: &*stripe, account: &account, amount, currency, kind };
    let mut known = loaded.customer.clone();
    let mut customer = match known.on(&account) {
        Some(id) => (known.clone(), id.clone()),
        None => made(&open, &loaded, &known).await?,
    };
    for _ in 0..MAX_RENEWALS {
        match session_of(&open, &known, customer).await? {
            Ok(body) => return Response::ok(&body),
            // Deleted in the studio's dashboard: another customer replaces it.
            Err((gone, _)) => {
                customer = made(&open, &loaded, &gone).await?;
                known = gone;
            }
        }
    }
    Response::ok(&session_of(&open, &known, customer).await?.map_err(|(_, error)| error)?)
}

/// How many customers unknown to Stripe one call replaces.
const MAX_RENEWALS: u32 = 2;

/// A stored customer that Stripe doesn't know, and Stripe's error.
type Gone = (KnownCustomer, StripeError);

/// The customer that follows the known one.
async fn made(
    open: &intent::Open<'_>,
    loaded: &LoadedStudio,
    known: &KnownCustomer,
) -> Result<(KnownCustomer, CustomerId), Error> {
    let (about, key) = (
        open.ctx.metadata(&open.scope.company, &open.scope.family)?,
        format!("cus:{}:{}", open.scope.company, open.scope.family),
    );
    let new = NewCustomer { account: open.account, name: &loaded.studio.family.name, about: &about, key: &key };
    Ok(new.make(open.stripe, known, &open.ctx.ids).await?)
}

/// Opens the session with this customer, and stores it if it differs from the known one.
async fn session_of(
    open: &intent::Open<'_>,
    known: &KnownCustomer,
    (customer, id): (KnownCustomer, CustomerId),
) -> Result<Result<PaymentSessionBody, Gone>, Error> {
    let (stored, body) = tokio::join!(remembered(open, &customer, known), session_body(open, &id));
    let stored = stored?;
    let body = match stored.on(open.account) {
        Some(stored) if *stored == id => body,
        // Another call has stored another customer first: the session opened for ours is dropped.
        Some(stored) => session_body(open, stored).await,
        None => return Err(ErrorCode::Unavailable.into()),
    };
    match body {
        Ok(body) => Ok(Ok(body)),
        Err(Failure::NoCustomer(error)) => Ok(Err((stored, error))),
        Err(Failure::Refused(error)) => Err(error),
    }
}

/// Opens the intent and what its payment form needs.
async fn session_body(open: &intent::Open<'_>, customer: &CustomerId) -> Result<PaymentSessionBody, Failure> {
    let intent::Open { ctx, stripe, account, .. } = open;
    let (session_key, ephemeral_key) = (format!("cs:{}", ctx.ids.bare()), format!("ek:{}", ctx.ids.bare()));
    let (intent, session, key) = tokio::join!(
        open.find_or_create(customer),
        stripe.create_customer_session(account, customer, SavedCards::Offered, &session_key),
        stripe.create_ephemeral_key(account, customer, &ephemeral_key),
    );
    // If any of them reports that the customer is gone, the session can be opened with another.
    let (session, key, intent) = (session?, key?, intent?);
    telemetry::about_intent(&intent.id);
    Ok(PaymentSessionBody::new(&intent, &session, &key))
}

/// Checks an amount that the caller sent.
fn collectable(amount: Money, currency: Currency) -> Result<Money, Error> {
    if amount < currency.smallest_charge() {
        return Err(ErrorCode::AmountTooSmall.into());
    }
    if amount > LARGEST_CHARGE {
        return Err(ErrorCode::AmountTooLarge.into());
    }
    Ok(amount)
}

/// What a checkout of this basket would charge now.
fn total_due(
    ctx: &Context,
    scope: &FamilyScope,
    loaded: &LoadedStudio,
    basket: &Basket,
    quote_hash: Option<&str>,
) -> Result<Money, Error> {
    let quote = price(ctx, scope, loaded, basket, local_now(ctx, loaded)?)?;
    if quote_hash.is_some_and(|seen| Some(seen) != quote.hash.as_deref()) {
        return Err(quote_changed(quote.payment.as_ref()));
    }
    let charge = quote.payment.map_or(Ok(Charge::Nothing), |due| due.charge(loaded.studio.company.currency))?;
    match charge {
        Charge::Collect(payment) => Ok(payment.total),
        Charge::Nothing | Charge::Uncollectable(_) => {
            Err(Error::new(ErrorCode::PaymentNotNeeded, "Nothing is to be collected now: check out without payment."))
        }
    }
}

/// The customer that the family has from now on: the first one stored in place of the known one wins.
async fn remembered(
    open: &intent::Open<'_>,
    customer: &KnownCustomer,
    known: &KnownCustomer,
) -> Result<KnownCustomer, Error> {
    if customer == known {
        return Ok(customer.clone());
    }
    let (ctx, company, family) = (open.ctx, &open.scope.company, &open.scope.family);
    match ctx.store.remember_customer((company, family), customer, known).await? {
        Commit::Done => Ok(customer.clone()),
        Commit::ConditionFailed | Commit::Contended | Commit::Unknown => {
            let stored = ctx.store.load_customer(company, family).await?;
            // The known customer is unusable, and its replacement was not written.
            if stored == *known { Err(ErrorCode::Unavailable.into()) } else { Ok(stored) }
        }
    }
}
