/** A session inside the interlock: what is journaled, what is kept, and what is left when something ends it or fails. */
import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { millis } from '../../src/core/time.ts';
import { wrongAtRest } from '../../src/interlock/commissioning/at-rest.ts';
import { CommissioningBook, type LinkPlan, recordPath } from '../../src/interlock/commissioning/book.ts';
import { readRecord, recordDigest } from '../../src/interlock/commissioning/record.ts';
import { type Conducted, Session } from '../../src/interlock/commissioning/session.ts';
import { type HeadKey, headKeyFromPem } from '../../src/journal/heads.ts';
import type { CommissioningLine } from '../../src/protocol/commissioning.ts';
import { type Box, box, HandClock, type HandContact, HandDisk } from '../interlock/review-box.ts';
import { passedRecord } from './commissioned.ts';

const newKey = (): HeadKey =>
  headKeyFromPem(
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  );
const PLAN: LinkPlan = {
  facts: {
    link: 'vault',
    contacts: [
      {
        name: 'vault',
        kind: 'fail-safe',
        profile: 'test/relay',
        supply: 'the board',
        hardwareLeaseMs: null,
        answers: true,
      },
    ],
    witnesses: [],
    connectTimeoutMs: 5_000,
    isolateTimeoutMs: 2_000,
    simulated: true,
  },
  digests: { timings: 'c'.repeat(64) },
  realBuses: [],
};
const PATH = recordPath('/state', 'vault');
const REQUEST = { link: 'vault', by: 'ann', uid: 0, unattended: true };

let key: HeadKey;
let disk: HandDisk;
let book: CommissioningBook;
let made: Box<HandClock>;
let lines: CommissioningLine[];
let gone: boolean;

beforeEach(async () => {
  key = newKey();
  disk = new HandDisk();
  book = new CommissioningBook(disk, '/state', key, { vault: PLAN });
  await book.load();
  made = await box(new HandClock(), { disk, commissionings: book });
  lines = [];
  gone = false;
  made.interlock.start();
  await made.clock.pass(3_000);
});

const theContact = (): HandContact => {
  const contact = made.contacts['vault'];
  if (contact === undefined) throw new TypeError('the box has no contact');
  return contact;
};

const newSession = (): Session => {
  const link = made.interlock.links.get('vault');
  if (link === undefined) throw new TypeError('the box has no vault');
  const listener = { tell: (line: CommissioningLine) => void lines.push(line), gone: () => gone };
  return new Session(made.interlock, link, PLAN, REQUEST, 'person:ann', listener);
};

/** Lets time pass, and the session be renewed, until it is over. `each` runs every 50 ms. */
async function throughout(session: Session, each: () => void = () => undefined): Promise<Conducted> {
  const progress = { isOver: false };
  const work = session.conduct().finally(() => {
    progress.isOver = true;
  });
  for (let steps = 0; !progress.isOver && steps < 2_000; steps += 1) {
    await made.clock.pass(50);
    if (session.id !== null) void made.interlock.renewLease(session.id);
    each();
  }
  const conducted = await work;
  await made.clock.pass(100);
  return conducted;
}

const types = (): readonly string[] => made.journal.types();
const verdict = (): string | undefined => {
  const last = lines.at(-1);
  return last?.event === 'over' ? last.verdict : undefined;
};

