import { createRoot } from 'react-dom/client';
import '../design/tokens.css';
import '../design/controls.css';
import './streams.css';
import { applyTheme, storedTheme } from '../design/theme.ts';
import { StreamsPage } from './streams-page.tsx';

applyTheme(storedTheme());
const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(<StreamsPage />);
