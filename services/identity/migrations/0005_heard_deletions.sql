-- Where identity's own log stood when the deletion of a role was heard for the first time. What is folded anew goes by it: a deletion of back then takes nothing that was assigned since.
create table heard_deletions (
  event_id text primary key,
  assigned_until bigint not null
);
grant select, insert on heard_deletions to {{role}};
-- A rebuild empties it: policy may have been set back, and tell again at positions that it has used before.
grant delete on role_deletions to {{role}};
