//! Sends async-stripe's typed requests: one connection pool, our idempotency keys, time limits, and the only place that
//! retries a call ([`super::retry`] decides which).
//!
//! Invariant: a call that changes something is always sent with our own idempotency key, never with a random one. No
//! secret, key, query or body is logged.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use classpay_domain::id::AccountId;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use http::uri::{PathAndQuery, Scheme, Uri};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use stripe_client_core::{ConfigOverride, CustomizedStripeRequest, RequestBuilder, RequestStrategy};
use stripe_client_core::{StripeClient, StripeMethod, VERSION};
use tokio::time::{Instant, timeout_at};

use super::config::{StripeConfig, StripeConfigError, THIS_MACHINE, is_stripe_or_this_machine};
use super::error::StripeError;
use super::retry::{Answer, Attempt, Effect, Next, SoFar, next};
use super::secret::Secret;
use super::timing::Timing;
use crate::net::{Cleartext, NoTls, Pool, Trust};
use crate::secrets::KeptSecret;
use crate::telemetry::{Peer, timed};

/// The prefix of every path, which the SDK omits.
pub(super) const API: &str = "/v1";
/// The largest answer that is read: an intent with its charge and refunds is some 10 KB.
const ANSWER_MAX_BYTES: usize = 4 * 1024 * 1024;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const STRIPE_ACCOUNT: HeaderName = HeaderName::from_static("stripe-account");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const STRIPE_SHOULD_RETRY: HeaderName = HeaderName::from_static("stripe-should-retry");
const STRIPE_VERSION: HeaderName = HeaderName::from_static("stripe-version");
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// The connection to Stripe. A clone shares the pool.
#[derive(Debug, Clone)]
pub struct Transport {
    pool: Pool,
    connection: Arc<Connection>,
    timing: Timing,
    /// When the caller's time is over.
    until: Option<Instant>,
}

#[derive(Debug)]
struct Connection {
    base: Uri,
    /// Marked sensitive, so that debug output doesn't show it.
    authorization: RwLock<HeaderValue>,
    kept_key: Option<KeptSecret>,
    /// One call reads the kept key again; concurrent calls wait for its result.
    reading: tokio::sync::Mutex<()>,
}

impl Connection {
    fn authorization(&self) -> HeaderValue {
        self.authorization.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key that has replaced this one; `None`: none has.
    async fn replacement(&self, refused: &HeaderValue) -> Option<HeaderValue> {
        let _reading = self.reading.lock().await;
        let current = self.authorization();
        if current != refused {
            return Some(current);
        }
        let kept = self.kept_key.as_ref()?.read_again().await?;
        let replacement = bearer(&kept).ok().filter(|kept| kept != refused)?;
        *self.authorization.write().unwrap_or_else(PoisonError::into_inner) = replacement.clone();
        tracing::warn!("stripe's key was replaced");
        Some(replacement)
    }
}

fn bearer(key: &Secret) -> Result<HeaderValue, StripeConfigError> {
    let bearer = format!("Bearer {}", key.expose());
    let mut authorization = HeaderValue::try_from(bearer).map_err(|_| StripeConfigError::Key)?;
    authorization.set_sensitive(true);
    Ok(authorization)
}

/// The account, idempotency strategy and time limit of a call.
struct Terms<'a> {
    account: Option<&'a str>,
    strategy: Option<RequestStrategy>,
    timeout: Option<Duration>,
}

/// A call, ready to be sent any number of times.
struct Call {
    effect: Effect,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    attempt_limit: Duration,
}

impl Transport {
    /// Sets up the pool. Opens no connection yet.
    ///
    /// # Errors
    /// [`StripeConfigError`] for a configuration that can't work or isn't safe.
    pub fn new(config: &StripeConfig) -> Result<Self, StripeConfigError> {
        let base: Uri = config.api_base.parse().map_err(|_| StripeConfigError::Base)?;
        let (Some(scheme), Some(host)) = (base.scheme(), base.host()) else { return Err(StripeConfigError::Base) };
        if base.path() != "/" || base.query().is_some() {
            return Err(StripeConfigError::Base);
        }
        let plain = *scheme == Scheme::HTTP;
        if plain && !THIS_MACHINE.contains(&host) || !plain && *scheme != Scheme::HTTPS {
            return Err(StripeConfigError::NotEncrypted);
        }
        if !is_stripe_or_this_machine(&config.api_base) {
            return Err(StripeConfigError::Elsewhere);
        }
        let authorization = RwLock::new(bearer(&config.secret_key)?);
        let cleartext = if plain { Cleartext::Allowed } else { Cleartext::Refused };
        let own = || Ok(Pool::new(&Trust::public()?, cleartext, config.timing.connect));
        let pool = config.pool.clone().map_or_else(own, Ok::<_, NoTls>)?;
        let place = Connection {
            base,
            authorization,
            kept_key: config.kept_key.clone(),
            reading: tokio::sync::Mutex::default(),
        };
        Ok(Self { pool, connection: Arc::new(place), timing: config.timing, until: None })
    }

