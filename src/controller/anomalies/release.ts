/** Somebody has looked at a finding and says so: one way for the command at the box and for the API. */
import type { Disk } from '../../journal/disk.ts';
import { readAnomalies, releaseFile, releaseText } from './book.ts';
import type { Release } from './book.ts';

const MOST_REASON_CHARS = 500;

/** Why nothing was released. */
export class ReleaseRefusal extends Error {
  override readonly name = 'ReleaseRefusal';
  readonly code: 'anomaly-unknown' | 'anomaly-released' | 'reason-wrong';
  readonly hint: string;

  constructor(code: ReleaseRefusal['code'], why: string, hint: string) {
    super(why);
    this.code = code;
    this.hint = hint;
  }
}

/** Where findings lie, and what writes a file that the controller's user can read. */
export interface ReleasePlace {
  readonly disk: Disk;
  readonly directory: string;
  readonly write: (path: string, text: string) => Promise<void>;
}

/** Leaves a release beside its finding; the controller takes it over within seconds, or when its window is over. Throws `ReleaseRefusal`. */
export async function leaveRelease(
  { disk, directory, write }: ReleasePlace,
  id: string,
  said: Omit<Release, 'at'>,
): Promise<Release> {
  const found = (await readAnomalies(disk, directory)).find((each) => each.id === id);
  if (found === undefined)
    throw new ReleaseRefusal('anomaly-unknown', 'there is no such anomaly', 'see `portcullis anomaly list`');
  if (found.release !== null)
    throw new ReleaseRefusal(
      'anomaly-released',
      `${id} was released already, by ${found.release.by}`,
      'see `portcullis anomaly list --all`',
    );
  const reason = said.reason.trim();
  if (reason === '' || reason.length > MOST_REASON_CHARS)
    throw new ReleaseRefusal(
      'reason-wrong',
      `a reason has 1 to ${MOST_REASON_CHARS} characters`,
      'say what it was',
    );
  const release = { ...said, reason, at: new Date().toISOString() };
  await write(releaseFile(directory, id), releaseText(release));
  return release;
}
