/** What `portcullis check` says of windows that are too rare to keep the proofs of a link young. */
import { expect, test } from 'vitest';
import { formatProblem } from '../../src/config/schema/command.ts';
import { checkText } from '../../src/config/load.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { machine } from './machine.ts';

const { profiles } = await loadProfiles();

const configured = (opens: string, contacts: number, maxAge = ''): string => `
buses: { board: { transport: modbus-tcp, host: 127.0.0.1, port: 5020 } }
links:
  vault:
    ${maxAge}
    contacts:
${[1, 2]
  .slice(0, contacts)
  .map(
    (channel) =>
      `      - { name: relay${channel}, profile: waveshare/modbus-rtu-relay-8ch, bus: board, unit: 1, channel: ${channel} }`,
  )
  .join('\n')}
repositories: { vault: { url: "rest:http://10.0.0.2:8000/", password_file: /etc/portcullis/vault.password } }
windows:
  backup: { link: vault, opens: "${opens}", timezone: UTC, lasts: 3h, steps: [ { backup: { repository: vault, paths: [/srv] } } ] }
`;

test.each([
  ['nightly windows', '30 2 * * *', 2, '', null],
  ['monthly windows of one contact', '30 2 1 * *', 1, '', null],
  ['monthly windows of two contacts', '30 2 1 * *', 2, '', '62d'],
  ['the same, allowed', '30 2 1 * *', 2, 'proof_test_max_age: 62d', null],
])('%s', async (_what, opens, contacts, maxAge, age) => {
  const { problems } = await checkText(configured(opens, contacts, maxAge), profiles, machine);
  const said = problems.map(formatProblem).filter((each) => each.includes('proof_test_max_age'));
  expect(said).toEqual(age === null ? [] : [expect.stringContaining(`a proof gets ${age} old`)]);
});
