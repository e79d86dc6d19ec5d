/** Prometheus and Alertmanager as Debian ships them pull the kill switch, and their silence isolates. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { skipLoudly } from '../contacts/bench.ts';
import type { Lease } from '../../src/protocol/lease.ts';
import { missingMonitoring, Monitoring } from './monitoring.ts';
import { codesOf, eventually, LINK, Scenario } from './rig.ts';

const skipped = skipLoudly('Prometheus and Alertmanager', missingMonitoring());

let scenario: Scenario;
let monitoring: Monitoring;
/** Why no lease was granted before the monitoring had begun. */
let refusedBefore: unknown;

/** Adds what docs/sources/heartbeats.md shows: a source that cuts, one that says all is well, and a link that asks for it. */
function configure(tokens: { readonly cut: string; readonly heartbeat: string }): void {
  const source = (name: keyof typeof tokens, rest: string): string => {
    const file = join(scenario.directory, `${name}.token`);
    writeFileSync(file, `${tokens[name]}\n`, { mode: 0o600 });
    return `{ verify: { type: bearer, token_file: ${file} }, format: alertmanager, ${rest} }`;
  };
  const text = readFileSync(scenario.config, 'utf8')
    .replace('permissives: []', 'permissives: [{ heartbeat: watchdog, max_age: 10s }]')
    .replace('repositories:', `  alertmanager: ${source('cut', `trips: [${LINK}]`)}\nrepositories:`)
    .replace('repositories:', `  watchdog: ${source('heartbeat', 'heartbeat: true')}\nrepositories:`);
  writeFileSync(scenario.config, text);
}

const heartbeatIs = (state: string) =>
  scenario.until(`the heartbeat to be ${state}`, ({ heartbeats }) => heartbeats[0]?.state === state);

const since = (start: number): string => `${Math.round(performance.now() - start)} ms`;

async function connected(): Promise<Lease> {
  const lease = await scenario.askLease();
  await lease.connected;
  await scenario.board.standing('connected');
  return lease;
}

beforeEach(async () => {
  if (skipped) return;
  scenario = await Scenario.begin({ isolateTimeout: '2s', evidenceMaxAge: '3s', leaseTimeout: '3s' });
  const tokens = { cut: randomBytes(24).toString('hex'), heartbeat: randomBytes(24).toString('hex') };
  configure(tokens);
  monitoring = new Monitoring(scenario.directory, scenario.tripPort);
  await scenario.interlock();
  await scenario.openWindow();
  // Nobody has said yet that all is well.
  refusedBefore = await scenario.askLease().catch(codesOf);
  await monitoring.begin(tokens);
  await heartbeatIs('fresh');
  // The first has the program compiled.
}, 120_000);

afterEach(async () => {
  if (skipped) return;
  await monitoring.end();
  await scenario.end();
});

describe.skipIf(skipped)('Debian’s Prometheus and Alertmanager', { timeout: 180_000 }, () => {
  test('an alert cuts and latches; its end lifts nothing', async () => {
    expect(refusedBefore).toEqual(['heartbeat-stale']);
    await connected();
    const mark = scenario.board.mark();
    const start = performance.now();
    monitoring.notes = 3;
    expect((await scenario.board.move('isolated', mark)).cause).toBe('frame');
    const took = since(start);
    const link = await scenario.until('isolation to be proven', ({ proof }) => proof === 'witness');
    expect(link).toMatchObject({ state: 'tripped', latch: { by: 'source:alertmanager' } });
    expect(link.latch?.reason).toContain('RansomNotes');
    const tripped = await scenario.entry('link.tripped');
    console.log(`metric changed → isolated: ${took}; cut: ${JSON.stringify(tripped.data['cut'])}`);

    expect((await scenario.command('status')).stdout).toContain('  heartbeat watchdog: fresh (');

    monitoring.notes = 0;
    await scenario.entry('trip.annotated');
    expect(await scenario.link()).toMatchObject({ state: 'tripped', latch: { by: 'source:alertmanager' } });
    await heartbeatIs('fresh');
    expect(await scenario.askLease().catch(codesOf)).toEqual(['tripped']);
    expect(scenario.board.moves(mark).map(({ position }) => position)).toEqual(['isolated']);
    await scenario.journalVerifies();
  });

  test('a Prometheus that dies isolates, latches nothing, and permits again when it is back', async () => {
    const lease = await connected();
    const mark = scenario.board.mark();
    const beats = async () => (await scenario.client().status()).sources.find((each) => each.heartbeat)?.last;
    const first = await beats();
    await eventually('another beat', async () => (await beats())?.at !== first?.at);
    expect(scenario.board.stands()).toBe('connected');

    const start = performance.now();
    await monitoring.prometheus.kill();
    await lease.lost;
    await scenario.board.move('isolated', mark);
    console.log(`Prometheus killed → isolated: ${since(start)}`);
    const link = await scenario.until('isolation to be proven', ({ state }) => state === 'isolated');
    expect(link).toMatchObject({ latch: null, heartbeats: [{ heartbeat: 'watchdog', state: 'stale' }] });
    expect(link.refusals.map(({ code }) => code)).toEqual(['heartbeat-stale']);
    // Alertmanager says that the Watchdog is over. That is not a sign of life.
    expect(await beats()).toMatchObject({ verdict: 'annotate' });
    expect(await scenario.askLease().catch(codesOf)).toEqual(['heartbeat-stale']);
    expect(scenario.journal('heartbeat.lost')).toHaveLength(1);

    await monitoring.startPrometheus();
    await heartbeatIs('fresh');
    await connected();
    expect(scenario.journal('heartbeat.back')).toHaveLength(2);
    await scenario.journalVerifies();
  });
});
