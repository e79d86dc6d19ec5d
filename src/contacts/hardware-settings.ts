/** What the configuration says about hardware, key by key. Times are ms. */
import type { LampName } from '../core/lamps.ts';

/** How to be let in by a switch's console. Files hold one secret each and are read when they are needed. */
export interface LoginSettings {
  readonly username?: string;
  readonly password_file?: string;
  readonly enable_password_file?: string;
}

/** Who we are to an SNMP agent. Files hold one secret each and are read when they are needed. */
export type SnmpCredentials =
  | { readonly version: '2c'; readonly community_file: string }
  | {
      readonly version: '3';
      readonly user: string;
      readonly auth: 'sha' | 'sha256' | 'sha512';
      readonly auth_key_file: string;
      readonly privacy: 'aes' | 'aes256';
      readonly privacy_key_file: string;
    };

/** A network address that speaks Modbus. */
export interface ModbusNetworkBus {
  readonly transport: 'modbus-tcp' | 'rtu-over-tcp';
  readonly host: string;
  readonly port: number;
  readonly reply_timeout?: number;
}

interface SerialLineSettings {
  readonly device: string;
  readonly baud?: number;
  readonly parity?: 'none' | 'even' | 'odd';
  readonly stop_bits?: 1 | 2;
  readonly reply_timeout?: number;
}

/** A serial line with Modbus RTU on it. */
export type ModbusLineBus = { readonly transport: 'modbus-rtu' } & SerialLineSettings;
/** A wire that carries Modbus. */
export type ModbusBus = ModbusNetworkBus | ModbusLineBus;

/** A serial line to a board, or to the console of a switch. */
export type SerialBus = { readonly transport: 'serial'; readonly login?: LoginSettings } & SerialLineSettings;

/** A plain TCP stream to a board, or to a switch's console through a console server. */
export interface TcpBus {
  readonly transport: 'tcp';
  readonly host: string;
  readonly port: number;
  readonly reply_timeout?: number;
  readonly login?: LoginSettings;
}

/** A byte stream that is no Modbus. */
export type StreamBus = SerialBus | TcpBus;

/** A GPIO chip, chosen by its label, never by a number. */
export interface GpioBus {
  readonly transport: 'gpio';
  readonly chip: string;
  readonly access: 'auto' | 'sysfs' | 'character-device';
}

/** An SNMP agent. */
export interface SnmpBus {
  readonly transport: 'snmp';
  readonly host: string;
  readonly port: number;
  readonly reply_timeout?: number;
  readonly credentials: SnmpCredentials;
}

/** Programs on this machine, one at a time. */
export interface CommandBus {
  readonly transport: 'command';
}

/** A wire to devices, as the configuration writes it. */
export type BusSettings = ModbusBus | StreamBus | GpioBus | SnmpBus | CommandBus;

/** A contact, as the configuration writes it. Which keys say its place depends on its driver: see place.ts. */
export interface ContactSettings {
  readonly name: string;
  readonly profile: string;
  readonly bus: string;
  readonly unit?: number;
  readonly channel?: number;
  readonly line?: number;
  readonly port?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** ms; left out, it is the profile's. */
  readonly hardware_lease?: number | 'none';
  /** Which contact of the relay the link runs through. */
  readonly wiring?: 'normally-open' | 'normally-closed';
  /** The sentence that takes a pin whose pull at reset energises the relay. */
  readonly accept_reset_pull?: string;
}

/** A witness, as the configuration writes it. */
export type WitnessSettings =
  | { readonly name: string; readonly type: 'carrier'; readonly interface: string }
  | { readonly name: string; readonly type: 'path'; readonly path: string }
  | { readonly name: string; readonly type: 'block-device'; readonly device: string }
  | {
      readonly name: string;
      readonly type: 'usb-device';
      readonly vendor: string;
      readonly product: string;
      readonly serial?: string;
    }
  | {
      readonly name: string;
      readonly type: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly timeout: number;
    }
  | {
      readonly name: string;
      readonly type: 'command';
      readonly argv: readonly string[];
      readonly timeout: number;
      readonly isolated_exit: number;
      readonly connected_exit: number;
    }
  | BusWitnessSettings;

/** A witness that is read over a bus. */
export type BusWitnessSettings =
  | {
      readonly name: string;
      readonly type: 'modbus-discrete-input';
      readonly bus: string;
      readonly unit: number;
      readonly input: number;
      readonly isolated_when: 0 | 1;
      readonly mirrors?: string;
    }
  | {
      readonly name: string;
      readonly type: 'gpio';
      readonly bus: string;
      readonly line: number;
      readonly isolated_when: 0 | 1;
      readonly bias: 'pull-up' | 'pull-down' | 'none';
      readonly debounce: number;
      readonly mirrors?: string;
    }
  | { readonly name: string; readonly type: 'snmp'; readonly bus: string; readonly port: string }
  | { readonly name: string; readonly type: 'console'; readonly contact: string };

/** Contacts and witnesses of one link. */
export interface LinkSettings {
  readonly contacts: readonly ContactSettings[];
  readonly witnesses: readonly WitnessSettings[];
}

/** What the button is wired to. `released_when`: what the input reads while nobody presses it and its wire is whole. */
export type ButtonInputSettings =
  | {
      readonly type: 'gpio';
      readonly chip: string;
      readonly line: number;
      readonly released_when: 0 | 1;
      readonly bias: 'pull-up' | 'pull-down' | 'none';
      readonly access: GpioBus['access'];
    }
  | {
      readonly type: 'modbus-discrete-input';
      readonly bus: string;
      readonly unit: number;
      readonly input: number;
      readonly released_when: 0 | 1;
    }
  | {
      readonly type: 'serial-status-line';
      readonly device: string;
      readonly line: 'cts' | 'dsr' | 'dcd';
      readonly released_when: 0 | 1;
    };

/** The output of a lamp, placed like a contact: see place.ts. */
export type LampSettings = Pick<ContactSettings, 'profile' | 'bus' | 'unit' | 'channel' | 'line'>;

/** The lamps of the box. */
export type LampsSettings = Readonly<Partial<Record<LampName, LampSettings>>>;

/** The line that gives edges to the dead-man circuit. */
export interface DeadManSettings {
  readonly chip: string;
  readonly line: number;
  /** Of two edges, ms. */
  readonly period: number;
  readonly access: 'auto' | 'sysfs' | 'character-device';
}

/** The part of the configuration that is hardware. */
export interface HardwareSettings {
  readonly button?: { readonly input: ButtonInputSettings } | undefined;
  readonly lamps?: LampsSettings | undefined;
  readonly dead_man?: DeadManSettings | undefined;
  readonly buses: Readonly<Record<string, BusSettings>>;
  readonly links: Readonly<Record<string, LinkSettings>>;
}

/** Where the requests of a bus go, so that two names for one wire are noticed; `null` when sharing does no harm. */
export function wireOf(bus: BusSettings): string | null {
  switch (bus.transport) {
    case 'modbus-tcp':
    case 'rtu-over-tcp':
    case 'tcp':
    case 'snmp':
      return `${bus.host.toLowerCase()}:${bus.port}`;
    case 'modbus-rtu':
    case 'serial':
      return bus.device;
    case 'gpio':
      return `GPIO chip ${bus.chip}`;
    case 'command':
      return null;
  }
}

/** The bus of a witness that is read over one; a console witness shares the bus of its contact. */
export function busOfWitness(
  witness: BusWitnessSettings,
  contacts: readonly ContactSettings[],
): string | null {
  if (witness.type !== 'console') return witness.bus;
  return contacts.find(({ name }) => name === witness.contact)?.bus ?? null;
}
