/** Who asks: whoever holds an API key, or a person whom the identity provider named. Both are judged by class and permissions. */

import type { Holder, Permission } from '../core/permissions.ts';
import { keyActor, type PersonId, personActor, personText, readPerson } from '../core/person.ts';
import type { StoredKey } from './keys.ts';

export interface Party extends Holder {
  /** What requests and sessions are counted by: a key's id, or what stands for a person. */
  readonly id: string;
  readonly name: string;
  /** In words; null: permissions were named. */
  readonly role: string | null;
  readonly permissions: readonly Permission[];
  /** Null: without an end of its own. */
  readonly expires_at: string | null;
  /** Null: a key that names nobody. */
  readonly person: PersonId | null;
  /** Null: a person, who has no key here. */
  readonly keyId: string | null;
  /** The reference's form, shown to clients. */
  readonly entityUri: string;
  /** Stands in audit records: a name can be used again, a key's id and a person's identity cannot. */
  readonly actor: string;
}

export function keyParty(key: StoredKey): Party {
  const { id, name, class: keyClass, role, permissions, expires_at, person } = key;
  return {
    id,
    name,
    class: keyClass,
    role,
    permissions,
    expires_at,
    person: person === null ? null : readPerson(person),
    keyId: id,
    entityUri: `agent:${name}`,
    actor: keyActor(key),
  };
}

/** What the identity provider's word is worth here. */
export interface Granted {
  readonly person: PersonId;
  /** To show: the person may have chosen it. */
  readonly name: string;
  readonly roles: string;
  readonly permissions: readonly Permission[];
}

/** A person is of class human: an automation has a key. */
export function personParty({ person, name, roles, permissions }: Granted): Party {
  const identity = personText(person);
  return {
    id: `person:${identity}`,
    name,
    class: 'human',
    role: roles,
    permissions,
    expires_at: null,
    person,
    keyId: null,
    entityUri: `person:${identity}`,
    actor: personActor(person, name),
  };
}
