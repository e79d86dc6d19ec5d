/** A document that a view fetches when it is shown. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { Problem } from '../../api/routes/problem.ts';
import { ask, type Answer } from '../requests.ts';
import { Loading, ProblemNote } from './notes.tsx';

export interface Loaded<Body> {
  readonly body: Body | null;
  readonly problem: Problem | null;
  /** Fetches it again; what is there stays until the answer comes. */
  again(): void;
}

/** ms between two fetches that nobody asked for. */
const REFRESH_MS = 2_000;

/**
 * Fetches `path` now, whenever it changes, and when asked again; some time after `when` has changed, too. Answers to an older
 * question are dropped.
 */
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
  }, [path, turn]);
  const known = useRef(when);
  const later = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (known.current === when) return;
    known.current = when;
    later.current ??= setTimeout(() => {
      later.current = undefined;
      setTurn((last) => last + 1);
    }, REFRESH_MS);
  }, [when]);
  useEffect(() => () => clearTimeout(later.current), []);
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
