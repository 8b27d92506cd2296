/** What every page and every form goes through: who asks, whether the form is ours, and what is answered otherwise. */
import type { Hono } from 'hono';
import { getCookie } from 'hono/cookie';
import { readTextBody } from '../api/body.ts';
import type { ApiContext, ApiEnv } from '../api/route.ts';
import { askAs } from './ask.ts';
import type { Assets } from './assets.ts';
import type { ConsoleDeps } from './deps.ts';
import { page, seeOther } from './headers.ts';
import type { Frame } from './layout.tsx';
import type { Html } from './parts.tsx';
import { isSameToken, type Session, type Sessions } from './sessions.ts';
import { SignInLog } from './sign-in-log.ts';

/** A form's fields are names, reasons and notes. */
const MAX_FORM_BYTES = 65_536;
/** The longest of a page has a few filters in it. */
const MAX_PATH_CHARS = 512;
/** Set by the page's script on what it fetches by itself. */
export const BY_ITSELF = 'x-console-refresh';

export interface Shown {
  readonly status?: number;
  readonly html: Html;
}

export interface Visit {
  readonly c: ApiContext;
  readonly frame: Frame;
  readonly query: (name: string) => string;
  readonly param: (name: string) => string;
}

export interface Form {
  /** Empty when it was left out. */
  text(name: string): string;
  all(name: string): readonly string[];
}

/** Whether a person asks, or the page's script by itself, which does not count as use of the session. */
export type Asked = 'by a person' | 'by itself';

export interface Desk {
  readonly app: Hono<ApiEnv>;
  readonly deps: ConsoleDeps;
  readonly assets: Assets;
  readonly sessions: Sessions;
  readonly signIns: SignInLog;
  /** Whether who asked is signed in still; asking does not count as use. */
  holds(c: ApiContext): boolean;
  show(path: string, view: (visit: Visit) => Promise<Shown>): void;
  /** Answers with something else than a page. */
  give(path: string, answer: (visit: Visit) => Promise<Response>, asked?: Asked): void;
  /** Takes a form: Origin is checked by the server, the session's token here. */
  act(path: string, action: (visit: Visit, form: Form) => Promise<Response | Shown>): void;
}

export function createDesk(
  app: Hono<ApiEnv>,
  deps: ConsoleDeps,
  assets: Assets,
  waiting: (frame: Omit<Frame, 'waiting'>) => Promise<number | null>,
): Desk {
  const { sessions } = deps;
  const visitOf = async (c: ApiContext, asked: Asked = 'by a person'): Promise<Visit | null> => {
    const session = sessionOf(c, deps, sessions, asked);
    if (session === null) return null;
    const nowMs = deps.nowMs();
    const ask = askAs(session.holder, deps, { method: c.req.method, ...c.env });
    const frame = { assets, session, ask, node: deps.node, nowMs };
    return {
      c,
      frame: { ...frame, waiting: await waiting(frame) },
      query: (name) => c.req.query(name) ?? '',
      param: (name) => c.req.param(name) ?? '',
    };
  };
  return {
    app,
    deps,
    assets,
    sessions,
    signIns: new SignInLog(deps),
    holds: (c) => sessions.find(getCookie(c, cookieName(c, deps)) ?? '', deps.nowMs(), false) !== null,
    show(path, view) {
      app.get(path, async (c) => {
        const visit = await visitOf(c);
        return visit === null ? toSignIn(c) : pageOf(await view(visit));
      });
    },
    give(path, answer, asked) {
      app.get(path, async (c) => {
        const visit = await visitOf(c, asked);
        return visit === null ? plain(401, 'sign in first') : answer(visit);
      });
    },
    act(path, action) {
      app.post(path, async (c) => {
        const visit = await visitOf(c);
        if (visit === null) return seeOther('/console/sign-in');
        const form = await readForm(c, deps);
        if (form === null) return plain(400, 'expected a form of this console');
        if (!isSameToken(form.text('_csrf'), visit.frame.session.csrf))
          return plain(403, 'this form is not of your session: go back, load the page again and send it anew');
        const done = await action(visit, form);
        return done instanceof Response ? done : pageOf(done);
      });
    },
  };
}

export async function pageOf({ status = 200, html }: Shown): Promise<Response> {
  return page(status, String(await html));
}

/** What stands in no page: a script's request, or a form that is none of ours. */
export function plain(status: number, text: string): Response {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'content-security-policy': "default-src 'none'" };
  return new Response(text, { status, headers: { ...headers, 'x-content-type-options': 'nosniff' } });
}

/** @returns null when it is no form, or too long */
export async function readForm(c: ApiContext, { limits }: ConsoleDeps): Promise<Form | null> {
  if (!/^application\/x-www-form-urlencoded\b/i.test(c.req.header('content-type') ?? '')) return null;
  const body = await readTextBody(c.req.raw, { ...limits, maxBodyBytes: MAX_FORM_BYTES });
  if (!body.ok) return null;
  const fields = new URLSearchParams(body.value);
  return { text: (name) => fields.get(name) ?? '', all: (name) => fields.getAll(name) };
}

/**
 * The session's cookie. Its name has the port: cookies do not tell the ports of one machine apart, and two nodes on it would sign each
 * other out. With TLS the prefix keeps it from being set by anybody but this very server.
 */
export function cookieName(c: ApiContext, { secure }: ConsoleDeps): string {
  return secure ? '__Host-stigmem-console' : `stigmem-console-${new URL(c.req.url).port || '80'}`;
}

function sessionOf(c: ApiContext, deps: ConsoleDeps, sessions: Sessions, asked: Asked): Session | null {
  const token = getCookie(c, cookieName(c, deps));
  if (token === undefined || token === '') return null;
  return sessions.find(token, deps.nowMs(), asked === 'by a person' && c.req.header(BY_ITSELF) === undefined);
}

function toSignIn(c: ApiContext): Response {
  const { pathname, search } = new URL(c.req.url);
  return seeOther(`/console/sign-in?next=${encodeURIComponent(pathname + search)}`);
}

/** A page of this console and nothing else: what stands in a link is anybody's. */
export function ownPath(next: string): string {
  if (next.length > MAX_PATH_CHARS) return '/console';
  return /^\/console(?:[/?][\w\-./~%?=&:+,@]*)?$/.test(next) && !next.includes('//') ? next : '/console';
}
