/**
 * A question that stands before the page. The browser keeps the focus inside, and Escape leaves it. The rest of the page cannot
 * be reached meanwhile, so the cut is in here, too.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { MainCut } from '../actions/cut.tsx';

interface Props {
  readonly title: string;
  readonly onLeave: () => void;
  readonly children: ComponentChildren;
}

/** Shown while it is part of the page. */
export function Dialog({ title, onLeave, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return (
    <dialog ref={element} aria-labelledby={heading} onClose={onLeave}>
      <div class="title">
        <h2 id={heading}>{title}</h2>
        <MainCut />
        <button type="button" class="quiet" aria-label="Close" onClick={() => element.current?.close()}>
          ✕
        </button>
      </div>
      {children}
    </dialog>
  );
}
