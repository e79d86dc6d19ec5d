/** Nothing that rests on an emulated board is shown as anything better. */
import { expect, test } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { gradeOf } from '../../src/interlock/grade.ts';

const { profiles } = await loadProfiles();

const config = (emulated: { readonly board: boolean; readonly inputs: boolean }) =>
  configSchema.parse({
    buses: {
      board: { transport: 'modbus-tcp', host: '127.0.0.1', port: 5020, simulated: emulated.board },
      inputs: { transport: 'modbus-tcp', host: '127.0.0.1', port: 5021, simulated: emulated.inputs },
    },
    links: {
      vault: {
        contacts: [
          {
            name: 'relay',
            profile: 'waveshare/modbus-rtu-relay-8ch',
            bus: 'board',
            unit: 1,
            channel: 1,
          },
        ],
        witnesses: [
          {
            name: 'mirror',
            type: 'modbus-discrete-input',
            bus: 'inputs',
            unit: 1,
            input: 1,
            isolated_when: 1,
          },
        ],
      },
    },
  });

test.each([
  ['of its profile', { board: false, inputs: false }, 'paper'],
  ['simulated when its board is', { board: true, inputs: false }, 'simulated'],
  ['simulated when only the board behind its witness is', { board: false, inputs: true }, 'simulated'],
])('the grade of a link is %s', (_what, emulated, grade) => {
  expect(gradeOf(config(emulated), 'vault', profiles)).toBe(grade);
});
