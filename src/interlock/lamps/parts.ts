/** The lamps as the configuration describes them. */
import type { LampOutput } from '../../contacts/lamp-output.ts';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../clock.ts';
import { Lamps } from './lamps.ts';

/** The lamps of this box, or none. */
export const configuredLamps = (
  { lamps }: Config,
  outputs: readonly LampOutput[],
  clock: Clock,
): { readonly lamps?: Lamps } =>
  lamps === undefined || outputs.length === 0
    ? {}
    : { lamps: new Lamps({ clock, outputs, steady: lamps.steady }) };
