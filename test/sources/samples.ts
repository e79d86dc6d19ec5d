/** Bodies as senders document them, each with what is to be understood of it: `samples/FORMAT/NAME.json`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mapping } from '../../src/sources/formats/map.ts';
import { type FormatName, formats } from '../../src/sources/formats.ts';
import type { Message } from '../../src/sources/message.ts';
import type { Reading } from '../../src/sources/read.ts';

export const FOLDER = join(import.meta.dirname, 'samples');

export interface Sample {
  /** `FORMAT/NAME`. */
  readonly name: string;
  readonly path: string;
  readonly reading: Reading;
  readonly file: {
    /** Where its sender documents it. */
    readonly from: string;
    readonly map?: Mapping;
    readonly body: unknown;
    readonly expected?: Message;
  };
  readonly body: Uint8Array;
}

const isFormat = (name: string): name is FormatName => Object.hasOwn(formats, name);

export const samples: readonly Sample[] = readdirSync(FOLDER).flatMap((format) =>
  readdirSync(join(FOLDER, format)).map((name): Sample => {
    const path = join(FOLDER, format, name);
    const file = JSON.parse(readFileSync(path, 'utf8')) as Sample['file'];
    if (!isFormat(format) && format !== 'map') throw new Error(`${format} is no format`);
    const reading: Reading = format === 'map' ? { format, map: file.map ?? {} } : { format };
    const body = Buffer.from(JSON.stringify(file.body));
    return { name: `${format}/${name.replace(/\.json$/, '')}`, path, reading, file, body };
  }),
);
