import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Two pages: the list of streams at `/`, and the watch page, which the server answers for every /watch/APP/NAME.
export default defineConfig({
  base: '/',
  plugins: [react()],
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    // The pages are served under a policy that knows no `data:` scripts or styles; every asset is a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: new URL('index.html', import.meta.url).pathname, watch: new URL('watch.html', import.meta.url).pathname },
    },
  },
});
