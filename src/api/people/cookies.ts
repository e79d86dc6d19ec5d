/** The one cookie. `__Host-` (RFC 6265bis) ties it to this very host, where TLS is there. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { cameOverTls } from '../../listener/client-certificate.ts';

const NAME = 'portcullis';
const SECURE_NAME = '__Host-portcullis';
const MAX_COOKIE_CHARS = 200;

const nameFor = (request: FastifyRequest): string => (cameOverTls(request.raw) ? SECURE_NAME : NAME);

/** The value of our cookie, or null. */
export function cookieOf(request: FastifyRequest): string | null {
  const wanted = nameFor(request);
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (at === -1 || pair.slice(0, at).trim() !== wanted) continue;
    const value = pair.slice(at + 1).trim();
    return value.length > MAX_COOKIE_CHARS ? null : value;
  }
  return null;
}

/** Sets the cookie; `maxAgeMs` 0 removes it. No script reads it, and no other site sends it. */
export function setCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  value: string,
  maxAgeMs: number,
): void {
  const secure = cameOverTls(request.raw) ? '; Secure' : '';
  const text = `${nameFor(request)}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${Math.floor(maxAgeMs / 1_000)}${secure}`;
  reply.header('set-cookie', text);
}
