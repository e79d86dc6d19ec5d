/** The pages of docs/sources: what they tell people to paste is taken by the program. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { FORMAT_NAMES } from '../../src/sources/formats.ts';
import { verify } from '../../src/sources/verify.ts';
import { check } from '../config/machine.ts';
import { samples } from './samples.ts';

const FOLDER = join(import.meta.dirname, '../../docs/sources');
const pages = readdirSync(FOLDER).filter((name) => name !== 'README.md');
const text = (page: string): string => readFileSync(join(FOLDER, page), 'utf8');
const blocks = (page: string, language: string): readonly string[] =>
  [...text(page).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, block]) => block ?? '',
  );

/** A box around the snippet of a page; nothing else in it is a source. */
const around = (snippet: string): string => `
interlock: { tls: device }
buses: { board: { transport: modbus-tcp, host: 127.0.0.1 } }
links:
  vault:
    contacts: [{ name: relay, profile: waveshare/modbus-poe-eth-relay-8ch, bus: board, unit: 1, channel: 1 }]
    witnesses: [{ name: mount, type: path, path: /mnt/vault }]
${snippet}`;

test('every format has a page and stands in the index', () => {
  expect(pages.toSorted()).toEqual([...FORMAT_NAMES, 'map'].map((name) => `${name}.md`).toSorted());
  for (const page of pages) expect(text('README.md')).toContain(`](${page})`);
});

describe.each(pages)('%s', (page) => {
  test('its configuration is taken, and speaks of its format', async () => {
    const [snippet, ...others] = blocks(page, 'yaml').filter((block) => block.startsWith('sources:'));
    expect(others).toEqual([]);
    const { kind, problems } = await check(around(snippet ?? ''));
    // The page shows a heartbeat; which link asks for it is for the reader to say.
    const ours = problems.filter(({ path }) => path.startsWith('sources') && !path.endsWith('.heartbeat'));
    expect([kind, ours]).toEqual(['valid', []]);
    const { sources } = parse(snippet ?? '') as { sources: Record<string, { format: string }> };
    expect(Object.values(sources).map(({ format }) => format)).toContain(page.replace(/\.md$/, ''));
  });

  test('says all there is to say', () => {
    const headings = [...text(page).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual([
      "On the sender's side",
      'In the configuration',
      'What it can prove',
      'How fast it is',
      'What is understood',
      'Its test message',
    ]);
  });
});

/** The keys of a sample, which were written down from what the page tells people to paste. */
const keysOf = (name: string): readonly string[] =>
  Object.keys(samples.find((sample) => sample.name === name)?.file.body ?? {}).toSorted();

describe('bodies that the page makes', () => {
  test('Datadog', () => {
    const [payload] = blocks('datadog.md', 'json');
    expect(Object.keys(JSON.parse(payload ?? '') as object).toSorted()).toEqual(keysOf('datadog/triggered'));
  });

  test('Kibana, and its Test tab, which fills nothing in', () => {
    const [payload] = blocks('kibana.md', 'json');
    const body = JSON.parse(payload ?? '') as object;
    expect(Object.keys(body).toSorted()).toEqual(keysOf('kibana/query-matched'));
    expect(body).toEqual(samples.find(({ name }) => name === 'kibana/test-tab')?.file.body);
  });

  test('Healthchecks', () => {
    const [body] = blocks('healthchecks.md', '');
    const filled = (body ?? '').replace('$NAME_JSON', '"x"');
    expect(Object.keys(JSON.parse(filled) as object).toSorted()).toEqual(keysOf('healthchecks/down'));
  });

  test('a shell signs what the program verifies', async () => {
    const [script] = blocks('generic.md', 'sh');
    const directory = await mkdtemp(join(tmpdir(), 'documents-'));
    try {
      const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
      await writeFile(join(directory, 'scripts.secret'), `${secret}\n`);
      const shown = `curl() { for word; do printf '%s\\n' "$word"; done; }\n${script ?? ''}`;
      const { stdout } = await promisify(execFile)('sh', ['-euc', shown], { cwd: directory });
      const lines = stdout.split('\n');
      const headers = Object.fromEntries(
        lines
          .flatMap((line) => [/^(webhook-[a-z]+): (.*)$/.exec(line)?.slice(1, 3) ?? []])
          .filter((pair) => pair.length === 2),
      ) as Record<string, string>;
      const rawBody = Buffer.from(lines.find((line) => line.startsWith('{')) ?? '');
      const rule = { type: 'standard-webhooks', tolerance: 300_000 } as const;
      const judged = verify(
        rule,
        [Buffer.from(secret)],
        { headers, rawBody, pathSecret: null },
        Date.now() / 1_000,
      );
      expect(judged).toEqual({ ok: true, tier: 3 });
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('Zabbix', () => {
    const [script] = blocks('zabbix.md', 'js');
    const parameters = [...text('zabbix.md').matchAll(/^\| `(\w+)` \| `?[{ht]/gm)].map(
      ([, name]) => name ?? '',
    );
    expect(script).toContain('delete said.token');
    const sent = parameters.filter((name) => !['url', 'token'].includes(name));
    expect(sent.toSorted()).toEqual(keysOf('zabbix/problem'));
  });
});
