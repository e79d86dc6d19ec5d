/**
 * GPIO over the kernel's character device. The kernel lets nobody else have a line that is claimed here, and gives
 * events with the edge and its time. When the process dies the kernel releases the line, and what the pin does then is
 * the chip driver's business: see `deathNote`.
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { millis } from '../../core/time.ts';
import type { Timers } from '../timers.ts';
import { type Chip, chipFor } from './chips.ts';
import { codeOf, GpioFailure, lineFailure, lineName, quoted } from './failure.ts';
import { type KernelCalls, kernelCalls, POLL } from './kernel-calls.ts';
import type { Bias, GpioAccess, InputEvents, InputLine, Level, LinePlace, OutputLine } from './lines.ts';
import {
  AT,
  CONSUMER,
  EVENT_BUFFER_SIZE,
  FLAG,
  inputConfig,
  levelIn,
  lineEvents,
  lineInfo,
  lineRequest,
  lineValues,
  nameIn,
  outputConfig,
  REQUEST,
  SIZE,
} from './uapi.ts';

/** Where the kernel shows its devices. */
export const DEVICES = '/dev';
/** ms between two looks for edges. The kernel keeps them, with their times, so that none is lost in between. */
export const EVENT_POLL_MS = 10;

/** The character device. `timers` pace the look for edges. */
export class CharacterDevice implements GpioAccess {
  readonly kind = 'character-device';
  readonly #timers: Timers;
  readonly #root: string;

  constructor(timers: Timers, root: string = DEVICES) {
    this.#timers = timers;
    this.#root = root;
  }

