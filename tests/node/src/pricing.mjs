// From a basket to amounts: the pricing rules that the benchmark's baskets meet.
//
// Invariant: a rule that is not here, or a basket that may not be sold, is refused and never priced.

import { ageInMonths, calendarMonths, lessons, lessonsLeft, paymentDates } from './calendar.mjs';
import { Fingerprint } from './fingerprint.mjs';
import { exact, percent, percentOf, shortest, split, totals } from './money.mjs';
import { leaveOut, need } from './refuse.mjs';

const MOST_ACTIONS = 100;

/** Prices a basket at that local time, for a family. */
export function price(studio, basket, now) {
  onlyWhatIsCovered(studio);
  const places = placesOf(studio, basket, now);
  check(studio, places);
  const trials = places.filter((place) => place.isTrial).map((place) => trialLine(studio, place));
  const enrolments = places.filter((place) => !place.isTrial);
  const seasons = [];
  const lines = [];
  for (const id of [...new Set(enrolments.map((place) => place.season.id))].sort()) {
    const season = studio.seasons.get(id);
    const tuition = enrolments.filter((place) => place.season === season).map((place) => tuitionOf(place));
    const plans = season.pricingPlans.filter((plan) => plan.enabled).map((plan) => {
      return planQuote(studio, plan, tuition, now.day);
    });
    seasons.push({ season, plans });
    tuition.forEach(({ place }, index) => {
      const quoted = plans.find(({ plan }) => plan === place.plan);
      if (quoted) lines.push(quoted.lines[index]);
    });
  }
  const known = lines.length === enrolments.length;
  const quote = { today: now.day, seasons, lines: known ? lines : [], trials, payment: null };
  fitsOneOrder(basket, quote);
  quote.hash = quoteHash(studio, quote);
  if (known) quote.payment = paymentOf(studio, quote);
  return quote;
}

function onlyWhatIsCovered({ company, schemes, seasons }) {
  const { tax } = company.settings;
  if (tax.enabled && tax.taxMode !== 'exclusive') leaveOut('prices that contain their tax');
  if (schemes.some((scheme) => scheme.enabled)) leaveOut('discount schemes');
  for (const season of seasons.values()) {
    if (season.pricingScheme !== 'none') leaveOut('prices by the number of classes');
    if (season.enableRegistrationFees || season.additionalFees.length > 0) leaveOut('fees');
  }
}

function placesOf(studio, basket, now) {
  const known = new Map();
  const place = (item, isTrial) => {
    const student = studio.students.get(item.studentId);
    const onSale = studio.classes.get(item.classId);
    const season = onSale && studio.seasons.get(onSale.doc.seasonId);
    need(student && !student.archivedAt && season, 'a student and a class that are there');
    let days = known.get(item.classId);
    if (!days) {
      const all = lessons(onSale.doc, season, studio.holidays);
      days = lessonsLeft(all, onSale.doc.startTime, now);
      known.set(item.classId, days);
    }
    const name = `${student.firstname} ${student.lastname}`.trim();
    const enabled = season.pricingPlans.filter((plan) => plan.enabled);
    const plan = item.pricingPlanId
      ? enabled.find(({ id }) => id === item.pricingPlanId)
      : enabled.length === 1 ? enabled[0] : undefined;
    return { item, isTrial, student, name, onSale, doc: onSale.doc, season, days, plan };
  };
  return [
    ...basket.enrolments.map((item) => place(item, false)),
    ...basket.trials.map((item) => place(item, true)),
  ];
}

