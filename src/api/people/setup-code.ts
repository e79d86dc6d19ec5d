/** The code with which the first account is made. It is printed where only somebody at the box reads it. */
import { randomInt, timingSafeEqual } from 'node:crypto';

/** Without letters that look like others. */
const LETTERS = 'ABCDEFGHJKMNPQRSTVWXYZ23456789';
const GROUPS = 4;
const GROUP = 5;
/** A code that nobody used is void after this, ms: logs are read by others later. */
const VALID_MS = 3_600_000;

/** Some 98 random bits, made anew at every start. */
export class SetupCode {
  readonly text: string;
  readonly #madeAtMs = performance.now();

  constructor() {
    const group = (): string =>
      Array.from({ length: GROUP }, () => LETTERS[randomInt(LETTERS.length)]).join('');
    this.text = Array.from({ length: GROUPS }, group).join('-');
  }

  get isOver(): boolean {
    return performance.now() - this.#madeAtMs > VALID_MS;
  }

  /** Blanks, hyphens and small letters do not matter. */
  fits(said: string): boolean {
    if (this.isOver) return false;
    const plain = (text: string): Buffer => Buffer.from(text.toUpperCase().replaceAll(/[\s-]/g, ''));
    const [a, b] = [plain(said), plain(this.text)];
    return a.length === b.length && timingSafeEqual(a, b);
  }
}
