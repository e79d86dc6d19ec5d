/** Lights every lamp for a moment, so that a dead one is seen. It says nothing about links. */
import { useState } from 'preact/hooks';
import type { Problem } from '../../api/routes/problem.ts';
import { may } from '../account.ts';
import { ProblemNote } from '../parts/notes.tsx';
import { ask } from '../requests.ts';

/** The button, and why it was refused. */
export function LampTest({ isLit }: { readonly isLit: boolean }) {
  const [problem, setProblem] = useState<Problem | null>(null);
  if (!may('operate')) return null;
  const test = async (): Promise<void> => {
    const answer = await ask('POST', '/lamps/test', {});
    setProblem(answer.ok ? null : answer.problem);
  };
  return (
    <div class="buttons">
      <button type="button" aria-disabled={isLit} onClick={() => void test()}>
        {isLit ? 'All lamps lit: a test' : 'Test the lamps'}
      </button>
      {problem !== null && <ProblemNote problem={problem} />}
    </div>
  );
}
