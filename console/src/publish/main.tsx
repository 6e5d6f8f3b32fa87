import { createRoot } from 'react-dom/client';
import '../design/tokens.css';
import '../design/controls.css';
import './publish.css';
import { applyTheme, storedTheme } from '../design/theme.ts';
import { exposeFigures } from '../figures/expose-figures.ts';
import { parsePagePath } from '../stream-address/stream-address.ts';
import { NoAddress } from './no-address.tsx';
import { PublishPage } from './publish-page.tsx';
import { type PublishFigures, PublishSession } from './publish-session.ts';
import { settingsOf } from './publish-settings.ts';

applyTheme(storedTheme());
const root = document.getElementById('root');
if (!root) throw new Error('publish.html has no #root');
const address = parsePagePath('publish', location.pathname);
if (address) {
  const session = new PublishSession(address, settingsOf(new URLSearchParams(location.search)));
  exposeFigures<PublishFigures>(session.figures);
  document.title = `Publish ${address.path} · Sluice`;
  createRoot(root).render(<PublishPage session={session} />);
} else {
  createRoot(root).render(<NoAddress />);
}
