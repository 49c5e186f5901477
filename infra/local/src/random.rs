//! Request ids in AWS's shapes.
//!
//! None of these is a secret: each only names an event on this machine.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::clock::machine_time;

/// Hexadecimal digits.
pub(crate) fn hex(digits: usize) -> String {
    (0..digits).map(|_| fastrand::digit(16)).collect()
}

/// A random UUID, as Lambda names its events.
pub(crate) fn uuid() -> String {
    let variant = fastrand::choice(['8', '9', 'a', 'b']).unwrap_or('8');
    format!("{}-{}-4{}-{variant}{}-{}", hex(8), hex(4), hex(3), hex(3), hex(12))
}

/// A request id as API Gateway makes it: 11 bytes in base64.
pub(crate) fn gateway_request_id() -> String {
    let bytes: [u8; 11] = std::array::from_fn(|_| fastrand::u8(..));
    // API Gateway's ids appear in headers and log searches, so they use no character that needs quoting.
    BASE64_STANDARD.encode(bytes).replace(['+', '/'], "A")
}

/// The root of an X-Ray trace.
pub(crate) fn trace_root() -> String {
    format!("Root=1-{:08x}-{}", machine_time().as_second(), hex(24))
}
