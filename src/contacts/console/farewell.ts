/** Out of the session, so that nobody finds it in the configuration. Moves no port and saves nothing. */
import { Conversation, type Terminal } from './conversation.ts';
import type { CursorSays } from './cursor.ts';
import type { ConsoleDevice } from './fields.ts';
import { type Mode, pressedBytes, spelled, typedBytes } from './script.ts';

/** ms that leaving may take altogether: whoever closes is going to end. */
export const FAREWELL_MS = 5000;
/** Most lines and answers; more is a switch that does not let go. */
const MAX_TURNS = 12;

/** Leaves the session in which `mode` stands. What is asked on the way is answered as the profile says: no to saving. */
export async function farewell(terminal: Terminal, device: ConsoleDevice, mode: Mode): Promise<void> {
  const talk = new Conversation(terminal, device);
  const { wake_ms: limitMs } = device.timings;
  const logout = [...device.logout];
  let says: CursorSays = { kind: 'mode', at: mode.at };
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    if (says.kind === 'question' && says.question.kind !== 'wake' && says.question.kind !== 'setup') {
      says = await talk.send(pressedBytes(device, says.question.answer), limitMs);
      continue;
    }
    if (says.kind !== 'mode') return;
    const inside = says.at === 'interface' || says.at === 'configure';
    const line = inside ? (says.at === 'interface' ? device.leave[0] : device.leave.at(-1)) : logout.shift();
    if (line === undefined) return;
    says = await talk.send(typedBytes(device, [spelled(device, line, null)]), limitMs);
  }
}
