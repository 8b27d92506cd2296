/** The frame of every page: navigation, who is signed in, and what was just done. */
import type { Child } from 'hono/jsx';
import type { Permission } from '../../core/permissions.ts';
import type { Ask } from './ask.ts';
import type { Assets } from './assets.ts';
import { Icon, type IconName, Mark } from './icons.tsx';
import type { Html } from './parts.tsx';
import type { Notice, Session } from './sessions.ts';
import { nodeName } from './words.ts';

export interface Frame {
  readonly assets: Assets;
  readonly session: Session;
  readonly ask: Ask;
  readonly node: { readonly nodeId: string; readonly version: string };
  readonly nowMs: number;
  /** Cases that ask for somebody: shown beside the menu. Null: this person does not see cases. */
  readonly waiting: number | null;
}

interface Place {
  readonly path: string;
  readonly name: string;
  readonly icon: IconName;
  /** Offered to who has one of these; null: to everybody. */
  readonly anyOf: readonly Permission[] | null;
}

export const PLACES: readonly Place[] = [
  { path: '/console', name: 'Overview', icon: 'mesh', anyOf: null },
  { path: '/console/cases', name: 'Cases', icon: 'flag', anyOf: ['audit.read', 'review'] },
  { path: '/console/peers', name: 'Peers', icon: 'peers', anyOf: ['federate'] },
  { path: '/console/facts', name: 'Facts', icon: 'fact', anyOf: ['read'] },
  { path: '/console/quarantine', name: 'Quarantine', icon: 'shield', anyOf: ['review'] },
  { path: '/console/erasures', name: 'Erasures', icon: 'eraser', anyOf: ['admin', 'legal.hold'] },
  { path: '/console/journal', name: 'Journal', icon: 'tree', anyOf: ['read'] },
  { path: '/console/drills', name: 'Drills', icon: 'bell', anyOf: ['audit.read'] },
  { path: '/console/settings', name: 'Keys & settings', icon: 'key', anyOf: null },
];

export function Page(props: {
  frame: Frame;
  at: string;
  title: string;
  lede?: Child;
  crumb?: readonly [path: string, name: string];
  aside?: Child;
  children: Child;
}): Html {
  const { frame, at, title, lede, crumb, aside, children } = props;
  const notice = frame.session.told();
  return (
    <Document assets={frame.assets} title={`${title} · ${nodeName(frame.node.nodeId)}`}>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <div class="frame">
        <Side frame={frame} at={at} />
        <main id="main" tabindex={-1}>
          <div class="head">
            <div>
              {crumb === undefined ? null : (
                <div class="crumb">
                  <a href={crumb[0]}>‹ {crumb[1]}</a>
                </div>
              )}
              <h1>{title}</h1>
              {lede === undefined ? null : <p class="lede">{lede}</p>}
            </div>
            <div class="actions">
              {aside}
              <span class="live" data-live-state hidden>
                connecting
              </span>
            </div>
          </div>
          {notice === null ? null : <NoticeLine notice={notice} />}
          {children}
        </main>
      </div>
      <div class="sr" role="status" aria-live="polite" data-announce />
      <Keys />
    </Document>
  );
}

export function Document(props: { assets: Assets; title: string; children: Child }): Html {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{props.title}</title>
        <link rel="stylesheet" href={props.assets.style.path} />
        <link rel="icon" href="/console/assets/icon.svg" type="image/svg+xml" />
        <script type="module" src={props.assets.script.path} data-verifier={props.assets.verifier.path} />
      </head>
      <body>{props.children}</body>
    </html>
  );
}

export function NoticeLine({ notice }: { notice: Notice }): Html {
  return (
    <div class={`notice ${notice.kind}`} role={notice.kind === 'failed' ? 'alert' : 'status'}>
      <strong>{notice.kind === 'failed' ? 'Not done' : 'Done'}</strong>
      <span class="wrap">{notice.text}</span>
    </div>
  );
}

function Side({ frame, at }: { frame: Frame; at: string }): Html {
  const { holder, csrf } = frame.session;
  return (
    <header class="side">
      <a class="brand" href="/console">
        <Mark />
        <div>
          <b>peerd</b>
          <span>{nodeName(frame.node.nodeId)}</span>
        </div>
      </a>
      <nav aria-label="Pages">
        <ul>
          {PLACES.filter(({ anyOf }) => anyOf === null || frame.ask.mayAny(anyOf)).map(({ path, name, icon }) => (
            <li>
              <a href={path} {...(path === at ? { 'aria-current': 'page' } : {})}>
                <Icon name={icon} />
                {name}
                {path === '/console/cases' && frame.waiting !== null && frame.waiting > 0 ? (
                  <span class="count" id="menu-waiting" data-live>
                    {frame.waiting}
                    <span class="sr"> open</span>
                  </span>
                ) : null}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="who">
        <div>
          <strong>{holder.name}</strong>
          <div class="muted">{holder.role ?? holder.permissions.join(', ')}</div>
        </div>
        <form method="post" action="/console/sign-out">
          <input type="hidden" name="_csrf" value={csrf} />
          <button class="quiet" type="submit">
            Sign out
          </button>
        </form>
      </div>
    </header>
  );
}

const KEYS: readonly (readonly [string, string])[] = [
  ['j / k', 'next, previous row'],
  ['Enter', 'open the row'],
  ['x', 'select the row'],
  ['/', 'go to the filters'],
  ['v', 'verify in this browser'],
  ['a', 'acknowledge a case'],
  ['n', 'write a note'],
  ['g then o c p f d', 'Overview, Cases, Peers, Facts, Drills'],
  ['g then q e j k', 'Quarantine, Erasures, Journal, Keys'],
  ['?', 'this help'],
];

/** Opened by the page's script; without scripts there are no keys to explain. */
function Keys(): Html {
  return (
    <dialog data-keys aria-labelledby="keys-title">
      <form method="dialog" class="form">
        <h2 id="keys-title">Keyboard</h2>
        <dl class="keys">
          {KEYS.map(([keys, what]) => (
            <>
              <dt>
                <kbd>{keys}</kbd>
              </dt>
              <dd>{what}</dd>
            </>
          ))}
        </dl>
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}
