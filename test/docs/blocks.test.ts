/**
 * Every block of the pages that is no command: configuration passes `check` once it is put into a whole one, and what is meant for
 * another program is read by that program, or the row says that nobody here can.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { proposeConfiguration } from '../../src/command/setup.ts';
import { formatProblem } from '../../src/config/schema/command.ts';
import { checkText, type Machine } from '../../src/config/load.ts';
import type { SecretFile } from '../../src/config/secret-files.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { machine } from '../config/machine.ts';
import { fakeMachine } from '../install/fake-machine.ts';
import { type Block, blocksIn, pages } from './pages.ts';

const TOP = join(import.meta.dirname, '../..');
const { profiles } = await loadProfiles();
const scratch = mkdtempSync(join(tmpdir(), 'portcullis-blocks-'));
const made: string[] = [scratch];
afterAll(() => made.forEach((each) => rmSync(each, { recursive: true })));

/** What a block is: a part of a configuration, or something that the named test reads, or something for another program. */
type Kind =
  | 'part'
  | 'answers'
  | 'amtool'
  | 'promtool'
  | { readonly test: string; readonly proof: string }
  | { readonly unread: string };

const EXAMPLES: Kind = {
  test: 'test/config/examples.test.ts',
  proof: 'Blocks of YAML that are whole configurations',
};
const PROFILES: Kind = { test: 'test/hardware/profiles-page.test.ts', proof: 'every profile, every command' };
const BUILDS: Kind = {
  test: 'test/hardware/pages.test.ts',
  proof: 'its configuration is one that check accepts',
};
const SENDERS: Kind = { test: 'test/sources/documents.test.ts', proof: 'its configuration is taken' };
const BODIES: Kind = { test: 'test/sources/documents.test.ts', proof: 'bodies that the page makes' };
const SHOWN: Kind = { test: 'test/docs/commands.test.ts', proof: 'what the pages show is what the box says' };
const KEYS: Kind = { test: 'test/docs/commands.test.ts', proof: 'shows has keys that are there' };
const LAMPS: Kind = {
  test: 'test/lamps/hardware-page.test.ts',
  proof: 'lamps as hardware/README.md writes them',
};

/** What becomes of each block, by its page and how it begins. */
const KINDS: readonly (readonly [page: string, begins: string, kind: Kind])[] = [
  ['README.md', '10:20:42', { test: 'test/docs/commands.test.ts', proof: "shown('README.md', 'text')" }],
  ['README.md', ' monitoring', { unread: 'a drawing' }],
  ['docs/anomalies.md', 'windows:', 'part'],
  ['docs/api.md', 'controller: nobody has an account', SHOWN],
  ['docs/api.md', '{ "status": 409', KEYS],
  ['docs/api.md', 'scrape_configs:', 'promtool'],
  ['docs/attach.md', 'repositories:', 'part'],
  ['docs/attach.md', 'repositories:', 'part'],
  ['docs/guards.md', 'windows:', 'part'],
  ['docs/heartbeats.md', 'sources:', EXAMPLES],
  ['docs/install.md', 'relay: /dev/serial', 'answers'],
  ['docs/kill-switch.md', 'interlock:', 'part'],
  ['docs/kill-switch.md', 'interlock:', 'part'],
  ['docs/notifications.md', 'notify:', 'part'],
  ['docs/notifications.md', '{', KEYS],
  ['docs/profiles.md', '# yaml-language-server', PROFILES],
  ['docs/profiles.md', '# yaml-language-server', PROFILES],
  ['docs/rogue-client.md', 'repositories:', 'part'],
  ['docs/rogue-client.md', 'interlock:', 'part'],
  ['docs/sources/alertmanager.md', 'route:', 'amtool'],
  ['docs/sources/datadog.md', '{', BODIES],
  ['docs/sources/falco.md', 'json_output: true', { unread: 'Falco is no Debian package' }],
  ['docs/sources/falcosidekick.md', 'webhook:', { unread: 'Falcosidekick is no Debian package' }],
  ['docs/sources/grafana.md', 'apiVersion: 1', { unread: 'Grafana is no Debian package' }],
  ['docs/sources/healthchecks.md', '{"status"', BODIES],
  ['docs/sources/kibana.md', '{', BODIES],
  ['docs/sources/wazuh.md', '<integration>', { unread: 'Wazuh is no Debian package' }],
  ['docs/sources/zabbix.md', 'var said', BODIES],
  ['docs/systemd.md', '# systemctl edit', { test: 'test/systemd/box.test.ts', proof: 'LoadCredential' }],
  ['docs/systemd.md', 'sources:', 'part'],
  ['docs/when-it-is-tripped.md', 'vault: TRIPPED', SHOWN],
  ['docs/windows.md', 'repositories:', 'part'],
  ['docs/windows.md', '- backup:', 'part'],
  ['hardware/README.md', 'lamps:', LAMPS],
  ['hardware/README.md', '# /boot/firmware', { unread: 'the firmware of a Raspberry Pi reads it' }],
  [
    'hardware/README.md',
    '# /etc/systemd',
    { test: 'test/install/install.test.ts', proof: 'RuntimeWatchdogSec' },
  ],
  ['hardware/dead-man.md', '', 'part'],
  ['hardware/relay-and-switch-port.md', '', BUILDS],
  ['hardware/relay-hat.md', '', BUILDS],
  ['hardware/relay-hat.md', '# /boot/firmware', BUILDS],
  ['hardware/two-relays.md', '', BUILDS],
  ['hardware/two-relays.md', '# /boot/firmware', BUILDS],
];

