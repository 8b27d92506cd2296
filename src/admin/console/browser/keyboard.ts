/** Keys for those who go through many cases. None is taken while somebody writes, or with a modifier held. */

const PLACES: Readonly<Record<string, string>> = {
  o: '/console',
  c: '/console/cases',
  p: '/console/peers',
  f: '/console/facts',
  q: '/console/quarantine',
  e: '/console/erasures',
  j: '/console/journal',
  d: '/console/drills',
  k: '/console/settings',
};
/** For the second key after `g`. */
const CHORD_MS = 1_200;

export function startKeyboard(): void {
  let goneMs = Number.NEGATIVE_INFINITY;
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    const { key } = event;
    if (event.timeStamp - goneMs < CHORD_MS) {
      goneMs = Number.NEGATIVE_INFINITY;
      const place = PLACES[key];
      // Only where the menu offers it: the server would refuse it anyway.
      if (place !== undefined && document.querySelector(`nav a[href="${place}"]`) !== null) location.assign(place);
      return;
    }
    if (key === 'g') goneMs = event.timeStamp;
    else if (act(key)) event.preventDefault();
  });
}

/** @returns whether the key meant something here */
function act(key: string): boolean {
  if (key === 'j' || key === 'ArrowDown') return move(1, key);
  if (key === 'k' || key === 'ArrowUp') return move(-1, key);
  if (key === 'Enter') return openRow();
  if (key === 'x') return toggleRow();
  if (key === '/') return focus('[data-filter]');
  if (key === 'n') return focus('[data-note]');
  if (key === 'a') return press('[data-acknowledge]');
  if (key === 'v') return press('[data-verify-button]:not([hidden])');
  if (key === '?') return help();
  return false;
}

function rows(): readonly HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('tr[data-row]')];
}

function chosen(): HTMLElement | null {
  return document.querySelector<HTMLElement>('tr[data-row][data-on]');
}

/** Arrows scroll until a row was chosen with j or k. */
function move(by: number, key: string): boolean {
  const all = rows();
  const now = chosen();
  if (all.length === 0 || (key.startsWith('Arrow') && now === null)) return false;
  const at = now === null ? -1 : all.indexOf(now);
  const next = all[Math.max(0, Math.min(all.length - 1, now === null && by < 0 ? 0 : at + by))];
  if (next === undefined) return false;
  if (now !== null) delete now.dataset['on'];
  next.dataset['on'] = '';
  next.scrollIntoView({ block: 'nearest' });
  const link = next.querySelector<HTMLElement>('th a, a');
  link?.focus({ preventScroll: true });
  return true;
}

function openRow(): boolean {
  const link = chosen()?.querySelector<HTMLAnchorElement>('th a, a');
  if (link === null || link === undefined || document.activeElement === link) return false;
  link.click();
  return true;
}

function toggleRow(): boolean {
  const box = chosen()?.querySelector<HTMLInputElement>('input[type="checkbox"]');
  box?.click();
  return box !== null && box !== undefined;
}

function focus(selector: string): boolean {
  const field = document.querySelector<HTMLElement>(selector);
  field?.closest('details')?.setAttribute('open', '');
  field?.focus();
  return field !== null;
}

function press(selector: string): boolean {
  const button = document.querySelector<HTMLElement>(selector);
  button?.click();
  return button !== null;
}

function help(): boolean {
  const dialog = document.querySelector<HTMLDialogElement>('dialog[data-keys]');
  if (dialog?.open === true) dialog.close();
  else dialog?.showModal();
  return dialog !== null;
}

function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(?:TEXTAREA|SELECT)$/.test(target.tagName) || isTextInput(target);
}

function isTextInput(target: HTMLElement): boolean {
  return target instanceof HTMLInputElement && target.type !== 'checkbox' && target.type !== 'radio';
}
