/** The SNMP driver against Debian's snmpd, which really moves the ports of a kernel bridge. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipLoudly } from './bench.ts';
import { type Bench, bounded, contactContract, current } from './contract.ts';
import {
  AGENT_PORT,
  AUTH_PASSWORD,
  buildSwitch,
  COMMUNITY,
  type ManagedSwitch,
  PRIVACY_PASSWORD,
  switchMissing,
} from './managed-switch.ts';
import { agentAt } from './snmp-parts.ts';
import type { CredentialFiles } from '../../src/contacts/snmp/credentials.ts';

const why = switchMissing();
let built: ManagedSwitch | null = null;

function present(): ManagedSwitch {
  if (built === null) throw new Error('the switch was not built');
  return built;
}

const community = (name = COMMUNITY): CredentialFiles => ({
  version: '2c',
  community_file: present().secret(name),
});
const user = (name: 'sha' | 'sha256' | 'sha512'): CredentialFiles => ({
  version: '3',
  user: name,
  auth: name,
  auth_key_file: present().secret(AUTH_PASSWORD),
  privacy: 'aes',
  privacy_key_file: present().secret(PRIVACY_PASSWORD),
});

describe.skipIf(skipLoudly('SNMP against snmpd', why))('SNMP against snmpd', () => {
  beforeAll(async () => {
    built = await buildSwitch();
  }, 60_000);
  afterAll(async () => {
    await built?.remove();
  });

  const bench = (files: () => CredentialFiles) => async (): Promise<Bench> => {
    const { host, ip, seen, freeze, wake } = present();
    ip('link', 'set', 'port1', 'down');
    // Long enough for a busy machine: only silence is ever waited out.
    const { contact } = agentAt(host, AGENT_PORT, files(), 1000);
    return {
      contact: contact('port1'),
      seen: () => seen('port1'),
      // What is sent meanwhile waits at the agent's socket and is obeyed when it wakes: worse than a cable.
      unplug: freeze,
      plug: wake,
      end: async () => wake(),
    };
  };
  contactContract('snmp (version 2c)', bench(community));
  contactContract(
    'snmp (version 3, SHA-256 and AES)',
    bench(() => user('sha256')),
  );
  for (const name of ['sha', 'sha512'] as const) {
    test(`version 3 with ${name} connects, reads and isolates`, async () => {
      const { contact, seen, end } = await bench(() => user(name))();
      expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'done' });
      expect(seen()).toBe('connected');
      expect(await bounded(contact.read())).toMatchObject({ position: 'connected' });
      expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'done' });
      expect(seen()).toBe('isolated');
      await contact.close();
      await end();
    });
  }
});
