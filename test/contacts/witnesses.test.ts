import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { aloneOf } from '../../src/core/evidence.ts';
import { millis } from '../../src/core/time.ts';
import type { Witness } from '../../src/contacts/port.ts';
import { createHardware, realSurroundings } from '../../src/contacts/drivers.ts';
import { processTimers as timers } from '../../src/contacts/timers.ts';
import { CarrierWitness } from '../../src/contacts/witnesses/carrier.ts';
import { FileReads, FileTimeout } from '../../src/contacts/witnesses/file-reads.ts';
import { PresenceWitness } from '../../src/contacts/witnesses/presence.ts';
import { TcpWitness } from '../../src/contacts/witnesses/tcp.ts';
import { bounded, current } from './contract.ts';
import { pymodbus, pymodbusMissing, scratch, skipLoudly } from './bench.ts';
import { byId, testProfile } from './profiles.ts';

const directory = scratch();
afterAll(directory.remove);
const reads = new FileReads();

describe('carrier', () => {
  const witness = (name: string): CarrierWitness =>
    new CarrierWitness({ name: 'w', interface: name, reads, timers }, directory.path);
  const carrier = (name: string, text: string): void => {
    mkdirSync(join(directory.path, name), { recursive: true });
    writeFileSync(join(directory.path, name, 'carrier'), text);
  };

  test.each([
    ['1\n', 'connected'],
    ['0\n', 'isolated'],
    ['\n', 'unknown'],
    ['2\n', 'unknown'],
    ['10', 'unknown'],
  ])('%j reads %s', async (text, position) => {
    carrier('eth1', text);
    expect(await witness('eth1').read()).toMatchObject({ position });
  });

  test('an interface that is not there proves nothing', async () => {
    expect(await witness('eth9').read()).toMatchObject({
      position: 'unknown',
      detail: expect.stringContaining('ENOENT'),
    });
  });

  test('a carrier that cannot be read proves nothing', async () => {
    mkdirSync(join(directory.path, 'eth2', 'carrier'), { recursive: true });
    expect(await witness('eth2').read()).toMatchObject({ position: 'unknown' });
  });
});

describe('path and block device', () => {
  const path = join(directory.path, 'marker');
  writeFileSync(path, '');
  const witness = (type: 'path' | 'block-device', at: string): PresenceWitness =>
    new PresenceWitness({ name: 'w', type, path: at, reads, timers });

  test('present is connected, absent proves nothing', async () => {
    expect(await witness('path', path).read()).toMatchObject({ position: 'connected' });
    expect(await witness('path', `${path}-not`).read()).toMatchObject({ position: 'unknown' });
    expect(await witness('path', join(path, 'below')).read()).toMatchObject({ position: 'unknown' });
  });

  test.each(['path', 'block-device'] as const)(
    'a %s that is gone stands in the way of no proof test: it never shows isolation, and says so',
    async (type) => {
      const eye: Witness = witness(type, `${path}-not`);
      const reading = await eye.read();
      const takenAt = millis(10);
      const indications = [
        { kind: 'contact', name: 'relay', reading: { position: 'isolated', takenAt, detail: '' } },
        { kind: 'witness', sees: null, showsIsolation: eye.showsIsolation ?? true, reading },
      ] as const;
      expect(aloneOf(indications, 'relay')).toMatchObject({ position: 'isolated', basis: 'read-back' });
    },
  );

  test('a file is no block device', async () => {
    expect(await witness('block-device', path).read()).toMatchObject({ position: 'unknown' });
    expect(await witness('block-device', `${path}-not`).read()).toMatchObject({ position: 'unknown' });
  });
});

describe('looks at the file system are bounded', () => {
  test('a look that hangs ends, and costs at most two threads however often it is repeated', async () => {
    const slow = new FileReads(20);
    const releases: (() => void)[] = [];
    let begun = 0;
    const hang = (): Promise<string> => {
      begun += 1;
      return new Promise((resolve) => releases.push(() => resolve('late')));
    };
    for (let attempt = 0; attempt < 6; attempt += 1)
      await expect(slow.run(hang)).rejects.toBeInstanceOf(FileTimeout);
    expect(begun).toBe(2);
    for (const release of releases) release();
    await Promise.all(Array.from({ length: 5 }, () => slow.run(() => Promise.resolve('fine'))));
    expect(await slow.run(() => Promise.resolve('fine'))).toBe('fine');
  });

  test('an error of the look is passed on', async () => {
    await expect(reads.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });
});

describe('tcp', () => {
  const witness = (port: number, timeoutMs = 10_000): TcpWitness =>
    new TcpWitness({ name: 'w', host: '127.0.0.1', port, timeoutMs, timers });

  test('an answer is connected, a refusal proves nothing', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await bounded(witness(port).read())).toMatchObject({ position: 'connected' });
    await new Promise((resolve) => server.close(resolve));
    expect(await bounded(witness(port).read())).toMatchObject({
      position: 'unknown',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('silence ends in bounded time and proves nothing', async () => {
    // TEST-NET-1: nobody answers, or the system says at once that there is no way there. Both are unknown.
    const silent = new TcpWitness({ name: 'w', host: '192.0.2.1', port: 9, timeoutMs: 50, timers });
    expect(await bounded(silent.read())).toMatchObject({ position: 'unknown' });
  });
});

const missing = pymodbusMissing();
describe.skipIf(skipLoudly('mirror contacts on a pymodbus slave', missing))('modbus-discrete-input', () => {
  // The slave's inputs read 1, 0, 1, 0, … from address 0.
  test.each([
    ['with the block of the profile', testProfile({ inputs: { function: 2, address: 0, quantity: 8 } })],
    ['one by one', testProfile()],
  ])('reads isolated or connected as wired, on the bus of the contact (%s)', async (_name, profile) => {
    const slave = await pymodbus('tcp', '127.0.0.1');
    const mirror = (name: string, input: number, isolatedWhen: 0 | 1) =>
      ({
        name,
        type: 'modbus-discrete-input',
        bus: 'bus',
        unit: 1,
        input,
        isolated_when: isolatedWhen,
      }) as const;
    const hardware = await createHardware(
      {
        buses: { bus: { transport: 'modbus-tcp', host: '127.0.0.1', port: slave.port } },
        links: {
          vault: {
            contacts: [{ name: 'relay', profile: profile.id, bus: 'bus', unit: 1, channel: 1 }],
            witnesses: [
              mirror('a', 0, 1),
              mirror('b', 0, 0),
              mirror('c', 1, 1),
              mirror('d', 1, 0),
              mirror('e', 12, 1),
            ],
          },
        },
      },
      byId(profile),
      realSurroundings,
    );
    const link = hardware.links.get('vault');
    if (link === undefined) throw new Error('no link');
    const readings = await bounded(Promise.all(link.witnesses.map((witness) => witness.read())));
    expect(readings.map((reading) => reading.position)).toEqual([
      'isolated',
      'connected',
      'connected',
      'isolated',
      'isolated',
    ]);
    expect(
      await bounded(link.contacts[0]?.connect(current) ?? Promise.reject(new Error('no contact'))),
    ).toMatchObject({
      kind: 'done',
    });
    await slave.stop();
    const gone = await bounded(Promise.all(link.witnesses.map((witness) => witness.read())));
    expect(new Set(gone.map((reading) => reading.position))).toEqual(new Set(['unknown']));
    await hardware.close();
    expect(await bounded(link.witnesses[0]?.read() ?? Promise.reject(new Error('no witness')))).toMatchObject(
      {
        position: 'unknown',
      },
    );
  });
});
