/** SNMP contacts made of their parts, for tests. */
import { Bus } from '../../src/contacts/bus.ts';
import { Agent, type PortKind, type Switching } from '../../src/contacts/snmp/agent.ts';
import { AgentGroup, SnmpContact } from '../../src/contacts/snmp/contact.ts';
import { type CredentialFiles, readCredentials } from '../../src/contacts/snmp/credentials.ts';
import { OBJECT } from '../../src/contacts/snmp/objects.ts';
import { AgentTransport } from '../../src/contacts/snmp/socket.ts';
import { processTimers } from '../../src/contacts/timers.ts';
import { SnmpWitness } from '../../src/contacts/witnesses/snmp.ts';

/** ifAdminStatus, as `generic/if-mib-port` says. */
export const ADMIN: Switching = { object: OBJECT.ifAdminStatus, connect: 1, isolate: 2 };

/** One agent and what hangs on it. */
export interface AgentParts {
  readonly agent: Agent;
  readonly group: AgentGroup;
  readonly contact: (name: string, kind?: PortKind, switching?: Switching) => SnmpContact;
  readonly witness: (name: string) => SnmpWitness;
}

/** An agent at an address. */
export function agentAt(
  host: string,
  port: number,
  files: CredentialFiles,
  replyTimeoutMs = 300,
): AgentParts {
  const timers = processTimers;
  const loadCredentials = (): ReturnType<typeof readCredentials> => readCredentials(files);
  const agent = new Agent({ where: `${host}:${port}`, replyTimeoutMs, timers, loadCredentials });
  const transport = new AgentTransport({ host, port, agent, timers });
  const group = new AgentGroup(new Bus({ transport, timers, framesHaveIds: true }), agent);
  return {
    agent,
    group,
    contact: (name, kind = 'interface', switching = ADMIN) =>
      new SnmpContact({ name, kind: 'holding', group, port: agent.port(kind, name), switching, timers }),
    witness: (name) =>
      new SnmpWitness({
        name: `witness of ${name}`,
        bus: group.bus,
        question: agent.reading(agent.port('interface', name), OBJECT.ifOperStatus),
        timers,
      }),
  };
}
