/**
 * Bytes that strangers and clumsy senders put on the wire, each as it was meant to hurt. `TOKEN` and `WRONG` stand for a
 * right and a wrong token. Add what was ever found; take nothing away.
 */
import { gzipSync } from 'node:zlib';

/** One thing to put on the wire. */
export interface Raw {
  readonly name: string;
  readonly bytes: Buffer;
  /** The status of every answer that comes, in order; none: the connection is closed without one. */
  readonly answers: readonly number[];
}

const raw = (name: string, bytes: string | Buffer, ...answers: number[]): Raw => ({
  name,
  bytes: typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes,
  answers,
});

/** The token that is believed. */
export const TOKEN = 'correct-horse-battery-staple';
const RIGHT = `Authorization: Bearer ${TOKEN}`;
const WRONG = 'Authorization: Bearer incorrect';
const LINE = 'POST /trip/bearer HTTP/1.1';

/** A whole request: request line, header lines, body as it stands. */
const whole = (headers: readonly string[], body: string | Buffer = '', line = LINE): Buffer =>
  Buffer.concat([Buffer.from([line, ...headers, '', ''].join('\r\n'), 'latin1'), Buffer.from(body)]);
const sized = (headers: readonly string[], body: string | Buffer, line = LINE): Buffer =>
  whole([...headers, `Content-Length: ${Buffer.byteLength(body)}`], body, line);
const url = (path: string, method = 'POST'): Buffer => sized([RIGHT], '{}', `${method} ${path} HTTP/1.1`);

const BOMB = gzipSync(Buffer.alloc(20_000_000));
const DEEP = '['.repeat(200_000);

