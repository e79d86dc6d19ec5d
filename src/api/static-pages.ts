/** The files of the dashboard, read once. What is not built is said in a plain page. */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

const HTML = 'text/html; charset=utf-8';
const TYPES: Readonly<Record<string, string>> = {
  '.html': HTML,
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};
/** Larger is no file of ours, bytes. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MOST_FILES = 500;
/** Vite puts a digest of the content into the names of what lies here. */
const HASHED = /^\/assets\/.+-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;

interface Page {
  readonly type: string;
  readonly bytes: Buffer;
  readonly isHashed: boolean;
}

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Portcullis</title>
<h1>Portcullis: the dashboard is not built</h1>
<p>The controller works; only its pages are missing. Build them with <code>npx vite build --config src/dashboard/vite.config.ts</code>, or use
<code>portcullis status</code> and the API at <a href="/api/v1/openapi.json">/api/v1</a>. To cut every link: <code>portcullis trip --reason TEXT</code>.</p>
</html>`;

/** What is sent for a path. */
export interface SentPage {
  readonly status: number;
  readonly type: string;
  readonly cacheControl: string;
  readonly bytes: Buffer;
}

/** Reads every file under `directory` and answers paths from memory; a directory that is not there is the plain page. */
export async function staticPages(directory: string): Promise<(path: string) => SentPage | null> {
  const pages = await readPages(directory);
  const sent = ({ type, bytes, isHashed }: Page): SentPage => ({
    status: 200,
    type,
    bytes,
    cacheControl: isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
  });
  return (path) => {
    const found = pages.get(path === '/' ? '/index.html' : path);
    if (found !== undefined) return sent(found);
    // The views of the dashboard are paths of its own; a file that is missing stays missing.
    const index = extname(path) === '' ? pages.get('/index.html') : undefined;
    if (index !== undefined) return sent(index);
    if (pages.size > 0 || path !== '/') return null;
    return { status: 503, type: HTML, cacheControl: 'no-store', bytes: Buffer.from(NOT_BUILT) };
  };
}

async function readPages(directory: string): Promise<ReadonlyMap<string, Page>> {
  const pages = new Map<string, Page>();
  const names = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of names.slice(0, MOST_FILES)) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const file = join(entry.parentPath, entry.name);
    // oxlint-disable-next-line no-await-in-loop -- a dozen files, once
    const bytes = await readFile(file);
    if (bytes.length > MAX_FILE_BYTES) continue;
    const path = file.slice(directory.length).replaceAll('\\', '/');
    pages.set(path, { type, bytes, isHashed: HASHED.test(path) });
  }
  return pages;
}
