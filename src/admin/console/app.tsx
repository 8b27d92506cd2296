/** All pages of the console. */
import { Hono } from 'hono';
import type { ApiEnv } from '../api/route.ts';
import type { Assets } from './assets.ts';
import type { ConsoleDeps } from './deps.ts';
import { createDesk, pageOf, plain, type Shown, type Visit } from './desk.ts';
import { handedOn, keptFile } from './headers.ts';
import { TAB_ICON } from './icons.tsx';
import { Document } from './layout.tsx';
import { liveStream } from './live.ts';
import { addCase } from './pages/case.tsx';
import { addCases, waitingCases } from './pages/cases.tsx';
import { addDrills } from './pages/drills.tsx';
import { addErasures } from './pages/erasures.tsx';
import { addFact } from './pages/fact.tsx';
import { addFacts } from './pages/facts.tsx';
import { addJournal } from './pages/journal.tsx';
import { addOverview } from './pages/overview.tsx';
import { addPeer } from './pages/peer.tsx';
import { addPeers } from './pages/peers.tsx';
import { addQuarantinePages } from './pages/quarantine.tsx';
import { addRecords } from './pages/records.tsx';
import { addSettingValues } from './pages/setting-values.tsx';
import { addSettings } from './pages/settings.tsx';
import { addSignIn } from './sign-in.tsx';
import { addLinkSignIn } from './sign-in-link.tsx';
import { addOidcSignIn } from './sign-in-oidc.tsx';

export function buildConsole(deps: ConsoleDeps, assets: Assets): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  const desk = createDesk(app, deps, assets, waitingCases);
  for (const { path, type, body } of [assets.style, assets.script, assets.verifier])
    app.get(path, () => keptFile(body, type));
  app.get('/console/assets/icon.svg', () => keptFile(TAB_ICON, 'image/svg+xml'));
  addSignIn(desk);
  addLinkSignIn(desk);
  addOidcSignIn(desk);
  addOverview(desk);
  addPeers(desk);
  addPeer(desk);
  addCases(desk);
  addCase(desk);
  addFacts(desk);
  addFact(desk);
  addDrills(desk);
  addQuarantinePages(desk);
  addErasures(desk);
  addJournal(desk);
  addRecords(desk);
  addSettings(desk);
  addSettingValues(desk);
  const live = async ({ c, frame }: Visit): Promise<Response> => {
    const lastId = c.req.header('last-event-id');
    const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
    const answer = await frame.ask.raw('/v1/federation/audit/stream', headers);
    return handedOn(liveStream(answer, () => desk.holds(c)));
  };
  desk.give('/console/live', live, 'by itself');
  app.notFound((c) => {
    if (c.req.method !== 'GET') return plain(405, 'Method Not Allowed');
    return pageOf(bare(assets, 404, 'There is no such page', 'Look at the address, or start from the overview.'));
  });
  app.onError((error, c) => {
    deps.events.requestFailed(`${c.req.method} ${c.req.path.slice(0, 256)}`, error);
    return pageOf(bare(assets, 500, 'The page could not be made', 'The node goes on. Its log says what happened.'));
  });
  return app;
}

function bare(assets: Assets, status: number, title: string, text: string): Shown {
  const html = (
    <Document assets={assets} title={title}>
      <div class="center">
        <main>
          <h1>{title}</h1>
          <p class="muted">{text}</p>
          <p>
            <a href="/console">Overview</a>
          </p>
        </main>
      </div>
    </Document>
  );
  return { status, html };
}
