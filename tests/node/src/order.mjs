// An order: placed (P1) and posted (P2), each one transaction.
//
// Invariant: the actions are the service's, on its keys and with its conditions, as they are for the benchmark's
// basket: a place and a trial in two classes of one season, with limited seats and trial places, paid all at once. A
// document is a cut of what was read, as long as the service's own.

import { randomBytes } from 'node:crypto';

import { check, key, put, transact, update } from './table.mjs';

const NOT_LIVE = ['attribute_not_exists(pk) OR place_state = :cancelled', { cancelled: 'CANCELLED' }];
const LENGTHS = { order: 2514, debit: 1511, credit: 357, trial: 143, basketHash: 64 };
const DUE_AFTER_S = 120;

/** What makes an id one of its own, as long as in the service's. */
export const unique = () => randomBytes(13).toString('hex').toUpperCase();

/** P1: claims the intent and reserves everything, or nothing. */
export function place({ keys, order, head, account, intent, amount, basket, documents, versions, text }) {
  const { cid, fid } = keys;
  const { billing: { currency }, trial: { maxCapacityPerLesson: most } } = documents.get(cid).settings;
  const whose = { cid, fid, order_id: order };
  const now = Math.floor(Date.now() / 1000);
  const version = Number(versions.family.family_version.N);
  const due = { gsi1pk: 'PAY#0', gsi1sk: String(now + DUE_AFTER_S).padStart(12, '0') };
  const takeSeats = ([id, seats]) => {
    const taken = basket.enrolments.filter(({ classId }) => classId === id).length;
    const condition = 'price_version = :version AND on_sale = :yes AND seats_left >= :needed';
    const values = { version: Number(seats.price_version.N), yes: true, needed: taken || 1 };
    if (taken === 0) return check(keys.seats(id), condition, values);
    return update(keys.seats(id), 'ADD seats_left :taken', condition, { ...values, taken: -taken });
  };
  const takeTrialPlace = (item) => update(
    keys.lesson(item), 'ADD trials_booked :one SET cid = :cid',
    'attribute_not_exists(trials_booked) OR trials_booked < :most', { one: 1, cid, most },
  );
  const reserved = (item) =>
    ({ cid, place_state: 'RESERVED', order_id: order, student: item.studentId, class: item.classId });
  const enrol = (item) => {
    const { seasonId: season, settings: { discountable } } = documents.get(item.classId);
    const own = { enrolment_id: `enr_${unique()}`, season, discountable, plan: item.pricingPlanId };
    return put(keys.enrolment(item), { ...reserved(item), ...own }, ...NOT_LIVE);
  };
  const bookTrial = (item) => [
    put(keys.trial(item), { ...reserved(item), trial_id: `trl_${unique()}`, doc: text(LENGTHS.trial) }, ...NOT_LIVE),
    check(keys.enrolment(item), ...NOT_LIVE),
  ];
  return transact([
    put(keys.claim(account, intent), { ...whose, claim_decision: 'ORDER', basket: text(LENGTHS.basketHash) }),
    update(
      keys.session(account, intent), 'SET session_state = :claimed REMOVE gsi1pk, gsi1sk',
      'session_state = :open AND amount = :amount', { claimed: 'claimed', open: 'open', amount },
    ),
    put(head, {
      ...whose, order_state: 'PENDING', doc_generation: 1, placed_s: now, account, intent, total: amount, currency,
      capture_attempt: 1, ...due,
    }),
    put(key(head.pk.S, 'DOC#1'), { cid, doc: text(LENGTHS.order) }),
    update(keys.family, 'SET family_version = :next', 'family_version = :version', { next: version + 1, version }),
    ...versions.seats.map(takeSeats),
    ...basket.trials.map(takeTrialPlace),
    ...basket.enrolments.map(enrol),
    ...basket.trials.flatMap(bookTrial),
  ]);
}

/** P2: posts a debit and a credit and makes the places active. Only after Stripe said `succeeded`. */
export function post({ keys, order, head, basket, documents, text }) {
  const { cid, fid } = keys;
  const { currency } = documents.get(cid).settings.billing;
  const [debit, credit] = [unique(), unique()];
  const entry = (id, length) => put(keys.entry(id), { cid, transaction_id: `trn_${id}`, doc: text(length) });
  const activate = (of) => update(
    of, 'SET place_state = :active', 'order_id = :order AND place_state = :reserved',
    { active: 'ACTIVE', order, reserved: 'RESERVED' },
  );
  return transact([
    update(
      head, 'SET order_state = :completed, credit_id = :credit REMOVE needs_review, gsi1pk, gsi1sk',
      'order_state = :pending', { completed: 'COMPLETED', credit: `trn_${credit}`, pending: 'PENDING' },
    ),
    entry(debit, LENGTHS.debit),
    put(keys.due(debit), { cid, fid, amount_due: 0, amount_reserved: 0, currency }),
    entry(credit, LENGTHS.credit),
    update(keys.family, 'ADD family_balance :change, family_version :one', undefined, { change: 0, one: 1 }),
    ...basket.enrolments.map((item) => activate(keys.enrolment(item))),
    ...basket.trials.map((item) => activate(keys.trial(item))),
  ]);
}
