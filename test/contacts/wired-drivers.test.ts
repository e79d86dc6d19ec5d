/** SNMP and commands as the configuration asks for them: profiles, places, buses, witnesses. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { CommandWitness } from '../../src/contacts/command/witness.ts';
import { filled, parameterProblems } from '../../src/contacts/command/words.ts';
import { createHardware, type Hardware } from '../../src/contacts/drivers.ts';
import { HardwareProblems } from '../../src/contacts/hardware-problems.ts';
import type { HardwareSettings } from '../../src/contacts/hardware-settings.ts';
import type { Reading } from '../../src/core/evidence.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { meaningFindings, profileSchema } from '../../src/contacts/profile.ts';
import { processTimers } from '../../src/contacts/timers.ts';
import { FileReads } from '../../src/contacts/witnesses/file-reads.ts';
import { UsbDeviceWitness } from '../../src/contacts/witnesses/usb-device.ts';
import { PATIENCE_MS, scratch } from './bench.ts';
import { bounded } from './contract.ts';

const { profiles } = await loadProfiles();
const directory = scratch();
afterAll(directory.remove);

/** What is found in a profile of the program after a change to it. */
function findingsOf(id: string, change: (raw: Record<string, unknown>) => void): readonly string[] {
  const raw = structuredClone(profiles.get(id)) as unknown as Record<string, unknown>;
  change(raw);
  const parsed = profileSchema.safeParse(raw);
  if (!parsed.success) return parsed.error.issues.map(({ message }) => message);
  return meaningFindings(parsed.data).map(({ path, what }) => `${path.join('.')}: ${what}`);
}

describe('findings of SNMP profiles', () => {
  const id = 'generic/if-mib-port';
  const example = (raw: Record<string, unknown>, at: number): Record<string, unknown> =>
    (raw.examples as Record<string, unknown>[])[at] ?? {};

  test('an unchanged profile has none', () => {
    expect(findingsOf(id, () => undefined)).toEqual([]);
  });

  test.each<[string, (raw: Record<string, unknown>) => void, RegExp]>([
    ['one value for both', (raw) => (raw.connect = 2), /^isolate: 2 both connects and isolates/],
    ['fail-safe', (raw) => (raw.contact = 'fail-safe'), /^contact: a switch keeps its ports/],
    [
      'another object',
      (raw) => (raw.object = '1.3.6.1.2.1.2.2.1.8'),
      /^examples.0.request: the profile computes 30/,
    ],
    [
      'a reply to another request',
      (raw) => (example(raw, 0).request_id = 9),
      /^examples.0.reply: not a reply/,
    ],
    [
      'a meaning that the bytes do not have',
      (raw) => (example(raw, 0).means = 'connected'),
      /^examples.0.means: the reply means isolated/,
    ],
    [
      'a port of another name',
      (raw) => (example(raw, 0).port = 'port2'),
      /^examples.0.means: the reply means unknown/,
    ],
    [
      'no example of a read',
      (raw) => (raw.examples = (raw.examples as { ask: string }[]).filter(({ ask }) => ask !== 'read')),
      /missing: an example of read/,
    ],
  ])('%s', (_, change, says) => {
    expect(findingsOf(id, change)).toEqual(expect.arrayContaining([expect.stringMatching(says)]));
  });
});

