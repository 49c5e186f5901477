#!/usr/bin/env python3
"""Makes stripe.json: of Stripe's OpenAPI description the calls that the stand-in serves, as JSON Schema.

    python3 extract.py SPEC3.JSON > stripe.json

README.md says where spec3.json comes from. What is done to it:

- Only CALLS, and the schemas that they reach. Words for people, titles and formats are left out.
- OpenAPI's `nullable` becomes JSON Schema's `null`.
- Objects are closed (`additionalProperties: false`): Stripe refuses a parameter that it doesn't know, and what its
  answers have no name for is no answer of Stripe's.
- A field that can be expanded is an id, or one of the KINDS that the stand-in keeps.
- `path` are the parameters in the address, `parameters` those of query and form, `answer` the answer with 200.
"""

import json
import sys

CALLS = """
GET /v1/charges
GET /v1/charges/{charge}
POST /v1/customer_sessions
GET /v1/customers
POST /v1/customers
DELETE /v1/customers/{customer}
GET /v1/customers/{customer}
POST /v1/customers/{customer}
GET /v1/customers/{customer}/payment_methods
GET /v1/disputes
GET /v1/disputes/{dispute}
POST /v1/disputes/{dispute}/close
POST /v1/ephemeral_keys
DELETE /v1/ephemeral_keys/{key}
GET /v1/events
GET /v1/events/{id}
GET /v1/payment_intents
POST /v1/payment_intents
GET /v1/payment_intents/{intent}
POST /v1/payment_intents/{intent}
POST /v1/payment_intents/{intent}/cancel
POST /v1/payment_intents/{intent}/capture
POST /v1/payment_intents/{intent}/confirm
GET /v1/payment_methods
GET /v1/payment_methods/{payment_method}
POST /v1/payment_methods/{payment_method}/attach
POST /v1/payment_methods/{payment_method}/detach
GET /v1/refunds
POST /v1/refunds
GET /v1/refunds/{refund}
POST /v1/refunds/{refund}
POST /v1/refunds/{refund}/cancel
"""

# What an id can be expanded to.
KINDS = {"charge", "customer", "deleted_customer", "dispute", "payment_intent", "payment_method", "refund"}

# Whole worlds of Stripe's that nothing here ever answers with: null or absent.
ELSEWHERE = {
    "api_errors": {"setup_intent", "source"},
    "customer": {"sources", "subscriptions", "tax", "tax_ids"},
}

REF = "#/components/schemas/"


def name_of(ref):
    return ref.removeprefix(REF)


def with_null(schema):
    if "enum" in schema:
        schema = {**schema, "enum": [*schema["enum"], None]}
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    choices = schema["anyOf"] if set(schema) == {"anyOf"} else [schema]
    return {"anyOf": [*choices, {"type": "null"}]}


def expandable(choices):
    """An id, or an object that is kept."""
    return [one for one in choices if "$ref" not in one or name_of(one["$ref"]) in KINDS]


def translate(given, owner=None):
    """One schema of OpenAPI 3.0 as JSON Schema; `owner` is the name of the component that it is."""
    made = {word: given[word] for word in ("type", "enum", "maxLength") if word in given}
    if "$ref" in given:
        made["$ref"] = "#/schemas/" + name_of(given["$ref"])
    if "anyOf" in given:
        choices = expandable(given["anyOf"]) if "x-expansionResources" in given else given["anyOf"]
        made["anyOf"] = [translate(one) for one in choices]
    if "items" in given:
        made["items"] = translate(given["items"])
    if "properties" in given:
        left_out = ELSEWHERE.get(owner, ())
        made["properties"] = {
            name: {"type": "null"} if name in left_out else translate(of)
            for name, of in given["properties"].items()
            if name not in left_out or of.get("nullable")
        }
        if given.get("required"):
            made["required"] = given["required"]
    more = given.get("additionalProperties")
    if isinstance(more, dict):
        made["additionalProperties"] = translate(more)
    elif "properties" in given or more is False:
        made["additionalProperties"] = False
    return with_null(made) if given.get("nullable") else made


def reached(schema):
    """The names of the schemas that this one refers to itself."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].removeprefix("#/schemas/")
        for value in schema.values():
            yield from reached(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from reached(value)


def closed(parameters):
    made = {"type": "object", "properties": {one["name"]: translate(one["schema"]) for one in parameters},
            "required": [one["name"] for one in parameters if one.get("required")], "additionalProperties": False}
    return made if made["required"] else {word: value for word, value in made.items() if word != "required"}


def call(spec, method, path):
    given = spec["paths"][path][method.lower()]
    parameters = given.get("parameters", [])
    query = closed([one for one in parameters if one["in"] == "query"])
    form = given.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded", {}).get("schema")
    answer = given["responses"]["200"]["content"]["application/json"]["schema"]
    return {
        "path": closed([one for one in parameters if one["in"] == "path"]),
        "parameters": translate(form) if method == "POST" and form else query,
        "answer": translate(answer),
    }


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    calls = {line: call(spec, *line.split()) for line in CALLS.split("\n") if line}
    components = spec["components"]["schemas"]
    # Errors and events are answers to every call; an event shows one of the kinds.
    waiting = {"error", "event", *KINDS, *reached(calls)}
    schemas = {}
    while waiting:
        name = waiting.pop()
        schemas[name] = translate(components[name], name)
        waiting |= set(reached(schemas[name])) - set(schemas)

    def lines(of):
        compact = {name: json.dumps(of[name], sort_keys=True, separators=(",", ":")) for name in sorted(of)}
        return "{\n" + ",\n".join(f"{json.dumps(name)}:{text}" for name, text in compact.items()) + "\n}"

    # A line for each call and each schema, so that a newer one can be compared.
    print(f'{{"version":{json.dumps(spec["info"]["version"])},\n"calls":{lines(calls)},\n"schemas":{lines(schemas)}}}')


main()
