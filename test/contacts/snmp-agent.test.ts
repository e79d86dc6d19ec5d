/** What the SNMP driver does when agent, network or configuration are not as they should be. The agent is Debian's snmpd. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cut } from '../../src/contacts/cut.ts';
import type { CommandOutcome, Contact, Witness } from '../../src/contacts/port.ts';
import type { CredentialFiles } from '../../src/contacts/snmp/credentials.ts';
import { skipLoudly, until } from './bench.ts';
import { bounded, current } from './contract.ts';
import { type DatagramsBetween, datagramsBetween, passing } from './datagrams-between.ts';
import {
  AGENT_PORT,
  AUTH_PASSWORD,
  buildSwitch,
  COMMUNITY,
  type ManagedSwitch,
  PRIVACY_PASSWORD,
  READ_ONLY,
  switchMissing,
} from './managed-switch.ts';
import { agentAt, type AgentParts } from './snmp-parts.ts';

const why = switchMissing();
/** ms; long enough for a busy machine where an answer is expected, short where silence is waited out. */
const [ANSWERED_MS, SILENT_MS] = [2000, 500];
const SET_TAG = 0xa3;
let built: ManagedSwitch | null = null;
let wire: DatagramsBetween | null = null;
const parts: (Contact | Witness)[] = [];

function present<T>(value: T | null): T {
  if (value === null) throw new Error('the bench is not set up');
  return value;
}

const community = (name = COMMUNITY): CredentialFiles => ({
  version: '2c',
  community_file: present(built).secret(name),
});
const user = (changes: Partial<{ user: string; auth: string; privacy: string }> = {}): CredentialFiles => ({
  version: '3',
  user: changes.user ?? 'sha256',
  auth: 'sha256',
  auth_key_file: present(built).secret(changes.auth ?? AUTH_PASSWORD),
  privacy: 'aes',
  privacy_key_file: present(built).secret(changes.privacy ?? PRIVACY_PASSWORD),
});
const closing = <T extends Contact | Witness>(part: T): T => {
  parts.push(part);
  return part;
};
const direct = (files: CredentialFiles, replyTimeoutMs = ANSWERED_MS): AgentParts =>
  agentAt(present(built).host, AGENT_PORT, files, replyTimeoutMs);
/** Whether a version 2c datagram is a SET. */
const isSet = (bytes: Buffer): boolean => bytes[2 + 3 + 2 + COMMUNITY.length] === SET_TAG;
/** How often a connect of any port went over the wire. */
const sets = (): number => present(wire).requests.filter(isSet).length;

