/** Whatever things are called: every plain object has a `constructor`, and none of them may be taken for what was counted. */
import { afterEach, expect, test } from 'vitest';
import { mayCatchUp, missedBy, NO_PAST } from '../../src/core/catch-up.ts';
import { millis } from '../../src/core/time.ts';
import { Ledger } from '../../src/interlock/records/ledger.ts';
import { ProofRecord } from '../../src/interlock/records/proof-record.ts';
import { SyscallDisk } from '../interlock/syscall-disk.ts';
import { ApiBench } from './bench.ts';

const ODD = 'constructor';
const PLAIN = 'usual';
let bench: ApiBench | null = null;
afterEach(() => bench?.stop());

/** What is shown of a box on which everything has one name: links, contacts, windows, repositories, sources, approvers. */
async function shown(name: string): Promise<readonly string[]> {
  const made = new ApiBench();
  bench = made;
  const { interlock } = made;
  const plain = interlock.status.bind(interlock);
  const source = {
    source: name,
    format: 'generic',
    tier: 1,
    heartbeat: false,
    last: { at: '2026-11-21T10:00:00.000Z', verdict: 'trip' as const, note: null },
    unverified: 2,
  };
  interlock.status = () => {
    const { links, windows, ...status } = plain();
    return {
      ...status,
      links: links.map((each) => ({ ...each, link: name })),
      windows: windows.map((each) => ({ ...each, window: name, link: name })),
      sources: [source],
    };
  };
  const proof = { contact: name, outcome: 'passed', basis: 'witness', took_ms: 97 };
  interlock.write('link.connecting', { link: name });
  interlock.write('link.isolating', { link: name, proof, alarms: ['evidence-lost'] });
  interlock.write('link.isolated', { link: name });
  interlock.write(
    'link.tripped',
    { link: name, to: 'tripped', cut: { written_ms: { [name]: 0.4 } } },
    { actor: `source:${name}` },
  );
  interlock.write('link.trip-proven', { link: name, proven_ms: 212 });
  interlock.write('link.connecting', { link: name });
  interlock.write('controller.step', { repository: name, step: 'check', outcome: { kind: 'done' } });
  interlock.write('controller.window-finished', {
    window: name,
    link: name,
    occurrence: 'o',
    outcome: 'done',
  });
  // The configuration refuses the one odd name that is a name; what reads it must not rest on that.
  const config = made.config.bind(made);
  made.config = (more) => {
    const text = JSON.stringify(config(more)).replaceAll(`"${PLAIN}"`, `"${name}"`);
    return JSON.parse(text) as ReturnType<typeof config>;
  };
  const step = { backup: { repository: PLAIN, paths: ['/data'] } };
  await made.start({
    links: { [PLAIN]: { contacts: [] } },
    sources: { [PLAIN]: { verify: { type: 'bearer', token_file: '/x' }, format: 'generic', trips: [PLAIN] } },
    repositories: { [PLAIN]: { url: '/vault', password_file: '/x', recovery_point: '1d' } },
    windows: { [PLAIN]: { link: PLAIN, opens: '* * * * *', timezone: 'UTC', lasts: '1h', steps: [step] } },
    approvers: { [PLAIN]: { secret_file: '/x' } },
  });
  await expect.poll(() => made.face.chronicle.isComplete).toBe(true);
  const headers = await made.tokenOf(['read', 'metrics']);
  const paths = ['/api/v1/state', '/api/v1/history', '/api/v1/sources', '/metrics'];
  const bodies = await Promise.all(paths.map((path) => made.ask('GET', path, { headers })));
  expect(bodies.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200]);
  await made.stop();
  bench = null;
  // Names apart, and times: they differ between two runs.
  return bodies.map(({ body }) =>
    body
      .replaceAll(new RegExp(`\\b${name}\\b`, 'g'), 'NAME')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replaceAll(/(ms|seconds|at)":[\d.]+/g, '$1":N')
      .replaceAll(/("head":)"\w*"/g, '$1"H"')
      .replaceAll(/^(?!#|portcullis_).*\n/gm, '')
      .replaceAll(/^(portcullis_\w*(?:seconds|timestamp|bytes|age)\w*(?:\{.*\})?) .*$/gm, '$1 N'),
  );
}

test('a link, contact, window, repository and source called `constructor` are shown like any other', async () => {
  const usual = await shown(PLAIN);
  expect(usual[3]).toContain('portcullis_link_connections_total{link="NAME"} 2');
  expect(await shown(ODD)).toEqual(usual);
});

test('what the interlock remembers of them is what it was told', async () => {
  const moment = (now: number) => ({ boot: 'b', now: millis(now), calendarMs: 1_000_000 + now });
  const ledger = new Ledger(new SyscallDisk(), '/state');
  await ledger.load();
  await ledger.begin(ODD, 3_600_000, moment(0));
  expect(ledger.exposedMs(ODD, moment(5_000))).toBe(5_000);
  await ledger.end(ODD, moment(6_000));
  expect(ledger.exposedMs(ODD, moment(7_000))).toBe(6_000);
  const proofs = new ProofRecord(new SyscallDisk(), '/state');
  await proofs.load();
  expect(proofs.of(ODD)).toEqual({});
  expect(missedBy(ODD, { from: 0, to: 60_000, newest: 60_000 }, NO_PAST, false)).toBeNull();
  expect(mayCatchUp(ODD, 'once', 60_000, NO_PAST)).toBe(true);
});
