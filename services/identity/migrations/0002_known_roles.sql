-- The names of the roles that policy has, folded from its events, so that no role is assigned that does not exist. The built-in ones are there from the start: the first administrator must not wait for policy.
create table known_roles (
  name text primary key
);
insert into known_roles (name) values ('admin'), ('developer'), ('viewer');
grant select, insert, delete on known_roles to {{role}};
