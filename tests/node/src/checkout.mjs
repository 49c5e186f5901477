// POST /v1/basket/{familyId}/checkout, of a basket that an authorised intent pays.

import { basketOf, classesOf, scopeOf } from './basket.mjs';
import { localNow } from './calendar.mjs';
import { nowMs } from './clock.mjs';
import { basketHash, mint, orderOfIntent } from './fingerprint.mjs';
import { placeOrder, postOrder } from './order.mjs';
import { transactionsOf } from './postings.mjs';
import { price } from './pricing.mjs';
import { leaveOut, need } from './refuse.mjs';
import { serve } from './runtime.mjs';
import { captureIntent, loadIntent, openStripe } from './stripe.mjs';
import { loadStudio, seatsOf } from './studio.mjs';
import { get, getAll, keys, openTable } from './table.mjs';

const PRICE_HOLDS_S = 30 * 60;
const SMALLEST_CHARGE = { gbp: 30 };
const LARGEST_CHARGE = 99_999_999;

const accounts = new Map();

/** The Stripe account of a company, as this process has last seen it. */
async function accountOf(company) {
  if (!accounts.has(company)) {
    const item = await get(keys.company(company));
    accounts.set(company, JSON.parse(item.doc.S).settings.billing.stripeId);
  }
  return accounts.get(company);
}

/** What guards a checkout is read before what it guards. */
async function loadVersions({ company, family }, basket, account, intent) {
  const classes = classesOf(basket);
  const [familyKey, claim, session] = [
    keys.family(company, family), keys.claim(account, intent), keys.session(account, intent),
  ];
  const items = await getAll([familyKey, claim, session, ...classes.map((id) => keys.seats(company, id))], true);
  need(items.at(familyKey), 'a family that is there');
  need(!items.at(claim), 'an intent that nobody has claimed');
  const own = items.at(session);
  need(own?.cid.S === company && own.fid.S === family, "a session of the family's own");
  return {
    family: Number(items.at(familyKey).family_version.N),
    seats: new Map(classes.map((id) => [id, seatsOf(items.at(keys.seats(company, id)))])),
    session: {
      amount: own.amount.N,
      createdS: Number(own.created_s.N),
      localDate: own.local_date.S,
      held: heldOf(own),
    },
  };
}

/** What an event has brought about the intent, while its session is open. */
function heldOf(session) {
  const isHeld = session.session_state.S === 'open' && session.intent_status?.S === 'requires_capture';
  if (!isHeld || !session.held_amount) return null;
  return { status: 'requires_capture', amount: Number(session.held_amount.N), currency: session.held_currency.S };
}

/** By which the basket is priced: now, or the end of the day on which the session was made. */
function priceTime(timezone, session, ms) {
  const now = localNow(timezone, ms);
  const isFresh = Math.floor(ms / 1000) - session.createdS <= PRICE_HOLDS_S;
  return isFresh && session.localDate < now.day ? { day: session.localDate, time: '23:59:59' } : now;
}

function judge(studio, quote, known, quoteHash) {
  const { currency } = studio.company.settings.billing;
  const { total } = quote.payment;
  need(known.status === 'requires_capture', 'an intent that is authorised');
  need(total >= SMALLEST_CHARGE[currency] && total <= LARGEST_CHARGE, 'an amount that can be charged');
  need(known.amount === total && known.currency === currency, 'an intent of what is due');
  need(quoteHash === undefined || quoteHash === null || quoteHash === quote.hash, 'the quote that was seen');
}

function snapshotOf({ scope, studio, quote, basket, account, intent, order, ms }) {
  const lines = quote.lines.map((line) => ({ line, id: mint('enr', ms) }));
  const trials = quote.trials.map((trial) => ({ trial, id: mint('trl', ms) }));
  const { limitedCapacity, maxCapacityPerLesson } = studio.company.settings.trial;
  need(lines.every(({ line }) => line.instalments.every(({ on }) => on <= quote.today)), 'a plan that is due today');
  return {
    company: scope.company,
    family: scope.family,
    payment: { account, intent, total: quote.payment.total },
    basket: basketHash(scope.company, scope.family, basket),
    enrolments: lines.map(({ line, id }) => ({
      id,
      student: line.item.studentId,
      class: line.item.classId,
      season: line.season,
      discountable: line.discountable,
      plan: line.plan,
      schedule: [],
    })),
    trials: trials.map(({ trial: { item }, id }) => ({
      id,
      student: item.studentId,
      class: item.classId,
      on: item.trialAt,
      at: item.time,
      places: limitedCapacity ? maxCapacityPerLesson : null,
    })),
    fees: [],
    transactions: transactionsOf({ studio, quote, lines, trials, scope, order, nowMs: ms }),
  };
}

async function checkout(event) {
  const scope = scopeOf(event);
  const { items, paymentIntentId: intent, quoteHash } = JSON.parse(event.body);
  if (event.headers['idempotency-key'] !== undefined) leaveOut('idempotency keys');
  if (!intent) leaveOut('baskets with nothing to pay');
  const basket = basketOf(items, true);
  const account = await accountOf(scope.company);
  const order = orderOfIntent(account, intent);
  const versions = await loadVersions(scope, basket, account, intent);
  const { session } = versions;
  const [studio, known] = await Promise.all([
    loadStudio(scope, basket, true),
    session.held ?? loadIntent(account, intent),
  ]);
  need(studio.company.settings.billing.stripeId === account, 'the same account as before');
  const ms = nowMs();
  const quote = price(studio, basket, priceTime(studio.company.settings.general.timezone, session, ms));
  judge(studio, quote, known, quoteHash);
  const snapshot = snapshotOf({ scope, studio, quote, basket, account, intent, order, ms });
  await placeOrder({ order, snapshot, session, versions, nowS: Math.floor(ms / 1000) });
  const { total } = snapshot.payment;
  const captured = await captureIntent(account, intent, total, `cap:${order}:1`);
  need(captured.status === 'succeeded' && captured.amount_received === total, 'a capture of what is due');
  await postOrder({ order, snapshot });
  return snapshot.transactions;
}

Promise.all([openTable(), openStripe()]).then(() => serve(checkout));
