/**
 * What the first frames need after a death and after a power loss, left by the interlock in its state directory: contacts,
 * buses and profiles as they were checked when it started. Reading it takes a tenth of what configuration and profiles take,
 * and it says what the last interlock was driving, whatever stands in the configuration since.
 *
 * Nothing is ever connected by it and nothing reported by it: whoever cut by the plan goes on with the configuration. A
 * plan that is missing or damaged costs those milliseconds and no more. What remains: whoever puts something else on a pin, a
 * port or an address of a contact while the box is dark finds it told to isolate once more, by the first start.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cut } from '../../contacts/cut.ts';
import { createHardware } from '../../contacts/drivers.ts';
import type { HardwareSettings } from '../../contacts/hardware-settings.ts';
import type { Profile } from '../../contacts/profile.ts';
import { loadSerial, OPEN_TIMEOUT_MS } from '../../contacts/transport-serial.ts';
import { pausedFor } from '../clock.ts';

const CUT_PLAN_FILE = 'cut-plan.json';
/** The frames of a plan are waited for no longer than this, ms: an opening that takes all its time, and an answer. */
const WRITTEN_WITHIN_MS = OPEN_TIMEOUT_MS + 1_000;
/** The wires are given this long to be let go of, ms. */
const CLOSED_WITHIN_MS = 2_000;

interface CutPlan {
  readonly settings: HardwareSettings;
  readonly profiles: Readonly<Record<string, Profile>>;
}

/** Leaves the plan. Rejects when it cannot be written; then none is left, for the one before may speak of other wires. */
export async function leaveCutPlan(
  directory: string,
  { buses, links }: HardwareSettings,
  profiles: ReadonlyMap<string, Profile>,
): Promise<void> {
  const contactsOf = Object.entries(links).map(([name, { contacts }]) => [name, { contacts, witnesses: [] }]);
  const ids = Object.values(links).flatMap(({ contacts }) => contacts.map(({ profile }) => profile));
  const plan: CutPlan = {
    settings: { buses, links: Object.fromEntries(contactsOf) as HardwareSettings['links'] },
    profiles: Object.fromEntries([...profiles].filter(([id]) => ids.includes(id))),
  };
  const file = join(directory, CUT_PLAN_FILE);
  const text = JSON.stringify(plan);
  const before = await readFile(file, 'utf8').catch(() => null); // whatever it is, it is replaced
  if (before === text) return;
  try {
    await writeFile(`${file}.new`, text, { mode: 0o600, flush: true });
    await rename(`${file}.new`, file);
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

/** Tells every contact of the plan to isolate, and lets go of the wires again. False when there is no plan that can be used. */
export async function cutByPlan(directory: string): Promise<boolean> {
  try {
    // Written by this program, of this user, and checked then.
    const plan = JSON.parse(await readFile(join(directory, CUT_PLAN_FILE), 'utf8')) as CutPlan;
    // On an SD card that nobody has read from yet this takes longer than the frames are given.
    if (Object.values(plan.settings.buses).some((bus) => 'device' in bus)) await loadSerial();
    const hardware = await createHardware(plan.settings, new Map(Object.entries(plan.profiles)));
    const written = Promise.all(cut(hardware.contacts).map((receipt) => receipt.acknowledged));
    await Promise.race([written, pausedFor(WRITTEN_WITHIN_MS)]);
    // A wire that does not let go must not keep the configuration from its turn.
    await Promise.race([hardware.close(), pausedFor(CLOSED_WITHIN_MS)]);
    return true;
  } catch {
    return false; // the configuration says the same, later
  }
}
