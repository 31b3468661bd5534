-- Where in identity's own log a role was assigned: what was assigned before its deletion was heard is told from what was assigned anew after it.
alter table role_assignments add column position bigint not null default 0;

-- The newest deletion of every role name that policy announced: what came twice is known by its position in policy's log. `assigned_until` is where identity's log stood when it was heard.
create table role_deletions (
  role text primary key,
  position bigint not null,
  event_id text not null,
  correlation_id text not null,
  assigned_until bigint not null,
  handled boolean not null default false
);
-- Where in policy's log the role was defined last: an older deletion that comes again does not take the name away.
alter table known_roles add column position bigint not null default 0;

grant update on known_roles to {{role}};
grant select, insert, update on role_deletions to {{role}};
