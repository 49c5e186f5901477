// Amounts in minor units and percentages in thousandths of a percent: whole numbers, checked.
//
// Invariant: every result is a safe integer, so that doubles hold it exactly; one place rounds.

import { need } from './refuse.mjs';

const WHOLE = 100_000;

/** The number itself, if it is whole and exact. */
export function exact(number) {
  need(Number.isSafeInteger(number), 'an amount that is a safe integer');
  return number;
}

/** n / d, rounded half away from zero. */
export function roundDiv(n, d) {
  const twice = exact(2 * Math.abs(exact(n)) + d);
  const divisor = exact(2 * d);
  const rounded = (twice - (twice % divisor)) / divisor;
  return n < 0 ? -rounded : rounded;
}

/** `20.000` or `2.9` in thousandths. */
export function percent(text) {
  const digits = /^(\d{1,9})(?:\.(\d{1,3}))?$/.exec(String(text));
  need(digits, 'a percentage');
  return Number(digits[1] + (digits[2] ?? '').padEnd(3, '0'));
}

/** A percentage of an amount. */
export const percentOf = (thousandths, amount) => roundDiv(exact(amount * thousandths), WHOLE);

/** The fewest digits that say it: `2.9`. */
export function shortest(thousandths) {
  const digits = String(thousandths).padStart(4, '0');
  return `${digits.slice(0, -3)}.${digits.slice(-3)}`.replace(/\.?0+$/, '');
}

/** So many parts that sum to the total; the first have what is left over. */
export function split(total, parts) {
  const leftOver = total % parts;
  const each = (total - leftOver) / parts;
  return Array.from({ length: parts }, (_, i) => each + (i < Math.abs(leftOver) ? Math.sign(leftOver) : 0));
}

const SUM_OF = { discount: 'discountTotal', tax: 'taxTotal', 'discount-tax': 'taxTotal' };

/** The sums of details. */
export function totals(details) {
  const sums = { total: 0, subtotal: 0, discountTotal: 0, taxTotal: 0 };
  for (const { kind, amount } of details) {
    sums.total = exact(sums.total + amount);
    sums[SUM_OF[kind] ?? 'subtotal'] += amount;
  }
  return sums;
}
