/** A document that a view fetches when it is shown. */
import { useEffect, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { Problem } from '../../api/problem.ts';
import { ask, type Answer } from '../requests.ts';
import { Loading, ProblemNote } from './notes.tsx';

export interface Loaded<Body> {
  readonly body: Body | null;
  readonly problem: Problem | null;
  /** Fetches it again; what is there stays until the answer comes. */
  again(): void;
}

/** Fetches `path` now, whenever it changes, and when asked again. Answers to an older question are dropped. */
export function useLoaded<Body>(path: string, when: unknown = null): Loaded<Body> {
  const [turn, setTurn] = useState(0);
  const [answer, setAnswer] = useState<Answer<Body> | null>(null);
  useEffect(() => {
    let wanted = true;
    void ask<Body>('GET', path).then((got) => {
      if (wanted) setAnswer(got);
    });
    return () => {
      wanted = false;
    };
  }, [path, when, turn]);
  return {
    body: answer?.ok === true ? answer.body : null,
    problem: answer?.ok === false ? answer.problem : null,
    again: () => setTurn((last) => last + 1),
  };
}

interface Props<Body> {
  readonly what: string;
  readonly of: Loaded<Body>;
  readonly children: (body: Body) => ComponentChildren;
}

/** Shows a document, or that it is being fetched, or why it is not there. */
export function Shown<Body>({ what, of, children }: Props<Body>) {
  if (of.problem !== null)
    return (
      <div class="panel">
        <ProblemNote problem={of.problem} />
        <button type="button" onClick={() => of.again()}>
          Try again
        </button>
      </div>
    );
  if (of.body === null) return <Loading what={what} />;
  return <>{children(of.body)}</>;
}
