// Who asks, and for what: the caller's claims, the items of a basket.

import { leaveOut, need } from './refuse.mjs';

const ID = /^[A-Za-z0-9_]{1,64}$/;
const DAY = /^\d{4}-\d\d-\d\d$/;
const TIME = /^\d\d:\d\d$/;
const MOST_ITEMS = 25;

/** The family that a call is about. */
export function scopeOf(event) {
  const { company_id: company, family_id: own, role } = event.requestContext.authorizer.jwt.claims;
  const family = event.pathParameters.familyId;
  need(role === 'family', 'a caller who is a family');
  need(ID.test(company) && ID.test(family) && own === family, 'a family that asks for itself');
  return { company, family, role };
}

const byItem = (one, other) => {
  const [left, right] = [one, other].map((item) =>
    [item.studentId, item.classId, item.pricingPlanId ?? '', item.trialAt ?? '', item.time ?? '']);
  const at = left.findIndex((part, index) => part !== right[index]);
  return at < 0 ? 0 : left[at] < right[at] ? -1 : 1;
};

/** Checks the items and sorts them. */
export function basketOf({ enrolments, trials }, plansAreNeeded) {
  const items = enrolments.length + trials.length;
  need(items >= 1 && items <= MOST_ITEMS, 'a basket of 1 to 25 items');
  for (const { classId, studentId, pricingPlanId, ...others } of enrolments) {
    need(Object.keys(others).length === 0, 'an enrolment of the known fields');
    const planned = pricingPlanId === undefined || pricingPlanId === null ? !plansAreNeeded : ID.test(pricingPlanId);
    need(ID.test(classId) && ID.test(studentId) && planned, 'an enrolment of ids');
  }
  for (const { classId, studentId, trialAt, time, ...others } of trials) {
    need(Object.keys(others).length === 0, 'a trial of the known fields');
    need(ID.test(classId) && ID.test(studentId) && DAY.test(trialAt) && TIME.test(time), 'a trial of ids and a time');
  }
  return { enrolments: [...enrolments].sort(byItem), trials: [...trials].sort(byItem) };
}

/** The items of a quote's query. */
export function itemsOfQuery(rawQuery) {
  const query = new URLSearchParams(rawQuery);
  const list = (name) => {
    const given = query.getAll(name);
    if (given.length !== 1 || !given[0].startsWith('[')) leaveOut('a list that is no JSON array, given once');
    return JSON.parse(given[0]);
  };
  return { enrolments: list('enrolments'), trials: list('trials') };
}

/** The classes of a basket, each once, sorted. */
export const classesOf = ({ enrolments, trials }) =>
  [...new Set([...enrolments, ...trials].map((item) => item.classId))].sort();
