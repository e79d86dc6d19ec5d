/** Sources for people: what each sender needs, ready to be pasted. The texts are those of `docs/sources`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import type { SourceStatus } from '../../protocol/messages.ts';
import { placesOf } from '../../config/schema/listener.ts';
import { tripsOf } from '../state.ts';
import type { Source } from './work.ts';

const DOCUMENTS = join(import.meta.dirname, '..', '..', '..', 'docs', 'sources');
const MOST_PASTES = 8;
const SENDER_HEADING = /^## On the sender's side$/m;
const FENCE = /```([a-z]*)\n([\s\S]*?)```/g;

/** The sources of a configuration, with what the interlock heard of each. `host`: how the reader reached this box. */
export async function sourcesOf(
  config: Config,
  statuses: readonly SourceStatus[],
  host: string,
): Promise<Source[]> {
  return Promise.all(
    statuses.map(async (status) => {
      const settings = config.sources[status.source];
      const url = urlOf(config, status, host);
      return {
        ...status,
        trips: tripsOf(config, status.source),
        verify: settings?.verify.type ?? 'unknown',
        url,
        paste: await pastesOf(status, url),
      };
    }),
  );
}

function urlOf(config: Config, { source, tier }: SourceStatus, host: string): string {
  const [place] = placesOf(config.interlock);
  const isAnywhere = place === undefined || ['0.0.0.0', '::', '127.0.0.1', '::1'].includes(place.host);
  const name = isAnywhere ? host : place.host;
  const inUrl = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name;
  const secret = tier === 0 ? '/SECRET' : '';
  return `${place?.secure === true ? 'https' : 'http'}://${inUrl}:${place?.port ?? ''}/trip/${source}${secret}`;
}

/** What is to be pasted on the sender's side, with the address of this box. */
async function pastesOf({ format, heartbeat }: SourceStatus, url: string): Promise<Source['paste']> {
  const curl = {
    title: heartbeat ? 'A sign of life, by hand' : 'Try it, by hand (this cuts)',
    language: 'sh',
    text: `curl -X POST ${url} -H 'Authorization: Bearer TOKEN' -H 'Content-Type: application/json' -d '{"reason":"trying it"}'`,
  };
  if (format === null || !/^[a-z0-9-]{1,40}$/.test(format)) return [curl];
  const text = await readFile(join(DOCUMENTS, `${format}.md`), 'utf8').catch(() => '');
  const at = text.search(SENDER_HEADING);
  if (at === -1) return [curl];
  const [section = ''] = text.slice(at + 3).split(/^## /m);
  const title = /^# (.+)$/m.exec(text)?.[1] ?? format;
  const found = [...section.matchAll(FENCE)].slice(0, MOST_PASTES).map(([, language = '', block = '']) => ({
    title,
    language,
    text: block.replaceAll(/https?:\/\/BOX(?::\d+)?\/trip\/[A-Za-z0-9_-]+/g, () => url),
  }));
  return found.length === 0 ? [curl] : found;
}
