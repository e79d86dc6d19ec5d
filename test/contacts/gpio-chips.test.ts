/** Which chip is meant, which way is taken, what a pin does at power-on and when the process dies. No GPIO is needed. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chosenAccess, kernelOffer } from '../../src/contacts/gpio/access.ts';
import { chipFor, sysfsChips, sysfsNumber } from '../../src/contacts/gpio/chips.ts';
import { deathNote, persistsOutputs } from '../../src/contacts/gpio/death.ts';
import { codeOf, lineFailure } from '../../src/contacts/gpio/failure.ts';
import { ACCEPT_RESET_PULL, resetPullProblem } from '../../src/contacts/gpio/pulls.ts';
import { scratch } from './bench.ts';

let root: { readonly path: string; readonly remove: () => void };
beforeEach(() => {
  root = scratch();
});
afterEach(() => root.remove());

/** A chip as sysfs shows it. */
function chip(base: number, label: string, lines: number): void {
  const directory = join(root.path, `gpiochip${base}`);
  mkdirSync(directory);
  writeFileSync(join(directory, 'label'), `${label}\n`);
  writeFileSync(join(directory, 'base'), `${base}\n`);
  writeFileSync(join(directory, 'ngpio'), `${lines}\n`);
}

describe('chips in sysfs', () => {
  test('are known by label, and a line gets the number that follows from the base', () => {
    chip(512, 'pinctrl-bcm2711', 58);
    chip(570, 'raspberrypi-exp-gpio', 8);
    writeFileSync(join(root.path, 'export'), '');
    mkdirSync(join(root.path, 'gpio529'));
    const chips = sysfsChips(root.path);
    expect(chips.map(({ label, lines, base }) => ({ label, lines, base }))).toEqual([
      { label: 'pinctrl-bcm2711', lines: 58, base: 512 },
      { label: 'raspberrypi-exp-gpio', lines: 8, base: 570 },
    ]);
    expect(sysfsNumber({ chip: 'pinctrl-bcm2711', line: 17 }, chips)).toBe(529);
    expect(sysfsNumber({ chip: 'raspberrypi-exp-gpio', line: 0 }, chips)).toBe(570);
  });

  test('a wrong label is answered with every chip: label, lines and path', () => {
    chip(458, 'pinctrl-bcm2835', 54);
    expect(() => chipFor({ chip: 'pinctrl-rp1', line: 17 }, sysfsChips(root.path))).toThrow(
      `there is no GPIO chip labelled "pinctrl-rp1"; found: "pinctrl-bcm2835" (54 lines, ${root.path}/gpiochip458)`,
    );
    expect(() => chipFor({ chip: 'pinctrl-rp1', line: 17 }, [])).toThrow('found: none');
  });

  test('two chips of one label are refused and listed', () => {
    chip(100, 'gpio_ich', 8);
    chip(200, 'gpio_ich', 16);
    expect(() => chipFor({ chip: 'gpio_ich', line: 0 }, sysfsChips(root.path))).toThrow(
      /^2 GPIO chips are labelled "gpio_ich": .*\(8 lines, .*gpiochip100\), .*\(16 lines, .*gpiochip200\)\. Which one/,
    );
  });

  test('the last line is there, the one after it is not', () => {
    chip(0, 'small', 2);
    const chips = sysfsChips(root.path);
    expect(sysfsNumber({ chip: 'small', line: 1 }, chips)).toBe(1);
    expect(() => sysfsNumber({ chip: 'small', line: 2 }, chips)).toThrow('the chip has lines 0 to 1');
  });

  test('a chip that is just going is left out; labels are escaped, and long lists end', () => {
    mkdirSync(join(root.path, 'gpiochip7'));
    chip(1, '\u001b[31mred', 1);
    for (let index = 0; index < 20; index += 1) chip(100 + index, `chip-${index}`, 1);
    const chips = sysfsChips(root.path);
    expect(chips).toHaveLength(21);
    expect(() => chipFor({ chip: 'x', line: 0 }, chips)).toThrow(/"\\u001b\[31mred" .* and 5 more/);
  });
});

test('failures name the line, the code and what to do', () => {
  const place = { chip: 'pinctrl-bcm2711', line: 17 };
  const busy = Object.assign(new Error('EBUSY: resource busy'), { code: 'EBUSY' });
  const failure = lineFailure(place, 'cannot be claimed', busy);
  expect(failure.message).toMatch(
    /^GPIO line 17 of chip "pinctrl-bcm2711" cannot be claimed: another program .*gpioinfo.* \(EBUSY\)$/,
  );
  expect(codeOf(failure)).toBe('EBUSY');
  expect(lineFailure(place, 'twice', failure)).toBe(failure);
  expect(lineFailure(place, 'could not be read', new Error('why')).message).toMatch(
    /could not be read: why$/,
  );
});

