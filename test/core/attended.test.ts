import { describe, expect, test } from 'vitest';
import { decideSession, sessionEntitledUntil } from '../../src/core/attended.ts';
import { explore, promises, type Subject } from './attended-explore.ts';
import { planted } from './planted.ts';

/** Faults in src/core/attended.ts, one at a time. */
const mutants = [
  {
    name: 'a session needs no right',
    find: 'if (authority === null) return',
    replace: 'if (authority === null && refusals.length > 0) return',
  },
  { name: 'a session may last for as long as is asked', find: 'forMs > longestMs', replace: 'forMs > 99' },
  {
    name: 'a session takes the place of another',
    find: '...(before === null ? [] : [sessionOpen(before.by)]),',
    replace: '',
  },
  { name: 'a session has no end', find: "if (now >= session.endsAt) return over('time-over');", replace: '' },
  {
    name: 'a lease moves the end of its session',
    find: 'return keep({ ...session, takeBy: null });',
    replace: 'return keep({ ...session, takeBy: null, endsAt: later(event.now, 6) });',
  },
  { name: 'any session entitles', find: 'session.id === id && now', replace: 'now' },
  {
    name: 'a session survives a trip before its lease',
    find: "case 'latched':\n      return over('tripped');",
    replace: "case 'latched':\n      return keep(session);",
  },
  {
    name: 'a session survives its holder',
    find: "return over('holder-gone');",
    replace: 'return keep({ ...session, takeBy: later(now, unheldMs) });',
  },
  {
    name: 'a session survives what was given back',
    find: "return over('released');",
    replace: 'return keep({ ...session, takeBy: later(now, unheldMs) });',
  },
  {
    name: 'a session that nobody takes waits for ever',
    find: "if (session.takeBy !== null && now >= session.takeBy) return over('not-held');",
    replace: '',
  },
  {
    name: 'a session whose lease was lost waits for ever',
    find: "case 'again':\n      return keep({ ...session, takeBy: later(now, unheldMs) });",
    replace: "case 'again':\n      return keep(session);",
  },
  {
    name: 'a lost lease ends the session',
    find: "case 'again':\n      return keep({ ...session, takeBy: later(now, unheldMs) });",
    replace: "case 'again':\n      return over('ended');",
  },
  {
    name: 'a session cannot be ended',
    find: "return over('ended');",
    replace: 'return keep(session);',
  },
];

describe('attended sessions beside the link they are for', () => {
  test('keep every promise in every situation', () => {
    const visited = explore({ decideSession, sessionEntitledUntil });
    expect([...visited.ends].toSorted()).toEqual([
      'ended',
      'holder-gone',
      'not-held',
      'released',
      'time-over',
      'tripped',
    ]);
    expect(visited.situations).toBeGreaterThan(200);
    console.info(
      `explored ${visited.situations} situations of sessions in ${visited.steps} steps, ${Object.keys(promises).length} promises`,
    );
  }, 60_000);

  test.each(mutants)(
    'is caught: $name',
    async ({ find, replace }) => {
      const mutant = await planted<Subject>('attended', find, replace);
      expect(() => explore(mutant)).toThrow(/broken/);
    },
    60_000,
  );
});
