import { expect, test } from 'vitest';
import { closingLine, tally } from '../tally.ts';

const file = (status: string, ...results: string[]) => ({
  name: 'a.test.ts',
  status,
  assertionResults: results.map((result) => ({ status: result })),
});

const report = (
  passed: number,
  failed: number,
  skipped: number,
  ...testResults: ReturnType<typeof file>[]
) => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: skipped,
  numTodoTests: 0,
  testResults,
});

test('counts tests', () => {
  const counted = tally(report(12, 0, 0, file('passed', 'passed')), 0, []);
  expect(counted.remarks).toEqual([]);
  expect(closingLine(counted)).toBe('12 passed, 0 failed');
  expect(closingLine(tally(report(12, 1, 4, file('failed', 'failed')), 1, []))).toBe(
    '12 passed, 1 failed, 4 skipped',
  );
});

test.each([
  ['a failed check', tally(report(3, 0, 0), 0, ['lint']), 'the lint check failed'],
  [
    'a file that did not load',
    tally(report(3, 0, 0, file('failed')), 1, []),
    'a.test.ts failed outside its tests',
  ],
  ['a run without a test', tally(report(0, 0, 5), 0, []), 'no test ran'],
  ['a run that ended badly for no reason given', tally(report(3, 0, 0), 1, []), 'vitest ended with 1'],
  ['a run without a report', tally(undefined, 137, []), 'vitest left no report (it ended with 137)'],
])('%s is a failure', (_name, counted, remark) => {
  expect(counted.failed).toBe(1);
  expect(counted.remarks).toHaveLength(1);
  expect(counted.remarks[0]).toContain(remark);
});
