//! The defaults of a stack on this machine.
//!
//! None of these is a secret. The key opens only the stand-in, which accepts any key.

/// The URL of its DynamoDB.
pub const DYNAMODB_URL: &str = "http://127.0.0.1:8000";
/// The URL of its Stripe.
pub const STRIPE_URL: &str = "http://127.0.0.1:12111";
/// The name of its table.
pub const TABLE: &str = "classpay-local";
/// The region that it reports.
pub const LOCAL_REGION: &str = "eu-west-2";
/// The key with which its functions call its Stripe.
pub const LOCAL_STRIPE_KEY: &str = "sk_test_local";
