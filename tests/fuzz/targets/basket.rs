#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| classpay_fuzz::basket::check(data));
