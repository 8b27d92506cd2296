/** Whether people can sign in to the console at the identity provider, and whether those who may are the ones that are meant. */
import { plural } from '../../core/plural.ts';
import { type Check, fail, ofNode, pass, skipped, warn } from './judgement.ts';

const SKEW_WARN_MS = 10_000;
/** Beyond a minute its tokens come from the future, or have ended. */
const SKEW_FAIL_MS = 60_000;
const MAX_LISTED = 5;
const DOCS = 'docs/OPERATIONS.md, Signing in with OIDC';

export const SIGN_IN_CHECKS: readonly Check[] = [
  {
    id: 'sign_in.provider',
    title: 'people can sign in to the console at the identity provider',
    judge: ofNode(({ signIn }) => {
      if (signIn === null) return skipped('people sign in with API keys alone (oidc.issuer)');
      const { issuer, fault, keys, clock_skew_ms: skew, algorithms } = signIn;
      if (fault !== null) return fail(`${issuer}: ${fault}`, DOCS);
      const seconds = skew === null ? null : Math.round(skew / 1_000);
      const seen = `${issuer}: ${plural(keys ?? 0, 'key')}, ${algorithms.join(' ')}`;
      if (skew === null || Math.abs(skew) <= SKEW_WARN_MS) return pass(seen);
      const off = `${issuer}: its clock differs from ours by ${seconds} s`;
      const fix = 'timedatectl set-ntp true (or chronyd), then timedatectl timesync-status, on whichever is wrong';
      return Math.abs(skew) > SKEW_FAIL_MS ? fail(off, fix) : warn(off, fix);
    }),
  },
  {
    id: 'sign_in.rules',
    title: 'somebody may sign in at the identity provider',
    judge: ofNode(({ signIn }) => {
      if (signIn === null) return skipped('people sign in with API keys alone (oidc.issuer)');
      if (signIn.rules > 0) return pass(plural(signIn.rules, 'rule'));
      return warn('oidc.roles has no rule: nobody is let in', DOCS);
    }),
  },
  {
    id: 'sign_in.keys',
    title: 'keys that name a person name one of the identity provider',
    judge: ofNode(({ signIn }) => {
      if (signIn === null) return skipped('people sign in with API keys alone (oidc.issuer)');
      const { issuer, other_issuer_keys: names } = signIn;
      if (names.length === 0) return pass('none names a person of another issuer');
      const seen = `expected persons of ${issuer}, got another issuer’s in ${plural(names.length, 'key')}: ${listed(names)}`;
      const fix = 'stigmem-peerd key revoke NAME, then key create NAME --person ISSUER#SUBJECT as the console shows it';
      return warn(`${seen}; with two persons they approve nothing of who signs in`, fix);
    }),
  },
];

function listed(names: readonly string[]): string {
  return [...names.slice(0, MAX_LISTED), ...(names.length > MAX_LISTED ? ['…'] : [])].join(', ');
}
