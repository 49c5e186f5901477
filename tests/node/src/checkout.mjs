// POST /v1/basket/{familyId}/checkout, of a basket that an authorised intent pays. Nothing is priced and nothing
// compared: what is captured is what is held. The answer is what was read.

import { place, post, unique } from './order.mjs';
import { serve } from './runtime.mjs';
import { captureIntent, loadIntent, openStripe } from './stripe.mjs';
import { classesOf, keysOf, readStudio } from './studio.mjs';
import { get, getAll, key, openTable } from './table.mjs';

const accounts = new Map();

/** The Stripe account of a company, as this process has first seen it. */
async function accountOf({ cid, company }) {
  if (!accounts.has(cid)) accounts.set(cid, JSON.parse((await get(company)).doc.S).settings.billing.stripeId);
  return accounts.get(cid);
}

/** What guards a checkout is read before what it guards. */
async function readVersions(keys, basket, account, intent) {
  const classes = classesOf(basket);
  const singles = [keys.family, keys.claim(account, intent), keys.session(account, intent)];
  const [family, , session, ...seats] = await getAll([...singles, ...classes.map(keys.seats)], true);
  return { family, session, seats: classes.map((id, index) => [id, seats[index]]) };
}

async function checkout(event) {
  const keys = keysOf(event);
  const { items: basket, paymentIntentId: intent } = JSON.parse(event.body);
  const account = await accountOf(keys);
  const versions = await readVersions(keys, basket, account, intent);
  const { held_amount: held } = versions.session;
  // Where an event has reported what is held, the service doesn't ask Stripe.
  const [documents, { amount }] = await Promise.all([
    readStudio(keys, basket, true),
    held ? { amount: Number(held.N) } : loadIntent(account, intent),
  ]);
  const answer = [...documents.values()];
  const text = JSON.stringify(answer);
  const order = `ord_${unique()}`;
  const placed = {
    keys, order, head: key(`ORD#${order}`, 'META'), account, intent, amount, basket, documents, versions,
    text: (length) => text.slice(0, length),
  };
  await place(placed);
  const { status } = await captureIntent(account, intent, amount, `cap:${order}:1`);
  if (status !== 'succeeded') throw new Error(`a capture ends as ${status}`);
  await post(placed);
  return answer;
}

Promise.all([openTable(), openStripe()]).then(() => serve(checkout));
