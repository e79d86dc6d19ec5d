/** What was last heard of every source, for status pages. In memory only. */
import type { SourceStatus } from '../../protocol/messages.ts';
import { calendarText } from '../clock.ts';

type Verdict = NonNullable<SourceStatus['last']>['verdict'];

/** One request, as it was judged. */
export interface Hearing {
  /** Calendar time, ms since 1970. */
  readonly calendarMs: number;
  readonly verdict: Verdict;
  readonly note: string | null;
}

/** What a source is, whatever it says. */
export type SourceFacts = Pick<SourceStatus, 'source' | 'format' | 'tier' | 'heartbeat'>;

/** Keeps the last hearing of every source. */
export class SourceRecord {
  readonly #facts = new Map<string, SourceFacts>();
  readonly #last = new Map<string, Hearing>();
  readonly #unverified = new Map<string, number>();

  /** Names a source that is configured. Only of these anything is kept. */
  expect(facts: SourceFacts): void {
    this.#facts.set(facts.source, facts);
  }

  /** Notes how a request of this source was judged. */
  heard(source: string, hearing: Hearing): void {
    if (!this.#facts.has(source)) return;
    this.#last.set(source, hearing);
    if (hearing.verdict === 'unverified')
      this.#unverified.set(source, (this.#unverified.get(source) ?? 0) + 1);
  }

  /** Every source, in the order of the configuration. */
  status(): readonly SourceStatus[] {
    return [...this.#facts.values()].map((facts) => {
      const last = this.#last.get(facts.source);
      const { verdict, note } = last ?? { verdict: null, note: null };
      return {
        ...facts,
        last:
          last === undefined || verdict === null
            ? null
            : { at: calendarText(last.calendarMs), verdict, note },
        unverified: this.#unverified.get(facts.source) ?? 0,
      };
    });
  }
}
