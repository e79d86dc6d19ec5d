/** A second emulated board with the lamps on its first four channels, beside the one with the contact. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LAMP_NAMES } from '../../src/core/lamps.ts';
import { BOARD, PlayedBoard } from '../faults/board.ts';
import { eventually, type Scenario } from '../faults/rig.ts';

/** Starts the board and writes the lamps into the configuration. */
export async function panelOf(scenario: Scenario): Promise<PlayedBoard> {
  const control = join(scenario.directory, 'panel.sock');
  const place = ['--tcp', '127.0.0.1:0', '--framing', 'modbus-tcp', '--control', control];
  const panel = new PlayedBoard(scenario.run('panel', ['emulate', BOARD, '--json', ...place]), control);
  await panel.ready();
  const lamps = LAMP_NAMES.map(
    (lamp, index) => `  ${lamp}: { profile: ${BOARD}, bus: panel, unit: 1, channel: ${index + 1} }\n`,
  );
  const bus = `  panel: { transport: modbus-tcp, host: 127.0.0.1, port: ${panel.port}, reply_timeout: 200ms, simulated: true }\n`;
  const text = readFileSync(scenario.config, 'utf8');
  writeFileSync(
    scenario.config,
    `${text.replace('\nlinks:\n', `\n${bus}links:\n`)}lamps:\n${lamps.join('')}`,
  );
  return panel;
}

/** The lamps that are lit at this moment: what the relays of the board really do. */
export async function litOn(panel: PlayedBoard): Promise<string> {
  const { contacts } = await panel.state();
  return LAMP_NAMES.filter((_, index) => contacts[index] === 'connected').join(' ');
}

/** Waits until exactly these are lit. */
export const lit = (panel: PlayedBoard, names: string): Promise<unknown> =>
  eventually(`the lamps to be: ${names}`, async () => (await litOn(panel)) === names);

/** Waits until all of them were lit at once at some time after `mark`: a lamp test is over before a slow machine looks. */
export function allWereLit(panel: PlayedBoard, mark: number): Promise<unknown> {
  return eventually('all lamps to have been lit at once', () => {
    const now = new Set<number>();
    return panel.events.some((each, index) => {
      if (each.event !== 'contact') return false;
      if (each.position === 'connected') now.add(each.channel);
      else now.delete(each.channel);
      return index >= mark && now.size === LAMP_NAMES.length;
    });
  });
}
