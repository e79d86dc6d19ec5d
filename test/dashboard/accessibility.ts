/** axe-core in a page: what it holds against WCAG 2.2 A and AA and its own best practices. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[];
}

/** One line for each violation; empty when there is none. `rule`: only this one, which is quicker. */
export async function violationsOf(page: Page, rule?: string): Promise<readonly string[]> {
  // Over the protocol of the debugger: the policy of the page forbids scripts of others, and stays in force.
  await page.evaluate(source);
  const only = rule === undefined ? '' : `, runOnly: ['${rule}']`;
  const found = (await page.evaluate(`axe.run(document, { resultTypes: ['violations']${only} })`)) as {
    violations: readonly Violation[];
  };
  return found.violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes
        .slice(0, 3)
        .map(
          ({ target, failureSummary }) =>
            `${target.join(' ')} (${failureSummary?.replaceAll(/\s+/g, ' ') ?? ''})`,
        )
        .join('; ')}`,
  );
}
