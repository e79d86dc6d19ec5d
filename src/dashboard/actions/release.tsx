/** Saying of an anomaly that a person has looked at it. It connects nothing, so a reason is all that it takes. */
import { useSignal } from '@preact/signals';
import type { HeldAnomaly } from '../../api/documents/state-document.ts';
import { bounded } from '../words.ts';
import { AskingDialog } from './asking.tsx';

interface Props {
  readonly anomaly: HeldAnomaly;
  readonly onLeave: () => void;
}

/** Asks for a release. */
export function ReleaseDialog({ anomaly: { id, repository, why }, onLeave }: Props) {
  const expected = useSignal(false);
  return (
    <AskingDialog
      title="Release an anomaly"
      path={`/anomalies/${encodeURIComponent(id)}/release`}
      more={{ expected: expected.value }}
      submit="Release"
      presence="unneeded"
      known={[]}
      onLeave={onLeave}
    >
      <p class="note">You have looked at it: “{bounded(why)}”.</p>
      <p class="hint">
        {repository === null
          ? 'Guards look again before the next window, and skip it when they find the same.'
          : `Old snapshots in ${bounded(repository, 40)} may be forgotten again. Be sure that you do not need them.`}
      </p>
      <label class="check">
        <input
          type="checkbox"
          checked={expected.value}
          onChange={(event) => {
            expected.value = event.currentTarget.checked;
          }}
        />
        It was meant to be: let the next of its kind through, once
      </label>
    </AskingDialog>
  );
}
