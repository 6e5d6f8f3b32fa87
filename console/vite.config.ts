import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const page = (file: string): string => new URL(file, import.meta.url).pathname;

// Three pages: the control panel at `/` and below /console, and those which the server answers for every /watch/APP/NAME and /publish/APP/NAME.
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
      input: { index: page('index.html'), watch: page('watch.html'), publish: page('publish.html') },
    },
  },
});
