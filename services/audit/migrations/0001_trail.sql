-- The trail: every record of every gate, in one gapless order, append-only for everybody. It refers to nothing that can be renamed or deleted: names are copied in, and there is no foreign key.

-- Nobody logs in as the owner, so nobody can lift what is written below but a superuser.
do $$
begin
  create role {{role}}_owner nologin;
exception when duplicate_object or unique_violation then null;
end $$;
-- Only who is a member may hand a table over, and a superuser need not be one.
do $$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    grant {{role}}_owner to current_user;
  end if;
end $$;
grant usage, create on schema {{schema}} to {{role}}_owner;

-- The one row that a writer locks before it gives out numbers: the next index is `size`.
create table log_state (
  only_row boolean primary key default true check (only_row),
  size bigint not null check (size >= 0)
) with (fillfactor = 20);
insert into log_state (size) values (0);

-- How far each gate's spool was stored; what comes again is at or below it.
create table source_cursor (
  source text primary key,
  last_sequence bigint not null check (last_sequence > 0)
);

-- Where each partition of the bus is resumed; moves with the records in one transaction.
create table bus_cursor (
  topic text not null,
  partition integer not null,
  next_offset bigint not null,
  primary key (topic, partition)
);

-- `body` is the record as the gate wrote it, byte for byte; the other columns are copies to search by.
create table record (
  index bigint primary key check (index >= 0),
  stored_at timestamptz not null default clock_timestamp(),
  source text not null,
  sequence bigint not null,
  id text not null,
  request_id text not null,
  phase text not null check (phase in ('intent', 'outcome')),
  at timestamptz not null,
  method text not null,
  principal_id text,
  principal_name text,
  server text,
  tool text,
  decision text not null,
  outcome text not null,
  reason_code text not null,
  client_ip text not null,
  session_ref text,
  body text not null
) partition by range (index);

-- Sealed arguments and their like do not compress: do not try.
alter table record alter column body set storage external;

-- Searches are answered newest first, by the time of the gate: each index ends in that order.
create index record_id on record (id);
create index record_request on record (request_id, index);
create index record_at on record (at, index);
create index record_principal_id on record (principal_id, at, index);
create index record_principal_name on record (principal_name, at, index);
create index record_server_tool on record (server, tool, at, index);
create index record_tool on record (tool, at, index);
create index record_method on record (method, at, index) where method <> 'tools/call';
create index record_denied on record (at, index) where decision = 'deny';
create index record_outcome on record (outcome, at, index) where outcome <> 'ok';
create index record_reason on record (reason_code, at, index);
create index record_client_ip on record (client_ip, at, index);
create index record_session on record (session_ref, at, index);

-- The first partition takes all until a later migration closes it at an index and begins the next.
create table record_from_0 partition of record for values from (0) to (maxvalue);

-- A hole in a gate's numbers: records that were written there and never came.
create table gap (
  source text not null,
  first_missing bigint not null,
  last_missing bigint not null,
  before_index bigint not null,
  noticed_at timestamptz not null default clock_timestamp(),
  primary key (source, first_missing)
);

-- Derived, so it may change: the records that leave open how their request ended, and the outcome that closed it.
create table unsettled (
  index bigint primary key,
  source text not null,
  request_id text not null,
  settled_by bigint
);
create index unsettled_open on unsettled (index) where settled_by is null;
create index unsettled_request on unsettled (request_id) where settled_by is null;
create index unsettled_settled on unsettled (settled_by) where settled_by is not null;

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit trail is append-only' using errcode = 'insufficient_privilege';
end $$;

-- ALWAYS: they fire for a superuser in replica mode too. Partitions inherit row triggers, but not those for truncate.
create trigger append_only_row before update or delete on record for each row execute function refuse_change();
create trigger append_only_table before truncate on record for each statement execute function refuse_change();
create trigger append_only_table before truncate on record_from_0 for each statement execute function refuse_change();
create trigger append_only_row before update or delete on gap for each row execute function refuse_change();
create trigger append_only_table before truncate on gap for each statement execute function refuse_change();
alter table record enable always trigger append_only_row;
alter table record enable always trigger append_only_table;
alter table record_from_0 enable always trigger append_only_row;
alter table record_from_0 enable always trigger append_only_table;
alter table gap enable always trigger append_only_row;
alter table gap enable always trigger append_only_table;

grant select, insert on record, gap to {{role}};
grant select, update on log_state to {{role}};
grant select, insert, update on source_cursor, bus_cursor, unsettled to {{role}};

alter table log_state owner to {{role}}_owner;
alter table source_cursor owner to {{role}}_owner;
alter table bus_cursor owner to {{role}}_owner;
alter table unsettled owner to {{role}}_owner;
alter table record owner to {{role}}_owner;
alter table record_from_0 owner to {{role}}_owner;
alter table gap owner to {{role}}_owner;
alter function refuse_change() owner to {{role}}_owner;
do $$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    revoke {{role}}_owner from current_user;
  end if;
end $$;
