/**
 * The interlock's own small page, for when the controller is down: how every link stands, and a form that cuts.
 *
 * It works without script and asks for nothing from anywhere. Who may read the state is configured (`interlock.page`); the form
 * is there for everybody, because cutting is: it needs the name and the token of a source, as a webhook would, and a wrong
 * one is counted like any request that did not verify. A site elsewhere that makes a browser send the form knows no token.
 *
 * What it never does: hold up a trip. The state is put together at most twice a second, however many ask for it.
 */
import { isIPv4 } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { millis } from '../../core/time.ts';
import { html, type Html } from '../../listener/html.ts';
import { excerptOf, printable } from '../../sources/excerpt.ts';
import type { SourceRequest } from '../../sources/request.ts';
import { verify } from '../../sources/verify.ts';
import type { Interlock } from '../interlock.ts';
import { PAGE_HEADERS, pageOf } from './html.ts';
import { stateSections } from './state.ts';
import { type Heard, type SourceDesk, tripAnswer } from '../trips/source-desk.ts';
import { statusOf } from '../socket/status.ts';
import type { TripSource } from '../trips/trip-sources.ts';

/** How often a browser asks again, s. */
const REFRESH_S = 5;
/** What was put together is shown again for so long, ms. */
const FRESH_MS = 500;
/** Longest form, bytes. */
const MAX_FORM_BYTES = 8_192;
const MAX_REASON_CHARS = 300;
const MS_PER_SECOND = 1_000;

/** Who may read the state. */
export type PageReaders = 'loopback' | 'everybody' | 'nobody';

/** What the page is made of. */
export interface PageParts {
  readonly interlock: Interlock;
  readonly desk: SourceDesk;
  readonly sources: Readonly<Record<string, TripSource>>;
  readonly readers: PageReaders;
}

/** Adds `GET /`, `GET /cut` and `POST /cut`. */
export function addPage(app: FastifyInstance, parts: PageParts): void {
  const state = freshState(parts.interlock);
  app.get('/', (request, reply) =>
    mayRead(parts.readers, request.ip) ? show(reply, 200, state()) : show(reply, 200, cutForm(UNREADABLE)),
  );
  app.get('/cut', (_request, reply) => show(reply, 200, cutForm()));
  app.post('/cut', async (request, reply) => {
    const { status, answer } = await cut(parts, request);
    return show(reply, status, answered(status, answer));
  });
}

const show = (reply: FastifyReply, status: number, page: string): FastifyReply =>
  reply.code(status).headers(PAGE_HEADERS).send(page);

/** The page of the state as it is, or was a moment ago. */
function freshState(interlock: Interlock): () => string {
  let page = '';
  let madeAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = interlock.parts.clock.now();
    if (now - madeAt < FRESH_MS) return page;
    madeAt = now;
    const status = statusOf(interlock);
    page = pageOf(titleOf(status.links), REFRESH_S, [
      html`<h1>Portcullis interlock</h1>
        <p><a class="cut" href="/cut">Cut…</a></p>`,
      ...stateSections(status),
      html`<footer>
        The interlock itself says this, read anew every ${REFRESH_S} s. Build ${status.build}.
      </footer>`,
    ]);
    return page;
  };
}

/** The worst first, so that a tab says it. */
function titleOf(links: readonly { readonly link: string; readonly state: string }[]): string {
  const worst = ['stuck', 'tripped', 'unproven', 'connected'].flatMap((state) =>
    links.filter((each) => each.state === state),
  );
  const [first] = worst.length > 0 ? worst : links;
  return first === undefined ? 'Portcullis' : `${first.state}: ${first.link}`;
}

const UNREADABLE = html`<p>
  How the links stand is not shown here: see <code>interlock.page</code> in the configuration.
</p>`;

const cutForm = (before?: Html): string =>
  pageOf('Cut', null, [
    html`<h1>Cut the links of a source</h1>`,
    ...(before === undefined ? [] : [before]),
    html`<form method="post" action="/cut" autocomplete="off">
        <label>Source <input name="source" required maxlength="40" autocapitalize="none" autofocus /></label>
        <label>Its token <input name="token" type="password" required maxlength="1000" /></label>
        <label>Why <input name="reason" maxlength="${MAX_REASON_CHARS}" /></label>
        <p><button>Cut now</button></p>
      </form>
      <p>
        Every link that this source trips is isolated and latched, as if it had sent an alarm. Takes sources
        that prove themselves by a token, a password or a secret in the address.
      </p>
      <p><a href="/">How the links stand</a></p>`,
  ]);

