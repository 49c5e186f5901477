//! What strangers send, made up by a fuzzer: `tests/fuzz/run`. A plain `cargo test` replays what earlier runs have kept in
//! `corpus`.

pub mod basket;
pub mod money;
pub mod webhook;

#[cfg(test)]
mod tests {
    use std::path::Path;

    fn replay(target: &str, check: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        let mut inputs = 0;
        for file in std::fs::read_dir(&corpus).expect("each target has a corpus") {
            let file = file.expect("a file can be listed").path();
            // Printed if the check panics.
            println!("{}", file.display());
            check(&std::fs::read(&file).expect("a file can be read"));
            inputs += 1;
        }
        assert!(inputs > 20, "only {inputs} inputs of {target}");
    }

    #[test]
    fn no_kept_basket_is_misread() {
        replay("basket", super::basket::check);
    }

    #[test]
    fn no_kept_amount_wraps_or_loses_a_unit() {
        replay("money", super::money::check);
    }

    #[test]
    fn no_kept_event_is_believed_unsigned() {
        replay("webhook", super::webhook::check);
    }
}
