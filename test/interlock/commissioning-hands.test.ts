/** What a commissioning session may do to a link, and what is left of it once it is over. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { CommissioningHands } from '../../src/interlock/commissioning/hands.ts';
import { commission } from '../../src/interlock/rights/commissioning-session.ts';
import type { LeaseLine } from '../../src/protocol/messages.ts';
import { POLICY, WiredBox } from './wired-box.ts';

const LEASE_MS = 5_000;
const asked = { presence: true, by: 'person:test', reason: 'new relay' };

let box: WiredBox;
let told: LeaseLine['event'][];
let alive: boolean;
const holder = { tell: (line: LeaseLine) => void told.push(line.event) };

beforeEach(() => {
  box = new WiredBox({ hardwareLeaseMs: LEASE_MS });
  told = [];
  alive = true;
});

/** A session that is renewed for as long as somebody is alive. */
async function session(): Promise<{ id: string; hands: CommissioningHands }> {
  await box.until('isolation is proven', () => box.at === 'isolated');
  const answer = await box.come(commission(box.interlock, box.vault, asked, holder));
  if ('refusals' in answer) throw new TypeError(answer.refusals.map(({ code }) => code).join(', '));
  const renew = (): void => {
    if (!alive) return;
    void box.interlock.renewLease(answer.id);
    box.clock.after(500, renew);
  };
  renew();
  return answer;
}

const positions = (): string[] => [box.relay.position, box.port.position];

describe('a session', () => {
  test('connects and isolates single contacts, and nothing that is seen ends it', async () => {
    const { hands } = await session();
    expect([box.at, ...positions()]).toEqual(['commissioning', 'isolated', 'isolated']);
    expect((await box.come(hands.connect('relay'))).outcome.kind).toBe('done');
    expect([hands.drivesAll(), ...positions()]).toEqual([false, 'connected', 'isolated']);
    await box.come(hands.connect('port'));
    expect(hands.drivesAll()).toBe(true);
    const look = await box.come(hands.look());
    expect(look.evidence).toMatchObject({ position: 'connected', basis: 'witness' });
    expect(look.indicators.map(({ name, reading }) => [name, reading?.position])).toEqual([
      ['relay', 'connected'],
      ['port', 'connected'],
      ['carrier', 'connected'],
    ]);
    const isolated = await box.come(hands.isolate('relay'));
    expect(isolated?.writtenMs).toBeTypeOf('number');
    await box.until('it lets go', () => box.relay.position === 'isolated', 50);
    expect(box.port.position).toBe('connected');
    box.relay.push();
    await box.pass(2_000);
    expect([box.at, hands.live()]).toEqual(['commissioning', true]);
    const types = box.medium.entries.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['link.commissioning-asked', 'link.commissioning']));
    expect(types.filter((type) => type.startsWith('contact.'))).toEqual([
      'contact.connect-asked',
      'contact.connect-asked',
      'contact.isolate-asked',
    ]);
  });

  test('renews a hardware lease when it is asked to, and never by itself', async () => {
    const { hands } = await session();
    await box.come(hands.connect('relay'));
    await box.pass(LEASE_MS * 0.8);
    expect((await box.come(hands.renewHardware('relay'))).kind).toBe('done');
    await box.pass(LEASE_MS * 0.8);
    expect(box.relay.position).toBe('connected');
    await box.pass(LEASE_MS * 0.3);
    expect(box.relay.position).toBe('isolated');
    expect((await box.come(hands.renewHardware('port'))).kind).toBe('fenced');
  });

  test('counts as exposure from its grant until isolation is proven', async () => {
    const { id } = await session();
    await box.pass(10_000);
    void box.interlock.endLease(id, 'released');
    await box.until('isolation is proven', () => box.at === 'isolated');
    const exposed = box.interlock.parts.ledger.exposedMs('vault', box.interlock.moment());
    expect(exposed).toBeGreaterThanOrEqual(10_000);
    expect(exposed).toBeLessThan(10_000 + POLICY.isolateTimeoutMs);
  });

  test.each([
    ['is given back', (id: string) => void box.interlock.endLease(id, 'released')],
    ['loses its holder', () => box.interlock.holderGone(holder)],
    ['is tripped', () => void box.interlock.trip([], { by: 'button', reason: 'pressed' })],
    ['is stopped', () => void box.interlock.stop()],
  ])('that %s cuts everything in that tick, and its hands are dead', async (_what, end) => {
    const { id, hands } = await session();
    await box.come(hands.connect('relay'));
    await box.come(hands.connect('port'));
    const names = ['relay', 'port'];
    const before = names.map((name) => box.vault.shell.receiptOf(name));
    end(id);
    names.forEach((name, i) => expect(box.vault.shell.receiptOf(name)).not.toBe(before[i]));
    expect([hands.live(), hands.drivesAll()]).toEqual([false, false]);
    const [connect, renewed, isolate] = await box.come(
      Promise.all([hands.connect('relay'), hands.renewHardware('relay'), hands.isolate('relay')]),
    );
    expect([connect.outcome.kind, renewed.kind, isolate]).toEqual(['fenced', 'fenced', null]);
    await box.until('both let go', () => positions().every((each) => each === 'isolated'));
    await box.until('its holder is told', () => told.includes('over'));
  });

  test('that nobody renews is over, and a connect that waits for the journal is not performed any more', async () => {
    const { hands } = await session();
    alive = false;
    await box.pass(POLICY.leaseTimeoutMs * 0.5);
    box.medium.fault = 'hanging';
    const connect = hands.connect('relay');
    await box.until('it has lapsed', () => box.at !== 'commissioning');
    box.medium.fault = null;
    expect((await box.come(connect)).outcome.kind).toBe('fenced');
    expect(box.relay.position).toBe('isolated');
  });

  test('lasts no longer than it may, however lively', async () => {
    const { hands } = await session();
    const from = box.time.now;
    await box.until('it is over', () => !hands.live(), 2 * POLICY.commissioningMs);
    expect(box.time.now - from).toBeLessThanOrEqual(POLICY.commissioningMs + 300);
  });
});

describe('a session is refused', () => {
  const refusals = async (how = asked): Promise<readonly string[]> => {
    const answer = await box.come(commission(box.interlock, box.vault, how, holder));
    return 'refusals' in answer ? answer.refusals.map(({ code }) => code) : [];
  };

  test('without presence, and under a lease', async () => {
    await box.until('isolation is proven', () => box.at === 'isolated');
    expect(await refusals({ ...asked, presence: false })).toEqual(['presence-missing']);
    await box.lease();
    expect(await refusals()).toEqual(['lease-held']);
  });

  test('while tripped', async () => {
    await box.until('isolation is proven', () => box.at === 'isolated');
    void box.interlock.trip([], { by: 'button', reason: 'pressed' });
    expect(await refusals()).toEqual(['tripped']);
  });

  test('without a journal', async () => {
    await box.until('isolation is proven', () => box.at === 'isolated');
    box.medium.fault = 'unwritable';
    box.interlock.note({ type: 'interlock.test', actor: 'interlock', data: {} });
    await box.pass(100);
    expect(await refusals()).toEqual(['journal-unwritable']);
  });

  test('beside another, and so is a lease', async () => {
    await session();
    expect(await refusals()).toEqual(['commissioning']);
    const claim = { link: 'vault', window: 'nightly', occurrence: 'none' };
    const answer = await box.come(box.interlock.askLease(claim, { tell: () => undefined }));
    expect('refusals' in answer && answer.refusals.map(({ code }) => code)).toContain('commissioning');
  });
});
