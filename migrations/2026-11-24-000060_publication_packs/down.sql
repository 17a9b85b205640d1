DROP TABLE publication_packs;
