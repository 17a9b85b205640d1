-- The second wall between organizations: connections of tenants are in a role that sees one organization's rows only,
-- the one that `keroxio.org` names. Without it they see none.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'keroxio_tenant') THEN
        CREATE ROLE keroxio_tenant NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role keroxio_tenant is missing; an administrator makes it: CREATE ROLE keroxio_tenant NOLOGIN; GRANT keroxio_tenant TO %', current_user;
END $$;

DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'keroxio_tenant', 'MEMBER') THEN
        EXECUTE format('GRANT keroxio_tenant TO %I', current_user);
    END IF;
END $$;

CREATE FUNCTION core_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('keroxio.org', true), '')::uuid $$;

GRANT USAGE ON SCHEMA public TO keroxio_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO keroxio_tenant;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO keroxio_tenant;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO keroxio_tenant;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO keroxio_tenant;

-- What names its organization is that organization's. A table made later needs a policy of its own; a test sees to it.
DO $$
DECLARE owned text;
BEGIN
    FOR owned IN
        SELECT table_name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = 'org_id'
            AND table_name NOT IN ('auth_users', 'core_jobs', 'pricing_ads')
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
        EXECUTE format('CREATE POLICY tenant ON %I TO keroxio_tenant USING (org_id = (SELECT core_tenant()))', owned);
    END LOOP;
END $$;

-- Rows of an advertisement are whose the advertisement is.
DO $$
DECLARE part text;
BEGIN
    FOREACH part IN ARRAY ARRAY['listing_photos', 'listing_steps', 'listing_price_watch', 'listing_progress',
        'listing_rewritings', 'listing_texts']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
        EXECUTE format('CREATE POLICY tenant ON %I TO keroxio_tenant
            USING (EXISTS (SELECT FROM listing_ads a WHERE a.id = listing_id))', part);
    END LOOP;
END $$;
ALTER TABLE images_variants ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON images_variants TO keroxio_tenant
    USING (EXISTS (SELECT FROM images_cleanings c WHERE c.id = cleaning_id));

ALTER TABLE auth_organizations ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON auth_organizations TO keroxio_tenant USING (id = (SELECT core_tenant()));
ALTER TABLE auth_users ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON auth_users TO keroxio_tenant
    USING (EXISTS (SELECT FROM auth_memberships m WHERE m.user_id = id AND m.org_id = (SELECT core_tenant())));

-- Work for the installation may be asked for by anybody, and seen by nobody.
ALTER TABLE core_jobs ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON core_jobs TO keroxio_tenant USING (org_id = (SELECT core_tenant()))
    WITH CHECK (org_id = (SELECT core_tenant()) OR org_id IS NULL);
-- Evidence of the market is everybody's, what somebody sold for is theirs.
ALTER TABLE pricing_ads ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON pricing_ads TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
CREATE POLICY shared ON pricing_ads FOR SELECT TO keroxio_tenant USING (org_id IS NULL);

-- What opens accounts is reached by no tenant.
REVOKE ALL ON auth_refresh_tokens, auth_links, auth_recovery_codes FROM keroxio_tenant;