/** None of these may cut: garbled, ambiguous, not verified, or not for the kill switch. */
export const HARMLESS: readonly Raw[] = [
  // No HTTP at all.
  raw('nothing', ''),
  raw('an empty line', '\r\n'),
  raw('a NUL', '\0', 400),
  raw('a TLS ClientHello', Buffer.from('16030100c8010000c40303', 'hex'), 400),
  raw('an SSH banner', 'SSH-2.0-OpenSSH_9.2\r\n', 400),
  raw('an SMTP greeting', 'EHLO box\r\n', 400),
  raw('a SOCKS greeting', Buffer.from('050100', 'hex'), 400),
  raw('a proxy protocol header', `PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n${sized([RIGHT], '{}').toString()}`, 400),
  raw('a proxy protocol header, version 2', Buffer.from('0d0a0d0a000d0a515549540a', 'hex'), 400),
  raw('HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400),
  raw('HTTP/0.9', 'POST /trip/bearer\r\n', 400),
  raw('HTTP/3.0', sized([RIGHT], '{}', 'POST /trip/bearer HTTP/3.0'), 400),
  raw('HTTP/1.1 misspelt', sized([RIGHT], '{}', 'POST /trip/bearer HTTQ/1.1'), 400),
  raw('bytes of every value', Buffer.from(Array.from({ length: 256 }, (_, index) => index)), 400),
  raw('a line feed alone between the lines', sized([RIGHT], '{}').toString().replaceAll('\r\n', '\n'), 400),
  raw('carriage returns alone', sized([RIGHT], '{}').toString().replaceAll('\r\n', '\r'), 400),
  // Half of something.
  raw('half a method', 'PO', 400),
  raw('half an address', 'POST /trip/bea', 400),
  raw('half a header', `${LINE}\r\n${RIGHT.slice(0, 10)}`, 400),
  raw('headers without their end', `${LINE}\r\n${RIGHT}\r\n`, 400),
  raw('half a body', whole([RIGHT, 'Content-Length: 100'], '{"status":"firing"'), 400),
  raw('half a chunk', whole([RIGHT, 'Transfer-Encoding: chunked'], '64\r\n{"status"'), 400),
  raw('chunks without their end', whole([RIGHT, 'Transfer-Encoding: chunked'], '2\r\n{}\r\n'), 400),
  // Two readers might see two lengths.
  raw('two lengths', whole([RIGHT, 'Content-Length: 2', 'Content-Length: 3'], '{}'), 400),
  raw('the same length twice', whole([RIGHT, 'Content-Length: 2', 'Content-Length: 2'], '{}'), 400),
  raw('a list of lengths', whole([RIGHT, 'Content-Length: 2, 2'], '{}'), 400),
  raw(
    'a length and chunks',
    whole([RIGHT, 'Content-Length: 2', 'Transfer-Encoding: chunked'], '2\r\n{}\r\n0\r\n\r\n'),
    400,
  ),
  raw(
    'chunks and a length',
    whole([RIGHT, 'Transfer-Encoding: chunked', 'Content-Length: 2'], '2\r\n{}\r\n0\r\n\r\n'),
    400,
  ),
  raw('a negative length', whole([RIGHT, 'Content-Length: -2'], '{}'), 400),
  raw('a signed length', whole([RIGHT, 'Content-Length: +2'], '{}'), 400),
  raw('a length in hexadecimal', whole([RIGHT, 'Content-Length: 0x2'], '{}'), 400),
  raw('a length beyond 64 bits', whole([RIGHT, 'Content-Length: 99999999999999999999'], '{}'), 400),
  raw('a length that wraps to 2', whole([RIGHT, 'Content-Length: 18446744073709551618'], '{}'), 400),
  raw('no length at all', whole([RIGHT, 'Content-Length:'], '{}'), 400),
  raw(
    'chunked, then something',
    whole([RIGHT, 'Transfer-Encoding: chunked, identity'], '2\r\n{}\r\n0\r\n\r\n'),
    400,
  ),
  raw(
    'chunked twice',
    whole([RIGHT, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], '2\r\n{}\r\n0\r\n\r\n'),
    400,
  ),
  raw(
    'an unknown transfer encoding',
    whole([RIGHT, 'Transfer-Encoding: xchunked'], '2\r\n{}\r\n0\r\n\r\n'),
    400,
  ),
  raw(
    'a chunk size that is none',
    whole([RIGHT, 'Transfer-Encoding: chunked'], 'zz\r\n{}\r\n0\r\n\r\n'),
    400,
  ),
  raw(
    'a chunk size beyond 64 bits',
    whole([RIGHT, 'Transfer-Encoding: chunked'], 'ffffffffffffffffff\r\n{}\r\n0\r\n\r\n'),
    400,
  ),
  raw('a negative chunk size', whole([RIGHT, 'Transfer-Encoding: chunked'], '-2\r\n{}\r\n0\r\n\r\n'), 400),
  raw(
    'a chunk longer than it says',
    whole([RIGHT, 'Transfer-Encoding: chunked'], '1\r\n{}\r\n0\r\n\r\n'),
    400,
  ),
  raw(
    'a chunk extension of 20 kB',
    whole([RIGHT, 'Transfer-Encoding: chunked'], `2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`),
    400,
  ),
  // Headers.
  raw('a blank before the colon', whole([`Authorization : Bearer ${TOKEN}`, 'Content-Length: 0']), 400),
  raw('a header that is folded', whole(['Authorization: Bearer', ` ${TOKEN}`, 'Content-Length: 0']), 400),
  raw('a header without a name', whole([`: ${TOKEN}`, RIGHT, 'Content-Length: 0']), 400),
  raw('a header without a colon', whole(['Authorization', RIGHT, 'Content-Length: 0']), 400),
  raw('a NUL in a header', whole([`${RIGHT}\0`, 'Content-Length: 0']), 400),
  raw('a line feed in a header', whole([`X: a\n${RIGHT}`, 'Content-Length: 0']), 400),
  raw('a header of 100 kB', whole([RIGHT, `X: ${'a'.repeat(100_000)}`]), 431),
  raw('5,000 headers', whole([RIGHT, ...Array.from({ length: 5_000 }, (_, index) => `X-${index}: a`)]), 431),
  raw('a token and a wrong one', whole([RIGHT, WRONG, 'Content-Length: 0']), 401),
  raw('a wrong token and a right one', whole([WRONG, RIGHT, 'Content-Length: 0']), 401),
  raw('the right token twice', whole([RIGHT, RIGHT, 'Content-Length: 0']), 401),
  raw('the right token twice in one header', whole([`${RIGHT}, Bearer ${TOKEN}`, 'Content-Length: 0']), 401),
  raw('an expectation that nobody meets', whole([RIGHT, 'Expect: the-unexpected', 'Content-Length: 0']), 417),
  // Who is not believed.
  raw('no token', sized([], '{"status":"firing"}'), 401),
  raw('a wrong token', sized([WRONG], '{"status":"firing"}'), 401),
  raw('a token with a byte more', sized([`${RIGHT}x`], '{}'), 401),
  raw('a token with a byte less', sized([RIGHT.slice(0, -1)], '{}'), 401),
  raw('a token in another case', sized([RIGHT.toUpperCase()], '{}'), 401),
  raw('an empty token', sized(['Authorization: Bearer '], '{}'), 401),
  raw('a token of bytes that are no text', sized(['Authorization: Bearer \xff\xfe\xfd'], '{}'), 401),
  raw('a token in the body', sized([], RIGHT), 401),
  raw('a token in the address', sized([], '{}', `POST /trip/bearer/${TOKEN} HTTP/1.1`), 401),
  raw('a token in the query', sized([], '{}', `POST /trip/bearer?token=${TOKEN} HTTP/1.1`), 401),
  raw('a wrong token, a gzip bomb', sized([WRONG, 'Content-Encoding: gzip'], BOMB), 401),
  raw('a wrong token, 200,000 brackets', sized([WRONG], DEEP), 401),
  raw('a wrong token, bytes that are no text', sized([WRONG], Buffer.alloc(1_000, 0xff)), 401),
  raw(
    'a signature of an empty body on another',
    sized(['X-Signature: sha256=00'], '{}', 'POST /trip/signed HTTP/1.1'),
    401,
  ),
  raw(
    'a signature of 10 kB',
    sized([`X-Signature: sha256=${'0'.repeat(10_000)}`], '{}', 'POST /trip/signed HTTP/1.1'),
    401,
  ),
  // Addresses.
  raw('no such source', url('/trip/nobody'), 401),
  raw('a prototype', url('/trip/__proto__'), 401),
  raw('a name that every object has', url('/trip/constructor'), 401),
  raw('a source without a name', url('/trip/'), 401),
  raw('two slashes', url('//trip/bearer'), 404),
  raw('dots', url('/x/../trip/bearer'), 404),
  raw('escaped dots', url('/trip/%2e%2e/bearer'), 401),
  raw('an escape that is none', url('/trip/%zz'), 400),
  raw('an escape that is no UTF-8', url('/trip/%ff%fe'), 400),
  raw('an overlong escape', url('/trip/%c0%af'), 400),
  raw('an escaped NUL', url('/trip/bearer%00'), 401),
  raw('bytes in the address', url('/trip/\xff\xfe'), 400),
  raw('an address of 10 kB', url(`/trip/${'a'.repeat(10_000)}`), 400),
  raw('an address of 100 kB', url(`/trip/${'a'.repeat(100_000)}`), 431),
  raw('a name in another case', url('/TRIP/bearer'), 404),
  raw('a semicolon', url('/trip/bearer;x=y'), 401),
  raw('an asterisk', url('*', 'OPTIONS'), 404),
  // Methods.
  raw('GET', url('/trip/bearer', 'GET'), 404),
  raw('DELETE', url('/trip/bearer', 'DELETE'), 404),
  raw('TRACE', url('/trip/bearer', 'TRACE'), 404),
  raw('a method in small letters', url('/trip/bearer', 'post'), 400),
  raw('a method that is none', url('/trip/bearer', 'TRIP'), 400),
  raw('CONNECT', 'CONNECT vault:22 HTTP/1.1\r\nHost: vault:22\r\n\r\n'),
  // More than there may be.
  raw('a declared body of 2 MB', whole([RIGHT, 'Content-Length: 2000000'], '{}'), 413),
  raw('a byte more than a body may have', sized([RIGHT], Buffer.alloc(1_048_577, 0x20)), 413),
  raw(
    '2 MB in chunks',
    whole([RIGHT, 'Transfer-Encoding: chunked'], `1e8480\r\n${' '.repeat(2_000_000)}\r\n0\r\n\r\n`),
    413,
  ),
  raw('a second request behind the first', Buffer.concat([sized([WRONG], '{}'), sized([RIGHT], '{}')]), 401),
  raw(
    'a request in a body that says it is shorter',
    whole([WRONG, 'Content-Length: 2'], `{}${sized([RIGHT], '{}').toString()}`),
    401,
  ),
];

const chunked = (body: string): Buffer => whole([RIGHT, 'Transfer-Encoding: chunked'], body);

/** All of these must cut, however odd they look. */
export const VALID: readonly Raw[] = [
  raw('no Host', sized([RIGHT], '{}'), 200),
  raw('HTTP/1.0', sized([RIGHT], '{}', 'POST /trip/bearer HTTP/1.0'), 200),
  raw('empty lines before it', Buffer.concat([Buffer.from('\r\n\r\n'), sized([RIGHT], '{}')]), 200),
  raw('header names in any case', sized([RIGHT.replace('Authorization', 'aUTHORIZATION')], '{}'), 200),
  raw('blanks around the token', sized([`Authorization: \t Bearer   ${TOKEN} \t`], '{}'), 200),
  raw('PUT', url('/trip/bearer', 'PUT'), 200),
  raw('a query', url('/trip/bearer?a=b&c'), 200),
  raw('an address with its host', url('http://box/trip/bearer'), 200),
  raw('chunks', chunked('2\r\n{}\r\n0\r\n\r\n'), 200),
  raw(
    'chunks of a byte, with extensions and trailers',
    chunked('1;a=b\r\n{\r\n1\r\n}\r\n0\r\nX-Late: yes\r\n\r\n'),
    200,
  ),
  raw('an expectation', sized([RIGHT, 'Expect: 100-continue'], '{}'), 100, 200),
  raw(
    'a wish to speak something else',
    sized([RIGHT, 'Upgrade: websocket', 'Connection: Upgrade'], '{}'),
    200,
  ),
  raw('no body', sized([RIGHT], ''), 200),
  raw('a gzip bomb of somebody who is believed', sized([RIGHT, 'Content-Encoding: gzip'], BOMB), 200),
  raw('200,000 brackets of somebody who is believed', sized([RIGHT], DEEP), 200),
  raw('bytes that are no text', sized([RIGHT], Buffer.alloc(1_000, 0xff)), 200),
  raw('half a surrogate', sized([RIGHT], '{"status":"\\ud800"}'), 200),
  raw('keys that objects have', sized([RIGHT], '{"__proto__":{"status":"resolved"},"constructor":1}'), 200),
  raw('resolved and firing', sized([RIGHT], '{"status":"resolved","status":"firing"}'), 200),
  raw('firing and resolved', sized([RIGHT], '{"status":"firing","status":"resolved"}'), 200),
  raw('a number that is none', sized([RIGHT], '{"status":1e999999}'), 200),
  raw('exactly as long as a body may be', sized([RIGHT], Buffer.alloc(1_048_576, 0x20)), 200),
  raw('a content type that is none', sized([RIGHT, 'Content-Type: ;;;\xff'], '{}'), 200),
];
