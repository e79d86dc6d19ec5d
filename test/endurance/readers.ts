/** Who looks at a controller all the time: a dashboard that follows the events, a Prometheus, a receiver of notifications. */
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PeopleFile } from '../../src/api/people/people-file.ts';
import { People } from '../../src/api/people/people.ts';
import { ask, type Answer } from '../faults/http.ts';

const HOST = '127.0.0.1';
const TOKEN_DAYS = 1_095;

/** A token that reads everything. */
export async function readingToken(controllerState: string): Promise<string> {
  const asked = {
    label: 'endurance',
    scopes: ['read' as const, 'metrics' as const],
    days: TOKEN_DAYS,
    by: 'test',
  };
  return (await new People(new PeopleFile(controllerState)).addToken(asked)).secret;
}

/** Somebody with a token who asks the controller. */
export class Visitor {
  readonly #port: number;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(port: number, token: string) {
    this.#port = port;
    this.#headers = { authorization: `Bearer ${token}` };
  }

  /** Throws unless the answer is 200. */
  async get(path: string): Promise<Answer> {
    const answer = await ask({ host: HOST, port: this.#port, path, headers: this.#headers });
    if (answer.status !== 200)
      throw new Error(`${path} answered ${answer.status}: ${answer.text.slice(0, 300)}`);
    return answer;
  }

  /** Asks without a token; whatever is answered. */
  async stranger(path: string): Promise<number> {
    return (await ask({ host: HOST, port: this.#port, path })).status;
  }

  /** Follows the events until the answer is called, or the other side ends. Resolves when the first state has come. */
  follow(): Promise<Follower> {
    return new Promise((resolve, reject) => {
      const follower: { states: number; ended: boolean; leave: () => void } = {
        states: 0,
        ended: false,
        leave: () => asked.destroy(),
      };
      const asked = request(
        { host: HOST, port: this.#port, path: '/api/v1/events', headers: this.#headers, agent: false },
        (answer: IncomingMessage) => {
          if (answer.statusCode !== 200) reject(new Error(`events answered ${answer.statusCode}`));
          answer.setEncoding('utf8').on('data', (text: string) => {
            if (text.includes('event: state')) follower.states += 1;
            if (follower.states > 0) resolve(follower);
          });
          answer
            .on('error', () => undefined)
            .on('close', () => {
              follower.ended = true;
            });
        },
      );
      asked.on('error', reject);
      asked.end();
    });
  }
}

/** A page that follows. */
export interface Follower {
  readonly states: number;
  readonly ended: boolean;
  readonly leave: () => void;
}

/** Takes notifications and counts them. */
export class Receiver {
  readonly #server = createServer((asked, answer) => {
    this.taken += 1;
    asked.resume().on('end', () => answer.end('{}'));
  });
  taken = 0;

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, HOST, resolve));
    return `http://${HOST}:${(this.#server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