  /** The chips that can be opened. Throws GpioFailure when there is one that may not be opened and none that may. */
  chips(): readonly Chip[] {
    const calls = kernelCalls();
    let refused: unknown = null;
    const paths = readdirSync(this.#root)
      .filter((entry) => /^gpiochip\d+$/.test(entry))
      .toSorted()
      .map((entry) => join(this.#root, entry));
    const chips = paths.flatMap((path) => {
      try {
        return [withFile(path, (fd) => chipAt(calls, fd, path))];
      } catch (error) {
        // One that is just going, or that is not ours to open, is not the one that is looked for.
        refused = error;
        return [];
      }
    });
    if (chips.length === 0 && refused !== null) {
      throw new GpioFailure(
        `no GPIO chip in ${this.#root} can be opened: ${reason(refused)}`,
        codeOf(refused),
      );
    }
    return chips;
  }

  claimOutput(place: LinePlace): OutputLine {
    return new DeviceOutput(place, this.#claim(place, null));
  }

  claimInput(place: LinePlace, bias: Bias, events: InputEvents): InputLine {
    return new DeviceInput(place, this.#claim(place, inputConfig(bias)), events, this.#timers);
  }

  #claim(place: LinePlace, config: Buffer | null): Claim {
    const calls = kernelCalls();
    const { path } = chipFor(place, this.chips());
    const request = lineRequest(place.line, config);
    try {
      withFile(path, (fd) => calls.ioctl(fd, REQUEST.getLine, request));
    } catch (error) {
      if (codeOf(error) === 'EBUSY') throw new GpioFailure(taken(calls, path, place), 'EBUSY');
      throw lineFailure(place, 'cannot be claimed', error);
    }
    return { calls, path, fd: request.readInt32LE(AT.lineRequest.fd) };
  }
}

interface Claim {
  readonly calls: KernelCalls;
  readonly path: string;
  readonly fd: number;
}

function withFile<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, 'r+');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function chipAt(calls: KernelCalls, fd: number, path: string): Chip {
  const info = Buffer.alloc(SIZE.chipInfo);
  calls.ioctl(fd, REQUEST.chipInfo, info);
  return {
    path,
    label: nameIn(info, AT.chipInfo.label),
    lines: info.readUInt32LE(AT.chipInfo.lines),
    base: null,
  };
}

const reason = (error: unknown): string =>
  codeOf(error) ?? (error instanceof Error ? error.message : String(error));

/** A line that somebody else has: the kernel knows by which name. */
function taken(calls: KernelCalls, path: string, place: LinePlace): string {
  const info = lineInfo(place.line);
  withFile(path, (fd) => calls.ioctl(fd, REQUEST.lineInfo, info));
  const owner = nameIn(info, AT.lineInfo.consumer);
  const whose =
    owner === CONSUMER
      ? 'another Portcullis, or another place in this configuration, has claimed it'
      : `it is in use as ${quoted(owner)}`;
  return `${lineName(place)} cannot be claimed: ${whose} (EBUSY). Stop that, or choose another line`;
}

class DeviceOutput implements OutputLine {
  readonly #place: LinePlace;
  readonly #claim: Claim;
  #driven = false;
  #released = false;

  constructor(place: LinePlace, claim: Claim) {
    this.#place = place;
    this.#claim = claim;
  }

  drive(level: Level): void {
    const { calls, fd } = this.#claim;
    try {
      if (this.#driven) calls.ioctl(fd, REQUEST.setValues, lineValues(level));
      else calls.ioctl(fd, REQUEST.setConfig, outputConfig(level));
      this.#driven = true;
    } catch (error) {
      throw lineFailure(this.#place, 'could not be driven', error);
    }
  }

  read(): Level {
    return levelOf(this.#place, this.#claim);
  }

  problems(): readonly string[] {
    // An ioctl on the claim shows that the chip still stands behind it; the chip's file may be another one's by now.
    this.read();
    if (!this.#driven) return [];
    const info = lineInfo(this.#place.line);
    try {
      withFile(this.#claim.path, (fd) => this.#claim.calls.ioctl(fd, REQUEST.lineInfo, info));
    } catch (error) {
      throw lineFailure(this.#place, 'could not be read', error);
    }
    const flags = info.readBigUInt64LE(AT.lineInfo.flags);
    return (flags & FLAG.output) !== 0n && (flags & FLAG.activeLow) === 0n
      ? []
      : [`${lineName(this.#place)} is not a plain output (flags 0x${flags.toString(16)})`];
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    closeSync(this.#claim.fd);
  }
}

/** The level of a claimed line. Throws GpioFailure when the chip does not say it. */
function levelOf(place: LinePlace, { calls, fd }: Claim): Level {
  const values = lineValues(0);
  try {
    calls.ioctl(fd, REQUEST.getValues, values);
  } catch (error) {
    throw lineFailure(place, 'could not be read', error);
  }
  return levelIn(values);
}

class DeviceInput implements InputLine {
  readonly #place: LinePlace;
  readonly #claim: Claim;
  readonly #events: InputEvents;
  readonly #timers: Timers;
  readonly #buffer = Buffer.alloc(EVENT_BUFFER_SIZE * SIZE.lineEvent);
  #cancel: () => void = () => undefined;
  #released = false;

  constructor(place: LinePlace, claim: Claim, events: InputEvents, timers: Timers) {
    this.#place = place;
    this.#claim = claim;
    this.#events = events;
    this.#timers = timers;
    this.#waitForEdges();
  }

  read(): Level {
    return levelOf(this.#place, this.#claim);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#cancel();
    closeSync(this.#claim.fd);
  }

  #waitForEdges(): void {
    this.#cancel = this.#timers.after(EVENT_POLL_MS, () => {
      try {
        this.#takeEdges();
      } catch (error) {
        this.#events.lost(lineFailure(this.#place, 'could not be read', error).message);
        return;
      }
      if (!this.#released) this.#waitForEdges();
    });
  }

  #takeEdges(): void {
    const { calls, fd } = this.#claim;
    const found = calls.poll(fd);
    if ((found & (POLL.error | POLL.hangUp | POLL.invalid)) !== 0) {
      throw Object.assign(new Error('the chip is gone'), { code: 'ENODEV' });
    }
    if ((found & POLL.in) === 0) return;
    const count = readSync(fd, this.#buffer);
    for (const { level, atMs } of lineEvents(this.#buffer.subarray(0, count))) {
      // A listener may have released the line at the edge before.
      if (!this.#released) this.#events.edge(level, millis(atMs));
    }
  }
}
