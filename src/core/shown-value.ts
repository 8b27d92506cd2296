/** Settings as they may be shown: no setting is a secret, and an address may have one in it all the same. Pure and total. */

const HIDDEN = '…';

/** A name and password in a URL, and what a URL asks, are left out. */
export function shownValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shownValue);
  if (typeof value !== 'string' || !value.includes('://')) return value;
  const url = URL.parse(value);
  if (url === null || (url.username === '' && url.password === '' && url.search === '')) return value;
  const login = url.username === '' && url.password === '' ? '' : `${HIDDEN}@`;
  return `${url.protocol}//${login}${url.host}${url.pathname}${url.search === '' ? '' : `?${HIDDEN}`}`;
}
