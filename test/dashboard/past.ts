/** What happened before: history, entries of the journal, sources. */
import type { History, JournalEntry } from '../../src/api/documents/journal.ts';
import type { Sources } from '../../src/api/documents/work.ts';
import { ago, DAY_MS, HOUR_MS, MINUTE_MS, trip } from './documents.ts';

/** A month in which things happened. */
export function historyOf(days: number): History {
  const day = (index: number): string => ago((days - 1 - index) * DAY_MS).slice(0, 10);
  const at = (index: number): string => `${day(index)}T03:11:00.000Z`;
  const indices = Array.from({ length: days }, (_, index) => index);
  return {
    timezone: 'Europe/Berlin',
    days,
    through_seq: 48_213,
    complete: true,
    links: [
      {
        link: 'vault',
        budget_ms: 4 * HOUR_MS,
        days: indices.map((index) => ({
          day: day(index),
          exposure_ms: index % 11 === 7 ? 0 : (32 + ((index * 37) % 29)) * MINUTE_MS,
          connections: index % 11 === 7 ? 0 : 1,
          trips: index === 21 ? 1 : 0,
        })),
      },
    ],
    trips: days > 21 ? [{ ...trip, at: at(21) }] : [],
    proofs: indices.map((index) => ({
      link: 'vault',
      contact: index % 2 === 0 ? 'relay' : 'switch-port',
      at: at(index),
      outcome: index === 13 ? ('failed' as const) : ('passed' as const),
      basis: 'witness',
      took_ms: index === 13 ? null : index % 2 === 0 ? 66 + ((index * 7) % 13) : 380 + ((index * 31) % 90),
      by: 'window' as const,
      seq: 1_000 + index * 40,
    })),
    faults: [13, 14]
      .filter((index) => index < days)
      .map((index) => ({
        at: at(index),
        link: 'vault',
        code: 'proof-test-failed',
        why: 'the contact switch-port alone was not seen to isolate',
        seq: 1_001 + index * 40,
      })),
    windows: [],
    commissionings: [{ link: 'vault', at: at(0), outcome: 'passed', by: 'person:ada', seq: 900 }],
  };
}

/** An entry of the journal. */
export const entryOf = (seq: number, type = 'link.isolated'): JournalEntry => ({
  seq,
  boot: 'a'.repeat(16),
  mono: seq * 1_000,
  at: ago((48_213 - seq) * 900),
  clock: 'synchronised',
  type,
  actor: type === 'link.tripped' ? 'source:alertmanager' : 'interlock',
  data:
    type === 'link.tripped'
      ? { link: 'vault', by: trip.by, reason: trip.reason }
      : { link: 'vault', proof: 'witness' },
  prev: 'b'.repeat(64),
});

/** Two sources, one of them never heard. */
export const SOURCES: Sources = {
  sources: [
    {
      source: 'alertmanager',
      format: 'alertmanager',
      tier: 1,
      heartbeat: false,
      last: { at: ago(12 * MINUTE_MS), verdict: 'trip', note: null },
      unverified: 3,
      trips: ['vault'],
      verify: 'bearer',
      url: 'https://portcullis.example:8470/trip/alertmanager',
      paste: [
        {
          title: 'alertmanager.yml',
          language: 'yaml',
          text: 'receivers:\n  - name: portcullis\n    webhook_configs:\n      - url: https://portcullis.example:8470/trip/alertmanager\n',
        },
      ],
    },
    {
      source: 'prometheus',
      format: null,
      tier: 3,
      heartbeat: true,
      last: null,
      unverified: 0,
      trips: [],
      verify: 'standard-webhooks',
      url: 'https://portcullis.example:8470/trip/prometheus',
      paste: [],
    },
  ],
};
