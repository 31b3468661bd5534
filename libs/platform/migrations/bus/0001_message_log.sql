-- The bus of the standalone process: a partitioned log of messages. Offsets come from a counter row, so they rise in commit order and a reader that has seen one has seen all before it.
create table topic_partition (
  topic text not null,
  partition integer not null,
  low bigint not null default 0,          -- the oldest offset still kept
  next_offset bigint not null default 0,
  primary key (topic, partition)
) with (fillfactor = 20);

create table message (
  topic text not null,
  partition integer not null,
  "offset" bigint not null,
  key text,
  headers json not null,
  value bytea,
  compacted boolean not null,
  at timestamptz not null default clock_timestamp(),
  primary key (topic, partition, "offset")
);
create index message_newest_of_key on message (topic, partition, key, "offset") where compacted;
create index message_tombstone on message (topic, at) where compacted and value is null;

-- Appends in the order given; answers where each touched partition stands now. Counter rows are locked in one fixed
-- order, so two appends never wait for each other in a ring. On a compacted topic an older value of a key goes with the
-- arrival of the newer one, in the same transaction: no reader can miss both.
create function append(p_topics text[], p_partitions integer[], p_keys text[], p_headers json[], p_values bytea[], p_compacted boolean[])
returns table (topic text, partition integer, next_offset bigint)
language plpgsql set search_path = {{schema}} as $$
#variable_conflict use_column
declare
  appended bigint;
begin
  perform 1 from topic_partition t
    where (t.topic, t.partition) in (select * from unnest(p_topics, p_partitions))
    order by t.topic, t.partition for update;

  with input as (
    select * from unnest(p_topics, p_partitions, p_keys, p_headers, p_values, p_compacted)
      with ordinality as i (topic, partition, key, headers, value, compacted, n)
  ), counted as (
    select i.topic, i.partition, count(*) as n from input i group by i.topic, i.partition
  ), moved as (
    update topic_partition t set next_offset = t.next_offset + c.n
      from counted c where t.topic = c.topic and t.partition = c.partition
      returning t.topic, t.partition, t.next_offset - c.n as first
  )
  insert into message (topic, partition, "offset", key, headers, value, compacted)
    select i.topic, i.partition,
           m.first + row_number() over (partition by i.topic, i.partition order by i.n) - 1,
           i.key, i.headers, i.value, i.compacted
      from input i join moved m on m.topic = i.topic and m.partition = i.partition;
  get diagnostics appended = row_count;
  if appended <> cardinality(p_topics) then
    raise exception 'append to a partition that does not exist';
  end if;

  if true = any (p_compacted) then
    delete from message old
      using (select distinct topic, partition, key
               from unnest(p_topics, p_partitions, p_keys, p_compacted) as i (topic, partition, key, compacted)
               where i.compacted) touched
      where old.compacted and old.topic = touched.topic and old.partition = touched.partition and old.key = touched.key
        and old."offset" < (select max(newest."offset") from message newest
              where newest.compacted and newest.topic = old.topic and newest.partition = old.partition and newest.key = old.key);
    -- A tombstone stays for a week, for readers that were away when its key went. Only those of partitions held here.
    delete from message gone
      using (select distinct topic, partition from unnest(p_topics, p_partitions) as i (topic, partition)) touched
      where gone.compacted and gone.value is null and gone.at < clock_timestamp() - interval '7 days'
        and gone.topic = touched.topic and gone.partition = touched.partition;
  end if;

  return query select t.topic, t.partition, t.next_offset from topic_partition t
    where (t.topic, t.partition) in (select * from unnest(p_topics, p_partitions));
end $$;

grant select, insert, update on topic_partition to {{role}};
grant select, insert, delete on message to {{role}};