describe('a session', () => {
  test('that passes is journaled step by step, signed, kept, and opens the way', async () => {
    expect(book.refusal('vault')?.code).toBe('not-commissioned');
    await throughout(newSession());
    expect(verdict()).toBe('passed');
    expect(lines[0]?.event).toBe('begun');
    const results = lines.filter(({ event }) => event === 'result');
    expect(types().filter((type) => type === 'commissioning.result')).toHaveLength(results.length);
    const read = readRecord(disk.files.get(PATH) ?? null, 'vault', key.vkey);
    if (read.kind !== 'read') throw new Error(read.kind);
    expect(read.record).toMatchObject({
      by: { actor: 'person:ann', uid: 0 },
      grade: 'simulated',
      verdict: 'passed',
    });
    const entry = made.journal.entries.find(({ type }) => type === 'commissioning.passed');
    expect(entry).toMatchObject({ actor: 'person:ann', data: { record: recordDigest(read.record) } });
    expect(book.refusal('vault')).toBeNull();
    expect(made.interlock.parts.proofs.of('vault')).toMatchObject({ vault: { outcome: 'passed' } });
    expect(made.contacts['vault']?.frames.at(-1)).toBe('isolate');
  });

  test('that fails is kept as failed, and refuses', async () => {
    const contact = theContact();
    let connects = 0;
    const obeys = contact.connect.bind(contact);
    // It has proven that it isolates by then; a link that failed proves nothing.
    contact.connect = async (fence) => {
      connects += 1;
      return connects > 4 ? { kind: 'refused', why: 'exception 4' } : obeys(fence);
    };
    await throughout(newSession());
    expect(verdict()).toBe('failed');
    expect(book.refusal('vault')).toMatchObject({
      code: 'commissioning-failed',
      why: expect.stringContaining('exception 4'),
    });
    expect(made.interlock.parts.proofs.of('vault')).toEqual({});
    expect(types()).toContain('commissioning.failed');
  });

  test('whose record cannot be written says so and changes nothing', async () => {
    disk.before = (_, path) => {
      if (path === PATH) throw new Error('ENOSPC');
    };
    await throughout(newSession());
    expect(verdict()).toBe('not-kept');
    expect(lines.at(-1)).toMatchObject({ reasons: [expect.stringContaining('ENOSPC')] });
    expect(book.refusal('vault')?.code).toBe('not-commissioned');
    expect(made.interlock.parts.proofs.of('vault')).toEqual({});
    expect(types()).toContain('commissioning.not-kept');
  });

  test('that passed has passed although its proofs cannot be written yet, and they refuse until they are', async () => {
    disk.before = (_, path) => {
      if (path.endsWith('proofs.json')) throw new Error('ENOSPC');
    };
    await throughout(newSession());
    expect(verdict()).toBe('passed');
    expect(book.refusal('vault')).toBeNull();
    const { proofs } = made.interlock.parts;
    expect(proofs.unwritable).toContain('ENOSPC');
    disk.before = () => undefined;
    await made.clock.pass(5_000);
    expect(proofs.unwritable).toBeNull();
    expect(proofs.of('vault')).toMatchObject({ vault: { outcome: 'passed', by: 'commissioning' } });
  });

  test('that failed is known to have failed although its record cannot be written', async () => {
    await book.save(passedRecord('vault', PLAN.digests));
    theContact().connect = () => Promise.resolve({ kind: 'refused', why: 'exception 4' });
    disk.before = (_, path) => {
      if (path === PATH) throw new Error('ENOSPC');
    };
    await throughout(newSession());
    expect(verdict()).toBe('not-kept');
    expect(book.refusal('vault')?.code).toBe('commissioning-failed');
  });

  test.each([
    ['while everything is isolated', 'exception 4', 0],
    ['after the result was told', 'exception 4', 1],
  ])('that found something wrong does not forget it when it is ended %s', async (_, says, results) => {
    await book.save(passedRecord('vault', PLAN.digests));
    const contact = theContact();
    let refused = false;
    contact.connect = () => {
      refused = true;
      return Promise.resolve({ kind: 'refused', why: says });
    };
    contact.read = async () => {
      const { position } = contact;
      const takenAt = made.clock.now();
      await made.clock.pause(120);
      return { position, takenAt, detail: '' };
    };
    let ended = false;
    await throughout(newSession(), () => {
      const failed = lines.filter((line) => line.event === 'result' && line.verdict === 'failed').length;
      if (ended || !refused || failed < results) return;
      ended = true;
      void made.interlock.trip(['vault'], { by: 'source:alarm', reason: 'smoke' });
    });
    expect(ended).toBe(true);
    expect(book.refusal('vault')).toMatchObject({
      code: 'commissioning-failed',
      why: expect.stringContaining(says),
    });
    expect(verdict()).toBe('failed');
    expect(readRecord(disk.files.get(PATH) ?? null, 'vault', key.vkey)).toMatchObject({
      record: { verdict: 'failed' },
    });
  });

  test.each([
    ['the person is gone', 'holder-gone', (session: Session) => session.holderGone()],
    ['a trip', 'tripped', () => void made.interlock.trip(['vault'], { by: 'source:alarm', reason: 'smoke' })],
    ['a stop', 'stopping', () => void made.interlock.stop()],
    [
      'a journal that cannot be written',
      'permissive-failed',
      () => {
        made.journal.why = 'ENOSPC';
      },
    ],
  ])('ended by %s isolates at once and leaves the record as it was', async (_, why, end) => {
    const contact = theContact();
    // Slow enough to be ended while connected.
    contact.read = async () => {
      const { position } = contact;
      const takenAt = made.clock.now();
      await made.clock.pause(120);
      return { position, takenAt, detail: '' };
    };
    const session = newSession();
    let ended = false;
    let framesAtEnd = 0;
    await throughout(session, () => {
      const isConnected = made.contacts['vault']?.position === 'connected';
      if (ended || !isConnected || !lines.some(({ event }) => event === 'cycle')) return;
      ended = true;
      // The reason is told when it is recorded, and that takes a slow disk a while.
      made.journal.disk = made.clock.pause(700);
      end(session);
      framesAtEnd = made.contacts['vault']?.frames.length ?? 0;
    });
    expect(ended).toBe(true);
    expect(verdict()).toBe('ended');
    expect(lines.at(-1)).toMatchObject({ reasons: [expect.stringContaining(`(${why})`)] });
    expect(made.contacts['vault']?.frames.slice(framesAtEnd)).not.toContain('connect');
    expect(made.contacts['vault']?.position).toBe('isolated');
    expect(disk.files.has(PATH)).toBe(false);
    expect(book.refusal('vault')?.code).toBe('not-commissioned');
  });

  test('that nobody renews ends by itself', async () => {
    const contact = theContact();
    // The procedure hangs on a driver, and nobody behind the stream is alive.
    contact.connect = async () => {
      contact.position = 'connected';
      await made.clock.pause(10_000);
      return { kind: 'done', at: made.clock.now() };
    };
    const work = newSession().conduct();
    await made.clock.pass(2_000);
    expect(contact.position).toBe('connected');
    await made.clock.pass(2_000);
    expect(contact.position).toBe('isolated');
    await made.clock.pass(20_000);
    await work;
    expect(verdict()).toBe('ended');
    expect(contact.position).toBe('isolated');
  });

  test('is refused while the link is latched', async () => {
    await made.interlock.trip(['vault'], { by: 'source:alarm', reason: 'smoke' });
    const over = await throughout(newSession());
    expect(over).toMatchObject({ refusals: [{ code: 'tripped' }] });
    expect(lines).toEqual([]);
    expect(made.contacts['vault']?.frames).not.toContain('connect');
  });

  test('takes an answer only to the question that is asked, and only one of its words', async () => {
    const session = newSession();
    const asked = session.ask({
      kind: 'pull-supply',
      about: 'the board',
      text: 'pull it',
      answers: ['done', 'skip'],
      withinMs: 1_000,
    });
    expect(session.answer(2, 'done')).toBe(false);
    expect(session.answer(1, 'yes')).toBe(false);
    expect(session.answer(1, 'done')).toBe(true);
    expect(session.answer(1, 'skip')).toBe(false);
    await expect(asked).resolves.toBe('done');
    const late = session.ask({ kind: 'is-it-dark', about: '', text: '', answers: ['yes'], withinMs: 1_000 });
    await made.clock.pass(1_100);
    await expect(late).resolves.toBe('late');
  });
});

