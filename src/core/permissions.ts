/** What an API key may do. The names are the Stigmem reference's, but for `review` and `legal.hold`. */
export const PERMISSIONS = [
  'read',
  'write',
  'federate',
  'audit.read',
  'review',
  'admin',
  'admin:federation',
  'legal.hold',
  'instruction:write',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Who holds a key: a person, or a program that acts by itself. */
export const KEY_CLASSES = ['human', 'automation'] as const;
export type KeyClass = (typeof KEY_CLASSES)[number];

/** What a decision about a key is made from. */
export interface Holder {
  readonly class: KeyClass;
  readonly permissions: readonly Permission[];
}

/** `admin` implies every other permission but this: a key that can steer agents is given on purpose or not at all. */
const NOT_IMPLIED_BY_ADMIN: Permission = 'instruction:write';

/** What only a person decides. An agent that can be talked into anything must not hold these. */
const HUMAN_ONLY: ReadonlySet<Permission> = new Set(['admin', 'admin:federation', 'review']);

/** What the holder of a key is there for. */
export const KEY_ROLES = ['reader', 'writer', 'auditor', 'reviewer', 'operator', 'admin'] as const;
export type KeyRole = (typeof KEY_ROLES)[number];

/** Permissions that belong together. */
const ROLE_PERMISSIONS: Readonly<Record<KeyRole, readonly Permission[]>> = {
  reader: ['read'],
  writer: ['read', 'write'],
  auditor: ['read', 'federate', 'audit.read'],
  reviewer: ['read', 'federate', 'audit.read', 'review'],
  operator: ['read', 'federate', 'audit.read', 'admin:federation'],
  admin: ['admin'],
};

/** What a role may do. */
export function rolePermissions(role: KeyRole): readonly Permission[] {
  return ROLE_PERMISSIONS[role];
}

/** Tells whether a text names a permission. */
export function isPermission(text: string): text is Permission {
  return (PERMISSIONS as readonly string[]).includes(text);
}

/** The first of these that no automation may hold, or null. */
export function humanOnly(permissions: readonly Permission[]): Permission | null {
  return permissions.find((permission) => HUMAN_ONLY.has(permission)) ?? null;
}

/** Permissions in force for a key, sorted. */
export function effectivePermissions(holder: Holder): readonly Permission[] {
  return PERMISSIONS.filter((permission) => permits(holder, permission)).toSorted();
}

/** Tells whether a key may do what needs `needed`. The class is asked too: a key file can be edited by hand. */
export function permits({ class: keyClass, permissions }: Holder, needed: Permission): boolean {
  if (keyClass === 'automation' && HUMAN_ONLY.has(needed)) return false;
  if (permissions.includes(needed)) return true;
  return keyClass === 'human' && permissions.includes('admin') && needed !== NOT_IMPLIED_BY_ADMIN;
}
