-- The bundle that gateways decide by: the newest, whole, so that no history is read to publish it.
create table current_bundle (
  only_row boolean primary key default true check (only_row),
  number integer not null check (number > 0),
  roles jsonb not null
);
grant select, insert, update, delete on current_bundle to {{role}};
