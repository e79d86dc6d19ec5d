/** What is shipped: small enough, nothing inline, no address of anybody else. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { builtDashboard } from './built.ts';

/** Bytes gzipped, of everything that the first screen fetches. */
const FIRST_LOAD_BYTES = 45_000;
/** Of all that there is (design section 11). */
const ALL_BYTES = 60_000;

describe('the built dashboard', () => {
  const files = new Map<string, string>();
  beforeAll(async () => {
    const folder = builtDashboard();
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) files.set(entry.name, readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  }, 60_000);

  const gzipped = (names: Iterable<string>): number =>
    [...names].reduce((sum, name) => sum + gzipSync(files.get(name) ?? '', { level: 9 }).length, 0);

  test('the first screen is within its size, and so is the whole', () => {
    const page = files.get('index.html') ?? '';
    const first = [...page.matchAll(/(?:src|href)="\.\/assets\/([^"]+)"/g)].map(([, name = '']) => name);
    expect(first.length).toBeGreaterThanOrEqual(3);
    const sizes = { first: gzipped(['index.html', ...first]), all: gzipped(files.keys()) };
    console.log(`dashboard: ${sizes.first} bytes gzipped for the first screen, ${sizes.all} in all`);
    expect(sizes.first).toBeLessThan(FIRST_LOAD_BYTES);
    expect(sizes.all).toBeLessThan(ALL_BYTES);
  });

  test('nothing in it names another host, and nothing is inline', () => {
    for (const [name, text] of files) {
      const addresses = [...text.matchAll(/\b(?:https?:)?\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)+[^\s"'`)]*/gi)].map(
        ([each]) => each,
      );
      // Names of XML vocabularies are no addresses.
      expect({ name, addresses: addresses.filter((each) => !each.includes('//www.w3.org/')) }).toEqual({
        name,
        addresses: [],
      });
      if (name.endsWith('.css')) expect(text).not.toMatch(/@import|@font-face|url\(\s*["']?(?:data|http)/);
    }
    const page = files.get('index.html') ?? '';
    expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
  });

  test('no markup is made of text', () => {
    const source = join(import.meta.dirname, '../../src/dashboard');
    for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.tsx?$/.test(entry.name)) continue;
      const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
      expect({
        name: entry.name,
        found: /innerHTML|insertAdjacentHTML|document\.write|outerHTML/.exec(text)?.[0],
      }).toEqual({
        name: entry.name,
      });
    }
  });
});
