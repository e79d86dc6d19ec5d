/** A tree of files in which people live: documents are edited, logs grow, photos come, a dump is replaced. From a seed, always the same. */
import { createCipheriv, createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const WORDS =
  'the of and to in that is was for on are with as his they at be this from have or by one had not but what all were when we there can an your which their said if do will each about how up out them then she many some so these would other into has more her two like him see time could no make than first been its who now people my made over did down only way find use may water long little very after words called just where most know'.split(
    ' ',
  );
/** Multiplier and increment of a linear congruential generator (Numerical Recipes). */
const STEP = [1_664_525, 1_013_904_223] as const;

/** Numbers from 0 to 1 from a seed. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  roll(): number {
    this.#state = (Math.imul(this.#state, STEP[0]) + STEP[1]) >>> 0;
    return this.#state / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.roll() * limit);
  }

  pick<T>(from: readonly T[]): T {
    const one = from[this.below(from.length)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  }
}

/** Bytes that look random and are the same each time. */
function noise(seed: number, length: number): Buffer {
  const key = createHash('sha256').update(`noise ${seed}`).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

export interface VillageSize {
  readonly documents: number;
  readonly photos: number;
  readonly logs: number;
}

export class Village {
  readonly root: string;
  readonly dice: Dice;
  readonly files: string[] = [];
  #made = 0;

  constructor(root: string, seed: number, size: VillageSize) {
    this.root = root;
    this.dice = new Dice(seed);
    for (let index = 0; index < size.documents; index += 1) this.#document();
    for (let index = 0; index < size.photos; index += 1) this.#photo();
    for (let index = 0; index < size.logs; index += 1)
      this.#put(`logs/service-${index}.log`, this.#lines(150));
    this.#put('dumps/accounts.sql', this.#dump());
    this.#put('mail/inbox.mbox', this.text(200_000));
  }

  /** An ordinary day; some bring something out of the ordinary that is no attack. */
  day(number: number): void {
    const documents = this.of(/\.(txt|csv|md|html)$/);
    for (let count = 1 + documents.length * 0.02; count > 0; count -= 1) this.edit(this.dice.pick(documents));
    for (let count = this.dice.below(4); count > 0; count -= 1) this.#document();
    for (let count = this.dice.below(4); count > 0; count -= 1) this.#photo();
    for (const log of this.of(/\.log$/)) appendFileSync(log, this.#lines(5));
    for (let count = this.dice.below(2); count > 0; count -= 1) this.remove(this.dice.pick(documents));
    this.#put('dumps/accounts.sql', this.#dump());
    appendFileSync(join(this.root, 'mail/inbox.mbox'), this.text(3_000));
    if (number % 10 === 4) for (let count = 0; count < documents.length / 8; count += 1) this.#photo();
    if (number % 10 === 6) for (const path of this.files) chmodSync(path, 0o640);
    if (number % 10 === 8) this.#rotate();
    if (number % 15 === 9) this.#moveFolder();
  }

  of(pattern: RegExp): string[] {
    return this.files.filter((path) => pattern.test(path));
  }

  remove(path: string): void {
    rmSync(path, { force: true });
    const at = this.files.indexOf(path);
    if (at !== -1) this.files.splice(at, 1);
  }

  rename(path: string, to: string): void {
    mkdirSync(dirname(to), { recursive: true });
    renameSync(path, to);
    this.files[this.files.indexOf(path)] = to;
  }

  /** As ransomware does it: the content, or its first bytes. */
  encrypt(
    path: string,
    { first, keepTime = false }: { readonly first?: number; readonly keepTime?: boolean } = {},
  ): void {
    const { atime, mtime } = statSync(path);
    const content = readFileSync(path);
    const length = Math.min(first ?? content.length, content.length);
    this.#made += 1;
    const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, this.#made % 251), Buffer.alloc(16, 7));
    cipher.update(content.subarray(0, length)).copy(content);
    writeFileSync(path, content);
    if (keepTime) utimesSync(path, atime, mtime);
  }

  text(length: number): string {
    let text = '';
    while (text.length < length) text += `${this.dice.pick(WORDS)}${this.dice.roll() < 0.1 ? '.\n' : ' '}`;
    return text.slice(0, length);
  }

  #put(name: string, content: string | Uint8Array): void {
    const path = join(this.root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    if (!this.files.includes(path)) this.files.push(path);
  }

  #document(): void {
    this.#made += 1;
    const kind = this.dice.pick(['txt', 'csv', 'md', 'html']);
    this.#put(
      `home/folder-${this.#made % 25}/document-${this.#made}.${kind}`,
      this.text(2_000 + this.dice.below(28_000)),
    );
  }

  #photo(): void {
    this.#made += 1;
    const body = noise(this.#made, 10_000 + this.dice.below(20_000));
    this.#put(
      `photos/album-${this.#made % 9}/image-${this.#made}.jpg`,
      Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), body]),
    );
  }

  edit(path: string): void {
    const text = readFileSync(path, 'utf8');
    const at = this.dice.below(text.length);
    writeFileSync(path, `${text.slice(0, at)}${this.text(200 + this.dice.below(800))}${text.slice(at)}`);
  }

  #lines(count: number): string {
    const line = (): string =>
      `2026-11-21T0${this.dice.below(10)}:00:00Z service[${this.dice.below(9_999)}]: ${this.text(40).replaceAll('\n', ' ')}\n`;
    return Array.from({ length: count }, line).join('');
  }

  #dump(): string {
    const row = (_: unknown, index: number): string =>
      `INSERT INTO accounts VALUES (${index}, '${this.text(20).replaceAll('\n', ' ')}', ${this.dice.below(100_000)});\n`;
    return Array.from({ length: 1_500 }, row).join('');
  }

  /** Logs are compressed and begun anew. */
  #rotate(): void {
    for (const log of this.of(/\.log$/)) {
      this.#made += 1;
      this.#put(`logs/archive-${this.#made}.log.gz`, gzipSync(readFileSync(log)));
      writeFileSync(log, this.#lines(5));
    }
  }

  #moveFolder(): void {
    const folder = dirname(this.dice.pick(this.of(/document-/)));
    for (const path of this.of(/document-/).filter((each) => dirname(each) === folder))
      this.rename(path, path.replace('/home/', '/home/archive/'));
  }
}