/** What became of it, without a word that a wrong token would learn from. */
function answered(status: number, answer: Heard['answer']): string {
  const { links = [], error, hint } = answer as Record<string, unknown>;
  const cutLinks = (Array.isArray(links) ? links : []) as { link: string; written_ms: number | null }[];
  const rows = cutLinks.map(
    ({ link, written_ms: ms }) =>
      html`<li>
        ${link}: ${ms === null ? 'commanded; its board has not taken it yet' : `commanded in ${ms} ms`}
      </li>`,
  );
  const done = status === 200;
  return pageOf(done ? 'Cut' : 'Not done', null, [
    html`<h1>${done ? 'Cut and latched' : typeof error === 'string' ? error : 'not done'}</h1>`,
    html`<ul>
      ${rows}
    </ul>`,
    html`<p>${typeof hint === 'string' ? hint : ''}</p>
      <p>
        <a href="/">How the links stand</a>: only there it says whether isolation is proven.
        <a href="/cut">Again</a>
      </p>`,
  ]);
}

/** A form is a trip whose message is: cut. Everything up to the first `await` behind the verification happens in one tick. */
async function cut({ interlock, desk, sources }: PageParts, request: FastifyRequest): Promise<Heard> {
  const { clock } = interlock.parts;
  const receivedAt = clock.now();
  const form = formOf(request.body);
  const name = form.get('source') ?? '';
  const reason = printable(form.get('reason') ?? '', MAX_REASON_CHARS);
  // Without the token: what is refused stands in the journal with an excerpt.
  const rawBody = Buffer.from(JSON.stringify({ form: 'cut', reason }));
  const nothing: SourceRequest = { headers: {}, rawBody, pathSecret: null };
  const source = Object.hasOwn(sources, name) ? sources[name] : undefined;
  // A heartbeat trips nothing, so its token cuts nothing. No links by name would mean all of them.
  if (source === undefined || source.heartbeat === true || source.trips.length === 0)
    return desk.hear(name, nothing, request.ip, receivedAt);
  const shown = { ...nothing, ...proofOf(source, form.get('token') ?? '') };
  const verified = verify(
    source.verify,
    source.secrets,
    shown,
    Math.floor(clock.calendarMs() / MS_PER_SECOND),
  );
  if (!verified.ok) return desk.hear(name, nothing, request.ip, receivedAt);
  const by = `source:${name}`;
  const why = `cut by hand on the page${reason === '' ? '' : `: ${reason}`}`;
  const links = source.trips === 'all' ? [] : source.trips;
  const tripping = interlock.trip(links, { by, reason: why }, millis(receivedAt));
  const data = { source: name, tier: verified.tier, verdict: 'trip', reason: why, body: excerptOf(rawBody) };
  interlock.note({ type: 'trip.received', actor: by, data: { ...data, body: { ...data.body } } });
  return tripAnswer(await tripping, receivedAt);
}

function formOf(body: unknown): URLSearchParams {
  if (!Buffer.isBuffer(body) || body.length > MAX_FORM_BYTES) return new URLSearchParams();
  return new URLSearchParams(body.toString('utf8'));
}

/** The token, where the source would have it. Signatures and certificates cannot be typed: such a source does not verify. */
function proofOf({ verify: rule }: TripSource, token: string): Partial<SourceRequest> {
  switch (rule.type) {
    case 'bearer':
      return { headers: { authorization: `Bearer ${token}` } };
    case 'basic': {
      const pair = Buffer.from(`${rule.username}:${token}`).toString('base64');
      return { headers: { authorization: `Basic ${pair}` } };
    }
    case 'header':
      return { headers: { [rule.header]: `${rule.prefix}${token}` } };
    case 'path-secret':
      return { pathSecret: token };
    case 'hmac-sha256':
    case 'standard-webhooks':
    case 'mtls':
      return {};
  }
}

/** The configured readers; whoever asks through a proxy on this box counts as asking from it. */
function mayRead(readers: PageReaders, from: string): boolean {
  switch (readers) {
    case 'everybody':
      return true;
    case 'nobody':
      return false;
    case 'loopback':
      return isLoopback(from);
  }
}

/** True for `127.0.0.0/8` and `::1`, also as IPv4 in IPv6. */
function isLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}
