/** Every refusal on the two sockets is in the journal, and nothing that a person types keeps a trip out of it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FastifyInstance } from 'fastify';
import { createSocketServer } from '../../src/interlock/socket/socket-server.ts';
import { BUILD_HEADER } from '../../src/protocol/messages.ts';
import { causeNow } from '../button/cause.ts';
import type { LinkAtWork } from '../../src/interlock/link-at-work.ts';
import { type Box, box, HandClock } from './review-box.ts';

let rig: Box<HandClock>;
let plain: FastifyInstance;
let presence: FastifyInstance;

beforeEach(async () => {
  rig = await box(new HandClock());
  plain = createSocketServer(rig.interlock, false);
  presence = createSocketServer(rig.interlock, true);
  rig.interlock.start();
  await rig.clock.pass(3_000);
});

afterEach(async () => {
  await Promise.all([plain.close(), presence.close()]);
});

type Sent = readonly [
  app: 'plain' | 'presence',
  method: 'POST' | 'DELETE',
  url: string,
  body: object,
  build?: string,
];
const REASON = { by: 'ops', reason: 'test' };
const LEASE = { link: 'vault', window: 'w-vault', occurrence: 'x' };

const send = async ([app, method, url, payload, build]: Sent): Promise<number> => {
  const headers = build === undefined ? {} : { [BUILD_HEADER]: build };
  const answered = (app === 'plain' ? plain : presence).inject({ method, url, payload, headers });
  await rig.clock.pass(6_000);
  return (await answered).statusCode;
};

describe('journaled', () => {
  test.each<[string, Sent, number, string]>([
    [
      'a reset without authority or need',
      ['plain', 'POST', '/v1/reset', { link: 'vault', ...REASON }],
      409,
      'not-latched',
    ],
    [
      'a window run by somebody who shows nothing',
      ['plain', 'POST', '/v1/windows/w-vault/run', REASON],
      409,
      'presence-missing',
    ],
    [
      'a reset of no link',
      ['presence', 'POST', '/v1/reset', { link: 'nowhere', ...REASON }],
      404,
      'link-unknown',
    ],
    ['a run of no window', ['presence', 'POST', '/v1/windows/none/run', REASON], 404, 'window-unknown'],
    ['another build', ['plain', 'POST', '/v1/leases', LEASE, 'other'], 409, 'build-mismatch'],
    ['no build', ['plain', 'POST', '/v1/leases', LEASE], 409, 'build-missing'],
    [
      'a lease of no link',
      ['plain', 'POST', '/v1/leases', { ...LEASE, link: 'nowhere' }, 'build'],
      409,
      'link-unknown',
    ],
    ['a lease outside a window', ['plain', 'POST', '/v1/leases', LEASE, 'build'], 409, 'outside-window'],
    ['a renewal of no lease', ['plain', 'POST', '/v1/leases/none/renewal', {}], 409, 'lease-over'],
    [
      'a trip of no link',
      ['plain', 'POST', '/v1/trip', { links: ['nowhere'], ...REASON }],
      404,
      'link-unknown',
    ],
    ['a trip that cannot be read', ['plain', 'POST', '/v1/trip', { links: 3 }], 400, 'bad-request'],
    [
      'a reset that is not needed',
      ['presence', 'POST', '/v1/reset', { link: 'vault', ...REASON }],
      409,
      'not-latched',
    ],
  ])('%s', async (_what, sent, status, code) => {
    const before = rig.journal.entries.length;
    expect(await send(sent)).toBe(status);
    expect(JSON.stringify(rig.journal.entries.slice(before))).toContain(code);
  });

  test('a window that is open already', async () => {
    expect(await send(['presence', 'POST', '/v1/windows/w-vault/run', REASON])).toBe(200);
    expect(await send(['presence', 'POST', '/v1/windows/w-vault/run', REASON])).toBe(409);
    expect(JSON.stringify(rig.journal.entries)).toContain('window-open');
  });
});

test('a caller that repeats itself for an hour does not fill the journal', async () => {
  const before = rig.journal.entries.length;
  for (let times = 0; times < 600; times++) await send(['plain', 'POST', '/v1/leases', LEASE, 'other']);
  expect(rig.journal.entries.length - before).toBeLessThan(20);
});

describe('what a person types', () => {
  const odd = { by: 'ops\n\u001b[2J', reason: '\ud800 half a pair, \u202e and a\nline' };

  test('trips, is recorded, and is shown escaped', async () => {
    expect(await send(['plain', 'POST', '/v1/trip', odd])).toBe(200);
    const tripped = rig.journal.entries.find(({ type }) => type === 'link.tripped');
    expect(tripped?.actor).toMatch(/^person:ops/);
    const latch = rig.interlock.links.get('vault')?.latch;
    expect(`${latch?.by} ${latch?.reason}`).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
  });

  test('opens a window and is recorded', async () => {
    expect(await send(['presence', 'POST', '/v1/windows/w-vault/run', odd])).toBe(200);
    expect(rig.journal.types()).toContain('window.opened');
  });

  test('resets and is recorded, however long it grows when it is escaped', async () => {
    expect(await send(['plain', 'POST', '/v1/trip', { by: '\u200b'.repeat(100), reason: 'x' }])).toBe(200);
    expect(rig.journal.types()).toContain('link.tripped');
    expect(
      await send([
        'presence',
        'POST',
        '/v1/reset',
        {
          link: 'vault',
          by: '\u{10ffff}'.repeat(50),
          reason: 'x',
          cause: causeNow(rig.interlock.links.get('vault') as LinkAtWork),
        },
      ]),
    ).toBe(200);
    expect(rig.journal.types()).toContain('link.reset');
  });
});

test('a misspelt name beside a right one cuts the right one, and says which one there is not', async () => {
  const status = await send(['plain', 'POST', '/v1/trip', { links: ['vault', 'vualt'], ...REASON }]);
  expect(status).toBe(404);
  expect(rig.interlock.links.get('vault')?.shell.state.at).toBe('tripped');
  const others = [...rig.interlock.links.values()].filter((link) => link.name !== 'vault');
  expect(others.map((link) => link.shell.state.at)).not.toContain('tripped');
});
