/** Refused requests in the journal: a flood is a few entries, and none of it is lost. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RefusalNotes } from '../../src/api/routes/refusal-notes.ts';

let noted: { readonly type: string; readonly data: Readonly<Record<string, unknown>> }[];
let notes: RefusalNotes;
beforeEach(() => {
  vi.useFakeTimers();
  noted = [];
  notes = new RefusalNotes((type, data) => void noted.push({ type, data }));
});
afterEach(() => {
  vi.useRealTimers();
});

test('the first at once, the rest of a minute as one number', () => {
  for (let i = 0; i < 10_000; i += 1) notes.refused('nobody', 'POST /api/v1/login', 'slow-down', '10.0.0.9');
  expect(noted).toEqual([
    {
      type: 'controller.refused',
      data: { who: 'nobody', what: 'POST /api/v1/login', code: 'slow-down', from: '10.0.0.9' },
    },
  ]);
  vi.advanceTimersByTime(60_000);
  expect(noted).toHaveLength(2);
  expect(noted[1]?.data).toMatchObject({ code: 'slow-down', more: 9_999 });
  vi.advanceTimersByTime(600_000);
  expect(noted).toHaveLength(2);
});

test('a page that was forgotten costs an entry an hour, whatever it asks how often', () => {
  for (const everyMs of [5_000, 61_000, 600_000]) {
    noted = [];
    let asked = 0;
    for (let ms = 0; ms < 86_400_000; ms += everyMs) {
      notes.refused('nobody', 'GET /api/v1/state', 'login-needed', '10.0.0.9');
      asked += 1;
      vi.advanceTimersByTime(everyMs);
    }
    expect(noted.length).toBeLessThan(24 + 10);
    vi.advanceTimersByTime(3 * 3_600_000);
    const counted = noted.reduce(
      (sum, { data }) => sum + (typeof data['more'] === 'number' ? data['more'] : 1),
      0,
    );
    expect(counted).toBe(asked);
  }
});

test('after hours of quiet the next one is written at once', () => {
  notes.refused('nobody', 'GET /', 'login-needed', '10.0.0.9');
  vi.advanceTimersByTime(3 * 3_600_000);
  notes.refused('nobody', 'GET /', 'login-needed', '10.0.0.9');
  expect(noted).toHaveLength(2);
});

test('a flood from everywhere is bounded, and counted whole', () => {
  for (let i = 0; i < 5_000; i += 1)
    notes.refused('nobody', 'GET /', 'host-unknown', `10.0.${i >> 8}.${i & 255}`);
  expect(noted.length).toBeLessThanOrEqual(51);
  notes.stop();
  const counted = noted.reduce(
    (sum, { data }) => sum + (typeof data['more'] === 'number' ? data['more'] : 1),
    0,
  );
  expect(counted).toBe(5_000);
});

test('what somebody sent is bounded', () => {
  notes.refused('x'.repeat(500), `GET /${'y'.repeat(5_000)}`, 'role-missing', '10.0.0.9');
  expect(JSON.stringify(noted).length).toBeLessThan(400);
});
