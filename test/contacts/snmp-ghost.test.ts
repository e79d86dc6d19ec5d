/**
 * The ghost over UDP: a SET that was written into a dead cable waits beside the unresolved neighbour and is delivered when
 * the cable returns. It must not leave the port connected. A real cable (veth) is really cut; the agent is Debian's snmpd.
 */
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { encodeCommunity, encodeRequest } from '../../src/contacts/snmp/pdu.ts';
import { settingRequest } from '../../src/contacts/snmp/requests.ts';
import { skipLoudly, until } from './bench.ts';
import { bounded, current } from './contract.ts';
import { AGENT_PORT, buildSwitch, COMMUNITY, type ManagedSwitch, switchMissing } from './managed-switch.ts';
import { ADMIN, agentAt, type AgentParts } from './snmp-parts.ts';

let built: ManagedSwitch | null = null;

function present<T>(value: T | null): T {
  if (value === null) throw new Error('the bench is not set up');
  return value;
}

/** Sends a connect of the other port as a manager does that thinks of nothing: the ghost itself. */
async function control(): Promise<{
  readonly write: () => void;
  readonly stop: () => void;
  readonly close: () => void;
}> {
  const { host, ip } = present(built);
  const index = ip('-o', 'link', 'show', 'dev', 'port2').split(':')[0] ?? '';
  const request = settingRequest(ADMIN.object, { index, nameObject: null }, ADMIN.connect);
  const bytes = encodeCommunity(Buffer.from(COMMUNITY), encodeRequest(1, request));
  const socket = createSocket('udp4');
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.connect(AGENT_PORT, host, () => resolve()));
  let repeating: NodeJS.Timeout | undefined;
  return {
    write: () => {
      socket.send(bytes);
      // When the kernel notices the cable it forgets what waits, once: what comes after that waits.
      repeating = setInterval(() => socket.send(bytes), 50);
    },
    stop: () => clearInterval(repeating),
    close: () => socket.close(),
  };
}

/** Pulls the plug, and has the kernel forget at once who is behind it: what is written from now on waits for the cable. */
function pull(): void {
  const { cable } = present(built);
  cable.pull();
  const done = spawnSync('ip', ['neighbour', 'flush', 'dev', cable.interface], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`ip neighbour flush: ${done.stderr}`);
}

describe.skipIf(skipLoudly('the ghost over UDP', switchMissing()))('a cut cable to an SNMP agent', () => {
  beforeAll(async () => {
    built = await buildSwitch();
  }, 60_000);
  afterEach(() => {
    built?.cable.plug();
    for (const port of ['port1', 'port2']) built?.ip('link', 'set', port, 'down');
  });
  afterAll(async () => {
    await built?.remove();
  });

  test('a connect that timed out while it was out does not move the port when it returns', async () => {
    const { host, cable, seen, secret } = present(built);
    const files = { version: '2c', community_file: secret(COMMUNITY) } as const;
    const { contact } = agentAt(host, AGENT_PORT, files, 500);
    const port = contact('port1');
    expect(await bounded(port.isolate().acknowledged)).toMatchObject({ kind: 'done' });
    const ghost = await control();
    pull();
    ghost.write();
    expect(await bounded(port.connect(current))).toMatchObject({
      kind: 'unknown',
      why: expect.stringContaining('not written'),
    });
    ghost.stop();
    cable.plug();
    await until(() => seen('port2') === 'connected', 'the cable delivers what was written into it');
    expect(seen('port1')).toBe('isolated');
    expect(await bounded(known(port))).toBe('isolated');
    ghost.close();
    await port.close();
  }, 60_000);

  test('a connect written in the instant in which it was pulled is followed by an isolate', async () => {
    const { host, cable, seen, secret } = present(built);
    const files = { version: '2c', community_file: secret(COMMUNITY) } as const;
    const { contact, group } = agentAt(host, AGENT_PORT, files, 500);
    const port = contact('port1');
    expect(await bounded(port.read())).toMatchObject({ position: 'isolated' });
    const ghost = await control();
    pull();
    ghost.write();
    // Past the question that the contact asks first: the agent was heard just now, so this one is written, unless this
    // machine has taken more than 100 ms for the two lines above.
    expect(await bounded(group.bus.connect(port.channel, current))).toMatchObject({ kind: 'unknown' });
    ghost.stop();
    cable.plug();
    await until(() => seen('port2') === 'connected', 'the cable delivers what was written into it');
    expect(await bounded(known(port))).toBe('isolated');
    expect(seen('port1')).toBe('isolated');
    ghost.close();
    await port.close();
  }, 60_000);
});

/** The first position that is known: the cable may be back a moment before anything passes. */
async function known(port: ReturnType<AgentParts['contact']>): Promise<string> {
  for (;;) {
    const { position } = await port.read();
    if (position !== 'unknown') return position;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
