-- What the dashboard of one organization may ask: counts by organization, and nothing of anybody's name, address, plate or
-- words. Run after `keroxio migrate`, as the owner of the database:
--     psql "$DATABASE_URL" -v password="$OBSERVER_PASSWORD" -f deploy/observer.sql
-- Bodies are texts, which PostgreSQL does not tie to tables: no migration is ever held up by them. Run again after one that
-- renames what is named here; `grafana/lint.py --sql` says so.
\set ON_ERROR_STOP on
BEGIN;
SELECT format('CREATE ROLE observer LOGIN') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'observer') \gexec
SELECT format('ALTER ROLE observer LOGIN PASSWORD %L CONNECTION LIMIT 5', :'password') \gexec
ALTER ROLE observer SET default_transaction_read_only = on;
ALTER ROLE observer SET statement_timeout = '10s';
DROP SCHEMA IF EXISTS observer CASCADE;
CREATE SCHEMA observer;

CREATE FUNCTION observer.organizations() RETURNS TABLE (
    organization uuid, kind text, since date, cars bigint, ads bigint, ads_ready bigint, photos bigint, megabytes bigint,
    jobs_waiting bigint, jobs_dead bigint, letters_failed bigint, deliveries_failed bigint
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT o.id, o.kind, o.created_at::date, coalesce(v.n, 0), coalesce(a.n, 0), coalesce(a.ready, 0), coalesce(s.n, 0),
        coalesce(s.bytes, 0)::bigint >> 20, coalesce(j.n, 0), coalesce(d.n, 0), coalesce(l.n, 0), coalesce(w.n, 0)
    FROM auth_organizations o
    LEFT JOIN (SELECT org_id, count(*) n FROM vehicle_vehicles GROUP BY 1) v ON v.org_id = o.id
    LEFT JOIN (SELECT org_id, count(*) n, count(*) FILTER (WHERE state = 'ready') ready FROM listing_ads GROUP BY 1) a ON a.org_id = o.id
    LEFT JOIN (SELECT org_id, count(*) n, sum(bytes) bytes FROM storage_objects GROUP BY 1) s ON s.org_id = o.id
    LEFT JOIN (SELECT org_id, count(*) n FROM core_jobs GROUP BY 1) j ON j.org_id = o.id
    LEFT JOIN (SELECT org_id, count(*) n FROM core_jobs_ended WHERE outcome = 'dead' GROUP BY 1) d ON d.org_id = o.id
    LEFT JOIN (SELECT org_id, count(*) n FROM email_messages WHERE state = 'failed' GROUP BY 1) l ON l.org_id = o.id
    LEFT JOIN (SELECT org_id, count(*) n FROM webhook_deliveries WHERE state = 'failed' GROUP BY 1) w ON w.org_id = o.id
$$;

-- Jobs that wait or were kept, by name. Their arguments and errors stay where they are.
CREATE FUNCTION observer.jobs(whose text) RETURNS TABLE (job text, queue text, state text, jobs bigint, newest timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT name, queue, CASE WHEN worker IS NULL THEN 'waiting' ELSE 'running' END, count(*), max(created_at)
    FROM core_jobs WHERE org_id::text = whose GROUP BY 1, 2, 3
    UNION ALL
    SELECT name, queue, outcome, count(*), max(ended_at) FROM core_jobs_ended WHERE org_id::text = whose GROUP BY 1, 2, 3
    ORDER BY 4 DESC
$$;

-- Steps of ads that want something, by the code of the reason.
CREATE FUNCTION observer.failures(whose text) RETURNS TABLE (step text, state text, reason text, steps bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.kind, s.state, coalesce(s.error_code, '-'), count(*)
    FROM listing_steps s JOIN listing_ads a ON a.id = s.listing_id
    WHERE a.org_id::text = whose AND s.state <> 'done' GROUP BY 1, 2, 3 ORDER BY 4 DESC
$$;

-- How many of one kind on each day of the last ninety; a day without any counts 0.
CREATE FUNCTION observer.days(whose text, what text) RETURNS TABLE (day timestamptz, count bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d, count(e.at)
    FROM generate_series(date_trunc('day', now()) - interval '90 days', date_trunc('day', now()), interval '1 day') d
    LEFT JOIN (
        SELECT created_at AS at FROM storage_objects WHERE what = 'photos' AND org_id::text = whose AND media_type = 'image/jpeg'
        UNION ALL SELECT created_at FROM listing_ads WHERE what = 'ads' AND org_id::text = whose
        UNION ALL SELECT created_at FROM vehicle_vehicles WHERE what = 'cars' AND org_id::text = whose
        UNION ALL SELECT corrected_at FROM plates_readings WHERE what = 'corrections' AND org_id::text = whose
        UNION ALL SELECT created_at FROM email_messages WHERE what = 'letters' AND org_id::text = whose
        UNION ALL SELECT created_at FROM webhook_deliveries WHERE what = 'failed_deliveries' AND state = 'failed' AND org_id::text = whose
    ) e ON e.at >= d AND e.at < d + interval '1 day'
    GROUP BY 1 ORDER BY 1
$$;

-- Nobody else may call them, and the observer nothing else.
REVOKE ALL ON SCHEMA observer FROM public;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA observer FROM public;
GRANT USAGE ON SCHEMA observer TO observer;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA observer TO observer;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM observer;
COMMIT;
