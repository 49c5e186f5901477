// A family buys a place on a local stack: `cargo dev`, and in another shell `npm ci && npm start` here.
// Every path, field and answer is checked against ../../openapi.yaml when this compiles.
import createClient from 'openapi-fetch';
import type { components, paths } from './api.js';

const API = process.env.API ?? 'http://127.0.0.1:9000';
const STRIPE = process.env.STRIPE ?? 'http://127.0.0.1:12111';

const familyId = 'fml_01J9ZDEMW5TVDJ0R0000FAM1Y1';
const items: components['schemas']['BasketItems'] = {
  enrolments: [
    {
      classId: 'cls_01J9ZDEMW5TVDJ0R0000BA11ET',
      studentId: 'stu_01J9ZDEMW5TVDJ0R0000000ADA',
      pricingPlanId: 'pp_01J9ZDEMW5TVDJ0R00FV112627',
    },
  ],
  trials: [],
};

/** The answer's body, or the refusal as an error. */
async function body<T>(call: Promise<{ data?: T; error?: unknown }>): Promise<NonNullable<T>> {
  const { data, error } = await call;
  if (!data) throw new Error(JSON.stringify(error));
  return data;
}

// In an app this is the token of your sign-in; the local stack gives one to each family.
const callers = (await (await fetch(`${API}/docs/callers.json`)).json()) as { name: string; token: string }[];
const token = callers.find(({ name }) => name.endsWith(familyId))?.token;
const api = createClient<paths>({
  baseUrl: API,
  headers: { Authorization: `Bearer ${token}` },
});
const path = { familyId };

// Lists in a query are JSON.
const query = { enrolments: JSON.stringify(items.enrolments), trials: JSON.stringify(items.trials) };
const quote = await body(api.GET('/v1/basket/{familyId}/quote', { params: { path, query } }));
console.log(`to pay now: ${quote.payment?.total}`);

const session = await body(
  api.POST('/v1/integrations/stripe/{familyId}/payment-sessions', {
    params: { path },
    body: { items, transactionId: null },
  }),
);
const paymentIntentId = session.paymentIntent.id;

// In an app Stripe's payment form does this with the session's secrets; the stand-in is told to.
const paid = await fetch(`${STRIPE}/_control/payment_intents/${paymentIntentId}/confirm`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ payment_method: 'pm_card_visa' }),
});
if (!paid.ok) throw new Error(await paid.text());

const booked = await body(
  api.POST('/v1/basket/{familyId}/checkout', {
    params: { path, header: { 'Idempotency-Key': crypto.randomUUID() } },
    body: { paymentIntentId, quoteHash: quote.quoteHash, items },
  }),
);
if (!Array.isArray(booked)) throw new Error(`still processing: ${booked.orderId}`);
for (const { transaction, stats } of booked) console.log(`${transaction.type} ${stats.total}: ${transaction.description}`);
