-- Auditors also search by the client that asked and by how long a request took. Records from before keep these empty, for nothing in the trail is ever rewritten: all other searches find them.

-- As in the first file: only a member of the owning role may alter its tables, and a superuser need not be one.
do $$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    grant {{role}}_owner to current_user;
  end if;
end $$;

-- Both may be absent, so that a process of the version before goes on storing records beside this one.
alter table record add column client_name text, add column duration_ms double precision;

create index record_client_name on record (client_name, at, index);
create index record_duration on record (duration_ms);

do $$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    revoke {{role}}_owner from current_user;
  end if;
end $$;
