-- Whoever has a trace finds the requests to the gate that were part of it. Records from before keep the column empty, for nothing in the trail is ever rewritten.

-- As in the first file: only a member of the owning role may alter its tables, and a superuser need not be one.
do $$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    grant {{role}}_owner to current_user;
  end if;
end $$;

-- It may be absent, so that a process of the version before goes on storing records beside this one.
alter table record add column trace_id text;

create index record_trace on record (trace_id, at, index) where trace_id is not null;

do $$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    revoke {{role}}_owner from current_user;
  end if;
end $$;
