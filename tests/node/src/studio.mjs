// The keys of a call, and the catalogue and the family as one parallel read.

import { getAll, key, query } from './table.mjs';

/** The keys of the company and the family that a call is about. */
export function keysOf(event) {
  const cid = event.requestContext.authorizer.jwt.claims.company_id;
  const fid = event.pathParameters.familyId;
  const [company, family] = [`C#${cid}`, `C#${cid}#F#${fid}`];
  return {
    cid,
    fid,
    company: key(company, 'META'),
    family: key(family, 'META'),
    class: (id) => key(`${company}#CLS#${id}`, 'META'),
    seats: (id) => key(`${company}#CLS#${id}`, 'SEATS'),
    lesson: ({ classId, trialAt }) => key(`${company}#CLS#${classId}`, `LESSON#${trialAt}`),
    enrolment: ({ studentId, classId }) => key(family, `ENR#${studentId}#${classId}`),
    trial: ({ studentId, classId }) => key(family, `TRIAL#${studentId}#${classId}`),
    entry: (id) => key(`${family}#LEDGER`, `TRN#${id}`),
    claim: (account, intent) => key(`PI#${account}#${intent}`, 'CLAIM'),
    session: (account, intent) => key(`PI#${account}#${intent}`, 'SESSION'),
    due: (id) => key(`${company}#TRN#trn_${id}`, 'DUE'),
  };
}

/** The classes of a basket, each once. */
export const classesOf = ({ enrolments, trials }) => [...new Set([...enrolments, ...trials].map((of) => of.classId))];

/** The documents that the service prices a basket from, each by its own id. */
export async function readStudio(keys, basket, strongly) {
  const ofClasses = classesOf(basket).flatMap((id) => [keys.class(id), keys.seats(id)]);
  const parts = await Promise.all([
    query(keys.company.pk, strongly),
    query(keys.family.pk, strongly),
    getAll([...ofClasses, ...basket.trials.map(keys.lesson)], strongly),
  ]);
  const documents = parts.flat().filter((item) => item?.doc).map((item) => JSON.parse(item.doc.S));
  return new Map(documents.map((document) => [document.id, document]));
}