const TYPED = new Set(['sh', 'console']);
const blocks = [...pages]
  .flatMap(([page, text]) => blocksIn(page, text))
  .filter(({ language }) => !TYPED.has(language))
  // Each page of a sender has one, which its own test takes from it.
  .filter(({ page, text }) => !(page.startsWith('docs/sources/') && text.startsWith('sources:')));

/** What does not agree between blocks and rows, in the order of the pages. */
function disagreements(of: readonly Block[], rows: typeof KINDS): readonly string[] {
  const left = [...rows];
  const without = of.flatMap(({ page, text }) => {
    const its = left.findIndex(([at, begins]) => at === page && text.startsWith(begins));
    if (its < 0) return [`${page}: no row for the block ${text.split('\n')[0]}`];
    left.splice(its, 1);
    return [];
  });
  return [...without, ...left.map(([page, begins]) => `${page}: a row for no block: ${begins}`)];
}

const kindOf = ({ page, text }: Block): Kind | undefined =>
  KINDS.find(([at, begins]) => at === page && text.startsWith(begins))?.[2];
const of = (kind: Kind): readonly Block[] => blocks.filter((block) => kindOf(block) === kind);

test('the table has a row for every block, and no other', () => {
  expect(disagreements(blocks, KINDS)).toEqual([]);
  const [first] = KINDS;
  expect(disagreements([{ page: 'p', language: 'yaml', text: 'a: 1\n' }], first ? [first] : [])).toEqual([
    'p: no row for the block a: 1',
    'README.md: a row for no block: 10:20:42',
  ]);
  expect(SENDERS).toHaveProperty('proof');
});

test('the tests that it names are there, and read it', () => {
  for (const kind of [...KINDS.map((row) => row[2]), SENDERS]) {
    if (typeof kind === 'string' || !('test' in kind)) continue;
    expect(existsSync(join(TOP, kind.test)), kind.test).toBe(true);
    expect(readFileSync(join(TOP, kind.test), 'utf8'), kind.test).toContain(kind.proof);
  }
});

type Tree = Readonly<Record<string, unknown>>;
const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A box around a part: what the part says counts, the rest is there. */
const BASE: Tree = parse(`
buses: { board: { transport: modbus-tcp, host: 127.0.0.1 } }
links:
  vault:
    contacts: [{ name: relay, profile: waveshare/modbus-poe-eth-relay-8ch, bus: board, unit: 1, channel: 1 }]
    witnesses: [{ name: mount, type: path, path: /mnt/vault }]
repositories:
  vault: { url: "rest:http://10.0.0.2:8000/", password_file: /etc/portcullis/vault.password }
windows:
  nightly:
    link: vault
    opens: "30 2 * * *"
    timezone: Europe/Berlin
    lasts: 3h
    steps: [{ backup: { repository: vault, paths: [/srv/data] } }]
`) as Tree;

const merged = (base: Tree, part: Tree): Tree => ({
  ...base,
  ...Object.fromEntries(
    Object.entries(part).map(([key, value]) => {
      const under = base[key];
      return [key, isTree(under) && isTree(value) ? merged(under, value) : value];
    }),
  ),
});

/** The made-up machine, with a certificate and its key where a configuration asks for them. */
const withCertificates: Machine = {
  ...machine,
  secretsIn: async (config) => {
    const [key, crt] = ['tls.key', 'tls.crt'].map((name) => join(scratch, name));
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-noenc',
      '-subj',
      '/CN=box',
    ];
    if (!existsSync(crt ?? ''))
      execFileSync('openssl', [...request, '-keyout', key ?? '', '-out', crt ?? ''], { stdio: 'pipe' });
    const read = (path: string): SecretFile => ({
      kind: 'read',
      worldReadable: false,
      bytes: readFileSync(path),
    });
    const found = [...(await machine.secretsIn(config))];
    return new Map(
      found.map(([path, secret]) => [
        path,
        /\.(crt|key)$/.test(path) ? read(path.endsWith('.key') ? (key ?? '') : (crt ?? '')) : secret,
      ]),
    );
  },
};

