/** A button on a status line of a serial port: what its port tells, loses and is given back. No pseudo-terminal has such lines. */
import { beforeEach, describe, expect, test } from 'vitest';
import { StatusLineButton, type StatusPort } from '../../src/contacts/button-input.ts';

type Lines = Awaited<ReturnType<StatusPort['lines']>>;

/** A port that tells what a test says, and remembers whether it was let go. */
class HandPort implements StatusPort {
  now: Lines = { cts: true, dsr: false, dcd: false };
  fails: Error | null = null;
  stuck = false;
  closes = 0;

  lines(): Promise<Lines> {
    return this.fails === null ? Promise.resolve(this.now) : Promise.reject(this.fails);
  }

  close(): Promise<void> {
    this.closes += 1;
    return this.stuck ? Promise.reject(new Error('the adapter is gone')) : Promise.resolve();
  }
}

const settings = {
  type: 'serial-status-line',
  device: '/dev/ttyS7',
  line: 'cts',
  released_when: 1,
} as const;

let ports: HandPort[];
let asked: string[];
let missing: Error | null;
const button = (line: 'cts' | 'dsr' | 'dcd' = 'cts'): StatusLineButton =>
  new StatusLineButton({ ...settings, line }, async (device) => {
    asked.push(device);
    if (missing !== null) throw missing;
    const port = new HandPort();
    ports.push(port);
    return port;
  });

beforeEach(() => {
  ports = [];
  asked = [];
  missing = null;
});

describe('a button on a status line', () => {
  test('connects nothing before it is asked, and one port for all that it is asked', async () => {
    const input = button();
    expect(asked).toEqual([]);
    expect(await input.read()).toEqual({ kind: 'level', level: 1 });
    expect(await input.read()).toEqual({ kind: 'level', level: 1 });
    expect(asked).toEqual(['/dev/ttyS7']);
  });

  test.each(['cts', 'dsr', 'dcd'] as const)('reads %s and no other line', async (line) => {
    const input = button(line);
    await input.read();
    for (const level of [1, 0] as const) {
      const others = { cts: level === 0, dsr: level === 0, dcd: level === 0 };
      if (ports[0] !== undefined) ports[0].now = { ...others, [line]: level === 1 };
      expect(await input.read()).toEqual({ kind: 'level', level });
    }
  });

  test('a port that cannot be had is unknown, with why, and had as soon as it is there', async () => {
    missing = new Error(`no such file or directory ${'x'.repeat(500)}`);
    const input = button();
    const reading = await input.read();
    expect(reading).toMatchObject({
      kind: 'unknown',
      why: expect.stringContaining('no such file') as string,
    });
    expect(reading.kind === 'unknown' && reading.why.length).toBeLessThanOrEqual(200);
    missing = null;
    expect(await input.read()).toEqual({ kind: 'level', level: 1 });
  });

  test.each([false, true])(
    'a port that fails is let go and had anew, also when letting go fails (%s)',
    async (stuck) => {
      const input = button();
      await input.read();
      const [first] = ports;
      if (first === undefined) throw new Error('no port');
      first.fails = new Error('Input/output error');
      first.stuck = stuck;
      expect(await input.read()).toEqual({ kind: 'unknown', why: 'Input/output error' });
      expect(first.closes).toBe(1);
      expect(await input.read()).toEqual({ kind: 'level', level: 1 });
      expect(asked).toHaveLength(2);
    },
  );

  test('closed, it lets go of its port and asks for none again', async () => {
    const input = button();
    await input.read();
    await input.close();
    expect(ports[0]?.closes).toBe(1);
    expect(await input.read()).toEqual({ kind: 'unknown', why: 'the driver was closed' });
    await input.close();
    expect([asked.length, ports[0]?.closes]).toEqual([1, 1]);
  });
});
