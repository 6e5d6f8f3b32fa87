import { createRoot } from 'react-dom/client';
import '../design/tokens.css';
import '../design/controls.css';
import './player.css';
import './watch.css';
import { applyTheme, storedTheme } from '../design/theme.ts';
import { parseWatchPath } from '../stream-address/stream-address.ts';
import { NoStream } from './no-stream.tsx';
import { exposeFigures } from './page-probe.ts';
import { WatchPage } from './watch-page.tsx';
import { WatchSession } from './watch-session.ts';

applyTheme(storedTheme());
const root = document.getElementById('root');
if (!root) throw new Error('watch.html has no #root');
const address = parseWatchPath(location.pathname);
if (address) {
  // The player's code is on its way while the server is asked whether the stream is there.
  void import('./choose-engine.ts');
  const session = new WatchSession(address);
  exposeFigures(session.figures);
  document.title = `${address.path} · Sluice`;
  createRoot(root).render(<WatchPage session={session} embedded={new URLSearchParams(location.search).get('embed') === '1'} />);
} else {
  createRoot(root).render(<NoStream />);
}
