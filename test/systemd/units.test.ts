import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { CHECKED_WITHIN_MS } from '../../src/core/pulse.ts';

const units = fileURLToPath(new URL('../../systemd/', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'portcullis-units-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!hasSystemd)
  console.warn('SKIPPED: the systemd units are not verified, systemd-analyze is not installed');

/** What systemd says of a unit whose program is taken to be there. */
function verify(name: string, text: string): string {
  const file = join(scratch, name);
  writeFileSync(file, text.replaceAll('/opt/portcullis/bin/portcullis', '/bin/true'));
  const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
  return `${stdout}${stderr}`
    .split('\n')
    .filter((line) => line.includes(name))
    .join('\n');
}

describe.skipIf(!hasSystemd)('the systemd units', () => {
  const names = readdirSync(units).filter((each) => /\.(service|slice)$/.test(each));

  test.each(names)('%s holds nothing that systemd does not know', (name) => {
    expect(verify(name, readFileSync(join(units, name), 'utf8'))).toBe('');
  });

  test('a misspelt key is noticed', () => {
    const text = readFileSync(join(units, 'portcullis-interlock.service'), 'utf8');
    expect(verify('misspelt.service', text.replace('Restart=always', 'Restrat=always'))).toContain('Restrat');
  });

  test.each([
    ['portcullis-interlock.service', 2],
    ['portcullis-controller.service', 2.3],
  ])(
    '%s is exposed to at most %d of 10 (`systemd-analyze security`), and the README says so',
    (name, most) => {
      expect(exposure(readFileSync(join(units, name), 'utf8'))).toBeLessThanOrEqual(most);
      const readme = readFileSync(join(units, '../README.md'), 'utf8');
      expect(readme).toContain(`${name.replace(/^portcullis-|\.service$/g, '')} ${most.toFixed(1)}`);
    },
  );

  test('the controller, which may read every file, sees nothing by which a link is reset or driven', () => {
    const text = readFileSync(join(units, 'portcullis-controller.service'), 'utf8');
    expect(text).toContain('AmbientCapabilities=CAP_DAC_READ_SEARCH');
    const hidden = /^InaccessiblePaths=(.*)$/m.exec(text)?.[1]?.split(' ');
    expect(hidden).toEqual([
      '-/etc/portcullis/interlock',
      '-/run/credentials/portcullis-interlock.service',
      '-/var/lib/portcullis/journal/heads.key',
    ]);
  });

  test('without its sandbox a unit is exposed to more', () => {
    const text = readFileSync(join(units, 'portcullis-interlock.service'), 'utf8');
    expect(exposure(text.replace(/^SystemCallFilter=.*$/gm, ''))).toBeGreaterThan(2);
  });

  test('what ends a hung interlock is quicker than what a person would notice, and nothing of it gives up', () => {
    const text = readFileSync(join(units, 'portcullis-interlock.service'), 'utf8');
    const value = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1] ?? '';
    expect(value('Type')).toBe('notify');
    // Twice the age at which a look stops counting.
    expect(Number(value('WatchdogSec')) * 1_000).toBe(2 * CHECKED_WITHIN_MS);
    expect(value('WatchdogSignal')).toBe('SIGKILL');
    expect(value('Restart')).toBe('always');
    expect(value('StartLimitIntervalSec')).toBe('0');
    expect(value('ExecStopPost')).toContain('isolate --all');
  });
});

/** The score that systemd gives a unit, 0 (best) to 10. */
function exposure(text: string): number {
  const file = join(scratch, 'exposed.service');
  writeFileSync(file, text);
  const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', file], {
    encoding: 'utf8',
  });
  return Number(/exposure level for .*: (\d+\.\d)/.exec(stdout)?.[1] ?? Number.NaN);
}