describe('the book', () => {
  test('without the key of this box believes nothing and keeps nothing', async () => {
    const keyless = new CommissioningBook(disk, '/state', null, { vault: PLAN });
    await keyless.load();
    expect(keyless.refusal('vault')?.code).toBe('commissioning-unreadable');
    expect(keyless.unsigned).toContain('heads.key');
    await expect(keyless.save(passedRecord('vault', PLAN.digests))).rejects.toThrow('heads.key');
  });

  test('a record that cannot be read refuses', async () => {
    disk.read = () => Promise.reject(new Error('EIO'));
    await book.load();
    expect(book.refusal('vault')).toMatchObject({
      code: 'commissioning-unreadable',
      why: expect.stringContaining('EIO'),
    });
  });

  test('remembers over a restart, and another configuration is another matter', async () => {
    await book.save(passedRecord('vault', PLAN.digests));
    const next = new CommissioningBook(disk, '/state', key, { vault: PLAN });
    await next.load();
    expect(next.refusal('vault')).toBeNull();
    const changed = { ...PLAN, digests: { timings: 'd'.repeat(64) } };
    const other = new CommissioningBook(disk, '/state', key, { vault: changed });
    await other.load();
    expect(other.refusal('vault')).toMatchObject({
      code: 'commissioning-outdated',
      why: expect.stringContaining('timings was changed'),
    });
  });
});

test('a link that is tripped because of its wiring is told what is wrong with it', () => {
  const state = {
    at: 'stuck',
    trip: { by: 'fault:stuck', reason: '' },
    cutAt: millis(0),
    provenAt: null,
  } as const;
  const facts = {
    ...PLAN.facts,
    unattended: false,
    witnesses: [{ name: 'carrier', type: 'carrier', sees: null, showsIsolation: true }],
  };
  const said = (contact: 'isolated' | 'connected', carrier: 'isolated' | 'connected') =>
    wrongAtRest(facts, state, [
      { kind: 'contact', name: 'vault', reading: { position: contact, takenAt: millis(1), detail: '' } },
      { kind: 'witness', name: 'carrier', reading: { position: carrier, takenAt: millis(1), detail: '' } },
    ]).map(({ code }) => code);
  expect(said('isolated', 'isolated')).toEqual([]);
  expect(said('isolated', 'connected')).toEqual(['connected-at-rest']);
  expect(said('connected', 'isolated')).toEqual(['read-back-lies']);
  const lease = { id: 'a', endsAt: millis(9), renewBy: millis(9) };
  expect(wrongAtRest(facts, { at: 'commissioning', lease }, [])).toEqual([]);
});
