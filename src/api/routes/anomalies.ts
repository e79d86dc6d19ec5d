/** Releasing what was found unusual: it connects nothing, and lets old snapshots be forgotten again. */
import { z } from 'zod';
import { leaveRelease, ReleaseRefusal } from '../../controller/anomalies/release.ts';
import { nodeDisk } from '../../journal/disk.ts';
import { releaseAnswer, releaseRequest } from '../documents/action.ts';
import { actorOf } from '../people/caller.ts';
import type { Desk } from '../desk.ts';
import { replaceFile } from '../people/people-file.ts';
import { ApiRefusal } from './refusal.ts';
import { pathName, route, type Route } from './route.ts';

const ofAnomaly = z.strictObject({ id: pathName });

/** The route. */
export const anomalyRoutes = (desk: Desk): readonly Route[] => [
  route({
    method: 'POST',
    path: '/anomalies/:id/release',
    who: 'operate',
    summary: 'Say that a person has looked at an anomaly: nothing is held for it any more',
    params: ofAnomaly,
    body: releaseRequest,
    answer: releaseAnswer,
    handle: async ({ params: { id }, body: { reason, expected }, caller }) => {
      const { directory } = desk.anomalies;
      const said = { by: actorOf(caller), reason, expected };
      try {
        return { id, ...(await leaveRelease({ disk: nodeDisk, directory, write: replaceFile }, id, said)) };
      } catch (error) {
        if (!(error instanceof ReleaseRefusal)) throw error;
        const { code, message, hint } = error;
        throw new ApiRefusal(STATUS_OF[code], code, message, hint);
      }
    },
  }),
];

const STATUS_OF: Readonly<Record<ReleaseRefusal['code'], number>> = {
  'anomaly-unknown': 404,
  'anomaly-released': 409,
  'reason-wrong': 400,
};
