// What this comparison leaves out is refused, loudly: an answer from here is right, or there is none.

export class NotInThisComparison extends Error {}

/** Refuses what is not covered. */
export function leaveOut(what) {
  throw new NotInThisComparison(`not in this comparison: ${what}`);
}

/** Refuses unless it is so. */
export function need(holds, what) {
  if (!holds) leaveOut(`${what} doesn't hold`);
}