describe('findings of command profiles', () => {
  const id = 'generic/uhubctl-port';
  const part = (raw: Record<string, unknown>, name: string): Record<string, unknown> =>
    raw[name] as Record<string, unknown>;

  test('an unchanged profile has none', () => {
    expect(findingsOf(id, () => undefined)).toEqual([]);
  });

  test.each<[string, (raw: Record<string, unknown>) => void, RegExp]>([
    [
      'a program looked for on a path',
      (raw) => (part(raw, 'connect').argv = ['uhubctl']),
      /named by its absolute path/,
    ],
    [
      'a shell',
      (raw) => (part(raw, 'isolate').argv = ['/bin/sh', '-c', 'x']),
      /sh runs whatever it is given/,
    ],
    [
      'a program from a parameter',
      (raw) => (part(raw, 'read').argv = ['{hub}']),
      /named by its absolute path/,
    ],
    [
      'a toggle',
      (raw) => (part(raw, 'connect').argv as string[]).splice(-1, 1, 'cycle'),
      /cycle may turn round/,
    ],
    [
      'a parameter inside a word',
      (raw) => (part(raw, 'read').argv = ['/bin/x', '--hub={hub}']),
      /stands for a whole word/,
    ],
    [
      'a parameter that is not there',
      (raw) => (part(raw, 'read').argv = ['/bin/x', '{nothing}']),
      /there is no parameter nothing/,
    ],
    [
      'a pattern that is none',
      (raw) => (part(part(raw, 'read'), 'isolated').some_line = '('),
      /not a regular expression/,
    ],
    [
      'silence that would read isolated',
      (raw) => delete part(part(raw, 'read'), 'isolated').some_line,
      /prints nothing would read isolated/,
    ],
    [
      'a run that means something else',
      (raw) => (part(part(raw, 'read'), 'isolated').some_line = ' odd$'),
      /means: this run means unknown/,
    ],
  ])('%s', (_, change, says) => {
    expect(findingsOf(id, change)).toEqual(expect.arrayContaining([expect.stringMatching(says)]));
  });
});

describe('parameters of a command', () => {
  const profile = { parameters: { name: { pattern: '[a-z-]+', means: 'a name' } } };

  test('stand for whole words only, and only those of their own', () => {
    expect(filled(['/x', '{name}', 'a{name}'], { name: 'b c' })).toEqual(['/x', 'b c', 'a{name}']);
    expect(filled(['/x', '{constructor}'], {})).toBeNull();
  });

  test.each([
    ['as the pattern says', { name: 'eth' }, []],
    ['missing', {}, ['parameter name is missing']],
    ['an option in disguise', { name: '-force' }, ['"-force" is no name']],
    ['a line end at the end', { name: 'eth\n' }, ['"eth\\n" is no name']],
    ['more than the pattern', { name: 'eth1' }, ['"eth1" is no name']],
    ['not asked for', { name: 'eth', other: 'x' }, ['there is no parameter other']],
    ['an inherited name', { name: 'eth', constructor: 'x' }, ['there is no parameter constructor']],
  ])('%s', (_, given, problems) => {
    expect(parameterProblems(profile, given as Record<string, string>).map(({ what }) => what)).toEqual(
      problems,
    );
  });
});

describe('the table of drivers', () => {
  const made: Hardware[] = [];
  afterEach(async () => {
    await Promise.all(made.splice(0).map((hardware) => hardware.close()));
  });
  const secret = join(directory.path, 'community');
  writeFileSync(secret, 'x\n');
  const switchBus = {
    transport: 'snmp',
    host: '127.0.0.1',
    port: 1,
    credentials: { version: '2c', community_file: secret },
  } as const;
  const settings = (contact: HardwareSettings['links'][string]['contacts'][number]): HardwareSettings => ({
    buses: { switch: switchBus, programs: { transport: 'command' } },
    links: {
      vault: {
        contacts: [contact],
        witnesses: [
          { name: 'oper', type: 'snmp', bus: 'switch', port: 'port1' },
          { name: 'usb', type: 'usb-device', vendor: 'ffff', product: 'ffff' },
          {
            name: 'own',
            type: 'command',
            argv: ['/bin/false'],
            timeout: PATIENCE_MS,
            isolated_exit: 1,
            connected_exit: 0,
          },
        ],
      },
    },
  });
  const create = async (
    contact: HardwareSettings['links'][string]['contacts'][number],
  ): Promise<Hardware> => {
    const hardware = await createHardware(settings(contact), profiles);
    made.push(hardware);
    return hardware;
  };

  test('makes contacts and witnesses of both', async () => {
    const { contacts, links } = await create({
      name: 'port',
      profile: 'generic/if-mib-port',
      bus: 'switch',
      port: 'port1',
    });
    expect(contacts.map(({ kind }) => kind)).toEqual(['holding']);
    const readings = await bounded(
      Promise.all((links.get('vault')?.witnesses ?? []).map((each) => each.read())),
    );
    expect(readings.map(({ position }) => position)).toEqual(['unknown', 'unknown', 'isolated']);
    expect(await bounded(contacts[0]?.read() ?? Promise.reject(new Error('none')))).toMatchObject({
      position: 'unknown',
      detail: expect.stringContaining('nobody listens on that UDP port'),
    });
    const parameters = { interface: 'lo' };
    const other = await create({
      name: 'if',
      profile: 'generic/linux-interface',
      bus: 'programs',
      parameters,
    });
    expect(await bounded(other.contacts[0]?.read() ?? Promise.reject(new Error('none')))).toMatchObject({
      detail: expect.stringContaining('/usr/sbin/ip'),
    });
  });

  test.each([
    [{ name: 'a', profile: 'generic/if-mib-port', bus: 'switch' }, 'port is missing'],
    [{ name: 'a', profile: 'generic/poe-port', bus: 'switch', port: 'gi1' }, 'no place in the PoE table'],
    [{ name: 'a', profile: 'generic/if-mib-port', bus: 'programs', port: 'x' }, 'does not speak command'],
    [{ name: 'a', profile: 'generic/linux-interface', bus: 'programs' }, 'parameter interface is missing'],
    [{ name: 'a', profile: 'raspberry-pi/5-usb', bus: 'programs' }, 'must not be a contact'],
  ])('refuses %o: %s', async (contact, says) => {
    await expect(create(contact)).rejects.toThrow(HardwareProblems);
    await expect(create(contact)).rejects.toThrow(says);
  });
});

