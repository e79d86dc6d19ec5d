/** A month is counted from verified entries of the journal only; what is missing, tampered with or cut off is said. */
import { expect, test } from 'vitest';
import { monthLines, monthPage } from '../../src/controller/reports/month-page.ts';
import { monthDocument, type MonthDocument } from '../../src/controller/reports/month-document.ts';
import { signHead } from '../../src/journal/heads.ts';
import { occurrence, Story } from './story.ts';

const nightly = ({ windows }: MonthDocument) => windows.find(({ window }) => window === 'nightly');

test('ten days, counted by hand', async () => {
  const story = await Story.told();
  await story.report(1);
  const month = monthDocument.parse(await story.month());
  expect(nightly(month)).toEqual({
    window: 'nightly',
    link: 'vault',
    configured: true,
    planned: 10,
    run: 9,
    by_hand: 1,
    done: 5,
    partly_done: 0,
    failed: 1,
    cut_short: 1,
    skipped: 1,
    no_word: 1,
    missed: 1,
    missing: 1,
    not_known: 0,
  });
  expect(month.exceptions.map(({ occurrence: at, came_to }) => [at, came_to])).toEqual([
    [occurrence(3), 'cut-short'],
    [occurrence(4), 'missed'],
    [occurrence(5), 'MISSING'],
    [occurrence(6), 'failed'],
    [occurrence(7), 'skipped'],
    [occurrence(9), 'opened; the controller did not say how it went'],
  ]);
  // Five minutes of a window each, of which the tripped one was exposed until its proof; one session of five minutes.
  expect(month.links).toEqual([
    {
      link: 'vault',
      simulated: false,
      connections: 7,
      exposure_ms: 5 * 60_000 + 21_000 + 300_000,
      budget_ms: 120_000,
      longest_day: { day: expect.stringContaining('2026-11-') as string, exposure_ms: 300_000 },
      days_over_budget: [expect.stringContaining('2026-11-')],
      still_connected: false,
    },
  ]);
  expect(month.data).toEqual([
    {
      repository: 'main',
      backups: 4,
      backups_not_done: 2,
      bytes_added: 4_096,
      snapshots_copied: 0,
      snapshots_removed: 0,
      last_good_backup_at: new Date(Date.parse(occurrence(10)) + 30_000).toISOString(),
    },
  ]);
  expect(month.drills).toMatchObject([{ outcome: 'done', files: 20, as_source: 20, as_recorded: null }]);
  expect(month.checks).toMatchObject([{ outcome: 'done', data_read: '1/30' }]);
  expect(month.proof_tests).toMatchObject([
    { contact: 'relay', passed: 5, failed: 0, by_witness: 5, slowest_ms: 90 },
  ]);
  expect(month.trips).toMatchObject([
    {
      by: 'source:alarms',
      cut_ms: 1.25,
      proven_ms: 42,
      reset_at: new Date(Date.parse(occurrence(3)) + 600_000).toISOString(),
    },
  ]);
  expect(month.sessions).toMatchObject([
    { by: 'person:root', authority: 'box', lasted_ms: 302_000, ended: 'released' },
  ]);
  expect(month.refusals.map(({ what, count }) => [what, count])).toEqual([
    ['request.refused', 10],
    ['lease.refused', 1],
  ]);
  expect(month.guards).toMatchObject([{ what: 'nightly: canary skipped', count: 1 }]);
  expect(month.anomalies).toMatchObject([{ rule: 'canary', action: 'hold', released_by: 'person:ada' }]);
  expect(month.alarm_drills).toMatchObject([{ what: 'source:alarms', count: 1 }]);
  expect(month).toMatchObject({
    interlock_starts: 1,
    is_over: false,
    journal: { state: 'verified', first_seq: 1, last_seq: story.lines.length, entries: story.lines.length },
    reports: { kept: 1, disagreements: [], not_here: 7 },
  });
  expect(month.journal.heads_confirmed).toHaveLength(1);
});

