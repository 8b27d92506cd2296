/** Brings parts of a page up to date when the audit log grows, and now and then. */

/** Many records at once are one change. */
const SETTLE_MS = 250;
/** What grows without an audit record: facts, lag, ages. */
const EVERY_MS = 10_000;
/** While the node does something that it tells the progress of. */
const BUSY_MS = 1_500;
const MARK = { 'x-console-refresh': '1' };

export function startLive(): void {
  const state = document.querySelector<HTMLElement>('[data-live-state]');
  if (state === null || document.querySelector('[data-live]') === null) return;
  state.hidden = false;
  const refresh = settled(() => void refreshParts());
  const events = new EventSource('/console/live');
  events.onopen = () => show(state, 'on', 'live');
  events.onerror = () => show(state, 'off', events.readyState === EventSource.CLOSED ? 'not live' : 'connecting');
  events.onmessage = ({ data }) => {
    announce(String(data));
    refresh();
  };
  setInterval(() => {
    if (!document.hidden) refresh();
  }, EVERY_MS);
  setInterval(() => {
    if (!document.hidden && document.querySelector('[data-live-busy]') !== null) refresh();
  }, BUSY_MS);
}

function show(state: HTMLElement, word: string, text: string): void {
  state.dataset['state'] = word;
  state.textContent = text;
}

/** Text of a peer's making goes into a text node and nowhere else. */
function announce(data: string): void {
  const record: unknown = JSON.parse(data);
  const place = document.querySelector('[data-announce]');
  if (place === null || typeof record !== 'object' || record === null) return;
  const { severity, reason, event_type: event, peer_id: peer } = record as Record<string, unknown>;
  if (severity === 'info') return;
  place.textContent = `${String(severity)}: ${String(reason ?? event).replaceAll('_', ' ')} from ${String(peer ?? 'this node')}`;
}

function settled(action: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      action();
    }, SETTLE_MS);
  };
}

async function refreshParts(): Promise<void> {
  const fresh = await pageNow();
  if (fresh === null) return;
  for (const part of document.querySelectorAll<HTMLElement>('[data-live][id]')) {
    const other = fresh.getElementById(part.id);
    // Nothing is taken away from under somebody's hands: who types, or has selected a row, keeps it.
    if (other === null || part.innerText === other.innerText || isInUse(part)) continue;
    const known = new Set(keysIn(part));
    part.replaceChildren(...document.adoptNode(other).childNodes);
    for (const row of part.querySelectorAll<HTMLElement>('[data-key]'))
      if (!known.has(row.dataset['key'] ?? '')) row.classList.add('fresh');
  }
}

function isInUse(part: HTMLElement): boolean {
  return part.contains(document.activeElement) || part.querySelector('[data-on], details[open], :checked') !== null;
}

function keysIn(part: HTMLElement): readonly string[] {
  return [...part.querySelectorAll<HTMLElement>('[data-key]')].map(({ dataset }) => dataset['key'] ?? '');
}

/** Parsed by the browser as a document that runs nothing: no text is made into markup by this script. */
function pageNow(): Promise<Document | null> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('GET', location.href);
    request.responseType = 'document';
    for (const [name, value] of Object.entries(MARK)) request.setRequestHeader(name, value);
    request.onload = () => {
      // Signed out meanwhile: the answer is another page.
      const isSame = new URL(request.responseURL).pathname === location.pathname;
      if (!isSame) location.reload();
      resolve(isSame && request.status === 200 ? request.responseXML : null);
    };
    request.onerror = () => resolve(null);
    request.send();
  });
}
