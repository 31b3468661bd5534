-- Who reads what, and how far: members of a group share its partitions by leases; an epoch fences out whoever lost one.
create table group_offset (
  group_name text not null,
  topic text not null,
  partition integer not null,
  next_offset bigint not null,
  primary key (group_name, topic, partition)
) with (fillfactor = 20);

-- Worth nothing after a crash of the server: members join again by themselves.
create unlogged table group_member (
  group_name text not null,
  member text not null,
  topics text[] not null,
  expires timestamptz not null,
  session_pid integer,
  session_started timestamptz,
  primary key (group_name, member)
);

create table partition_lease (
  group_name text not null,
  topic text not null,
  partition integer not null,
  owner text,
  epoch bigint not null default 0,
  primary key (group_name, topic, partition)
) with (fillfactor = 20);

-- A member shows that it lives, and learns which partitions are its own. A member is dead when its time is over or when
-- the database session that it listens on has ended: that is how a killed process is noticed at once.
-- `keep` is false where the member holds more than its share and should let go after the batch in hand.
create function beat(p_group text, p_member text, p_topics text[], p_partitions integer[], p_lease_ms integer, p_session_pid integer, p_session_started timestamptz)
returns table (topic text, partition integer, epoch bigint, keep boolean)
language plpgsql set search_path = {{schema}} as $$
#variable_conflict use_column
declare
  joined boolean;
  buried integer;
  members integer;
  rank integer;
  quota integer;
  held integer;
  this record;
begin
  perform set_config('synchronous_commit', 'off', true);
  perform pg_advisory_xact_lock(hashtext('{{schema}}.group'), hashtext(p_group));

  insert into group_member as m (group_name, member, topics, expires, session_pid, session_started)
    values (p_group, p_member, p_topics, clock_timestamp() + p_lease_ms * interval '1 ms', p_session_pid, p_session_started)
    on conflict (group_name, member) do update
      set topics = excluded.topics, expires = excluded.expires, session_pid = excluded.session_pid, session_started = excluded.session_started
    returning m.xmax = 0 into joined;

  delete from group_member m where m.group_name = p_group and m.member <> p_member
    and (m.expires < clock_timestamp()
      or (m.session_pid is not null and not exists (
            select 1 from pg_stat_activity a where a.pid = m.session_pid
              and (a.backend_start = m.session_started or a.backend_start is null)))); -- null: of a role we may not look at
  get diagnostics buried = row_count;

  if joined then
    insert into partition_lease (group_name, topic, partition)
      select p_group, t.topic, n from unnest(p_topics, p_partitions) as t (topic, partitions), generate_series(0, t.partitions - 1) as n
      on conflict do nothing;
  end if;
  update partition_lease l set owner = null
    where l.group_name = p_group and l.owner is not null
      and not exists (select 1 from group_member m where m.group_name = p_group and m.member = l.owner);

  for this in select * from unnest(p_topics, p_partitions) as t (topic, partitions) loop
    -- The odd partitions stay with those who hold most, so that nothing moves without need; among equals the topic's
    -- name decides, lest the same member get the odd partition of every topic.
    with standing as (
      select m.member, hashtext(m.member || this.topic) as turn,
             (select count(*) from partition_lease l
                where l.group_name = p_group and l.topic = this.topic and l.owner = m.member) as held
        from group_member m where m.group_name = p_group and this.topic = any (m.topics)
    )
    select count(*), count(*) filter (where (-s.held, s.turn, s.member) < (-me.held, me.turn, me.member)), max(me.held)
      into members, rank, held from standing s, standing me where me.member = p_member;
    quota := this.partitions / members + (case when rank < this.partitions % members then 1 else 0 end);
    if held < quota then
      update partition_lease l set owner = p_member, epoch = l.epoch + 1
        where l.group_name = p_group and l.topic = this.topic and l.partition in (
          select f.partition from partition_lease f
            where f.group_name = p_group and f.topic = this.topic and f.owner is null
            order by f.partition limit quota - held);
    end if;
    return query
      select l.topic, l.partition, l.epoch, row_number() over (order by l.partition) <= quota
        from partition_lease l where l.group_name = p_group and l.topic = this.topic and l.owner = p_member;
  end loop;

  if joined or buried > 0 then
    perform pg_notify('gatehouse_bus', 'group ' || p_group);
  end if;
end $$;

-- Gives one partition back, or all of them and the membership where no topic is named.
create function let_go(p_group text, p_member text, p_topic text default null, p_partition integer default null)
returns void language plpgsql set search_path = {{schema}} as $$
begin
  perform pg_advisory_xact_lock(hashtext('{{schema}}.group'), hashtext(p_group));
  if p_topic is null then
    delete from group_member m where m.group_name = p_group and m.member = p_member;
  end if;
  update partition_lease l set owner = null
    where l.group_name = p_group and l.owner = p_member
      and (p_topic is null or (l.topic = p_topic and l.partition = p_partition));
  perform pg_notify('gatehouse_bus', 'group ' || p_group);
end $$;

-- Remembers how far the group has come; false when the lease has gone to somebody else meanwhile.
create function commit_offset(p_group text, p_member text, p_epoch bigint, p_topic text, p_partition integer, p_next bigint)
returns boolean language plpgsql set search_path = {{schema}} as $$
begin
  -- Not waiting for the disk: what a crash of the server forgets here is handled once more, which consumers must bear anyway.
  perform set_config('synchronous_commit', 'off', true);
  perform 1 from partition_lease l
    where l.group_name = p_group and l.topic = p_topic and l.partition = p_partition
      and l.owner = p_member and l.epoch = p_epoch for share;
  if not found then
    return false;
  end if;
  insert into group_offset as o (group_name, topic, partition, next_offset) values (p_group, p_topic, p_partition, p_next)
    on conflict (group_name, topic, partition) do update set next_offset = excluded.next_offset;
  return true;
end $$;

grant select, insert, update on group_offset to {{role}};
grant select, insert, update, delete on group_member to {{role}};
grant select, insert, update on partition_lease to {{role}};
