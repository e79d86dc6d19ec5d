/** Figures for Prometheus: promtool finds nothing to say about them, and every example names only what exists. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { skipLoudly } from '../contacts/bench.ts';
import { ApiBench } from './bench.ts';

const EXAMPLES = 'docs/examples/monitoring';

const noPromtool = ((): string | null => {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'promtool is missing (apt-get install prometheus)';
  }
})();

/** Everything that can be shown is shown. */
async function fullBench(): Promise<ApiBench> {
  const bench = new ApiBench();
  const { interlock } = bench;
  const plain = interlock.status.bind(interlock);
  interlock.status = () => {
    const status = plain();
    const [link] = status.links;
    if (link === undefined) return status;
    const heartbeat = {
      heartbeat: 'watchdog',
      state: 'fresh' as const,
      age_ms: 500,
      max_age_ms: 1_000,
      latch: false,
    };
    const indicator = {
      name: 'relay "1"\\',
      kind: 'contact' as const,
      type: 't',
      position: 'isolated' as const,
      age_ms: 20,
      detail: '',
    };
    const source = {
      source: 'demo',
      format: 'generic',
      tier: 1,
      heartbeat: false,
      last: { at: new Date().toISOString(), verdict: 'trip' as const, note: null },
      unverified: 2,
    };
    return {
      ...status,
      button: { state: 'released' as const, why: '', present: false },
      links: [{ ...link, heartbeats: [heartbeat], indicators: [indicator] }],
      windows: status.windows.map((each) => ({ ...each, next_opens: new Date().toISOString() })),
      sources: [source],
    };
  };
  interlock.write('link.connecting', { link: 'vault' });
  interlock.write(
    'link.tripped',
    { link: 'vault', to: 'tripped', cut: { written_ms: { relay: 0.4 } } },
    { actor: 'source:demo' },
  );
  interlock.write('link.trip-proven', { link: 'vault', proven_ms: 212 });
  interlock.write('link.isolating', {
    link: 'vault',
    proof: { contact: 'relay', outcome: 'passed', basis: 'witness', took_ms: 97 },
    alarms: ['evidence-lost'],
  });
  for (const step of ['check', 'restore_drill'])
    interlock.write('controller.step', { repository: 'main', step, outcome: { kind: 'done' } });
  interlock.write('controller.window-finished', {
    window: 'nightly',
    link: 'vault',
    occurrence: 'o',
    outcome: 'done',
  });
  await bench.start();
  await bench.face.ledger.note({
    main: { last_good_backup: { at: new Date().toISOString(), snapshot: 'abc', bytes: 5 } },
  });
  Object.assign(bench.face, {
    notifications: () => [
      { name: 'ops', type: 'webhook', waiting: 1, failures: 2, last_delivered_at: null, problem: null },
    ],
  });
  await expect.poll(() => bench.face.chronicle.isComplete, { timeout: 10_000 }).toBe(true);
  return bench;
}

describe('metrics', { timeout: 60_000 }, () => {
  let bench: ApiBench;
  let text: string;
  beforeEach(async () => {
    bench = await fullBench();
    text = (await bench.ask('GET', '/metrics', { headers: await bench.tokenOf(['metrics']) })).body;
  });
  afterEach(() => bench.stop());

  const names = (): Set<string> =>
    new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name));

  test.skipIf(skipLoudly('metrics and alert rules', noPromtool))('promtool has nothing to say', () => {
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect(`${checked.stdout}${checked.stderr}`).toBe('');
    expect(checked.status).toBe(0);
    const spoilt = spawnSync('promtool', ['check', 'metrics'], {
      input: text.replaceAll('trips_total', 'trips'),
      encoding: 'utf8',
    });
    expect(spoilt.status).not.toBe(0);
  });

  test('values are in base units, labels are escaped', () => {
    expect(text).toContain('portcullis_link_connections_total{link="vault"} 1\n');
    expect(text).toContain('portcullis_trips_total{link="vault",by="source:demo"} 1\n');
    expect(text).toContain('portcullis_trip_cut_seconds_bucket{link="vault",le="0.001"} 1\n');
    expect(text).toContain('portcullis_trip_proven_seconds_sum{link="vault"} 0.212\n');
    expect(text).toContain('portcullis_proof_test_last_took_seconds{link="vault",contact="relay"} 0.097\n');
    expect(text).toContain(
      'portcullis_indicator_age_seconds{link="vault",indicator="relay \\"1\\"\\\\",kind="contact"} 0.02\n',
    );
    expect(text).toContain('portcullis_heartbeat_age_seconds{link="vault",heartbeat="watchdog"} 0.5\n');
  });

  test('what is not known is left out, not shown as good', async () => {
    const { InterlockError } = await import('../../src/protocol/interlock-error.ts');
    bench.view.lose(new InterlockError('INTERLOCK_GONE', 'gone', 'start it'));
    const { body } = await bench.ask('GET', '/metrics', { headers: await bench.tokenOf(['metrics']) });
    expect(body).toContain('portcullis_interlock_up 0\n');
    expect(body).not.toContain('portcullis_link_isolation_proven');
  });

  test.each(['portcullis-alerts.yml', 'grafana-dashboard.json'])(
    'every metric that %s names exists',
    (file) => {
      const known = names();
      for (const name of known)
        if (text.includes(`# TYPE ${name} histogram`))
          for (const suffix of ['_bucket', '_sum', '_count']) known.add(`${name}${suffix}`);
      const used = new Set(readFileSync(`${EXAMPLES}/${file}`, 'utf8').match(/\bportcullis_[a-z_]+/g));
      expect(used.size).toBeGreaterThan(8);
      expect([...used].filter((name) => !known.has(name))).toEqual([]);
    },
  );

  test.skipIf(skipLoudly('metrics and alert rules', noPromtool))('promtool takes the alert rules', () => {
    const checked = spawnSync(
      'promtool',
      ['check', 'rules', '--lint-fatal', `${EXAMPLES}/portcullis-alerts.yml`],
      { encoding: 'utf8' },
    );
    expect([checked.status, checked.stderr]).toEqual([0, '']);
  });

  test('the documentation names every metric', () => {
    const documented = readFileSync('docs/api.md', 'utf8');
    expect([...names()].filter((name) => !documented.includes(`\`${name}\``))).toEqual([]);
  });
});
