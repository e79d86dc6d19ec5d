/**
 * `portcullis isolate --all`: drives every contact to isolated straight from the configuration, without interlock, latch or
 * journal. For `ExecStopPost` and for people. Says per contact what the device answered; a board that is silent is told
 * again until the time is over. Lamps are darkened on the way: nobody knows any more what they would say.
 */
import { cut } from '../../contacts/cut.ts';
import { createHardware } from '../../contacts/drivers.ts';
import type { HardwareSettings } from '../../contacts/hardware-settings.ts';
import type { Contact } from '../../contacts/port.ts';
import type { Profile } from '../../contacts/profile.ts';
import { pausedFor } from '../clock.ts';

/** Pause between two read-backs of a contact that does not read isolated yet, ms. */
const READ_PAUSE_MS = 100;

/** Lamps that are not dark by then are left as they are, ms. */
const LAMPS_WAIT_MS = 500;

/** What became of one contact. */
export interface IsolateResult {
  readonly contact: string;
  /** True when the device confirmed the command and reads isolated. */
  readonly isolated: boolean;
  readonly detail: string;
}

/** Isolates every contact; resolves when each is confirmed or `withinMs` are over. */
export async function isolateAll(
  settings: HardwareSettings,
  profiles: ReadonlyMap<string, Profile>,
  withinMs: number,
): Promise<readonly IsolateResult[]> {
  const hardware = await createHardware(settings, profiles);
  try {
    const receipts = cut(hardware.contacts);
    const dark = Promise.all(hardware.lamps.map((lamp) => lamp.show(false)));
    const late = pausedFor(withinMs);
    const results = await Promise.all(
      hardware.contacts.map(async (contact, i) => {
        const last = { result: unanswered(contact), over: false };
        const confirmed = receipts[i]?.acknowledged.then(() => readBack(contact, last));
        await Promise.race([confirmed, late]);
        last.over = true;
        return last.result;
      }),
    );
    // After everything that matters, and not for long.
    await Promise.race([dark, pausedFor(LAMPS_WAIT_MS)]);
    return results;
  } finally {
    await hardware.close();
  }
}

/** Reads until the contact reads isolated; the driver goes on telling a silent board meanwhile. */
async function readBack(contact: Contact, last: { result: IsolateResult; over: boolean }): Promise<void> {
  while (!last.result.isolated && !last.over) {
    const { position, detail } = await contact.read();
    if (last.over) return;
    if (position !== 'unknown')
      last.result = { contact: contact.name, isolated: position === 'isolated', detail };
    if (position !== 'isolated') await pausedFor(READ_PAUSE_MS);
  }
}

const unanswered = (contact: Contact): IsolateResult => ({
  contact: contact.name,
  isolated: false,
  detail: 'no answer; pull its cable by hand if the link may be connected',
});
