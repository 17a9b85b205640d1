DROP TABLE publication_reports;
ALTER TABLE publication_pages DROP COLUMN hidden_for;
ALTER TABLE publication_pages DROP COLUMN hidden_at;
