/**
 * The one table of drivers: makes buses, contacts and witnesses from what the configuration says. Opens nothing.
 *
 * A driver that the configuration does not name is not loaded; those that it names are loaded whole before anything is
 * made, so that no cut ever waits for a file. Their places stand here: nothing from outside chooses what is loaded.
 */
import type { ButtonInput } from './button-input.ts';
import type { BusWorker } from './bus-worker.ts';
import { leaseMs } from './hardware-lease.ts';
import type { EdgeOutput } from './edge-output.ts';
import { HardwareProblems, hardwareProblems } from './hardware-problems.ts';
import {
  busOfWitness,
  type ButtonInputSettings,
  type BusSettings,
  type DeadManSettings,
  type HardwareSettings,
  type LinkSettings,
  type ModbusBus,
  type WitnessSettings,
} from './hardware-settings.ts';
import { DrivenLamp, lampLeaseMs, type LampOutput } from './lamp-output.ts';
import { lampsIn, type PlacedLamp } from './lamp-place.ts';
import { modbusTransport, ModbusWorker } from './modbus/hardware.ts';
import type { ModbusProfile } from './modbus/profile.ts';
import { type Place, placeOf } from './place.ts';
import type { Contact, Witness } from './port.ts';
import type { Profile } from './profile.ts';
import { processTimers, type Timers } from './timers.ts';
import type { Transport } from './transport.ts';
import { CarrierWitness, SYS_CLASS_NET } from './witnesses/carrier.ts';
import { FileReads } from './witnesses/file-reads.ts';
import { PresenceWitness } from './witnesses/presence.ts';
import { TcpWitness } from './witnesses/tcp.ts';
import { UsbDeviceWitness } from './witnesses/usb-device.ts';

/** What is behind one link. */
export interface LinkHardware {
  readonly contacts: readonly Contact[];
  readonly witnesses: readonly Witness[];
}

/** Everything that was made. */
export interface Hardware {
  readonly links: ReadonlyMap<string, LinkHardware>;
  /** Every contact of every link, for a cut of all. */
  readonly contacts: readonly Contact[];
  /** What the button is wired to; null without one. */
  readonly button: ButtonInput | null;
  /** Edges for the dead-man circuit; null without one. */
  readonly deadMan: EdgeOutput | null;
  /** Never among the contacts: nothing that cuts knows of them. */
  readonly lamps: readonly LampOutput[];
  /** Releases every wire. Moves no contact. */
  close(): Promise<void>;
}

/** What a test may replace. */
export interface Surroundings {
  readonly timers: Timers;
  readonly modbusTransport: (settings: ModbusBus, profiles: readonly ModbusProfile[]) => Transport;
  readonly sysClassNet: string;
}

/** The real world. */
export const realSurroundings: Surroundings = {
  timers: processTimers,
  modbusTransport,
  sysClassNet: SYS_CLASS_NET,
};

/** Makes everything. Rejects with HardwareProblems with all that is wrong; `profiles` by id. */
export async function createHardware(
  settings: HardwareSettings,
  profiles: ReadonlyMap<string, Profile>,
  surroundings: Surroundings = realSurroundings,
): Promise<Hardware> {
  const problems = hardwareProblems(settings, profiles);
  if (problems.length > 0) throw new HardwareProblems(problems);
  const workers = new Map(
    await Promise.all(
      Object.entries(settings.buses).map(
        async ([name, bus]) =>
          [name, await workerFor(bus, profilesOn(name, settings, profiles), surroundings)] as const,
      ),
    ),
  );
  const contactsOf = (link: LinkSettings): readonly Contact[] =>
    link.contacts.map((contact) => {
      const profile = present(profiles.get(contact.profile));
      return present(workers.get(contact.bus)).contact({
        name: contact.name,
        profile,
        place: present(placeOf(contact, profile) ?? undefined),
        hardwareLeaseMs: leaseMs(contact.hardware_lease, profile),
      });
    });
  const made = Object.entries(settings.links).map(([name, link]) => ({
    name,
    link,
    contacts: contactsOf(link),
  }));
  // Boards are known now, so that an input of one of them is read with its profile's block.
  const parts: WitnessParts = { workers, profiles, reads: new FileReads(), surroundings };
  const links = new Map(
    await Promise.all(
      made.map(async ({ name, link, contacts }): Promise<[string, LinkHardware]> => {
        const witnesses = await Promise.all(link.witnesses.map((each) => witnessFor(each, link, parts)));
        return [name, { contacts, witnesses }];
      }),
    ),
  );
  const contacts = [...links.values()].flatMap((link) => link.contacts);
  const button = settings.button === undefined ? null : await buttonFor(settings.button.input, parts);
  const lamps = lampsIn(settings).map((lamp) => lampFor(lamp, parts));
  const deadMan = settings.dead_man === undefined ? null : await edgesFor(settings.dead_man, surroundings);
  return {
    links,
    contacts,
    button,
    deadMan,
    lamps,
    close: async () => {
      const witnesses = [...links.values()].flatMap((link) => link.witnesses);
      const all = [...contacts, ...witnesses, ...(button === null ? [] : [button]), ...lamps];
      await Promise.all(all.map((part) => part.close()));
      deadMan?.close();
    },
  };
}

async function edgesFor(settings: DeadManSettings, { timers }: Surroundings): Promise<EdgeOutput> {
  const { GpioEdges } = await import('./gpio/edges.ts');
  return new GpioEdges(settings, timers);
}

