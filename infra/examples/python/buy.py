"""A family buys a place on a local stack: `cargo dev`, and in another shell, here:

    pip install openapi-python-client ruff
    openapi-python-client generate --path ../../openapi.yaml --output-path client
    PYTHONPATH=client python buy.py

Every path, field and answer has a type of the generated client.
"""

import json
import os
import uuid

import httpx
from classpay_client import AuthenticatedClient
from classpay_client.api.basket import checkout, get_quote
from classpay_client.api.stripe import create_payment_session
from classpay_client.models import (
    AggregateTransaction,
    BasketEnrolment,
    BasketItems,
    CheckoutRequest,
    PaymentSession,
    PaymentSessionRequest,
    Quote,
)

API = os.environ.get("API", "http://127.0.0.1:9000")
STRIPE = os.environ.get("STRIPE", "http://127.0.0.1:12111")

FAMILY = "fml_01J9ZDEMW5TVDJ0R0000FAM1Y1"
ITEMS = BasketItems(
    enrolments=[
        BasketEnrolment(
            class_id="cls_01J9ZDEMW5TVDJ0R0000BA11ET",
            student_id="stu_01J9ZDEMW5TVDJ0R0000000ADA",
            pricing_plan_id="pp_01J9ZDEMW5TVDJ0R00FV112627",
        )
    ],
    trials=[],
)


def answered(answer, kind):
    """The answer, or the refusal as an error: `code` is one of the operation's own."""
    if not isinstance(answer, kind):
        raise SystemExit(f"refused: {answer}")
    return answer


# In an app this is the token of your sign-in; the local stack gives one to each family.
callers = httpx.get(f"{API}/docs/callers.json").json()
token = next(caller["token"] for caller in callers if caller["name"].endswith(FAMILY))
client = AuthenticatedClient(base_url=API, token=token)

# Lists in a query are JSON.
lists = {name: json.dumps(value) for name, value in ITEMS.to_dict().items()}
quote = answered(get_quote.sync(FAMILY, client=client, **lists), Quote)
print(f"to pay now: {quote.payment.total}")

wanted = PaymentSessionRequest(items=ITEMS)
session = answered(create_payment_session.sync(FAMILY, client=client, body=wanted), PaymentSession)
intent = session.payment_intent.id

# In an app Stripe's payment form does this with the session's secrets; the stand-in does it here.
confirm = f"{STRIPE}/_control/payment_intents/{intent}/confirm"
httpx.post(confirm, json={"payment_method": "pm_card_visa"}).raise_for_status()

basket = CheckoutRequest(payment_intent_id=intent, quote_hash=quote.quote_hash, items=ITEMS)
booked = answered(checkout.sync(FAMILY, client=client, body=basket, idempotency_key=str(uuid.uuid4())), list)
for entry in booked:
    transaction = answered(entry, AggregateTransaction).transaction
    print(f"{transaction.type_} {entry.stats.total}: {transaction.description}")
