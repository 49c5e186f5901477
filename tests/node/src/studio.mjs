// The catalogue and the family, as one parallel read.

import { classesOf } from './basket.mjs';
import { getAll, keys, query } from './table.mjs';
import { leaveOut, need } from './refuse.mjs';

/** What a basket is priced from. */
export async function loadStudio({ company, family }, basket, strongly) {
  const classes = classesOf(basket);
  const lessonDays = (id) => basket.trials.filter(({ classId }) => classId === id).map(({ trialAt }) => trialAt);
  const places = classes.flatMap((id) => [
    keys.class(company, id),
    keys.seats(company, id),
    ...[...new Set(lessonDays(id))].map((on) => keys.lesson(company, id, on)),
  ]);
  const [list, members, items] = await Promise.all([
    query(`C#${company}`, strongly),
    query(`C#${company}#F#${family}`, strongly),
    getAll(places, strongly),
  ]);
  const studio = { ...priceListOf(list), ...householdOf(family, members), classes: new Map() };
  for (const id of classes) {
    const [doc, seats] = [items.at(keys.class(company, id)), items.at(keys.seats(company, id))];
    need(doc && seats, 'a class that is there');
    const booked = lessonDays(id).map((on) => [on, Number(items.at(keys.lesson(company, id, on))?.trials_booked.N ?? 0)]);
    studio.classes.set(id, { doc: JSON.parse(doc.doc.S), seats: seatsOf(seats), trialsBooked: new Map(booked) });
  }
  return studio;
}

/** What is left of a class, and the version that guards its price. */
export function seatsOf(item) {
  const left = item.seats_total ? Math.max(Number(item.seats_left.N), 0) : null;
  return { left, priceVersion: item.price_version.N };
}

function priceListOf(items) {
  const list = { company: null, taxRates: new Map(), schemes: [], holidays: [], seasons: new Map() };
  for (const { sk: { S: sk }, doc } of items) {
    const read = () => JSON.parse(doc.S);
    if (sk === 'META') list.company = read();
    else if (sk.startsWith('TAX#')) {
      const rate = read();
      list.taxRates.set(rate.id, rate);
    } else if (sk.startsWith('DISC#')) list.schemes.push(read());
    else if (sk.startsWith('HOL#')) list.holidays.push(read());
    else if (sk.startsWith('SEASON#')) {
      const season = read();
      list.seasons.set(season.id, season);
    }
  }
  need(list.company, 'a company that is there');
  return list;
}

function householdOf(family, items) {
  const household = { family: null, students: new Map(), enrolments: [], trials: [] };
  const isLive = (item) => item.place_state && item.place_state.S !== 'CANCELLED';
  const booked = (item) => ({ student: item.student.S, class: item.class.S });
  for (const item of items) {
    const sk = item.sk.S;
    if (sk === 'META') household.family = JSON.parse(item.doc.S);
    else if (sk.startsWith('STU#')) {
      const student = JSON.parse(item.doc.S);
      household.students.set(student.id, student);
    } else if (sk.startsWith('ENR#') && isLive(item)) household.enrolments.push(booked(item));
    else if (sk.startsWith('TRIAL#') && isLive(item)) household.trials.push(booked(item));
    else if (sk.startsWith('FEE#')) leaveOut('fees that were charged before');
  }
  need(household.family, `a family ${family} that is there`);
  return household;
}
