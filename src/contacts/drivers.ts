/** The one table of drivers: makes buses, contacts and witnesses from what the configuration says. Opens nothing. */
import { Bus } from './bus.ts';
import { ModbusBoard } from './modbus/board.ts';
import { ModbusContact } from './modbus/contact.ts';
import { ModbusExchange, ModbusWire } from './modbus/exchange.ts';
import type { Reply } from './modbus/pdu.ts';
import {
  type BusSettings,
  HardwareProblems,
  hardwareProblems,
  type HardwareSettings,
  leaseMs,
  type WitnessSettings,
} from './hardware-settings.ts';
import type { Contact, Witness } from './port.ts';
import { framingOf } from './profile.ts';
import type { Profile } from './profile.ts';
import type { Board } from './exchange.ts';
import { processTimers, type Timers } from './timers.ts';
import { SerialTransport } from './transport-serial.ts';
import { TcpTransport } from './transport-tcp.ts';
import type { Transport } from './transport.ts';
import { CarrierWitness, SYS_CLASS_NET } from './witnesses/carrier.ts';
import { DiscreteInputWitness } from './witnesses/discrete-input.ts';
import { FileReads } from './witnesses/file-reads.ts';
import { PresenceWitness } from './witnesses/presence.ts';
import { TcpWitness } from './witnesses/tcp.ts';

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
  /** Releases every wire. Moves no contact. */
  close(): Promise<void>;
}

/** ms for an input board of which nothing is known but its unit. */
const UNKNOWN_BOARD = { replyTimeoutMs: 500, gapMs: 50, worstReplyDelayMs: 1000 };

/** What a test may replace. */
export interface Surroundings {
  readonly timers: Timers;
  readonly transport: (settings: BusSettings, profiles: readonly Profile[]) => Transport;
  readonly sysClassNet: string;
}

/** The real world. */
export const realSurroundings: Surroundings = {
  timers: processTimers,
  transport: transportFor,
  sysClassNet: SYS_CLASS_NET,
};

/** The transport that a bus asks for; `profiles` are those of the boards on it. */
export function transportFor(settings: BusSettings, profiles: readonly Profile[]): Transport {
  switch (settings.transport) {
    case 'modbus-tcp':
    case 'rtu-over-tcp':
      return new TcpTransport(settings);
    case 'modbus-rtu': {
      const factory = profiles.find((profile) => profile.serial !== undefined)?.serial;
      return new SerialTransport({
        device: settings.device,
        baud: settings.baud ?? factory?.baud ?? 9600,
        dataBits: factory?.data_bits ?? 8,
        parity: settings.parity ?? factory?.parity ?? 'none',
        stopBits: settings.stop_bits ?? factory?.stop_bits ?? 1,
      });
    }
  }
}

/** One bus, its boards by unit, and the framing on it. */
interface BusRow {
  readonly bus: Bus;
  readonly wire: ModbusWire;
  readonly settings: BusSettings;
  readonly boards: Map<number, ModbusBoard>;
}

/** Makes everything. Throws HardwareProblems with all that is wrong; `profiles` by id. */
export function createHardware(
  settings: HardwareSettings,
  profiles: ReadonlyMap<string, Profile>,
  surroundings: Surroundings = realSurroundings,
): Hardware {
  const problems = hardwareProblems(settings, profiles);
  if (problems.length > 0) throw new HardwareProblems(problems);
  const { timers } = surroundings;
  const reads = new FileReads();
  const rows = new Map(
    Object.entries(settings.buses).map(([name, bus]) => [
      name,
      busRow(name, bus, settings, profiles, surroundings),
    ]),
  );
  const links = new Map<string, LinkHardware>();
  for (const [name, link] of Object.entries(settings.links)) {
    const contacts = link.contacts.map((contact) => {
      const row = present(rows.get(contact.bus));
      const profile = present(profiles.get(contact.profile));
      return new ModbusContact({
        name: contact.name,
        bus: row.bus,
        board: boardAt(row, contact.unit, profile),
        channel: contact.channel,
        hardwareLeaseMs: leaseMs(contact, profile),
        timers,
      });
    });
    links.set(name, { contacts, witnesses: [] });
  }
  // Boards are known now, so that an input of one of them is read with its profile's block.
  for (const [name, link] of Object.entries(settings.links)) {
    const witnesses = link.witnesses.map((witness) => witnessFor(witness, { rows, reads, surroundings }));
    links.set(name, { ...present(links.get(name)), witnesses });
  }
  const contacts = [...links.values()].flatMap((link) => link.contacts);
  return {
    links,
    contacts,
    close: async () => {
      const witnesses = [...links.values()].flatMap((link) => link.witnesses);
      await Promise.all([...contacts, ...witnesses].map((part) => part.close()));
    },
  };
}

function busRow(
  name: string,
  settings: BusSettings,
  all: HardwareSettings,
  profiles: ReadonlyMap<string, Profile>,
  surroundings: Surroundings,
): BusRow {
  const onBus = Object.values(all.links)
    .flatMap((link) => link.contacts)
    .flatMap((contact) => (contact.bus === name ? [present(profiles.get(contact.profile))] : []));
  const wire = new ModbusWire(framingOf(settings.transport));
  const bus = new Bus({
    transport: surroundings.transport(settings, onBus),
    timers: surroundings.timers,
    framesHaveIds: wire.framing === 'modbus-tcp',
  });
  return { bus, wire, settings, boards: new Map() };
}

function boardAt(row: BusRow, unit: number, profile: Profile): ModbusBoard {
  const known = row.boards.get(unit);
  if (known !== undefined) return known;
  const board = new ModbusBoard(profile, {
    wire: row.wire,
    unit,
    replyTimeoutMs: row.settings.reply_timeout,
  });
  row.boards.set(unit, board);
  return board;
}

function witnessFor(
  witness: WitnessSettings,
  parts: {
    readonly rows: ReadonlyMap<string, BusRow>;
    readonly reads: FileReads;
    readonly surroundings: Surroundings;
  },
): Witness {
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
    case 'modbus-discrete-input': {
      const row = present(parts.rows.get(witness.bus));
      return new DiscreteInputWitness({
        name,
        bus: row.bus,
        isolatedWhen: witness.isolated_when,
        timers,
        ...inputAt(row, witness.unit, witness.input),
      });
    }
  }
}

/** The question that reads an input: the block of the board's profile when it covers the address, else that input alone. */
function inputAt(
  row: BusRow,
  unit: number,
  address: number,
): Pick<ConstructorParameters<typeof DiscreteInputWitness>[0], 'board' | 'question' | 'input'> {
  const known = row.boards.get(unit);
  const block = known?.profile.inputs;
  const whole = known?.inputs ?? null;
  if (known !== undefined && whole !== null && block !== undefined) {
    const input = address - block.address + 1;
    if (input >= 1 && input <= block.quantity) return { board: known, question: whole, input };
  }
  const timeout = row.settings.reply_timeout;
  const board: Board = known ?? {
    label: `unit ${unit}`,
    ...UNKNOWN_BOARD,
    ...(timeout === undefined ? {} : { replyTimeoutMs: timeout }),
    isolateAll: null,
  };
  const place = { board, wire: row.wire, unit };
  const request = { function: 2, address, quantity: 1 } as const;
  return { board, input: 1, question: new ModbusExchange(place, request, firstBit) };
}

function firstBit(reply: Reply): ReadonlySet<number> {
  return new Set(reply.kind === 'bits' && reply.bits[0] === true ? [1] : []);
}

/** `hardwareProblems` has ruled out absence before. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('the configured hardware was not checked before it was made');
  return value;
}
