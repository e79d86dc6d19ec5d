/** The console driver against a switch that was left behind in every way, and that misbehaves on request. */
import { afterEach, describe, expect, test } from 'vitest';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConsoleParts, consoleOn, switchProfile } from './console-parts.ts';
import { bounded, current, stale } from './contract.ts';
import { until } from './bench.ts';
import { FakeSwitch, type FakeSettings } from './fake-switch.ts';
import type { Contact } from '../../src/contacts/port.ts';
import type { LoginSettings } from '../../src/contacts/console/login.ts';

const PORT = 'GigabitEthernet1/0/1';
const OTHER = 'GigabitEthernet1/0/2';
const PROFILE = switchProfile('cisco/catalyst-ios', {
  reply_timeout_ms: 1000,
  quiet_ms: 20,
  wake_ms: 150,
  settle_ms: 0,
});
const QUESTION = {
  asks: 'Would you like to save them now? (y/n)',
  kind: 'save',
  answer: 'n',
} as const;

interface Rig extends ConsoleParts {
  readonly fake: FakeSwitch;
  readonly port: Contact;
}

let rigs: Rig[] = [];
afterEach(async () => {
  const done = rigs;
  rigs = [];
  for (const { fake, port } of done) {
    fake.silent = false;
    await port.close();
  }
});

function rig(settings: FakeSettings = {}, login: LoginSettings = {}, asksToSave = false): Rig {
  const fake = new FakeSwitch({ ...settings, asksToSave });
  const device = asksToSave ? { ...PROFILE, questions: [...PROFILE.questions, QUESTION] } : PROFILE;
  const parts = consoleOn(device, fake.transport, login);
  const made = { ...parts, fake, port: parts.contact(PORT) };
  rigs.push(made);
  return made;
}

async function connected(settings: FakeSettings = {}): Promise<Rig> {
  const made = rig(settings);
  expect(await bounded(made.port.connect(current))).toMatchObject({ kind: 'done' });
  expect(made.fake.isShut(PORT)).toBe(false);
  return made;
}

describe('whatever was left behind on the console, the port is isolated and read', () => {
  const LEFT: Readonly<Record<string, FakeSettings>> = {
    'nobody is logged in': {},
    'the user mode': { mode: 'user' },
    'the privileged mode': { mode: 'privileged' },
    'the configuration': { mode: 'configure' },
    'the context of another port': { mode: 'interface', context: OTHER },
    'half a line that would connect': { mode: 'interface', context: PORT, typed: 'no shutdown' },
    'half a line that would save': { mode: 'privileged', typed: 'write memory' },
    'a pager': { mode: 'pager' },
    'the initial configuration dialogue': { mode: 'setup' },
    'a slow console': { pieceBytes: 1 },
  };
  for (const [what, settings] of Object.entries(LEFT)) {
    test(what, async () => {
      const { fake, port } = rig(settings);
      expect(await bounded(port.isolate().acknowledged)).toMatchObject({ kind: 'done' });
      expect(await bounded(port.read())).toMatchObject({ position: 'isolated' });
      expect(await bounded(port.connect(current))).toMatchObject({ kind: 'done' });
      expect(await bounded(port.isolate().acknowledged)).toMatchObject({ kind: 'done' });
      expect(fake.isShut(PORT)).toBe(true);
      expect(fake.isShut(OTHER)).toBe(true);
      expect(fake.obeyed).not.toContain('write memory');
    });
  }

  test('of what was left behind nothing is carried out', async () => {
    const { fake, port } = rig({ mode: 'interface', context: PORT, typed: 'no shutdown' });
    await bounded(port.read());
    expect(fake.isShut(PORT)).toBe(true);
    expect(fake.obeyed).not.toContain('no shutdown');
  });
});

