import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { createRoot } from 'react-dom/client';
import '../design/tokens.css';
import '../design/controls.css';
import '../streams/streams.css';
import './console.css';
import { applyTheme, storedTheme } from '../design/theme.ts';
import { createQueries } from './queries.ts';
import { router } from './router.tsx';

applyTheme(storedTheme());
const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <QueryClientProvider client={createQueries()}>
    <RouterProvider router={router} />
  </QueryClientProvider>,
);
