//! Ids and secrets in Stripe's shapes, from the state's own generator.
//!
//! None of these secrets protects real money.

use fastrand::Rng;

#[derive(Debug, Clone)]
pub struct Ids(Rng);

impl Ids {
    /// Other ids in each process.
    pub fn random() -> Self {
        Self(Rng::new())
    }

    /// The same ids for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    fn text(&mut self, prefix: &str, length: usize) -> String {
        let mut text = String::with_capacity(prefix.len() + 1 + length);
        text.push_str(prefix);
        text.push('_');
        text.extend(std::iter::repeat_with(|| self.0.alphanumeric()).take(length));
        text
    }

    /// An id such as `pi_3…` or `cus_…`: the prefix and 24 letters and digits.
    pub fn object(&mut self, prefix: &str) -> String {
        self.text(prefix, 24)
    }

    /// A long-lived secret of the mobile and web elements: `ek_test_…`, `cuss_secret_…`. An intent's client secret,
    /// `pi_…_secret_…`, has this form too.
    pub fn secret(&mut self, prefix: &str) -> String {
        self.text(prefix, 48)
    }

    pub fn request(&mut self) -> String {
        self.text("req", 14)
    }
}
