/** Everything that one emulation consists of, begun and ended together. */
import type { Framing, ModbusProfile } from '../contacts/modbus/profile.ts';
import type { SerialProfile } from '../contacts/serial/profile.ts';
import { createBoard } from './board.ts';
import { layCable, type Cable, type CablePlan } from './cable.ts';
import { serveControl, type ControlService } from './control.ts';
import type { Fault } from './faults.ts';
import type { PlayedBoard } from './played.ts';
import { servePty, type PtyService } from './pty.ts';
import type { BoardTimers } from './relays.ts';
import { SerialPlay } from './serial-board.ts';
import { serveTcp, type TcpAddress, type TcpService } from './tcp.ts';

/** What can be played. */
export type PlayableProfile = ModbusProfile | SerialProfile;

/** What an emulation is made of; channels and inputs from 1. */
export interface EmulationPlan {
  readonly profile: PlayableProfile;
  readonly tcp?: TcpAddress & { readonly framing: Framing };
  /** Where the link to the pseudo-terminal appears. */
  readonly pty?: string;
  readonly faults?: readonly Fault[];
  readonly mirrors?: readonly { readonly channel: number; readonly input: number }[];
  readonly cables?: readonly CablePlan[];
  /** Path of the control socket. */
  readonly control?: string;
}

/** An emulation that runs. */
export interface Emulation {
  readonly board: PlayedBoard;
  readonly tcp: TcpService | null;
  readonly pty: PtyService | null;
  readonly cables: readonly Cable[];
  readonly control: ControlService | null;
  readonly close: () => Promise<void>;
}

/** The board of a profile. Starts nothing. */
export function boardOf(profile: PlayableProfile, timers: BoardTimers): PlayedBoard {
  switch (profile.driver) {
    case 'modbus':
      return createBoard(profile, timers);
    case 'serial':
      return new SerialPlay(profile, timers);
  }
}

/** Begins an emulation. Rejects, with everything ended again, when one part of it cannot begin. */
export async function startEmulation(plan: EmulationPlan, timers: BoardTimers): Promise<Emulation> {
  const board = boardOf(plan.profile, timers);
  const parts: { readonly close: () => Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    board.close();
    await Promise.all(parts.map((part) => part.close()));
  };
  const begun = async <T extends { readonly close: () => Promise<void> }>(part: Promise<T>): Promise<T> => {
    const ready = await part;
    parts.push(ready);
    return ready;
  };
  try {
    for (const { channel, input } of plan.mirrors ?? []) board.mirror(channel, input);
    for (const fault of plan.faults ?? []) board.addFault(fault);
    const cables: Cable[] = [];
    for (const cable of plan.cables ?? []) cables.push(await begun(layCable(board, cable)));
    const tcp = plan.tcp === undefined ? null : await begun(serveTcp(board, plan.tcp));
    const pty = plan.pty === undefined ? null : await begun(servePty(board, plan.pty));
    const control = plan.control === undefined ? null : await begun(serveControl(board, plan.control));
    return { board, tcp, pty, cables, control, close };
  } catch (error) {
    await close();
    throw error;
  }
}
