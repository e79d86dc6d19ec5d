import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

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
  const names = readdirSync(units).filter((each) => each.endsWith('.service'));

  test.each(names)('%s holds nothing that systemd does not know', (name) => {
    expect(verify(name, readFileSync(join(units, name), 'utf8'))).toBe('');
  });

  test('a misspelt key is noticed', () => {
    const text = readFileSync(join(units, 'portcullis-interlock.service'), 'utf8');
    expect(verify('misspelt.service', text.replace('Restart=always', 'Restrat=always'))).toContain('Restrat');
  });
});
