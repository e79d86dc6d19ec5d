/** `portcullis emulate PROFILE`: plays a profile's board until it is told to stop. */
import type { Readable } from 'node:stream';
import { processTimers } from '../contacts/timers.ts';
import type { BoardEvent } from './board.ts';
import { control, lineTaker } from './control.ts';
import { planOf, STANDARD_INPUT, type EmulateArguments } from './emulate-arguments.ts';
import { startEmulation, type Emulation, type PlayableProfile } from './emulation.ts';

/** What the command needs around it. */
export interface EmulateSurroundings {
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  readonly stdin: Readable;
  /** Ends the emulation. */
  readonly stop: AbortSignal;
}

/** Runs until `stop` (or the end of standard input with `--control -`). 0: ended so, 1: could not begin, 2: the call was wrong. */
export async function emulateCommand(
  args: EmulateArguments,
  around: EmulateSurroundings,
): Promise<0 | 1 | 2> {
  const { plan, problems } = await planOf(args);
  if (plan === null) {
    for (const problem of problems) around.writeError(`${problem}\n`);
    return 2;
  }
  const { id, evidence } = plan.profile;
  around.writeError(
    `EMULATION of ${id} (profile grade: ${evidence.grade}). There is no board. Nothing this shows proves anything about hardware.\n`,
  );
  let emulation: Emulation;
  try {
    emulation = await startEmulation(plan, processTimers);
  } catch (error) {
    around.writeError(
      `the emulation cannot begin: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return 1;
  }
  const said = args.json === true ? (event: object) => `${JSON.stringify(event)}\n` : wordsOf;
  emulation.board.watch((event) => around.write(said(event)));
  around.write(said(readyEvent(plan.profile, emulation)));
  await untilStopped(emulation, args, around, said);
  await emulation.close();
  return 0;
}

async function untilStopped(
  { board }: Emulation,
  args: EmulateArguments,
  { stdin, stop, write }: EmulateSurroundings,
  said: (event: object) => string,
): Promise<void> {
  await new Promise<void>((resolve) => {
    if (stop.aborted) resolve();
    stop.addEventListener('abort', () => resolve(), { once: true });
    if (args.control !== STANDARD_INPUT) return;
    const take = lineTaker((text) => write(said({ event: 'control', ...control(board, text) })));
    stdin.setEncoding('utf8').on('data', (chunk: string) => {
      if (!take(chunk)) resolve();
    });
    stdin.once('end', resolve).once('error', () => resolve());
  });
  if (args.control === STANDARD_INPUT) stdin.pause();
}

function readyEvent(
  { id, driver }: PlayableProfile,
  { tcp, pty, cables, control: controlled }: Emulation,
): object {
  return {
    event: 'ready',
    emulation: true,
    profile: id,
    tcp:
      tcp === null
        ? null
        : { host: tcp.host, port: tcp.port, framing: driver === 'modbus' ? tcp.framing : null },
    pty: pty?.path ?? null,
    control: controlled?.path ?? null,
    cables: cables.map(({ channels, host, port }) => ({ channels, host, port })),
  };
}

type Spoken = BoardEvent | { readonly event: 'ready' | 'control' };

/** An event in words, one line. Requests and replies are too many to read: '' for them. */
function wordsOf(event: object): string {
  const spoken = event as Spoken;
  switch (spoken.event) {
    case 'contact': {
      const { channel, position, cause, frame } = spoken;
      return `channel ${channel} ${position} (${cause}${frame === null ? '' : ` ${frame}`})\n`;
    }
    case 'fault': {
      const names = spoken.faults.map(({ name, value }) => (value === 0 ? name : `${name}:${value}`));
      return `faults: ${names.length === 0 ? 'none' : names.join(', ')}\n`;
    }
    case 'cable':
      return `cable ${spoken.host}:${spoken.port} cannot be had again yet: ${spoken.why}\n`;
    case 'frame':
    case 'reply':
    case 'connection':
      return '';
    case 'ready':
    case 'control':
      return `${JSON.stringify(event)}\n`;
  }
}
