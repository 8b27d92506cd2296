/** A person as an identity provider names one: by issuer and subject together, which never change, and a name beside them. Pure. */

export interface PersonId {
  readonly issuer: string;
  /** As the provider writes it. */
  readonly subject: string;
}

/** With the longest subject and name, an actor still stands in an audit record whole: what was cut would be somebody else. */
export const MAX_ISSUER_CHARS = 150;
const MAX_SUBJECT_CHARS = 255;
const MAX_NAME_CHARS = 48;

/** OpenID Connect Core §2: at most 255 characters of ASCII. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/;
/** Some letters and marks have nothing to see, too: U+3164 is a letter. */
const NOT_SHOWN = /[^\p{L}\p{M}\p{N} ._@+'-]|\p{Default_Ignorable_Code_Point}/gu;

/** `https://idp.acme.example#248289761001`: one text for one person, and another for every other. */
export function personText({ issuer, subject }: PersonId): string {
  return `${issuer}#${encoded(subject)}`;
}

/** @returns null when it is no text of {@link personText} */
export function readPerson(text: string): PersonId | null {
  const at = text.indexOf('#');
  const issuer = text.slice(0, Math.max(0, at));
  if (issuerFault(issuer) !== null) return null;
  const subject = readSubject(decoded(text.slice(at + 1)));
  if (subject === null) return null;
  const person = { issuer, subject };
  return personText(person) === text ? person : null;
}

/** The claim `sub`; null: it names nobody. */
export function readSubject(claim: unknown): string | null {
  return typeof claim === 'string' && SUBJECT.test(claim) && encoded(claim).length <= MAX_SUBJECT_CHARS ? claim : null;
}

/** What is wrong with an issuer's URL, or null. OpenID Connect Discovery §3: no query, no fragment. */
export function issuerFault(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || text.length > MAX_ISSUER_CHARS || !/^[\x21-\x7e]+$/.test(text))
    return `expected a URL of at most ${MAX_ISSUER_CHARS} characters`;
  if (/[?#]/.test(text) || url.username !== '' || url.password !== '')
    return 'an issuer has no query, fragment, name or password';
  return url.protocol === 'https:' || url.protocol === 'http:' ? null : 'it starts with https://';
}

/**
 * A name to show beside the identity, from a claim that the person may have chosen: letters, digits and a few signs, so that it
 * breaks no line, column or actor, and has nothing in it that cannot be seen.
 */
export function readName(claim: unknown): string | null {
  if (typeof claim !== 'string') return null;
  const kept = claim.slice(0, 1_024).toWellFormed().normalize('NFC').replaceAll(NOT_SHOWN, ' ');
  const name = [...kept.replaceAll(/ +/g, ' ').trim()].slice(0, MAX_NAME_CHARS).join('').trim();
  return name === '' ? null : name;
}

/** `person:NAME#ISSUER#SUBJECT`: who did it, in an audit record. */
export function personActor(person: PersonId, name: string): string {
  return `person:${name}#${personText(person)}`;
}

/** `agent:NAME#ID`, and behind it the person whose key it is, where it names one. */
export function keyActor({ name, id, person }: { name: string; id: string; person: string | null }): string {
  return person === null ? `agent:${name}#${id}` : `agent:${name}#${id}#${person}`;
}

/** Whether two actors are two persons, as far as a node can see. */
export type Apart = 'same' | 'different' | 'unknown';

/**
 * Tells two actors apart. Persons by issuer and subject, however they came: signed in, or by a key that is bound to them. Keys that
 * name nobody by key id and name: the same key, or keys of one name that follow each other, are one person's. Between a person and
 * a key that names nobody nothing can be said: it may be the person's own. Nor between persons of two issuers: one human may be both.
 */
export function tellApart(a: string, b: string): Apart {
  const [one, other] = [readActor(a), readActor(b)];
  if (isOneKey(one, other)) return 'same';
  if (one.person !== null && other.person !== null) return apartAs(one.person, other.person);
  return one.person === null && other.person === null ? 'different' : 'unknown';
}

function apartAs(one: string, other: string): Apart {
  if (one === other) return 'same';
  return issuerOf(one) === issuerOf(other) ? 'different' : 'unknown';
}

/** Of a text of {@link personText}. */
export function issuerOf(person: string): string {
  return person.split('#', 1)[0] ?? '';
}

/** Whether an actor names a person. */
export function namesPerson(actor: string): boolean {
  return readActor(actor).person !== null;
}

interface Actor {
  /** Of a key; null: a person who signed in. */
  readonly key: { readonly name: string; readonly id: string | undefined } | null;
  readonly person: string | null;
}

function readActor(text: string): Actor {
  const [head = '', ...rest] = text.split('#');
  if (head.startsWith('person:')) return { key: null, person: rest.join('#') };
  const [id, ...person] = rest;
  return { key: { name: head, id }, person: person.length === 0 ? null : person.join('#') };
}

function isOneKey({ key: a }: Actor, { key: b }: Actor): boolean {
  if (a === null || b === null) return false;
  return a.name === b.name || (a.id !== undefined && a.id === b.id);
}

function encoded(subject: string): string {
  return subject.replaceAll(/[ #%]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decoded(text: string): string {
  return text.replaceAll(/%(20|23|25)/g, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
