/** Requests as monitoring tools and people send them: a connection each, nothing retried. */
import { type IncomingMessage, request, type RequestOptions } from 'node:http';

/** What was answered. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** CLOCK_MONOTONIC ms at which the answer was whole. */
  readonly at: number;
}

/** ms that any answer may take. */
const WITHIN_MS = 20_000;

/** Sends one request. Rejects when it is not answered. */
export function ask(options: RequestOptions, body?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ agent: false, timeout: WITHIN_MS, ...options }, (answer: IncomingMessage) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      answer.on('error', reject).on('end', () => {
        resolve({ status: answer.statusCode ?? 0, text, at: Number(process.hrtime.bigint()) / 1e6 });
      });
    });
    asked.on('error', reject);
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.end(body);
  });
}
