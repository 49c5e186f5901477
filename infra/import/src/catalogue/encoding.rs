//! The text of a file.
//!
//! Invariant: it is read as UTF-8 or not at all, and what else it may be is named.

use std::str;

use super::mistake::Mistake;

/// The text of a file in UTF-8, without the mark that some editors put before it.
///
/// # Errors
/// What it is instead, as far as that is known.
pub(super) fn text_of(bytes: &[u8]) -> Result<&str, Mistake> {
    if bytes.starts_with(b"\x1f\x8b") || bytes.starts_with(b"PK\x03\x04") {
        return Err(Mistake::new("", "the file is compressed: unpack it"));
    }
    if bytes.starts_with(b"\xff\xfe\0\0")
        || bytes.starts_with(b"\0\0\xfe\xff")
        || matches!(bytes, [0, 0, ..] | [_, 0, 0, ..])
    {
        return Err(Mistake::new("", "the file is UTF-32: save it as UTF-8"));
    }
    let unmarked = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // JSON begins with an ASCII character: as UTF-16 that is one byte of zero, before or after it.
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || matches!(bytes, [0, _, ..] | [_, 0, ..]) {
        return Err(Mistake::new("", "the file is UTF-16: save it as UTF-8"));
    }
    str::from_utf8(unmarked).map_err(|error| {
        let sound = unmarked.get(..error.valid_up_to()).unwrap_or_default();
        let line = sound.split(|&byte| byte == b'\n').count();
        let what = "is not UTF-8, perhaps Windows-1252 or Latin-1: save the file as UTF-8";
        Mistake::new("", format!("line {line} {what}"))
    })
}