/** What the button is wired to. An input of a board is read like a mirror contact, by the worker of its bus. */
async function buttonFor(
  input: ButtonInputSettings,
  { workers, surroundings }: WitnessParts,
): Promise<ButtonInput> {
  const { BoardButton, GpioButton, StatusLineButton } = await import('./button-input.ts');
  switch (input.type) {
    case 'gpio':
      return new GpioButton(input, surroundings.timers);
    case 'serial-status-line':
      return new StatusLineButton(input);
    case 'modbus-discrete-input': {
      const { type, bus, unit, input: address } = input;
      const seen = { name: 'button', type, bus, unit, input: address, isolated_when: 1 as const };
      return new BoardButton(present(workers.get(bus)).witness(seen, null));
    }
  }
}

/** The output of a lamp, driven like a contact by the worker of a bus that no contact is on. */
function lampFor({ lamp, output }: PlacedLamp, { profiles, workers }: WitnessParts): LampOutput {
  const profile = present(profiles.get(output.profile));
  const place = present(placeOf({ name: lamp, ...output }, profile) ?? undefined);
  const hardwareLeaseMs = lampLeaseMs(profile);
  const contact = present(workers.get(output.bus)).contact({ name: lamp, profile, place, hardwareLeaseMs });
  return new DrivenLamp(lamp, contact);
}

function profilesOn(
  bus: string,
  settings: HardwareSettings,
  profiles: ReadonlyMap<string, Profile>,
): readonly Profile[] {
  const lamps = lampsIn(settings).map(({ output }) => output);
  return [...Object.values(settings.links).flatMap((link) => link.contacts), ...lamps].flatMap((contact) =>
    contact.bus === bus ? [present(profiles.get(contact.profile))] : [],
  );
}

/** The worker of a bus; `profiles` are those of the devices on it. */
async function workerFor(
  settings: BusSettings,
  profiles: readonly Profile[],
  surroundings: Surroundings,
): Promise<BusWorker> {
  const { timers } = surroundings;
  switch (settings.transport) {
    case 'modbus-tcp':
    case 'rtu-over-tcp':
    case 'modbus-rtu': {
      const boards = profiles.filter((profile) => profile.driver === 'modbus');
      return new ModbusWorker(settings, surroundings.modbusTransport(settings, boards), timers);
    }
    case 'snmp': {
      const { SnmpWorker } = await import('./snmp/hardware.ts');
      return new SnmpWorker(settings, profiles, timers);
    }
    case 'command': {
      const { CommandBusWorker } = await import('./command/hardware.ts');
      return new CommandBusWorker(timers);
    }
    case 'serial':
    case 'tcp': {
      const [first] = profiles.filter((profile) => profile.driver === 'console');
      if (first !== undefined) {
        const { ConsoleBus, consoleTransport } = await import('./console/hardware.ts');
        return new ConsoleBus(settings, first, consoleTransport(settings, first), timers);
      }
      const board = profiles.find((profile) => profile.driver === 'serial') ?? null;
      const { SerialWorker, serialTransport } = await import('./serial/hardware.ts');
      return new SerialWorker(settings, serialTransport(settings, board), timers);
    }
    case 'gpio': {
      const { GpioWorker } = await import('./gpio/hardware.ts');
      return new GpioWorker(settings, timers);
    }
  }
}

interface WitnessParts {
  readonly workers: ReadonlyMap<string, BusWorker>;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly reads: FileReads;
  readonly surroundings: Surroundings;
}

async function witnessFor(
  witness: WitnessSettings,
  link: LinkSettings,
  parts: WitnessParts,
): Promise<Witness> {
  const { name } = witness;
  const { reads } = parts;
  const { timers, sysClassNet } = parts.surroundings;
  switch (witness.type) {
    case 'carrier':
      return new CarrierWitness({ name, interface: witness.interface, reads, timers }, sysClassNet);
    case 'path':
      return new PresenceWitness({ name, type: witness.type, path: witness.path, reads, timers });
    case 'block-device':
      return new PresenceWitness({ name, type: witness.type, path: witness.device, reads, timers });
    case 'tcp':
      return new TcpWitness({
        name,
        host: witness.host,
        port: witness.port,
        timeoutMs: witness.timeout,
        timers,
      });
    case 'usb-device': {
      const { vendor, product, serial = null } = witness;
      return new UsbDeviceWitness({ name, vendor, product, serial, reads, timers });
    }
    case 'command': {
      const { CommandWitness } = await import('./command/witness.ts');
      return new CommandWitness({
        name,
        argv: witness.argv,
        timeoutMs: witness.timeout,
        isolatedExit: witness.isolated_exit,
        connectedExit: witness.connected_exit,
        timers,
      });
    }
    case 'modbus-discrete-input':
    case 'gpio':
    case 'snmp':
    case 'console': {
      const worker = present(parts.workers.get(present(busOfWitness(witness, link.contacts) ?? undefined)));
      return worker.witness(witness, placeSeen(witness, link, parts.profiles));
    }
  }
}

/** The place of the contact that a console witness looks at; `null` for any other. */
function placeSeen(
  witness: WitnessSettings,
  link: LinkSettings,
  profiles: ReadonlyMap<string, Profile>,
): Place | null {
  if (witness.type !== 'console') return null;
  const contact = present(link.contacts.find(({ name }) => name === witness.contact));
  return placeOf(contact, present(profiles.get(contact.profile)));
}

/** `hardwareProblems` has ruled out absence before. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('the configured hardware was not checked before it was made');
  return value;
}
