/** Reports of windows and what a month came to, as JSON and as pages to print. */
import { join } from 'node:path';
import { z } from 'zod';
import { makeMonth } from '../../controller/reports/make-month.ts';
import { type MonthDocument, monthDocument, monthName } from '../../controller/reports/month-document.ts';
import { monthPage } from '../../controller/reports/month-page.ts';
import { PAPER_POLICY } from '../../controller/reports/paper.ts';
import { NOTHING_FROM_ELSEWHERE, proveOverSocket } from '../../controller/reports/proving.ts';
import { reportPage } from '../../controller/reports/report-page.ts';
import { spanOf } from '../../controller/reports/span.ts';
import { readVkey } from '../../journal/heads.ts';
import { JOURNAL_DIRECTORY } from '../../journal/names.ts';
import type { Desk } from '../desk.ts';
import { ApiRefusal } from './refusal.ts';
import { readReport, reportsOf } from '../documents/report-reading.ts';
import { type Call, pathName, route, type Route } from './route.ts';
import { Turns } from '../journal/turns.ts';
import { report, type Report, reportsPage, reportsQuery } from '../documents/work.ts';

const HTML = 'text/html; charset=utf-8';
const ofReport = z.strictObject({ window: pathName, occurrence: pathName });
const ofMonth = z.strictObject({ month: monthName });
type OfReport = z.output<typeof ofReport>;

/** The routes of reports. */
export function reportRoutes(desk: Desk): readonly Route[] {
  const months = new Months(desk);
  return [
    route({
      method: 'GET',
      path: '/reports',
      who: 'read',
      summary: 'Reports of windows, newest first',
      query: reportsQuery,
      answer: reportsPage,
      handle: ({ query }) => reportsOf(desk.face.reportsDirectory, query),
    }),
    route({
      method: 'GET',
      path: '/reports/:window/:occurrence',
      who: 'read',
      summary: 'One report of a window',
      params: ofReport,
      answer: report,
      handle: ({ params }) => reportOf(desk, params),
    }),
    route({
      method: 'GET',
      path: '/reports/:window/:occurrence.html',
      who: 'read',
      summary: 'The same as a page to print',
      params: ofReport,
      answer: HTML,
      handle: async ({ params, reply }) => paper(reply, reportPage(await reportOf(desk, params))),
    }),
    route({
      method: 'GET',
      path: '/months/:month',
      who: 'read',
      summary: 'What a month came to, from entries of the journal that are verified on the way',
      params: ofMonth,
      answer: monthDocument,
      handle: ({ params }) => months.make(params.month),
    }),
    route({
      method: 'GET',
      path: '/months/:month.html',
      who: 'read',
      summary: 'The same as a page to print',
      params: ofMonth,
      answer: HTML,
      handle: async ({ params, reply }) => paper(reply, monthPage(await months.make(params.month))),
    }),
  ];
}

const paper = (reply: Call['reply'], page: string): Call['reply'] =>
  reply.type(HTML).header('content-security-policy', PAPER_POLICY).send(page);

async function reportOf(desk: Desk, { window, occurrence }: OfReport): Promise<Report> {
  const found = await readReport(desk.face.reportsDirectory, window, occurrence);
  if (found !== null) return found;
  const { reports_kept: kept } = desk.face.config.controller;
  throw new ApiRefusal(404, 'report-unknown', 'there is no such report', `the newest ${kept} are kept`);
}

/** Months that wait for their turn, at most. */
const MOST_WAITING = 4;

/** Summaries, made one after the other, each once for all who ask: it goes through a part of the journal. */
class Months {
  readonly #desk: Desk;
  readonly #turns = new Turns(1, MOST_WAITING);
  readonly #making = new Map<string, Promise<MonthDocument>>();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  make(month: string): Promise<MonthDocument> {
    const known = this.#making.get(month);
    if (known !== undefined) return known;
    const made = this.#turns.take(() => this.#made(month)).finally(() => this.#making.delete(month));
    this.#making.set(month, made);
    return made;
  }

  async #made(month: string): Promise<MonthDocument> {
    const { client, config, build } = this.#desk.face;
    const span = spanOf(month);
    if (span === null) throw new ApiRefusal(400, 'bad-request', 'this is no month', 'write it as 2026-11');
    return makeMonth({
      config,
      span,
      now: new Date(),
      build,
      signedHead: await client.head().catch(() => null), // the summary says so
      // Not there for a controller that may not read the journal's directory: heads are not checked then, which is said.
      vkey: await readVkey(join(config.state_directory, JOURNAL_DIRECTORY)).catch(() => null),
      prove: async (tally, heads) => {
        const proof = await proveOverSocket(client, tally, heads);
        return { ...proof, notes: [...proof.notes, NOTHING_FROM_ELSEWHERE] };
      },
    });
  }
}
