-- Whether the first administrator was made: begun before the first step and finished after the last, so that a crash between them is seen.
create table bootstrap (
  only_row boolean primary key default true check (only_row),
  user_id text,
  finished_at timestamptz
);
grant select, insert, update on bootstrap to {{role}};
