-- The owner's own read tables: kept in the transaction that appends, so that commands see them at once and their constraints guard the log.
create table users (
  user_id text primary key,
  user_name text not null,
  -- The name folded for comparison: two names that people would take for one are one.
  name_key text not null,
  display_name text not null,
  email text,
  active boolean not null,
  constraint users_name_key unique (name_key)
);

create table groups (
  group_id text primary key,
  display_name text not null
);

create table group_members (
  group_id text not null references groups on delete cascade,
  user_id text not null references users,
  primary key (group_id, user_id)
);
create index group_members_of_user on group_members (user_id);

create table agents (
  agent_id text primary key,
  name text not null,
  name_key text not null,
  description text not null,
  owner_user_id text references users,
  active boolean not null,
  constraint agents_name_key unique (name_key)
);

create table keys (
  key_id text primary key,
  principal_kind text not null check (principal_kind in ('user', 'agent')),
  principal_id text not null,
  label text not null,
  secret_sha256 text not null,
  issued_at timestamptz not null,
  expires_at timestamptz,
  rotated_from text,
  replaced_by text,
  overlap_until timestamptz,
  revoked_at timestamptz
);
create index keys_of_principal on keys (principal_kind, principal_id);

create table role_assignments (
  assignee_kind text not null check (assignee_kind in ('user', 'group', 'agent')),
  assignee_id text not null,
  role text not null,
  primary key (assignee_kind, assignee_id, role)
);
create index role_assignments_of_role on role_assignments (role);

grant select, insert, update, delete on users, groups, group_members, agents, keys, role_assignments to {{role}};
