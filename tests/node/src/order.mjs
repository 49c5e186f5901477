// An order that an intent pays: placed (P1) and posted (P2), each one transaction.
//
// Invariant: the same conditions and updates as the service's own.

import { jobDue, jobShard } from './fingerprint.mjs';
import { BOOL, N, S, check, keys, put, transact, update } from './table.mjs';

const ORDER_DUE_AFTER_S = 120;
const NOT_LIVE = 'attribute_not_exists(pk) OR place_state = :cancelled';
const CANCELLED = { ':cancelled': S('CANCELLED') };

function counted(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function begin(order, snapshot, session, nowS) {
  const { company, family, payment: { account, intent }, basket } = snapshot;
  const head = keys.order(order);
  const whose = { cid: S(company), fid: S(family) };
  return [
    put(keys.claim(account, intent), { ...whose, claim_decision: S('ORDER'), order_id: S(order), basket: S(basket) }),
    update(
      keys.session(account, intent),
      'SET session_state = :claimed REMOVE gsi1pk, gsi1sk',
      'session_state = :open AND amount = :amount',
      { ':claimed': S('claimed'), ':open': S('open'), ':amount': N(session.amount) },
    ),
    put(head, {
      ...whose,
      order_id: S(order),
      order_state: S('PENDING'),
      doc: S(JSON.stringify(snapshot)),
      placed_s: N(nowS),
      capture_attempt: N(1),
      gsi1pk: S(jobShard(head.pk)),
      gsi1sk: S(jobDue(nowS + ORDER_DUE_AFTER_S)),
    }),
  ];
}

function takeSeats(company, id, { left, priceVersion }, taken) {
  const of = keys.seats(company, id);
  const values = { ':version': N(priceVersion), ':yes': BOOL(true) };
  const condition = 'price_version = :version AND on_sale = :yes';
  if (taken === 0) return check(of, condition, values);
  const enough = left === null ? '' : ' AND seats_left >= :taken';
  return update(of, 'SET seats_left = seats_left - :taken', condition + enough, { ...values, ':taken': N(taken) });
}

function takeTrialPlaces(company, id, on, taken, most) {
  const values = { ':taken': N(taken), ':cid': S(company) };
  const expression = 'ADD trials_booked :taken SET cid = :cid';
  if (most === null) return update(keys.lesson(company, id, on), expression, undefined, values);
  const condition = 'attribute_not_exists(trials_booked) OR trials_booked <= :room';
  return update(keys.lesson(company, id, on), expression, condition, { ...values, ':room': N(most - taken) });
}

function reserve(order, snapshot, seats) {
  const { company, family, enrolments, trials } = snapshot;
  const taken = counted(enrolments.map((enrolment) => enrolment.class));
  const actions = [...seats].map(([id, read]) => takeSeats(company, id, read, taken.get(id) ?? 0));
  for (const [lesson, places] of counted(trials.map((trial) => `${trial.class} ${trial.on}`))) {
    const [id, on] = lesson.split(' ');
    actions.push(takeTrialPlaces(company, id, on, places, trials[0].places));
  }
  const reserved = { cid: S(company), place_state: S('RESERVED'), order_id: S(order) };
  for (const enrolment of enrolments) {
    actions.push(put(keys.enrolment(company, family, enrolment.student, enrolment.class), {
      ...reserved,
      fid: S(family),
      enrolment_id: S(enrolment.id),
      student: S(enrolment.student),
      class: S(enrolment.class),
      season: S(enrolment.season),
      discountable: BOOL(enrolment.discountable),
      doc: S(JSON.stringify(enrolment)),
    }, NOT_LIVE, CANCELLED));
  }
  for (const trial of trials) {
    actions.push(put(keys.trial(company, family, trial.student, trial.class), {
      ...reserved,
      trial_id: S(trial.id),
      student: S(trial.student),
      class: S(trial.class),
      doc: S(JSON.stringify(trial)),
    }, NOT_LIVE, CANCELLED));
    actions.push(check(keys.enrolment(company, family, trial.student, trial.class), NOT_LIVE, CANCELLED));
  }
  return actions;
}

/** P1: claims the intent and reserves everything, or nothing. */
export function placeOrder({ order, snapshot, session, versions, nowS }) {
  const family = update(
    keys.family(snapshot.company, snapshot.family),
    'SET family_version = :next',
    'family_version = :version',
    { ':next': N(versions.family + 1), ':version': N(versions.family) },
  );
  return transact([
    ...begin(order, snapshot, session, nowS),
    family,
    ...reserve(order, snapshot, versions.seats),
  ]);
}

function postTransaction(company, family, aggregate) {
  const { id, type } = aggregate.transaction;
  const item = { cid: S(company), transaction_id: S(id), doc: S(JSON.stringify(aggregate)) };
  const actions = [put(keys.transaction(company, family, id), item)];
  if (type === 'debit') {
    // It is paid: nothing is left of it.
    actions.push(put(keys.due(company, id), { cid: S(company), fid: S(family), amount_due: N(0) }));
  }
  return actions;
}

/** P2: posts the order's transactions and makes its places active. Only after Stripe said `succeeded`. */
export function postOrder({ order, snapshot }) {
  const { company, family, enrolments, trials, transactions } = snapshot;
  const change = transactions.reduce((sum, { transaction, stats }) => {
    return transaction.type === 'debit' ? sum + stats.total : sum - stats.total;
  }, 0);
  const activate = (of) => update(
    of,
    'SET place_state = :state',
    'order_id = :order AND place_state = :reserved',
    { ':state': S('ACTIVE'), ':order': S(order), ':reserved': S('RESERVED') },
  );
  return transact([
    update(
      keys.order(order),
      'SET order_state = :state REMOVE gsi1pk, gsi1sk',
      'order_state = :pending',
      { ':state': S('COMPLETED'), ':pending': S('PENDING') },
    ),
    ...transactions.flatMap((aggregate) => postTransaction(company, family, aggregate)),
    update(
      keys.family(company, family),
      'ADD family_balance :change, family_version :one',
      undefined,
      { ':change': N(change), ':one': N(1) },
    ),
    ...enrolments.map((place) => activate(keys.enrolment(company, family, place.student, place.class))),
    ...trials.map((place) => activate(keys.trial(company, family, place.student, place.class))),
  ]);
}
