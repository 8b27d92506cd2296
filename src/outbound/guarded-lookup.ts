/** Where sockets of this node may lead. Judged is the address that the socket connects to, so a name cannot be changed in between. */
import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { type AddressRule, whyNotConnect } from '../core/address.ts';

/** The machine's resolver; tests pass their own. */
export type Resolve = (
  name: string,
  options: LookupOptions & { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void;

/** An address that is not connected to. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly code = 'ERR_ADDRESS_REFUSED';
}

const WORDS: Readonly<Record<NonNullable<ReturnType<typeof whyNotConnect>>, string>> = {
  public: 'a public address',
  loopback: 'this machine itself',
  private: 'inside a private network',
  link_local: 'a link-local address',
  metadata: 'where a cloud hands out credentials',
  multicast: 'a multicast address',
  unspecified: 'no address of a machine',
  reserved: 'a reserved address',
  malformed: 'no IP address in its usual form',
};

/** What is wrong with a host that is an IP address; null: nothing, or it is a name, which is judged when it is resolved. */
export function literalFault(host: string, rule: AddressRule): AddressRefused | null {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) === 0) return null;
  const why = whyNotConnect(bare, null, rule);
  return why === null ? null : refusal(bare, WORDS[why], rule);
}

/** A `lookup` for sockets: addresses that the rule lets through, or the error {@link AddressRefused}. */
export function guardedLookup(ruleOf: (name: string) => AddressRule, resolve: Resolve = lookup): LookupFunction {
  return (name, options, done) => {
    resolve(name, { ...options, all: true }, (error, found) => {
      const [first] = found ?? [];
      if (error !== null || first === undefined) return done(error ?? noAddress(name), '');
      const rule = ruleOf(name);
      const judged = found.map((one) => ({ ...one, why: whyNotConnect(one.address, name, rule) }));
      const [open, ...others] = judged.flatMap(({ address, family, why }) =>
        why === null ? [{ address, family }] : [],
      );
      if (open !== undefined)
        return options.all === true ? done(null, [open, ...others]) : done(null, open.address, open.family);
      const [refused] = judged;
      const words = refused?.why == null ? WORDS.malformed : WORDS[refused.why];
      done(refusal(`${name} leads to ${refused?.address}`, words, rule), '');
    });
  };
}

function refusal(what: string, words: string, { from }: AddressRule): AddressRefused {
  const whose = from === 'peer' ? ', and it was named by somebody else' : '';
  return new AddressRefused(
    `${what}, which is ${words}${whose}: not connected to; network.allow_addresses can allow it`,
  );
}

function noAddress(name: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${name} has no address`), { code: 'ENOTFOUND' });
}
