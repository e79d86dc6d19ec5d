/**
 * The records of all links, as this box believes them: read once at start, replaced by a commissioning. They lie in
 * `state_directory/commissioning/LINK.json`, durable like the latch.
 */
import { join } from 'node:path';
import { own } from '../../core/names.ts';
import type { Profile } from '../../contacts/profile.ts';
import type { Config } from '../../config/schema.ts';
import type { Refusal } from '../../core/link.ts';
import type { Disk } from '../../journal/disk.ts';
import type { HeadKey } from '../../journal/heads.ts';
import type { LinkParts } from '../link-at-work.ts';
import { type Digests, digestsOf } from './digests.ts';
import { isSimulated, realBusesOf } from '../../config/meaning/simulated.ts';
import { type LinkFacts, supplyOf } from './facts.ts';
import { type CommissioningRecord, readRecord, type RecordRead, signedRecord } from './record.ts';
import { commissioningRefusal } from './refusal.ts';

/** Below the state directory. */
export const COMMISSIONING_DIRECTORY = 'commissioning';
const MAX_WHY_CHARS = 200;

/** What there is to know about a link before it is commissioned. */
export interface LinkPlan {
  readonly facts: Omit<LinkFacts, 'unattended'>;
  readonly digests: Digests;
  /** Buses that lead to real boards: nobody may answer for the hand that they need. */
  readonly realBuses: readonly string[];
}

/** The file of a link's record. */
export const recordPath = (stateDirectory: string, link: string): string =>
  join(stateDirectory, COMMISSIONING_DIRECTORY, `${link}.json`);

/** Keeps the records. Without the key of this box no record is believed, and none can be made. */
export class CommissioningBook {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #key: HeadKey | null;
  readonly #plans: Readonly<Record<string, LinkPlan>>;
  readonly #reads = new Map<string, RecordRead>();

  /** `directory` is the state directory; the records' own one in it must exist before `save`. */
  constructor(disk: Disk, directory: string, key: HeadKey | null, plans: Readonly<Record<string, LinkPlan>>) {
    this.#disk = disk;
    this.#directory = directory;
    this.#key = key;
    this.#plans = plans;
  }

  async load(): Promise<void> {
    for (const link of Object.keys(this.#plans)) this.#reads.set(link, await this.#read(link));
  }

  plan(link: string): LinkPlan | null {
    return own(this.#plans, link) ?? null;
  }

  /** Why the commissioning of this link refuses a lease, or null. */
  refusal(link: string): Refusal | null {
    return commissioningRefusal(link, this.record(link), own(this.#plans, link)?.digests ?? {});
  }

  /** The record of this link, or why there is none to be believed. */
  record(link: string): RecordRead {
    return this.#reads.get(link) ?? { kind: 'missing' };
  }

  /** Whether `save` can work at all: why not, or null. */
  get unsigned(): string | null {
    return this.#key === null
      ? 'the key of signed heads (heads.key beside the journal) cannot be read'
      : null;
  }

  /**
   * Signs and keeps a record; it counts once this resolves, and one that failed at once, whatever the disk says. Rejects when
   * it would not survive power loss.
   */
  async save(record: CommissioningRecord): Promise<void> {
    if (record.verdict === 'failed') this.#reads.set(record.link, { kind: 'read', record });
    if (this.#key === null) throw new Error(this.unsigned ?? 'no key');
    const text = signedRecord(record, this.#key);
    await this.#disk.replace(recordPath(this.#directory, record.link), Buffer.from(text));
    this.#reads.set(record.link, { kind: 'read', record });
  }

  async #read(link: string): Promise<RecordRead> {
    if (this.#key === null) return { kind: 'unreadable', why: this.unsigned ?? '' };
    try {
      return readRecord(await this.#disk.read(recordPath(this.#directory, link)), link, this.#key.vkey);
    } catch (error) {
      return { kind: 'unreadable', why: String(error).slice(0, MAX_WHY_CHARS) };
    }
  }
}

/** What is to be known about every link of a configuration. */
export function plansOf(
  config: Config,
  profiles: ReadonlyMap<string, Profile>,
  links: Readonly<Record<string, LinkParts>>,
): Record<string, LinkPlan> {
  return Object.fromEntries(
    Object.entries(links).map(([name, parts]): [string, LinkPlan] => {
      const facts = {
        link: name,
        contacts: parts.contacts.map((contact) => {
          const { kind, hardwareLeaseMs } = contact;
          const written = config.links[name]?.contacts.find((each) => each.name === contact.name);
          const supply = written === undefined ? contact.name : supplyOf(written, config.buses);
          const profile = profiles.get(written?.profile ?? '');
          const answers = profile?.driver !== 'serial' || profile.read !== undefined;
          return {
            name: contact.name,
            kind,
            hardwareLeaseMs,
            answers,
            profile: written?.profile ?? '',
            supply,
          };
        }),
        witnesses: parts.witnesses.map((witness) => ({
          name: witness.name,
          type: witness.type,
          sees: own(parts.sees ?? {}, witness.name) ?? null,
          showsIsolation: witness.showsIsolation ?? true,
        })),
        connectTimeoutMs: parts.policy.connectTimeoutMs,
        isolateTimeoutMs: parts.policy.isolateTimeoutMs,
        simulated: isSimulated(config, name),
      };
      return [
        name,
        { facts, digests: digestsOf(config, name, profiles), realBuses: realBusesOf(config, name) },
      ];
    }),
  );
}
