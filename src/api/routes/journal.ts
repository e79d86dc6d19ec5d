/** The journal and what follows from it: pages, proof, export, history. */
import { Readable } from 'node:stream';
import { exportPieces, pageOf } from '../journal/journal-reading.ts';
import { nameOf } from '../people/caller.ts';
import type { Desk } from '../desk.ts';
import { historyOf } from '../documents/history.ts';
import {
  exportQuery,
  history,
  historyQuery,
  journalPage,
  journalQuery,
  verification,
  verificationRequest,
} from '../documents/journal.ts';
import { ApiRefusal } from './refusal.ts';
import { route, type Route } from './route.ts';
import { Turns } from '../journal/turns.ts';

/** Searches of the journal at one time, and those that wait; exports at one time. */
const SEARCHES = { together: 4, waiting: 64 };
const EXPORTS = 4;

const TYPES = { jsonl: 'application/jsonl; charset=utf-8', csv: 'text/csv; charset=utf-8' } as const;

/** The routes of the journal. */
export function journalRoutes(desk: Desk): readonly Route[] {
  const searches = new Turns(SEARCHES.together, SEARCHES.waiting);
  return [
    route({
      method: 'GET',
      path: '/journal',
      who: 'read',
      summary: 'Entries of the journal, newest first; filters are combined',
      query: journalQuery,
      answer: journalPage,
      handle: async ({ query }) => {
        const { status } = await desk.interlock.known();
        const journal = status?.journal ?? { size: desk.face.chronicle.through, head: '' };
        return searches.take(() => pageOf(desk.face.client, query, journal));
      },
    }),
    route({
      method: 'POST',
      path: '/journal/verification',
      who: 'read',
      summary: 'Begin to prove that the journal is whole; one proof at a time',
      body: verificationRequest,
      answer: verification,
      handle: ({ body, caller }) => desk.verifications.begin(nameOf(caller), body.head ?? null),
    }),
    route({
      method: 'GET',
      path: '/journal/verification',
      who: 'read',
      summary: 'How far the proof is, or what it came to',
      answer: verification,
      handle: () => {
        const shown = desk.verifications.show();
        if (shown !== null) return shown;
        throw new ApiRefusal(
          404,
          'not-verified',
          'no proof was asked for since the controller began',
          'POST here',
        );
      },
    }),
  ];
}

/** The export of the journal. */
export function exportRoutes(desk: Desk): readonly Route[] {
  const exports = new Turns(EXPORTS, 0);
  return [
    route({
      method: 'GET',
      path: '/journal/export',
      who: 'read',
      summary: 'The entries of the journal for other programs; `journal verify` proves them',
      query: exportQuery,
      answer: 'application/jsonl',
      handle: ({ query, reply }) => {
        const { format, from_seq = 1, to_seq = Number.MAX_SAFE_INTEGER } = query;
        reply.raw.once('close', exports.claim());
        return reply
          .type(TYPES[format])
          .header('content-disposition', `attachment; filename="portcullis-journal.${format}"`)
          .send(Readable.from(exportPieces(desk.face.client, format, from_seq, to_seq)));
      },
    }),
  ];
}

/** The routes of what follows from it. */
export const historyRoutes = (desk: Desk): readonly Route[] => [
  route({
    method: 'GET',
    path: '/history',
    who: 'read',
    summary: 'Exposure by day, trips, proof tests, faults and windows of the last days',
    query: historyQuery,
    answer: history,
    handle: ({ query }) => historyOf(desk.face, query.days),
  }),
];
