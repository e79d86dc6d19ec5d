import { expect, test } from 'vitest';
import type { LinkSettings, WitnessSettings } from '../../src/contacts/hardware-settings.ts';
import { ratedContacts } from '../../src/contacts/rated.ts';
import { rateAll } from '../../src/core/rating.ts';
import { byId, testProfile } from './profiles.ts';

const board = testProfile();
const profiles = byId(board);
const contact = (name: string, channel: number) => ({
  name,
  profile: board.id,
  bus: 'board',
  unit: 1,
  channel,
});

const input = (bus: string, mirrors?: string): WitnessSettings => ({
  name: 'mirror',
  type: 'modbus-discrete-input',
  bus,
  unit: 1,
  input: 0,
  isolated_when: 1,
  ...(mirrors === undefined ? {} : { mirrors }),
});

function ratings(...witnesses: WitnessSettings[]): Record<string, string> {
  const link: LinkSettings = { contacts: [contact('one', 1), contact('two', 2)], witnesses };
  return Object.fromEntries(rateAll(ratedContacts(link, profiles)));
}

const INDEPENDENT = 'fail-safe-independent';
const INDIRECT = 'fail-safe-indirect';

test.each<readonly [string, readonly WitnessSettings[], string, string]>([
  ['no witness', [], INDIRECT, INDIRECT],
  [
    'a carrier is seen on the side of the load',
    [{ name: 'c', type: 'carrier', interface: 'eth1' }],
    INDIRECT,
    INDIRECT,
  ],
  [
    'a mirror contact on another board vouches for its contact',
    [input('inputs', 'one')],
    INDEPENDENT,
    INDIRECT,
  ],
  ['an input of the same board shares its processor', [input('board', 'one')], INDIRECT, INDIRECT],
  [
    'a mirror contact on a GPIO line vouches for its contact',
    [
      {
        name: 'm',
        type: 'gpio',
        bus: 'pins',
        line: 22,
        isolated_when: 1,
        bias: 'none',
        debounce: 20,
        mirrors: 'two',
      },
    ],
    INDIRECT,
    INDEPENDENT,
  ],
  [
    'a TCP probe proves little',
    [{ name: 't', type: 'tcp', host: 'vault', port: 22, timeout: 1000 }],
    INDIRECT,
    INDIRECT,
  ],
  [
    'an absent disk proves little',
    [{ name: 'd', type: 'block-device', device: '/dev/x' }],
    INDIRECT,
    INDIRECT,
  ],
])('%s', (_name, witnesses, one, two) => {
  expect(ratings(...witnesses)).toEqual({ one, two });
});

test('wired through the normally-closed contact, or of an unknown profile, a contact is holding', () => {
  const link: LinkSettings = {
    contacts: [
      { ...contact('closed', 1), wiring: 'normally-closed' },
      { ...contact('stranger', 2), profile: 'no/such' },
    ],
    witnesses: [{ name: 'c', type: 'carrier', interface: 'eth1' }],
  };
  expect(Object.fromEntries(rateAll(ratedContacts(link, profiles)))).toEqual({
    closed: 'holding',
    stranger: 'holding',
  });
});
