-- The roles of the published bundle and its number, folded from policy's events.
create table role (
  name text primary key,
  description text not null,
  management text not null,
  connectors jsonb not null,
  defined_at timestamptz not null,
  defined_by jsonb not null
);

create table bundle (
  only_row boolean primary key default true check (only_row),
  number integer not null,
  published_at timestamptz not null
);

grant select, insert, update, delete on role, bundle to {{role}};
