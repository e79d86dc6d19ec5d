import { join } from 'node:path';
import { defineConfig } from 'vite';

/** One page, a few hashed files, no address of anything else: the box that serves it may have no way out. */
export default defineConfig({
  root: import.meta.dirname,
  // Relative: it works under whatever path serves it.
  base: './',
  logLevel: 'warn',
  build: {
    outDir: join(import.meta.dirname, '../../dist/dashboard'),
    emptyOutDir: true,
    target: 'es2022',
    // Everything is a file of its own, so that the policy of the page may forbid data: and inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
