-- The service's event log: gapless positions in commit order, optimistic concurrency per stream, append-only for everybody. It is also the outbox. Event data is `json`, not `jsonb`: it is read back exactly as it was written, key order and all.
create table event_head (
  only_row boolean primary key default true check (only_row),
  position bigint not null
) with (fillfactor = 20);
insert into event_head (position) values (0);

create table event (
  position bigint primary key,
  stream text not null,
  version integer not null check (version > 0),
  id uuid not null unique,
  type text not null,
  data json not null,
  actor jsonb not null,
  correlation_id text not null,
  causation_id text,
  traceparent text,
  occurred_at timestamptz not null,
  constraint event_stream_version_key unique (stream, version)
);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the event log is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger event_append_only_row before update or delete on event for each row execute function refuse_change();
create trigger event_append_only_table before truncate on event for each statement execute function refuse_change();
-- ALWAYS: they fire for a superuser in replica mode too.
alter table event enable always trigger event_append_only_row;
alter table event enable always trigger event_append_only_table;

-- How far each consumer of this log has come.
create table checkpoint (
  consumer text primary key,
  position bigint not null
);

grant select, insert on event to {{role}};
grant select, update on event_head to {{role}};
grant select, insert, update on checkpoint to {{role}};
