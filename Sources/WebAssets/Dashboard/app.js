// Starts the dashboard: the frame around the pages, and the table of pages.
import { drawTop } from './core/shell.js';
import { startRouter } from './core/router.js';

// Each page is loaded when it is first shown.
const pages = [
  ['/jobs', () => import('./pages/jobs-page.js')],
  ['/start', () => import('./pages/start-page.js')],
  ['/jobs/:id', () => import('./pages/job-page.js')],
  ['/jobs/:id/:tab', () => import('./pages/job-page.js')],
  ['/compare', () => import('./pages/compare-page.js')],
  ['/inputs', () => import('./pages/inputs-page.js')],
  ['/models/:id', () => import('./pages/input-page.js')],
  ['/datasets/:id', () => import('./pages/input-page.js')],
  ['/system', () => import('./pages/system-page.js')],
];

drawTop(document.getElementById('top'));
startRouter(pages, document.getElementById('main'), '/jobs');
