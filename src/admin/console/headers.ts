/** Answers of the console. Every one is made here, so that none lacks its headers. */

/**
 * Nothing runs, shows or is loaded that does not come from this server; no text becomes markup in a script's hands, since no policy
 * for trusted types exists that could make it so.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const ALWAYS: Readonly<Record<string, string>> = {
  'content-security-policy': PAGE_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  // Not `no-referrer`: with that a browser sends forms with `Origin: null`, which the server takes for another site's.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

type Extra = Readonly<Record<string, string>>;

export function page(status: number, html: string, extra: Extra = {}): Response {
  const headers = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', ...ALWAYS, ...extra };
  return new Response(`<!doctype html>${html}`, { status, headers });
}

/** Also after a form: the browser then asks for the page with GET, so that going back sends nothing twice. */
export function seeOther(path: string, extra: Extra = {}): Response {
  return new Response(null, {
    status: 303,
    headers: { location: path, 'cache-control': 'no-store', ...ALWAYS, ...extra },
  });
}

/** `Lax` also goes with a link or a redirect from elsewhere. */
export function cookie(name: string, value: string, secure: boolean, sameSite: 'Strict' | 'Lax' = 'Strict'): string {
  return `${name}=${value}; Path=/; HttpOnly; SameSite=${sameSite}${secure ? '; Secure' : ''}`;
}

export function keptFile(body: string, type: string): Response {
  const headers = { 'content-type': type, 'cache-control': 'public, max-age=31536000, immutable', ...ALWAYS };
  return new Response(body, { status: 200, headers });
}

/** An answer of the API handed on: its body, type and name, under the console's policy. */
export function handedOn(answer: Response): Response {
  const headers = new Headers({ 'cache-control': 'no-store', ...ALWAYS });
  for (const name of ['content-type', 'content-disposition', 'x-accel-buffering']) {
    const value = answer.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(answer.body, { status: answer.status, headers });
}
