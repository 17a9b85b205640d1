-- The request or job that wrote it, as W3C Trace Context says it; for whoever collects traces.
ALTER TABLE core_jobs ADD COLUMN trace text;
