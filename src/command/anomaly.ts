/** `portcullis anomaly list|release`. */
import { userInfo } from 'node:os';
import { replaceFile } from '../api/people-file.ts';
import { anomaliesIn, readAnomalies, releaseFile, releaseText } from '../controller/anomalies/book.ts';
import type { Anomaly } from '../controller/anomalies/book.ts';
import { nodeDisk } from '../journal/disk.ts';
import { printable } from '../sources/excerpt.ts';
import type { AskOptions } from './ask.ts';
import { configured } from './configured.ts';
import { CommandError, type ExitCode, say } from './exit.ts';

const WHY_CHARS = 400;

async function known(file: string) {
  const { config } = await configured(file, 'none');
  const directory = anomaliesIn(config.controller.state_directory);
  return { directory, anomalies: await readAnomalies(nodeDisk, directory) };
}

/** What holds something; 1 when anything does. */
export async function listAnomalies({
  config,
  all,
  json,
}: AskOptions & { readonly all?: true }): Promise<ExitCode> {
  const { anomalies } = await known(config);
  const held = anomalies.filter(({ release }) => release === null);
  for (const each of all === true ? anomalies : held)
    if (json === true) say(JSON.stringify(each));
    else for (const line of linesOf(each)) say(line);
  if (held.length === 0 && json !== true) say('nothing is held');
  return held.length === 0 ? 0 : 1;
}

function linesOf({
  id,
  at,
  window,
  repository,
  rule,
  action,
  why,
  snapshot,
  times,
  release,
}: Anomaly): string[] {
  const again = times === 1 ? '' : `, ${times} times`;
  return [
    `${id}  ${at}  window ${window}${repository === null ? '' : `, repository ${repository}`}  ${rule}: ${action}${again}`,
    `  ${printable(why, WHY_CHARS)}`,
    ...(snapshot === null ? [] : [`  snapshot ${snapshot.slice(0, 8)}`]),
    ...(release === null
      ? []
      : [
          `  released by ${printable(release.by, 60)} at ${release.at}${release.expected ? ' as expected' : ''}: ${printable(release.reason, WHY_CHARS)}`,
        ]),
  ];
}

/** Releases one. The controller sees it within seconds, or when it is started. */
export async function releaseAnomaly(
  id: string,
  { config, reason, expected, json }: AskOptions & { readonly reason: string; readonly expected?: true },
): Promise<void> {
  const { directory, anomalies } = await known(config);
  const found = anomalies.find((each) => each.id === id);
  if (found === undefined)
    throw new CommandError(2, `there is no anomaly ${printable(id, 40)}: portcullis anomaly list`);
  if (found.release !== null) throw new CommandError(1, `${id} was released already, by ${found.release.by}`);
  if (reason.trim() === '' || reason.length > 500)
    throw new CommandError(2, 'a reason has 1 to 500 characters');
  const release = {
    at: new Date().toISOString(),
    by: userInfo().username,
    reason: reason.trim(),
    expected: expected === true,
  };
  await replaceFile(releaseFile(directory, id), releaseText(release)).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    if (typeof code !== 'string') throw error;
    throw new CommandError(1, `${message}: do it as root`);
  });
  say(json === true ? JSON.stringify({ id, ...release }) : `${id}: released`);
}
