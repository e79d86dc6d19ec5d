/** Commissions links without a procedure: writes the records that one would have left, for tests of something else. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { loadProfiles, PROFILE_DIRECTORY } from '../../src/contacts/profile-store.ts';
import { COMMISSIONING_DIRECTORY, recordPath } from '../../src/interlock/commissioning/book.ts';
import { type Digests, digestsOf } from '../../src/interlock/commissioning/digests.ts';
import { type CommissioningRecord, signedRecord } from '../../src/interlock/commissioning/record.ts';
import type { InterlockParts } from '../../src/interlock/interlock-parts.ts';
import { nodeDisk } from '../../src/journal/disk.ts';
import { openHeadKey } from '../../src/journal/heads.ts';
import { JOURNAL_DIRECTORY } from '../../src/journal/names.ts';

/** A record of a link that passed; its figures say that a test made them up. */
export function passedRecord(link: string, digests: Digests): CommissioningRecord {
  return {
    version: 1,
    link,
    at: '2026-01-01T00:00:00.000Z',
    by: { actor: 'person:test', uid: null },
    build: 'made up by a test',
    grade: 'simulated',
    digests: { ...digests },
    steps: [],
    contacts: [],
    witnesses: [],
    connected_ms: 0,
    verdict: 'passed',
    reasons: [],
  };
}

/** Makes every link of this configuration file a commissioned one, as it is configured now. */
export async function commissionedAsConfigured(file: string): Promise<void> {
  const configured = await readFile(file, 'utf8');
  const { profiles } = await loadProfiles(PROFILE_DIRECTORY, (id) => configured.includes(id));
  const loaded = await loadConfig(file, { profiles, secretsOf: 'none' });
  if (!('config' in loaded)) throw new Error(`${file} cannot be loaded: ${JSON.stringify(loaded)}`);
  const config: Config = loaded.config;
  const state = config.state_directory;
  await mkdir(join(state, JOURNAL_DIRECTORY), { recursive: true, mode: 0o750 });
  await mkdir(join(state, COMMISSIONING_DIRECTORY), { recursive: true, mode: 0o750 });
  const key = await openHeadKey(join(state, JOURNAL_DIRECTORY));
  for (const link of Object.keys(config.links)) {
    const text = signedRecord(passedRecord(link, digestsOf(config, link, profiles)), key);
    await nodeDisk.replace(recordPath(state, link), Buffer.from(text));
  }
}

/** Stands where an interlock of a test keeps its records: nothing is refused for want of a commissioning. */
export const everyLinkCommissioned: InterlockParts['commissionings'] = {
  plan: () => null,
  record: () => ({ kind: 'missing' }),
  refusal: () => null,
  save: () => Promise.reject(new Error('no record is kept here')),
  unsigned: null,
};