test('files and socket tell the same', async () => {
  const story = await Story.told();
  const signed = signHead(
    story.headAfter(() => true),
    story.key,
  );
  const [files, socket] = [await story.month('files', signed), await story.month('socket', signed)];
  expect(files.journal.heads_confirmed).toHaveLength(1);
  const { journal: _files, not_verified: _of, ...counted } = files;
  const { journal, not_verified, ...alike } = socket;
  expect(alike).toEqual(counted);
  expect(journal).toEqual({ ...files.journal, read_from: 'socket' });
  expect(not_verified).toEqual(expect.arrayContaining([expect.stringContaining('the interlock gave')]));
});

test('a window that nothing speaks of is missing, also when the rest is an honest chain', async () => {
  const story = await Story.told(({ day, type }) => day !== 8 || type === 'link.alarm');
  await story.report(8, { journal_head: null });
  const month = await story.month();
  expect(month.journal.state).toBe('verified');
  expect(nightly(month)).toMatchObject({ planned: 10, run: 8, missing: 2, done: 4 });
  // Its report is still there, written by another user.
  expect(month.reports.disagreements).toEqual([expect.stringContaining('there is a report')]);
});

test.each(['files', 'socket'] as const)(
  'an entry that was changed is said, and nothing behind it is counted (%s)',
  async (from) => {
    const story = await Story.told();
    const index = story.lines.findIndex((line) => line.includes('mass <deletion>'));
    story.lines[index] = (story.lines[index] ?? '').replace('mass <deletion>', 'nothing at all ');
    story.save();
    const month = await story.month(from);
    expect(month.journal).toMatchObject({ state: 'not-verified', last_seq: index });
    // What the changed entry says now is not counted either.
    expect(month.trips).toEqual([]);
    expect(month.journal.problems).toEqual([expect.stringContaining('prev is not the hash')]);
    expect(nightly(month)).toMatchObject({ planned: 10, run: 4, done: 3, missing: 0, not_known: 7 });
    expect(month.data[0]?.backups).toBe(2);
    expect(month.not_verified[0]).toContain(`only up to entry ${index + 1}`);
    for (const shown of [monthPage(month), monthLines(month).join('\n')])
      expect(shown).toContain('THE JOURNAL DOES NOT VERIFY');
  },
);

test.each(['files', 'socket'] as const)(
  'an end that was cut off contradicts the head in a report (%s)',
  async (from) => {
    const story = await Story.told();
    await story.report(10);
    expect((await story.month(from)).journal).toMatchObject({ state: 'verified', heads_contradicted: [] });
    const cut = story.entries.findIndex(({ type }) => type === 'session.began');
    story.lines.splice(cut);
    story.save();
    const month = await story.month(from);
    expect(month.journal.state).toBe('not-verified');
    expect(month.journal.heads_contradicted).toEqual([
      expect.stringContaining(`report nightly ${occurrence(10)}`),
    ]);
    expect(nightly(month)).toMatchObject({ not_known: 1 });
  },
);

test('a report that says something else than the journal is named', async () => {
  const story = await Story.told();
  await story.report(1, { exposure_seconds: 5 });
  await story.report(6);
  const { reports } = await story.month();
  expect(reports.disagreements).toEqual([
    expect.stringContaining('5 s of exposure, the journal 60 s'),
    expect.stringContaining('the report says done, the journal failed'),
  ]);
});

test('simulated is said wherever the link is', async () => {
  const story = await Story.told();
  await story.report(2, { evidence_grade: 'simulated' });
  const month = await story.month();
  expect(month.simulated).toEqual(['vault']);
  const page = monthPage(month);
  expect(page).toContain('proves nothing about hardware');
  expect(page.match(/vault \(SIMULATED\)/g)?.length).toBe(3);
});

test('text from outside is text on the page, and the page runs nothing', async () => {
  const story = await Story.told();
  const page = monthPage(await story.month());
  expect(page).toContain('mass &lt;deletion&gt; &amp; more');
  expect(page).not.toMatch(/<script|javascript:|<deletion|\son\w+=/i);
});
