DROP TABLE publication_tasks;
