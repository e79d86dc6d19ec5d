/** The wiring page and the page about lamps tell people to write what `check` accepts, beside the builds that are described. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../src/config/schema/command.ts';
import { checkText } from '../../src/config/load.ts';
import { createHardware } from '../../src/contacts/drivers.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { machine } from '../config/machine.ts';

const TOP = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(TOP, path), 'utf8');
const blockIn = (path: string): string => /^```yaml\n(.*?)^```$/ms.exec(read(path))?.[1] ?? '';
const { profiles } = await loadProfiles();

const errorsOf = async (text: string): Promise<readonly string[]> => {
  const { problems } = await checkText(text, profiles, machine);
  return problems.filter(({ severity }) => severity === 'error').map(formatProblem);
};
const lamps = blockIn('hardware/README.md');

describe('lamps as hardware/README.md writes them', () => {
  test.each(['relay-hat', 'two-relays'])('are accepted beside %s', async (build) => {
    expect(lamps).toContain('isolated:');
    const text = `${blockIn(`hardware/${build}.md`)}\n${lamps}`;
    expect(await errorsOf(text)).toEqual([]);
    const found = await checkText(text, profiles, machine);
    if (found.kind !== 'valid') throw new Error('not valid');
    // Nothing is claimed or driven by making it.
    const hardware = await createHardware(found.config, profiles);
    expect(hardware.lamps.map(({ lamp }) => lamp)).toEqual(['isolated', 'connected', 'tripped', 'fault']);
    expect(hardware.contacts.map(({ name }) => name)).not.toContain('isolated');
    await hardware.close();
  });

  test('a pin that is pulled up at power-on is refused, and the words for contacts do not help', async () => {
    const text = `${blockIn('hardware/relay-hat.md')}\n${lamps.replace('line: 12', 'line: 5')}`;
    const [problem, ...more] = await errorsOf(text);
    expect(more).toEqual([]);
    expect(problem).toContain('the lamp would be lit before anything is known');
  });

  test.each([
    ['line: 17', 'is contact relay of link vault'],
    ['line: 22', 'is the button'],
  ])('on %s of the build it is refused', async (line, why) => {
    const text = `${blockIn('hardware/relay-hat.md')}\n${lamps.replace('line: 12', line)}`;
    expect((await errorsOf(text)).join()).toContain(why);
  });
});

test('lamps as docs/button-and-lamps.md writes them are accepted', async () => {
  const [, indented = ''] = /^( {4}buses:\n(?: {4}.*\n)+)/m.exec(read('docs/button-and-lamps.md')) ?? [];
  const example = indented.replaceAll(/^ {4}/gm, '');
  expect(example).toContain('panel');
  const [buses = '', shown = ''] = example.split(/(?=^lamps:)/m);
  const build = blockIn('hardware/relay-hat.md');
  const text = `${build.replace(/^buses:\n/m, buses)}\n${shown}`;
  expect(await errorsOf(text)).toEqual([]);
});
