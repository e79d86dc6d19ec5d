/** Every figure of a commissioning, per contact and witness. */
import type { LinkFacts } from './facts.ts';
import type { ContactResult, LeaseResult, Times, WitnessResult } from './record.ts';
import { type Commanded, pathOf, type Sight } from './sight.ts';
import { spreadOf } from './spread.ts';

type Series = Record<keyof Times, number[]>;

interface ContactNotes {
  readonly times: Readonly<Record<Commanded, Series>>;
  isolatesAlone: ContactResult['isolates_alone'];
  isolatesAloneBy: ContactResult['isolates_alone_by'];
  isolatesAloneMs: number | null;
  compared: number;
  contradicted: number;
  withoutPower: ContactResult['without_power'];
  lease: Omit<LeaseResult, 'lease_ms' | 'connect_makes_permanent'>;
}

const noSeries = (): Series => ({ written: [], acknowledged: [], read_back: [], witness: [] });

/** Notes by contact and witness. Times are written down only while `timing` is set. */
export class FigureBook {
  readonly #facts: LinkFacts;
  readonly #contacts: ReadonlyMap<string, ContactNotes>;
  readonly #witnesses: ReadonlyMap<string, WitnessResult['saw']>;
  timing = false;

  constructor(facts: LinkFacts) {
    this.#facts = facts;
    this.#contacts = new Map(
      facts.contacts.map(({ name }) => [
        name,
        {
          times: { connected: noSeries(), isolated: noSeries() },
          isolatesAlone: 'not-tried',
          isolatesAloneBy: 'none',
          isolatesAloneMs: null,
          compared: 0,
          contradicted: 0,
          withoutPower: 'not-tried',
          lease: { ran_out_after_ms: null, renewal: 'not-tried', isolate_cancels: 'not-tried' },
        },
      ]),
    );
    this.#witnesses = new Map(
      facts.witnesses.map(({ name }) => [name, { connected: 0, isolated: 0, unknown: 0 }]),
    );
  }

  /** How often own word and witnesses could be compared, over all contacts. */
  get compared(): number {
    return [...this.#contacts.values()].reduce((sum, { compared }) => sum + compared, 0);
  }

  written(contact: string, to: Commanded, ms: number): void {
    if (this.timing) this.of(contact).times[to].written.push(ms);
  }

  acknowledged(contact: string, to: Commanded, ms: number): void {
    if (this.timing) this.of(contact).times[to].acknowledged.push(ms);
  }

  /** Counts what each witness said in one look. */
  looked(sight: Sight): void {
    for (const { kind, name, position } of sight) {
      const saw = kind === 'witness' ? this.#witnesses.get(name) : undefined;
      if (saw !== undefined) saw[position] += 1;
    }
  }

  /** Notes a sight that was waited for: times, and whether own word and witnesses agree. */
  settled(sight: Sight): void {
    const witnesses = sight.filter(({ kind }) => kind === 'witness');
    const contacts = sight.filter(({ kind }) => kind === 'contact');
    const seen = witnesses.filter(({ afterMs }) => afterMs !== null);
    const slowest = seen.length > 0 ? Math.max(...seen.map(({ afterMs }) => afterMs ?? 0)) : null;
    const shown = witnesses.some(({ position }) => position !== 'unknown');
    const path = pathOf(sight);
    for (const { name, expected, position, afterMs } of contacts) {
      const notes = this.of(name);
      if (this.timing && afterMs !== null) notes.times[expected].read_back.push(afterMs);
      if (this.timing && slowest !== null) notes.times[expected].witness.push(slowest);
      if (!shown || path === 'unknown' || position === 'unknown') continue;
      // In series, a missing path tells on a contact only when all of them say that they are connected.
      const allConnected = contacts.every((each) => each.position === 'connected');
      if (path === 'isolated' && position === 'connected' && !allConnected) continue;
      notes.compared += 1;
      if (path !== position) notes.contradicted += 1;
    }
  }

  /** The notes of one contact, for what only a step can tell. */
  of(contact: string): ContactNotes {
    const notes = this.#contacts.get(contact);
    if (notes === undefined) throw new TypeError(`no contact ${contact}`);
    return notes;
  }

  /** What goes into the record. */
  contacts(): ContactResult[] {
    return this.#facts.contacts.map(({ name, kind, profile, supply, hardwareLeaseMs }) => {
      const notes = this.of(name);
      return {
        name,
        kind,
        profile,
        supply,
        isolates_alone: notes.isolatesAlone,
        isolates_alone_by: notes.isolatesAloneBy,
        isolates_alone_ms: notes.isolatesAloneMs,
        connect: timesOf(notes.times.connected),
        isolate: timesOf(notes.times.isolated),
        read_back: { compared: notes.compared, contradicted: notes.contradicted },
        without_power: notes.withoutPower,
        hardware_lease:
          hardwareLeaseMs === null
            ? null
            : { lease_ms: hardwareLeaseMs, ...notes.lease, connect_makes_permanent: 'not-tried' },
      };
    });
  }

  /** What goes into the record. */
  witnesses(): WitnessResult[] {
    return this.#facts.witnesses.map(({ name, type }) => ({
      name,
      type,
      saw: { ...(this.#witnesses.get(name) ?? { connected: 0, isolated: 0, unknown: 0 }) },
    }));
  }
}

const timesOf = (series: Series): Times => ({
  written: spreadOf(series.written),
  acknowledged: spreadOf(series.acknowledged),
  read_back: spreadOf(series.read_back),
  witness: spreadOf(series.witness),
});
