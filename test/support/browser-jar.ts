/** A browser without a screen: cookies by host, redirects followed one by one, so that a test sees each. */

type Send = (url: URL, init: RequestInit) => Promise<Response>;

export class BrowserJar {
  readonly #cookies = new Map<string, Map<string, string>>();
  readonly #send: Send;

  /** @param send for what is not on the network */
  constructor(send: Send = (url, init) => fetch(url, init)) {
    this.#send = send;
  }

  async get(address: string | URL, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return this.#ask(new URL(address), { headers });
  }

  async post(address: string | URL, form: Readonly<Record<string, string>>): Promise<Response> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return this.#ask(new URL(address), { method: 'POST', headers, body: new URLSearchParams(form).toString() });
  }

  /** Follows redirects until one leads where `stop` says, or none does. @returns the address it would go to, or the last answer */
  async follow(address: string | URL, stop: (url: URL) => boolean): Promise<URL> {
    let url = new URL(address);
    for (let i = 0; i < 20; i++) {
      if (stop(url)) return url;
      const response = await this.get(url);
      await response.arrayBuffer();
      const location = response.headers.get('location');
      if (location === null) throw new Error(`${url} leads nowhere: ${response.status}`);
      url = new URL(location, url);
    }
    throw new Error('redirected 20 times');
  }

  cookies(host: string): ReadonlyMap<string, string> {
    return this.#cookies.get(host) ?? new Map();
  }

  async #ask(url: URL, init: RequestInit): Promise<Response> {
    const own = this.#cookies.get(url.host) ?? new Map<string, string>();
    this.#cookies.set(url.host, own);
    const cookie = [...own].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await this.#send(url, { ...init, redirect: 'manual', headers: { ...init.headers, cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      if (/max-age=0/i.test(line) || pair.length === at + 1) own.delete(pair.slice(0, at));
      else own.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }
}
