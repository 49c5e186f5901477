//! The message that the stack prints when it is ready.
//!
//! Invariant: every command works as printed, in a POSIX shell with curl, at every start. The example is an item that
//! can be bought now.

use classpay_operator::stack::LOCAL_STRIPE_KEY;
use classpay_operator::token::{Holder, mint_token};
use serde_json::{Value, json};

use crate::stack::Stack;

/// One line of JSON with everything that a program needs to use the stack.
#[must_use]
pub fn json_line(stack: &Stack) -> String {
    let studio = &stack.studio;
    let families: serde_json::Map<String, Value> = studio
        .families
        .iter()
        .map(|family| (family.clone(), mint_token(&studio.company_id, &Holder::Family(family.clone())).into()))
        .collect();
    json!({
        "api": stack.api_url,
        "dynamodb": stack.dynamodb_url,
        "stripe": stack.stripe_url,
        "table": stack.table,
        "companyId": studio.company_id,
        "stripeAccount": studio.stripe_account,
        "tokens": {"staff": mint_token(&studio.company_id, &Holder::Staff), "families": families},
        "paymentLinks": studio.payment_links,
    })
    .to_string()
}

/// The addresses of the stack, and a walk-through.
#[must_use]
pub fn message(stack: &Stack) -> String {
    let Stack { api_url, dynamodb_url, stripe_url, table, studio, .. } = stack;
    let (company, account) = (&studio.company_id, &studio.stripe_account);
    let walk = walk_through(stack).unwrap_or_default() + &link_s_life(stack).unwrap_or_default();
    format!(
        "
  API       {api_url}  described at {api_url}/docs
  DynamoDB  {dynamodb_url}  table {table}
  Stripe    {stripe_url}
  Studio    {company}  at Stripe {account}
{walk}
Ctrl-C ends it.
"
    )
}

fn walk_through(stack: &Stack) -> Option<String> {
    let Stack { api_url, stripe_url, stripe_is_ours, studio, .. } = stack;
    let example = studio.example.as_ref()?;
    let family = example.family.as_str();
    let enrolments = example.enrolments();
    let items = json!({"enrolments": enrolments, "trials": []});
    let token = mint_token(&studio.company_id, &Holder::Family(family.to_owned()));
    let account = &studio.stripe_account;
    let key = if *stripe_is_ours { LOCAL_STRIPE_KEY } else { "$STRIPE_SECRET_KEY" };
    Some(format!(
        r#"
A family buys a place. Paste these one after the other; the token is good for a day.

  T={token}
  ITEMS='{items}'

1. A quote:
  curl -sG {api_url}/v1/basket/{family}/quote -H "Authorization: Bearer $T" --data-urlencode 'enrolments={enrolments}' --data-urlencode 'trials=[]'

2. A payment session:
  SESSION=$(curl -s {api_url}/v1/integrations/stripe/{family}/payment-sessions -H "Authorization: Bearer $T" -H 'Content-Type: application/json' -d "{{\"items\":$ITEMS}}")
  echo "$SESSION"
  PI=$(expr "$SESSION" : '.*"paymentIntent":{{"id":"\([^"]*\)"')

3. The family's browser pays, at Stripe; the money is held:
  curl -s {stripe_url}/v1/payment_intents/$PI/confirm -u {key}: -H 'Stripe-Account: {account}' -d payment_method=pm_card_visa

4. The checkout books the place, takes the money and answers with the ledger's entries:
  curl -s {api_url}/v1/basket/{family}/checkout -H "Authorization: Bearer $T" -H 'Content-Type: application/json' -d "{{\"paymentIntentId\":\"$PI\",\"items\":$ITEMS}}"

5. What Stripe says now:
  curl -s {stripe_url}/v1/payment_intents/$PI -u {key}: -H 'Stripe-Account: {account}'
"#
    ))
}

fn link_s_life(stack: &Stack) -> Option<String> {
    let Stack { api_url, stripe_url, stripe_is_ours, studio, .. } = stack;
    let link = studio.payment_links.first()?;
    let account = &studio.stripe_account;
    let key = if *stripe_is_ours { LOCAL_STRIPE_KEY } else { "$STRIPE_SECRET_KEY" };
    Some(format!(
        r#"
A parent pays by a link from an e-mail. There is no token: the link's id is the secret.

6. Opening the link:
  LINK=$(curl -s -X POST {api_url}/v1/payment-links/{link})
  echo "$LINK"
  PI=$(expr "$LINK" : '.*"paymentIntent":{{"id":"\([^"]*\)"')

7. The parent's browser pays, at Stripe:
  curl -s {stripe_url}/v1/payment_intents/$PI/confirm -u {key}: -H 'Stripe-Account: {account}' -d payment_method=pm_card_visa

8. The link takes the payment and answers with debit and credit:
  curl -s {api_url}/v1/payment-links/{link}/process -H 'Content-Type: application/json' -d '{{"paymentIntentId":null}}'
"#
    ))
}