describe('the way into the kernel', () => {
  const all = { sysfsMissing: null, onoffMissing: null };
  test.for([
    ['auto', all, false, 'sysfs'],
    ['auto', all, true, 'character-device'],
    ['auto', { ...all, sysfsMissing: 'read-only' }, false, 'character-device'],
    ['auto', { ...all, onoffMissing: 'no epoll' }, false, 'character-device'],
    ['sysfs', all, false, 'sysfs'],
    ['sysfs', all, true, 'sysfs'],
    ['sysfs', { ...all, sysfsMissing: 'gone' }, false, 'none'],
    ['sysfs', { ...all, onoffMissing: 'no epoll' }, false, 'none'],
    ['character-device', all, false, 'character-device'],
  ] as const)('%s, %o, biased %s: %s', ([asked, offer, biased, kind]) => {
    expect(chosenAccess(asked, offer, biased).kind).toBe(kind);
  });

  test('says why, and what to do where nothing is possible', () => {
    expect(chosenAccess('auto', { ...all, onoffMissing: 'no epoll' }).why).toContain('no epoll');
    expect(chosenAccess('sysfs', { ...all, sysfsMissing: 'gone' }).why).toMatch(
      /not possible: gone\. Or write access: character-device/,
    );
  });

  test('sysfs is there when its export file can be written', () => {
    expect(kernelOffer(root.path).sysfsMissing).toContain('this kernel has no');
    writeFileSync(join(root.path, 'export'), '');
    expect(kernelOffer(root.path).sysfsMissing).toBeNull();
  });
});

describe('pulls at power-on', () => {
  const refused = (label: string, active: 0 | 1): readonly number[] =>
    Array.from({ length: 54 }, (_, line) => line).filter(
      (line) => resetPullProblem(label, line, active) !== null,
    );

  test.for(['pinctrl-bcm2835', 'pinctrl-bcm2711', 'pinctrl-rp1'])(
    '%s: high pins for active-high, low pins for active-low, the EEPROM pins for both',
    (label) => {
      expect(refused(label, 1)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 14]);
      expect(refused(label, 0)).toEqual([0, 1, ...Array.from({ length: 19 }, (_, index) => index + 9)]);
    },
  );

  test('an unknown chip has no known pulls', () => {
    expect(refused('gpio_ich', 1)).toEqual([]);
    expect(refused('gpio_ich', 0)).toEqual([]);
  });

  test('the problem says why, offers lines that are none, and gives the sentence', () => {
    const high = resetPullProblem('pinctrl-bcm2711', 4, 1);
    expect(high?.what).toContain('is pulled up from power-on');
    expect(high?.hint).toContain(`accept_reset_pull: "${ACCEPT_RESET_PULL}"`);
    for (const active of [0, 1] as const) {
      const hint = resetPullProblem('pinctrl-bcm2711', active === 1 ? 4 : 17, active)?.hint ?? '';
      const [advice = ''] = hint.split(';');
      const offered = [...advice.matchAll(/\d+/g)].map(([line]) => Number(line));
      expect(offered.length).toBeGreaterThan(1);
      for (const line of offered) expect(resetPullProblem('pinctrl-bcm2711', line, active)).toBeNull();
    }
  });
});

describe('what the pin does when the process dies', () => {
  test.for([
    ['sysfs', 'pinctrl-bcm2711', false, 'keeps'],
    ['sysfs', 'anything', null, 'keeps'],
    ['character-device', 'pinctrl-bcm2835', true, 'keeps'],
    ['character-device', 'pinctrl-bcm2711', false, 'input'],
    ['character-device', 'pinctrl-bcm2711', null, 'unknown'],
    ['character-device', 'pinctrl-rp1', true, 'keeps'],
    ['character-device', 'pinctrl-rp1', null, 'unknown'],
    ['character-device', '9030000.pl061', null, 'keeps'],
    ['character-device', 'gpio-sim.0-node0', null, 'input'],
    ['character-device', 'gpio_ich', null, 'unknown'],
  ] as const)('%s on %s, persisting %s: %s', ([access, label, persists, after]) => {
    const note = deathNote(access, label, persists);
    expect(note.after).toBe(after);
    // Whatever does not surely let go must not read as if it did.
    const reassuring = note.sentence.includes('pull resistor');
    expect(reassuring).toBe(after === 'input');
  });

  test('the parameter of the driver is read, and only for chips that have it', () => {
    const parameters = join(root.path, 'pinctrl_bcm2835/parameters');
    mkdirSync(parameters, { recursive: true });
    const file = join(parameters, 'persist_gpio_outputs');
    expect(persistsOutputs('pinctrl-bcm2711', root.path)).toBeNull();
    for (const [text, wanted] of [
      ['Y\n', true],
      ['N\n', false],
      ['', null],
    ] as const) {
      writeFileSync(file, text);
      expect(persistsOutputs('pinctrl-bcm2711', root.path)).toBe(wanted);
    }
    expect(persistsOutputs('pinctrl-rp1', root.path)).toBeNull();
    expect(persistsOutputs('gpio_ich', root.path)).toBeNull();
  });
});