function count(counts, key) {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Every refusal of a basket is left out. */
function check(studio, places) {
  const [items, seats, taken] = [new Map(), new Map(), new Map()];
  for (const { item, isTrial } of places) {
    count(items, `${item.studentId} ${item.classId}`);
    if (isTrial) count(taken, `${item.classId} ${item.trialAt}`);
    else count(seats, item.classId);
  }
  const { trial, enrolment } = studio.company.settings;
  for (const { item, isTrial, student, onSale, doc, season, days, plan } of places) {
    const { settings } = doc;
    const same = (other) => other.student === item.studentId && other.class === item.classId;
    need(items.get(`${item.studentId} ${item.classId}`) === 1, 'an item once');
    need(!studio.enrolments.some(same), 'a student who is not enrolled');
    need(season.registrationStatus === 'open' && settings.portalEnrolmentEnabled, 'a class that is on sale');
    need(days.length > 0, 'a class with lessons left');
    if (student.dateOfBirth) {
      const age = ageInMonths(student.dateOfBirth, enrolment, season);
      const { minAgeMonths: least, maxAgeMonths: most } = doc;
      need((least === null || age >= least) && (most === null || age <= most), 'a student of the right age');
    }
    if (!isTrial) {
      need(onSale.seats.left === null || onSale.seats.left >= seats.get(item.classId), 'a place for everybody');
      need(season.pricingPlans.some(({ enabled }) => enabled), 'a season that can be paid for');
      need(!item.pricingPlanId || plan, 'a plan of the season');
      continue;
    }
    need(trial.enableOnPortal && settings.trialsEnabled, 'a class that takes trials');
    need(days.includes(item.trialAt) && item.time === doc.startTime, 'a trial of a lesson');
    need(!studio.trials.some(same), 'a student who has had no trial');
    if (trial.limitedCapacity) {
      const booked = onSale.trialsBooked.get(item.trialAt) ?? 0;
      const wanted = taken.get(`${item.classId} ${item.trialAt}`);
      need(booked + wanted <= trial.maxCapacityPerLesson, 'a trial place for everybody');
    }
  }
}

function fitsOneOrder(basket, quote) {
  const seasons = new Set([...quote.seasons.map(({ season }) => season.id), ...quote.trials.map(({ season }) => season)]);
  const actions = 6 + 2 * basket.enrolments.length + 4 * basket.trials.length + 2 * seasons.size;
  need(actions <= MOST_ACTIONS, 'a basket that fits one order');
}

/** How something is taxed; null: not at all. */
function taxationAt(studio, rateId) {
  const rate = studio.company.settings.tax.enabled && rateId ? studio.taxRates.get(rateId) : undefined;
  if (!rate) return null;
  const thousandths = percent(rate.rate);
  return { thousandths, description: `${rate.label} ${shortest(thousandths)}%` };
}

/** Takes a price apart: less its discounts, taxed. */
function compose(kind, description, base, discounts, taxation) {
  const tax = (amount) => (taxation ? percentOf(taxation.thousandths, amount) : 0);
  const [details, shown] = [[], []];
  const add = (detail) => {
    if (detail.amount !== 0) details.push(detail);
  };
  add({ kind, amount: base, description, giver: null });
  if (taxation) add({ kind: 'tax', amount: tax(base), description: taxation.description, giver: null });
  let left = base;
  for (const discount of discounts) {
    const after = left - discount.amount;
    const [amount, taxAmount] = [-discount.amount, tax(after) - tax(left)];
    add({ kind: 'discount', amount, description: discount.description, giver: discount.giver });
    shown.push({ description: discount.description, amount, taxAmount, total: amount + taxAmount });
    left = after;
  }
  if (taxation) {
    const description = `${taxation.description} on discounts`;
    add({ kind: 'discount-tax', amount: tax(left) - tax(base), description, giver: null });
  }
  return { details, discounts: shown, totals: totals(details) };
}

const UNITS = {
  'per-lesson': (days) => days.length,
  'per-month': calendarMonths,
  'per-season': () => 1,
};

function tuitionOf(place) {
  const units = UNITS[place.season.pricingModel](place.days);
  return { place, description: `${place.doc.name}, ${place.name}`, base: exact(place.doc.price * units) };
}

function lineOn(studio, plan, { place, description, base }, dates) {
  const thousandths = percent(plan.discount);
  const off = percentOf(thousandths, base);
  const called = `Plan discount ${shortest(thousandths)}%`;
  const discounts = off === 0 ? [] : [{ description: called, amount: off, giver: plan.id }];
  const taxation = taxationAt(studio, place.doc.settings.taxRateId);
  const composed = compose('tuition', description, base, discounts, taxation);
  return {
    ...composed,
    item: place.item,
    season: place.season.id,
    discountable: place.doc.settings.discountable,
    plan: plan.id,
    description,
    taxDescription: taxation ? taxation.description : null,
    instalments: instalmentsOf(composed, dates),
  };
}

/** A line over its plan's dates: tuition takes what makes the details of each sum to its amount. */
function instalmentsOf({ details, totals: { total } }, dates) {
  const parts = split(total, dates.length).map((amount, index) => ({ on: dates[index], amount, details: [] }));
  for (const detail of details.filter(({ kind }) => kind !== 'tuition')) {
    split(detail.amount, dates.length).forEach((amount, index) => {
      if (amount !== 0) parts[index].details.push({ ...detail, amount });
    });
  }
  const tuition = details.find(({ kind }) => kind === 'tuition');
  for (const part of tuition ? parts : []) {
    const amount = part.details.reduce((left, detail) => left - detail.amount, part.amount);
    if (amount !== 0) part.details.unshift({ ...tuition, amount });
  }
  return parts.filter((part) => part.details.length > 0);
}

function planQuote(studio, plan, tuition, today) {
  const dates = paymentDates(plan, today);
  const lines = tuition.map((one) => lineOn(studio, plan, one, dates));
  const [taxes, instalments] = [new Map(), new Map()];
  for (const line of lines) {
    if (line.taxDescription !== null) {
      taxes.set(line.taxDescription, (taxes.get(line.taxDescription) ?? 0) + line.totals.taxTotal);
    }
    for (const { on, amount } of line.instalments) {
      if (amount !== 0) instalments.set(on, (instalments.get(on) ?? 0) + amount);
    }
  }
  const sums = totals(lines.flatMap((line) => line.details));
  return { plan, dates, lines, totals: sums, taxes, instalments, dueNow: instalments.get(today) ?? 0 };
}

function trialLine(studio, { item, doc, season, name }) {
  const taxation = taxationAt(studio, doc.settings.taxRateId);
  const description = `Trial of ${doc.name} on ${item.trialAt}, ${name}`;
  const composed = compose('trial', description, studio.company.settings.trial.price, [], taxation);
  return { item, season: season.id, ...composed };
}

function paymentOf(studio, { today, lines, trials }) {
  const dueNow = lines.flatMap((line) => line.instalments.filter(({ on }) => on === today));
  const subtotal = [...dueNow.map(({ amount }) => amount), ...trials.map((trial) => trial.totals.total)]
    .reduce((sum, amount) => exact(sum + amount), 0);
  const { isProcessingFeeEnabled, processingFee: rate } = studio.company.settings.billing;
  const thousandths = isProcessingFeeEnabled ? percent(rate) : 0;
  const processingFee = percentOf(thousandths, subtotal);
  return { subtotal, processingFee, processingFeePercent: Number(shortest(thousandths)), total: subtotal + processingFee };
}

function quoteHash({ company }, quote) {
  const { tax, billing } = company.settings;
  const hash = new Fingerprint('quote').text(company.id).text(billing.currency);
  hash.text(tax.enabled ? tax.taxMode : 'untaxed').text(quote.today);
  hash.number(billing.isProcessingFeeEnabled ? percent(billing.processingFee) : -1);
  const details = (list) => list.forEach(({ kind, amount }) => hash.text(kind).number(amount));
  for (const { season, plans } of quote.seasons) {
    hash.text('season').text(season.id);
    for (const { plan, dates, lines } of plans) {
      hash.text('plan').text(plan.id);
      dates.forEach((on) => hash.day(on));
      for (const line of lines) {
        hash.text('line').text(line.item.studentId).text(line.item.classId);
        details(line.details);
      }
    }
  }
  for (const trial of quote.trials) {
    const { studentId, classId, trialAt, time } = trial.item;
    hash.text('trial').text(studentId).text(classId).text(trialAt).text(`${time}:00`);
    details(trial.details);
  }
  return hash.hex();
}
