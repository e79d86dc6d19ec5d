/** The corpus on a real wire, and byte mutations of what senders send through verification, formats and verdict. */
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, machineClock } from '../../src/interlock/clock.ts';
import { RefusalTally } from '../../src/interlock/trips/refusal-tally.ts';
import type { TripSource } from '../../src/interlock/trips/trip-sources.ts';
import { createTripListener } from '../../src/interlock/trips/trip-listener.ts';
import type { Listener } from '../../src/listener/listener.ts';
import { readMessage } from '../../src/sources/read.ts';
import { signedRequest } from '../../src/sources/sign.ts';
import { verdictOf } from '../../src/sources/verdict.ts';
import { type VerificationRule, verify } from '../../src/sources/verify.ts';
import { type Box, box } from '../interlock/review-box.ts';
import { type Sample, samples } from '../sources/samples.ts';
import { HARMLESS, type Raw, TOKEN, VALID } from './corpus/requests.ts';

const WITHIN_MS = 20_000;
const SECRET = 'hush-hush-hush-hush-hush';

const sources: Readonly<Record<string, TripSource>> = {
  bearer: {
    verify: { type: 'bearer' },
    secrets: [Buffer.from(TOKEN)],
    trips: 'all',
    on_unrecognised: 'trip',
  },
  signed: {
    verify: { type: 'hmac-sha256', header: 'x-signature', prefix: 'sha256=', encoding: 'hex' },
    secrets: [Buffer.from(SECRET)],
    trips: 'all',
    on_unrecognised: 'trip',
  },
};

let rig: Box<Clock>;
let listener: Listener;
let port: number;
let refused: number;

beforeEach(async () => {
  rig = await box(machineClock);
  rig.interlock.start();
  refused = 0;
  const tally = new RefusalTally(machineClock, (entry) => rig.interlock.note(entry));
  const counting = tally.refused.bind(tally);
  tally.refused = (...one) => {
    refused += 1;
    counting(...one);
  };
  listener = await createTripListener(rig.interlock, sources, tally);
  [{ port } = { port: 0 }] = await listener.listen([{ host: '127.0.0.1', port: 0, secure: false }]);
});

afterEach(async () => {
  await listener.close();
  await rig.interlock.stop();
});

/** Puts bytes on the wire, ends, and reads until the other side ends; the status of every answer. */
const answersTo = ({ name, bytes }: Raw): Promise<number[]> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let text = '';
    const late = setTimeout(() => {
      socket.destroy();
      reject(new Error(`${name}: the connection stays; it said ${text.slice(0, 200)}`));
    }, WITHIN_MS);
    // A refusal may come, and the connection be reset, while we still write.
    socket.on('error', () => undefined);
    socket.on('data', (piece) => {
      text += piece.toString('latin1');
    });
    socket.on('close', () => {
      clearTimeout(late);
      resolve([...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map((match) => Number(match[1])));
    });
    socket.end(bytes);
  });

const isTripped = (): boolean => rig.interlock.links.get('vault')?.shell.state.at === 'tripped';

describe('the corpus', { timeout: 60_000 }, () => {
  test('has no name twice, and at least sixty that are harmless', () => {
    const names = [...HARMLESS, ...VALID].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(HARMLESS.length).toBeGreaterThanOrEqual(60);
  });

  test.each(HARMLESS)('$name: no cut, no fault of ours, counted', async (raw) => {
    const answers = await answersTo(raw);
    expect(answers).toEqual(raw.answers);
    expect(answers.filter((status) => status >= 500)).toEqual([]);
    expect(isTripped()).toBe(false);
    if (raw.answers.length > 0 && !raw.answers.includes(417)) expect(refused).toBeGreaterThan(0);
    // A body is kept as it came, within bounds; headers and addresses are not.
    if (!raw.name.includes('in the body')) expect(JSON.stringify(rig.journal.entries)).not.toContain(TOKEN);
    // And whoever comes next is heard.
    expect(await answersTo(VALID[0] ?? raw)).toEqual([200]);
    expect(isTripped()).toBe(true);
  });

  test.each(VALID)('$name: cuts', async (raw) => {
    expect(await answersTo(raw)).toEqual(raw.answers);
    expect(isTripped()).toBe(true);
  });
});

