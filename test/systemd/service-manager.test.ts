/** What systemd is sent, heard on a socket such as its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, test } from 'vitest';
import { serviceManager } from '../../src/command/service-manager.ts';

const scratch = mkdtempSync(join(tmpdir(), 'portcullis-notify-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Prints each datagram as one line of JSON. */
const LISTENER = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', '\\0', 1) if sys.argv[1].startswith('@') else sys.argv[1])
s.settimeout(20)
print('"ready"', flush=True)
for _ in range(3):
    print(json.dumps(s.recv(4096).decode()), flush=True)
`;

describe('systemd', () => {
  test.each([
    ['a path', join(scratch, 'notify')],
    ['the abstract namespace', `@portcullis-${process.pid}`],
  ])('hears readiness, signs of life and the end over %s', { timeout: 30_000 }, async (_, socket) => {
    const listener = spawn('python3', ['-c', LISTENER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    const heard: string[] = [];
    const lines = createInterface({ input: listener.stdout });
    lines.on('line', (line) => heard.push(JSON.parse(line) as string));
    await once(lines, 'line');
    const environment = {
      NOTIFY_SOCKET: socket,
      WATCHDOG_USEC: '10000000',
      WATCHDOG_PID: String(process.pid),
    };
    const manager = serviceManager(environment);
    expect(manager?.watchdogMs).toBe(10_000);
    // Not for children: a program that restic starts must not be able to feed the watchdog.
    expect(environment).toEqual({});
    manager?.ready('vault: isolated');
    manager?.alive('vault: tripped\nWATCHDOG=trigger\u{202e}');
    manager?.stopping();
    await once(listener, 'exit');
    expect(heard.slice(1)).toEqual([
      'READY=1\nWATCHDOG=1\nSTATUS=vault: isolated',
      'WATCHDOG=1\nSTATUS=vault: tripped?WATCHDOG=trigger?',
      'STOPPING=1\nSTATUS=isolating every link before the end',
    ]);
  });

  test('is not there: nobody is told, and nothing fails', () => {
    expect(serviceManager({})).toBeNull();
    expect(serviceManager({ NOTIFY_SOCKET: 'vsock:2:1' })).toBeNull();
    const gone = serviceManager({ NOTIFY_SOCKET: join(scratch, 'nobody') });
    gone?.alive('vault: isolated');
    expect(gone?.watchdogMs).toBeNull();
  });

  test('counts for another process: no watchdog is ours', () => {
    const environment = { NOTIFY_SOCKET: join(scratch, 'nobody'), WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' };
    expect(serviceManager(environment)?.watchdogMs).toBeNull();
  });
});
