/** The console driver against FRRouting, which really moves a port of a kernel bridge. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { telnetTransport } from '../../src/contacts/console/telnet.ts';
import { SerialTransport } from '../../src/contacts/transport-serial.ts';
import { TcpTransport } from '../../src/contacts/transport-tcp.ts';
import { skipLoudly, until } from './bench.ts';
import { consoleOn, type ConsoleParts, switchProfile } from './console-parts.ts';
import { type Bench, bounded, contactContract, current } from './contract.ts';
import {
  buildFrrSwitch,
  ENABLE_PASSWORD,
  frrMissing,
  type FrrSwitch,
  LOGIN_PASSWORD,
  TERMINAL_PORT,
  VAULT_PORT,
} from './frr-switch.ts';

/** What must be silent costs a test this much each time. */
const TIMINGS = { reply_timeout_ms: 1500, wake_ms: 250 };

let built: FrrSwitch | null = null;
function present(): FrrSwitch {
  if (built === null) throw new Error('the switch was not built');
  return built;
}

function serialConsole(): ConsoleParts {
  const line = { device: present().console(), baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const;
  return consoleOn(switchProfile('frr/vtysh', TIMINGS), new SerialTransport(line));
}

function tcpTerminal(passwords = [LOGIN_PASSWORD, ENABLE_PASSWORD]): ConsoleParts {
  const { host, secret } = present();
  const transport = telnetTransport(new TcpTransport({ host, port: TERMINAL_PORT }));
  const [password = '', enable = ''] = passwords;
  const login = { password_file: secret(password), enable_password_file: secret(enable) };
  return consoleOn(switchProfile('frr/vtysh', TIMINGS), transport, login);
}

const skip = skipLoudly('the console driver against FRRouting', frrMissing());
describe.skipIf(skip)('a console of FRRouting', () => {
  beforeAll(async () => {
    built = await buildFrrSwitch();
  }, 60_000);
  afterAll(async () => {
    await built?.remove();
  });
  const shut = async (): Promise<void> => {
    present().thaw();
    present().plug();
    present().ip('link', 'set', VAULT_PORT, 'down');
    await until(() => present().carrier() === 'isolated', 'the vault has no carrier');
    await present().freshConsole();
  };
  afterEach(() => built?.thaw());

  contactContract('console (vtysh behind a pseudo-terminal)', async (): Promise<Bench> => {
    await shut();
    const { carrier, freeze, thaw } = present();
    return {
      contact: serialConsole().contact(VAULT_PORT),
      seen: carrier,
      unplug: freeze,
      plug: thaw,
      end: async () => thaw(),
    };
  });

  contactContract('console (terminal of zebra on TCP, telnet)', async (): Promise<Bench> => {
    await shut();
    const { carrier, pull, plug } = present();
    return {
      contact: tcpTerminal().contact(VAULT_PORT),
      seen: carrier,
      unplug: pull,
      plug,
      end: async () => plug(),
    };
  });

  test('the witness tells an operational port from one that is only not shut', async () => {
    await shut();
    const { contact, witness } = serialConsole();
    const [port, seen] = [contact('port1'), witness('port1')];
    expect(await bounded(port.read())).toMatchObject({ position: 'connected' });
    expect(await bounded(seen.read())).toMatchObject({ position: 'connected' });
    await port.close();
    await seen.close();
  });

  test('a port that does not exist is not connected, and an isolate of it is never done', async () => {
    await shut();
    const contact = serialConsole().contact('portt2');
    expect(await bounded(contact.connect(current))).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('no such port'),
    });
    // The console takes the name for a new port and shuts that, without an error.
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'refused' });
    expect(await bounded(contact.settingsProblems())).toEqual([expect.stringContaining('no such port')]);
    await contact.close();
  });

  test('a wrong password is said without the password', async () => {
    await shut();
    for (const wrong of [
      ['guess-one', ENABLE_PASSWORD],
      [LOGIN_PASSWORD, 'guess-two'],
    ]) {
      const contact = tcpTerminal(wrong).contact(VAULT_PORT);
      const reading = await bounded(contact.read());
      expect(reading.position).toBe('unknown');
      expect(reading.detail).toContain('does not accept the login');
      expect(reading.detail).not.toMatch(/guess|let-me/);
      await contact.close();
    }
  });
});