describe('a USB device as witness', () => {
  const root = join(directory.path, 'usb');
  const device = (name: string, attributes: Record<string, string>): void => {
    mkdirSync(join(root, name), { recursive: true });
    for (const [key, value] of Object.entries(attributes)) writeFileSync(join(root, name, key), `${value}\n`);
  };
  const look = (parts: { product?: string; serial?: string | null }, at = root): Promise<Reading> => {
    const common = { name: 'disk', vendor: '0BDA', reads: new FileReads(), timers: processTimers };
    return bounded(
      new UsbDeviceWitness(
        { ...common, product: parts.product ?? '9210', serial: parts.serial ?? null },
        at,
      ).read(),
    );
  };

  test('present is connected; absent, another one or another serial number is unknown, never isolated', async () => {
    device('1-1', { idVendor: '0bda', idProduct: '9210', serial: 'A1' });
    device('1-1:1.0', {});
    device('1-2', { idVendor: '0bda', idProduct: '8153' });
    expect(await look({})).toMatchObject({ position: 'connected', detail: 'present at 1-1' });
    expect(await look({ serial: 'A1' })).toMatchObject({ position: 'connected' });
    const absent = { position: 'unknown', detail: 'absent, which proves nothing' };
    expect(await look({ serial: 'B2' })).toMatchObject(absent);
    expect(await look({ product: '8153', serial: 'A1' })).toMatchObject(absent);
    expect(await look({ product: '0001' })).toMatchObject(absent);
    expect(await look({}, join(root, 'nowhere'))).toMatchObject({ position: 'unknown' });
  });
});

describe('a command as witness', () => {
  const witness = (argv: readonly string[], timeoutMs = PATIENCE_MS): CommandWitness =>
    new CommandWitness({
      name: 'own',
      argv,
      timeoutMs,
      isolatedExit: 0,
      connectedExit: 1,
      timers: processTimers,
    });

  test('its two exit codes mean the two positions; anything else is unknown', async () => {
    const script = join(directory.path, 'exit');
    writeFileSync(script, '#!/bin/sh\nkill -$2 $$ 2>/dev/null\nexit $1\n', { mode: 0o755 });
    const position = async (...argv: readonly string[]): Promise<string> =>
      (await bounded(witness(argv).read())).position;
    expect(await position('/bin/true')).toBe('isolated');
    expect(await position('/bin/false')).toBe('connected');
    expect(await position(script, '2')).toBe('unknown');
    expect(await position(script, '0', 'KILL')).toBe('unknown');
    expect(await position('/nonexistent')).toBe('unknown');
    expect((await bounded(witness(['/bin/sleep', '600'], 300).read())).position).toBe('unknown');
  });

  test('runs one program at a time, and none after it was closed', async () => {
    const slow = witness(['/bin/sleep', '600']);
    const first = slow.read();
    expect(await bounded(slow.read())).toMatchObject({ detail: 'the last run of the program has not ended' });
    await slow.close();
    expect(await bounded(first)).toMatchObject({ position: 'unknown', detail: 'the witness was closed' });
    expect(await bounded(slow.read())).toMatchObject({ position: 'unknown' });
  });
});
