/** The button and the lamps of a box on the kernel's own GPIO. Runs inside the machine. */
import { GpioButton } from '../../src/contacts/button-input.ts';
import { CharacterDevice } from '../../src/contacts/gpio/character-device.ts';
import { GpioContact } from '../../src/contacts/gpio/contact.ts';
import type { AccessKind, GpioAccess, Level } from '../../src/contacts/gpio/lines.ts';
import { Sysfs } from '../../src/contacts/gpio/sysfs.ts';
import { DrivenLamp } from '../../src/contacts/lamp-output.ts';
import { processTimers } from '../../src/contacts/timers.ts';
import { until } from '../contacts/bench.ts';
import { bounded } from '../contacts/contract.ts';
import { SimulatedChip } from './guest-chip.ts';
import { afterEach, describe, expect, test } from './guest-suite.ts';

const chip = new SimulatedChip('panel', 'gpio-sim-panel', 4);
const BUTTON_LINE = 1;
const LAMP_LINE = 2;

const accesses: Readonly<Record<AccessKind, GpioAccess>> = {
  sysfs: new Sysfs(processTimers),
  'character-device': new CharacterDevice(processTimers),
};

for (const kind of ['sysfs', 'character-device'] as const) {
  describe(`${kind} button and lamp`, () => {
    const ends: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const end of ends.splice(0)) await end();
      chip.come();
    });

    /** Leads to ground, so that released reads 0, against a pull-up: a broken wire reads 1 as a press does. */
    const button = (edges: Level[]): GpioButton => {
      chip.renew();
      chip.pull(BUTTON_LINE, 0);
      const place = { chip: chip.label, line: BUTTON_LINE };
      const settings = { type: 'gpio', ...place, released_when: 0, bias: 'none', access: kind } as const;
      const made = new GpioButton(settings, processTimers, () => accesses[kind]);
      ends.push(() => made.close());
      made.listen((level) => edges.push(level));
      return made;
    };
    const reads = async (made: GpioButton, level: Level): Promise<void> => {
      let last: unknown = null;
      await until(() => {
        void made.read().then((reading) => (last = reading.kind === 'level' ? reading.level : reading.why));
        return last === level;
      }, `the button reads ${level}`);
    };

    test('a press that nobody looks at is told, however brief, and a long one is read', async () => {
      const edges: Level[] = [];
      const made = button(edges);
      await reads(made, 0);
      expect(edges).toEqual([]);
      chip.pull(BUTTON_LINE, 1);
      chip.pull(BUTTON_LINE, 0);
      await until(() => edges.length > 0, 'some edge of a brief press is told');
      chip.pull(BUTTON_LINE, 1);
      await reads(made, 1);
      chip.pull(BUTTON_LINE, 0);
      await reads(made, 0);
    });

    test('a chip that goes makes it unknown, and it reads and tells edges when the chip is back', async () => {
      const edges: Level[] = [];
      const made = button(edges);
      await reads(made, 0);
      chip.go();
      let last: string = '';
      await until(() => {
        void made.read().then((reading) => (last = reading.kind));
        return last === 'unknown';
      }, 'the button is unknown');
      chip.come();
      chip.pull(BUTTON_LINE, 1);
      await reads(made, 1);
      edges.length = 0;
      chip.pull(BUTTON_LINE, 0);
      await until(() => edges.length > 0, 'an edge is told');
    });

    test('a lamp is lit and dark as told, and an order to be dark overtakes one to be lit', async () => {
      chip.renew();
      const contact = new GpioContact({
        name: 'isolated',
        kind: 'fail-safe',
        access: () => accesses[kind],
        place: { chip: chip.label, line: LAMP_LINE },
        connectedLevel: 1,
        timers: processTimers,
      });
      const lamp = new DrivenLamp('isolated', contact);
      ends.push(() => lamp.close());
      expect(await bounded(lamp.show(true))).toMatchObject({ kind: 'done' });
      expect(chip.wire(LAMP_LINE)).toBe(1);
      const lit = lamp.show(true);
      const dark = lamp.show(false);
      expect(chip.wire(LAMP_LINE)).toBe(0);
      expect(await bounded(lit)).toMatchObject({ kind: 'fenced' });
      expect(await bounded(dark)).toMatchObject({ kind: 'done' });
      expect(chip.wire(LAMP_LINE)).toBe(0);
      chip.go();
      expect(await bounded(lamp.show(true))).toMatchObject({ kind: 'unknown' });
    });
  });
}
