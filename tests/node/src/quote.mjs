// GET /v1/basket/{familyId}/quote: reads what the service reads for a quote, and answers with that. Nothing is priced:
// a line has its class's price as it is stored.

import { serve } from './runtime.mjs';
import { keysOf, readStudio } from './studio.mjs';
import { openTable } from './table.mjs';

async function quote(event) {
  const { enrolments, trials } = event.queryStringParameters;
  const basket = { enrolments: JSON.parse(enrolments), trials: JSON.parse(trials) };
  const documents = await readStudio(keysOf(event), basket, false);
  const line = (item) => {
    const { name, price } = documents.get(item.classId);
    return { ...item, name, price, student: documents.get(item.studentId) };
  };
  const season = documents.get(documents.get(basket.enrolments[0].classId).seasonId);
  const plans = season.pricingPlans.filter((plan) => plan.enabled);
  return {
    season,
    enabledPricingPlans: plans,
    quotes: plans.map((plan) => ({ ...plan, items: basket.enrolments.map(line) })),
    trials: basket.trials.map(line),
  };
}

openTable().then(() => serve(quote));
