/** What every driver owes to the rest of the program. One suite, run for each driver against a real part. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Position, Reading } from '../../src/core/evidence.ts';
import type { Contact, Fence } from '../../src/contacts/port.ts';
import { PATIENCE_MS, until } from './bench.ts';

/** A contact on a real part. */
export interface Bench {
  readonly contact: Contact;
  /** Where the part stands, seen without the driver. */
  readonly seen: () => Position;
  /** Makes the part unreachable, and reachable again. */
  readonly unplug: () => void;
  readonly plug: () => void;
  /** False: the part has no settings that could be read back. */
  readonly hasSettings?: boolean;
  /** Ends the part; the contact is closed by the suite. */
  readonly end: () => Promise<void>;
}

/** Always allows. */
export const current: Fence = { isCurrent: () => true };
/** Never allows. */
export const stale: Fence = { isCurrent: () => false };

/** Waits for a promise that must settle by itself. */
export async function bounded<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not settle within ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** The first reading that is not unknown: a part that has just returned may need a moment until it is reached again. */
async function firstKnown(contact: Contact): Promise<Reading> {
  for (;;) {
    const reading = await contact.read();
    if (reading.position !== 'unknown') return reading;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Runs the contract for one driver. `open` makes a fresh bench. */
export function contactContract(driver: string, open: () => Promise<Bench>): void {
  describe(`${driver} keeps the contact contract`, () => {
    let bench: Bench | null = null;
    const opened = async (): Promise<Bench> => {
      bench = await open();
      return bench;
    };
    afterEach(async () => {
      const done = bench;
      bench = null;
      await done?.contact.close();
      await done?.end();
    });

    test('making it moves nothing and opens nothing', async () => {
      const { seen } = await opened();
      expect(seen()).toBe('isolated');
    });

    test('it does what it is told, and reads it back', async () => {
      const { contact, seen } = await opened();
      expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'done' });
      await until(() => seen() === 'connected', 'the part is seen connected');
      expect(await bounded(firstKnown(contact))).toMatchObject({ position: 'connected' });
      const receipt = contact.isolate();
      expect(await bounded(receipt.written)).toEqual(expect.any(Number));
      expect(await bounded(receipt.acknowledged)).toMatchObject({ kind: 'done' });
      await until(() => seen() === 'isolated', 'the part is seen isolated');
      expect(await bounded(firstKnown(contact))).toMatchObject({ position: 'isolated' });
    });

    test('a reading is dated from when the question was written', async () => {
      const { contact } = await opened();
      await bounded(contact.read());
      const before = performance.now();
      const reading = await bounded(contact.read());
      const elapsed = performance.now() - before;
      const again = await bounded(contact.read());
      expect(again.takenAt).toBeGreaterThan(reading.takenAt);
      expect(elapsed).toBeLessThan(PATIENCE_MS);
    });

    test('a stale fence writes nothing', async () => {
      const { contact, seen } = await opened();
      expect(await bounded(contact.connect(stale))).toEqual({ kind: 'fenced' });
      expect(await bounded(firstKnown(contact))).toMatchObject({ position: 'isolated' });
      expect(seen()).toBe('isolated');
    });

    test('a cut takes a connect that still waits out of the queue', async () => {
      const { contact, seen } = await opened();
      await bounded(contact.read());
      const reading = contact.read();
      const connecting = contact.connect(current);
      const receipt = contact.isolate();
      expect(await bounded(connecting)).toEqual({ kind: 'fenced' });
      expect(await bounded(receipt.acknowledged)).toMatchObject({ kind: 'done' });
      await bounded(reading);
      expect(seen()).toBe('isolated');
    });

    test('unreachable: readings are unknown, a connect is unknown, an isolate is never reported done', async () => {
      const { contact, unplug, seen } = await opened();
      expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'done' });
      await until(() => seen() === 'connected', 'the part is seen connected');
      unplug();
      expect(await bounded(contact.read())).toMatchObject({ position: 'unknown' });
      expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'unknown' });
      expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'unknown' });
      expect(seen()).toBe('connected');
    });

    test('an isolate that nobody answered is carried out when the part returns, with nobody asking again', async () => {
      const { contact, unplug, plug, seen } = await opened();
      expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'done' });
      await until(() => seen() === 'connected', 'the part is seen connected');
      unplug();
      expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'unknown' });
      plug();
      await until(() => seen() === 'isolated', 'the part is isolated after its return');
      expect(await bounded(firstKnown(contact))).toMatchObject({ position: 'isolated' });
    });

    test('closing settles everything that is under way', async () => {
      const { contact, unplug } = await opened();
      await bounded(contact.read());
      unplug();
      const reading = contact.read();
      const connecting = contact.connect(current);
      const receipt = contact.isolate();
      await contact.close();
      expect(await bounded(reading)).toMatchObject({ position: 'unknown' });
      expect(['unknown', 'fenced']).toContain((await bounded(connecting)).kind);
      await bounded(receipt.written);
      expect(await bounded(receipt.acknowledged)).toMatchObject({ kind: 'unknown' });
      expect(await bounded(contact.read())).toMatchObject({ position: 'unknown' });
      expect(await bounded(contact.isolate().written)).toBeNull();
    });

    test('settings are read back, or their unreadability is a problem', async () => {
      const { contact, unplug, hasSettings } = await opened();
      expect(await bounded(contact.settingsProblems())).toEqual([]);
      unplug();
      expect(await bounded(contact.settingsProblems())).toEqual(
        hasSettings === false ? [] : [expect.stringContaining('could not be read')],
      );
    });
  });
}
