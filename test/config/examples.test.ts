/** Every configuration that the project shows to people is a good one. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../src/config/schema/command.ts';
import { checkText } from '../../src/config/load.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { machine } from './machine.ts';

/** Shown to people, so checked against the profiles that people have. */
const { profiles } = await loadProfiles();
const check = (text: string) => checkText(text, profiles, machine);

const top = join(import.meta.dirname, '../..');
const files = globSync('docs/examples/*.yaml', { cwd: top });
const pages = globSync(['README.md', 'docs/**/*.md'], { cwd: top });

/** Blocks of YAML that are whole configurations: they have links. */
const blocks = pages.flatMap((page) =>
  [...readFileSync(join(top, page), 'utf8').matchAll(/^```yaml\n(.*?)^```$/gms)]
    .map((match) => match[1] ?? '')
    .filter((text) => /^links:/m.test(text))
    .map((text, index) => ({ name: `${page} block ${index + 1}`, text })),
);
const shown = [...files.map((name) => ({ name, text: readFileSync(join(top, name), 'utf8') })), ...blocks];

describe('shown configurations', () => {
  test('there is one', () => expect(files.length).toBeGreaterThan(0));
  test.each(shown)('$name', async ({ text }) => {
    const { kind, problems } = await check(text);
    expect(problems.filter(({ severity }) => severity === 'error').map(formatProblem)).toEqual([]);
    expect(kind).toBe('valid');
  });
});

test('the full example, parsed', async () => {
  const loaded = await check(readFileSync(join(top, 'docs/examples/portcullis.yaml'), 'utf8'));
  if (loaded.kind !== 'valid') throw new Error('not valid');
  const { config, problems } = loaded;
  expect(problems.map(({ severity, path }) => `${severity} ${path}`)).toEqual([
    'warning links.vault.contacts[1].hardware_lease',
  ]);
  expect(config.controller.state_directory).toBe('/var/lib/portcullis/controller');
  expect(config.links['vault']?.contacts[0]?.hardware_lease).toBe(10_000);
  expect(config.links['vault']?.contacts[1]?.hardware_lease).toBe('none');
  expect(config.interlock.listen).toEqual([{ host: '127.0.0.1', port: 8470 }]);
  expect(config.sources['grafana']?.verify).toMatchObject({
    header: 'x-grafana-alerting-signature',
    prefix: '',
  });
  expect(config.windows['nightly']?.steps.map((step) => Object.keys(step)[0])).toEqual([
    'backup',
    'forget',
    'check',
    'restore_drill',
  ]);
  expect(config.links['constructor']).toBeUndefined();
});