    /// The same connection, limited to this much time from now for all its calls together. With no time left nothing is
    /// sent.
    #[must_use]
    pub fn within(&self, left: Duration) -> Self {
        let until = Instant::now().checked_add(left);
        Self { until: self.until.into_iter().chain(until).min(), ..self.clone() }
    }

    /// Reads an answer as raw bytes, because the SDK's types drop parts of it.
    ///
    /// # Errors
    /// [`StripeError`] if there is no clear answer.
    pub(super) async fn read(&self, account: &AccountId, request: RequestBuilder) -> Result<Bytes, StripeError> {
        let call = self.call(request, Terms { account: Some(account.as_str()), strategy: None, timeout: None })?;
        self.send(call).await
    }

    /// Checks an SDK request and adds our headers.
    fn call(&self, request: RequestBuilder, terms: Terms<'_>) -> Result<Call, StripeError> {
        let (method, effect) = match request.method {
            StripeMethod::Get => (Method::GET, Effect::Reads),
            StripeMethod::Post => (Method::POST, Effect::Changes),
            StripeMethod::Delete => (Method::DELETE, Effect::Changes),
        };
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.connection.authorization());
        headers.insert(STRIPE_VERSION, HeaderValue::try_from(VERSION.as_str()).map_err(impossible)?);
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("classpay/", env!("CARGO_PKG_VERSION"))));
        if let Some(account) = terms.account {
            headers.insert(STRIPE_ACCOUNT, HeaderValue::try_from(account).map_err(impossible)?);
        }
        match (effect, terms.strategy) {
            // Only a key that we chose: the SDK's other strategies use a random key for each call.
            (_, Some(RequestStrategy::Idempotent(key))) => {
                headers.insert(IDEMPOTENCY_KEY, HeaderValue::try_from(key.as_str()).map_err(impossible)?);
            }
            (Effect::Reads, _) => {}
            (Effect::Changes, _) => return Err(StripeError::refused_unsent("a change without an idempotency key")),
        }
        let body = in_order(request.body.as_deref().unwrap_or_default());
        if effect == Effect::Changes {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        let uri = self.uri(&request.path, request.query.as_deref()).map_err(impossible)?;
        let attempt_limit = terms.timeout.unwrap_or(self.timing.attempt);
        Ok(Call { effect, method, uri, headers, body: body.into(), attempt_limit })
    }

    /// The URI of the call. Without parameters it has no question mark.
    fn uri(&self, path: &str, query: Option<&str>) -> Result<Uri, http::Error> {
        let path_and_query = match query {
            Some(query) if !query.is_empty() => format!("{API}{path}?{query}"),
            _ => format!("{API}{path}"),
        };
        let mut parts = self.connection.base.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(path_and_query)?);
        Ok(Uri::from_parts(parts)?)
    }

    /// Sends the call, and again if Stripe rejects our key (which proves that nothing was done) and a new key has
    /// replaced it.
    async fn send(&self, mut call: Call) -> Result<Bytes, StripeError> {
        let deadline = Instant::now() + self.timing.budget;
        let deadline = self.until.map_or(deadline, |until| until.min(deadline));
        if Instant::now() >= deadline {
            return Err(StripeError::Unavailable);
        }
        let answer = self.drive(&call, deadline).await;
        match (&answer, call.headers.get(AUTHORIZATION)) {
            (Err(StripeError::Misconfigured(refusal)), Some(refused)) if refusal.status == 401 => {
                // With no time left the refusal is the answer: it proves that nothing was done, which an interrupted
                // call wouldn't.
                let replacement = timeout_at(deadline, self.connection.replacement(refused)).await;
                let Ok(Some(replacement)) = replacement else { return answer };
                call.headers.insert(AUTHORIZATION, replacement);
                self.drive(&call, deadline).await
            }
            _ => answer,
        }
    }

    /// Sends the call until it has an answer, must not be sent again, or runs out of time.
    async fn drive(&self, call: &Call, deadline: Instant) -> Result<Bytes, StripeError> {
        let mut so_far = SoFar::default();
        loop {
            let limit = call.attempt_limit.min(deadline.saturating_duration_since(Instant::now()));
            let attempt = timed(Peer::Stripe, tokio::time::timeout(limit, self.attempt(call)))
                .await
                .unwrap_or_else(|_elapsed| Attempt::NoReply);
            so_far.attempts += 1;
            so_far.lost += u32::from(matches!(attempt, Attempt::NoReply));
            let (error, after) = match next(call.effect, attempt, so_far, self.timing.max_attempts) {
                Next::Done(result) => return result,
                Next::Again { error, after } => (error, after),
            };
            let pause = self.timing.pause_after(so_far.attempts).max(after);
            if Instant::now() + pause >= deadline {
                return Err(error);
            }
            tracing::warn!(method = %call.method, attempts = so_far.attempts, %error, "asking stripe again");
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
    }

    /// Sends the call once and reads the whole answer.
    async fn attempt(&self, call: &Call) -> Attempt {
        let mut request = Request::new(Full::new(call.body.clone()));
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = call.uri.clone();
        *request.headers_mut() = call.headers.clone();
        let (head, body) = match self.pool.send(request).await {
            Ok(response) => response.into_parts(),
            Err(error) if error.is_connect() => return Attempt::NotSent,
            Err(_) => return Attempt::NoReply,
        };
        let status = head.status.as_u16();
        let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
        if status >= 400 {
            tracing::info!(method = %call.method, status, stripe_request = text(REQUEST_ID), "stripe refused");
        }
        let retry_after = text(RETRY_AFTER).and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        let should_retry = text(STRIPE_SHOULD_RETRY).and_then(|word| word.parse().ok());
        let is_replayed = text(IDEMPOTENT_REPLAYED) == Some("true");
        match Limited::new(body, ANSWER_MAX_BYTES).collect().await {
            Ok(body) => {
                Attempt::Replied(Answer { status, retry_after, should_retry, is_replayed, body: body.to_bytes() })
            }
            Err(error) if error.is::<LengthLimitError>() && head.status.is_success() => {
                tracing::warn!(method = %call.method, status, "an answer of stripe's is too large");
                Attempt::TooLarge
            }
            Err(_) => Attempt::NoReply,
        }
    }
}

