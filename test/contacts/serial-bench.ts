/** Serial boards for tests: profiles of the program, contacts on real wires, slaves that nobody derived from a profile. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { Bus } from '../../src/contacts/bus.ts';
import { SerialBoard } from '../../src/contacts/serial/board.ts';
import { BoardContact } from '../../src/contacts/board-contact.ts';
import { serialProfile, type SerialProfile } from '../../src/contacts/serial/profile.ts';
import { processTimers, type Timers } from '../../src/contacts/timers.ts';
import { SerialTransport } from '../../src/contacts/transport-serial.ts';
import { TcpTransport } from '../../src/contacts/transport-tcp.ts';
import type { Transport } from '../../src/contacts/transport.ts';
import { lineBetween, type LineBetween, scratch, serialSlave, type Slave, wireBetween } from './bench.ts';
import type { Bench } from './contract.ts';

const root = join(import.meta.dirname, '../../firmware-profiles');

/** Every serial profile that comes with the program. */
export const serialProfiles: readonly SerialProfile[] = globSync('*/*.yaml', { cwd: root })
  .map((path) => readFileSync(join(root, path), 'utf8'))
  .filter((text) => /^driver: serial$/m.test(text))
  .map((text) => serialProfile.parse(parse(text)));

/** A profile of the program; with `quick`, as impatient as a slave on a busy machine allows. */
export function serialProfileNamed(id: string, quick = true): SerialProfile {
  const profile = serialProfiles.find((each) => each.id === id);
  if (profile === undefined) throw new Error(`no serial profile ${id}`);
  if (!quick) return profile;
  const { gap_ms, settle_ms } = profile.timings;
  return {
    ...profile,
    timings: { gap_ms: Math.min(gap_ms, 20), settle_ms, reply_timeout_ms: 700, worst_reply_delay_ms: 300 },
  };
}

/** A contact of this profile on a bus of its own. */
export function serialContactOn(
  transport: Transport,
  profile: SerialProfile,
  place: {
    readonly channel: number;
    readonly address?: number;
    readonly leaseMs?: number;
    readonly timers?: Timers;
  },
): BoardContact {
  const timers = place.timers ?? processTimers;
  const contact = new BoardContact({
    name: 'relay',
    bus: new Bus({ transport, timers, framesHaveIds: false }),
    board: new SerialBoard(profile, { address: place.address ?? 1 }),
    channel: place.channel,
    hardwareLeaseMs: place.leaseMs ?? null,
    timers,
  });
  onTestFinished(() => contact.close());
  return contact;
}

/** A serial line as a profile sets it. */
export const serialLineTo = (device: string, profile: SerialProfile): SerialTransport =>
  new SerialTransport({
    device,
    baud: profile.serial?.baud ?? 9600,
    dataBits: profile.serial?.data_bits ?? 8,
    parity: profile.serial?.parity ?? 'none',
    stopBits: profile.serial?.stop_bits ?? 1,
    controlLines: profile.control_lines,
  });

/** A board on a terminal, with its line in our hands. */
export interface SerialRig extends Bench {
  readonly line: LineBetween;
  readonly slave: Slave;
  readonly contact: BoardContact;
}

/** Ends once, at the latest when the test does, failed or not. */
function endedWithTest(end: () => Promise<void>): () => Promise<void> {
  let ending: Promise<void> | null = null;
  const once = (): Promise<void> => (ending ??= end());
  onTestFinished(once);
  return once;
}

/** A slave on a terminal, and a contact at its other end. */
export async function serialRig(
  kind: string,
  profile: SerialProfile,
  place: { readonly channel: number; readonly address?: number },
): Promise<SerialRig> {
  const own = scratch();
  const line = await lineBetween(own.path);
  const slave = await serialSlave(kind, line.theirs);
  return {
    line,
    slave,
    contact: serialContactOn(serialLineTo(line.ours, profile), profile, place),
    seen: () => (slave.coil(place.channel - 1) ? 'connected' : 'isolated'),
    unplug: () => (line.behave = () => undefined),
    plug: () => (line.behave = (passage) => passage.pass(passage.bytes)),
    hasSettings: profile.startup_checks.length > 0,
    end: endedWithTest(async () => {
      await slave.stop();
      await line.stop();
      own.remove();
    }),
  };
}

/** A slave on a TCP port, and a contact that reaches it. */
export async function tcpRig(kind: string, profile: SerialProfile, channel: number): Promise<Bench> {
  const slave = await serialSlave(kind, 'tcp:0');
  const wire = await wireBetween(slave.port);
  return {
    contact: serialContactOn(new TcpTransport({ host: '127.0.0.1', port: wire.port }), profile, { channel }),
    seen: () => (slave.coil(channel - 1) ? 'connected' : 'isolated'),
    unplug: () => (wire.behave = (passage) => passage.hangUp('rst')),
    plug: () => (wire.behave = (passage) => passage.pass(passage.bytes)),
    hasSettings: profile.startup_checks.length > 0,
    end: endedWithTest(async () => {
      await wire.stop();
      await slave.stop();
    }),
  };
}
