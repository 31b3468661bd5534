-- People, groups, agents, keys and who holds which role, folded from identity's events. No foreign keys: events of different streams arrive in any order.
create table app_user (
  id text primary key,
  user_name text not null,
  display_name text not null,
  email text,
  active boolean not null,
  deactivated_because text,
  provisioned_at timestamptz not null
);
create index app_user_by_name on app_user (lower(user_name) text_pattern_ops, id);

create table user_group (
  id text primary key,
  display_name text not null,
  created_at timestamptz not null
);
create index user_group_by_name on user_group (lower(display_name), id);

create table group_member (
  group_id text not null,
  user_id text not null,
  primary key (group_id, user_id)
);
create index group_member_by_user on group_member (user_id, group_id);

create table agent (
  id text primary key,
  name text not null,
  description text not null,
  owner_user_id text,
  active boolean not null,
  disabled_because text,
  registered_at timestamptz not null
);
create index agent_by_name on agent (lower(name), id);
create index agent_by_owner on agent (owner_user_id) where owner_user_id is not null;

-- Never a secret, nor the digest of one.
create table bearer_key (
  id text primary key,
  principal_kind text not null,
  principal_id text not null,
  label text not null,
  expires_at timestamptz,
  overlap_until timestamptz,
  replaced_by text,
  rotated_from text,
  revoked_at timestamptz,
  revoked_because text,
  issued_at timestamptz not null,
  issued_by jsonb not null
);
create index bearer_key_by_age on bearer_key (issued_at, id);
create index bearer_key_by_principal on bearer_key (principal_kind, principal_id, issued_at, id);

create table role_assignment (
  assignee_kind text not null,
  assignee_id text not null,
  role text not null,
  assigned_at timestamptz not null,
  assigned_by jsonb not null,
  primary key (assignee_kind, assignee_id, role)
);
create index role_assignment_by_role on role_assignment (role, assignee_kind, assignee_id);

grant select, insert, update, delete on app_user, user_group, group_member, agent, bearer_key, role_assignment to {{role}};
