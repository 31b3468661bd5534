-- The registry's own view of every server: what waits for review beside what was approved, which alone is served.
create table servers (
  slug text primary key,
  name text not null,
  description text not null,
  transport jsonb not null,
  status text not null check (status in ('submitted', 'fetched', 'approved', 'suspended', 'rejected')),
  server_info jsonb,
  pending_tools json,
  pending_digest text,
  fetched_at timestamptz,
  fetch_failure text,
  fetch_failed_at timestamptz,
  approved_tools json,
  approved_digest text,
  approved_at timestamptz,
  reason text,
  constraint servers_served_as_approved check (status not in ('approved', 'suspended') or approved_tools is not null)
);

grant select, insert, update, delete on servers to {{role}};
