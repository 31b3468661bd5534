-- Servers and their tools, folded from the registry's events.
create table server (
  slug text primary key,
  name text not null,
  description text not null,
  status text not null,
  status_reason text,
  transport jsonb not null,
  server_info jsonb,
  catalogue_digest text,
  catalogue_fetched_at timestamptz,
  catalogue_fetch_error text,
  submitted_at timestamptz not null,
  submitted_by jsonb not null,
  approved_at timestamptz,
  approved_by jsonb
);

create table tool (
  server_slug text not null,
  name text not null,
  classified_as text,
  proposed_class text,
  proposed_because text,
  digests jsonb,
  definition jsonb,
  approved_class text,
  approved_digests jsonb,
  approved_definition jsonb,
  primary key (server_slug, name)
);

grant select, insert, update, delete on server, tool to {{role}};