impl StripeClient for Transport {
    type Err = StripeError;

    async fn execute(&self, request: CustomizedStripeRequest) -> Result<Bytes, StripeError> {
        let (request, overrides) = request.into_pieces();
        let ConfigOverride { account_id, request_strategy: strategy, timeout, .. } = overrides;
        let call = self.call(request, Terms { account: account_id.as_deref(), strategy, timeout })?;
        self.send(call).await
    }
}

fn impossible<E>(_: E) -> StripeError {
    StripeError::refused_unsent("a header or the path has characters that can't be sent")
}

/// Sorts the parameters, so that the same parameters give the same bytes: the SDK keeps metadata in a hash map, and a
/// reused idempotency key must carry the same parameters as before. Array elements carry their index in their names, so
/// their order stays.
fn in_order(form: &str) -> String {
    let mut pairs: Vec<&str> = form.split('&').collect();
    pairs.sort_unstable();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::config::DEFAULT_API_BASE;

    fn with_base(base: &str) -> Result<Transport, StripeConfigError> {
        let config = StripeConfig { api_base: base.to_owned(), ..StripeConfig::new(Secret::new("sk_test_1")) };
        Transport::new(&config)
    }

    #[test]
    fn the_secret_key_never_travels_in_the_clear() {
        assert!(with_base(DEFAULT_API_BASE).is_ok());
        assert!(with_base("http://127.0.0.1:12111").is_ok());
        assert_eq!(with_base("http://api.stripe.com").err(), Some(StripeConfigError::NotEncrypted));
        assert_eq!(with_base("http://127.0.0.1.example.org").err(), Some(StripeConfigError::NotEncrypted));
        for elsewhere in ["https://example.com", "https://api.stripe.com.example.com", "https://api.stripe.com:444"] {
            assert_eq!(with_base(elsewhere).err(), Some(StripeConfigError::Elsewhere), "{elsewhere}");
        }
        for bad in ["", "api.stripe.com", "https://api.stripe.com/v1"] {
            assert_eq!(with_base(bad).err(), Some(StripeConfigError::Base), "{bad}");
        }
    }

    #[test]
    fn a_debug_print_shows_no_key() {
        let transport = with_base(DEFAULT_API_BASE).unwrap();
        assert!(!format!("{transport:?}").contains("sk_test_1"));
    }

    #[test]
    fn a_call_without_parameters_has_no_question_mark() {
        let transport = with_base(DEFAULT_API_BASE).unwrap();
        for query in [None, Some("")] {
            let uri = transport.uri("/customers/cus_1", query).unwrap();
            assert_eq!(uri, "https://api.stripe.com/v1/customers/cus_1");
        }
        assert_eq!(transport.uri("/x", Some("a=1")).unwrap(), "https://api.stripe.com/v1/x?a=1");
    }

    #[test]
    fn the_same_parameters_are_the_same_bytes() {
        assert_eq!(in_order("metadata[b]=2&amount=1&metadata[a]=1"), "amount=1&metadata[a]=1&metadata[b]=2");
        assert_eq!(in_order(""), "");
    }
}
