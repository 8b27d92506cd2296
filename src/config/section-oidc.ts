/** Settings of signing in to the console at an identity provider (OpenID Connect). */
import { z } from 'zod';
import { isPermission, KEY_ROLES, PERMISSIONS } from '../core/permissions.ts';
import { issuerFault } from '../core/person.ts';
import { text } from './fault.ts';
import { about, integer, sectionDoc } from './setting-registry.ts';
import type { Settings } from './settings-form.ts';

/** Signatures that somebody without the key cannot make: none, and what a shared secret signs, are not among them. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'Ed25519',
  'EdDSA',
] as const;
export type OidcAlgorithm = (typeof ALGORITHMS)[number];

const DEFAULT_ALGORITHMS: OidcAlgorithm[] = ['RS256', 'PS256', 'ES256', 'ES384', 'Ed25519', 'EdDSA'];
const MAX_RULES = 256;
const MAX_VALUE_CHARS = 256;
const CLAIM = z.string().regex(/^[\x21-\x7e]{1,128}$/, 'a claim is 1 to 128 characters without spaces');
const WORDS = z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, 'a word without spaces')).max(32);

export const OIDC_SECTION: z.ZodPrefault<z.ZodType<Settings['oidc']>> = z
  .strictObject({
    issuer: text((value) => (value === '' ? null : issuerFault(value)))
      .default('')
      .register(about, {
        kind: 'text',
        expected: 'a URL such as "https://idp.acme.example", or "" for none',
        doc: 'The provider, exactly as it names itself in its discovery document and tokens. With the subject it is who a person is. Empty: people sign in with API keys alone.',
      }),
    client_id: z.string().max(256).default('').register(about, {
      kind: 'text',
      expected: 'a text of at most 256 characters',
      doc: 'What the provider calls this node. The redirect URI to register there is api.node_url with /console/sign-in/oidc/callback behind it.',
    }),
    client_secret_file: z.string().default('').register(about, {
      kind: 'text',
      expected: 'a path of a file, or "" for a public client',
      doc: 'One line: the client’s secret; readable by its owner alone (chmod 600). A credential of the service manager with the name of this file is taken in its place. Empty: a public client; PKCE (S256) is used in either case.',
    }),
    ca_file: z.string().default('').register(about, {
      kind: 'text',
      expected: 'a path of a PEM file, or ""',
      doc: 'Authorities that the provider’s certificate is checked with. Empty: those of this system.',
    }),
    scopes: WORDS.default(['openid', 'profile']).register(about, {
      kind: 'list',
      expected: 'a list of scopes such as ["openid", "profile", "groups"]',
      doc: 'What is asked for. openid has to be among them; which one brings the claims below is the provider’s to say.',
    }),
    name_claim: CLAIM.default('preferred_username').register(about, {
      kind: 'text',
      expected: 'the name of a claim',
      doc: 'Claim of the ID token whose text is shown as the person’s name, in the console and beside the identity in audit records. A person may change it: nothing is decided by it.',
    }),
    roles_claim: CLAIM.default('groups').register(about, {
      kind: 'text',
      expected: 'the name of a claim',
      doc: 'Claim of the ID token, at its top level, whose values the rules below look at: a text, or a list of texts.',
    }),
    roles: z
      .array(text(ruleFault))
      .max(MAX_RULES)
      .default([])
      .register(about, {
        kind: 'list',
        expected: 'a list of rules such as ["reviewer soc-reviewers", "admin peerd-admins"]',
        doc: `Who may do what: a role or a permission, then the value of the claim that gives it, exactly. Roles: ${KEY_ROLES.join(', ')}. All rules that match count; who matches none is not let in, and an empty list lets nobody in.`,
        effect:
          'a rule that is taken away at the next request of whoever is signed in; one that is added at their next sign-in',
      }),
    acr: WORDS.default([]).register(about, {
      kind: 'list',
      expected: 'a list of words',
      doc: 'Authentication contexts (acr) that the provider is asked for, one of which the ID token has to have. Empty: any.',
    }),
    amr: WORDS.default([]).register(about, {
      kind: 'list',
      expected: 'a list of words such as ["mfa"]',
      doc: 'Methods of authentication (amr) that the ID token has to name, all of them. Empty: any.',
    }),
    algorithms: z
      .array(z.enum(ALGORITHMS))
      .min(1)
      .default(DEFAULT_ALGORITHMS)
      .register(about, {
        kind: 'list',
        expected: `a list of ${ALGORITHMS.map((name) => JSON.stringify(name)).join(', ')}`,
        doc: 'Signatures of ID tokens that are believed, of those that the provider says it makes.',
      }),
    max_session_hours: integer(1, 24, 8).register(about, {
      kind: 'integer',
      expected: 'hours from 1 to 24',
      doc: 'How long somebody stays signed in at most, whatever the token says. Without use a session ends after 30 minutes.',
    }),
  })
  .prefault({})
  .register(sectionDoc, {
    doc: 'Signing in to the console at an identity provider (OpenID Connect): docs/OPERATIONS.md, Signing in with OIDC.',
  });

/** `reviewer soc-reviewers`: the first word is what, the rest the value. */
export function splitRule(rule: string): readonly [word: string, value: string] {
  const at = rule.indexOf(' ');
  return at === -1 ? [rule, ''] : [rule.slice(0, at), rule.slice(at + 1)];
}

function ruleFault(rule: string): string | null {
  const [word, value] = splitRule(rule);
  if (!(KEY_ROLES as readonly string[]).includes(word) && !isPermission(word))
    return `a rule begins with a role (${KEY_ROLES.join(', ')}) or a permission (${PERMISSIONS.join(', ')})`;
  if (value.trim() === '' || value.length > MAX_VALUE_CHARS)
    return `behind the role stands the value of the claim, 1 to ${MAX_VALUE_CHARS} characters`;
  return null;
}
