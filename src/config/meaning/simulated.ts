/** Which links hang on boards that are played by the emulator. */
import type { Config } from '../schema.ts';

/** Buses of a link that lead to real boards: a hand is needed there. */
export function realBusesOf(config: Config, link: string): readonly string[] {
  const buses = busesOf(config, link);
  return buses.filter((bus) => config.buses[bus]?.simulated !== true);
}

/** Whether any board of a link is played by the emulator: then nothing about hardware is shown. */
export const isSimulated = (config: Config, link: string): boolean =>
  busesOf(config, link).some((bus) => config.buses[bus]?.simulated === true);

const busesOf = (config: Config, name: string): readonly string[] => {
  const link = config.links[name];
  if (link === undefined) return [];
  const ofWitnesses = link.witnesses.flatMap((witness) => ('bus' in witness ? [witness.bus] : []));
  return [...new Set([...link.contacts.map((contact) => contact.bus), ...ofWitnesses])];
};
