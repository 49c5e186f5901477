// What a checkout posts: debits, one for each season, and the credit for what was paid.

import { mint } from './fingerprint.mjs';
import { totals } from './money.mjs';

const posted = ({ kind, amount, description, giver }, about) => ({
  kind, amount, description, about: giver === null ? about : [...about, giver],
});

function seasonDetails(season, today, lines, trials) {
  const details = [];
  for (const { line, id } of lines.filter((booked) => booked.line.season === season)) {
    const about = [line.item.classId, line.item.studentId, id, season];
    const dueNow = line.instalments.filter(({ on }) => on === today).flatMap((instalment) => instalment.details);
    details.push(...dueNow.map((detail) => posted({ ...detail, giver: detail.giver ?? line.plan }, about)));
  }
  for (const { trial, id } of trials.filter((booked) => booked.trial.season === season)) {
    const about = [trial.item.classId, trial.item.studentId, id, season];
    details.push(...trial.details.map((detail) => posted({ ...detail, giver: null }, about)));
  }
  return details;
}

function credit({ total, processingFee }) {
  const line = (kind, amount, description) => ({ kind, amount, description, about: [] });
  const details = [line('payment-auto', total, 'Card payment')];
  if (processingFee !== 0) details.push(line('fee-company', -processingFee, 'Processing fee'));
  return { type: 'credit', description: 'Payment', details };
}

function entriesOf(studio, quote, lines, trials) {
  const seasons = new Set([...lines.map(({ line }) => line.season), ...trials.map(({ trial }) => trial.season)]);
  const debits = [...seasons].sort().map((season) => ({
    type: 'debit',
    description: studio.seasons.get(season).name,
    details: seasonDetails(season, quote.today, lines, trials),
  }));
  return [...debits.filter(({ details }) => details.length > 0), credit(quote.payment)];
}

/** The transactions of an order. A credit is related to the debit when there is exactly one. */
export function transactionsOf({ studio, quote, lines, trials, scope, order, nowMs }) {
  const { company, family } = scope;
  const entries = entriesOf(studio, quote, lines, trials);
  const ids = entries.map(() => mint('trn', nowMs)).sort();
  const debits = entries.filter(({ type }) => type === 'debit').length;
  const onlyDebit = debits === 1 ? ids[entries.findIndex(({ type }) => type === 'debit')] : null;
  return entries.map(({ type, description, details }, index) => ({
    aggregateId: ids[index],
    transaction: {
      id: ids[index],
      companyId: company,
      familyId: family,
      familyName: studio.family.name,
      relatedTransactionId: type === 'credit' ? onlyDebit : null,
      type,
      date: quote.today,
      description,
      orderId: order,
      deletedAt: null,
    },
    details: details.map((detail) => detailOf(detail, company, ids[index], nowMs)),
    stats: totals(details),
  }));
}

function detailOf({ kind, amount, description, about }, companyId, transactionId, nowMs) {
  const id = mint('trnd', nowMs);
  return {
    details: { id, companyId, transactionId, type: kind, amount, description, deletedAt: null },
    relatedEntities: about.map((entityId) => ({
      id: mint('trne', nowMs), companyId, transactionDetailId: id, entityId,
    })),
  };
}
