/** What the claims of a verified ID token say about a person, and what that is worth here. Pure. */
import type { OidcConfig, RoleRule } from '../config/oidc-settings.ts';
import { PERMISSIONS, type Permission } from '../core/permissions.ts';
import { type PersonId, readName, readSubject } from '../core/person.ts';
import { err, ok, type Result } from '../core/result.ts';
import { shortened } from '../core/shortened.ts';
import type { Refused } from './refusal.ts';

/** A person of thousands of groups has a provider that cannot be told to leave most of them out. */
const MAX_VALUES = 1_000;
/** Clocks of two servers that are kept right differ by less. */
export const SKEW_MS = 60_000;
const MAX_SHOWN_CHARS = 64;

export type Claims = Readonly<Record<string, unknown>>;
export type ClaimRules = Pick<OidcConfig, 'issuer' | 'clientId' | 'nameClaim' | 'rolesClaim' | 'rules' | 'acr' | 'amr'>;

/** Somebody whom a rule lets in. */
export interface SignedPerson {
  readonly person: PersonId;
  readonly name: string;
  /** The values of the claim that a rule had when they signed in: others are nobody's business here. */
  readonly values: readonly string[];
}

/** A refusal may name who it was. */
export interface PersonRefused extends Refused {
  readonly person: PersonId | null;
  readonly name: string | null;
}

/** @param claims of a token whose signature, issuer, audience, nonce and end were checked */
export function judgeClaims(claims: Claims, rules: ClaimRules, nowMs: number): Result<SignedPerson, PersonRefused> {
  const subject = readSubject(claims['sub']);
  const name = readName(claims[rules.nameClaim]);
  const person = subject === null ? null : { issuer: rules.issuer, subject };
  const refused = (code: Refused['code'], detail: string): Result<never, PersonRefused> =>
    err({ code, detail, person, name });
  const fault = partyFault(claims, rules) ?? timeFault(claims, nowMs);
  if (fault !== null) return refused(fault.code, fault.detail);
  if (person === null) return refused('subject_invalid', 'expected sub to be 1 to 255 characters of ASCII');
  const context = contextFault(claims, rules);
  if (context !== null) return refused(context.code, context.detail);
  const values = valuesOf(claims, rules.rolesClaim);
  if (!values.ok) return refused(values.error.code, values.error.detail);
  const known = values.value.filter((value) => rules.rules.some((rule) => rule.value === value));
  if (known.length === 0)
    return refused('no_role', `none of ${values.value.length} values of ${rules.rolesClaim} has a rule in oidc.roles`);
  return ok({ person, name: name ?? 'unnamed', values: [...new Set(known)] });
}

/** What the rules give for these values; null: nothing, so that nobody is let in. */
export function grantOf(
  values: readonly string[],
  rules: readonly RoleRule[],
): { readonly roles: string; readonly permissions: readonly Permission[] } | null {
  const met = rules.filter(({ value }) => values.includes(value));
  if (met.length === 0) return null;
  const given = new Set(met.flatMap(({ permissions }) => permissions));
  return {
    roles: [...new Set(met.map(({ word }) => word))].join(', '),
    permissions: PERMISSIONS.filter((permission) => given.has(permission)),
  };
}

function partyFault({ azp }: Claims, { clientId }: ClaimRules): Refused | null {
  if (azp === undefined || azp === clientId) return null;
  return { code: 'token_claim_mismatch', detail: `it was issued to another client (azp ${quoted(azp)})` };
}

function timeFault({ iat }: Claims, nowMs: number): Refused | null {
  if (typeof iat === 'number' && iat * 1_000 <= nowMs + SKEW_MS) return null;
  return { code: 'token_time_invalid', detail: 'it comes from the future (iat): compare the clocks of both machines' };
}

function contextFault({ acr, amr }: Claims, rules: ClaimRules): Refused | null {
  if (rules.acr.length > 0 && !(typeof acr === 'string' && rules.acr.includes(acr)))
    return {
      code: 'acr_insufficient',
      detail: `expected acr to be one of ${rules.acr.join(', ')}, got ${quoted(acr)}`,
    };
  const methods: readonly unknown[] = Array.isArray(amr) ? amr : [];
  const missing = rules.amr.filter((method) => !methods.includes(method));
  if (missing.length === 0) return null;
  return { code: 'amr_insufficient', detail: `expected amr to name ${missing.join(', ')}` };
}

/** One text is one value, whole: what is in it is no list of ours to take apart. */
function valuesOf(claims: Claims, name: string): Result<readonly string[], Refused> {
  const claim = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (claim === undefined || claim === null) return err({ code: 'roles_missing', detail: missing(claims, name) });
  const values: unknown = typeof claim === 'string' ? [claim] : claim;
  if (!Array.isArray(values) || values.length > MAX_VALUES || !values.every((one) => typeof one === 'string'))
    return err({ code: 'roles_malformed', detail: `expected ${name} to be a text or a list of at most ${MAX_VALUES}` });
  return ok(values);
}

function missing(claims: Claims, name: string): string {
  // OpenID Connect Core §5.6.2: claims that are to be fetched elsewhere. Entra does so beyond 200 groups.
  const elsewhere = claims['_claim_names'];
  const isElsewhere = typeof elsewhere === 'object' && elsewhere !== null && Object.hasOwn(elsewhere, name);
  const why = isElsewhere ? ': the provider keeps it elsewhere, since there are too many values' : '';
  return `the token has no claim ${name}${why}; have the provider put it into ID tokens for this client`;
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(shortened(value, MAX_SHOWN_CHARS)) : 'none';
}
