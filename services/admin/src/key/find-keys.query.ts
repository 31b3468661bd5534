import { Refusal } from '@gatehouse/problem-catalog';
import { groupRows } from '../paging/group-rows.ts';
import { readPageArgs, toPage, type Page } from '../paging/page.ts';
import type { ReadModel } from '../read-model.ts';
import type { Key, PrincipalKind, QueryKeysArgs } from '../schema/schema.generated.ts';

const KEYS_OF_ONE = 50;

// The same rules by which the gate judges a key: holder and owner must be active, and a successor counts once its
// predecessor names it. $1 is the time.
const SELECT_KEY = `
  select k.id, k.label, k.principal_kind, k.principal_id, k.expires_at as "expiresAt",
    k.overlap_until as "overlapUntil", k.replaced_by as "replacedBy", k.rotated_from as "rotatedFrom",
    k.revoked_at as "revokedAt", k.revoked_because as "revokedBecause", k.issued_at as "issuedAt",
    k.issued_by as "issuedBy",
    json_build_object('kind', k.principal_kind, 'id', k.principal_id, 'name', coalesce(u.user_name, a.name))
      as principal,
    case
      when k.revoked_at is not null then 'revoked'
      when least(k.expires_at, k.overlap_until) <= $1::timestamptz then 'expired'
      when (case k.principal_kind when 'user' then u.active
        else a.active and (a.owner_user_id is null or o.active is true) end) is not true then 'locked'
      when k.rotated_from is not null and p.replaced_by is distinct from k.id then 'locked'
      when k.overlap_until is not null then 'retiring'
      else 'active'
    end as status
  from bearer_key k
  left join app_user u on k.principal_kind = 'user' and u.id = k.principal_id
  left join agent a on k.principal_kind = 'agent' and a.id = k.principal_id
  left join app_user o on o.id = a.owner_user_id
  left join bearer_key p on p.id = k.rotated_from`;

type KeyRow = Key & { readonly issuedAt: Date };

/** Pages through the keys, newest first. */
export async function findKeys(model: ReadModel, args: QueryKeysArgs): Promise<Page<Key>> {
  const page = readPageArgs(args, 2, model.maxPageSize);
  const { principal, status } = args.filter ?? {};
  const { rows } = await model.database.pool.query<KeyRow>(
    `select * from (${SELECT_KEY}) as key
     where ($2::text is null or (principal_kind = $2 and principal_id = $3))
       and ($4::text is null or status = $4)
       and ($5::text is null or ("issuedAt", id) < ($5::timestamptz, $6))
     order by "issuedAt" desc, id desc limit $7`,
    [
      model.clock.now(),
      principal?.kind,
      principal?.id,
      status,
      page.after === null ? null : instant(page.after[0]),
      page.after?.[1],
      page.limit,
    ],
  );
  return toPage(rows, page, (key) => [key.issuedAt.toISOString(), key.id]);
}

/** One key. */
export async function findKey(model: ReadModel, id: string): Promise<Key | null> {
  const { rows } = await model.database.pool.query<Key>(`${SELECT_KEY} where k.id = $2`, [
    model.clock.now(),
    id,
  ]);
  return rows[0] ?? null;
}

/** The newest keys of each of the principals of one kind, in one statement. */
export async function findKeysOf(
  model: ReadModel,
  kind: PrincipalKind,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly Key[]>> {
  const { rows } = await model.database.pool.query<Key>(
    `select * from (select key.*,
         row_number() over (partition by principal_id order by "issuedAt" desc, id desc) as place
       from (${SELECT_KEY} where k.principal_kind = $2 and k.principal_id = any ($3)) as key) as key
     where place <= $4 order by "issuedAt" desc, id desc`,
    [model.clock.now(), kind, ids, KEYS_OF_ONE],
  );
  return groupRows(rows, (key) => key.principal.id);
}

function instant(text: string | undefined): Date {
  const date = new Date(text ?? '');
  if (Number.isNaN(date.getTime())) throw new Refusal('cursor-invalid');
  return date;
}
