DROP POLICY shared ON pricing_ads;
DO $$
DECLARE walled text;
BEGIN
    FOR walled IN SELECT tablename FROM pg_policies WHERE schemaname = 'public' AND policyname = 'tenant'
    LOOP
        EXECUTE format('DROP POLICY tenant ON %I', walled);
        EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', walled);
    END LOOP;
END $$;
DROP FUNCTION core_tenant();
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM keroxio_tenant;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM keroxio_tenant;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM keroxio_tenant;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM keroxio_tenant;
REVOKE USAGE ON SCHEMA public FROM keroxio_tenant;
-- The role stays: other databases of the server may have it too.
