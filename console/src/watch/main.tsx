import { createRoot } from 'react-dom/client';
import '../design/tokens.css';
import '../design/controls.css';
import './player.css';
import './watch.css';
import { applyTheme, storedTheme } from '../design/theme.ts';
import { exposeFigures } from '../figures/expose-figures.ts';
import { parsePagePath } from '../stream-address/stream-address.ts';
import { NoStream } from './no-stream.tsx';
import type { PlayerFigures } from './player-figures.ts';
import { parseTransportChoice } from './transport-policy.ts';
import { WatchPage } from './watch-page.tsx';
import { WatchSession } from './watch-session.ts';

applyTheme(storedTheme());
const root = document.getElementById('root');
if (!root) throw new Error('watch.html has no #root');
const address = parsePagePath('watch', location.pathname);
if (address) {
  // The code for HLS is on its way while the server is asked whether the stream is there.
  void import('./choose-engine.ts');
  const query = new URLSearchParams(location.search);
  const session = new WatchSession(address, parseTransportChoice(query.get('transport')));
  exposeFigures<PlayerFigures>(session.figures);
  document.title = `${address.path} · Sluice`;
  createRoot(root).render(<WatchPage session={session} embedded={query.get('embed') === '1'} />);
} else {
  createRoot(root).render(<NoStream />);
}