describe('a cut', () => {
  test('is one line in the tick in which it is asked for, while the port is connected', async () => {
    const { fake, port } = await connected();
    await until(() => fake.mode === 'interface', 'the session is parked');
    await bounded(port.read());
    const before = fake.writes.length;
    const receipt = port.isolate();
    expect(fake.writes.slice(before)).toEqual(['shutdown\r']);
    expect(await bounded(receipt.written)).toEqual(expect.any(Number));
    expect(await bounded(receipt.acknowledged)).toMatchObject({ kind: 'done' });
  });

  test('of another port than the parked one is typed at once, with the fewest lines', async () => {
    const { fake, contact } = await connected();
    const other = contact(OTHER);
    await bounded(other.read());
    const before = fake.writes.length;
    other.isolate();
    expect(fake.writes.slice(before)).toEqual([`interface ${OTHER}\rshutdown\r`]);
    await other.close();
  });

  test('waits for the lines in flight and for nothing else', async () => {
    const { fake, port } = await connected();
    await bounded(port.read());
    const before = fake.obeyed.length;
    fake.silent = true;
    const readings = [port.read(), port.read(), port.settingsProblems()];
    const connecting = port.connect(current);
    const receipt = port.isolate();
    fake.speak();
    expect(await bounded(connecting)).toEqual({ kind: 'fenced' });
    expect(await bounded(receipt.acknowledged)).toMatchObject({ kind: 'done' });
    await bounded(Promise.all(readings));
    expect(fake.obeyed.slice(before, before + 2)).toEqual([
      `do show interfaces ${PORT} | include line protocol`,
      'shutdown',
    ]);
    expect(fake.isShut(PORT)).toBe(true);
  });

  test('is never done while the switch shows the port connected, and is tried again', async () => {
    const { fake, port } = await connected({ welded: [PORT] });
    expect(await bounded(port.isolate().acknowledged)).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('does not read shut'),
    });
    const tries = fake.obeyed.filter((line) => line === 'shutdown').length;
    await until(() => fake.obeyed.filter((line) => line === 'shutdown').length > tries, 'it is tried again');
    expect(await bounded(port.read())).toMatchObject({ position: 'connected' });
  });

  test('whose lines were lost is typed again', async () => {
    const { fake, port } = await connected();
    fake.silent = true;
    expect(await bounded(port.isolate().acknowledged)).toMatchObject({ kind: 'unknown' });
    fake.forget();
    fake.speak();
    await until(() => fake.isShut(PORT) === true, 'the port is shut');
  });

  test('is made again on every fresh session: nobody watched meanwhile', async () => {
    const { fake, port } = rig();
    expect(await bounded(port.isolate().acknowledged)).toMatchObject({ kind: 'done' });
    fake.silent = true;
    expect(await bounded(port.read())).toMatchObject({ position: 'unknown' });
    fake.forget();
    fake.meddle(PORT);
    fake.speak();
    await until(() => fake.isShut(PORT) === true, 'the port is shut with nobody asking');
  });

  test('is carried out when a switch that fell silent speaks again, before anything else', async () => {
    const { fake, port } = await connected();
    fake.silent = true;
    expect(await bounded(port.read())).toMatchObject({ position: 'unknown' });
    expect(await bounded(port.isolate().acknowledged)).toMatchObject({ kind: 'unknown' });
    fake.speak();
    await until(() => fake.isShut(PORT) === true, 'the port is shut');
    expect(await bounded(port.read())).toMatchObject({ position: 'isolated' });
  });
});

describe('a connect', () => {
  test('with a stale fence types nothing that connects', async () => {
    const { fake, port } = rig();
    expect(await bounded(port.connect(stale))).toEqual({ kind: 'fenced' });
    expect(fake.obeyed).not.toContain('no shutdown');
  });

  test('whose fence falls on the way is not typed', async () => {
    const { fake, port } = rig();
    let fresh = true;
    const connecting = port.connect({ isCurrent: () => fresh });
    await until(() => fake.obeyed.includes('configure terminal'), 'it is on its way');
    fresh = false;
    expect(await bounded(connecting)).toEqual({ kind: 'fenced' });
    expect(fake.obeyed).not.toContain('no shutdown');
  });

  test('that nobody answers is followed by an isolate on the next session', async () => {
    const { fake, port } = rig();
    const connecting = port.connect(current);
    await until(() => fake.mode === 'interface', 'the context is entered');
    fake.silent = true;
    expect(await bounded(connecting)).toMatchObject({ kind: 'unknown' });
    fake.speak();
    await until(() => fake.obeyed.includes('shutdown'), 'it is taken back');
    await until(() => fake.isShut(PORT) === true, 'the port is shut');
  });

  test('a switch that takes any name connects nothing that it did not show before', async () => {
    const { fake, worker } = rig({ takesAnyPort: true });
    worker.attach('GigabitEthernet1/0/9');
    const outcome = await bounded(worker.connect('GigabitEthernet1/0/9', current));
    expect(outcome).toMatchObject({ kind: 'refused', why: expect.stringContaining('no such port') });
    expect(fake.obeyed).not.toContain('no shutdown');
    await worker.detach('GigabitEthernet1/0/9');
  });
});

