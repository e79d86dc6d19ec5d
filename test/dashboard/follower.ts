/** A dashboard without a browser: it holds the event stream and remembers the last state of the link. */
import { get, type ClientRequest } from 'node:http';
import type { State } from '../../src/api/documents/state-document.ts';

export class Follower {
  /** The state of the first link, as it was told last. */
  last = '';
  readonly #request: ClientRequest;

  constructor(url: string, cookie: { readonly name: string; readonly value: string } | undefined) {
    const headers = cookie === undefined ? {} : { cookie: `${cookie.name}=${cookie.value}` };
    // One connection each, as each browser would have.
    this.#request = get(`${url}api/v1/events`, { headers, agent: false }, (answer) => {
      let pending = '';
      answer.setEncoding('utf8').on('data', (text: string) => {
        const parts = (pending + text).split('\n\n');
        pending = parts.pop() ?? '';
        for (const part of parts) this.#hear(part);
      });
      answer.on('error', () => undefined); // left
    });
    this.#request.on('error', () => undefined); // left
  }

  #hear(event: string): void {
    const data = /^event: state\ndata: (.*)$/m.exec(event)?.[1];
    if (data !== undefined) this.last = (JSON.parse(data) as State).links[0]?.state ?? '';
  }

  leave(): void {
    this.#request.destroy();
  }
}