/** Asks again until it is done: an agent that was restarted is not met at once. */
async function eventuallyDone(ask: () => Promise<CommandOutcome>): Promise<string> {
  for (;;) {
    const { kind } = await ask();
    if (kind === 'done') return kind;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe.skipIf(skipLoudly('SNMP agents that are not as they should be', why))('SNMP', () => {
  beforeAll(async () => {
    built = await buildSwitch();
    wire = await datagramsBetween(built.host, AGENT_PORT);
  }, 60_000);
  afterEach(async () => {
    await Promise.all(parts.splice(0).map((part) => part.close()));
    if (wire !== null) wire.behave = passing;
    built?.wake();
    for (const port of ['port1', 'port2']) built?.ip('link', 'set', port, 'down');
  });
  afterAll(async () => {
    await wire?.stop();
    await built?.remove();
  });
  const through = (files: CredentialFiles, replyTimeoutMs = ANSWERED_MS): AgentParts =>
    agentAt('127.0.0.1', present(wire).port, files, replyTimeoutMs);

  test('two ports are cut with one datagram, which the agent obeys for both', async () => {
    const { contact } = through(community());
    const both = ['port1', 'port2'].map((name) => closing(contact(name)));
    for (const each of both) expect(await bounded(each.connect(current))).toMatchObject({ kind: 'done' });
    const before = sets();
    const receipts = cut(both);
    for (const receipt of receipts)
      expect(await bounded(receipt.acknowledged)).toMatchObject({ kind: 'done' });
    expect(sets() - before).toBe(1);
    expect(['port1', 'port2'].map(present(built).seen)).toEqual(['isolated', 'isolated']);
  });

  test('a port that cannot be cut does not keep the other one connected', async () => {
    const { contact } = direct(community());
    const port = closing(contact('port1'));
    const none = closing(contact('port9'));
    expect(await bounded(port.connect(current))).toMatchObject({ kind: 'done' });
    cut([none, port]);
    await until(() => present(built).seen('port1') === 'isolated', 'the port that is there is isolated');
  });

  test('a wrong community is silence: unknown, with advice', async () => {
    const contact = closing(direct(community('nobody-knows-this'), SILENT_MS).contact('port1'));
    expect(await bounded(contact.read())).toMatchObject({
      position: 'unknown',
      detail: expect.stringContaining('are the credentials right?'),
    });
    expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'unknown' });
  });

  test('a community that may only read is refused, with what to do', async () => {
    const contact = closing(direct(community(READ_ONLY)).contact('port1'));
    expect(await bounded(contact.read())).toMatchObject({ position: 'isolated' });
    const refusal = {
      kind: 'refused',
      why: expect.stringMatching(/noAccess: give our community or user write/),
    };
    expect(await bounded(contact.connect(current))).toMatchObject(refusal);
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject(refusal);
  });

  test.each([
    ['a user that the agent does not know', { user: 'nobody' }, /does not know this user/],
    ['a wrong authentication password', { auth: 'another-password' }, /finds the digest wrong/],
    ['a wrong privacy password', { privacy: 'another-password' }, /cannot decrypt|no answer/],
  ])('%s is unknown, and says so', async (_, changes, says) => {
    const contact = closing(direct(user(changes), 500).contact('port1'));
    expect(await bounded(contact.read())).toMatchObject({
      position: 'unknown',
      detail: expect.stringMatching(says),
    });
  });

  test('a secret that is not there, or too short, is named; when it is corrected the agent is met', async () => {
    const { secret } = present(built);
    const missing: CredentialFiles = { version: '2c', community_file: '/nonexistent/community' };
    expect(await bounded(closing(direct(missing).contact('port1')).read())).toMatchObject({
      position: 'unknown',
      detail: expect.stringContaining('/nonexistent/community cannot be read (ENOENT)'),
    });
    const short = { ...user(), auth_key_file: secret('short') } as CredentialFiles;
    expect(await bounded(closing(direct(short).contact('port1')).read())).toMatchObject({
      detail: expect.stringContaining('5 bytes; 8 to 1024 are needed'),
    });
  });

  test('a port that does not exist is refused with those that do', async () => {
    const contact = closing(direct(community()).contact('port9'));
    const refusal = expect.stringMatching(/no interface is called "port9"; there are "lo", /);
    expect(await bounded(contact.read())).toMatchObject({ position: 'unknown', detail: refusal });
    expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'refused', why: refusal });
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'refused' });
  });

  test('when the index of the port moves, the port is found anew and the other one is left alone', async () => {
    const { ip, seen, snmpget, stopAgent, startAgent } = present(built);
    const contact = closing(direct(community(), 500).contact('port1'));
    expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'done' });
    const index = (): string => ip('-o', 'link', 'show', 'dev', 'port1').split(':')[0] ?? '';
    const before = index();
    // Another interface takes the index that the port had.
    await stopAgent();
    ip('link', 'delete', 'port1');
    ip('link', 'add', 'impostor', 'index', before, 'type', 'veth', 'peer', 'name', 'impostor-far');
    ip('link', 'set', 'impostor', 'up');
    ip('link', 'add', 'port1', 'type', 'veth', 'peer', 'name', 'port1-far');
    ip('link', 'set', 'port1-far', 'up');
    ip('link', 'set', 'port1', 'up');
    await startAgent();
    expect(index()).not.toBe(before);
    expect(snmpget(`1.3.6.1.2.1.31.1.1.1.1.${before}`)).toContain('impostor');
    for (;;) {
      const { position } = await bounded(contact.read());
      if (position === 'connected') break;
    }
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'done' });
    expect([seen('port1'), seen('impostor')]).toEqual(['isolated', 'connected']);
    ip('link', 'delete', 'impostor');
  });

  test('version 3 goes on when the agent is restarted, and when it is exchanged: engine and clock are learnt anew', async () => {
    const { stopAgent, startAgent, exchangeAgent, seen } = present(built);
    const contact = closing(direct(user(), 500).contact('port1'));
    for (const change of [() => undefined, () => undefined, exchangeAgent]) {
      expect(await bounded(eventuallyDone(() => contact.connect(current)))).toBe('done');
      expect(seen('port1')).toBe('connected');
      await stopAgent();
      change();
      await startAgent();
      expect(await bounded(eventuallyDone(() => contact.isolate().acknowledged))).toBe('done');
      expect(seen('port1')).toBe('isolated');
    }
  });

  test('a connect is sent once, whatever comes back', async () => {
    const contact = closing(through(community(), SILENT_MS).contact('port1'));
    expect(await bounded(contact.read())).toMatchObject({ position: 'isolated' });
    const before = sets();
    present(wire).behave = (crossing) => {
      if (crossing.direction === 'reply' || !isSet(crossing.bytes)) passing(crossing);
    };
    expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'unknown' });
    // What follows are isolates: nobody confirmed the connect.
    await until(() => sets() >= before + 3, 'the isolate is tried again and again');
    const values = present(wire)
      .requests.filter(isSet)
      .slice(before)
      .map((bytes) => bytes.at(-1));
    expect(values.filter((value) => value === 1)).toEqual([1]);
  });

  test('a late answer is not taken for the next one', async () => {
    const held: (() => void)[] = [];
    const contact = closing(through(community(), SILENT_MS).contact('port1'));
    expect(await bounded(contact.read())).toMatchObject({ position: 'isolated' });
    present(wire).behave = (crossing) => {
      if (crossing.direction === 'request') passing(crossing);
      else held.push(() => passing(crossing));
    };
    expect(await bounded(contact.read())).toMatchObject({ position: 'unknown' });
    present(built).ip('link', 'set', 'port1', 'up');
    present(wire).behave = (crossing) => {
      // Every answer is preceded by all those of the past.
      if (crossing.direction === 'reply') for (const late of held) late();
      passing(crossing);
    };
    let seen = 'unknown';
    for (let tries = 0; tries < 200 && seen !== 'connected'; tries += 1) {
      seen = (await bounded(contact.read())).position;
      // Debian's agent may answer from its memory for some seconds.
      if (seen !== 'connected') await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(seen).toBe('connected');
  });

  test('doubled, foreign and malformed datagrams change nothing', async () => {
    const { contact } = through(community());
    const port = closing(contact('port1'));
    const before = present(wire).managers();
    present(wire).behave = (crossing) => {
      if (crossing.direction === 'reply') {
        crossing.pass(Buffer.from('no SNMP at all'));
        const foreign = Buffer.from(crossing.bytes);
        // The last byte of the request id: an answer to another question.
        const at = crossing.bytes.indexOf(Buffer.from([0xa2])) + 2;
        const idEnd = at + 1 + (crossing.bytes[at + 1] ?? 0);
        foreign[idEnd] = (foreign[idEnd] ?? 0) ^ 0x55;
        crossing.pass(foreign);
        crossing.pass(crossing.bytes);
      }
      passing(crossing);
    };
    for (let round = 0; round < 3; round += 1) {
      expect(await bounded(port.connect(current))).toMatchObject({ kind: 'done' });
      expect(await bounded(port.read())).toMatchObject({ position: 'connected' });
      expect(await bounded(port.isolate().acknowledged)).toMatchObject({ kind: 'done' });
      expect(await bounded(port.read())).toMatchObject({ position: 'isolated' });
      // Now nobody waits for anything while the rest comes in; too short can only hide a fault.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // None of them has cost the socket.
    expect(present(wire).managers() - before).toBe(1);
  });

  test('an answer that confirms another value is unknown', async () => {
    const contact = closing(through(community(), SILENT_MS).contact('port1'));
    expect(await bounded(contact.read())).toMatchObject({ position: 'isolated' });
    present(wire).behave = (crossing) => {
      const lying = Buffer.from(crossing.bytes);
      if (crossing.direction === 'reply' && lying.at(-1) === 2) lying[lying.length - 1] = 3;
      crossing.pass(lying);
    };
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'unknown' });
  });

  test('nobody listens: unknown at once, with the reason', async () => {
    const { host } = present(built);
    const contact = closing(agentAt(host, AGENT_PORT + 1, community(), 60_000).contact('port1'));
    expect(await bounded(contact.read())).toMatchObject({
      position: 'unknown',
      detail: expect.stringContaining('nobody listens on that UDP port'),
    });
  });

  test('the witness sees the carrier of the port, not what it was told', async () => {
    const { ip } = present(built);
    const { contact, witness } = direct(community());
    const port = closing(contact('port1'));
    const eye = closing(witness('port1'));
    const becomes = async (wanted: string): Promise<void> => {
      let position = '';
      for (let tries = 0; tries < 400 && position !== wanted; tries += 1) {
        const reading = await bounded(eye.read());
        position = reading.position;
        expect(reading.detail).toContain('may be some seconds old');
        if (position !== wanted) await new Promise((resolve) => setTimeout(resolve, 25));
      }
      expect(position).toBe(wanted);
    };
    expect(await bounded(port.connect(current))).toMatchObject({ kind: 'done' });
    await becomes('connected');
    ip('link', 'set', 'port1-far', 'down');
    await becomes('isolated');
    expect(await bounded(port.read())).toMatchObject({ position: 'connected' });
    ip('link', 'set', 'port1-far', 'up');
    await becomes('connected');
  });
});
