"""A local stack, what is done on each, and what of the answers has to be the same.

Invariant: every stack is a fresh one at the same time by its clock, and nobody but the functions under test moves money.
"""

import contextlib
import difflib
import json
import re
import time
from datetime import datetime, timezone

from machine import ROOT, START_LIMIT_S, WORK, Failed, http, run, say, started

EVENTS = ROOT / "infra/events"
DEMO = (ROOT / "infra/local/demo-studio.json").read_text()


class Stack:
    """A local stack that has just started, at the time of which the events tell."""

    def __init__(self, ready):
        self.api, self.stripe = ready["api"], ready["stripe"]
        self.link, self.account = ready["paymentLinks"][0], ready["stripeAccount"]

    def environment(self, function):
        port = self.api.rsplit(":", 1)[1]
        said = run(["cargo", "dev", "env", function, "--port", port], stderr=None)
        return dict(line.split("=", 1) for line in said.splitlines())

    def invoke(self, function, event):
        """The stack's own function."""
        status, text = http("POST", f"{self.api}/_local/invoke/{function}", event)
        if status != 200:
            raise Failed(f"{function} in the local stack: {status} {text}")
        return text

    def pay(self, intent):
        """The payer's browser, at Stripe."""
        url = f"{self.stripe}/_control/payment_intents/{intent}/confirm"
        status, text = http("POST", url, '{"payment_method": "pm_card_visa"}')
        if status != 200:
            raise Failed(f"the payment: {status} {text}")


@contextlib.contextmanager
def stack(name):
    told_ms = event_of("get-quote")["requestContext"]["timeEpoch"]
    now = datetime.fromtimestamp(told_ms / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    ports = [part for option in ("--port", "--dynamodb-port", "--stripe-port") for part in (option, "0")]
    log, line = WORK / f"stack-{name}.log", WORK / f"stack-{name}.json"
    with open(line, "wb") as stdout:
        command = ["cargo", "dev", "--json", "--memory", *ports, "--now", now]
        with started(command, log, stdout=stdout) as process:
            limit = time.monotonic() + START_LIMIT_S
            while not (text := line.read_text()).endswith("\n"):
                if process.poll() is not None or time.monotonic() > limit:
                    raise Failed(f"the local stack did not start:\n{log.read_text(errors='replace')}")
                time.sleep(0.1)
            running = Stack(json.loads(text))
            # Nobody but the function under test settles what is paid.
            held = '{"match": {}, "count": 4294967295, "do": "holdBack"}'
            status, text = http("POST", f"{running.stripe}/_control/webhooks/faults", held)
            if status != 200:
                raise Failed(f"Stripe's events can't be held back: {status} {text}")
            yield running


def event_of(function):
    return json.loads((EVENTS / f"{function}.json").read_text())


def functions():
    return sorted(path.stem for path in EVENTS.glob("*.json"))


def story(on, invoke):
    """Hands every function its event, so that each finds what it needs; the answers."""
    sample_link = event_of("retrieve-payment-link")["pathParameters"]["paymentLinkId"]
    answers = {}

    def call(function, link):
        event = (EVENTS / f"{function}.json").read_text().replace(sample_link, link)
        answers[function] = text = invoke(function, event)
        answer = json.loads(text)
        # The next steps build on it.
        if answer and answer.get("statusCode", 200) >= 300:
            raise Failed(f"{function}: {text}")
        return json.loads((answer or {}).get("body") or "null")

    made = call("create-payment-link", on.link)
    call("list-payment-links", on.link)
    call("revoke-payment-link", made["paymentLink"]["id"])
    opened = call("retrieve-payment-link", on.link)
    on.pay(opened["paymentSession"]["paymentIntent"]["id"])
    call("process-payment-link", on.link)
    for function in functions():
        if function not in answers:
            call(function, on.link)
    return answers


def lasting(text):
    """An answer with what is another in each run replaced: ids that were made, addresses, times, request ids."""
    text = re.sub(r"\b([a-z]{2,7})_[A-Za-z0-9_]{14,}\b", lambda found: found[0] if found[0] in DEMO else f"{found[1]}_…", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:…", text)
    text = re.sub(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?", "{time}", text)
    text = re.sub(r"\b1[0-9]{9}\b", "{seconds}", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "{uuid}", text)
    answer = json.loads(text)
    if isinstance(answer, dict) and isinstance(answer.get("body"), str) and answer["body"]:
        answer["body"] = json.loads(answer["body"])
    return json.dumps(answer, indent=1, sort_keys=True, ensure_ascii=False).splitlines()


def compare(who, expected, found):
    """The number of answers alike; fails with the first that is not."""
    for function, text in expected.items():
        difference = list(difflib.unified_diff(lasting(text), lasting(found[function]), "local stack", who, lineterm=""))
        if difference:
            raise Failed(f"{function} answers differently:\n" + "\n".join(difference))
    say(f"{who}: {len(expected)} of {len(expected)} functions answer as in the local stack")
    return len(expected)


def statuses(answers):
    """For the reader: which answers they were."""
    codes = {name: (json.loads(text) or {}).get("statusCode", "done") for name, text in answers.items()}
    return ", ".join(f"{name} {code}" for name, code in sorted(codes.items()))
