//! What a stack on this machine is known by, unless it was started otherwise.
//!
//! Invariant: nothing here is a secret. The key opens the stand-in, which takes any.

/// Where its DynamoDB answers.
pub const DYNAMODB_URL: &str = "http://127.0.0.1:8000";
/// Where its Stripe answers.
pub const STRIPE_URL: &str = "http://127.0.0.1:12111";
/// Its table.
pub const TABLE: &str = "classpay-local";
/// The region that it takes itself to be in.
pub const LOCAL_REGION: &str = "eu-west-2";
/// The key that its functions have with its Stripe.
pub const LOCAL_STRIPE_KEY: &str = "sk_test_local";
