/** Connects a contact and then does nothing, until it is killed. Arguments: access, chip, line. */
import { CharacterDevice } from '../../src/contacts/gpio/character-device.ts';
import { GpioContact } from '../../src/contacts/gpio/contact.ts';
import { Sysfs } from '../../src/contacts/gpio/sysfs.ts';
import { processTimers } from '../../src/contacts/timers.ts';

const [kind, chip = '', line = ''] = process.argv.slice(2);
const access = kind === 'sysfs' ? new Sysfs(processTimers) : new CharacterDevice(processTimers);
const contact = new GpioContact({
  name: 'held',
  kind: 'fail-safe',
  access: () => access,
  place: { chip, line: Number(line) },
  connectedLevel: 1,
  timers: processTimers,
});
const outcome = await contact.connect({ isCurrent: () => true });
process.stdout.write(`${outcome.kind}\n`);
setInterval(() => undefined, 60_000);
