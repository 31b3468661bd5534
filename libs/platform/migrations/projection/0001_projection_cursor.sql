-- How far this schema's read models have come on each partition: advanced in the transaction that applies the event.
create table projection_cursor (
  runner text not null,
  topic text not null,
  partition integer not null,
  next_offset bigint not null,
  position bigint not null,
  primary key (runner, topic, partition)
);
grant select, insert, update, delete on projection_cursor to {{role}};
