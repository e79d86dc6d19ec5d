// Closes bin/test: node test/tally.ts RESULTS.json EXIT-STATUS-OF-VITEST [FAILED-CHECK…]
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** The fields of vitest's JSON report that are counted. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** The whole run in three numbers, and a sentence for every failure that is not a failed test. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly remarks: readonly string[];
}

/** Counts a run. A file that did not load, a failed check and a run without a test are failures too. */
export function tally(
  report: Report | undefined,
  exitStatus: number,
  failedChecks: readonly string[],
): Tally {
  const remarks = failedChecks.map((name) => `the ${name} check failed: see above`);
  if (report === undefined) {
    remarks.push(`vitest left no report (it ended with ${exitStatus})`);
    return { passed: 0, failed: remarks.length, skipped: 0, remarks };
  }
  for (const file of report.testResults) {
    const hasFailedTest = file.assertionResults.some((result) => result.status === 'failed');
    if (file.status === 'failed' && !hasFailedTest) remarks.push(`${file.name} failed outside its tests`);
  }
  if (report.numPassedTests + report.numFailedTests === 0) remarks.push('no test ran');
  if (exitStatus !== 0 && report.numFailedTests + remarks.length === 0) {
    remarks.push(`vitest ended with ${exitStatus} though no test failed: see above`);
  }
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + remarks.length,
    skipped: report.numPendingTests + report.numTodoTests,
    remarks,
  };
}

/** The closing line, in the form that counts everywhere. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function readReport(path: string): Report | undefined {
  const text = readFileSync(path, 'utf8');
  return text === '' ? undefined : (JSON.parse(text) as Report);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [path = '', exitStatus = '1', ...failedChecks] = process.argv.slice(2);
  const result = tally(readReport(path), Number(exitStatus), failedChecks);
  for (const remark of result.remarks) console.log(`FAILED: ${remark}`);
  console.log(`\n${closingLine(result)}`);
  process.exitCode = result.failed > 0 ? 1 : 0;
}
