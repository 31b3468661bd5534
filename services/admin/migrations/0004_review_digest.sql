-- The digest that an approval must name is over the transport too, of which this schema keeps no secret: only its digest.
alter table server add column transport_digest text;
-- What was reckoned without it names nothing any more; a rebuild of the read model reckons it anew.
update server set catalogue_digest = null;
