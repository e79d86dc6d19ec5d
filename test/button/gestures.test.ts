import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import {
  buttonAtStart,
  type ButtonEvent,
  type ButtonState,
  decideButton,
  isPresent,
} from '../../src/core/button.ts';
import { millis } from '../../src/core/time.ts';
import { explore, policy, type Subject } from './explore.ts';
import { mutants } from './mutants.ts';

const core = fileURLToPath(new URL('../../src/core/', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'portcullis-button-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Loads the button with one text replaced; the text must be there once. */
async function loadMutant(index: number, find: string, replace: string): Promise<Subject> {
  const directory = join(scratch, String(index));
  cpSync(join(core, 'time.ts'), join(directory, 'time.ts'), { recursive: true });
  for (const file of ['time', 'button']) {
    const source = readFileSync(join(core, `${file}.ts`), 'utf8');
    const flat = source.replaceAll(/\s+/g, ' ');
    const sought = find.replaceAll(/\s+/g, ' ');
    if (file === 'button' && flat.split(sought).length !== 2)
      throw new Error(`the text of mutant ${index} is in ${flat.split(sought).length - 1} places`);
    const words = sought.split(' ').map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const text = file === 'button' ? source.replace(new RegExp(words.join('\\s+')), () => replace) : source;
    const plain = stripTypeScriptTypes(text).replaceAll(/(from '\.\/[^']+)\.ts'/g, "$1.mjs'");
    writeFileSync(join(directory, `${file}.mjs`), plain);
  }
  return (await import(/* @vite-ignore */ pathToFileURL(join(directory, 'button.mjs')).href)) as Subject;
}

describe('every situation of the button', () => {
  test('keeps every promise with every event', () => {
    const visited = explore({ buttonAtStart, decideButton, isPresent });
    expect([...visited.states].toSorted()).toEqual(['dead', 'pressed', 'released', 'unknown']);
    expect([...visited.acts].toSorted()).toEqual(['dead', 'presence', 'pressed']);
    expect(visited.situations).toBeGreaterThan(200);
  });

  test.each(mutants.map((mutant, index) => ({ ...mutant, index })))(
    'is caught: $name',
    async ({ index, find, replace }) => {
      const mutant = await loadMutant(index, find, replace);
      expect(() => explore(mutant)).toThrow(/broken/);
    },
  );
});

const played = (events: readonly ButtonEvent[]): { state: ButtonState; acts: readonly string[] } => {
  let state = buttonAtStart(millis(0));
  const acts: string[] = [];
  for (const event of events) {
    const decision = decideButton(state, event, policy);
    ({ state } = decision);
    acts.push(...decision.acts.map((act) => (act.kind === 'trip' ? act.cause : act.kind)));
  }
  return { state, acts };
};

const level = (at: number, pressed: boolean, latched = true): ButtonEvent => ({
  now: millis(at),
  kind: 'level',
  pressed,
  latched,
});
const edge = (at: number, pressed: boolean, latched = true): ButtonEvent => ({
  now: millis(at),
  kind: 'edge',
  pressed,
  latched,
});

describe('gestures', () => {
  test.each([
    ['1, 1', true],
    ['0, 0', false],
  ])('a short press told as two edges of one level (%s) trips', (_name, told) => {
    const { acts, state } = played([level(0, false), level(2, false), edge(3, told), edge(3, told)]);
    expect(acts).toEqual(['pressed']);
    expect(state.at).toBe('pressed');
  });

  test('release, then hold while latched, gives presence once it is released', () => {
    const { acts } = played([
      level(0, false),
      level(2, false),
      edge(10, true),
      level(15, false),
      level(17, false),
    ]);
    expect(acts).toEqual(['pressed', 'presence']);
  });

  test('the press that raises the alarm gives none, however long', () => {
    const alarm = [
      level(0, false),
      level(2, false),
      edge(10, true, false),
      level(15, false),
      level(17, false),
    ];
    expect(played(alarm).acts).toEqual(['pressed']);
    // The next one does.
    const again = [edge(20, true), level(24, true), level(25, false), level(27, false)];
    expect(played([...alarm, ...again]).acts).toEqual(['pressed', 'pressed', 'presence']);
  });

  test('whatever the edges: tripped by the first, and by every one that follows a rest', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ after: fc.nat(8), pressed: fc.boolean() }), { minLength: 1, maxLength: 30 }),
        (edges) => {
          let now = 2;
          const events = edges.map(({ after, pressed }) => edge((now += after), pressed));
          const { acts } = played([level(0, false), level(2, false), ...events]);
          expect(acts[0]).toBe('pressed');
          const rested = edges.filter(
            ({ after }, i) => i > 0 && edges[i - 1]?.pressed === false && after >= policy.debounceMs,
          );
          expect(acts.filter((act) => act === 'pressed')).toHaveLength(1 + rested.length);
        },
      ),
    );
  });
});
