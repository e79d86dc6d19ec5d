/**
 * What restic prints, line by line. Pure. `--json` does not mean JSON: every version mixes plain text into both streams,
 * adds message types and leaves out fields that are zero, so nothing here is an error; the exit code decides.
 */
import { z } from 'zod';
import { printable } from '../../sources/excerpt.ts';

/** Longest text taken from one line, UTF-16 units. */
const TEXT_LIMIT = 500;
const MOST_CURRENT_FILES = 4;

const count = z.number().nonnegative().default(0);

const statusLine = z.object({
  percent_done: z.number().default(0),
  total_files: count,
  files_done: count,
  current_files: z.array(z.string()).default([]),
  total_bytes: count,
  bytes_done: count,
});

const summaryLine = z.object({
  files_new: count,
  files_changed: count,
  files_unmodified: count,
  data_added: count,
  /** After compression; restic before 0.17 does not say. */
  data_added_packed: z.number().nonnegative().nullable().default(null),
  /** Other commands have summaries, too; this is in those of backups only, and always. */
  total_files_processed: z.number().nonnegative(),
  total_bytes_processed: count,
  /** 8 characters in restic 0.14, 64 later; `null` when nothing had changed and none was wanted then. */
  snapshot_id: z
    .string()
    .regex(/^(?:[0-9a-f]{8,64})?$/)
    .nullable()
    .default(null)
    .transform((id) => (id === '' ? null : id)),
});

/** What a backup did, in files and bytes. */
export type BackupSummary = Readonly<z.output<typeof summaryLine>>;

/** How far a backup is. The totals grow while restic still scans. */
export interface ResticProgress {
  readonly filesDone: number;
  /** What restic reads now, bounded and printable. */
  readonly currentFiles: readonly string[];
  readonly filesTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** A file or directory that is new or changed, as restic stores it; sizes in bytes, 0 when its content was known already. */
export interface FileSeen {
  readonly action: 'new' | 'modified';
  /** As restic writes it, not made printable; directories end with a slash. */
  readonly path: string;
  readonly dataBytes: number;
  /** After compression and encryption. */
  readonly dataBytesInRepository: number;
}

/** What the scan of the sources found; a drop against the last run is a deletion. */
export interface ScanSeen {
  readonly files: number;
  readonly bytes: number;
}

/** One line of restic, understood as far as it concerns us. Texts are bounded and printable. */
export type ResticLine =
  | { readonly kind: 'progress'; readonly progress: ResticProgress }
  | { readonly kind: 'file'; readonly file: FileSeen }
  | { readonly kind: 'scan'; readonly scan: ScanSeen }
  | { readonly kind: 'backup-summary'; readonly summary: BackupSummary }
  | { readonly kind: 'source-missing'; readonly path: string }
  | { readonly kind: 'item-error'; readonly item: string; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'other' };

const SOURCE_MISSING = /^(.{1,4096}) does not exist, skipping$/;

const fileLine = z.object({
  action: z.enum(['new', 'modified']),
  item: z.string(),
  data_size: count,
  data_size_in_repo: count,
});
const scanLine = z.object({ action: z.literal('scan_finished'), total_files: count, data_size: count });
/** With --verbose=2 restic says this of every file that did not change, which is most of them: they are not even parsed. */
const UNCHANGED = '"action":"unchanged"';

const errorLine = z.object({
  item: z.string().default(''),
  /** restic 0.14 loses the text and prints `{}`. */
  error: z.object({ message: z.string().default('') }).default({ message: '' }),
});
const fatalLine = z.object({ message: z.string() });

/** Reads one line of either stream. Never throws. */
export function parseResticLine(line: string): ResticLine {
  if (line.includes(UNCHANGED) && line.startsWith('{"message_type":"verbose_status"'))
    return { kind: 'other' };
  const text = line.replaceAll('\r', '').trim();
  const message = messageOf(text);
  if (message === null) return parseText(text);
  switch (message.message_type) {
    case 'verbose_status':
      return parseItem(message);
    case 'status': {
      // restic before 0.15 says here what later is a verbose_status.
      if (message['action'] !== undefined) return parseItem(message);
      const status = statusLine.safeParse(message);
      if (!status.success) return { kind: 'other' };
      const { files_done, total_files, bytes_done, total_bytes, current_files } = status.data;
      const progress = {
        filesDone: files_done,
        currentFiles: current_files.slice(0, MOST_CURRENT_FILES).map((path) => printable(path, TEXT_LIMIT)),
        filesTotal: total_files,
        bytesDone: bytes_done,
        bytesTotal: total_bytes,
      };
      return { kind: 'progress', progress };
    }
    case 'summary': {
      const summary = summaryLine.safeParse(message);
      return summary.success ? { kind: 'backup-summary', summary: summary.data } : { kind: 'other' };
    }
    case 'error': {
      const said = errorLine.safeParse(message);
      if (!said.success) return { kind: 'text', text: printable(text, TEXT_LIMIT) };
      const { item, error } = said.data;
      return {
        kind: 'item-error',
        item: printable(item, TEXT_LIMIT),
        text: printable(error.message, TEXT_LIMIT),
      };
    }
    case 'exit_error': {
      const fatal = fatalLine.safeParse(message);
      return { kind: 'text', text: printable(fatal.success ? fatal.data.message : text, TEXT_LIMIT) };
    }
    default:
      return { kind: 'other' };
  }
}

function parseItem(message: object): ResticLine {
  const file = fileLine.safeParse(message);
  if (file.success) {
    const { action, item, data_size, data_size_in_repo } = file.data;
    return {
      kind: 'file',
      file: { action, path: item, dataBytes: data_size, dataBytesInRepository: data_size_in_repo },
    };
  }
  const scan = scanLine.safeParse(message);
  if (!scan.success) return { kind: 'other' };
  return { kind: 'scan', scan: { files: scan.data.total_files, bytes: scan.data.data_size } };
}

function parseText(text: string): ResticLine {
  const path = SOURCE_MISSING.exec(text)?.[1];
  if (path !== undefined) return { kind: 'source-missing', path: printable(path, TEXT_LIMIT) };
  return text === '' ? { kind: 'other' } : { kind: 'text', text: printable(text, TEXT_LIMIT) };
}

const anyMessage = z.looseObject({ message_type: z.string() });

function messageOf(text: string): z.output<typeof anyMessage> | null {
  if (!text.startsWith('{')) return null;
  try {
    return anyMessage.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null; // a line of text that begins with a brace
  }
}

/** A document that restic printed; `undefined` when it is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // every caller's schema refuses it
  }
}