describe('noise', () => {
  const LINK = '\r\n*Nov 21 05:00:01.000: %LINK-5-CHANGED: Interface Vlan1, changed state to up\r\n';
  for (const place of ['before-prompt', 'after-prompt'] as const) {
    test(`a log line ${place} is borne`, async () => {
      const { fake, port } = await connected({ log: { text: LINK, place } });
      expect(await bounded(port.isolate().acknowledged)).toMatchObject({ kind: 'done' });
      expect(fake.isShut(PORT)).toBe(true);
    });
  }

  test('a pager that does not go away is answered', async () => {
    const { port } = rig({ alwaysPages: true });
    expect(await bounded(port.read())).toMatchObject({ position: 'isolated' });
    expect(await bounded(port.isolate().acknowledged)).toMatchObject({ kind: 'done' });
  });

  test('an old prompt is not taken for where the session stands', async () => {
    const { fake, port } = rig({ stale: 'core-sw1(config-if)#' });
    expect(await bounded(port.isolate().acknowledged)).toMatchObject({ kind: 'done' });
    const before = fake.obeyed.slice(0, fake.obeyed.indexOf('enable'));
    expect(before).not.toContain('shutdown');
  });

  test('a late answer counts for nothing', async () => {
    const { fake, port } = await connected();
    fake.silent = true;
    expect(await bounded(port.read())).toMatchObject({ position: 'unknown' });
    // The answer to the question before comes with everything that was typed since.
    const reading = port.read();
    fake.speak();
    expect(['connected', 'unknown']).toContain((await bounded(reading)).position);
    expect(await bounded(port.isolate().acknowledged)).toMatchObject({ kind: 'done' });
    expect(await bounded(port.read())).toMatchObject({ position: 'isolated' });
  });

  test('somebody ends the session: the port is isolated all the same', async () => {
    const { fake, port } = await connected();
    fake.print('\r\ncore-sw1 con0 is now available\r\n\r\nUsername: ');
    expect(await bounded(port.isolate().acknowledged)).toMatchObject({
      kind: expect.stringMatching(/done|unknown/),
    });
    await until(() => fake.isShut(PORT) === true, 'the port is shut');
  });

  test('no key is pressed while the switch starts', async () => {
    const { fake, port } = await connected();
    await until(() => fake.mode === 'interface', 'the session is parked');
    fake.restart();
    expect(await bounded(port.isolate().acknowledged)).toMatchObject({ kind: 'unknown' });
    expect(fake.obeyed).not.toContain('a key stopped the boot loader');
    expect(fake.isShut(PORT)).toBe(true);
  });
});

describe('leaving and logging in', () => {
  test('no is answered to saving, and the port is not moved', async () => {
    const { fake, port } = rig({}, {}, true);
    await bounded(port.connect(current));
    await port.close();
    expect(fake.mode).toBe('asleep');
    expect(fake.saved).toBe(false);
    expect(fake.isShut(PORT)).toBe(false);
  });

  test('a question that the profile does not know is left alone, and said', async () => {
    const { fake, port } = rig({ mode: 'save' });
    expect(await bounded(port.read())).toMatchObject({
      position: 'unknown',
      detail: expect.stringContaining('save them now? (y/n)'),
    });
    expect(fake.saved).toBe(false);
    expect(fake.mode).toBe('save');
  });

  test('passwords come from files when they are asked for, and are in no message', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'portcullis-console-'));
    const files = {
      password_file: join(directory, 'login'),
      enable_password_file: join(directory, 'enable'),
    };
    const settings = { login: { username: 'gate', password: 'first-secret', secret: 'second-secret' } };
    const login = { username: 'gate', ...files };
    try {
      const { fake, port } = rig(settings, login);
      expect((await bounded(port.read())).detail).toContain('could not be read (ENOENT)');
      writeFileSync(files.password_file, 'first-secret\n');
      writeFileSync(files.enable_password_file, 'not-that-one\n');
      const refused = await bounded(port.connect(current));
      expect(refused).toMatchObject({ kind: 'unknown', why: expect.stringContaining('does not accept') });
      expect(JSON.stringify(refused)).not.toMatch(/secret|not-that-one/);
      writeFileSync(files.enable_password_file, 'second-secret\n');
      expect(await bounded(port.isolate().acknowledged)).toMatchObject({ kind: 'done' });
      expect(fake.obeyed).toContain('shutdown');
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test('a stored configuration that does not shut the port is a problem', async () => {
    const { port } = rig({ storedConnected: [PORT] });
    expect(await bounded(port.settingsProblems())).toEqual([
      expect.stringContaining(`after a restart of the switch port ${PORT} would be connected`),
    ]);
    const shut = rig({ storedConnected: [OTHER] });
    expect(await bounded(shut.port.settingsProblems())).toEqual([]);
  });
});
