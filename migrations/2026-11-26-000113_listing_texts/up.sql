-- Every text an ad has had, so that any of them can come back.
CREATE TABLE listing_texts (
    listing_id uuid NOT NULL REFERENCES listing_ads ON DELETE CASCADE,
    version integer NOT NULL CHECK (version >= 1),
    title text NOT NULL,
    body text NOT NULL,
    -- Where it comes from.
    origin text NOT NULL CHECK (origin IN ('facts', 'seller', 'rewritten', 'restored')),
    -- The version a restored one repeats.
    restored_from integer,
    -- The model that rewrote it.
    model text,
    -- The user, where it was one.
    written_by uuid,
    written_at timestamptz NOT NULL,
    PRIMARY KEY (listing_id, version)
);
INSERT INTO listing_texts (listing_id, version, title, body, origin, written_at)
    SELECT id, 1, coalesce(title, ''), coalesce(body, ''), CASE WHEN text_edited THEN 'seller' ELSE 'facts' END, updated_at
    FROM listing_ads WHERE title IS NOT NULL OR body IS NOT NULL;

-- The last rewriting of an ad by a language model, and what came of it.
CREATE TABLE listing_rewritings (
    listing_id uuid PRIMARY KEY REFERENCES listing_ads ON DELETE CASCADE,
    state text NOT NULL CHECK (state IN ('running', 'done', 'refused', 'failed')),
    error_code text,
    -- What the checker found in the last text that was refused.
    findings jsonb NOT NULL DEFAULT '[]',
    asked_at timestamptz NOT NULL,
    ended_at timestamptz
);
