/**
 * What every request must pass before anybody looks at who sent it: the name of this box (a page elsewhere may point its own
 * name at us: DNS rebinding), and, where it changes something for a browser, a sign that one of our own pages sent it.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { ApiRefusal } from './refusal.ts';

/** On every answer. No inline script, no inline style, nothing from elsewhere, in nobody's frame, in no cache. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store',
};

const NAME = /^[a-z0-9.-]{1,253}$/;

/** The host of a Host header or origin, without its port; null when it is none. */
function hostOf(text: string): string | null {
  const bracketed = /^\[([0-9a-fA-F:.]+)\](?::\d{1,5})?$/.exec(text);
  if (bracketed !== null) return bracketed[1] ?? null;
  const host = text
    .replace(/:\d{1,5}$/, '')
    .toLowerCase()
    .replace(/\.$/, '');
  return NAME.test(host) ? host : null;
}

/** Names under which browsers may reach this box. An address cannot be rebound, so every address may. */
export class KnownNames {
  readonly #names: ReadonlySet<string>;

  constructor(names: Iterable<string>) {
    this.#names = new Set([...names].map((name) => name.toLowerCase()));
  }

  /** Throws unless the Host header names this box. */
  check(header: string | undefined): void {
    const host = header === undefined ? null : hostOf(header);
    if (
      host !== null &&
      (isIP(host) !== 0 || host === 'localhost' || host.endsWith('.localhost') || this.#names.has(host))
    )
      return;
    throw new ApiRefusal(
      421,
      'host-unknown',
      'this box is not known under the name that was asked for',
      'use its address, or add the name to `controller.names` in the configuration',
    );
  }
}

/** Throws unless a request that changes something came from one of our own pages, or from no browser at all. */
export function checkOrigin(headers: IncomingHttpHeaders): void {
  const site = headers['sec-fetch-site'];
  const { origin, host } = headers;
  const foreign = new ApiRefusal(
    403,
    'other-origin',
    'this request was sent by a page of somewhere else',
    'use the pages of this box, or a token',
  );
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw foreign;
  if (origin === undefined) return;
  let asked: string;
  try {
    asked = new URL(origin).host;
  } catch {
    throw foreign; // `null`: a sandboxed or local page
  }
  if (asked !== host?.toLowerCase()) throw foreign;
}
