/** Lifting a latch: names the cause that is acknowledged, so that nobody resets what they have not seen. */
import type { LinkState, State } from '../../api/documents/state-document.ts';
import { Moment } from '../parts/times.tsx';
import { Refusals } from '../parts/notes.tsx';
import { actor, bounded } from '../words.ts';
import { AskingDialog } from './asking.tsx';
import { isPresent, standing } from './needs.ts';

interface Props {
  readonly link: LinkState;
  readonly document: State;
  readonly onLeave: () => void;
}

/** Asks for a reset. */
export function ResetDialog({ link, document, onLeave }: Props) {
  const { latch, reset_needs } = link;
  const against = standing(reset_needs);
  return (
    <AskingDialog
      title={`Reset ${bounded(link.link, 40)}`}
      path={`/links/${encodeURIComponent(link.link)}/reset`}
      more={{ cause: latch?.cause ?? '' }}
      submit={`Reset ${bounded(link.link, 40)}`}
      presence={isPresent(reset_needs)}
      known={document.approvers}
      onLeave={onLeave}
    >
      {latch !== null && (
        <p class="note">
          You acknowledge: tripped by {actor(latch.by)}, <Moment at={latch.at} seconds />, because “
          {bounded(latch.reason)}”.
        </p>
      )}
      {against.length > 0 && (
        <>
          <p>It would be refused now, whoever asks:</p>
          <Refusals refusals={against} />
        </>
      )}
      <p class="hint">After the reset the link stays isolated; the next window may connect it again.</p>
    </AskingDialog>
  );
}
