/**
 * Slows down whoever guesses passwords, by address and by account. Only logins: what is asked with a session or a token is
 * never slowed, so nobody who guesses keeps anybody from cutting.
 *
 * Per account the wait is short and capped, and a try from an address from which that person has logged in before does not wait
 * for what strangers did: guessing from elsewhere locks the true user out neither for ever nor for long. Per address the
 * wait grows further. What is remembered is bounded.
 */
import { networkOf } from '../../listener/crowd.ts';

/** Failures that cost nothing: people mistype. */
const FREE = 5;
const FIRST_WAIT_MS = 1_000;
/** Longest wait, ms. */
export const ACCOUNT_CAP_MS = 30_000;
export const ADDRESS_CAP_MS = 300_000;
/** Failures are forgotten after this, ms. */
const FORGET_MS = 900_000;
const MOST_KEPT = 10_000;
/** Tries of one address at one time: whoever sends hundreds at once is not believed to have been slow enough. */
const MOST_AT_ONCE = 3;

interface Record {
  failures: number;
  lastAtMs: number;
}

/** Waits of one kind. */
class Waits {
  readonly #capMs: number;
  readonly #records = new Map<string, Record>();

  constructor(capMs: number) {
    this.#capMs = capMs;
  }

  leftMs(key: string, nowMs: number): number {
    const record = this.#records.get(key);
    if (record === undefined || nowMs - record.lastAtMs > FORGET_MS) return 0;
    if (record.failures < FREE) return 0;
    const waitMs = Math.min(this.#capMs, FIRST_WAIT_MS * 2 ** Math.min(30, record.failures - FREE));
    return Math.max(0, record.lastAtMs + waitMs - nowMs);
  }

  failed(key: string, nowMs: number): void {
    const record = this.#records.get(key);
    const known = record === undefined || nowMs - record.lastAtMs > FORGET_MS ? 0 : record.failures;
    // Put last, so that what is forgotten first is what was quiet longest.
    this.#records.delete(key);
    this.#records.set(key, { failures: known + 1, lastAtMs: nowMs });
    if (this.#records.size > MOST_KEPT) {
      const [oldest] = this.#records.keys();
      if (oldest !== undefined) this.#records.delete(oldest);
    }
  }

  passed(key: string): void {
    this.#records.delete(key);
  }
}

/** Remembers who failed. Times are monotonic ms. */
export class BackOff {
  readonly #accounts = new Waits(ACCOUNT_CAP_MS);
  readonly #addresses = new Waits(ADDRESS_CAP_MS);
  /** Addresses from which somebody has logged in, by account; newest last. */
  readonly #known = new Map<string, number>();
  readonly #trying = new Map<string, number>();

  /** Begins a try; the answer ends it. `null`: this address tries too much at once. */
  enter(address: string): (() => void) | null {
    const network = networkOf(address);
    const trying = this.#trying.get(network) ?? 0;
    if (trying >= MOST_AT_ONCE) return null;
    this.#trying.set(network, trying + 1);
    return () => {
      const left = (this.#trying.get(network) ?? 1) - 1;
      if (left === 0) this.#trying.delete(network);
      else this.#trying.set(network, left);
    };
  }

  /** ms until this may be tried; 0: now. `account` null: a long random secret, which strangers must not keep its owner from saying. */
  waitMs(account: string | null, address: string, nowMs: number = performance.now()): number {
    const ofAddress = this.#addresses.leftMs(networkOf(address), nowMs);
    if (account === null) return ofAddress;
    const pair = pairOf(account, address);
    // His own mistypings at a known address slow him down under a key of their own.
    const ofAccount = this.#known.has(pair)
      ? this.#accounts.leftMs(pair, nowMs)
      : this.#accounts.leftMs(account, nowMs);
    return Math.max(ofAddress, ofAccount);
  }

  failed(account: string | null, address: string, nowMs: number = performance.now()): void {
    this.#addresses.failed(networkOf(address), nowMs);
    if (account === null) return;
    const pair = pairOf(account, address);
    this.#accounts.failed(this.#known.has(pair) ? pair : account, nowMs);
  }

  passed(account: string, address: string, nowMs: number = performance.now()): void {
    const pair = pairOf(account, address);
    this.#accounts.passed(pair);
    this.#accounts.passed(account);
    this.#addresses.passed(networkOf(address));
    this.#known.delete(pair);
    this.#known.set(pair, nowMs);
    if (this.#known.size > MOST_KEPT) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
  }
}

const pairOf = (account: string, address: string): string => JSON.stringify([account, networkOf(address)]);
