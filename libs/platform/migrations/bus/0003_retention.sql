-- What every group has handled may go after a while, topic by topic as configured; otherwise the log grows for ever.
-- At most 10,000 messages of a partition at a time, so that it never holds up a publisher for long; answers how many went.
create function prune(p_topic text, p_older_than_ms bigint) returns bigint
language plpgsql set search_path = {{schema}} as $$
declare
  this record;
  upto bigint;
  gone bigint;
  total bigint := 0;
begin
  for this in
    select p.partition, p.low, least(min(o.next_offset), p.next_offset, p.low + 10000) as handled
      from topic_partition p join group_offset o on o.topic = p.topic and o.partition = p.partition
      where p.topic = p_topic group by p.topic, p.partition order by p.partition
  loop
    select coalesce(min(m."offset"), this.handled) into upto from message m
      where m.topic = p_topic and m.partition = this.partition and m."offset" < this.handled
        and (m.compacted or m.at >= clock_timestamp() - p_older_than_ms * interval '1 ms');
    delete from message m where m.topic = p_topic and m.partition = this.partition and m."offset" < upto;
    get diagnostics gone = row_count;
    if gone > 0 then
      update topic_partition p set low = greatest(p.low, upto) where p.topic = p_topic and p.partition = this.partition;
    end if;
    total := total + gone;
  end loop;
  return total;
end $$;