describe('mutations of what senders send', { timeout: 60_000 }, () => {
  const RULES: Readonly<Record<string, VerificationRule>> = {
    bearer: { type: 'bearer' },
    basic: { type: 'basic', username: 'ops' },
    header: { type: 'header', header: 'x-token', prefix: 'Token ' },
    'path-secret': { type: 'path-secret' },
    'hmac-sha256': { type: 'hmac-sha256', header: 'x-signature', prefix: 'sha256=', encoding: 'hex' },
    'standard-webhooks': { type: 'standard-webhooks', tolerance: 300_000 },
  };
  const NOW = 1_790_000_000;
  const secretOf = (rule: VerificationRule): Buffer =>
    Buffer.from(
      rule.type === 'standard-webhooks' ? `whsec_${Buffer.from(SECRET).toString('base64')}` : SECRET,
    );
  const signed = (rule: VerificationRule, body: Uint8Array) => {
    const made = signedRequest(rule, secretOf(rule), body, NOW, 'msg_1');
    if (!made.ok) throw new Error(made.why);
    return made.request;
  };
  /** Some bytes changed, removed, or doubled. */
  const changes = fc.array(
    fc.record({
      at: fc.nat(),
      to: fc.integer({ min: 0, max: 255 }),
      how: fc.constantFrom('set', 'cut', 'twice', 'insert'),
    }),
    { minLength: 1, maxLength: 8 },
  );
  type Changes = readonly { at: number; to: number; how: string }[];
  const mutated = (bytes: Uint8Array, edits: Changes): Buffer =>
    edits.reduce<Buffer>((now, { at, to, how }) => {
      const place = now.length === 0 ? 0 : at % now.length;
      const [before, after] = [now.subarray(0, place), now.subarray(place)];
      switch (how) {
        case 'cut':
          return Buffer.concat([before, after.subarray(1 + (to % 16))]);
        case 'twice':
          return Buffer.concat([before, after.subarray(0, to), after]);
        case 'insert':
          return Buffer.concat([before, Buffer.from([to]), after]);
        default:
          return Buffer.concat([before, Buffer.from([to]), after.subarray(1)]);
      }
    }, Buffer.from(bytes));

  const anySample = fc.nat({ max: samples.length - 1 });
  const sampleAt = (index: number): Sample => {
    const found = samples[index];
    if (found === undefined) throw new Error('no such sample');
    return found;
  };
  /** Whatever was sent: a verdict, bounded, that can be written down. */
  const judged = ({ reading }: Sample, body: Uint8Array): void => {
    const verdict = verdictOf({ on_unrecognised: 'trip' }, readMessage(reading, body));
    expect(['trip', 'drill', 'annotate', 'refuse']).toContain(verdict.verdict);
    expect(verdict.reason.length).toBeLessThan(4_000);
    expect(verdict.reason).not.toMatch(/[\p{Cc}]/u);
    expect(JSON.stringify(verdict).length).toBeLessThan(50_000);
  };
  const runs = process.env['PORTCULLIS_LONG'] === '1' ? 20_000 : 400;

  test.each(Object.keys(RULES))('%s: a changed body or proof', (name) => {
    const rule = RULES[name] ?? { type: 'bearer' };
    const isSigned = name === 'hmac-sha256' || name === 'standard-webhooks';
    fc.assert(
      fc.property(anySample, changes, changes, (index, edits, proofEdits) => {
        const sample = sampleAt(index);
        const request = signed(rule, sample.body);
        expect(verify(rule, [secretOf(rule)], request, NOW)).toMatchObject({ ok: true });
        const rawBody = mutated(sample.body, edits);
        const verified = verify(rule, [secretOf(rule)], { ...request, rawBody }, NOW);
        expect(verified.ok).toBe(!isSigned || rawBody.equals(Buffer.from(sample.body)));
        judged(sample, rawBody);
        // The proof itself, changed: a secret or signature with a changed byte is none.
        const last = Object.keys(request.headers).at(-1);
        const proof = last === undefined ? (request.pathSecret ?? '') : String(request.headers[last]);
        const spoilt = mutated(Buffer.from(proof), proofEdits).toString('latin1');
        const forged =
          last === undefined
            ? { ...request, pathSecret: spoilt }
            : { ...request, headers: { ...request.headers, [last]: spoilt } };
        const isBelieved = verify(rule, [secretOf(rule)], forged, NOW).ok;
        if (isBelieved) expect(comparable(spoilt)).toContain(comparable(proof).slice(-16, -2));
      }),
      { numRuns: runs },
    );
  });

  test('bytes that were never a message', () => {
    fc.assert(
      fc.property(anySample, fc.uint8Array({ maxLength: 2_000 }), (index, bytes) =>
        judged(sampleAt(index), bytes),
      ),
      { numRuns: runs },
    );
  });

  if (runs === 400) console.log('mutations: the short form ran; PORTCULLIS_LONG=1 runs 20,000 of each');
});

/** What may differ without being another proof: blanks, case of scheme and digits, what base64 skips over. */
const comparable = (proof: string): string =>
  proof
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replaceAll(/[^A-Za-z0-9+/]/g, '')
    .toLowerCase();
