-- The clock. The commands hold no secret: cron.job.command is readable in clear.
select cron.schedule('podbase-tick', '10 seconds', 'select podbase_private.tick()');
-- pg_cron never prunes its own log (github.com/citusdata/pg_cron).
select cron.schedule('podbase-prune', '17 3 * * *',
  $$delete from cron.job_run_details where end_time < pg_catalog.now() - interval '1 day'$$);
