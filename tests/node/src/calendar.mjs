// Days as texts, `2026-09-07`: they compare as they follow each other.

import { leaveOut, need } from './refuse.mjs';

const DAY_MS = 86_400_000;
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

const ms = (day) => Date.UTC(Number(day.slice(0, 4)), Number(day.slice(5, 7)) - 1, Number(day.slice(8)));
const later = (one, other) => (one > other ? one : other);
const earlier = (one, other) => (one < other ? one : other);

/** The day of an instant in UTC. */
export const dayOf = (instantMs) => new Date(instantMs).toISOString().slice(0, 10);

const zones = new Map();

/** A place's date and time of day, `{ day, time }`. */
export function localNow(timezone, nowMs) {
  let format = zones.get(timezone);
  if (!format) {
    // Sweden writes dates as ISO does.
    format = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'medium' });
    zones.set(timezone, format);
  }
  const [day, time] = format.format(nowMs).split(' ');
  return { day, time };
}

/** A class's lessons. */
export function lessons(doc, season, holidays) {
  const from = ms(later(doc.firstLessonStartDate, season.startAt));
  const to = ms(earlier(doc.lastLessonEndDate, season.endAt));
  const first = from + ((WEEKDAYS.indexOf(doc.dayOfWeek) - new Date(from).getUTCDay() + 7) % 7) * DAY_MS;
  const days = [];
  for (let day = first; day <= to; day += 7 * DAY_MS) {
    const text = dayOf(day);
    if (!holidays.some(({ startAt, endAt }) => startAt <= text && text <= endAt)) days.push(text);
  }
  return days;
}

/** Those that have not begun. */
export const lessonsLeft = (days, startTime, now) =>
  days.filter((day) => day > now.day || (day === now.day && now.time < `${startTime}:00`));

/** In how many months the days are. */
export const calendarMonths = (days) => new Set(days.map((day) => day.slice(0, 7))).size;

function planDates(plan) {
  if (plan.type === 'one-off') return [plan.firstPaymentDate];
  need(plan.type === 'monthly', 'a plan that is one-off or monthly');
  if (plan.installmentDates.length > 0) return [...plan.installmentDates].sort();
  const [year, month, day] = plan.firstPaymentDate.split('-').map(Number);
  const on = plan.paymentDay ?? day;
  const dates = [plan.firstPaymentDate];
  for (let more = 1; more < plan.numberOfInstallments; more += 1) {
    const last = new Date(Date.UTC(year, month + more, 0)).getUTCDate();
    dates.push(dayOf(Date.UTC(year, month - 1 + more, Math.min(on, last))));
  }
  return dates;
}

/** When a family that joins today pays. */
export const paymentDates = (plan, today) => [...new Set(planDates(plan).map((date) => later(date, today)))];

/** A student's age in whole months when it counts for a season. */
export function ageInMonths(bornOn, settings, season) {
  if (settings.ageCutOffType !== 'first_day_of_season') leaveOut('another age cut-off');
  const on = season.startAt;
  const months = (day) => Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7));
  return months(on) - months(bornOn) - (on.slice(8) < bornOn.slice(8) ? 1 : 0);
}
