/** Bodies of strangers, within a budget. */
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Bodies, BodyRefused } from '../../src/listener/bodies.ts';

const KIB = 1_024;

/** A request whose body is written by hand. */
function sender(headers: Record<string, string> = {}): IncomingMessage & PassThrough {
  return Object.assign(new PassThrough(), { headers }) as unknown as IncomingMessage & PassThrough;
}

test('a body comes as it was sent, in however many pieces', async () => {
  const bodies = new Bodies(64 * KIB);
  const request = sender();
  const body = bodies.read(request);
  const sent = Buffer.from(Array.from({ length: 10_000 }, (_, index) => index % 251));
  for (const byte of sent) request.write(Buffer.from([byte]));
  request.end();
  expect((await body).equals(sent)).toBe(true);
  expect(bodies.heldBytes).toBe(0);
});

test('no body is an empty one', async () => {
  const request = sender();
  const body = new Bodies(KIB).read(request);
  request.end();
  expect((await body).length).toBe(0);
});

test('exactly the limit is read; a byte more is 413, declared or not', async () => {
  const bodies = new Bodies(8 * KIB);
  const [exact, more] = [sender(), sender()];
  const [read, refused] = [bodies.read(exact), bodies.read(more)];
  exact.end(Buffer.alloc(8 * KIB));
  more.write(Buffer.alloc(8 * KIB));
  more.write(Buffer.alloc(1));
  expect((await read).length).toBe(8 * KIB);
  await expect(refused).rejects.toMatchObject({ statusCode: 413 });
  await expect(bodies.read(sender({ 'content-length': '8193' }))).rejects.toMatchObject({ statusCode: 413 });
  expect(bodies.heldBytes).toBe(0);
});

test('when all together are too much the largest gives way, never the small alarm', async () => {
  const bodies = new Bodies(64 * KIB, 128 * KIB);
  const alarm = sender();
  const small = bodies.read(alarm);
  alarm.write('{"status":');
  const greedy = Array.from({ length: 5 }, () => sender());
  const outcomes = greedy.map((each) =>
    bodies.read(each).then(
      () => 200,
      (error: unknown) => (error instanceof BodyRefused ? error.statusCode : error),
    ),
  );
  for (const each of greedy) each.write(Buffer.alloc(40 * KIB));
  await new Promise((resolve) => setImmediate(resolve));
  expect(bodies.heldBytes).toBeLessThanOrEqual(128 * KIB);
  alarm.end('"firing"}');
  expect((await small).toString()).toBe('{"status":"firing"}');
  for (const each of greedy) each.end();
  expect((await Promise.all(outcomes)).toSorted()).toEqual([200, 503, 503, 503, 503]);
  expect(bodies.heldBytes).toBe(0);
});

test('a sender that leaves before the end gives back what it held', async () => {
  const bodies = new Bodies(64 * KIB);
  const request = sender();
  const body = bodies.read(request);
  request.write(Buffer.alloc(10 * KIB));
  await new Promise((resolve) => setImmediate(resolve));
  expect(bodies.heldBytes).toBeGreaterThan(0);
  request.destroy();
  await expect(body).rejects.toMatchObject({ statusCode: 400 });
  expect(bodies.heldBytes).toBe(0);
});
