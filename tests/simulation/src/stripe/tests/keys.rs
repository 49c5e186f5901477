//! Idempotency keys.

use super::*;
use classpay_service::stripe::SavedCards;

#[test]
fn a_key_has_its_length() {
    let desk = Desk::open();
    for key in [String::new(), "k".repeat(256)] {
        assert_rejected(desk.create(&key), 0, "refused_unsent");
    }
    desk.create(&"k".repeat(255)).unwrap();
}

#[test]
fn customers_and_their_forms_are_made_once_for_a_key() {
    let desk = Desk::open();
    let session = |cards, key| run(desk.stripe.create_customer_session(&desk.account, &desk.customer, cards, key));
    let open = session(SavedCards::Offered, "cs").unwrap();
    assert_eq!(open.customer_id, desk.customer);
    assert_eq!(session(SavedCards::Offered, "cs"), Ok(open));
    assert_rejected(session(SavedCards::Off, "cs"), 400, "idempotency_error");
    let mobile = |key| run(desk.stripe.create_ephemeral_key(&desk.account, &desk.customer, key)).unwrap();
    assert_eq!(mobile("ek"), mobile("ek"));
    assert_ne!(mobile("ek"), mobile("ek:2"));
}
