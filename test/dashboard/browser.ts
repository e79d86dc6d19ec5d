/** Debian's Chromium, without a window and without a word to anybody else. */
import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
/** ms that a page is waited for; a slow machine must not decide a test. */
const PATIENCE_MS = 20_000;

/** Why these tests cannot run here, or `null`. Says so aloud: a skipped test proves nothing. */
export function missingBrowser(): string | null {
  if (existsSync(CHROMIUM)) return null;
  const why =
    'NOT TESTED: the dashboard in a browser, for there is no chromium here (apt-get install chromium)';
  console.warn(why);
  return why;
}

/** A browser with nothing in it. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--js-flags=--expose-gc',
      '--enable-precise-memory-info',
    ],
  });

/** Sizes that people have. */
export const SIZES = {
  phone: { width: 390, height: 844 },
  desktop: { width: 1280, height: 800 },
  wall: { width: 1920, height: 1080 },
} as const;

/** A page, what went wrong on it, and where its requests went. */
export interface Visit {
  readonly page: Page;
  readonly errors: string[];
  readonly hosts: Set<string>;
  close(): Promise<void>;
}

/** Begins a visit; a message of the console that is an error fails whoever looks at `errors`. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: SIZES.desktop, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const errors: string[] = [];
  const hosts = new Set<string>();
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  await page.goto(url);
  return { page, errors, hosts, close: () => context.close() };
}
