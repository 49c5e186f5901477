// GET /v1/basket/{familyId}/quote

import { basketOf, itemsOfQuery, scopeOf } from './basket.mjs';
import { localNow } from './calendar.mjs';
import { nowMs } from './clock.mjs';
import { price } from './pricing.mjs';
import { serve } from './runtime.mjs';
import { loadStudio } from './studio.mjs';
import { openTable } from './table.mjs';

async function quote(event) {
  const scope = scopeOf(event);
  const basket = basketOf(itemsOfQuery(event.rawQueryString), false);
  const studio = await loadStudio(scope, basket, false);
  const quoted = price(studio, basket, localNow(studio.company.settings.general.timezone, nowMs()));
  return {
    registrationFees: [],
    seasons: quoted.seasons.map(({ season, plans }) => seasonBody(scope.family, season, plans)),
    trials: quoted.trials.map(trialBody),
    payment: quoted.payment,
    quoteHash: quoted.hash,
  };
}

function seasonBody(familyId, season, plans) {
  const { registrationFeeId, pricingSchemeValues, ...published } = season;
  return {
    familyId,
    season: published,
    enabledPricingPlans: season.pricingPlans.filter((plan) => plan.enabled),
    quotes: plans.map(planBody),
    additionalFees: [],
  };
}

function planBody({ plan, lines, totals, taxes, dueNow, instalments }) {
  const byKey = (map, name) => [...map].sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([value, amount]) => ({ [name]: value, amount }));
  return {
    pricingPlanId: plan.id,
    ...totals,
    items: lines.map(lineBody),
    taxes: byKey(taxes, 'description'),
    dueNow,
    instalments: byKey(instalments, 'date'),
  };
}

function lineBody({ description, totals, taxDescription, discounts, item }) {
  return {
    description,
    type: 'tuition',
    ...totals,
    taxTotal: taxDescription === null ? null : totals.taxTotal,
    taxDescription,
    discounts,
    classId: item.classId,
    studentId: item.studentId,
  };
}

function trialBody({ item: { classId, studentId, trialAt, time }, totals: { subtotal, taxTotal, total } }) {
  return { classId, studentId, trialAt, time, subTotal: subtotal, taxTotal, total };
}

openTable().then(() => serve(quote));
