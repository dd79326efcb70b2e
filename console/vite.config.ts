import { defineConfig } from 'vite';

/** The console as files that the admin listener serves: the page at `/`, everything else below `/console/`. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    assetsDir: 'console',
    target: 'es2022',
    // Its polyfill is for browsers that are older than the target.
    modulePreload: { polyfill: false },
    // The policy of the page allows no `data:` URLs of scripts and styles.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
