/** The sources of the configuration, with their secrets, as the desk needs them. */
import { readFile } from 'node:fs/promises';
import type { Config, SourceConfig } from '../../config/schema.ts';
import { secretFileOf } from '../../config/schema/sources.ts';
import type { Reading } from '../../sources/read.ts';
import { secretsIn } from '../../sources/secrets.ts';
import type { SourcePolicy } from '../../sources/verdict.ts';
import type { VerificationRule } from '../../sources/verify.ts';

/** Who may pull the kill switch, or say that all is well. */
export interface TripSource extends SourcePolicy {
  readonly verify: VerificationRule;
  /** None for mTLS. */
  readonly secrets: readonly Uint8Array[];
  /** Nothing for a heartbeat. */
  readonly trips: 'all' | readonly string[];
  /** How its bodies are read; `null` for a heartbeat whose body does not matter. */
  readonly reading?: Reading | null;
  readonly heartbeat?: boolean;
}

/** Reads the secrets of all sources. Rejects with what to do when one is missing. */
export async function tripSources(config: Config): Promise<Record<string, TripSource>> {
  const sources: Record<string, TripSource> = Object.create(null) as Record<string, TripSource>;
  for (const [name, source] of Object.entries(config.sources)) {
    const secrets = await secretsOf(name, source);
    sources[name] = {
      verify: source.verify,
      secrets,
      trips: source.trips ?? [],
      on_unrecognised: source.on_unrecognised,
      reading: readingOf(source),
      heartbeat: source.heartbeat === true,
      ...(source.trip_on === undefined ? {} : { trip_on: source.trip_on }),
    };
  }
  return sources;
}

async function secretsOf(name: string, { verify }: SourceConfig): Promise<readonly Uint8Array[]> {
  const named = secretFileOf(verify);
  if (named === null) return [];
  const found = secretsIn(await readFile(named.file));
  if (found.ok) return found.secrets;
  throw new Error(`source ${name}: ${named.file}: ${found.why}; put the secret on its first line`);
}

/** How the bodies of a source are read. */
export function readingOf({ format, map }: SourceConfig): Reading | null {
  if (format === undefined) return null;
  return format === 'map' ? { format, map: map ?? {} } : { format };
}
