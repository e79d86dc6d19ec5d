/**
 * Stands in for `vitest` inside the virtual machine, where starting the real one would take longer than all tests: the
 * few functions that the contract suite and the scenarios use, and a report of each test as a line of JSON.
 */
import assert from 'node:assert/strict';

/** One finished test, as the host reads it. */
export interface GuestResult {
  readonly group: string;
  readonly name: string;
  readonly ms: number;
  /** `null`: passed. */
  readonly failure: string | null;
}

/** ms after which a test in the machine has failed. */
const TEST_TIMEOUT_MS = 120_000;

type Act = () => void | Promise<void>;
interface Group {
  readonly name: string;
  readonly tests: { readonly name: string; readonly act: Act }[];
  readonly after: Act[];
}

const groups: Group[] = [];
let present: Group | null = null;

export function describe(name: string, make: () => void): void {
  const group: Group = { name, tests: [], after: [] };
  groups.push(group);
  present = group;
  make();
  present = null;
}

export function test(name: string, act: Act): void {
  assert.ok(present !== null, 'a test outside of every group');
  present.tests.push({ name, act });
}

export function afterEach(act: Act): void {
  assert.ok(present !== null, 'a hook outside of every group');
  present.after.push(act);
}

class Any {
  readonly matches: (found: unknown) => boolean;
  constructor(matches: (found: unknown) => boolean) {
    this.matches = matches;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** Compares like toEqual, or, where `loose`, like toMatchObject: keys that are not wanted are not looked at. */
function alike(found: unknown, wanted: unknown, loose: boolean): boolean {
  if (wanted instanceof Any) return wanted.matches(found);
  if (!isRecord(wanted) || !isRecord(found)) return Object.is(found, wanted);
  if (Array.isArray(wanted) !== Array.isArray(found)) return false;
  const keys = Object.keys(wanted);
  if ((!loose || Array.isArray(wanted)) && Object.keys(found).length !== keys.length) return false;
  return keys.every((key) => key in found && alike(found[key], wanted[key], loose));
}

const shown = (value: unknown): string => JSON.stringify(value) ?? String(value);

export function expect(found: unknown, note = '') {
  const check = (holds: boolean, how: string, wanted?: unknown): void => {
    if (!holds) throw new Error(`${note} ${shown(found)} ${how} ${shown(wanted)}`.trim());
  };
  return {
    toBe: (wanted: unknown) => check(Object.is(found, wanted), 'is not', wanted),
    toEqual: (wanted: unknown) => check(alike(found, wanted, false), 'does not equal', wanted),
    toMatchObject: (wanted: unknown) => check(alike(found, wanted, true), 'does not match', wanted),
    toContain: (wanted: unknown) =>
      check(
        typeof found === 'string'
          ? found.includes(String(wanted))
          : Array.isArray(found) && found.includes(wanted),
        'does not contain',
        wanted,
      ),
    toBeGreaterThan: (wanted: number) =>
      check(typeof found === 'number' && found > wanted, 'is not greater than', wanted),
    toBeLessThan: (wanted: number) =>
      check(typeof found === 'number' && found < wanted, 'is not less than', wanted),
    toBeNull: () => check(found === null, 'is not null'),
  };
}
expect.any = (kind: typeof Number): Any =>
  new Any((found) => kind === Number && typeof found === 'number' && Number.isFinite(found));
expect.stringContaining = (part: string): Any =>
  new Any((found) => typeof found === 'string' && found.includes(part));

async function attempt(act: Act): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not over after ${TEST_TIMEOUT_MS} ms`)), TEST_TIMEOUT_MS);
    });
    await Promise.race([act(), limit]);
    return null;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message).slice(0, 2_000) : String(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs every test in order and hands each result over as it comes. */
export async function run(report: (result: GuestResult) => void): Promise<void> {
  for (const group of groups) {
    for (const { name, act } of group.tests) {
      const begun = performance.now();
      let failure = await attempt(act);
      for (const after of group.after) failure = (await attempt(after)) ?? failure;
      report({ group: group.name, name, ms: Math.round(performance.now() - begun), failure });
    }
  }
}
