/** Running a window now. It takes what a reset takes: no remote account alone connects anything. */
import type { State, WindowState } from '../../api/documents/state-document.ts';
import { bounded, duration } from '../words.ts';
import { WouldRefuse } from '../state/link-panel.tsx';
import { AskingDialog } from './asking.tsx';
import { isPresent, standing } from './needs.ts';

interface Props {
  readonly window: WindowState;
  readonly document: State;
  readonly onLeave: () => void;
}

/** Asks for a run. */
export function RunDialog({ window, document, onLeave }: Props) {
  return (
    <AskingDialog
      title={`Run ${bounded(window.window, 40)} now`}
      path={`/windows/${encodeURIComponent(window.window)}/run`}
      more={{}}
      submit="Ask the interlock to open it"
      presence={isPresent(window.run_needs)}
      known={document.approvers}
      onLeave={onLeave}
    >
      <p>
        Connects {bounded(window.link, 40)} for its work, {duration(window.lasts_ms)} at most, and isolates it
        as soon as the work is done.
      </p>
      <WouldRefuse refusals={[...standing(window.run_needs), ...window.refusals]} />
    </AskingDialog>
  );
}
