// Digests, and ids: SHA-256 over texts with their lengths and over numbers, as the service makes them.

import { createHash, randomFillSync } from 'node:crypto';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

export class Fingerprint {
  #bytes = Buffer.allocUnsafe(4096);
  #length = 0;

  constructor(about) {
    this.text(about);
  }

  #room(more) {
    if (this.#length + more <= this.#bytes.length) return;
    const bytes = Buffer.allocUnsafe(2 * (this.#length + more));
    this.#bytes.copy(bytes, 0, 0, this.#length);
    this.#bytes = bytes;
  }

  text(text) {
    const length = Buffer.byteLength(text);
    this.number(length);
    this.#room(length);
    this.#bytes.write(text, this.#length);
    this.#length += length;
    return this;
  }

  number(number) {
    this.#room(8);
    this.#bytes.writeInt32BE(Math.floor(number / 2 ** 32), this.#length);
    this.#bytes.writeUInt32BE(((number % 2 ** 32) + 2 ** 32) % 2 ** 32, this.#length + 4);
    this.#length += 8;
    return this;
  }

  /** `2026-09-07` as three numbers. */
  day(day) {
    return this.number(Number(day.slice(0, 4))).number(Number(day.slice(5, 7))).number(Number(day.slice(8)));
  }

  digest() {
    return createHash('sha256').update(this.#bytes.subarray(0, this.#length)).digest();
  }

  hex() {
    return this.digest().toString('hex');
  }
}

/** 16 bytes as 26 letters. */
export function ulid(bytes) {
  let text = '';
  // 130 bits in 26 groups of five: two bits of nothing come first.
  for (let bit = -2; bit < 128; bit += 5) {
    const at = bit >> 3;
    const two = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    text += CROCKFORD[(two >> (11 - (bit & 7))) & 31];
  }
  return text;
}

const random = Buffer.allocUnsafe(16);

/** A new id: 48 bits of time, 80 of chance. */
export function mint(prefix, nowMs) {
  randomFillSync(random);
  random.writeUIntBE(nowMs, 0, 6);
  return `${prefix}_${ulid(random)}`;
}

/** The id of the order that an intent pays. */
export const orderOfIntent = (account, intent) =>
  `ord_${ulid(new Fingerprint('order').text(account).text(intent).digest().subarray(0, 16))}`;

/** What tells a family's basket from every other. */
export function basketHash(company, family, basket) {
  const hash = new Fingerprint('basket').text(company).text(family);
  for (const { studentId, classId, pricingPlanId } of basket.enrolments) {
    hash.text('enrolment').text(studentId).text(classId).text(pricingPlanId ?? '');
  }
  for (const { studentId, classId, trialAt, time } of basket.trials) {
    hash.text('trial').text(studentId).text(classId).text(trialAt).text(`${time}:00`);
  }
  return hash.hex();
}

/** The partition of the index of unfinished things that a key belongs to. */
export const jobShard = (pk) => `PAY#${new Fingerprint('sweep').text(pk).digest()[15] & 7}`;

/** Its place there, by seconds since 1970. */
export const jobDue = (seconds) => String(seconds).padStart(12, '0');
