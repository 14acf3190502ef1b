import { mount } from 'svelte';
import App from './App.svelte';
import { chooseBackend } from './lib/backend/choose.ts';
import { app } from './lib/stores/app.svelte.ts';
import { build } from './lib/stores/build.svelte.ts';
import { followSystem } from './lib/theme.ts';
import './styles/tokens.css';
import './styles/base.css';

followSystem();

const target = document.getElementById('app');
if (target) {
  await app.begin(await chooseBackend(location.search));
  const rows = await app.trying(() => app.backend.builds());
  const running = rows?.find((row) => row.state === 'running' || row.state === 'queued');
  if (running) {
    app.place = { at: 'build' };
    void build.attach(running.id, running.title);
  }
  mount(App, { target });
}
