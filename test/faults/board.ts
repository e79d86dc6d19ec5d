/** The emulated board of a test: what it saw on its wire and where its contact really stands, told by its own process. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import type { BoardEvent, BoardState } from '../../src/emulator/board.ts';
import { type Child, eventually } from './child.ts';

/** The profile that is played; input 1 is wired to a mirror contact of channel 1. */
export const BOARD = 'waveshare/modbus-rtu-relay-8ch-d';
/** The channel that is the link. */
const CHANNEL = 1;

type ContactEvent = Extract<BoardEvent, { event: 'contact' }>;
type FrameEvent = Extract<BoardEvent, { event: 'frame' }>;
interface Ready {
  readonly event: 'ready';
  readonly tcp: { readonly host: string; readonly port: number };
  readonly cables: readonly { readonly host: string; readonly port: number }[];
}

export class PlayedBoard {
  readonly child: Child;
  readonly controlPath: string;
  readonly events: BoardEvent[] = [];
  port = 0;
  cablePort = 0;

  constructor(child: Child, controlPath: string) {
    this.child = child;
    this.controlPath = controlPath;
    child.onLine((line) => {
      const event = JSON.parse(line) as BoardEvent | Ready;
      if (event.event !== 'ready') {
        this.events.push(event);
        return;
      }
      this.cablePort = event.cables[0]?.port ?? 0;
      this.port = event.tcp.port;
    });
  }

  async ready(): Promise<void> {
    await eventually(
      () => `the board; ${this.child.words()}`,
      () => this.port !== 0,
    );
  }

  /** Adds a fault, as `emulate --fault` writes it. */
  fault(fault: string, scope: { on?: string; times?: number } = {}): Promise<BoardState> {
    return this.order({ fault, ...scope });
  }

  /** Clears one kind of fault, or all. */
  clear(name: string | true = true): Promise<BoardState> {
    return this.order({ clear: name });
  }

  /** Sets an input, from 1. */
  input(input: number, value: 0 | 1): Promise<BoardState> {
    return this.order({ input, value });
  }

  state(): Promise<BoardState> {
    return this.order({ state: true });
  }

  /** The lines below are only those after this moment. */
  mark(): number {
    return this.events.length;
  }

  /** Where the contact went since `mark`, in order. */
  moves(mark = 0): readonly ContactEvent[] {
    return this.events
      .slice(mark)
      .filter((each) => each.event === 'contact')
      .filter((each) => each.channel === CHANNEL);
  }

  /** Frames of a kind that came over the wire since `mark`. */
  frames(kind: FrameEvent['kind'], mark = 0): readonly FrameEvent[] {
    return this.events
      .slice(mark)
      .filter((each) => each.event === 'frame')
      .filter((each) => each.kind === kind);
  }

  /** Where the contact stands. */
  stands(): 'connected' | 'isolated' {
    return this.moves().at(-1)?.position ?? 'isolated';
  }

  /** Waits for the contact to go somewhere after `mark`. */
  move(position: ContactEvent['position'], mark = 0): Promise<ContactEvent> {
    return eventually(`the contact to be ${position}`, () =>
      this.moves(mark).find((each) => each.position === position),
    );
  }

  /** Waits until it stands there now. */
  async standing(position: ContactEvent['position']): Promise<void> {
    await eventually(`the contact to stand ${position}`, () => this.stands() === position);
  }

  private async order(order: object): Promise<BoardState> {
    const socket = createConnection(this.controlPath);
    const lines = createInterface({ input: socket });
    socket.write(`${JSON.stringify(order)}\n`);
    const [line] = (await once(lines, 'line')) as [string];
    socket.destroy();
    const answer = JSON.parse(line) as { ok: boolean; error?: string; state: BoardState };
    if (!answer.ok)
      throw new Error(`the board does not take ${JSON.stringify(order)}: ${answer.error ?? ''}`);
    return answer.state;
  }
}