/** What `check` says against a base with this part in it. A list is the steps of its window. */
async function errorsIn(part: string): Promise<readonly string[]> {
  const read: unknown = parse(part);
  const whole = Array.isArray(read)
    ? merged(BASE, { windows: { nightly: { steps: read } } })
    : merged(BASE, read as Tree);
  const { problems } = await checkText(stringify(whole), profiles, withCertificates);
  return problems.filter(({ severity }) => severity === 'error').map(formatProblem);
}

describe('parts of a configuration pass `check`', () => {
  test.each(of('part').map((block, index) => [`${block.page}, ${index + 1}`, block] as const))(
    '%s',
    async (_, { text }) => expect(await errorsIn(text)).toEqual([]),
  );

  test('and one with a mistake does not', async () => {
    expect(await errorsIn('windows: { nightly: { anomalies: { whilst_running: isolate } } }')).not.toEqual(
      [],
    );
    expect(await errorsIn('repositories: { vault: { url: "ftp://x" } }')).not.toEqual([]);
  });
});

test('the answers for `portcullis setup` are answers to its questions', async () => {
  const [block] = of('answers');
  const root = fakeMachine({
    serialById: { 'usb-FTDI_FT232R_USB_UART_A10K-if00-port0': 'ttyUSB0' },
    interfaces: ['eth0', 'eth1'],
    defaultRoute: 'eth0',
  });
  made.push(root);
  const answers = join(scratch, 'answers.yaml');
  writeFileSync(answers, block?.text ?? '');
  const config = join(scratch, 'portcullis.yaml');
  await proposeConfiguration({ config, machine: root, answers }, () => undefined, profiles);
  expect(readFileSync(config, 'utf8')).toContain('A10K-if00-port0');
});

describe('other programs read what is meant for them', () => {
  const lacks = (tool: string): boolean => {
    const isMissing = spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0;
    if (isMissing) console.warn(`NOT TESTED: what the pages show to ${tool}, which is not installed`);
    return isMissing;
  };
  const written = (name: string, text: string): string => {
    const file = join(scratch, name);
    writeFileSync(file, text.replaceAll('BOX', 'box.example'));
    return file;
  };

  test.skipIf(lacks('amtool'))('amtool', () => {
    expect(of('amtool')).toHaveLength(1);
    for (const { text } of of('amtool')) execFileSync('amtool', ['check-config', written('am.yml', text)]);
    const wrong = written('wrong.yml', 'route: { receiver: nobody }\nreceivers: []\n');
    expect(spawnSync('amtool', ['check-config', wrong]).status).not.toBe(0);
  });

  test.skipIf(lacks('promtool'))('promtool', () => {
    expect(of('promtool')).toHaveLength(1);
    // The certificate is on the reader's machine.
    const here = (text: string): string => text.replace(/ca_file: \S+/, 'insecure_skip_verify: true');
    for (const { text } of of('promtool'))
      execFileSync('promtool', ['check', 'config', '--syntax-only', written('prometheus.yml', here(text))]);
    const wrong = written('wrong-prometheus.yml', 'scrape_configs: [{ jobname: x }]\n');
    expect(spawnSync('promtool', ['check', 'config', '--syntax-only', wrong]).status).not.toBe(0);
  });

  test('the rest is at least what it says it is', () => {
    for (const block of blocks.filter(({ language }) => language === 'yaml'))
      expect(() => parse(block.text) as unknown, block.page).not.toThrow();
  });
});

test('an address of the kill switch on a page of a sender is that of the source which the page configures', () => {
  for (const [page, text] of pages) {
    if (!/^docs\/sources\/(?!README)/.test(page)) continue;
    const snippet = blocksIn(page, text).find((block) => block.text.startsWith('sources:'))?.text ?? '';
    const { sources } = parse(snippet) as { sources: Record<string, { verify: { type: string } }> };
    for (const [, name = '', secret] of text.matchAll(/BOX:8470\/trip\/([\w-]+)(\/(?:SECRET)?)?/g)) {
      if (name === 'NAME') continue;
      expect(Object.keys(sources), page).toContain(name);
      // What the page names as a last resort needs the other `verify`, which it then says.
      const isByPath = sources[name]?.verify.type === 'path-secret';
      if (isByPath) expect(secret, page).toMatch(/^\//);
    }
  }
});

test('what the README says of its numbers stands in docs/performance.md, too', () => {
  const [, numbers = ''] = /^## Numbers\n([\s\S]*?)^## /m.exec(pages.get('README.md') ?? '') ?? [];
  const measured = numbers
    .split('\n')
    .flatMap((line) => /^\|[^|]+\|([^|]*\d[^|]*)\|/.exec(line)?.[1]?.trim() ?? []);
  expect(measured.length).toBeGreaterThan(0);
  const page = pages.get('docs/performance.md') ?? '';
  for (const figure of measured.flatMap((each) => each.match(/\d+(?:\.\d+)?/g) ?? []))
    expect(page, figure).toMatch(new RegExp(`\\b${figure.replace('.', '\\.')}\\b`));
});
