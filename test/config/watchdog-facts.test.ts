/** What a person is told happens to a contact when this program dies, where the device watches for silence. */
import { expect, test } from 'vitest';
import { hardwareFacts } from '../../src/config/meaning/hardware-facts.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';

const { profiles } = await loadProfiles();

function fateOf(profile: string): string {
  const contact = { name: 'relay', profile, bus: 'bus', unit: 1, channel: 1 };
  const [facts] = hardwareFacts(
    {
      buses: { bus: { transport: 'modbus-tcp', host: '127.0.0.1', port: 502 } },
      links: { vault: { contacts: [contact], witnesses: [] } },
    },
    profiles,
  );
  return facts?.when_we_die ?? '';
}

test.each([
  [
    'wirenboard/wb-mr6c-v3',
    /isolates by itself once nothing has reached it.*a lease that is not renewed does not end it/,
  ],
  ['moxa/iologik-e1214', /nothing that can be read shows whether that is armed/],
  ['kmtronic/rs485-8ch', /^When the process dies, nothing in the device isolates/],
  ['eletechsup/r4d8a08', /isolates by itself 10 s after the last renewal/],
])('%s', (profile, expected) => {
  expect(fateOf(profile)).toMatch(expected);
});
